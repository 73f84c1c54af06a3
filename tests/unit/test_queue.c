/* SPDX-License-Identifier: Apache-2.0 */
/* The queue in memory: order, limits, loans, waiting, and that no sample is ever unaccounted for,
 * with one thread and with many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "queue.h"

static size_t push(struct ov_queue *queue, const char *text, size_t samples)
{
    return ov_queue_push(queue, ov_slice(text), samples);
}

static void assert_balanced(struct ov_queue *queue)
{
    struct ov_queue_counts c = ov_queue_counts(queue);
    assert_int_equal(c.collected, c.sent + ov_queue_dropped(&c) + c.buffered);
}

static const struct ov_queue_join one_by_one = {1, SIZE_MAX, SIZE_MAX};

static bool take(struct ov_queue *queue, struct ov_slice *bytes, size_t *samples)
{
    struct ov_queue_loan loan = {0};
    bool taken = ov_queue_take(queue, one_by_one, &loan);
    *bytes = loan.bytes;
    *samples = loan.samples;
    return taken;
}

/* Takes the oldest record and settles it; fails unless it reads `want`. */
static void expect(struct ov_queue *queue, const char *want)
{
    struct ov_slice bytes;
    size_t samples;
    if (!take(queue, &bytes, &samples))
        fail_msg("the queue is empty instead of holding %s", want);
    if (!ov_slice_eq(bytes, ov_slice(want)))
        fail_msg("%.*s instead of %s", (int)bytes.len, bytes.ptr, want);
    ov_queue_settle(queue, 0);
    assert_balanced(queue);
}

static void expect_empty(struct ov_queue *queue)
{
    struct ov_slice bytes;
    size_t samples;
    assert_false(take(queue, &bytes, &samples));
    struct ov_queue_counts c = ov_queue_counts(queue);
    assert_int_equal(c.buffered, 0);
    assert_int_equal(c.buffered_bytes, 0);
    assert_balanced(queue);
}

/* Each row pushes words of one sample a byte into a queue and says what is left, oldest first. */
static void test_limits(void **state)
{
    (void)state;
    static const struct {
        size_t max_samples, max_bytes;
        const char *push[6], *left[6];
        size_t dropped;
    } rows[] = {
        {9, 9, {"a", "bb", "ccc"}, {"a", "bb", "ccc"}, 0},
        {6, 9, {"a", "bb", "ccc"}, {"a", "bb", "ccc"}, 0},
        {5, 9, {"a", "bb", "ccc"}, {"bb", "ccc"}, 1},
        {4, 9, {"a", "bb", "ccc"}, {"ccc"}, 3},
        {9, 5, {"a", "bb", "ccc"}, {"bb", "ccc"}, 1},
        {9, 3, {"a", "bb", "ccc"}, {"ccc"}, 3},
        {9, 2, {"a", "bb", "ccc"}, {"bb"}, 4},  /* ccc is larger than the queue */
        {2, 9, {"ccc", "ddd"}, {0}, 6},
        {0, 0, {"a"}, {0}, 1},
        {3, 3, {"a", "b", "c", "d", "e"}, {"c", "d", "e"}, 2},
        {3, 3, {"a", "b", "ccc", "d"}, {"d"}, 5},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_queue *queue = ov_queue_new(rows[i].max_samples, rows[i].max_bytes);
        size_t dropped = 0;
        for (const char *const *w = rows[i].push; w < rows[i].push + 6 && *w; w++) {
            dropped += push(queue, *w, strlen(*w));
            assert_balanced(queue);
        }
        if (dropped != rows[i].dropped || ov_queue_counts(queue).dropped_full != dropped)
            fail_msg("row %zu: dropped %zu instead of %zu", i, dropped, rows[i].dropped);
        for (const char *const *w = rows[i].left; w < rows[i].left + 6 && *w; w++)
            expect(queue, *w);
        expect_empty(queue);
        ov_queue_free(queue);
    }
}

