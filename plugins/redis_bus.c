/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input `redis_bus`: OmniDaemon's event bus as it is in Redis. Topics, consumer groups, true
 * backlogs, losses, pending entries, dead letter queues, signs of life, and Redis itself. It only
 * ever reads.
 */
#include <stdlib.h>

#include "bus.h"

static const struct ov_option options[] = {
    OMNI_OPTION_ROWS(struct bus, omni),
    {.name = "topics", .type = OV_OPT_LIST, .offset = offsetof(struct bus, topic_names),
     .help = "only these topics, by their exact names"},
    {.name = "topic_patterns", .type = OV_OPT_LIST, .offset = offsetof(struct bus, topic_patterns),
     .help = "only topics that match one of these patterns (*, ?, [a-z], \\ before a character "
             "that stands for itself); beside those of `topics`"},
    {.name = "scan_interval", .type = OV_OPT_DURATION,
     .offset = offsetof(struct bus, scan_interval_ms), .fallback = "5m", .min = 1000,
     .max = 7 * 86400000LL,
     .help = "how often to look through the keyspace for topics and dead letter queues that no "
             "agent is registered for"},
    {.name = "consumers", .type = OV_OPT_BOOL, .offset = offsetof(struct bus, with_consumers),
     .fallback = "false", .help = "also a sample for each consumer"},
    {.name = "consumers_max", .type = OV_OPT_INT, .offset = offsetof(struct bus, consumers_max),
     .fallback = "100", .min = 1, .max = 10000,
     .help = "most consumers of one group that get a sample"},
    {.name = "count_max", .type = OV_OPT_INT, .offset = offsetof(struct bus, count_max),
     .fallback = "1000", .min = 16, .max = 100000,
     .help = "most entries of a topic that are counted one by one where Redis cannot tell a "
             "group's backlog"},
    {.name = NULL},
};

bool bus_wants(const struct bus *bus, struct ov_slice topic)
{
    for (size_t i = 0; i < bus->topic_names.count; i++)
        if (ov_slice_eq(bus->topic_names.items[i], topic))
            return true;
    for (size_t i = 0; i < bus->topic_patterns.count; i++)
        if (ov_glob(bus->topic_patterns.items[i], topic))
            return true;
    return bus->topic_names.count == 0 && bus->topic_patterns.count == 0;
}

static void bus_check(void *state, struct ov_check *check)
{
    struct bus *bus = state;
    redis_options_check(&bus->omni.redis, check);
}

static int bus_open(void *state, struct ov_host *host)
{
    struct bus *bus = state;
    bus->host = host;
    bus->redis = redis_new(&bus->omni.redis, host);
    bus->reader = event_reader_new();
    bus->registry.options = &bus->omni;
    bus->refusals.host = host;
    bus->registry.refusals = &bus->refusals;
    return OV_OK;
}

static void bus_close(void *state)
{
    struct bus *bus = state;
    redis_free(bus->redis);
    event_reader_free(bus->reader);
    registry_free(&bus->registry);
    pairs_free(&bus->topics, NULL);
    pairs_free(&bus->groups, bus_group_free);
    pairs_free(&bus->found_topics, NULL);
    pairs_free(&bus->found_dlqs, NULL);
    pairs_free(&bus->counts, NULL);
    free(bus->dlq_asked);
    ov_buf_free(&bus->key);
    ov_buf_free(&bus->group_key);
}

static int gather_connected(struct bus *bus)
{
    int64_t uptime_before = bus->server.uptime_s;
    int result = bus_scan_run(bus);
    if (result == OV_OK)
        result = bus_read(bus);
    if (result == OV_OK)
        result = bus_counts_follow(bus);
    if (result == OV_OK && bus->server.uptime_s < uptime_before)
        bus->scan.next_ms = 0; /* another Redis: look again what is there */
    return result;
}

static int bus_gather(void *state, struct ov_batch *batch)
{
    struct bus *bus = state;
    int result = redis_open(bus->redis);
    if (result == OV_OK)
        result = gather_connected(bus);
    if (result == OV_OK) {
        bus_samples(bus, batch);
        refusals_settle(&bus->refusals);
    } else if (result == OV_FAILED) {
        bus_sample_down(bus, batch);
    }
    return result;
}

static void bus_save_state(void *state, struct ov_buf *out)
{
    bus_save(state, out);
}

static int bus_load_state(void *state, struct ov_slice saved)
{
    return bus_load(state, saved);
}

static void bus_idle(void *state)
{
    bus_scan_step(state);
}

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "redis_bus",
    .summary = "OmniDaemon's event bus: topics, consumer groups, dead letter queues, Redis",
    .kind = OV_INPUT,
    .state_size = sizeof(struct bus),
    .options = options,
    .measurements = bus_measurements,
    .check = bus_check,
    .open = bus_open,
    .close = bus_close,
    .gather = bus_gather,
    .save = bus_save_state,
    .load = bus_load_state,
    .idle = bus_idle,
};
