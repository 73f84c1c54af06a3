/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Makes sure of a connection: dials, logs in and asks for a sign of life.
 *
 * A connection's first commands go out together and cost one round trip:
 *
 *     AUTH [user] password     if there is one
 *     SELECT db                if it is not 0
 *     PING                     always, also to a connection that is open already
 *     CLIENT SETNAME omnivigil
 *
 * The first refusal among them counts, since those behind it only follow from it. What Redis
 * answers to AUTH is never quoted: a server without that command repeats the password.
 */
#include "redis_client.h"

enum { FIRST_LOGIN_WAIT_MS = 1000, LONGEST_LOGIN_WAIT_MS = 60 * 1000 };

/* ---------------------------------------------------------------- refusals */

static void refuse(struct redis *r, enum redis_fault fault, const char *format, ...)
    OV_PRINTF(3, 4);

static void refuse(struct redis *r, enum redis_fault fault, const char *format, ...)
{
    if (r->refusal != REDIS_FINE)
        return;
    va_list args;
    va_start(args, format);
    ov_buf_reset(&r->refused);
    ov_buf_vprintf(&r->refused, format, args);
    va_end(args);
    r->refusal = fault;
}

/* What any command may be refused for. False for other errors. */
static bool refuse_any(struct redis *r, enum redis_fault fault)
{
    switch (fault) {
    case REDIS_NOAUTH:
        refuse(r, fault, "the server wants a password");
        return true;
    case REDIS_MAXCLIENTS:
        refuse(r, fault, "the server has as many clients as it allows");
        return true;
    case REDIS_PROTECTED:
        refuse(r, fault, "the server is in protected mode and speaks to its own host only");
        return true;
    case REDIS_LOADING:
        refuse(r, fault, "the server is loading its data");
        return true;
    case REDIS_MASTERDOWN:
        refuse(r, fault, "the replica has lost its master and serves no stale data");
        return true;
    case REDIS_BUSY:
        refuse(r, fault, "the server is busy with a script");
        return true;
    default:
        return false;
    }
}

static void refuse_auth(struct redis *r, struct ov_slice error)
{
    struct ov_buf user = {0};
    ov_buf_escaped(&user, (struct ov_slice){r->url.user.data, r->url.user.len});
    const char *name = user.len ? ov_buf_text(&user) : "default";
    if (ov_slice_starts(error, OV_SLICE("ERR Client sent AUTH, but no password is set")) ||
        ov_slice_starts(error, OV_SLICE("ERR AUTH <password> called without any password")))
        refuse(r, REDIS_WRONGPASS, "a password is given, but the server has none set");
    else if (ov_slice_starts(error, OV_SLICE("ERR wrong number of arguments")))
        refuse(r, REDIS_WRONGPASS, "the server is older than Redis 6 and knows no users");
    else if (ov_slice_starts(error, OV_SLICE("ERR unknown command")))
        refuse(r, REDIS_WRONGPASS, "the server knows no AUTH");
    else
        refuse(r, REDIS_WRONGPASS, "the server refuses the password of user `%s`", name);
    ov_buf_free(&user);
}

/* ---------------------------------------------------------------- the first commands */

static void on_auth(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    (void)context, (void)index;
    if (reply->type == REDIS_ERROR && !refuse_any(r, redis_reply_fault(reply)))
        refuse_auth(r, reply->text);
}

static void on_select(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    (void)context, (void)index;
    if (reply->type != REDIS_ERROR || refuse_any(r, redis_reply_fault(reply)))
        return;
    long long db = r->url.db;
    if (redis_reply_fault(reply) == REDIS_NOPERM)
        refuse(r, REDIS_NOPERM, "the user may not SELECT database %lld", db);
    else
        refuse(r, REDIS_NODB, "the server has no database %lld", db);
}

/* An error is a sign of life too: a user without the right to PING, a disk that is full. */
static void on_ping(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    (void)context, (void)index;
    if (reply->type == REDIS_ERROR)
        refuse_any(r, redis_reply_fault(reply));
    else if (reply->type != REDIS_STATUS || !ov_slice_eq(reply->text, OV_SLICE("PONG")))
        refuse(r, REDIS_NOT_REDIS, "what answers is not Redis: PING is not answered with PONG");
    r->latency_ms = (double)(ov_clock_ns() - r->ping_ns) / 1e6;
}

static void send_login(struct redis *r)
{
    struct ov_slice user = {r->url.user.data, r->url.user.len};
    struct ov_slice password = {r->url.password.data, r->url.password.len};
    if (user.len)
        redis_send(r, on_auth, NULL, 0, OV_SLICE("AUTH"), user, password);
    else if (password.len)
        redis_send(r, on_auth, NULL, 0, OV_SLICE("AUTH"), password);
    if (!r->url.db)
        return;
    struct ov_buf db = {0};
    ov_buf_int(&db, r->url.db);
    redis_send(r, on_select, NULL, 0, OV_SLICE("SELECT"), (struct ov_slice){db.data, db.len});
    ov_buf_free(&db);
}

