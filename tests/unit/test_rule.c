/* SPDX-License-Identifier: Apache-2.0 */
/* Rules: every way to write one wrongly with what is said of it, which samples one looks at, what
 * a value amounts to, and the line for a person. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "rule_rig.h"

/* ---------------------------------------------------------------- refused */

struct refused {
    struct ov_rule rule;
    const char *key, *problem; /* the problem: a part of it */
};

#define PENDING .value = "group.pending"
static const struct refused refused[] = {
    /* value */
    {{.warning = "1"}, "value", "expected `measurement.field` or `increase("},
    {{.value = "", .warning = "1"}, "value", "expected `measurement.field`"},
    {{.value = "group", .warning = "1"}, "value", "expected `measurement.field`"},
    {{.value = ".pending", .warning = "1"}, "value", "unknown measurement ``"},
    {{.value = "group.", .warning = "1"}, "value", "unknown field ``"},
    {{.value = "groups.pending", .warning = "1"}, "value",
     "unknown measurement `groups` (did you mean `group`?)"},
    {{.value = "helth.status", .warning = "1"}, "value",
     "unknown measurement `helth` (did you mean `health`?)"},
    {{.value = "elephant.pending", .warning = "1"}, "value", "unknown measurement `elephant`"},
    {{.value = "group.pendng", .warning = "1"}, "value",
     "unknown field `pendng` (did you mean `pending`?)"},
    {{.value = "group.topic", .warning = "1"}, "value", "unknown field `topic`"},
    {{.value = "group.pending.x", .warning = "1"}, "value", "unknown field `pending.x`"},
    {{.value = "Group.pending", .warning = "1"}, "value", "did you mean `group`?"},
    {{.value = "group.\n\x1b[31m", .warning = "1"}, "value", "unknown field `\\n\\x1b[31m`"},
    {{.value = "increase(group.lost)", .warning = "1"}, "value", "expected `increase("},
    {{.value = "increase(group.lost, 5m", .warning = "1"}, "value", "expected `increase("},
    {{.value = "increase(group.lost,", .warning = "1"}, "value", "expected `increase("},
    {{.value = "increase(", .warning = "1"}, "value", "expected `increase("},
    {{.value = "increase(group.lost, )", .warning = "1"}, "value", "the window of an increase"},
    {{.value = "increase(group.lost, 5)", .warning = "1"}, "value", "the window of an increase"},
    {{.value = "increase(group.lost, 0s)", .warning = "1"}, "value", "a time above 0"},
    {{.value = "increase(group.lost, -5m)", .warning = "1"}, "value", "the window of an increase"},
    {{.value = "increase(group.lst, 5m)", .warning = "1"}, "value", "did you mean `lost`?"},
    {{.value = "increase(lost, 5m)", .warning = "1"}, "value", "expected `measurement.field`"},
    {{.value = "rate(group.lost, 5m)", .warning = "1"}, "value", "unknown measurement `rate(gro"},
    {{.value = "group.life", .warning = "1"}, "value", "`life` is a text, which no range fits"},
    {{.value = "group.life", .critical = "1:", .where = "life=silent"}, "value", "is a text"},
    {{.value = "increase(group.life, 5m)", .where = "life=silent"}, "value", "is a text"},
    /* ranges */
    {{PENDING, .warning = ""}, "warning", "expected a range"},
    {{PENDING, .warning = "ten"}, "warning", "expected a range"},
    {{PENDING, .critical = "20:10"}, "critical", "low end is not above"},
    {{PENDING, .critical = "nan"}, "critical", "expected a range"},
    {{PENDING, .warning = "1", .clear = "x"}, "clear", "expected a range"},
    /* severity */
    {{PENDING, .where = "exists=true", .severity = "page"}, "severity",
     "expected `warning` or `critical`"},
    {{PENDING, .where = "exists=true", .severity = "Critical"}, "severity", "expected `warning`"},
    {{PENDING, .where = "exists=true", .severity = ""}, "severity", "expected `warning`"},
    {{PENDING, .warning = "1", .severity = "critical"}, "severity", "comes from `warning`"},
    {{PENDING}, "value", "would always alarm"},
    {{PENDING, .severity = "warning"}, "value", "would always alarm"},
    /* times */
    {{PENDING, .warning = "1", .hold = "30"}, "for", "needs a unit"},
    {{PENDING, .warning = "1", .hold = "soon"}, "for", "expected a duration"},
    {{PENDING, .warning = "1", .hold = "-1s"}, "for", "negative"},
    {{PENDING, .warning = "1", .clear_hold = "1x"}, "clear_for", "expected a duration"},
    {{PENDING, .warning = "1", .repeat = "often"}, "repeat", "expected a duration"},
    {{PENDING, .warning = "1", .repeat = ""}, "repeat", "expected a duration"},
    /* where */
    {{PENDING, .warning = "1", .where = "topic"}, "where", "expected conditions such as"},
    {{PENDING, .warning = "1", .where = "topic=a, agent"}, "where", "expected conditions"},
    {{PENDING, .warning = "1", .where = ","}, "where", "expected conditions"},
    {{PENDING, .warning = "1", .where = "topc=a"}, "where",
     "unknown tag or field `topc` (did you mean `topic`?)"},
    {{PENDING, .warning = "1", .where = "lif=silent"}, "where", "did you mean `life`?"},
    {{PENDING, .warning = "1", .where = "=a"}, "where", "unknown tag or field ``"},
    {{PENDING, .warning = "1", .where = "runner=lost"}, "where", "unknown tag or field `runner`"},
    {{PENDING, .warning = "1", .where = "exists=true, xists=true"}, "where",
     "did you mean `exists`?"},
    /* unless */
    {{PENDING, .warning = "1", .unless = "runner=lost"}, "unless", "expected `measurement.field="},
    {{PENDING, .warning = "1", .unless = ""}, "unless", "expected `measurement.field="},
    {{PENDING, .warning = "1", .unless = "helth.runner=lost"}, "unless",
     "did you mean `health`?"},
    {{PENDING, .warning = "1", .unless = "health.runer=lost"}, "unless",
     "did you mean `runner`?"},
    {{PENDING, .warning = "1", .unless = "health.runner"}, "unless", "expected conditions"},
    {{PENDING, .warning = "1", .unless = "health.pending=1"}, "unless", "unknown tag or field"},
    /* summary */
    {{PENDING, .warning = "1", .summary = "{"}, "summary", "a `{` without its `}`"},
    {{PENDING, .warning = "1", .summary = "a {topic} and {agent"}, "summary", "without its `}`"},
    {{PENDING, .warning = "1", .summary = "{}"}, "summary", "unknown tag or field ``"},
    {{PENDING, .warning = "1", .summary = "{tpic}"}, "summary", "did you mean `topic`?"},
    {{PENDING, .warning = "1", .summary = "{ topic }"}, "summary", "unknown tag or field ` topic"},
    {{PENDING, .warning = "1", .summary = "{{topic}}"}, "summary", "unknown tag or field `{topic"},
    {{PENDING, .warning = "1", .summary = "{runner}"}, "summary", "unknown tag or field `runner`"},
};

