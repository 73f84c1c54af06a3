/* SPDX-License-Identifier: Apache-2.0 */
/* A group's backlog: tables of what single facts say, then random lives of a stream and a group,
 * with entries-read and lag as Redis 7.0 computes them, against the truth. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "sim_stream.h"

#define ID(n) {(n), 0}

/* ---------------------------------------------------------------- single looks */

/* What a first look says. -1 is null, or not known. */
static const struct first_look {
    const char *what;
    int64_t length, added;
    uint64_t first, last;
    uint64_t delivered;
    int64_t read, lag;
    int64_t left, lost;
    bool waiting, oldest_is_first;
} first_looks[] = {
    {"a new stream", 0, 0, 0, 0, 0, -1, 0, 0, 0, false, false},
    {"caught up", 5, 5, 1, 5, 5, 5, 0, 0, 0, false, false},
    {"caught up, entries lost", 5, 50, 46, 50, 50, 20, 30, 0, 30, false, false},
    {"made at $ with history", 9, 9, 1, 9, 9, -1, 0, 0, 0, false, false},
    {"nothing read", 5, 5, 1, 5, 0, 0, 5, 5, 0, true, true},
    {"nothing read, read unknown", 5, 5, 1, 5, 0, -1, 5, 5, -1, true, true},
    {"100 added, 10 read, trimmed to 20", 20, 100, 81, 100, 10, 10, 90, 20, 70, true, true},
    {"the same, of a server whose lag is what is left", 20, 100, 81, 100, 10, 10, 20, 20, 70, true,
     true},
    {"the same, and 5 more read", 20, 100, 81, 100, 85, 15, 85, -1, -1, true, false},
    {"inside, nothing ever trimmed", 9, 9, 1, 9, 4, 4, 5, 5, 0, true, false},
    {"inside, one deleted", 8, 9, 1, 9, 4, 4, 5, -1, -1, true, false},
    {"trimmed to nothing", 0, 100, 0, 100, 10, 10, 90, 0, 90, false, false},
    {"trimmed to nothing, read unknown", 0, 100, 0, 100, 10, -1, -1, 0, -1, false, false},
    {"lag is null, behind", 13, 13, 1, 13, 9, -1, -1, -1, -1, true, false},
    {"lag is told without read", 5, 9, 5, 9, 5, -1, 4, -1, -1, true, false},
    {"a lag less than what is there", 5, 5, 1, 5, 0, 2, 3, 5, 0, true, true},
    {"Redis 6, caught up", 5, -1, 1, 5, 5, -1, -1, 0, -1, false, false},
    {"Redis 6, nothing read", 5, -1, 1, 5, 0, -1, -1, 5, -1, true, true},
    {"Redis 6, behind", 5, -1, 1, 5, 3, -1, -1, -1, -1, true, false},
    {"read on since the stream was asked", 5, 5, 1, 5, 7, 7, 0, 0, -1, false, false},
    {"more added since the stream was asked", 20, 100, 81, 100, 10, 10, 93, 20, 70, true, true},
};

static void test_first_look(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(first_looks); i++) {
        const struct first_look *row = &first_looks[i];
        struct stream_facts stream = {row->length, row->added, ID(row->first), ID(row->last),
                                      row->length == 0};
        struct group_facts group = {ID(row->delivered), row->read, row->lag, 0};
        struct backlog_memory memory = {0};
        struct backlog b = backlog_judge(&stream, &group, &memory);
        if (b.left != row->left || b.lost != row->lost || b.waiting != row->waiting ||
            b.oldest_is_first != row->oldest_is_first)
            fail_msg("%s: left %jd, lost %jd, waiting %d, oldest is first %d", row->what,
                     (intmax_t)b.left, (intmax_t)b.lost, b.waiting, b.oldest_is_first);
    }
}

/* Counting completes what facts leave open: how much was lost too, where Redis knows the reads. */
static void test_counted(void **state)
{
    static const struct {
        const char *what;
        int64_t added, read, lag, counted, lost;
        bool waiting;
    } rows[] = {
        {"read known", 100, 15, 85, 15, 70, true},
        {"nothing lost", 100, 85, 15, 15, 0, true},
        {"more there than lag says", 100, 85, 15, 16, 0, true},
        {"read unknown", 100, -1, -1, 15, -1, true},
        {"all of it deleted", 100, -1, -1, 0, -1, false},
        {"Redis 6", -1, -1, -1, 15, -1, true},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct stream_facts stream = {20, rows[i].added, ID(81), ID(100), false};
        struct group_facts group = {ID(85), rows[i].read, rows[i].lag, 0};
        struct backlog_memory memory = {0};
        struct backlog b = backlog_judge(&stream, &group, &memory);
        assert_int_equal(b.left, -1);
        backlog_counted(&b, &stream, &group, rows[i].counted, &memory);
        if (b.left != rows[i].counted || b.lost != rows[i].lost || b.waiting != rows[i].waiting)
            fail_msg("%s: left %jd, lost %jd, waiting %d", rows[i].what, (intmax_t)b.left,
                     (intmax_t)b.lost, b.waiting);
    }
}

