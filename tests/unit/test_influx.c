/* SPDX-License-Identifier: Apache-2.0 */
/* The output `influx` against a scripted HTTP server: what becomes of lines for each answer, and
 * what was on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <unistd.h>
#include <zlib.h>

#include "http_server.h"
#include "moving_name.h"
#include "output_rig.h"
#include "post.h"

/* ---------------------------------------------------------------- the instance */

struct bench {
    struct http_server server;
    struct output_rig rig;
    char url[64];
};

static void bench_prepare(struct bench *bench)
{
    rig_start(&bench->rig);
    rig_set(&bench->rig, "url", bench->url);
    rig_set(&bench->rig, "database", "my db");
    rig_set_int(&bench->rig, "batch", 5000);
    rig_set_int(&bench->rig, "give_up", 60000);
}

static void bench_serve(struct bench *bench, const char *const *answers)
{
    http_server_start(&bench->server, NULL, 0, answers);
    snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%d", bench->server.port);
    bench_prepare(bench);
}

static void set_bool(struct bench *bench, const char *name, bool value)
{
    memcpy((char *)bench->rig.state + rig_option(name)->offset, &value, sizeof value);
}

static void bench_open(struct bench *bench)
{
    assert_int_equal(omnivigil_plugin.open(bench->rig.state, bench->rig.host), OV_OK);
}

static void bench_start(struct bench *bench, const char *const *answers)
{
    bench_serve(bench, answers);
    bench_open(bench);
}

static void bench_end(struct bench *bench)
{
    rig_end(&bench->rig);
    http_server_end(&bench->server);
}

static const char *body_of(struct bench *bench, size_t request)
{
    return http_server_body(&bench->server, request);
}

static void check_send(struct bench *bench, struct ov_slice bytes, enum ov_sent want,
                       uint64_t rejected)
{
    struct ov_outcome outcome;
    enum ov_sent sent = rig_send(&bench->rig, bytes, &outcome);
    if (sent != want || outcome.rejected != rejected)
        fail_msg("%d, %ju rejected: %s", (int)sent, (uintmax_t)outcome.rejected,
                 ov_host_why(bench->rig.host));
}

#define LINES "m n=1i 1\nm n=2i 2\nm n=3i 3\n"

/* ---------------------------------------------------------------- tests */

