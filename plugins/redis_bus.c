/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input `redis_bus`: OmniDaemon's event bus as it is in Redis. Topics, consumer groups, true
 * backlogs, losses, pending entries, dead letter queues, signs of life, and Redis itself. Measuring
 * only ever reads; of the commands those that republish and purge write.
 */
#include <stdlib.h>

#include "bus_call.h"

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
    {.name = "stream_limit", .type = OV_OPT_INT, .offset = offsetof(struct bus, stream_limit),
     .fallback = "10000", .min = 1, .max = INT64_MAX,
     .help = "entries at which topics are trimmed, as OmniDaemon's bus is told (default_maxlen)"},
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

static const struct ov_rule rules[] = {
    {.name = "no-group", .value = "omnidaemon_group.exists", .where = "registered=true",
     .critical = "1:", .hold = "30s",
     .summary = "agent {agent} on {topic} has lost its consumer group and gets no tasks",
     .description = "Redis lost the group (a restart without persistence, an eviction, a DEL). The "
                    "agent's consumers have stopped for good. First make the group again where the "
                    "agent had come to, `omnivigil bus groups restore TOPIC`; then restart its "
                    "runner, which alone would make it at the end of the topic, past all tasks "
                    "published in between."},
    {.name = "silent", .value = "omnidaemon_group.undelivered",
     .where = "life=silent, registered=true, exists=true",
     .unless = "omnidaemon_health.runner=lost|stopped|none", .severity = "critical", .hold = "1m",
     .summary = "agent {agent} on {topic} no longer asks for tasks ({undelivered} wait)",
     .description = "Nobody asks for its tasks: its process ended, or lives on without consumers, "
                    "which stop for good after a lost connection to Redis. Start its runner again; "
                    "more consumers are no help. `omnivigil agent get TOPIC NAME` shows them."},
    {.name = "pending", .value = "omnidaemon_group.pending", .warning = "100", .hold = "1m",
     .summary = "agent {agent} on {topic} has {value} tasks under way",
     .description = "Tasks were delivered and not finished: the agent is slow, hangs, or fails and "
                    "waits for its retries. `omnivigil metrics` shows which, `omnivigil bus groups "
                    "TOPIC` how old the oldest is."},
    {.name = "backlog", .value = "omnidaemon_group.oldest_undelivered_seconds",
     .where = "undelivered=[!0]*|", .warning = "300", .critical = "1800", .hold = "1m",
     .summary = "on {topic}, tasks for {agent} wait {value} for their first delivery",
     .description = "More is published than the agent takes. One that works needs more consumers "
                    "(consumer_count) or runners; one that is silent must be started again. "
                    "`omnivigil bus groups TOPIC` shows which it is, `omnivigil metrics` how long "
                    "a task takes."},
    {.name = "trim-risk", .value = "omnidaemon_group.trim_ratio", .warning = "0.5",
     .critical = "0.8",
     .summary = "on {topic}, {agent} is behind by {undelivered} tasks, near the stream's limit",
     .description = "OmniDaemon trims a topic near 10 000 entries, delivered or not. What is "
                    "trimmed before its delivery is lost without a trace: publish less, or give "
                    "the agent more consumers (consumer_count) or runners, now. `omnivigil bus "
                    "groups TOPIC` shows the backlog."},
    {.name = "lost", .value = "omnidaemon_group.lost_seconds", .where = "lost=[!0]*",
     .critical = "@0:600", .summary = "on {topic}, {lost} tasks for {agent} were trimmed before "
                                      "delivery",
     .description = "These tasks are gone. Find out from the publisher which, and publish them "
                    "again; give the agent more consumers (consumer_count) or runners. `omnivigil "
                    "bus groups TOPIC` shows how many were lost, and how many wait."},
    {.name = "dlq", .value = "omnidaemon_group.dlq_newest_seconds", .where = "dlq_length=[!0]*",
     .warning = "@0:600",
     .summary = "agent {agent} on {topic} gave up tasks: {dlq_length} in its dead letter queue",
     .description = "Tasks failed at every retry, some in the last ten minutes. `omnivigil bus dlq "
                    "TOPIC --group` shows the exceptions, and what helps."},
    {.name = "poison", .value = "omnidaemon_group.max_deliveries", .warning = "5",
     .critical = "20", .hold = "1m",
     .summary = "on {topic}, a task was delivered to {agent} {value} times",
     .description = "A message that cannot be processed and does not reach the dead letter queue "
                    "(a body that is no object, retry counts that expired). `omnivigil diagnose` "
                    "shows which it is."},
    {.name = "stuck", .value = "omnidaemon_group.oldest_pending_seconds",
     .where = "pending=[!0]*", .warning = "3600",
     .summary = "on {topic}, a task of {agent} is not done {value} after it was published",
     .description = "A task hangs, nobody claims it again, or it waited long for its turn: "
                    "`omnivigil diagnose` tells which."},
    {.name = "memory", .value = "omnidaemon_bus.memory_ratio", .warning = "0.8",
     .critical = "0.95", .hold = "30s", .summary = "Redis uses {value} of its memory limit",
     .description = "At the limit Redis refuses new tasks, or evicts streams. `omnivigil bus "
                    "stats` shows what is used and by which policy; `omnivigil storage "
                    "prune-index` frees what OmniDaemon's index of results leaks."},
    {.name = "eviction", .value = "omnidaemon_bus.eviction_risk", .warning = "0",
     .summary = "Redis may evict whole streams ({eviction_policy})",
     .description = "With an allkeys policy Redis throws topics and their groups away when memory "
                    "runs short: set maxmemory-policy to noeviction or a volatile one."},
    {.name = "events-gap", .value = "increase(omnidaemon_bus.events_gaps, 10m)", .warning = "0",
     .summary = "bus events were trimmed before they were counted, {value} times in ten minutes",
     .description = "The counters of groups (processed, reclaimed, dead letters) are too low "
                    "since: gather more often (the option interval of the input)."},
    {.name = NULL},
};

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
    refusals_free(&bus->refusals);
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

static const struct ov_command *const commands[] = {
    &bus_command_list, &bus_command_groups, &bus_command_restore, &bus_command_stats,
    &bus_command_inspect,
    &bus_command_dlq, &bus_command_republish, &bus_command_export, &bus_command_purge, NULL,
};

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "redis_bus",
    .summary = "OmniDaemon's event bus: topics, consumer groups, dead letter queues, Redis",
    .kind = OV_INPUT,
    .state_size = sizeof(struct bus),
    .options = options,
    .measurements = bus_measurements,
    .rules = rules,
    .commands = commands,
    .check = bus_check,
    .open = bus_open,
    .close = bus_close,
    .gather = bus_gather,
    .save = bus_save_state,
    .load = bus_load_state,
    .idle = bus_idle,
};
