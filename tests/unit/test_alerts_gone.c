/* SPDX-License-Identifier: Apache-2.0 */
/* What is no longer measured: what merely could not be read keeps its alert, what is gone for good
 * ends it, and so does what was taken out of the configuration. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alerts_rig.h"

#define OVER3 .name = "over", .value = "group.pending"

/* ---------------------------------------------------------------- gone */

static void test_gone(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .hold = "1s", .gone_hold = "10s"};
    const struct ov_rule standard = {OVER3, .warning = "3"};
    const struct ov_rule at_once = {OVER3, .warning = "3", .gone_hold = "0s"};
    static const struct row rows[] = {
        AT(0, 9, ""), AT(1, 9, "firing warning"), AT(20, GONE, ""), AT(29.9, GONE, ""),
        AT(30, GONE, "resolved warning gone"), AT(31, GONE, ""), AT(60, GONE, ""),
        /* it comes again: another incident */
        AT(70, 9, ""), AT(71, 9, "firing warning"),
        /* a sample in between, with or without the value, begins the time anew */
        AT(80, GONE, ""), AT(89, ABSENT, ""), AT(91, GONE, ""), AT(100, 9, ""), AT(101, GONE, ""),
        AT(110, GONE, ""), AT(111, GONE, "resolved warning gone"),
    };
    /* the time begins when it is first missing, however long ago it was last seen */
    static const struct row seldom[] = {
        AT(0, 9, "firing warning"), AT(1000, GONE, ""), AT(1299, GONE, ""),
        AT(1300, GONE, "resolved warning gone"),
    };
    static const struct row soon[] = {
        AT(0, 9, "firing warning"), AT(1, GONE, "resolved warning gone"), AT(2, GONE, ""),
    };
    (void)state;
    PLAY(rule, rows);
    PLAY(standard, seldom);
    PLAY(at_once, soon);
}

/* What could not be read is not gone. */
static void test_unread_is_not_gone(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .gone_hold = "10s"};
    static const struct row rows[] = {
        AT(0, 9, "firing warning"), AT(10, UNREAD, ""), AT(1000, UNREAD, ""),
        AT(1005, UNREAD_TOPIC, ""), AT(2000, UNREAD_TOPIC, ""),
        /* and begins the time anew */
        AT(2001, GONE, ""), AT(2010, UNREAD, ""), AT(2012, GONE, ""), AT(2021, GONE, ""),
        AT(2022, UNREAD_OTHER, "resolved warning gone"),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_gone_while_not_told(void **state)
{
    const struct ov_rule held = {OVER3, .warning = "3", .hold = "60s", .gone_hold = "10s"};
    const struct ov_rule muted = {OVER3, .warning = "3", .gone_hold = "10s",
                                  .unless = "health.runner=lost"};
    static const struct row pending[] = {
        AT(0, 9, ""), AT(10, GONE, ""), AT(20, GONE, ""), AT(59, 9, ""), AT(118, 9, ""),
        AT(119, 9, "firing warning"),
    };
    static const struct row in_silence[] = {
        WITH(0, 9, "", "lost"), AT(10, GONE, ""), AT(20, GONE, ""), WITH(21, GONE, "", "active"),
    };
    /* what was told is resolved, muted or not */
    static const struct row told[] = {
        AT(0, 9, "firing warning"), WITH(1, GONE, "", "lost"), AT(11, GONE, "resolved warning gone"),
    };
    (void)state;
    PLAY(held, pending);
    PLAY(muted, in_silence);
    PLAY(muted, told);
}

static void test_gone_over_a_restart(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .gone_hold = "10s"};
    static const struct row rows[] = {
        THEN(0, 9, "firing warning", RESTART), AT(3600, GONE, ""), THEN(3605, GONE, "", RESTART),
        AT(3606, GONE, ""), AT(3615, GONE, ""), THEN(3616, GONE, "resolved warning gone", INTERRUPT),
        AT(3617, GONE, ""), THEN(3627, GONE, "resolved warning gone", RESTART), AT(3640, GONE, ""),
    };
    (void)state;
    PLAY(rule, rows);
}

