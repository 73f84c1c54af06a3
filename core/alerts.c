/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only series that alarm, and those of rules about an increase, are remembered: a healthy sample
 * costs a look at its conditions and nothing else. Series are kept in a balanced tree (tsearch)
 * by a key of bytes: rule, input and tags, each with its length.
 */
#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>

#include "alert.h"
#include "alerts.h"
#include "batch.h"
#include "hex.h"
#include "history.h"
#include "scalar.h"
#include "seen.h"

enum { ID_BYTES = 64, SERIES_MAX = 100000 };

/* ENDED: resolved, while the telling of it is on its way */
enum state { QUIET, PENDING, FIRING, ENDED };

struct series {
    struct ov_slice key; /* behind the struct */
    const struct ov_compiled_rule *rule;
    size_t *active;      /* its rule's */
    struct series *next_ended;
    enum state state;
    enum ov_severity severity;
    int64_t since_ms;    /* pending: when it began to alarm */
    int64_t over_ms;     /* firing: since when it no longer alarms; 0 while it does */
    int64_t started_ns, told_ns; /* wall clock */
    enum ov_severity told;       /* the severity that was told of; NONE: nothing was */
    bool untold_yet;             /* a sample of it is on its way */
    bool tell_again;             /* one was on its way when the agent ended */
    char *id;            /* firing: the incident's */
    double value;
    struct ov_history history; /* of a counter */
    struct ov_buf summary;
};

struct watched { /* the rules about one measurement */
    const struct ov_measurement *measurement;
    size_t *rules;
    size_t count;
};

struct ov_alerts {
    struct ov_compiled_rule *const *rules;
    size_t rule_count;
    const struct ov_silence *silences;
    size_t silence_count;
    struct watched *watched;
    size_t watched_count;

    pthread_mutex_t lock; /* covers all below */
    bool *muted;          /* by rule: its `unless` holds */
    void *tree;           /* struct series */
    struct ov_seen zeros; /* counters that were 0 at every look: not worth a series */
    size_t series_count, firing_count;
    size_t *active;       /* by rule: how many series are remembered */
    struct ov_buf key;
};

/* ---------------------------------------------------------------- life */

static void watch(struct ov_alerts *alerts, const struct ov_measurement *m, size_t rule)
{
    struct watched *w = NULL;
    for (size_t i = 0; i < alerts->watched_count; i++)
        if (alerts->watched[i].measurement == m)
            w = &alerts->watched[i];
    if (!w) {
        alerts->watched = ov_realloc(alerts->watched, alerts->watched_count + 1,
                                     sizeof *alerts->watched);
        w = &alerts->watched[alerts->watched_count++];
        *w = (struct watched){.measurement = m};
    }
    w->rules = ov_realloc(w->rules, w->count + 1, sizeof *w->rules);
    w->rules[w->count++] = rule;
}

struct ov_alerts *ov_alerts_new(struct ov_compiled_rule *const *rules, size_t rule_count,
                                const struct ov_silence *silences, size_t silence_count)
{
    struct ov_alerts *alerts = ov_calloc(1, sizeof *alerts);
    alerts->rules = rules;
    alerts->rule_count = rule_count;
    alerts->silences = silences;
    alerts->silence_count = silence_count;
    alerts->muted = ov_calloc(rule_count, sizeof *alerts->muted);
    alerts->active = ov_calloc(rule_count, sizeof *alerts->active);
    pthread_mutex_init(&alerts->lock, NULL);
    for (size_t i = 0; i < rule_count; i++)
        watch(alerts, ov_rule_measurement(rules[i]), i);
    return alerts;
}

static void series_free(void *node)
{
    struct series *s = node;
    ov_buf_free(&s->summary);
    ov_history_free(&s->history);
    free(s->id);
    free(s);
}

