/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the bus and storage say. Polling consumers are clients in a blocking XREADGROUP; a look at
 * pending entries tells whether consumers that do not poll are busy. The subscription keys'
 * idle times keep other programs' blocking reads from being taken for OmniDaemon's.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "json.h"
#include "runner.h"

enum {
    CLIENTS_LISTED_MAX = 1000,             /* a longer list is not asked for */
    KEY_FRESH_MS = OMNI_RECLAIM_LOOP_MS + 5000,
    CONFIG_FILE_MAX_BYTES = 64 * 1024 * 1024,
};

static void say_why(struct runner_facts *facts, const char *text)
{
    if (!facts->why[0])
        snprintf(facts->why, sizeof facts->why, "%s", text);
}

static void say_refused(struct runner *runner, uint32_t commands)
{
    say_why(&runner->facts, refusals_why(&runner->refusals, commands));
}

static int64_t lower(int64_t known, int64_t value)
{
    return value >= 0 && (known < 0 || value < known) ? value : known;
}

/* ---------------------------------------------------------------- what is stored as JSON */

static void take_start_time(struct runner *runner, struct json_object *value)
{
    bool number = json_object_is_type(value, json_type_double) ||
                  json_object_is_type(value, json_type_int);
    runner->facts.start_time = number ? json_object_get_double(value) : (double)NAN;
}

static void take_runner_id(struct runner *runner, struct json_object *value)
{
    if (json_object_is_type(value, json_type_string))
        snprintf(runner->facts.runner_id, sizeof runner->facts.runner_id, "%s",
                 json_object_get_string(value));
}

static void take_supervisor(struct runner *runner, struct ov_slice name, struct json_object *value)
{
    if (!json_object_is_type(value, json_type_object))
        return;
    struct supervisor *s = pairs_add(&runner->supervisors, name, OV_SLICE(""), sizeof *s);
    struct ov_slice state = json_get_text(value, "state");
    s->name.seen = runner->cycle;
    snprintf(s->state, sizeof s->state, "%.*s", (int)state.len, state.ptr);
    s->healthy = json_get_bool(value, "healthy");
    s->restarts = json_get_int(value, "restart_count", -1);
    s->requests = json_get_int(value, "total_requests", -1);
    s->pid = json_get_int(value, "pid", -1);
    s->cpu_percent = json_get_double(value, "cpu_percent");
    s->memory_mb = json_get_double(value, "memory_mb");
    s->last_heartbeat = json_get_double(value, "last_heartbeat");
    s->last_updated = json_get_double(value, "last_updated");
    s->start_time = json_get_double(value, "start_time");
    if (strcmp(s->state, "running") == 0 && !(s->last_updated <= runner->facts.newest_update))
        runner->facts.newest_update = s->last_updated;
}

/* ---------------------------------------------------------------- storage in Redis */

static void on_start_time(struct redis *r, const struct redis_reply *reply, void *context,
                          size_t index)
{
    struct runner *runner = context;
    const char *why;
    (void)r;
    struct json_object *value = reply->type == REDIS_STRING ? json_read(reply->text, &why) : NULL;
    if (reply->type == REDIS_ERROR) {
        runner->facts.storage_up = false;
        refusals_note(&runner->refusals, REFUSABLE_GET, OV_SLICE("config"), reply);
        say_refused(runner, REFUSED(REFUSABLE_GET));
    } else if (index == 0) {
        take_start_time(runner, value);
    } else {
        take_runner_id(runner, value);
    }
    json_object_put(value);
}

static void note_supervisors(struct runner *runner, const struct redis_reply *reply)
{
    refusals_note(&runner->refusals, REFUSABLE_GET, OV_SLICE("supervisor"), reply);
    if (reply->type == REDIS_ERROR && !runner->supervisors_why.len)
        ov_buf_str(&runner->supervisors_why,
                   ov_buf_text(&runner->refusals.why[REFUSABLE_GET]));
}

static void on_supervisor(struct redis *r, const struct redis_reply *reply, void *context,
                          size_t index)
{
    struct supervisor *s = context;
    const char *why;
    (void)r;
    (void)index;
    struct json_object *value = reply->type == REDIS_STRING ? json_read(reply->text, &why) : NULL;
    note_supervisors(s->runner, reply);
    take_supervisor(s->runner, s->name.a, value);
    json_object_put(value);
}

