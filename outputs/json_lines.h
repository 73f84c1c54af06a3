/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples as JSON, one object a line:
 *
 *     {"time":"2025-11-25T01:52:03.000000007Z","measurement":"omnidaemon_group",
 *      "tags":{"topic":"orders"},"fields":{"pending":3,"age_seconds":0.5,"up":true}}
 *
 * Time is UTC with nanoseconds. Integers are exact to 64 bits (some readers round beyond 2^53).
 * Invalid UTF-8 reads as U+FFFD. Tags and fields without a value are left out.
 */
#ifndef JSON_LINES_H
#define JSON_LINES_H

#include "omnivigil.h"

/* Appends one line with its newline and returns NULL, or appends nothing and returns why the
 * sample cannot be written: no field with a value. `tags` are the batch's; the sample's own tags
 * win over them. */
const char *json_line_write(struct ov_buf *buf, const struct ov_sample *sample,
                            const struct ov_tag *tags, size_t tag_count);

#endif
