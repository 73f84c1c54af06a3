/* SPDX-License-Identifier: Apache-2.0 */
/* OmniDaemon's status by its guide, and the runner's, from all combinations of signs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "health.h"

static void test_words(void **state)
{
    (void)state;
    assert_string_equal(health_word(HEALTH_RUNNING), "RUNNING");
    assert_string_equal(health_word(HEALTH_READY), "READY");
    assert_string_equal(health_word(HEALTH_DEGRADED), "DEGRADED");
    assert_string_equal(health_word(HEALTH_DOWN), "DOWN");
    assert_null(runner_word(RUNNER_UNKNOWN));
    assert_string_equal(runner_word(RUNNER_NONE), "none");
    assert_string_equal(runner_word(RUNNER_STOPPED), "stopped");
    assert_string_equal(runner_word(RUNNER_LOST), "lost");
    assert_string_equal(runner_word(RUNNER_ACTIVE), "active");
}

static void test_runner(void **state)
{
    static const struct {
        const char *what;
        struct runner_signs signs;
        enum runner_state runner;
    } rows[] = {
        {"nothing can be read", {false, true, 3, SIGN_YES, SIGN_YES, SIGN_YES}, RUNNER_UNKNOWN},
        {"empty", {true, false, 0, SIGN_NO, SIGN_NO, SIGN_NO}, RUNNER_NONE},
        {"empty, a start time left behind", {true, true, 0, SIGN_NO, SIGN_NO, SIGN_NO},
         RUNNER_NONE},
        {"polls", {true, true, 3, SIGN_YES, SIGN_NO, SIGN_NO}, RUNNER_ACTIVE},
        {"polls without a start time", {true, false, 3, SIGN_YES, SIGN_NO, SIGN_NO},
         RUNNER_ACTIVE},
        {"all busy, so nobody polls", {true, true, 3, SIGN_NO, SIGN_YES, SIGN_NO}, RUNNER_ACTIVE},
        {"stopped in order, its last work pending", {true, false, 3, SIGN_NO, SIGN_YES, SIGN_NO},
         RUNNER_STOPPED},
        {"stopped in order", {true, false, 3, SIGN_NO, SIGN_NO, SIGN_NO}, RUNNER_STOPPED},
        {"stopped in order a moment ago", {true, false, 3, SIGN_NO, SIGN_NO, SIGN_YES},
         RUNNER_STOPPED},
        {"crashed", {true, true, 3, SIGN_NO, SIGN_NO, SIGN_NO}, RUNNER_LOST},
        {"crashed a moment ago", {true, true, 3, SIGN_NO, SIGN_NO, SIGN_YES}, RUNNER_LOST},
        {"polling is unknown, events are fresh",
         {true, true, 3, SIGN_UNKNOWN, SIGN_NO, SIGN_YES}, RUNNER_ACTIVE},
        {"busy is unknown, events are fresh",
         {true, true, 3, SIGN_NO, SIGN_UNKNOWN, SIGN_YES}, RUNNER_ACTIVE},
        {"all unknown, started", {true, true, 3, SIGN_UNKNOWN, SIGN_UNKNOWN, SIGN_UNKNOWN},
         RUNNER_UNKNOWN},
        {"polling is unknown, nothing is fresh",
         {true, true, 3, SIGN_UNKNOWN, SIGN_NO, SIGN_NO}, RUNNER_UNKNOWN},
        {"busy is unknown, nothing is fresh",
         {true, true, 3, SIGN_NO, SIGN_UNKNOWN, SIGN_NO}, RUNNER_UNKNOWN},
        {"all unknown, stopped", {true, false, 3, SIGN_UNKNOWN, SIGN_UNKNOWN, SIGN_NO},
         RUNNER_STOPPED},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        if (runner_judge(&rows[i].signs) != rows[i].runner)
            fail_msg("%s: %d", rows[i].what, runner_judge(&rows[i].signs));
}

static void test_health(void **state)
{
    (void)state;
    for (int runner = RUNNER_UNKNOWN; runner <= RUNNER_ACTIVE; runner++) {
        enum runner_state r = (enum runner_state)runner;
        assert_int_equal(health_judge(false, false, r), HEALTH_DOWN);
        assert_int_equal(health_judge(true, false, r), HEALTH_DEGRADED);
        assert_int_equal(health_judge(false, true, r), HEALTH_DEGRADED);
        assert_int_equal(health_judge(true, true, r),
                         r == RUNNER_ACTIVE ? HEALTH_RUNNING : HEALTH_READY);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_runner),
        cmocka_unit_test(test_health),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