struct complaints {
    struct ov_buf text;
    size_t count;
};

static void note(void *context, const char *key, const char *problem)
{
    struct complaints *c = context;
    c->count++;
    ov_buf_printf(&c->text, "%s: %s\n", key, problem);
}

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(refused); i++) {
        struct ov_rule text = refused[i].rule;
        struct complaints c = {0};
        struct ov_buf expected = {0};
        text.name = "r";
        struct ov_compiled_rule *rule = ov_rule_compile(&text, &rig_catalogue, note, &c);
        ov_buf_printf(&expected, "%s: ", refused[i].key);
        const char *line = strstr(ov_buf_text(&c.text), ov_buf_text(&expected));
        if (rule || c.count != 1 || !line || !strstr(line, refused[i].problem))
            fail_msg("row %zu (`%s`): expected %s%s, got %s", i, refused[i].problem,
                     ov_buf_text(&expected), refused[i].problem, ov_buf_text(&c.text));
        for (size_t b = 0; b < c.text.len; b++)
            if ((unsigned char)c.text.data[b] < 0x20 && c.text.data[b] != '\n')
                fail_msg("row %zu: a control byte in %s", i, ov_buf_text(&c.text));
        ov_buf_free(&c.text);
        ov_buf_free(&expected);
    }
}

