/* SPDX-License-Identifier: Apache-2.0 */
/* The states of alerts, and what each sample does to them. */
#include <math.h>
#include <stdlib.h>

#include "alerts_inside.h"
#include "scalar.h"
#include "tag_list.h"

enum { ZEROS_MAX = 400000 }; /* beyond that the zeros are forgotten, and noted anew */

/* A batch that is being looked at. */
struct feeding {
    const char *input;
    const struct ov_batch *batch;
    int64_t now_ms, wall_ns;
    struct ov_batch *out;
    bool changed; /* in a way that must survive a restart */
};

/* ---------------------------------------------------------------- life */

static void watch(struct ov_alerts *alerts, const struct ov_measurement *m, size_t rule)
{
    struct ov_watched *w = NULL;
    for (size_t i = 0; i < alerts->watched_count; i++)
        if (alerts->watched[i].measurement == m)
            w = &alerts->watched[i];
    if (!w) {
        alerts->watched = ov_realloc(alerts->watched, alerts->watched_count + 1,
                                     sizeof *alerts->watched);
        w = &alerts->watched[alerts->watched_count++];
        *w = (struct ov_watched){.measurement = m};
    }
    w->rules = ov_realloc(w->rules, w->count + 1, sizeof *w->rules);
    w->rules[w->count++] = rule;
}

struct ov_alerts *ov_alerts_new(const struct ov_alerts_setup *setup)
{
    struct ov_alerts *alerts = ov_calloc(1, sizeof *alerts);
    alerts->setup = *setup;
    alerts->active = ov_calloc(setup->rule_count, sizeof *alerts->active);
    pthread_mutex_init(&alerts->lock, NULL);
    for (size_t i = 0; i < setup->rule_count; i++)
        watch(alerts, ov_rule_measurement(setup->rules[i]), i);
    return alerts;
}

void ov_alerts_free(struct ov_alerts *alerts)
{
    if (!alerts)
        return;
    ov_series_free(&alerts->series);
    ov_mutes_free(&alerts->mutes);
    ov_seen_free(&alerts->zeros);
    for (size_t i = 0; i < alerts->watched_count; i++)
        free(alerts->watched[i].rules);
    free(alerts->watched);
    free(alerts->active);
    ov_buf_free(&alerts->key);
    ov_buf_free(&alerts->tags);
    pthread_mutex_destroy(&alerts->lock);
    free(alerts);
}

/* ---------------------------------------------------------------- muting */

/* By a silence, or by the rule's `unless`. */
static bool is_muted(struct ov_alerts *alerts, const struct feeding *f,
                     const struct ov_compiled_rule *rule, const struct ov_sample *sample)
{
    const struct ov_alerts_setup *setup = &alerts->setup;
    if (!setup->silence_count && !ov_rule_muting_measurement(rule))
        return false;
    ov_buf_reset(&alerts->tags);
    ov_mute_tags(&alerts->tags, f->batch, sample);
    struct ov_slice tags = {alerts->tags.data, alerts->tags.len};
    for (size_t i = 0; i < setup->silence_count; i++)
        if (ov_silence_holds(&setup->silences[i], ov_rule_name(rule), tags, f->wall_ns))
            return true;
    return ov_mutes_hold(&alerts->mutes, rule, tags);
}

/* ---------------------------------------------------------------- the states */

/* Tells what is to be told of a firing series. Returns whether something was. */
static bool tell_firing(struct ov_series *s, bool muted, const struct feeding *f)
{
    int64_t repeat_ms = ov_rule_repeat_ms(s->rule);
    if (muted)
        return false;
    bool repeats = s->tell_again ? s->told_what == OV_TELL_REPEAT
                                 : repeat_ms > 0 && f->wall_ns - s->told_ns >= repeat_ms * 1000000;
    if (s->told != s->severity || (s->tell_again && !repeats))
        ov_alert_tell(s, OV_TELL_FIRING, NULL, s->severity, f->wall_ns, f->out);
    else if (repeats)
        ov_alert_tell(s, OV_TELL_REPEAT, NULL, s->severity, f->wall_ns, f->out);
    else
        return false;
    s->told = s->severity;
    return true;
}

/* Keeps what is said now if it never was as bad in this incident; the latest of equals, for counts
 * in a text go on. */
static void note_worst(struct ov_series *s)
{
    if (s->severity < s->worst ||
        (s->severity == s->worst && ov_rule_beyond(s->rule, s->severity, s->value) <
                                        ov_rule_beyond(s->rule, s->severity, s->worst_value)))
        return;
    s->worst = s->severity;
    s->worst_value = s->value;
    ov_buf_reset(&s->worst_summary);
    ov_buf_add(&s->worst_summary, s->summary.data, s->summary.len);
}

