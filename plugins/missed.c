/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order matters: what was delivered and what is pending is read before the events, so that what
 * is done meanwhile is in one of them.
 *
 *     XINFO GROUPS, XINFO STREAM, XPENDING ...      of each topic
 *     XREVRANGE omni-metrics                        back to the oldest entry there is
 *     XRANGE                                        of topics with more entries than events
 *     XREVRANGE <prefix>:metrics:stream             for the tasks of what may be missed
 */
#include "missed.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "json_text.h"
#include "stream_pages.h"

enum { PENDING_STEP = 1000, PENDING_MAX = 100000 };

/* ---------------------------------------------------------------- ids */

static bool is_zero(struct redis_id id)
{
    return id.ms == 0 && id.seq == 0;
}

static struct redis_id id_after(struct redis_id id)
{
    if (++id.seq == 0)
        id.ms++;
    return id;
}

static void ids_add(struct missed_ids *list, struct redis_id id)
{
    if (list->count == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 64;
        list->ids = ov_realloc(list->ids, list->cap, sizeof *list->ids);
    }
    list->ids[list->count++] = id;
}

static int compare(const void *a, const void *b)
{
    return redis_id_compare(*(const struct redis_id *)a, *(const struct redis_id *)b);
}

static void ids_sort(struct missed_ids *list)
{
    if (list->count)
        qsort(list->ids, list->count, sizeof *list->ids, compare);
}

static bool ids_have(const struct missed_ids *list, struct redis_id id)
{
    return list->count && bsearch(&id, list->ids, list->count, sizeof id, compare);
}

/* ---------------------------------------------------------------- topics and groups */

void missed_want(struct missed *all, struct ov_slice topic, struct ov_slice agent)
{
    struct missed_group *g = pairs_add(&all->groups, topic, agent, sizeof *g);
    g->all = all;
    g->created_at = (double)NAN;
    omni_group_name(&g->group, topic, agent);
}

static struct ov_slice group_name(const struct missed_group *g)
{
    return (struct ov_slice){g->group.data, g->group.len};
}

static struct redis_id id_of(const struct redis_reply *reply)
{
    struct redis_id id = {0, 0};
    if (!reply || reply->type != REDIS_STRING || !redis_id_parse(reply->text, &id))
        return (struct redis_id){0, 0};
    return id;
}

static void note_refused(struct missed *all, const char *command, const struct redis_reply *reply)
{
    enum redis_fault fault = redis_reply_fault(reply);
    if (all->why.len || fault == REDIS_FINE || fault == REDIS_NOKEY || fault == REDIS_NOGROUP)
        return;
    ov_buf_printf(&all->why, "%s: ", command);
    ov_buf_slice(&all->why, reply->text);
}

static void on_groups(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct missed_group *g = context;
    (void)r;
    (void)index;
    note_refused(g->all, "XINFO GROUPS", reply);
    for (size_t i = 0; reply->type == REDIS_ARRAY && i < reply->count; i++) {
        const struct redis_reply *name = redis_map_get(&reply->items[i], "name");
        if (!name || !ov_slice_eq(name->text, group_name(g)))
            continue;
        g->exists = true;
        g->last_delivered = id_of(redis_map_get(&reply->items[i], "last-delivered-id"));
    }
}

static void on_stream(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct missed_group *g = context;
    const struct redis_reply *entry = redis_map_get(reply, "first-entry");
    (void)r;
    (void)index;
    note_refused(g->all, "XINFO STREAM", reply);
    g->length = redis_int(redis_map_get(reply, "length"), 0);
    g->last_generated = id_of(redis_map_get(reply, "last-generated-id"));
    if (entry && entry->type == REDIS_ARRAY && entry->count)
        g->first = id_of(&entry->items[0]);
}

static void on_created(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct missed_group *g = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_STRING)
        g->created_at = json_text_number(reply->text);
}

