/* SPDX-License-Identifier: Apache-2.0 */
/* The output `statsd`: dialects, counters, packing, and receivers of every kind that are there,
 * away, slow, or come back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "datagram.h"
#include "moving_name.h"
#include "output_rig.h"
#include "series.h"
#include "statsd_lines.h"

enum { PENDING, RATIO, UP, WHY, DONE, CPU };
static const struct ov_field fields[] = {
    [PENDING] = {"pending", OV_INT, OV_GAUGE, "", ""},
    [RATIO] = {"ratio", OV_FLOAT, OV_GAUGE, "", ""},
    [UP] = {"up", OV_BOOL, OV_GAUGE, "", ""},
    [WHY] = {"why", OV_TEXT, OV_GAUGE, "", ""},
    [DONE] = {"done", OV_INT, OV_COUNTER, "", ""},
    [CPU] = {"cpu", OV_FLOAT, OV_COUNTER, "", ""},
};
static const char *const tag_names[] = {"topic", "agent"};
static const struct ov_measurement measurement = {"m", "", tag_names, fields, 2, 6};

#define HOUR_MS (3600 * 1000)

static struct ov_sample *sample_add(struct ov_batch *batch, const char *topic)
{
    struct ov_sample *s = ov_batch_add(batch, &measurement);
    ov_sample_tag(batch, s, 0, ov_slice(topic));
    return s;
}

/* ---------------------------------------------------------------- lines */

struct line_row {
    enum statsd_dialect dialect;
    struct ov_slice topic, agent;
    int64_t pending;
    const char *want;
};

static const struct line_row line_rows[] = {
    {STATSD_PLAIN, OV_SLICE("orders"), OV_SLICE("a"), 5, "m.fra.orders.a.pending:5|g\n"},
    {STATSD_PLAIN, OV_SLICE("orders"), OV_SLICE("a"), 0, "m.fra.orders.a.pending:0|g\n"},
    {STATSD_PLAIN, OV_SLICE("o"), OV_SLICE("a"), -5,
     "m.fra.o.a.pending:0|g\nm.fra.o.a.pending:-5|g\n"},
    {STATSD_PLAIN, OV_SLICE(""), OV_SLICE("a"), 1, "m.fra._.a.pending:1|g\n"},
    {STATSD_PLAIN, OV_SLICE("a"), OV_SLICE(""), 1, "m.fra.a._.pending:1|g\n"},
    {STATSD_PLAIN, OV_SLICE("a.b:c|d e/f#g@h\n,=;"), OV_SLICE("x-1_Y"), 1,
     "m.fra.a_b_c_d_e_f_g_h____.x-1_Y.pending:1|g\n"},
    {STATSD_PLAIN, OV_SLICE("\xc3\xa4\xff"), OV_SLICE("a\0b"), 1, "m.fra.c3a4ff.a_b.pending:1|g\n"},
    {STATSD_DOGSTATSD, OV_SLICE("orders"), OV_SLICE("a"), 5,
     "m.pending:5|g|#agent:a,site:fra,topic:orders\n"},
    {STATSD_DOGSTATSD, OV_SLICE("o"), OV_SLICE(""), -5, "m.pending:-5|g|#site:fra,topic:o\n"},
    {STATSD_DOGSTATSD, OV_SLICE("a|#b:c,d\n\x7f e"), OV_SLICE("v1.2/x"), 1,
     "m.pending:1|g|#agent:v1.2/x,site:fra,topic:a__b_c_d___e\n"},
    {STATSD_DOGSTATSD, OV_SLICE("\xc3\xa4\xff\xe2\x82"), OV_SLICE("\0"), 1,
     "m.pending:1|g|#agent:_,site:fra,topic:\xc3\xa4___\n"},
    {STATSD_INFLUX, OV_SLICE("a,b=c:d|e f\\"), OV_SLICE("x"), 1,
     "m.pending,agent=x,site=fra,topic=a_b_c_d_e_f_:1|g\n"},
    {STATSD_INFLUX, OV_SLICE("o"), OV_SLICE(""), -1,
     "m.pending,site=fra,topic=o:0|g\nm.pending,site=fra,topic=o:-1|g\n"},
    {STATSD_GRAPHITE, OV_SLICE("~a;b=c!^"), OV_SLICE("1.5"), 1,
     "m.pending;agent=1.5;site=fra;topic=_a_b_c__:1|g\n"},
    {STATSD_GRAPHITE, OV_SLICE("\xc3\xa4"), OV_SLICE(""), INT64_MIN,
     "m.pending;site=fra;topic=c3a4:0|g\n"
     "m.pending;site=fra;topic=c3a4:-9223372036854775808|g\n"},
};

