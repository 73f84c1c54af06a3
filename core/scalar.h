/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts that stand for a number, an amount of time or of bytes, or a truth value: strict, exact,
 * and the same in every locale.
 *
 *     whole number  0, 42, -7                no leading zero, no sign +, no 0x10, 1_000 or 1e3
 *     duration      500ms 10s 5m 1h 7d       0.5s and 1m30s too; always with a unit
 *     size          512 64KiB 10MB 1.5GiB    bytes; KiB MiB GiB TiB, KB (kB) MB GB TB
 *     ratio         0.8 80%                  from 0 to 1
 *     truth value   true false
 *
 * Each reader returns NULL and sets *value, or returns what is wrong, to be read before
 * ", got `...`", and leaves *value alone.
 */
#ifndef OV_SCALAR_H
#define OV_SCALAR_H

#include "omnivigil.h"

const char *ov_scalar_int(struct ov_slice text, int64_t *value) OV_MUST_CHECK;
const char *ov_scalar_duration(struct ov_slice text, int64_t *value_ms) OV_MUST_CHECK;
const char *ov_scalar_size(struct ov_slice text, int64_t *value) OV_MUST_CHECK;
const char *ov_scalar_ratio(struct ov_slice text, double *value) OV_MUST_CHECK;
const char *ov_scalar_bool(struct ov_slice text, bool *value) OV_MUST_CHECK;

/* Append what the readers above would read back as the same value: `1m30s`, `64MiB`. */
void ov_scalar_put_duration(struct ov_buf *out, int64_t ms);
void ov_scalar_put_size(struct ov_buf *out, int64_t bytes);

#endif
