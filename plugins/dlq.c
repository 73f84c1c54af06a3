/* SPDX-License-Identifier: Apache-2.0 */
#include "dlq.h"

#include <math.h>
#include <stdlib.h>

#include "failure.h"
#include "figures.h"

/* ---------------------------------------------------------------- queues */

static void add_queue(struct dlq *dlq, const struct ov_sample *s)
{
    struct ov_slice group = figure_tag(s, "group"), topic = figure_tag(s, "topic"), agent;
    struct ov_buf key = {0};
    if (topic.len == 0 && dlq->topic.ptr && omni_group_agent(group, dlq->topic, &agent))
        topic = dlq->topic; /* the name would do for this topic, and no other is known */
    if (!omni_group_agent(group, topic, &agent))
        agent = (struct ov_slice){"", 0};
    int64_t length = figure_int(s, "dlq_length", -1);
    if (length == 0 || (dlq->topic.ptr && !ov_slice_eq(topic, dlq->topic)) ||
        !ov_call_wants(dlq->call, &topic, &agent))
        return;
    dlq->queues = ov_realloc(dlq->queues, dlq->count + 1, sizeof *dlq->queues);
    omni_dlq_key(&key, group);
    dlq->queues[dlq->count++] = (struct dlq_queue){
        .topic = topic, .group = group, .agent = agent, .length = length,
        .key = {ov_memdup(key.data, key.len), key.len},
        .has_group = figure_bool(s, "exists") == 1,
    };
    ov_buf_free(&key);
}

static void on_newest(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct dlq *dlq = context;
    (void)r;
    if (reply->type == REDIS_ARRAY && reply->count && reply->items[0].type == REDIS_ARRAY &&
        reply->items[0].count)
        dlq->queues[index].newest = bus_reply_id(&reply->items[0].items[0]);
}

static int find_newest(struct dlq *dlq)
{
    for (size_t i = 0; i < dlq->count; i++)
        redis_send(dlq->bus->redis, on_newest, dlq, i, OV_SLICE("XREVRANGE"), dlq->queues[i].key,
                   OV_SLICE("+"), OV_SLICE("-"), OV_SLICE("COUNT"), OV_SLICE("1"));
    return redis_run(dlq->bus->redis) == OV_OK ? OV_EXIT_FINE
                                               : bus_call_failed(dlq->call, dlq->bus);
}

const char *const dlq_figures[] = {
    "omnidaemon_stream.length", "omnidaemon_group.exists", "omnidaemon_group.dlq_length",
    "omnidaemon_group.pending", "omnidaemon_group.undelivered*", NULL,
};

int dlq_open(struct dlq *dlq, struct ov_call *call, struct bus *bus, const char *topic)
{
    *dlq = (struct dlq){.call = call, .bus = bus};
    int status = bus_call_gather(call, &dlq->batch);
    if (status == OV_EXIT_FINE)
        status = bus_call_topic(call, dlq->batch, topic, &dlq->topic);
    if (status != OV_EXIT_FINE)
        return status;
    dlq->now_ms = bus->server.now_ms;
    for (const struct ov_sample *s = ov_batch_first(dlq->batch); s; s = s->next)
        if (figure_of(s, "omnidaemon_group"))
            add_queue(dlq, s);
    return find_newest(dlq);
}

void dlq_close(struct dlq *dlq)
{
    for (size_t i = 0; i < dlq->count; i++)
        free((char *)dlq->queues[i].key.ptr);
    free(dlq->queues);
    exceptions_free(&dlq->exceptions);
}

int64_t dlq_length(const struct dlq *dlq)
{
    int64_t length = 0;
    for (size_t i = 0; i < dlq->count; i++)
        length += dlq->queues[i].length > 0 ? dlq->queues[i].length : 0;
    return length;
}

/* ---------------------------------------------------------------- walking */

struct walking {
    struct dlq *dlq;
    const struct dlq_walk *walk;
    const struct dlq_queue *queue;
    struct dead_letter letter;
    struct ov_buf text, pattern;
    int64_t done;
    bool stopped;
};

static struct ov_slice slice_of(const struct ov_buf *buf)
{
    return (struct ov_slice){buf->data, buf->len};
}

static bool choice_matches(struct walking *w, const struct dlq_entry *entry)
{
    const struct exception *e = entry->exception;
    struct ov_slice match = w->walk->choice->match;
    ov_buf_reset(&w->text);
    failure_text(&w->text, e ? e->type : OV_SLICE(""), e ? e->message : entry->letter->error);
    struct ov_slice given = w->walk->choice->given;
    if (ov_glob(match, slice_of(&w->text)) || ov_slice_eq(slice_of(&w->text), given))
        return true;
    ov_buf_reset(&w->pattern);
    failure_pattern(&w->pattern, slice_of(&w->text));
    return ov_slice_eq(slice_of(&w->pattern), given) ||
           ov_glob(match, entry->letter->message.len ? entry->letter->message : entry->data);
}