static const char *const sorted_tags[] = {"agent", "topic"};
static const struct ov_measurement sorted = {"m", "", sorted_tags, fields, 2, 1};

static void test_lines(void **state)
{
    (void)state;
    static const struct ov_tag common[] = {{"site", {"fra", 3}}};
    for (size_t i = 0; i < OV_COUNT(line_rows); i++) {
        const struct line_row *row = &line_rows[i];
        struct series_table *series = series_table_new(HOUR_MS, 100);
        struct ov_batch *batch = ov_batch_new(NULL, 0);
        struct ov_buf out = {0}, scratch = {0};
        bool plain = row->dialect == STATSD_PLAIN;
        struct ov_sample *s = ov_batch_add(batch, plain ? &measurement : &sorted);
        ov_sample_tag(batch, s, plain ? 0 : 1, row->topic);
        ov_sample_tag(batch, s, plain ? 1 : 0, row->agent);
        ov_sample_int(s, PENDING, row->pending);
        struct statsd_style style = {row->dialect, "", 1432};
        series_round(series, 0);
        struct statsd_result result = statsd_lines_write(&out, &style, series, s, common, 1,
                                                         &scratch);
        if (result.why || strcmp(ov_buf_text(&out), row->want) != 0)
            fail_msg("row %zu: %s%s", i, result.why ? result.why : "", ov_buf_text(&out));
        ov_buf_free(&out);
        ov_buf_free(&scratch);
        ov_batch_free(batch);
        series_table_free(series);
    }
}

/* ---------------------------------------------------------------- the plugin's encode */

static void rig_open(struct output_rig *rig, const char *address, enum statsd_dialect dialect)
{
    rig_start(rig);
    rig_set(rig, "address", address);
    rig_set_enum(rig, "dialect", dialect);
    rig_set_int(rig, "resolve", 60000);
    rig_set_int(rig, "forget", HOUR_MS);
    assert_int_equal(omnivigil_plugin.open(rig->state, rig->host), OV_OK);
}

/* The records of a batch as one text; the batch is freed. */
static void encode(struct output_rig *rig, struct ov_batch *batch, struct ov_queue *queue)
{
    struct ov_emit emit = {.queue = queue};
    omnivigil_plugin.encode(rig->state, batch, &emit);
    ov_batch_free(batch);
}

static void queue_read(struct ov_queue *queue, struct ov_buf *out)
{
    struct ov_queue_loan loan;
    ov_buf_reset(out);
    while (ov_queue_take(queue, (struct ov_queue_join){.records = 1}, &loan)) {
        ov_buf_slice(out, loan.bytes);
        ov_queue_settle(queue, 0);
    }
}

struct counter_row {
    int64_t done;
    double cpu;
    const char *want;
};

/* A first value, a rise, nothing new, a reset, a rise from there; the extremes do not overflow. */
static const struct counter_row counter_rows[] = {
    {10, 0.5, ""},
    {13, 0.62, "m.o._.done:3|c\nm.o._.cpu:0.12|c\n"},
    {13, 0.62, ""},
    {2, 0.1, ""},
    {5, 0.100000001, "m.o._.done:3|c\nm.o._.cpu:1e-9|c\n"},
    {INT64_MIN, 0, ""},
    {INT64_MAX, 1e300, "m.o._.done:18446744073709551615|c\nm.o._.cpu:1e300|c\n"},
    {0, 0, ""},
    {1, 0.00000000001, "m.o._.done:1|c\n"},
};

static void test_counters(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_queue *queue = ov_queue_new(100, 100000);
    struct ov_buf out = {0};
    rig_open(&rig, "udp://127.0.0.1", STATSD_PLAIN);
    for (size_t i = 0; i < OV_COUNT(counter_rows); i++) {
        struct ov_batch *batch = ov_batch_new(NULL, 0);
        struct ov_sample *s = sample_add(batch, "o");
        ov_sample_int(s, DONE, counter_rows[i].done);
        ov_sample_float(s, CPU, counter_rows[i].cpu);
        encode(&rig, batch, queue);
        queue_read(queue, &out);
        if (strcmp(ov_buf_text(&out), counter_rows[i].want) != 0)
            fail_msg("row %zu: %s", i, ov_buf_text(&out));
    }
    ov_buf_free(&out);
    ov_queue_free(queue);
    rig_end(&rig);
}

