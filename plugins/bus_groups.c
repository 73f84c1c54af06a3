/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a consumer group is like. Each reply asks for what follows from it, all in one pipeline;
 * a group that has pending, lost or dead entries costs a few commands more.
 *
 *     group: EXISTS of 64 DLQs ─▶ XLEN ─▶ XINFO STREAM
 *            OBJECT IDLETIME ─▶ GET │ XINFO CONSUMERS
 *            XPENDING, HGET config   (pending > 0)
 *            XRANGE                  (backlog to count)
 */
#include <stdio.h>
#include <stdlib.h>

#include "bus.h"

enum {
    PENDING_LOOKED_AT = 100,          /* oldest pending entries whose deliveries are looked at */
    CONSUMERS_LISTED_MAX = 10000,     /* a longer list is not asked for */
    COUNT_BYTES_MAX = 256 * 1024,     /* about what a counting XRANGE may bring */
    COUNT_LEAST = 16,
    DLQS_AT_ONCE = 64,
    CONFIG_CYCLES = 30,               /* an agent's configuration is read again after so many */
};

static void note_refused(struct bus_group *group, enum refusable command, struct ov_slice what,
                         const struct redis_reply *reply)
{
    refusals_note_in(&group->bus->refusals, command, what, reply, &group->refused);
}

/* ---------------------------------------------------------------- the DLQ of a group */

static void on_dlq(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct bus_group *group = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_ARRAY) {
        note_refused(group, REFUSABLE_XINFO_STREAM, OMNI_DLQ_PREFIX, reply);
        return;
    }
    group->dlq_length = redis_int(redis_map_get(reply, "length"), group->dlq_length);
    group->dlq_added = redis_int(redis_map_get(reply, "entries-added"), -1);
    group->dlq_newest = bus_reply_id(redis_map_get(reply, "last-generated-id"));
}

static void on_dlq_length(struct redis *r, const struct redis_reply *reply, void *context,
                          size_t index)
{
    struct bus_group *group = context;
    struct bus *bus = group->bus;
    (void)index;
    if (reply->type != REDIS_INTEGER) {
        note_refused(group, REFUSABLE_XLEN, OMNI_DLQ_PREFIX, reply);
        return;
    }
    group->dlq_length = reply->integer;
    group->dlq_empty = reply->integer == 0;
    if (!group->dlq_empty)
        redis_send(r, on_dlq, group, 0, OV_SLICE("XINFO"), OV_SLICE("STREAM"),
                   omni_dlq_key(&bus->key, group->name.b));
}

static void ask_dlq_length(struct bus_group *group)
{
    redis_send(group->bus->redis, on_dlq_length, group, 0, OV_SLICE("XLEN"),
               omni_dlq_key(&group->bus->key, group->name.b));
}

/* Most DLQs do not exist: one EXISTS tells that of many, and only where there are some, or it is
 * refused, each is asked for its length. */
static void on_dlqs_exist(struct redis *r, const struct redis_reply *reply, void *context,
                          size_t first)
{
    struct bus *bus = context;
    (void)r;
    for (size_t i = first; i < first + DLQS_AT_ONCE && i < bus->dlq_asked_count; i++) {
        struct bus_group *group = bus->dlq_asked[i];
        group->dlq_empty = reply->type == REDIS_INTEGER && reply->integer == 0;
        if (group->dlq_empty)
            group->dlq_length = 0;
        else
            ask_dlq_length(group);
    }
    refusals_note(&bus->refusals, REFUSABLE_EXISTS, OMNI_DLQ_PREFIX, reply);
}

void bus_dlqs_send(struct bus *bus)
{
    struct ov_slice words[DLQS_AT_ONCE + 1] = {OV_SLICE("EXISTS")};
    size_t offsets[DLQS_AT_ONCE + 1], count = bus->dlq_asked_count - bus->dlq_sent;
    if (count == 0)
        return;
    ov_buf_reset(&bus->key);
    for (size_t i = 0; i < count; i++) {
        offsets[i] = bus->key.len;
        ov_buf_slice(&bus->key, OMNI_DLQ_PREFIX);
        ov_buf_slice(&bus->key, bus->dlq_asked[bus->dlq_sent + i]->name.b);
    }
    offsets[count] = bus->key.len;
    for (size_t i = 0; i < count; i++)
        words[i + 1] = (struct ov_slice){bus->key.data + offsets[i], offsets[i + 1] - offsets[i]};
    redis_send_words(bus->redis, on_dlqs_exist, bus, bus->dlq_sent, words, count + 1);
    bus->dlq_sent = bus->dlq_asked_count;
}

