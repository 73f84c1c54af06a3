/* SPDX-License-Identifier: Apache-2.0 */
/* Processor time is read from each process' own clock, which counts nanoseconds for any process
 * of the same user; INFO's figures are the same ones after a round trip. */
#include "bench.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIRST_EVENT_MS UINT64_C(1700000000000)

void die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("bench: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

long number_argument(const char *text, const char *what, long most)
{
    char *end;
    errno = 0;
    long value = text ? strtol(text, &end, 10) : -1;
    if (!text || errno || end == text || *end || value < 0 || value > most)
        die("%s: not a number from 0 to %ld: %s", what, most, text ? text : "(missing)");
    return value;
}

/* ---------------------------------------------------------------- Redis */

redisContext *redis_dial(long port)
{
    redisContext *redis = redisConnectWithTimeout("127.0.0.1", (int)port, (struct timeval){5, 0});
    if (!redis || redis->err)
        die("no Redis on port %ld: %s", port, redis ? redis->errstr : "out of memory");
    redisSetTimeout(redis, (struct timeval){60, 0});
    return redis;
}

void redis_discard(redisContext *redis)
{
    redis->reader->fn = NULL;
}

void redis_flush(redisContext *redis)
{
    for (int done = 0; !done;)
        if (redisBufferWrite(redis, &done) != REDIS_OK)
            die("Redis is gone: %s", redis->errstr);
}

redisReply *redis_receive(redisContext *redis)
{
    void *reply = NULL;
    if (redisGetReply(redis, &reply) != REDIS_OK)
        die("Redis is gone: %s", redis->errstr);
    if (redis->reader->fn && ((redisReply *)reply)->type == REDIS_REPLY_ERROR)
        die("Redis refuses: %s", ((redisReply *)reply)->str);
    return reply;
}

static void pipeline_wait(struct pipeline *p, size_t most)
{
    for (; p->waiting > most; p->waiting--)
        freeReplyObject(redis_receive(p->redis));
}

void pipeline_send(struct pipeline *p, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (redisvAppendCommand(p->redis, format, args) != REDIS_OK)
        die("out of memory");
    va_end(args);
    if (++p->waiting == WINDOW)
        pipeline_wait(p, WINDOW / 2);
}

void pipeline_end(struct pipeline *p)
{
    pipeline_wait(p, 0);
}

const char *const agents[2] = {"writer", "reviewer"};

void topic_name(char name[48], unsigned long i)
{
    snprintf(name, 48, "bench.%05lu.tasks", i);
}

void event_id(size_t i, char id[48])
{
    snprintf(id, 48, "%" PRIu64 "-%zu", FIRST_EVENT_MS + i / 4, i % 4);
}

/* ---------------------------------------------------------------- meters */

static double seconds_of(clockid_t clock)
{
    struct timespec t;
    if (clock_gettime(clock, &t) != 0)
        die("cannot read a clock: %s", strerror(errno));
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_seconds(pid_t pid)
{
    clockid_t clock;
    int error = clock_getcpuclockid(pid, &clock);
    if (error)
        die("no processor time of process %ld: %s", (long)pid, strerror(error));
    return seconds_of(clock);
}

double clock_seconds(void)
{
    return seconds_of(CLOCK_MONOTONIC);
}

void pause_ms(long ms)
{
    if (ms > 0)
        nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static struct cost cost_now(pid_t client, pid_t server)
{
    return (struct cost){clock_seconds(), cpu_seconds(client), cpu_seconds(server)};
}

struct meter meter_start(pid_t client, pid_t server)
{
    return (struct meter){client, server, cost_now(client, server)};
}

struct cost meter_read(const struct meter *meter)
{
    struct cost now = cost_now(meter->client, meter->server);
    return (struct cost){now.wall - meter->began.wall, now.client - meter->began.client,
                         now.server - meter->began.server};
}

static int compare(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return (values[(count - 1) / 2] + values[count / 2]) / 2;
}

void costs_print(struct cost *costs, size_t count)
{
    double *values = calloc(count, sizeof *values), medians[3];
    if (!values || !count)
        die("nothing was measured");
    for (size_t part = 0; part < 3; part++) {
        for (size_t i = 0; i < count; i++)
            values[i] = part == 0 ? costs[i].wall : part == 1 ? costs[i].client : costs[i].server;
        medians[part] = median(values, count) * 1e3;
    }
    printf("%.6g %.6g %.6g\n", medians[0], medians[1], medians[2]);
    free(values);
}
