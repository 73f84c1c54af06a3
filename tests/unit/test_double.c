/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as text: known spellings, then many doubles checked for "reads back" and "no shorter
 * text does", which holds for any right implementation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "omnivigil.h"

static uint64_t random_next(uint64_t *state) /* xorshift64: the same numbers in every run */
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static double from_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int digit_count(const char *text) /* significant ones, without zeros at either end */
{
    char digits[64];
    size_t n = 0;
    for (; *text && *text != 'e'; text++)
        if (*text >= '0' && *text <= '9' && (n > 0 || *text != '0') && n < sizeof digits)
            digits[n++] = *text;
    while (n > 0 && digits[n - 1] == '0')
        n--;
    return (int)n;
}

/* The fewest digits printf needs; it rounds to nearest, so it may need one more than we do. */
static int digits_needed(double value)
{
    char text[64];
    for (int precision = 1; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision - 1, value);
        if (strtod(text, NULL) == value)
            return precision;
    }
    return 17;
}

static void check_double(double value)
{
    struct ov_buf buf = {0};
    ov_buf_double(&buf, value);
    const char *text = ov_buf_text(&buf);
    char *end;
    double back = strtod(text, &end);
    if (memcmp(&back, &value, sizeof back) != 0 || *end != '\0')
        fail_msg("%a printed as %s, which reads back as %a", value, text, back);
    if (digit_count(text) > digits_needed(value))
        fail_msg("%.17g printed as %s: %d digits do", value, text, digits_needed(value));
    ov_buf_free(&buf);
}

static void test_spelling(void **state)
{
    (void)state;
    static const struct { double value; const char *text; } rows[] = {
        {0, "0"}, {-0.0, "-0"}, {1, "1"}, {-1, "-1"}, {2.0, "2"}, {1.5, "1.5"}, {0.1, "0.1"},
        {0.3, "0.3"}, {0.1 + 0.2, "0.30000000000000004"}, {1.0 / 3, "0.3333333333333333"},
        {100, "100"}, {12345.678, "12345.678"}, {-0.000001, "-0.000001"}, {1e-7, "1e-7"},
        {1.25e-7, "1.25e-7"}, {1e15, "1000000000000000"}, {1e16, "10000000000000000"},
        {1e20, "100000000000000000000"}, {1e21, "1e21"}, {1.5e300, "1.5e300"}, {1e23, "1e23"},
        {9.5e-322, "9.5e-322"}, {9007199254740991.0, "9007199254740991"},
        {9007199254740992.0, "9007199254740992"}, {9007199254740994.0, "9007199254740994"},
        {1764000000.123, "1764000000.123"}, {DBL_MAX, "1.7976931348623157e308"},
        {DBL_MIN, "2.2250738585072014e-308"}, {5e-324, "5e-324"}, {1e-320, "1e-320"},
        {2e-44, "2e-44"}, {123456789012345680000.0, "123456789012345680000"},
        {4.5035996273704962e15, "4503599627370496"}, {2251799813685249.5, "2251799813685249.5"},
        {9.109e-31, "9.109e-31"}, {5e-5, "0.00005"}, {NAN, "NaN"}, {INFINITY, "NaN"},
        {-INFINITY, "NaN"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf buf = {0};
        ov_buf_double(&buf, rows[i].value);
        if (strcmp(ov_buf_text(&buf), rows[i].text) != 0)
            fail_msg("row %zu: %s instead of %s", i, ov_buf_text(&buf), rows[i].text);
        ov_buf_free(&buf);
    }
}

static void test_powers(void **state)
{
    (void)state;
    for (int e = -1074; e <= 1023; e++) { /* the borders lie unevenly here */
        double value = ldexp(1, e);
        check_double(value);
        check_double(nextafter(value, 0));
        check_double(nextafter(value, INFINITY));
    }
    char text[16];
    for (int e = -323; e <= 308; e++) {
        snprintf(text, sizeof text, "1e%d", e);
        double value = strtod(text, NULL);
        check_double(value);
        check_double(nextafter(value, 0));
        check_double(nextafter(value, INFINITY));
    }
}

static void test_random(void **state)
{
    (void)state;
    uint64_t random = 88172645463325252u;
    for (int i = 0; i < 100000; i++) {
        double any = from_bits(random_next(&random));
        if (isfinite(any))
            check_double(any);
        check_double((double)(random_next(&random) % 10000000000u) / 1000); /* milliseconds */
        check_double(from_bits(random_next(&random) >> 12)); /* subnormal */
    }
}

static void test_locale(void **state)
{
    (void)state;
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8"};
    for (size_t i = 0; i < OV_COUNT(names); i++)
        if (setlocale(LC_ALL, names[i]))
            break; /* none installed: the C locale is tested again, which is no loss */
    struct ov_buf buf = {0};
    ov_buf_double(&buf, 1234567.25);
    ov_buf_int(&buf, -1234567);
    assert_string_equal(ov_buf_text(&buf), "1234567.25-1234567");
    ov_buf_free(&buf);
    setlocale(LC_ALL, "C");
}

static void test_integers(void **state)
{
    (void)state;
    static const struct { int64_t value; const char *text; } rows[] = {
        {0, "0"}, {-1, "-1"}, {9, "9"}, {10, "10"}, {99, "99"}, {100, "100"}, {-100, "-100"},
        {9007199254740993, "9007199254740993"}, {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"}, {1764000000000000000, "1764000000000000000"},
    };
    struct ov_buf buf = {0};
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        ov_buf_reset(&buf);
        ov_buf_int(&buf, rows[i].value);
        if (strcmp(ov_buf_text(&buf), rows[i].text) != 0)
            fail_msg("row %zu: %s instead of %s", i, ov_buf_text(&buf), rows[i].text);
    }
    uint64_t random = 2463534242u;
    for (int i = 0; i < 100000; i++) {
        int64_t value = (int64_t)random_next(&random) >> (random % 64);
        char want[32];
        snprintf(want, sizeof want, "%lld", (long long)value);
        ov_buf_reset(&buf);
        ov_buf_int(&buf, value);
        assert_string_equal(ov_buf_text(&buf), want);
    }
    ov_buf_free(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spelling), cmocka_unit_test(test_powers),
        cmocka_unit_test(test_random), cmocka_unit_test(test_locale),
        cmocka_unit_test(test_integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
