/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Variables in values of the configuration:
 *
 *     ${NAME}            the variable's value, byte for byte; unset is an error
 *     ${NAME:-default}   `default` where it is unset or empty; it ends at the first }
 *     $$                 $
 *
 * A $ before anything else stands for itself. What was put in is never looked at again.
 */
#ifndef OV_EXPAND_H
#define OV_EXPAND_H

#include "dotenv.h"

/* Appends `text` with its variables replaced to `out`. On OV_FAILED `why` says what is wrong,
 * with the variable's name where one is unset, and `out` holds a part. */
int ov_expand(struct ov_slice text, const struct ov_dotenv *env, struct ov_buf *out,
              struct ov_buf *why) OV_MUST_CHECK;

#endif
