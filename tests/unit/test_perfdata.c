/* SPDX-License-Identifier: Apache-2.0 */
/* Performance data, read back by a parser of the strict grammar written here:
 *
 *     item  = "'" label "'" "=" value [";" [range] [";" range]]       items are joined by one blank
 *     label = any bytes but control bytes, "=" and "|"; "''" stands for "'"
 *     value = "U" / number [unit]
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "perfdata.h"

/* ---------------------------------------------------------------- the parser */

enum { LABELS_MAX = 512 };

struct parsed {
    char *labels[LABELS_MAX]; /* unquoted */
    size_t count;
};

static bool take_label(const char **at, struct ov_buf *label)
{
    if (*(*at)++ != '\'')
        return false;
    for (;; (*at)++) {
        unsigned char c = (unsigned char)**at;
        if (c < 0x20 || c == 0x7f || c == '=' || c == '|')
            return false;
        if (c == '\'' && (*at)[1] != '\'')
            break;
        if (c == '\'')
            (*at)++;
        ov_buf_char(label, (char)c);
    }
    (*at)++;
    return label->len > 0;
}

static bool take_number(const char **at)
{
    size_t whole, fraction = 0;
    *at += **at == '-';
    whole = strspn(*at, "0123456789");
    *at += whole;
    if (whole && **at == '.') {
        fraction = strspn(++*at, "0123456789");
        *at += fraction;
        if (!fraction)
            return false;
    }
    return whole > 0;
}

static bool take_value(const char **at)
{
    static const char *const units[] = {"us", "ms", "KB", "MB", "GB", "TB", "s", "%", "B", "c"};
    if (**at == 'U') {
        ++*at;
        return true;
    }
    if (!take_number(at))
        return false;
    for (size_t i = 0; i < OV_COUNT(units); i++)
        if (strncmp(*at, units[i], strlen(units[i])) == 0) {
            *at += strlen(units[i]);
            break;
        }
    return true;
}

static bool take_range(const char **at)
{
    *at += **at == '@';
    bool open = **at == '~';
    if (open)
        ++*at;
    else if (**at != ':' && !take_number(at))
        return false;
    if (**at != ':')
        return !open;
    ++*at;
    return **at == ' ' || **at == ';' || !**at || take_number(at);
}

static bool take_item(const char **at, struct ov_buf *label)
{
    if (!take_label(at, label) || *(*at)++ != '=' || !take_value(at))
        return false;
    for (int i = 0; i < 2 && **at == ';'; i++) {
        ++*at;
        if (**at != ';' && !take_range(at))
            return false;
    }
    return true;
}

/* Fails where the text is not what schedulers can read. */
static void parse(struct ov_perfdata *perfdata, struct parsed *parsed)
{
    const char *text = ov_buf_text(&perfdata->text), *at = text;
    parsed->count = 0;
    assert_int_equal(strlen(text), perfdata->text.len);
    for (; *at; parsed->count++) {
        struct ov_buf label = {0};
        if (parsed->count && *at++ != ' ')
            fail_msg("no blank before item %zu of: %s", parsed->count, text);
        if (!take_item(&at, &label) || (*at && *at != ' '))
            fail_msg("at `%.40s`: %s", at, text);
        for (size_t i = 0; i < parsed->count; i++)
            if (strcmp(parsed->labels[i], ov_buf_text(&label)) == 0)
                fail_msg("label `%s` twice: %s", ov_buf_text(&label), text);
        assert_true(parsed->count < LABELS_MAX);
        parsed->labels[parsed->count] = ov_memdup(label.data, label.len);
        ov_buf_free(&label);
    }
    assert_int_equal(parsed->count, perfdata->count);
}

static void parsed_free(struct parsed *parsed)
{
    for (size_t i = 0; i < parsed->count; i++)
        free(parsed->labels[i]);
}

/* The parser is no good if it takes everything. */
static void test_the_parser_refuses(void **state)
{
    static const char *const rows[] = {
        "a=1", "'a=1", "'a'1", "''=1", "'a'=", "'a'=1e3", "'a'=1,5", "'a'=1.", "'a'=.5", "'a'=+1",
        "'a'=nan", "'a'=inf", "'a'=Us", "'a'=1x", "'a'=1 s", "'a'=1;1;2;3x", "'a'=1;1e3",
        "'a'=1;ten", "'a=b'=1", "'a|b'=1", "'a\nb'=1", "'a'b'=1", "'a'=1;@", "'a'=1;~",
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf label = {0};
        const char *at = rows[i];
        if (take_item(&at, &label) && !*at)
            fail_msg("%s", rows[i]);
        ov_buf_free(&label);
    }
}