/* ---------------------------------------------------------------- lives */

struct watch {
    struct sim sim;
    struct backlog_memory memory;
    int64_t lost_before; /* the last claim, -1 before the first */
    int64_t looks;       /* how many there were: the clock */
    char script[4096];
    size_t script_len;
};

static void watch_step(struct watch *w, char what, uint64_t n)
{
    w->script_len += (size_t)snprintf(w->script + w->script_len,
                                      sizeof w->script - w->script_len, " %c%ju", what,
                                      (uintmax_t)n);
    assert_true(w->script_len < sizeof w->script);
    sim_step(&w->sim, what, n);
}

/* A look as a gather makes it: facts first, the count if it is asked for, after `between`. */
static struct backlog watch_look(struct watch *w, void (*between)(struct watch *, void *),
                                 void *context)
{
    struct stream_facts stream = sim_stream_facts(&w->sim);
    uint64_t end = w->sim.last;
    if (between)
        between(w, context);
    struct group_facts group = sim_group_facts(&w->sim);
    group.now_ms = ++w->looks;
    struct backlog b = backlog_judge(&stream, &group, &w->memory);
    if (b.left < 0) {
        int64_t left = 0;
        if (between)
            between(w, context);
        for (uint64_t id = group.last_delivered.ms + 1; id <= end; id++)
            left += w->sim.there[id];
        backlog_counted(&b, &stream, &group, left, &w->memory);
    }
    watch_step(w, '?', 0);
    return b;
}

static void watch_fail(const struct watch *w, const char *what, const struct backlog *b)
{
    fail_msg("%s: left %jd, lost %jd instead of %jd and %ju after%s", what, (intmax_t)b->left,
             (intmax_t)b->lost, (intmax_t)sim_left(&w->sim), (uintmax_t)w->sim.lost, w->script);
}

/* Plays "a100 g0 t20", with a look after each step from the group's creation on, or just one. */
static struct backlog watch_life(struct watch *w, const char *script, bool once)
{
    struct backlog b = {0};
    *w = (struct watch){.lost_before = -1};
    for (const char *at = script; *at;) {
        char what = *at++;
        uint64_t n = 0;
        for (; *at >= '0' && *at <= '9'; at++)
            n = n * 10 + (uint64_t)(*at - '0');
        at += *at == ' ';
        watch_step(w, what, n);
        if (w->sim.has_group && (!once || !*at))
            b = watch_look(w, NULL, NULL);
    }
    return b;
}

/* Known lives. `lost_at`: the look that found the last loss; `alone`: a single look at the end
 * finds one. */
static void test_lives(void **state)
{
    static const struct {
        const char *script;
        int64_t left, lost, lost_at; /* after the last step; -1: any */
        bool alone;
    } rows[] = {
        {"a100 g0 r10 t20", 20, 70, 3, true},
        {"a100 g0 r10 t20 r5", 15, 70, 3, false},
        {"a100 g0 r10 t20 r5 r15", 0, 70, 3, false},
        {"a100 g0 r10 t20 r20 a50 t10", 10, 110, 6, true},
        {"a100 g100 a5", 5, -1, 0, false},
        {"a100 g100 a5 t3", 3, 2, 3, false},
        {"a100 g100 a5 t3 r3", 0, 2, 3, false},
        {"a100 g100 a5 t3 r3 a5 r2 t1", 1, 4, 7, true},
        {"a100 g100 a50 t10 r5 a20 t5", 5, 60, 6, true},
        {"g0 a100 t20 r1", 19, 80, 3, false},
        {"g0 a100 t0", 0, 100, 3, false},
        {"g0 a100 t0 a1", 1, 100, 3, false},
        {"a10 g0 d5", 9, 1, 2, false}, /* deleted unread is lost, too */
        {"a10 g0 r2 d5", 7, -1, -1, false},
        {"a10 g0 r2 d5 r7 a3", 3, -1, -1, false},
        {"a10 g0 r10 t0 a5", 5, 0, 0, false},
        {"a10 g0 t5 g0 r1", 4, -1, -1, false}, /* made anew: it lost nothing yet */
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct watch w;
        struct backlog b = watch_life(&w, rows[i].script, false);
        int64_t lost_at = w.memory.lost_ms;
        if (b.left != rows[i].left || (rows[i].lost >= 0 && b.lost != rows[i].lost) ||
            (rows[i].lost_at >= 0 && lost_at != rows[i].lost_at))
            fail_msg("%s: left %jd, lost %jd, found at %jd", rows[i].script, (intmax_t)b.left,
                     (intmax_t)b.lost, (intmax_t)lost_at);
        (void)watch_life(&w, rows[i].script, true);
        if ((w.memory.lost_ms > 0) != rows[i].alone)
            fail_msg("%s: one look finds %s", rows[i].script, rows[i].alone ? "nothing" : "a loss");
    }
}

