/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results in Redis. The index is read from its newest end in steps, by rank: what is saved
 * meanwhile moves entries on, which are then met again, and known by the order they stand in.
 * Of each result no more than its beginning is asked for.
 */
#include <math.h>
#include <stdio.h>

#include "call_refused.h"
#include "json_text.h"
#include "results.h"

enum {
    STEP = 50,
    TELL_FROM = 1000, /* fewer are looked at in no time */
};

struct place {
    size_t at, len;          /* of the id, in `ids` */
    double saved_at;
    int64_t size, ttl_ms;    /* as STRLEN and PTTL tell; ttl_ms -2: there is none */
};

struct look {
    struct results *results;
    struct redis *redis;
    struct ov_slice task_id; /* the one that is wanted */
    struct ov_buf ids, key, last_id;
    struct place places[STEP];
    size_t count;            /* of places */
    size_t met;              /* entries of this step, those met before included */
    double last_saved_at;
    bool stopped;
    const char *command;     /* the one that was refused */
    enum redis_fault fault;
    struct ov_buf why;
};

static void note_fault(struct look *look, const char *command, const struct redis_reply *reply)
{
    if (look->fault)
        return;
    look->command = command;
    look->fault = reply->type == REDIS_ERROR ? redis_reply_fault(reply) : REDIS_PROTOCOL;
    ov_buf_slice(&look->why, reply->text);
}

static struct ov_slice storage_key(struct look *look, const char *kind, struct ov_slice id)
{
    const struct ov_slice none = {NULL, 0};
    return omni_storage_key(&look->key, look->results->storage->omni.prefix, kind, id, none);
}

/* ---------------------------------------------------------------- one result */

static void on_size(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct look *look = context;
    (void)r;
    if (reply->type == REDIS_INTEGER)
        look->places[index].size = reply->integer;
    else if (redis_reply_fault(reply) != REDIS_WRONGTYPE)
        note_fault(look, "STRLEN", reply);
}

static void on_ttl(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct look *look = context;
    (void)r;
    if (reply->type == REDIS_INTEGER)
        look->places[index].ttl_ms = reply->integer;
    else
        note_fault(look, "PTTL", reply);
}

/* The last of a result's replies. */
static void on_record(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct look *look = context;
    struct results *results = look->results;
    const struct place *place = &look->places[index];
    const bool wrong = redis_reply_fault(reply) == REDIS_WRONGTYPE;
    (void)r;
    if (reply->type != REDIS_STRING && !wrong)
        note_fault(look, "GETRANGE", reply);
    if (look->fault || look->stopped)
        return;
    results->looked++;
    if (!wrong && reply->text.len == 0 && (place->size > 0 || place->ttl_ms == -2)) {
        results->gone++;
        results->gone_saved_at = place->saved_at;
        return;
    }
    struct result result = {
        .task_id = {look->ids.data + place->at, place->len}, .saved_at = place->saved_at,
        .expires_at = place->ttl_ms < 0 ? (double)NAN
                                        : (double)(results->now_ms + place->ttl_ms) / 1e3,
        .size = place->size, .record = wrong ? OV_SLICE("") : reply->text,
        .flaw = wrong ? "no text" : NULL,
    };
    look->stopped = !results->fn(results->context, &result);
}

static void ask(struct look *look, struct ov_slice id, double saved_at)
{
    char last[24];
    size_t index = look->count++;
    snprintf(last, sizeof last, "%zu", look->results->bytes_max - 1);
    look->places[index] = (struct place){.at = look->ids.len, .len = id.len, .ttl_ms = -1,
                                         .saved_at = saved_at};
    ov_buf_slice(&look->ids, id);
    struct ov_slice key = storage_key(look, "result", id);
    redis_send(look->redis, on_size, look, index, OV_SLICE("STRLEN"), key);
    redis_send(look->redis, on_ttl, look, index, OV_SLICE("PTTL"), key);
    redis_send(look->redis, on_record, look, index, OV_SLICE("GETRANGE"), key, OV_SLICE("0"),
               ov_slice(last));
}

/* ---------------------------------------------------------------- the index */