void ov_alerts_free(struct ov_alerts *alerts)
{
    if (!alerts)
        return;
    tdestroy(alerts->tree, series_free);
    ov_seen_free(&alerts->zeros);
    for (size_t i = 0; i < alerts->watched_count; i++)
        free(alerts->watched[i].rules);
    free(alerts->watched);
    free(alerts->muted);
    free(alerts->active);
    ov_buf_free(&alerts->key);
    pthread_mutex_destroy(&alerts->lock);
    free(alerts);
}

/* ---------------------------------------------------------------- series */

static void key_add(struct ov_buf *key, struct ov_slice part)
{
    uint32_t len = (uint32_t)part.len;
    ov_buf_add(key, &len, sizeof len);
    ov_buf_slice(key, part);
}

/* Takes the next part off a key. */
static struct ov_slice key_part(struct ov_slice *key)
{
    uint32_t len = 0;
    if (key->len < sizeof len)
        return (struct ov_slice){"", 0};
    memcpy(&len, key->ptr, sizeof len);
    struct ov_slice part = {key->ptr + sizeof len, len};
    key->ptr += sizeof len + len;
    key->len -= sizeof len + len;
    return part;
}

static struct ov_slice key_of(struct ov_alerts *alerts, size_t rule, const char *input,
                              const struct ov_sample *sample)
{
    ov_buf_reset(&alerts->key);
    key_add(&alerts->key, ov_slice(ov_rule_name(alerts->rules[rule])));
    key_add(&alerts->key, ov_slice(input));
    for (unsigned i = 0; i < sample->measurement->tag_count; i++)
        key_add(&alerts->key, sample->tags[i]);
    return (struct ov_slice){alerts->key.data, alerts->key.len};
}

static int compare_keys(const void *a, const void *b)
{
    const struct ov_slice *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len ? memcmp(x->ptr, y->ptr, len) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

static struct series *find(struct ov_alerts *alerts, struct ov_slice key)
{
    struct series **found = tfind(&key, &alerts->tree, compare_keys);
    return found ? *found : NULL;
}

static struct series *add(struct ov_alerts *alerts, struct ov_slice key, size_t rule)
{
    if (alerts->series_count >= SERIES_MAX)
        return NULL;
    struct series *s = ov_malloc(sizeof *s + key.len);
    *s = (struct series){.rule = alerts->rules[rule], .key = {(char *)(s + 1), key.len},
                         .active = &alerts->active[rule], .value = (double)NAN};
    memcpy(s + 1, key.ptr, key.len);
    if (!tsearch(s, &alerts->tree, compare_keys)) {
        free(s);
        return NULL;
    }
    alerts->series_count++;
    ++*s->active;
    return s;
}

static void drop(struct ov_alerts *alerts, struct series *s)
{
    tdelete(s, &alerts->tree, compare_keys);
    alerts->series_count--;
    --*s->active;
    series_free(s);
}

/* ---------------------------------------------------------------- muting */

static bool is_silenced(const struct ov_alerts *alerts, size_t rule,
                        const struct ov_sample *sample, int64_t wall_ns)
{
    for (size_t i = 0; i < alerts->silence_count; i++)
        if (ov_silence_holds(&alerts->silences[i], ov_rule_name(alerts->rules[rule]), sample,
                             wall_ns))
            return true;
    return false;
}

/* Finds out which rules this batch mutes, or no longer does. Returns whether one changed. */
static bool see_mutes(struct ov_alerts *alerts, const struct ov_batch *batch)
{
    bool changed = false;
    for (size_t i = 0; i < alerts->rule_count; i++) {
        const struct ov_measurement *m = ov_rule_muting_measurement(alerts->rules[i]);
        bool seen = false, holds = false;
        for (const struct ov_sample *s = m ? ov_batch_first(batch) : NULL; s; s = s->next) {
            if (s->measurement != m)
                continue;
            seen = true;
            holds = holds || ov_rule_is_muted_by(alerts->rules[i], s);
        }
        changed |= seen && alerts->muted[i] != holds;
        if (seen)
            alerts->muted[i] = holds;
    }
    return changed;
}

/* ---------------------------------------------------------------- telling */

static void name_incident(struct series *s, int64_t wall_ns)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s->key.len; i++)
        hash = (hash ^ (unsigned char)s->key.ptr[i]) * UINT64_C(1099511628211);
    s->started_ns = wall_ns;
    s->id = ov_realloc(s->id, ID_BYTES, 1);
    snprintf(s->id, ID_BYTES, "%.24s-%08" PRIx32 "-%" PRId64, ov_rule_name(s->rule),
             (uint32_t)(hash ^ hash >> 32), wall_ns / 1000000);
    for (char *c = s->id; *c; c++) /* one word of plain characters, whatever the rule is called */
        if (!(*c >= '0' && *c <= '9') && !((*c | 32) >= 'a' && (*c | 32) <= 'z') && *c != '_')
            *c = '-';
}