static const struct ov_queue_worth anything = {{1, 1, 1}, 0};

static void test_taken_is_kept(void **state)
{
    (void)state;
    struct ov_queue *queue = ov_queue_new(3, 100);
    struct ov_slice bytes, again;
    size_t samples;
    push(queue, "old", 3);
    assert_true(take(queue, &bytes, &samples));
    assert_int_equal(samples, 3);
    assert_false(take(queue, &again, &samples)); /* one at a time */
    assert_false(ov_queue_wait(queue, anything, 0));
    assert_int_equal(push(queue, "b", 1), 0);
    assert_int_equal(push(queue, "ccc", 3), 1); /* what waits behind the loan makes room */
    assert_int_equal(push(queue, "ddd", 3), 3);
    assert_true(ov_slice_eq(bytes, ov_slice("old")));
    assert_int_equal(ov_queue_counts(queue).buffered, 6);
    assert_balanced(queue);
    assert_int_equal(ov_queue_put_back(queue), 3); /* now it counts again, and is the oldest */
    assert_balanced(queue);
    expect(queue, "ddd");
    expect_empty(queue);
    ov_queue_free(queue);
}

static void test_put_back_keeps_order(void **state)
{
    (void)state;
    struct ov_queue *queue = ov_queue_new(10, 100);
    struct ov_slice bytes;
    size_t samples;
    push(queue, "a", 1);
    push(queue, "b", 1);
    for (int i = 0; i < 3; i++) {
        assert_true(take(queue, &bytes, &samples));
        assert_true(ov_slice_eq(bytes, ov_slice("a")));
        assert_int_equal(ov_queue_put_back(queue), 0);
        assert_balanced(queue);
    }
    expect(queue, "a");
    expect(queue, "b");
    expect_empty(queue);
    ov_queue_free(queue);
}

/* Takes what may be joined and fails unless it reads `want`. */
static void expect_loan(struct ov_queue *queue, struct ov_queue_join join, const char *want)
{
    struct ov_queue_loan loan;
    if (!ov_queue_take(queue, join, &loan))
        fail_msg("the queue is empty instead of holding %s", want);
    if (!ov_slice_eq(loan.bytes, ov_slice(want)) || loan.samples != strlen(want))
        fail_msg("%.*s instead of %s", (int)loan.bytes.len, loan.bytes.ptr, want);
    assert_balanced(queue);
}

/* Words of one sample a byte, joined. */
static void test_join(void **state)
{
    (void)state;
    static const struct {
        struct ov_queue_join join;
        const char *push[6], *loans[6];
    } rows[] = {
        {{1, 99, 99}, {"a", "bb", "ccc"}, {"a", "bb", "ccc"}},
        {{9, 99, 99}, {"a", "bb", "ccc"}, {"abbccc"}},
        {{2, 99, 99}, {"a", "bb", "ccc"}, {"abb", "ccc"}},
        {{9, 3, 99}, {"a", "bb", "ccc"}, {"abb", "ccc"}},
        {{9, 99, 3}, {"a", "bb", "ccc"}, {"abb", "ccc"}},
        {{9, 2, 99}, {"a", "bb", "ccc", "d"}, {"a", "bb", "ccc", "d"}},
        {{9, 0, 0}, {"a", "bb"}, {"a", "bb"}},
        {{0, 0, 0}, {"a", "bb"}, {"a", "bb"}},
        {{9, 99, 99}, {"", "a", ""}, {"a"}},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_queue *queue = ov_queue_new(100, 100);
        for (const char *const *w = rows[i].push; w < rows[i].push + 6 && *w; w++)
            push(queue, *w, strlen(*w));
        for (const char *const *w = rows[i].loans; w < rows[i].loans + 6 && *w; w++) {
            expect_loan(queue, rows[i].join, *w);
            ov_queue_settle(queue, 0);
        }
        expect_empty(queue);
        ov_queue_free(queue);
    }
}

