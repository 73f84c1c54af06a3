/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From Redis: SSCAN the topics (or SCARD while they stay as many as they were), for each SMEMBERS
 * of its agents, for each HGET of its `config` where details are wanted, all in the caller's
 * pipeline. From JSON: agents.json.
 */
#include "json.h"
#include "registry.h"

enum { AGENTS_FILE_MAX_BYTES = 64 * 1024 * 1024 };

static void refused(struct registry *registry, enum refusable command, const char *what,
                    const struct redis_reply *reply)
{
    refusals_note(registry->refusals, command, ov_slice(what), reply);
    registry->complete = false;
}

static void meet_topic(struct registry_topic *topic)
{
    struct registry *registry = topic->registry;
    topic->name.seen = registry->cycle;
    if (registry->on_topic)
        registry->on_topic(registry->context, topic->name.a);
}

/* The topic's entry when it is met for the first time in this load, else NULL: a scan may name
 * one twice. */
static struct registry_topic *see_topic(struct registry *registry, struct ov_slice name)
{
    struct registry_topic *topic = pairs_add(&registry->topics, name, OV_SLICE(""), sizeof *topic);
    if (topic->name.seen == registry->cycle)
        return NULL;
    topic->registry = registry;
    meet_topic(topic);
    return topic;
}

static struct registry_agent *see_agent(struct registry_topic *topic, struct ov_slice name)
{
    struct registry *registry = topic->registry;
    struct registry_agent *agent = pairs_add(&registry->agents, topic->name.a, name,
                                             sizeof *agent);
    agent->name.seen = registry->cycle;
    agent->topic = topic;
    if (!agent->consumer_count) {
        agent->consumer_count = 1;
        agent->reclaim_idle_ms = OMNI_RECLAIM_IDLE_MS;
        agent->dlq_retry_limit = 3;
    }
    return agent;
}

static void take_config(struct registry_agent *agent, struct json_object *config)
{
    int64_t consumers = json_get_int(config, "consumer_count", 0);
    int64_t idle = json_get_int(config, "reclaim_idle_ms", 0);
    int64_t retries = json_get_int(config, "dlq_retry_limit", 0);
    agent->consumer_count = consumers > 0 ? consumers : 1;
    agent->reclaim_idle_ms = idle > 0 ? idle : OMNI_RECLAIM_IDLE_MS;
    agent->dlq_retry_limit = retries > 0 ? retries : 3;
    agent->detailed = true;
}

void registry_read_config(struct registry_agent *agent, struct ov_slice json)
{
    const char *why;
    struct json_object *config = json_read(json, &why);
    take_config(agent, config);
    json_object_put(config);
}

/* ---------------------------------------------------------------- Redis */

static void on_config(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct registry_agent *agent = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_STRING)
        registry_read_config(agent, reply->text);
}

static void on_agents(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct registry_topic *of = context;
    struct registry *registry = of->registry;
    struct ov_slice topic = of->name.a;
    (void)index;
    if (reply->type != REDIS_ARRAY) {
        refused(registry, REFUSABLE_SMEMBERS, "agents:topic", reply);
        return;
    }
    for (size_t i = 0; i < reply->count; i++) {
        if (reply->items[i].type != REDIS_STRING)
            continue;
        struct registry_agent *agent = see_agent(of, reply->items[i].text);
        if (registry->details)
            redis_send(r, on_config, agent, 0, OV_SLICE("HGET"),
                       omni_storage_key(&registry->key, registry->options->prefix, "agent", topic,
                                        agent->name.b), OV_SLICE("config"));
    }
}

static void on_agent_count(struct redis *r, const struct redis_reply *reply, void *context,
                           size_t index)
{
    struct registry_topic *topic = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        topic->agents = reply->integer;
    else
        refused(topic->registry, REFUSABLE_SCARD, "agents:topic", reply);
}

static void ask_agents(struct registry_topic *topic, struct redis *r)
{
    const struct ov_slice none = {NULL, 0};
    struct registry *registry = topic->registry;
    struct ov_slice key = omni_storage_key(&registry->key, registry->options->prefix,
                                           "agents:topic", topic->name.a, none);
    topic->asked = registry->cycle;
    if (registry->count_only)
        redis_send(r, on_agent_count, topic, 0, OV_SLICE("SCARD"), key);
    else
        redis_send(r, on_agents, topic, 0, OV_SLICE("SMEMBERS"), key);
}

static bool is_its_turn(const struct registry_topic *topic)
{
    return topic->asked == 0 || topic->registry->topics.count <= REGISTRY_ALL_MAX ||
           (topic->name.hash + topic->registry->cycle) % REGISTRY_TURNS == 0;
}

static void on_topics(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index);

static void scan_topics(struct registry *registry, struct redis *r, struct ov_slice cursor)
{
    const struct ov_slice none = {NULL, 0};
    redis_send(r, on_topics, registry, 0, OV_SLICE("SSCAN"),
               omni_storage_key(&registry->key, registry->options->prefix, "topics", none, none),
               cursor, OV_SLICE("COUNT"), OV_SLICE("1000"));
}