static bool is_passing(enum redis_fault fault)
{
    return fault == REDIS_LOADING || fault == REDIS_MASTERDOWN || fault == REDIS_BUSY;
}

static void slow_down(struct redis *r)
{
    unsigned doublings = r->wrong_logins < 6 ? r->wrong_logins : 6;
    int64_t wait = (int64_t)FIRST_LOGIN_WAIT_MS << doublings;
    r->next_login_ms =
        ov_clock_ms() + (wait < LONGEST_LOGIN_WAIT_MS ? wait : LONGEST_LOGIN_WAIT_MS);
    r->wrong_logins++;
}

static int greet(struct redis *r, bool fresh)
{
    r->refusal = REDIS_FINE;
    if (fresh)
        send_login(r);
    r->ping_ns = ov_clock_ns();
    redis_send(r, on_ping, NULL, 0, OV_SLICE("PING"));
    if (fresh)
        redis_send(r, NULL, NULL, 0, OV_SLICE("CLIENT"), OV_SLICE("SETNAME"),
                   OV_SLICE("omnivigil"));
    int status = redis_run(r);
    if (status == OV_STOPPED)
        return status;
    if (r->refusal == REDIS_WRONGPASS)
        slow_down(r);
    else if (status == OV_OK)
        r->wrong_logins = 0;
    if (r->refusal == REDIS_FINE)
        return status;
    if (status == OV_OK && is_passing(r->refusal))
        return redis_explain(r, r->refusal, ov_buf_text(&r->refused));
    return redis_fail(r, r->refusal, ov_buf_text(&r->refused));
}

/* ---------------------------------------------------------------- dialling */

static int load_tls(struct redis *r)
{
    if (!r->tls)
        r->tls = ov_host_module(r->host, "redis_tls", "redis_tls_transport");
    if (r->tls)
        return OV_OK;
    redis_note(r, REDIS_OTHER, "the module for TLS cannot be loaded");
    return OV_FAILED; /* with ov_host_module's text for ov_fail, which says more */
}

static int dial(struct redis *r)
{
    const struct redis_transport *transport = &redis_plain_transport;
    struct redis_link *link = &r->link;
    link->deadline_ms = ov_clock_ms() + r->options->timeout_ms;
    if (link->deadline_ms > ov_host_deadline(r->host))
        link->deadline_ms = ov_host_deadline(r->host);
    int status = transport->connect(link);
    if (status == OV_OK && r->url.scheme == REDIS_SECURE) {
        transport = r->tls;
        status = transport->connect(link);
        if (status != OV_OK)
            transport->close(link);
    }
    if (status == OV_STOPPED)
        return redis_stop(r);
    if (status != OV_OK)
        return redis_fail(r, link->fault, link->why);
    redis_begin(r, transport);
    return OV_OK;
}

/* Between two gathers the server has nothing to say: if it did, or closed, the connection is of
 * no more use. */
static bool is_stale(struct redis *r)
{
    redis_disown(r);
    return r->status != OV_OK ||
           (!r->pending.count &&
            r->transport->read(&r->link, r->in, sizeof r->in) != REDIS_LINK_WAIT);
}

static int open_new(struct redis *r)
{
    if (r->wrong_logins && ov_clock_ms() < r->next_login_ms)
        return ov_fail(r->host, "%s", redis_why(r));
    if (r->url.scheme == REDIS_SECURE && load_tls(r) != OV_OK)
        return OV_FAILED;
    int status = dial(r);
    return status == OV_OK ? greet(r, true) : status;
}

int redis_open(struct redis *r)
{
    r->latency_ms = -1;
    if (r->bad_url.len)
        return redis_explain(r, REDIS_OTHER, ov_buf_text(&r->bad_url));
    if (r->transport && is_stale(r))
        redis_close(r);
    bool idle = r->transport != NULL;
    int status = idle ? greet(r, false) : open_new(r);
    /* An idle connection may have been closed, or its user changed, while nobody looked. */
    if (idle && status == OV_FAILED && (r->fault == REDIS_CLOSED || r->fault == REDIS_NOAUTH))
        status = open_new(r);
    if (status == OV_OK) {
        r->fault = REDIS_FINE;
        ov_buf_reset(&r->why);
        ov_buf_text(&r->why);
    }
    return status;
}

double redis_latency_ms(const struct redis *r)
{
    return r->latency_ms;
}