static void on_supervisors(struct redis *r, const struct redis_reply *reply, void *context,
                           size_t index)
{
    struct runner *runner = context;
    const char *why;
    (void)index;
    struct json_object *list = reply->type == REDIS_STRING ? json_read(reply->text, &why) : NULL;
    size_t count = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
    note_supervisors(runner, reply);
    for (size_t i = 0; i < count; i++) {
        struct json_object *one = json_object_array_get_idx(list, i);
        if (!json_object_is_type(one, json_type_string))
            continue;
        struct ov_slice name = {json_object_get_string(one),
                                (size_t)json_object_get_string_len(one)};
        struct supervisor *s = pairs_add(&runner->supervisors, name, OV_SLICE(""), sizeof *s);
        s->runner = runner;
        redis_send(r, on_supervisor, s, 0, OV_SLICE("GET"),
                   omni_config_key(&runner->key, runner->omni.prefix, "supervisor:", s->name.a));
    }
    json_object_put(list);
}

static void on_key_idle(struct redis *r, const struct redis_reply *reply, void *context,
                        size_t index)
{
    struct runner *runner = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        runner->facts.freshest_key_ms = lower(runner->facts.freshest_key_ms,
                                              reply->integer * 1000);
    else
        refusals_note(&runner->refusals, REFUSABLE_OBJECT, OV_SLICE("_subscription_active"),
                      reply);
}

static void ask_redis_storage(struct runner *runner)
{
    const struct ov_slice none = {NULL, 0};
    struct redis *r = runner->redis;
    const char *prefix = runner->omni.prefix;
    redis_send(r, on_start_time, runner, 0, OV_SLICE("GET"),
               omni_config_key(&runner->key, prefix, "_omnidaemon_start_time", none));
    redis_send(r, on_start_time, runner, 1, OV_SLICE("GET"),
               omni_config_key(&runner->key, prefix, "_omnidaemon_runner_id", none));
    redis_send(r, on_supervisors, runner, 0, OV_SLICE("GET"),
               omni_config_key(&runner->key, prefix, "_supervisor_registry", none));
}

/* ---------------------------------------------------------------- storage in JSON */

static void read_json_config(struct runner *runner, struct json_object *config)
{
    struct json_object *value;
    if (json_object_object_get_ex(config, "_omnidaemon_start_time", &value))
        take_start_time(runner, value);
    if (json_object_object_get_ex(config, "_omnidaemon_runner_id", &value))
        take_runner_id(runner, value);
    json_object_object_foreach(config, name, entry)
        if (strncmp(name, "supervisor:", 11) == 0)
            take_supervisor(runner, ov_slice(name + 11), entry);
}

static void say_unreadable(struct runner *runner, const char *why)
{
    ov_buf_printf(&runner->supervisors_why, "%s/config.json cannot be read: %s",
                  runner->omni.json_dir, why);
    ov_problem(runner->host, "config.json", "%s; OmniDaemon is about to write it over",
               ov_buf_text(&runner->supervisors_why));
}

static void read_json_storage(struct runner *runner)
{
    struct ov_buf why = {0};
    const char *dir = runner->omni.json_dir;
    if (access(dir, R_OK | X_OK) != 0) {
        ov_buf_printf(&why, "storage directory %s: %s", dir, strerror(errno));
        runner->facts.storage_up = false;
        say_why(&runner->facts, ov_buf_text(&why));
    } else if (!json_file_is_absent(dir, "config.json")) {
        struct json_object *config = json_read_file(dir, "config.json", CONFIG_FILE_MAX_BYTES,
                                                    &why);
        if (json_object_is_type(config, json_type_object))
            read_json_config(runner, config);
        else
            say_unreadable(runner, why.len ? ov_buf_text(&why) : "not an object");
        if (config)
            ov_recovered(runner->host, "config.json");
        json_object_put(config);
    }
    ov_buf_free(&why);
}

/* ---------------------------------------------------------------- the bus */

static void on_time(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct runner *runner = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ARRAY && reply->count == 2)
        runner->facts.now_ms = redis_int(&reply->items[0], 0) * 1000 +
                               redis_int(&reply->items[1], 0) / 1000;
    else
        refusals_note(&runner->refusals, REFUSABLE_TIME, OV_SLICE(""), reply);
}

/* The number after "name:" in INFO's text; -1 without. */
static int64_t info_number(struct ov_slice info, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = info.ptr, *end = info.ptr + info.len; at < end;) {
        const char *line_end = memchr(at, '\n', (size_t)(end - at));
        size_t line = line_end ? (size_t)(line_end - at) : (size_t)(end - at);
        if (line > len && memcmp(at, name, len) == 0 && at[len] == ':') {
            size_t digits = strspn(at + len + 1, "0123456789");
            struct redis_reply number = {.type = REDIS_STRING, .text = {at + len + 1, digits}};
            return redis_int(&number, -1);
        }
        at += line + 1;
    }
    return -1;
}