/* A field that is missing for a while goes on from its last value; another series is another. */
static void test_counters_apart(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_queue *queue = ov_queue_new(100, 100000);
    struct ov_buf out = {0};
    rig_open(&rig, "udp://127.0.0.1", STATSD_DOGSTATSD);
    for (int i = 0; i < 3; i++) {
        struct ov_batch *batch = ov_batch_new(NULL, 0);
        struct ov_sample *a = sample_add(batch, "a"), *b = sample_add(batch, "b");
        ov_sample_bool(a, UP, i != 1);
        if (i != 1)
            ov_sample_int(a, DONE, 10 * i);
        ov_sample_int(b, DONE, 100 * i);
        encode(&rig, batch, queue);
    }
    queue_read(queue, &out);
    assert_string_equal(ov_buf_text(&out), "m.up:1|g|#topic:a\n"
                        "m.up:0|g|#topic:a\nm.done:100|c|#topic:b\n"
                        "m.up:1|g|#topic:a\nm.done:20|c|#topic:a\nm.done:100|c|#topic:b\n");
    assert_int_equal(ov_queue_counts(queue).sent, 6); /* the one without a line among them */
    ov_buf_free(&out);
    ov_queue_free(queue);
    rig_end(&rig);
}

static void test_unfit(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_queue *queue = ov_queue_new(100, 100000);
    struct ov_buf out = {0};
    char name[1500];
    rig_open(&rig, "udp://127.0.0.1", STATSD_PLAIN);
    struct ov_batch *batch = ov_batch_new(NULL, 0);
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    ov_sample_int(sample_add(batch, name), PENDING, 1);  /* too long */
    name[1432 - strlen("m.._.pending:1|g")] = '\0';
    struct ov_sample *s = sample_add(batch, name);       /* its longest field is */
    ov_sample_int(s, PENDING, 1);
    ov_sample_float(s, RATIO, 0.25);
    s = sample_add(batch, "text");
    ov_sample_text(batch, s, WHY, OV_SLICE("x"));        /* no number */
    sample_add(batch, "none");                           /* nothing */
    s = sample_add(batch, "nan");
    s->values[RATIO].number = (double)NAN;
    s->present = 1 << RATIO;
    ov_sample_int(sample_add(batch, "a b"), PENDING, 1);
    ov_sample_int(sample_add(batch, "a_b"), PENDING, 2); /* under the same name */
    ov_sample_int(sample_add(batch, "a b"), PENDING, 3); /* twice */
    encode(&rig, batch, queue);
    queue_read(queue, &out);
    struct ov_queue_counts counts = ov_queue_counts(queue);
    assert_int_equal(counts.dropped_unfit, 6);
    assert_int_equal(counts.sent, 2);
    const char *end = strchr(ov_buf_text(&out), '\n');
    assert_int_equal(end - out.data, 1432);
    assert_string_equal(end, "\nm.a_b._.pending:1|g\n");
    ov_buf_free(&out);
    ov_queue_free(queue);
    rig_end(&rig);
}

static void test_records(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_queue *queue = ov_queue_new(100000, 100000000);
    struct ov_queue_loan loan;
    size_t all = 0, records = 0;
    rig_open(&rig, "udp://127.0.0.1", STATSD_PLAIN);
    struct ov_batch *batch = ov_batch_new(NULL, 0);
    for (int i = 0; i < 5000; i++) {
        char name[32];
        snprintf(name, sizeof name, "topic-%d", i);
        ov_sample_int(sample_add(batch, name), PENDING, -i);
    }
    encode(&rig, batch, queue);
    for (; ov_queue_take(queue, (struct ov_queue_join){.records = 1}, &loan); records++) {
        assert_in_range(loan.bytes.len, 1, 60 * 1024);
        assert_int_equal(loan.bytes.ptr[loan.bytes.len - 1], '\n');
        all += loan.samples;
        ov_queue_settle(queue, 0);
    }
    assert_int_equal(all, 5000);
    assert_in_range(records, 4, 8);
    ov_queue_free(queue);
    rig_end(&rig);
}

/* ---------------------------------------------------------------- packing */