void bus_group_ask_dlq(struct bus_group *group)
{
    struct bus *bus = group->bus;
    struct bus_found *found = pairs_find(&bus->found_dlqs, group->name.b, OV_SLICE(""));
    group->dlq_empty = false;
    if (found) {
        found->met = bus->cycle;
        ask_dlq_length(group);
        return;
    }
    if (bus->dlq_asked_count == bus->dlq_asked_cap) {
        bus->dlq_asked_cap = bus->dlq_asked_cap ? bus->dlq_asked_cap * 2 : DLQS_AT_ONCE;
        bus->dlq_asked = ov_realloc(bus->dlq_asked, bus->dlq_asked_cap, sizeof(void *));
    }
    bus->dlq_asked[bus->dlq_asked_count++] = group;
    if (bus->dlq_asked_count - bus->dlq_sent == DLQS_AT_ONCE)
        bus_dlqs_send(bus);
}

/* Nothing was pending at the last look, nothing is, and nothing was delivered since: then no task
 * was given up, and what was empty is empty. Since anybody can write to a DLQ, it is asked for all
 * the same where there are few topics, and in turn where there are many. */
static bool dlq_stays_empty(const struct bus_group *group)
{
    const struct bus *bus = group->bus;
    return group->dlq_empty && group->existed && group->was_idle && group->pending == 0 &&
           !group->moved && bus->topics.count > REGISTRY_ALL_MAX &&
           (group->name.hash + bus->cycle) % REGISTRY_TURNS != 0;
}

/* ---------------------------------------------------------------- signs of life */

static void on_value(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct bus_group *group = context;
    struct life_signs signs = {.now_ms = group->bus->server.now_ms,
                               .key_idle_ms = group->key_idle_ms};
    (void)r;
    (void)index;
    if (reply->type == REDIS_STRING)
        life_value_read(&signs, ov_slice_eq(reply->text, OV_SLICE("false")), &group->life_memory);
    else
        note_refused(group, REFUSABLE_GET, OV_SLICE("_subscription_active"), reply);
}

static int64_t lower(int64_t known, int64_t value)
{
    return value >= 0 && (known < 0 || value < known) ? value : known;
}

static void list_consumer(struct bus_group *group, const struct redis_reply *name, int64_t pending,
                          int64_t idle_ms, int64_t inactive_ms)
{
    if ((int64_t)group->consumer_list_count >= group->bus->consumers_max || !name) {
        group->consumers_omitted++;
        return;
    }
    group->consumer_list = ov_realloc(group->consumer_list, group->consumer_list_count + 1,
                                      sizeof *group->consumer_list);
    group->consumer_list[group->consumer_list_count++] = (struct bus_consumer){
        .name = {ov_memdup(name->text.ptr, name->text.len), name->text.len},
        .pending = pending, .idle_ms = idle_ms, .inactive_ms = inactive_ms,
    };
}

static void on_consumers(struct redis *r, const struct redis_reply *reply, void *context,
                         size_t index)
{
    struct bus_group *group = context;
    struct bus *bus = group->bus;
    (void)r;
    (void)index;
    if (reply->type != REDIS_ARRAY) {
        note_refused(group, REFUSABLE_XINFO_CONSUMERS, OMNI_STREAM_PREFIX, reply);
        return;
    }
    for (size_t i = 0; i < reply->count; i++) {
        const struct redis_reply *one = &reply->items[i];
        int64_t pending = redis_int(redis_map_get(one, "pending"), -1);
        int64_t idle = redis_int(redis_map_get(one, "idle"), -1);
        int64_t inactive = redis_int(redis_map_get(one, "inactive"), -1);
        if (bus->server.version_number >= 70200) /* before, idle counts from a success */
            group->consumer_idle_ms = lower(group->consumer_idle_ms, idle);
        if (pending > 0)
            group->youngest_ms = lower(group->youngest_ms, inactive >= 0 ? inactive : idle);
        if (bus->with_consumers)
            list_consumer(group, redis_map_get(one, "name"), pending, idle, inactive);
    }
}

static void ask_consumers(struct bus_group *group)
{
    struct bus *bus = group->bus;
    if (group->consumers > CONSUMERS_LISTED_MAX) {
        group->consumers_omitted = group->consumers;
        return;
    }
    redis_send(bus->redis, on_consumers, group, 0, OV_SLICE("XINFO"), OV_SLICE("CONSUMERS"),
               omni_stream_key(&bus->key, group->topic->name.a), group->name.b);
}

static struct ov_slice life_key(struct bus_group *group)
{
    return omni_config_key(&group->bus->key, group->bus->omni.prefix, "_subscription_active:",
                           group->name.b);
}

void bus_group_ask_value(struct bus_group *group)
{
    struct redis *r = group->bus->redis;
    if (group->bus->server.version_number >= 70200) /* then reading leaves no trace */
        redis_send(r, NULL, NULL, 0, OV_SLICE("CLIENT"), OV_SLICE("NO-TOUCH"), OV_SLICE("ON"));
    redis_send(r, on_value, group, 0, OV_SLICE("GET"), life_key(group));
}

