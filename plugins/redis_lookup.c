/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds addresses without waiting for a resolver longer than allowed. getaddrinfo has no
 * deadline, so a name is looked up in a thread of its own, which is left behind when time is up.
 *
 * Threads: the lookup has two owners, the client's thread and its own; whoever lets go last
 * frees it. `found` and `error` belong to the lookup's thread until it has signalled `done_fd`.
 */
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "redis_transport.h"
#include "redis_url.h"

struct redis_lookup {
    atomic_int owners;
    int done_fd;
    char *host;
    char port[8];
    struct addrinfo *found;
    atomic_int error; /* written last and read first */
};

void redis_lookup_drop(struct redis_lookup *lookup)
{
    if (!lookup || atomic_fetch_sub(&lookup->owners, 1) > 1)
        return;
    if (lookup->found)
        freeaddrinfo(lookup->found);
    if (lookup->done_fd >= 0)
        close(lookup->done_fd);
    free(lookup->host);
    free(lookup);
}

static int ask(struct redis_lookup *lookup, int flags)
{
    struct addrinfo hints = {
        .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = flags | AI_NUMERICSERV};
    return getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
}

static void *lookup_run(void *argument)
{
    struct redis_lookup *lookup = argument;
    lookup->error = ask(lookup, 0);
    eventfd_write(lookup->done_fd, 1);
    redis_lookup_drop(lookup);
    return NULL;
}

static bool lookup_start(struct redis_lookup *lookup)
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
    bool started = !pthread_create(&thread, &attributes, lookup_run, lookup);
    if (!started)
        lookup->owners = 1;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

static struct redis_lookup *lookup_new(const struct redis_url *url)
{
    struct redis_lookup *lookup = ov_calloc(1, sizeof *lookup);
    lookup->owners = 1;
    lookup->done_fd = -1;
    lookup->host = ov_strdup(url->host);
    snprintf(lookup->port, sizeof lookup->port, "%u", (unsigned)url->port);
    return lookup;
}

static int lookup_await(struct redis_link *link)
{
    int status = redis_link_wait(link, link->lookup->done_fd, POLLIN, link->deadline_ms);
    if (status == OV_FAILED)
        return redis_link_fail(link, REDIS_DNS, "no answer from the name server in time");
    return status;
}

static int lookup_result(struct redis_link *link, struct redis_lookup *lookup,
                         struct addrinfo **found)
{
    int status = OV_OK, error = lookup->error;
    if (error)
        status = redis_link_fail(link, REDIS_DNS, "the name cannot be resolved: %s",
                                 gai_strerror(error));
    *found = lookup->found;
    lookup->found = NULL;
    redis_lookup_drop(lookup);
    return status;
}

int redis_lookup(struct redis_link *link, struct addrinfo **found)
{
    struct redis_lookup *lookup = link->lookup;
    if (!lookup) {
        lookup = lookup_new(link->url);
        lookup->error = ask(lookup, AI_NUMERICHOST);
        if (!lookup->error)
            return lookup_result(link, lookup, found);
        if (!lookup_start(lookup)) {
            redis_lookup_drop(lookup);
            return redis_link_fail(link, REDIS_DNS, "no thread can be started to look it up");
        }
        link->lookup = lookup;
    }
    int status = lookup_await(link);
    if (status != OV_OK)
        return status;
    link->lookup = NULL;
    return lookup_result(link, lookup, found);
}
