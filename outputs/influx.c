/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output `influx`: line protocol over HTTP to InfluxDB (1.x by database, 2.x by bucket) and
 * whatever speaks its write API.
 *
 * A record is sent in one request. When the server finds it too large (413) it is sent in pieces
 * of whole lines; the size that went through is remembered and grows slowly again. If a piece
 * has to wait, the next send of the same record goes on behind those that were delivered.
 *
 * What an answer means:
 *     2xx                       delivered (but a page in HTML is some other server: retry slowly)
 *     4xx with `partial write`  delivered but for the points the server dropped
 *     413                       smaller pieces; a single line too large is dropped
 *     401, 403, 404, 3xx        kept and tried again slowly: a person has to act
 *     408, 425, 429, 5xx, none  kept and tried again, not before its Retry-After
 *     other 4xx                 dropped
 * Whatever is dropped is counted, and the server's own words are logged.
 */
#include "line_protocol.h"
#include "omnivigil.h"
#include "post.h"
#include "records.h"
#include "url.h"

enum {
    RECORD_BYTES = 2 * 1024 * 1024,
    SLOW_RETRY_MS = 30 * 1000,
    WORDS_MAX = 300, /* of what a server says */
};

struct influx {
    /* options */
    char *url, *database, *retention_policy, *organization, *bucket, *user, *password, *token;
    int64_t batch;
    struct post_tls tls;

    /* encode's */
    struct ov_buf scratch;

    /* send's */
    struct ov_host *host;
    struct url write;
    struct post *post;
    size_t piece_max;    /* bytes of a request; falls at a 413, then grows */
    struct ov_buf begun; /* the record of which `done` bytes are dealt with; empty: none */
    size_t done;
    uint64_t refused;      /* of its lines */
    struct ov_buf refusal; /* why the last of them were */
};

#define OPTION(member, kind)                                                                       \
    .name = #member, .type = kind, .offset = offsetof(struct influx, member)

static const struct ov_option options[] = {
    {OPTION(url, OV_OPT_STRING), .fallback = "http://127.0.0.1:8086",
     .help = "address of the server; a path in it stands before the API's own"},
    {OPTION(database, OV_OPT_STRING), .fallback = "omnidaemon",
     .help = "database to write to (InfluxDB 1); it must exist"},
    {OPTION(retention_policy, OV_OPT_STRING),
     .help = "retention policy to write to; by default the database's default"},
    {OPTION(organization, OV_OPT_STRING), .help = "organization of the bucket (InfluxDB 2)"},
    {OPTION(bucket, OV_OPT_STRING),
     .help = "bucket to write to (InfluxDB 2), in place of a database"},
    {OPTION(user, OV_OPT_STRING), .help = "user name (InfluxDB 1)"},
    {OPTION(password, OV_OPT_STRING), .secret = true, .help = "password of the user"},
    {OPTION(token, OV_OPT_STRING), .secret = true,
     .help = "token (InfluxDB 2), in place of user and password"},
    {OPTION(batch, OV_OPT_INT), .fallback = "5000", .min = 1, .max = 100000,
     .help = "samples in one request, at most"},
    {OPTION(tls, OV_OPT_TABLE), .table = post_tls_options, .help = "for an https address"},
    {0},
};

/* ---------------------------------------------------------------- setting up */

static bool has_control(const char *text)
{
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            return true;
    return false;
}