/* All that is wrong is said in one go. */
static void test_all_at_once(void **state)
{
    const struct ov_rule text = {
        .name = "r", .value = "group.pendng", .where = "lif=a, topc=b", .unless = "x.y=z",
        .warning = "a", .critical = "b", .clear = "c", .severity = "d", .hold = "e",
        .clear_hold = "f", .repeat = "g", .summary = "{h} {i}",
    };
    struct complaints c = {0};
    (void)state;
    assert_null(ov_rule_compile(&text, &rig_catalogue, note, &c));
    assert_int_equal(c.count, 13);
    ov_buf_free(&c.text);
}

static void test_an_empty_catalogue(void **state)
{
    const struct ov_catalogue nothing = {NULL, 0};
    const struct ov_rule text = {.name = "r", PENDING, .warning = "1"};
    struct complaints c = {0};
    (void)state;
    assert_null(ov_rule_compile(&text, &nothing, note, &c));
    assert_non_null(strstr(ov_buf_text(&c.text), "unknown measurement `group`"));
    ov_buf_free(&c.text);
}

static void test_catalogue_has_each_once(void **state)
{
    const struct ov_measurement *const list[] = {&rig_group, &rig_health, &rig_group, NULL};
    struct ov_catalogue catalogue = {0};
    (void)state;
    ov_catalogue_add(&catalogue, NULL);
    assert_int_equal(catalogue.count, 0);
    ov_catalogue_add(&catalogue, list);
    ov_catalogue_add(&catalogue, list);
    assert_int_equal(catalogue.count, 2);
    free(catalogue.list);
}

/* ---------------------------------------------------------------- taken */

static void test_what_it_says(void **state)
{
    const struct ov_rule text = {
        .name = "lost tasks", .value = " increase( group.lost , 10m )", .critical = "0",
        .hold = "30s", .repeat = "1h", .description = "why",
    };
    struct ov_compiled_rule *rule = rig_rule(&text);
    (void)state;
    assert_string_equal(ov_rule_name(rule), "lost tasks");
    assert_ptr_equal(ov_rule_measurement(rule), &rig_group);
    assert_string_equal(ov_rule_field(rule)->name, "lost");
    assert_int_equal(ov_rule_window_ms(rule), 600000);
    assert_int_equal(ov_rule_hold_ms(rule), 30000);
    assert_int_equal(ov_rule_clear_ms(rule), 30000); /* as `for` */
    assert_int_equal(ov_rule_repeat_ms(rule), 3600000);
    assert_null(ov_rule_warning(rule));
    assert_string_equal(ov_rule_critical(rule), "0");
    assert_string_equal(ov_rule_description(rule), "why");
    assert_null(ov_rule_muting_measurement(rule));
    ov_rule_free(rule);
    ov_rule_free(NULL);
}

