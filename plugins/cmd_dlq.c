/* SPDX-License-Identifier: Apache-2.0 */
/* The command `bus dlq`: the entries of dead letter queues with the exceptions behind them. What
 * --group shows is in dlq_patterns.c. */
#include <math.h>
#include <stdlib.h>

#include "call_number.h"
#include "dlq.h"
#include "dlq_patterns.h"
#include "payload.h"

enum { FLAG_LIMIT, FLAG_ID, FLAG_GROUP, FLAG_MASK, FLAG_BYTES };
static const struct ov_flag flags[] = {
    [FLAG_LIMIT] = {"limit", 'n', "N", "show the newest N (20)", NULL},
    [FLAG_ID] = {"id", 0, "ID", "show the entry of this id in full", NULL},
    [FLAG_GROUP] = {"group", 'g', NULL, "fold all entries into failure patterns", NULL},
    [FLAG_MASK] = {"mask", 0, "PATTERN", "hide the values of keys that match, as '*key*,*token*'",
                   NULL},
    [FLAG_BYTES] = {"bytes", 0, "N", "show so much of a payload (4096; 0: all)", NULL},
    {.name = NULL},
};

enum {
    COLUMN_ID, COLUMN_TOPIC, COLUMN_AGENT, COLUMN_AGE, COLUMN_TIME, COLUMN_ATTEMPTS, COLUMN_TYPE,
    COLUMN_ERROR, COLUMN_TASK, COLUMN_PAYLOAD, COLUMN_FLAW, COLUMN_COUNT,
};
static const struct ov_column columns[] = {
    [COLUMN_ID] = {"id", OV_CELL_TEXT, NULL, 0},
    [COLUMN_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 6},
    [COLUMN_AGENT] = {"agent", OV_CELL_TEXT, NULL, 2},
    [COLUMN_AGE] = {"age_seconds", OV_CELL_SECONDS, "age", 1},
    [COLUMN_TIME] = {"failed_at", OV_CELL_TIME, "given up", 9},
    [COLUMN_ATTEMPTS] = {"attempts", OV_CELL_INT, "tries", 3},
    [COLUMN_TYPE] = {"error_type", OV_CELL_TEXT, "exception", 0},
    [COLUMN_ERROR] = {"error", OV_CELL_TEXT, "message", 0},
    [COLUMN_TASK] = {"task_id", OV_CELL_TEXT, "task", 4},
    [COLUMN_PAYLOAD] = {"payload", OV_CELL_JSON, NULL, 7},
    [COLUMN_FLAW] = {"flaw", OV_CELL_TEXT, NULL, 10},
};
static const struct ov_view list_view = {
    .name = "dead_letters", .shape = OV_SHAPE_LIST, .columns = columns,
    .column_count = COLUMN_COUNT, .empty = "no dead letters",
};
static const struct ov_view one_view = {
    .name = "dead_letters", .shape = OV_SHAPE_CARDS, .columns = columns,
    .column_count = COLUMN_COUNT, .empty = "no such dead letter",
};

/* ---------------------------------------------------------------- entries */

/* What is kept of an entry until its exception is found; the texts are owned. */
struct row {
    const struct dlq_queue *queue;
    struct redis_id id;
    double failed_at;
    int64_t retries;
    const char *flaw;
    struct ov_slice task_id, error, payload;
};

struct rows {
    struct dlq *dlq;
    struct row *items;
    size_t count, cap;
    struct payload_style style;
    struct ov_buf scratch;
};

static struct ov_slice copy(struct ov_slice text)
{
    return (struct ov_slice){ov_memdup(text.ptr, text.len), text.len};
}

static bool keep_row(void *context, const struct dlq_entry *entry)
{
    struct rows *rows = context;
    const struct dead_letter *letter = entry->letter;
    if (rows->count == rows->cap) {
        rows->cap = rows->cap ? rows->cap * 2 : 64;
        rows->items = ov_realloc(rows->items, rows->cap, sizeof *rows->items);
    }
    ov_buf_reset(&rows->scratch);
    payload_show(&rows->style, letter->message.len ? letter->message : entry->data,
                 &rows->scratch);
    rows->items[rows->count++] = (struct row){
        .queue = entry->queue, .id = entry->id, .failed_at = dlq_entry_time(entry),
        .retries = letter->retries, .flaw = letter->flaw, .task_id = copy(letter->task_id),
        .error = copy(letter->error),
        .payload = copy((struct ov_slice){rows->scratch.data, rows->scratch.len}),
    };
    dlq_want_exception(rows->dlq, entry);
    return true;
}

static void rows_free(struct rows *rows)
{
    for (size_t i = 0; i < rows->count; i++) {
        free((char *)rows->items[i].task_id.ptr);
        free((char *)rows->items[i].error.ptr);
        free((char *)rows->items[i].payload.ptr);
    }
    free(rows->items);
    payload_style_free(&rows->style);
    ov_buf_free(&rows->scratch);
}

static int compare_newest_first(const void *a, const void *b)
{
    return redis_id_compare(((const struct row *)b)->id, ((const struct row *)a)->id);
}