static void influx_check(void *state, struct ov_check *check)
{
    const struct influx *in = state;
    const char *why = url_refusal(in->url);
    if (why)
        ov_check_error(check, "url", "%s", why);
    else if (strchr(in->url, '?') || strchr(in->url, '#'))
        ov_check_error(check, "url", "must end before `?` or `#`: what is written to where has "
                       "options of its own");
    if (in->bucket && !in->organization)
        ov_check_error(check, "bucket", "needs its `organization`");
    if (in->organization && !in->bucket)
        ov_check_error(check, "organization", "is of no use without `bucket`");
    if (!in->bucket && !*in->database)
        ov_check_error(check, "database", "is empty");
    if (in->bucket && in->retention_policy)
        ov_check_error(check, "retention_policy", "is for a database, not for a bucket");
    if (in->token && in->user)
        ov_check_error(check, "token", "cannot be used together with `user`");
    if (in->password && !in->user)
        ov_check_error(check, "password", "is of no use without `user`");
    if (in->user && strchr(in->user, ':'))
        ov_check_error(check, "user", "must not hold a colon");
    if (in->token && has_control(in->token))
        ov_check_error(check, "token", "holds control characters");
    post_tls_check(&in->tls, check);
}

static bool write_url_make(struct influx *in)
{
    struct ov_tag query[4];
    size_t count = 0;
    if (in->bucket) {
        query[count++] = (struct ov_tag){"org", ov_slice(in->organization)};
        query[count++] = (struct ov_tag){"bucket", ov_slice(in->bucket)};
    } else {
        query[count++] = (struct ov_tag){"db", ov_slice(in->database)};
        if (in->retention_policy)
            query[count++] = (struct ov_tag){"rp", ov_slice(in->retention_policy)};
    }
    query[count++] = (struct ov_tag){"precision", OV_SLICE("ns")};
    return url_make(&in->write, in->url, in->bucket ? "/api/v2/write" : "/write", query, count);
}

static int influx_open(void *state, struct ov_host *host)
{
    struct influx *in = state;
    in->host = host;
    in->piece_max = RECORD_BYTES;
    if (!write_url_make(in))
        return ov_fail(host, "the url cannot be used");
    struct ov_buf authorization = {0};
    if (in->token)
        ov_buf_printf(&authorization, "Authorization: Token %s", in->token);
    const char *headers[] = {"Content-Type: text/plain; charset=utf-8",
                             in->token ? ov_buf_text(&authorization) : NULL, NULL};
    struct post_target target = {
        .url = in->write.target,
        .user = in->token ? NULL : in->user ? in->user : in->write.user,
        .password = in->user ? in->password : in->write.password,
        .headers = headers,
        .tls = &in->tls,
    };
    in->post = post_new(host, &target);
    ov_buf_free(&authorization);
    return in->post ? OV_OK : OV_FAILED;
}

static void influx_close(void *state)
{
    struct influx *in = state;
    post_free(in->post);
    url_free(&in->write);
    ov_buf_free(&in->begun);
    ov_buf_free(&in->refusal);
    ov_buf_free(&in->scratch);
}

static void influx_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    struct influx *in = state;
    struct records_limits limits = {(size_t)in->batch, RECORD_BYTES};
    records_emit(emit, batch, line_write, limits, &in->scratch);
}

/* ---------------------------------------------------------------- what the server says */

static const char *find(struct ov_slice in, const char *what)
{
    return in.len ? memmem(in.ptr, in.len, what, strlen(what)) : NULL;
}

/* What a person is to read of an answer: the text of its "error" or "message", else the body. */
static const char *words(const struct post_answer *answer, struct ov_buf *out)
{
    struct ov_slice body = answer->body;
    const char *text = find(body, "\"error\":\""), *end = body.ptr + body.len;
    text = text ? text + strlen("\"error\":\"") : NULL;
    if (!text && (text = find(body, "\"message\":\"")))
        text += strlen("\"message\":\"");
    bool quoted = text;
    if (!text)
        text = answer->html ? end : body.ptr;
    for (; text != end && out->len < WORDS_MAX && !(quoted && *text == '"'); text++) {
        bool escape = quoted && *text == '\\' && text + 1 != end;
        text += escape;
        ov_buf_char(out, escape && *text == 'n' ? ' ' : *text);
    }
    return out->len ? ov_buf_text(out) : "(no explanation)";
}

/* How many of `lines` points a partial write left out: its `dropped=N`, or the lines it could not
 * parse, which it does not count there. */
