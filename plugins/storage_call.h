/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of the storage. */
#ifndef STORAGE_CALL_H
#define STORAGE_CALL_H

#include "storage.h"

extern const struct ov_command storage_command_health, storage_command_tasks,
    storage_command_prune_index;

#endif
