/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq_patterns.h"

#include <stdlib.h>

#include "failure.h"
#include "pairs.h"
#include "shell.h"

enum { PATTERNS_MAX = 2000 }; /* what comes beyond is one more, of its own */

enum {
    COLUMN_FAILURE, COLUMN_COUNT, COLUMN_CLASS, COLUMN_REMEDY, COLUMN_AGENT, COLUMN_TOPIC,
    COLUMN_FIRST, COLUMN_LAST, COLUMN_EXAMPLE, COLUMN_EXAMPLE_ID, COLUMN_EXAMPLE_TASK,
    COLUMN_TYPE, COLUMNS,
};
static const struct ov_column columns[] = {
    [COLUMN_FAILURE] = {"failure", OV_CELL_TEXT, NULL, 0},
    [COLUMN_COUNT] = {"count", OV_CELL_INT, NULL, 0},
    [COLUMN_CLASS] = {"class", OV_CELL_TEXT, NULL, 0},
    [COLUMN_REMEDY] = {"remedy", OV_CELL_TEXT, NULL, 0},
    [COLUMN_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [COLUMN_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [COLUMN_FIRST] = {"first", OV_CELL_TIME, NULL, 0},
    [COLUMN_LAST] = {"last", OV_CELL_TIME, NULL, 0},
    [COLUMN_EXAMPLE] = {"example", OV_CELL_TEXT, NULL, 0},
    [COLUMN_EXAMPLE_ID] = {"example_id", OV_CELL_TEXT, "example's id", 0},
    [COLUMN_EXAMPLE_TASK] = {"example_task_id", OV_CELL_TEXT, "example's task", 0},
    [COLUMN_TYPE] = {"error_type", OV_CELL_TEXT, "exception", 0},
};
static const struct ov_view view = {
    .name = "failures", .shape = OV_SHAPE_CARDS, .columns = columns, .column_count = COLUMNS,
    .empty = "no dead letters",
};

struct pattern {
    struct pair name;            /* type, pattern */
    const struct failure_class *class;
    const struct dlq_queue *queue; /* of the first entry */
    bool several_topics, several_agents;
    int64_t count;
    bool differ;                 /* the messages do; else they are all the example's */
    double first, last;
    struct redis_id id;          /* of the newest entry, the example */
    struct ov_slice message, task_id; /* its, owned */
};

struct patterns {
    struct dlq *dlq;
    struct pairs all;
    struct ov_buf text, whole;
};

static void take_example(struct pattern *p, const struct dlq_entry *entry,
                         struct ov_slice message)
{
    struct ov_slice task = entry->letter->task_id;
    free((char *)p->message.ptr);
    free((char *)p->task_id.ptr);
    p->id = entry->id;
    p->message = (struct ov_slice){ov_memdup(message.ptr, message.len), message.len};
    p->task_id = (struct ov_slice){ov_memdup(task.ptr, task.len), task.len};
}

static bool fold(void *context, const struct dlq_entry *entry)
{
    struct patterns *patterns = context;
    const struct exception *e = entry->exception;
    struct ov_slice type = e ? e->type : OV_SLICE("");
    struct ov_slice message = e ? e->message : entry->letter->error;
    double at = dlq_entry_time(entry);
    ov_buf_reset(&patterns->whole);
    failure_text(&patterns->whole, type, message);
    ov_buf_reset(&patterns->text);
    failure_pattern(&patterns->text, (struct ov_slice){patterns->whole.data,
                                                       patterns->whole.len});
    struct ov_slice pattern = {patterns->text.data, patterns->text.len};
    struct pattern *p = pairs_find(&patterns->all, type, pattern);
    if (!p && patterns->all.count >= PATTERNS_MAX)
        type = pattern = OV_SLICE("(other)");
    if (!p)
        p = pairs_add(&patterns->all, type, pattern, sizeof *p);
    if (p->count == 0) {
        p->class = failure_class(type, message);
        p->queue = entry->queue;
        p->first = p->last = at;
    }
    p->differ |= p->count > 0 && !ov_slice_eq(p->message, message);
    p->count++;
    p->first = at < p->first ? at : p->first;
    p->last = at > p->last ? at : p->last;
    p->several_topics |= !ov_slice_eq(p->queue->topic, entry->queue->topic);
    p->several_agents |= !ov_slice_eq(p->queue->group, entry->queue->group);
    if (p->count == 1 || redis_id_compare(entry->id, p->id) > 0)
        take_example(p, entry, message);
    return true;
}

static int compare_most_first(const void *a, const void *b)
{
    const struct pattern *x = *(const struct pattern *const *)a;
    const struct pattern *y = *(const struct pattern *const *)b;
    if (x->count != y->count)
        return x->count < y->count ? 1 : -1;
    return (x->last < y->last) - (x->last > y->last);
}

/* What is shown of it, which --match takes, too: where all messages are the same there is nothing
 * to mask. */
static void put_failure(struct ov_buf *text, const struct pattern *p)
{
    ov_buf_reset(text);
    if (p->differ || p->message.len > FAILURE_PATTERN_MAX)
        ov_buf_slice(text, p->name.b);
    else
        failure_text(text, p->name.a, p->message);
}

static void show_pattern(struct ov_call *call, const struct pattern *p, struct ov_buf *text)
{
    struct ov_slice type = p->name.a, agent = p->queue->agent;
    char id[48];
    put_failure(text, p);
    ov_show_row(call);
    ov_show_text(call, COLUMN_FAILURE, text->len ? (struct ov_slice){text->data, text->len}
                                                 : OV_SLICE("(nothing is said)"));
    ov_show_int(call, COLUMN_COUNT, p->count);
    ov_show_text(call, COLUMN_CLASS, ov_slice(p->class->name));
    ov_show_text(call, COLUMN_REMEDY, ov_slice(p->class->remedy));
    ov_show_text(call, COLUMN_AGENT, p->several_agents ? OV_SLICE("several")
                                     : agent.len ? agent : p->queue->group);
    if (p->several_topics || p->queue->topic.len)
        ov_show_text(call, COLUMN_TOPIC, p->several_topics ? OV_SLICE("several")
                                                           : p->queue->topic);
    ov_show_float(call, COLUMN_FIRST, p->first);
    ov_show_float(call, COLUMN_LAST, p->last);
    if (p->message.len)
        ov_show_text(call, COLUMN_EXAMPLE, p->message);
    ov_show_text(call, COLUMN_EXAMPLE_ID, redis_id_text(p->id, id));
    if (p->task_id.len)
        ov_show_text(call, COLUMN_EXAMPLE_TASK, p->task_id);
    if (type.len)
        ov_show_text(call, COLUMN_TYPE, type);
}

static void drop(void *entry)
{
    struct pattern *p = entry;
    free((char *)p->message.ptr);
    free((char *)p->task_id.ptr);
}

/* The line for the commonest, to be pasted. */
static void note_republish(struct patterns *patterns, const struct pattern *p)
{
    struct ov_call *call = patterns->dlq->call;
    struct ov_buf line = {0};
    const char *same = ov_call_again(call);
    put_failure(&patterns->text, p);
    ov_buf_printf(&line, "omnivigil bus dlq republish%s%s --dry-run", *same ? " " : "", same);
    bool typed = p->queue->topic.len > 0 && patterns->text.len > 0;
    ov_buf_str(&line, typed ? " --match" : "");
    typed = typed && shell_word(&line, (struct ov_slice){patterns->text.data, patterns->text.len});
    if (typed && *p->queue->topic.ptr == '-')
        ov_buf_str(&line, " --");
    if (typed && shell_word(&line, p->queue->topic))
        ov_show_note(call, "When the cause is gone, events can be put back: %s",
                     ov_buf_text(&line));
    ov_buf_free(&line);
}

static void show_all(struct patterns *patterns)
{
    struct ov_call *call = patterns->dlq->call;
    size_t count = patterns->all.count;
    struct pair **sorted = ov_malloc((count + 1) * sizeof(struct pair *));
    if (count) {
        memcpy(sorted, patterns->all.entries, count * sizeof(struct pair *));
        qsort(sorted, count, sizeof(struct pair *), compare_most_first);
    }
    ov_show(call, &view);
    for (size_t i = 0; i < count; i++)
        show_pattern(call, (const struct pattern *)sorted[i], &patterns->text);
    if (count)
        note_republish(patterns, (const struct pattern *)sorted[0]);
    free(sorted);
}

int dlq_show_patterns(struct dlq *dlq)
{
    struct patterns patterns = {.dlq = dlq};
    struct dlq_walk walk = {.newest_first = true, .fn = fold, .context = &patterns,
                            .what = "dead letters"};
    int status = dlq_explain(dlq, &walk);
    if (status == OV_EXIT_FINE)
        status = dlq_each(dlq, &walk);
    if (status == OV_EXIT_FINE) {
        show_all(&patterns);
        status = patterns.all.count ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
    }
    pairs_free(&patterns.all, drop);
    ov_buf_free(&patterns.text);
    ov_buf_free(&patterns.whole);
    return status;
}
