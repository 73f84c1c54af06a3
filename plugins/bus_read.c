/* SPDX-License-Identifier: Apache-2.0 */
/* The order of a gather's commands: one pipeline for all that is known to exist and for what
 * happened since, a second one for agents and dead letter queues whose group the first did not
 * meet. */
#include "bus.h"

/* Joins agents with their groups. One whose group is not there (any more) will never be given a
 * task. */
static void join_agents(struct bus *bus)
{
    const struct registry_topic *of = NULL;
    struct bus_topic *topic = NULL;
    for (size_t i = 0; i < bus->registry.agents.count; i++) {
        const struct registry_agent *agent =
            (const struct registry_agent *)bus->registry.agents.entries[i];
        if (agent->topic != of) { /* agents of one topic mostly stand together */
            of = agent->topic;
            topic = pairs_find(&bus->topics, of->name.a, OV_SLICE(""));
        }
        if (!topic || topic->name.seen != bus->cycle)
            continue;
        struct ov_slice name = omni_group_name(&bus->group_key, topic->name.a, agent->name.b);
        struct bus_group *group = pairs_find(&bus->groups, topic->name.a, name);
        if (!group || group->name.seen != bus->cycle) {
            if (!topic->groups_read || agent->name.seen != bus->registry.cycle)
                continue;
            group = bus_group_see(bus, topic, topic->name.a, name);
            bus_group_ask_dlq(group);
        }
        group->agent = agent;
    }
}

/* The topic of a DLQ's group "group:<topic>:<agent>", where just one known topic fits. */
static struct bus_topic *topic_of_group(const struct bus *bus, struct ov_slice group,
                                        struct ov_slice *agent)
{
    struct bus_topic *only = NULL;
    for (size_t at = 6; at < group.len; at++) {
        if (group.ptr[at] != ':')
            continue;
        struct ov_slice topic = {group.ptr + 6, at - 6};
        struct bus_topic *known = pairs_find(&bus->topics, topic, OV_SLICE(""));
        if (!known || !omni_group_agent(group, topic, agent))
            continue;
        if (only)
            return NULL;
        only = known;
    }
    return only;
}

static void see_orphan_dlqs(struct bus *bus)
{
    for (size_t i = 0; i < bus->found_dlqs.count; i++) {
        struct bus_found *dlq = (struct bus_found *)bus->found_dlqs.entries[i];
        if (dlq->met == bus->cycle)
            continue;
        struct ov_slice agent;
        struct bus_topic *topic = topic_of_group(bus, dlq->name.a, &agent);
        if (!topic && (bus->topic_names.count || bus->topic_patterns.count))
            continue; /* not known to be of a wanted topic */
        struct bus_group *group = bus_group_see(bus, NULL, topic ? topic->name.a : OV_SLICE(""),
                                            dlq->name.a);
        group->orphan = true;
        if (topic)
            group->agent = registry_find(&bus->registry, topic->name.a, agent);
        bus_group_ask_dlq(group);
    }
}

static void on_registered_topic(void *context, struct ov_slice name)
{
    struct bus *bus = context;
    if (bus_wants(bus, name))
        bus_topic_ask(bus, name, false, true);
}

int bus_read(struct bus *bus)
{
    bus->cycle++;
    bus->registry.on_topic = on_registered_topic;
    bus->registry.context = bus;
    bus->dlq_asked_count = bus->dlq_sent = bus->topics_awaited = 0;
    bus_server_ask(bus);
    registry_load(&bus->registry, bus->redis);
    for (size_t i = 0; i < bus->topic_names.count; i++)
        bus_topic_ask(bus, bus->topic_names.items[i], true, false);
    for (size_t i = 0; i < bus->found_topics.count; i++)
        if (bus_wants(bus, bus->found_topics.entries[i]->a))
            bus_topic_ask(bus, bus->found_topics.entries[i]->a, false, false);
    bus_counts_begin(bus);
    int result = bus_counts_end(bus, redis_run(bus->redis));
    if (result != OV_OK)
        return result;
    registry_finish(&bus->registry);
    join_agents(bus);
    see_orphan_dlqs(bus);
    bus_dlqs_send(bus);
    result = redis_run(bus->redis);
    if (result != OV_OK)
        return result;
    pairs_sweep(&bus->groups, bus->cycle, bus_group_free);
    pairs_sweep(&bus->topics, bus->cycle, NULL);
    return bus_server_blocked(bus);
}