/* ---------------------------------------------------------------- items */

static const struct {
    struct ov_slice label;
    double value;
    const char *unit, *warning, *critical, *text;
} items[] = {
    {OV_SLICE("a"), 1, "", NULL, NULL, "'a'=1"},
    {OV_SLICE("a"), 1.5, "seconds", NULL, NULL, "'a'=1.5s"},
    {OV_SLICE("a"), 1024, "bytes", "10", NULL, "'a'=1024B;10"},
    {OV_SLICE("a"), 0.25, "ratio", "0.5", "0.8", "'a'=0.25;0.5;0.8"},
    {OV_SLICE("a"), 12, "percent", NULL, "~:5", "'a'=12%;;~:5"},
    {OV_SLICE("a"), 12, "furlongs", "@1:2", "-5:-1", "'a'=12;@1:2;-5:-1"},
    {OV_SLICE("a"), (double)NAN, "seconds", "1", "2", "'a'=U;1;2"},
    {OV_SLICE("a"), (double)INFINITY, "bytes", NULL, NULL, "'a'=U"},
    {OV_SLICE("a"), -(double)INFINITY, "", "10:", NULL, "'a'=U;10:"},
    {OV_SLICE("a"), 0.05, "", "0.95:", "0.8:", "'a'=0.05;0.95:;0.8:"},
    {OV_SLICE("pending eu:orders mail"), 3, "", "100", "1000",
     "'pending eu:orders mail'=3;100;1000"},
    {OV_SLICE("it's"), 1, "", NULL, NULL, "'it''s'=1"},
    {OV_SLICE("'''"), 1, "", NULL, NULL, "''''''''=1"},
    {OV_SLICE("a=b|c"), 1, "", NULL, NULL, "'a_b_c'=1"},
    {OV_SLICE("a\nb\tc\rd\x7f"), 1, "", NULL, NULL, "'a_b_c_d_'=1"},
    {OV_SLICE("a\0b"), 1, "", NULL, NULL, "'a_b'=1"},
    {OV_SLICE("a;b,c\"d$e!f#g"), 1, "", NULL, NULL, "'a;b,c\"d$e!f#g'=1"},
    {OV_SLICE("\xd0\xb7\xd0\xb0\xd0\xba\xd0\xb0\xd0\xb7"), 1, "", NULL, NULL,
     "'\xd0\xb7\xd0\xb0\xd0\xba\xd0\xb0\xd0\xb7'=1"},
};

static void test_items(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(items); i++) {
        struct ov_perfdata perfdata = {0};
        struct parsed parsed;
        ov_perfdata_add(&perfdata, items[i].label, items[i].value, items[i].unit,
                        items[i].warning, items[i].critical);
        if (strcmp(ov_buf_text(&perfdata.text), items[i].text) != 0)
            fail_msg("%zu: expected %s, got %s", i, items[i].text, ov_buf_text(&perfdata.text));
        parse(&perfdata, &parsed);
        parsed_free(&parsed);
        ov_perfdata_free(&perfdata);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        double value;
        const char *text;
    } rows[] = {
        {0, "0"}, {-0.0, "0"}, {1, "1"}, {-1, "-1"}, {10, "10"}, {100, "100"}, {-100, "-100"},
        {0.5, "0.5"}, {-0.5, "-0.5"}, {0.1, "0.1"}, {0.123456, "0.123456"},
        {0.1234567, "0.123457"}, {1e-6, "0.000001"}, {1e-7, "0"}, {-1e-7, "0"}, {4e-7, "0"},
        {-4.9e-7, "0"}, {-6e-7, "-0.000001"}, {0.9999999, "1"}, {-0.9999999, "-1"},
        {1234567.25, "1234567.25"}, {1e9, "1000000000"}, {999999999999999.0, "999999999999999"},
        {1e15, "1000000000000000"}, {-1e15, "-1000000000000000"}, {1e18, "1000000000000000000"},
        {9223372036854775807.0, "9223372036854775808"}, {1e21, "1000000000000000000000"},
        {10.10, "10.1"}, {-20, "-20"}, {-10.5, "-10.5"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf out = {0};
        ov_buf_str(&out, "what was there before -"); /* is left alone */
        size_t before = out.len;
        ov_perfdata_number(&out, rows[i].value);
        if (strcmp(ov_buf_text(&out) + before, rows[i].text) != 0 ||
            memcmp(out.data, "what was there before -", before) != 0)
            fail_msg("%g: expected %s, got %s", rows[i].value, rows[i].text, ov_buf_text(&out));
        ov_buf_free(&out);
    }
}

