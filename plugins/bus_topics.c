/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a topic is like: XINFO STREAM, then XINFO GROUPS. XINFO STREAM is dear, and brings two
 * entries whole. Where the topic stood still at the last gather XLEN is asked in its place: while
 * the length is the same and a group's figures say that nothing was added, the facts are the same.
 *
 *     moving:       XINFO STREAM ─ XINFO GROUPS ─▶ groups
 *     stood still:  XLEN ─ XINFO GROUPS ─▶ groups, or as above where something changed
 */
#include "bus.h"

struct redis_id bus_reply_id(const struct redis_reply *reply)
{
    struct redis_id id = {0, 0};
    if (reply && (reply->type == REDIS_STRING || reply->type == REDIS_STATUS))
        redis_id_parse(reply->text, &id);
    return id;
}

static size_t body_bytes(const struct redis_reply *entry)
{
    size_t bytes = 0;
    if (!entry || entry->type != REDIS_ARRAY || entry->count < 2)
        return 0;
    for (size_t i = 0; i < entry->items[1].count; i++)
        bytes += entry->items[1].items[i].text.len;
    return bytes;
}

/* Asked where XINFO STREAM is refused. */
static void on_stream_length(struct redis *r, const struct redis_reply *reply, void *context,
                             size_t index)
{
    struct bus_topic *topic = context;
    (void)r;
    (void)index;
    refusals_note_in(&topic->bus->refusals, REFUSABLE_XLEN, OMNI_STREAM_PREFIX, reply,
                     &topic->refused);
    if (reply->type != REDIS_INTEGER || reply->integer == 0)
        return; /* 0 is also the length of what does not exist */
    topic->read = topic->exists = topic->length_only = true;
    topic->facts = (struct stream_facts){.length = reply->integer, .added = -1, .empty = true};
}

static void on_stream(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct bus_topic *topic = context;
    (void)index;
    if (reply->type != REDIS_ARRAY) {
        enum redis_fault fault = refusals_note_in(&topic->bus->refusals, REFUSABLE_XINFO_STREAM,
                                                  OMNI_STREAM_PREFIX, reply, &topic->refused);
        topic->read = fault == REDIS_NOKEY;
        if (fault == REDIS_WRONGTYPE) /* there is something of that name, but no stream */
            topic->read = topic->configured || topic->registered;
        else if (fault != REDIS_NOKEY)
            redis_send(r, on_stream_length, topic, 0, OV_SLICE("XLEN"),
                       omni_stream_key(&topic->bus->key, topic->name.a));
        return;
    }
    const struct redis_reply *first = redis_map_get(reply, "first-entry");
    struct stream_facts before = topic->facts, *facts = &topic->facts;
    topic->read = topic->exists = true;
    facts->length = redis_int(redis_map_get(reply, "length"), 0);
    facts->added = redis_int(redis_map_get(reply, "entries-added"), -1);
    facts->last_generated = bus_reply_id(redis_map_get(reply, "last-generated-id"));
    facts->empty = !first || first->type != REDIS_ARRAY || first->count == 0;
    if (!facts->empty)
        facts->first = bus_reply_id(&first->items[0]);
    topic->still = facts->added >= 0 && facts->added == before.added &&
                   facts->length == before.length;
    size_t last_bytes = body_bytes(redis_map_get(reply, "last-entry"));
    topic->entry_bytes = body_bytes(first);
    if (last_bytes > topic->entry_bytes)
        topic->entry_bytes = last_bytes;
}

/* ---------------------------------------------------------------- groups */

static void read_groups(struct bus_topic *topic, const struct redis_reply *reply)
{
    if (reply->type != REDIS_ARRAY) {
        topic->groups_read = redis_reply_fault(reply) == REDIS_NOKEY;
        refusals_note_in(&topic->bus->refusals, REFUSABLE_XINFO_GROUPS, OMNI_STREAM_PREFIX, reply,
                         &topic->refused);
        return;
    }
    topic->groups_read = true;
    for (size_t i = 0; i < reply->count; i++) {
        struct bus_group_info info;
        if (bus_group_info(&reply->items[i], &info))
            bus_group_read(topic, &info);
    }
}

/* With the last topic, those DLQs that wait for company go along with what else is asked now. */
static void on_groups(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct bus_topic *topic = context;
    (void)r;
    (void)index;
    read_groups(topic, reply);
    if (--topic->bus->topics_awaited == 0)
        bus_dlqs_send(topic->bus);
}

static void ask_whole(struct bus_topic *topic)
{
    struct bus *bus = topic->bus;
    topic->still = false;
    redis_send(bus->redis, on_stream, topic, 0, OV_SLICE("XINFO"), OV_SLICE("STREAM"),
               omni_stream_key(&bus->key, topic->name.a));
    redis_send(bus->redis, on_groups, topic, 0, OV_SLICE("XINFO"), OV_SLICE("GROUPS"),
               omni_stream_key(&bus->key, topic->name.a));
}

/* ---------------------------------------------------------------- a topic that stood still */

static void on_still_length(struct redis *r, const struct redis_reply *reply, void *context,
                            size_t index)
{
    struct bus_topic *topic = context;
    (void)r;
    (void)index;
    topic->still = reply->type == REDIS_INTEGER && reply->integer == topic->facts.length;
}

/* Whether a group's figures prove that no entry was added since the facts: they tell how many
 * there ever were, or that the group is still at what was the newest. */
static bool proves_still(const struct stream_facts *stream, const struct redis_reply *reply)
{
    struct bus_group_info info;
    if (!bus_group_info(reply, &info))
        return false;
    const struct group_facts *group = &info.facts;
    return (group->read >= 0 && group->lag >= 0 && group->read + group->lag == stream->added) ||
           (group->lag == 0 &&
            redis_id_compare(group->last_delivered, stream->last_generated) == 0);
}

static void on_still_groups(struct redis *r, const struct redis_reply *reply, void *context,
                            size_t index)
{
    struct bus_topic *topic = context;
    bool proven = false;
    for (size_t i = 0; reply->type == REDIS_ARRAY && i < reply->count && !proven; i++)
        proven = proves_still(&topic->facts, &reply->items[i]);
    if (!topic->still || !proven) {
        ask_whole(topic);
        return;
    }
    topic->read = topic->exists = true;
    on_groups(r, reply, context, index);
}

static void ask_still(struct bus_topic *topic)
{
    struct bus *bus = topic->bus;
    redis_send(bus->redis, on_still_length, topic, 0, OV_SLICE("XLEN"),
               omni_stream_key(&bus->key, topic->name.a));
    redis_send(bus->redis, on_still_groups, topic, 0, OV_SLICE("XINFO"), OV_SLICE("GROUPS"),
               omni_stream_key(&bus->key, topic->name.a));
}

void bus_topic_ask(struct bus *bus, struct ov_slice name, bool configured, bool registered)
{
    struct bus_topic *topic = pairs_add(&bus->topics, name, OV_SLICE(""), sizeof *topic);
    bool asked = topic->name.seen == bus->cycle;
    topic->name.seen = bus->cycle;
    if (!asked)
        topic->configured = topic->registered = false;
    topic->configured |= configured;
    topic->registered |= registered;
    if (asked)
        return;
    topic->bus = bus;
    bus->topics_awaited++;
    topic->read = topic->exists = topic->groups_read = topic->length_only = false;
    topic->groups = 0;
    topic->refused = 0;
    if (topic->still)
        ask_still(topic);
    else
        ask_whole(topic);
}
