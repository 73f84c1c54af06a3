/* SPDX-License-Identifier: Apache-2.0 */
/* What outputs get to know of alerts: series told apart, all that is said of an incident, its id, and
 * what is on its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "alerts_rig.h"

#define OVER3 .name = "over", .value = "group.pending"

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
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
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

/* Of a list: how many fire, and what the sample of rule `name` says. */
static size_t listed(struct ov_alerts *alerts, const char *name, int64_t counts[2])
{
    struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
    size_t firing = 0;
    ov_alerts_list(alerts, rig_wall(60), out);
    for (const struct ov_sample *s = ov_batch_first(out); s; s = s->next) {
        if (s->measurement == &ov_firing_measurement && firing++ == 0) {
            assert_true(ov_slice_eq(s->tags[OV_ALERT_AGENT], OV_SLICE("mail")));
            assert_true(ov_slice_eq(s->tags[OV_ALERT_INPUT], OV_SLICE("bus")));
            assert_true(ov_slice_eq(*s->values[OV_FIRING_DESCRIPTION].text, OV_SLICE("do")));
        }
        if (s->measurement == &ov_rule_state_measurement &&
            ov_slice_eq(s->tags[0], ov_slice(name)))
            for (int i = 0; i < 2; i++)
                counts[i] = s->values[i].integer;
    }
    ov_batch_free(out);
    return firing;
}

static void test_list(void **state)
{
    const struct ov_rule texts[] = {
        {OVER3, .warning = "3", .critical = "10", .description = "do"},
        {.name = "other", .value = "group.pending", .warning = "1000"},
    };
    static const struct {
        int64_t value;
        size_t firing;
        int64_t critical;
    } rows[] = {{2, 0, 0}, {7, 1, 0}, {8, 1, 0}, {11, 1, 1}, {ABSENT, 1, 1}, {2, 0, 0}};
    struct ov_compiled_rule *rules[] = {rig_rule(&texts[0]), rig_rule(&texts[1])};
    struct ov_alerts *alerts = rig_alerts(rules, 2);
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
        struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
        int64_t counts[2] = {-1, -1}, others[2] = {-1, -1};
        rig_fill(batch, &(struct row)AT((double)i, rows[i].value, ""));
        feed(alerts, "bus", batch, (double)i, out);
        size_t firing = listed(alerts, "over", counts);
        listed(alerts, "other", others);
        if (firing != rows[i].firing || counts[0] != (int64_t)firing ||
            counts[1] != rows[i].critical || others[0] || others[1])
            fail_msg("row %zu: %zu fire, %jd and %jd counted", i, firing, (intmax_t)counts[0],
                     (intmax_t)counts[1]);
        ov_batch_free(batch);
        ov_batch_free(out);
    }
    ov_alerts_free(alerts);
    ov_rule_free(rules[0]);
    ov_rule_free(rules[1]);
}

