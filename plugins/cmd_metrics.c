/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `metrics`: what became of tasks. Counts are those of the input, which are exact and
 * may reach further back than OmniDaemon's events; times, and with --since all, are taken from the
 * events there are.
 */
#include <math.h>
#include <stdlib.h>

#include "call_number.h"
#include "figure_cells.h"
#include "figures.h"
#include "runner_call.h"
#include "scalar.h"
#include "task_history.h"

enum { FLAG_SINCE, FLAG_LIMIT };
static const struct ov_flag flags[] = {
    [FLAG_SINCE] = {"since", 's', "DURATION", "only the last 30m, 1h, 7d", NULL},
    [FLAG_LIMIT] = {"limit", 'n', "N", "show so many agents, and failures (100)", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

enum { COVER_SINCE, COVER_UNTIL, COVER_EVENTS, COVER_COMPLETE, COVER_SOURCE };
static const struct ov_column cover_columns[] = {
    [COVER_SINCE] = {"since", OV_CELL_TIME, NULL, 0},
    [COVER_UNTIL] = {"until", OV_CELL_TIME, NULL, 0},
    [COVER_EVENTS] = {"events", OV_CELL_INT, NULL, 0},
    [COVER_COMPLETE] = {"complete", OV_CELL_BOOL, NULL, 0},
    [COVER_SOURCE] = {"counts_from", OV_CELL_TEXT, "counts from", 0},
};
static const struct ov_view cover_view = {
    .name = "covers", .shape = OV_SHAPE_LIST, .single = true, .columns = cover_columns,
    .column_count = OV_COUNT(cover_columns),
};

enum {
    TASK_TOPIC, TASK_AGENT, TASK_RECEIVED, TASK_PROCESSED, TASK_FAILED, TASK_SUCCESS, TASK_AVERAGE,
    TASK_P50, TASK_P95, TASK_P99, TASK_MAX, TASK_COLUMNS,
};
static const struct ov_column task_columns[] = {
    [TASK_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [TASK_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [TASK_RECEIVED] = {"received", OV_CELL_INT, NULL, 0},
    [TASK_PROCESSED] = {"processed", OV_CELL_INT, NULL, 0},
    [TASK_FAILED] = {"failed", OV_CELL_INT, NULL, 0},
    [TASK_SUCCESS] = {"success_ratio", OV_CELL_RATIO, "success", 0},
    [TASK_AVERAGE] = {"processing_avg_seconds", OV_CELL_SECONDS, "average", 1},
    [TASK_P50] = {"processing_p50_seconds", OV_CELL_SECONDS, "p50", 2},
    [TASK_P95] = {"processing_p95_seconds", OV_CELL_SECONDS, "p95", 0},
    [TASK_P99] = {"processing_p99_seconds", OV_CELL_SECONDS, "p99", 3},
    [TASK_MAX] = {"processing_max_seconds", OV_CELL_SECONDS, "max", 4},
};
static const struct ov_view total_view = {
    .name = "totals", .shape = OV_SHAPE_LIST, .single = true, .title = "All",
    .columns = &task_columns[TASK_RECEIVED], .column_count = TASK_COLUMNS - TASK_RECEIVED,
};
static const struct ov_view task_view = {
    .name = "agents", .shape = OV_SHAPE_LIST, .title = "By agent", .columns = task_columns,
    .column_count = TASK_COLUMNS, .empty = "no task events",
};

enum { FAILURE_TOPIC, FAILURE_AGENT, FAILURE_TYPE, FAILURE_FAILED };
static const struct ov_column failure_columns[] = {
    [FAILURE_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [FAILURE_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [FAILURE_TYPE] = {"error_type", OV_CELL_TEXT, "error", 0},
    [FAILURE_FAILED] = {"failed", OV_CELL_INT, NULL, 0},
};
static const struct ov_view failure_view = {
    .name = "failures", .shape = OV_SHAPE_LIST, .title = "Failures", .columns = failure_columns,
    .column_count = OV_COUNT(failure_columns),
};

struct row {
    struct pair name;               /* topic, agent */
    const struct ov_sample *sample; /* NULL: the input knows none */
    int64_t received, processed, failed;
    struct sketch_summary times;
};

struct failure {
    struct ov_slice topic, agent, error_type;
    int64_t failed;
};

struct metrics {
    struct runner *runner;
    struct ov_call *call;
    const struct ov_batch *batch;
    struct task_history history;
    struct pairs rows;              /* struct row */
    struct failure *failures;
    size_t failure_count;
    int64_t since_ms;               /* how far back; 0: all */
    int64_t limit;
    bool progressing;
};

/* ---------------------------------------------------------------- counting */

static bool wants(void *context, struct ov_slice topic, struct ov_slice agent)
{
    const struct metrics *m = context;
    return ov_call_wants(m->call, &topic, &agent);
}

static void on_progress(void *context, uint64_t done, uint64_t total)
{
    enum { WORTH_TELLING = 50000 };
    struct metrics *m = context;
    if (done < WORTH_TELLING || done >= total)
        return;
    ov_call_progress(m->call, "task events", (int64_t)done, (int64_t)total);
    m->progressing = true;
}

static struct row *row_of(struct metrics *m, struct ov_slice topic, struct ov_slice agent)
{
    struct row *row = pairs_add(&m->rows, topic, agent, sizeof *row);
    if (!row->sample && row->received == 0)
        row->times.average = row->times.p50 = row->times.p95 = row->times.p99 = row->times.max =
            (double)NAN;
    return row;
}

static void add_failure(struct metrics *m, const struct failure *failure)
{
    if ((m->failure_count & (m->failure_count - 1)) == 0)
        m->failures = ov_realloc(m->failures, 2 * m->failure_count + 1, sizeof *m->failures);
    m->failures[m->failure_count++] = *failure;
}

/* The counts are the input's; an agent that is registered has a row also without any task. */
static void take_samples(struct metrics *m)
{
    for (const struct ov_sample *s = ov_batch_first(m->batch); s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
        bool counts = figure_of(s, "omnidaemon_agent");
        if (!counts && !figure_of(s, "omnidaemon_failures"))
            continue;
        if (!ov_call_wants(m->call, &topic, &agent))
            continue;
        if (counts) {
            struct row *row = row_of(m, topic, agent);
            row->sample = s;
            if (m->since_ms)
                continue;
            row->received = figure_int(s, "received", 0);
            row->processed = figure_int(s, "processed", 0);
            row->failed = figure_int(s, "failed", 0);
        } else if (!m->since_ms) {
            add_failure(m, &(struct failure){topic, agent, figure_tag(s, "error_type"),
                                             figure_int(s, "failed", 0)});
        }
    }
}

static void take_history(struct metrics *m)
{
    const struct tasks *tasks = &m->history.tasks;
    for (size_t i = 0; i < tasks->agents.count; i++) {
        const struct tasks_agent *agent = (const struct tasks_agent *)tasks->agents.entries[i];
        struct row *row = row_of(m, agent->name.a, agent->name.b);
        if (agent->window)
            row->times = task_history_summary(agent->window);
        if (!m->since_ms)
            continue;
        row->received = (int64_t)agent->received;
        row->processed = (int64_t)agent->processed;
        row->failed = (int64_t)agent->failed;
    }
    for (size_t i = 0; m->since_ms && i < tasks->failures.count; i++) {
        const struct tasks_failures *f = (const struct tasks_failures *)tasks->failures.entries[i];
        struct failure failure = {.topic = f->name.a, .failed = (int64_t)f->failed};
        tasks_failures_name(f, &failure.agent, &failure.error_type);
        add_failure(m, &failure);
    }
}

static int compare_rows(const void *left, const void *right)
{
    const struct row *a = *(struct row *const *)left, *b = *(struct row *const *)right;
    return (a->received < b->received) - (a->received > b->received);
}

static int compare_failures(const void *left, const void *right)
{
    const struct failure *a = left, *b = right;
    return (a->failed < b->failed) - (a->failed > b->failed);
}

/* ---------------------------------------------------------------- showing */

static void show_counts(struct ov_call *call, unsigned first, const struct row *row)
{
    const struct sketch_summary *times = &row->times;
    const double values[] = {times->average, times->p50, times->p95, times->p99, times->max};
    int64_t ended = row->processed + row->failed;
    ov_show_int(call, first, row->received);
    ov_show_int(call, first + TASK_PROCESSED - TASK_RECEIVED, row->processed);
    ov_show_int(call, first + TASK_FAILED - TASK_RECEIVED, row->failed);
    if (ended > 0)
        ov_show_float(call, first + TASK_SUCCESS - TASK_RECEIVED,
                      (double)row->processed / (double)ended);
    for (unsigned i = 0; i < OV_COUNT(values); i++) /* what is below a microsecond is noise */
        ov_show_float(call, first + TASK_AVERAGE - TASK_RECEIVED + i, round(values[i] * 1e6) / 1e6);
}

static void show_totals(struct metrics *m)
{
    struct row all = {.times = task_history_summary(&m->history.total)};
    for (size_t i = 0; i < m->rows.count; i++) {
        const struct row *row = (const struct row *)m->rows.entries[i];
        all.received += row->received;
        all.processed += row->processed;
        all.failed += row->failed;
    }
    ov_show(m->call, &total_view);
    ov_show_row(m->call);
    show_counts(m->call, 0, &all);
}

/* So many of `count` are shown: for programs all, unless a limit was set. */
static size_t shown_of(const struct metrics *m, size_t count)
{
    bool limited = ov_call_flag(m->call, FLAG_LIMIT) || ov_call_is_for_persons(m->call);
    return limited && count > (size_t)m->limit ? (size_t)m->limit : count;
}

static bool show_agents(struct metrics *m)
{
    const struct runner_marks marks = runner_marks(m->call);
    size_t shown = shown_of(m, m->rows.count);
    bool fires = false;
    ov_show(m->call, &task_view);
    for (size_t i = 0; i < m->rows.count; i++) {
        const struct row *row = (const struct row *)m->rows.entries[i];
        if (i < shown) {
            ov_show_row(m->call);
            ov_show_text(m->call, TASK_TOPIC, row->name.a);
            ov_show_text(m->call, TASK_AGENT, row->name.b);
            show_counts(m->call, TASK_RECEIVED, row);
            fires |= runner_mark(&marks, &task_view, row->sample);
        }
    }
    if (shown < m->rows.count)
        ov_show_note(m->call, "%zu of %zu shown; --limit shows more.", shown, m->rows.count);
    return fires;
}

static void show_failures(struct metrics *m)
{
    size_t shown = shown_of(m, m->failure_count);
    ov_show(m->call, &failure_view);
    for (size_t i = 0; i < shown; i++) {
        const struct failure *f = &m->failures[i];
        ov_show_row(m->call);
        ov_show_text(m->call, FAILURE_TOPIC, f->topic);
        ov_show_text(m->call, FAILURE_AGENT, f->agent);
        ov_show_text(m->call, FAILURE_TYPE, f->error_type);
        ov_show_int(m->call, FAILURE_FAILED, f->failed);
    }
    if (shown < m->failure_count)
        ov_show_note(m->call, "%zu of %zu shown; --limit shows more.", shown, m->failure_count);
}

/* ---------------------------------------------------------------- what the figures cover */

static const struct ov_sample *find_sample(const struct ov_batch *batch, const char *measurement)
{
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (figure_of(s, measurement))
            return s;
    return NULL;
}

/* Whether the input has counted events that are no longer there: then an agent's saved state told
 * it of them. */
static bool counts_reach_further(const struct metrics *m)
{
    const struct ov_sample *s = find_sample(m->batch, "omnidaemon_metrics");
    return s && !m->since_ms &&
           figure_int(s, "entries", 0) > (int64_t)m->history.events;
}

static void show_cover(struct metrics *m)
{
    const struct task_history *h = &m->history;
    int64_t now_ms = m->runner->facts.now_ms, since = m->since_ms ? now_ms - m->since_ms : 0;
    bool cut = (h->trimmed || h->may_be_trimmed) && h->first_ms > since;
    bool further = counts_reach_further(m);
    int64_t begin = since > h->first_ms || (since && !cut) ? since : h->first_ms;
    ov_show(m->call, &cover_view);
    ov_show_row(m->call);
    ov_show_float(m->call, COVER_SINCE, begin ? (double)begin / 1e3 : (double)NAN);
    ov_show_float(m->call, COVER_UNTIL, (double)now_ms / 1e3);
    ov_show_int(m->call, COVER_EVENTS, (int64_t)h->events);
    ov_show_bool(m->call, COVER_COMPLETE, !cut);
    ov_show_text(m->call, COVER_SOURCE, ov_slice(further ? "saved state" : "events"));
    if (m->since_ms && cut)
        ov_show_note(m->call, "OmniDaemon's task events no longer reach back that far: %s.",
                     h->trimmed ? "older ones were dropped" : "older ones may have been dropped");
    else if (further)
        ov_show_note(m->call, "Counts are those of the agent that saved its state here, over all "
                     "it ever counted; times are of the events that OmniDaemon still holds.");
    else if (cut)
        ov_show_note(m->call, "Older task events were dropped by OmniDaemon, and are not counted.");
    if (m->runner->omni.backend == OMNI_JSON)
        ov_show_note(m->call, "OmniDaemon writes metrics.json after each 100 events: the newest "
                     "may be missing.");
}

/* ---------------------------------------------------------------- the command */

static int show_all(struct metrics *m)
{
    take_samples(m);
    take_history(m);
    if (m->rows.count)
        qsort(m->rows.entries, m->rows.count, sizeof(struct pair *), compare_rows);
    if (m->failure_count)
        qsort(m->failures, m->failure_count, sizeof *m->failures, compare_failures);
    show_cover(m);
    show_totals(m);
    bool fires = show_agents(m);
    show_failures(m);
    return fires ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static int count_tasks(struct metrics *m)
{
    struct runner *runner = m->runner;
    int status = runner_call_gather(m->call, &m->batch);
    if (status != OV_EXIT_FINE)
        return status;
    int64_t since = m->since_ms ? runner->facts.now_ms - m->since_ms : 0;
    m->history.wants = wants;
    m->history.progress = on_progress;
    m->history.context = m;
    if (task_history_read(&m->history, &runner->omni, runner->redis,
                          since > 0 ? (uint64_t)since : 0) != OV_OK)
        return ov_call_unable(m->call, "%s", redis_why(runner->redis));
    if (m->progressing)
        ov_call_progress(m->call, "task events", (int64_t)m->history.length,
                         (int64_t)m->history.length);
    if (m->history.why.len)
        return ov_call_unable(m->call, "%s", ov_buf_text(&m->history.why));
    return show_all(m);
}

static int metrics_run(void *state, struct ov_call *call)
{
    struct metrics m = {.runner = state, .call = call};
    const char *since = ov_call_flag(call, FLAG_SINCE);
    const char *wrong = since ? ov_scalar_duration(ov_slice(since), &m.since_ms) : NULL;
    if (wrong || (since && m.since_ms <= 0))
        return ov_call_usage(call, "--since: %s, got `%s`",
                             wrong ? wrong : "expected a duration above 0", since);
    if (!call_number(call, FLAG_LIMIT, "limit", 100, 1000000, &m.limit))
        return OV_EXIT_USAGE;
    int status = count_tasks(&m);
    task_history_free(&m.history);
    pairs_free(&m.rows, NULL);
    free(m.failures);
    return status;
}

static const char more[] =
    "received counts deliveries: a task that is tried three times counts three. success is\n"
    "processed / (processed + failed). Percentiles are right to 1 %, from\n"
    "1 us on.\n"
    "Exit status: 1 where a rule fires for an agent that is shown.\n";

static const char *const figures[] = {
    "omnidaemon_agent.*", "omnidaemon_failures.*", "omnidaemon_metrics.*",
    "omnidaemon_health.storage_up", "omnidaemon_health.reason", NULL,
};

const struct ov_command runner_command_metrics = {
    .name = "metrics", .takes = "", .summary = "What became of tasks: counts, times, failures",
    .more = more, .example = "omnivigil metrics --since 1h --topic 'orders.*'", .flags = flags,
    .run = metrics_run,
    .figures = figures,
};
