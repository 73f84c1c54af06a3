/* SPDX-License-Identifier: Apache-2.0 */
/* The agents OmniDaemon has registered, by topic, from either storage backend. */
#ifndef REGISTRY_H
#define REGISTRY_H

#include "omni.h"
#include "pairs.h"
#include "refusals.h"

struct registry_topic;

struct registry_agent {
    struct pair name;            /* topic, agent */
    struct registry_topic *topic;
    int64_t consumer_count;      /* 1 by default */
    int64_t reclaim_idle_ms;     /* OMNI_RECLAIM_IDLE_MS by default */
    int64_t dlq_retry_limit;     /* 3 by default */
    bool detailed;               /* the three above were read */
};

struct registry_topic {
    struct pair name;            /* topic, "" */
    struct registry *registry;
    uint32_t asked;              /* the load that last asked for its agents */
    int64_t agents;              /* how many it has, with count_only */
};

struct registry {
    struct pairs topics;         /* struct registry_topic */
    struct pairs agents;         /* struct registry_agent */
    uint32_t cycle;
    bool complete;               /* the last load got everything */
    bool listed;                 /* ... and `topics` is what it found */

    /* set by the owner before a load */
    const struct omni_options *options;
    struct refusals *refusals;
    bool details;                /* read the agents' configurations too */
    bool count_only;             /* only count the agents */
    void (*on_topic)(void *context, struct ov_slice topic); /* NULL, or called with each */
    void *context;
    struct ov_buf key;
};

/* Of more topics than this, not all is asked for at each load. While their number stays the same
 * they are listed at every sixth load only, and the agents of a sixth of them are asked for, in
 * turn; those of a new topic at once. */
#define REGISTRY_ALL_MAX 50
#define REGISTRY_TURNS 6

/* Begins a load: from Redis it sends commands (results are there after redis_run), from JSON it
 * reads the file at once. What is no longer registered is gone after registry_finish. */
void registry_load(struct registry *registry, struct redis *r);
void registry_finish(struct registry *registry);
void registry_free(struct registry *registry);

/* How many agents there are, with count_only or without. */
int64_t registry_count(const struct registry *registry);
const struct registry_agent *registry_find(const struct registry *registry, struct ov_slice topic,
                                           struct ov_slice agent);

/* Reads {"consumer_count": 2, ...} as it stands in an agent's `config`. */
void registry_read_config(struct registry_agent *agent, struct ov_slice json);

#endif