static void test_answers(void **state)
{
    (void)state;
    static const struct {
        const char *answer;
        enum ov_sent sent;
        uint64_t rejected;
        int64_t retry_min, retry_max;
        const char *says; /* part of the failure's text */
    } rows[] = {
        {"204 No Content\r\n\r\n", OV_SENT, 0, 0, 0, ""},
        {"200 OK\r\n\r\n", OV_SENT, 0, 0, 0, ""},
        {"200 OK\r\nContent-Type: application/json\r\n\r\n{}", OV_SENT, 0, 0, 0, ""},
        {"200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html>Hello</html>", OV_RETRY, 0,
         30000, 30000, "is `url` that of an InfluxDB?"},
        {"400 Bad Request\r\n\r\n{\"error\":\"partial write: field type conflict: input field "
         "\\\"n\\\" is type float dropped=1\"}", OV_SENT, 1, 0, 0, ""},
        {"400 Bad Request\r\n\r\n{\"error\":\"partial write: dropped=99999999999999999999999\"}",
         OV_REJECTED, 3, 0, 0, "partial write"},
        {"400 Bad Request\r\n\r\n{\"error\":\"partial write: unable to parse 'x': missing "
         "fields\\nunable to parse 'y': missing fields dropped=0\"}", OV_SENT, 2, 0, 0, ""},
        {"400 Bad Request\r\n\r\n{\"error\":\"partial write: what\"}", OV_SENT, 1, 0, 0, ""},
        {"400 Bad Request\r\n\r\n{\"error\":\"say \\\"no\\\"\"}", OV_REJECTED, 3, 0, 0,
         "answers 400: say \"no\""},
        {"400 Bad Request\r\n\r\n", OV_REJECTED, 3, 0, 0, "(no explanation)"},
        {"422 Unprocessable\r\n\r\n{\"code\":\"unprocessable entity\",\"message\":\"failure writing "
         "points to database: partial write: conflict dropped=2\"}", OV_SENT, 2, 0, 0, ""},
        {"405 Not Allowed\r\n\r\n", OV_REJECTED, 3, 0, 0, "405"},
        {"401 Unauthorized\r\n\r\n{\"error\":\"authorization failed\"}", OV_RETRY, 0, 30000, 30000,
         "answers 401: authorization failed; check `user`"},
        {"403 Forbidden\r\n\r\n", OV_RETRY, 0, 30000, 30000, "403"},
        {"404 Not Found\r\n\r\n{\"error\":\"database not found: \\\"my db\\\"\"}", OV_RETRY, 0,
         30000, 30000, "'CREATE DATABASE \"my db\"'"},
        {"404 Not Found\r\n\r\n404 page not found\n", OV_RETRY, 0, 30000, 30000,
         "is `url` that of an InfluxDB?"},
        {"301 Moved\r\nLocation: http://127.0.0.1:1/x?token=SECRET\r\n\r\n", OV_RETRY, 0, 30000,
         30000, "a redirect to http://127.0.0.1:1/x, which is not followed"},
        {"304 Not Modified\r\n\r\n", OV_RETRY, 0, 30000, 30000, "redirect to nowhere"},
        {"429 Slow Down\r\nRetry-After: 3\r\n\r\n", OV_RETRY, 0, 3000, 3000, "429"},
        {"503 Unavailable\r\nretry-after:  7 \r\n\r\n", OV_RETRY, 0, 7000, 7000, "503"},
        {"429 Slow Down\r\nRetry-After: 86400\r\n\r\n", OV_RETRY, 0, 3600000, 3600000, ""},
        {"429 Slow Down\r\nRetry-After: abc\r\n\r\n", OV_RETRY, 0, 0, 0, ""},
        {"429 Slow Down\r\nRetry-After: 0\r\n\r\n", OV_RETRY, 0, 0, 0, ""},
        {"429 Slow Down\r\nRetry-After: Fri, 01 Jan 2100 00:00:00 GMT\r\n\r\n", OV_RETRY, 0,
         3600000, 3600000, ""},
        {"429 Slow Down\r\nRetry-After: Fri, 02 Jan 1970 00:00:00 GMT\r\n\r\n", OV_RETRY, 0, 0, 0,
         ""},
        {"429 Slow Down\r\n\r\n", OV_RETRY, 0, 0, 0, ""},
        {"401 Unauthorized\r\nRetry-After: 60\r\n\r\n", OV_RETRY, 0, 60000, 60000, ""},
        {"408 Timeout\r\n\r\n", OV_RETRY, 0, 0, 0, "408"},
        {"425 Too Early\r\n\r\n", OV_RETRY, 0, 0, 0, "425"},
        {"500 Oops\r\n\r\n{\"error\":\"timeout\"}", OV_RETRY, 0, 0, 0, "answers 500: timeout"},
        {"502 Bad Gateway\r\nContent-Type: text/html\r\n\r\n<html>", OV_RETRY, 0, 0, 0, "502"},
        {HTTP_CLOSE, OV_RETRY, 0, 0, 0, ""},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_outcome outcome;
        bench_start(&bench, (const char *const[]){rows[i].answer, NULL});
        enum ov_sent sent = rig_send(&bench.rig, OV_SLICE(LINES), &outcome);
        if (sent != rows[i].sent || outcome.rejected != rows[i].rejected)
            fail_msg("row %zu: %d, %ju rejected: %s", i, (int)sent, (uintmax_t)outcome.rejected,
                     ov_host_why(bench.rig.host));
        if (outcome.retry_ms < rows[i].retry_min || outcome.retry_ms > rows[i].retry_max)
            fail_msg("row %zu: retry in %jd ms", i, (intmax_t)outcome.retry_ms);
        if (!strstr(ov_host_why(bench.rig.host), rows[i].says))
            fail_msg("row %zu says: %s", i, ov_host_why(bench.rig.host));
        assert_null(strstr(ov_host_why(bench.rig.host), "SECRET"));
        if (sent != OV_SENT && !*ov_host_why(bench.rig.host))
            fail_msg("row %zu does not say why", i);
        bench_end(&bench);
    }
}