/* The tags of a series, from its key: rule, input, then the measurement's. */
static struct ov_slice series_tag(const struct series *s, const char *name)
{
    const struct ov_measurement *m = ov_rule_measurement(s->rule);
    struct ov_slice key = s->key;
    key_part(&key);
    key_part(&key);
    for (unsigned i = 0; i < m->tag_count; i++) {
        struct ov_slice value = key_part(&key);
        if (strcmp(m->tags[i], name) == 0)
            return value;
    }
    return (struct ov_slice){"", 0};
}

static void tell(struct series *s, const char *state, enum ov_severity severity, int64_t wall_ns,
                 struct ov_batch *out)
{
    struct ov_sample *a = ov_batch_add(out, &ov_alert_measurement);
    bool resolved = strcmp(state, "resolved") == 0;
    ov_sample_tag(out, a, OV_ALERT_RULE, ov_slice(ov_rule_name(s->rule)));
    ov_sample_tag(out, a, OV_ALERT_SEVERITY, ov_slice(ov_severity_word(severity)));
    ov_sample_tag(out, a, OV_ALERT_TOPIC, series_tag(s, "topic"));
    ov_sample_tag(out, a, OV_ALERT_GROUP, series_tag(s, "group"));
    ov_sample_tag(out, a, OV_ALERT_AGENT, series_tag(s, "agent"));
    ov_sample_text(out, a, OV_ALERT_STATE, ov_slice(state));
    ov_sample_text(out, a, OV_ALERT_ID, ov_slice(s->id));
    ov_sample_float(a, OV_ALERT_VALUE, s->value);
    ov_sample_text(out, a, OV_ALERT_THRESHOLD, ov_slice(ov_rule_threshold(s->rule, severity)));
    ov_sample_text(out, a, OV_ALERT_SUMMARY, (struct ov_slice){s->summary.data, s->summary.len});
    ov_sample_text(out, a, OV_ALERT_DESCRIPTION, ov_slice(ov_rule_description(s->rule)));
    ov_sample_float(a, OV_ALERT_STARTED_AT, (double)s->started_ns / 1e9);
    if (resolved)
        ov_sample_float(a, OV_ALERT_ENDED_AT, (double)wall_ns / 1e9);
    ov_sample_float(a, OV_ALERT_DURATION, (double)(wall_ns - s->started_ns) / 1e9);
    ov_sample_int(a, OV_ALERT_COUNT, 1);
    s->told_ns = wall_ns;
    s->untold_yet = true;
    s->tell_again = false;
}

/* Tells what is to be told of a firing series. Returns whether something was. */
static bool tell_firing(struct series *s, bool muted, int64_t wall_ns, struct ov_batch *out)
{
    int64_t repeat_ms = ov_rule_repeat_ms(s->rule);
    if (muted)
        return false;
    if (s->told != s->severity || s->tell_again)
        tell(s, "firing", s->severity, wall_ns, out);
    else if (repeat_ms > 0 && wall_ns - s->told_ns >= repeat_ms * 1000000)
        tell(s, "repeat", s->severity, wall_ns, out);
    else
        return false;
    s->told = s->severity;
    return true;
}

/* ---------------------------------------------------------------- the states */

