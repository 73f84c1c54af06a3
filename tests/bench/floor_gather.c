/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor of a gather: the commands that `record` has written, sent again in one pipeline with
 * the least a client can do, replies parsed and dropped.
 *
 *     floor_gather PORT REDIS_PID FILE TIMES PAUSE_MS
 *
 * With a pause before each time the caches are as cold as those of an agent that sleeps between
 * its gathers; without one they are as warm as they can be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

struct commands {
    char *bytes;
    size_t *ends; /* where each command ends */
    size_t count;
};

static char *read_file(const char *path, size_t *len)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die("cannot read %s", path);
    long size = ftell(file);
    char *bytes = size > 0 ? malloc((size_t)size + 1) : NULL;
    rewind(file);
    if (!bytes || fread(bytes, 1, (size_t)size, file) != (size_t)size)
        die("cannot read %s, or it is empty", path);
    fclose(file);
    bytes[size] = '\0';
    *len = (size_t)size;
    return bytes;
}

/* The number in a header like "*3\r\n"; moves *at behind it. */
static size_t header(const char **at, char kind)
{
    char *end;
    if (**at != kind)
        die("the record is damaged");
    size_t value = strtoul(*at + 1, &end, 10);
    *at = end + 2;
    return value;
}

static struct commands read_commands(const char *path)
{
    size_t len, cap = 0;
    struct commands commands = {read_file(path, &len), NULL, 0};
    const char *at = commands.bytes, *end = at + len;
    while (at < end) {
        for (size_t words = header(&at, '*'); words > 0; words--) {
            size_t bytes = header(&at, '$');
            if (bytes > (size_t)(end - at))
                die("the record is damaged");
            at += bytes + 2;
        }
        if (commands.count == cap) {
            cap = cap ? cap * 2 : 1024;
            commands.ends = realloc(commands.ends, cap * sizeof *commands.ends);
            if (!commands.ends)
                die("out of memory");
        }
        commands.ends[commands.count++] = (size_t)(at - commands.bytes);
    }
    return commands;
}

/* Commands up to `next` go out in one piece. */
static void send_up_to(redisContext *redis, const struct commands *commands, size_t sent,
                       size_t next)
{
    size_t begin = sent ? commands->ends[sent - 1] : 0, end = commands->ends[next - 1];
    if (redisAppendFormattedCommand(redis, commands->bytes + begin, end - begin) != REDIS_OK)
        die("out of memory");
    redis_flush(redis);
}

static void gather(redisContext *redis, const struct commands *commands)
{
    size_t sent = 0, received = 0;
    while (received < commands->count) {
        if (sent < commands->count && sent - received <= WINDOW / 2) {
            size_t next = received + WINDOW < commands->count ? received + WINDOW
                                                              : commands->count;
            send_up_to(redis, commands, sent, next);
            sent = next;
        }
        redis_receive(redis);
        received++;
    }
}

int main(int argc, char **argv)
{
    if (argc != 6)
        die("usage: floor_gather PORT REDIS_PID FILE TIMES PAUSE_MS");
    redisContext *redis = redis_dial(number_argument(argv[1], "port", 65535));
    pid_t server = (pid_t)number_argument(argv[2], "process", INT32_MAX);
    struct commands commands = read_commands(argv[3]);
    size_t times = (size_t)number_argument(argv[4], "times", 10000);
    long pause = number_argument(argv[5], "pause", 60000);
    struct cost *costs = calloc(times + 1, sizeof *costs);
    if (!costs)
        die("out of memory");
    redis_discard(redis);
    gather(redis, &commands); /* the first warms up */
    for (size_t i = 0; i < times; i++) {
        pause_ms(pause);
        struct meter meter = meter_start(0, server);
        gather(redis, &commands);
        costs[i] = meter_read(&meter);
    }
    costs_print(costs, times);
    redisFree(redis);
    free(commands.bytes);
    free(commands.ends);
    free(costs);
    return 0;
}