#define FINE (const char *const[]){"204 No Content\r\n\r\n", NULL}

static void test_request(void **state)
{
    (void)state;
    static const struct {
        int version;
        const char *path, *policy, *organization, *bucket, *user, *password, *token;
        int precision;
        const char *line, *authorization; /* NULL: none */
    } rows[] = {
        {0, "", NULL, NULL, NULL, NULL, NULL, NULL, 0, "/write?db=my+db&precision=ns", NULL},
        {0, "", "a&b=c", NULL, NULL, "me", "p@ss", NULL, 1,
         "/write?db=my+db&rp=a%26b%3dc&precision=u", "Basic bWU6cEBzcw=="},
        {0, "/x/", NULL, NULL, NULL, NULL, NULL, NULL, 2, "/x/write?db=my+db&precision=ms", NULL},
        {1, "", NULL, NULL, NULL, NULL, NULL, "t", 3, "/write?db=my+db&precision=s", "Token t"},
        {0, "/behind/", NULL, "my org", "b", NULL, NULL, "t", 0,
         "/behind/api/v2/write?org=my+org&bucket=b&precision=ns", "Token t"},
        {2, "", NULL, "o", "b", "me", "p@ss", NULL, 1, "/api/v2/write?org=o&bucket=b&precision=us",
         "Basic bWU6cEBzcw=="},
        {0, "", NULL, NULL, NULL, NULL, NULL, "t", 0,
         "/api/v3/write_lp?db=my+db&precision=nanosecond", "Bearer t"},
        {3, "/p", NULL, NULL, NULL, NULL, NULL, NULL, 3,
         "/p/api/v3/write_lp?db=my+db&precision=second", NULL},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        char want[256];
        bench_serve(&bench, FINE);
        strcat(bench.url, rows[i].path);
        rig_set_enum(&bench.rig, "version", rows[i].version);
        rig_set(&bench.rig, "retention_policy", rows[i].policy);
        rig_set(&bench.rig, "organization", rows[i].organization);
        rig_set(&bench.rig, "bucket", rows[i].bucket);
        rig_set(&bench.rig, "user", rows[i].user);
        rig_set(&bench.rig, "password", rows[i].password);
        rig_set(&bench.rig, "token", rows[i].token);
        rig_set_enum(&bench.rig, "precision", rows[i].precision);
        bench_open(&bench);
        for (int n = 0; n < 3; n++)
            check_send(&bench, OV_SLICE("m n=1i 1764000000123456789\n"), OV_SENT, 0);
        const char *request = ov_buf_text(&bench.server.requests[2]);
        snprintf(want, sizeof want, "POST %s HTTP/1.1\r\n", rows[i].line);
        if (strcasestr(request, want) != request)
            fail_msg("row %zu: %s", i, request);
        snprintf(want, sizeof want, "\r\nAuthorization: %s\r\n", rows[i].authorization);
        if (rows[i].authorization ? !strstr(request, want) : !!strstr(request, "Authorization"))
            fail_msg("row %zu: %s", i, request);
        snprintf(want, sizeof want, "m n=1i %.*s\n", 19 - 3 * rows[i].precision,
                 "1764000000123456789");
        assert_string_equal(body_of(&bench, 2), want);
        assert_null(strcasestr(request, "Expect:"));
        assert_int_equal(bench.server.connections, 1); /* kept alive */
        bench_end(&bench);
    }
}

