/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output `influx`: line protocol to InfluxDB 1 (by database), 2 (by bucket) or 3 (by
 * database and token), and to whatever speaks its write API, over HTTP, HTTPS, a Unix socket or
 * UDP.
 *
 * The queue holds lines with nanoseconds, whatever the options: what waits is sent as they say
 * when it is sent. A send may be given any number of lines; it makes requests of at most `batch`
 * of them. When the server finds one too large (413) it is sent in pieces; the size that went
 * through is remembered and grows slowly again.
 *
 * If a piece has to wait, `done` and `begun` remember how far it went, and the next send of bytes
 * that begin the same goes on from there. A piece that the server fails on inside (5xx but 503)
 * for `give_up` is dropped, so that it cannot block what waits behind it. Whatever is dropped is
 * counted, and the server's own words are logged.
 */
#include <stdlib.h>

#include "gzip.h"
#include "influx_answer.h"
#include "influx_api.h"
#include "line_protocol.h"
#include "lines.h"
#include "records.h"

enum { RECORD_BYTES = 2 * 1024 * 1024, RESUME_MS = 1 };

struct influx {
    struct influx_options options;
    struct ov_buf scratch; /* encode's */

    /* send's */
    struct ov_host *host;
    struct post *post;
    char *place; /* where `post` leads, for people */
    struct peer peer; /* over UDP */
    struct datagrams datagrams;
    struct influx_answer answer;
    struct gzip *gzip;            /* NULL: requests go as they are */
    struct ov_buf coarse, packed; /* a piece in another precision; gzipped */
    size_t piece_max;    /* bytes of a request; falls at a 413, then grows */
    bool creation_tried; /* in this send */

    /* the bytes that are under way */
    struct ov_buf begun;    /* how they begin: what is done, at least one line */
    size_t done;            /* bytes dealt with */
    uint64_t refused;       /* of their lines */
    struct ov_buf refusal;  /* why the last of them were */
    int64_t fault_since_ms; /* when the server failed on the next piece first; 0: it did not */
};

#define OPTION(member, kind)                                                                       \
    .name = #member, .type = kind, .offset = offsetof(struct influx, options.member)

static const char *const versions[] = {"auto", "1", "2", "3", NULL};
static const char *const precisions[] = {"ns", "us", "ms", "s", NULL};
static const size_t precision_digits[] = {0, 3, 6, 9};

static const struct ov_option options[] = {
    {OPTION(url, OV_OPT_STRING), .fallback = "http://127.0.0.1:8086",
     .help = "address of the server: http:// or https:// (a path in it stands before the API's "
             "own), unix:///path/of/socket, or udp://host:8089"},
    {OPTION(version, OV_OPT_ENUM), .choices = versions, .fallback = "auto",
     .help = "which write API: 1 (also VictoriaMetrics'), 2 or 3; auto is 2 with a `bucket`, 3 "
             "with a `token` and none, else 1"},
    {OPTION(database, OV_OPT_STRING), .fallback = "omnidaemon",
     .help = "database to write to (versions 1 and 3)"},
    {OPTION(create_database, OV_OPT_BOOL), .fallback = "false",
     .help = "create the database where it does not exist (version 1; 3 does so by itself)"},
    {OPTION(retention_policy, OV_OPT_STRING),
     .help = "retention policy to write to (version 1); by default the database's default"},
    {OPTION(organization, OV_OPT_STRING), .help = "organization of the bucket (version 2)"},
    {OPTION(bucket, OV_OPT_STRING), .help = "bucket to write to (version 2)"},
    {OPTION(user, OV_OPT_STRING), .help = "user name (versions 1 and 2)"},
    {OPTION(password, OV_OPT_STRING), .secret = true, .help = "password of the user"},
    {OPTION(token, OV_OPT_STRING), .secret = true,
     .help = "token (versions 2 and 3), in place of user and password"},
    {OPTION(precision, OV_OPT_ENUM), .choices = precisions, .fallback = "ns",
     .help = "of the times written; over UDP the server must be set to the same"},
    {OPTION(gzip, OV_OPT_BOOL), .fallback = "false",
     .help = "compress requests: a tenth of the bytes, for some processor time"},
    {OPTION(batch, OV_OPT_INT), .fallback = "5000", .min = 1, .max = 100000,
     .help = "samples in one request, at most"},
    {.name = "give_up", .type = OV_OPT_DURATION, .offset = offsetof(struct influx,
     options.give_up_ms), .fallback = "1h", .min = 1000, .max = INT64_C(30) * 24 * 3600 * 1000,
     .help = "how long a request that the server fails on (5xx but 503) is tried again before "
             "its samples are dropped, so that they block no others"},
    {OPTION(tls, OV_OPT_TABLE), .table = post_tls_options, .help = "for an https:// address"},
    {OPTION(udp, OV_OPT_TABLE), .table = influx_udp_options, .help = "for a udp:// address"},
    {0},
};