static void test_what_it_does_not_say(void **state)
{
    const struct ov_rule text = {.name = "r", PENDING, .warning = "5", .clear_hold = "2s",
                                 .unless = "health.runner=lost"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    (void)state;
    assert_int_equal(ov_rule_window_ms(rule), 0);
    assert_int_equal(ov_rule_hold_ms(rule), 0);
    assert_int_equal(ov_rule_clear_ms(rule), 2000);
    assert_int_equal(ov_rule_repeat_ms(rule), 0);
    assert_string_equal(ov_rule_description(rule), "");
    assert_ptr_equal(ov_rule_muting_measurement(rule), &rig_health);
    ov_rule_free(rule);
}

/* ---------------------------------------------------------------- which samples */

static const struct {
    const char *where;
    enum ov_match match;
} looks[] = {
    /* of topic eu:orders, no group, agent "mail, fast"; pending 7, ratio 0.25, exists; no life */
    {"", OV_MATCH_YES}, {" ", OV_MATCH_YES}, {"topic=eu:orders, ", OV_MATCH_YES},
    {"topic=eu:orders", OV_MATCH_YES}, {"topic = eu:orders ", OV_MATCH_YES},
    {"topic=eu:*", OV_MATCH_YES}, {"topic=us:*", OV_MATCH_NO}, {"topic=EU:*", OV_MATCH_NO},
    {"topic=eu", OV_MATCH_NO}, {"topic=orders", OV_MATCH_NO}, {"topic=", OV_MATCH_NO},
    {"topic=us:*|eu:*", OV_MATCH_YES}, {"topic=a|b|c", OV_MATCH_NO}, {"topic=|", OV_MATCH_NO},
    {"topic=eu:orders|", OV_MATCH_YES}, {"topic=|eu:orders", OV_MATCH_YES},
    {"topic=a=b", OV_MATCH_NO}, {"topic=?*", OV_MATCH_YES}, {"topic=[!e]*", OV_MATCH_NO},
    {"agent=mail?? fast", OV_MATCH_NO}, {"agent=mail? fast", OV_MATCH_YES},
    {"pending=7", OV_MATCH_YES}, {"pending=[!0]*", OV_MATCH_YES}, {"pending=70", OV_MATCH_NO},
    {"trim_ratio=0.25", OV_MATCH_YES}, {"trim_ratio=0.*", OV_MATCH_YES},
    {"trim_ratio=0", OV_MATCH_NO}, {"exists=true", OV_MATCH_YES}, {"exists=false", OV_MATCH_NO},
    {"exists=1", OV_MATCH_NO}, {"exists=true|false", OV_MATCH_YES},
    {"topic=eu:*, exists=true, pending=7", OV_MATCH_YES},
    {"topic=eu:*, exists=true, pending=8", OV_MATCH_NO},
    {"topic=us:*, exists=true", OV_MATCH_NO},
    /* what is absent is not known, and matches the empty pattern alone */
    {"life=silent", OV_MATCH_UNKNOWN}, {"life=*", OV_MATCH_UNKNOWN}, {"life=?", OV_MATCH_UNKNOWN},
    {"life=", OV_MATCH_YES}, {"life=silent|", OV_MATCH_YES}, {"life=|silent", OV_MATCH_YES},
    {"group=g", OV_MATCH_UNKNOWN}, {"group=", OV_MATCH_YES},
    {"life=silent, topic=eu:*", OV_MATCH_UNKNOWN}, {"topic=eu:*, life=silent", OV_MATCH_UNKNOWN},
    {"life=silent, topic=us:*", OV_MATCH_NO}, {"topic=us:*, life=silent", OV_MATCH_NO},
    {"life=silent, group=g", OV_MATCH_UNKNOWN}, {"life=, topic=us:*", OV_MATCH_NO},
};

static struct ov_sample *typical(struct ov_batch *batch)
{
    struct ov_sample *s = rig_sample(batch, "eu:orders", NULL, "mail, fast");
    ov_sample_int(s, GROUP_PENDING, 7);
    ov_sample_float(s, GROUP_RATIO, 0.25);
    ov_sample_bool(s, GROUP_EXISTS, true);
    return s;
}

static void test_looks(void **state)
{
    static const struct ov_map no_tags;
    static const char *const words[] = {"no", "yes", "unknown"};
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    const struct ov_sample *sample = typical(batch);
    (void)state;
    for (size_t i = 0; i < OV_COUNT(looks); i++) {
        const struct ov_rule text = {.name = "r", PENDING, .warning = "5",
                                     .where = looks[i].where};
        struct ov_compiled_rule *rule = rig_rule(&text);
        double value;
        enum ov_match match = ov_rule_look(rule, sample, &value);
        if (match != looks[i].match || !(fabs(value - 7) < 1e-9))
            fail_msg("%s: expected %s, got %s of %g", looks[i].where, words[looks[i].match],
                     words[match], value);
        ov_rule_free(rule);
    }
    ov_batch_free(batch);
}

static void test_values_of_each_type(void **state)
{
    static const struct {
        const char *value, *where;
        double expected; /* NaN: none */
        enum ov_match match;
    } rows[] = {
        {"group.pending", NULL, 7, OV_MATCH_YES},
        {"group.trim_ratio", NULL, 0.25, OV_MATCH_YES},
        {"group.exists", NULL, 1, OV_MATCH_YES},
        {"group.lost", NULL, (double)NAN, OV_MATCH_UNKNOWN},             /* absent */
        {"group.lost", "topic=us:*", (double)NAN, OV_MATCH_NO},          /* another's anyway */
    };
    static const struct ov_map no_tags;
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    const struct ov_sample *sample = typical(batch);
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct ov_rule text = {.name = "r", .value = rows[i].value, .where = rows[i].where,
                                     .warning = "5"};
        struct ov_compiled_rule *rule = rig_rule(&text);
        double value;
        enum ov_match match = ov_rule_look(rule, sample, &value);
        bool same = isnan(rows[i].expected) ? isnan(value) : fabs(value - rows[i].expected) < 1e-9;
        if (match != rows[i].match || !same)
            fail_msg("%s, %s: %d of %g", rows[i].value, rows[i].where ? rows[i].where : "",
                     (int)match, value);
        ov_rule_free(rule);
    }
    ov_batch_free(batch);
}

