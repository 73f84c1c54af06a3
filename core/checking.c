/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A word names the rules of an input, else a rule; where both have the name (`runner`, `storage`)
 * the input's rules have that one among them. `rule:NAME` and `input:NAME` say which is meant.
 */
#include <stdlib.h>

#include "batch.h"
#include "checking.h"
#include "nearest.h"

const char *const ov_check_words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
const char *const ov_check_names[] = {"ok", "warning", "critical", "unknown", NULL};

enum ov_check_state ov_check_state_of(const char *name, enum ov_check_state otherwise)
{
    for (int i = 0; name && ov_check_names[i]; i++)
        if (strcmp(name, ov_check_names[i]) == 0)
            return (enum ov_check_state)i;
    return otherwise;
}

void ov_checking_add(struct ov_checking *c, const struct ov_compiled_rule *rule,
                     enum ov_check_state state, double value, const char *summary,
                     const char *label)
{
    c->findings = ov_realloc(c->findings, c->finding_count + 1, sizeof *c->findings);
    c->findings[c->finding_count++] = (struct ov_checked){
        .rule = rule, .state = state, .value = value, .summary = ov_strdup(summary),
        .label = label ? ov_strdup(label) : NULL,
    };
}

void ov_checking_free(struct ov_checking *c)
{
    for (size_t i = 0; c->batches && i < c->settings->input_count; i++)
        ov_batch_free(c->batches[i]);
    for (size_t i = 0; i < c->finding_count; i++) {
        free(c->findings[i].summary);
        free(c->findings[i].label);
    }
    ov_mutes_free(&c->mutes);
    free(c->findings);
    free(c->wanted);
    free(c->named);
    free(c->chosen);
    free(c->failed);
    free(c->batches);
}

/* ---------------------------------------------------------------- which inputs */

static bool measures(const struct ov_plugin *plugin, const struct ov_measurement *m)
{
    for (size_t i = 0; m && plugin->measurements[i]; i++)
        if (plugin->measurements[i] == m)
            return true;
    return false;
}

bool ov_checking_looks_at(const struct ov_checking *c, size_t rule, size_t input)
{
    return c->wanted[rule] && (c->named[rule] || !c->any_chosen || c->chosen[input]) &&
           measures(c->settings->inputs[input].plugin,
                    ov_rule_measurement(c->settings->rules[rule]));
}

bool ov_checking_needs_input(const struct ov_checking *c, size_t input)
{
    const struct ov_settings *s = c->settings;
    for (size_t r = 0; r < s->rule_count; r++)
        if (ov_checking_looks_at(c, r, input) ||
            (c->wanted[r] && measures(s->inputs[input].plugin,
                                      ov_rule_muting_measurement(s->rules[r]))))
            return true;
    return false;
}

bool ov_checking_needs(const void *checking, const struct ov_measurement *m, unsigned field)
{
    const struct ov_checking *c = checking;
    for (size_t i = 0; i < c->settings->rule_count; i++)
        if (c->wanted[i] && ov_rule_fields(c->settings->rules[i], m) >> field & 1)
            return true;
    return false;
}

/* ---------------------------------------------------------------- which rules */

/* Whether an input of the configuration measures what the rule is about. */
static bool can_look(const struct ov_checking *c, const struct ov_compiled_rule *rule)
{
    for (size_t i = 0; i < c->settings->input_count; i++)
        if (measures(c->settings->inputs[i].plugin, ov_rule_measurement(rule)))
            return true;
    return false;
}

/* All rules of an input that one look can decide. False where there is no such input. */
static bool want_input(struct ov_checking *c, const char *name)
{
    const struct ov_settings *s = c->settings;
    bool found = false;
    for (size_t i = 0; i < s->input_count; i++) {
        if (strcmp(s->inputs[i].name, name) != 0 && strcmp(s->inputs[i].plugin->name, name) != 0)
            continue;
        found = c->any_chosen = c->chosen[i] = true;
        for (size_t r = 0; r < s->rule_count; r++)
            c->wanted[r] |= measures(s->inputs[i].plugin, ov_rule_measurement(s->rules[r])) &&
                            ov_rule_window_ms(s->rules[r]) == 0;
    }
    return found;
}

