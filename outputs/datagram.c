/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packing, pacing, and sendmmsg. A burst is what goes in one call: small against the buffer a
 * receiver has (208 KiB by default, of which a datagram takes about twice its length). A receiver
 * on this host gets the next only while it reads.
 */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>

#include "datagram.h"
#include "unread.h"

enum {
    BURST_MAX = 16,           /* datagrams */
    BURST_BYTES = 24 * 1024,
    LATE_NS = 5 * 1000000,    /* of time lost by oversleeping so much is made up for */
    PROBE_NS = 100 * 1000000, /* for a refusal to come back */
    UNREAD_MAX = 64 * 1024,   /* bytes at a receiver, with which a burst still fits */
    NAP_NS = 1000000,         /* where a buffer is full, and poll may not know until when */
};

struct burst {
    struct mmsghdr messages[BURST_MAX];
    struct iovec parts[BURST_MAX];
    size_t lengths[BURST_MAX]; /* with the last newline */
    unsigned count;
    size_t lines, bytes;
};

static size_t line_length(struct ov_slice lines)
{
    const char *end = memchr(lines.ptr, '\n', lines.len);
    return end ? (size_t)(end - lines.ptr) + 1 : lines.len;
}

/* Whether the line at `lines`, `len` long, makes room for the negative one behind it. */
static bool is_first_of_pair(struct ov_slice lines, size_t len)
{
    static const char zero[] = ":0|";
    const char *colon = memchr(lines.ptr, ':', len);
    size_t name = colon ? (size_t)(colon - lines.ptr) : 0;
    return colon && len - name > 3 && memcmp(colon, zero, 3) == 0 &&
           lines.len - len > name + 1 && lines.ptr[len + name + 1] == '-' &&
           memcmp(lines.ptr, lines.ptr + len, name + 1) == 0;
}

size_t datagram_cut(struct ov_slice lines, size_t max, size_t *count)
{
    size_t len = 0;
    *count = 0;
    while (len < lines.len) {
        struct ov_slice rest = {lines.ptr + len, lines.len - len};
        size_t more = line_length(rest), line_count = 1;
        if (is_first_of_pair(rest, more)) {
            more += line_length((struct ov_slice){rest.ptr + more, rest.len - more});
            line_count = 2;
        }
        if (len && len + more - 1 > max)
            break;
        len += more;
        *count += line_count;
    }
    return len;
}

static void burst_add(struct burst *burst, struct ov_slice lines, size_t len, size_t line_count)
{
    unsigned i = burst->count++;
    burst->parts[i] = (struct iovec){(char *)lines.ptr, len - (lines.ptr[len - 1] == '\n')};
    burst->messages[i] = (struct mmsghdr){
        .msg_hdr = {.msg_iov = &burst->parts[i], .msg_iovlen = 1}};
    burst->lengths[i] = len;
    burst->lines += line_count;
    burst->bytes += len;
}

static void burst_fill(struct burst *burst, struct ov_slice lines, size_t max, unsigned most)
{
    burst->count = 0;
    burst->lines = burst->bytes = 0;
    while (lines.len && burst->count < most) {
        size_t line_count, len = datagram_cut(lines, max, &line_count);
        if (burst->count && burst->bytes + len > BURST_BYTES)
            return;
        burst_add(burst, lines, len, line_count);
        lines = (struct ov_slice){lines.ptr + len, lines.len - len};
    }
}

static int pace(struct datagrams *d, struct peer *peer, const struct burst *burst)
{
    int64_t takes = (int64_t)burst->lines * d->line_ns + burst->count * d->datagram_ns;
    if (!takes || peer->address.kind != ADDRESS_UDP)
        return OV_OK;
    int64_t now = ov_clock_ns(), early = d->next_ns - now;
    if (early > 0 && peer_listen(peer, early) == OV_STOPPED)
        return OV_STOPPED;
    if (d->next_ns < now - LATE_NS)
        d->next_ns = now - LATE_NS;
    d->next_ns += takes;
    return OV_OK;
}

/* The receiver is away: begin again, with another look at where it is. */
static enum ov_sent refused(struct datagrams *d, struct peer *peer, int error, size_t *done)
{
    peer_fail(peer, "send to", error);
    peer_shut(peer);
    d->trusted = false;
    *done = 0;
    return OV_RETRY;
}

/* What follows from a failed sendmmsg: OV_SENT stands for "try again now". */
static enum ov_sent trouble(struct datagrams *d, struct peer *peer, int error, size_t *done)
{
    switch (error) {
    case EINTR:
        return OV_SENT;
    case EAGAIN:
    case ENOBUFS:
    case ENOMEM: /* not always a thing that poll waits for, so there is a nap too */
        return peer_wait(peer, POLLOUT) == OV_OK && peer_listen(peer, NAP_NS) == OV_OK ? OV_SENT
                                                                                       : OV_RETRY;
    case EMSGSIZE:
        peer_fail(peer, "send a datagram of this size to", error);
        return OV_REJECTED;
    default:
        return refused(d, peer, error, done);
    }
}

/* Waits until a receiver on this host has read most of what it was sent: OV_SENT. */
static enum ov_sent await_reader(struct datagrams *d, struct peer *peer, size_t *done)
{
    int64_t unread;
    if (peer->address.kind != ADDRESS_UDP)
        return OV_SENT;
    while ((unread = unread_at_receiver(peer->fd)) > UNREAD_MAX) {
        int error = peer_error(peer);
        if (error)
            return refused(d, peer, error, done);
        if (ov_clock_ms() >= ov_host_deadline(peer->host)) {
            ov_fail(peer->host, "%s port %s does not read: %jd bytes wait at its socket",
                    peer->address.host, peer->address.port, (intmax_t)unread);
            return OV_RETRY;
        }
        if (peer_listen(peer, NAP_NS) != OV_OK)
            return OV_RETRY;
    }
    return OV_SENT;
}

/* Sends one burst from *done on. */
static enum ov_sent send_burst(struct datagrams *d, struct peer *peer, struct ov_slice lines,
                               size_t *done)
{
    struct burst burst;
    burst_fill(&burst, (struct ov_slice){lines.ptr + *done, lines.len - *done}, d->max,
               d->trusted ? BURST_MAX : 1);
    if (pace(d, peer, &burst) != OV_OK)
        return OV_RETRY;
    enum ov_sent ready = await_reader(d, peer, done);
    if (ready != OV_SENT)
        return ready;
    int sent = sendmmsg(peer->fd, burst.messages, burst.count, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return trouble(d, peer, errno, done);
    for (int i = 0; i < sent; i++)
        *done += burst.lengths[i];
    return OV_SENT;
}

enum ov_sent datagrams_send(struct datagrams *d, struct peer *peer, struct ov_slice lines,
                            size_t *done)
{
    while (*done < lines.len) {
        bool probe = !d->trusted;
        enum ov_sent sent = send_burst(d, peer, lines, done);
        if (sent != OV_SENT)
            return sent;
        if (probe && *done) {
            if (peer->address.kind == ADDRESS_UDP && peer_listen(peer, PROBE_NS) == OV_STOPPED)
                return OV_RETRY;
            int error = peer_error(peer);
            if (error)
                return refused(d, peer, error, done);
            d->trusted = true;
        }
    }
    int error = peer_error(peer);
    return error ? refused(d, peer, error, done) : OV_SENT;
}
