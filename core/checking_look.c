/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A sample that lacks what a rule is about is fine where there is nothing to be measured (the age
 * of the oldest task, where none waits), and unknown where the batch says that it could not be
 * read, or where the rule was asked for by its name and has no value at all, or one that a single
 * look cannot know.
 */
#include <math.h>
#include <stdlib.h>

#include "batch.h"
#include "checking.h"

/* How far a rule got. */
struct looking {
    struct ov_checking *c;
    size_t rule;
    const char *input; /* the present one's name where several measure the same, else NULL */
    bool failed;       /* the present one did */
    size_t samples, decided, unread;
};

static const struct ov_compiled_rule *rule_of(const struct looking *l)
{
    return l->c->settings->rules[l->rule];
}

/* ---------------------------------------------------------------- what was asked for */

static bool has_tag(const struct ov_measurement *m, const char *name)
{
    for (unsigned i = 0; i < m->tag_count; i++)
        if (strcmp(m->tags[i], name) == 0)
            return true;
    return false;
}

/* Whether some sample could be of what was asked for. */
static bool can_pass(const struct ov_checking *c, const struct ov_measurement *m)
{
    return (!c->topic || has_tag(m, "topic")) && (!c->agent || has_tag(m, "agent"));
}

/* What is not about topics at all is of no topic that was asked for. */
static bool tag_passes(const struct ov_measurement *m, const struct ov_slice *tags,
                       const char *name, const char *glob, bool empty_passes)
{
    for (unsigned i = 0; glob && i < m->tag_count; i++)
        if (strcmp(m->tags[i], name) == 0)
            return (empty_passes && !tags[i].len) || ov_glob(ov_slice(glob), tags[i]);
    return !glob;
}

static bool passes(const struct ov_checking *c, const struct ov_measurement *m,
                   const struct ov_slice *tags, bool empty_passes)
{
    return tag_passes(m, tags, "topic", c->topic, empty_passes) &&
           tag_passes(m, tags, "agent", c->agent, empty_passes);
}

/* ---------------------------------------------------------------- samples */

static void label_of(const struct looking *l, const struct ov_sample *s, struct ov_buf *label)
{
    ov_buf_str(label, ov_rule_name(rule_of(l)));
    if (l->input)
        ov_buf_printf(label, " %s", l->input);
    for (unsigned i = 0; i < s->measurement->tag_count; i++) {
        if (s->tags[i].len == 0 || strcmp(s->measurement->tags[i], "group") == 0)
            continue; /* a group is its topic and agent */
        ov_buf_char(label, ' ');
        ov_buf_slice(label, s->tags[i]);
    }
}

static bool is_of(const struct ov_unread *u, const struct ov_sample *s)
{
    for (unsigned i = 0; u->tags && i < s->measurement->tag_count; i++)
        if (u->tags[i].len && !ov_slice_eq(u->tags[i], s->tags[i]))
            return false;
    return u->measurement == s->measurement;
}

/* Why the sample lacks something the rule needs; NULL where there is nothing to be measured. */
static const struct ov_unread *why_absent(const struct looking *l, const struct ov_sample *s,
                                          const struct ov_batch *batch)
{
    uint64_t needed = ov_rule_fields(rule_of(l), s->measurement) & ~s->present;
    for (const struct ov_unread *u = ov_batch_first_unread(batch); u; u = u->next)
        if (u->fields & needed && is_of(u, s) && (!u->untold || l->c->named[l->rule]))
            return u;
    return NULL;
}

/* By the rule's `unless`, or by a silence, which is told. */
static bool is_muted(const struct looking *l, const struct ov_sample *s,
                     const struct ov_batch *batch, const struct ov_silence **silence)
{
    const struct ov_settings *settings = l->c->settings;
    struct ov_buf text = {0};
    ov_mute_tags(&text, batch, s);
    struct ov_slice tags = {text.data, text.len};
    bool muted = ov_mutes_hold(&l->c->mutes, rule_of(l), tags);
    *silence = NULL;
    for (size_t i = 0; !muted && !*silence && i < settings->silence_count; i++)
        if (ov_silence_holds(&settings->silences[i], ov_rule_name(rule_of(l)), tags,
                             ov_wall_ns()))
            *silence = &settings->silences[i];
    ov_buf_free(&text);
    return muted || *silence;
}

static void look_at(struct looking *l, const struct ov_sample *s, const struct ov_batch *batch)
{
    const struct ov_compiled_rule *rule = rule_of(l);
    struct ov_buf summary = {0}, label = {0};
    enum ov_check_state state = OV_CHECK_OK, silenced = OV_CHECK_OK;
    const struct ov_silence *silence = NULL;
    bool no_value = false;
    double value;
    l->samples++;
    enum ov_match match = ov_rule_look(rule, s, &value);
    label_of(l, s, &label);
    l->decided += match != OV_MATCH_UNKNOWN;
    if (match == OV_MATCH_UNKNOWN) {
        const struct ov_unread *u = why_absent(l, s, batch);
        if (u) {
            l->unread++;
            state = l->c->unknown_as;
            ov_buf_printf(&summary, "%s: ", ov_buf_text(&label));
            ov_buf_slice(&summary, u->why);
        } else if (l->failed) {
            state = l->c->unknown_as;
            ov_buf_printf(&summary, "%s: not known", ov_buf_text(&label));
        } else {
            no_value = true;
        }
    } else if (match == OV_MATCH_YES) {
        enum ov_severity severity = ov_rule_severity(rule, value, false);
        bool muted = severity != OV_SEVERITY_NONE && is_muted(l, s, batch, &silence);
        if (severity != OV_SEVERITY_NONE && (!muted || silence)) {
            *(silence ? &silenced : &state) = (enum ov_check_state)severity;
            if (l->input)
                ov_buf_printf(&summary, "%s: ", l->input);
            ov_rule_summary(rule, s, value, severity, &summary);
        }
    }
    ov_checking_add(l->c, rule, state, value, ov_buf_text(&summary), ov_buf_text(&label));
    struct ov_checked *added = &l->c->findings[l->c->finding_count - 1];
    added->sample = s;
    added->no_value = no_value;
    added->silence = silence;
    added->silenced = silenced;
    ov_buf_free(&summary);
    ov_buf_free(&label);
}