static const struct { const char *lines; size_t max, len, count; } cuts[] = {
    {"a:1|g\n", 100, 6, 1},
    {"a:1|g\n", 5, 6, 1},            /* the newline is not sent */
    {"a:1|g\nb:1|g\n", 11, 12, 2},
    {"a:1|g\nb:1|g\n", 10, 6, 1},
    {"a:1|g\nb:1|g\nc:1|g\n", 12, 12, 2},
    {"a:123456|g\nb:1|g\n", 5, 11, 1}, /* too long: alone */
    {"b:1|g\na:123456|g\n", 5, 6, 1},
    {"a:0|g\na:-5|g\n", 100, 13, 2}, /* a pair */
    {"b:1|g\na:0|g\na:-5|g\n", 17, 6, 1},
    {"b:1|g\na:0|g\na:-5|g\n", 18, 19, 3},
    {"b:1|g\na:0|g\na:5|g\n", 12, 12, 2}, /* no pair: positive */
    {"b:1|g\na:0|g\nc:-5|g\n", 12, 12, 2}, /* another name */
    {"b:1|g\na:01|g\na:-5|g\n", 13, 13, 2},
    {"a,t=1:0|g\na,t=1:-5|g\n", 10, 21, 2},
    {"a:0|g", 100, 5, 1}, /* without an end */
    {"a:0|g\na:-", 6, 9, 2},
};

static void test_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(cuts); i++) {
        size_t count, len = datagram_cut(ov_slice(cuts[i].lines), cuts[i].max, &count);
        if (len != cuts[i].len || count != cuts[i].count)
            fail_msg("row %zu: %zu bytes, %zu lines", i, len, count);
    }
}

/* ---------------------------------------------------------------- addresses */

static const struct { const char *text; int kind; const char *host, *port; } addresses[] = {
    {"udp://127.0.0.1:1", ADDRESS_UDP, "127.0.0.1", "1"},
    {"udp://statsd.example", ADDRESS_UDP, "statsd.example", "8125"},
    {"udp://[::1]:65535", ADDRESS_UDP, "::1", "65535"},
    {"tcp://[fe80::1%eth0]", ADDRESS_TCP, "fe80::1%eth0", "8125"},
    {"unix:///run/a b.sock", ADDRESS_UNIX, "/run/a b.sock", NULL},
    {"", -1, NULL, NULL}, {"127.0.0.1:8125", -1, NULL, NULL}, {"http://a", -1, NULL, NULL},
    {"UDP://a", -1, NULL, NULL}, {"udp:/a", -1, NULL, NULL}, {"udp://", -1, NULL, NULL},
    {"udp://:8125", -1, NULL, NULL}, {"udp://a:", -1, NULL, NULL}, {"udp://a:0", -1, NULL, NULL},
    {"udp://a:65536", -1, NULL, NULL}, {"udp://a:123456", -1, NULL, NULL},
    {"udp://a:+1", -1, NULL, NULL}, {"udp://a:1x", -1, NULL, NULL}, {"udp://::1", -1, NULL, NULL},
    {"udp://[::1", -1, NULL, NULL}, {"udp://[]", -1, NULL, NULL}, {"udp://[::1]8", -1, NULL, NULL},
    {"udp://a/b", -1, NULL, NULL}, {"udp://u@a", -1, NULL, NULL}, {"udp://a b", -1, NULL, NULL},
    {"unix://", -1, NULL, NULL}, {"unix://run/x", -1, NULL, NULL},
    {"unix:///aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa", -1, NULL, NULL},
};

static void test_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(addresses); i++) {
        struct address a;
        const char *why = address_read(&a, addresses[i].text, "8125");
        if (addresses[i].kind < 0 ? why == NULL
                                  : why || (int)a.kind != addresses[i].kind ||
                                    strcmp(a.host, addresses[i].host) != 0 ||
                                    (addresses[i].port && strcmp(a.port, addresses[i].port) != 0))
            fail_msg("%s: %s, host %s, port %s", addresses[i].text, why ? why : "accepted", a.host,
                     a.port);
    }
}

/* ---------------------------------------------------------------- series */

