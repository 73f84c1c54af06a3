/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis client for monitors: one long-lived, named connection; many commands in one bounded
 * pipeline that reads while it writes; a deadline for everything; read-only by convention.
 *
 * Commands are sent with a function to call with their reply. Such a function may send more
 * commands, so a gather that needs several steps a key is one continuous stream of commands.
 *
 *     redis_open(r)                        connects if it is not connected; AUTH, SELECT, name
 *     redis_send(r, on_len, topic, OV_SLICE("XLEN"), key);   ... thousands of them
 *     redis_run(r)                         returns when every reply was handled
 *
 * After any timeout, protocol error or broken connection the connection is dropped: no reply can
 * reach another command than its own. hiredis reads the replies; its reader builds them in an
 * arena that is emptied after each reply.
 *
 * One thread at a time.
 */
#ifndef REDIS_H
#define REDIS_H

#include "omnivigil.h"

/* ---------------------------------------------------------------- where, and as whom */

struct redis_options {
    char *url;           /* redis://[user[:password]@]host[:port][/db], rediss://, unix:///path */
    char *user;
    char *password;
    int64_t timeout_ms;  /* for connecting, and for any exchange to make progress */
    struct {
        char *ca, *cert, *key, *server_name;
        bool insecure;   /* do not verify the server */
    } tls;
};
/* The rows of a plugin's option table for a `struct redis_options` that is `member` of its state
 * `owner`: `url` (environment REDIS_URL, as OmniDaemon has it), `user`, `password`,
 * `timeout`, `tls: {ca, cert, key, server_name, insecure}`. */
#define REDIS_OPTION_ROWS(owner, member)                                                           \
    {                                                                                              \
        .name = "url", .type = OV_OPT_STRING, .offset = offsetof(owner, member.url),               \
        .fallback = "redis://localhost:6379", .env = "REDIS_URL", .secret = true,                  \
        .help = "Redis: redis://[user[:password]@]host[:port][/db], rediss:// for TLS, or "        \
                "unix:///path[?db=N]; parts are percent-decoded"                                   \
    },                                                                                             \
    {                                                                                              \
        .name = "user", .type = OV_OPT_STRING, .offset = offsetof(owner, member.user),             \
        .help = "user name, in place of the URL's"                                                 \
    },                                                                                             \
    {                                                                                              \
        .name = "password", .type = OV_OPT_STRING, .offset = offsetof(owner, member.password),     \
        .secret = true, .help = "password as it is, in place of the URL's"                         \
    },                                                                                             \
    {                                                                                              \
        .name = "timeout", .type = OV_OPT_DURATION,                                                \
        .offset = offsetof(owner, member.timeout_ms),                                              \
        .fallback = "5s", .min = 10, .max = 600000,                                                \
        .help = "how long Redis may take to accept a connection or to answer"                      \
    },                                                                                             \
    {                                                                                              \
        .name = "tls", .type = OV_OPT_TABLE, .offset = offsetof(owner, member.tls),                \
        .table = redis_tls_options, .help = "for rediss:// addresses"                              \
    }
extern const struct ov_option redis_tls_options[];

/* Reports a malformed URL or a contradiction to the configuration check. */
void redis_options_check(const struct redis_options *options, struct ov_check *check);

/* ---------------------------------------------------------------- replies and faults */

enum redis_type { REDIS_NIL, REDIS_STATUS, REDIS_ERROR, REDIS_INTEGER, REDIS_STRING, REDIS_ARRAY };

/* Valid until the function that was called with it returns. */
struct redis_reply {
    enum redis_type type;
    int64_t integer;
    struct ov_slice text;       /* STATUS, ERROR, STRING */
    struct redis_reply *items;  /* ARRAY: `count` of them */
    size_t count;
};

/* Why something cannot be had, each told apart. */
enum redis_fault {
    REDIS_FINE = 0,
    /* no usable connection */
    REDIS_DNS, REDIS_REFUSED, REDIS_UNREACHABLE, REDIS_TLS, REDIS_TIMEOUT, REDIS_CLOSED,
    REDIS_PROTOCOL, REDIS_NOT_REDIS, REDIS_MAXCLIENTS, REDIS_PROTECTED, REDIS_NOAUTH,
    REDIS_WRONGPASS, REDIS_NODB,
    /* an error reply to one command */
    REDIS_NOPERM, REDIS_LOADING, REDIS_MASTERDOWN, REDIS_READONLY, REDIS_MOVED, REDIS_ASK,
    REDIS_CLUSTERDOWN, REDIS_BUSY, REDIS_OOM, REDIS_NOGROUP, REDIS_NOKEY, REDIS_WRONGTYPE,
    REDIS_UNKNOWN_COMMAND, REDIS_OTHER,
    REDIS_STOPPED, /* the agent is stopping */
};
/* Short lower-case word for samples and logs: "noauth", "timeout". */
const char *redis_fault_word(enum redis_fault fault);
/* What the operator can do about it, one clause, or "". */
const char *redis_fault_remedy(enum redis_fault fault);
/* The kind of an error reply; REDIS_FINE for any other reply. */
enum redis_fault redis_reply_fault(const struct redis_reply *reply);

