/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When to gather next: on the monotonic clock, at times that are multiples of the interval on the
 * wall clock (so that all hosts' samples line up), plus a jitter. Pure functions of the times
 * given; the wall clock may step either way, the next gather is never more than one and a half
 * intervals and a jitter away, nor less than half an interval after the last.
 */
#ifndef OV_SCHEDULE_H
#define OV_SCHEDULE_H

#include <stdint.h>

struct ov_schedule {
    int64_t interval_ms, jitter_ms;
    int64_t last_ms; /* monotonic time of the last gather's begin, INT64_MIN before the first */
};

/* The monotonic time of the next gather. `random` is any number, new for each call. */
int64_t ov_schedule_next(const struct ov_schedule *s, int64_t now_ms, int64_t wall_ns,
                         uint32_t random);
/* How many gathers should have begun since the last one and did not. */
uint64_t ov_schedule_skipped(const struct ov_schedule *s, int64_t now_ms);

#endif
