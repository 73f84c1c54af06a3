/* SPDX-License-Identifier: Apache-2.0 */
#include "top_look.h"

#include <math.h>
#include <stdlib.h>

#include "agent_rows.h"
#include "figures.h"
#include "text_width.h"

enum {
    AGENT_TOPIC, AGENT_NAME, AGENT_LIFE, AGENT_PROCESSED, AGENT_TREND, AGENT_FAILED, AGENT_WAITING,
    AGENT_PENDING, AGENT_DEAD, AGENT_P95, AGENT_SUCCESS, AGENT_PUBLISHED, AGENT_STATE,
    AGENT_RESTARTS, AGENT_COLUMNS,
};
static const struct top_column agent_columns[] = {
    [AGENT_TOPIC] = {"TOPIC", TOP_TYPE_TEXT, 16, 0},
    [AGENT_NAME] = {"AGENT", TOP_TYPE_TEXT, 16, 0},
    [AGENT_LIFE] = {"LIFE", TOP_TYPE_TEXT, 8, 2},
    [AGENT_PROCESSED] = {"DONE/S", TOP_TYPE_RATE, 6, 0},
    [AGENT_TREND] = {"TREND", TOP_TYPE_TREND, 8, 5},
    [AGENT_FAILED] = {"FAIL/S", TOP_TYPE_RATE, 6, 1},
    [AGENT_WAITING] = {"WAIT", TOP_TYPE_LEAST, 5, 0},
    [AGENT_PENDING] = {"PEND", TOP_TYPE_COUNT, 4, 3},
    [AGENT_DEAD] = {"DLQ", TOP_TYPE_COUNT, 4, 0},
    [AGENT_P95] = {"P95", TOP_TYPE_SECONDS, 6, 6},
    [AGENT_SUCCESS] = {"SUCCESS", TOP_TYPE_RATIO, 7, 7},
    [AGENT_PUBLISHED] = {"NEW/S", TOP_TYPE_RATE, 6, 8},
    [AGENT_STATE] = {"PROCESS", TOP_TYPE_TEXT, 8, 9},
    [AGENT_RESTARTS] = {"RESTARTS", TOP_TYPE_COUNT, 8, 10},
};

enum {
    GROUP_TOPIC, GROUP_NAME, GROUP_LIFE, GROUP_WAITING, GROUP_TREND, GROUP_OLDEST, GROUP_PENDING,
    GROUP_OLDEST_PENDING, GROUP_DELIVERIES, GROUP_LOST, GROUP_TRIM, GROUP_PUBLISHED,
    GROUP_CONSUMERS, GROUP_RECLAIMED, GROUP_COLUMNS,
};
static const struct top_column group_columns[] = {
    [GROUP_TOPIC] = {"TOPIC", TOP_TYPE_TEXT, 16, 0},
    [GROUP_NAME] = {"GROUP OF", TOP_TYPE_TEXT, 16, 0},
    [GROUP_LIFE] = {"LIFE", TOP_TYPE_TEXT, 8, 2},
    [GROUP_WAITING] = {"WAIT", TOP_TYPE_LEAST, 5, 0},
    [GROUP_TREND] = {"TREND", TOP_TYPE_TREND, 8, 5},
    [GROUP_OLDEST] = {"SINCE", TOP_TYPE_SECONDS, 6, 1},
    [GROUP_PENDING] = {"PEND", TOP_TYPE_COUNT, 4, 0},
    [GROUP_OLDEST_PENDING] = {"SINCE", TOP_TYPE_SECONDS, 6, 3},
    [GROUP_DELIVERIES] = {"TRIES", TOP_TYPE_COUNT, 5, 4},
    [GROUP_LOST] = {"LOST", TOP_TYPE_COUNT, 5, 1},
    [GROUP_TRIM] = {"FULL", TOP_TYPE_RATIO, 7, 6},
    [GROUP_PUBLISHED] = {"NEW/S", TOP_TYPE_RATE, 6, 7},
    [GROUP_CONSUMERS] = {"CONSUMERS", TOP_TYPE_COUNT, 9, 8},
    [GROUP_RECLAIMED] = {"RECLAIMED", TOP_TYPE_COUNT, 9, 9},
};

