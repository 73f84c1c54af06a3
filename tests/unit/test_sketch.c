/* SPDX-License-Identifier: Apache-2.0 */
/* Sketches: quantiles against the sorted truth, the window's ends, and texts that are refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "sketch.h"

#define WINDOW 10000 /* slices of one second */

/* Within 1 % and the last bits. */
static bool near(double got, double want)
{
    return fabs(got - want) <= want * 0.0100001;
}

static int double_compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double nearest_rank(const double *sorted, size_t count, double ratio)
{
    return sorted[(size_t)ceil(ratio * (double)count) - 1];
}

/* Durations of many shapes, from 1 us to a week. */
static double shape(int kind, double u)
{
    switch (kind) {
    case 0: return 1e-6 * exp(u * log(SKETCH_MAX_SECONDS / 1e-6));
    case 1: return 0.5 + u;
    case 2: return 1 / (1.0001 - u);
    case 3: return u < 0.97 ? 0.001 : 3600;
    case 4: return 1e-5 + 1e-4 * u;
    default: return 2.0;
    }
}

static void test_quantiles(void **state)
{
    enum { MOST = 5000 };
    static double truth[MOST];
    static const size_t sizes[] = {1, 2, 3, 19, 20, 21, 100, 101, MOST};
    uint64_t random = 7;
    (void)state;
    for (int kind = 0; kind < 6; kind++) {
        for (size_t n = 0; n < OV_COUNT(sizes); n++) {
            struct sketch s = {0};
            double sum = 0;
            for (size_t i = 0; i < sizes[n]; i++) {
                random = random * UINT64_C(6364136223846793005) + 1;
                truth[i] = shape(kind, (double)(random >> 11) / 9007199254740992.0);
                sum += truth[i];
                sketch_processed(&s, WINDOW, 1000000 + (int64_t)(i % 10) * 1000, truth[i]);
            }
            qsort(truth, sizes[n], sizeof *truth, double_compare);
            struct sketch_summary got = sketch_summarise(&s, WINDOW, 1009999);
            if (got.timed != sizes[n] || !near(got.p50, nearest_rank(truth, sizes[n], 0.5)) ||
                !near(got.p95, nearest_rank(truth, sizes[n], 0.95)) ||
                !near(got.p99, nearest_rank(truth, sizes[n], 0.99)) ||
                got.max != truth[sizes[n] - 1] || got.p99 > got.max ||
                fabs(got.average - sum / (double)sizes[n]) > 1e-9 * got.average)
                fail_msg("shape %d, %zu durations: p50 %g p95 %g p99 %g max %g", kind, sizes[n],
                         got.p50, got.p95, got.p99, got.max);
            sketch_free(&s);
        }
    }
}

static void test_odd_durations(void **state)
{
    static const struct {
        double seconds;
        uint64_t timed;
        double max, p50;
    } rows[] = {
        {0, 1, 0, 0},
        {-0.0, 1, 0, 0},
        {-5, 1, 0, 0},
        {1e-320, 1, 1e-320, 1e-320},
        {0.00005, 1, 0.00005, 0.00005},
        {1e-4, 1, 1e-4, 1e-4},
        {SKETCH_MAX_SECONDS, 1, SKETCH_MAX_SECONDS, SKETCH_MAX_SECONDS},
        {1e300, 1, SKETCH_MAX_SECONDS, SKETCH_MAX_SECONDS},
        {NAN, 0, NAN, NAN},
        {INFINITY, 0, NAN, NAN},
        {-INFINITY, 0, NAN, NAN},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct sketch s = {0}, again = {0};
        struct ov_buf text = {0};
        sketch_processed(&s, WINDOW, 5000, rows[i].seconds);
        struct sketch_summary got = sketch_summarise(&s, WINDOW, 5000);
        bool none = got.timed == 0 && isnan(got.max) && isnan(got.p50) && isnan(got.average);
        if (got.processed != 1 || got.timed != rows[i].timed ||
            !(rows[i].timed ? got.max == rows[i].max && near(got.p50, rows[i].p50) : none))
            fail_msg("row %zu: %g gave timed %d, max %g, p50 %g", i, rows[i].seconds,
                     (int)got.timed, got.max, got.p50);
        sketch_write(&s, &text);
        if (!sketch_read(&again, (struct ov_slice){text.data, text.len}))
            fail_msg("row %zu is not read back: %s", i, ov_buf_text(&text));
        ov_buf_free(&text);
        sketch_free(&again);
        sketch_free(&s);
    }
}

