/* SPDX-License-Identifier: Apache-2.0 */
/* The states of alerts on a clock of the test's own: what is told when, and what never is. What
 * is muted, gone, told and saved has tests of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>

#include "alerts_rig.h"

#define OVER3 .name = "over", .value = "group.pending"

/* ---------------------------------------------------------------- for, clear_for, clear */

static void test_at_once(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3"};
    static const struct row rows[] = {
        AT(0, 3, ""), AT(1, 4, "firing warning"), AT(2, 5, ""), AT(3, 4, ""),
        AT(4, 3, "resolved warning"),
        AT(5, 3, ""), AT(6, 0, ""), AT(7, 9, "firing warning"), AT(8, 0, "resolved warning"),
        AT(9, 0, ""),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_for(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .hold = "5s"};
    static const struct row rows[] = {
        AT(0, 9, ""), AT(4.999, 9, ""), AT(5, 9, "firing warning"), AT(6, 9, ""),
        /* over for as long */
        AT(10, 0, ""), AT(14.999, 0, ""), AT(15, 0, "resolved warning"), AT(16, 0, ""),
        AT(60, 0, ""),
        /* not long enough: it begins anew */
        AT(100, 9, ""), AT(104, 9, ""), AT(104.5, 0, ""), AT(105, 9, ""), AT(109.9, 9, ""),
        AT(110, 9, "firing warning"),
        /* not over for long enough, neither */
        AT(120, 0, ""), AT(124, 0, ""), AT(124.5, 9, ""), AT(125, 0, ""), AT(129.9, 0, ""),
        AT(130, 0, "resolved warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_clear_for(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .hold = "2s", .clear_hold = "10s"};
    const struct ov_rule quick = {OVER3, .warning = "3", .hold = "10s", .clear_hold = "0s"};
    static const struct row rows[] = {
        AT(0, 9, ""), AT(2, 9, "firing warning"), AT(3, 0, ""), AT(12.9, 0, ""),
        AT(13, 0, "resolved warning"),
    };
    static const struct row quick_rows[] = {
        AT(0, 9, ""), AT(10, 9, "firing warning"), AT(11, 0, "resolved warning"), AT(12, 9, ""),
        AT(22, 9, "firing warning"),
    };
    (void)state;
    PLAY(rule, rows);
    PLAY(quick, quick_rows);
}

static void test_clear_threshold(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "80", .critical = "90", .clear = "70"};
    static const struct row rows[] = {
        AT(0, 75, ""), AT(1, 80, ""), AT(2, 81, "firing warning"), AT(3, 80, ""), AT(4, 71, ""),
        AT(5, 91, "firing critical"), AT(6, 85, "firing warning"), AT(7, 71, ""),
        AT(8, 70, "resolved warning"), AT(9, 75, ""), AT(10, 81, "firing warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* Values around the limit for a long time: one firing and one resolved at most. */
static void test_flapping(void **state)
{
    const struct ov_rule rules[] = {
        {OVER3, .warning = "3", .hold = "3s"},                     /* never holds */
        {OVER3, .warning = "3", .clear_hold = "3s"},               /* never is over */
        {OVER3, .warning = "4", .clear = "2"},                     /* never is clear */
    };
    static const struct {
        int64_t low, high;
        const char *first, *last;
    } cases[] = {
        {3, 4, "", ""}, {3, 4, "firing warning", "resolved warning"},
        {3, 5, "firing warning", "resolved warning"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rules); i++) {
        struct player p = {.rule = rig_rule(&rules[i]), .clock_base_ms = 1000000};
        player_start(&p);
        for (int cycle = 0; cycle < 40; cycle++)
            player_row(&p, &(struct row){cycle, cycle % 2 ? cases[i].low : cases[i].high,
                                         cycle == 0 ? cases[i].first : "", NULL, GO_ON});
        player_row(&p, &(struct row){41, 0, *cases[i].first && i == 2 ? cases[i].last : "", NULL,
                                     GO_ON});
        player_row(&p, &(struct row){50, 0, i == 1 ? cases[i].last : "", NULL, GO_ON});
        player_end(&p);
    }
}

/* ---------------------------------------------------------------- severity, repeat */

static void test_severity(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "10", .critical = "100", .hold = "5s"};
    static const struct row rows[] = {
        AT(0, 50, ""), AT(5, 50, "firing warning"), AT(6, 500, "firing critical"), AT(7, 500, ""),
        AT(8, 50, "firing warning"), AT(9, 500, "firing critical"), AT(10, 0, ""), AT(12, 500, ""),
        AT(13, 0, ""), AT(18, 0, "resolved critical"),
        /* it gets worse while it is pending: that does not begin anew */
        AT(20, 50, ""), AT(24, 500, ""), AT(25, 500, "firing critical"), AT(26, 0, ""),
        AT(27, 50, "firing warning"), AT(30, 0, ""), AT(35, 0, "resolved warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_repeat(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "10", .critical = "100", .repeat = "60s"};
    static const struct row rows[] = {
        AT(0, 50, "firing warning"), AT(59.9, 50, ""), AT(60, 50, "repeat warning"), AT(61, 50, ""),
        AT(119, 50, ""), AT(120, 50, "repeat warning"),
        AT(150, 500, "firing critical"), AT(180, 500, ""), AT(210, 500, "repeat critical"),
        /* what is not measured is not told, neither */
        AT(400, ABSENT, ""), AT(401, GONE, ""), AT(402, 500, "repeat critical"),
        AT(403, 0, "resolved critical"), AT(500, 0, ""), AT(600, 0, ""),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_no_repeat_by_default(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "10"};
    static const struct row rows[] = {
        AT(0, 50, "firing warning"), AT(3600, 50, ""), AT(1e6, 50, ""), AT(1e7, 50, ""),
    };
    (void)state;
    PLAY(rule, rows);
}

/* ---------------------------------------------------------------- missing data */

static void test_missing_resolves_nothing(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .clear_hold = "2s"};
    const struct ov_rule conditional = {OVER3, .warning = "3", .where = "life=silent"};
    static const struct row rows[] = {
        AT(0, 9, "firing warning"), AT(10, ABSENT, ""), AT(20, GONE, ""), AT(1000, ABSENT, ""),
        AT(2000, 0, ""),
        AT(2001, ABSENT, ""), AT(2002, 0, "resolved warning"), AT(2003, ABSENT, ""),
    };
    static const struct row unknown[] = {AT(0, 9, ""), AT(1, 9, "")}; /* life is never measured */
    (void)state;
    PLAY(rule, rows);
    PLAY(conditional, unknown);
}

static void test_missing_while_pending(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .hold = "5s"};
    static const struct row rows[] = {
        AT(0, 9, ""), AT(2, ABSENT, ""), AT(4, GONE, ""), AT(6, ABSENT, ""),
        AT(7, 9, "firing warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* A condition that is no longer met ends it; that is measured. */
static void test_condition_ends_it(void **state)
{
    const struct ov_rule rule = {OVER3, .where = "pending=[!0]*", .severity = "warning"};
    const struct ov_rule on_other = {OVER3, .where = "pending=[!0]*|", .warning = "3"};
    static const struct row rows[] = {
        AT(0, 1, "firing warning"), AT(1, 70, ""), AT(2, ABSENT, ""), AT(3, 0, "resolved warning"),
    };
    static const struct row other_rows[] = {
        AT(0, 4, "firing warning"), AT(1, ABSENT, ""), AT(2, 0, "resolved warning"),
    };
    (void)state;
    PLAY(rule, rows);
    PLAY(on_other, other_rows);
}

/* ---------------------------------------------------------------- increases */

static void test_increase(void **state)
{
    const struct ov_rule rule = {.name = "lost", .value = "increase(group.lost, 60s)",
                                 .critical = "0"};
    static const struct row rows[] = {
        AT(0, 1000, ""), AT(10, 1000, ""), AT(20, 1001, "firing critical"), AT(40, 1001, ""),
        AT(70, 1001, ""), AT(79, 1001, ""), AT(100, 1001, "resolved critical"), AT(110, 1001, ""),
        AT(120, 1005, "firing critical"), AT(150, 1006, ""), AT(190, 1006, ""),
        AT(300, 1006, "resolved critical"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* A counter that begins anew is no loss, what it grows by from there is. */
static void test_increase_over_resets(void **state)
{
    const struct ov_rule rule = {.name = "lost", .value = "increase(group.lost, 60s)",
                                 .critical = "0"};
    static const struct row rows[] = {
        AT(0, 1000, ""), AT(10, 0, ""), AT(20, 0, ""), AT(30, 5, "firing critical"), AT(40, 5, ""),
        AT(50, 2, ""),                      /* anew: nothing is known for a moment */
        AT(60, 2, "resolved critical"), AT(70, 2, ""), AT(80, 3, "firing critical"),
        AT(90, ABSENT, ""), AT(300, ABSENT, ""), AT(301, 3, "resolved critical"),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_increase_thresholds(void **state)
{
    const struct ov_rule rule = {.name = "lost", .value = "increase(group.lost, 100s)",
                                 .warning = "10", .critical = "100", .where = "exists=true"};
    static const struct row rows[] = {
        AT(0, 7, ""), AT(1, 17, ""), AT(2, 18, "firing warning"), AT(3, 107, ""),
        AT(4, 108, "firing critical"), AT(50, 108, ""), AT(103, 108, ""),
        AT(220, 108, "resolved critical"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* Gathered often, the window is as long as it is said to be. */
static void test_increase_gathered_often(void **state)
{
    const struct ov_rule rule = {.name = "lost", .value = "increase(group.lost, 60s)",
                                 .critical = "0"};
    struct player p = {.rule = rig_rule(&rule), .clock_base_ms = 1000000};
    double resolved_at = 0;
    (void)state;
    player_start(&p);
    for (int i = 0; i < 100; i++)
        player_row(&p, &(struct row){i * 0.1, 5, "", NULL, GO_ON});
    player_row(&p, &(struct row)AT(10, 6, "firing critical"));
    for (int i = 1; i < 1000 && !resolved_at; i++) {
        struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
        struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
        double at = 10 + i * 0.1;
        rig_fill(batch, &(struct row){at, 6, "", NULL, GO_ON});
        ov_alerts_feed(p.alerts, "bus", batch, p.clock_base_ms + (int64_t)(at * 1000),
                       rig_wall(at), out);
        if (ov_batch_count(out))
            resolved_at = at;
        ov_batch_free(batch);
        ov_batch_free(out);
    }
    if (resolved_at < 65 || resolved_at > 76)
        fail_msg("resolved at %g s", resolved_at);
    player_end(&p);
}

/* ---------------------------------------------------------------- series */

/* Many at once: each once, and nothing is left of them. */
static void test_many(void **state)
{
    enum { MANY = 20000 };
    const struct ov_rule text = {OVER3, .warning = "3"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    struct ov_buf saved = {0};
    (void)state;
    for (int round = 0; round < 4; round++) {
        struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
        struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
        for (int i = 0; i < MANY; i++) {
            char topic[32];
            snprintf(topic, sizeof topic, "topic-%d", i);
            ov_sample_int(rig_sample(batch, topic, "g", "a"), GROUP_PENDING, round < 2 ? 9 : 0);
        }
        struct told told = feed(alerts, "bus", batch, round, out);
        assert_int_equal(told.firing, round == 0 ? MANY : 0);
        assert_int_equal(told.resolved, round == 2 ? MANY : 0);
        assert_int_equal(ov_alerts_firing(alerts), round < 2 ? MANY : 0);
        ov_batch_free(batch);
        ov_batch_free(out);
    }
    ov_alerts_save(alerts, 1, rig_epoch_ns, &saved);
    assert_int_equal(saved.len, 0);
    ov_buf_free(&saved);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

static void test_several_rules(void **state)
{
    const struct ov_rule texts[] = {
        {.name = "a", .value = "group.pending", .warning = "3"},
        {.name = "b", .value = "group.pending", .critical = "5"},
        {.name = "c", .value = "health.status", .critical = "0"},
        {.name = "d", .value = "group.exists", .critical = "1:"},
    };
    struct ov_compiled_rule *rules[OV_COUNT(texts)];
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0), *out = ov_batch_new(&rig_no_tags, 0);
    (void)state;
    for (size_t i = 0; i < OV_COUNT(texts); i++)
        rules[i] = rig_rule(&texts[i]);
    struct ov_alerts *alerts = rig_alerts(rules, OV_COUNT(texts));
    for (int i = 0; i < 3; i++) { /* measurements come mixed */
        char topic[16];
        snprintf(topic, sizeof topic, "t%d", i);
        struct ov_sample *s = rig_sample(batch, topic, "g", "a");
        ov_sample_int(s, GROUP_PENDING, 3 + i); /* 3, 4, 5 */
        ov_sample_bool(s, GROUP_EXISTS, i != 1);
        ov_sample_int(ov_batch_add(batch, &rig_health), HEALTH_STATUS, 1);
    }
    struct told told = feed(alerts, "bus", batch, 0, out);
    assert_int_equal(told.firing, 2 + 0 + 1 + 1);
    ov_batch_free(batch);
    ov_batch_free(out);
    ov_alerts_free(alerts);
    for (size_t i = 0; i < OV_COUNT(texts); i++)
        ov_rule_free(rules[i]);
}

static void test_no_rules(void **state)
{
    struct ov_alerts *alerts = rig_alerts(NULL, 0);
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0), *out = ov_batch_new(&rig_no_tags, 0);
    (void)state;
    rig_fill(batch, &(struct row)WITH(0, 9, "", "lost"));
    assert_false(ov_alerts_feed(alerts, "bus", batch, 1, 1, out));
    ov_alerts_told(alerts, out);
    ov_batch_free(batch);
    ov_batch_free(out);
    ov_alerts_free(alerts);
    ov_alerts_free(NULL);
}

/* ---------------------------------------------------------------- threads */

struct feeder {
    struct ov_alerts *alerts;
    char input[8];
    size_t firing, resolved;
};

static void *feeder_run(void *context)
{
    struct feeder *f = context;
    struct ov_buf saved = {0};
    for (int i = 0; i < 400; i++) {
        struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
        struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
        rig_fill(batch, &(struct row){i, i % 4 < 2 ? 9 : 0, "", i % 8 ? "active" : NULL, GO_ON});
        struct told told = feed(f->alerts, f->input, batch, i, out);
        f->firing += told.firing;
        f->resolved += told.resolved;
        ov_buf_reset(&saved);
        ov_alerts_save(f->alerts, 1, rig_epoch_ns, &saved);
        ov_alerts_firing(f->alerts);
        ov_batch_free(batch);
        ov_batch_free(out);
    }
    ov_buf_free(&saved);
    return NULL;
}

static void test_inputs_feed_at_the_same_time(void **state)
{
    const struct ov_rule text = {OVER3, .warning = "3", .unless = "health.runner=lost"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    struct feeder feeders[4];
    pthread_t threads[OV_COUNT(feeders)];
    (void)state;
    for (size_t i = 0; i < OV_COUNT(feeders); i++) {
        feeders[i] = (struct feeder){.alerts = alerts};
        snprintf(feeders[i].input, sizeof feeders[i].input, "bus%zu", i);
        assert_int_equal(pthread_create(&threads[i], NULL, feeder_run, &feeders[i]), 0);
    }
    for (size_t i = 0; i < OV_COUNT(feeders); i++) {
        pthread_join(threads[i], NULL);
        if (feeders[i].firing != 100 || feeders[i].resolved != 100)
            fail_msg("%s: %zu firing, %zu resolved", feeders[i].input, feeders[i].firing,
                     feeders[i].resolved);
    }
    assert_int_equal(ov_alerts_firing(alerts), 0);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_at_once),
        cmocka_unit_test(test_for),
        cmocka_unit_test(test_clear_for),
        cmocka_unit_test(test_clear_threshold),
        cmocka_unit_test(test_flapping),
        cmocka_unit_test(test_severity),
        cmocka_unit_test(test_repeat),
        cmocka_unit_test(test_no_repeat_by_default),
        cmocka_unit_test(test_missing_resolves_nothing),
        cmocka_unit_test(test_missing_while_pending),
        cmocka_unit_test(test_condition_ends_it),
        cmocka_unit_test(test_increase),
        cmocka_unit_test(test_increase_over_resets),
        cmocka_unit_test(test_increase_thresholds),
        cmocka_unit_test(test_increase_gathered_often),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_several_rules),
        cmocka_unit_test(test_no_rules),
        cmocka_unit_test(test_inputs_feed_at_the_same_time),
    };
    return cmocka_run_group_tests_name("alerts", tests, NULL, NULL);
}