enum { DLQ_TOPIC, DLQ_NAME, DLQ_LENGTH, DLQ_TREND, DLQ_RATE, DLQ_NEWEST, DLQ_COLUMNS };
static const struct top_column dlq_columns[] = {
    [DLQ_TOPIC] = {"TOPIC", TOP_TYPE_TEXT, 16, 0},
    [DLQ_NAME] = {"DLQ OF", TOP_TYPE_TEXT, 16, 0},
    [DLQ_LENGTH] = {"LENGTH", TOP_TYPE_COUNT, 6, 0},
    [DLQ_TREND] = {"TREND", TOP_TYPE_TREND, 8, 3},
    [DLQ_RATE] = {"NEW/S", TOP_TYPE_RATE, 6, 1},
    [DLQ_NEWEST] = {"NEWEST", TOP_TYPE_SECONDS, 6, 2},
};

enum { ALERT_SEVERITY, ALERT_RULE, ALERT_FOR, ALERT_COLUMNS = TOP_ALERT_SUMMARY + 1 };
static const struct top_column alert_columns[] = {
    [ALERT_SEVERITY] = {"SEVERITY", TOP_TYPE_TEXT, 8, 0},
    [ALERT_RULE] = {"RULE", TOP_TYPE_TEXT, 10, 2},
    [ALERT_FOR] = {"SEEN", TOP_TYPE_SECONDS, 6, 1},
    [TOP_ALERT_SUMMARY] = {"WHAT", TOP_TYPE_TEXT, 20, 0},
};

const struct top_layout top_layouts[TOP_TABLES] = {
    [TOP_TABLE_AGENTS] = {"Agents", "no agents are registered", agent_columns, AGENT_COLUMNS,
                          AGENT_TOPIC},
    [TOP_TABLE_GROUPS] = {"Groups", "there are no consumer groups", group_columns, GROUP_COLUMNS,
                          GROUP_WAITING},
    [TOP_TABLE_DLQS] = {"DLQs", "no dead letters", dlq_columns, DLQ_COLUMNS, DLQ_LENGTH},
    [TOP_TABLE_ALERTS] = {"Alerts", "nothing fires", alert_columns, ALERT_COLUMNS,
                          ALERT_SEVERITY},
};

struct making {
    const struct top_found *found;
    struct top_rates *rates;
    struct top_look *look;
    struct ov_buf key;
    const char *description;          /* of the last alert, and where it is kept */
    struct top_text kept_description;
};

/* ---------------------------------------------------------------- rows */

enum { BYTES_MAX = UINT32_MAX / 2 }; /* far beyond what batches hold */

static struct top_text keep(struct making *m, struct ov_slice text)
{
    struct ov_buf *bytes = &m->look->bytes;
    if (bytes->len > BYTES_MAX || text.len > BYTES_MAX)
        return (struct top_text){0, 0};
    struct top_text kept = {(uint32_t)bytes->len, (uint32_t)text.len};
    ov_buf_slice(bytes, text);
    return kept;
}

static struct top_row *row_add(struct top_rows *rows)
{
    if (rows->count == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 32;
        rows->rows = ov_realloc(rows->rows, rows->cap, sizeof *rows->rows);
    }
    struct top_row *row = &rows->rows[rows->count++];
    *row = (struct top_row){.line = {.count = 0}};
    return row;
}

static struct top_row *add(struct making *m, enum top_table table)
{
    const struct top_layout *layout = &top_layouts[table];
    struct top_row *row = row_add(&m->look->tables[table]);
    for (unsigned i = 0; i < layout->count; i++)
        if (layout->columns[i].type == TOP_TYPE_TEXT)
            row->cells[i].text = (struct top_text){0, 0};
        else
            row->cells[i].number = (double)NAN;
    return row;
}

static double count_of(const struct ov_sample *s, const char *field)
{
    int64_t value = s ? figure_int(s, field, INT64_MIN) : INT64_MIN;
    return value == INT64_MIN ? (double)NAN : (double)value;
}

static double number_of(const struct ov_sample *s, const char *field)
{
    return s ? figure_double(s, field) : (double)NAN;
}

/* Tasks that wait; negative where Redis only tells that there are at least so many. */
static double waiting_of(const struct ov_sample *group)
{
    double exact = count_of(group, "undelivered");
    return isnan(exact) ? -count_of(group, "undelivered_at_least") : exact;
}

static void add_to(double *sum, double value)
{
    if (!isnan(value))
        *sum = isnan(*sum) ? value : *sum + value;
}

