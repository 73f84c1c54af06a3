/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of `struct redis`, which redis.c (the pipeline) and redis_login.c (making sure of a
 * connection) share. */
#ifndef REDIS_CLIENT_H
#define REDIS_CLIENT_H

#include "redis_transport.h"
#include "redis_url.h"

struct redis_pending {
    redis_reply_fn *fn; /* NULL: nobody waits for it any more */
    void *context;
    size_t index;
};

/* The commands that wait for their reply: a ring of `cap` places, a power of two. */
struct redis_queue {
    struct redis_pending *places;
    size_t cap, first, count;
};

struct redis {
    const struct redis_options *options;
    struct ov_host *host;
    struct redis_url url;
    struct ov_buf place;   /* "host:port" */
    struct ov_buf bad_url; /* why the address cannot be read; empty when it can */

    struct redis_link link;
    const struct redis_transport *transport; /* NULL: no connection */
    const struct redis_transport *tls;       /* NULL until its module was needed */
    struct redis_reader *reader;
    bool answered;     /* at least once on this connection */
    bool write_broken; /* what the server said before it closed may still be read */
    bool in_reply;     /* a reply function is running */
    int64_t progress_ms; /* when the last byte moved */

    struct ov_buf out;
    size_t written; /* bytes of `out` that are gone */
    struct redis_queue pending;

    int status; /* OV_OK while there is a connection */
    enum redis_fault fault;
    struct ov_buf why;

    /* The first commands of a connection, and redis_open's PING. */
    enum redis_fault refusal; /* of the first one that was refused */
    struct ov_buf refused;    /* the same in words */
    int64_t ping_ns;
    double latency_ms;
    unsigned wrong_logins; /* in a row */
    int64_t next_login_ms;

    char in[16 << 10];
};

/* Notes a failure: puts the place before `what` and the remedy behind it. */
void redis_note(struct redis *r, enum redis_fault fault, const char *what);
/* The same, and sets ov_fail's text. Returns OV_FAILED. */
int redis_explain(struct redis *r, enum redis_fault fault, const char *what);
/* The same, and ends the connection. */
int redis_fail(struct redis *r, enum redis_fault fault, const char *what);
/* Ends the connection, because the agent is stopping. Returns OV_STOPPED. */
int redis_stop(struct redis *r);
/* Begins to use the link, which `transport` has connected. */
void redis_begin(struct redis *r, const struct redis_transport *transport);
void redis_hang_up(struct redis *r);
/* Forgets who sent the commands that wait for a reply; the replies are dropped. */
void redis_disown(struct redis *r);

#endif
