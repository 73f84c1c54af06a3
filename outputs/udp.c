/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A connected socket, so that "nobody listens there" comes back as an error. The pace is kept by
 * `due_us`, when the next datagram may leave: it may run a few milliseconds ahead, which is the
 * burst that a timer's coarseness costs.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "udp.h"

enum {
    LOOKUP_MS = 30 * 1000,
    BURST_US = 4000,
    CONFIRM_MS = 5,
    FULL_WAIT_MS = 1, /* for the system's own buffers */
};

struct udp {
    struct ov_host *host;
    char *name, *port;
    const struct udp_options *options;
    int64_t looked_up_ms, due_us;
    size_t failures;
    int fd;                       /* -1: none */
    struct sockaddr_storage peer; /* of fd */
    socklen_t peer_len;
};

const struct ov_option udp_options[] = {
    {.name = "datagram", .type = OV_OPT_SIZE, .offset = offsetof(struct udp_options, datagram),
     .fallback = "1432", .min = 256, .max = 65507,
     .help = "largest datagram; a sample that is longer is dropped and counted"},
    {.name = "per_second", .type = OV_OPT_INT, .offset = offsetof(struct udp_options, per_second),
     .fallback = "2000", .min = 1, .max = 1000000,
     .help = "datagrams in a second, at most; a receiver loses what comes faster than it reads"},
    {0},
};

struct udp *udp_new(struct ov_host *host, const char *name, const char *port,
                    const struct udp_options *options)
{
    struct udp *udp = ov_calloc(1, sizeof *udp);
    udp->host = host;
    udp->name = ov_strdup(name);
    udp->port = ov_strdup(port);
    udp->options = options;
    udp->fd = -1;
    return udp;
}

static void udp_disconnect(struct udp *udp)
{
    if (udp->fd >= 0)
        close(udp->fd);
    udp->fd = -1;
}

void udp_free(struct udp *udp)
{
    if (!udp)
        return;
    udp_disconnect(udp);
    free(udp->name);
    free(udp->port);
    free(udp);
}

static int udp_failed(struct udp *udp, const char *why)
{
    udp_disconnect(udp);
    udp->failures++;
    return ov_fail(udp->host, "udp://%s:%s: %s", udp->name, udp->port, why);
}

static bool udp_is_at(const struct udp *udp, const struct addrinfo *address)
{
    return udp->fd >= 0 && address->ai_addrlen == udp->peer_len &&
           memcmp(address->ai_addr, &udp->peer, udp->peer_len) == 0;
}

static bool udp_connect_to(struct udp *udp, const struct addrinfo *address)
{
    int fd = socket(address->ai_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return false;
    if (connect(fd, address->ai_addr, address->ai_addrlen) != 0) {
        close(fd);
        return false;
    }
    udp_disconnect(udp);
    udp->fd = fd;
    udp->peer_len = address->ai_addrlen;
    memcpy(&udp->peer, address->ai_addr, address->ai_addrlen);
    return true;
}

/* Stays where it is if the name still leads there; else takes an address that can be had, after
 * each failure another one first. */
static bool udp_connect(struct udp *udp, const struct addrinfo *addresses)
{
    size_t count = 0;
    for (const struct addrinfo *a = addresses; a; a = a->ai_next, count++)
        if (udp_is_at(udp, a))
            return true;
    for (size_t i = 0; i < count; i++) {
        const struct addrinfo *a = addresses;
        for (size_t skip = (udp->failures + i) % count; skip; skip--)
            a = a->ai_next;
        if (udp_connect_to(udp, a))
            return true;
    }
    return false;
}

/* A lookup that fails while there is a socket leaves it as it is. */
static int udp_look_up(struct udp *udp)
{
    struct addrinfo hints = {.ai_socktype = SOCK_DGRAM}, *addresses = NULL;
    udp->looked_up_ms = ov_clock_ms();
    int error = getaddrinfo(udp->name, udp->port, &hints, &addresses);
    if (error)
        return udp->fd >= 0 ? OV_OK : udp_failed(udp, gai_strerror(error));
    bool connected = udp_connect(udp, addresses);
    int why = errno;
    freeaddrinfo(addresses);
    return connected || udp->fd >= 0 ? OV_OK : udp_failed(udp, strerror(why));
}

static int udp_ready(struct udp *udp)
{
    if (udp->fd >= 0 && ov_clock_ms() - udp->looked_up_ms < LOOKUP_MS)
        return OV_OK;
    return udp_look_up(udp);
}

static int udp_sleep(struct udp *udp, int64_t ms)
{
    struct pollfd stop = {.fd = ov_host_stop_fd(udp->host), .events = POLLIN};
    int64_t left = ov_host_deadline(udp->host) - ov_clock_ms();
    if (left <= 0 || ov_host_stopping(udp->host))
        return OV_STOPPED;
    poll(&stop, 1, (int)(ms < left ? ms : left));
    return OV_OK;
}

static int udp_pace(struct udp *udp)
{
    int64_t now_us = ov_clock_ms() * 1000;
    if (udp->due_us < now_us)
        udp->due_us = now_us;
    while (udp->due_us > now_us + BURST_US) {
        if (udp_sleep(udp, (udp->due_us - now_us - BURST_US) / 1000 + 1) != OV_OK)
            return OV_STOPPED;
        now_us = ov_clock_ms() * 1000;
    }
    udp->due_us += 1000000 / udp->options->per_second;
    return OV_OK;
}

int udp_send(struct udp *udp, struct ov_slice datagram)
{
    if (udp_ready(udp) != OV_OK)
        return OV_FAILED;
    if (udp_pace(udp) != OV_OK)
        return OV_STOPPED;
    while (send(udp->fd, datagram.ptr, datagram.len, 0) < 0) {
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN && errno != ENOBUFS)
            return udp_failed(udp, strerror(errno));
        if (udp_sleep(udp, FULL_WAIT_MS) != OV_OK)
            return OV_STOPPED;
    }
    return OV_OK;
}

int udp_confirm(struct udp *udp)
{
    struct pollfd answer = {.fd = udp->fd, .events = 0};
    int error = 0;
    socklen_t len = sizeof error;
    if (udp->fd < 0 || poll(&answer, 1, CONFIRM_MS) <= 0)
        return OV_OK;
    if (getsockopt(udp->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0 || !error)
        return OV_OK;
    return udp_failed(udp, strerror(error));
}