/* Whether that stands where an earlier step was, or before. */
static bool met_before(const struct look *look, struct ov_slice id, double saved_at)
{
    struct ov_slice last = {look->last_id.data, look->last_id.len};
    if (!last.len || saved_at != look->last_saved_at)
        return last.len && saved_at > look->last_saved_at;
    int order = memcmp(id.ptr, last.ptr, id.len < last.len ? id.len : last.len);
    return order > 0 || (order == 0 && id.len >= last.len);
}

/* [id, score, id, score ...] */
static void on_index(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct look *look = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_ARRAY) {
        note_fault(look, "ZREVRANGE", reply);
        return;
    }
    look->met = reply->count / 2;
    for (size_t i = 0; i + 1 < reply->count && look->count < STEP; i += 2) {
        struct ov_slice id = reply->items[i].text;
        double saved_at = json_text_number(reply->items[i + 1].text);
        if (met_before(look, id, saved_at))
            continue;
        ask(look, id, saved_at);
        ov_buf_reset(&look->last_id);
        ov_buf_slice(&look->last_id, id);
        look->last_saved_at = saved_at;
    }
}

static void on_card(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct look *look = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        look->results->total = reply->integer;
    else
        note_fault(look, "ZCARD", reply);
}

static void on_time(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct look *look = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ARRAY && reply->count == 2)
        look->results->now_ms = redis_int(&reply->items[0], 0) * 1000 +
                                redis_int(&reply->items[1], 0) / 1000;
}

/* An id that is not in the index may have a result all the same. */
static void on_score(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct look *look = context;
    (void)r;
    (void)index;
    look->results->total = reply->type == REDIS_STRING;
    if (reply->type == REDIS_STRING || reply->type == REDIS_NIL)
        ask(look, look->task_id, json_text_number(reply->text));
    else
        note_fault(look, "ZSCORE", reply);
}

/* An enum ov_exit; says a fault. */
static int settle(struct look *look)
{
    struct results *results = look->results;
    if (redis_run(look->redis) != OV_OK)
        return ov_call_unable(results->call, "%s", redis_why(look->redis));
    if (!look->fault)
        return OV_EXIT_FINE;
    return call_refused(results->call, look->command, storage_key(look, "result*",
                        (struct ov_slice){NULL, 0}), look->fault,
                        (struct ov_slice){look->why.data, look->why.len});
}

static int read_index(struct look *look)
{
    struct results *results = look->results;
    const struct ov_slice none = {NULL, 0};
    int64_t rank = 0;
    int status;
    redis_send(look->redis, on_card, look, 0, OV_SLICE("ZCARD"),
               storage_key(look, "results:index", none));
    do {
        char first[24], last[24];
        snprintf(first, sizeof first, "%lld", (long long)rank);
        snprintf(last, sizeof last, "%lld", (long long)(rank + STEP - 1));
        look->count = look->met = 0;
        ov_buf_reset(&look->ids);
        redis_send(look->redis, on_index, look, 0, OV_SLICE("ZREVRANGE"),
                   storage_key(look, "results:index", none), ov_slice(first), ov_slice(last),
                   OV_SLICE("WITHSCORES"));
        status = settle(look);
        rank += STEP;
        if (rank >= TELL_FROM)
            ov_call_progress(results->call, "results looked at", results->looked, 0);
    } while (status == OV_EXIT_FINE && !look->stopped && look->met == STEP &&
             results->looked < RESULTS_LOOK_MAX);
    return status;
}

static int read_one(struct look *look)
{
    redis_send(look->redis, on_score, look, 0, OV_SLICE("ZSCORE"),
               storage_key(look, "results:index", (struct ov_slice){NULL, 0}), look->task_id);
    return settle(look);
}

int results_read_redis(struct results *results, struct ov_slice task_id)
{
    struct look look = {
        .results = results, .redis = results->storage->redis, .task_id = task_id,
    };
    if (redis_open(look.redis) != OV_OK)
        return ov_call_unable(results->call, "%s", redis_why(look.redis));
    results->now_ms = ov_wall_ns() / 1000000;
    redis_send(look.redis, on_time, &look, 0, OV_SLICE("TIME"));
    int status = task_id.ptr ? read_one(&look) : read_index(&look);
    ov_buf_free(&look.ids);
    ov_buf_free(&look.key);
    ov_buf_free(&look.last_id);
    ov_buf_free(&look.why);
    return status;
}