/* A sample alarms. */
static void alarm_goes_on(struct ov_alerts *alerts, struct ov_series *s,
                          enum ov_severity severity, bool muted, struct feeding *f)
{
    s->over_ms = 0;
    if (s->state == OV_SERIES_QUIET || s->state == OV_SERIES_ENDED ||
        (s->state == OV_SERIES_PENDING && muted)) {
        s->state = OV_SERIES_PENDING;
        s->since_ms = f->now_ms;
    }
    s->severity = severity;
    if (s->state == OV_SERIES_PENDING && !muted &&
        f->now_ms - s->since_ms >= ov_rule_hold_ms(s->rule)) {
        s->state = OV_SERIES_FIRING;
        s->told = s->worst = OV_SEVERITY_NONE;
        ov_alert_name(s, f->wall_ns);
        alerts->firing_count++;
        f->changed = true;
    }
    if (s->state == OV_SERIES_FIRING) {
        note_worst(s);
        f->changed |= tell_firing(s, muted, f);
    }
}

static void end_incident(struct ov_alerts *alerts, struct ov_series *s, const char *reason,
                         struct feeding *f)
{
    if (s->told != OV_SEVERITY_NONE)
        ov_alert_tell(s, OV_TELL_RESOLVED, reason, s->told, f->wall_ns, f->out);
    s->state = s->told != OV_SEVERITY_NONE ? OV_SERIES_ENDED : OV_SERIES_QUIET;
    alerts->firing_count--;
    f->changed = true;
}

/* A sample does not alarm. */
static void alarm_is_over(struct ov_alerts *alerts, struct ov_series *s, struct feeding *f)
{
    if (s->state == OV_SERIES_PENDING)
        s->state = OV_SERIES_QUIET;
    if (s->state != OV_SERIES_FIRING)
        return;
    if (!s->over_ms)
        s->over_ms = f->now_ms;
    if (f->now_ms - s->over_ms >= ov_rule_clear_ms(s->rule))
        end_incident(alerts, s, NULL, f);
}

/* A quiet one is remembered for its history alone. */
static void settle(struct ov_alerts *alerts, struct ov_series *s)
{
    if (s->state == OV_SERIES_QUIET && (s->gone || ov_rule_window_ms(s->rule) == 0))
        ov_series_drop(&alerts->series, s);
}

/* ---------------------------------------------------------------- a sample */

static struct ov_series *add_series(struct ov_alerts *alerts, struct ov_slice key, size_t rule)
{
    return ov_series_add(&alerts->series, key, alerts->setup.rules[rule], &alerts->active[rule]);
}

/* Turns a counter's value into its growth. False where it always was 0, so there is nothing to
 * look at; *series is made where there is. */
static bool count_growth(struct ov_alerts *alerts, struct ov_series **series, struct ov_slice key,
                         size_t rule, double *value, int64_t now_ms)
{
    bool was_zero = !*series && ov_seen_has(&alerts->zeros, key);
    if (!*series && *value == 0) {
        if (alerts->zeros.count >= ZEROS_MAX)
            ov_seen_free(&alerts->zeros);
        if (!was_zero)
            ov_seen_add(&alerts->zeros, key);
        return false;
    }
    if (!*series)
        *series = add_series(alerts, key, rule);
    if (!*series)
        return false;
    if (was_zero)
        (*series)->history = (struct ov_history){.known = true};
    (*series)->met = alerts->feeds;
    *value = ov_history_increase(&(*series)->history, *value, now_ms,
                                 ov_rule_window_ms(alerts->setup.rules[rule]));
    return true;
}

static void feed_sample(struct ov_alerts *alerts, size_t rule, const struct ov_sample *sample,
                        struct feeding *f)
{
    const struct ov_compiled_rule *r = alerts->setup.rules[rule];
    bool grows = ov_rule_window_ms(r) > 0;
    double value;
    enum ov_match match = ov_rule_look(r, sample, &value);
    bool healthy = match != OV_MATCH_YES ||
                   (!grows && ov_rule_severity(r, value, false) == OV_SEVERITY_NONE);
    if (healthy && !alerts->active[rule] && (!grows || match == OV_MATCH_UNKNOWN))
        return;
    struct ov_slice key = ov_series_key(&alerts->key, ov_rule_name(r), f->input, sample);
    struct ov_series *s = alerts->active[rule] ? ov_series_find(&alerts->series, key) : NULL;
    if (s)
        s->met = alerts->feeds;
    if (match == OV_MATCH_UNKNOWN ||
        (grows && (isnan(value) || !count_growth(alerts, &s, key, rule, &value, f->now_ms) ||
                   isnan(value))))
        return;
    enum ov_severity severity = match == OV_MATCH_NO ? OV_SEVERITY_NONE
                                : ov_rule_severity(r, value, s && s->state == OV_SERIES_FIRING);
    if (!s && severity != OV_SEVERITY_NONE)
        s = add_series(alerts, key, rule);
    if (!s)
        return;
    s->met = alerts->feeds;
    s->last = value;
    if (severity == OV_SEVERITY_NONE) {
        alarm_is_over(alerts, s, f);
    } else {
        s->value = value;
        ov_buf_reset(&s->summary);
        ov_rule_summary(r, sample, value, severity, &s->summary);
        alarm_goes_on(alerts, s, severity, is_muted(alerts, f, r, sample), f);
    }
    settle(alerts, s);
}

