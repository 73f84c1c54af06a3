/* SPDX-License-Identifier: Apache-2.0 */
/* What both transports share: how a link fails and how it waits. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>

#include "redis_transport.h"

int redis_link_fail(struct redis_link *link, enum redis_fault fault, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(link->why, sizeof link->why, format, args);
    va_end(args);
    link->fault = fault;
    return OV_FAILED;
}

static enum redis_fault fault_of_errno(int error)
{
    switch (error) {
    case ECONNREFUSED:
    case ENOENT: /* a Unix socket */
        return REDIS_REFUSED;
    case ETIMEDOUT:
        return REDIS_TIMEOUT;
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
        return REDIS_CLOSED;
    default:
        return REDIS_UNREACHABLE;
    }
}

int redis_link_fail_errno(struct redis_link *link, int error)
{
    char buffer[128];
    const char *text = strerror_r(error, buffer, sizeof buffer);
    redis_link_fail(link, fault_of_errno(error), "%s", text);
    link->why[0] = (char)tolower((unsigned char)link->why[0]); /* in the middle of a sentence */
    return OV_FAILED;
}

int redis_link_wait(const struct redis_link *link, int fd, short events, int64_t deadline_ms)
{
    struct pollfd fds[2] = {
        {.fd = ov_host_stop_fd(link->host), .events = POLLIN},
        {.fd = fd, .events = events},
    };
    for (;;) {
        if (ov_host_stopping(link->host))
            return OV_STOPPED;
        int64_t left = deadline_ms - ov_clock_ms();
        if (left <= 0)
            return OV_FAILED;
        int ready = poll(fds, 2, left > INT_MAX ? INT_MAX : (int)left);
        if (ready > 0 && fds[0].revents)
            return OV_STOPPED;
        if (ready > 0)
            return OV_OK;
        if (ready < 0 && errno != EINTR)
            return OV_FAILED;
    }
}