static bool is_wanted(const struct making *m, struct ov_slice topic, struct ov_slice agent)
{
    return !m->found->call || ov_call_wants(m->found->call, &topic, &agent);
}

/* ---------------------------------------------------------------- what fires */

/* The column that a rule is about, or the name. */
static unsigned column_of(enum top_table table, const char *rule)
{
    static const struct {
        const char *rule;
        unsigned columns[TOP_TABLE_DLQS + 1];
    } places[] = {
        {"success", {AGENT_SUCCESS, GROUP_NAME, DLQ_NAME}},
        {"slow", {AGENT_P95, GROUP_NAME, DLQ_NAME}},
        {"crashed", {AGENT_STATE, GROUP_NAME, DLQ_NAME}},
        {"no-group", {AGENT_LIFE, GROUP_LIFE, DLQ_NAME}},
        {"silent", {AGENT_LIFE, GROUP_LIFE, DLQ_NAME}},
        {"pending", {AGENT_PENDING, GROUP_PENDING, DLQ_NAME}},
        {"stuck", {AGENT_PENDING, GROUP_OLDEST_PENDING, DLQ_NAME}},
        {"backlog", {AGENT_WAITING, GROUP_OLDEST, DLQ_NAME}},
        {"trim-risk", {AGENT_WAITING, GROUP_TRIM, DLQ_NAME}},
        {"lost", {AGENT_NAME, GROUP_LOST, DLQ_NAME}},
        {"dlq", {AGENT_DEAD, GROUP_NAME, DLQ_LENGTH}},
        {"poison", {AGENT_NAME, GROUP_DELIVERIES, DLQ_NAME}},
    };
    for (size_t i = 0; i < OV_COUNT(places); i++)
        if (strcmp(places[i].rule, rule) == 0)
            return places[i].columns[table];
    return 1; /* the name, in each of them */
}

/* Marks the row made of sample `s`: the findings are in the order of their samples. */
static void mark(const struct making *m, enum top_table table, struct top_row *row,
                 const struct ov_finding *const *by_sample, const struct ov_sample *s)
{
    size_t low = 0, high = m->found->finding_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if ((uintptr_t)by_sample[middle]->sample < (uintptr_t)s)
            low = middle + 1;
        else
            high = middle;
    }
    for (; s && low < m->found->finding_count && by_sample[low]->sample == s; low++) {
        unsigned column = column_of(table, by_sample[low]->rule);
        bool is_name = column == 1;
        if (row->marks[column] != OV_MARK_BAD)
            row->marks[column] = by_sample[low]->critical ? OV_MARK_BAD : OV_MARK_WARN;
        if (!is_name && row->marks[1] != OV_MARK_BAD)
            row->marks[1] = row->marks[column];
    }
}

static int compare_samples(const void *left, const void *right)
{
    uintptr_t a = (uintptr_t)(*(const struct ov_finding *const *)left)->sample;
    uintptr_t b = (uintptr_t)(*(const struct ov_finding *const *)right)->sample;
    return (a > b) - (a < b);
}

static const struct ov_finding **sort_findings(const struct making *m)
{
    size_t count = m->found->finding_count;
    const struct ov_finding **sorted = ov_calloc(count + 1, sizeof *sorted);
    for (size_t i = 0; i < count; i++)
        sorted[i] = &m->found->findings[i];
    if (count)
        qsort(sorted, count, sizeof *sorted, compare_samples);
    return sorted;
}

static void add_alert(struct making *m, const struct ov_finding *f)
{
    struct top_row *row = add(m, TOP_TABLE_ALERTS);
    ov_buf_reset(&m->key);
    ov_buf_str(&m->key, f->rule);
    for (unsigned i = 0; i < f->sample->measurement->tag_count; i++) {
        ov_buf_char(&m->key, '\0');
        ov_buf_slice(&m->key, f->sample->tags[i]);
    }
    struct ov_slice key = {m->key.data, m->key.len};
    row->key = keep(m, key);
    row->topic = keep(m, figure_tag(f->sample, "topic"));
    row->agent = keep(m, figure_tag(f->sample, "agent"));
    row->group = keep(m, figure_tag(f->sample, "group"));
    if (f->description != m->description) /* a rule has one for all that it fires for */
        m->kept_description = keep(m, ov_slice(f->description));
    m->description = f->description;
    row->more = m->kept_description;
    row->cells[ALERT_SEVERITY].text = keep(m, ov_slice(f->critical ? "critical" : "warning"));
    row->cells[ALERT_RULE].text = keep(m, ov_slice(f->rule));
    row->cells[TOP_ALERT_SUMMARY].text = keep(m, ov_slice(f->summary));
    row->cells[ALERT_FOR].number = top_rates_fires(m->rates, ov_slice(f->rule), key,
                                                   m->found->bus_ns);
    row->marks[ALERT_SEVERITY] = f->critical ? OV_MARK_BAD : OV_MARK_WARN;
    m->look->head.critical += f->critical;
    m->look->head.warnings += !f->critical;
}

