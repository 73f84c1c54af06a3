/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The player's topics, agents and tasks, and what OmniDaemon writes about them (player_write.c).
 * Everything goes over one connection, from one thread; what fails ends the program with a text.
 */
#ifndef PLAYER_H
#define PLAYER_H

#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdint.h>

#define MAX_TASKS 64

struct topic {
    const char *name;
    double per_second;
    int maxlen;
    const char *content; /* JSON */
    double owed;         /* events not yet published */
};

struct task {
    char id[48];      /* of the stream's entry */
    char *data;       /* the event as it was read, owned */
    int consumer;     /* from 1 */
    int retry;        /* 0: delivered for the first time */
    bool running;     /* false: read, waiting for a slot */
    double started, due;
};

struct agent {
    const char *topic, *name, *description;
    int consumers, reclaim_idle_ms, retry_limit;
    double seconds;      /* a task takes, on average */
    int fail_percent;    /* of first attempts; half of the retries fail then */
    double silent_after; /* seconds until it stops for good without a word; 0: never */
    bool supervised;

    char group[96], stream[96];
    redisContext *reader; /* waits for messages; NULL while nobody does */
    struct task tasks[MAX_TASKS];
    int task_count;
    int consumer;         /* whose turn it is, or was last */
    bool waiting;         /* for messages */
    double next_reclaim, next_heartbeat;
    int requests, restarts, pid; /* pid 0: no process */
    double start_time, last_heartbeat;
    bool crashed_once;
};

void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
double now(void); /* Unix seconds */

/* Dice that fall the same way for the same seed. */
void random_seed(uint64_t seed);
uint64_t random_bits(void);
double random_unit(void); /* from 0 to below 1 */

/* Connects to redis://HOST[:PORT] or unix:///PATH; refuses a Redis with OmniDaemon's data. The
 * URL is kept. */
void redis_connect(const char *url);
void redis_disconnect(void);
/* Sends one command in hiredis' format; the reply is never NULL and to be freed. */
redisReply *command(const char *format, ...);
#define RUN(...) freeReplyObject(command(__VA_ARGS__))

/* A consumer's wait for up to ten messages and 5 s, on a connection of its own as OmniDaemon's:
 * begun, then asked for its reply, which is NULL while there is none. */
void wait_begin(struct agent *a, int consumer);
redisReply *wait_reply(struct agent *a);
void wait_abandon(struct agent *a);

/* The first agent's registration also tells that the runner started. */
void write_registration(const struct agent *a, bool first);
void write_runner_stopped(void);
void write_event(const struct topic *topic);
void write_received(const struct agent *a, const struct task *t);
/* Result, metrics and acknowledgement. */
void write_processed(const struct agent *a, const struct task *t);
void write_failed(const struct agent *a, const struct task *t, const char *type,
                  const char *error);
void write_reclaim_attempt(const struct agent *a, const struct task *t);
/* Moves the task to the dead letter queue. */
void write_dead_letter(const struct agent *a, const struct task *t);
void write_supervisor(const struct agent *a, const char *state);
void write_state_change(const struct agent *a, const char *from, const char *to);

#endif
