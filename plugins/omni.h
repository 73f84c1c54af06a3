/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OmniDaemon calls things: where it keeps its data, from the options or from its own
 * environment variables, and the names of its keys.
 */
#ifndef OMNI_H
#define OMNI_H

#include "omnivigil.h"
#include "redis.h"

enum omni_backend { OMNI_JSON, OMNI_REDIS };

struct omni_options {
    struct redis_options redis;
    int backend;      /* enum omni_backend */
    char *prefix;     /* of the storage's keys in Redis */
    char *json_dir;   /* the storage's directory */
};

extern const char *const omni_backend_names[];

/* The rows of a plugin's option table for a `struct omni_options` that is `member` of `owner`. */
#define OMNI_OPTION_ROWS(owner, member)                                                            \
    REDIS_OPTION_ROWS(owner, member.redis),                                                        \
    {                                                                                              \
        .name = "storage", .type = OV_OPT_ENUM, .offset = offsetof(owner, member.backend),         \
        .fallback = "json", .env = "STORAGE_BACKEND", .choices = omni_backend_names,               \
        .help = "where OmniDaemon keeps agents, results and task metrics"                          \
    },                                                                                             \
    {                                                                                              \
        .name = "key_prefix", .type = OV_OPT_STRING, .offset = offsetof(owner, member.prefix),     \
        .fallback = "omni", .env = "REDIS_KEY_PREFIX",                                             \
        .help = "prefix of OmniDaemon's storage keys in Redis"                                     \
    },                                                                                             \
    {                                                                                              \
        .name = "json_dir", .type = OV_OPT_STRING, .offset = offsetof(owner, member.json_dir),     \
        .fallback = ".omnidaemon_data", .env = "JSON_STORAGE_DIR",                                 \
        .help = "directory of OmniDaemon's JSON storage"                                           \
    }

#define OMNI_STREAM_PREFIX OV_SLICE("omni-stream:")
#define OMNI_DLQ_PREFIX OV_SLICE("omni-dlq:")
#define OMNI_BUS_METRICS OV_SLICE("omni-metrics")

/* Times OmniDaemon works with, in milliseconds. */
enum {
    OMNI_POLL_MS = 6000,             /* a consumer's turn: it blocks for 5 s, and its client's
                                        timeout of 5 s then often costs it another second, in
                                        which it does not block */
    OMNI_FRESH_MS = OMNI_POLL_MS + 2000, /* what was touched within this may be in use */
    OMNI_UNBLOCKED_MS = 1200,        /* longer than a consumer is out of its blocking read */
    OMNI_RECLAIM_LOOP_MS = 30000,    /* between two looks of a reclaim loop */
    OMNI_RECLAIM_IDLE_MS = 180000,   /* default reclaim_idle_ms */
    OMNI_HEARTBEAT_MS = 60000,       /* of a supervisor */
};

/* Key names, built into `key` (emptied first); the result points into it. */
struct ov_slice omni_stream_key(struct ov_buf *key, struct ov_slice topic);
struct ov_slice omni_dlq_key(struct ov_buf *key, struct ov_slice group);
struct ov_slice omni_group_name(struct ov_buf *key, struct ov_slice topic, struct ov_slice agent);
/* "<prefix>:<kind>[:<topic>[:<agent>]]"; a part whose ptr is NULL is left out. */
struct ov_slice omni_storage_key(struct ov_buf *key, const char *prefix, const char *kind,
                                 struct ov_slice topic, struct ov_slice agent);
struct ov_slice omni_config_key(struct ov_buf *key, const char *prefix, const char *name,
                                struct ov_slice rest);

/* The agent of a group that is called as OmniDaemon calls it, "group:<topic>:<agent>"; false for
 * a custom name. The topic must be known: the name alone does not tell where it ends. */
bool omni_group_agent(struct ov_slice group, struct ov_slice topic, struct ov_slice *agent);

/* Sleeps, unless the agent stops; no longer than half the time left until the host's deadline. */
void omni_pause(struct ov_host *host, int64_t ms);

/* Age in seconds of an entry id or a Unix time in ms, against `now_ms`; never negative. NaN for
 * what is no time of OmniDaemon's: before 2001, or more than a day ahead. */
double omni_age(int64_t now_ms, uint64_t at_ms);

#endif