static void add_alerts(struct making *m)
{
    for (size_t i = 0; i < m->found->finding_count; i++) {
        add_alert(m, &m->found->findings[i]);
        if (i == 0)
            m->look->head.worst = m->look->tables[TOP_TABLE_ALERTS].rows[0]
                                      .cells[TOP_ALERT_SUMMARY].text;
    }
}

/* ---------------------------------------------------------------- topics, groups and DLQs */

static void see_topics(struct making *m)
{
    for (const struct ov_sample *s = ov_batch_first(m->found->bus); s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic");
        if (!figure_of(s, "omnidaemon_stream") ||
            (m->found->call && !ov_call_wants(m->found->call, &topic, NULL)))
            continue;
        struct top_track *track = top_track(m->rates, topic, OV_SLICE(""));
        add_to(&m->look->head.published,
               top_track_rate(track, TOP_PUBLISHED, figure_int(s, "entries_added", -1),
                              m->found->bus_ns));
    }
}

static double published_on(struct making *m, struct ov_slice topic)
{
    return top_track_last(top_track(m->rates, topic, OV_SLICE("")), TOP_PUBLISHED);
}

static struct ov_slice life_of(const struct ov_sample *group)
{
    if (group && figure_bool(group, "exists") == 0)
        return OV_SLICE("no group");
    return group ? figure_text(group, "life") : OV_SLICE("");
}

static enum ov_mark life_mark(struct ov_slice life)
{
    bool works = ov_slice_eq(life, OV_SLICE("polling")) || ov_slice_eq(life, OV_SLICE("busy"));
    return works ? OV_MARK_GOOD : OV_MARK_DIM;
}

/* The texts of a row of a group, of which some are those of its agent. */
static void name_row(struct making *m, struct top_row *row, const struct ov_sample *s)
{
    struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
    struct ov_slice group = figure_tag(s, "group");
    row->topic = keep(m, topic);
    row->agent = keep(m, agent);
    row->group = keep(m, group);
    row->key = row->group;
    if (topic.len) { /* a group's name may occur on several topics */
        ov_buf_reset(&m->key);
        ov_buf_slice(&m->key, topic);
        ov_buf_char(&m->key, '\0');
        ov_buf_slice(&m->key, group);
        row->key = keep(m, (struct ov_slice){m->key.data, m->key.len});
    }
    row->cells[0].text = row->topic;
    row->cells[1].text = agent.len ? row->agent : row->group;
}

static void add_group(struct making *m, const struct ov_sample *s, struct top_track *track,
                      const struct ov_finding *const *by_sample)
{
    struct top_row *row = add(m, TOP_TABLE_GROUPS);
    struct ov_slice life = life_of(s);
    name_row(m, row, s);
    row->cells[GROUP_LIFE].text = keep(m, life);
    row->cells[GROUP_WAITING].number = waiting_of(s);
    row->cells[GROUP_OLDEST].number = number_of(s, "oldest_undelivered_seconds");
    row->cells[GROUP_PENDING].number = count_of(s, "pending");
    row->cells[GROUP_OLDEST_PENDING].number = number_of(s, "oldest_pending_seconds");
    row->cells[GROUP_DELIVERIES].number = count_of(s, "max_deliveries");
    row->cells[GROUP_LOST].number = count_of(s, "lost");
    row->cells[GROUP_TRIM].number = number_of(s, "trim_ratio");
    row->cells[GROUP_PUBLISHED].number = published_on(m, figure_tag(s, "topic"));
    row->cells[GROUP_CONSUMERS].number = count_of(s, "consumers");
    row->cells[GROUP_RECLAIMED].number = count_of(s, "reclaimed");
    row->line = track->lines[TOP_TREND_WAITING];
    row->marks[GROUP_LIFE] = life_mark(life);
    mark(m, TOP_TABLE_GROUPS, row, by_sample, s);
    add_to(&m->look->head.waiting, fabs(row->cells[GROUP_WAITING].number));
    add_to(&m->look->head.pending, row->cells[GROUP_PENDING].number);
}

