/* SPDX-License-Identifier: Apache-2.0 */
/* Where Redis is and as whom to speak to it, read from an address such as OmniDaemon's REDIS_URL
 * in the way redis-py reads it, with a plugin's options laid over it. */
#ifndef REDIS_URL_H
#define REDIS_URL_H

#include "redis.h"

enum redis_scheme { REDIS_TCP, REDIS_SECURE, REDIS_UNIX };

struct redis_url {
    enum redis_scheme scheme;
    char *host; /* a name or a numeric address without brackets; NULL for REDIS_UNIX */
    uint16_t port;
    char *path; /* of a Unix socket; NULL for others */
    int64_t db;
    struct ov_buf user, password; /* bytes; empty when not given */
    char *ca, *cert, *key, *server_name;
    bool insecure; /* trust any server */
    bool any_name; /* trust a verified server of any name */
};

/* Reads `text` into `url`, which the caller frees in any case. False with the reason in `why`,
 * which never quotes the text: any part of it may be a password that was not encoded.
 *
 *     redis://[user[:password]@][host[:port]][/db][?name=value&...]     rediss:// for TLS
 *     unix://[user[:password]@]/path[?db=N&...]
 *
 * Names: db, username, password, ssl_cert_reqs, ssl_check_hostname, ssl_ca_certs, ssl_ca_path,
 * ssl_certfile, ssl_keyfile; others mean something to redis-py only and are passed over. */
bool redis_url_parse(const char *text, struct redis_url *url, struct ov_buf *why) OV_MUST_CHECK;
/* The same for a plugin's options: what they give replaces what the address says. */
bool redis_url_from_options(const struct redis_options *options, struct redis_url *url,
                            struct ov_buf *why) OV_MUST_CHECK;
void redis_url_free(struct redis_url *url);

/* Appends where that is, without secrets: "127.0.0.1:6379", or the path of a socket. */
void redis_url_place(const struct redis_url *url, struct ov_buf *out);
/* Appends the whole address without secrets: "redis://127.0.0.1:6379/0". */
void redis_url_text(const struct redis_url *url, struct ov_buf *out);

#endif
