/* SPDX-License-Identifier: Apache-2.0 */
#include "schedule.h"

int64_t ov_schedule_next(const struct ov_schedule *s, int64_t now_ms, int64_t wall_ns,
                         uint32_t random)
{
    int64_t wall_ms = wall_ns / 1000000;
    int64_t phase = wall_ms % s->interval_ms;
    if (phase < 0)
        phase += s->interval_ms;
    int64_t next = now_ms + s->interval_ms - phase;
    /* A timer that fired a moment early must not see its own tick again. */
    if (s->last_ms != INT64_MIN && next - s->last_ms < s->interval_ms / 2)
        next += s->interval_ms;
    return next + (s->jitter_ms > 0 ? (int64_t)(random % (uint64_t)(s->jitter_ms + 1)) : 0);
}

uint64_t ov_schedule_skipped(const struct ov_schedule *s, int64_t now_ms)
{
    if (s->last_ms == INT64_MIN || now_ms <= s->last_ms)
        return 0;
    return (uint64_t)((now_ms - s->last_ms) / s->interval_ms);
}
