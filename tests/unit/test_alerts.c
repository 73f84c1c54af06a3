/* SPDX-License-Identifier: Apache-2.0 */
/* The states of alerts on a clock of the test's own: what is told when, and what never is. What
 * survives a restart is in test_alerts_saved.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
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

/* ---------------------------------------------------------------- muting */

static void test_unless(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .unless = "health.runner=lost|stopped"};
    static const struct row rows[] = {
        /* muted: not told, and nothing to resolve */
        WITH(0, 0, "", "lost"), AT(1, 9, ""), WITH(2, 9, "", "stopped"),
        AT(3, 0, ""),
        /* told when it is no longer muted, if it still fires */
        AT(4, 9, ""), WITH(5, 9, "firing warning", "active"),
        /* what was told is resolved, muted or not */
        WITH(6, 9, "", "lost"), WITH(7, 0, "resolved warning", "lost"),
        /* muting in the same batch counts */
        WITH(8, 9, "", "lost"), WITH(9, 9, "firing warning", "active"),
        WITH(10, 9, "", "lost"), WITH(11, 9, "", "active"),
        AT(12, 0, "resolved warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* What muted it may end a moment before the alarm itself does. */
static void test_muted_time_does_not_count(void **state)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .hold = "5s",
                                 .unless = "health.runner=lost"};
    static const struct row rows[] = {
        WITH(0, 9, "", "lost"), AT(60, 9, ""), WITH(61, 9, "", "active"), AT(62, 0, ""),
        WITH(100, 9, "", "lost"), AT(159, 9, ""), WITH(160, 9, "", "active"), AT(163.9, 9, ""),
        AT(164, 9, "firing warning"), AT(165, 0, ""), AT(170, 0, "resolved warning"),
        /* muted while it is pending */
        AT(200, 9, ""), WITH(204, 9, "", "lost"), WITH(206, 9, "", "active"), AT(208.9, 9, ""),
        AT(209, 9, "firing warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

static void play_silenced(const struct ov_silence *silence, const struct row *rows, size_t count)
{
    const struct ov_rule rule = {OVER3, .warning = "3", .critical = "100"};
    struct player p = {.rule = rig_rule(&rule), .silences = silence, .silence_count = 1,
                       .clock_base_ms = 1000000};
    player_start(&p);
    for (size_t i = 0; i < count; i++)
        player_row(&p, &rows[i]);
    player_end(&p);
}

static void test_silence_has_an_end(void **state)
{
    const struct ov_silence silence = {
        .rules = OV_SLICE("ov*"), .from = (double)rig_epoch_ns / 1e9 + 10,
        .until = (double)rig_epoch_ns / 1e9 + 20,
    };
    static const struct row rows[] = {
        AT(0, 9, "firing warning"), AT(5, 0, "resolved warning"),
        AT(9.9, 9, "firing warning"), AT(10, 500, ""), AT(12, 0, "resolved warning"), AT(14, 9, ""),
        AT(16, 0, ""), AT(18, 9, ""), AT(19.9, 9, ""), AT(20, 9, "firing warning"),
        AT(21, 0, "resolved warning"),
    };
    (void)state;
    play_silenced(&silence, rows, OV_COUNT(rows));
}

static void test_silences(void **state)
{
    static struct ov_tag topic[] = {{"topic", OV_SLICE("eu.*|ord*")}};
    static struct ov_tag other_topic[] = {{"topic", OV_SLICE("eu.*")}};
    static struct ov_tag both[] = {{"topic", OV_SLICE("orders")}, {"agent", OV_SLICE("[!m]*")}};
    static struct ov_tag strange[] = {{"colour", OV_SLICE("red")}};
    static struct ov_tag strange_any[] = {{"colour", OV_SLICE("*")}};
    static const struct {
        const char *what;
        struct ov_silence silence;
        bool silent;
    } rows[] = {
        {"all", {.rules = OV_SLICE("*")}, true},
        {"the rule", {.rules = OV_SLICE("over")}, true},
        {"one of two rules", {.rules = OV_SLICE("lost|over")}, true},
        {"another rule", {.rules = OV_SLICE("overs")}, false},
        {"no rule", {.rules = OV_SLICE("")}, false},
        {"the topic", {.rules = OV_SLICE("*"), .tags = {topic, 1}}, true},
        {"another topic", {.rules = OV_SLICE("*"), .tags = {other_topic, 1}}, false},
        {"topic and another agent", {.rules = OV_SLICE("*"), .tags = {both, 2}}, false},
        {"a tag that is not there", {.rules = OV_SLICE("*"), .tags = {strange, 1}}, false},
        {"that, of any value", {.rules = OV_SLICE("*"), .tags = {strange_any, 1}}, true},
        {"over since long", {.rules = OV_SLICE("*"), .until = 1e9}, false},
        {"not yet", {.rules = OV_SLICE("*"), .from = 2e9}, false},
        {"since long", {.rules = OV_SLICE("*"), .from = 1e9}, true},
        {"for long", {.rules = OV_SLICE("*"), .until = 2e9}, true},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct row row = {0, 9, rows[i].silent ? "" : "firing warning", NULL, GO_ON};
        print_message("%s\n", rows[i].what);
        play_silenced(&rows[i].silence, &row, 1);
    }
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

struct told {
    size_t count, firing, resolved;
};

static struct told feed(struct ov_alerts *alerts, const char *input, const struct ov_batch *batch,
                        double at, struct ov_batch *out)
{
    struct told told = {0};
    ov_alerts_feed(alerts, input, batch, 1000000 + (int64_t)(at * 1000), rig_wall(at), out);
    for (const struct ov_sample *s = ov_batch_first(out); s; s = s->next) {
        bool firing = ov_slice_eq(alert_text(s, OV_ALERT_STATE), OV_SLICE("firing"));
        told.count++;
        told.firing += firing;
        told.resolved += !firing;
    }
    ov_alerts_told(alerts);
    return told;
}

static void test_each_series_has_its_own_state(void **state)
{
    static const struct {
        const char *topic, *group, *agent;
    } series[] = {
        {"a", "g", "x"}, {"a", "g", "y"}, {"b", "g", "x"}, {"a", "h", "x"},
        {"ab", "", "c"}, {"a", "b", "c"}, {"a", "", "bc"}, {NULL, NULL, NULL}, {"", "a", ""},
    };
    const struct ov_rule text = {OVER3, .warning = "3"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = ov_alerts_new(&rule, 1, NULL, 0);
    (void)state;
    for (size_t i = 0; i < OV_COUNT(series); i++)
        for (int input = 0; input < 2; input++) {
            struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
            struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
            struct ov_sample *s = rig_sample(batch, series[i].topic, series[i].group,
                                             series[i].agent);
            ov_sample_int(s, GROUP_PENDING, 9);
            struct told told = feed(alerts, input ? "bus2" : "bus", batch, (double)i, out);
            if (told.firing != 1 || ov_alerts_firing(alerts) != 2 * i + (size_t)input + 1)
                fail_msg("series %zu of input %d", i, input);
            const struct ov_sample *a = ov_batch_first(out);
            assert_true(ov_slice_eq(a->tags[OV_ALERT_TOPIC], s->tags[GROUP_TOPIC]));
            assert_true(ov_slice_eq(a->tags[OV_ALERT_GROUP], s->tags[GROUP_NAME]));
            assert_true(ov_slice_eq(a->tags[OV_ALERT_AGENT], s->tags[GROUP_AGENT]));
            ov_batch_free(batch);
            ov_batch_free(out);
        }
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

static void test_what_is_told(void **state)
{
    const struct ov_rule text = {OVER3, .warning = "3", .critical = "~:100",
                                 .summary = "{agent} has {value} over {threshold}",
                                 .description = "do something"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = ov_alerts_new(&rule, 1, NULL, 0);
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0), *out = ov_batch_new(&rig_no_tags, 0);
    (void)state;
    rig_fill(batch, &(struct row)AT(0, 7, ""));
    feed(alerts, "bus", batch, 0, out);
    const struct ov_sample *a = ov_batch_first(out);
    assert_ptr_equal(a->measurement, &ov_alert_measurement);
    assert_true(ov_slice_eq(a->tags[OV_ALERT_RULE], OV_SLICE("over")));
    assert_true(ov_slice_eq(a->tags[OV_ALERT_SEVERITY], OV_SLICE("warning")));
    assert_true(ov_slice_eq(alert_text(a, OV_ALERT_THRESHOLD), OV_SLICE("3")));
    assert_true(ov_slice_eq(alert_text(a, OV_ALERT_SUMMARY), OV_SLICE("mail has 7 over 3")));
    assert_true(ov_slice_eq(alert_text(a, OV_ALERT_DESCRIPTION), OV_SLICE("do something")));
    assert_true(fabs(a->values[OV_ALERT_VALUE].number - 7) < 1e-9);
    assert_true(fabs(a->values[OV_ALERT_STARTED_AT].number - 1.7e9) < 1e-3);
    assert_int_equal(a->values[OV_ALERT_COUNT].integer, 1);
    assert_null(a->next);
    ov_batch_free(batch);
    ov_batch_free(out);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

/* An id is one plain word, whatever the rule is called. */
static void test_ids(void **state)
{
    static const char *const names[] = {
        "over", "order backlog", "a\nb", "\xd0\xb7\xd0\xb0\xd0\xba\xd0\xb0\xd0\xb7\xd1\x8b",
        "a-very-long-name-of-a-rule-that-is-longer-than-an-id-may-be-altogether-at-least", "%s%n",
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(names); i++) {
        const struct ov_rule text = {.name = names[i], .value = "group.pending", .warning = "3"};
        const struct row rows[] = {
            THEN(0, 9, "firing warning", RESTART), AT(1, 9, ""),
            AT(2, 0, "resolved warning"),
        };
        struct player p = {.rule = rig_rule(&text), .clock_base_ms = 1000000};
        player_start(&p);
        for (size_t j = 0; j < OV_COUNT(rows); j++)
            player_row(&p, &rows[j]);
        if (strspn(p.id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
            strlen(p.id))
            fail_msg("%s gives %s", names[i], p.id);
        player_end(&p);
    }
}

/* Many at once: each once, and nothing is left of them. */
static void test_many(void **state)
{
    enum { MANY = 20000 };
    const struct ov_rule text = {OVER3, .warning = "3"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = ov_alerts_new(&rule, 1, NULL, 0);
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
    ov_alerts_save(alerts, &saved);
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
    struct ov_alerts *alerts = ov_alerts_new(rules, OV_COUNT(texts), NULL, 0);
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
    struct ov_alerts *alerts = ov_alerts_new(NULL, 0, NULL, 0);
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0), *out = ov_batch_new(&rig_no_tags, 0);
    (void)state;
    rig_fill(batch, &(struct row)WITH(0, 9, "", "lost"));
    assert_false(ov_alerts_feed(alerts, "bus", batch, 1, 1, out));
    ov_alerts_told(alerts);
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
        ov_alerts_save(f->alerts, &saved);
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
    struct ov_alerts *alerts = ov_alerts_new(&rule, 1, NULL, 0);
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
        cmocka_unit_test(test_unless),
        cmocka_unit_test(test_muted_time_does_not_count),
        cmocka_unit_test(test_silence_has_an_end),
        cmocka_unit_test(test_silences),
        cmocka_unit_test(test_increase),
        cmocka_unit_test(test_increase_over_resets),
        cmocka_unit_test(test_increase_thresholds),
        cmocka_unit_test(test_increase_gathered_often),
        cmocka_unit_test(test_each_series_has_its_own_state),
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_several_rules),
        cmocka_unit_test(test_no_rules),
        cmocka_unit_test(test_inputs_feed_at_the_same_time),
    };
    return cmocka_run_group_tests_name("alerts", tests, NULL, NULL);
}
