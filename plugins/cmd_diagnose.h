/* SPDX-License-Identifier: Apache-2.0 */
/* The command `diagnose`, which the input `runner` brings. */
#ifndef CMD_DIAGNOSE_H
#define CMD_DIAGNOSE_H

#include "omnivigil.h"

extern const struct ov_command cmd_diagnose;

#endif
