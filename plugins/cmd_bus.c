/* SPDX-License-Identifier: Apache-2.0 */
/* The commands `bus list`, `bus groups` and `bus stats`: what the input measures, for persons. */
#include "bus_call.h"
#include "figures.h"
#include "loss.h"

/* ---------------------------------------------------------------- bus list */

enum { LIST_TOPIC, LIST_LENGTH, LIST_LAST, LIST_FIRST, LIST_GROUPS, LIST_ADDED };
static const struct ov_column list_columns[] = {
    [LIST_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [LIST_LENGTH] = {"length", OV_CELL_INT, "messages", 0},
    [LIST_LAST] = {"last_age_seconds", OV_CELL_SECONDS, "last", 1},
    [LIST_FIRST] = {"first_age_seconds", OV_CELL_SECONDS, "oldest", 3},
    [LIST_GROUPS] = {"groups", OV_CELL_INT, NULL, 2},
    [LIST_ADDED] = {"entries_added", OV_CELL_INT, "ever added", 4},
};
static const struct ov_view list_view = {
    .name = "topics", .shape = OV_SHAPE_LIST, .columns = list_columns,
    .column_count = OV_COUNT(list_columns), .empty = "no topics",
};

static void show_known(struct ov_call *call, unsigned column, const struct ov_sample *s,
                       const char *field)
{
    int64_t value = figure_int(s, field, -1);
    if (value >= 0)
        ov_show_int(call, column, value);
}

static int list_run(void *state, struct ov_call *call)
{
    const struct ov_batch *batch;
    int status = bus_call_gather(call, &batch);
    (void)state;
    if (status != OV_EXIT_FINE)
        return status;
    ov_show(call, &list_view);
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic");
        if (!figure_of(s, "omnidaemon_stream") || !ov_call_wants(call, &topic, NULL))
            continue;
        ov_show_row(call);
        ov_show_text(call, LIST_TOPIC, topic);
        show_known(call, LIST_LENGTH, s, "length");
        ov_show_float(call, LIST_LAST, figure_double(s, "last_age_seconds"));
        ov_show_float(call, LIST_FIRST, figure_double(s, "first_age_seconds"));
        show_known(call, LIST_GROUPS, s, "groups");
        show_known(call, LIST_ADDED, s, "entries_added");
        if (figure_bool(s, "exists") == 0)
            ov_show_mark(call, LIST_TOPIC, OV_MARK_DIM);
    }
    return OV_EXIT_FINE;
}

const struct ov_command bus_command_list = {
    .name = "bus list", .takes = "", .summary = "Topics, with their lengths and ages",
    .example = "omnivigil bus list --topic 'orders.*'", .run = list_run,
    .figures = bus_call_streams,
};

/* ---------------------------------------------------------------- groups */