/* The same bytes come again, however much there is to join by then. */
static void test_put_back_keeps_loan(void **state)
{
    (void)state;
    static const struct ov_queue_join all = {9, 99, 99};
    struct ov_queue *queue = ov_queue_new(8, 100);
    push(queue, "a", 1);
    push(queue, "bb", 2);
    for (int i = 0; i < 3; i++) {
        expect_loan(queue, all, "abb");
        assert_int_equal(push(queue, "c", 1), 0);
        assert_int_equal(ov_queue_put_back(queue), 0);
    }
    assert_int_equal(push(queue, "ddd", 3), 1); /* a goes, the rest of the loan stays as it was */
    expect_loan(queue, all, "bb");
    ov_queue_settle(queue, 0);
    expect_loan(queue, all, "cccddd");
    ov_queue_settle(queue, 0);
    expect_empty(queue);
    ov_queue_free(queue);
}

static void test_split(void **state)
{
    (void)state;
    static const struct ov_queue_join all = {9, 99, 99};
    struct ov_queue *queue = ov_queue_new(100, 100);
    push(queue, "a", 1);
    push(queue, "bb", 2);
    expect_loan(queue, all, "abb");
    push(queue, "c", 1);
    push(queue, "d", 1);
    ov_queue_split(queue);
    expect_loan(queue, all, "a");
    ov_queue_settle(queue, 1);
    expect_loan(queue, all, "bb");
    ov_queue_put_back(queue);
    expect_loan(queue, all, "bb");
    ov_queue_settle(queue, 0);
    expect_loan(queue, all, "cd");
    ov_queue_settle(queue, 0);
    assert_int_equal(ov_queue_counts(queue).dropped_rejected, 1);
    expect_empty(queue);
    ov_queue_free(queue);
}

/* Room is made while all is on loan: it was delivered after all, or it is what is dropped. */
static void test_loan_makes_room(void **state)
{
    (void)state;
    for (int delivered = 0; delivered < 2; delivered++) {
        struct ov_queue *queue = ov_queue_new(3, 100);
        push(queue, "aa", 2);
        push(queue, "b", 1);
        expect_loan(queue, (struct ov_queue_join){9, 99, 99}, "aab");
        assert_int_equal(push(queue, "cc", 2), 0);
        assert_int_equal(ov_queue_counts(queue).buffered, 5);
        if (delivered)
            ov_queue_settle(queue, 0);
        else
            assert_int_equal(ov_queue_put_back(queue), 2);
        struct ov_queue_counts c = ov_queue_counts(queue);
        assert_int_equal(c.sent, delivered ? 3 : 0);
        assert_int_equal(c.dropped_full, delivered ? 0 : 2);
        if (!delivered)
            expect(queue, "b");
        expect(queue, "cc");
        expect_empty(queue);
        ov_queue_free(queue);
    }
}

static void test_expire(void **state)
{
    (void)state;
    struct ov_queue *queue = ov_queue_new(100, 100);
    struct ov_slice bytes;
    size_t samples;
    assert_int_equal(ov_queue_expire(queue, -1000), 0);
    push(queue, "aa", 2);
    push(queue, "b", 1);
    assert_int_equal(ov_queue_expire(queue, 60000), 0);
    assert_true(take(queue, &bytes, &samples));
    assert_int_equal(ov_queue_expire(queue, -1000), 0); /* on loan */
    ov_queue_put_back(queue);
    assert_int_equal(ov_queue_expire(queue, -1000), 3); /* older than the next second */
    assert_int_equal(ov_queue_counts(queue).dropped_expired, 3);
    expect_empty(queue);
    ov_queue_free(queue);
}

