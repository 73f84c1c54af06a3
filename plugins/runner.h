/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the `runner` input.
 *
 *     runner_read.c     what the bus and storage say of runner, agents and supervisors
 *     tasks.c           task events, counted
 *     health.c          the status made of it
 *     runner_samples.c  the samples
 *     runner.c          the plugin: options, and the order of it all
 */
#ifndef RUNNER_H
#define RUNNER_H

#include "follow.h"
#include "follow_file.h"
#include "health.h"
#include "omni.h"
#include "registry.h"
#include "tasks.h"

/* A supervised agent as its supervisor last wrote it down. Supervisors know agents by name only. */
struct supervisor {
    struct pair name;              /* agent, "" */
    struct runner *runner;
    char state[16];
    int healthy;                   /* 1, 0, -1: not told */
    int64_t restarts, requests, pid; /* -1: not told */
    double cpu_percent, memory_mb; /* NaN: not told */
    double last_heartbeat, last_updated, start_time;
};

/* What one gather read. */
struct runner_facts {
    int64_t now_ms;
    bool bus_up, storage_up;
    enum redis_fault bus_fault;
    char why[512];                 /* what is wrong with the bus or storage */
    double start_time;             /* NaN: none is stored */
    char runner_id[128];
    int64_t blocked_clients, clients; /* -1: not told */
    int64_t blocked_readers;       /* clients in XREADGROUP; -1: not told */
    int64_t others;                /* clients that are no monitors of ours; -1: not told */
    int64_t freshest_key_ms;       /* least idle time of the subscription keys; -1: not told */
    bool any_busy, pending_unknown;
    double newest_update;          /* of a supervisor that runs; NaN: none */
};

struct runner {
    /* options */
    struct omni_options omni;
    int64_t window_ms;

    struct ov_host *host;
    struct redis *redis;
    struct refusals refusals;
    struct registry registry;
    uint32_t cycle;
    struct runner_facts facts;
    int64_t readers_seen_ms;       /* when a client was last seen in XREADGROUP; 0: never */
    struct pairs supervisors;      /* struct supervisor */
    struct ov_buf supervisors_why; /* why they could not be read; empty: they were */
    struct ov_buf uncounted_why;   /* why tasks could not be counted */
    struct event_reader *reader;
    struct tasks tasks;
    struct follow follow;          /* storage in Redis */
    struct follow_file follow_file; /* storage in JSON */
    bool counted;                  /* the counters mean something */
    struct ov_buf key;
};

/* Fills in facts, registry and supervisors. OV_OK also when the bus or storage is down (the facts
 * say so), else as redis_run. */
int runner_read(struct runner *runner) OV_MUST_CHECK;

/* Whether consumers of OmniDaemon wait in a blocking read, or did a moment ago. */
enum sign runner_polling(const struct runner *runner);

/* What was read, as signs to judge the runner by. */
struct runner_signs runner_signs(const struct runner *runner);

/* Whether somebody looks at what the runner does. */
bool runner_is_wanted(const struct runner *runner);
extern const struct ov_measurement *const runner_measurements[];
void runner_samples(struct runner *runner, struct ov_batch *batch);

#endif
