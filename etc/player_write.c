/* SPDX-License-Identifier: Apache-2.0 */
/*
 * player_write.c: what OmniDaemon 0.1.1 writes, command by command and byte by byte: Python's JSON
 * with its separators, its order of keys and its floats, approximate caps, expiry times.
 */
#include "player.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *url;
static redisContext *redis;
static char runner_id[40];
static uint64_t random_state;

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("player: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void random_seed(uint64_t seed)
{
    random_state = seed;
}

uint64_t random_bits(void)
{
    uint64_t z = (random_state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double random_unit(void)
{
    return (double)(random_bits() >> 11) / 9007199254740992.0;
}

static void random_uuid(char text[40])
{
    uint64_t a = random_bits(), b = random_bits();
    snprintf(text, 40, "%08x-%04x-4%03x-%04x-%012" PRIx64, (unsigned)(a >> 32),
             (unsigned)(a >> 16) & 0xffff, (unsigned)a & 0xfff,
             0x8000 | ((unsigned)(b >> 48) & 0x3fff), b & UINT64_C(0xffffffffffff));
}

/* A float as Python's repr writes it: the shortest text that reads back the same. */
static struct number {
    char text[32];
} number(double value)
{
    struct number n;
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(n.text, sizeof n.text, "%.*g", digits, value);
        if (strtod(n.text, NULL) == value)
            break;
    }
    if (!strpbrk(n.text, ".e"))
        strcat(n.text, ".0");
    return n;
}

redisReply *command(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    redisReply *reply = redisvCommand(redis, format, args);
    va_end(args);
    if (!reply)
        die("Redis is gone: %s", redis->errstr);
    if (reply->type == REDIS_REPLY_ERROR && strncmp(reply->str, "BUSYGROUP", 9) != 0)
        die("Redis refuses: %s", reply->str);
    return reply;
}

static redisContext *dial(void)
{
    const struct timeval patience = {5, 0};
    redisContext *context = NULL;
    if (strncmp(url, "unix://", 7) == 0) {
        context = redisConnectUnixWithTimeout(url + 7, patience);
    } else if (strncmp(url, "redis://", 8) == 0) {
        char host[256];
        int port = 6379, used = 0;
        if (sscanf(url + 8, "%255[^:/]%n:%d", host, &used, &port) < 1 || used == 0)
            die("no host in %s", url);
        context = redisConnectWithTimeout(host, port, patience);
    } else {
        die("cannot play on %s: redis://HOST[:PORT] or unix:///PATH", url);
    }
    if (!context || context->err)
        die("no Redis at %s: %s", url, context ? context->errstr : "out of memory");
    redisSetTimeout(context, patience);
    return context;
}

void redis_connect(const char *where)
{
    url = where;
    redis = dial();
    redisReply *taken = command("EXISTS omni:topics omni:metrics:stream omni-metrics");
    if (taken->integer)
        die("the Redis at %s holds OmniDaemon's data; the player is for an empty one", url);
    freeReplyObject(taken);
    random_uuid(runner_id);
}

void redis_disconnect(void)
{
    redisFree(redis);
}

/* ---------------------------------------------------------------- the bus */

void wait_begin(struct agent *a, int consumer)
{
    int done = 0;
    if (!a->reader)
        a->reader = dial();
    redisAppendCommand(a->reader, "XREADGROUP GROUP %s consumer:%s-%d COUNT 10 BLOCK 5000 "
                       "STREAMS %s >", a->group, a->name, consumer, a->stream);
    while (!done)
        if (redisBufferWrite(a->reader, &done) != REDIS_OK)
            die("Redis is gone: %s", a->reader->errstr);
}

redisReply *wait_reply(struct agent *a)
{
    struct pollfd readable = {.fd = a->reader->fd, .events = POLLIN};
    void *reply = NULL;
    if (poll(&readable, 1, 0) != 1)
        return NULL;
    if (redisGetReply(a->reader, &reply) != REDIS_OK)
        die("Redis is gone: %s", a->reader->errstr);
    return reply;
}

void wait_abandon(struct agent *a)
{
    if (a->reader)
        redisFree(a->reader);
    a->reader = NULL;
}

void write_event(const struct topic *topic)
{
    char data[512], id[40];
    random_uuid(id);
    snprintf(data, sizeof data,
             "{\"content\": %s, \"webhook\": null, \"reply_to\": null, \"topic\": \"%s\", "
             "\"task_id\": \"%s\", \"correlation_id\": null, \"causation_id\": null, "
             "\"source\": \"player\", \"delivery_attempts\": 1, \"created_at\": %s}",
             topic->content, topic->name, id, number(now()).text);
    RUN("XADD omni-stream:%s MAXLEN ~ %d * data %s", topic->name, topic->maxlen, data);
}

static void bus_metric(const struct agent *a, const char *event, const struct task *t)
{
    char data[512];
    snprintf(data, sizeof data,
             "{\"topic\": \"%s\", \"event\": \"%s\", \"msg_id\": \"%s\", \"group\": \"%s\", "
             "\"consumer\": \"consumer:%s-%d\", \"timestamp\": %s}",
             a->topic, event, t->id, a->group, a->name, t->consumer, number(now()).text);
    RUN("XADD omni-metrics MAXLEN ~ 1000000 * data %s", data);
}

/* The event with `more` added to its delivery_attempts, as a reclaim does; to be freed. */
static char *event_text(const struct task *t, int more)
{
    static const char key[] = "\"delivery_attempts\": ";
    const char *at = strstr(t->data, key);
    char *text = NULL, *end = NULL;
    long attempts = at ? strtol(at + sizeof key - 1, &end, 10) : 0;
    if (!at || more == 0)
        text = strdup(t->data);
    else if (asprintf(&text, "%.*s%s%ld%s", (int)(at - t->data), t->data, key, attempts + more,
                      end) < 0)
        text = NULL;
    if (!text)
        die("out of memory");
    return text;
}

void write_dead_letter(const struct agent *a, const struct task *t)
{
    int retries = t->retry - 1;
    char *event = event_text(t, retries), *data = NULL;
    if (asprintf(&data,
                 "{\"topic\": \"%s\", \"original_stream\": \"%s\", \"original_id\": \"%s\", "
                 "\"failed_message\": %s, \"error\": \"Max retries (%d) exceeded\", "
                 "\"retry_count\": %d, \"failed_at\": %s}",
                 a->topic, a->stream, t->id, event, 1 + a->retry_limit, retries,
                 number(now()).text) < 0)
        die("out of memory");
    RUN("XADD omni-dlq:%s MAXLEN ~ 10000 * data %s", a->group, data);
    RUN("XACK %s %s %s", a->stream, a->group, t->id);
    RUN("HDEL retry_counts:%s %s", a->group, t->id);
    bus_metric(a, "dlq_push", t);
    free(event);
    free(data);
}

void write_reclaim_attempt(const struct agent *a, const struct task *t)
{
    bus_metric(a, "reclaim_attempt", t);
}

/* ---------------------------------------------------------------- the store */

static void save_metric(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void save_metric(const char *format, ...)
{
    char data[1024];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(data, sizeof data, format, args);
    va_end(args);
    double at = now();
    snprintf(data + len, sizeof data - (size_t)len, ", \"timestamp\": %s, \"saved_at\": %s}",
             number(at).text, number(at + 2e-6).text);
    RUN("XADD omni:metrics:stream MAXLEN ~ 100000 * data %s", data);
}

/* The task's id as it stands in the event, or an empty one. */
static void task_id(const struct task *t, char id[64])
{
    static const char key[] = "\"task_id\": \"";
    const char *at = strstr(t->data, key);
    const char *end = at ? strchr(at + sizeof key - 1, '"') : NULL;
    int len = end ? (int)(end - at) - (int)(sizeof key - 1) : 0;
    snprintf(id, 64, "%.*s", len < 63 ? len : 63, len ? at + sizeof key - 1 : "");
}

static void task_metric(const struct agent *a, const struct task *t, const char *event,
                        const char *more)
{
    char id[64];
    task_id(t, id);
    save_metric("{\"topic\": \"%s\", \"agent\": \"%s\", \"runner_id\": \"%s\", \"event\": \"%s\", "
                "\"task_id\": \"%s\"%s",
                a->topic, a->name, runner_id, event, id, more);
}

static void save_result(const struct agent *a, const struct task *t)
{
    char id[64], *event = event_text(t, t->retry), *data = NULL;
    double at = now();
    task_id(t, id);
    event[strlen(event) - 1] = '\0'; /* the closing brace comes later */
    if (asprintf(&data,
                 "{\"task_id\": \"%s\", \"result\": %s, \"processing_consumer\": "
                 "\"consumer:%s-%d\", \"agent\": \"%s\", \"runner_id\": \"%s\", \"status\": "
                 "\"completed\", \"result\": {\"answer\": \"done\"}, \"timestamp\": %s}, "
                 "\"saved_at\": %s}",
                 id, event, a->name, t->consumer, a->name, runner_id, number(at).text,
                 number(at + 5e-6).text) < 0)
        die("out of memory");
    RUN("SETEX omni:result:%s 86400 %s", id, data);
    RUN("ZADD omni:results:index %s %s", number(now()).text, id);
    free(event);
    free(data);
}

void write_received(const struct agent *a, const struct task *t)
{
    task_metric(a, t, "task_received", "");
}

void write_processed(const struct agent *a, const struct task *t)
{
    char more[64];
    snprintf(more, sizeof more, ", \"processing_time_sec\": %s", number(now() - t->started).text);
    save_result(a, t);
    task_metric(a, t, "task_processed", more);
    RUN("XACK %s %s %s", a->stream, a->group, t->id);
    if (t->retry)
        RUN("HDEL retry_counts:%s %s", a->group, t->id);
    bus_metric(a, t->retry ? "reclaimed" : "processed", t);
}

void write_failed(const struct agent *a, const struct task *t, const char *type, const char *error)
{
    char more[256];
    snprintf(more, sizeof more,
             ", \"msg_id\": null, \"error\": \"%s\", \"error_type\": \"%s\"", error, type);
    task_metric(a, t, "task_failed", more);
}

void write_supervisor(const struct agent *a, const char *state)
{
    char pid[16] = "null", data[512];
    if (a->pid)
        snprintf(pid, sizeof pid, "%d", a->pid);
    bool running = strcmp(state, "running") == 0;
    snprintf(data, sizeof data,
             "{\"agent_name\": \"%s\", \"state\": \"%s\", \"healthy\": %s, \"pid\": %s, "
             "\"start_time\": %s, \"cpu_percent\": %s, \"memory_mb\": %s, \"total_requests\": %d, "
             "\"restart_count\": %d, \"last_heartbeat\": %s, \"last_updated\": %s}",
             a->name, state, running ? "true" : "false", pid, number(a->start_time).text,
             number(a->last_heartbeat > 0 ? (double)(random_bits() % 80) / 10 : 0).text,
             number(a->last_heartbeat > 0 ? 60 + a->requests / 16.0 : 0).text, a->requests,
             a->restarts, number(a->last_heartbeat).text, number(now()).text);
    RUN("SET omni:config:supervisor:%s %s", a->name, data);
}

void write_state_change(const struct agent *a, const char *from, const char *to)
{
    save_metric("{\"event\": \"agent_state_change\", \"agent_name\": \"%s\", \"old_state\": "
                "\"%s\", \"new_state\": \"%s\"",
                a->name, from, to);
    write_supervisor(a, to);
}

void write_registration(const struct agent *a, bool first)
{
    char config[160];
    snprintf(config, sizeof config,
             "{\"reclaim_idle_ms\": %d, \"dlq_retry_limit\": %d, \"consumer_count\": %d}",
             a->reclaim_idle_ms, a->retry_limit, a->consumers);
    if (a->supervised)
        RUN("SET omni:config:_supervisor_registry [\"%s\"]", a->name);
    RUN("MULTI");
    RUN("HSET omni:agent:%s:%s name %s callback_name callback tools %s description %s config %s "
        "topic %s created_at %s",
        a->topic, a->name, a->name, "[]", a->description, config, a->topic, number(now()).text);
    RUN("SADD omni:agents:topic:%s %s", a->topic, a->name);
    RUN("SADD omni:topics %s", a->topic);
    RUN("EXEC");
    RUN("XGROUP CREATE %s %s $ MKSTREAM", a->stream, a->group);
    RUN("SET omni:config:_subscription_active:%s true", a->group);
    if (first) {
        RUN("SET omni:config:_omnidaemon_start_time %s", number(now()).text);
        RUN("SET omni:config:_omnidaemon_runner_id \"%s\"", runner_id);
    }
}

void write_runner_stopped(void)
{
    RUN("SET omni:config:_omnidaemon_start_time null");
    RUN("SET omni:config:_omnidaemon_runner_id null");
}