static void influx_check(void *state, struct ov_check *check)
{
    const struct influx *in = state;
    influx_options_check(&in->options, check);
}

static int influx_open(void *state, struct ov_host *host)
{
    struct influx *in = state;
    in->host = host;
    in->piece_max = RECORD_BYTES;
    peer_init(&in->peer, host);
    if (influx_is_udp(&in->options))
        return influx_udp_set(host, &in->options, &in->peer, &in->datagrams);
    in->post = influx_post_new(host, &in->options, &in->place);
    if (in->options.gzip)
        in->gzip = gzip_new();
    return in->post ? OV_OK : OV_FAILED;
}

static void influx_close(void *state)
{
    struct influx *in = state;
    post_free(in->post);
    if (in->host)
        peer_free(&in->peer);
    free(in->place);
    gzip_free(in->gzip);
    ov_buf_free(&in->answer.why);
    ov_buf_free(&in->coarse);
    ov_buf_free(&in->packed);
    ov_buf_free(&in->begun);
    ov_buf_free(&in->refusal);
    ov_buf_free(&in->scratch);
}

static void influx_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    struct influx *in = state;
    struct records_limits limits = {(size_t)in->options.batch, RECORD_BYTES};
    records_emit(emit, batch, line_write, limits, &in->scratch);
}

/* ---------------------------------------------------------------- what was begun */

static void progress_reset(struct influx *in)
{
    ov_buf_reset(&in->begun);
    in->done = 0;
    in->refused = 0;
    in->fault_since_ms = 0;
}

/* Goes on where the last send stopped, unless these are other bytes: those were dropped then. */
static void progress_resume(struct influx *in, struct ov_slice bytes)
{
    struct ov_slice begun = {in->begun.data, in->begun.len};
    if (!begun.len || !ov_slice_starts(bytes, begun))
        progress_reset(in);
}

static void progress_keep(struct influx *in, struct ov_slice bytes)
{
    size_t count;
    size_t first = lines_first(bytes, 0, 1, &count).len;
    ov_buf_reset(&in->begun);
    ov_buf_add(&in->begun, bytes.ptr, in->done > first ? in->done : first);
}

static void progress_add(struct influx *in, struct ov_slice piece)
{
    in->done += piece.len;
    in->fault_since_ms = 0;
}

static void refuse(struct influx *in, uint64_t lines, const char *place, const char *why)
{
    in->refused += lines;
    ov_buf_reset(&in->refusal);
    ov_buf_printf(&in->refusal, "%s%s%s", place, *place ? " " : "", why);
}

/* ---------------------------------------------------------------- requests */

static struct ov_slice influx_precise(struct influx *in, struct ov_slice piece)
{
    size_t digits = precision_digits[in->options.precision];
    if (!digits)
        return piece;
    ov_buf_reset(&in->coarse);
    lines_coarsen(&in->coarse, piece, digits);
    return (struct ov_slice){in->coarse.data, in->coarse.len};
}

static int influx_post(struct influx *in, struct ov_slice piece, struct post_answer *said)
{
    struct ov_slice body = influx_precise(in, piece);
    if (in->gzip) {
        if (!gzip_pack(in->gzip, body, &in->packed))
            return ov_fail(in->host, "zlib cannot compress a request");
        body = (struct ov_slice){in->packed.data, in->packed.len};
    }
    int status = post_send(in->post, body, said);
    if (status == OV_STOPPED)
        ov_fail(in->host, "stopped before %s answered", in->place);
    return status;
}

/* Goes on without gzip, which the server does not take. */
static bool gzip_stop(struct influx *in)
{
    ov_log(in->host, OV_WARN, "%s does not take gzip (415): sending without from now on",
           in->place);
    gzip_free(in->gzip);
    in->gzip = NULL;
    in->options.gzip = false;
    post_free(in->post);
    in->post = influx_post_new(in->host, &in->options, &in->place);
    return in->post;
}

/* Says in `why` what else there is to say when it is not. */
static bool database_is_made(struct influx *in)
{
    struct ov_buf *why = &in->answer.why;
    if (!in->options.create_database)
        influx_advise_creation(&in->options, why);
    if (!in->options.create_database || in->creation_tried)
        return false;
    in->creation_tried = true;
    return influx_create_database(in->host, &in->options, why);
}

static bool is_time_to_give_up(struct influx *in)
{
    int64_t now_ms = ov_clock_ms();
    if (!in->answer.fault)
        return false;
    if (!in->fault_since_ms)
        in->fault_since_ms = now_ms;
    return now_ms - in->fault_since_ms >= in->options.give_up_ms;
}

