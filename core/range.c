/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "range.h"

/* A decimal number that is all of `text`. */
static bool number_parse(struct ov_slice text, double *value)
{
    char copy[64];
    size_t at = text.len && text.ptr[0] == '-', digits = 0, points = 0;
    for (; at < text.len; at++) {
        if (text.ptr[at] >= '0' && text.ptr[at] <= '9')
            digits++;
        else if (text.ptr[at] == '.' && digits && !points)
            points++;
        else
            return false;
    }
    if (!digits || text.len >= sizeof copy || text.ptr[text.len - 1] == '.')
        return false;
    memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    *value = strtod(copy, NULL); /* the program never leaves the C locale */
    return isfinite(*value);
}

const char *ov_range_parse(struct ov_slice text, struct ov_range *range)
{
    static const char expected[] = "expected a range such as `10`, `10:`, `~:10`, `10:20` or "
                                   "`@10:20`";
    struct ov_range read = {.low = 0, .high = (double)INFINITY};
    if (text.len && *text.ptr == '@') {
        read.inside = true;
        text.ptr++;
        text.len--;
    }
    const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    if (!colon) {
        if (!number_parse(text, &read.high))
            return expected;
    } else {
        struct ov_slice low = {text.ptr, (size_t)(colon - text.ptr)};
        struct ov_slice high = {colon + 1, text.len - low.len - 1};
        if (ov_slice_eq(low, OV_SLICE("~")))
            read.low = -(double)INFINITY;
        else if (low.len && !number_parse(low, &read.low))
            return expected;
        if (high.len && !number_parse(high, &read.high))
            return expected;
        if (!low.len && !high.len)
            return expected;
    }
    if (read.low > read.high)
        return "expected a range whose low end is not above its high end";
    *range = read;
    return NULL;
}

bool ov_range_alarms(const struct ov_range *range, double value)
{
    if (isnan(value))
        return false;
    bool within = range->low <= value && value <= range->high;
    return within == range->inside;
}

double ov_range_beyond(const struct ov_range *range, double value)
{
    return value < range->low ? range->low - value : value > range->high ? value - range->high : 0;
}
