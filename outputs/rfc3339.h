/* SPDX-License-Identifier: Apache-2.0 */
/* Time as text: 2026-11-25T12:00:00.123456789Z. */
#ifndef RFC3339_H
#define RFC3339_H

#include <time.h>

#include "omnivigil.h"

/* Appends nanoseconds since 1970, which may be negative. */
static inline void rfc3339_write(struct ov_buf *buf, int64_t time_ns)
{
    time_t seconds = (time_t)(time_ns / 1000000000);
    int64_t ns = time_ns % 1000000000;
    if (ns < 0) { /* before 1970 */
        ns += 1000000000;
        seconds--;
    }
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    size_t len = strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.", &utc);
    ov_buf_add(buf, text, len);
    for (int64_t unit = 100000000; unit; unit /= 10)
        ov_buf_char(buf, (char)('0' + ns / unit % 10));
    ov_buf_char(buf, 'Z');
}

#endif