/* A loss is not dated into the future when Redis' clock is set back. */
static void test_clock_set_back(void **state)
{
    struct watch w;
    (void)state;
    (void)watch_life(&w, "a100 g0 r10 t20", false);
    w.memory.lost_ms = 1000000;
    (void)watch_look(&w, NULL, NULL);
    assert_int_equal(w.memory.lost_ms, w.looks);
}

/* ---------------------------------------------------------------- random lives */

static uint64_t next_random(uint64_t *random)
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    return *random >> 33;
}

static void random_step(struct watch *w, uint64_t *random, bool deletes)
{
    uint64_t kind = next_random(random) % 100, n = next_random(random) % 12;
    if (kind < 42)
        watch_step(w, 'a', n + 1);
    else if (kind < 75)
        watch_step(w, 'r', n + 1);
    else if (kind < 92 || !deletes)
        watch_step(w, 't', n * (n % 3));
    else
        watch_step(w, 'd', w->sim.added ? next_random(random) % w->sim.added + 1 : 0);
}

static void random_work(struct watch *w, void *random)
{
    for (uint64_t n = next_random(random) % 3; n; n--)
        watch_step(w, "ar"[next_random(random) % 2], next_random(random) % 12 + 1);
}

/* A stream with some history, and a group on it at its end, at its beginning or in the middle. */
static void random_start(struct watch *w, uint64_t *random)
{
    *w = (struct watch){.lost_before = -1};
    watch_step(w, 'a', next_random(random) % 40);
    watch_step(w, 't', next_random(random) % 40);
    uint64_t at = next_random(random) % 4;
    watch_step(w, 'g', at < 2 ? w->sim.last : at == 2 ? 0 : w->sim.last / 2);
}

static void check_grows(struct watch *w, const struct backlog *b)
{
    if (b->lost >= 0 && b->lost < w->lost_before)
        watch_fail(w, "lost shrank", b);
    if (b->lost > w->lost_before)
        w->lost_before = b->lost;
}

enum { LIVES = 3000, STEPS = 60 };

/* With a look after each step, all that is claimed is true. */
static void test_close_looks(void **state)
{
    uint64_t random = 1;
    (void)state;
    for (int life = 0; life < LIVES; life++) {
        struct watch w;
        bool deletes = life % 4 == 3;
        random_start(&w, &random);
        for (int step = 0; step < STEPS; step++) {
            struct backlog b = watch_look(&w, NULL, NULL);
            bool exact = b.lost == (int64_t)w.sim.lost;
            if (b.left != sim_left(&w.sim) || b.waiting != (b.left > 0))
                watch_fail(&w, "left", &b);
            if (!deletes && (step == 0 ? b.lost > 0 : !exact))
                watch_fail(&w, "lost", &b);
            check_grows(&w, &b);
            random_step(&w, &random, deletes);
        }
    }
}

/* With looks now and then, left is true and lost is not invented. */
static void test_far_looks(void **state)
{
    uint64_t random = 2;
    (void)state;
    for (int life = 0; life < LIVES; life++) {
        struct watch w;
        random_start(&w, &random);
        for (int step = 0; step < STEPS; step++) {
            if (next_random(&random) % 4 == 0) {
                struct backlog b = watch_look(&w, NULL, NULL);
                if (b.left != sim_left(&w.sim))
                    watch_fail(&w, "left", &b);
                if (b.lost > (int64_t)w.sim.lost)
                    watch_fail(&w, "lost is invented", &b);
                check_grows(&w, &b);
            }
            random_step(&w, &random, false);
        }
    }
}

/* The bus goes on while a look is under way: between the stream's facts, the group's and the
 * count. What is left is of some moment of it, and what is lost is still not invented. */
static void test_races(void **state)
{
    uint64_t random = 3;
    (void)state;
    for (int life = 0; life < LIVES; life++) {
        struct watch w;
        random_start(&w, &random);
        for (int step = 0; step < STEPS; step++) {
            struct backlog b = watch_look(&w, random_work, &random);
            if (b.left < 0)
                watch_fail(&w, "left is not known", &b);
            if (b.lost > (int64_t)w.sim.lost)
                watch_fail(&w, "lost is invented", &b);
            check_grows(&w, &b);
            random_step(&w, &random, false);
        }
        struct backlog b = watch_look(&w, NULL, NULL);
        if (b.left != sim_left(&w.sim))
            watch_fail(&w, "left stays wrong", &b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_look),  cmocka_unit_test(test_counted),
        cmocka_unit_test(test_lives),       cmocka_unit_test(test_clock_set_back),
        cmocka_unit_test(test_close_looks), cmocka_unit_test(test_far_looks),
        cmocka_unit_test(test_races),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