static void test_unix_socket(void **state)
{
    (void)state;
    struct bench bench;
    char path[] = "/tmp/test_influx.XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    http_server_start_unix(&bench.server, path, FINE);
    snprintf(bench.url, sizeof bench.url, "unix://%s", path);
    bench_prepare(&bench);
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* which is not for a socket */
    bench_open(&bench);
    check_send(&bench, OV_SLICE(LINES), OV_SENT, 0);
    assert_string_equal(body_of(&bench, 0), LINES);
    unsetenv("http_proxy");
    bench_end(&bench);
    unlink(path);
}

static void check_unpacks(struct bench *bench, size_t request, const char *want)
{
    struct ov_buf *all = &bench->server.requests[request];
    const char *body = body_of(bench, request);
    char text[4096];
    z_stream stream = {.next_in = (z_const Bytef *)body, .next_out = (Bytef *)text,
                       .avail_in = (uInt)(all->len - (size_t)(body - all->data)),
                       .avail_out = sizeof text - 1};
    assert_non_null(strstr(all->data, "Content-Encoding: gzip\r\n"));
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    text[stream.total_out] = '\0';
    inflateEnd(&stream);
    assert_string_equal(text, want);
}

static void test_gzip(void **state)
{
    (void)state;
    struct bench bench;
    bench_serve(&bench, (const char *const[]){"204 OK\r\n\r\n", "413 No\r\n\r\n",
                "204 OK\r\n\r\n", "204 OK\r\n\r\n", "415 What\r\n\r\n", "204 OK\r\n\r\n",
                NULL});
    set_bool(&bench, "gzip", true);
    bench_open(&bench);
    check_send(&bench, OV_SLICE(LINES), OV_SENT, 0);
    check_unpacks(&bench, 0, LINES);
    check_send(&bench, OV_SLICE("m n=1i 1\nm n=2i 2\n"), OV_SENT, 0);
    check_unpacks(&bench, 1, "m n=1i 1\nm n=2i 2\n"); /* too large */
    check_unpacks(&bench, 2, "m n=1i 1\n");
    check_unpacks(&bench, 3, "m n=2i 2\n");
    check_send(&bench, OV_SLICE("m n=3i 3\n"), OV_SENT, 0);
    check_unpacks(&bench, 4, "m n=3i 3\n"); /* refused */
    assert_string_equal(body_of(&bench, 5), "m n=3i 3\n");
    check_send(&bench, OV_SLICE("m n=4i 4\n"), OV_SENT, 0);
    assert_string_equal(body_of(&bench, 6), "m n=4i 4\n");
    assert_null(strstr(ov_buf_text(&bench.server.requests[6]), "Content-Encoding"));
    bench_end(&bench);
}

/* However many lines a send is given, a request has no more than `batch`. */
static void test_batch(void **state)
{
    (void)state;
    static const struct { int64_t batch; size_t requests; } rows[] = {
        {1, 10}, {3, 4}, {5, 2}, {9, 2}, {10, 1}, {11, 1},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_buf lines = {0}, seen = {0};
        for (int n = 0; n < 10; n++)
            ov_buf_printf(&lines, "m n=%di %d\n", n, n);
        bench_serve(&bench, FINE);
        rig_set_int(&bench.rig, "batch", rows[i].batch);
        bench_open(&bench);
        check_send(&bench, (struct ov_slice){lines.data, lines.len}, OV_SENT, 0);
        if (http_server_count(&bench.server) != rows[i].requests)
            fail_msg("row %zu: %zu requests", i, http_server_count(&bench.server));
        for (size_t r = 0; r < http_server_count(&bench.server); r++)
            ov_buf_str(&seen, body_of(&bench, r));
        assert_string_equal(ov_buf_text(&seen), ov_buf_text(&lines));
        ov_buf_free(&lines);
        ov_buf_free(&seen);
        bench_end(&bench);
    }
}

