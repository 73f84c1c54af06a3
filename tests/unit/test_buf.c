/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers: growing, and bytes from outside made fit to be read by a person or as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "omnivigil.h"

static void test_growing(void **state)
{
    struct ov_buf buf = {0};
    static char large[100000];
    (void)state;
    assert_string_equal(ov_buf_text(&buf), "");
    assert_int_equal(buf.len, 0);
    ov_buf_add(&buf, NULL, 0);
    ov_buf_str(&buf, "ab");
    ov_buf_char(&buf, 'c');
    ov_buf_slice(&buf, OV_SLICE("d\0e"));
    assert_int_equal(buf.len, 6);
    assert_memory_equal(buf.data, "abcd\0e", 6);
    assert_string_equal(ov_buf_text(&buf), "abcd");
    memset(large, 'x', sizeof large - 1);
    for (size_t size = 0; size < 200; size++) { /* around what the buffer holds without growing */
        ov_buf_reset(&buf);
        ov_buf_printf(&buf, "%.*s|%d", (int)size, large, 7);
        assert_int_equal(buf.len, size + 2);
        assert_memory_equal(buf.data + size, "|7", 2);
    }
    ov_buf_reset(&buf);
    ov_buf_printf(&buf, "%s%s", large, large);
    assert_int_equal(buf.len, 2 * (sizeof large - 1));
    ov_buf_free(&buf);
    ov_buf_free(&buf);
    assert_null(buf.data);
}

static void test_int(void **state)
{
    static const struct {
        int64_t value;
        const char *text;
    } rows[] = {
        {0, "0"}, {-1, "-1"}, {10, "10"}, {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf buf = {0};
        ov_buf_int(&buf, rows[i].value);
        assert_string_equal(ov_buf_text(&buf), rows[i].text);
        ov_buf_free(&buf);
    }
}

/* ---------------------------------------------------------------- bytes from outside */

static const struct {
    struct ov_slice bytes;
    const char *escaped, *json;
} rows[] = {
    {{"", 0}, "", "\"\""},
    {{NULL, 0}, "", "\"\""},
    {{"plain", 5}, "plain", "\"plain\""},
    {{"a\nb\tc\r", 6}, "a\\nb\\tc\\x0d", "\"a\\nb\\u0009c\\u000d\""},
    {{"\0", 1}, "\\x00", "\"\\u0000\""},
    {{"\x1b[2J", 4}, "\\x1b[2J", "\"\\u001b[2J\""},
    {{"\x7f", 1}, "\\x7f", "\"\\u007f\""},
    {{"\"\\/", 3}, "\"\\/", "\"\\\"\\\\/\""},
    {{"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80", 9}, "\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80",
     "\"\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80\""},
    {{"\xff", 1}, "\\xff", "\"\xef\xbf\xbd\""},
    {{"\xc3", 1}, "\\xc3", "\"\xef\xbf\xbd\""},                     /* cut */
    {{"\xe2\x82", 2}, "\\xe2\\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},
    {{"\xc0\xaf", 2}, "\\xc0\\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""}, /* overlong */
    {{"\xed\xa0\x80", 3}, "\\xed\\xa0\\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},
    {{"\xf4\x90\x80\x80", 4}, "\\xf4\\x90\\x80\\x80",
     "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* beyond U+10FFFF */
    {{"a\xffz", 3}, "a\\xffz", "\"a\xef\xbf\xbdz\""},
    {{"\xc2\x9b", 2}, "\\xc2\\x9b", "\"\xc2\x9b\""}, /* a terminal's control, in UTF-8 */
    {{"\xc2\xa0", 2}, "\xc2\xa0", "\"\xc2\xa0\""},
};

static void test_outside(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf escaped = {0}, json = {0};
        ov_buf_escaped(&escaped, rows[i].bytes);
        ov_buf_json(&json, rows[i].bytes);
        if (strcmp(ov_buf_text(&escaped), rows[i].escaped) != 0 ||
            strcmp(ov_buf_text(&json), rows[i].json) != 0)
            fail_msg("row %zu: %s and %s", i, ov_buf_text(&escaped), ov_buf_text(&json));
        ov_buf_free(&escaped);
        ov_buf_free(&json);
    }
}

/* Any bytes: a terminal gets no control bytes, and JSON can be read. */
static void test_any(void **state)
{
    uint64_t random = 1;
    struct ov_buf escaped = {0}, json = {0};
    (void)state;
    for (int i = 0; i < 20000; i++) {
        char bytes[24];
        size_t len = (size_t)i % sizeof bytes;
        for (size_t k = 0; k < len; k++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[k] = random >> 63 ? "\xc3\xbc\xe2\x82\xf0\x9f\"\\"[random >> 40 & 7]
                                    : (char)(random >> 33);
        }
        ov_buf_reset(&escaped);
        ov_buf_reset(&json);
        ov_buf_escaped(&escaped, (struct ov_slice){bytes, len});
        ov_buf_json(&json, (struct ov_slice){bytes, len});
        for (size_t k = 0; k < escaped.len; k++)
            if ((unsigned char)escaped.data[k] < 0x20 || escaped.data[k] == 0x7f)
                fail_msg("case %d: a control byte", i);
        struct json_tokener *tokener = json_tokener_new();
        json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
        struct json_object *value = json_tokener_parse_ex(tokener, json.data, (int)json.len);
        if (!json_object_is_type(value, json_type_string))
            fail_msg("case %d: no JSON: %s", i, ov_buf_text(&json));
        json_object_put(value);
        json_tokener_free(tokener);
    }
    ov_buf_free(&escaped);
    ov_buf_free(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_int),
        cmocka_unit_test(test_outside),
        cmocka_unit_test(test_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
