/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "stream.h"

static enum ov_sent lost(struct peer *peer, int error, size_t *done)
{
    peer_fail(peer, "send to", error);
    peer_shut(peer);
    *done = 0;
    return OV_RETRY;
}

/* Reads what came in to nowhere. The first write to a connection the other side closed would
 * succeed and be lost: returns the error if that is so, else 0. */
static int drain(struct peer *peer)
{
    char nowhere[4096];
    for (int i = 0; i < 64; i++) {
        ssize_t n = recv(peer->fd, nowhere, sizeof nowhere, MSG_DONTWAIT);
        if (n == 0)
            return ECONNRESET;
        if (n < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : errno;
    }
    return 0;
}

enum ov_sent stream_send(struct peer *peer, struct ov_slice lines, size_t *done)
{
    int error = drain(peer);
    while (!error && *done < lines.len) {
        ssize_t n = send(peer->fd, lines.ptr + *done, lines.len - *done,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n >= 0)
            *done += (size_t)n;
        else if (errno != EAGAIN && errno != EINTR)
            error = errno;
        else if (errno == EAGAIN && peer_wait(peer, POLLOUT) != OV_OK)
            return OV_RETRY;
    }
    return error ? lost(peer, error, done) : OV_SENT;
}