/* Each point arrives once and in order, whatever size the server takes. */
static void test_too_large(void **state)
{
    (void)state;
    static const struct { size_t body_max; uint64_t rejected; } rows[] = {
        {10000, 0}, {900, 0}, {300, 0}, {40, 0}, {21, 10}, {1, 100},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_outcome outcome;
        struct ov_buf lines = {0}, seen = {0};
        for (int n = 0; n < 100; n++) /* ten of them are longer */
            ov_buf_printf(&lines, "m,t=%s n=%02di %d\n", n % 10 ? "abc" : "abcdefgh", n, n + 10000);
        bench_start(&bench, FINE);
        bench.server.body_max = rows[i].body_max;
        struct ov_slice record = {lines.data, lines.len};
        enum ov_sent sent = rig_send(&bench.rig, record, &outcome);
        if (sent != (rows[i].rejected < 100 ? OV_SENT : OV_REJECTED) ||
            outcome.rejected != rows[i].rejected)
            fail_msg("row %zu: %d, %ju rejected", i, (int)sent, (uintmax_t)outcome.rejected);
        for (size_t r = 0, count = http_server_count(&bench.server); r < count; r++)
            if (strlen(body_of(&bench, r)) <= rows[i].body_max)
                ov_buf_str(&seen, body_of(&bench, r));
        if (!rows[i].rejected && (seen.len != lines.len ||
                                  memcmp(seen.data, lines.data, seen.len) != 0))
            fail_msg("row %zu: the server has seen %zu bytes of %zu", i, seen.len, lines.len);
        if (http_server_count(&bench.server) > 240)
            fail_msg("row %zu: %zu requests", i, http_server_count(&bench.server));
        ov_buf_free(&lines);
        ov_buf_free(&seen);
        bench_end(&bench);
    }
}

/* Bytes that were delivered in part go on where they stopped, also when more lines have joined
 * them; others start anew. */
static void test_resume(void **state)
{
    (void)state;
    static const char *const answers[] = {"413 No\r\n\r\n", "204 OK\r\n\r\n", "500 No\r\n\r\n",
                                          "500 No\r\n\r\n", "204 OK\r\n\r\n", NULL};
    static const struct { const char *later, *rest, *after; } rows[] = {
        {"m n=1i 1\nm n=2i 2\n", "m n=2i 2\n", ""},
        {"m n=1i 1\nm n=2i 2\nm n=3i 3\n", "m n=2i 2\n", "m n=3i 3\n"},
        {"m n=2i 2\nm n=3i 3\n", "m n=2i 2\n", "m n=3i 3\n"}, /* the first one was dropped */
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        bench_start(&bench, answers);
        check_send(&bench, OV_SLICE("m n=1i 1\nm n=2i 2\n"), OV_RETRY, 0);
        assert_string_equal(body_of(&bench, 1), "m n=1i 1\n");
        assert_string_equal(body_of(&bench, 2), "m n=2i 2\n");
        check_send(&bench, ov_slice(rows[i].later), OV_RETRY, 0);
        check_send(&bench, ov_slice(rows[i].later), OV_SENT, 0);
        for (size_t r = 3; r < 5; r++)
            if (strcmp(body_of(&bench, r), rows[i].rest) != 0)
                fail_msg("row %zu: request %zu: %s", i, r, body_of(&bench, r));
        if (*rows[i].after ? strcmp(body_of(&bench, 5), rows[i].after) != 0
                           : http_server_count(&bench.server) != 5)
            fail_msg("row %zu: %zu requests", i, http_server_count(&bench.server));
        size_t count = http_server_count(&bench.server);
        check_send(&bench, ov_slice(rows[i].later), OV_SENT, 0); /* the same bytes, anew */
        assert_memory_equal(body_of(&bench, count), rows[i].later, 9);
        bench_end(&bench);
    }
}

