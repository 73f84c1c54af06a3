/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The saved text of alerts, a line for each thing; bytes in hex after an x, times in milliseconds
 * (a history's) or nanoseconds of the wall clock.
 *
 *     A key severity told untold started told_at id value summary worst worst_value worst_summary
 *                                                                an incident
 *     M rule input samples                                       what mutes a rule
 *     H key base at:value at:value ...                           how a counter grew
 *     Z hashes                                                   counters that always were 0
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "alerts_inside.h"
#include "hex.h"
#include "scalar.h"

enum { ID_MAX = 63, ZEROS_A_LINE = 512 };

/* ---------------------------------------------------------------- saving */

/* "-" for none */
static void save_value(double value, struct ov_buf *out)
{
    if (isfinite(value))
        ov_buf_double(out, value);
    else
        ov_buf_char(out, '-');
    ov_buf_char(out, ' ');
}

static void save_incident(const struct ov_series *s, struct ov_buf *out)
{
    enum ov_telling untold = s->telling || s->tell_again ? s->told_what : OV_TELL_NOTHING;
    ov_buf_str(out, "A ");
    ov_hex_put(out, s->key);
    ov_buf_printf(out, " %d %d %d %" PRId64 " %" PRId64 " %s ", (int)s->severity, (int)s->told,
                  (int)untold, s->started_ns, s->told_ns, s->id);
    save_value(s->value, out);
    ov_hex_put(out, (struct ov_slice){s->summary.data, s->summary.len});
    ov_buf_printf(out, " %d ", (int)s->worst);
    save_value(s->worst_value, out);
    ov_hex_put(out, (struct ov_slice){s->worst_summary.data, s->worst_summary.len});
    ov_buf_char(out, '\n');
}

static void save_zeros(const struct ov_seen *zeros, struct ov_buf *out)
{
    uint64_t hashes[ZEROS_A_LINE];
    size_t count = 0;
    for (size_t i = 0; i <= zeros->slot_count; i++) {
        bool end = i == zeros->slot_count;
        if (!end && zeros->slots[i])
            hashes[count++] = zeros->slots[i];
        if (count < (end ? 1 : ZEROS_A_LINE))
            continue;
        ov_buf_str(out, "Z ");
        ov_hex_put(out, (struct ov_slice){(const char *)hashes, count * sizeof *hashes});
        ov_buf_char(out, '\n');
        count = 0;
    }
}

void ov_alerts_save(struct ov_alerts *alerts, int64_t now_ms, int64_t wall_ns, struct ov_buf *out)
{
    pthread_mutex_lock(&alerts->lock);
    for (const struct ov_series *s = ov_series_list(&alerts->series); s; s = s->next) {
        if (s->state == OV_SERIES_FIRING || s->state == OV_SERIES_ENDED)
            save_incident(s, out);
        if (!s->history.known || s->gone)
            continue;
        ov_buf_str(out, "H ");
        ov_hex_put(out, s->key);
        ov_history_save(&s->history, wall_ns / 1000000 - now_ms, out);
        ov_buf_char(out, '\n');
    }
    ov_mutes_save(&alerts->mutes, out);
    save_zeros(&alerts->zeros, out);
    pthread_mutex_unlock(&alerts->lock);
}

/* ---------------------------------------------------------------- loading */

static size_t find_rule(const struct ov_alerts *alerts, struct ov_slice name)
{
    for (size_t i = 0; i < alerts->setup.rule_count; i++)
        if (ov_slice_eq(name, ov_slice(ov_rule_name(alerts->setup.rules[i]))))
            return i;
    return alerts->setup.rule_count;
}

/* The series of a saved key, made if it is not there. NULL where the key is damaged. */
static struct ov_series *take_series(struct ov_alerts *alerts, const char *word)
{
    const struct ov_alerts_setup *setup = &alerts->setup;
    struct ov_buf bytes = {0};
    struct ov_slice name, input, tags;
    struct ov_series *s = NULL;
    bool good = ov_hex_take(word, &bytes);
    struct ov_slice key = {bytes.data, bytes.len};
    if (good && ov_series_key_read(key, &name, &input, &tags)) {
        size_t rule = find_rule(alerts, name);
        bool known = rule < setup->rule_count;
        s = ov_series_find(&alerts->series, key);
        if (!s)
            s = ov_series_add(&alerts->series, key, known ? setup->rules[rule] : NULL,
                              known ? &alerts->active[rule] : NULL);
        if (s)
            s->left_behind = !known ||
                             (setup->has_input && !setup->has_input(setup->context, input));
    }
    ov_buf_free(&bytes);
    return s;
}

enum {
    WORD_TAG, WORD_KEY, WORD_SEVERITY, WORD_TOLD, WORD_UNTOLD, WORD_STARTED, WORD_TOLD_AT, WORD_ID,
    WORD_VALUE, WORD_SUMMARY, WORD_WORST, WORD_WORST_VALUE, WORD_WORST_SUMMARY, WORDS,
    MUTE_RULE = 1, MUTE_INPUT, MUTE_SAMPLES, MUTE_WORDS,
    WORDS_MAX = 32,
};

/* A word that is a number of at most `max`. */
static bool take_number(const char *word, int64_t max, int64_t *number)
{
    return !ov_scalar_int(ov_slice(word), number) && *number >= 0 && *number <= max;
}

static bool take_value(const char *word, double *value)
{
    char *end;
    *value = strcmp(word, "-") == 0 ? (double)NAN : strtod(word, &end);
    return isnan(*value) || (end != word && !*end && isfinite(*value));
}

static bool load_incident(struct ov_alerts *alerts, char *const *words)
{
    struct ov_buf summary = {0}, worst_summary = {0};
    int64_t severity, told, untold, started, told_at, worst;
    double value, worst_value;
    struct ov_series *s = NULL;
    bool good = ov_hex_take(words[WORD_SUMMARY], &summary) &&
                ov_hex_take(words[WORD_WORST_SUMMARY], &worst_summary) &&
                take_value(words[WORD_VALUE], &value) &&
                take_value(words[WORD_WORST_VALUE], &worst_value) &&
                take_number(words[WORD_WORST], OV_SEVERITY_CRITICAL, &worst) &&
                take_number(words[WORD_SEVERITY], OV_SEVERITY_CRITICAL, &severity) &&
                take_number(words[WORD_TOLD], OV_SEVERITY_CRITICAL, &told) &&
                take_number(words[WORD_UNTOLD], OV_TELL_RESOLVED, &untold) &&
                take_number(words[WORD_STARTED], INT64_MAX, &started) &&
                take_number(words[WORD_TOLD_AT], INT64_MAX, &told_at) &&
                severity != OV_SEVERITY_NONE && strlen(words[WORD_ID]) <= ID_MAX &&
                (s = take_series(alerts, words[WORD_KEY])) != NULL;
    if (good && !s->id) {
        s->state = OV_SERIES_FIRING;
        s->severity = (enum ov_severity)severity;
        s->told = (enum ov_severity)told;
        s->tell_again = untold != OV_TELL_NOTHING;
        s->told_what = (enum ov_telling)untold;
        s->started_ns = started;
        s->told_ns = told_at;
        s->id = ov_strdup(words[WORD_ID]);
        s->value = s->last = value;
        s->worst = (enum ov_severity)worst;
        s->worst_value = worst_value;
        ov_buf_add(&s->summary, summary.data, summary.len);
        ov_buf_add(&s->worst_summary, worst_summary.data, worst_summary.len);
        alerts->firing_count++;
    }
    ov_buf_free(&summary);
    ov_buf_free(&worst_summary);
    return good;
}

/* Of rules that are no longer there, or no longer about an increase, nothing is kept. */
static bool load_history(struct ov_alerts *alerts, char *const *words, size_t count,
                         int64_t behind_ms)
{
    struct ov_history history = {0};
    if (!ov_history_load(&history, words + 2, count - 2, behind_ms))
        return false;
    struct ov_series *s = take_series(alerts, words[WORD_KEY]);
    if (s && !s->history.known && s->rule && ov_rule_window_ms(s->rule) > 0) {
        s->history = history;
        return true;
    }
    ov_history_free(&history);
    if (s && s->state == OV_SERIES_QUIET && !s->history.known)
        ov_series_drop(&alerts->series, s);
    return s != NULL;
}

static bool load_mute(struct ov_alerts *alerts, char *const *words)
{
    const struct ov_alerts_setup *setup = &alerts->setup;
    struct ov_buf name = {0}, input = {0}, samples = {0};
    bool good = ov_hex_take(words[MUTE_RULE], &name) && ov_hex_take(words[MUTE_INPUT], &input) &&
                ov_hex_take(words[MUTE_SAMPLES], &samples);
    size_t rule = find_rule(alerts, (struct ov_slice){name.data, name.len});
    struct ov_slice from = {input.data, input.len};
    if (good && rule < setup->rule_count && ov_rule_muting_measurement(setup->rules[rule]) &&
        (!setup->has_input || setup->has_input(setup->context, from)))
        good = ov_mutes_load(&alerts->mutes, setup->rules[rule], from,
                             (struct ov_slice){samples.data, samples.len});
    ov_buf_free(&name);
    ov_buf_free(&input);
    ov_buf_free(&samples);
    return good;
}

static bool load_zeros(struct ov_alerts *alerts, const char *word)
{
    struct ov_buf bytes = {0};
    uint64_t hash;
    bool good = ov_hex_take(word, &bytes) && bytes.len % sizeof hash == 0;
    for (size_t at = 0; good && at < bytes.len; at += sizeof hash) {
        memcpy(&hash, bytes.data + at, sizeof hash);
        ov_seen_add_hash(&alerts->zeros, hash);
    }
    ov_buf_free(&bytes);
    return good;
}

static bool load_line(struct ov_alerts *alerts, char *line, int64_t behind_ms)
{
    char *rest = NULL, *words[WORDS_MAX];
    size_t count = 0;
    for (char *word = strtok_r(line, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (count == WORDS_MAX)
            return false;
        words[count++] = word;
    }
    if (count < 2 || strlen(words[WORD_TAG]) != 1)
        return false;
    switch (words[WORD_TAG][0]) {
    case 'A':
        return count == WORDS && load_incident(alerts, words);
    case 'M':
        return count == MUTE_WORDS && load_mute(alerts, words);
    case 'H':
        return count > 2 && load_history(alerts, words, count, behind_ms);
    case 'I': /* held.c reads those */
        return true;
    case 'Z':
        return count == 2 && load_zeros(alerts, words[1]);
    default:
        return false;
    }
}

bool ov_alerts_load(struct ov_alerts *alerts, struct ov_slice saved, int64_t now_ms,
                    int64_t wall_ns)
{
    char *text = ov_memdup(saved.ptr, saved.len), *rest = NULL;
    bool good = strlen(text) == saved.len;
    pthread_mutex_lock(&alerts->lock);
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
        good &= load_line(alerts, line, wall_ns / 1000000 - now_ms);
    pthread_mutex_unlock(&alerts->lock);
    free(text);
    return good;
}