/* A sample alarms. */
static bool alarm_goes_on(struct ov_alerts *alerts, struct series *s, enum ov_severity severity,
                          bool muted, int64_t now_ms, int64_t wall_ns, struct ov_batch *out)
{
    bool changed = false;
    s->over_ms = 0;
    if (s->state == QUIET || s->state == ENDED || (s->state == PENDING && muted)) {
        s->state = PENDING;
        s->since_ms = now_ms;
    }
    s->severity = severity;
    if (s->state == PENDING && !muted && now_ms - s->since_ms >= ov_rule_hold_ms(s->rule)) {
        s->state = FIRING;
        s->told = OV_SEVERITY_NONE;
        name_incident(s, wall_ns);
        alerts->firing_count++;
        changed = true;
    }
    if (s->state == FIRING)
        changed |= tell_firing(s, muted, wall_ns, out);
    return changed;
}

/* A sample does not alarm. */
static bool alarm_is_over(struct ov_alerts *alerts, struct series *s, int64_t now_ms,
                          int64_t wall_ns, struct ov_batch *out)
{
    if (s->state == PENDING)
        s->state = QUIET;
    if (s->state != FIRING)
        return false;
    if (!s->over_ms)
        s->over_ms = now_ms;
    if (now_ms - s->over_ms < ov_rule_clear_ms(s->rule))
        return false;
    if (s->told != OV_SEVERITY_NONE)
        tell(s, "resolved", s->told, wall_ns, out);
    s->state = s->told != OV_SEVERITY_NONE ? ENDED : QUIET;
    alerts->firing_count--;
    return true;
}

/* Turns a counter's value into its growth. False where it always was 0, so there is nothing to
 * look at; *series is made where there is. */
static bool count_growth(struct ov_alerts *alerts, struct series **series, struct ov_slice key,
                         size_t rule, double *value, int64_t now_ms)
{
    bool was_zero = !*series && ov_seen_has(&alerts->zeros, key);
    if (!*series && *value == 0) {
        if (!was_zero)
            ov_seen_add(&alerts->zeros, key);
        return false;
    }
    if (!*series)
        *series = add(alerts, key, rule);
    if (!*series)
        return false;
    if (was_zero)
        (*series)->history = (struct ov_history){.known = true};
    *value = ov_history_increase(&(*series)->history, *value, now_ms,
                                 ov_rule_window_ms(alerts->rules[rule]));
    return true;
}

static bool feed_sample(struct ov_alerts *alerts, size_t rule, const char *input,
                        const struct ov_sample *sample, int64_t now_ms, int64_t wall_ns,
                        struct ov_batch *out)
{
    const struct ov_compiled_rule *r = alerts->rules[rule];
    bool grows = ov_rule_window_ms(r) > 0, changed;
    double value;
    enum ov_match match = ov_rule_look(r, sample, &value);
    if (match == OV_MATCH_UNKNOWN || (!grows && !alerts->active[rule] && (match == OV_MATCH_NO ||
        ov_rule_severity(r, value, false) == OV_SEVERITY_NONE)))
        return false;
    struct ov_slice key = key_of(alerts, rule, input, sample);
    struct series *s = alerts->active[rule] ? find(alerts, key) : NULL;
    if (grows && (!count_growth(alerts, &s, key, rule, &value, now_ms) || isnan(value)))
        return false;
    enum ov_severity severity = match == OV_MATCH_NO ? OV_SEVERITY_NONE
                                : ov_rule_severity(r, value, s && s->state == FIRING);
    if (!s && severity != OV_SEVERITY_NONE)
        s = add(alerts, key, rule);
    if (!s)
        return false;
    s->value = value;
    if (severity == OV_SEVERITY_NONE) {
        changed = alarm_is_over(alerts, s, now_ms, wall_ns, out);
    } else {
        ov_buf_reset(&s->summary);
        ov_rule_summary(r, sample, value, severity, &s->summary);
        changed = alarm_goes_on(alerts, s, severity, alerts->muted[rule] ||
                                is_silenced(alerts, rule, sample, wall_ns), now_ms, wall_ns, out);
    }
    if (s->state == QUIET && !grows)
        drop(alerts, s);
    return changed;
}

