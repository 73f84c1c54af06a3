/* SPDX-License-Identifier: Apache-2.0 */
/* A flag whose value is a number. */
#ifndef CALL_NUMBER_H
#define CALL_NUMBER_H

#include "omnivigil.h"

/* A whole number from 1 to `max` (below INT64_MAX / 10) that flag `position`, called `name`, was
 * given, or `fallback`; false, said, where it is none. */
bool call_number(struct ov_call *call, unsigned position, const char *name, int64_t fallback,
                 int64_t max, int64_t *number) OV_MUST_CHECK;

#endif