/* A rule without ranges needs no value: its conditions alone alarm. */
static void test_conditions_alone(void **state)
{
    static const struct ov_map no_tags;
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    struct ov_sample *sample = rig_sample(batch, "t", "g", "a");
    const struct ov_rule text = {.name = "r", .value = "group.life", .where = "life=silent"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    double value;
    (void)state;
    assert_int_equal(ov_rule_look(rule, sample, &value), OV_MATCH_UNKNOWN);
    ov_sample_text(batch, sample, GROUP_LIFE, OV_SLICE("silent"));
    assert_int_equal(ov_rule_look(rule, sample, &value), OV_MATCH_YES);
    assert_true(isnan(value));
    assert_int_equal(ov_rule_severity(rule, value, false), OV_SEVERITY_CRITICAL);
    ov_rule_free(rule);
    ov_batch_free(batch);
}

static void test_mutes(void **state)
{
    static const struct ov_map no_tags;
    static const struct {
        const char *unless, *runner;
        enum ov_match muted;
    } rows[] = {
        {"health.runner=lost|stopped", "lost", OV_MATCH_YES},
        {"health.runner=lost|stopped", "stopped", OV_MATCH_YES},
        {"health.runner=lost|stopped", "active", OV_MATCH_NO},
        {"health.runner=lost|stopped", NULL, OV_MATCH_UNKNOWN},
        {" health.runner = lost ", "lost", OV_MATCH_YES},
        {"health.runner=*", "active", OV_MATCH_YES},
        {"health.runner=*", NULL, OV_MATCH_UNKNOWN},
        {"health.runner=lost, status=3", "lost", OV_MATCH_YES},
        {"health.runner=lost, status=4", "lost", OV_MATCH_NO},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct ov_rule text = {.name = "r", PENDING, .warning = "5",
                                     .unless = rows[i].unless};
        struct ov_compiled_rule *rule = rig_rule(&text);
        struct ov_batch *batch = ov_batch_new(&no_tags, 0);
        struct ov_sample *s = ov_batch_add(batch, &rig_health);
        ov_sample_int(s, HEALTH_STATUS, 3);
        if (rows[i].runner)
            ov_sample_text(batch, s, HEALTH_RUNNER, ov_slice(rows[i].runner));
        if (ov_rule_look_muting(rule, s) != rows[i].muted)
            fail_msg("%s with %s", rows[i].unless, rows[i].runner ? rows[i].runner : "nothing");
        ov_batch_free(batch);
        ov_rule_free(rule);
    }
}

/* ---------------------------------------------------------------- severities */

static const struct {
    const char *warning, *critical, *clear, *severity;
    double value;
    bool firing;
    enum ov_severity expected;
} severities[] = {
    {"100", "1000", NULL, NULL, 100, false, OV_SEVERITY_NONE},
    {"100", "1000", NULL, NULL, 100.5, false, OV_SEVERITY_WARNING},
    {"100", "1000", NULL, NULL, 1000, false, OV_SEVERITY_WARNING},
    {"100", "1000", NULL, NULL, 1000.5, false, OV_SEVERITY_CRITICAL},
    {"100", "1000", NULL, NULL, -1, false, OV_SEVERITY_CRITICAL},
    {"100", NULL, NULL, NULL, 1e9, false, OV_SEVERITY_WARNING},
    {NULL, "100", NULL, NULL, 99, false, OV_SEVERITY_NONE},
    {NULL, "100", NULL, NULL, 101, false, OV_SEVERITY_CRITICAL},
    {"0.95:", "0.8:", NULL, NULL, 0.95, false, OV_SEVERITY_NONE},
    {"0.95:", "0.8:", NULL, NULL, 0.8, false, OV_SEVERITY_WARNING},
    {"0.95:", "0.8:", NULL, NULL, 0.79, false, OV_SEVERITY_CRITICAL},
    {"1000", "100", NULL, NULL, 500, false, OV_SEVERITY_CRITICAL}, /* the worse one wins */
    {"1", "1", NULL, NULL, (double)NAN, false, OV_SEVERITY_NONE},
    {"1", "1", "1", NULL, (double)NAN, true, OV_SEVERITY_NONE},
    /* the clear threshold holds what fires, and nothing else */
    {"80", "90", "70", NULL, 75, false, OV_SEVERITY_NONE},
    {"80", "90", "70", NULL, 75, true, OV_SEVERITY_WARNING},
    {"80", "90", "70", NULL, 70, true, OV_SEVERITY_NONE},
    {"80", "90", "70", NULL, 95, true, OV_SEVERITY_CRITICAL},
    {NULL, "90", "70", NULL, 75, true, OV_SEVERITY_CRITICAL},
    {NULL, "90", "70", NULL, 75, false, OV_SEVERITY_NONE},
    /* without ranges */
    {NULL, NULL, NULL, NULL, 0, false, OV_SEVERITY_CRITICAL},
    {NULL, NULL, NULL, "critical", (double)NAN, false, OV_SEVERITY_CRITICAL},
    {NULL, NULL, NULL, "warning", 5, true, OV_SEVERITY_WARNING},
};

static void test_severities(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(severities); i++) {
        const struct ov_rule text = {
            .name = "r", PENDING, .where = "exists=true", .warning = severities[i].warning,
            .critical = severities[i].critical, .clear = severities[i].clear,
            .severity = severities[i].severity,
        };
        struct ov_compiled_rule *rule = rig_rule(&text);
        enum ov_severity got = ov_rule_severity(rule, severities[i].value, severities[i].firing);
        if (got != severities[i].expected)
            fail_msg("row %zu: expected %s, got %s", i, ov_severity_word(severities[i].expected),
                     ov_severity_word(got));
        ov_rule_free(rule);
    }
    assert_string_equal(ov_severity_word(OV_SEVERITY_NONE), "ok");
}