static void add_dlq(struct making *m, const struct ov_sample *s, const struct top_track *track,
                    const struct ov_finding *const *by_sample)
{
    struct top_row *row = add(m, TOP_TABLE_DLQS);
    name_row(m, row, s);
    row->cells[DLQ_LENGTH].number = count_of(s, "dlq_length");
    row->cells[DLQ_RATE].number = top_track_last(track, TOP_DEAD);
    row->cells[DLQ_NEWEST].number = number_of(s, "dlq_newest_seconds");
    row->line = track->lines[TOP_TREND_DEAD];
    mark(m, TOP_TABLE_DLQS, row, by_sample, s);
    add_to(&m->look->head.dead, row->cells[DLQ_LENGTH].number);
}

static struct top_track *track_of(struct making *m, const struct ov_sample *s)
{
    struct ov_slice agent = figure_tag(s, "agent");
    return top_track(m->rates, figure_tag(s, "topic"), agent.len ? agent : figure_tag(s, "group"));
}

static void add_groups(struct making *m, const struct ov_finding *const *by_sample)
{
    for (const struct ov_sample *s = ov_batch_first(m->found->bus); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_group") ||
            !is_wanted(m, figure_tag(s, "topic"), figure_tag(s, "agent")))
            continue;
        struct top_track *track = track_of(m, s);
        (void)top_track_rate(track, TOP_DEAD, figure_int(s, "dlq_added", -1), m->found->bus_ns);
        top_track_add(track, TOP_TREND_WAITING, fabs(waiting_of(s)));
        top_track_add(track, TOP_TREND_DEAD, count_of(s, "dlq_length"));
        if (figure_bool(s, "exists") == 1 || figure_bool(s, "registered") == 1)
            add_group(m, s, track, by_sample);
        if (figure_int(s, "dlq_length", 0) > 0)
            add_dlq(m, s, track, by_sample);
    }
}

/* ---------------------------------------------------------------- agents */

static void add_agent(struct making *m, const struct agent_row *found,
                      const struct ov_finding *const *by_sample)
{
    const struct ov_sample *a = found->agent, *g = found->group;
    struct ov_slice life = life_of(g);
    struct top_track *track = top_track(m->rates, found->name.a, found->name.b);
    struct top_row *row = add(m, TOP_TABLE_AGENTS);
    ov_buf_reset(&m->key);
    ov_buf_slice(&m->key, found->name.a);
    ov_buf_char(&m->key, '\0');
    ov_buf_slice(&m->key, found->name.b);
    row->key = keep(m, (struct ov_slice){m->key.data, m->key.len});
    row->topic = row->cells[AGENT_TOPIC].text = keep(m, found->name.a);
    row->agent = row->cells[AGENT_NAME].text = keep(m, found->name.b);
    row->cells[AGENT_LIFE].text = keep(m, life);
    row->cells[AGENT_PROCESSED].number = top_track_rate(
        track, TOP_PROCESSED, figure_int(a, "processed", -1), m->found->agents_ns);
    row->cells[AGENT_FAILED].number = top_track_rate(
        track, TOP_FAILED, figure_int(a, "failed", -1), m->found->agents_ns);
    row->cells[AGENT_WAITING].number = waiting_of(g);
    row->cells[AGENT_PENDING].number = count_of(g, "pending");
    row->cells[AGENT_DEAD].number = count_of(g, "dlq_length");
    row->cells[AGENT_P95].number = number_of(a, "processing_p95_seconds");
    row->cells[AGENT_SUCCESS].number = number_of(a, "success_ratio");
    row->cells[AGENT_PUBLISHED].number = published_on(m, found->name.a);
    row->cells[AGENT_STATE].text = keep(m, figure_text(a, "state"));
    row->cells[AGENT_RESTARTS].number = count_of(a, "restarts");
    top_track_add(track, TOP_TREND_PROCESSED, row->cells[AGENT_PROCESSED].number);
    row->line = track->lines[TOP_TREND_PROCESSED];
    row->marks[AGENT_LIFE] = life_mark(life);
    if (row->cells[AGENT_FAILED].number > 0)
        row->marks[AGENT_FAILED] = OV_MARK_WARN;
    mark(m, TOP_TABLE_AGENTS, row, by_sample, a);
    mark(m, TOP_TABLE_AGENTS, row, by_sample, g);
    add_to(&m->look->head.processed, row->cells[AGENT_PROCESSED].number);
    add_to(&m->look->head.failed, row->cells[AGENT_FAILED].number);
}

