/* SPDX-License-Identifier: Apache-2.0 */
/* The command `agent list`: who is registered, and how they are. */
#include "agent_records.h"
#include "agent_rows.h"
#include "figure_cells.h"
#include "figures.h"
#include "payload.h"
#include "runner_call.h"

enum { FLAG_SHAPE };
enum shape { SHAPE_TREE, SHAPE_TABLE, SHAPE_COMPACT };
static const char *const shapes[] = {
    [SHAPE_TREE] = "tree", [SHAPE_TABLE] = "table", [SHAPE_COMPACT] = "compact", NULL,
};
static const struct ov_flag flags[] = {
    [FLAG_SHAPE] = {"shape", 0, "SHAPE", "tree (by topic), table, or compact", shapes},
    {NULL, 0, NULL, NULL, NULL},
};

enum {
    LIST_TOPIC, LIST_AGENT, LIST_DESCRIPTION, LIST_LIFE, LIST_UNDELIVERED, LIST_PENDING, LIST_LOST,
    LIST_DLQ, LIST_STATE, LIST_RECEIVED, LIST_PROCESSED, LIST_FAILED, LIST_SUCCESS, LIST_CONSUMERS,
    LIST_TOOLS, LIST_CALLBACK, LIST_COLUMNS,
};
static const struct ov_column columns[] = {
    [LIST_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [LIST_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [LIST_DESCRIPTION] = {"description", OV_CELL_TEXT, NULL, 5},
    [LIST_LIFE] = {"life", OV_CELL_TEXT, NULL, 0},
    [LIST_UNDELIVERED] = {"undelivered", OV_CELL_INT, "waiting", 0},
    [LIST_PENDING] = {"pending", OV_CELL_INT, NULL, 0},
    [LIST_LOST] = {"lost", OV_CELL_INT, NULL, 1},
    [LIST_DLQ] = {"dlq_length", OV_CELL_INT, "dlq", 0},
    [LIST_STATE] = {"state", OV_CELL_TEXT, "process", 3},
    [LIST_RECEIVED] = {"received", OV_CELL_INT, NULL, 2},
    [LIST_PROCESSED] = {"processed", OV_CELL_INT, NULL, 1},
    [LIST_FAILED] = {"failed", OV_CELL_INT, NULL, 0},
    [LIST_SUCCESS] = {"success_ratio", OV_CELL_RATIO, "success", 1},
    [LIST_CONSUMERS] = {"consumer_count", OV_CELL_INT, "consumers", 4},
    [LIST_TOOLS] = {"tools", OV_CELL_JSON, NULL, 6},
    [LIST_CALLBACK] = {"callback", OV_CELL_TEXT, NULL, 7},
};
#define LIST_VIEW(its_shape, count)                                                                \
    {                                                                                              \
        .name = "agents", .shape = (its_shape), .columns = columns, .column_count = (count),       \
        .empty = "no such agents are registered",                                                  \
    }
static const struct ov_view views[] = {
    [SHAPE_TREE] = LIST_VIEW(OV_SHAPE_TREE, LIST_COLUMNS),
    [SHAPE_TABLE] = LIST_VIEW(OV_SHAPE_LIST, LIST_COLUMNS),
    [SHAPE_COMPACT] = LIST_VIEW(OV_SHAPE_TREE, LIST_DESCRIPTION + 1),
};

static struct ov_slice text_of(const struct agent_record *record, enum agent_text which)
{
    return (struct ov_slice){record->texts[which].data, record->texts[which].len};
}

static void show_record(struct ov_call *call, const struct ov_view *view,
                        const struct agent_record *record)
{
    const struct payload_style style = {.bytes_max = AGENT_TEXT_MAX};
    struct ov_buf tools = {0};
    if (record->texts[AGENT_DESCRIPTION].len)
        ov_show_text(call, LIST_DESCRIPTION, text_of(record, AGENT_DESCRIPTION));
    if (view->column_count <= LIST_CALLBACK)
        return;
    if (record->texts[AGENT_CALLBACK].len)
        ov_show_text(call, LIST_CALLBACK, text_of(record, AGENT_CALLBACK));
    if (record->texts[AGENT_TOOLS].len) {
        payload_show(&style, text_of(record, AGENT_TOOLS), &tools);
        ov_show_text(call, LIST_TOOLS, (struct ov_slice){tools.data, tools.len});
    }
    ov_buf_free(&tools);
}

static void mark_life(struct ov_call *call, const struct ov_view *view,
                      const struct ov_sample *group)
{
    struct ov_slice life = figure_text(group, "life");
    bool works = ov_slice_eq(life, OV_SLICE("polling")) || ov_slice_eq(life, OV_SLICE("busy"));
    figure_mark(call, view, "life", works ? OV_MARK_GOOD : OV_MARK_DIM);
}

/* Shows one; true where something fires for it. */
static bool show_agent(const struct runner_marks *marks, const struct ov_view *view,
                       const struct agent_row *row, const struct agent_record *record)
{
    struct ov_call *call = marks->call;
    bool fires = false, whole = view->column_count == LIST_COLUMNS;
    ov_show_row(call);
    ov_show_text(call, LIST_TOPIC, row->name.a);
    ov_show_text(call, LIST_AGENT, row->name.b);
    if (record)
        show_record(call, view, record);
    if (row->group && whole) {
        figure_cells_of(call, view, LIST_LIFE, LIST_DLQ, row->group);
        if (figure_bool(row->group, "exists") == 0)
            ov_show_text(call, LIST_LIFE, OV_SLICE("no group"));
        mark_life(call, view, row->group);
    }
    if (whole)
        figure_cells_of(call, view, LIST_STATE, LIST_CONSUMERS, row->agent);
    fires |= runner_mark(marks, view, row->agent);
    fires |= runner_mark(marks, view, row->group);
    if (fires && !whole)
        ov_show_mark(call, LIST_AGENT, OV_MARK_BAD);
    return fires;
}

static enum shape shape_of(const struct ov_call *call)
{
    const char *word = ov_call_flag(call, FLAG_SHAPE);
    for (unsigned i = 0; word && ov_call_is_for_persons(call) && shapes[i]; i++)
        if (strcmp(shapes[i], word) == 0)
            return (enum shape)i;
    return SHAPE_TREE;
}

struct listing {
    struct ov_call *call;
    struct agent_rows rows;
    struct agent_records records;
    size_t shown, registered, past, fires;
};

static bool is_shown(const struct listing *list, const struct agent_row *row)
{
    return agent_row_is_registered(row) &&
           ov_call_wants(list->call, &row->name.a, &row->name.b);
}

static void show_list(struct listing *list)
{
    const struct ov_view *view = &views[shape_of(list->call)];
    const struct runner_marks marks = runner_marks(list->call);
    ov_show(list->call, view);
    for (size_t i = 0; i < list->rows.all.count; i++) {
        const struct agent_row *row = (const struct agent_row *)list->rows.all.entries[i];
        list->registered += agent_row_is_registered(row);
        list->past += row->agent && !agent_row_is_registered(row);
        if (!is_shown(list, row))
            continue;
        list->shown++;
        list->fires += show_agent(&marks, view, row,
                                  agent_record_of(&list->records, row->name.a, row->name.b));
    }
    if (list->shown == 0 && list->registered)
        ov_show_note(list->call, "%zu are, but none that --topic and --agent let pass.",
                     list->registered);
    if (list->records.why.len)
        ov_show_note(list->call, "Descriptions and tools could not be read: %s.",
                     ov_buf_text(&list->records.why));
    if (list->past)
        ov_show_note(list->call, "%zu more that only past tasks tell of: `omnivigil metrics`.",
                     list->past);
    if (list->fires)
        ov_show_note(list->call, "`omnivigil agent get TOPIC NAME` tells what is wrong with one.");
}

static int list_agents(struct listing *list, struct runner *runner)
{
    const struct ov_batch *batch;
    int status = runner_call_gather(list->call, &batch);
    if (status != OV_EXIT_FINE)
        return status;
    agent_rows_read(&list->rows, batch, ov_call_gather(list->call, "redis_bus", NULL));
    for (size_t i = 0; i < list->rows.all.count; i++) {
        const struct agent_row *row = (const struct agent_row *)list->rows.all.entries[i];
        if (is_shown(list, row))
            agent_records_want(&list->records, row->name.a, row->name.b);
    }
    if (agent_records_read(&list->records, &runner->omni, runner->redis) != OV_OK)
        return ov_call_unable(list->call, "%s", redis_why(runner->redis));
    show_list(list);
    return list->fires ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static int agents_run(void *state, struct ov_call *call)
{
    struct listing list = {.call = call};
    int status = list_agents(&list, state);
    agent_rows_free(&list.rows);
    agent_records_free(&list.records);
    return status;
}

static const char more[] =
    "waiting: tasks not delivered yet; pending: delivered and not done; dlq: given up. life:\n"
    "polling, busy, silent (nobody works for it), paused, or no group.\n"
    "Exit status: 1 where a rule fires for one that is listed.\n";

static const char *const figures[] = {
    "omnidaemon_health.*", "omnidaemon_agent.*", "omnidaemon_failures.*", "omnidaemon_group.*",
    NULL,
};

const struct ov_command runner_command_agents = {
    .name = "agent list", .takes = "", .summary = "Registered agents by topic, and how they are",
    .more = more, .example = "omnivigil agent list --topic 'orders.*'", .flags = flags,
    .run = agents_run,
    .figures = figures,
};
