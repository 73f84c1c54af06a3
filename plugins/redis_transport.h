/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What carries bytes between the client and Redis: five functions over one link. Plain sockets
 * are in redis_plain.c. TLS is spoken over a plain link that is connected already, and is a
 * module of its own (redis_tls.c), loaded when an address asks for it.
 *
 * Only `connect` waits, never beyond the link's deadline or the host's wish to stop.
 */
#ifndef REDIS_TRANSPORT_H
#define REDIS_TRANSPORT_H

#include <sys/types.h>

#include "redis.h"

struct redis_url;

struct redis_link {
    struct ov_host *host;        /* whose stop descriptor ends every wait */
    const struct redis_url *url; /* where, and how to verify it */
    int64_t deadline_ms;         /* of `connect`, on ov_clock_ms */

    int fd;    /* -1 when not connected */
    void *tls; /* of the TLS transport alone */
    struct ov_lookup *lookup; /* one that took longer than its deadline */

    /* Why the last function failed: the kind, and what happened in one clause. */
    enum redis_fault fault;
    char why[256];
};

/* What read and write return when they moved no byte. */
enum { REDIS_LINK_WAIT = 0, REDIS_LINK_BROKEN = -1 };

struct redis_transport {
    /* OV_OK, OV_STOPPED, or OV_FAILED with `fault` and `why`. */
    int (*connect)(struct redis_link *link);
    /* The number of bytes moved, REDIS_LINK_WAIT when none can be moved now, or
     * REDIS_LINK_BROKEN with `fault` and `why` (also when the server closed the connection).
     * After a WAIT of write, the next write must begin with the same bytes. */
    ssize_t (*read)(struct redis_link *link, void *bytes, size_t size);
    ssize_t (*write)(struct redis_link *link, const void *bytes, size_t len);
    /* To poll once read has returned WAIT. */
    int (*descriptor)(const struct redis_link *link);
    void (*close)(struct redis_link *link); /* also of a link that is not connected */
};

extern const struct redis_transport redis_plain_transport;
/* `redis_tls_transport` of the module `redis_tls`: its connect expects `fd` to be connected. */

/* Notes why and returns OV_FAILED. */
int redis_link_fail(struct redis_link *link, enum redis_fault fault, const char *format, ...)
    OV_PRINTF(3, 4);
/* The same for an error of the system, in the system's words. */
int redis_link_fail_errno(struct redis_link *link, int error);
/* Waits for `events` on `fd` (-1: for time to pass). OV_OK, OV_STOPPED, or OV_FAILED at
 * `deadline_ms`, which the caller puts into words. */
int redis_link_wait(const struct redis_link *link, int fd, short events, int64_t deadline_ms);

#endif
