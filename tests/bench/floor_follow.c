/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Floors of following the metrics stream that `fill PORT events N` has made, 1000 entries a
 * request:
 *
 *     floor_follow PORT REDIS_PID N discard TIMES    replies are parsed and dropped
 *     floor_follow PORT REDIS_PID N json TIMES       json-c reads five fields of each event,
 *                                                    while Redis prepares the next reply
 */
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { COUNT = 1000 };

static const char *const fields[] = {"topic", "agent", "event", "processing_time_sec",
                                     "timestamp"};

static void request(redisContext *redis, size_t from)
{
    char id[48] = "0";
    if (from)
        event_id(from - 1, id);
    if (redisAppendCommand(redis, "XREAD COUNT %d STREAMS omni:metrics:stream %s", COUNT, id) !=
        REDIS_OK)
        die("out of memory");
    redis_flush(redis);
}

static size_t read_event(struct json_tokener *tokener, const redisReply *data)
{
    size_t found = 0;
    struct json_object *value;
    json_tokener_reset(tokener);
    struct json_object *event = json_tokener_parse_ex(tokener, data->str, (int)data->len);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (json_object_object_get_ex(event, fields[i], &value))
            found += i == 3 ? json_object_get_double(value) >= 0
                            : json_object_get_string_len(value) > 0;
    json_object_put(event);
    return found;
}

/* [[key, [[id, [name, data]], ...]]] */
static void read_events(struct json_tokener *tokener, const redisReply *reply)
{
    const redisReply *entries = reply->element[0]->element[1];
    for (size_t i = 0; i < entries->elements; i++)
        if (read_event(tokener, entries->element[i]->element[1]->element[1]) < 3)
            die("an event is not what it should be");
}

static void follow(redisContext *redis, size_t count, struct json_tokener *tokener)
{
    request(redis, 0);
    for (size_t done = 0; done < count;) {
        redisReply *reply = redis_receive(redis);
        done += COUNT;
        if (done < count)
            request(redis, done);
        if (!tokener)
            continue;
        read_events(tokener, reply);
        freeReplyObject(reply);
    }
}

int main(int argc, char **argv)
{
    if (argc != 6)
        die("usage: floor_follow PORT REDIS_PID N discard|json TIMES");
    redisContext *redis = redis_dial(number_argument(argv[1], "port", 65535));
    pid_t server = (pid_t)number_argument(argv[2], "process", INT32_MAX);
    size_t count = (size_t)number_argument(argv[3], "count", 100000000);
    struct json_tokener *tokener = strcmp(argv[4], "json") == 0 ? json_tokener_new() : NULL;
    size_t times = (size_t)number_argument(argv[5], "times", 10000);
    struct cost *costs = calloc(times + 1, sizeof *costs);
    if (!costs)
        die("out of memory");
    if (!tokener)
        redis_discard(redis);
    for (size_t i = 0; i < times; i++) {
        struct meter meter = meter_start(0, server);
        follow(redis, count, tokener);
        costs[i] = meter_read(&meter);
    }
    costs_print(costs, times);
    redisFree(redis);
    if (tokener)
        json_tokener_free(tokener);
    free(costs);
    return 0;
}
