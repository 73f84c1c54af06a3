/* SPDX-License-Identifier: Apache-2.0 */
/* A server for tests of the Redis client: it hears commands and says what a test wants said. */
#ifndef REDIS_SERVER_H
#define REDIS_SERVER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct peer;

/* Speaks with one client, in a thread of its own, until it wants the connection closed. */
typedef void peer_fn(struct peer *peer);

struct server *server_start(peer_fn *talk, const void *script);
/* The same on a Unix socket. */
struct server *server_start_unix(peer_fn *talk, const void *script, const char *path);
/* Waits for all clients to be gone. */
void server_end(struct server *server);
int server_port(const struct server *server);
int server_connections(const struct server *server);
/* Waits until so many clients were served: their connection is closed, or peer_is_served. */
void server_await(const struct server *server, int served);

/* Waits for the next command; false when the client is gone. */
bool peer_hears(struct peer *peer);
/* The command: its number on this connection from 0, and its words (as far as they are kept). */
size_t peer_command(const struct peer *peer);
const char *peer_word(const struct peer *peer, size_t word);
/* Which connection this is, from 0. */
int peer_number(const struct peer *peer);
const void *peer_script(const struct peer *peer);
void peer_says(struct peer *peer, const char *bytes, size_t len);
void peer_says_text(struct peer *peer, const char *text);
/* Answers what every connection begins with: AUTH, SELECT, PING, CLIENT. */
bool peer_greets(struct peer *peer);
void peer_is_served(struct peer *peer);
/* Waits until the client has gone away. */
void peer_waits(struct peer *peer);

#endif
