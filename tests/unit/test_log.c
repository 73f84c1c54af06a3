/* SPDX-License-Identifier: Apache-2.0 */
/* The log's lines as text, as JSON and for the journal, and a log that nobody reads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <pthread.h>
#include <sys/stat.h>

#include "capture.h"
#include "log.h"

#define TIME "2026-01-02T03:04:05.678Z "
enum { LINE_MOST = 4096 };

static struct capture capture;

static void test_text(void **state)
{
    static const struct {
        enum ov_level level;
        const char *who, *message, *line;
    } rows[] = {
        {OV_ERROR, NULL, "fails", "error fails\n"},
        {OV_WARN, "main", "warns", "warning main: warns\n"},
        {OV_INFO, "main", "", "info main: \n"},
        {OV_DEBUG, "main", "too much", ""},
        {OV_INFO, NULL, "two\nlines\r\x1b[2J\x7f", "info two\\nlines\\x0d\\x1b[2J\\x7f\n"},
        {OV_INFO, NULL, "\xff d\xc3\xbc \xc2\x9b", "info \\xff d\xc3\xbc \\xc2\\x9b\n"},
        {OV_INFO, NULL, "100%s", "info 100%s\n"},
    };
    (void)state;
    ov_log_setup(OV_INFO, false);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        capture_begin(&capture, STDERR_FILENO);
        errno = EXDEV;
        ov_log_line(rows[i].level, rows[i].who, "%s", rows[i].message);
        assert_int_equal(errno, EXDEV);
        const char *line = capture_end(&capture);
        size_t time = *line ? sizeof TIME - 1 : 0;
        if (strcmp(line + time, rows[i].line) != 0)
            fail_msg("row %zu: %s", i, line);
        for (size_t at = 0; at < time; at++)
            if (TIME[at] >= '0' && TIME[at] <= '9' ? line[at] < '0' || line[at] > '9'
                                                   : line[at] != TIME[at])
                fail_msg("no time: %s", line);
    }
}

/* Long and awkward messages are cut, and what is left is whole. */
static void test_long(void **state)
{
    static const char *const units[] = {"a", "\x01", "\"", "\\", "\xff", "\xc3\xbc", "\n", "\x7f"};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(units); i++) {
        for (size_t size = 1000; size <= 20000; size += 4750) {
            struct ov_buf message = {0};
            while (message.len < size)
                ov_buf_str(&message, units[i]);
            for (int json = 0; json < 2; json++) {
                ov_log_setup(OV_INFO, json);
                capture_begin(&capture, STDERR_FILENO);
                ov_log_line(OV_INFO, "main", "%s", ov_buf_text(&message));
                size_t len = strlen(capture_end(&capture));
                if (len < 500 || len > LINE_MOST || strchr(capture.text, '\n') !=
                                                        capture.text + len - 1)
                    fail_msg("%zu bytes of row %zu: a line of %zu", size, i, len);
                struct json_object *object = json ? json_tokener_parse(capture.text) : NULL;
                if (json && !json_object_is_type(object, json_type_object))
                    fail_msg("%zu bytes of row %zu: no JSON: %s", size, i, capture.text);
                json_object_put(object);
            }
            ov_buf_free(&message);
        }
    }
}

static void test_json(void **state)
{
    static const struct {
        const char *who, *message, *from, *read;
    } rows[] = {
        {NULL, "fails", "omnivigil", "fails"},
        {"ma\"in", "a \"b\" \\ \n\t", "ma\"in", "a \"b\" \\ \n\t"},
        {"main", "\xff\xc3\xbc", "main", "\xef\xbf\xbd\xc3\xbc"},
        {"main", "", "main", ""},
    };
    (void)state;
    ov_log_setup(OV_DEBUG, true);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        capture_begin(&capture, STDERR_FILENO);
        ov_log_line(OV_WARN, rows[i].who, "%s", rows[i].message);
        struct json_object *object = json_tokener_parse(capture_end(&capture)), *value;
        const char *const expected[][2] = {
            {"level", "warning"}, {"from", rows[i].from}, {"message", rows[i].read},
        };
        for (size_t k = 0; k < OV_COUNT(expected); k++)
            if (!json_object_object_get_ex(object, expected[k][0], &value) ||
                strcmp(json_object_get_string(value), expected[k][1]) != 0)
                fail_msg("row %zu: %s: %s", i, expected[k][0], capture.text);
        assert_true(json_object_object_get_ex(object, "time", &value));
        assert_int_equal(strlen(json_object_get_string(value)), sizeof TIME - 2);
        json_object_put(object);
    }
}