static bool is_chosen(struct walking *w, const struct dlq_entry *entry)
{
    const struct dlq_choice *choice = w->walk->choice;
    if (!choice)
        return true;
    if (choice->older_ms && entry->id.ms + (uint64_t)choice->older_ms >= (uint64_t)w->dlq->now_ms)
        return false;
    return !choice->match.ptr || choice_matches(w, entry);
}

static bool on_entry(void *context, const struct stream_entry *found)
{
    struct walking *w = context;
    dead_letter_read(&w->letter, found->data);
    struct dlq_entry entry = {
        .queue = w->queue, .id = found->id, .data = found->data, .fields = found->fields,
        .letter = &w->letter,
        .exception = exceptions_of(&w->dlq->exceptions, w->letter.task_id, w->queue->agent),
    };
    w->done++;
    if (!w->stopped && is_chosen(w, &entry) && !w->walk->fn(w->walk->context, &entry))
        w->stopped = true;
    return !w->stopped;
}

static bool between_steps(void *context)
{
    struct walking *w = context;
    int64_t total = dlq_length(w->dlq);
    if (w->walk->what && w->done < total)
        ov_call_progress(w->dlq->call, w->walk->what, w->done, total);
    return !w->walk->between || w->walk->between(w->walk->context);
}

static int walk_range(struct walking *w, struct redis_id first, struct redis_id last)
{
    struct stream_pages pages = {
        .redis = w->dlq->bus->redis, .key = w->queue->key, .first = first, .last = last,
        .newest_first = w->walk->newest_first, .entries_max = w->walk->limit, .fn = on_entry,
        .between = between_steps, .context = w,
    };
    if (stream_pages_read(&pages) != OV_OK)
        return bus_call_pages_failed(w->dlq->call, w->dlq->bus, &pages);
    w->stopped |= pages.stopped;
    return OV_EXIT_FINE;
}

static int walk_queue(struct walking *w)
{
    const struct dlq_choice *choice = w->walk->choice;
    if (!choice || choice->id_count == 0)
        return walk_range(w, STREAM_FIRST, w->queue->newest);
    for (size_t i = 0; i < choice->id_count && !w->stopped; i++) {
        int status = walk_range(w, choice->ids[i], choice->ids[i]);
        if (status != OV_EXIT_FINE)
            return status;
    }
    return OV_EXIT_FINE;
}

int dlq_each(struct dlq *dlq, const struct dlq_walk *walk)
{
    struct walking w = {.dlq = dlq, .walk = walk};
    int status = OV_EXIT_FINE;
    for (size_t i = 0; i < dlq->count && status == OV_EXIT_FINE && !w.stopped; i++) {
        w.queue = &dlq->queues[i];
        status = walk_queue(&w);
    }
    if (walk->what && dlq_length(dlq) > 0)
        ov_call_progress(dlq->call, walk->what, dlq_length(dlq), dlq_length(dlq));
    dead_letter_free(&w.letter);
    ov_buf_free(&w.text);
    ov_buf_free(&w.pattern);
    return status;
}

/* ---------------------------------------------------------------- exceptions */

void dlq_want_exception(struct dlq *dlq, const struct dlq_entry *entry)
{
    struct redis_id published = {0, 0};
    redis_id_parse(entry->letter->original_id, &published);
    exceptions_want(&dlq->exceptions, entry->letter->task_id, entry->queue->agent, published);
}

static bool on_wanted(void *context, const struct dlq_entry *entry)
{
    dlq_want_exception(context, entry);
    return true;
}

static void exceptions_progress(void *context, uint64_t done)
{
    ov_call_progress(context, "events looked at", (int64_t)done, 0);
}

int dlq_find_exceptions(struct dlq *dlq)
{
    struct exceptions *all = &dlq->exceptions;
    all->progress = exceptions_progress;
    all->context = dlq->call;
    if (exceptions_find(all, &dlq->bus->omni, dlq->bus->redis) != OV_OK)
        return bus_call_failed(dlq->call, dlq->bus);
    if (all->looked_at)
        ov_call_progress(dlq->call, "events looked at", (int64_t)all->looked_at,
                         (int64_t)all->looked_at);
    if (all->why.len)
        ov_show_note(dlq->call, "The exceptions are not to be had: %s", ov_buf_text(&all->why));
    return OV_EXIT_FINE;
}

int dlq_explain(struct dlq *dlq, const struct dlq_walk *walk)
{
    struct dlq_choice choice = walk->choice ? *walk->choice : (struct dlq_choice){.all = true};
    choice.match = (struct ov_slice){NULL, 0}; /* it takes the exceptions to tell */
    int status = dlq_each(dlq, &(struct dlq_walk){
        .choice = &choice, .newest_first = walk->newest_first, .limit = walk->limit,
        .fn = on_wanted, .context = dlq,
    });
    return status == OV_EXIT_FINE ? dlq_find_exceptions(dlq) : status;
}

double dlq_entry_time(const struct dlq_entry *entry)
{
    return isnan(entry->letter->failed_at) ? (double)entry->id.ms / 1e3
                                           : entry->letter->failed_at;
}

