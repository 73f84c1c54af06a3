/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of alerts, played by rows: at a time a value comes, and something is told or not. The
 * player does what the agent does: it saves when the state changed, hands on, and saves again;
 * what it keeps "on disk" is all that a restart gets.
 */
#ifndef ALERTS_RIG_H
#define ALERTS_RIG_H

#include "alert.h"
#include "alerts.h"
#include "rule_rig.h"

#define ABSENT INT64_MIN        /* a sample that lacks the value */
#define GONE (INT64_MIN + 1)    /* no sample at all */
#define UNREAD (INT64_MIN + 2)  /* no sample, since groups could not be read */
#define UNREAD_TOPIC (INT64_MIN + 3) /* ... those of its topic could not */
#define UNREAD_OTHER (INT64_MIN + 4) /* ... those of another topic could not */

enum after {
    GO_ON,
    STOP,      /* the agent ends in an orderly way after this row, and is started again */
    RESTART,   /* the agent is killed after this row, and started again */
    INTERRUPT, /* it is killed before what this row told was handed on, and started again */
};

struct row {
    double at; /* seconds */
    int64_t value;
    const char *told; /* "firing warning", "resolved critical, firing warning"; "" for nothing */
    const char *runner; /* what health says at the same time; NULL: there is none; "": it
                           does not know */
    enum after after;
};

#define AT(at, value, told) {at, value, told, NULL, GO_ON}
#define WITH(at, value, told, runner) {at, value, told, runner, GO_ON}
#define THEN(at, value, told, after) {at, value, told, NULL, after}

struct player {
    struct ov_compiled_rule *rule;
    const struct ov_silence *silences;
    size_t silence_count;
    struct ov_alerts *alerts;
    struct ov_buf disk;
    int64_t clock_base_ms;
    double at;             /* of the last row, in seconds */
    char id[128];          /* of the incident under way, "" before the first */
    double started_at;
    bool open;
    int64_t lost_ns;       /* the sample whose telling was interrupted, if there is one */
    char lost_state[16], lost_severity[16];
};

static const struct ov_map rig_no_tags;
static const int64_t rig_epoch_ns = INT64_C(1700000000) * 1000000000;

/* Alerts of rules alone. */
static inline struct ov_alerts *rig_alerts(struct ov_compiled_rule *const *rules, size_t count)
{
    return ov_alerts_new(&(struct ov_alerts_setup){.rules = rules, .rule_count = count});
}

static inline int64_t rig_wall(double at)
{
    return rig_epoch_ns + (int64_t)(at * 1e9);
}

static inline struct ov_slice alert_text(const struct ov_sample *s, enum ov_alert_field field)
{
    return s->present >> field & 1 ? *s->values[field].text : OV_SLICE("");
}

/* Its own clock, another one after each restart, as after a reboot. */
static inline int64_t player_clock(const struct player *p, double at)
{
    return p->clock_base_ms + (int64_t)(at * 1000);
}

static inline void player_start(struct player *p)
{
    p->alerts = ov_alerts_new(&(struct ov_alerts_setup){
        .rules = &p->rule, .rule_count = 1, .silences = p->silences,
        .silence_count = p->silence_count});
    if (p->disk.len &&
        !ov_alerts_load(p->alerts, (struct ov_slice){p->disk.data, p->disk.len},
                        player_clock(p, p->at), rig_wall(p->at)))
        fail_msg("what was saved is damaged: %s", ov_buf_text(&p->disk));
}

static inline void player_save(struct player *p)
{
    ov_buf_reset(&p->disk);
    ov_alerts_save(p->alerts, player_clock(p, p->at), rig_wall(p->at), &p->disk);
}

static inline void player_restart(struct player *p)
{
    ov_alerts_free(p->alerts);
    p->clock_base_ms = p->clock_base_ms / 2 + 7;
    player_start(p);
}

static inline void player_end(struct player *p)
{
    ov_alerts_free(p->alerts);
    ov_rule_free(p->rule);
    ov_buf_free(&p->disk);
}

static inline void rig_fill(struct ov_batch *batch, const struct row *row)
{
    if (row->runner) {
        struct ov_sample *health = ov_batch_add(batch, &rig_health);
        if (*row->runner)
            ov_sample_text(batch, health, HEALTH_RUNNER, ov_slice(row->runner));
    }
    const struct ov_slice its[] = {OV_SLICE("orders"), {"", 0}, {"", 0}};
    const struct ov_slice others[] = {OV_SLICE("other"), {"", 0}, {"", 0}};
    if (row->value == UNREAD)
        ov_batch_unread(batch, &rig_group, 0, NULL, OV_SLICE("away"));
    if (row->value == UNREAD_TOPIC)
        ov_batch_unread(batch, &rig_group, 0, its, OV_SLICE("refused"));
    if (row->value == UNREAD_OTHER)
        ov_batch_unread(batch, &rig_group, 0, others, OV_SLICE("refused"));
    if (row->value >= GONE && row->value <= UNREAD_OTHER)
        return;
    struct ov_sample *s = rig_sample(batch, "orders", "group:orders:mail", "mail");
    ov_sample_bool(s, GROUP_EXISTS, true);
    if (row->value != ABSENT) {
        ov_sample_int(s, GROUP_PENDING, row->value);
        ov_sample_int(s, GROUP_LOST, row->value);
    }
}

