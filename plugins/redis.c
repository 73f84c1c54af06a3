/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The client's life and its pipeline.
 *
 *     redis_send ──▶ out ──▶ transport ──▶ Redis ──▶ transport ──▶ reader ──▶ pending.first.fn
 *                   (bytes)                                       (replies)   (in the order sent)
 *
 * Whatever has to wait for Redis does it by turns: read what has come and hand out its replies;
 * when nothing has come, write what is queued and poll. A reply function only appends to `out`,
 * so the client always comes back to reading and never makes Redis wait for a writer.
 *
 * `status` is OV_OK while there is a connection. Once it is not, sends do nothing and redis_run
 * returns it, until redis_open has made a new connection.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "redis_client.h"
#include "redis_reply.h"

enum {
    WINDOW = 512,          /* commands without a reply before a sender has to wait */
    WRITE_SOME = 16 << 10, /* queued bytes that are worth a write */
    WRITE_FULL = 64 << 10, /* queued bytes before a sender has to wait */
    FEED_SOME = 2 << 10,
    OUT_KEPT = 256 << 10,
    HEADER_MOST = 1 + 20 + 2,
};

/* ---------------------------------------------------------------- life */

static void not_connected(struct redis *r)
{
    r->status = OV_FAILED;
    r->fault = REDIS_CLOSED;
    ov_buf_reset(&r->why);
    ov_buf_str(&r->why, "not connected");
    ov_buf_text(&r->why);
}

struct redis *redis_new(const struct redis_options *options, struct ov_host *host)
{
    struct redis *r = ov_calloc(1, sizeof *r);
    r->options = options;
    r->host = host;
    r->link = (struct redis_link){.host = host, .url = &r->url, .fd = -1};
    r->latency_ms = -1;
    if (redis_url_from_options(options, &r->url, &r->bad_url))
        redis_url_place(&r->url, &r->place);
    else
        ov_buf_str(&r->place, "address of Redis");
    not_connected(r);
    return r;
}

void redis_begin(struct redis *r, const struct redis_transport *transport)
{
    r->transport = transport;
    r->reader = redis_reader_new();
    r->answered = r->write_broken = false;
    r->status = OV_OK;
}

void redis_hang_up(struct redis *r)
{
    if (!r->transport)
        return;
    r->transport->close(&r->link);
    r->transport = NULL;
    redis_reader_free(r->reader);
    r->reader = NULL;
    ov_buf_free(&r->out);
    r->written = 0;
    r->pending.first = r->pending.count = 0;
}

void redis_close(struct redis *r)
{
    redis_hang_up(r);
    if (r->status == OV_OK)
        not_connected(r);
}

void redis_free(struct redis *r)
{
    if (!r)
        return;
    redis_hang_up(r);
    ov_lookup_drop(r->link.lookup);
    redis_url_free(&r->url);
    ov_buf_free(&r->place);
    ov_buf_free(&r->bad_url);
    ov_buf_free(&r->why);
    ov_buf_free(&r->refused);
    free(r->pending.places);
    free(r);
}

/* ---------------------------------------------------------------- failing */

enum redis_fault redis_fault(const struct redis *r)
{
    return r->fault;
}

struct ov_slice redis_place(const struct redis *r)
{
    return (struct ov_slice){r->place.data, r->place.len};
}

const char *redis_why(const struct redis *r)
{
    return r->why.data;
}

void redis_note(struct redis *r, enum redis_fault fault, const char *what)
{
    struct ov_buf why = {0}; /* `what` may be part of the old text */
    const char *remedy = redis_fault_remedy(fault);
    ov_buf_add(&why, r->place.data, r->place.len);
    ov_buf_printf(&why, ": %s%s%s", what, *remedy ? "; " : "", remedy);
    ov_buf_text(&why);
    ov_buf_free(&r->why);
    r->why = why;
    r->fault = fault;
}

int redis_explain(struct redis *r, enum redis_fault fault, const char *what)
{
    redis_note(r, fault, what);
    return ov_fail(r->host, "%s", r->why.data);
}

int redis_fail(struct redis *r, enum redis_fault fault, const char *what)
{
    r->status = redis_explain(r, fault, what);
    redis_hang_up(r);
    return r->status;
}

