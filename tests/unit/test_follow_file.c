/* SPDX-License-Identifier: Apache-2.0 */
/* Following metrics.json through its replacements: every event once, and what was missed is
 * noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "follow_file.h"
#include "savefile.h"

static char dir[] = "/tmp/omnivigil-follow-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

/* Replaces metrics.json as OmniDaemon does. */
static void write_text(const char *text)
{
    FILE *file = fopen(path_of("new"), "w");
    char from[128];
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
    snprintf(from, sizeof from, "%s", path_of("new"));
    assert_int_equal(rename(from, path_of("metrics.json")), 0);
}

/* A list of events, a letter each: its moment is its place in the alphabet, capitals lack one. */
static void write_events(const char *letters)
{
    struct ov_buf text = {0};
    ov_buf_char(&text, '[');
    for (const char *at = letters; *at; at++) {
        bool has_moment = *at >= 'a';
        ov_buf_printf(&text, "%s{\"topic\": \"t\", \"agent\": \"%c\", \"event\": \"task_received\"",
                      at == letters ? "" : ", ", *at);
        if (has_moment)
            ov_buf_printf(&text, ", \"saved_at\": %d.25", 1700000000 + *at - 'a');
        ov_buf_char(&text, '}');
    }
    ov_buf_char(&text, ']');
    write_text(ov_buf_text(&text));
    ov_buf_free(&text);
}

static void on_event(void *context, const struct event *event, int64_t at_ms)
{
    struct ov_buf *seen = context;
    ov_buf_slice(seen, event->agent);
    if (event->agent.len == 1 && *event->agent.ptr >= 'a')
        assert_int_equal(at_ms, (1700000000 + *event->agent.ptr - 'a') * INT64_C(1000) + 250);
}

static void expect_run(struct follow_file *f, const char *what, const char *want)
{
    struct ov_buf seen = {0}, why = {0};
    int result = follow_file_run(f, dir, on_event, &seen, &why);
    if (result != OV_OK || strcmp(ov_buf_text(&seen), want) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\" (%d %s)", what, ov_buf_text(&seen), want, result,
                 ov_buf_text(&why));
    ov_buf_free(&seen);
    ov_buf_free(&why);
}

/* Each row's lists in turn, and what is new in each. */
static void test_lists(void **state)
{
    static const struct {
        const char *lists[4], *seen[4];
        uint64_t gaps;
    } rows[] = {
        {{""}, {""}, 0},
        {{"", "abc"}, {"", "abc"}, 0},
        {{"abc", "abcde"}, {"abc", "de"}, 0},
        {{"abc", "cde"}, {"abc", "de"}, 0},        /* trimmed up to the place */
        {{"abc", "cde", "cde", "defg"}, {"abc", "de", "", "fg"}, 0},
        {{"abc", "def"}, {"abc", "def"}, 1},       /* trimmed beyond it */
        {{"abc", ""}, {"abc", ""}, 0},
        {{"abc", "", "de"}, {"abc", "", "de"}, 1}, /* begun anew */
        {{"abc", "ab", "abcd"}, {"abc", "", "d"}, 0}, /* an older one was put back */
        {{"abb", "abbb", "abbbb"}, {"abb", "b", "b"}, 0}, /* of the same moment */
        {{"abb", "bbbc"}, {"abb", "bc"}, 0},
        {{"bb", "bbaa", "bbaac"}, {"bb", "aa", "c"}, 0}, /* the clock was set back */
        {{"bb", "ba", "ad"}, {"bb", "a", "d"}, 0},
        {{"A", "AB"}, {"A", "AB"}, 0},             /* without any moment there is no place */
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct follow_file f = {0};
        for (size_t n = 0; n < 4 && rows[i].lists[n]; n++) {
            char what[64];
            snprintf(what, sizeof what, "row %zu, %s", i, rows[i].lists[n]);
            write_events(rows[i].lists[n]);
            expect_run(&f, what, rows[i].seen[n]);
            expect_run(&f, what, ""); /* unchanged */
            assert_int_equal(f.length, strlen(rows[i].lists[n]));
        }
        if (f.gaps != rows[i].gaps)
            fail_msg("row %zu: %ju gaps", i, (uintmax_t)f.gaps);
    }
}

static void test_bad_files(void **state)
{
    static const char *const rows[] = {
        "", " ", "{}", "null", "3", "\"a\"", "[", "[{\"agent\": \"x\"}", "[]]", "[,]", "nope",
        "[{\"agent\": }]",
    };
    struct follow_file f = {0};
    (void)state;
    write_events("ab");
    expect_run(&f, "before", "ab");
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf seen = {0}, why = {0};
        write_text(rows[i]);
        if (follow_file_run(&f, dir, on_event, &seen, &why) != OV_FAILED || seen.len || !why.len)
            fail_msg("%s: accepted", rows[i]);
        assert_non_null(strstr(ov_buf_text(&why), "metrics.json"));
        ov_buf_free(&why);
    }
    write_events("abc");
    expect_run(&f, "after", "c");
    write_text("[1, null, \"x\", [], {}, {\"saved_at\": NaN}, {\"saved_at\": \"x\"}, "
               "{\"event\": \"task_failed\", \"agent\": \"z\", \"saved_at\": -5}]");
    expect_run(&f, "entries of no sense", "");
}

/* The file may go and come again; what it is not may lie in its place. */
static void test_places(void **state)
{
    struct follow_file f = {0};
    struct ov_buf why = {0}, seen = {0};
    char path[128], aside[128];
    (void)state;
    snprintf(path, sizeof path, "%s", path_of("metrics.json"));
    snprintf(aside, sizeof aside, "%s", path_of("aside"));
    unlink(path);
    expect_run(&f, "none yet", "");
    assert_int_equal(f.length, -1);
    write_events("abc");
    expect_run(&f, "there", "abc");
    assert_int_equal(rename(path, aside), 0);
    expect_run(&f, "away", "");
    assert_int_equal(f.length, -1);
    assert_int_equal(rename(aside, path), 0);
    expect_run(&f, "back", "");
    assert_int_equal(f.length, 3);
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(follow_file_run(&f, dir, on_event, &seen, &why), OV_FAILED);
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(follow_file_run(&f, dir, on_event, &seen, &why), OV_FAILED);
    assert_int_equal(rmdir(path), 0);
    assert_int_equal(seen.len, 0);
    ov_buf_free(&why);
}

static void test_saved(void **state)
{
    static const char *const bad[] = {
        "", "-", "1", "1 2", "1 2 3", "x 2 3 4", "1 -2 3 4", "1 2 -3 4",
        "9218868437227405312 1 1 1" /* infinity */, "9221120237041090560 1 1 1" /* NaN */,
        "13826050856027422720 1 1 1" /* below 0 */, "18446744073709551616 1 1 1",
    };
    struct follow_file f = {0}, read = {.entries = 99};
    struct ov_buf text = {0};
    (void)state;
    write_events("abb");
    expect_run(&f, "before", "abb");
    follow_file_write(&f, &text);
    assert_true(follow_file_read(&read, (struct ov_slice){text.data, text.len}));
    assert_int_equal(read.entries, 3);
    write_events("abbbc");
    expect_run(&read, "after a restart", "bc");
    for (size_t i = 0; i < OV_COUNT(bad); i++)
        if (follow_file_read(&read, ov_slice(bad[i])))
            fail_msg("accepted: %s", bad[i]);
    assert_int_equal(read.entries, 5); /* left alone */
    ov_buf_free(&text);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(path_of("metrics.json"));
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_places),
        cmocka_unit_test(test_saved),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