static void test_series(void **state)
{
    (void)state;
    struct series_table *table = series_table_new(1000, 10000);
    const char *why;
    int64_t now = ov_clock_ms();
    for (uint64_t round = 0; round < 4; round++) {
        series_round(table, now);
        for (uint64_t i = 0; i < 10000; i++) {
            uint64_t name = series_hash(table, 0, (struct ov_slice){(char *)&i, sizeof i});
            struct series *series = series_find(table, name, i, 1, &why);
            if (!series || series_rise(series, 0, (int64_t)(round * i)) != (round ? i : 0))
                fail_msg("series %ju in round %ju: %s", (uintmax_t)i, (uintmax_t)round, why);
        }
    }
    assert_null(series_find(table, 1, 1, 1, &why));
    assert_non_null(strstr(why, "too many"));
    series_round(table, now + 999);
    assert_int_equal(series_table_count(table), 10000);
    series_round(table, now + 2000);
    assert_int_equal(series_table_count(table), 0);
    struct series *series = series_find(table, 5, 1, 1, &why);
    assert_int_equal(series_rise(series, 0, 7), 0);
    assert_null(series_find(table, 5, 1, 1, &why)); /* twice in a round */
    series_round(table, now + 2001);
    assert_null(series_find(table, 5, 2, 1, &why)); /* what else has this name */
    series = series_find(table, 5, 1, 2, &why);     /* declared otherwise: begins anew */
    assert_int_equal(series_rise(series, 1, 7), 0);
    series_table_free(table);
    series_table_free(NULL);
}

/* ---------------------------------------------------------------- receivers */

struct receiver {
    int fd;
    char address[64], path[64];
};

static void receiver_bind(struct receiver *r, int port)
{
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    r->fd = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(r->fd, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(r->fd, (struct sockaddr *)&in, &len), 0);
    snprintf(r->address, sizeof r->address, "udp://127.0.0.1:%d", ntohs(in.sin_port));
}

static void receiver_bind_unix(struct receiver *r)
{
    struct sockaddr_un un = {.sun_family = AF_UNIX};
    const char *tmp = getenv("TMPDIR");
    snprintf(r->path, sizeof r->path, "%.30s/ov-statsd-%d", tmp ? tmp : "/tmp", (int)getpid());
    memcpy(un.sun_path, r->path, strlen(r->path));
    unlink(r->path);
    r->fd = socket(AF_UNIX, SOCK_DGRAM, 0);
    assert_int_equal(bind(r->fd, (struct sockaddr *)&un, sizeof un), 0);
    snprintf(r->address, sizeof r->address, "unix://%.50s", r->path);
}

/* Takes what has come, checks each datagram, and appends it as lines. */
static size_t receive(const struct receiver *r, size_t max, struct ov_buf *seen)
{
    char bytes[65536];
    size_t datagrams = 0;
    for (ssize_t n; (n = recv(r->fd, bytes, sizeof bytes, MSG_DONTWAIT)) >= 0; datagrams++) {
        if ((size_t)n > max || n == 0 || bytes[n - 1] == '\n' || bytes[0] == '\n' ||
            memmem(bytes, (size_t)n, "\n\n", 2))
            fail_msg("a datagram of %zd bytes: %.40s", n, bytes);
        ov_buf_add(seen, bytes, (size_t)n);
        ov_buf_char(seen, '\n');
    }
    return datagrams;
}

static struct ov_slice many_lines(struct ov_buf *buf, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char pair[128];
        int len = snprintf(pair, sizeof pair, "omnidaemon_group.topic-%zu.pending:0|g\n"
                           "omnidaemon_group.topic-%zu.pending:-5|g\n", i, i);
        ov_buf_add(buf, pair, (size_t)len);
    }
    return (struct ov_slice){buf->data, buf->len};
}

/* A reader is waited for and nothing is lost, whatever address it has bound. */
static const struct { bool v6, any; const char *address; } readers[] = {
    {false, false, "127.0.0.1"}, {false, true, "127.0.0.1"}, {false, true, "127.0.0.2"},
    {true, false, "[::1]"}, {true, true, "[::1]"}, {true, true, "127.0.0.1"},
};

/* False where there is no IPv6. */
static bool reader_bind(struct receiver *r, size_t row)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr *own = readers[row].v6 ? (struct sockaddr *)&v6 : (struct sockaddr *)&v4;
    socklen_t len = readers[row].v6 ? sizeof v6 : sizeof v4;
    v6.sin6_addr = readers[row].any ? in6addr_any : in6addr_loopback;
    v4.sin_addr.s_addr = htonl(readers[row].any ? INADDR_ANY : INADDR_LOOPBACK);
    r->fd = socket(own->sa_family, SOCK_DGRAM, 0);
    if (r->fd < 0 || bind(r->fd, own, len) != 0)
        return false;
    assert_int_equal(getsockname(r->fd, own, &len), 0);
    snprintf(r->address, sizeof r->address, "udp://%s:%d", readers[row].address,
             ntohs(readers[row].v6 ? v6.sin6_port : v4.sin_port));
    return true;
}