/* A request on which the server fails inside is dropped in the end, and nothing beside it. */
static void test_give_up(void **state)
{
    (void)state;
    static const struct { const char *answer; int64_t give_up; enum ov_sent sent; } rows[] = {
        {"500 No\r\n\r\n", 0, OV_SENT}, {"502 No\r\n\r\n", 0, OV_SENT},
        {"500 No\r\n\r\n", 60000, OV_RETRY}, {"503 No\r\n\r\n", 0, OV_RETRY},
        {"429 No\r\n\r\n", 0, OV_RETRY}, {"401 No\r\n\r\n", 0, OV_RETRY},
        {"500 No\r\nRetry-After: 1\r\n\r\n", 0, OV_RETRY},
        {"500 No\r\n\r\n{\"error\":\"retention policy not found: x\"}", 0, OV_RETRY},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_outcome outcome;
        bench_serve(&bench, (const char *const[]){"204 OK\r\n\r\n", rows[i].answer,
                                                  "204 OK\r\n\r\n", NULL});
        rig_set_int(&bench.rig, "batch", 2);
        rig_set_int(&bench.rig, "give_up", rows[i].give_up);
        bench_open(&bench);
        struct ov_slice lines = OV_SLICE("m n=1i 1\nm n=2i 2\nm n=3i 3\nm n=4i 4\nm n=5i 5\n");
        enum ov_sent sent = rig_send(&bench.rig, lines, &outcome);
        if (sent != rows[i].sent || outcome.rejected != (sent == OV_SENT ? 2 : 0))
            fail_msg("row %zu: %d, %ju rejected", i, (int)sent, (uintmax_t)outcome.rejected);
        assert_string_equal(body_of(&bench, 1), "m n=3i 3\nm n=4i 4\n");
        if (sent == OV_SENT)
            assert_string_equal(body_of(&bench, 2), "m n=5i 5\n");
        bench_end(&bench);
    }
}

#define NO_DATABASE "404 Not Found\r\n\r\n{\"error\":\"database not found: \\\"my db\\\"\"}"

static void test_create_database(void **state)
{
    (void)state;
    static const struct {
        const char *answers[4];
        enum ov_sent sent;
        size_t requests;
        const char *says;
    } rows[] = {
        {{NO_DATABASE, "200 OK\r\n\r\n{\"results\":[{}]}", "204 OK\r\n\r\n"}, OV_SENT, 3, ""},
        {{NO_DATABASE, "403 No\r\n\r\n{\"error\":\"not you\"}", NO_DATABASE}, OV_RETRY, 2,
         "CREATE DATABASE is answered with 403: not you"},
        {{NO_DATABASE, "200 OK\r\n\r\n{\"results\":[{\"error\":\"full\"}]}", NO_DATABASE},
         OV_RETRY, 2, "answered with 200: full"},
        {{NO_DATABASE, "200 OK\r\n\r\n{\"results\":[{}]}", NO_DATABASE}, OV_RETRY, 3,
         "database not found"},
        {{NO_DATABASE, HTTP_CLOSE, NO_DATABASE}, OV_RETRY, 2, "was not answered"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_outcome outcome;
        bench_serve(&bench, rows[i].answers);
        rig_set(&bench.rig, "database", "a\"b");
        set_bool(&bench, "create_database", true);
        bench_open(&bench);
        enum ov_sent sent = rig_send(&bench.rig, OV_SLICE(LINES), &outcome);
        if (sent != rows[i].sent || http_server_count(&bench.server) < rows[i].requests ||
            !strstr(ov_host_why(bench.rig.host), rows[i].says))
            fail_msg("row %zu: %d, %zu requests: %s", i, (int)sent,
                     http_server_count(&bench.server), ov_host_why(bench.rig.host));
        const char *query = ov_buf_text(&bench.server.requests[1]);
        if (strcasestr(query, "POST /query?q=CREATE+DATABASE+%22a%5c%22b%22 HTTP/1.1") != query)
            fail_msg("row %zu: %s", i, query);
        bench_end(&bench);
    }
}

static void test_deadline(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_outcome outcome;
    bench_start(&bench, (const char *const[]){HTTP_HANG, NULL});
    bench.rig.timeout_ms = 50;
    int64_t start = ov_clock_ms();
    assert_int_equal(rig_send(&bench.rig, OV_SLICE(LINES), &outcome), OV_RETRY);
    assert_in_range(ov_clock_ms() - start, 40, 2000);
    bench_end(&bench);
}

static void *stop_host(void *host)
{
    ov_host_stop(host);
    return NULL;
}

static void test_stop(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_outcome outcome;
    pthread_t thread;
    bench_start(&bench, (const char *const[]){HTTP_HANG, NULL});
    bench.rig.timeout_ms = 60000;
    int64_t start = ov_clock_ms();
    assert_int_equal(pthread_create(&thread, NULL, stop_host, bench.rig.host), 0);
    assert_int_equal(rig_send(&bench.rig, OV_SLICE(LINES), &outcome), OV_RETRY);
    assert_in_range(ov_clock_ms() - start, 0, 900);
    pthread_join(thread, NULL);
    bench_end(&bench);
}

static void test_unreachable(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "http://u:pw-SECRET@127.0.0.1:1", "https://u:pw-SECRET@[::1]:1",
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct output_rig rig;
        struct ov_outcome outcome;
        rig_start(&rig);
        rig_set(&rig, "url", rows[i]);
        rig_set(&rig, "database", "d");
        assert_int_equal(omnivigil_plugin.open(rig.state, rig.host), OV_OK);
        assert_int_equal(rig_send(&rig, OV_SLICE(LINES), &outcome), OV_RETRY);
        if (!*ov_host_why(rig.host) || strstr(ov_host_why(rig.host), "SECRET"))
            fail_msg("row %zu says: %s", i, ov_host_why(rig.host));
        rig_end(&rig);
    }
}

