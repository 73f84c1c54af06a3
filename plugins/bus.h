/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the `redis_bus` input: what it knows of topics and groups, and who fills it in.
 *
 *     bus_scan.c     which topics and DLQs exist          (SCAN, now and then)
 *     bus_read.c     the order of a gather's commands
 *     bus_topics.c   what each topic is like              (one pipeline)
 *     bus_groups.c   what each group is like              (in the same pipeline)
 *     bus_server.c   what Redis says of itself            (in the same pipeline)
 *     bus_counts.c   what happened on the bus             (follows `omni-metrics`)
 *     bus_samples.c  the samples
 *     redis_bus.c    the plugin: options, and the order of it all
 */
#ifndef BUS_H
#define BUS_H

#include "backlog.h"
#include "event.h"
#include "follow.h"
#include "life.h"
#include "omni.h"
#include "pairs.h"
#include "refusals.h"
#include "registry.h"

struct bus_topic {
    struct pair name;            /* topic, "" */
    struct bus *bus;
    bool configured, registered; /* named in the options; has agents */
    bool read;                   /* XINFO STREAM was answered, or at least XLEN */
    bool length_only;            /* ... of the facts only the length is known */
    bool still;                  /* facts were the same at the last two gathers */
    bool exists;                 /* as a stream */
    bool groups_read;            /* XINFO GROUPS was answered (or there is no stream) */
    uint32_t groups;
    size_t entry_bytes;          /* of the larger of first and last entry */
    uint32_t refused;            /* REFUSED bits of what was asked about it */
    struct stream_facts facts;
};

struct bus_consumer {
    struct ov_slice name;        /* owned */
    int64_t pending, idle_ms, inactive_ms; /* -1: not told */
};

struct bus_group {
    struct pair name;            /* topic, group; the topic is "" for a DLQ without any */
    struct bus *bus;
    struct bus_topic *topic;     /* NULL for a DLQ without a topic */
    const struct registry_agent *agent; /* NULL: none is registered for it */
    bool exists;                 /* the group; false: only agent or DLQ are there */
    bool existed;                /* at the look before */
    bool moved;                  /* entries were read between these two */
    bool orphan;                 /* a DLQ that belongs to no group and no agent */

    struct group_facts facts;
    int64_t consumers, pending;
    struct redis_id oldest_pending;
    bool oldest_pending_read;
    int64_t max_deliveries;      /* -1: not read */
    int64_t youngest_ms;         /* least time since a delivery of a pending entry; -1 */
    int64_t consumer_idle_ms;    /* the least idle consumer's, from Redis 7.2; -1 */
    int64_t key_idle_ms;         /* of _subscription_active; -1 */

    struct backlog backlog;
    int64_t left_at_least;       /* where counting reached its limit; -1 */
    struct redis_id oldest_left;
    bool oldest_left_read;

    bool was_idle;               /* nothing was pending at the look before */
    bool dlq_empty;              /* when it was last asked for */
    int64_t dlq_length;          /* -1: not read */
    int64_t dlq_added;           /* -1: not told */
    struct redis_id dlq_newest;

    struct bus_consumer *consumer_list; /* with the option `consumers` */
    size_t consumer_list_count;
    int64_t consumers_omitted;
    uint32_t refused;            /* REFUSED bits of what was asked about it; of XINFO STREAM, XLEN
                                    about its DLQ */

    /* kept from cycle to cycle */
    struct backlog_memory backlog_memory;
    struct life_memory life_memory;
    int64_t reclaim_idle_ms;     /* the agent's, 0: not read */
    uint32_t config_cycle;       /* when that was read */
};

/* A group as XINFO GROUPS tells it. */
struct bus_group_info {
    struct ov_slice name;        /* of the reply */
    int64_t consumers, pending;  /* -1: not told */
    struct group_facts facts;
};

/* Counters from `omni-metrics`, kept for as long as the state is. */
struct bus_counts {
    struct pair name;            /* topic, group */
    uint64_t processed, reclaim_attempts, reclaimed, dlq_pushes;
};

/* What Redis says of itself; -1 or empty: not told. */
struct bus_server {
    int64_t now_ms;              /* TIME; the host's clock until that is answered */
    char version[32], role[16], policy[32];
    int version_number;          /* 70015 for 7.0.15; 0: not told */
    int64_t uptime_s, memory_used, memory_limit, memory_peak, clients, blocked_clients;
    int64_t evicted, keys_total;
    bool loading;
};

/* A topic or a DLQ's group that a scan found. */
struct bus_found {
    struct pair name;            /* name, ""; seen: the scan's pass */
    uint32_t met;                /* the gather that met the DLQ's group */
};