int redis_stop(struct redis *r)
{
    redis_fail(r, REDIS_STOPPED, "the agent is stopping");
    return r->status = OV_STOPPED;
}

/* Bytes that are no reply: garbage, or something else than Redis from the start. */
static int fail_protocol(struct redis *r, const char *error, size_t len)
{
    struct ov_buf what = {0};
    enum redis_fault fault = REDIS_PROTOCOL;
    struct ov_slice came = {r->in, len < 40 ? len : 40};
    if (r->answered) {
        ov_buf_printf(&what, "protocol error: %s", error);
    } else if (ov_slice_starts(came, OV_SLICE("\x15\x03"))) { /* a TLS alert */
        fault = REDIS_TLS;
        ov_buf_str(&what, "the port speaks TLS, and the address must begin with rediss://");
    } else {
        fault = REDIS_NOT_REDIS;
        ov_buf_str(&what, "what answers is not Redis: \"");
        ov_buf_escaped(&what, came);
        ov_buf_char(&what, '"');
    }
    int status = redis_fail(r, fault, ov_buf_text(&what));
    ov_buf_free(&what);
    return status;
}

/* ---------------------------------------------------------------- what waits for a reply */

static void queue_push(struct redis_queue *queue, struct redis_pending pending)
{
    if (queue->count == queue->cap) {
        size_t cap = queue->cap ? queue->cap * 2 : WINDOW;
        struct redis_pending *places = ov_realloc(NULL, cap, sizeof *places);
        for (size_t i = 0; i < queue->count; i++)
            places[i] = queue->places[(queue->first + i) & (queue->cap - 1)];
        free(queue->places);
        *queue = (struct redis_queue){places, cap, 0, queue->count};
    }
    queue->places[(queue->first + queue->count++) & (queue->cap - 1)] = pending;
}

static struct redis_pending queue_pop(struct redis_queue *queue)
{
    struct redis_pending first = queue->places[queue->first];
    queue->first = (queue->first + 1) & (queue->cap - 1);
    queue->count--;
    return first;
}

void redis_disown(struct redis *r)
{
    for (size_t i = 0; i < r->pending.count; i++)
        r->pending.places[(r->pending.first + i) & (r->pending.cap - 1)].fn = NULL;
}

/* ---------------------------------------------------------------- moving bytes */

static size_t unwritten(const struct redis *r)
{
    return r->out.len - r->written;
}

static void write_out(struct redis *r)
{
    while (unwritten(r) && !r->write_broken) {
        ssize_t n = r->transport->write(&r->link, r->out.data + r->written, unwritten(r));
        if (n == REDIS_LINK_WAIT)
            return;
        if (n < 0) {
            r->write_broken = true;
            return;
        }
        r->written += (size_t)n;
        r->progress_ms = ov_clock_ms();
    }
    if (unwritten(r))
        return;
    r->written = 0;
    ov_buf_reset(&r->out);
    if (r->out.cap > OUT_KEPT)
        ov_buf_free(&r->out);
}

static int hand_out(struct redis *r, const struct redis_reply *reply)
{
    if (!r->pending.count)
        return fail_protocol(r, "an answer to no question", 0);
    struct redis_pending sent = queue_pop(&r->pending);
    r->answered = true;
    r->in_reply = true;
    if (sent.fn)
        sent.fn(r, reply, sent.context, sent.index);
    r->in_reply = false;
    if (r->status != OV_OK)
        redis_hang_up(r);
    return r->status;
}

static int take_in(struct redis *r, size_t len)
{
    const struct redis_reply *reply;
    r->progress_ms = ov_clock_ms();
    /* The reader moves what it holds after each reply: it is given little at once. */
    for (size_t at = 0; at < len; at += FEED_SOME) {
        redis_reader_feed(r->reader, r->in + at, len - at < FEED_SOME ? len - at : FEED_SOME);
        while ((reply = redis_reader_next(r->reader)))
            if (hand_out(r, reply) != OV_OK)
                return r->status;
    }
    const char *error = redis_reader_error(r->reader);
    return error ? fail_protocol(r, error, len) : OV_OK;
}