/* Whether it is the sample whose telling was interrupted. */
static inline bool player_was_told(const struct player *p, const struct ov_sample *s)
{
    return ov_slice_eq(alert_text(s, OV_ALERT_STATE), ov_slice(p->lost_state)) &&
           ov_slice_eq(s->tags[OV_ALERT_SEVERITY], ov_slice(p->lost_severity));
}

/* One incident keeps its id from firing to resolved, and its times fit. */
static inline void player_look(struct player *p, const struct ov_sample *s, const struct row *row)
{
    int64_t now_ns = player_was_told(p, s) ? p->lost_ns : rig_wall(row->at);
    double now = (double)now_ns / 1e9, started = s->values[OV_ALERT_STARTED_AT].number;
    struct ov_slice id = alert_text(s, OV_ALERT_ID);
    bool resolved = ov_slice_eq(alert_text(s, OV_ALERT_STATE), OV_SLICE("resolved"));
    bool has_end = s->present >> OV_ALERT_ENDED_AT & 1;
    if (id.len == 0 || id.len >= sizeof p->id)
        fail_msg("at %g: an id of %zu bytes", row->at, id.len);
    if (p->open && (!ov_slice_eq(id, ov_slice(p->id)) || started < p->started_at ||
                    started > p->started_at))
        fail_msg("at %g: another incident than %s", row->at, p->id);
    if (!p->open && ov_slice_eq(id, ov_slice(p->id)) && !resolved)
        fail_msg("at %g: the name of an incident that had ended", row->at);
    if (resolved != has_end || started > now || s->time_ns != now_ns ||
        s->values[OV_ALERT_DURATION].number - (now - started) > 1e-3 ||
        s->values[OV_ALERT_DURATION].number - (now - started) < -1e-3)
        fail_msg("at %g: times do not fit", row->at);
    memcpy(p->id, id.ptr, id.len);
    p->id[id.len] = '\0';
    p->started_at = started;
    p->open = !resolved;
    *p->lost_state = '\0';
    if (row->after == INTERRUPT) {
        p->lost_ns = now_ns;
        struct ov_slice what = alert_text(s, OV_ALERT_STATE);
        snprintf(p->lost_state, sizeof p->lost_state, "%.*s", (int)what.len, what.ptr);
        snprintf(p->lost_severity, sizeof p->lost_severity, "%.*s",
                 (int)s->tags[OV_ALERT_SEVERITY].len, s->tags[OV_ALERT_SEVERITY].ptr);
    }
}

static inline void player_row(struct player *p, const struct row *row)
{
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, rig_wall(row->at));
    struct ov_batch *out = ov_batch_new(&rig_no_tags, rig_wall(row->at));
    struct ov_buf told = {0};
    rig_fill(batch, row);
    p->at = row->at;
    bool changed = ov_alerts_feed(p->alerts, "bus", batch, player_clock(p, row->at),
                                  rig_wall(row->at), out);
    if (changed)
        player_save(p);
    else if (ov_batch_count(out))
        fail_msg("at %g: told, but nothing changed", row->at);
    for (const struct ov_sample *s = ov_batch_first(out); s; s = s->next) {
        player_look(p, s, row);
        ov_buf_str(&told, told.len ? ", " : "");
        ov_buf_slice(&told, alert_text(s, OV_ALERT_STATE));
        ov_buf_char(&told, ' ');
        ov_buf_slice(&told, s->tags[OV_ALERT_SEVERITY]);
        ov_buf_printf(&told, "%s", s->present >> OV_ALERT_REASON & 1 ? " " : "");
        ov_buf_slice(&told, alert_text(s, OV_ALERT_REASON));
    }
    if (strcmp(ov_buf_text(&told), row->told) != 0)
        fail_msg("at %g s: expected `%s`, told `%s`", row->at, row->told, ov_buf_text(&told));
    if (changed && row->after != INTERRUPT) {
        ov_alerts_told(p->alerts, out);
        player_save(p);
    }
    if (row->after == STOP)
        player_save(p);
    if (row->after != GO_ON)
        player_restart(p);
    ov_buf_free(&told);
    ov_batch_free(batch);
    ov_batch_free(out);
}

static inline void play(const struct ov_rule *text, const struct row *rows, size_t count)
{
    struct player p = {.rule = rig_rule(text), .clock_base_ms = 1000000};
    player_start(&p);
    for (size_t i = 0; i < count; i++)
        player_row(&p, &rows[i]);
    player_end(&p);
}
#define PLAY(rule, rows) play(&(rule), (rows), OV_COUNT(rows))

/* What a batch makes known, handed on at once. */
struct told {
    size_t count, firing, resolved;
};

static inline struct told feed(struct ov_alerts *alerts, const char *input,
                               const struct ov_batch *batch, double at, struct ov_batch *out)
{
    struct told told = {0};
    ov_alerts_feed(alerts, input, batch, 1000000 + (int64_t)(at * 1000), rig_wall(at), out);
    for (const struct ov_sample *s = ov_batch_first(out); s; s = s->next) {
        bool firing = ov_slice_eq(alert_text(s, OV_ALERT_STATE), OV_SLICE("firing"));
        told.count++;
        told.firing += firing;
        told.resolved += !firing;
    }
    ov_alerts_told(alerts, out);
    return told;
}

#endif