static void test_thresholds(void **state)
{
    const struct ov_rule both = {.name = "r", PENDING, .warning = "1", .critical = "@2:3"};
    const struct ov_rule none = {.name = "r", PENDING, .where = "exists=true"};
    struct ov_compiled_rule *rule = rig_rule(&both);
    (void)state;
    assert_string_equal(ov_rule_threshold(rule, OV_SEVERITY_WARNING), "1");
    assert_string_equal(ov_rule_threshold(rule, OV_SEVERITY_CRITICAL), "@2:3");
    ov_rule_free(rule);
    rule = rig_rule(&none);
    assert_string_equal(ov_rule_threshold(rule, OV_SEVERITY_CRITICAL), "");
    ov_rule_free(rule);
}

static void test_other_ranges(void **state)
{
    const struct ov_rule text = {.name = "r", PENDING, .warning = "1", .critical = "2"};
    const struct ov_rule plain = {.name = "r", PENDING, .where = "exists=true"};
    struct ov_compiled_rule *rule = rig_rule(&text);
    (void)state;
    /* a refusal changes nothing */
    assert_non_null(ov_rule_set_ranges(rule, "5", "x"));
    assert_non_null(ov_rule_set_ranges(rule, "5:1", "9"));
    assert_int_equal(ov_rule_severity(rule, 2, false), OV_SEVERITY_WARNING);
    assert_int_equal(ov_rule_severity(rule, 3, false), OV_SEVERITY_CRITICAL);
    assert_string_equal(ov_rule_warning(rule), "1");
    /* what is not given is left out */
    assert_null(ov_rule_set_ranges(rule, "10", NULL));
    assert_int_equal(ov_rule_severity(rule, 3, false), OV_SEVERITY_NONE);
    assert_int_equal(ov_rule_severity(rule, 11, false), OV_SEVERITY_WARNING);
    assert_null(ov_rule_critical(rule));
    assert_null(ov_rule_set_ranges(rule, NULL, "10"));
    assert_int_equal(ov_rule_severity(rule, 11, false), OV_SEVERITY_CRITICAL);
    assert_null(ov_rule_warning(rule));
    ov_rule_free(rule);
    rule = rig_rule(&plain); /* its conditions alone alarmed */
    assert_null(ov_rule_set_ranges(rule, "10", NULL));
    assert_int_equal(ov_rule_severity(rule, 9, false), OV_SEVERITY_NONE);
    ov_rule_free(rule);
}

