/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text without a tree: what is valid, the members as they were written, and masking. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "json_text.h"

static void test_valid(void **state)
{
    static const char *const rows[] = {
        "null", " true\n", "false", "NaN", "-Infinity", "Infinity", "0", "-0", "-1.5e+3", "1E9",
        "\"\"", "\"a\\u00e9\\n\\\\\"", "\"\xff\"", "[]", "[ ]", "{}", "{ }", "[1, [2, {}], \"x\"]",
        "{\"a\": {\"b\": [1, null]}, \"a\": 2}", "[[[[]]]]", "[{}, {}]", "{\"\": []}",
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        if (!json_text_is_valid(ov_slice(rows[i])))
            fail_msg("%s: refused", rows[i]);
}

static void test_invalid(void **state)
{
    static const char *const rows[] = {
        "", " ", "nul", "nulll", "True", "nan", "+1", "01", "1.", ".5", "1e", "-", "--1", "0x1",
        "\"", "\"a", "\"\n\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u123", "'a'", "[", "]", "[1", "[1,",
        "[1,]", "[,1]", "[1 2]", "[1}", "{", "}", "{]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
        "{\"a\" 1}", "{a: 1}", "{1: 1}", "{\"a\":1 \"b\":2}", "{\"a\":1}}", "1 2", "{} {}", "[]]",
        "{\"a\":[1}", "[{\"a\":1]", "-Infinit", "\xff", "[\"a\":1]",
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        if (json_text_is_valid(ov_slice(rows[i])))
            fail_msg("%s: accepted", rows[i]);
}

static void test_depth(void **state)
{
    (void)state;
    for (unsigned depth = JSON_TEXT_DEPTH - 1; depth <= JSON_TEXT_DEPTH + 1; depth++) {
        struct ov_buf text = {0};
        for (unsigned i = 0; i < depth; i++)
            ov_buf_str(&text, i % 2 ? "{\"a\":" : "[");
        ov_buf_str(&text, "1");
        for (unsigned i = depth; i-- > 0;)
            ov_buf_char(&text, i % 2 ? '}' : ']');
        bool valid = json_text_is_valid((struct ov_slice){text.data, text.len});
        if (valid != (depth <= JSON_TEXT_DEPTH))
            fail_msg("depth %u: %s", depth, valid ? "accepted" : "refused");
        ov_buf_free(&text);
    }
}

static void test_members(void **state)
{
    static const struct {
        const char *object, *want; /* key=value; in order */
    } rows[] = {
        {"{}", ""},
        {"[1, 2]", ""},
        {"\"a\"", ""},
        {" {\"a\": 1}", "a=1;"},
        {"{\"a\":1.50,\"b\" : [1, {\"c\": 2}] , \"a\": null}", "a=1.50;b=[1, {\"c\": 2}];a=null;"},
        {"{\"a\\u0062\": \"x\\ty\"}", "a\\u0062=\"x\\ty\";"},
        {"{\"\": NaN, \"n\": 123456789012345678901234567890}",
         "=NaN;n=123456789012345678901234567890;"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct json_walk walk = json_walk(ov_slice(rows[i].object));
        struct ov_slice key, value;
        struct ov_buf got = {0};
        while (json_walk_next(&walk, &key, &value)) {
            ov_buf_slice(&got, key);
            ov_buf_char(&got, '=');
            ov_buf_slice(&got, value);
            ov_buf_char(&got, ';');
        }
        if (strcmp(ov_buf_text(&got), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].object, ov_buf_text(&got));
        ov_buf_free(&got);
    }
}

static void test_member_by_name(void **state)
{
    struct ov_slice object = ov_slice("{\"a\": 1, \"to\\u0070ic\": \"t\", \"a\": 2, \"ab\": 3}");
    (void)state;
    assert_true(ov_slice_eq(json_text_member(object, "a"), OV_SLICE("2")));
    assert_true(ov_slice_eq(json_text_member(object, "topic"), OV_SLICE("\"t\"")));
    assert_int_equal(json_text_member(object, "b").len, 0);
    assert_int_equal(json_text_member(OV_SLICE("[\"a\"]"), "a").len, 0);
    assert_int_equal(json_text_member((struct ov_slice){NULL, 0}, "a").len, 0);
}

static void test_decode(void **state)
{
    static const struct {
        const char *value, *want; /* NULL: no string */
    } rows[] = {
        {"\"\"", ""}, {"\"a\"", "a"}, {"\"\\u00fc\\n\"", "\xc3\xbc\n"},
        {"\"\\ud83d\\ude00\"", "\xf0\x9f\x98\x80"}, {"1", NULL}, {"null", NULL}, {"", NULL},
        {"{\"a\": 1}", NULL},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf got = {0};
        bool read = json_text_decode(ov_slice(rows[i].value), &got);
        if (read != (rows[i].want != NULL) ||
            strcmp(ov_buf_text(&got), rows[i].want ? rows[i].want : "") != 0)
            fail_msg("%s: %d %s", rows[i].value, read, ov_buf_text(&got));
        ov_buf_free(&got);
    }
}

static void test_count(void **state)
{
    static const struct {
        const char *value;
        int64_t want;
    } rows[] = {{"0", 0}, {"3", 3}, {"1000000", 1000000}, {"", -1}, {"-1", -1}, {"1.0", -1},
                {"1e3", -1}, {"99999999999999999999", -1}, {"\"3\"", -1}, {"null", -1}};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        if (json_text_count(ov_slice(rows[i].value)) != rows[i].want)
            fail_msg("%s", rows[i].value);
}

static void test_number(void **state)
{
    static const struct {
        const char *value;
        double want; /* NaN: none */
    } rows[] = {{"0", 0}, {"-1.5", -1.5}, {"1795589358.1234567", 1795589358.1234567},
                {"1e300", 1e300}, {"1e400", NAN}, {"NaN", NAN}, {"-Infinity", NAN}, {"", NAN},
                {"inf", NAN}, {"0x10", NAN}, {"1 ", NAN}, {"01", NAN}, {"\"1\"", NAN},
                {"null", NAN}, {"1.", NAN}};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        double got = json_text_number(ov_slice(rows[i].value));
        if (!(isnan(rows[i].want) ? isnan(got) : got == rows[i].want))
            fail_msg("%s: %g", rows[i].value, got);
    }
    assert_true(isnan(json_text_number((struct ov_slice){NULL, 0})));
}

static void test_mask(void **state)
{
    static struct ov_slice patterns[] = {{"*key*", 5}, {"PASS*", 5}};
    static const struct ov_list list = {patterns, OV_COUNT(patterns)};
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"{\"a\": 1}", "{\"a\": 1}"},
        {"{\"api_key\" : \"s\", \"b\":2}", "{\"api_key\" : \"***\", \"b\":2}"},
        {"{\"API_KEY\": {\"deep\": [1, \"x\"]}}", "{\"API_KEY\": \"***\"}"},
        {"[{\"password\": null}, {\"x\": {\"Passphrase\": 1.5}}]",
         "[{\"password\": \"***\"}, {\"x\": {\"Passphrase\": \"***\"}}]"},
        {"{\"api\\u005fkey\": 1}", "{\"api\\u005fkey\": \"***\"}"},
        {"[\"key\", \"password\"]", "[\"key\", \"password\"]"},
        {"{\"a\": \"key: 1\"}", "{\"a\": \"key: 1\"}"},
        {"{\"a\": NaN, \"b\": [Infinity, -Infinity, true, null]}",
         "{\"a\": \"NaN\", \"b\": [\"Infinity\", \"-Infinity\", true, null]}"},
        {"{\"content\": \"{\\\"key\\\": 1, \\\"b\\\": 2}\"}",
         "{\"content\": \"{\\\"key\\\": \\\"***\\\", \\\"b\\\": 2}\"}"},
        {"{\"content\": \"{\\\"b\\\": \\\"\\u00fc\\\"}\"}",
         "{\"content\": \"{\\\"b\\\": \\\"\\u00fc\\\"}\"}"},
        {"\"{key: 1\"", "\"{key: 1\""},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf got = {0};
        json_text_mask(&got, ov_slice(rows[i].text), &list);
        if (strcmp(ov_buf_text(&got), rows[i].want) != 0)
            fail_msg("%s: %s", rows[i].text, ov_buf_text(&got));
        ov_buf_free(&got);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_valid),   cmocka_unit_test(test_invalid),
        cmocka_unit_test(test_depth),   cmocka_unit_test(test_members),
        cmocka_unit_test(test_member_by_name), cmocka_unit_test(test_decode),
        cmocka_unit_test(test_count),   cmocka_unit_test(test_number),
        cmocka_unit_test(test_mask),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