static void show_row(struct ov_call *call, const struct dlq *dlq, const struct row *row)
{
    const struct exception *e = exceptions_of(&dlq->exceptions, row->task_id, row->queue->agent);
    const struct dlq_queue *queue = row->queue;
    char id[48];
    ov_show_row(call);
    ov_show_text(call, COLUMN_ID, redis_id_text(row->id, id));
    if (queue->topic.len)
        ov_show_text(call, COLUMN_TOPIC, queue->topic);
    ov_show_text(call, COLUMN_AGENT, queue->agent.len ? queue->agent : queue->group);
    if (row->failed_at > 0 && row->failed_at < 1e12) {
        ov_show_float(call, COLUMN_AGE, omni_age(dlq->now_ms, (uint64_t)(row->failed_at * 1e3)));
        ov_show_float(call, COLUMN_TIME, row->failed_at);
    }
    if (row->retries >= 0)
        ov_show_int(call, COLUMN_ATTEMPTS, row->retries + 1);
    if (e)
        ov_show_text(call, COLUMN_TYPE, e->type);
    if (e || row->error.len)
        ov_show_text(call, COLUMN_ERROR, e ? e->message : row->error);
    ov_show_mark(call, COLUMN_ERROR, e ? OV_MARK_BAD : OV_MARK_DIM);
    if (row->task_id.len)
        ov_show_text(call, COLUMN_TASK, row->task_id);
    ov_show_text(call, COLUMN_PAYLOAD, row->payload);
    if (row->flaw)
        ov_show_text(call, COLUMN_FLAW, ov_slice(row->flaw));
}

static void show_notes(struct ov_call *call, const struct rows *rows, size_t shown)
{
    const struct dlq *dlq = rows->dlq;
    size_t unknown = 0;
    for (size_t i = 0; i < shown; i++)
        unknown += !exceptions_of(&dlq->exceptions, rows->items[i].task_id,
                                  rows->items[i].queue->agent);
    if (unknown && dlq->exceptions.why.len == 0)
        ov_show_note(call, "%zu without an exception: the task metrics no longer have it, or the "
                     "event has no task id.", unknown);
    if ((int64_t)shown < dlq_length(dlq))
        ov_show_note(call, "%zu of %lld shown; --limit shows more, --group why they failed.", shown,
                     (long long)dlq_length(dlq));
}

static int show_entries(struct rows *rows, const char *id, int64_t limit)
{
    struct dlq *dlq = rows->dlq;
    struct dlq_choice choice = {.all = true};
    struct redis_id one;
    if (id && redis_id_parse(ov_slice(id), &one)) {
        choice.ids = &one;
        choice.id_count = 1;
    }
    int status = dlq_each(dlq, &(struct dlq_walk){
        .choice = &choice, .newest_first = true, .limit = (uint64_t)limit, .fn = keep_row,
        .context = rows,
    });
    if (status == OV_EXIT_FINE)
        status = dlq_find_exceptions(dlq);
    if (status != OV_EXIT_FINE)
        return status;
    if (rows->count)
        qsort(rows->items, rows->count, sizeof *rows->items, compare_newest_first);
    size_t shown = rows->count < (size_t)limit ? rows->count : (size_t)limit;
    ov_show(dlq->call, id ? &one_view : &list_view);
    for (size_t i = 0; i < shown; i++)
        show_row(dlq->call, dlq, &rows->items[i]);
    if (!id)
        show_notes(dlq->call, rows, shown);
    return shown ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static int dlq_run(void *state, struct ov_call *call)
{
    struct dlq dlq;
    struct rows rows = {.dlq = &dlq};
    const char *id = ov_call_flag(call, FLAG_ID);
    struct redis_id one;
    int64_t limit;
    if (id && !redis_id_parse(ov_slice(id), &one))
        return ov_call_usage(call, "`%s` is no entry id, as 1700000000000-0 is", id);
    if (!call_number(call, FLAG_LIMIT, "limit", 20, 100000, &limit) ||
        !payload_style_read(&rows.style, call, ov_call_flag(call, FLAG_BYTES),
                            ov_call_flag(call, FLAG_MASK)))
        return OV_EXIT_USAGE;
    int status = dlq_open(&dlq, call, state, ov_call_word(call, 0));
    if (status == OV_EXIT_FINE)
        status = ov_call_flag(call, FLAG_GROUP) ? dlq_show_patterns(&dlq)
                                                : show_entries(&rows, id, limit);
    rows_free(&rows);
    dlq_close(&dlq);
    return status;
}

static const char more[] =
    "OmniDaemon gives a task up when all retries failed, and notes no more than that. The\n"
    "exceptions come from its task metrics, by the task's id. With --group, entries of the same\n"
    "exception whose messages differ in numbers, ids and quoted text only are one pattern, with\n"
    "its kind of failure and what helps. Exit status: 1 where there are dead letters.\n";

const struct ov_command bus_command_dlq = {
    .name = "bus dlq", .takes = "[TOPIC]", .words_max = 1,
    .summary = "Dead letters, with the exceptions behind them", .more = more,
    .example = "omnivigil bus dlq orders.created --group", .flags = flags, .run = dlq_run,
    .figures = dlq_figures,
};
