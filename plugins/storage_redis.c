/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage in Redis. Results expire a day after they were saved, their index does not: so the
 * results there are, are those the index has from the last day, and the rest of it is a leak.
 * Nothing here depends on how many results there are.
 */
#include <math.h>
#include <stdio.h>

#include "storage.h"

enum { RESULT_LIFE_SECONDS = 86400 };

enum wanted { WANT_INDEXED, WANT_METRICS };

static void on_number(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct storage *storage = context;
    (void)r;
    if (reply->type != REDIS_INTEGER)
        refusals_note(&storage->refusals, index == WANT_INDEXED ? REFUSABLE_ZCARD : REFUSABLE_XLEN,
                      OV_SLICE(""), reply);
    else if (index == WANT_INDEXED)
        storage->facts.results_indexed = reply->integer;
    else
        storage->facts.metrics_length = reply->integer;
}

static void on_results(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct storage *storage = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        storage->facts.results = reply->integer;
    else
        refusals_note(&storage->refusals, REFUSABLE_ZCOUNT, OV_SLICE("results:index"), reply);
}

static void on_time(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct storage *storage = context;
    const struct ov_slice none = {NULL, 0};
    char since[40];
    (void)index;
    if (reply->type == REDIS_ARRAY && reply->count == 2)
        storage->facts.now_ms = redis_int(&reply->items[0], 0) * 1000 +
                                redis_int(&reply->items[1], 0) / 1000;
    else
        refusals_note(&storage->refusals, REFUSABLE_TIME, OV_SLICE(""), reply);
    snprintf(since, sizeof since, "%jd.%03d",
             (intmax_t)(storage->facts.now_ms / 1000 - RESULT_LIFE_SECONDS),
             (int)(storage->facts.now_ms % 1000));
    redis_send(r, on_results, storage, 0, OV_SLICE("ZCOUNT"),
               omni_storage_key(&storage->key, storage->omni.prefix, "results:index", none, none),
               ov_slice(since), OV_SLICE("+inf"));
}

static void on_memory(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    static const char word[] = "\nused_memory:";
    struct storage *storage = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_STRING) {
        refusals_note(&storage->refusals, REFUSABLE_INFO, OV_SLICE(""), reply);
        return;
    }
    const char *at = memmem(reply->text.ptr, reply->text.len, word, sizeof word - 1);
    int64_t bytes = 0;
    if (!at)
        return;
    const char *end = reply->text.ptr + reply->text.len;
    at += sizeof word - 1;
    for (; at < end && *at >= '0' && *at <= '9' && bytes < INT64_MAX / 20; at++)
        bytes = bytes * 10 + (*at - '0');
    storage->facts.memory_used = bytes;
}

int storage_read_redis(struct storage *storage)
{
    const struct ov_slice none = {NULL, 0};
    struct redis *r = storage->redis;
    const char *prefix = storage->omni.prefix;
    int result = redis_open(r);
    if (result != OV_OK)
        return result;
    redis_send(r, on_time, storage, 0, OV_SLICE("TIME"));
    redis_send(r, on_memory, storage, 0, OV_SLICE("INFO"), OV_SLICE("memory"));
    redis_send(r, on_number, storage, WANT_INDEXED, OV_SLICE("ZCARD"),
               omni_storage_key(&storage->key, prefix, "results:index", none, none));
    redis_send(r, on_number, storage, WANT_METRICS, OV_SLICE("XLEN"),
               omni_storage_key(&storage->key, prefix, "metrics:stream", none, none));
    registry_load(&storage->registry, r);
    result = redis_run(r);
    if (result != OV_OK)
        return result;
    registry_finish(&storage->registry);
    if (storage->registry.complete) {
        storage->facts.agents = registry_count(&storage->registry);
        storage->facts.topics = (int64_t)storage->registry.topics.count;
    }
    storage->facts.latency_seconds = round(redis_latency_ms(r) * 1e3) / 1e6;
    return OV_OK;
}
