/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the Redis client share: a client with its host, commands whose replies count
 * themselves, and a clock and a name server of the tests' own: the first so that nothing is slept
 * for, the second so that it can be slow. */
#ifndef REDIS_RIG_H
#define REDIS_RIG_H

#include <stdatomic.h>

#include "host.h"
#include "redis.h"
#include "redis_server.h"

extern _Atomic int64_t clock_ahead_ms; /* of the real monotonic clock */
/* slow.test is 127.0.0.1, but only once `answer_lookups` is set. */
extern atomic_int slow_lookups;
extern atomic_bool answer_lookups;

void nap(long ms);

struct client {
    struct ov_host *host;
    struct redis_options options;
    char url[128];
    struct redis *redis;
};

void client_init(struct client *c, const char *format, ...) OV_PRINTF(2, 3);
void client_dial(struct client *c, const struct server *server);
void client_end(struct client *c);
void assert_open(struct client *c);
/* That `status` is a failure of this kind, whose text holds `part` and was handed to ov_fail. */
void assert_fault(struct client *c, int status, enum redis_fault fault, const char *part);

struct tally {
    size_t count;
    size_t wrong; /* replies that are not an integer equal to the index */
    size_t more;  /* commands still to be sent by reply functions */
};

/* Sends ECHO `index`; on_number counts the reply in the tally. */
void send_echo(struct client *c, redis_reply_fn *fn, struct tally *tally, size_t index);
redis_reply_fn on_number;
/* The server's side: answers ECHO N with the integer N. */
void say_number(struct peer *peer);
peer_fn talk_well;

#endif
