/* SPDX-License-Identifier: Apache-2.0 */
/* The transport over plain sockets, TCP and Unix: every address of a name is tried within one
 * deadline, each with its share of the time that is left. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "redis_transport.h"
#include "redis_url.h"

enum { BACKLOG_WAIT_MS = 20 };

static void plain_close(struct redis_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

/* The kernel notices within a minute that a silent peer is gone. */
static void tune(int fd)
{
    const struct {
        int level, name, value;
    } rows[] = {
        {IPPROTO_TCP, TCP_NODELAY, 1},   {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, 30}, {IPPROTO_TCP, TCP_KEEPINTVL, 10},
        {IPPROTO_TCP, TCP_KEEPCNT, 3},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        setsockopt(fd, rows[i].level, rows[i].name, &rows[i].value, sizeof rows[i].value);
}

/* A connect to a closed port among those the system hands out may meet itself. */
static bool met_itself(int fd)
{
    struct sockaddr_storage own = {0}, peer = {0};
    socklen_t own_len = sizeof own, peer_len = sizeof peer;
    return !getsockname(fd, (struct sockaddr *)&own, &own_len) &&
           !getpeername(fd, (struct sockaddr *)&peer, &peer_len) && own_len == peer_len &&
           own.ss_family != AF_UNIX && !memcmp(&own, &peer, own_len);
}

/* Waits until the connect under way has ended; its error goes to `*error`. */
static int await_connect(struct redis_link *link, int64_t deadline_ms, int *error)
{
    int status = redis_link_wait(link, link->fd, POLLOUT, deadline_ms);
    socklen_t len = sizeof *error;
    if (status == OV_FAILED)
        return redis_link_fail(link, REDIS_TIMEOUT, "no connection within the time allowed");
    if (status == OV_OK && getsockopt(link->fd, SOL_SOCKET, SO_ERROR, error, &len))
        *error = errno;
    return status;
}

static int try_address(struct redis_link *link, const struct sockaddr *address, socklen_t len,
                       int64_t deadline_ms)
{
    link->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (link->fd < 0)
        return redis_link_fail_errno(link, errno);
    int status = OV_OK, error;
    /* EAGAIN is a Unix socket's full backlog, which cannot be polled for. */
    while ((error = connect(link->fd, address, len) ? errno : 0) == EAGAIN) {
        if (ov_clock_ms() + BACKLOG_WAIT_MS > deadline_ms)
            return redis_link_fail(link, REDIS_TIMEOUT, "the server accepts no connection");
        if (redis_link_wait(link, -1, 0, ov_clock_ms() + BACKLOG_WAIT_MS) == OV_STOPPED)
            return OV_STOPPED;
    }
    if (error == EINPROGRESS || error == EINTR)
        status = await_connect(link, deadline_ms, &error);
    if (status != OV_OK)
        return status;
    if (!error && met_itself(link->fd))
        error = ECONNREFUSED;
    return error ? redis_link_fail_errno(link, error) : OV_OK;
}

static int connect_unix(struct redis_link *link)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, link->url->path, strlen(link->url->path) + 1);
    return try_address(link, (struct sockaddr *)&address, sizeof address, link->deadline_ms);
}

/* Of several failures the first that says more than "unreachable" is kept: a host without IPv6
 * would otherwise hide what is wrong with its IPv4 address. */
static int try_addresses(struct redis_link *link, const struct addrinfo *list)
{
    struct redis_link first = {.fault = REDIS_FINE};
    int left = 0, status = OV_FAILED;
    for (const struct addrinfo *a = list; a; a = a->ai_next)
        left++;
    for (const struct addrinfo *a = list; a; a = a->ai_next, left--) {
        int64_t now = ov_clock_ms(), share = (link->deadline_ms - now) / left;
        status = try_address(link, a->ai_addr, a->ai_addrlen, now + share);
        if (status != OV_FAILED)
            return status;
        plain_close(link);
        if (first.fault == REDIS_FINE || first.fault == REDIS_UNREACHABLE)
            first = *link;
    }
    return redis_link_fail(link, first.fault, "%s", first.why);
}

static int connect_tcp(struct redis_link *link)
{
    struct addrinfo *list = NULL;
    const char *why;
    char port[8];
    snprintf(port, sizeof port, "%u", (unsigned)link->url->port);
    const struct ov_lookup_name name = {link->url->host, port, SOCK_STREAM};
    int status = ov_lookup(&link->lookup, link->host, &name, link->deadline_ms, &list, &why);
    if (status == OV_FAILED)
        return redis_link_fail(link, REDIS_DNS, "the name cannot be resolved: %s", why);
    if (status != OV_OK)
        return status;
    status = try_addresses(link, list);
    freeaddrinfo(list);
    if (status == OV_OK)
        tune(link->fd);
    return status;
}

static int plain_connect(struct redis_link *link)
{
    int status = link->url->scheme == REDIS_UNIX ? connect_unix(link) : connect_tcp(link);
    if (status != OV_OK)
        plain_close(link);
    return status;
}

static ssize_t moved(struct redis_link *link, ssize_t n)
{
    if (n > 0)
        return n;
    if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
        return REDIS_LINK_WAIT;
    if (n == 0)
        redis_link_fail(link, REDIS_CLOSED, "the server closed the connection");
    else
        redis_link_fail_errno(link, errno);
    /* However an established connection ends, it is closed: no other kind says more. */
    link->fault = REDIS_CLOSED;
    return REDIS_LINK_BROKEN;
}

static ssize_t plain_read(struct redis_link *link, void *bytes, size_t size)
{
    return moved(link, recv(link->fd, bytes, size, 0));
}

static ssize_t plain_write(struct redis_link *link, const void *bytes, size_t len)
{
    return moved(link, send(link->fd, bytes, len, MSG_NOSIGNAL));
}

static int plain_descriptor(const struct redis_link *link)
{
    return link->fd;
}

const struct redis_transport redis_plain_transport = {
    .connect = plain_connect,
    .read = plain_read,
    .write = plain_write,
    .descriptor = plain_descriptor,
    .close = plain_close,
};
