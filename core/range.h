/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thresholds as Nagios and Icinga write them: an alarm is raised outside the range, with a leading
 * `@` inside it; both ends belong to the range.
 *
 *     10        below 0 or above 10          ~:10      above 10
 *     10:       below 10                     10:20     below 10 or above 20
 *     @10:20    from 10 to 20                @10       from 0 to 10
 */
#ifndef OV_RANGE_H
#define OV_RANGE_H

#include "omnivigil.h"

struct ov_range {
    double low, high; /* -INFINITY and INFINITY where open */
    bool inside;      /* the alarm is inside */
};

/* Reads `text`; NULL, or what is wrong with it, to be read before ", got `...`". Numbers are
 * decimal ("-5", "0.95"), no exponents, no nan, no inf; low may not be above high. */
const char *ov_range_parse(struct ov_slice text, struct ov_range *range) OV_MUST_CHECK;
/* Whether `value` raises the alarm; never for NaN. */
bool ov_range_alarms(const struct ov_range *range, double value);
/* How far `value` is outside; 0 within the ends, and for NaN. */
double ov_range_beyond(const struct ov_range *range, double value);

#endif