/* Tasks done at some times; how many of them the window that ends at `now` holds. */
static void test_window(void **state)
{
    static const struct {
        int64_t window, at[6]; /* ends with -1 */
        int64_t now;
        uint64_t want;
    } rows[] = {
        {WINDOW, {-1}, 50000, 0},
        {WINDOW, {50000, -1}, 50000, 1},
        {WINDOW, {50000, -1}, 50999, 1},
        {WINDOW, {50000, -1}, 59999, 1},
        {WINDOW, {50000, -1}, 60000, 0},
        {WINDOW, {50000, -1}, 49999, 0},
        {WINDOW, {50000, -1}, 900000000, 0},
        {WINDOW, {50000, 60000, -1}, 60000, 1},
        {WINDOW, {50000, 59999, -1}, 59999, 2},
        {WINDOW, {60000, 50000, -1}, 60000, 1},          /* too late for its slice */
        {WINDOW, {60000, 51000, -1}, 60000, 2},          /* late, but within the window */
        {WINDOW, {9000000, 50000, 50001, -1}, 50001, 2}, /* the clock was set back */
        {WINDOW, {INT64_MAX, 50000, -1}, 50000, 1},
        {WINDOW, {INT64_MAX, -1}, INT64_MAX, 1},
        {WINDOW, {0, -1}, 0, 1},
        {WINDOW, {INT64_MIN, -5, 0, -1}, -7, 1},
        {1, {5, 6, -1}, 6, 2}, /* windows too short for ten slices have slices of 1 ms */
        {0, {5, 6, -1}, 6, 2},
        {-1, {5, 20, -1}, 20, 1},
        {INT64_MAX, {5, 20, -1}, 20, 2},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct sketch s = {0};
        bool negative = rows[i].at[0] == INT64_MIN;
        for (size_t n = negative ? 2 : 0; rows[i].at[n] != -1; n++) {
            sketch_processed(&s, rows[i].window, rows[i].at[n], 1);
            sketch_failed(&s, rows[i].window, rows[i].at[n]);
        }
        struct sketch_summary got = sketch_summarise(&s, rows[i].window, rows[i].now);
        if (got.processed != rows[i].want || got.failed != rows[i].want)
            fail_msg("row %zu: %d instead of %d", i, (int)got.processed, (int)rows[i].want);
        sketch_free(&s);
    }
}

static void test_round_trip(void **state)
{
    struct sketch s = {0}, again = {0};
    struct ov_buf first = {0}, second = {0};
    uint64_t random = 3;
    (void)state;
    for (int i = 0; i < 20000; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        int64_t at = 1733000000000 + i;
        sketch_processed(&s, WINDOW, at, shape(i % 5, (double)(random >> 11) / 9007199254740992.0));
        if (i % 3 == 0)
            sketch_failed(&s, WINDOW, at);
    }
    sketch_write(&s, &first);
    assert_null(memchr(first.data, ' ', first.len));
    assert_null(memchr(first.data, '\n', first.len));
    assert_true(sketch_read(&again, (struct ov_slice){first.data, first.len}));
    sketch_write(&again, &second);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    struct sketch_summary a = sketch_summarise(&s, WINDOW, 1733000019999);
    struct sketch_summary b = sketch_summarise(&again, WINDOW, 1733000019999);
    assert_memory_equal(&a, &b, sizeof a);
    assert_int_equal(a.processed, 10000);
    sketch_processed(&again, WINDOW, 1733000019999, 1); /* it goes on */
    assert_int_equal(sketch_summarise(&again, WINDOW, 1733000019999).timed, 10001);
    ov_buf_free(&first);
    ov_buf_free(&second);
    sketch_free(&s);
    sketch_free(&again);
}

#define ZEROS "0000000000000000,0000000000000000"
#define TWO_ONE "4000000000000000,3ff0000000000000" /* sum 2, max 1 */

