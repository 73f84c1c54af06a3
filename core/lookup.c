/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses, waiting no longer than allowed: getaddrinfo has no deadline, so a name is
 * looked up in a thread of its own.
 *
 * Threads: a lookup has two owners, who asked and its own thread; whoever lets go last frees it.
 * `found` and `error` belong to its thread until that has signalled `done_fd`.
 */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "omnivigil.h"

struct ov_lookup {
    atomic_int owners;
    int done_fd, type;
    char *name, *port;
    struct addrinfo *found;
    atomic_int error; /* written last and read first */
};

void ov_lookup_drop(struct ov_lookup *lookup)
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

static int ask(struct ov_lookup *lookup, int flags)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = lookup->type,
                             .ai_flags = flags | AI_NUMERICSERV};
    return getaddrinfo(lookup->name, lookup->port, &hints, &lookup->found);
}

static void *run(void *argument)
{
    struct ov_lookup *lookup = argument;
    lookup->error = ask(lookup, 0);
    eventfd_write(lookup->done_fd, 1);
    ov_lookup_drop(lookup);
    return NULL;
}

static bool start(struct ov_lookup *lookup)
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

static int result(struct ov_lookup *lookup, struct addrinfo **found, const char **why)
{
    int error = lookup->error;
    if (error)
        *why = gai_strerror(error);
    *found = lookup->found;
    lookup->found = NULL;
    ov_lookup_drop(lookup);
    return error ? OV_FAILED : OV_OK;
}

/* OV_OK once the answer is there. */
static int await(const struct ov_lookup *lookup, const struct ov_host *host, int64_t deadline_ms)
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
            return OV_FAILED;
    }
}

int ov_lookup(struct ov_lookup **pending, const struct ov_host *host,
              const struct ov_lookup_name *name, int64_t deadline_ms, struct addrinfo **found,
              const char **why)
{
    struct ov_lookup *lookup = *pending;
    if (!lookup) {
        lookup = ov_calloc(1, sizeof *lookup);
        *lookup = (struct ov_lookup){.owners = 1, .done_fd = -1, .type = name->socket_type,
                                     .name = ov_strdup(name->host), .port = ov_strdup(name->port)};
        lookup->error = ask(lookup, AI_NUMERICHOST);
        if (!lookup->error)
            return result(lookup, found, why);
        if (!start(lookup)) {
            ov_lookup_drop(lookup);
            *why = "no thread can be started to look it up";
            return OV_FAILED;
        }
        *pending = lookup;
    }
    int status = await(lookup, host, deadline_ms);
    *why = "no answer from the name server in time";
    if (status != OV_OK)
        return status;
    *pending = NULL;
    return result(lookup, found, why);
}
