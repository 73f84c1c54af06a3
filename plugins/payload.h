/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a stream's entry, as commands show it: valid JSON whatever it is, of limited size,
 * with the values of some keys masked. */
#ifndef PAYLOAD_H
#define PAYLOAD_H

#include "omnivigil.h"

struct payload_style {
    size_t bytes_max;           /* 0: no limit */
    struct ov_list patterns;    /* of keys whose values are masked */
    struct ov_buf patterns_text;
};

/* Reads `limit`, a number of bytes (NULL: 4096), and `mask`, patterns with commas in between (NULL:
 * nothing is masked). False, said to `call`, where the limit is no number. */
bool payload_style_read(struct payload_style *style, struct ov_call *call, const char *limit,
                        const char *mask);
void payload_style_free(struct payload_style *style);

/* Appends `bytes` as JSON: itself where it is valid and short enough, else a JSON string with its
 * beginning. What is no JSON has no keys: it is not shown where keys are masked. */
void payload_show(const struct payload_style *style, struct ov_slice bytes, struct ov_buf *out);

#endif
