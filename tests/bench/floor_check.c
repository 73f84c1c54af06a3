/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The least a check can be: a program that has loaded the libraries omnivigil has, and asks Redis
 * one PING.
 *
 *     floor_check PORT
 */
#include <json-c/json.h>
#include <yaml.h>

#include "bench.h"

int main(int argc, char **argv)
{
    int major, minor, patch;
    if (argc != 2)
        die("usage: floor_check PORT");
    yaml_get_version(&major, &minor, &patch);
    json_object_put(json_object_new_int(major));
    redisContext *redis = redis_dial(number_argument(argv[1], "port", 65535));
    redisReply *reply = redisCommand(redis, "PING");
    if (!reply)
        die("no answer");
    freeReplyObject(reply);
    redisFree(redis);
    return 0;
}
