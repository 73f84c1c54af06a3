/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: the exact text of samples, and that json-c reads every one of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#include "json_lines.h"

enum { INT, FLOAT, BOOL, TEXT, FIELDS };
static const struct ov_field fields[FIELDS] = {
    {"n", OV_INT, OV_GAUGE, "", ""},
    {"x", OV_FLOAT, OV_GAUGE, "", ""},
    {"up", OV_BOOL, OV_GAUGE, "", ""},
    {"why", OV_TEXT, OV_GAUGE, "", ""},
};
static const char *const tag_names[] = {"agent", "topic"};
static const struct ov_measurement measurement = {"m", "", tag_names, fields, 2, FIELDS};

struct row {
    struct ov_sample sample;
    struct ov_slice tags[2], text;
    union ov_value values[FIELDS];
};

static struct ov_sample *row_start(struct row *row)
{
    *row = (struct row){0};
    row->sample = (struct ov_sample){.measurement = &measurement, .time_ns = 0,
                                     .tags = row->tags, .values = row->values};
    return &row->sample;
}

static void row_text(struct row *row, struct ov_slice text)
{
    row->text = text;
    row->values[TEXT].text = &row->text;
    row->sample.present |= 1u << TEXT;
}

#define EPOCH "{\"time\":\"1970-01-01T00:00:00.000000000Z\",\"measurement\":\"m\",\"tags\":{"
#define BYTES(literal) {literal, sizeof(literal) - 1}

static void check_line(size_t number, const struct ov_sample *s, const char *want)
{
    struct ov_buf buf = {0};
    const char *why = json_line_write(&buf, s, NULL, 0);
    if (why)
        fail_msg("row %zu: not written: %s", number, why);
    if (strcmp(ov_buf_text(&buf), want) != 0)
        fail_msg("row %zu:\n got %s\nwant %s", number, ov_buf_text(&buf), want);
    if (memchr(buf.data, '\n', buf.len) != buf.data + buf.len - 1)
        fail_msg("row %zu: not one line", number);
    struct json_object *object = json_tokener_parse(ov_buf_text(&buf));
    if (!object)
        fail_msg("row %zu: json-c does not read it", number);
    json_object_put(object);
    ov_buf_free(&buf);
}

static void test_times(void **state)
{
    (void)state;
    static const struct { int64_t time_ns; const char *text; } rows[] = {
        {0, "1970-01-01T00:00:00.000000000Z"}, {1, "1970-01-01T00:00:00.000000001Z"},
        {1764035523000000007, "2025-11-25T01:52:03.000000007Z"},
        {1709164800120000000, "2024-02-29T00:00:00.120000000Z"},
        {-1, "1969-12-31T23:59:59.999999999Z"},
        {INT64_MAX, "2262-04-11T23:47:16.854775807Z"},
        {INT64_MIN, "1677-09-21T00:12:43.145224192Z"},
    };
    setenv("TZ", "America/New_York", 1); /* has no say */
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        struct ov_sample *s = row_start(&row);
        struct ov_buf want = {0};
        s->time_ns = rows[i].time_ns;
        ov_sample_int(s, INT, 1);
        ov_buf_printf(&want, "{\"time\":\"%s\",\"measurement\":\"m\",\"tags\":{},"
                      "\"fields\":{\"n\":1}}\n", rows[i].text);
        check_line(i, s, ov_buf_text(&want));
        ov_buf_free(&want);
    }
}

static void test_values(void **state)
{
    (void)state;
    struct row row;
    struct ov_sample *s = row_start(&row);
    ov_sample_int(s, INT, INT64_MIN);
    check_line(0, s, EPOCH "},\"fields\":{\"n\":-9223372036854775808}}\n");
    ov_sample_int(s, INT, 9007199254740993);
    ov_sample_bool(s, BOOL, false);
    check_line(1, s, EPOCH "},\"fields\":{\"n\":9007199254740993,\"up\":false}}\n");
    s->values[FLOAT].number = 0.1;
    s->present |= 1u << FLOAT;
    setlocale(LC_ALL, "de_DE.UTF-8");
    check_line(2, s, EPOCH "},\"fields\":{\"n\":9007199254740993,\"x\":0.1,\"up\":false}}\n");
    setlocale(LC_ALL, "C");
    s->values[FLOAT].number = NAN; /* absent, whoever put it there */
    check_line(3, s, EPOCH "},\"fields\":{\"n\":9007199254740993,\"up\":false}}\n");
}

static void test_bytes(void **state)
{
    (void)state;
    static const struct { struct ov_slice bytes; const char *written; } rows[] = {
        {BYTES("plain"), "plain"}, {BYTES("a\"b\\c"), "a\\\"b\\\\c"}, {BYTES("a\nb"), "a\\nb"},
        {BYTES("a\0b"), "a\\u0000b"}, {BYTES("\x1b"), "\\u001b"}, {BYTES("\u6ce8"), "\u6ce8"},
        {BYTES("\xff"), "\ufffd"}, {BYTES("a\xc3"), "a\ufffd"}, {BYTES("{\"x\":1}"), "{\\\"x\\\":1}"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        struct ov_buf want = {0};
        struct ov_sample *s = row_start(&row);
        s->tags[1] = rows[i].bytes;
        row_text(&row, rows[i].bytes);
        ov_buf_printf(&want, EPOCH "\"topic\":\"%s\"},\"fields\":{\"why\":\"%s\"}}\n",
                      rows[i].written, rows[i].written);
        check_line(i, s, ov_buf_text(&want));
        ov_buf_free(&want);
    }
}

static void test_no_field(void **state)
{
    (void)state;
    struct row row;
    struct ov_buf buf = {0};
    struct ov_sample *s = row_start(&row);
    s->tags[0] = OV_SLICE("a");
    ov_buf_str(&buf, "before\n");
    assert_non_null(json_line_write(&buf, s, NULL, 0));
    s->values[FLOAT].number = INFINITY;
    s->present |= 1u << FLOAT;
    assert_non_null(json_line_write(&buf, s, NULL, 0));
    assert_string_equal(ov_buf_text(&buf), "before\n");
    ov_buf_free(&buf);
}

static void test_common_tags(void **state)
{
    (void)state;
    static const struct ov_tag common[] = {
        {"host", BYTES("h")}, {"none", BYTES("")}, {"topic", BYTES("other")},
    };
    struct row row;
    struct ov_buf buf = {0};
    struct ov_sample *s = row_start(&row);
    s->tags[1] = OV_SLICE("t");
    ov_sample_int(s, INT, 1);
    assert_null(json_line_write(&buf, s, common, OV_COUNT(common)));
    assert_string_equal(ov_buf_text(&buf),
                        EPOCH "\"host\":\"h\",\"topic\":\"t\"},\"fields\":{\"n\":1}}\n");
    ov_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_times), cmocka_unit_test(test_values), cmocka_unit_test(test_bytes),
        cmocka_unit_test(test_no_field), cmocka_unit_test(test_common_tags),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