/* ---------------------------------------------------------------- a whole rule */

/* Samples of the rule that are missing as a whole, because they could not be read. */
static void look_at_unread(struct looking *l, const struct ov_batch *batch)
{
    const struct ov_measurement *m = ov_rule_measurement(rule_of(l));
    const struct ov_unread *first = NULL;
    struct ov_buf text = {0};
    size_t more = 0;
    for (const struct ov_unread *u = ov_batch_first_unread(batch); u; u = u->next) {
        if (u->measurement != m || u->fields || (u->tags && !passes(l->c, m, u->tags, true)))
            continue;
        more += first != NULL;
        first = first ? first : u;
    }
    if (!first)
        return;
    l->unread++;
    ov_buf_printf(&text, "%s cannot look at everything%s%s: ", ov_rule_name(rule_of(l)),
                  l->input ? " of " : "", l->input ? l->input : "");
    for (unsigned i = 0; first->tags && i < m->tag_count; i++)
        if (first->tags[i].len) {
            ov_buf_printf(&text, "%s ", m->tags[i]);
            ov_buf_slice(&text, first->tags[i]);
            ov_buf_str(&text, ": ");
        }
    ov_buf_slice(&text, first->why);
    if (more)
        ov_buf_printf(&text, " (and %zu more)", more);
    ov_checking_add(l->c, NULL, l->c->unknown_as, (double)NAN, ov_buf_text(&text), NULL);
    ov_buf_free(&text);
}

/* Whether what the rule is about could not be gathered, which is a finding already. */
static bool has_failed(const struct looking *l)
{
    const struct ov_checking *c = l->c;
    for (size_t i = 0; i < c->settings->input_count; i++)
        if (c->failed[i] && ov_checking_looks_at(c, l->rule, i))
            return true;
    return false;
}

/* No sample of a rule that was asked for by its name has a value: that is not fine. */
static void note_no_value(struct looking *l)
{
    for (size_t i = 0; i < l->c->finding_count; i++) {
        struct ov_checked *f = &l->c->findings[i];
        struct ov_buf text = {0};
        if (f->rule != rule_of(l) || !f->label)
            continue;
        ov_buf_printf(&text, "%s: there is no value to look at", f->label);
        free(f->summary);
        f->summary = ov_strdup(ov_buf_text(&text));
        f->state = l->c->nothing_as;
        f->no_value = false;
        ov_buf_free(&text);
    }
}

/* Whether the rule looks at more than one input. */
static bool is_shared(const struct ov_checking *c, size_t rule)
{
    size_t count = 0;
    for (size_t i = 0; i < c->settings->input_count; i++)
        count += ov_checking_looks_at(c, rule, i);
    return count > 1;
}

static void look(struct ov_checking *c, size_t rule)
{
    struct looking l = {.c = c, .rule = rule};
    const struct ov_measurement *m = ov_rule_measurement(rule_of(&l));
    bool shared = is_shared(c, rule);
    for (size_t i = 0; i < c->settings->input_count; i++) {
        const struct ov_batch *batch = ov_checking_looks_at(c, rule, i) ? c->batches[i] : NULL;
        l.input = shared ? c->settings->inputs[i].name : NULL;
        l.failed = c->failed[i];
        for (const struct ov_sample *s = batch ? ov_batch_first(batch) : NULL; s; s = s->next)
            if (s->measurement == m && passes(c, m, s->tags, false))
                look_at(&l, s, batch);
        if (batch && !c->failed[i])
            look_at_unread(&l, batch);
    }
    if (l.unread || has_failed(&l) || l.decided)
        return;
    if (l.samples && c->named[rule]) {
        note_no_value(&l);
    } else if (!l.samples && (c->named[rule] || (c->word_count > 0 && can_pass(c, m)))) {
        struct ov_buf text = {0};
        ov_buf_printf(&text, "nothing found for rule %s", ov_rule_name(rule_of(&l)));
        ov_checking_add(c, NULL, c->nothing_as, (double)NAN, ov_buf_text(&text), NULL);
        ov_buf_free(&text);
    }
}

void ov_checking_look(struct ov_checking *c)
{
    const struct ov_settings *s = c->settings;
    for (size_t r = 0; r < s->rule_count; r++)
        for (size_t i = 0; c->wanted[r] && i < s->input_count; i++)
            if (c->batches[i])
                ov_mutes_see(&c->mutes, s->rules[r], s->inputs[i].name, c->batches[i]);
    for (size_t r = 0; r < s->rule_count; r++)
        if (c->wanted[r])
            look(c, r);
    if (c->finding_count == 0)
        ov_checking_add(c, NULL, c->nothing_as, (double)NAN, "nothing found to look at", NULL);
}
