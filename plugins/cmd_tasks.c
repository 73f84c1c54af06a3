/* SPDX-License-Identifier: Apache-2.0 */
/* The command `storage tasks`: the results of tasks that were done, or one of them in full. */
#include <math.h>

#include "call_number.h"
#include "json_text.h"
#include "payload.h"
#include "results.h"
#include "storage_call.h"

enum { FLAG_LIMIT, FLAG_MASK, FLAG_BYTES };
static const struct ov_flag flags[] = {
    [FLAG_LIMIT] = {"limit", 'n', "N", "show the newest N (20)", NULL},
    [FLAG_MASK] = {"mask", 0, "PATTERN", "hide the values of keys that match, as '*key*,*token*'",
                   NULL},
    [FLAG_BYTES] = {"bytes", 0, "N", "show so much of a result (4096; 0: all)", NULL},
    {.name = NULL},
};

enum {
    COLUMN_TASK, COLUMN_STATUS, COLUMN_TOPIC, COLUMN_AGENT, COLUMN_AGE, COLUMN_SAVED,
    COLUMN_EXPIRES, COLUMN_SIZE, COLUMN_FLAW, COLUMN_RESULT, COLUMNS,
};
static const struct ov_column columns[] = {
    [COLUMN_TASK] = {"task_id", OV_CELL_TEXT, "task", 0},
    [COLUMN_STATUS] = {"status", OV_CELL_TEXT, NULL, 1},
    [COLUMN_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 2},
    [COLUMN_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [COLUMN_AGE] = {"age_seconds", OV_CELL_SECONDS, "age", 0},
    [COLUMN_SAVED] = {"saved_at", OV_CELL_TIME, "saved", 6},
    [COLUMN_EXPIRES] = {"expires_in_seconds", OV_CELL_SECONDS, "expires in", 4},
    [COLUMN_SIZE] = {"size_bytes", OV_CELL_BYTES, "size", 3},
    [COLUMN_FLAW] = {"flaw", OV_CELL_TEXT, NULL, 7},
    [COLUMN_RESULT] = {"result", OV_CELL_JSON, NULL, 0},
};
static const struct ov_view list_view = {
    .name = "tasks", .shape = OV_SHAPE_LIST, .columns = columns, .column_count = COLUMN_RESULT,
    .empty = "no results",
};
static const struct ov_view one_view = {
    .name = "tasks", .shape = OV_SHAPE_CARDS, .columns = columns, .column_count = COLUMNS,
    .empty = "no such result",
};

enum {
    LIST_BYTES = 256 * 1024,       /* of a record; the list does not show more of it */
    ONE_BYTES = 32 * 1024 * 1024,
};

struct tasks {
    struct results results;
    struct payload_style style;
    struct ov_buf texts[3];        /* status, topic, agent */
    struct ov_buf scratch;
    int64_t limit, shown;
    bool more;                     /* there is one beyond the limit */
    bool one;
};

/* Sets topic and agent of a result, with status, where it carries them: OmniDaemon stores the event
 * with what its agent made of it. */
static void read_texts(struct tasks *tasks, struct ov_slice whole)
{
    static const char *const members[] = {"status", "topic", "agent"};
    for (size_t i = 0; i < OV_COUNT(members); i++) {
        ov_buf_reset(&tasks->texts[i]);
        (void)json_text_decode(json_text_member(whole, members[i]), &tasks->texts[i]);
    }
}

static const char *flaw_of(const struct tasks *tasks, const struct result *result)
{
    if (result->flaw)
        return result->flaw;
    if (result->record.len == 0)
        return "empty";
    if ((int64_t)result->record.len < result->size)
        return tasks->one ? "too long to be read" : "too long for the list";
    return json_text_is_valid(result->record) ? NULL : "no JSON";
}

static void show_result(struct tasks *tasks, const struct result *result, struct ov_slice whole,
                        const char *flaw)
{
    struct ov_call *call = tasks->results.call;
    double now = (double)tasks->results.now_ms / 1e3;
    ov_show_row(call);
    ov_show_text(call, COLUMN_TASK, result->task_id);
    for (unsigned i = 0; i < OV_COUNT(tasks->texts); i++)
        if (tasks->texts[i].len)
            ov_show_text(call, COLUMN_STATUS + i,
                         (struct ov_slice){tasks->texts[i].data, tasks->texts[i].len});
    if (result->saved_at > 0 && result->saved_at < 1e12) {
        ov_show_float(call, COLUMN_AGE, omni_age(tasks->results.now_ms,
                                                 (uint64_t)(result->saved_at * 1e3)));
        ov_show_float(call, COLUMN_SAVED, result->saved_at);
    }
    ov_show_float(call, COLUMN_EXPIRES, result->expires_at - now);
    ov_show_float(call, COLUMN_SIZE, (double)result->size);
    if (flaw) {
        ov_show_text(call, COLUMN_FLAW, ov_slice(flaw));
        ov_show_mark(call, COLUMN_TASK, OV_MARK_WARN);
    }
    if (!tasks->one || result->record.len == 0)
        return;
    ov_buf_reset(&tasks->scratch);
    payload_show(&tasks->style, whole.len ? whole : result->record, &tasks->scratch);
    ov_show_text(call, COLUMN_RESULT,
                 (struct ov_slice){tasks->scratch.data, tasks->scratch.len});
}

static bool on_result(void *context, const struct result *result)
{
    struct tasks *tasks = context;
    const char *flaw = flaw_of(tasks, result);
    struct ov_slice whole = flaw ? OV_SLICE("") : json_text_member(result->record, "result");
    read_texts(tasks, whole);
    struct ov_slice topic = {tasks->texts[1].data, tasks->texts[1].len};
    struct ov_slice agent = {tasks->texts[2].data, tasks->texts[2].len};
    if (!tasks->one && !ov_call_wants(tasks->results.call, topic.len ? &topic : NULL,
                                      agent.len ? &agent : NULL))
        return true;
    tasks->more = tasks->shown == tasks->limit;
    if (tasks->more)
        return false;
    show_result(tasks, result, whole, flaw);
    tasks->shown++;
    return true;
}

/* ---------------------------------------------------------------- the command */

static void note_list(struct tasks *tasks)
{
    const struct results *results = &tasks->results;
    bool in_redis = results->storage->omni.backend == OMNI_REDIS;
    if (tasks->more)
        ov_show_note(results->call, "The newest %lld are shown; --limit shows more.",
                     (long long)tasks->shown);
    else if (results->looked < results->total)
        ov_show_note(results->call, "Looked at the newest %lld of %lld.",
                     (long long)results->looked, (long long)results->total);
    if (results->gone && in_redis)
        ov_show_note(results->call, "%lld more in the index expired or were deleted; `omnivigil "
                     "storage prune-index` tells how many in all.", (long long)results->gone);
    else if (results->gone)
        ov_show_note(results->call, "%lld more expired and are still in the file: OmniDaemon lists "
                     "them.", (long long)results->gone);
}

static void note_missing(struct tasks *tasks, const char *task_id)
{
    const struct results *results = &tasks->results;
    struct ov_buf id = {0};
    ov_buf_escaped(&id, ov_slice(task_id));
    if (!results->gone || results->total == 0)
        ov_show_note(results->call, "There is no result of a task %s: it is not done, failed, or "
                     "its result expired, which takes a day.", ov_buf_text(&id));
    else
        ov_show_note(results->call, "The result of task %s expired or was deleted; its entry is "
                     "still there.", ov_buf_text(&id));
    ov_buf_free(&id);
}

static int show(struct tasks *tasks, const char *task_id)
{
    struct results *results = &tasks->results;
    ov_show(results->call, tasks->one ? &one_view : &list_view);
    int status = results->storage->omni.backend == OMNI_REDIS
                     ? results_read_redis(results, ov_slice(task_id))
                     : results_read_json(results, ov_slice(task_id));
    if (status != OV_EXIT_FINE)
        return status;
    if (!tasks->one) {
        note_list(tasks);
    } else if (!tasks->shown) {
        note_missing(tasks, task_id);
        status = OV_EXIT_PROBLEM;
    }
    return status;
}

static int tasks_run(void *state, struct ov_call *call)
{
    const char *task_id = ov_call_word(call, 0);
    struct tasks tasks = {.one = task_id != NULL};
    tasks.results = (struct results){
        .storage = state, .call = call, .bytes_max = task_id ? ONE_BYTES : LIST_BYTES,
        .fn = on_result, .context = &tasks,
    };
    if (!call_number(call, FLAG_LIMIT, "limit", 20, 100000, &tasks.limit) ||
        !payload_style_read(&tasks.style, call, ov_call_flag(call, FLAG_BYTES),
                            ov_call_flag(call, FLAG_MASK)))
        return OV_EXIT_USAGE;
    int status = show(&tasks, task_id);
    payload_style_free(&tasks.style);
    for (size_t i = 0; i < OV_COUNT(tasks.texts); i++)
        ov_buf_free(&tasks.texts[i]);
    ov_buf_free(&tasks.scratch);
    return status;
}

static const char more[] =
    "OmniDaemon keeps one result a task, for a day: the event, with what its agent made of it;\n"
    "where several agents take it, that of the last. A task that failed has none. Reading changes\n"
    "nothing: results that expired stay as they are.\n";

const struct ov_command storage_command_tasks = {
    .name = "storage tasks", .takes = "[ID]", .words_max = 1,
    .summary = "Results of tasks, the newest first, or one in full", .more = more,
    .example = "omnivigil storage tasks --agent 'fraud*' --limit 5", .flags = flags,
    .run = tasks_run,
};
