/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the benchmark programs share: a connection to the private Redis, a pipeline for filling it,
 * and meters. Everything here ends the program with a message when it cannot go on.
 */
#ifndef BENCH_H
#define BENCH_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define WINDOW 500 /* commands without a reply */

void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* A decimal argument from 0 to `most`. */
long number_argument(const char *text, const char *what, long most);

redisContext *redis_dial(long port);
/* From here on replies are parsed and dropped without building anything. */
void redis_discard(redisContext *redis);
void redis_flush(redisContext *redis);
/* Waits for the next reply; an error among them ends the program. */
redisReply *redis_receive(redisContext *redis);

/* Commands whose replies nobody wants, WINDOW of them on the way at most. The format is hiredis'
 * own, which knows %s and %lu, but no %zu. */
struct pipeline {
    redisContext *redis;
    size_t waiting;
};
void pipeline_send(struct pipeline *p, const char *format, ...);
void pipeline_end(struct pipeline *p);

/* The id of event i of the metrics stream. */
void event_id(size_t i, char id[48]);
void topic_name(char name[48], unsigned long i);
extern const char *const agents[2]; /* of each topic */

/* Seconds: on the clock, of a client's processor time, of Redis' own. */
struct cost {
    double wall, client, server;
};
struct meter {
    pid_t client, server; /* 0: this process */
    struct cost began;
};
double clock_seconds(void);
void pause_ms(long ms);
struct meter meter_start(pid_t client, pid_t server);
struct cost meter_read(const struct meter *meter);
double median(double *values, size_t count);
/* Prints the medians: "wall client server" in milliseconds. */
void costs_print(struct cost *costs, size_t count);

#endif