static void on_key_idle(struct redis *r, const struct redis_reply *reply, void *context,
                        size_t index)
{
    struct bus_group *group = context;
    struct bus *bus = group->bus;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        group->key_idle_ms = reply->integer * 1000;
    else
        note_refused(group, REFUSABLE_OBJECT, OV_SLICE("_subscription_active"), reply);
    struct life_signs signs = {.now_ms = bus->server.now_ms, .key_idle_ms = group->key_idle_ms};
    if (group->key_idle_ms >= 0 && life_wants_value(&signs, &group->life_memory))
        bus_group_ask_value(group);
}

static bool key_tells_life(const struct bus *bus)
{
    return bus->omni.backend == OMNI_REDIS && !strstr(bus->server.policy, "lfu");
}

static void ask_life(struct bus_group *group, bool has_agent)
{
    struct bus *bus = group->bus;
    if (!bus_wants_life(bus))
        return;
    if (has_agent && key_tells_life(bus))
        redis_send(bus->redis, on_key_idle, group, 0, OV_SLICE("OBJECT"), OV_SLICE("IDLETIME"),
                   life_key(group));
    else if (bus->server.version_number >= 70200 && !bus->with_consumers)
        ask_consumers(group);
}

/* ---------------------------------------------------------------- pending entries */

static void on_config(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct bus_group *group = context;
    struct registry_agent agent = {.reclaim_idle_ms = OMNI_RECLAIM_IDLE_MS};
    (void)r;
    (void)index;
    if (reply->type == REDIS_STRING)
        registry_read_config(&agent, reply->text);
    else
        note_refused(group, REFUSABLE_HGET, OV_SLICE("agent"), reply);
    group->reclaim_idle_ms = agent.reclaim_idle_ms;
    group->config_cycle = group->bus->cycle;
}

static void on_pending(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct bus_group *group = context;
    (void)index;
    if (reply->type != REDIS_ARRAY) {
        note_refused(group, REFUSABLE_XPENDING, OMNI_STREAM_PREFIX, reply);
        return;
    }
    for (size_t i = 0; i < reply->count; i++) {
        const struct redis_reply *entry = &reply->items[i];
        if (entry->type != REDIS_ARRAY || entry->count < 4)
            continue;
        if (i == 0)
            group->oldest_pending_read = redis_id_parse(entry->items[0].text,
                                                        &group->oldest_pending);
        int64_t deliveries = redis_int(&entry->items[3], -1);
        if (deliveries > group->max_deliveries)
            group->max_deliveries = deliveries;
        group->youngest_ms = lower(group->youngest_ms, redis_int(&entry->items[2], -1));
    }
    if (reply->count == PENDING_LOOKED_AT && !group->bus->with_consumers) {
        (void)r;
        ask_consumers(group); /* the youngest is not among the oldest */
    }
}

static void ask_pending(struct bus_group *group, bool has_agent, struct ov_slice agent)
{
    struct bus *bus = group->bus;
    redis_send(bus->redis, on_pending, group, 0, OV_SLICE("XPENDING"),
               omni_stream_key(&bus->key, group->topic->name.a), group->name.b, OV_SLICE("-"),
               OV_SLICE("+"), OV_SLICE("100"));
    if (bus->omni.backend != OMNI_REDIS || !has_agent)
        return;
    if (group->reclaim_idle_ms == 0 || bus->cycle - group->config_cycle >= CONFIG_CYCLES)
        redis_send(bus->redis, on_config, group, 0, OV_SLICE("HGET"),
                   omni_storage_key(&bus->key, bus->omni.prefix, "agent", group->topic->name.a,
                                    agent), OV_SLICE("config"));
}

/* ---------------------------------------------------------------- undelivered entries */

static void on_undelivered(struct redis *r, const struct redis_reply *reply, void *context,
                           size_t limit)
{
    struct bus_group *group = context;
    (void)r;
    if (reply->type != REDIS_ARRAY) {
        note_refused(group, REFUSABLE_XRANGE, OMNI_STREAM_PREFIX, reply);
        return;
    }
    if (reply->count && reply->items[0].type == REDIS_ARRAY && reply->items[0].count)
        group->oldest_left_read = redis_id_parse(reply->items[0].items[0].text,
                                                 &group->oldest_left);
    if (group->backlog.left >= 0)
        return;
    if (reply->count < limit)
        backlog_counted(&group->backlog, &group->topic->facts, &group->facts,
                        (int64_t)reply->count, &group->backlog_memory);
    else
        group->left_at_least = (int64_t)reply->count;
}

/* The entries after last_delivered: the oldest of them, and where the facts do not tell how many
 * there are, as many as a bounded reply can hold. Those that came since the stream was asked are
 * not of these facts. */