/* ---------------------------------------------------------------- a name that moves */

static void test_name_moves(void **state)
{
    (void)state;
    struct http_server first, second;
    struct bench bench;
    moving_address = "127.0.0.1";
    http_server_start(&first, "127.0.0.1", 0, FINE);
    http_server_start(&second, "127.0.0.2", first.port, FINE);
    snprintf(bench.url, sizeof bench.url, "http://moving.test:%d", first.port);
    bench_prepare(&bench);
    bench_open(&bench);
    check_send(&bench, OV_SLICE(LINES), OV_SENT, 0);
    assert_int_equal(http_server_count(&first), 1);
    moving_address = "127.0.0.2";
    http_server_end(&first);
    check_send(&bench, OV_SLICE(LINES), OV_SENT, 0);
    assert_int_equal(http_server_count(&second), 1);
    http_server_end(&second);
    rig_end(&bench.rig);
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct { const char *text; int64_t now_ms, wait_ms; } rows[] = {
        {"0", 0, 0}, {"1", 0, 1000}, {"3600", 0, 3600000}, {"3601", 0, 3600000},
        {"99999999999999999999999999", 0, 3600000}, {"", 0, 0}, {"-1", 0, 0}, {"1.5", 0, 0},
        {"abc", 0, 0}, {"1 s", 0, 0},
        {"Thu, 01 Jan 1970 00:01:00 GMT", 59500, 500},
        {"Thu, 01 Jan 1970 00:01:00 GMT", 60000, 0},
        {"Thu, 01 Jan 1970 00:01:00 GMT", 90000, 0},
        {"Friday, 01-Jan-99 00:00:10 GMT", INT64_C(915148800000), 10000},
        {"Thu Jan  1 00:01:00 1970", 0, 60000},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        int64_t wait_ms = post_retry_after_ms(ov_slice(rows[i].text), rows[i].now_ms);
        if (wait_ms != rows[i].wait_ms)
            fail_msg("%s: %jd ms instead of %jd", rows[i].text, (intmax_t)wait_ms,
                     (intmax_t)rows[i].wait_ms);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers), cmocka_unit_test(test_request),
        cmocka_unit_test(test_unix_socket), cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_batch), cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_resume), cmocka_unit_test(test_give_up),
        cmocka_unit_test(test_create_database), cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_stop), cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_retry_after), cmocka_unit_test(test_name_moves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
