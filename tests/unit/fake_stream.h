/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis in memory that holds one stream, under the key `k`, and answers XINFO STREAM and XREAD:
 * the functions of redis.h and of the host that follow.c calls. Replies are freed when the
 * function they are handed to returns, so a sanitizer sees whoever keeps one.
 */
#ifndef FAKE_STREAM_H
#define FAKE_STREAM_H

#include "redis.h"

#define FAKE_MOST 20000 /* entries, in all */
#define FAKE_START_MS 1000000
#define FAKE_DEADLINE_MS (FAKE_START_MS + 1000)

struct fake_entry {
    struct redis_id id;
    size_t number, size; /* `data` is the number and `size` more bytes */
};

struct fake_stream {
    bool exists;
    size_t first, end; /* of entries[] */
    struct redis_id newest;
    uint64_t added;
    struct fake_entry entries[FAKE_MOST];
};

struct redis {
    struct fake_stream now, saved;
    size_t next_number;
    uint64_t clock; /* the next entry's id is one more */
    bool redis6;    /* entries-added is not told */

    /* the request under way, at most one */
    redis_reply_fn *fn;
    void *context;
    bool is_info, flushed;
    struct redis_id after;
    size_t count;

    size_t requests, at_once; /* of the last run; the last COUNT */
    void (*arrived)(size_t request); /* called before a request is answered, from 0 in each run */

    /* set by `arrived`: what becomes of the request */
    int status;               /* not OV_OK: no answer, and redis_run returns it */
    char error[64];           /* an error reply */
    char shape[16];           /* how the reply is bent, see reply_bend */
};

struct ov_host {
    char why[512]; /* what ov_fail said */
};

extern int64_t fake_now_ms; /* what ov_clock_ms tells */

/* Entries whose `data` has `size` bytes more than needed. */
void fake_add(struct redis *r, size_t count, size_t size);
void fake_trim(struct redis *r, size_t keep);
void fake_xdel(struct redis *r, uint64_t ms);

#endif