static void test_extreme_numbers_keep_the_grammar(void **state)
{
    static const double values[] = {1e300, -1e300, 5e-324, -5e-324, 1.7976931348623157e308};
    struct ov_perfdata perfdata = {0};
    struct parsed parsed;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(values); i++)
        ov_perfdata_add(&perfdata, OV_SLICE("x"), values[i], "seconds", NULL, NULL);
    parse(&perfdata, &parsed);
    parsed_free(&parsed);
    ov_perfdata_free(&perfdata);
}

/* ---------------------------------------------------------------- labels */

static void test_labels_are_unique(void **state)
{
    static const struct ov_slice labels[] = {
        OV_SLICE("a b"), OV_SLICE("a b"), OV_SLICE("a b"), OV_SLICE("a b 2"), OV_SLICE("a=b"),
        OV_SLICE("a_b"), OV_SLICE("a|b"), OV_SLICE("a\nb"), OV_SLICE("a\0b"), OV_SLICE("a'b"),
        OV_SLICE("a''b"), OV_SLICE("a'b"), OV_SLICE("a b 3"), OV_SLICE("a b 2"),
    };
    struct ov_perfdata perfdata = {0};
    struct parsed parsed;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(labels); i++)
        ov_perfdata_add(&perfdata, labels[i], 1, "", NULL, NULL);
    parse(&perfdata, &parsed); /* fails for a label twice */
    assert_int_equal(parsed.count, OV_COUNT(labels));
    assert_string_equal(parsed.labels[0], "a b");
    assert_string_equal(parsed.labels[1], "a b 2");
    parsed_free(&parsed);
    ov_perfdata_free(&perfdata);
}

static bool is_utf8(const char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        size_t more = *c < 0x80 ? 0 : *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : *c >= 0xc0 ? 1 : 9;
        for (c++; more; more--, c++)
            if ((*c & 0xc0) != 0x80)
                return false;
    }
    return true;
}

/* A long label is cut between characters, and stays unique. */
static void test_long_labels(void **state)
{
    struct ov_perfdata perfdata = {0};
    struct ov_buf label = {0};
    struct parsed parsed;
    (void)state;
    for (int i = 0; i < 5000; i++)
        ov_buf_str(&label, i % 3 ? "\xe2\x82\xac" : "x");
    for (size_t cut = 0; cut < 8; cut++)
        ov_perfdata_add(&perfdata, (struct ov_slice){label.data + (cut % 4 ? 7 : 0) + cut / 4,
                                                     label.len - 100},
                        1, "", NULL, NULL);
    parse(&perfdata, &parsed);
    for (size_t i = 0; i < 4; i++)
        assert_true(strlen(parsed.labels[i]) <= 210);
    for (size_t i = 0; i < 4; i++)
        if (!is_utf8(parsed.labels[i]))
            fail_msg("cut inside a character: %s", parsed.labels[i]);
    parsed_free(&parsed);
    ov_perfdata_free(&perfdata);
    ov_buf_free(&label);
}

/* Whatever names come from outside. */
static void test_any_bytes(void **state)
{
    struct ov_perfdata perfdata = {0};
    struct parsed parsed;
    uint32_t seed = 1;
    (void)state;
    for (int i = 0; i < 400; i++) {
        char bytes[24];
        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = (char)((seed = seed * 1664525 + 1013904223) >> 24);
        ov_perfdata_add(&perfdata, (struct ov_slice){bytes, 1 + (size_t)i % sizeof bytes},
                        (double)(int32_t)seed / 1e3, i % 2 ? "seconds" : "bytes",
                        i % 3 ? "@-1:2.5" : NULL, i % 5 ? "~:" : NULL);
    }
    parse(&perfdata, &parsed);
    parsed_free(&parsed);
    ov_perfdata_free(&perfdata);
}

/* The program never leaves the C locale; this is for the day somebody does. */
static void test_a_locale_in_the_environment(void **state)
{
    struct ov_buf out = {0};
    (void)state;
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    ov_perfdata_number(&out, 1234.5);
    assert_string_equal(ov_buf_text(&out), "1234.5");
    assert_string_equal(localeconv()->decimal_point, ".");
    ov_buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_parser_refuses),
        cmocka_unit_test(test_items),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_extreme_numbers_keep_the_grammar),
        cmocka_unit_test(test_labels_are_unique),
        cmocka_unit_test(test_long_labels),
        cmocka_unit_test(test_any_bytes),
        cmocka_unit_test(test_a_locale_in_the_environment),
    };
    return cmocka_run_group_tests_name("perfdata", tests, NULL, NULL);
}