/* With a counter its history is gone; another one of that name begins anew. */
static void test_counter_that_is_gone(void **state)
{
    const struct ov_rule rule = {.name = "lost", .value = "increase(group.lost, 60s)",
                                 .critical = "0", .gone_hold = "10s"};
    static const struct row rows[] = {
        AT(0, 5, ""), AT(1, 6, "firing critical"), AT(2, GONE, ""),
        AT(12, GONE, "resolved critical gone"), AT(13, 9, ""), AT(14, 9, ""),
        AT(15, 10, "firing critical"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* ---------------------------------------------------------------- removed */

static const char *only_input;

static bool has_only_input(const void *context, struct ov_slice name)
{
    (void)context;
    return ov_slice_eq(name, ov_slice(only_input));
}

/* An incident of the rule `over` of the input `bus`, in a configuration that no longer has the one
 * or the other: told by whose batch, and as what. */
static void test_removed(void **state)
{
    static const struct {
        const char *what, *rule, *input, *feeder, *reason;
    } rows[] = {
        {"nothing", "over", "bus", "bus", "gone"},
        {"the rule", "Over", "bus", "bus", "removed"},
        {"the rule, another input's batch", "Over", "bus", "omnivigil", NULL},
        {"the input", "over", "buss", "omnivigil", "removed"},
        {"both", "Over", "buss", "omnivigil", "removed"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct ov_rule before = {OVER3, .warning = "3", .gone_hold = "0s"};
        const struct ov_rule after = {.name = rows[i].rule, .value = "group.pending",
                                      .warning = "3", .gone_hold = "0s"};
        struct ov_compiled_rule *old = rig_rule(&before), *new = rig_rule(&after);
        struct ov_alerts *alerts = rig_alerts(&old, 1);
        struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
        struct ov_batch *empty = ov_batch_new(&rig_no_tags, 0);
        struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
        struct ov_buf saved = {0};
        rig_fill(batch, &(struct row)AT(0, 9, ""));
        assert_int_equal(feed(alerts, "bus", batch, 0, out).firing, 1);
        ov_alerts_save(alerts, 1, rig_epoch_ns, &saved);
        ov_alerts_free(alerts);
        ov_batch_free(out);
        out = ov_batch_new(&rig_no_tags, 0);
        only_input = rows[i].input;
        alerts = ov_alerts_new(&(struct ov_alerts_setup){.rules = &new, .rule_count = 1,
                                                         .has_input = has_only_input});
        assert_true(ov_alerts_load(alerts, (struct ov_slice){saved.data, saved.len}, 1,
                                   rig_epoch_ns));
        size_t resolved = feed(alerts, rows[i].feeder, empty, 1, out).resolved;
        const struct ov_sample *a = ov_batch_first(out);
        if (resolved != (rows[i].reason != NULL) ||
            ov_alerts_firing(alerts) != (rows[i].reason == NULL) ||
            (a && (!ov_slice_eq(alert_text(a, OV_ALERT_REASON), ov_slice(rows[i].reason)) ||
                   !ov_slice_eq(a->tags[OV_ALERT_RULE], OV_SLICE("over")) ||
                   !ov_slice_eq(a->tags[OV_ALERT_INPUT], OV_SLICE("bus")) ||
                   !ov_slice_eq(a->tags[OV_ALERT_AGENT], OV_SLICE("mail")))))
            fail_msg("%s is removed: %zu resolved", rows[i].what, resolved);
        ov_buf_free(&saved);
        ov_batch_free(batch);
        ov_batch_free(empty);
        ov_batch_free(out);
        ov_alerts_free(alerts);
        ov_rule_free(old);
        ov_rule_free(new);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gone),
        cmocka_unit_test(test_unread_is_not_gone),
        cmocka_unit_test(test_gone_while_not_told),
        cmocka_unit_test(test_gone_over_a_restart),
        cmocka_unit_test(test_counter_that_is_gone),
        cmocka_unit_test(test_removed),
    };
    return cmocka_run_group_tests_name("alerts_gone", tests, NULL, NULL);
}
