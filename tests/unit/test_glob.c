/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns: known ones, random ones against fnmatch, and ones made to cost much. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fnmatch.h>

#include "omnivigil.h"

static void test_known(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "", false},
        {"a", "a", true},
        {"a", "A", false},
        {"a", "ab", false},
        {"ab", "a", false},
        {"*", "", true},
        {"*", "anything\n", true},
        {"**", "a", true},
        {"?", "", false},
        {"?", "a", true},
        {"??", "a", false},
        {"?*", "", false},
        {"a*", "ba", false},
        {"*a", "ba", true},
        {"*a*", "bab", true},
        {"*a*b*", "ba", false},
        {"a*b*c", "axxbxxc", true},
        {"a*b*c", "abcx", false},
        {"file_system.*", "file_system.tasks", true},
        {"file_system.*", "file_systemXtasks", false},
        {"[ab]", "a", true},
        {"[ab]", "[ab]", false},
        {"[ab]", "c", false},
        {"[!ab]", "c", true},
        {"[!ab]", "a", false},
        {"[^ab]", "b", false},
        {"[!ab]", "", false},
        {"[a-c]", "b", true},
        {"[a-c]", "d", false},
        {"[c-a]", "b", false},
        {"[-a]", "-", true},
        {"[a-]", "-", true},
        {"[a-]", "b", false},
        {"[]a]", "]", true},
        {"[]a]", "a", true},
        {"[!]a]", "b", true},
        {"[!]a]", "]", false},
        {"[[]", "[", true},
        {"[*]", "x", false},
        {"[*]", "*", true},
        {"[\\]]", "]", true},
        {"[\\]a]", "a", true},
        {"[\\\\]", "\\", true},
        {"[+-\\]]", "A", true},   /* the range's end is taken as it is, too */
        {"[+-\\]]", "]", true},
        {"[+-\\]]", "a", false},
        {"[a", "[a", true},       /* without an end it stands for itself */
        {"[a", "a", false},
        {"[", "[", true},
        {"[]", "[]", true},
        {"[!", "[!", true},
        {"[a*", "[abc", true},
        {"*[", "a[", true},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"\\a", "a", true},
        {"\\", "\\", true},
        {"\\\\", "\\", true},
        {"\\[a]", "[a]", true},
        {"\\[a]", "a", false},
        {"\xc3\xbc", "\xc3\xbc", true},
        {"?", "\xc3\xbc", false}, /* bytes */
        {"[\x80-\xff]", "\xc3", true},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        if (ov_glob(ov_slice(rows[i].pattern), ov_slice(rows[i].text)) != rows[i].matches)
            fail_msg("`%s` %s `%s`", rows[i].pattern,
                     rows[i].matches ? "does not match" : "matches", rows[i].text);
    assert_true(ov_glob((struct ov_slice){"a?b", 3}, (struct ov_slice){"a\0b", 3}));
    assert_true(ov_glob((struct ov_slice){"*\0", 2}, (struct ov_slice){"a\0", 2}));
    assert_false(ov_glob((struct ov_slice){"a\0b", 3}, (struct ov_slice){"a\0c", 3}));
    assert_true(ov_glob((struct ov_slice){NULL, 0}, (struct ov_slice){NULL, 0}));
}

/* Well-formed patterns mean what they mean to the shell. */
static void test_random(void **state)
{
    static const char *const parts[] = {
        "a", "b", "*", "*", "?", "[ab]", "[!a]", "[b-c]", "[]b]", "[!]]", "\\*", "\\a", "]", "-",
    };
    static const char letters[] = "aabbc*]-";
    uint64_t random = 1;
    size_t matched = 0;
    (void)state;
    for (int i = 0; i < 300000; i++) {
        char pattern[64] = "", text[16] = "";
        for (int n = 0; n < 7; n++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            if (random >> 62)
                strcat(pattern, parts[(random >> 32) % OV_COUNT(parts)]);
            if (random >> 40 & 3)
                strncat(text, &letters[(random >> 45) % (sizeof letters - 1)], 1);
        }
        bool matches = fnmatch(pattern, text, 0) == 0;
        matched += matches;
        if (ov_glob(ov_slice(pattern), ov_slice(text)) != matches)
            fail_msg("`%s` %s `%s`", pattern, matches ? "does not match" : "matches", text);
    }
    assert_true(matched > 10000);
}

/* Patterns that send a naive matcher through all combinations. */
static void test_cost(void **state)
{
    static const char *const units[] = {"a*", "[a]*", "*?", "[", "*[", "[!b]*", "\\a*"};
    enum { MOST = 3000 };
    static char text[MOST];
    (void)state;
    for (size_t i = 0; i < OV_COUNT(units); i++) {
        struct ov_buf pattern = {0};
        memset(text, strchr(units[i], 'a') || units[i][1] == '?' ? 'a' : '[', sizeof text);
        ov_buf_char(&pattern, '*');
        while (pattern.len < MOST - 100)
            ov_buf_str(&pattern, units[i]);
        ov_buf_char(&pattern, 'x');
        int64_t began = ov_clock_ms();
        assert_false(ov_glob((struct ov_slice){pattern.data, pattern.len},
                             (struct ov_slice){text, sizeof text}));
        if (ov_clock_ms() - began > 3000)
            fail_msg("%s: %jd ms", units[i], (intmax_t)(ov_clock_ms() - began));
        ov_buf_free(&pattern);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known),
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_cost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