/* The value of `name` in a flat map reply (name, value, name, value ...), or NULL. */
const struct redis_reply *redis_map_get(const struct redis_reply *map, const char *name);
/* The same for `count` names at once: values[i] is that of names[i]. Fastest where the names are in
 * the order in which the server tells them. */
void redis_map_pick(const struct redis_reply *map, const struct ov_slice *names, size_t count,
                    const struct redis_reply **values);
/* An integer from an INTEGER or a decimal STRING; `missing` for anything else. */
int64_t redis_int(const struct redis_reply *reply, int64_t missing);

/* ---------------------------------------------------------------- the connection */

struct redis;

/* Options are borrowed and must outlive it. Opens nothing. */
struct redis *redis_new(const struct redis_options *options, struct ov_host *host);
void redis_free(struct redis *r);

/* Makes sure of a connection: dials (names resolved anew), authenticates, selects, names it
 * `omnivigil` (a refusal of that is ignored). One that is open already is sent a PING, and dialled
 * anew if it was lost while idle. Replies to commands that were sent but never run are dropped.
 *
 * A refused password is tried again more and more slowly, up to once a minute. Returns OV_OK,
 * OV_STOPPED, or OV_FAILED with redis_fault and redis_why set and ov_fail called. Never waits
 * beyond the host's deadline. Where the server says REDIS_LOADING, REDIS_MASTERDOWN or REDIS_BUSY
 * this fails too, but the connection stays and may be used: INFO is answered meanwhile. */
int redis_open(struct redis *r) OV_MUST_CHECK;
/* Where it is, without secrets: "127.0.0.1:6379". */
struct ov_slice redis_place(const struct redis *r);
/* Of the last redis_open, or redis_run if that failed. */
enum redis_fault redis_fault(const struct redis *r);
/* Where, what happened and what to do; "" after success, and never a secret:
 * "127.0.0.1:6379: connection refused; is Redis running and listening there?" */
const char *redis_why(const struct redis *r);
/* The milliseconds the last PING of redis_open took, or -1. Each redis_open PINGs. */
double redis_latency_ms(const struct redis *r);
void redis_close(struct redis *r);

/* Called with each reply, in order. `index` is whatever the sender gave. It may send and flush,
 * nothing else. */
typedef void redis_reply_fn(struct redis *r, const struct redis_reply *reply, void *context,
                            size_t index);

/* Queues one command of `argc` words, which are copied. `fn` may be NULL. Outside a reply function
 * it then waits until the pipeline has room, and reply functions are called meanwhile. Errors are
 * kept for redis_run; after one it does nothing. */
void redis_send_words(struct redis *r, redis_reply_fn *fn, void *context, size_t index,
                      const struct ov_slice *words, size_t argc);
#define redis_send(r, fn, context, index, ...)                                                     \
    redis_send_words((r), (fn), (context), (index), (const struct ov_slice[]){__VA_ARGS__},        \
                     sizeof((const struct ov_slice[]){__VA_ARGS__}) / sizeof(struct ov_slice))
/* Writes out what is queued as far as the socket takes it, without waiting: lets Redis work on
 * it while the caller does something else. */
void redis_flush(struct redis *r);
/* Runs until every command was answered. OV_OK, OV_STOPPED, or OV_FAILED as redis_open; then the
 * connection is closed and the functions of unanswered commands are not called. */
int redis_run(struct redis *r) OV_MUST_CHECK;

/* ---------------------------------------------------------------- stream entry ids */

struct redis_id {
    uint64_t ms, seq;
};
bool redis_id_parse(struct ov_slice text, struct redis_id *id); /* "1700000000000-3" */
/* Writes "ms-seq" (at most 41 bytes and a NUL) and returns it as a slice of `text`. */
struct ov_slice redis_id_text(struct redis_id id, char text[48]);
int redis_id_compare(struct redis_id a, struct redis_id b);

#endif
