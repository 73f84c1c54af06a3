/* SPDX-License-Identifier: Apache-2.0 */
/* The values of a sample, as every text format writes them: those that are there, numbers and truth
 * values alike everywhere, texts by each format's own rules. */
#ifndef VALUES_H
#define VALUES_H

#include <math.h>

#include "omnivigil.h"

/* Whether there is a value to write: NaN and infinities are none. */
static inline bool value_is_there(const struct ov_sample *s, unsigned field)
{
    return s->present >> field & 1 && (s->measurement->fields[field].type != OV_FLOAT ||
                                       isfinite(s->values[field].number));
}

/* Appends a value of any type but OV_TEXT. */
static inline void value_put(struct ov_buf *out, enum ov_type type, union ov_value value)
{
    if (type == OV_INT)
        ov_buf_int(out, value.integer);
    else if (type == OV_FLOAT)
        ov_buf_double(out, value.number);
    else
        ov_buf_str(out, value.boolean ? "true" : "false");
}

#endif