/* ---------------------------------------------------------------- choices */

static bool choice_has(const struct dlq_choice *choice, struct redis_id id)
{
    for (size_t i = 0; i < choice->id_count; i++)
        if (redis_id_compare(choice->ids[i], id) == 0)
            return true;
    return false;
}

static bool add_ids(struct dlq_choice *choice, struct ov_call *call, const char *text)
{
    while (*text) {
        size_t len = strcspn(text, ", ");
        struct redis_id id;
        if (!redis_id_parse((struct ov_slice){text, len}, &id)) {
            (void)ov_call_usage(call, "`%.*s` is no entry id, as 1700000000000-0 is", (int)len,
                                text);
            return false;
        }
        choice->ids = ov_realloc(choice->ids, choice->id_count + 1, sizeof *choice->ids);
        if (!choice_has(choice, id))
            choice->ids[choice->id_count++] = id;
        text += len + strspn(text + len, ", ");
    }
    return true;
}

/* 90s, 15m, 12h or 7d in milliseconds; 0 for anything else. */
static int64_t read_age(const char *text)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    int64_t number = 0;
    for (; *text >= '0' && *text <= '9' && number < 1000000; text++)
        number = number * 10 + (*text - '0');
    for (size_t i = 0; i < OV_COUNT(units); i++)
        if (*text == units[i].unit && !text[1])
            return number * units[i].ms;
    return 0;
}

/* A pattern without wildcards is looked for anywhere. */
static void read_match(struct dlq_choice *choice, const char *text)
{
    bool part = strpbrk(text, "*?[") == NULL;
    choice->given = ov_slice(text);
    ov_buf_printf(&choice->pattern, "%s%s%s", part ? "*" : "", text, part ? "*" : "");
    choice->match = (struct ov_slice){choice->pattern.data, choice->pattern.len};
}

static int read_ids(struct dlq_choice *choice, struct ov_call *call)
{
    bool good = add_ids(choice, call, ov_call_flag(call, DLQ_FLAG_ID));
    for (int i = 1; good && i < ov_call_word_count(call); i++)
        good = add_ids(choice, call, ov_call_word(call, i));
    return good ? OV_EXIT_FINE : OV_EXIT_USAGE;
}

int dlq_choice_read(struct dlq_choice *choice, struct ov_call *call)
{
    const char *id = ov_call_flag(call, DLQ_FLAG_ID), *match = ov_call_flag(call, DLQ_FLAG_MATCH);
    const char *older = ov_call_flag(call, DLQ_FLAG_OLDER);
    *choice = (struct dlq_choice){.all = ov_call_flag(call, DLQ_FLAG_ALL) != NULL};
    if ((id != NULL) + choice->all + (match != NULL || older != NULL) != 1)
        return ov_call_usage(call, "say which entries: --id ID, --all, --match PATTERN or "
                             "--older-than AGE (the last two may stand together)");
    if (ov_call_count(call, DLQ_FLAG_ID) > 1)
        return ov_call_usage(call, "several ids follow one --id: --id ID ID ...");
    if (!id && ov_call_word_count(call) > 1)
        return ov_call_usage(call, "`%s` follows TOPIC: ids are given with --id",
                             ov_call_word(call, 1));
    if (match)
        read_match(choice, match);
    if (older) {
        choice->older_ms = read_age(older);
        if (choice->older_ms == 0)
            return ov_call_usage(call, "--older-than takes an age such as 90s, 15m, 12h or 7d, "
                                 "not `%s`", older);
    }
    return id ? read_ids(choice, call) : OV_EXIT_FINE;
}

struct found_ids {
    struct redis_id *ids;       /* those met so far */
    size_t count;
    struct redis_id twice;
    bool any_twice;
};

static bool on_found_id(void *context, const struct dlq_entry *entry)
{
    struct found_ids *found = context;
    for (size_t i = 0; i < found->count && !found->any_twice; i++)
        if (redis_id_compare(found->ids[i], entry->id) == 0) {
            found->any_twice = true;
            found->twice = entry->id;
        }
    if (!found->any_twice)
        found->ids[found->count++] = entry->id;
    return !found->any_twice;
}

int dlq_choice_check(const struct dlq_choice *choice, struct dlq *dlq)
{
    struct found_ids found = {.ids = NULL};
    char id[48];
    if (choice->id_count == 0)
        return OV_EXIT_FINE;
    found.ids = ov_malloc(choice->id_count * sizeof *found.ids);
    int status = dlq_each(dlq, &(struct dlq_walk){.choice = choice, .fn = on_found_id,
                                                  .context = &found});
    if (status == OV_EXIT_FINE && found.any_twice) {
        redis_id_text(found.twice, id);
        status = ov_call_usage(dlq->call, "%s is in the queues of several agents: say which with "
                               "--agent", id);
    }
    free(found.ids);
    return status;
}

void dlq_choice_free(struct dlq_choice *choice)
{
    free(choice->ids);
    ov_buf_free(&choice->pattern);
}
