/* SPDX-License-Identifier: Apache-2.0 */
/* What the `redis_bus` input measures, and the samples made of what was read. A value that was
 * not read is left out: absent is absent. */
#include <math.h>

#include "bus.h"

enum {
    BUS_UP, BUS_FAULT, BUS_REASON, BUS_LATENCY, BUS_TOPICS, BUS_GROUPS, BUS_PENDING,
    BUS_UNDELIVERED, BUS_LOST, BUS_DLQ_LENGTH, BUS_MEMORY_USED, BUS_MEMORY_LIMIT,
    BUS_MEMORY_RATIO, BUS_EVICTION_POLICY, BUS_EVICTION_RISK, BUS_CLIENTS, BUS_BLOCKED_CLIENTS,
    BUS_VERSION, BUS_ROLE, BUS_UPTIME, BUS_SCAN_COMPLETE, BUS_REFUSED, BUS_EVENTS, BUS_MISSED,
    BUS_GAPS, BUS_BEHIND,
};
static const struct ov_field bus_fields[] = {
    [BUS_UP] = {"up", OV_BOOL, OV_GAUGE, "", "Whether Redis could be read."},
    [BUS_FAULT] = {"fault", OV_TEXT, OV_GAUGE, "",
                   "Why not, in a word: dns, refused, timeout, noauth, loading, ..."},
    [BUS_REASON] = {"reason", OV_TEXT, OV_GAUGE, "", "Why not, in a sentence."},
    [BUS_LATENCY] = {"latency_seconds", OV_FLOAT, OV_GAUGE, "seconds", "Time a PING took."},
    [BUS_TOPICS] = {"topics", OV_INT, OV_GAUGE, "", "Topics that have a stream."},
    [BUS_GROUPS] = {"groups", OV_INT, OV_GAUGE, "", "Consumer groups on them."},
    [BUS_PENDING] = {"pending", OV_INT, OV_GAUGE, "", "Pending entries of all groups."},
    [BUS_UNDELIVERED] = {"undelivered", OV_INT, OV_GAUGE, "",
                         "Backlog of all groups, as far as it is known exactly."},
    [BUS_LOST] = {"lost", OV_INT, OV_GAUGE, "", "Tasks trimmed before delivery, of all groups."},
    [BUS_DLQ_LENGTH] = {"dlq_length", OV_INT, OV_GAUGE, "", "Entries in all dead letter queues."},
    [BUS_MEMORY_USED] = {"memory_used_bytes", OV_INT, OV_GAUGE, "bytes", "Memory Redis uses."},
    [BUS_MEMORY_LIMIT] = {"memory_limit_bytes", OV_INT, OV_GAUGE, "bytes",
                          "maxmemory; left out where there is no limit."},
    [BUS_MEMORY_RATIO] = {"memory_ratio", OV_FLOAT, OV_GAUGE, "ratio", "Used / limit."},
    [BUS_EVICTION_POLICY] = {"eviction_policy", OV_TEXT, OV_GAUGE, "", "maxmemory-policy."},
    [BUS_EVICTION_RISK] = {"eviction_risk", OV_BOOL, OV_GAUGE, "",
                           "Whether Redis may throw whole streams away: a limit and a policy "
                           "that evicts any key."},
    [BUS_CLIENTS] = {"clients", OV_INT, OV_GAUGE, "", "Connected clients."},
    [BUS_BLOCKED_CLIENTS] = {"blocked_clients", OV_INT, OV_GAUGE, "",
                             "Clients in a blocking read, as idle consumers are."},
    [BUS_VERSION] = {"version", OV_TEXT, OV_GAUGE, "", "Version of Redis."},
    [BUS_ROLE] = {"role", OV_TEXT, OV_GAUGE, "", "master or slave."},
    [BUS_UPTIME] = {"uptime_seconds", OV_INT, OV_GAUGE, "seconds", "Since Redis started."},
    [BUS_SCAN_COMPLETE] = {"scan_complete", OV_BOOL, OV_GAUGE, "",
                           "Whether the keyspace was looked through to the end for topics."},
    [BUS_REFUSED] = {"refused", OV_INT, OV_COUNTER, "", "Commands Redis answered with an error."},
    [BUS_EVENTS] = {"events", OV_INT, OV_COUNTER, "", "Entries of omni-metrics counted."},
    [BUS_MISSED] = {"events_missed", OV_INT, OV_COUNTER, "",
                    "Entries of omni-metrics that were trimmed before they could be counted."},
    [BUS_GAPS] = {"events_gaps", OV_INT, OV_COUNTER, "", "Times that happened."},
    [BUS_BEHIND] = {"events_behind", OV_BOOL, OV_GAUGE, "",
                    "Whether counting has not reached the newest entry yet."},
};
static const struct ov_measurement bus_measurement = {
    .name = "omnidaemon_bus", .help = "Redis as OmniDaemon's bus, and totals over all topics.",
    .fields = bus_fields, .field_count = OV_COUNT(bus_fields),
};