struct bus_scan {
    char cursor[24];
    bool running, completed;     /* a pass is under way; at least one was finished */
    bool no_type;                /* Redis before 6.0: SCAN has no TYPE */
    uint32_t pass;
    int64_t next_ms;             /* when the next pass begins, on ov_clock_ms */
    int steps_left;
    int64_t deadline_ms;
};

struct bus {
    /* options */
    struct omni_options omni;
    struct ov_list topic_names, topic_patterns;
    int64_t scan_interval_ms;
    bool with_consumers;
    int64_t consumers_max;
    int64_t count_max, stream_limit;

    struct ov_host *host;
    struct redis *redis;
    struct registry registry;
    uint32_t cycle;
    bool memory_is_strange;      /* what is loaded is nothing to compare this one look with */
    struct bus_server server;
    int64_t blocked_seen_ms;     /* when a client was last seen in a blocking read; 0: never */
    bool nobody_blocks;          /* none is, for longer than consumers take between two reads */
    struct pairs topics;         /* struct bus_topic */
    struct pairs groups;         /* struct bus_group */
    struct pairs found_topics, found_dlqs; /* struct bus_found */
    struct bus_scan scan;
    struct refusals refusals;

    struct follow follow;
    struct follow_pass counting;
    bool follow_started;         /* counters mean something */
    struct event_reader *reader;
    struct pairs counts;         /* struct bus_counts */

    struct bus_group **dlq_asked; /* groups whose DLQs are asked for together, in this gather */
    size_t dlq_asked_count, dlq_asked_cap, dlq_sent;
    size_t topics_awaited;       /* whose groups are not told yet */

    struct ov_buf key, group_key; /* scratch for key names */
};

/* Whether the options ask for this topic. */
bool bus_wants(const struct bus *bus, struct ov_slice topic);
/* Whether a first pass over the keyspace has to be made before the gather; bus_scan_run makes it,
 * bus_scan_step goes on with a pass by a few steps or begins one that is due. */
int bus_scan_run(struct bus *bus) OV_MUST_CHECK;
void bus_scan_step(struct bus *bus);

/* Sends what `server` is filled in from. */
void bus_server_ask(struct bus *bus);
/* Finds out whether nobody blocks; at the very first look that may take a second one, a little
 * later. As redis_run. */
int bus_server_blocked(struct bus *bus) OV_MUST_CHECK;

/* Asks for a topic and its groups, once a gather. */
void bus_topic_ask(struct bus *bus, struct ov_slice name, bool configured, bool registered);
/* The id in a reply; 0-0 where it is none. */
struct redis_id bus_reply_id(const struct redis_reply *reply);

/* The group's entry, emptied of what the last gather found. The topic may be NULL. */
struct bus_group *bus_group_see(struct bus *bus, struct bus_topic *topic,
                                struct ov_slice topic_name, struct ov_slice name);
/* Takes one group of XINFO GROUPS apart; false where it is none. */
bool bus_group_info(const struct redis_reply *reply, struct bus_group_info *info);
/* Fills in a group, and asks for the rest. */
void bus_group_read(struct bus_topic *topic, const struct bus_group_info *info);
/* Asks whether it is paused: reading that leaves a trace before Redis 7.2. */
void bus_group_ask_value(struct bus_group *group);
/* Asks for a group's DLQ, together with others; bus_dlqs_send sends what is still held back. */
void bus_group_ask_dlq(struct bus_group *group);
void bus_dlqs_send(struct bus *bus);

/* Fills in topics, groups and server. As redis_run. */
int bus_read(struct bus *bus) OV_MUST_CHECK;
void bus_group_free(void *group);

/* Follow `omni-metrics` along with what one redis_run handles, which returned `status`. Fails with
 * the connection only; a refusal is told and passed over. */
void bus_counts_begin(struct bus *bus);
int bus_counts_end(struct bus *bus, int status) OV_MUST_CHECK;
struct bus_counts *bus_counts_add(struct bus *bus, struct ov_slice topic, struct ov_slice group);
void bus_save(const struct bus *bus, struct ov_buf *out);
int bus_load(struct bus *bus, struct ov_slice saved) OV_MUST_CHECK;

/* Whether somebody wants to know who works for groups. */
bool bus_wants_life(const struct bus *bus);
/* Whether the agent of a group is silent; and whether one is only if nobody blocks. */
bool bus_group_is_silent(const struct bus_group *group);
bool bus_needs_blocked(const struct bus *bus);
extern const struct ov_measurement *const bus_measurements[];
void bus_samples(struct bus *bus, struct ov_batch *batch);
/* The one sample there is when Redis cannot be read. */
void bus_sample_down(struct bus *bus, struct ov_batch *batch);

#endif
