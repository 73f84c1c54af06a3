/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds: each form with values on, just inside and just outside both of its ends, and all
 * that is no range. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "range.h"

/* ---------------------------------------------------------------- values */

static const struct {
    const char *range;
    double value;
    bool alarms;
} truth[] = {
    /* 0 to N is fine, both ends included */
    {"10", -0.001, true}, {"10", -0.0, false}, {"10", 0, false}, {"10", 0.001, false},
    {"10", 9.999, false}, {"10", 10, false}, {"10", 10.001, true}, {"10", 1e300, true},
    {"10", -1e300, true},
    {"0", -0.001, true}, {"0", -0.0, false}, {"0", 0, false}, {"0", 0.001, true}, {"0", 1, true},
    {"0:10", -1, true}, {"0:10", 0, false}, {"0:10", 10, false}, {"0:10", 11, true},
    {":10", -1, true}, {":10", 0, false}, {":10", 10, false}, {":10", 11, true},
    /* from N on */
    {"10:", 9.999, true}, {"10:", 10, false}, {"10:", 10.001, false}, {"10:", 1e300, false},
    {"10:", -10, true}, {"0:", -0.001, true}, {"0:", 0, false}, {"0:", 5, false},
    {"1:", 0, true}, {"1:", 1, false}, {"0.95:", 0.949, true}, {"0.95:", 0.95, false},
    {"0.95:", 1, false},
    /* up to N, and whatever is below 0 */
    {"~:10", -1e300, false}, {"~:10", -10, false}, {"~:10", 0, false}, {"~:10", 10, false},
    {"~:10", 10.001, true}, {"~:0", -1, false}, {"~:0", 0, false}, {"~:0", 0.001, true},
    {"~:-5", -5.001, false}, {"~:-5", -5, false}, {"~:-5", -4.999, true}, {"~:-5", 0, true},
    /* between two */
    {"10:20", 9.999, true}, {"10:20", 10, false}, {"10:20", 15, false}, {"10:20", 20, false},
    {"10:20", 20.001, true}, {"10:20", -15, true},
    {"-20:-10", -20.001, true}, {"-20:-10", -20, false}, {"-20:-10", -15, false},
    {"-20:-10", -10, false}, {"-20:-10", -9.999, true}, {"-20:-10", 15, true},
    {"-5:5", -5.001, true}, {"-5:5", -5, false}, {"-5:5", 0, false}, {"-5:5", 5, false},
    {"-5:5", 5.001, true}, {"-5:", -5.001, true}, {"-5:", -5, false}, {"-5:", 5, false},
    {"7:7", 6.999, true}, {"7:7", 7, false}, {"7:7", 7.001, true},
    {"0.5:0.75", 0.499, true}, {"0.5:0.75", 0.5, false}, {"0.5:0.75", 0.75, false},
    {"0.5:0.75", 0.751, true},
    /* the alarm is inside, both ends included */
    {"@10", -0.001, false}, {"@10", 0, true}, {"@10", 5, true}, {"@10", 10, true},
    {"@10", 10.001, false},
    {"@10:20", 9.999, false}, {"@10:20", 10, true}, {"@10:20", 15, true}, {"@10:20", 20, true},
    {"@10:20", 20.001, false}, {"@10:", 9.999, false}, {"@10:", 10, true}, {"@10:", 1e300, true},
    {"@~:10", -1e300, true}, {"@~:10", 10, true}, {"@~:10", 10.001, false},
    {"@-20:-10", -20.001, false}, {"@-20:-10", -20, true}, {"@-20:-10", -10, true},
    {"@-20:-10", -9.999, false}, {"@0", 0, true}, {"@0", 0.001, false}, {"@0", -0.001, false},
    {"@0:600", -1, false}, {"@0:600", 0, true}, {"@0:600", 600, true}, {"@0:600", 601, false},
    /* never, and always */
    {"~:", -1e300, false}, {"~:", 0, false}, {"~:", 1e300, false},
    {"@~:", -1e300, true}, {"@~:", 0, true}, {"@~:", 1e300, true},
    /* numbers */
    {"007", 7, false}, {"007", 7.001, true}, {"1.50", 1.5, false}, {"1.50", 1.501, true},
    {"-0:1", 0, false}, {"-0:1", -0.001, true}, {"-0.5:", -0.5, false}, {"-0.5:", -0.501, true},
    {"9007199254740993", 9007199254740992.0, false},
    {"99999999999999999999", 1e19, false}, {"99999999999999999999", 1e21, true},
};

