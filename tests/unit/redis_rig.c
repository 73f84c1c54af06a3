/* SPDX-License-Identifier: Apache-2.0 */
/* The clock and getaddrinfo of this file take the place of the core's and the system's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <time.h>

#include "redis_rig.h"

/* ---------------------------------------------------------------- the clock and the names */

_Atomic int64_t clock_ahead_ms;

int64_t ov_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec + clock_ahead_ms * 1000000;
}

int64_t ov_clock_ms(void)
{
    return ov_clock_ns() / 1000000;
}

int64_t ov_wall_ns(void)
{
    return 0;
}

atomic_int slow_lookups;
atomic_bool answer_lookups;

void nap(long ms)
{
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (strcmp(host, "slow.test") || (hints->ai_flags & AI_NUMERICHOST))
        return real(host, port, hints, found);
    slow_lookups++;
    while (!answer_lookups)
        nap(1);
    return real("127.0.0.1", port, hints, found);
}

/* ---------------------------------------------------------------- a client for each test */

void client_init(struct client *c, const char *format, ...)
{
    va_list args;
    *c = (struct client){.options.timeout_ms = 5000};
    va_start(args, format);
    vsnprintf(c->url, sizeof c->url, format, args);
    va_end(args);
    c->options.url = c->url;
    c->host = ov_host_new("test", "/nonexistent", true);
    c->redis = redis_new(&c->options, c->host);
}

void client_end(struct client *c)
{
    redis_free(c->redis);
    ov_host_free(c->host);
}

void client_dial(struct client *c, const struct server *server)
{
    client_init(c, "redis://127.0.0.1:%d", server_port(server));
}

void assert_open(struct client *c)
{
    if (redis_open(c->redis) != OV_OK)
        fail_msg("not open: %s", redis_why(c->redis));
    assert_int_equal(redis_fault(c->redis), REDIS_FINE);
    assert_true(redis_latency_ms(c->redis) >= 0);
}

void assert_fault(struct client *c, int status, enum redis_fault fault, const char *part)
{
    const char *why = redis_why(c->redis);
    if (status != OV_FAILED || redis_fault(c->redis) != fault || !strstr(why, part))
        fail_msg("expected %s with \"%s\", got status %d, %s: %s", redis_fault_word(fault), part,
                 status, redis_fault_word(redis_fault(c->redis)), why);
    assert_string_equal(ov_host_why(c->host), why);
}

void on_number(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct tally *tally = context;
    (void)r;
    tally->count++;
    if (reply->type != REDIS_INTEGER || reply->integer != (int64_t)index)
        tally->wrong++;
}

void send_echo(struct client *c, redis_reply_fn *fn, struct tally *tally, size_t index)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%zu", index);
    redis_send(c->redis, fn, tally, index, OV_SLICE("ECHO"), (struct ov_slice){text, (size_t)len});
}

void say_number(struct peer *peer)
{
    char text[80];
    snprintf(text, sizeof text, ":%s\r\n", peer_word(peer, 1));
    peer_says_text(peer, text);
}

void talk_well(struct peer *peer)
{
    while (peer_hears(peer))
        if (!peer_greets(peer))
            say_number(peer);
}