bool ov_alerts_feed(struct ov_alerts *alerts, const char *input, const struct ov_batch *batch,
                    int64_t now_ms, int64_t wall_ns, struct ov_batch *out)
{
    pthread_mutex_lock(&alerts->lock);
    bool changed = see_mutes(alerts, batch);
    const struct watched *w = NULL;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        for (size_t i = 0; (!w || w->measurement != s->measurement) && i < alerts->watched_count;
             i++)
            w = &alerts->watched[i];
        for (size_t i = 0; w && w->measurement == s->measurement && i < w->count; i++)
            changed |= feed_sample(alerts, w->rules[i], input, s, now_ms, wall_ns, out);
    }
    pthread_mutex_unlock(&alerts->lock);
    return changed;
}

/* ---------------------------------------------------------------- over a restart */

/* Ended series are gathered in a list: a walk cannot take them out of the tree. */
static void mark_told(const void *node, VISIT visit, void *context)
{
    struct series *s = *(struct series *const *)node, **ended = context;
    if (visit != postorder && visit != leaf)
        return;
    s->untold_yet = false;
    if (s->state == ENDED) {
        s->next_ended = *ended;
        *ended = s;
    }
}

void ov_alerts_told(struct ov_alerts *alerts)
{
    struct series *ended = NULL, *s;
    pthread_mutex_lock(&alerts->lock);
    twalk_r(alerts->tree, mark_told, &ended);
    while ((s = ended)) {
        ended = s->next_ended;
        s->state = QUIET;
        if (ov_rule_window_ms(s->rule) == 0)
            drop(alerts, s);
    }
    pthread_mutex_unlock(&alerts->lock);
}

/* "A key severity told untold started told_at id summary": bytes in hex after an x. And for a
 * muted rule, which must not be told of before its muting is measured again: "M rule". */
static void save_series(const void *node, VISIT visit, void *context)
{
    const struct series *s = *(struct series *const *)node;
    struct ov_buf *out = context;
    if ((visit != postorder && visit != leaf) || (s->state != FIRING && s->state != ENDED))
        return;
    ov_buf_str(out, "A ");
    ov_hex_put(out, s->key);
    ov_buf_printf(out, " %d %d %d %" PRId64 " %" PRId64 " %s ", (int)s->severity, (int)s->told,
                  s->untold_yet, s->started_ns, s->told_ns, s->id);
    ov_hex_put(out, (struct ov_slice){s->summary.data, s->summary.len});
    ov_buf_char(out, '\n');
}

void ov_alerts_save(struct ov_alerts *alerts, struct ov_buf *out)
{
    pthread_mutex_lock(&alerts->lock);
    twalk_r(alerts->tree, save_series, out);
    for (size_t i = 0; i < alerts->rule_count; i++) {
        if (!alerts->muted[i])
            continue;
        ov_buf_str(out, "M ");
        ov_hex_put(out, ov_slice(ov_rule_name(alerts->rules[i])));
        ov_buf_char(out, '\n');
    }
    pthread_mutex_unlock(&alerts->lock);
}

/* Takes the next part off a key that may be damaged. */
static bool take_part(struct ov_slice *key, struct ov_slice *part)
{
    uint32_t len;
    if (key->len < sizeof len)
        return false;
    memcpy(&len, key->ptr, sizeof len);
    if (key->len - sizeof len < len)
        return false;
    *part = key_part(key);
    return true;
}

/* The rule a saved key belongs to: rule_count where there is none any more; false where the key
 * does not have the parts of its rule's series. */
static bool rule_of_key(const struct ov_alerts *alerts, struct ov_slice key, size_t *rule)
{
    struct ov_slice name, part;
    *rule = alerts->rule_count;
    if (!take_part(&key, &name))
        return false;
    for (size_t i = 0; i < alerts->rule_count; i++)
        if (ov_slice_eq(name, ov_slice(ov_rule_name(alerts->rules[i]))))
            *rule = i;
    if (*rule == alerts->rule_count)
        return true;
    size_t parts = 1u + ov_rule_measurement(alerts->rules[*rule])->tag_count;
    while (parts && take_part(&key, &part))
        parts--;
    return parts == 0 && key.len == 0;
}