static void on_pending(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct missed_group *g = context;
    size_t count = reply->type == REDIS_ARRAY ? reply->count : 0;
    (void)r;
    (void)index;
    note_refused(g->all, "XPENDING", reply);
    for (size_t i = 0; i < count; i++)
        if (reply->items[i].type == REDIS_ARRAY && reply->items[i].count)
            ids_add(&g->pending, id_of(&reply->items[i].items[0]));
    g->next_pending = count == PENDING_STEP ? id_after(g->pending.ids[g->pending.count - 1])
                                            : (struct redis_id){0, 0};
}

static int read_pending(struct missed_group *g)
{
    char start[48];
    do {
        redis_send(g->all->redis, on_pending, g, 0, OV_SLICE("XPENDING"),
                   omni_stream_key(&g->all->key, g->name.a), group_name(g),
                   redis_id_text(g->next_pending, start), OV_SLICE("+"), OV_SLICE("1000"));
        if (redis_run(g->all->redis) != OV_OK)
            return OV_FAILED;
    } while (!is_zero(g->next_pending) && g->pending.count < PENDING_MAX);
    g->cut |= !is_zero(g->next_pending);
    return OV_OK;
}

static int read_groups(struct missed *all)
{
    for (size_t i = 0; i < all->groups.count; i++) {
        struct missed_group *g = (struct missed_group *)all->groups.entries[i];
        struct ov_slice key = omni_stream_key(&all->key, g->name.a);
        redis_send(all->redis, on_groups, g, 0, OV_SLICE("XINFO"), OV_SLICE("GROUPS"), key);
        redis_send(all->redis, on_stream, g, 0, OV_SLICE("XINFO"), OV_SLICE("STREAM"), key);
        if (all->omni->backend == OMNI_REDIS)
            redis_send(all->redis, on_created, g, 0, OV_SLICE("HGET"),
                       omni_storage_key(&all->key, all->omni->prefix, "agent", g->name.a,
                                        g->name.b), OV_SLICE("created_at"));
    }
    if (redis_run(all->redis) != OV_OK)
        return OV_FAILED;
    for (size_t i = 0; i < all->groups.count; i++) {
        struct missed_group *g = (struct missed_group *)all->groups.entries[i];
        if (g->exists && g->length && read_pending(g) != OV_OK)
            return OV_FAILED;
    }
    return OV_OK;
}

/* ---------------------------------------------------------------- events */

static bool in_time(void *context)
{
    struct missed *all = context;
    if (all->progress)
        all->progress(all->context, all->events);
    return all->until_ms == 0 || ov_clock_ms() < all->until_ms;
}

/* Reads events back to `since`; where not all could be read, *horizon is the oldest that was. */
static int read_events(struct missed *all, struct ov_slice key, struct redis_id since,
                       stream_entry_fn *fn, struct redis_id *horizon)
{
    struct stream_pages pages = {
        .redis = all->redis, .key = key, .first = since, .last = STREAM_LAST,
        .newest_first = true, .fn = fn, .context = all, .entries_max = all->events_max,
        .between = in_time,
    };
    int result = stream_pages_read(&pages);
    if (result == OV_FAILED && pages.fault) {
        if (all->why.len == 0) {
            ov_buf_slice(&all->why, key);
            ov_buf_str(&all->why, ": ");
            ov_buf_slice(&all->why, (struct ov_slice){pages.why.data, pages.why.len});
        }
        result = OV_OK;
    } else if (result == OV_OK && (pages.stopped || pages.entries >= all->events_max)) {
        *horizon = pages.last; /* the oldest that was read */
    }
    ov_buf_free(&pages.why);
    return result;
}

/* The agent of "group:<topic>:<agent>", as the event names its topic. */
static bool on_bus_event(void *context, const struct stream_entry *entry)
{
    struct missed *all = context;
    struct event event;
    struct redis_id id;
    struct ov_slice agent;
    all->events++;
    if (!entry->data.ptr || !event_read(all->reader, entry->data, &event) ||
        event.kind < EVENT_BUS_PROCESSED || !omni_group_agent(event.group, event.topic, &agent) ||
        !redis_id_parse(event.msg_id, &id))
        return true;
    struct missed_group *g = pairs_find(&all->groups, event.topic, agent);
    if (g)
        ids_add(event.kind == EVENT_BUS_RECLAIM_ATTEMPT ? &g->tried : &g->done, id);
    return true;
}