static void test_counts(void **state)
{
    (void)state;
    struct ov_queue *queue = ov_queue_new(100, 100);
    struct ov_slice bytes;
    size_t samples;
    push(queue, "first", 5);
    push(queue, "second", 7);
    ov_queue_unfit(queue, 2);
    assert_true(take(queue, &bytes, &samples));
    ov_queue_settle(queue, 2);
    assert_true(take(queue, &bytes, &samples));
    ov_queue_settle(queue, 99); /* no more can be refused than there were */
    ov_queue_settle(queue, 0);  /* nothing is lent: nothing happens */
    ov_queue_supersede(queue);
    push(queue, "third", 4);
    assert_true(take(queue, &bytes, &samples));
    ov_queue_supersede(queue);
    struct ov_queue_counts c = ov_queue_counts(queue);
    assert_int_equal(c.collected, 18);
    assert_int_equal(c.sent, 3);
    assert_int_equal(c.dropped_superseded, 4);
    assert_int_equal(ov_queue_dropped(&c), 15);
    assert_int_equal(c.dropped_rejected, 9);
    assert_int_equal(c.dropped_unfit, 2);
    assert_int_equal(c.dropped_full, 0);
    expect_empty(queue);
    ov_queue_free(queue);
}

static void test_new_limits(void **state)
{
    (void)state;
    struct ov_queue *queue = ov_queue_new(10, 100);
    for (int i = 0; i < 10; i++)
        push(queue, "x", 1);
    ov_queue_limit(queue, 3, 100);
    assert_int_equal(ov_queue_counts(queue).buffered, 10);
    assert_int_equal(push(queue, "y", 1), 8);
    expect(queue, "x");
    expect(queue, "x");
    expect(queue, "y");
    expect_empty(queue);
    ov_queue_free(queue);
    ov_queue_free(NULL);
}

static void test_empty_record(void **state)
{
    (void)state;
    struct ov_queue *queue = ov_queue_new(10, 100);
    assert_int_equal(ov_queue_push(queue, (struct ov_slice){NULL, 0}, 0), 0);
    expect(queue, "");
    expect_empty(queue);
    ov_queue_free(queue);
}

static void *wake_soon(void *queue)
{
    ov_queue_wake(queue);
    return NULL;
}

static void *push_soon(void *queue)
{
    push(queue, "x", 1);
    return NULL;
}

static void test_wait(void **state)
{
    (void)state;
    struct ov_queue *queue = ov_queue_new(10, 100);
    pthread_t thread;
    assert_false(ov_queue_wait(queue, anything, -5));
    assert_false(ov_queue_wait(queue, anything, ov_clock_ms() + 5));
    ov_queue_wake(queue); /* before the wait: not lost, and good for one */
    assert_false(ov_queue_wait(queue, anything, INT64_MAX));
    assert_false(ov_queue_wait(queue, anything, ov_clock_ms() + 5));
    assert_int_equal(pthread_create(&thread, NULL, wake_soon, queue), 0);
    assert_false(ov_queue_wait(queue, anything, INT64_MAX));
    pthread_join(thread, NULL);
    assert_int_equal(pthread_create(&thread, NULL, push_soon, queue), 0);
    assert_true(ov_queue_wait(queue, anything, INT64_MAX));
    pthread_join(thread, NULL);
    assert_true(ov_queue_wait(queue, anything, 0)); /* waiting takes nothing */
    expect(queue, "x");
    ov_queue_free(queue);
}

/* "bb" and "c", three samples, wait: is that worth taking at once? */
static const struct { struct ov_queue_worth worth; bool put_back, want; } worths[] = {
    {{{9, 99, 99}, 0}, false, true},
    {{{9, 99, 99}, 60000}, false, false},
    {{{9, 3, 99}, 60000}, false, true},
    {{{9, 4, 99}, 60000}, false, false},
    {{{9, 99, 3}, 60000}, false, true},
    {{{9, 99, 4}, 60000}, false, false},
    {{{2, 99, 99}, 60000}, false, true},
    {{{1, 99, 99}, 60000}, false, true},   /* nothing joins */
    {{{9, 99, 99}, 60000}, true, true},    /* lent before */
};