static void test_udp(void **state)
{
    (void)state;
    struct ov_buf lines = {0};
    struct ov_slice record = many_lines(&lines, 7000);
    for (size_t i = 0; i < OV_COUNT(readers); i++) {
        struct output_rig rig;
        struct receiver r;
        struct ov_outcome outcome;
        struct ov_buf seen = {0};
        if (!reader_bind(&r, i))
            continue;
        rig_open(&rig, r.address, STATSD_PLAIN);
        rig.timeout_ms = 5;
        size_t datagrams = 0, tries = 0;
        for (; tries < 1000 && rig_send(&rig, record, &outcome) != OV_SENT; tries++)
            datagrams += receive(&r, 1432, &seen);
        datagrams += receive(&r, 1432, &seen);
        if (tries < 3 || tries == 1000 || seen.len != record.len ||
            memcmp(seen.data, record.ptr, record.len) != 0 || datagrams < record.len / 1432 ||
            datagrams > record.len / 1432 * 11 / 10 + 2)
            fail_msg("row %zu, %s: %zu tries, %zu of %zu bytes in %zu datagrams, %s", i, r.address,
                     tries, seen.len, record.len, datagrams, ov_host_why(rig.host));
        close(r.fd);
        ov_buf_free(&seen);
        rig_end(&rig);
    }
    ov_buf_free(&lines);
}

static void test_reader_that_does_not_read(void **state)
{
    (void)state;
    struct output_rig rig;
    struct receiver r;
    struct ov_outcome outcome;
    struct ov_buf lines = {0};
    struct ov_slice record = many_lines(&lines, 7000);
    receiver_bind(&r, 0);
    rig_open(&rig, r.address, STATSD_PLAIN);
    rig.timeout_ms = 20;
    assert_int_equal(rig_send(&rig, record, &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "does not read"));
    close(r.fd); /* what it had not read is gone with it */
    assert_int_equal(rig_send(&rig, record, &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "Connection refused"));
    ov_buf_free(&lines);
    rig_end(&rig);
}

/* Nothing of a record is lost while nobody listens, before the first and after a good one; one
 * datagram is enough to find out. */
static void test_udp_away(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 200; count += 199) {
        struct output_rig rig;
        struct receiver r;
        struct ov_outcome outcome;
        struct ov_buf lines = {0}, seen = {0};
        receiver_bind(&r, 0);
        int port = (int)strtol(strrchr(r.address, ':') + 1, NULL, 10);
        struct ov_slice record = many_lines(&lines, count);
        rig_open(&rig, r.address, STATSD_PLAIN);
        for (int round = 0; round < 2; round++) {
            close(r.fd);
            for (int i = 0; i < 3; i++) {
                assert_int_equal(rig_send(&rig, record, &outcome), OV_RETRY);
                assert_int_equal(outcome.retry_ms, 1000);
                assert_non_null(strstr(ov_host_why(rig.host), "Connection refused"));
            }
            receiver_bind(&r, port);
            assert_int_equal(rig_send(&rig, record, &outcome), OV_SENT);
            receive(&r, 1432, &seen);
            assert_int_equal(seen.len, record.len);
            assert_memory_equal(seen.data, record.ptr, record.len);
            ov_buf_reset(&seen);
        }
        close(r.fd);
        ov_buf_free(&lines);
        ov_buf_free(&seen);
        rig_end(&rig);
    }
}

static void test_pace(void **state)
{
    (void)state;
    struct output_rig rig;
    struct receiver r;
    struct ov_outcome outcome;
    struct ov_buf lines = {0};
    receiver_bind(&r, 0);
    rig_start(&rig);
    rig_set_int(&rig, "rate", 2000);
    rig_set(&rig, "address", r.address);
    rig_set_int(&rig, "resolve", 60000);
    rig_set_int(&rig, "forget", HOUR_MS);
    assert_int_equal(omnivigil_plugin.open(rig.state, rig.host), OV_OK);
    struct ov_slice record = many_lines(&lines, 100);
    int64_t start = ov_clock_ms();
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_send(&rig, record, &outcome), OV_SENT);
    assert_in_range(ov_clock_ms() - start, 200, 10000);
    ov_host_stop(rig.host); /* ends a wait at once */
    start = ov_clock_ms();
    for (int i = 0; i < 3; i++)
        rig_send(&rig, record, &outcome);
    assert_in_range(ov_clock_ms() - start, 0, 200);
    close(r.fd);
    ov_buf_free(&lines);
    rig_end(&rig);
}

