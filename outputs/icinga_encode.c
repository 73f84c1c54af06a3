/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From samples to results. What happens to an alert (omnidaemon_alert) is a result at once. The
 * agent lists how alerts are (omnivigil_firing, omnivigil_rule) at each of its intervals; that
 * corrects what is known, and states that were not sent for a while are sent again.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "alert.h"
#include "icinga.h"
#include "icinga_record.h"
#include "webhook_item.h"
#include "webhook_text.h"

enum { TEXT_MAX_BYTES = 2000, WAITING_FACTOR = 10 };

static struct ov_slice text_of(const struct ov_sample *s, const char *name)
{
    const union ov_value *value = item_field(s, name, OV_TEXT);
    return value ? *value->text : (struct ov_slice){0};
}

/* ---------------------------------------------------------------- results */

static const char *const words[] = {"OK", "WARNING", "CRITICAL"};

static void output_put(struct ov_buf *out, const struct icinga_state *state)
{
    ov_buf_printf(out, "%s: ", words[state->severity]);
    if (!state->firing)
        ov_buf_str(out, "no alert");
    if (state->firing > 1)
        ov_buf_printf(out, "%zu alerts, ", state->firing);
    ov_buf_escaped(out, text_prefix(state->summary, TEXT_MAX_BYTES));
    if (state->firing && isfinite(state->started_at)) {
        ov_buf_str(out, " (since ");
        if (!time_put(out, state->started_at))
            ov_buf_str(out, "long ago");
        ov_buf_char(out, ')');
    }
    if (state->description.len) {
        ov_buf_char(out, '\n');
        ov_buf_escaped(out, text_prefix(state->description, TEXT_MAX_BYTES));
    }
    if (state->others.len) {
        ov_buf_char(out, '\n');
        ov_buf_add(out, state->others.ptr, state->others.len - 1);
    }
}

/* How long a result may stand alone. */
static int64_t ttl_of(const struct icinga *icinga)
{
    int64_t every = icinga->refresh_ms > icinga->gap_ms ? icinga->refresh_ms : icinga->gap_ms;
    return icinga->ttl_ms ? icinga->ttl_ms : 3 * every;
}

static void result_emit(struct icinga *icinga, const struct icinga_result *result)
{
    char word[64];
    snprintf(word, sizeof word, "%" PRId64 "-%" PRIu64, ov_wall_ns(), icinga->serial++);
    memory_note(icinga->newest, result->service, ov_slice(word));
    ov_buf_reset(&icinga->record);
    icinga_record_put(&icinga->record, word, result);
    ov_emit(icinga->emit, icinga->record.data, icinga->record.len, 1);
}

/* Whether an old state is to be sent again: less often while the one before waits, as all do while
 * Icinga is away. */
static bool is_due(const struct icinga *icinga, const struct icinga_state *state)
{
    int64_t age = icinga->now_ms - state->sent_ms;
    bool waits = memory_ask(icinga->newest, state->service, OV_SLICE("")) != MEMORY_NONE;
    return age >= icinga->refresh_ms * (waits ? WAITING_FACTOR : 1);
}

static bool state_send(void *context, const struct icinga_state *state)
{
    struct icinga *icinga = context;
    struct ov_buf perfdata = {0};
    if (!state->news && !(icinga->listing && is_due(icinga, state)))
        return false;
    ov_buf_printf(&perfdata, "\"alerts=%zu\",\"critical=%zu\"", state->firing, state->critical);
    ov_buf_reset(&icinga->text);
    output_put(&icinga->text, state);
    result_emit(icinga, &(struct icinga_result){
        .service = state->service,
        .exit_status = (int)state->severity,
        .output = {icinga->text.data, icinga->text.len},
        .perfdata = {perfdata.data, perfdata.len},
        .source = icinga->source,
        .time_ns = ov_wall_ns(),
        .ttl_ms = state->expected ? ttl_of(icinga) : 0,
    });
    ov_buf_free(&perfdata);
    return true;
}

