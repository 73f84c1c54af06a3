/* SPDX-License-Identifier: Apache-2.0 */
/* Saved state: what is written is read back, and what was not written is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "savefile.h"

static struct ov_slice text_of(const struct ov_buf *buf)
{
    return (struct ov_slice){buf->data, buf->len};
}

static void test_names(void **state)
{
    static const struct {
        struct ov_slice name;
        const char *saved;
    } rows[] = {
        {{"plain.name-1", 12}, " plain.name-1"},
        {{"", 0}, " %"},
        {{NULL, 0}, " %"},
        {{"%", 1}, " %25"},
        {{"%41", 3}, " %2541"},
        {{" ", 1}, " %20"},
        {{"two words", 9}, " two%20words"},
        {{"line\nline\r\n", 11}, " line%0aline%0d%0a"},
        {{"\0a\0", 3}, " %00a%00"},
        {{"\xff\x80\x7f", 3}, " %ff%80%7f"},
        {{"d\xc3\xbc", 3}, " d%c3%bc"},
        {{"-", 1}, " -"},
        {{"group:a:b", 9}, " group:a:b"},
    };
    struct ov_buf out = {0}, name = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        ov_buf_reset(&out);
        save_tag(&out, "T");
        save_name(&out, rows[i].name);
        save_name(&out, OV_SLICE("next"));
        save_end(&out);
        struct ov_slice rest = text_of(&out), line, word;
        assert_true(saved_line(&rest, &line));
        assert_int_equal(rest.len, 0);
        assert_true(saved_word(&line, &word));
        if (!ov_slice_starts((struct ov_slice){out.data + 1, out.len}, ov_slice(rows[i].saved)))
            fail_msg("row %zu is saved as %s", i, ov_buf_text(&out));
        if (!saved_name(&line, &name) || !ov_slice_eq(text_of(&name), rows[i].name))
            fail_msg("%s is read as another", rows[i].saved);
        assert_true(saved_word(&line, &word) && ov_slice_eq(word, OV_SLICE("next")));
        assert_false(saved_word(&line, &word));
    }
    ov_buf_free(&out);
    ov_buf_free(&name);
}

static void test_refused_names(void **state)
{
    static const char *const rows[] = {
        "", "%2", "%g0", "%0g", "a%", "a%4", "%%", "%-1", "%2 5", "%AF", "%%20",
    };
    struct ov_buf name = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_slice line = ov_slice(rows[i]);
        if (saved_name(&line, &name))
            fail_msg("accepted: %s", rows[i]);
    }
    ov_buf_free(&name);
}

static void test_numbers(void **state)
{
    static const int64_t rows[] = {0, 1, -1, 42, INT64_MAX, -INT64_MAX, INT64_MIN};
    struct ov_buf out = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        int64_t value = 7;
        ov_buf_reset(&out);
        save_int(&out, rows[i]);
        struct ov_slice line = {out.data + 1, out.len - 1};
        if (!saved_int(&line, &value) || value != rows[i])
            fail_msg("%jd is read as %jd", (intmax_t)rows[i], (intmax_t)value);
    }
    ov_buf_free(&out);
}

static void test_unsigned_numbers(void **state)
{
    static const uint64_t rows[] = {0, 1, INT64_MAX, (uint64_t)INT64_MAX + 1, UINT64_MAX};
    struct ov_buf out = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        uint64_t value = 7;
        ov_buf_reset(&out);
        save_uint(&out, rows[i]);
        struct ov_slice line = {out.data + 1, out.len - 1};
        if (!saved_uint(&line, &value) || value != rows[i])
            fail_msg("%ju is read as %ju", (uintmax_t)rows[i], (uintmax_t)value);
    }
    ov_buf_free(&out);
}

static void test_refused_numbers(void **state)
{
    static const struct {
        const char *text;
        bool is_int, is_uint;
    } rows[] = {
        {"", false, false},
        {"-", false, false},
        {"--1", false, false},
        {"- 1", false, false},
        {"+1", false, false},
        {" 1", false, false},
        {"1x", false, false},
        {"x", false, false},
        {"0x10", false, false},
        {"1.5", false, false},
        {"1e3", false, false},
        {"\xd9\xa1", false, false},
        {"-1", true, false},
        {"007", true, true},
        {"9223372036854775807", true, true},
        {"9223372036854775808", false, true},
        {"-9223372036854775808", true, false},
        {"-9223372036854775809", false, false},
        {"18446744073709551615", false, true},
        {"18446744073709551616", false, false},
        {"-18446744073709551615", false, false},
        {"99999999999999999999999999", false, false},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_slice line = ov_slice(rows[i].text), again = line;
        int64_t number;
        uint64_t unsigned_number;
        if (saved_int(&line, &number) != rows[i].is_int ||
            saved_uint(&again, &unsigned_number) != rows[i].is_uint)
            fail_msg("%s", rows[i].text);
    }
}

static void test_lines(void **state)
{
    static const struct {
        const char *text, *lines[4];
    } rows[] = {
        {"", {NULL}},
        {"\n", {""}},
        {"a\n", {"a"}},
        {"a", {"a"}},
        {"a\nb\n", {"a", "b"}},
        {"a\n\nb", {"a", "", "b"}},
        {"a b\nc\n", {"a b", "c"}},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_slice rest = ov_slice(rows[i].text), line;
        size_t n = 0;
        for (; saved_line(&rest, &line); n++)
            if (!rows[i].lines[n] || !ov_slice_eq(line, ov_slice(rows[i].lines[n])))
                fail_msg("row %zu: line %zu is %.*s", i, n, (int)line.len, line.ptr);
        if (rows[i].lines[n])
            fail_msg("row %zu: %s is missing", i, rows[i].lines[n]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),   cmocka_unit_test(test_refused_names),
        cmocka_unit_test(test_numbers), cmocka_unit_test(test_refused_numbers),
        cmocka_unit_test(test_lines),   cmocka_unit_test(test_unsigned_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
