/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receiver of lines and the one socket that is connected to it: opened when there is something
 * to send, shut at an error, and compared with what its name means now every so often. Each wait
 * ends at the instance's deadline or when it is asked to stop. One thread at a time.
 */
#ifndef PEER_H
#define PEER_H

#include "address.h"

struct peer {
    struct ov_host *host;
    struct address address;
    int64_t resolve_ms; /* how often its name is looked up again */

    int fd;             /* -1: not connected */
    int64_t resolved_ms; /* when that was last done */
    struct ov_lookup *lookup;
    unsigned turn;      /* which of several addresses comes first; moves on at a failure */
};

void peer_init(struct peer *peer, struct ov_host *host);
/* Connects, if it is not. OV_FAILED with ov_fail's text, OV_STOPPED. */
int peer_open(struct peer *peer) OV_MUST_CHECK;
/* The next open looks the name up, and begins with another of its addresses. */
void peer_shut(struct peer *peer);
/* All of it; NULL-safe to the last member, also without peer_init as long as `fd` is not 0. */
void peer_free(struct peer *peer);

/* Waits until the socket is ready for `events`. OV_FAILED: not in time; OV_STOPPED. */
int peer_wait(struct peer *peer, short events) OV_MUST_CHECK;
/* Waits at most that long for an error to arrive; OV_STOPPED, else OV_OK. */
int peer_listen(struct peer *peer, int64_t ns) OV_MUST_CHECK;
/* The error that arrived at the socket since the last call, or 0. */
int peer_error(struct peer *peer);
/* ov_fail for errno `error`, with the address. */
int peer_fail(struct peer *peer, const char *what, int error);

#endif
