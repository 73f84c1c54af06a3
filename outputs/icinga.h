/* SPDX-License-Identifier: Apache-2.0 */
/* An instance of the output `icinga`, for the files it consists of: icinga.c fills it in,
 * icinga_encode.c turns samples into results, icinga_deliver.c sends them. */
#ifndef ICINGA_H
#define ICINGA_H

#include "icinga_name.h"
#include "icinga_services.h"
#include "post.h"
#include "url.h"
#include "webhook_memory.h"

struct icinga {
    /* options */
    char *url, *user, *password, *host_name, *service, *heartbeat, *create, *check_source;
    int64_t refresh_ms, ttl_ms;
    struct post_tls tls;

    /* fixed from open on */
    struct ov_host *host;
    const char *source; /* of the results */
    char own_name[256];
    struct icinga_names *names;

    /* shared, with a lock of its own */
    struct memory *newest; /* by service: the newest result, until it is done with */

    /* encode's */
    struct icinga_services *services;
    uint64_t serial;               /* of the results of this process */
    int64_t listed_ms, gap_ms;     /* when alerts were listed last, and the time before that */
    int64_t beat_ms;               /* when the heartbeat was sent last, INT64_MIN before */
    int64_t now_ms;                /* of the batch under way, */
    bool listing;                  /* which lists alerts */
    struct ov_emit *emit;
    struct ov_buf key, text, record; /* scratch */

    /* send's */
    struct url target;
    struct post *post;
};

/* A way to the API; NULL with ov_fail's text. */
struct post *icinga_post_new(const struct icinga *icinga, const struct url *target,
                             const char *method);
void icinga_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit);
enum ov_sent icinga_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome);

#endif
