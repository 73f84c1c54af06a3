/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the `storage` input.
 *
 *     storage_redis.c    OmniDaemon's storage in Redis
 *     storage_json.c     its storage in JSON files
 *     storage_samples.c  the samples
 *     storage.c          the plugin
 *     results_*.c        results one by one, for commands
 *     cmd_*.c            the commands
 */
#ifndef STORAGE_H
#define STORAGE_H

#include "omni.h"
#include "registry.h"

enum storage_file { FILE_AGENTS, FILE_RESULTS, FILE_METRICS, FILE_CONFIG, STORAGE_FILES };
extern const char *const storage_file_names[];
/* Larger ones are not read. */
enum { STORAGE_FILE_MAX = 256 * 1024 * 1024 };

/* One file as it was when it was last read; read again only when it changed. */
struct storage_file_facts {
    bool exists, valid, checked; /* checked: `valid` is known */
    int64_t size, mtime_ns, inode;
    int64_t entries;             /* what it holds; -1: not known */
    int64_t agents;              /* agents.json: over all topics */
    double *expiries;            /* results.json: when each expires, sorted; `expiry_count` */
    size_t expiry_count;
    char why[256];               /* why it is not valid */
};

/* What one gather read; -1: not told. */
struct storage_facts {
    bool up;
    const char *fault;           /* a word */
    char why[512];
    int64_t now_ms;
    double latency_seconds;      /* NaN: not measured */
    int64_t agents, topics, results, results_indexed, metrics_length, memory_used;
};

struct storage {
    struct omni_options omni;    /* options */

    struct ov_host *host;
    struct redis *redis;
    struct refusals refusals;
    struct registry registry;
    struct storage_facts facts;
    struct storage_file_facts files[STORAGE_FILES];
    struct ov_buf key;
};

/* As redis_run. */
int storage_read_redis(struct storage *storage) OV_MUST_CHECK;
/* OV_OK, or OV_FAILED when the directory cannot be read. */
int storage_read_json(struct storage *storage) OV_MUST_CHECK;
void storage_files_free(struct storage *storage);

extern const struct ov_measurement *const storage_measurements[];
void storage_samples(struct storage *storage, struct ov_batch *batch);

#endif
