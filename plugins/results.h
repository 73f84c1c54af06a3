/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What OmniDaemon's storage holds of tasks that were done: one result a task, by its id.
 *
 *     results_redis.c   keys of their own, which expire, in an index, which does not
 *     results_json.c    one file, in which they stay when they have expired
 *
 * Expired ones are passed over and counted.
 */
#ifndef RESULTS_H
#define RESULTS_H

#include "storage.h"

struct result {
    struct ov_slice task_id;
    double saved_at;         /* Unix seconds; NaN: not known */
    double expires_at;       /* NaN: never, or not known */
    int64_t size;            /* bytes, as stored */
    struct ov_slice record;  /* JSON as stored; no more than its beginning where it is shorter than
                              * `size` */
    const char *flaw;        /* why there is no record, or NULL */
};

/* False: that was enough. */
typedef bool result_fn(void *context, const struct result *result);

struct results {
    struct storage *storage;
    struct ov_call *call;
    size_t bytes_max;        /* of a record */
    result_fn *fn;
    void *context;

    /* what came of it */
    int64_t now_ms;          /* by the clock that results expire by */
    int64_t total;           /* entries there are, expired ones included */
    int64_t looked;          /* at so many of them, the newest */
    int64_t gone;            /* of which so many expired or were deleted */
    double gone_saved_at;    /* the last of those; NaN: not known */
};

/* No more of them is looked at. */
#define RESULTS_LOOK_MAX 100000

/* Hands over results, the newest first, or the one of `task_id` where that has a ptr. Returns an
 * enum ov_exit; what is wrong is said. */
int results_read_redis(struct results *results, struct ov_slice task_id) OV_MUST_CHECK;
int results_read_json(struct results *results, struct ov_slice task_id) OV_MUST_CHECK;

#endif