/* Counts the lines of CLIENT LIST that are blocked readers, and those that are not ours. */
static void count_clients(struct runner_facts *facts, struct ov_slice list)
{
    facts->blocked_readers = facts->others = 0;
    while (list.len) {
        const char *end = memchr(list.ptr, '\n', list.len);
        size_t len = end ? (size_t)(end - list.ptr) : list.len;
        facts->blocked_readers += memmem(list.ptr, len, OV_SLICE(" cmd=xreadgroup ").ptr,
                                         OV_SLICE(" cmd=xreadgroup ").len) != NULL;
        facts->others += len && !memmem(list.ptr, len, OV_SLICE(" name=omnivigil ").ptr,
                                        OV_SLICE(" name=omnivigil ").len);
        list.ptr += len + (end != NULL);
        list.len -= len + (end != NULL);
    }
}

static void on_client_list(struct redis *r, const struct redis_reply *reply, void *context,
                           size_t index)
{
    struct runner *runner = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_STRING)
        count_clients(&runner->facts, reply->text);
    else
        refusals_note(&runner->refusals, REFUSABLE_CLIENT_LIST, OV_SLICE(""), reply);
}

static void on_info_clients(struct redis *r, const struct redis_reply *reply, void *context,
                            size_t index)
{
    struct runner *runner = context;
    (void)index;
    if (reply->type != REDIS_STRING) {
        refusals_note(&runner->refusals, REFUSABLE_INFO, OV_SLICE(""), reply);
        return;
    }
    char *copy = ov_memdup(reply->text.ptr, reply->text.len);
    struct ov_slice info = {copy, reply->text.len};
    runner->facts.blocked_clients = info_number(info, "blocked_clients");
    runner->facts.clients = info_number(info, "connected_clients");
    free(copy);
    if (runner->facts.blocked_clients == 0)
        runner->facts.blocked_readers = 0;
    if (runner->facts.clients >= 0 && runner->facts.clients <= CLIENTS_LISTED_MAX)
        redis_send(r, on_client_list, runner, 0, OV_SLICE("CLIENT"), OV_SLICE("LIST"),
                   OV_SLICE("TYPE"), OV_SLICE("normal"));
}

static void on_pending(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t reclaim_idle_ms)
{
    struct runner *runner = context;
    (void)r;
    if (reply->type != REDIS_ARRAY) {
        runner->facts.pending_unknown |= refusals_note(&runner->refusals, REFUSABLE_XPENDING,
                                                       OMNI_STREAM_PREFIX, reply) !=
                                         REDIS_NOGROUP;
        return;
    }
    for (size_t i = 0; i < reply->count; i++) {
        const struct redis_reply *entry = &reply->items[i];
        if (entry->type == REDIS_ARRAY && entry->count >= 4 &&
            redis_int(&entry->items[2], INT64_MAX) <= (int64_t)reclaim_idle_ms)
            runner->facts.any_busy = true;
    }
}

static void ask_clients(struct runner *runner)
{
    redis_send(runner->redis, on_info_clients, runner, 0, OV_SLICE("INFO"), OV_SLICE("clients"));
}

/* Asked only where nobody polls: is that because everybody is busy? The clients are looked at
 * once more, since consumers may have been between two reads. */
static void ask_busy(struct runner *runner)
{
    struct ov_buf group = {0};
    ask_clients(runner);
    for (size_t i = 0; i < runner->registry.agents.count; i++) {
        const struct registry_agent *agent =
            (const struct registry_agent *)runner->registry.agents.entries[i];
        redis_send(runner->redis, on_pending, runner, (size_t)agent->reclaim_idle_ms,
                   OV_SLICE("XPENDING"), omni_stream_key(&runner->key, agent->name.a),
                   omni_group_name(&group, agent->name.a, agent->name.b), OV_SLICE("-"),
                   OV_SLICE("+"), OV_SLICE("100"));
    }
    ov_buf_free(&group);
}