/* ---------------------------------------------------------------- summaries */

static void test_summaries(void **state)
{
    static const struct {
        const char *summary, *text;
    } rows[] = {
        {NULL, "7"},
        {"", ""},
        {"plain", "plain"},
        {"{topic}", "eu:orders"},
        {"{agent} on {topic}: {pending}", "mail, fast on eu:orders: 7"},
        {"{value} over {threshold}, {severity}", "7 over 5, critical"},
        {"{exists} {trim_ratio}", "true 25.0 %"},
        {"{group}{life}{lost}", "???"}, /* absent */
        {"a}b", "a}b"},
        {"}{value}{", NULL},
        {"%s %n {value}%", "%s %n 7%"},
    };
    static const struct ov_map no_tags;
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    const struct ov_sample *sample = typical(batch);
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct ov_rule text = {.name = "r", PENDING, .critical = "5",
                                     .summary = rows[i].summary};
        struct complaints c = {0};
        struct ov_buf out = {0};
        struct ov_compiled_rule *rule = ov_rule_compile(&text, &rig_catalogue, note, &c);
        if (!rule != !rows[i].text)
            fail_msg("%s: %s", rows[i].summary, ov_buf_text(&c.text));
        if (rule)
            ov_rule_summary(rule, sample, 7, OV_SEVERITY_CRITICAL, &out);
        if (rule && strcmp(ov_buf_text(&out), rows[i].text) != 0)
            fail_msg("%s: expected %s, got %s", rows[i].summary, rows[i].text, ov_buf_text(&out));
        ov_rule_free(rule);
        ov_buf_free(&c.text);
        ov_buf_free(&out);
    }
    ov_batch_free(batch);
}

/* Values and fields are for persons, each by its unit; what is exact is beside them. */
static void test_summaries_by_unit(void **state)
{
    static const struct {
        double value;
        const char *seconds, *bytes, *ratio, *percent, *plain;
    } rows[] = {
        {0.5711288292068821, "571.1ms", "1 B", "57.1 %", "0.571 %", "0.571"},
        {192.4, "3m12s", "192 B", "19240.0 %", "192.4 %", "192.4"},
        {13002342.4, "150d", "12.4 MiB", "1300234240.0 %", "13002342.4 %", "13002342.4"},
        {0, "0s", "0 B", "0.0 %", "0 %", "0"},
        {(double)NAN, "?", "?", "?", "?", "?"},
        {-(double)INFINITY, "?", "?", "?", "?", "?"},
    };
    static const struct ov_field fields[] = {
        {"a", OV_FLOAT, OV_GAUGE, "seconds", ""}, {"b", OV_FLOAT, OV_GAUGE, "bytes", ""},
        {"c", OV_FLOAT, OV_GAUGE, "ratio", ""},   {"d", OV_FLOAT, OV_GAUGE, "percent", ""},
        {"e", OV_FLOAT, OV_GAUGE, "", ""},
    };
    static const struct ov_measurement m = {
        .name = "m", .help = "", .fields = fields, .field_count = OV_COUNT(fields),
    };
    static const struct ov_measurement *list[] = {&m};
    static const struct ov_catalogue catalogue = {list, 1};
    static const struct ov_map no_tags;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        for (unsigned k = 0; k < OV_COUNT(fields); k++) {
            const char *const texts[] = {rows[i].seconds, rows[i].bytes, rows[i].ratio,
                                         rows[i].percent, rows[i].plain};
            char value[8], summary[16], expected[64];
            struct ov_batch *batch = ov_batch_new(&no_tags, 0);
            struct ov_sample *s = ov_batch_add(batch, &m);
            struct ov_buf out = {0};
            snprintf(value, sizeof value, "m.%s", fields[k].name);
            snprintf(summary, sizeof summary, "{value} {%s}", fields[k].name);
            snprintf(expected, sizeof expected, "%s %s", texts[k], texts[k]);
            const struct ov_rule text = {.name = "r", .value = value, .critical = "5",
                                         .summary = summary};
            struct ov_compiled_rule *rule = ov_rule_compile(&text, &catalogue, rig_complain, NULL);
            ov_sample_float(s, k, rows[i].value);
            ov_rule_summary(rule, s, rows[i].value, OV_SEVERITY_CRITICAL, &out);
            if (strcmp(ov_buf_text(&out), expected) != 0)
                fail_msg("%g: expected %s, got %s", rows[i].value, expected, ov_buf_text(&out));
            ov_buf_free(&out);
            ov_rule_free(rule);
            ov_batch_free(batch);
        }
}