static void on_topics(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct registry *registry = context;
    (void)index;
    if (reply->type != REDIS_ARRAY || reply->count != 2) {
        refused(registry, REFUSABLE_SSCAN, "topics", reply);
        return;
    }
    const struct redis_reply *names = &reply->items[1];
    for (size_t i = 0; i < names->count; i++) {
        if (names->items[i].type != REDIS_STRING)
            continue;
        struct registry_topic *topic = see_topic(registry, names->items[i].text);
        if (topic && is_its_turn(topic))
            ask_agents(topic, r);
    }
    if (!ov_slice_eq(reply->items[0].text, OV_SLICE("0")))
        scan_topics(registry, r, reply->items[0].text);
}

/* As many as were listed: taken for the same ones until the next list. */
static void on_topic_count(struct redis *r, const struct redis_reply *reply, void *context,
                           size_t index)
{
    struct registry *registry = context;
    (void)index;
    if (reply->type != REDIS_INTEGER || reply->integer != (int64_t)registry->topics.count) {
        scan_topics(registry, r, OV_SLICE("0"));
        return;
    }
    for (size_t i = 0; i < registry->topics.count; i++) {
        struct registry_topic *topic = (struct registry_topic *)registry->topics.entries[i];
        meet_topic(topic);
        if (is_its_turn(topic))
            ask_agents(topic, r);
    }
}

static void load_redis(struct registry *registry, struct redis *r, bool listed)
{
    const struct ov_slice none = {NULL, 0};
    if (listed && registry->topics.count > REGISTRY_ALL_MAX && registry->cycle % REGISTRY_TURNS)
        redis_send(r, on_topic_count, registry, 0, OV_SLICE("SCARD"),
                   omni_storage_key(&registry->key, registry->options->prefix, "topics", none,
                                    none));
    else
        scan_topics(registry, r, OV_SLICE("0"));
}

/* ---------------------------------------------------------------- JSON */

static void load_json_agents(struct registry *registry, const char *name,
                             struct json_object *agents)
{
    size_t count = json_object_is_type(agents, json_type_array) ? json_object_array_length(agents)
                                                                : 0;
    struct registry_topic *topic = count ? see_topic(registry, ov_slice(name)) : NULL;
    if (!topic)
        return;
    topic->asked = registry->cycle;
    for (size_t i = 0; i < count; i++) {
        struct json_object *agent = json_object_array_get_idx(agents, i), *config = NULL;
        struct ov_slice agent_name = json_get_text(agent, "name");
        if (!agent_name.len)
            continue;
        json_object_object_get_ex(agent, "config", &config);
        take_config(see_agent(topic, agent_name), config);
    }
}

static void load_json(struct registry *registry)
{
    struct ov_buf why = {0};
    if (json_file_is_absent(registry->options->json_dir, "agents.json"))
        return; /* nothing was ever registered */
    struct json_object *all = json_read_file(registry->options->json_dir, "agents.json",
                                             AGENTS_FILE_MAX_BYTES, &why);
    if (json_object_is_type(all, json_type_object)) {
        json_object_object_foreach(all, name, agents)
            load_json_agents(registry, name, agents);
    } else {
        registry->complete = false;
    }
    json_object_put(all);
    ov_buf_free(&why);
}

/* ---------------------------------------------------------------- both */

void registry_load(struct registry *registry, struct redis *r)
{
    bool listed = registry->listed;
    registry->cycle++;
    registry->complete = true;
    registry->listed = false;
    if (registry->options->backend == OMNI_REDIS)
        load_redis(registry, r, listed);
    else
        load_json(registry);
}

void registry_finish(struct registry *registry)
{
    if (!registry->complete)
        return; /* what could not be read is not known to be gone */
    for (size_t i = 0; i < registry->agents.count; i++) {
        struct registry_agent *agent = (struct registry_agent *)registry->agents.entries[i];
        if (agent->topic->name.seen == registry->cycle && agent->topic->asked != registry->cycle)
            agent->name.seen = registry->cycle; /* not asked for, and nothing else is known */
    }
    pairs_sweep(&registry->agents, registry->cycle, NULL);
    pairs_sweep(&registry->topics, registry->cycle, NULL);
    registry->listed = true;
}

void registry_free(struct registry *registry)
{
    pairs_free(&registry->agents, NULL);
    pairs_free(&registry->topics, NULL);
    ov_buf_free(&registry->key);
}

int64_t registry_count(const struct registry *registry)
{
    int64_t count = 0;
    for (size_t i = 0; registry->count_only && i < registry->topics.count; i++)
        count += ((const struct registry_topic *)registry->topics.entries[i])->agents;
    return registry->count_only ? count : (int64_t)registry->agents.count;
}

const struct registry_agent *registry_find(const struct registry *registry, struct ov_slice topic,
                                           struct ov_slice agent)
{
    return pairs_find(&registry->agents, topic, agent);
}