static void add_agents(struct making *m, const struct ov_finding *const *by_sample)
{
    struct agent_rows agents = {.all = {.count = 0}};
    agent_rows_read(&agents, m->found->agents, m->found->bus);
    for (size_t i = 0; i < agents.all.count; i++) {
        const struct agent_row *found = (const struct agent_row *)agents.all.entries[i];
        if (found->agent && figure_bool(found->agent, "registered") != 0 &&
            is_wanted(m, found->name.a, found->name.b))
            add_agent(m, found, by_sample);
    }
    agent_rows_free(&agents);
}

/* ---------------------------------------------------------------- the whole */

/* Gives back what a table has more than it needs. */
static void shrink(struct top_rows *rows)
{
    if (rows->count == 0)
        return;
    rows->rows = ov_realloc(rows->rows, rows->count, sizeof *rows->rows);
    rows->cap = rows->count;
}

static void read_head(struct making *m)
{
    struct top_head *head = &m->look->head;
    *head = (struct top_head){
        .uptime = (double)NAN, .latency = (double)NAN, .memory = (double)NAN,
        .waiting = (double)NAN, .pending = (double)NAN, .dead = (double)NAN,
        .published = (double)NAN, .processed = (double)NAN, .failed = (double)NAN,
    };
    for (const struct ov_sample *s = ov_batch_first(m->found->agents); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_health"))
            continue;
        head->status = keep(m, figure_text(s, "status"));
        head->reason = keep(m, figure_text(s, "reason"));
        head->runner = keep(m, figure_text(s, "runner"));
        head->status_code = figure_int(s, "status_code", 0);
        head->uptime = figure_double(s, "uptime_seconds");
    }
    for (const struct ov_sample *s = ov_batch_first(m->found->bus); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_bus"))
            continue;
        m->look->whole = figure_bool(s, "up") == 1;
        head->version = keep(m, figure_text(s, "version"));
        head->latency = figure_double(s, "latency_seconds");
        head->memory = count_of(s, "memory_used_bytes");
    }
}

static void measure_texts(struct top_look *look, enum top_table table)
{
    const struct top_layout *layout = &top_layouts[table];
    struct top_rows *rows = &look->tables[table];
    struct ov_buf escaped = {0};
    for (unsigned c = 0; c < layout->count; c++) {
        for (size_t i = 0; layout->columns[c].type == TOP_TYPE_TEXT && i < rows->count; i++) {
            ov_buf_reset(&escaped);
            ov_buf_escaped(&escaped, top_text(look, rows->rows[i].cells[c].text));
            size_t width = ov_text_width((struct ov_slice){escaped.data, escaped.len});
            if (width > rows->widths[c])
                rows->widths[c] = width < 1000 ? (unsigned)width : 1000;
        }
    }
    ov_buf_free(&escaped);
}

struct top_look *top_look_new(const struct top_found *found, struct top_rates *rates)
{
    struct making m = {.found = found, .rates = rates, .look = ov_calloc(1, sizeof *m.look)};
    ov_buf_grow(&m.look->bytes, 1);
    m.look->at_ms = found->bus_ns / 1000000;
    m.look->took_ms = found->took_ms;
    m.look->why = keep(&m, ov_slice(found->why));
    read_head(&m);
    if (m.look->whole) {
        const struct ov_finding **by_sample = sort_findings(&m);
        top_rates_begin(rates);
        see_topics(&m);
        add_groups(&m, by_sample);
        add_agents(&m, by_sample);
        add_alerts(&m);
        top_rates_end(rates);
        free(by_sample);
    }
    for (unsigned i = 0; i < TOP_TABLES; i++) {
        measure_texts(m.look, (enum top_table)i);
        shrink(&m.look->tables[i]);
    }
    ov_buf_free(&m.key);
    return m.look;
}

void top_look_free(struct top_look *look)
{
    if (!look)
        return;
    for (unsigned i = 0; i < TOP_TABLES; i++)
        free(look->tables[i].rows);
    ov_buf_free(&look->bytes);
    free(look);
}