enum {
    GROUP_TOPIC, GROUP_AGENT, GROUP_LIFE, GROUP_UNDELIVERED, GROUP_AT_LEAST,
    GROUP_PENDING, GROUP_LOST, GROUP_DLQ, GROUP_OLDEST, GROUP_DELIVERIES, GROUP_CONSUMERS,
    GROUP_PROCESSED, GROUP_RECLAIMED, GROUP_GROUP, GROUP_EXISTS, GROUP_REGISTERED, GROUP_COLUMNS,
};
static const struct ov_column group_columns[] = {
    [GROUP_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [GROUP_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [GROUP_LIFE] = {"life", OV_CELL_TEXT, NULL, 0},
    [GROUP_UNDELIVERED] = {"undelivered", OV_CELL_INT, "waiting", 0},
    [GROUP_AT_LEAST] = {"undelivered_at_least", OV_CELL_INT, "at least", 9},
    [GROUP_PENDING] = {"pending", OV_CELL_INT, NULL, 0},
    [GROUP_LOST] = {"lost", OV_CELL_INT, NULL, 0},
    [GROUP_DLQ] = {"dlq_length", OV_CELL_INT, "dlq", 0},
    [GROUP_OLDEST] = {"oldest_undelivered_seconds", OV_CELL_SECONDS, "waits for", 1},
    [GROUP_DELIVERIES] = {"max_deliveries", OV_CELL_INT, "deliveries", 3},
    [GROUP_CONSUMERS] = {"consumers", OV_CELL_INT, NULL, 2},
    [GROUP_PROCESSED] = {"processed", OV_CELL_INT, NULL, 4},
    [GROUP_RECLAIMED] = {"reclaimed", OV_CELL_INT, NULL, 5},
    [GROUP_GROUP] = {"group", OV_CELL_TEXT, NULL, 6},
    [GROUP_EXISTS] = {"exists", OV_CELL_BOOL, NULL, 7},
    [GROUP_REGISTERED] = {"registered", OV_CELL_BOOL, NULL, 8},
};
static const struct ov_view group_view = {
    .name = "groups", .shape = OV_SHAPE_TREE, .columns = group_columns,
    .column_count = GROUP_COLUMNS, .empty = "no consumer groups",
};

/* Where the rules' findings show; another rule's marks the first column. */
struct marked {
    const char *rule;
    unsigned column;
};

/* Marks what is wrong with the sample that the last row shows; true where something is. */
static bool mark_findings(struct ov_call *call, const struct ov_sample *s,
                          const struct marked *marked, size_t count)
{
    size_t findings;
    const struct ov_finding *found = ov_call_findings(call, &findings);
    bool problem = false;
    for (size_t i = 0; i < findings; i++) {
        unsigned column = 0;
        if (found[i].sample != s)
            continue;
        for (size_t k = 0; k < count; k++)
            if (strcmp(marked[k].rule, found[i].rule) == 0)
                column = marked[k].column;
        ov_show_mark(call, column, found[i].critical ? OV_MARK_BAD : OV_MARK_WARN);
        problem = true;
    }
    return problem;
}

/* Marks a number that should be 0. */
static bool mark_any(struct ov_call *call, unsigned column, const struct ov_sample *s,
                     const char *field, enum ov_mark mark)
{
    if (figure_int(s, field, 0) <= 0)
        return false;
    ov_show_mark(call, column, mark);
    return true;
}

/* What to call the state of a group whose agent nobody works for, or that is no agent's. */
static const char *group_state(const struct ov_sample *s)
{
    bool exists = figure_bool(s, "exists") == 1, agent = figure_bool(s, "registered") == 1;
    return exists ? NULL : agent ? "no group" : "only dlq";
}

static bool group_marks(struct ov_call *call, const struct ov_sample *s)
{
    static const struct marked marked[] = {
        {"no-group", GROUP_LIFE},    {"silent", GROUP_LIFE},  {"pending", GROUP_PENDING},
        {"backlog", GROUP_OLDEST},   {"trim-risk", GROUP_UNDELIVERED}, {"lost", GROUP_LOST},
        {"dlq", GROUP_DLQ},          {"poison", GROUP_DELIVERIES},     {"stuck", GROUP_PENDING},
    };
    struct ov_slice life = figure_text(s, "life");
    bool works = ov_slice_eq(life, OV_SLICE("polling")) || ov_slice_eq(life, OV_SLICE("busy"));
    enum loss loss = loss_of(s);
    bool problem = loss >= LOSS_LATE;
    if (loss)
        ov_show_mark(call, GROUP_LOST, loss == LOSS_NOW ? OV_MARK_BAD
                                       : loss == LOSS_LATE ? OV_MARK_WARN : OV_MARK_DIM);
    problem |= mark_any(call, GROUP_DLQ, s, "dlq_length", OV_MARK_WARN);
    if (!works && group_state(s) && figure_bool(s, "registered") == 1) {
        ov_show_mark(call, GROUP_LIFE, OV_MARK_BAD);
        problem = true;
    } else {
        ov_show_mark(call, GROUP_LIFE, works ? OV_MARK_GOOD : OV_MARK_DIM);
    }
    return mark_findings(call, s, marked, OV_COUNT(marked)) || problem;
}

/* Shows one; true where something is wrong with it. */
static bool show_group(struct ov_call *call, const struct ov_sample *s)
{
    struct ov_slice agent = figure_tag(s, "agent"), life = figure_text(s, "life");
    const char *state = group_state(s);
    ov_show_row(call);
    ov_show_text(call, GROUP_TOPIC, figure_tag(s, "topic"));
    ov_show_text(call, GROUP_GROUP, figure_tag(s, "group"));
    ov_show_text(call, GROUP_AGENT, agent.len ? agent : figure_tag(s, "group"));
    if (state || life.len)
        ov_show_text(call, GROUP_LIFE, state ? ov_slice(state) : life);
    show_known(call, GROUP_UNDELIVERED, s, "undelivered");
    show_known(call, GROUP_AT_LEAST, s, "undelivered_at_least");
    show_known(call, GROUP_PENDING, s, "pending");
    show_known(call, GROUP_LOST, s, "lost");
    show_known(call, GROUP_DLQ, s, "dlq_length");
    ov_show_float(call, GROUP_OLDEST, figure_double(s, "oldest_undelivered_seconds"));
    show_known(call, GROUP_DELIVERIES, s, "max_deliveries");
    show_known(call, GROUP_CONSUMERS, s, "consumers");
    show_known(call, GROUP_PROCESSED, s, "processed");
    show_known(call, GROUP_RECLAIMED, s, "reclaimed");
    if (figure_bool(s, "exists") >= 0)
        ov_show_bool(call, GROUP_EXISTS, figure_bool(s, "exists") == 1);
    if (figure_bool(s, "registered") >= 0)
        ov_show_bool(call, GROUP_REGISTERED, figure_bool(s, "registered") == 1);
    return group_marks(call, s);
}

/* Shows those of `topic`, of all topics where its ptr is NULL; returns how many have a problem. */
static int64_t show_groups(struct ov_call *call, const struct ov_batch *batch,
                           struct ov_slice only)
{
    int64_t problems = 0;
    bool any_gone = false, any_past = false;
    ov_show(call, &group_view);
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
        if (figure_of(s, "omnidaemon_group") && (!only.ptr || ov_slice_eq(topic, only)) &&
            ov_call_wants(call, &topic, agent.len ? &agent : NULL))
            problems += show_group(call, s);
        else
            continue;
        any_gone |= figure_bool(s, "exists") == 0 && figure_bool(s, "registered") == 1;
        any_past |= loss_of(s) == LOSS_PAST;
    }
    if (any_gone)
        ov_show_note(call, "`omnivigil bus groups restore TOPIC` gives an agent whose group is "
                           "gone what it missed; do it before its runner is started again.");
    if (any_past)
        ov_show_note(call, "Some was lost at some time; later tasks were delivered since.");
    return problems;
}

static int groups_run(void *state, struct ov_call *call)
{
    const struct ov_batch *batch;
    struct ov_slice topic;
    int status = bus_call_gather(call, &batch);
    (void)state;
    if (status == OV_EXIT_FINE)
        status = bus_call_topic(call, batch, bus_call_stream(call, 0), &topic);
    if (status != OV_EXIT_FINE)
        return status;
    return show_groups(call, batch, topic) ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static const struct ov_flag groups_flags[] = {
    {"stream", 0, "TOPIC", "the same as TOPIC", NULL},
    {.name = NULL},
};

static const char groups_more[] =
    "waiting    entries not delivered yet: the true backlog, also after trimming\n"
    "lost       entries trimmed from the topic before they were delivered, ever; a problem while\n"
    "           more are, and for a day after\n"
    "dlq        entries in the group's dead letter queue\n"
    "life       polling or busy; silent: nobody asks for tasks; no group: the agent lost it and\n"
    "           gets no tasks; only dlq: what is left of an agent\n";

const struct ov_command bus_command_groups = {
    .name = "bus groups", .takes = "[TOPIC]", .words_max = 1,
    .summary = "Consumer groups: backlog, losses, signs of life, dead letters",
    .more = groups_more, .example = "omnivigil bus groups orders.created", .flags = groups_flags,
    .run = groups_run,
};

/* ---------------------------------------------------------------- bus stats */

enum {
    STATS_TOPICS, STATS_GROUPS, STATS_UNDELIVERED, STATS_PENDING, STATS_LOST, STATS_DLQ,
    STATS_MEMORY, STATS_LIMIT, STATS_RATIO, STATS_POLICY, STATS_CLIENTS, STATS_LATENCY,
    STATS_VERSION, STATS_UPTIME, STATS_COLUMNS,
};
static const struct ov_column stats_columns[] = {
    [STATS_TOPICS] = {"topics", OV_CELL_INT, NULL, 0},
    [STATS_GROUPS] = {"groups", OV_CELL_INT, NULL, 0},
    [STATS_UNDELIVERED] = {"undelivered", OV_CELL_INT, "waiting", 0},
    [STATS_PENDING] = {"pending", OV_CELL_INT, NULL, 0},
    [STATS_LOST] = {"lost", OV_CELL_INT, NULL, 0},
    [STATS_DLQ] = {"dlq_length", OV_CELL_INT, "dlq", 0},
    [STATS_MEMORY] = {"memory_used_bytes", OV_CELL_BYTES, "memory", 0},
    [STATS_LIMIT] = {"memory_limit_bytes", OV_CELL_BYTES, "limit", 2},
    [STATS_RATIO] = {"memory_ratio", OV_CELL_RATIO, "used", 2},
    [STATS_POLICY] = {"eviction_policy", OV_CELL_TEXT, "eviction", 3},
    [STATS_CLIENTS] = {"clients", OV_CELL_INT, NULL, 4},
    [STATS_LATENCY] = {"latency_seconds", OV_CELL_SECONDS, "ping", 5},
    [STATS_VERSION] = {"version", OV_CELL_TEXT, "redis", 1},
    [STATS_UPTIME] = {"uptime_seconds", OV_CELL_SECONDS, "up for", 1},
};
static const struct ov_view stats_view = {
    .name = "totals", .shape = OV_SHAPE_LIST, .single = true, .columns = stats_columns,
    .column_count = STATS_COLUMNS,
};

static bool show_totals(struct ov_call *call, const struct ov_sample *s)
{
    static const struct marked marked[] = {{"memory", STATS_RATIO}, {"eviction", STATS_POLICY}};
    bool problem = false;
    ov_show(call, &stats_view);
    ov_show_row(call);
    for (unsigned i = 0; i < STATS_COLUMNS; i++) {
        const struct ov_column *column = &stats_columns[i];
        struct ov_slice text = figure_text(s, column->name);
        int64_t whole = figure_int(s, column->name, -1);
        if (column->type == OV_CELL_TEXT && text.len)
            ov_show_text(call, i, text);
        else if (column->type == OV_CELL_INT && whole >= 0)
            ov_show_int(call, i, whole);
        else if (column->type != OV_CELL_TEXT && column->type != OV_CELL_INT)
            ov_show_float(call, i, whole >= 0 ? (double)whole : figure_double(s, column->name));
    }
    mark_any(call, STATS_LOST, s, "lost", OV_MARK_WARN); /* the groups tell whether it goes on */
    problem |= mark_any(call, STATS_DLQ, s, "dlq_length", OV_MARK_WARN);
    problem |= mark_findings(call, s, marked, OV_COUNT(marked));
    if (figure_bool(s, "scan_complete") == 0)
        ov_show_note(call, "The keyspace was not looked through to the end: topics without agents "
                           "may be missing.");
    return problem;
}

static int stats_run(void *state, struct ov_call *call)
{
    const struct ov_batch *batch;
    int status = bus_call_gather(call, &batch);
    const struct ov_sample *total = NULL;
    (void)state;
    if (status != OV_EXIT_FINE)
        return status;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (figure_of(s, "omnidaemon_bus"))
            total = s;
    bool problem = total && show_totals(call, total);
    problem |= show_groups(call, batch, (struct ov_slice){NULL, 0}) > 0;
    if (total && figure_int(total, "dlq_length", 0) > 0)
        ov_show_note(call, "`omnivigil bus dlq --group` tells why tasks were given up.");
    return problem ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

const struct ov_command bus_command_stats = {
    .name = "bus stats", .takes = "",
    .summary = "Totals of the bus, Redis' memory, and every consumer group",
    .example = "omnivigil bus stats --watch 5", .run = stats_run,
};