static void ask_key_idle(struct runner *runner)
{
    struct ov_buf group = {0};
    for (size_t i = 0; i < runner->registry.agents.count; i++) {
        const struct pair *agent = runner->registry.agents.entries[i];
        redis_send(runner->redis, on_key_idle, runner, 0, OV_SLICE("OBJECT"), OV_SLICE("IDLETIME"),
                   omni_config_key(&runner->key, runner->omni.prefix, "_subscription_active:",
                                   omni_group_name(&group, agent->a, agent->b)));
    }
    ov_buf_free(&group);
}

/* A consumer is out of its blocking read for a second in six: one look is not enough. */
enum sign runner_polling(const struct runner *runner)
{
    const struct runner_facts *facts = &runner->facts;
    if (facts->freshest_key_ms > KEY_FRESH_MS)
        return SIGN_NO;
    if (facts->blocked_readers >= 0)
        return runner->readers_seen_ms &&
               ov_clock_ms() - runner->readers_seen_ms <= OMNI_FRESH_MS ? SIGN_YES : SIGN_NO;
    return facts->freshest_key_ms >= 0 && facts->blocked_clients > 0 ? SIGN_YES : SIGN_UNKNOWN;
}

static void note_readers(struct runner *runner)
{
    if (runner->facts.blocked_readers > 0)
        runner->readers_seen_ms = ov_clock_ms();
}

/* Whether consumers may just be between two reads, and somebody wants to know: then they are
 * looked for once more, a little later. */
static bool may_poll_unseen(const struct runner *runner)
{
    const struct runner_facts *facts = &runner->facts;
    bool keys_tell = runner->omni.backend == OMNI_REDIS &&
                     !(runner->refusals.now & REFUSED(REFUSABLE_OBJECT));
    if (runner_polling(runner) == SIGN_YES || facts->any_busy ||
        runner->registry.agents.count == 0 || !runner_is_wanted(runner))
        return false;
    return keys_tell ? facts->freshest_key_ms >= 0 && facts->freshest_key_ms <= OMNI_FRESH_MS
                     : facts->freshest_key_ms <= OMNI_FRESH_MS;
}

static int read_redis(struct runner *runner)
{
    bool redis_storage = runner->omni.backend == OMNI_REDIS;
    int result = redis_open(runner->redis);
    if (result == OV_OK) {
        redis_send(runner->redis, on_time, runner, 0, OV_SLICE("TIME"));
        ask_clients(runner);
        if (redis_storage)
            ask_redis_storage(runner);
        registry_load(&runner->registry, runner->redis);
        result = redis_run(runner->redis);
    }
    if (result == OV_OK) {
        registry_finish(&runner->registry);
        if (redis_storage)
            ask_key_idle(runner);
        result = redis_run(runner->redis);
    }
    note_readers(runner);
    if (result == OV_OK && runner_polling(runner) != SIGN_YES) {
        ask_busy(runner);
        result = redis_run(runner->redis);
        note_readers(runner);
    }
    if (result == OV_OK && runner->cycle == 1 && may_poll_unseen(runner)) {
        omni_pause(runner->host, OMNI_UNBLOCKED_MS);
        ask_clients(runner);
        result = redis_run(runner->redis);
        note_readers(runner);
    }
    return result;
}

int runner_read(struct runner *runner)
{
    struct runner_facts *facts = &runner->facts;
    bool redis_storage = runner->omni.backend == OMNI_REDIS;
    runner->cycle++;
    ov_buf_reset(&runner->supervisors_why);
    *facts = (struct runner_facts){
        .now_ms = ov_wall_ns() / 1000000, .bus_up = true, .storage_up = true,
        .start_time = (double)NAN, .blocked_clients = -1, .clients = -1, .blocked_readers = -1,
        .others = -1,
        .freshest_key_ms = -1, .newest_update = (double)NAN,
    };
    int result = read_redis(runner);
    if (result == OV_STOPPED)
        return result;
    if (result == OV_FAILED) {
        facts->bus_up = false;
        facts->bus_fault = redis_fault(runner->redis);
        say_why(facts, redis_why(runner->redis));
        facts->storage_up = !redis_storage;
        if (!redis_storage) { /* the agents are known without the bus */
            registry_load(&runner->registry, runner->redis);
            registry_finish(&runner->registry);
        }
    }
    if (!redis_storage)
        read_json_storage(runner);
    else if (facts->bus_up && !runner->registry.complete) {
        facts->storage_up = false;
        say_refused(runner, REFUSED(REFUSABLE_SSCAN) | REFUSED(REFUSABLE_SMEMBERS));
    }
    if (facts->storage_up && !runner->supervisors_why.len)
        pairs_sweep(&runner->supervisors, runner->cycle, NULL);
    return OV_OK;
}