/* False where there is no such rule, with a text in `error` where one look cannot decide it. */
static bool want_rule(struct ov_checking *c, const char *name, struct ov_buf *error)
{
    const struct ov_settings *s = c->settings;
    for (size_t r = 0; r < s->rule_count; r++) {
        if (strcmp(ov_rule_name(s->rules[r]), name) != 0)
            continue;
        if (ov_rule_window_ms(s->rules[r]) > 0) {
            ov_buf_printf(error, "rule %s is about an increase, which one look cannot tell: run "
                          "the agent, which does, and can tell Icinga", name);
            return false;
        }
        c->wanted[r] = c->named[r] = true;
        return true;
    }
    return false;
}

static const char *after(const char *word, const char *prefix)
{
    size_t len = strlen(prefix);
    return strncmp(word, prefix, len) == 0 ? word + len : NULL;
}

static bool want_word(struct ov_checking *c, const char *word, struct ov_buf *error)
{
    const char *input = after(word, "input:"), *rule = after(word, "rule:");
    if (input)
        return want_input(c, input);
    if (rule)
        return want_rule(c, rule, error);
    return want_input(c, word) || want_rule(c, word, error);
}

static void refuse_word(const struct ov_checking *c, const char *word, struct ov_buf *error)
{
    const struct ov_settings *s = c->settings;
    const char *input = after(word, "input:"), *rule = after(word, "rule:");
    struct ov_nearest nearest = {.wanted = ov_slice(input ? input : rule ? rule : word)};
    for (size_t i = 0; !input && i < s->rule_count; i++)
        ov_nearest_try(&nearest, ov_rule_name(s->rules[i]));
    for (size_t i = 0; !rule && i < s->input_count; i++)
        ov_nearest_try(&nearest, s->inputs[i].name);
    ov_buf_printf(error, "no %s is called `", input ? "input" : rule ? "rule"
                                                                     : "rule and no input");
    ov_buf_escaped(error, nearest.wanted);
    ov_buf_char(error, '`');
    ov_nearest_hint(&nearest, error);
}

static bool choose_rules(struct ov_checking *c, struct ov_buf *error)
{
    const struct ov_settings *s = c->settings;
    for (int i = 0; i < c->word_count; i++) {
        if (want_word(c, c->words[i], error))
            continue;
        if (!error->len)
            refuse_word(c, c->words[i], error);
        return false;
    }
    for (size_t i = 0; c->word_count == 0 && i < s->rule_count; i++)
        c->wanted[i] = can_look(c, s->rules[i]) && ov_rule_window_ms(s->rules[i]) == 0;
    return true;
}

/* How many rules there are instead of just one, and how to name one. */
static void refuse_ranges(const struct ov_checking *c, size_t count, struct ov_buf *error)
{
    ov_buf_printf(error, "--warning and --critical need just one rule, not %zu", count);
    for (size_t r = 0; c->word_count == 1 && r < c->settings->rule_count; r++)
        if (strcmp(ov_rule_name(c->settings->rules[r]), c->words[0]) == 0)
            ov_buf_printf(error, ": %s is an input, whose rules are meant; rule:%s is the rule "
                          "alone", c->words[0], c->words[0]);
}

static bool apply_ranges(struct ov_checking *c, struct ov_buf *error)
{
    size_t only = 0, count = 0;
    if (!c->warning && !c->critical)
        return true;
    for (size_t i = 0; i < c->settings->rule_count; i++)
        if (c->wanted[i]) {
            only = i;
            count++;
        }
    if (count != 1) {
        refuse_ranges(c, count, error);
        return false;
    }
    const char *wrong = ov_rule_set_ranges(c->settings->rules[only], c->warning, c->critical);
    if (wrong)
        ov_buf_printf(error, "--%s: %s", c->warning && !c->critical ? "warning" : "critical",
                      wrong);
    return !wrong;
}

bool ov_checking_choose(struct ov_checking *c, struct ov_buf *error)
{
    size_t rules = c->settings->rule_count, inputs = c->settings->input_count;
    c->wanted = ov_calloc(rules, sizeof *c->wanted);
    c->named = ov_calloc(rules, sizeof *c->named);
    c->chosen = ov_calloc(inputs, sizeof *c->chosen);
    c->failed = ov_calloc(inputs, sizeof *c->failed);
    c->batches = ov_calloc(inputs, sizeof *c->batches);
    return choose_rules(c, error) && apply_ranges(c, error);
}
