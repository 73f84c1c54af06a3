/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"

void peer_init(struct peer *peer, struct ov_host *host)
{
    peer->host = host;
    peer->fd = -1;
}

static void peer_close(struct peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    peer->fd = -1;
}

void peer_shut(struct peer *peer)
{
    peer_close(peer);
    peer->turn++;
}

void peer_free(struct peer *peer)
{
    peer_close(peer);
    ov_lookup_drop(peer->lookup);
    peer->lookup = NULL;
}

int peer_fail(struct peer *peer, const char *what, int error)
{
    const struct address *a = &peer->address;
    if (a->kind == ADDRESS_UNIX)
        return ov_fail(peer->host, "cannot %s %s: %s", what, a->host, strerror(error));
    return ov_fail(peer->host, "cannot %s %s port %s: %s", what, a->host, a->port,
                   strerror(error));
}

/* ---------------------------------------------------------------- waiting */

/* What poll says of the socket; 0 when `ns` have passed, -1 at a stop. */
static int watch(struct peer *peer, short events, int64_t ns)
{
    struct pollfd fds[] = {
        {.fd = peer->fd, .events = events},
        {.fd = ov_host_stop_fd(peer->host), .events = POLLIN},
    };
    for (int64_t end = ov_clock_ns() + ns;;) {
        int64_t left = end - ov_clock_ns();
        if (left < 0)
            left = 0;
        struct timespec timeout = {(time_t)(left / 1000000000), (long)(left % 1000000000)};
        int ready = ppoll(fds, OV_COUNT(fds), &timeout, NULL);
        if (ready > 0)
            return fds[0].revents ? fds[0].revents : -1;
        if (left == 0)
            return 0;
    }
}

static int stopped(struct peer *peer)
{
    ov_fail(peer->host, "stopped before all was sent");
    return OV_STOPPED;
}

int peer_wait(struct peer *peer, short events)
{
    int64_t left = ov_host_deadline(peer->host) - ov_clock_ms();
    int seen = left > 0 ? watch(peer, events, left * 1000000) : 0;
    if (seen < 0)
        return stopped(peer);
    return seen ? OV_OK : peer_fail(peer, "send to", ETIMEDOUT);
}

int peer_listen(struct peer *peer, int64_t ns)
{
    return watch(peer, 0, ns) < 0 ? stopped(peer) : OV_OK;
}

int peer_error(struct peer *peer)
{
    int error = 0;
    socklen_t len = sizeof error;
    return getsockopt(peer->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 ? error : errno;
}

/* ---------------------------------------------------------------- connecting */

/* A connected socket, or -1 with errno. */
static int connect_one(struct peer *peer, int family, int type, const void *to, socklen_t len)
{
    int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    int error = connect(fd, to, len) == 0 ? 0 : errno;
    if (error == EINPROGRESS) {
        int before = peer->fd;
        peer->fd = fd;
        error = peer_wait(peer, POLLOUT) == OV_OK ? peer_error(peer) : ETIMEDOUT;
        peer->fd = before;
    }
    if (!error)
        return fd;
    close(fd);
    errno = error;
    return -1;
}

static int connect_unix(struct peer *peer)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    memcpy(to.sun_path, peer->address.host, strlen(peer->address.host));
    int fd = connect_one(peer, AF_UNIX, SOCK_DGRAM, &to, sizeof to);
    if (fd < 0)
        return peer_fail(peer, "connect to", errno);
    peer_close(peer);
    peer->fd = fd;
    return OV_OK;
}

static int socket_type(const struct peer *peer)
{
    return peer->address.kind == ADDRESS_TCP ? SOCK_STREAM : SOCK_DGRAM;
}

/* Tries all addresses, from the one on whose turn it is. */
static int connect_any(struct peer *peer, const struct addrinfo *found)
{
    unsigned count = 0;
    for (const struct addrinfo *a = found; a; a = a->ai_next)
        count++;
    for (unsigned i = 0; i < count && !ov_host_stopping(peer->host); i++) {
        const struct addrinfo *a = found;
        for (unsigned skip = (peer->turn + i) % count; skip; skip--)
            a = a->ai_next;
        int fd = connect_one(peer, a->ai_family, socket_type(peer), a->ai_addr, a->ai_addrlen);
        if (fd < 0) {
            peer_fail(peer, "connect to", errno);
            continue;
        }
        peer_close(peer);
        peer->fd = fd;
        return OV_OK;
    }
    return ov_host_stopping(peer->host) ? OV_STOPPED : OV_FAILED;
}

static bool is_connected_to(const struct peer *peer, const struct addrinfo *found)
{
    struct sockaddr_storage now = {0};
    socklen_t len = sizeof now;
    if (getpeername(peer->fd, (struct sockaddr *)&now, &len) != 0)
        return false;
    for (; found; found = found->ai_next)
        if (found->ai_addrlen == len && memcmp(found->ai_addr, &now, len) == 0)
            return true;
    return false;
}

static int look_up(struct peer *peer, int64_t deadline_ms, struct addrinfo **found)
{
    const char *why;
    const struct ov_lookup_name name = {peer->address.host, peer->address.port, socket_type(peer)};
    int status = ov_lookup(&peer->lookup, peer->host, &name, deadline_ms, found, &why);
    if (status == OV_FAILED)
        ov_fail(peer->host, "cannot resolve %s: %s", name.host, why);
    return status;
}

/* Follows a name that moved. What is connected stays so as long as nothing better is known: the
 * lookup is not waited for, and its failure is no failure of the output. */
static void peer_refresh(struct peer *peer)
{
    struct addrinfo *found = NULL;
    int status = OV_OK;
    if (peer->address.kind == ADDRESS_UNIX) {
        status = connect_unix(peer);
    } else {
        status = look_up(peer, 0, &found);
        if (peer->lookup)
            return;
        if (status == OV_OK && !is_connected_to(peer, found))
            connect_any(peer, found);
        if (found)
            freeaddrinfo(found);
    }
    peer->resolved_ms = ov_clock_ms();
    if (status == OV_OK)
        ov_recovered(peer->host, "resolve");
    else if (status == OV_FAILED)
        ov_problem(peer->host, "resolve", "what %s means cannot be found out anew; sending to "
                   "where it was", peer->address.host);
}

int peer_open(struct peer *peer)
{
    struct addrinfo *found = NULL;
    if (peer->fd >= 0) {
        if (ov_clock_ms() - peer->resolved_ms >= peer->resolve_ms)
            peer_refresh(peer);
        return OV_OK;
    }
    peer->resolved_ms = ov_clock_ms();
    if (peer->address.kind == ADDRESS_UNIX)
        return connect_unix(peer);
    int status = look_up(peer, ov_host_deadline(peer->host), &found);
    if (status == OV_OK)
        status = connect_any(peer, found);
    if (found)
        freeaddrinfo(found);
    return status == OV_STOPPED ? stopped(peer) : status;
}