/* Sends the next request. False if the rest has to wait. */
static bool influx_request(struct influx *in, struct ov_slice rest, struct ov_outcome *outcome)
{
    size_t lines;
    struct post_answer said;
    struct ov_slice piece = lines_first(rest, in->piece_max, (size_t)in->options.batch, &lines);
    if (!in->post || influx_post(in, piece, &said) != OV_OK)
        return false;
    if (said.status == 415 && in->gzip)
        return gzip_stop(in);
    influx_answer_read(&in->answer, &said, lines);
    switch (in->answer.verdict) {
    case INFLUX_DELIVERED:
        if (in->answer.refused)
            refuse(in, in->answer.refused, in->place, ov_buf_text(&in->answer.why));
        progress_add(in, piece);
        if (in->piece_max < RECORD_BYTES)
            in->piece_max += in->piece_max / 16 + 1;
        return true;
    case INFLUX_TOO_LARGE:
        in->piece_max = piece.len / 2;
        return true;
    case INFLUX_UNKNOWN:
        if (database_is_made(in))
            return true;
        break;
    case INFLUX_LATER:
        if (!is_time_to_give_up(in))
            break;
        ov_problem(in->host, "given up", "gave up on %zu points, which are dropped: %s %s", lines,
                   in->place, ov_buf_text(&in->answer.why));
        refuse(in, lines, in->place, ov_buf_text(&in->answer.why));
        progress_add(in, piece);
        return true;
    }
    ov_fail(in->host, "%s %s", in->place, ov_buf_text(&in->answer.why));
    outcome->retry_ms = in->answer.retry_ms;
    return false;
}

static bool requests_send(struct influx *in, struct ov_slice bytes, struct ov_outcome *outcome)
{
    in->creation_tried = false;
    while (in->done < bytes.len) {
        struct ov_slice rest = {bytes.ptr + in->done, bytes.len - in->done};
        if (!influx_request(in, rest, outcome))
            return false;
    }
    return true;
}

/* ---------------------------------------------------------------- datagrams */

/* Sends what the next datagram holds. */
static bool datagram_send(struct influx *in, struct ov_slice rest)
{
    size_t lines, done = 0;
    struct ov_slice piece = lines_first(rest, in->datagrams.max, SIZE_MAX, &lines);
    enum ov_sent sent = OV_REJECTED;
    if (piece.len <= in->datagrams.max)
        sent = datagrams_send(&in->datagrams, &in->peer, influx_precise(in, piece), &done);
    if (sent == OV_RETRY)
        return false;
    if (sent == OV_REJECTED)
        refuse(in, lines, "", "longer than a datagram may be (`udp.datagram`)");
    progress_add(in, piece);
    return true;
}

/* When nobody listened, all of it has to go again: what was sent is gone. */
static bool datagrams_all(struct influx *in, struct ov_slice bytes, struct ov_outcome *outcome)
{
    bool sent = peer_open(&in->peer) == OV_OK;
    while (sent && in->done < bytes.len) {
        if (ov_clock_ms() >= ov_host_deadline(in->host)) {
            ov_fail(in->host, "`timeout` is too short for so many datagrams at `udp.per_second`");
            outcome->retry_ms = RESUME_MS;
            return false;
        }
        sent = datagram_send(in, (struct ov_slice){bytes.ptr + in->done, bytes.len - in->done});
    }
    if (in->peer.fd < 0)
        progress_reset(in);
    return sent;
}

/* ---------------------------------------------------------------- sending */

static enum ov_sent influx_settle(struct influx *in, struct ov_slice bytes,
                                  struct ov_outcome *outcome)
{
    size_t lines;
    lines_first(bytes, SIZE_MAX, SIZE_MAX, &lines);
    uint64_t refused = in->refused;
    progress_reset(in);
    outcome->rejected = refused;
    if (refused && refused >= lines) {
        ov_fail(in->host, "%s", ov_buf_text(&in->refusal));
        return OV_REJECTED;
    }
    if (refused)
        ov_problem(in->host, "refused points", "%ju of %zu points were refused and are dropped: %s",
                   (uintmax_t)refused, lines, ov_buf_text(&in->refusal));
    else
        ov_recovered(in->host, "refused points");
    return OV_SENT;
}

static enum ov_sent influx_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    struct influx *in = state;
    progress_resume(in, bytes);
    bool sent = in->post ? requests_send(in, bytes, outcome) : datagrams_all(in, bytes, outcome);
    if (sent)
        return influx_settle(in, bytes, outcome);
    progress_keep(in, bytes);
    return OV_RETRY;
}

static void influx_join(const void *state, size_t *samples, size_t *bytes)
{
    const struct influx *in = state;
    *samples = (size_t)in->options.batch;
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
