/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that are not told of for a while: the rule's `unless`, for each target on its own, and
 * silences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alerts_rig.h"

#define OVER3 .name = "over", .value = "group.pending"

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
        /* health that does not know changes nothing */
        WITH(13, 0, "", "lost"), WITH(14, 9, "", ""), WITH(15, 9, "", ""),
        WITH(16, 9, "firing warning", "active"),
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

/* ---------------------------------------------------------------- targets */

/* An input's gather: health says of its runner, or groups of two agents are over their limit. */
struct act {
    const char *site;   /* the tag `site` of the input's configuration; NULL: none */
    const char *runner; /* NULL: groups */
    size_t firing;      /* how many are told of */
};

static void act(struct ov_alerts *alerts, const struct act *a, double at)
{
    struct ov_tag tag = {"site", ov_slice(a->site)};
    const struct ov_map tags = {&tag, a->site != NULL};
    struct ov_batch *batch = ov_batch_new(&tags, 0), *out = ov_batch_new(&tags, 0);
    char input[32];
    snprintf(input, sizeof input, "%s of %s", a->runner ? "runner" : "bus",
             a->site ? a->site : "all");
    if (a->runner)
        ov_sample_text(batch, ov_batch_add(batch, &rig_health), HEALTH_RUNNER,
                       ov_slice(a->runner));
    else
        for (int i = 0; i < 2; i++)
            ov_sample_int(rig_sample(batch, "t", "g", i ? "x" : "y"), GROUP_PENDING, 9);
    struct told told = feed(alerts, input, batch, at, out);
    if (told.firing != a->firing)
        fail_msg("%s at %g: %zu told", input, at, told.firing);
    ov_batch_free(batch);
    ov_batch_free(out);
}

/* What is down in one place mutes nothing in another. */
static void test_each_target_is_muted_alone(void **state)
{
    static const struct act two_sites[] = {
        {"fra", "lost", 0}, {"muc", "active", 0}, {"fra", NULL, 0}, {"muc", NULL, 2},
        {"fra", "active", 0}, {"muc", "lost", 0}, {"fra", NULL, 2},
    };
    /* without tags there is one target; an input without mutes, and is muted by, all */
    static const struct act one[] = {
        {NULL, "lost", 0}, {NULL, NULL, 0}, {"fra", NULL, 0}, {NULL, "active", 0}, {NULL, NULL, 2},
    };
    static const struct act mixed[] = {{"fra", "lost", 0}, {NULL, NULL, 0}, {"muc", NULL, 2}};
    static const struct {
        const struct act *acts;
        size_t count;
    } cases[] = {
        {two_sites, OV_COUNT(two_sites)}, {one, OV_COUNT(one)}, {mixed, OV_COUNT(mixed)},
    };
    const struct ov_rule text = {OVER3, .warning = "3", .unless = "health.runner=lost"};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(cases); i++) {
        struct ov_compiled_rule *rule = rig_rule(&text);
        struct ov_alerts *alerts = rig_alerts(&rule, 1);
        struct ov_buf saved = {0};
        for (size_t j = 0; j < cases[i].count; j++) {
            act(alerts, &cases[i].acts[j], (double)j);
            ov_buf_reset(&saved); /* over a restart, too */
            ov_alerts_save(alerts, 1, rig_epoch_ns, &saved);
            ov_alerts_free(alerts);
            alerts = rig_alerts(&rule, 1);
            assert_true(ov_alerts_load(alerts, (struct ov_slice){saved.data, saved.len}, 1,
                                       rig_epoch_ns));
        }
        ov_buf_free(&saved);
        ov_alerts_free(alerts);
        ov_rule_free(rule);
    }
}

/* Tags that both have must be the same: a series mutes itself, not its neighbour. */
static void test_each_series_is_muted_alone(void **state)
{
    const struct ov_rule text = {OVER3, .warning = "3", .unless = "group.life=paused"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0), *out = ov_batch_new(&rig_no_tags, 0);
    (void)state;
    for (int i = 0; i < 3; i++) {
        struct ov_sample *s = rig_sample(batch, "t", NULL, i == 0 ? "x" : i == 1 ? "y" : "z");
        ov_sample_int(s, GROUP_PENDING, 9);
        ov_sample_text(batch, s, GROUP_LIFE, ov_slice(i == 1 ? "paused" : "busy"));
    }
    struct told told = feed(alerts, "bus", batch, 0, out);
    assert_int_equal(told.firing, 2);
    for (const struct ov_sample *s = ov_batch_first(out); s; s = s->next)
        assert_false(ov_slice_eq(s->tags[OV_ALERT_AGENT], OV_SLICE("y")));
    ov_batch_free(batch);
    ov_batch_free(out);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

/* A silence may name tags of the input's configuration. */
static void test_a_silence_of_one_target(void **state)
{
    static struct ov_tag site[] = {{"site", OV_SLICE("f*")}};
    const struct ov_silence silence = {.rules = OV_SLICE("*"), .tags = {site, 1}};
    static const struct act acts[] = {{"fra", NULL, 0}, {"muc", NULL, 2}};
    const struct ov_rule text = {OVER3, .warning = "3"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = ov_alerts_new(&(struct ov_alerts_setup){
        .rules = &rule, .rule_count = 1, .silences = &silence, .silence_count = 1});
    (void)state;
    for (size_t i = 0; i < OV_COUNT(acts); i++)
        act(alerts, &acts[i], (double)i);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unless),
        cmocka_unit_test(test_muted_time_does_not_count),
        cmocka_unit_test(test_silence_has_an_end),
        cmocka_unit_test(test_silences),
        cmocka_unit_test(test_each_target_is_muted_alone),
        cmocka_unit_test(test_each_series_is_muted_alone),
        cmocka_unit_test(test_a_silence_of_one_target),
    };
    return cmocka_run_group_tests_name("alerts_muted", tests, NULL, NULL);
}
