/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: a lookup has two owners, who asked and its own thread; whoever lets go last frees it.
 * `found` and `error` belong to its thread until that has signalled `done_fd`.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lookup.h"

struct lookup {
    atomic_int owners;
    int done_fd, type;
    char *name, *port;
    struct addrinfo *found;
    atomic_int error; /* written last and read first */
};

void lookup_drop(struct lookup *lookup)
{
    if (!lookup || atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    if (lookup->done_fd >= 0)
        close(lookup->done_fd);
    free(lookup->name);
    free(lookup->port);
    free(lookup);
}

static int ask(struct lookup *lookup, int flags)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = lookup->type,
                             .ai_flags = flags | AI_NUMERICSERV};
    return getaddrinfo(lookup->name, lookup->port, &hints, &lookup->found);
}

static void *run(void *argument)
{
    struct lookup *lookup = argument;
    lookup->error = ask(lookup, 0);
    eventfd_write(lookup->done_fd, 1);
    lookup_drop(lookup);
    return NULL;
}

static bool start(struct lookup *lookup)
{
    pthread_t thread;
    pthread_attr_t attributes;
    sigset_t all, before;
    lookup->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lookup->done_fd < 0)
        return false;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    sigfillset(&all); /* signals are for the threads that expect them */
    pthread_sigmask(SIG_SETMASK, &all, &before);
    lookup->owners = 2;
    bool started = pthread_create(&thread, &attributes, run, lookup) == 0;
    if (!started)
        lookup->owners = 1;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

static int result(struct lookup *lookup, struct ov_host *host, struct addrinfo **found)
{
    int error = lookup->error, status = OV_OK;
    if (error)
        status = ov_fail(host, "cannot resolve %s: %s", lookup->name, gai_strerror(error));
    *found = lookup->found;
    lookup->found = NULL;
    lookup_drop(lookup);
    return status;
}

/* OV_OK once the answer is there. */
static int await(const struct lookup *lookup, struct ov_host *host, int64_t deadline_ms)
{
    struct pollfd fds[] = {
        {.fd = lookup->done_fd, .events = POLLIN},
        {.fd = ov_host_stop_fd(host), .events = POLLIN},
    };
    for (;;) {
        int64_t left = deadline_ms - ov_clock_ms();
        int ready = poll(fds, OV_COUNT(fds), left < 0 ? 0 : left > 60000 ? 60000 : (int)left);
        if (fds[0].revents)
            return OV_OK;
        if (fds[1].revents)
            return OV_STOPPED;
        if ((ready < 0 && errno != EINTR) || left <= 0)
            return ov_fail(host, "cannot resolve %s: no answer in time", lookup->name);
    }
}

int lookup_find(struct lookup **pending, struct ov_host *host, const char *name, const char *port,
                int type, int64_t deadline_ms, struct addrinfo **found)
{
    struct lookup *lookup = *pending;
    if (!lookup) {
        lookup = ov_calloc(1, sizeof *lookup);
        *lookup = (struct lookup){.owners = 1, .done_fd = -1, .type = type,
                                  .name = ov_strdup(name), .port = ov_strdup(port)};
        lookup->error = ask(lookup, AI_NUMERICHOST);
        if (!lookup->error)
            return result(lookup, host, found);
        if (!start(lookup)) {
            lookup_drop(lookup);
            return ov_fail(host, "cannot resolve %s: no thread can be started", name);
        }
        *pending = lookup;
    }
    int status = await(lookup, host, deadline_ms);
    if (status != OV_OK)
        return status;
    *pending = NULL;
    return result(lookup, host, found);
}
