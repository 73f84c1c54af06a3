/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output `statsd`: samples as StatsD metrics over UDP, TCP or a Unix datagram socket.
 *
 * A record is lines, cut into datagrams when it is sent. A receiver that is away is asked again
 * every second, its name looked up each time, while the queue keeps what there is; a receiver too
 * slow is waited for, and the record goes on where it stopped. If the queue has dropped such a
 * record meanwhile, its rest is sent none the less, so that no line is torn.
 *
 * Counters are sent as what they rose by, worked out when a batch is encoded: what is dropped
 * later is lost, and counted so, not added to the next.
 *
 * Threads: encode's members and send's members are apart; nothing is shared but the options.
 */
#include <stdlib.h>

#include "datagram.h"
#include "omnivigil.h"
#include "statsd_lines.h"
#include "stream.h"

enum {
    RECORD_BYTES = 60 * 1024,
    RETRY_MS = 1000,
    SERIES_MAX = 1000000,
    UDP_BYTES = 1432, /* what an Ethernet frame carries past IPv6, UDP and a little more */
    LOCAL_BYTES = 8192,
};
#define STATSD_PORT "8125"
#define MS_DAY (24 * 3600 * INT64_C(1000))

struct statsd {
    /* options */
    char *address, *prefix;
    int dialect;
    int64_t packet_bytes, rate, resolve_ms, forget_ms;

    /* encode's */
    struct ov_host *host;
    struct statsd_style style;
    char *prefix_dot;
    struct series_table *series;
    struct ov_buf lines, scratch;

    /* send's */
    struct peer peer;
    struct datagrams datagrams;
    struct ov_buf begun; /* a record of which `done` bytes are sent; empty: none */
    size_t done;
};

static const char *const dialects[] = {
    [STATSD_PLAIN] = "plain", [STATSD_DOGSTATSD] = "dogstatsd", [STATSD_INFLUX] = "influx",
    [STATSD_GRAPHITE] = "graphite", NULL,
};

#define OPTION(option, kind, member)                                                               \
    .name = option, .type = kind, .offset = offsetof(struct statsd, member)

static const struct ov_option options[] = {
    {OPTION("address", OV_OPT_STRING, address), .fallback = "udp://127.0.0.1:" STATSD_PORT,
     .help = "udp://host:port, tcp://host:port or unix:///path of a datagram socket"},
    {OPTION("dialect", OV_OPT_ENUM, dialect), .fallback = "plain", .choices = dialects,
     .help = "where tags go: plain puts their values into the name, the others write them as that "
             "system reads them"},
    {OPTION("prefix", OV_OPT_STRING, prefix),
     .help = "put before each name, with a dot between"},
    {OPTION("packet_bytes", OV_OPT_SIZE, packet_bytes), .min = 64, .max = 65507,
     .help = "the largest datagram, or line over TCP; by default 1432, and 8192 for a socket or "
             "TCP"},
    {OPTION("rate", OV_OPT_INT, rate), .fallback = "20000", .min = 0, .max = 100000000,
     .help = "metrics in a second at most, over UDP, where what comes too fast is lost; 0 for no "
             "limit, which costs nothing where the receiver runs on this host: it is waited for"},
    {OPTION("resolve", OV_OPT_DURATION, resolve_ms), .fallback = "60s", .min = 1000, .max = MS_DAY,
     .help = "how often the receiver's name is looked up anew; always after an error"},
    {OPTION("forget", OV_OPT_DURATION, forget_ms), .fallback = "1h", .min = 1000,
     .max = 30 * MS_DAY,
     .help = "a counter not seen for so long begins anew: its next value is not sent"},
    {0},
};

/* ---------------------------------------------------------------- setting up */

static void statsd_check(void *state, struct ov_check *check)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_.-";
    const struct statsd *statsd = state;
    struct address address;
    const char *why = address_read(&address, statsd->address, STATSD_PORT);
    if (why)
        ov_check_error(check, "address", "%s", why);
    if (statsd->prefix && strspn(statsd->prefix, letters) != strlen(statsd->prefix))
        ov_check_error(check, "prefix", "may hold letters, digits and _ . - only");
}

static size_t packet_max(const struct statsd *statsd)
{
    if (statsd->packet_bytes)
        return (size_t)statsd->packet_bytes;
    return statsd->peer.address.kind == ADDRESS_UDP ? UDP_BYTES : LOCAL_BYTES;
}