static void test_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(truth); i++) {
        struct ov_range range;
        const char *wrong = ov_range_parse(ov_slice(truth[i].range), &range);
        if (wrong)
            fail_msg("%s: %s", truth[i].range, wrong);
        if (ov_range_alarms(&range, truth[i].value) != truth[i].alarms)
            fail_msg("%s at %g: expected %s", truth[i].range, truth[i].value,
                     truth[i].alarms ? "an alarm" : "none");
    }
}

/* What is no number alarms in no range; infinities are beyond every end. */
static void test_no_numbers(void **state)
{
    static const struct {
        const char *range;
        bool above, below; /* alarms at infinity, at -infinity */
    } rows[] = {
        {"10", true, true}, {"10:", false, true}, {"~:10", true, false}, {"10:20", true, true},
        {"@10", false, false}, {"@10:", true, false}, {"@~:10", false, true},
        {"~:", false, false}, {"@~:", true, true},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_range range;
        assert_null(ov_range_parse(ov_slice(rows[i].range), &range));
        if (ov_range_alarms(&range, (double)NAN) ||
            ov_range_alarms(&range, (double)INFINITY) != rows[i].above ||
            ov_range_alarms(&range, -(double)INFINITY) != rows[i].below)
            fail_msg("%s", rows[i].range);
    }
}

/* ---------------------------------------------------------------- refusals */

#define TEN "1234567890"

static const struct {
    struct ov_slice text;
    const char *problem; /* a part of it */
} refused[] = {
#define FORM(literal) {OV_SLICE(literal), "expected a range such as"}
#define ORDER(literal) {OV_SLICE(literal), "low end is not above"}
    FORM(""), FORM("@"), FORM(":"), FORM("@:"), FORM("~"), FORM("@~"), FORM("~:~"), FORM("10:~"),
    FORM("~10"), FORM("~10:20"), FORM("@@10"), FORM("10@20"), FORM("10:@20"), FORM("10:20:30"),
    FORM("10::"), FORM("::10"), FORM("10;20"), FORM("10-20"), FORM("10..20"), FORM("10,20"),
    FORM(" 10"), FORM("10 "), FORM("10 :20"), FORM("10: 20"), FORM("@ 10"), FORM("\t10"),
    FORM("10\n"), FORM("10\0"), FORM("10\0:20"), FORM("1\0000"),
    FORM("-"), FORM("--1:"), FORM("-:5"), FORM("1-:5"), FORM("-1-:5"), FORM("+1"), FORM("1:+2"),
    FORM("."), FORM(".5"), FORM("-.5:"), FORM("5."), FORM("5.:"), FORM("1.2.3"), FORM("1,5"),
    FORM("1e3"), FORM("1E3:"), FORM("1e3:"), FORM("0x10"), FORM("0x1p4"), FORM("1_000"),
    FORM("nan"), FORM("NaN:"), FORM("inf"), FORM("1:inf"), FORM("-inf:1"), FORM("Infinity"),
    FORM("ten"), FORM("10%"), FORM("10s"), FORM("10ms:20ms"), FORM("10KB"), FORM("10c"),
    FORM("\xef\xbc\x91"), FORM("\xff"), FORM("\xe2\x88\x92" "1:"), FORM("$ARG1$"),
    FORM(TEN TEN TEN TEN TEN TEN "1234"), FORM("1:" TEN TEN TEN TEN TEN TEN "1234"),
    ORDER("-1"), ORDER("20:10"), ORDER("-10:-20"), ORDER("1:0.999"), ORDER("@20:10"), ORDER(":-1"),
    ORDER("@-1"),
#undef FORM
#undef ORDER
};

static void test_refusals(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(refused); i++) {
        struct ov_range range = {.low = 1, .high = 2, .inside = true};
        const char *wrong = ov_range_parse(refused[i].text, &range);
        if (!wrong || !strstr(wrong, refused[i].problem))
            fail_msg("`%s` (%zu): %s", refused[i].text.ptr, i, wrong ? wrong : "taken");
        if (range.low < 1 || range.low > 1 || range.high < 2 || range.high > 2 || !range.inside)
            fail_msg("`%s` (%zu) was refused, and changed the range", refused[i].text.ptr, i);
    }
}

/* No byte after the end is looked at. */
static void test_ends_at_its_length(void **state)
{
    struct ov_range range;
    (void)state;
    assert_null(ov_range_parse((struct ov_slice){"10:205", 5}, &range));
    assert_true(ov_range_alarms(&range, 21) && !ov_range_alarms(&range, 20));
    assert_null(ov_range_parse((struct ov_slice){"10:20", 3}, &range));
    assert_false(ov_range_alarms(&range, 1e6));
    assert_non_null(ov_range_parse((struct ov_slice){NULL, 0}, &range));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_no_numbers),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_ends_at_its_length),
    };
    return cmocka_run_group_tests_name("range", tests, NULL, NULL);
}