static void test_worth(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(worths); i++) {
        struct ov_queue *queue = ov_queue_new(10, 100);
        struct ov_slice bytes;
        size_t samples;
        push(queue, "bb", 2);
        push(queue, "c", 1);
        if (worths[i].put_back) {
            assert_true(take(queue, &bytes, &samples));
            ov_queue_put_back(queue);
        }
        if (ov_queue_wait(queue, worths[i].worth, ov_clock_ms() + 5) != worths[i].want)
            fail_msg("row %zu: %d", i, !worths[i].want);
        ov_queue_wake(queue);
        if (ov_queue_wait(queue, worths[i].worth, INT64_MAX) != worths[i].want)
            fail_msg("row %zu, woken: %d", i, !worths[i].want);
        ov_queue_free(queue);
    }
    struct ov_queue *queue = ov_queue_new(10, 100);
    struct ov_queue_worth soon = {{9, 99, 99}, 50};
    int64_t start = ov_clock_ms();
    push(queue, "old", 1);
    assert_true(ov_queue_wait(queue, soon, INT64_MAX));
    assert_in_range(ov_clock_ms() - start, 49, 10000);
    assert_int_equal(ov_queue_counts(queue).buffered, 1);
    ov_queue_free(queue);
}

enum { PUSHERS = 4, PUSHES = 20000 };

struct crowd {
    struct ov_queue *queue;
    atomic_int pushing;
};

static void *crowd_push(void *argument)
{
    struct crowd *crowd = argument;
    for (uint32_t i = 0; i < PUSHES; i++) {
        push(crowd->queue, &"0123456789"[i % 10], 10 - i % 10);
        if (i % 64 == 0)
            ov_queue_unfit(crowd->queue, 1);
    }
    if (atomic_fetch_sub(&crowd->pushing, 1) == 1)
        ov_queue_wake(crowd->queue);
    return NULL;
}

static void *crowd_take(void *argument)
{
    struct crowd *crowd = argument;
    for (unsigned turn = 0; crowd->pushing > 0 || ov_queue_counts(crowd->queue).buffered; turn++) {
        struct ov_slice bytes;
        size_t samples;
        if (!take(crowd->queue, &bytes, &samples)) {
            ov_queue_wait(crowd->queue, anything, ov_clock_ms() + 1);
            continue;
        }
        if (bytes.len != samples || bytes.ptr[bytes.len - 1] != '9')
            abort(); /* cmocka's checks belong to the main thread */
        if (turn % 3 == 0)
            ov_queue_put_back(crowd->queue);
        else
            ov_queue_settle(crowd->queue, turn % 7 == 0);
    }
    return NULL;
}

static void test_crowd(void **state)
{
    (void)state;
    struct crowd crowd = {ov_queue_new(500, 400), PUSHERS};
    pthread_t threads[PUSHERS + 1];
    for (int i = 0; i < PUSHERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, crowd_push, &crowd), 0);
    assert_int_equal(pthread_create(&threads[PUSHERS], NULL, crowd_take, &crowd), 0);
    while (crowd.pushing > 0)
        assert_balanced(crowd.queue);
    for (int i = 0; i <= PUSHERS; i++)
        pthread_join(threads[i], NULL);
    struct ov_queue_counts c = ov_queue_counts(crowd.queue);
    assert_int_equal(c.collected, PUSHERS * (PUSHES / 10 * 55 + (PUSHES + 63) / 64));
    assert_int_equal(c.dropped_unfit, PUSHERS * ((PUSHES + 63) / 64));
    expect_empty(crowd.queue);
    ov_queue_free(crowd.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits), cmocka_unit_test(test_taken_is_kept),
        cmocka_unit_test(test_put_back_keeps_order), cmocka_unit_test(test_join),
        cmocka_unit_test(test_put_back_keeps_loan), cmocka_unit_test(test_split),
        cmocka_unit_test(test_loan_makes_room), cmocka_unit_test(test_expire),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_new_limits), cmocka_unit_test(test_empty_record),
        cmocka_unit_test(test_wait), cmocka_unit_test(test_worth), cmocka_unit_test(test_crowd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