static int fail_late(struct redis *r)
{
    struct ov_buf what = {0};
    if (ov_clock_ms() >= ov_host_deadline(r->host))
        ov_buf_str(&what, "the time allowed for the whole ended before it had answered");
    else
        ov_buf_printf(&what, "no answer for %lld ms", (long long)r->options->timeout_ms);
    int status = redis_fail(r, REDIS_TIMEOUT, ov_buf_text(&what));
    ov_buf_free(&what);
    return status;
}

static int fail_broken(struct redis *r)
{
    struct ov_buf what = {0};
    ov_buf_str(&what, r->link.why);
    if (!r->answered && r->url.scheme == REDIS_TCP)
        ov_buf_str(&what, " before it answered (a port that expects TLS wants rediss://)");
    int status = redis_fail(r, r->link.fault, ov_buf_text(&what));
    ov_buf_free(&what);
    return status;
}

static int await(struct redis *r)
{
    int64_t deadline = r->progress_ms + r->options->timeout_ms;
    if (deadline > ov_host_deadline(r->host))
        deadline = ov_host_deadline(r->host);
    short events = unwritten(r) ? POLLIN | POLLOUT : POLLIN;
    int status = redis_link_wait(&r->link, r->transport->descriptor(&r->link), events, deadline);
    if (status == OV_STOPPED)
        return redis_stop(r);
    return status == OV_FAILED ? fail_late(r) : OV_OK;
}

static int turn(struct redis *r)
{
    if (ov_host_stopping(r->host))
        return redis_stop(r);
    if (ov_clock_ms() >= ov_host_deadline(r->host))
        return fail_late(r);
    if (unwritten(r) >= WRITE_SOME)
        write_out(r);
    ssize_t n = r->transport->read(&r->link, r->in, sizeof r->in);
    if (n > 0)
        return take_in(r, (size_t)n);
    if (n < 0 || r->write_broken)
        return fail_broken(r);
    write_out(r);
    return r->write_broken ? OV_OK : await(r);
}

/* Goes on until at most `most` commands wait for their reply, and there is room to write. */
static int pump(struct redis *r, size_t most)
{
    r->progress_ms = ov_clock_ms();
    while (r->status == OV_OK && (r->pending.count > most || unwritten(r) >= WRITE_FULL))
        turn(r);
    return r->status;
}

/* ---------------------------------------------------------------- commands */

/* Writes a header such as "*3\r\n"; returns where it ends. */
static char *write_header(char *at, char mark, size_t number)
{
    *at++ = mark;
    if (number < 100) {
        *at = (char)('0' + number / 10);
        at += number >= 10;
        *at++ = (char)('0' + number % 10);
    } else {
        at += snprintf(at, HEADER_MOST, "%zu", number);
    }
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

/* An array of bulk strings. hiredis formats through sprintf and a buffer of its own, which was a
 * quarter of all a gather cost. */
static void append_command(struct redis *r, const struct ov_slice *words, size_t argc)
{
    size_t most = HEADER_MOST;
    for (size_t i = 0; i < argc; i++)
        most += HEADER_MOST + words[i].len + 2;
    ov_buf_grow(&r->out, most);
    char *at = write_header(r->out.data + r->out.len, '*', argc);
    for (size_t i = 0; i < argc; i++) {
        at = write_header(at, '$', words[i].len);
        if (words[i].len)
            memcpy(at, words[i].ptr, words[i].len);
        at += words[i].len;
        *at++ = '\r';
        *at++ = '\n';
    }
    r->out.len = (size_t)(at - r->out.data);
}

void redis_send_words(struct redis *r, redis_reply_fn *fn, void *context, size_t index,
                      const struct ov_slice *words, size_t argc)
{
    if (r->status != OV_OK)
        return;
    append_command(r, words, argc);
    queue_push(&r->pending, (struct redis_pending){fn, context, index});
    if (r->in_reply)
        return;
    if (r->pending.count >= WINDOW || unwritten(r) >= WRITE_FULL)
        pump(r, WINDOW / 2);
    else if (unwritten(r) >= WRITE_SOME)
        write_out(r);
}

void redis_flush(struct redis *r)
{
    if (r->status == OV_OK)
        write_out(r);
}

int redis_run(struct redis *r)
{
    return r->status == OV_OK ? pump(r, 0) : r->status;
}