/* A slow reader is waited for, and the record goes on where it stopped; one that comes back under
 * the same path is found. */
static void test_unix(void **state)
{
    (void)state;
    struct output_rig rig;
    struct receiver r;
    struct ov_outcome outcome;
    struct ov_buf lines = {0}, seen = {0};
    struct ov_slice record = many_lines(&lines, 30000);
    receiver_bind_unix(&r);
    rig_open(&rig, r.address, STATSD_PLAIN);
    rig.timeout_ms = 20;
    int tries = 0;
    for (; tries < 1000 && rig_send(&rig, record, &outcome) != OV_SENT; tries++)
        receive(&r, 8192, &seen);
    receive(&r, 8192, &seen);
    assert_in_range(tries, 1, 999);
    assert_int_equal(seen.len, record.len);
    assert_memory_equal(seen.data, record.ptr, record.len);
    close(r.fd);
    struct ov_slice small = OV_SLICE("a:1|g\n");
    assert_int_equal(rig_send(&rig, small, &outcome), OV_RETRY);
    unlink(r.path);
    assert_int_equal(rig_send(&rig, small, &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "No such file"));
    receiver_bind_unix(&r);
    assert_int_equal(rig_send(&rig, small, &outcome), OV_SENT);
    ov_buf_reset(&seen);
    assert_int_equal(receive(&r, 8192, &seen), 1);
    assert_string_equal(ov_buf_text(&seen), "a:1|g\n");
    close(r.fd);
    unlink(r.path);
    ov_buf_free(&lines);
    ov_buf_free(&seen);
    rig_end(&rig);
}

static int accept_soon(int listener)
{
    struct pollfd p = {.fd = listener, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 5000), 1);
    return accept(listener, NULL, NULL);
}

/* Over TCP a record that is dropped half-way is finished, so that no line is torn, and what a
 * closed connection has not taken goes to the next. */
static void test_tcp(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_outcome outcome;
    struct ov_buf lines = {0}, seen = {0};
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof in;
    char address[64], bytes[65536];
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&in, sizeof in), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&in, &len), 0);
    snprintf(address, sizeof address, "tcp://127.0.0.1:%d", ntohs(in.sin_port));
    rig_open(&rig, address, STATSD_PLAIN);
    struct ov_slice big = many_lines(&lines, 200000), small = OV_SLICE("last:1|c\n");
    assert_int_equal(rig_send(&rig, small, &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "Connection refused"));
    assert_int_equal(listen(listener, 5), 0);
    rig.timeout_ms = 50;
    assert_int_equal(rig_send(&rig, big, &outcome), OV_RETRY);
    int peer = accept_soon(listener);
    for (int i = 0; i < 1000 && rig_send(&rig, small, &outcome) != OV_SENT; i++)
        for (ssize_t n; (n = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
            ov_buf_add(&seen, bytes, (size_t)n);
    for (ssize_t n; (n = recv(peer, bytes, sizeof bytes, MSG_DONTWAIT)) > 0;)
        ov_buf_add(&seen, bytes, (size_t)n);
    assert_int_equal(seen.len, big.len + small.len);
    assert_memory_equal(seen.data, big.ptr, big.len);
    close(peer);
    assert_int_equal(rig_send(&rig, small, &outcome), OV_RETRY);
    assert_int_equal(rig_send(&rig, small, &outcome), OV_SENT);
    peer = accept_soon(listener);
    assert_int_equal(recv(peer, bytes, sizeof bytes, 0), small.len);
    close(peer);
    close(listener);
    ov_buf_free(&lines);
    ov_buf_free(&seen);
    rig_end(&rig);
}

/* Two receivers at one port, at 127.0.0.1 and 127.0.0.2; false where the port is taken. */
static bool bind_both(int type, int fds[2], int *port)
{
    struct sockaddr_in in = {.sin_family = AF_INET};
    socklen_t len = sizeof in;
    for (int i = 0; i < 2; i++) {
        in.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)i);
        fds[i] = socket(AF_INET, type | SOCK_NONBLOCK, 0);
        if (bind(fds[i], (struct sockaddr *)&in, sizeof in) != 0)
            return false;
        assert_int_equal(getsockname(fds[i], (struct sockaddr *)&in, &len), 0);
        if (type == SOCK_STREAM)
            assert_int_equal(listen(fds[i], 5), 0);
    }
    *port = ntohs(in.sin_port);
    return true;
}