enum {
    WORD_TAG, WORD_KEY, WORD_SEVERITY, WORD_TOLD, WORD_UNTOLD, WORD_STARTED, WORD_TOLD_AT, WORD_ID,
    WORD_SUMMARY, WORDS,
};

/* A word that is a number of at most `max`. */
static bool take_number(const char *word, int64_t max, int64_t *number)
{
    return !ov_scalar_int(ov_slice(word), number) && *number >= 0 && *number <= max;
}

static bool load_incident(struct ov_alerts *alerts, char *const *words)
{
    struct ov_buf key = {0}, summary = {0};
    int64_t severity, told, untold, started, told_at;
    struct series *s = NULL;
    size_t rule;
    bool good = ov_hex_take(words[WORD_KEY], &key) && ov_hex_take(words[WORD_SUMMARY], &summary) &&
                take_number(words[WORD_SEVERITY], OV_SEVERITY_CRITICAL, &severity) &&
                take_number(words[WORD_TOLD], OV_SEVERITY_CRITICAL, &told) &&
                take_number(words[WORD_UNTOLD], 1, &untold) &&
                take_number(words[WORD_STARTED], INT64_MAX, &started) &&
                take_number(words[WORD_TOLD_AT], INT64_MAX, &told_at) &&
                severity != OV_SEVERITY_NONE && strlen(words[WORD_ID]) < ID_BYTES;
    struct ov_slice bytes = {key.data, key.len};
    good = good && rule_of_key(alerts, bytes, &rule);
    if (good && rule < alerts->rule_count && !find(alerts, bytes))
        s = add(alerts, bytes, rule);
    if (s) {
        s->state = FIRING;
        s->severity = (enum ov_severity)severity;
        s->told = (enum ov_severity)told;
        s->untold_yet = s->tell_again = untold;
        s->started_ns = started;
        s->told_ns = told_at;
        s->id = ov_strdup(words[WORD_ID]);
        ov_buf_add(&s->summary, summary.data, summary.len);
        alerts->firing_count++;
    }
    ov_buf_free(&key);
    ov_buf_free(&summary);
    return good;
}

static bool load_mute(struct ov_alerts *alerts, const char *word)
{
    struct ov_buf name = {0};
    bool good = ov_hex_take(word, &name);
    for (size_t i = 0; good && i < alerts->rule_count; i++)
        alerts->muted[i] |= ov_rule_muting_measurement(alerts->rules[i]) &&
                            strcmp(ov_rule_name(alerts->rules[i]), ov_buf_text(&name)) == 0;
    ov_buf_free(&name);
    return good;
}

static bool load_line(struct ov_alerts *alerts, char *line)
{
    char *rest = NULL, *words[WORDS + 1];
    size_t count = 0;
    for (char *word = strtok_r(line, " ", &rest); word && count <= WORDS;
         word = strtok_r(NULL, " ", &rest))
        words[count++] = word;
    if (count == WORDS && strcmp(words[WORD_TAG], "A") == 0)
        return load_incident(alerts, words);
    return count == 2 && strcmp(words[WORD_TAG], "M") == 0 && load_mute(alerts, words[1]);
}

bool ov_alerts_load(struct ov_alerts *alerts, struct ov_slice saved)
{
    char *text = ov_memdup(saved.ptr, saved.len), *rest = NULL;
    bool good = strlen(text) == saved.len;
    pthread_mutex_lock(&alerts->lock);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        good &= load_line(alerts, line);
    pthread_mutex_unlock(&alerts->lock);
    free(text);
    return good;
}

size_t ov_alerts_firing(struct ov_alerts *alerts)
{
    pthread_mutex_lock(&alerts->lock);
    size_t firing = alerts->firing_count;
    pthread_mutex_unlock(&alerts->lock);
    return firing;
}