enum { STREAM_EXISTS, STREAM_LENGTH, STREAM_ADDED, STREAM_FIRST_AGE, STREAM_LAST_AGE,
       STREAM_GROUPS };
static const char *const stream_tags[] = {"topic"};
static const struct ov_field stream_fields[] = {
    [STREAM_EXISTS] = {"exists", OV_BOOL, OV_GAUGE, "",
                       "Whether the topic's stream is there; false for a topic that is configured "
                       "or has agents."},
    [STREAM_LENGTH] = {"length", OV_INT, OV_GAUGE, "", "Entries in the stream."},
    [STREAM_ADDED] = {"entries_added", OV_INT, OV_COUNTER, "",
                      "Entries ever added (Redis 7.0 and later)."},
    [STREAM_FIRST_AGE] = {"first_age_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                          "Age of the oldest entry."},
    [STREAM_LAST_AGE] = {"last_age_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                         "Time since the last entry was added."},
    [STREAM_GROUPS] = {"groups", OV_INT, OV_GAUGE, "", "Consumer groups."},
};
static const struct ov_measurement stream_measurement = {
    .name = "omnidaemon_stream", .help = "A topic.",
    .tags = stream_tags, .tag_count = OV_COUNT(stream_tags),
    .fields = stream_fields, .field_count = OV_COUNT(stream_fields),
};

enum { TAG_TOPIC, TAG_GROUP, TAG_AGENT };
enum {
    GROUP_EXISTS, GROUP_REGISTERED, GROUP_CONSUMERS, GROUP_CONSUMERS_OMITTED, GROUP_PENDING,
    GROUP_OLDEST_PENDING, GROUP_MAX_DELIVERIES, GROUP_UNDELIVERED, GROUP_UNDELIVERED_AT_LEAST,
    GROUP_OLDEST_UNDELIVERED, GROUP_TRIM_RATIO, GROUP_LOST, GROUP_LOST_SECONDS, GROUP_DLQ_LENGTH,
    GROUP_DLQ_ADDED, GROUP_DLQ_NEWEST, GROUP_LIFE, GROUP_PROCESSED, GROUP_RECLAIM_ATTEMPTS,
    GROUP_RECLAIMED, GROUP_DLQ_PUSHES,
};
static const char *const group_tags[] = {
    [TAG_TOPIC] = "topic", [TAG_GROUP] = "group", [TAG_AGENT] = "agent",
};
static const struct ov_field group_fields[] = {
    [GROUP_EXISTS] = {"exists", OV_BOOL, OV_GAUGE, "",
                      "Whether the consumer group is there; false for an agent that lost its "
                      "group, and for a dead letter queue without one."},
    [GROUP_REGISTERED] = {"registered", OV_BOOL, OV_GAUGE, "",
                          "Whether storage knows an agent of this group."},
    [GROUP_CONSUMERS] = {"consumers", OV_INT, OV_GAUGE, "",
                         "Consumers Redis knows; before 7.2 those that got a task at least once."},
    [GROUP_CONSUMERS_OMITTED] = {"consumers_omitted", OV_INT, OV_GAUGE, "",
                                 "Consumers beyond consumers_max, with the option consumers."},
    [GROUP_PENDING] = {"pending", OV_INT, OV_GAUGE, "",
                       "Entries delivered and not acknowledged."},
    [GROUP_OLDEST_PENDING] = {"oldest_pending_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                              "Age of the oldest pending entry."},
    [GROUP_MAX_DELIVERIES] = {"max_deliveries", OV_INT, OV_GAUGE, "",
                              "Most deliveries of one of the 100 oldest pending entries; 0 "
                              "without any."},
    [GROUP_UNDELIVERED] = {"undelivered", OV_INT, OV_GAUGE, "",
                           "True backlog: entries that wait for their first delivery."},
    [GROUP_UNDELIVERED_AT_LEAST] = {"undelivered_at_least", OV_INT, OV_GAUGE, "",
                                    "In place of undelivered, where only a bounded count can be "
                                    "had."},
    [GROUP_OLDEST_UNDELIVERED] = {"oldest_undelivered_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                                  "Age of the oldest entry that waits for its first delivery."},
    [GROUP_TRIM_RATIO] = {"trim_ratio", OV_FLOAT, OV_GAUGE, "ratio",
                          "Backlog / stream_limit: at 1 tasks are trimmed before delivery."},
    [GROUP_LOST] = {"lost", OV_INT, OV_COUNTER, "",
                    "Tasks trimmed from the stream before they were delivered."},
    [GROUP_LOST_SECONDS] = {"lost_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                            "Time since more was found lost than at the look before, or at a first "
                            "look that the tasks right after the last delivered one are gone."},
    [GROUP_DLQ_LENGTH] = {"dlq_length", OV_INT, OV_GAUGE, "",
                          "Entries in the dead letter queue."},
    [GROUP_DLQ_ADDED] = {"dlq_added", OV_INT, OV_COUNTER, "",
                         "Entries ever added to it (Redis 7.0 and later)."},
    [GROUP_DLQ_NEWEST] = {"dlq_newest_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                          "Time since the last entry was added to it."},
    [GROUP_LIFE] = {"life", OV_TEXT, OV_GAUGE, "",
                    "Whether somebody works for the group: polling, busy, silent, or paused on "
                    "purpose; left out where there is no telling."},
    [GROUP_PROCESSED] = {"processed", OV_INT, OV_COUNTER, "",
                         "Entries processed at the first delivery."},
    [GROUP_RECLAIM_ATTEMPTS] = {"reclaim_attempts", OV_INT, OV_COUNTER, "",
                                "Times a pending entry was claimed again."},
    [GROUP_RECLAIMED] = {"reclaimed", OV_INT, OV_COUNTER, "",
                         "Entries processed after they were claimed again."},
    [GROUP_DLQ_PUSHES] = {"dlq_pushes", OV_INT, OV_COUNTER, "",
                          "Entries given up and moved to the dead letter queue."},
};
static const struct ov_measurement group_measurement = {
    .name = "omnidaemon_group",
    .help = "A consumer group: an agent's place on a topic, with its dead letter queue.",
    .tags = group_tags, .tag_count = OV_COUNT(group_tags),
    .fields = group_fields, .field_count = OV_COUNT(group_fields),
};

enum { CONSUMER_PENDING, CONSUMER_IDLE, CONSUMER_INACTIVE };
static const char *const consumer_tags[] = {"topic", "group", "consumer"};
static const struct ov_field consumer_fields[] = {
    [CONSUMER_PENDING] = {"pending", OV_INT, OV_GAUGE, "", "Entries pending for it."},
    [CONSUMER_IDLE] = {"idle_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                       "Time since it last tried to read; before Redis 7.2, since it last got "
                       "something."},
    [CONSUMER_INACTIVE] = {"inactive_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                           "Time since it last got something (Redis 7.2 and later)."},
};
static const struct ov_measurement consumer_measurement = {
    .name = "omnidaemon_consumer",
    .help = "A consumer, with the option consumers. The same name on several hosts is one.",
    .tags = consumer_tags, .tag_count = OV_COUNT(consumer_tags),
    .fields = consumer_fields, .field_count = OV_COUNT(consumer_fields),
};

const struct ov_measurement *const bus_measurements[] = {
    &bus_measurement, &stream_measurement, &group_measurement, &consumer_measurement, NULL,
};

struct totals {
    int64_t topics, groups, pending, undelivered, lost, dlq_length;
};

static void known_int(struct ov_sample *s, unsigned field, int64_t value)
{
    if (value >= 0)
        ov_sample_int(s, field, value);
}

static void age(struct ov_sample *s, unsigned field, int64_t now_ms, struct redis_id id)
{
    ov_sample_float(s, field, omni_age(now_ms, id.ms));
}

static void stream_sample(struct bus *bus, struct bus_topic *topic, struct totals *totals,
                          struct ov_batch *batch)
{
    const struct stream_facts *facts = &topic->facts;
    if (!topic->read || (!topic->exists && !topic->configured && !topic->registered))
        return;
    struct ov_sample *s = ov_batch_add(batch, &stream_measurement);
    ov_sample_tag(batch, s, 0, topic->name.a);
    ov_sample_bool(s, STREAM_EXISTS, topic->exists);
    if (!topic->exists)
        return;
    totals->topics++;
    ov_sample_int(s, STREAM_LENGTH, facts->length);
    known_int(s, STREAM_ADDED, facts->added);
    if (!facts->empty) {
        age(s, STREAM_FIRST_AGE, bus->server.now_ms, facts->first);
        age(s, STREAM_LAST_AGE, bus->server.now_ms, facts->last_generated);
    }
    if (topic->groups_read)
        ov_sample_int(s, STREAM_GROUPS, topic->groups);
}

/* ---------------------------------------------------------------- what could not be read */

#define FIELD(i) (UINT64_C(1) << (i))
#define BACKLOG_FIELDS (FIELD(GROUP_UNDELIVERED) | FIELD(GROUP_OLDEST_UNDELIVERED) |               \
                        FIELD(GROUP_TRIM_RATIO))
#define DLQ_FIELDS (FIELD(GROUP_DLQ_LENGTH) | FIELD(GROUP_DLQ_ADDED) | FIELD(GROUP_DLQ_NEWEST))
/* Without one of these nobody is called silent, and without the last nobody busy. */
#define SIGNS (REFUSED(REFUSABLE_XPENDING) | REFUSED(REFUSABLE_XINFO_CONSUMERS) |                  \
               REFUSED(REFUSABLE_OBJECT) | REFUSED(REFUSABLE_GET) | REFUSED(REFUSABLE_HGET))

static void group_unread(struct bus *bus, const struct bus_group *group,
                         const struct ov_sample *s, struct ov_batch *batch)
{
    static const struct {
        uint32_t commands;
        uint64_t fields;
    } rows[] = {
        {REFUSED(REFUSABLE_XPENDING), FIELD(GROUP_OLDEST_PENDING) | FIELD(GROUP_MAX_DELIVERIES)},
        {REFUSED(REFUSABLE_XRANGE), BACKLOG_FIELDS},
        {REFUSED(REFUSABLE_XINFO_STREAM) | REFUSED(REFUSABLE_XLEN), DLQ_FIELDS},
        {SIGNS, FIELD(GROUP_LIFE)},
    };
    const struct ov_slice tags[] = {
        [TAG_TOPIC] = group->name.a, [TAG_GROUP] = group->name.b, [TAG_AGENT] = {"", 0},
    };
    for (size_t i = 0; group->refused && i < OV_COUNT(rows); i++)
        if (rows[i].fields & ~s->present)
            refusals_unread(&bus->refusals, group->refused & rows[i].commands, batch,
                            &group_measurement, rows[i].fields & ~s->present, tags);
    if (group->topic && group->exists)
        refusals_unread(&bus->refusals, group->topic->refused & REFUSED(REFUSABLE_XINFO_STREAM),
                        batch, &group_measurement, BACKLOG_FIELDS | FIELD(GROUP_LOST), tags);
    if (group->left_at_least >= 0)
        ov_batch_unread(batch, &group_measurement, FIELD(GROUP_UNDELIVERED), tags,
                        OV_SLICE("Redis cannot tell how many tasks wait, and there are more than "
                                 "are counted one by one (option count_max)"));
}

/* What only an agent, which remembers, can tell of lost tasks. */
static void loss_untold(const struct bus *bus, const struct bus_group *group,
                        const struct ov_sample *s, struct ov_batch *batch)
{
    const struct ov_slice tags[] = {
        [TAG_TOPIC] = group->name.a, [TAG_GROUP] = group->name.b, [TAG_AGENT] = {"", 0},
    };
    uint64_t lost = FIELD(GROUP_LOST), when = FIELD(GROUP_LOST_SECONDS);
    if (ov_host_repeats(bus->host) || !ov_host_wants(bus->host, &group_measurement, GROUP_LOST))
        return;
    if (!(s->present & lost))
        ov_batch_untold(batch, &group_measurement, lost, tags, group->topic->facts.added < 0
                        ? OV_SLICE("Redis before 7.0 does not tell how many tasks were trimmed")
                        : OV_SLICE("Redis does not tell how many tasks were delivered before, so "
                                   "one look cannot tell how many were lost: let the agent run"));
    else if (group->backlog.lost > 0 && !(s->present & when))
        ov_batch_untold(batch, &group_measurement, when, tags,
                        OV_SLICE("tasks were trimmed before their delivery, and later ones were "
                                 "delivered since; one look cannot tell when: let the agent run"));
}

static void topic_unread(struct bus *bus, const struct bus_topic *topic, struct ov_batch *batch)
{
    const struct ov_slice tags[] = {topic->name.a, {"", 0}, {"", 0}};
    uint32_t stream = topic->refused & REFUSED(REFUSABLE_XINFO_STREAM);
    uint32_t groups = topic->refused & REFUSED(REFUSABLE_XINFO_GROUPS);
    refusals_unread(&bus->refusals, stream, batch, &stream_measurement, !topic->read ? 0 :
                    FIELD(STREAM_ADDED) | FIELD(STREAM_FIRST_AGE) | FIELD(STREAM_LAST_AGE), tags);
    refusals_unread(&bus->refusals, groups, batch, &group_measurement, 0, tags);
    refusals_unread(&bus->refusals, groups, batch, &consumer_measurement, 0, tags);
}

/* Topics and agents that could not be looked for. */
static void names_unread(struct bus *bus, struct ov_batch *batch)
{
    const struct ov_slice why = OV_SLICE("not all topics are known yet: the keyspace has not been "
                                         "looked through to its end");
    uint32_t names = REFUSED(REFUSABLE_SSCAN) | REFUSED(REFUSABLE_SMEMBERS);
    uint64_t whole = bus->scan.completed || bus->topic_names.count ? FIELD(GROUP_REGISTERED) : 0;
    if (!bus->registry.complete && bus->omni.backend == OMNI_REDIS)
        refusals_unread(&bus->refusals, names, batch, &group_measurement, whole, NULL);
    else if (!bus->registry.complete)
        ov_batch_unread(batch, &group_measurement, whole, NULL,
                        OV_SLICE("agents.json, which tells what agents there are, cannot be read"));
    if (bus->scan.completed || bus->topic_names.count)
        return;
    refusals_unread(&bus->refusals, REFUSED(REFUSABLE_SCAN), batch, &stream_measurement, 0, NULL);
    refusals_unread(&bus->refusals, REFUSED(REFUSABLE_SCAN), batch, &group_measurement, 0, NULL);
    if (!ov_host_repeats(bus->host)) /* one look makes do with what it found */
        return;
    ov_batch_unread(batch, &stream_measurement, 0, NULL, why);
    ov_batch_unread(batch, &group_measurement, 0, NULL, why);
}

static void bus_unread(struct bus *bus, const struct ov_sample *s, struct ov_batch *batch)
{
    uint64_t info = FIELD(BUS_MEMORY_USED) | FIELD(BUS_MEMORY_LIMIT) | FIELD(BUS_MEMORY_RATIO) |
                    FIELD(BUS_EVICTION_POLICY) | FIELD(BUS_EVICTION_RISK) | FIELD(BUS_CLIENTS) |
                    FIELD(BUS_BLOCKED_CLIENTS) | FIELD(BUS_VERSION) | FIELD(BUS_ROLE) |
                    FIELD(BUS_UPTIME);
    uint64_t events = FIELD(BUS_EVENTS) | FIELD(BUS_MISSED) | FIELD(BUS_GAPS) | FIELD(BUS_BEHIND);
    uint64_t counts = FIELD(GROUP_PROCESSED) | FIELD(GROUP_RECLAIM_ATTEMPTS) |
                      FIELD(GROUP_RECLAIMED) | FIELD(GROUP_DLQ_PUSHES);
    refusals_unread(&bus->refusals, REFUSED(REFUSABLE_INFO), batch, &bus_measurement,
                    info & ~s->present, NULL);
    if (!bus->follow_started) {
        refusals_unread(&bus->refusals, REFUSED(REFUSABLE_XREAD), batch, &bus_measurement, events,
                        NULL);
        refusals_unread(&bus->refusals, REFUSED(REFUSABLE_XREAD), batch, &group_measurement,
                        counts, NULL);
    }
    names_unread(bus, batch);
}

/* ---------------------------------------------------------------- groups */

static int64_t reclaim_idle(const struct bus_group *group)
{
    if (group->reclaim_idle_ms)
        return group->reclaim_idle_ms;
    return group->agent && group->agent->detailed ? group->agent->reclaim_idle_ms
                                                  : OMNI_RECLAIM_IDLE_MS;
}

static struct life_signs group_signs(const struct bus *bus, const struct bus_group *group)
{
    double waiting = (double)NAN;
    if (group->oldest_left_read)
        waiting = omni_age(bus->server.now_ms, group->oldest_left.ms);
    return (struct life_signs){
        .now_ms = bus->server.now_ms, .key_idle_ms = group->key_idle_ms,
        .waiting_ms = waiting >= 0 ? (int64_t)(waiting * 1e3) : -1,
        .consumer_idle_ms = group->consumer_idle_ms, .pending = group->pending,
        .youngest_ms = group->youngest_ms, .reclaim_idle_ms = reclaim_idle(group),
        .moved = group->moved, .nobody_blocks = bus->nobody_blocks,
    };
}

static enum life group_life(struct bus *bus, struct bus_group *group)
{
    struct life_signs signs = group_signs(bus, group);
    return life_judge(&signs, &group->life_memory);
}

static bool would_be_silent(const struct bus_group *group, bool nobody_blocks)
{
    struct life_memory memory = group->life_memory;
    struct life_signs signs = group_signs(group->bus, group);
    signs.nobody_blocks = nobody_blocks;
    return group->exists && group->agent && life_judge(&signs, &memory) == LIFE_SILENT;
}

bool bus_group_is_silent(const struct bus_group *group)
{
    return would_be_silent(group, group->bus->nobody_blocks);
}

bool bus_wants_life(const struct bus *bus)
{
    return ov_host_wants(bus->host, &group_measurement, GROUP_LIFE);
}

bool bus_needs_blocked(const struct bus *bus)
{
    for (size_t i = 0; i < bus->groups.count; i++) {
        const struct bus_group *group = (const struct bus_group *)bus->groups.entries[i];
        if (would_be_silent(group, true) && !would_be_silent(group, false))
            return true;
    }
    return false;
}

static void existing_group(struct bus *bus, struct bus_group *group, struct ov_sample *s,
                           struct ov_batch *batch)
{
    int64_t now = bus->server.now_ms;
    known_int(s, GROUP_CONSUMERS, group->consumers);
    if (bus->with_consumers)
        known_int(s, GROUP_CONSUMERS_OMITTED, group->consumers_omitted);
    known_int(s, GROUP_PENDING, group->pending);
    if (group->oldest_pending_read)
        age(s, GROUP_OLDEST_PENDING, now, group->oldest_pending);
    known_int(s, GROUP_MAX_DELIVERIES, group->pending == 0 ? 0 : group->max_deliveries);
    known_int(s, GROUP_UNDELIVERED, group->backlog.left);
    known_int(s, GROUP_UNDELIVERED_AT_LEAST, group->left_at_least);
    known_int(s, GROUP_LOST, group->backlog.lost);
    if (group->backlog.lost > 0)
        ov_sample_float(s, GROUP_LOST_SECONDS,
                        omni_age(now, (uint64_t)group->backlog_memory.lost_ms));
    int64_t behind = group->backlog.left >= 0 ? group->backlog.left : group->left_at_least;
    if (behind >= 0)
        ov_sample_float(s, GROUP_TRIM_RATIO, (double)behind / (double)bus->stream_limit);
    if (group->oldest_left_read)
        age(s, GROUP_OLDEST_UNDELIVERED, now, group->oldest_left);
    enum life life = group_life(bus, group);
    bool doubtful = (life == LIFE_SILENT && group->refused & SIGNS) ||
                    (life == LIFE_BUSY && group->refused & REFUSED(REFUSABLE_HGET));
    if (life_word(life) && !doubtful && bus_wants_life(bus))
        ov_sample_text(batch, s, GROUP_LIFE, ov_slice(life_word(life)));
}

static void group_counters(struct bus *bus, struct bus_group *group, struct ov_sample *s)
{
    static const struct bus_counts none;
    const struct bus_counts *counts = pairs_find(&bus->counts, group->name.a, group->name.b);
    if (!bus->follow_started)
        return;
    if (!counts)
        counts = &none;
    ov_sample_int(s, GROUP_PROCESSED, (int64_t)counts->processed);
    ov_sample_int(s, GROUP_RECLAIM_ATTEMPTS, (int64_t)counts->reclaim_attempts);
    ov_sample_int(s, GROUP_RECLAIMED, (int64_t)counts->reclaimed);
    ov_sample_int(s, GROUP_DLQ_PUSHES, (int64_t)counts->dlq_pushes);
}

static void consumer_samples(struct bus_group *group, struct ov_batch *batch)
{
    for (size_t i = 0; i < group->consumer_list_count; i++) {
        const struct bus_consumer *c = &group->consumer_list[i];
        struct ov_sample *s = ov_batch_add(batch, &consumer_measurement);
        ov_sample_tag(batch, s, 0, group->name.a);
        ov_sample_tag(batch, s, 1, group->name.b);
        ov_sample_tag(batch, s, 2, c->name);
        known_int(s, CONSUMER_PENDING, c->pending);
        if (c->idle_ms >= 0)
            ov_sample_float(s, CONSUMER_IDLE, (double)c->idle_ms / 1e3);
        if (c->inactive_ms >= 0)
            ov_sample_float(s, CONSUMER_INACTIVE, (double)c->inactive_ms / 1e3);
    }
}

static void add_known(int64_t *total, int64_t value)
{
    if (value > 0)
        *total += value;
}

static void group_sample(struct bus *bus, struct bus_group *group, struct totals *totals,
                         struct ov_batch *batch)
{
    struct ov_slice agent = {"", 0};
    if (group->orphan && group->dlq_length <= 0) { /* the queue is gone since the scan */
        const struct ov_slice tags[] = {group->name.a, group->name.b, {"", 0}};
        refusals_unread(&bus->refusals, group->refused, batch, &group_measurement, 0, tags);
        return;
    }
    struct ov_sample *s = ov_batch_add(batch, &group_measurement);
    omni_group_agent(group->name.b, group->name.a, &agent);
    if (group->orphan && group->name.a.len == 0)
        agent.len = 0;
    ov_sample_tag(batch, s, TAG_TOPIC, group->name.a);
    ov_sample_tag(batch, s, TAG_GROUP, group->name.b);
    ov_sample_tag(batch, s, TAG_AGENT, agent);
    ov_sample_bool(s, GROUP_EXISTS, group->exists);
    if (bus->registry.complete)
        ov_sample_bool(s, GROUP_REGISTERED, group->agent != NULL);
    if (group->exists) {
        existing_group(bus, group, s, batch);
        loss_untold(bus, group, s, batch);
    }
    known_int(s, GROUP_DLQ_LENGTH, group->dlq_length);
    if (group->dlq_length > 0) {
        known_int(s, GROUP_DLQ_ADDED, group->dlq_added);
        if (group->dlq_newest.ms)
            age(s, GROUP_DLQ_NEWEST, bus->server.now_ms, group->dlq_newest);
    }
    group_counters(bus, group, s);
    if (group->refused || group->left_at_least >= 0 || (group->topic && group->topic->refused))
        group_unread(bus, group, s, batch);
    totals->groups += group->exists;
    add_known(&totals->pending, group->pending);
    add_known(&totals->undelivered, group->backlog.left);
    add_known(&totals->lost, group->backlog.lost);
    add_known(&totals->dlq_length, group->dlq_length);
    consumer_samples(group, batch);
}

static bool evicts_any_key(const char *policy)
{
    return strncmp(policy, "allkeys-", 8) == 0;
}

static void server_fields(struct bus *bus, struct ov_sample *s, struct ov_batch *batch)
{
    const struct bus_server *server = &bus->server;
    known_int(s, BUS_MEMORY_USED, server->memory_used);
    if (server->memory_limit > 0) {
        ov_sample_int(s, BUS_MEMORY_LIMIT, server->memory_limit);
        if (server->memory_used >= 0)
            ov_sample_float(s, BUS_MEMORY_RATIO,
                            (double)server->memory_used / (double)server->memory_limit);
    }
    if (*server->policy) {
        ov_sample_text(batch, s, BUS_EVICTION_POLICY, ov_slice(server->policy));
        ov_sample_bool(s, BUS_EVICTION_RISK,
                       server->memory_limit > 0 && evicts_any_key(server->policy));
    }
    known_int(s, BUS_CLIENTS, server->clients);
    known_int(s, BUS_BLOCKED_CLIENTS, server->blocked_clients);
    if (*server->version)
        ov_sample_text(batch, s, BUS_VERSION, ov_slice(server->version));
    if (*server->role)
        ov_sample_text(batch, s, BUS_ROLE, ov_slice(server->role));
    known_int(s, BUS_UPTIME, server->uptime_s);
}

static void follow_fields(struct bus *bus, struct ov_sample *s)
{
    if (!bus->follow_started)
        return;
    ov_sample_int(s, BUS_EVENTS, (int64_t)bus->follow.entries);
    ov_sample_int(s, BUS_MISSED, (int64_t)bus->follow.missed);
    ov_sample_int(s, BUS_GAPS, (int64_t)bus->follow.gaps);
    ov_sample_bool(s, BUS_BEHIND, bus->follow.behind);
}

/* Where no way to find topics worked, nothing found is not a zero: these are left out. */
static void total_fields(const struct totals *totals, struct ov_sample *s)
{
    ov_sample_int(s, BUS_TOPICS, totals->topics);
    ov_sample_int(s, BUS_GROUPS, totals->groups);
    ov_sample_int(s, BUS_PENDING, totals->pending);
    ov_sample_int(s, BUS_UNDELIVERED, totals->undelivered);
    ov_sample_int(s, BUS_LOST, totals->lost);
    ov_sample_int(s, BUS_DLQ_LENGTH, totals->dlq_length);
}

void bus_samples(struct bus *bus, struct ov_batch *batch)
{
    struct totals totals = {0};
    struct ov_sample *s = ov_batch_add(batch, &bus_measurement);
    for (size_t i = 0; i < bus->topics.count; i++) {
        struct bus_topic *topic = (struct bus_topic *)bus->topics.entries[i];
        stream_sample(bus, topic, &totals, batch);
        if (topic->refused)
            topic_unread(bus, topic, batch);
    }
    for (size_t i = 0; i < bus->groups.count; i++)
        group_sample(bus, (struct bus_group *)bus->groups.entries[i], &totals, batch);
    ov_sample_bool(s, BUS_UP, true);
    if (redis_latency_ms(bus->redis) >= 0)
        ov_sample_float(s, BUS_LATENCY, round(redis_latency_ms(bus->redis) * 1e3) / 1e6);
    if (bus->registry.complete || bus->scan.completed || bus->topic_names.count)
        total_fields(&totals, s);
    ov_sample_bool(s, BUS_SCAN_COMPLETE, bus->scan.completed);
    ov_sample_int(s, BUS_REFUSED, (int64_t)bus->refusals.count);
    server_fields(bus, s, batch);
    follow_fields(bus, s);
    bus_unread(bus, s, batch);
}

void bus_sample_down(struct bus *bus, struct ov_batch *batch)
{
    struct ov_sample *s = ov_batch_add(batch, &bus_measurement);
    ov_sample_bool(s, BUS_UP, false);
    ov_sample_text(batch, s, BUS_FAULT, ov_slice(redis_fault_word(redis_fault(bus->redis))));
    ov_sample_text(batch, s, BUS_REASON, ov_slice(redis_why(bus->redis)));
}
