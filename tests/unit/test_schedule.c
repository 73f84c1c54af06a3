/* SPDX-License-Identifier: Apache-2.0 */
/* When to gather next: known moments, then what holds at any. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "omnivigil.h"
#include "schedule.h"

#define NEVER INT64_MIN

static void test_next(void **state)
{
    static const struct {
        const char *what;
        int64_t interval, jitter, last, now, wall_ms;
        uint32_t random;
        int64_t next;
    } rows[] = {
        {"on the wall clock's multiple", 10000, 0, NEVER, 500, 1700000003000, 0, 7500},
        {"exactly at one", 10000, 0, NEVER, 500, 1700000000000, 0, 10500},
        {"a timer fired early", 10000, 0, 499, 500, 1699999999999, 0, 10501},
        {"a late one", 10000, 0, 499, 3500, 1700000003000, 0, 10500},
        {"first gather in the middle", 10000, 0, 0, 200, 1700000004200, 0, 6000},
        {"first gather near the end", 10000, 0, 0, 200, 1700000007200, 0, 13000},
        {"after an overrun of two", 10000, 0, 0, 25000, 1700000025000, 0, 30000},
        {"jitter 0", 10000, 3000, 0, 100, 1700000000100, 0, 10000},
        {"jitter, the most", 10000, 3000, 0, 100, 1700000000100, 3000, 13000},
        {"jitter, any number", 10000, 3000, 0, 100, 1700000000100, 3001, 10000},
        {"jitter, a large number", 10000, 3000, 0, 100, 1700000000100, UINT32_MAX, 12117},
        {"before 1970", 10000, 0, NEVER, 0, -3000, 0, 3000},
        {"at 1970", 10000, 0, NEVER, 0, 0, 0, 10000},
        {"a short interval", 1, 0, 5, 5, 1700000000000, 0, 6},
        {"a day, the first of it too short", 86400000, 0, 0, 1000, 1700000001000, 0, 92800000},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_schedule s = {rows[i].interval, rows[i].jitter, rows[i].last};
        int64_t next = ov_schedule_next(&s, rows[i].now, rows[i].wall_ms * 1000000,
                                        rows[i].random);
        if (next != rows[i].next)
            fail_msg("%s: %jd instead of %jd", rows[i].what, (intmax_t)next,
                     (intmax_t)rows[i].next);
    }
}

static void test_skipped(void **state)
{
    static const struct {
        int64_t last, now;
        uint64_t skipped;
    } rows[] = {
        {NEVER, 50000, 0}, {0, 0, 0},     {0, 9999, 0},  {0, 10000, 1},
        {0, 25000, 2},     {500, 400, 0}, {-5000, 0, 0}, {-15000, 0, 1},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_schedule s = {10000, 0, rows[i].last};
        uint64_t skipped = ov_schedule_skipped(&s, rows[i].now);
        if (skipped != rows[i].skipped)
            fail_msg("row %zu: %ju", i, (uintmax_t)skipped);
    }
}

/* Whatever the clocks say, also where the wall clock steps between two calls. */
static void test_bounds(void **state)
{
    static const int64_t intervals[] = {1, 2, 7, 100, 1000, 10000, 60000, 86400000};
    uint64_t random = 1;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
        int64_t interval = intervals[random >> 61], jitter = (int64_t)(random >> 20) % interval;
        int64_t now = (int64_t)(random >> 30), wall = (int64_t)random / 1000;
        int64_t last = i % 5 ? now - (int64_t)(random >> 24) % (2 * interval) : NEVER;
        struct ov_schedule s = {interval, jitter, last};
        int64_t next = ov_schedule_next(&s, now, wall, (uint32_t)random);
        int64_t tick = ov_schedule_next(&(struct ov_schedule){interval, 0, last}, now, wall, 0);
        if (next <= now || next > now + interval + interval / 2 + jitter + 1 ||
            (last != NEVER && next - last < interval / 2) || next < tick || next > tick + jitter)
            fail_msg("interval %jd, jitter %jd, last %jd, now %jd, wall %jd: %jd",
                     (intmax_t)interval, (intmax_t)jitter, (intmax_t)last, (intmax_t)now,
                     (intmax_t)wall, (intmax_t)next);
        int64_t wall_ms = wall / 1000000;
        if ((wall_ms + tick - now) % interval != 0)
            fail_msg("interval %jd, now %jd, wall %jd: %jd is no multiple", (intmax_t)interval,
                     (intmax_t)now, (intmax_t)wall, (intmax_t)tick);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_skipped),
        cmocka_unit_test(test_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
