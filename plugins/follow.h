/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows a capped stream from a remembered position, so that what is counted from it is exact:
 * every entry once, however the stream is trimmed, and what was trimmed before it could be read
 * is known by number.
 *
 * How: XINFO STREAM tells first entry, newest id and (from Redis 7.0) how many were ever added;
 * XREAD COUNT 1000 reads on from the position, the next request sent before the entries of the
 * last are handed over. A stream whose newest id is behind the position, or whose added count
 * went down, is another one under the same name. If its ids are behind, reading starts at its
 * beginning, unless it begins as the known one did: then it is an older copy of that (a Redis
 * that lost its last minutes, a replica that took over), and what it holds was read before.
 */
#ifndef FOLLOW_H
#define FOLLOW_H

#include "redis.h"

#define FOLLOW_UNKNOWN UINT64_MAX

struct follow {
    struct redis_id position;   /* what is up to here was handed over or is counted as missed;
                                 * 0-0 before the first */
    struct redis_id first;      /* the stream's first entry when it was last looked at */
    bool started;               /* position, first and added hold something */
    uint64_t added;             /* of all that were ever added, so many are handed over, counted
                                 * as missed or older than our start; or FOLLOW_UNKNOWN */
    uint64_t entries;           /* handed over, ever */
    uint64_t missed;            /* trimmed or deleted before they could be read, ever */
    uint64_t gaps;              /* times that happened; before Redis 7.0, which does not tell the
                                 * number, times that it may have happened */
    uint64_t restarts;          /* times the stream was another one, or an older copy */
    bool behind;                /* the last pass ended before the end of the stream */
    int64_t length;             /* of the stream when it was last looked at; -1: no such stream */
    uint32_t count;             /* entries to ask for at once: fewer where they are large */
};

/* Called for each entry in order with the value of its field `data` (other fields are skipped;
 * an entry without it has an empty slice). */
typedef void follow_entry_fn(void *context, struct redis_id id, struct ov_slice data);

/* One reading of what was added; the inside of follow.c. */
struct follow_pass {
    struct follow *f;
    struct ov_host *host;
    struct ov_slice key;
    follow_entry_fn *fn;
    void *context;
    int64_t stop_at_ms;        /* no further request from then on */
    struct redis_id newest;    /* the end, as XINFO told it ... */
    uint64_t added;            /* ... and how many were added by then, or FOLLOW_UNKNOWN */
    size_t asked;              /* the COUNT of the request under way; 0 before the first */
    bool settled;              /* everything up to `newest` is accounted for */
    enum redis_fault refused;
};

/* Reads everything between the position and the end as it was when it began, as far as the
 * host's deadline allows (the last quarter of the time until then is left for others); the rest
 * is left for the next pass (`behind`). The first pass reads all there is; what was trimmed before
 * it does not count as missed. Begun before a redis_run, among whatever else is sent, and ended
 * with that one's result:
 *
 *     follow_begin(&pass, &f, r, host, key, on_entry, context);
 *     status = follow_end(&pass, redis_run(r), &refused);
 *
 * All that is given must live until the end. A key that does not exist is OV_OK with `length` -1
 * and everything else as it was. On OV_FAILED the position is that of the last entry handed over,
 * so nothing is read twice. An error reply (NOPERM, WRONGTYPE) or one that makes no sense
 * (REDIS_PROTOCOL) is OV_FAILED with the text in ov_fail and leaves the connection usable;
 * *refused is then set to its fault, otherwise to REDIS_FINE. Never blocks in Redis. */
void follow_begin(struct follow_pass *pass, struct follow *f, struct redis *r, struct ov_host *host,
                  struct ov_slice key, follow_entry_fn *fn, void *context);
int follow_end(struct follow_pass *pass, int status, enum redis_fault *refused) OV_MUST_CHECK;

/* All that must survive a restart, as one line without spaces, and back; false and an empty
 * `f` if it is not such. */
void follow_write(const struct follow *f, struct ov_buf *out);
bool follow_read(struct follow *f, struct ov_slice text);

#endif