/* Whether something came to a receiver; a connection is kept in *peer. */
static bool has_come(int type, int fd, int *peer)
{
    char bytes[256];
    if (type == SOCK_STREAM && *peer < 0)
        *peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
    return recv(type == SOCK_STREAM ? *peer : fd, bytes, sizeof bytes, 0) > 0;
}

/* A name that leads elsewhere is followed though its old address lives on; one that is unknown for
 * a while changes nothing. */
static void test_moved_name(void **state)
{
    (void)state;
    for (int type = SOCK_STREAM; type <= SOCK_DGRAM; type++) {
        struct output_rig rig;
        struct ov_outcome outcome;
        int fds[2], peers[2] = {-1, -1}, port, sends = 0;
        char address[64];
        while (!bind_both(type, fds, &port)) {
            close(fds[0]);
            close(fds[1]);
        }
        snprintf(address, sizeof address, "%s://moving.test:%d",
                 type == SOCK_STREAM ? "tcp" : "udp", port);
        moving_address = "127.0.0.1";
        rig_start(&rig);
        rig_set(&rig, "address", address);
        rig_set_int(&rig, "resolve", 20);
        rig_set_int(&rig, "forget", HOUR_MS);
        assert_int_equal(omnivigil_plugin.open(rig.state, rig.host), OV_OK);
        assert_int_equal(rig_send(&rig, OV_SLICE("a:1|g\n"), &outcome), OV_SENT);
        struct pollfd first = {.fd = fds[0], .events = POLLIN};
        assert_int_equal(poll(&first, 1, 5000), 1);
        assert_true(has_come(type, fds[0], &peers[0]));
        moving_address = NULL;
        for (int64_t end = ov_clock_ms() + 100; ov_clock_ms() < end; poll(NULL, 0, 5)) {
            assert_int_equal(rig_send(&rig, OV_SLICE("a:2|g\n"), &outcome), OV_SENT);
            assert_false(has_come(type, fds[1], &peers[1]));
        }
        moving_address = "127.0.0.2";
        for (; sends < 1000 && !has_come(type, fds[1], &peers[1]); sends++, poll(NULL, 0, 5))
            assert_int_equal(rig_send(&rig, OV_SLICE("a:3|g\n"), &outcome), OV_SENT);
        while (has_come(type, fds[0], &peers[0]))
            continue;
        assert_int_equal(rig_send(&rig, OV_SLICE("a:4|g\n"), &outcome), OV_SENT);
        if (sends == 1000 || has_come(type, fds[0], &peers[0]))
            fail_msg("%s is not followed", address);
        rig_end(&rig);
        for (int i = 0; i < 2; i++) {
            close(fds[i]);
            if (peers[i] >= 0)
                close(peers[i]);
        }
    }
}

static void test_unknown_name(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_outcome outcome;
    rig_open(&rig, "udp://no-such-host.invalid", STATSD_PLAIN);
    assert_int_equal(rig_send(&rig, OV_SLICE("a:1|g\n"), &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "cannot resolve no-such-host.invalid"));
    rig_end(&rig);
    rig_start(&rig); /* closed without having been opened */
    rig_end(&rig);
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines), cmocka_unit_test(test_counters),
        cmocka_unit_test(test_counters_apart), cmocka_unit_test(test_unfit),
        cmocka_unit_test(test_records), cmocka_unit_test(test_cut),
        cmocka_unit_test(test_addresses), cmocka_unit_test(test_series),
        cmocka_unit_test(test_udp), cmocka_unit_test(test_reader_that_does_not_read),
        cmocka_unit_test(test_udp_away), cmocka_unit_test(test_pace),
        cmocka_unit_test(test_unix), cmocka_unit_test(test_tcp),
        cmocka_unit_test(test_moved_name), cmocka_unit_test(test_unknown_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
