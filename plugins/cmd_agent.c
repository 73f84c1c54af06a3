/* SPDX-License-Identifier: Apache-2.0 */
/* The command `agent get`: all there is to know of one agent. */
#include <math.h>

#include "agent_failures.h"
#include "agent_records.h"
#include "agent_rows.h"
#include "figure_cells.h"
#include "figures.h"
#include "loss.h"
#include "json.h"
#include "payload.h"
#include "runner_call.h"

enum { FLAG_NAME };
static const struct ov_flag flags[] = {
    [FLAG_NAME] = {"name", 0, "NAME", "the same as NAME", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

enum {
    ABOUT_AGENT, ABOUT_TOPIC, ABOUT_DESCRIPTION, ABOUT_LIFE, ABOUT_SIGN, ABOUT_REGISTERED,
    ABOUT_SINCE, ABOUT_CALLBACK, ABOUT_TOOLS, ABOUT_CONSUMERS, ABOUT_RECLAIM, ABOUT_RETRIES,
    ABOUT_CONFIG,
};
static const struct ov_column about_columns[] = {
    [ABOUT_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [ABOUT_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [ABOUT_DESCRIPTION] = {"description", OV_CELL_TEXT, NULL, 0},
    [ABOUT_LIFE] = {"life", OV_CELL_TEXT, NULL, 0},
    [ABOUT_SIGN] = {"sign", OV_CELL_TEXT, NULL, 0},
    [ABOUT_REGISTERED] = {"registered", OV_CELL_BOOL, NULL, 0},
    [ABOUT_SINCE] = {"created_at", OV_CELL_TIME, "since", 0},
    [ABOUT_CALLBACK] = {"callback", OV_CELL_TEXT, NULL, 0},
    [ABOUT_TOOLS] = {"tools", OV_CELL_JSON, NULL, 0},
    [ABOUT_CONSUMERS] = {"consumer_count", OV_CELL_INT, "consumers", 0},
    [ABOUT_RECLAIM] = {"reclaim_idle_seconds", OV_CELL_SECONDS, "claimed again after", 0},
    [ABOUT_RETRIES] = {"dlq_retry_limit", OV_CELL_INT, "retries", 0},
    [ABOUT_CONFIG] = {"config", OV_CELL_JSON, NULL, 0},
};
static const struct ov_view about_view = {
    .name = "agent", .shape = OV_SHAPE_CARDS, .single = true, .columns = about_columns,
    .column_count = OV_COUNT(about_columns),
};

enum { SUPERVISOR_PID = 2, SUPERVISOR_STARTED = 7 };
static const struct ov_column supervisor_columns[] = {
    {"state", OV_CELL_TEXT, NULL, 0},
    {"healthy", OV_CELL_BOOL, NULL, 0},
    [SUPERVISOR_PID] = {"pid", OV_CELL_INT, NULL, 0},
    {"restarts", OV_CELL_INT, NULL, 0},
    {"cpu_percent", OV_CELL_FLOAT, "cpu %", 0},
    {"memory_bytes", OV_CELL_BYTES, "memory", 0},
    {"heartbeat_age_seconds", OV_CELL_SECONDS, "heartbeat", 0},
    [SUPERVISOR_STARTED] = {"started_at", OV_CELL_TIME, "started", 0},
    {"requests", OV_CELL_INT, NULL, 1},
};
static const struct ov_view supervisor_view = {
    .name = "supervisor", .shape = OV_SHAPE_LIST, .single = true, .title = "Its process",
    .columns = supervisor_columns, .column_count = OV_COUNT(supervisor_columns),
};

static const struct ov_column group_columns[] = {
    {"undelivered", OV_CELL_INT, "waiting", 0},
    {"undelivered_at_least", OV_CELL_INT, "at least", 4},
    {"oldest_undelivered_seconds", OV_CELL_SECONDS, "waits for", 0},
    {"pending", OV_CELL_INT, NULL, 0},
    {"oldest_pending_seconds", OV_CELL_SECONDS, "pending for", 1},
    {"max_deliveries", OV_CELL_INT, "deliveries", 1},
    {"lost", OV_CELL_INT, NULL, 0},
    {"dlq_length", OV_CELL_INT, "dlq", 0},
    {"dlq_newest_seconds", OV_CELL_SECONDS, "newest", 2},
    {"reclaimed", OV_CELL_INT, NULL, 3},
};
static const struct ov_view group_view = {
    .name = "group", .shape = OV_SHAPE_LIST, .single = true, .title = "Its consumer group",
    .columns = group_columns, .column_count = OV_COUNT(group_columns),
};

enum { CONSUMER_NAME, CONSUMER_PENDING, CONSUMER_IDLE, CONSUMER_INACTIVE };
static const struct ov_column consumer_columns[] = {
    [CONSUMER_NAME] = {"consumer", OV_CELL_TEXT, NULL, 0},
    [CONSUMER_PENDING] = {"pending", OV_CELL_INT, NULL, 0},
    [CONSUMER_IDLE] = {"idle_seconds", OV_CELL_SECONDS, "idle", 0},
    [CONSUMER_INACTIVE] = {"inactive_seconds", OV_CELL_SECONDS, "without a task", 0},
};
static const struct ov_view consumer_view = {
    .name = "consumers", .shape = OV_SHAPE_LIST, .title = "Its consumers",
    .columns = consumer_columns, .column_count = OV_COUNT(consumer_columns),
    .empty = "no consumers are listed (Redis lists one from its first task on)",
};

static const struct ov_column task_columns[] = {
    {"received", OV_CELL_INT, NULL, 0},
    {"processed", OV_CELL_INT, NULL, 0},
    {"failed", OV_CELL_INT, NULL, 0},
    {"success_ratio", OV_CELL_RATIO, "success", 0},
    {"processing_avg_seconds", OV_CELL_SECONDS, "average", 0},
    {"processing_p50_seconds", OV_CELL_SECONDS, "p50", 1},
    {"processing_p95_seconds", OV_CELL_SECONDS, "p95", 0},
    {"processing_p99_seconds", OV_CELL_SECONDS, "p99", 1},
    {"processing_max_seconds", OV_CELL_SECONDS, "max", 2},
};
static const struct ov_view task_view = {
    .name = "tasks", .shape = OV_SHAPE_LIST, .single = true, .title = "Its tasks",
    .columns = task_columns, .column_count = OV_COUNT(task_columns),
};

static const struct ov_column failure_columns[] = {
    {"error_type", OV_CELL_TEXT, "failures", 0},
    {"failed", OV_CELL_INT, "", 0},
};
static const struct ov_view failure_view = {
    .name = "failures", .shape = OV_SHAPE_LIST, .columns = failure_columns,
    .column_count = OV_COUNT(failure_columns),
};

enum { EXCEPTION_AT, EXCEPTION_TYPE, EXCEPTION_MESSAGE, EXCEPTION_TASK };
static const struct ov_column exception_columns[] = {
    [EXCEPTION_AT] = {"failed_at", OV_CELL_TIME, "at", 1},
    [EXCEPTION_TYPE] = {"error_type", OV_CELL_TEXT, "exception", 0},
    [EXCEPTION_MESSAGE] = {"error", OV_CELL_TEXT, "message", 0},
    [EXCEPTION_TASK] = {"task_id", OV_CELL_TEXT, "task", 2},
};
static const struct ov_view exception_view = {
    .name = "last_failures", .shape = OV_SHAPE_LIST, .title = "Its last failures",
    .columns = exception_columns, .column_count = OV_COUNT(exception_columns),
};

struct getting {
    struct runner *runner;
    struct ov_call *call;
    const struct ov_batch *batch;
    struct agent_row row;     /* of it; its name lives in `rows` */
    struct agent_rows rows;
    struct agent_records records;
    int64_t key_idle_ms;      /* of the subscription key, before others look; -1: not known */
    struct runner_marks marks;
    struct ov_buf key, group;
};

/* ---------------------------------------------------------------- by what sign */

static void on_key_idle(struct redis *r, const struct redis_reply *reply, void *context,
                        size_t index)
{
    struct getting *get = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        get->key_idle_ms = reply->integer * 1000;
}

/* Before the bus is gathered, which may read the key itself. */
static int ask_key_idle(struct getting *get)
{
    struct runner *runner = get->runner;
    if (runner->omni.backend != OMNI_REDIS || !runner->facts.bus_up)
        return OV_OK;
    omni_group_name(&get->group, get->row.name.a, get->row.name.b);
    redis_send(runner->redis, on_key_idle, get, 0, OV_SLICE("OBJECT"), OV_SLICE("IDLETIME"),
               omni_config_key(&get->key, runner->omni.prefix, "_subscription_active:",
                               (struct ov_slice){get->group.data, get->group.len}));
    return redis_run(runner->redis);
}

static void tell_sign(const struct getting *get, struct ov_slice life, struct ov_buf *out)
{
    if (ov_slice_eq(life, OV_SLICE("busy"))) {
        ov_buf_str(out, "no consumer asks for more, and tasks were delivered lately");
    } else if (ov_slice_eq(life, OV_SLICE("paused"))) {
        ov_buf_str(out, "its subscription is switched off in storage");
    } else if (ov_slice_eq(life, OV_SLICE("silent"))) {
        ov_buf_str(out, "no consumer asks for tasks, and none had one lately");
    } else if (ov_slice_eq(life, OV_SLICE("polling"))) {
        if (get->key_idle_ms >= 0 && get->key_idle_ms <= OMNI_FRESH_MS)
            ov_buf_printf(out, "its subscription was looked up %lld s ago, as consumers do before "
                          "they ask for tasks", (long long)get->key_idle_ms / 1000);
        else
            ov_buf_str(out, "its consumers asked for tasks a moment ago");
    }
}

static void show_life(struct getting *get)
{
    const struct ov_sample *group = get->row.group;
    struct ov_slice life = group ? figure_text(group, "life") : OV_SLICE("");
    struct ov_buf sign = {0};
    if (group && figure_bool(group, "exists") == 0) {
        life = OV_SLICE("no group");
        ov_buf_str(&sign, "Redis has no such group: its consumers have ended, or will");
    } else {
        tell_sign(get, life, &sign);
    }
    if (life.len)
        ov_show_text(get->call, ABOUT_LIFE, life);
    if (sign.len)
        ov_show_text(get->call, ABOUT_SIGN, (struct ov_slice){sign.data, sign.len});
    ov_show_mark(get->call, ABOUT_LIFE,
                 ov_slice_eq(life, OV_SLICE("polling")) || ov_slice_eq(life, OV_SLICE("busy"))
                     ? OV_MARK_GOOD : OV_MARK_WARN);
    ov_buf_free(&sign);
}

/* ---------------------------------------------------------------- what storage says */

static void show_json(struct ov_call *call, unsigned column, const struct ov_buf *text)
{
    const struct payload_style style = {.bytes_max = AGENT_TEXT_MAX};
    struct ov_buf json = {0};
    if (text->len == 0)
        return;
    payload_show(&style, (struct ov_slice){text->data, text->len}, &json);
    ov_show_text(call, column, (struct ov_slice){json.data, json.len});
    ov_buf_free(&json);
}

static void show_plain(struct ov_call *call, unsigned column, const struct ov_buf *text)
{
    if (text->len)
        ov_show_text(call, column, (struct ov_slice){text->data, text->len});
}

static double created_at(const struct agent_record *record)
{
    const struct ov_buf *text = &record->texts[AGENT_CREATED];
    const char *why;
    struct json_object *value = json_read((struct ov_slice){text->data, text->len}, &why);
    double at = value ? json_object_get_double(value) : 0;
    json_object_put(value);
    return at > 0 ? at : (double)NAN;
}

static void show_about(struct getting *get)
{
    const struct agent_row *row = &get->row;
    const struct agent_record *record = agent_record_of(&get->records, row->name.a, row->name.b);
    ov_show(get->call, &about_view);
    ov_show_row(get->call);
    ov_show_text(get->call, ABOUT_AGENT, row->name.b);
    ov_show_text(get->call, ABOUT_TOPIC, row->name.a);
    ov_show_bool(get->call, ABOUT_REGISTERED, agent_row_is_registered(row));
    show_life(get);
    if (row->agent)
        figure_cells_of(get->call, &about_view, ABOUT_CONSUMERS, ABOUT_RETRIES, row->agent);
    if (record) {
        show_plain(get->call, ABOUT_DESCRIPTION, &record->texts[AGENT_DESCRIPTION]);
        show_plain(get->call, ABOUT_CALLBACK, &record->texts[AGENT_CALLBACK]);
        show_json(get->call, ABOUT_TOOLS, &record->texts[AGENT_TOOLS]);
        show_json(get->call, ABOUT_CONFIG, &record->texts[AGENT_CONFIG]);
        ov_show_float(get->call, ABOUT_SINCE, created_at(record));
    }
    if (get->records.why.len)
        ov_show_note(get->call, "Its description could not be read: %s.",
                     ov_buf_text(&get->records.why));
    if (!agent_row_is_registered(row))
        ov_show_note(get->call, "It is not registered: this is what it left behind.");
}

static void show_supervisor(struct getting *get)
{
    const struct supervisor *s = pairs_find(&get->runner->supervisors, get->row.name.b,
                                            OV_SLICE(""));
    const struct ov_sample *agent = get->row.agent;
    if (!s || !agent || figure_text(agent, "state").len == 0)
        return;
    ov_show(get->call, &supervisor_view);
    ov_show_row(get->call);
    figure_cells(get->call, &supervisor_view, agent);
    if (s->pid > 0)
        ov_show_int(get->call, SUPERVISOR_PID, s->pid);
    ov_show_float(get->call, SUPERVISOR_STARTED, s->start_time > 0 ? s->start_time : (double)NAN);
    (void)runner_mark(&get->marks, &supervisor_view, agent);
}

/* ---------------------------------------------------------------- its consumers */

static void on_consumers(struct redis *r, const struct redis_reply *reply, void *context,
                         size_t index)
{
    struct getting *get = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ERROR) {
        ov_show_note(get->call, "XINFO CONSUMERS: %.*s", (int)reply->text.len, reply->text.ptr);
        return;
    }
    for (size_t i = 0; reply->type == REDIS_ARRAY && i < reply->count; i++) {
        const struct redis_reply *name = redis_map_get(&reply->items[i], "name");
        int64_t pending = redis_int(redis_map_get(&reply->items[i], "pending"), -1);
        int64_t idle = redis_int(redis_map_get(&reply->items[i], "idle"), -1);
        int64_t inactive = redis_int(redis_map_get(&reply->items[i], "inactive"), -1);
        ov_show_row(get->call);
        if (name)
            ov_show_text(get->call, CONSUMER_NAME, name->text);
        if (pending >= 0)
            ov_show_int(get->call, CONSUMER_PENDING, pending);
        ov_show_float(get->call, CONSUMER_IDLE, idle >= 0 ? (double)idle / 1e3 : (double)NAN);
        ov_show_float(get->call, CONSUMER_INACTIVE,
                      inactive >= 0 ? (double)inactive / 1e3 : (double)NAN);
    }
}

static int show_consumers(struct getting *get)
{
    enum { LISTED_MAX = 1000 };
    const struct pair *name = &get->row.name;
    const struct ov_sample *group = get->row.group;
    if (!group || figure_bool(group, "exists") != 1)
        return OV_OK;
    ov_show(get->call, &consumer_view);
    if (figure_int(group, "consumers", 0) > LISTED_MAX) {
        ov_show_note(get->call, "%lld consumers, too many to be listed.",
                     (long long)figure_int(group, "consumers", 0));
        return OV_OK;
    }
    redis_send(get->runner->redis, on_consumers, get, 0, OV_SLICE("XINFO"), OV_SLICE("CONSUMERS"),
               omni_stream_key(&get->key, name->a), omni_group_name(&get->group, name->a, name->b));
    return redis_run(get->runner->redis);
}

/* ---------------------------------------------------------------- what it did */

static void show_tasks(struct getting *get)
{
    const struct ov_sample *agent = get->row.agent;
    struct ov_slice topic = get->row.name.a, name = get->row.name.b;
    if (!agent)
        return;
    ov_show(get->call, &task_view);
    ov_show_row(get->call);
    figure_cells(get->call, &task_view, agent);
    (void)runner_mark(&get->marks, &task_view, agent);
    ov_show_note(get->call, "Success and times are of the last %lld minutes; `omnivigil metrics` "
                 "tells them over all tasks.", (long long)get->runner->window_ms / 60000);
    ov_show(get->call, &failure_view);
    for (const struct ov_sample *s = ov_batch_first(get->batch); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_failures") || !ov_slice_eq(figure_tag(s, "topic"), topic) ||
            !ov_slice_eq(figure_tag(s, "agent"), name))
            continue;
        ov_show_row(get->call);
        figure_cells(get->call, &failure_view, s);
    }
}

/* Also those of tasks that are tried again. Fails as redis_run does. */
static int show_exceptions(struct getting *get)
{
    struct agent_failures last = {.topic = get->row.name.a, .agent = get->row.name.b};
    int result = OV_OK;
    if (!get->row.agent || figure_int(get->row.agent, "failed", 0) == 0)
        return OV_OK;
    result = agent_failures_read(&last, &get->runner->omni, get->runner->redis);
    if (last.count)
        ov_show(get->call, &exception_view);
    for (size_t i = 0; i < last.count; i++) {
        const struct agent_failure *f = &last.items[i];
        ov_show_row(get->call);
        ov_show_float(get->call, EXCEPTION_AT, f->at);
        ov_show_text(get->call, EXCEPTION_TYPE, f->type);
        ov_show_text(get->call, EXCEPTION_MESSAGE, f->message);
        ov_show_mark(get->call, EXCEPTION_MESSAGE, OV_MARK_BAD);
        if (f->task_id.len)
            ov_show_text(get->call, EXCEPTION_TASK, f->task_id);
    }
    if (last.why.len)
        ov_show_note(get->call, "The exceptions could not be read: %s.", ov_buf_text(&last.why));
    agent_failures_free(&last);
    return result;
}

static void show_group(struct getting *get)
{
    if (!get->row.group)
        return;
    ov_show(get->call, &group_view);
    ov_show_row(get->call);
    figure_cells(get->call, &group_view, get->row.group);
    (void)runner_mark(&get->marks, &group_view, get->row.group);
    if (figure_int(get->row.group, "dlq_length", 0) > 0)
        ov_show_note(get->call, "`omnivigil bus dlq --group` tells why tasks were given up.");
}

/* ---------------------------------------------------------------- the command */

static const struct ov_sample *find_group(struct getting *get)
{
    const struct ov_batch *bus = ov_call_gather(get->call, "redis_bus", NULL);
    for (const struct ov_sample *s = ov_batch_first(bus); s; s = s->next)
        if (figure_of(s, "omnidaemon_group") &&
            ov_slice_eq(figure_tag(s, "topic"), get->row.name.a) &&
            ov_slice_eq(figure_tag(s, "agent"), get->row.name.b))
            return s;
    return NULL;
}

/* What the rule about it no longer, or not yet, alarms for; true where it is of the last day. */
static bool note_loss(struct getting *get)
{
    enum loss loss = get->row.group ? loss_of(get->row.group) : LOSS_NONE;
    if (loss != LOSS_NONE)
        ov_show_note(get->call, "%lld tasks were trimmed before their delivery%s; `omnivigil "
                     "diagnose` tells more.", (long long)figure_int(get->row.group, "lost", 0),
                     loss == LOSS_NOW ? ", and more are now"
                     : loss == LOSS_LATE ? " within the last day" : " at some time");
    return loss >= LOSS_LATE;
}

static int show_all(struct getting *get)
{
    get->row.group = find_group(get);
    get->marks = runner_marks(get->call);
    show_about(get);
    show_supervisor(get);
    show_group(get);
    if (show_consumers(get) != OV_OK)
        return ov_call_unable(get->call, "%s", redis_why(get->runner->redis));
    show_tasks(get);
    if (show_exceptions(get) != OV_OK)
        return ov_call_unable(get->call, "%s", redis_why(get->runner->redis));
    bool fires = runner_call_findings(get->call, &get->row.name.a, &get->row.name.b) > 0;
    return note_loss(get) || fires ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static int get_agent(struct getting *get)
{
    const char *topic = ov_call_word(get->call, 0), *name = ov_call_word(get->call, 1);
    int status = runner_call_gather(get->call, &get->batch);
    if (status != OV_EXIT_FINE)
        return status;
    if (!name)
        name = ov_call_flag(get->call, FLAG_NAME);
    agent_rows_read(&get->rows, get->batch, NULL);
    const struct agent_row *row = agent_rows_find(&get->rows, get->call, topic, name, &status);
    if (!row)
        return status;
    get->row = *row;
    agent_records_want(&get->records, get->row.name.a, get->row.name.b);
    if (ask_key_idle(get) != OV_OK ||
        agent_records_read(&get->records, &get->runner->omni, get->runner->redis) != OV_OK)
        return ov_call_unable(get->call, "%s", redis_why(get->runner->redis));
    return show_all(get);
}

static int agent_run(void *state, struct ov_call *call)
{
    struct getting get = {.runner = state, .call = call, .key_idle_ms = -1};
    int status = get_agent(&get);
    agent_rows_free(&get.rows);
    agent_records_free(&get.records);
    ov_buf_free(&get.key);
    ov_buf_free(&get.group);
    return status;
}

static const char more[] =
    "TOPIC and NAME may also be given as --topic and --name; either can be left out where only\n"
    "one agent matches.\n"
    "Exit status: 1 where a rule fires for it.\n";

static const char *const figures[] = {
    "omnidaemon_health.*", "omnidaemon_agent.*", "omnidaemon_failures.*", "omnidaemon_group.*",
    NULL,
};

const struct ov_command runner_command_agent = {
    .name = "agent get", .takes = "[TOPIC [NAME]]", .words_max = 2,
    .summary = "One agent: configuration, process, consumers, tasks, failures, and what fires",
    .more = more, .example = "omnivigil agent get orders.created fraud-check", .flags = flags,
    .run = agent_run,
    .figures = figures,
};