static void test_journal(void **state)
{
    struct stat st;
    char stream[64];
    (void)state;
    for (int other = 0; other < 2; other++) { /* a journal's socket is told by its inode */
        capture_begin(&capture, STDERR_FILENO);
        fstat(STDERR_FILENO, &st);
        snprintf(stream, sizeof stream, "%ju:%ju", (uintmax_t)st.st_dev,
                 (uintmax_t)st.st_ino + (unsigned)other);
        setenv("JOURNAL_STREAM", stream, 1);
        ov_log_setup(OV_DEBUG, false);
        ov_log_line(OV_ERROR, "main", "a");
        ov_log_line(OV_WARN, "main", "b");
        ov_log_line(OV_INFO, NULL, "c");
        ov_log_line(OV_DEBUG, NULL, "d");
        capture_end(&capture);
        if (other)
            assert_int_equal(capture.text[0], '2');
        else
            assert_string_equal(capture.text, "<3>main: a\n<4>main: b\n<6>c\n<7>d\n");
    }
    unsetenv("JOURNAL_STREAM");
    ov_log_setup(OV_DEBUG, false);
}

/* ---------------------------------------------------------------- nobody reads */

enum { WRITERS = 4 };

static void *write_many(void *count)
{
    for (int i = 0; i < *(int *)count; i++)
        ov_log_line(OV_INFO, "main", "%03000d", i);
    return NULL;
}

static void crowd(int count)
{
    pthread_t threads[WRITERS];
    for (size_t i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_many, &count), 0);
    for (size_t i = 0; i < WRITERS; i++)
        pthread_join(threads[i], NULL);
}

/* A pipe that is full and a descriptor that is closed cost lines, not time: this test ends. */
static void test_unread(void **state)
{
    int saved = dup(STDERR_FILENO), ends[2], full = open("/dev/full", O_WRONLY), few = 15;
    (void)state;
    ov_log_setup(OV_INFO, false);
    for (int i = 0; i < 300; i++) {
        if (pipe(ends) != 0)
            break;
        dup2(ends[1], STDERR_FILENO);
        crowd(few);
        close(ends[0]);
        close(ends[1]);
    }
    dup2(full, STDERR_FILENO);
    write_many(&few);
    close(full);
    close(STDERR_FILENO);
    write_many(&few);
    dup2(saved, STDERR_FILENO);
    close(saved);
}

/* Lines of many threads do not mix. */
static void test_whole_lines(void **state)
{
    FILE *file = tmpfile();
    int saved = dup(STDERR_FILENO);
    char line[LINE_MOST + 2];
    size_t count = 0;
    (void)state;
    ov_log_setup(OV_INFO, false);
    fcntl(fileno(file), F_SETFL, O_APPEND);
    dup2(fileno(file), STDERR_FILENO);
    crowd(200);
    dup2(saved, STDERR_FILENO);
    close(saved);
    rewind(file);
    for (; fgets(line, sizeof line, file); count++)
        if (strlen(line) != sizeof TIME - 1 + strlen("info main: ") + 3000 + 1)
            fail_msg("%zu: %s", count, line);
    fclose(file);
    assert_int_equal(count, WRITERS * 200);
}

static void test_duration(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {
        {0, "0 ms"}, {999, "999 ms"}, {1000, "1 s"}, {59999, "59 s"}, {60000, "1 min 0 s"},
        {185000, "3 min 5 s"}, {3599999, "59 min 59 s"}, {3600000, "1 h 0 min"},
        {7800000, "2 h 10 min"}, {86399999, "23 h 59 min"}, {86400000, "1 d 0 h"},
        {INT64_MAX, "106751991167 d 7 h"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf buf = {0};
        ov_buf_duration(&buf, rows[i].ms);
        assert_string_equal(ov_buf_text(&buf), rows[i].text);
        ov_buf_free(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),   cmocka_unit_test(test_long),
        cmocka_unit_test(test_json),   cmocka_unit_test(test_journal),
        cmocka_unit_test(test_unread), cmocka_unit_test(test_whole_lines),
        cmocka_unit_test(test_duration),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