static void ask_undelivered(struct bus_group *group)
{
    struct bus *bus = group->bus;
    struct redis_id after = group->facts.last_delivered;
    char start[48], end[48], count[24];
    size_t fitting = COUNT_BYTES_MAX / (group->topic->entry_bytes + 64);
    size_t limit = group->backlog.left >= 0 ? 1
                   : fitting < COUNT_LEAST ? COUNT_LEAST
                   : fitting < (size_t)bus->count_max ? fitting : (size_t)bus->count_max;
    if (++after.seq == 0)
        after.ms++;
    snprintf(count, sizeof count, "%zu", limit);
    redis_send(bus->redis, on_undelivered, group, limit, OV_SLICE("XRANGE"),
               omni_stream_key(&bus->key, group->topic->name.a), redis_id_text(after, start),
               redis_id_text(group->topic->facts.last_generated, end), OV_SLICE("COUNT"),
               ov_slice(count));
}

/* ---------------------------------------------------------------- groups */

static void free_consumers(struct bus_group *group)
{
    for (size_t i = 0; i < group->consumer_list_count; i++)
        free((char *)group->consumer_list[i].name.ptr);
    free(group->consumer_list);
    group->consumer_list = NULL;
    group->consumer_list_count = 0;
}

void bus_group_free(void *group)
{
    free_consumers(group);
}

struct bus_group *bus_group_see(struct bus *bus, struct bus_topic *topic,
                                struct ov_slice topic_name, struct ov_slice name)
{
    struct bus_group *group = pairs_add(&bus->groups, topic_name, name, sizeof *group);
    free_consumers(group);
    group->name.seen = bus->cycle;
    group->bus = bus;
    group->topic = topic;
    group->agent = NULL;
    group->existed = group->exists;
    group->exists = group->orphan = group->moved = false;
    group->oldest_pending_read = group->oldest_left_read = false;
    group->consumers = group->pending = group->max_deliveries = group->youngest_ms = -1;
    group->consumer_idle_ms = group->key_idle_ms = group->left_at_least = -1;
    group->dlq_length = group->dlq_added = -1;
    group->consumers_omitted = 0;
    group->refused = 0;
    group->backlog = (struct backlog){.left = -1, .lost = -1};
    return group;
}

bool bus_group_info(const struct redis_reply *reply, struct bus_group_info *info)
{
    enum { NAME, CONSUMERS, PENDING, LAST_DELIVERED, READ, LAG, FIELDS };
    static const struct ov_slice names[FIELDS] = {
        [NAME] = OV_SLICE("name"), [CONSUMERS] = OV_SLICE("consumers"),
        [PENDING] = OV_SLICE("pending"), [LAST_DELIVERED] = OV_SLICE("last-delivered-id"),
        [READ] = OV_SLICE("entries-read"), [LAG] = OV_SLICE("lag"),
    };
    const struct redis_reply *values[FIELDS];
    redis_map_pick(reply, names, FIELDS, values);
    if (!values[NAME] || values[NAME]->type != REDIS_STRING)
        return false;
    *info = (struct bus_group_info){
        .name = values[NAME]->text,
        .consumers = redis_int(values[CONSUMERS], -1),
        .pending = redis_int(values[PENDING], -1),
        .facts.last_delivered = bus_reply_id(values[LAST_DELIVERED]),
        .facts.read = redis_int(values[READ], -1),
        .facts.lag = redis_int(values[LAG], -1),
    };
    return true;
}

void bus_group_read(struct bus_topic *topic, const struct bus_group_info *info)
{
    struct bus *bus = topic->bus;
    struct ov_slice agent = {NULL, 0};
    struct bus_group *group = bus_group_see(bus, topic, topic->name.a, info->name);
    bool has_agent = omni_group_agent(group->name.b, topic->name.a, &agent);
    topic->groups++;
    group->moved = group->existed && redis_id_compare(group->facts.last_delivered,
                                                      info->facts.last_delivered) < 0;
    group->exists = true;
    group->consumers = info->consumers;
    group->pending = info->pending;
    group->facts = info->facts;
    group->facts.now_ms = bus->server.now_ms;
    if (dlq_stays_empty(group))
        group->dlq_length = 0;
    else
        bus_group_ask_dlq(group);
    group->was_idle = group->pending == 0;
    ask_life(group, has_agent);
    if (bus->with_consumers)
        ask_consumers(group);
    if (group->pending > 0)
        ask_pending(group, has_agent, agent);
    if (!topic->read || topic->length_only)
        return;
    group->backlog = backlog_judge(&topic->facts, &group->facts, &group->backlog_memory);
    if (group->backlog.oldest_is_first) {
        group->oldest_left = topic->facts.first;
        group->oldest_left_read = true;
    } else if (group->backlog.left != 0) {
        ask_undelivered(group);
    }
}
