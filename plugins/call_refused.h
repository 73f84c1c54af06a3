/* SPDX-License-Identifier: Apache-2.0 */
/* How commands say that Redis refused something. */
#ifndef CALL_REFUSED_H
#define CALL_REFUSED_H

#include "redis.h"

/* Says what Redis answered to `command` about `key`, and what helps. Returns an enum ov_exit. */
int call_refused(struct ov_call *call, const char *command, struct ov_slice key,
                 enum redis_fault fault, struct ov_slice why);

#endif