static int read_bus_events(struct missed *all)
{
    struct redis_id since = STREAM_LAST;
    for (size_t i = 0; i < all->groups.count; i++) {
        struct missed_group *g = (struct missed_group *)all->groups.entries[i];
        if (g->length && redis_id_compare(g->first, since) < 0)
            since = g->first;
    }
    if (redis_id_compare(since, STREAM_LAST) == 0)
        return OV_OK; /* all topics are empty */
    since.seq = 0;
    if (read_events(all, OMNI_BUS_METRICS, since, on_bus_event, &all->horizon) != OV_OK)
        return OV_FAILED;
    for (size_t i = 0; i < all->groups.count; i++) {
        struct missed_group *g = (struct missed_group *)all->groups.entries[i];
        ids_sort(&g->done);
        ids_sort(&g->pending);
        ids_sort(&g->tried);
    }
    return OV_OK;
}

/* ---------------------------------------------------------------- entries */

/* An entry that may be missed, by its task. */
struct task {
    struct pair name;            /* task, agent */
    bool processed;
};
struct entry_seen {
    struct redis_id id;
    struct task *task;           /* NULL: it names none */
};

struct reading {
    struct missed_group *group;
    struct entry_seen *seen;
    size_t count, cap;
};

static bool on_entry(void *context, const struct stream_entry *entry)
{
    struct reading *reading = context;
    struct missed_group *g = reading->group;
    struct event event;
    if (ids_have(&g->done, entry->id) || ids_have(&g->pending, entry->id) ||
        (g->exists && ids_have(&g->tried, entry->id)))
        return true;
    if (reading->count == reading->cap) {
        reading->cap = reading->cap ? 2 * reading->cap : 64;
        reading->seen = ov_realloc(reading->seen, reading->cap, sizeof *reading->seen);
    }
    struct entry_seen *seen = &reading->seen[reading->count++];
    *seen = (struct entry_seen){.id = entry->id};
    if (entry->data.ptr && event_read(g->all->reader, entry->data, &event) && event.task_id.len)
        seen->task = pairs_add(&g->all->tasks, event.task_id, g->name.b, sizeof *seen->task);
    return true;
}

/* The entries that the group is answerable for, less those that are known to be done with: from
 * where it is known to have been there, up to what was delivered. False: there are none. */
static bool find_range(struct missed_group *g, struct redis_id *first, struct redis_id *last)
{
    const struct missed *all = g->all;
    struct redis_id created = {0, 0}, from = all->after;
    if (g->created_at > 0 && g->created_at < 1e12)
        created.ms = (uint64_t)(g->created_at * 1e3);
    if (is_zero(from) && g->done.count)
        from = g->done.ids[0];
    if (is_zero(all->after) && !g->exists && created.ms &&
        (is_zero(from) || redis_id_compare(created, from) < 0))
        from = created;
    g->known = !is_zero(from);
    if (redis_id_compare(from, all->horizon) < 0 && is_zero(all->after)) {
        from = all->horizon;
        g->cut = true;
    }
    g->position = g->done.count ? g->done.ids[g->done.count - 1] : from;
    if (redis_id_compare(g->position, from) < 0)
        g->position = from;
    if (redis_id_compare(g->position, g->last_generated) > 0)
        g->position = g->last_generated; /* of a topic that was there before this one */
    *first = id_after(from);
    *last = g->exists ? g->last_delivered : STREAM_LAST;
    return g->known && g->length && redis_id_compare(*first, *last) <= 0;
}

/* Whether events and pending entries are as many as entries, so that none can be missed. */
static bool is_complete(const struct missed_group *g)
{
    size_t done = 0;
    for (size_t i = 0; i < g->done.count; i++)
        done += redis_id_compare(g->done.ids[i], g->first) >= 0 &&
                (i == 0 || redis_id_compare(g->done.ids[i], g->done.ids[i - 1]) != 0);
    return g->exists && redis_id_compare(g->last_delivered, g->last_generated) >= 0 &&
           (int64_t)(done + g->pending.count) >= g->length;
}