/* ---------------------------------------------------------------- what is no longer there */

/* Whether samples of the series could not be read. */
static bool is_unread(const struct ov_series *s, const struct ov_batch *batch)
{
    const struct ov_measurement *m = ov_rule_measurement(s->rule);
    for (const struct ov_unread *u = ov_batch_first_unread(batch); u; u = u->next) {
        bool about = u->measurement == m && u->fields == 0;
        for (unsigned i = 0; about && u->tags && i < m->tag_count; i++)
            about = u->tags[i].len == 0 ||
                    ov_slice_eq(u->tags[i], ov_tag_list_find(s->tags, ov_slice(m->tags[i])));
        if (about)
            return true;
    }
    return false;
}

/* Why a series that this batch should have met is gone for good; NULL where it may be there. */
static const char *why_ended(struct ov_alerts *alerts, struct ov_series *s,
                             const struct feeding *f)
{
    const struct ov_alerts_setup *setup = &alerts->setup;
    bool mine = ov_slice_eq(s->input, ov_slice(f->input));
    if (s->left_behind) /* told with the tags of its own input, if there is one */
        return mine || (setup->has_input && !setup->has_input(setup->context, s->input))
                   ? "removed" : NULL;
    if (!mine)
        return NULL;
    if (s->met == alerts->feeds || is_unread(s, f->batch)) {
        s->missing_ms = 0;
        return NULL;
    }
    if (!s->missing_ms)
        s->missing_ms = f->now_ms;
    return f->now_ms - s->missing_ms >= ov_rule_gone_ms(s->rule) ? "gone" : NULL;
}

static void see_missing(struct ov_alerts *alerts, struct feeding *f)
{
    for (struct ov_series *s = ov_series_list(&alerts->series), *next; s; s = next) {
        next = s->next;
        const char *reason = why_ended(alerts, s, f);
        if (!reason)
            continue;
        s->gone = true;
        if (s->state == OV_SERIES_FIRING)
            end_incident(alerts, s, reason, f);
        else if (s->state == OV_SERIES_PENDING)
            s->state = OV_SERIES_QUIET;
        settle(alerts, s);
    }
}

/* ---------------------------------------------------------------- a batch */

bool ov_alerts_feed(struct ov_alerts *alerts, const char *input, const struct ov_batch *batch,
                    int64_t now_ms, int64_t wall_ns, struct ov_batch *out)
{
    struct feeding f = {input, batch, now_ms, wall_ns, out, false};
    pthread_mutex_lock(&alerts->lock);
    alerts->feeds++;
    for (size_t i = 0; i < alerts->setup.rule_count; i++)
        f.changed |= ov_mutes_see(&alerts->mutes, alerts->setup.rules[i], input, batch);
    const struct ov_watched *w = NULL;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        for (size_t i = 0; (!w || w->measurement != s->measurement) && i < alerts->watched_count;
             i++)
            w = &alerts->watched[i];
        for (size_t i = 0; w && w->measurement == s->measurement && i < w->count; i++)
            feed_sample(alerts, w->rules[i], s, &f);
    }
    see_missing(alerts, &f);
    pthread_mutex_unlock(&alerts->lock);
    return f.changed;
}

void ov_alerts_told(struct ov_alerts *alerts, const struct ov_batch *out)
{
    pthread_mutex_lock(&alerts->lock);
    for (struct ov_series *s = ov_series_list(&alerts->series), *next; s; s = next) {
        next = s->next;
        if (s->telling != out)
            continue;
        s->telling = NULL;
        if (s->state == OV_SERIES_ENDED)
            s->state = OV_SERIES_QUIET;
        settle(alerts, s);
    }
    pthread_mutex_unlock(&alerts->lock);
}

size_t ov_alerts_firing(struct ov_alerts *alerts)
{
    pthread_mutex_lock(&alerts->lock);
    size_t firing = alerts->firing_count;
    pthread_mutex_unlock(&alerts->lock);
    return firing;
}
