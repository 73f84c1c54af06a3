/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands for the consumers of `fill PORT topics N` (or `streams`) until it is killed: one blocks in
 * a read, as all would, and the subscription keys of all are read every 5 s, a few at a time.
 *
 *     poll PORT topics|streams N
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

enum { STEP_MS = 50, STEPS = 5000 / STEP_MS };

static void block(redisContext *redis)
{
    char topic[48];
    topic_name(topic, 0);
    if (redisAppendCommand(redis, "XREADGROUP GROUP group:%s:%s consumer:%s-1 BLOCK 0 STREAMS "
                           "omni-stream:%s >", topic, agents[0], agents[0], topic) != REDIS_OK)
        die("out of memory");
    redis_flush(redis);
}

static void read_keys(struct pipeline *p, unsigned long begin, unsigned long end)
{
    char topic[48];
    for (unsigned long i = begin; i < end; i++) {
        topic_name(topic, i / 2);
        pipeline_send(p, "GET omni:config:_subscription_active:group:%s:%s", topic, agents[i & 1]);
    }
    pipeline_end(p);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        die("usage: poll PORT topics|streams N");
    long port = number_argument(argv[1], "port", 65535);
    unsigned long keys = (unsigned long)number_argument(argv[3], "count", 10000000) * 2;
    struct pipeline p = {redis_dial(port), 0};
    block(redis_dial(port));
    if (argv[2][0] == 's')
        keys = 0;
    for (unsigned long step = 0;; step = (step + 1) % STEPS) {
        read_keys(&p, keys * step / STEPS, keys * (step + 1) / STEPS);
        pause_ms(STEP_MS);
    }
}
