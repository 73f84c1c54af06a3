/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dead letters: what each queue's newest have in common. The letters name their tasks, and the
 * tasks' events the exceptions, which are folded into patterns.
 */
#include <stdlib.h>

#include "dead_letter.h"
#include "diagnose.h"
#include "exceptions.h"
#include "failure.h"
#include "figures.h"
#include "stream_pages.h"

enum { QUEUES_READ = 50, LETTERS_MAX = 20 };

struct queue {
    struct look *look;
    const struct ov_sample *sample;
    struct exceptions *exceptions;
    struct dead_letter letter;
    struct ov_slice tasks[LETTERS_MAX]; /* owned */
    size_t count;
};

/* "ValueError: no amount in order <n>" */
struct pattern {
    struct ov_buf text;
    struct ov_buf first;      /* the first of them, whole */
    bool differ;              /* others are not as the first */
    const struct failure_class *class;
    size_t count;
};

static struct ov_slice agent_of(const struct queue *queue)
{
    return figure_tag(queue->sample, "agent");
}

static bool on_letter(void *context, const struct stream_entry *entry)
{
    struct queue *queue = context;
    struct redis_id original = {0, 0};
    struct dead_letter *letter = &queue->letter;
    dead_letter_read(letter, entry->data);
    if (queue->count == LETTERS_MAX || letter->task_id.len == 0)
        return queue->count < LETTERS_MAX;
    if (!redis_id_parse(letter->original_id, &original))
        original = (struct redis_id){0, 0};
    exceptions_want(queue->exceptions, letter->task_id, agent_of(queue), original);
    queue->tasks[queue->count++] = (struct ov_slice){
        ov_memdup(letter->task_id.ptr, letter->task_id.len), letter->task_id.len};
    return true;
}

static void read_letters(struct queue *queue)
{
    struct stream_pages pages = {
        .redis = queue->look->runner->redis,
        .key = omni_dlq_key(&queue->look->key, figure_tag(queue->sample, "group")),
        .first = STREAM_FIRST, .last = STREAM_LAST, .newest_first = true, .fn = on_letter,
        .context = queue, .entries_max = LETTERS_MAX,
    };
    if (stream_pages_read(&pages) != OV_OK)
        queue->count = 0; /* the finding does without */
    ov_buf_free(&pages.why);
}

/* ---------------------------------------------------------------- patterns */

static void count_pattern(struct pattern *patterns, size_t *count, const struct exception *e)
{
    struct ov_buf text = {0}, whole = {0};
    failure_text(&whole, e->type, e->message);
    failure_pattern(&text, (struct ov_slice){whole.data, whole.len});
    size_t i = 0;
    while (i < *count && (patterns[i].text.len != text.len ||
                          memcmp(patterns[i].text.data, text.data, text.len) != 0))
        i++;
    if (i == *count)
        patterns[(*count)++] = (struct pattern){
            .text = text, .first = whole, .class = failure_class(e->type, e->message), .count = 1,
        };
    else {
        patterns[i].count++;
        patterns[i].differ |= patterns[i].first.len != whole.len ||
                              memcmp(patterns[i].first.data, whole.data, whole.len) != 0;
        ov_buf_free(&text);
        ov_buf_free(&whole);
    }
}

/* Tells the commonest, and what helps against failures of its class. */
static void tell_patterns(struct queue *queue, struct finding *f)
{
    struct pattern patterns[LETTERS_MAX];
    size_t count = 0, best = 0, known = 0;
    for (size_t i = 0; i < queue->count; i++) {
        const struct exception *e = exceptions_of(queue->exceptions, queue->tasks[i],
                                                  agent_of(queue));
        if (!e || (e->type.len == 0 && e->message.len == 0))
            continue;
        known++;
        count_pattern(patterns, &count, e);
    }
    for (size_t i = 1; i < count; i++)
        best = patterns[i].count > patterns[best].count ? i : best;
    if (count) {
        ov_buf_printf(&f->evidence, "; of the newest %zu, %zu with ", known, patterns[best].count);
        const struct pattern *p = &patterns[best];
        const struct ov_buf *shown = p->differ || p->first.len > FAILURE_PATTERN_MAX ? &p->text
                                                                                     : &p->first;
        ov_buf_escaped(&f->evidence, (struct ov_slice){shown->data, shown->len});
        ov_buf_printf(&f->meaning, " Likely cause: %s. %s", patterns[best].class->name,
                      patterns[best].class->remedy);
    }
    for (size_t i = 0; i < count; i++) {
        ov_buf_free(&patterns[i].text);
        ov_buf_free(&patterns[i].first);
    }
}

/* ---------------------------------------------------------------- telling */

static void tell_queue(struct queue *queue)
{
    const struct ov_sample *s = queue->sample;
    struct ov_slice topic = figure_tag(s, "topic"), agent = agent_of(queue);
    int64_t length = figure_int(s, "dlq_length", 0);
    double newest = figure_double(s, "dlq_newest_seconds");
    struct finding *f = diagnosis_add(queue->look->d, AIL_GIVEN_UP, false, given(topic),
                                      given(agent));
    ov_buf_str(&f->what, agent.len ? "agent " : "");
    ov_buf_escaped(&f->what, agent.len ? agent : figure_tag(s, "group"));
    ov_buf_str(&f->what, topic.len ? " on " : "");
    ov_buf_escaped(&f->what, topic);
    ov_buf_printf(&f->what, " gave up %jd task%s", (intmax_t)length, length == 1 ? "" : "s");
    ov_buf_printf(&f->evidence, "dead letters %jd", (intmax_t)length);
    if (newest >= 0) {
        ov_buf_str(&f->evidence, ", the newest ");
        put_duration(&f->evidence, newest);
        ov_buf_str(&f->evidence, " old");
    }
    tell_patterns(queue, f);
    next_omnivigil(queue->look, f, "bus dlq --group", topic, agent);
}

static bool is_wanted(const struct look *look, const struct ov_sample *s)
{
    struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
    return figure_of(s, "omnidaemon_group") && figure_int(s, "dlq_length", 0) > 0 &&
           ov_call_wants(look->call, &topic, &agent);
}

/* The letters of as many queues as can be read in a moment; all queues are told. */
void look_at_letters(struct look *look)
{
    struct queue *queues = ov_calloc(ov_batch_count(look->bus) + 1, sizeof *queues);
    struct exceptions exceptions = {0};
    size_t count = 0;
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next) {
        if (!is_wanted(look, s))
            continue;
        queues[count] = (struct queue){.look = look, .sample = s, .exceptions = &exceptions};
        if (count++ < QUEUES_READ)
            read_letters(&queues[count - 1]);
    }
    if (exceptions.missing &&
        exceptions_find(&exceptions, &look->runner->omni, look->runner->redis) != OV_OK)
        diagnosis_blind(look->d, CHECK_FAILURES, "%s", redis_why(look->runner->redis));
    for (size_t i = 0; i < count; i++) {
        tell_queue(&queues[i]);
        for (size_t j = 0; j < queues[i].count; j++)
            free((char *)queues[i].tasks[j].ptr);
        dead_letter_free(&queues[i].letter);
    }
    exceptions_free(&exceptions);
    free(queues);
}
