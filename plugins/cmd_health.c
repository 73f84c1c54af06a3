/* SPDX-License-Identifier: Apache-2.0 */
/* The command `health`: the status with its reason, what tells so, the parts, and what fires. */
#include <math.h>

#include "figure_cells.h"
#include "figures.h"
#include "runner_call.h"

enum { HEALTH_SIGN = 3, HEALTH_STARTED = 6 };
static const struct ov_column health_columns[] = {
    {"status", OV_CELL_TEXT, NULL, 0},
    {"reason", OV_CELL_TEXT, NULL, 0},
    {"runner", OV_CELL_TEXT, NULL, 0},
    [HEALTH_SIGN] = {"sign", OV_CELL_TEXT, NULL, 0},
    {"runner_id", OV_CELL_TEXT, "id", 0},
    {"uptime_seconds", OV_CELL_SECONDS, "up for", 0},
    [HEALTH_STARTED] = {"started_at", OV_CELL_TIME, "started", 0},
    {"agents", OV_CELL_INT, NULL, 0},
    {"topics", OV_CELL_INT, NULL, 0},
};
static const struct ov_view health_view = {
    .name = "health", .shape = OV_SHAPE_CARDS, .single = true, .columns = health_columns,
    .column_count = OV_COUNT(health_columns),
};

enum { PART_NAME, PART_HEALTHY, PART_KIND, PART_LATENCY, PART_MEMORY, PART_REASON };
static const struct ov_column part_columns[] = {
    [PART_NAME] = {"part", OV_CELL_TEXT, NULL, 0},
    [PART_HEALTHY] = {"up", OV_CELL_BOOL, "healthy", 0},
    [PART_KIND] = {"kind", OV_CELL_TEXT, NULL, 1},
    [PART_LATENCY] = {"latency_seconds", OV_CELL_SECONDS, "latency", 2},
    [PART_MEMORY] = {"memory_used_bytes", OV_CELL_BYTES, "memory", 3},
    [PART_REASON] = {"reason", OV_CELL_TEXT, NULL, 0},
};
static const struct ov_view part_view = {
    .name = "parts", .shape = OV_SHAPE_LIST, .columns = part_columns,
    .column_count = OV_COUNT(part_columns),
};

/* ---------------------------------------------------------------- by what sign */

static void tell_active(const struct runner *runner, const struct runner_signs *signs,
                        struct ov_buf *out)
{
    int64_t readers = runner->facts.blocked_readers;
    if (signs->polling == SIGN_YES && readers > 0)
        ov_buf_printf(out, "%lld consumer%s in a blocking read", (long long)readers,
                      readers == 1 ? " waits" : "s wait");
    else if (signs->polling == SIGN_YES)
        ov_buf_str(out, readers == 0
                            ? "consumers waited in a blocking read a moment ago"
                            : "clients are blocked, and consumers looked for tasks lately");
    else if (signs->busy == SIGN_YES)
        ov_buf_str(out, "no consumer waits, since all are busy: tasks were delivered lately");
    else
        ov_buf_str(out, "task events or heartbeats came lately; more may not be looked at");
}

static void tell_sign(struct runner *runner, struct ov_buf *out)
{
    const uint32_t commands = REFUSED(REFUSABLE_CLIENT_LIST) | REFUSED(REFUSABLE_INFO) |
                              REFUSED(REFUSABLE_OBJECT) | REFUSED(REFUSABLE_XPENDING);
    const struct runner_signs signs = runner_signs(runner);
    switch (runner_judge(&signs)) {
    case RUNNER_ACTIVE:
        tell_active(runner, &signs, out);
        break;
    case RUNNER_LOST:
        ov_buf_str(out, "its start time is still in storage, as a crash leaves it; no consumer "
                        "waits in a blocking read, and no task was delivered lately");
        break;
    case RUNNER_STOPPED:
        ov_buf_str(out, "the start time is gone from storage, as an orderly stop leaves it");
        break;
    case RUNNER_NONE:
        ov_buf_str(out, "storage lists no agent, and no consumer waits in a blocking read");
        break;
    case RUNNER_UNKNOWN:
        ov_buf_str(out, refusals_why(&runner->refusals, commands));
        break;
    }
}