static void test_what_is_told(void **state)
{
    const struct ov_rule text = {OVER3, .warning = "3", .critical = "~:100",
                                 .summary = "{agent} has {value} over {threshold}",
                                 .description = "do something"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
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
/* Each message says what goes with its own value; the last one, how it was. */
static void test_each_text_is_of_its_value(void **state)
{
    static const struct step {
        double at;
        int64_t value;
        const char *summary; /* NULL: nothing is told */
        int64_t told;        /* its value */
        enum after after;
    } rises[] = {
        {0, 4, "mail has 4 over 3 (warning)", 4, GO_ON},
        {10, 9, NULL, 0, RESTART},
        {20, 7, NULL, 0, GO_ON},
        {70, 6, "mail has 6 over 3 (warning)", 6, GO_ON}, /* told again */
        {80, 2, NULL, 0, GO_ON},
        {95, 1, "over after 1m35s, now 1; at worst: mail has 9 over 3 (warning)", 1, GO_ON},
        {100, 5, "mail has 5 over 3 (warning)", 5, GO_ON}, /* the next incident */
        {110, 0, NULL, 0, GO_ON},
        {130, 0, "over after 30s, now 0; at worst: mail has 5 over 3 (warning)", 0, GO_ON},
    }, severities[] = {
        {0, 90, "mail has 90 over 3 (warning)", 90, GO_ON},
        {10, 120, "mail has 120 over 100 (critical)", 120, STOP},
        {20, 99, "mail has 99 over 3 (warning)", 99, GO_ON},
        {30, 0, NULL, 0, GO_ON},
        {50, 0, "over after 50s, now 0; at worst: mail has 120 over 100 (critical)", 0, GO_ON},
    }, gone[] = {
        {0, 4, "mail has 4 over 3 (warning)", 4, GO_ON},
        {10, 8, NULL, 0, GO_ON},
        {20, 5, NULL, 0, GO_ON},
        {30, GONE, NULL, 0, GO_ON},
        {400, GONE, "no longer there after 6m40s; at worst: mail has 8 over 3 (warning)", 5, GO_ON},
    };
    static const struct {
        const struct step *steps;
        size_t count;
    } plays[] = {{rises, OV_COUNT(rises)}, {severities, OV_COUNT(severities)},
                 {gone, OV_COUNT(gone)}};
    const struct ov_rule text = {OVER3, .warning = "3", .critical = "100", .clear_hold = "15s",
                                 .repeat = "1m",
                                 .summary = "{agent} has {value} over {threshold} ({severity})"};
    (void)state;
    for (size_t k = 0; k < OV_COUNT(plays); k++) {
        struct player p = {.rule = rig_rule(&text), .clock_base_ms = 1000000};
        player_start(&p);
        for (size_t i = 0; i < plays[k].count; i++) {
            const struct step *step = &plays[k].steps[i];
            struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
            struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
            rig_fill(batch, &(struct row)AT(step->at, step->value, ""));
            p.at = step->at;
            ov_alerts_feed(p.alerts, "bus", batch, player_clock(&p, p.at), rig_wall(p.at), out);
            ov_alerts_told(p.alerts, out);
            const struct ov_sample *a = ov_batch_first(out);
            if (!a != !step->summary)
                fail_msg("play %zu at %g: told %d", k, step->at, a != NULL);
            if (a && (!ov_slice_eq(alert_text(a, OV_ALERT_SUMMARY), ov_slice(step->summary)) ||
                      (int64_t)a->values[OV_ALERT_VALUE].number != step->told))
                fail_msg("play %zu at %g: %.*s, value %g", k, step->at,
                         (int)alert_text(a, OV_ALERT_SUMMARY).len,
                         alert_text(a, OV_ALERT_SUMMARY).ptr, a->values[OV_ALERT_VALUE].number);
            if (step->after != GO_ON) {
                player_save(&p);
                player_restart(&p);
            }
            ov_batch_free(batch);
            ov_batch_free(out);
        }
        player_end(&p);
    }
}

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

/* Whatever the series of a rule are told apart by, their alerts are. */
static void test_subjects(void **state)
{
    static const char *const tags[] = {"output", "topic", "file"};
    static const struct ov_field fields[] = {{"failing", OV_BOOL, OV_GAUGE, "", "is failing"}};
    static const struct ov_measurement other = {
        .name = "other", .help = "something else", .tags = tags, .fields = fields,
        .tag_count = OV_COUNT(tags), .field_count = OV_COUNT(fields),
    };
    static const struct {
        const char *output, *topic, *file, *subject;
    } rows[] = {
        {"", "", "", ""},
        {"influx", "", "", "output=influx"},
        {"statsd", "", "", "output=statsd"},
        {"influx", "t", "", "output=influx"},
        {"", "t", "agents.json", "file=agents.json"},
        {"a", "", "b", "output=a,file=b"},
        {"a,file=b", "", "", "output=a\\,file=b"},
        {"a\\,file=b", "", "", "output=a\\\\\\,file=b"},
        {"a\\", "", "b", "output=a\\\\,file=b"},
        {"x=y", "", "", "output=x=y"},
    };
    const struct ov_measurement *list[] = {&other};
    const struct ov_catalogue catalogue = {list, 1};
    const struct ov_rule text = {.name = "r", .value = "other.failing", .critical = "0"};
    struct ov_compiled_rule *rule = ov_rule_compile(&text, &catalogue, rig_complain, NULL);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
        struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
        struct ov_sample *s = ov_batch_add(batch, &other);
        ov_sample_tag(batch, s, 0, ov_slice(rows[i].output));
        ov_sample_tag(batch, s, 1, ov_slice(rows[i].topic));
        ov_sample_tag(batch, s, 2, ov_slice(rows[i].file));
        ov_sample_bool(s, 0, true);
        assert_int_equal(feed(alerts, "self", batch, 0, out).firing, 1);
        const struct ov_sample *a = ov_batch_first(out);
        if (!ov_slice_eq(a->tags[OV_ALERT_SUBJECT], ov_slice(rows[i].subject)) ||
            !ov_slice_eq(a->tags[OV_ALERT_TOPIC], ov_slice(rows[i].topic)) ||
            !ov_slice_eq(a->tags[OV_ALERT_INPUT], OV_SLICE("self")))
            fail_msg("row %zu: %.*s", i, (int)a->tags[OV_ALERT_SUBJECT].len,
                     a->tags[OV_ALERT_SUBJECT].ptr);
        ov_batch_free(batch);
        ov_batch_free(out);
    }
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

/* ---------------------------------------------------------------- handing on */

/* What one input made known is on its way until that is handed on, whatever others did. */
static void test_told_for_each_feed(void **state)
{
    const struct ov_rule text = {OVER3, .warning = "3"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
    struct ov_batch *outs[2] = {ov_batch_new(&rig_no_tags, 0), ov_batch_new(&rig_no_tags, 0)};
    struct ov_buf saved = {0};
    (void)state;
    rig_fill(batch, &(struct row)AT(0, 9, ""));
    assert_true(ov_alerts_feed(alerts, "bus", batch, 1, rig_epoch_ns, outs[0]));
    assert_true(ov_alerts_feed(alerts, "bus2", batch, 1, rig_epoch_ns, outs[1]));
    ov_alerts_told(alerts, outs[1]); /* and the first one's agent is killed here */
    ov_alerts_save(alerts, 1, rig_epoch_ns, &saved);
    ov_alerts_free(alerts);
    alerts = rig_alerts(&rule, 1);
    assert_true(ov_alerts_load(alerts, (struct ov_slice){saved.data, saved.len}, 1,
                               rig_epoch_ns));
    for (int i = 0; i < 2; i++) {
        struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
        struct told told = feed(alerts, i ? "bus2" : "bus", batch, 1, out);
        if (told.firing != (i == 0))
            fail_msg("input %d: %zu told again", i, told.firing);
        ov_batch_free(out);
    }
    ov_buf_free(&saved);
    ov_batch_free(batch);
    ov_batch_free(outs[0]);
    ov_batch_free(outs[1]);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_series_has_its_own_state),
        cmocka_unit_test(test_list),
        cmocka_unit_test(test_what_is_told),
        cmocka_unit_test(test_each_text_is_of_its_value),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_subjects),
        cmocka_unit_test(test_told_for_each_feed),
    };
    return cmocka_run_group_tests_name("alerts_told", tests, NULL, NULL);
}