/* The sign of life, from the sample about the agent itself. */
static void beat(struct icinga *icinga, const struct ov_sample *agent)
{
    const union ov_value *valid = item_field(agent, "config_valid", OV_BOOL);
    bool refused = valid && !valid->boolean;
    if (!*icinga->heartbeat ||
        (icinga->beat_ms != INT64_MIN && icinga->now_ms - icinga->beat_ms < icinga->refresh_ms))
        return;
    icinga->beat_ms = icinga->now_ms;
    ov_buf_reset(&icinga->key);
    icinga_name_fixed(icinga->names, icinga->heartbeat, &icinga->key);
    ov_buf_reset(&icinga->text);
    ov_buf_str(&icinga->text, refused ? "WARNING: omnivigil " : "OK: omnivigil ");
    ov_buf_escaped(&icinga->text, text_of(agent, "version"));
    ov_buf_str(&icinga->text, refused ? " runs, but refused the configuration it read last"
                                      : " runs");
    result_emit(icinga, &(struct icinga_result){
        .service = {icinga->key.data, icinga->key.len},
        .exit_status = refused ? ICINGA_WARNING : ICINGA_OK,
        .output = {icinga->text.data, icinga->text.len},
        .source = icinga->source,
        .time_ns = ov_wall_ns(),
        .ttl_ms = ttl_of(icinga),
    });
}

/* ---------------------------------------------------------------- samples */

static struct ov_slice tag_of(const struct ov_sample *s, const char *name)
{
    for (size_t i = 0; i < s->measurement->tag_count; i++)
        if (strcmp(s->measurement->tags[i], name) == 0)
            return s->tags[i];
    return (struct ov_slice){0};
}

static struct icinga_alert alert_of(struct icinga *icinga, const struct ov_sample *s)
{
    const union ov_value *started = item_field(s, "started_at", OV_FLOAT);
    bool warning = ov_slice_eq(tag_of(s, "severity"), OV_SLICE("warning"));
    bool ended = ov_slice_eq(text_of(s, "state"), OV_SLICE("resolved"));
    ov_buf_reset(&icinga->key);
    icinga_name_put(icinga->names, s, &icinga->key);
    struct ov_slice summary = text_of(s, "summary");
    return (struct icinga_alert){
        .id = text_of(s, "alert_id"),
        .service = {icinga->key.data, icinga->key.len},
        .summary = summary.len ? summary : tag_of(s, "rule"),
        .description = text_of(s, "description"),
        .severity = ended ? ICINGA_OK : warning ? ICINGA_WARNING : ICINGA_CRITICAL,
        .started_at = started ? started->number : NAN,
        .time_ns = s->time_ns,
    };
}

static void list_begin(struct icinga *icinga, int64_t time_ns)
{
    icinga->gap_ms = icinga->listed_ms == INT64_MIN ? 0 : icinga->now_ms - icinga->listed_ms;
    icinga->listed_ms = icinga->now_ms;
    icinga->listing = true;
    icinga_services_list(icinga->services, time_ns);
}

static const char too_many[] = "there are too many alerts";

/* Returns whether it is about the state of a service. */
static bool sample_read(struct icinga *icinga, const struct ov_sample *s)
{
    const char *name = s->measurement->name;
    struct icinga_alert alert;
    if (strcmp(name, ov_alert_measurement.name) == 0) {
        alert = alert_of(icinga, s);
        if (!icinga_services_told(icinga->services, &alert))
            ov_emit_unfit(icinga->emit, 1, too_many);
    } else if (strcmp(name, ov_firing_measurement.name) == 0) {
        alert = alert_of(icinga, s);
        if (!icinga_services_listed(icinga->services, &alert))
            ov_emit_unfit(icinga->emit, 1, too_many);
    } else if (strcmp(name, ov_rule_state_measurement.name) == 0) {
        ov_buf_reset(&icinga->key);
        icinga_name_put(icinga->names, s, &icinga->key);
        if (icinga_names_are_of_rules(icinga->names))
            icinga_services_expect(icinga->services,
                                   (struct ov_slice){icinga->key.data, icinga->key.len});
    } else {
        if (strcmp(name, "omnivigil_agent") == 0)
            beat(icinga, s);
        return false;
    }
    return true;
}

static bool is_list(const struct ov_batch *batch)
{
    const struct ov_sample *s = ov_batch_first(batch);
    while (s && strcmp(s->measurement->name, ov_rule_state_measurement.name) != 0)
        s = s->next;
    return s;
}

void icinga_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    struct icinga *icinga = state;
    const struct ov_sample *first = ov_batch_first(batch);
    bool list = is_list(batch);
    icinga->now_ms = ov_clock_ms();
    icinga->emit = emit;
    icinga->listing = false;
    if (list)
        list_begin(icinga, first->time_ns);
    bool any = false;
    for (const struct ov_sample *s = first; s; s = s->next)
        any |= sample_read(icinga, s);
    if (list)
        icinga_services_list_end(icinga->services);
    if (any)
        icinga_services_each(icinga->services, icinga->now_ms, state_send, icinga);
}