/* ---------------------------------------------------------------- showing */

static enum ov_mark mark_of(int64_t status)
{
    return status <= HEALTH_READY ? OV_MARK_GOOD
           : status == HEALTH_DEGRADED ? OV_MARK_WARN : OV_MARK_BAD;
}

static void show_health(struct ov_call *call, struct runner *runner, const struct ov_sample *s)
{
    struct ov_buf sign = {0};
    bool lost = ov_slice_eq(figure_text(s, "runner"), OV_SLICE("lost"));
    ov_show(call, &health_view);
    ov_show_row(call);
    figure_cells(call, &health_view, s);
    figure_mark(call, &health_view, "status", mark_of(figure_int(s, "status_code", 0)));
    if (lost)
        figure_mark(call, &health_view, "runner", OV_MARK_BAD);
    tell_sign(runner, &sign);
    if (sign.len)
        ov_show_text(call, HEALTH_SIGN, (struct ov_slice){sign.data, sign.len});
    ov_show_float(call, HEALTH_STARTED, runner->facts.start_time);
    ov_buf_free(&sign);
}

/* `kind` of a part is its sample's tag or field of that name, behind a constant text. */
static void show_part(struct ov_call *call, const char *part, const struct ov_batch *batch,
                      const char *measurement, const char *kind, const char *what)
{
    struct ov_buf text = {0};
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        if (!figure_of(s, measurement))
            continue;
        struct ov_slice tag = figure_tag(s, what), field = figure_text(s, what);
        ov_show_row(call);
        ov_show_text(call, PART_NAME, ov_slice(part));
        figure_cells(call, &part_view, s);
        ov_show_mark(call, PART_HEALTHY, figure_bool(s, "up") == 1 ? OV_MARK_GOOD : OV_MARK_BAD);
        ov_buf_reset(&text);
        ov_buf_str(&text, kind);
        ov_buf_slice(&text, tag.len ? tag : field);
        ov_show_text(call, PART_KIND, (struct ov_slice){text.data, text.len});
    }
    ov_buf_free(&text);
}

static int health_run(void *state, struct ov_call *call)
{
    const struct ov_batch *batch = ov_call_gather(call, "runner", NULL);
    const struct ov_sample *health = NULL;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (figure_of(s, "omnidaemon_health"))
            health = s;
    if (!health)
        return ov_call_unable(call, "nothing could be looked at");
    const struct ov_batch *bus = ov_call_gather(call, "redis_bus", NULL);
    const struct ov_batch *storage = ov_call_gather(call, "storage", NULL);
    show_health(call, state, health);
    ov_show(call, &part_view);
    show_part(call, "bus", bus, "omnidaemon_bus", "redis ", "version");
    show_part(call, "storage", storage, "omnidaemon_storage", "", "backend");
    size_t findings = runner_call_findings(call, NULL, NULL);
    int64_t status = figure_int(health, "status_code", HEALTH_DOWN);
    if (status == HEALTH_DOWN)
        return OV_EXIT_UNABLE;
    if (findings)
        ov_show_note(call, "`omnivigil diagnose` tells causes and remedies.");
    return status > HEALTH_READY || findings ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static const char more[] =
    "RUNNING: a runner is active, bus and storage are healthy. READY: they are, and no runner is\n"
    "active. DEGRADED: bus or storage is not. DOWN: neither is. What fires is what\n"
    "`omnivigil check` would say, and what an agent holds that has saved its state.\n"
    "Exit status: 0 for RUNNING and READY where nothing fires, 3 for DOWN, else 1.\n";

static const char *const figures[] = {"omnidaemon_*", NULL};

const struct ov_command runner_command_health = {
    .name = "health", .takes = "", .summary = "Status, its reason, the runner, and what fires",
    .more = more, .example = "omnivigil health --watch 5", .run = health_run,
    .figures = figures,
};
