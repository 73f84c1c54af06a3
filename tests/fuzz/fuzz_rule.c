/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a range, and line by line as the members of a rule. A range that is taken is in
 * order and alarms as its ends say; a rule is compiled or complained about, never both, and what
 * was compiled can be asked about samples. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "rule_rig.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "%s\n", what);
        abort();
    }
}

static void check_range(struct ov_slice text)
{
    struct ov_range range = {.low = 1, .high = -1};
    if (ov_range_parse(text, &range)) {
        require(range.low > range.high, "a refused range was changed");
        return;
    }
    require(range.low <= range.high, "out of order");
    require(ov_range_alarms(&range, range.low) == range.inside, "the low end is not of the range");
    require(ov_range_alarms(&range, range.high) == range.inside, "nor the high end");
    require(!isfinite(range.low) ||
                ov_range_alarms(&range, nextafter(range.low, -HUGE_VAL)) != range.inside,
            "what is below is");
    require(!isfinite(range.high) ||
                ov_range_alarms(&range, nextafter(range.high, HUGE_VAL)) != range.inside,
            "what is above is");
    require(!ov_range_alarms(&range, (double)NAN), "NaN alarms");
}

/* Complaints can be printed on a terminal. */
static void note(void *context, const char *key, const char *problem)
{
    require(*key && *problem, "an empty complaint");
    for (const char *c = problem; *c; c++)
        require((unsigned char)*c >= 0x20, "a control byte in a complaint");
    ++*(size_t *)context;
}

static void ask(const struct ov_compiled_rule *rule)
{
    static const struct ov_map no_tags;
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    struct ov_sample *full = rig_sample(batch, "a", "b|c", "d, e");
    struct ov_buf out = {0};
    ov_sample_int(full, GROUP_PENDING, 7);
    ov_sample_float(full, GROUP_RATIO, -0.25);
    ov_sample_text(batch, full, GROUP_LIFE, OV_SLICE("silent"));
    rig_sample(batch, NULL, NULL, NULL);
    ov_sample_text(batch, ov_batch_add(batch, &rig_health), HEALTH_RUNNER, OV_SLICE("lost"));
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        double value;
        if (s->measurement == ov_rule_muting_measurement(rule))
            (void)ov_rule_look_muting(rule, s);
        if (s->measurement != ov_rule_measurement(rule))
            continue;
        enum ov_match match = ov_rule_look(rule, s, &value);
        require(match <= OV_MATCH_UNKNOWN, "no answer");
        enum ov_severity severity = ov_rule_severity(rule, value, true);
        ov_buf_reset(&out);
        ov_rule_summary(rule, s, value, severity, &out);
        require(ov_rule_threshold(rule, severity) != NULL, "no threshold");
    }
    ov_buf_free(&out);
    ov_batch_free(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = ov_memdup(data, size), *rest = text;
    struct ov_rule rule = {.name = "fuzz"};
    const char **members[] = {
        &rule.value, &rule.where, &rule.unless, &rule.warning, &rule.critical, &rule.severity,
        &rule.clear, &rule.hold, &rule.clear_hold, &rule.repeat, &rule.summary, &rule.description,
    };
    size_t complaints = 0;
    check_range((struct ov_slice){text, size});
    for (size_t i = 0; i < OV_COUNT(members); i++) {
        const char *line = strsep(&rest, "\n");
        *members[i] = line && *line ? line : NULL;
    }
    struct ov_compiled_rule *compiled = ov_rule_compile(&rule, &rig_catalogue, note, &complaints);
    require(!compiled == (complaints > 0), "a rule and complaints do not go together");
    if (compiled)
        ask(compiled);
    ov_rule_free(compiled);
    free(text);
    return 0;
}