static int statsd_open(void *state, struct ov_host *host)
{
    struct statsd *statsd = state;
    struct ov_buf prefix = {0};
    statsd->host = host;
    peer_init(&statsd->peer, host);
    statsd->series = series_table_new(statsd->forget_ms, SERIES_MAX);
    const char *why = address_read(&statsd->peer.address, statsd->address, STATSD_PORT);
    if (why)
        return ov_fail(host, "the address %s", why);
    if (statsd->prefix && *statsd->prefix)
        ov_buf_printf(&prefix, "%s.", statsd->prefix);
    statsd->prefix_dot = ov_strdup(ov_buf_text(&prefix));
    ov_buf_free(&prefix);
    statsd->style = (struct statsd_style){.dialect = (enum statsd_dialect)statsd->dialect,
                                          .prefix = statsd->prefix_dot,
                                          .max = packet_max(statsd)};
    statsd->peer.resolve_ms = statsd->resolve_ms;
    statsd->datagrams.max = packet_max(statsd);
    statsd->datagrams.line_ns = statsd->rate ? 1000000000 / statsd->rate : 0;
    return OV_OK;
}

static void statsd_close(void *state)
{
    struct statsd *statsd = state;
    if (statsd->host)
        peer_free(&statsd->peer);
    series_table_free(statsd->series);
    free(statsd->prefix_dot);
    ov_buf_free(&statsd->lines);
    ov_buf_free(&statsd->scratch);
    ov_buf_free(&statsd->begun);
}

/* ---------------------------------------------------------------- encode */

/* Emits the lines before `end` and moves what is behind to the front. */
static void record_end(struct ov_buf *lines, size_t end, struct ov_emit *emit, size_t samples)
{
    ov_emit(emit, lines->data, end, samples);
    lines->len -= end;
    memmove(lines->data, lines->data + end, lines->len);
}

/* Samples without a line (no counter of theirs rose) are counted with those before them. */
static void statsd_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    struct statsd *statsd = state;
    struct ov_buf *lines = &statsd->lines;
    size_t tag_count, samples = 0, too_long = 0;
    const struct ov_tag *tags = ov_batch_tags(batch, &tag_count);
    ov_buf_reset(lines);
    series_round(statsd->series, ov_clock_ms());
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        size_t before = lines->len;
        struct statsd_result result = statsd_lines_write(lines, &statsd->style, statsd->series, s,
                                                         tags, tag_count, &statsd->scratch);
        too_long += result.too_long;
        if (result.why) {
            ov_emit_unfit(emit, 1, result.why);
            continue;
        }
        if (before && lines->len > RECORD_BYTES) {
            record_end(lines, before, emit, samples);
            samples = 0;
        }
        samples++;
    }
    if (lines->len)
        record_end(lines, lines->len, emit, samples);
    if (too_long)
        ov_problem(statsd->host, "long lines", "left out %zu metrics whose names are longer than "
                   "a datagram of %zu bytes holds", too_long, statsd->style.max);
    else
        ov_recovered(statsd->host, "long lines");
}

/* ---------------------------------------------------------------- send */

static enum ov_sent send_lines(struct statsd *statsd, struct ov_slice lines, size_t *done)
{
    if (peer_open(&statsd->peer) != OV_OK)
        return OV_RETRY;
    if (statsd->peer.address.kind == ADDRESS_TCP)
        return stream_send(&statsd->peer, lines, done);
    return datagrams_send(&statsd->datagrams, &statsd->peer, lines, done);
}

/* Finishes the record that was begun; OV_SENT also when there is none, or none to finish. */
static enum ov_sent finish_begun(struct statsd *statsd)
{
    if (!statsd->begun.len)
        return OV_SENT;
    struct ov_slice begun = {statsd->begun.data, statsd->begun.len};
    enum ov_sent sent = send_lines(statsd, begun, &statsd->done);
    if (sent != OV_RETRY || !statsd->done)
        ov_buf_reset(&statsd->begun);
    return sent;
}

static enum ov_sent statsd_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    struct statsd *statsd = state;
    const struct ov_buf *begun = &statsd->begun;
    /* else it was dropped in the meantime; or only its oldest lines were */
    bool same = begun->len && bytes.len <= begun->len &&
                memcmp(begun->data + begun->len - bytes.len, bytes.ptr, bytes.len) == 0;
    enum ov_sent sent = finish_begun(statsd);
    if (sent == OV_SENT && !same) {
        size_t done = 0;
        sent = send_lines(statsd, bytes, &done);
        if (sent == OV_RETRY && done) {
            ov_buf_slice(&statsd->begun, bytes);
            statsd->done = done;
        }
    } else if (sent == OV_REJECTED && !same) {
        sent = OV_RETRY;
    }
    outcome->retry_ms = sent == OV_RETRY ? RETRY_MS : 0;
    return sent;
}

/* Small records fill datagrams better together. */
static void statsd_join(const void *state, size_t *samples, size_t *bytes)
{
    (void)state;
    *samples = SIZE_MAX;
    *bytes = RECORD_BYTES;
}

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "statsd",
    .summary = "sends samples as StatsD metrics over UDP, TCP or a Unix datagram socket",
    .kind = OV_OUTPUT,
    .state_size = sizeof(struct statsd),
    .options = options,
    .check = statsd_check,
    .open = statsd_open,
    .close = statsd_close,
    .encode = statsd_encode,
    .send = statsd_send,
    .join = statsd_join,
};