static void test_texts(void **state)
{
    static const struct {
        const char *text;
        bool read;
    } rows[] = {
        {"-", true},
        {"41,1,0,0," ZEROS, true},
        {"41,0,1,0," ZEROS, true},
        {"41,2,1,2," TWO_ONE ",5:1,462:1", true},
        {"40,1,0,0," ZEROS ";31,1,0,0," ZEROS ";49,1,0,0," ZEROS, true},
        {"9223372036854775807,1,0,0," ZEROS, true},
        {"3,4294967296,0,4294967296," TWO_ONE ",5:4294967295", true}, /* a full count */
        {"", false},
        {" ", false},
        {"--", false},
        {"-\n", false},
        {";", false},
        {"41", false},
        {"41,1,0,0", false},
        {"41,1,0,0," ZEROS ";", false},
        {"41,1,0,0," ZEROS " ", false},
        {"41,1,0,0," ZEROS "\n", false},
        {"41,1,0,0," ZEROS ",", false},
        {"41,0,0,0," ZEROS, false},                            /* an empty slice */
        {"041,1,0,0," ZEROS, false},                           /* leading zero */
        {"-1,1,0,0," ZEROS, false},
        {"9223372036854775808,1,0,0," ZEROS, false},
        {"41,18446744073709551616,0,0," ZEROS, false},
        {"41,1,0,2," TWO_ONE ",5:1,462:1", false},             /* more timed than processed */
        {"41,0,1,1," TWO_ONE ",5:1", false},
        {"41,1,0,0," ZEROS ";51,1,0,0," ZEROS, false},         /* one place twice */
        {"41,1,0,0," ZEROS ";40,1,0,0," ZEROS, false},         /* not in order */
        {"41,2,1,2," TWO_ONE ",462:1,5:1", false},
        {"41,2,1,2," TWO_ONE ",5:1,5:1", false},
        {"41,2,1,2," TWO_ONE ",5:1", false},                   /* too few */
        {"41,2,1,2," TWO_ONE, false},
        {"41,2,1,2," TWO_ONE ",5:3", false},                   /* too many */
        {"41,2,1,2," TWO_ONE ",5:0,462:2", false},
        {"41,2,1,2," TWO_ONE ",5:2,1128:0", false},
        {"41,2,1,2," TWO_ONE ",1128:2", false},                /* no such bucket */
        {"41,2,1,2," TWO_ONE ",65541:2", false},
        {"41,2,1,2," TWO_ONE ",-231:1,-1:1", true},
        {"41,2,1,2," TWO_ONE ",-1:1,-2:1", false},
        {"41,2,1,2," TWO_ONE ",-232:2", false},
        {"41,2,1,2," TWO_ONE ",-0:2", false},
        {"41,2,1,2," TWO_ONE ",--1:2", false},
        {"41,2,1,2," TWO_ONE ",5", false},
        {"41,2,1,2," TWO_ONE ",5:", false},
        {"41,2,1,2," TWO_ONE ",:2", false},
        {"3,4294967296,0,4294967296," TWO_ONE ",5:4294967296", false},
        {"41,2,1,2,3ff0000000000000,4000000000000000,5:2", false}, /* max above sum */
        {"41,2,1,2,7ff8000000000000,3ff0000000000000,5:2", false}, /* NaN */
        {"41,2,1,2,7ff0000000000000,3ff0000000000000,5:2", false}, /* infinite */
        {"41,2,1,2,c000000000000000,3ff0000000000000,5:2", false}, /* negative */
        {"41,1,0,0,8000000000000000,0000000000000000", false},     /* -0 */
        {"41,1,0,0,0000000000000001,0000000000000000", false},     /* a sum of nothing */
        {"41,2,1,2,4000000000000000,3FF0000000000000,5:2", false},
        {"41,2,1,2,400000000000000,3ff0000000000000,5:2", false},
        {"41,2,1,2,2,1,5:2", false},
    };
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct sketch s = {0};
        struct ov_buf out = {0};
        char *exact = ov_memdup(rows[i].text, strlen(rows[i].text));
        sketch_processed(&s, WINDOW, 1000, 1); /* what was there gives way */
        bool read = sketch_read(&s, ov_slice(exact));
        sketch_write(&s, &out);
        if (read != rows[i].read || strcmp(ov_buf_text(&out), read ? rows[i].text : "-") != 0) {
            print_error("row %zu: %s %s\n", i, read ? "read" : "refused", rows[i].text);
            wrong++;
        }
        ov_buf_free(&out);
        sketch_free(&s);
        free(exact);
    }
    assert_int_equal(wrong, 0);
}

static void test_counts_saturate(void **state)
{
    struct sketch s = {0};
    struct ov_buf out = {0};
    (void)state;
    assert_true(sketch_read(&s, OV_SLICE("5,4294967294,0,4294967294," TWO_ONE ",462:4294967294")));
    for (int i = 0; i < 3; i++)
        sketch_processed(&s, SKETCH_SLICES, 5, 1);
    struct sketch_summary got = sketch_summarise(&s, SKETCH_SLICES, 5);
    assert_true(got.timed == UINT64_C(4294967297));
    assert_true(near(got.p50, 1));
    sketch_write(&s, &out);
    assert_true(sketch_read(&s, (struct ov_slice){out.data, out.len}));
    ov_buf_free(&out);
    sketch_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quantiles),      cmocka_unit_test(test_odd_durations),
        cmocka_unit_test(test_window),         cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_texts),          cmocka_unit_test(test_counts_saturate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
