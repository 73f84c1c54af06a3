/* SPDX-License-Identifier: Apache-2.0 */
#include "agent_records.h"

#include "json.h"

enum { AGENTS_FILE_MAX_BYTES = 64 * 1024 * 1024 };

static const char *const fields[] = {
    [AGENT_CALLBACK] = "callback_name", [AGENT_DESCRIPTION] = "description",
    [AGENT_TOOLS] = "tools", [AGENT_CONFIG] = "config", [AGENT_CREATED] = "created_at",
};

void agent_records_want(struct agent_records *all, struct ov_slice topic, struct ov_slice agent)
{
    struct agent_record *record = pairs_add(&all->wanted, topic, agent, sizeof *record);
    record->all = all;
}

static void say_too_long(struct ov_buf *text, int64_t bytes)
{
    ov_buf_printf(text, "(%lld bytes, not shown)", (long long)bytes);
}

/* ---------------------------------------------------------------- Redis */

static bool refused(struct agent_records *all, const char *command,
                    const struct redis_reply *reply)
{
    enum redis_fault fault = redis_reply_fault(reply);
    if (fault == REDIS_FINE)
        return false;
    if (all->why.len == 0) {
        ov_buf_printf(&all->why, "%s %s:agent:...: ", command, all->omni->prefix);
        ov_buf_escaped(&all->why, reply->text);
        if (*redis_fault_remedy(fault))
            ov_buf_printf(&all->why, "; %s", redis_fault_remedy(fault));
    }
    return true;
}

static struct ov_slice key_of(struct agent_record *record)
{
    return omni_storage_key(&record->all->key, record->all->omni->prefix, "agent", record->name.a,
                            record->name.b);
}

static void on_text(struct redis *r, const struct redis_reply *reply, void *context, size_t field)
{
    struct agent_record *record = context;
    (void)r;
    if (!refused(record->all, "HGET", reply) && reply->type == REDIS_STRING)
        ov_buf_slice(&record->texts[field], reply->text);
}

static void on_length(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t field)
{
    struct agent_record *record = context;
    if (refused(record->all, "HSTRLEN", reply) || reply->type != REDIS_INTEGER ||
        reply->integer <= 0)
        return;
    record->found = true;
    if (reply->integer > (int64_t)AGENT_TEXT_MAX)
        say_too_long(&record->texts[field], reply->integer);
    else
        redis_send(r, on_text, record, field, OV_SLICE("HGET"), key_of(record),
                   ov_slice(fields[field]));
}

static int read_redis(struct agent_records *all, struct redis *redis)
{
    for (size_t i = 0; i < all->wanted.count; i++) {
        struct agent_record *record = (struct agent_record *)all->wanted.entries[i];
        for (size_t field = 0; field < AGENT_TEXTS; field++)
            redis_send(redis, on_length, record, field, OV_SLICE("HSTRLEN"), key_of(record),
                       ov_slice(fields[field]));
    }
    return redis_run(redis);
}

/* ---------------------------------------------------------------- JSON */

static void take_json(struct agent_record *record, struct json_object *agent)
{
    record->found = true;
    for (size_t field = 0; field < AGENT_TEXTS; field++) {
        struct ov_buf *text = &record->texts[field];
        struct json_object *value = NULL;
        if (!json_object_object_get_ex(agent, fields[field], &value) || !value)
            continue;
        size_t len;
        bool string = json_object_is_type(value, json_type_string);
        const char *bytes = json_object_to_json_string_length(
            value, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
        if (string) {
            bytes = json_object_get_string(value);
            len = (size_t)json_object_get_string_len(value);
        }
        ov_buf_reset(text);
        if (len > AGENT_TEXT_MAX)
            say_too_long(text, (int64_t)len);
        else
            ov_buf_add(text, bytes, len);
    }
}

static void read_json(struct agent_records *all)
{
    struct json_object *topics = json_read_file(all->omni->json_dir, "agents.json",
                                                AGENTS_FILE_MAX_BYTES, &all->why);
    if (json_object_is_type(topics, json_type_object)) {
        json_object_object_foreach(topics, topic, agents) {
            size_t count = json_object_is_type(agents, json_type_array)
                               ? json_object_array_length(agents) : 0;
            for (size_t i = 0; i < count; i++) {
                struct json_object *agent = json_object_array_get_idx(agents, i);
                struct agent_record *record = pairs_find(&all->wanted, ov_slice(topic),
                                                         json_get_text(agent, "name"));
                if (record)
                    take_json(record, agent);
            }
        }
    }
    json_object_put(topics);
}

/* ---------------------------------------------------------------- both */

int agent_records_read(struct agent_records *all, const struct omni_options *omni,
                       struct redis *redis)
{
    all->omni = omni;
    if (all->wanted.count == 0)
        return OV_OK;
    if (omni->backend == OMNI_REDIS)
        return read_redis(all, redis);
    read_json(all);
    return OV_OK;
}

const struct agent_record *agent_record_of(const struct agent_records *all, struct ov_slice topic,
                                           struct ov_slice agent)
{
    const struct agent_record *record = pairs_find(&all->wanted, topic, agent);
    return record && record->found ? record : NULL;
}

static void drop(void *entry)
{
    struct agent_record *record = entry;
    for (size_t field = 0; field < AGENT_TEXTS; field++)
        ov_buf_free(&record->texts[field]);
}

void agent_records_free(struct agent_records *all)
{
    pairs_free(&all->wanted, drop);
    ov_buf_free(&all->key);
    ov_buf_free(&all->why);
    *all = (struct agent_records){0};
}