static uint64_t dropped_points(const struct post_answer *answer, uint64_t lines)
{
    uint64_t dropped = 0, unread = 0;
    struct ov_slice rest = answer->body;
    const char *end = rest.ptr + rest.len, *at = find(rest, "dropped=");
    for (at = at ? at + strlen("dropped=") : end; at != end && *at >= '0' && *at <= '9'; at++)
        if (dropped <= lines)
            dropped = dropped * 10 + (uint64_t)(*at - '0');
    while ((at = find(rest, "unable to parse '"))) {
        unread++;
        rest = (struct ov_slice){at + 1, (size_t)(end - at) - 1};
    }
    dropped += unread;
    if (dropped == 0)
        dropped = 1;
    return dropped < lines ? dropped : lines;
}

/* ---------------------------------------------------------------- sending */

enum verdict { DONE, TOO_LARGE, LATER };

static enum verdict later(struct influx *in, const struct post_answer *answer,
                          struct ov_outcome *outcome, const char *advice)
{
    struct ov_buf said = {0};
    outcome->retry_ms = answer->retry_after_ms;
    if (*advice && outcome->retry_ms < SLOW_RETRY_MS)
        outcome->retry_ms = SLOW_RETRY_MS;
    ov_fail(in->host, "%s answers %ld: %s%s", in->write.shown, answer->status,
            words(answer, &said), advice);
    ov_buf_free(&said);
    return LATER;
}

static enum verdict not_found(struct influx *in, const struct post_answer *answer,
                              struct ov_outcome *outcome)
{
    struct ov_buf advice = {0};
    if (in->bucket)
        ov_buf_printf(&advice, "; create it: influx bucket create --org '%s' --name '%s'",
                      in->organization, in->bucket);
    else if (find(answer->body, "database not found"))
        ov_buf_printf(&advice, "; create it: influx -execute 'CREATE DATABASE \"%s\"'",
                      in->database);
    else
        ov_buf_str(&advice, "; is `url` that of an InfluxDB?");
    later(in, answer, outcome, ov_buf_text(&advice));
    ov_buf_free(&advice);
    return LATER;
}

static enum verdict redirected(struct influx *in, const struct post_answer *answer,
                               struct ov_outcome *outcome)
{
    outcome->retry_ms = SLOW_RETRY_MS;
    ov_fail(in->host, "%s answers %ld, a redirect to %s, which is not followed: set `url` to the "
            "server's own address", in->write.shown, answer->status,
            *answer->location ? answer->location : "nowhere");
    return LATER;
}

static enum verdict refused(struct influx *in, const struct post_answer *answer, uint64_t points)
{
    struct ov_buf said = {0};
    in->refused += points;
    ov_buf_reset(&in->refusal);
    ov_buf_printf(&in->refusal, "%s answers %ld: %s%s", in->write.shown, answer->status,
                  words(answer, &said), answer->status == 413 ? "; a line alone is too large" : "");
    ov_buf_free(&said);
    return DONE;
}

static enum verdict judge(struct influx *in, const struct post_answer *answer, uint64_t lines,
                          struct ov_outcome *outcome)
{
    long status = answer->status;
    bool success = status >= 200 && status < 300;
    if (success && !answer->html)
        return DONE;
    if (success)
        return later(in, answer, outcome, " with a page for people; is `url` that of an InfluxDB?");
    if (status == 413)
        return lines > 1 ? TOO_LARGE : refused(in, answer, lines);
    if (status >= 300 && status < 400)
        return redirected(in, answer, outcome);
    if (status == 404)
        return not_found(in, answer, outcome);
    if (status == 401 || status == 403)
        return later(in, answer, outcome, "; check `user` and `password`, or `token`, and what "
                     "they may write to");
    if (post_status_is_passing(status) || status < 400)
        return later(in, answer, outcome, "");
    bool partial = find(answer->body, "partial write") || find(answer->body, "dropped=");
    return refused(in, answer, partial ? dropped_points(answer, lines) : lines);
}

