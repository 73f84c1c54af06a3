/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted HTTP server in a thread: gives one answer after the other and keeps what it was
 * asked. Listens on a loopback port of its own, or on a Unix socket. */
#ifndef HTTP_SERVER_H
#define HTTP_SERVER_H

#include <pthread.h>

#include "omnivigil.h"

enum { HTTP_REQUESTS_MAX = 512 };
#define HTTP_HANG "hang"   /* no answer */
#define HTTP_CLOSE "close" /* hangs up without one */

struct http_server {
    int listener, port;
    int stop[2];
    pthread_t thread;
    const char *const *answers; /* "204 OK\r\n\r\n"; NULL-terminated, the last one repeats */
    size_t body_max;            /* larger ones get a 413; 0: no limit */
    unsigned connections;

    pthread_mutex_t lock;
    size_t count; /* of requests, shared, under `lock` */
    struct ov_buf requests[HTTP_REQUESTS_MAX]; /* those before `count` stay as they are */
};

/* `address` is a dotted one to take a port on, or NULL for 127.0.0.1; `port` 0 takes any. */
void http_server_start(struct http_server *server, const char *address, int port,
                       const char *const *answers);
void http_server_start_unix(struct http_server *server, const char *path,
                            const char *const *answers);
/* Frees the requests too. */
void http_server_end(struct http_server *server);

/* How many requests there have been; those may be read. */
size_t http_server_count(struct http_server *server);

/* What came behind the headers of a request; its end is at the buffer's. */
const char *http_server_body(struct http_server *server, size_t request);

#endif