static int read_entries(struct reading *reading, uint64_t *left)
{
    struct missed_group *g = reading->group;
    struct stream_pages pages = {.redis = g->all->redis, .fn = on_entry, .context = reading};
    if (!find_range(g, &pages.first, &pages.last) || is_complete(g))
        return OV_OK;
    if (*left == 0 || (g->all->until_ms && ov_clock_ms() >= g->all->until_ms)) {
        g->cut = true;
        return OV_OK;
    }
    pages.key = omni_stream_key(&g->all->key, g->name.a);
    pages.entries_max = *left;
    int result = stream_pages_read(&pages);
    if (result == OV_FAILED && pages.fault) {
        if (g->all->why.len == 0)
            ov_buf_slice(&g->all->why, (struct ov_slice){pages.why.data, pages.why.len});
        result = OV_OK;
    }
    g->cut |= pages.entries >= *left;
    *left -= pages.entries < *left ? pages.entries : *left;
    ov_buf_free(&pages.why);
    return result;
}

/* ---------------------------------------------------------------- tasks */

static bool on_task_event(void *context, const struct stream_entry *entry)
{
    struct missed *all = context;
    struct event event;
    all->events++;
    if (!entry->data.ptr || !event_read(all->reader, entry->data, &event) ||
        event.kind != EVENT_TASK_PROCESSED || event.task_id.len == 0)
        return true;
    struct task *task = pairs_find(&all->tasks, event.task_id, event.agent);
    if (task)
        task->processed = true;
    return true;
}

/* A runner that was killed between acknowledging an entry and noting that has noted the task. */
static int read_task_events(struct missed *all, const struct reading *readings)
{
    const struct ov_slice none = {NULL, 0};
    struct redis_id since = STREAM_LAST, horizon = {0, 0};
    for (size_t i = 0; i < all->groups.count; i++)
        if (readings[i].count && redis_id_compare(readings[i].seen[0].id, since) < 0)
            since = readings[i].seen[0].id;
    if (all->tasks.count == 0 || all->omni->backend != OMNI_REDIS)
        return OV_OK;
    since.seq = 0;
    struct ov_slice key = omni_storage_key(&all->key, all->omni->prefix, "metrics:stream", none,
                                           none);
    return read_events(all, key, since, on_task_event, &horizon);
}

static void settle(struct reading *reading)
{
    struct missed_group *g = reading->group;
    for (size_t i = 0; i < reading->count; i++) {
        struct entry_seen *seen = &reading->seen[i];
        if (seen->task && seen->task->processed)
            continue;
        g->skipped += redis_id_compare(seen->id, g->position) <= 0;
        ids_add(&g->missed, seen->id);
    }
    if (g->exists)
        g->skipped = g->missed.count;
}

int missed_find(struct missed *all)
{
    struct reading *readings = ov_calloc(all->groups.count + 1, sizeof *readings);
    uint64_t left = all->events_max;
    all->reader = event_reader_new();
    int result = read_groups(all);
    if (result == OV_OK)
        result = read_bus_events(all);
    for (size_t i = 0; i < all->groups.count && result == OV_OK; i++) {
        readings[i].group = (struct missed_group *)all->groups.entries[i];
        result = read_entries(&readings[i], &left);
    }
    if (result == OV_OK)
        result = read_task_events(all, readings);
    for (size_t i = 0; i < all->groups.count && result == OV_OK; i++)
        settle(&readings[i]);
    for (size_t i = 0; i < all->groups.count; i++)
        free(readings[i].seen);
    free(readings);
    event_reader_free(all->reader);
    all->reader = NULL;
    return result;
}

static void drop(void *entry)
{
    struct missed_group *g = entry;
    ov_buf_free(&g->group);
    free(g->missed.ids);
    free(g->done.ids);
    free(g->pending.ids);
    free(g->tried.ids);
}

void missed_free(struct missed *all)
{
    pairs_free(&all->groups, drop);
    pairs_free(&all->tasks, NULL);
    ov_buf_free(&all->why);
    ov_buf_free(&all->key);
}