static enum verdict influx_post(struct influx *in, struct ov_slice piece, uint64_t lines,
                                struct ov_outcome *outcome)
{
    struct post_answer answer;
    switch (post_send(in->post, piece, &answer)) {
    case OV_OK:
        return judge(in, &answer, lines, outcome);
    case OV_STOPPED:
        ov_fail(in->host, "stopped before %s answered", in->write.shown);
        return LATER;
    default:
        return LATER;
    }
}

/* The next piece of a record: whole lines up to piece_max bytes, or one line that is longer. */
static struct ov_slice piece_of(const struct influx *in, struct ov_slice rest)
{
    if (rest.len <= in->piece_max)
        return rest;
    const char *end = memrchr(rest.ptr, '\n', in->piece_max);
    if (!end)
        end = memchr(rest.ptr, '\n', rest.len);
    return (struct ov_slice){rest.ptr, end ? (size_t)(end - rest.ptr) + 1 : rest.len};
}

static uint64_t count_lines(struct ov_slice bytes)
{
    uint64_t lines = 0;
    for (const char *at = bytes.ptr, *end = at + bytes.len; at != end; lines++) {
        const char *newline = memchr(at, '\n', (size_t)(end - at));
        at = newline ? newline + 1 : end;
    }
    return lines;
}

static void piece_grow(struct influx *in)
{
    if (in->piece_max < RECORD_BYTES)
        in->piece_max += in->piece_max / 16 + 1;
}

/* Forgets the record under way unless `bytes` are it, or the end of it: the oldest lines of it
 * may have been dropped in the meantime. */
static void influx_resume(struct influx *in, struct ov_slice bytes)
{
    size_t dropped = in->begun.len - bytes.len;
    if (in->begun.len < bytes.len || !bytes.len ||
        memcmp(in->begun.data + dropped, bytes.ptr, bytes.len) != 0) {
        in->done = 0;
        in->refused = 0;
    } else {
        in->done = in->done > dropped ? in->done - dropped : 0;
    }
    ov_buf_free(&in->begun);
}

static enum ov_sent influx_settle(struct influx *in, uint64_t lines, struct ov_outcome *outcome)
{
    outcome->rejected = in->refused;
    if (in->refused && in->refused >= lines) {
        ov_fail(in->host, "%s", ov_buf_text(&in->refusal));
        return OV_REJECTED;
    }
    if (in->refused)
        ov_problem(in->host, "refused points", "%ju of %ju points were refused and are dropped: %s",
                   (uintmax_t)in->refused, (uintmax_t)lines, ov_buf_text(&in->refusal));
    else
        ov_recovered(in->host, "refused points");
    return OV_SENT;
}

static enum ov_sent influx_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    struct influx *in = state;
    influx_resume(in, bytes);
    while (in->done < bytes.len) {
        struct ov_slice rest = {bytes.ptr + in->done, bytes.len - in->done};
        struct ov_slice piece = piece_of(in, rest);
        switch (influx_post(in, piece, count_lines(piece), outcome)) {
        case DONE:
            in->done += piece.len;
            piece_grow(in);
            break;
        case TOO_LARGE:
            in->piece_max = piece.len / 2;
            break;
        case LATER:
            if (in->done)
                ov_buf_slice(&in->begun, bytes);
            return OV_RETRY;
        }
    }
    return influx_settle(in, count_lines(bytes), outcome);
}

static void influx_join(const void *state, size_t *samples, size_t *bytes)
{
    const struct influx *in = state;
    *samples = (size_t)in->batch;
    *bytes = RECORD_BYTES;
}

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "influx",
    .summary = "writes samples to InfluxDB, or a server that speaks its write API",
    .kind = OV_OUTPUT,
    .state_size = sizeof(struct influx),
    .options = options,
    .check = influx_check,
    .open = influx_open,
    .close = influx_close,
    .encode = influx_encode,
    .send = influx_send,
    .join = influx_join,
};