static void test_summary_without_a_value(void **state)
{
    static const struct ov_map no_tags;
    const struct ov_rule text = {.name = "r", PENDING, .where = "exists=true"};
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_buf out = {0};
    (void)state;
    ov_rule_summary(rule, rig_sample(batch, "t", "g", "a"), (double)NAN, OV_SEVERITY_CRITICAL,
                    &out);
    assert_string_equal(ov_buf_text(&out), "?");
    ov_buf_free(&out);
    ov_rule_free(rule);
    ov_batch_free(batch);
}

/* What it rests on: not what is only told. */
static void test_fields(void **state)
{
    static const struct {
        const char *value, *where, *unless, *warning;
        uint64_t group, health;
    } rows[] = {
        {"group.pending", NULL, NULL, "5", 1 << GROUP_PENDING, 0},
        {"group.pending", "exists=true, topic=a", NULL, "5",
         1 << GROUP_PENDING | 1 << GROUP_EXISTS, 0},
        {"group.pending", "life=silent", NULL, NULL, 1 << GROUP_LIFE, 0},
        {"group.pending", NULL, "health.runner=lost, status=1", "5", 1 << GROUP_PENDING,
         1 << HEALTH_RUNNER | 1 << HEALTH_STATUS},
        {"increase(group.lost, 5m)", NULL, NULL, "0", 1 << GROUP_LOST, 0},
        {"health.status", NULL, "group.life=paused", "0", 1 << GROUP_LIFE, 1 << HEALTH_STATUS},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct ov_rule text = {.name = "r", .value = rows[i].value, .where = rows[i].where,
                                     .unless = rows[i].unless, .warning = rows[i].warning,
                                     .summary = "{value}"};
        struct ov_compiled_rule *rule = rig_rule(&text);
        if (ov_rule_fields(rule, &rig_group) != rows[i].group ||
            ov_rule_fields(rule, &rig_health) != rows[i].health)
            fail_msg("row %zu", i);
        ov_rule_free(rule);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_an_empty_catalogue),
        cmocka_unit_test(test_catalogue_has_each_once),
        cmocka_unit_test(test_what_it_says),
        cmocka_unit_test(test_what_it_does_not_say),
        cmocka_unit_test(test_looks),
        cmocka_unit_test(test_values_of_each_type),
        cmocka_unit_test(test_conditions_alone),
        cmocka_unit_test(test_mutes),
        cmocka_unit_test(test_fields),
        cmocka_unit_test(test_severities),
        cmocka_unit_test(test_thresholds),
        cmocka_unit_test(test_other_ranges),
        cmocka_unit_test(test_summaries),
        cmocka_unit_test(test_summaries_by_unit),
        cmocka_unit_test(test_summary_without_a_value),
    };
    return cmocka_run_group_tests_name("rule", tests, NULL, NULL);
}
