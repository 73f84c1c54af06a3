/* SPDX-License-Identifier: Apache-2.0 */
/* The output `influx` against a scripted HTTP server: what becomes of a record for each answer,
 * and what was on the wire. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "output_rig.h"
#include "post.h"

/* ---------------------------------------------------------------- the server */

enum { REQUESTS_MAX = 512 };
#define HANG "hang"   /* no answer */
#define CLOSE "close" /* hangs up without one */

struct server {
    int listener, port;
    int stop[2];
    pthread_t thread;
    const char *const *answers; /* NULL-terminated, the last one repeats */
    size_t body_max;            /* larger ones get a 413; 0: no limit */
    size_t count;               /* of requests; read after server_end, or when send returned */
    struct ov_buf requests[REQUESTS_MAX];
    unsigned connections;
};

static bool readable(struct server *server, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = server->stop[0], .events = POLLIN}};
    return poll(fds, 2, -1) > 0 && !fds[1].revents;
}

/* Reads one request; its body begins at *body. False at the end of the connection. */
static bool request_read(struct server *server, int fd, struct ov_buf *request, size_t *body)
{
    for (size_t want = 0;;) {
        char *end = request->len ? strstr(ov_buf_text(request), "\r\n\r\n") : NULL;
        if (end && !want) {
            char *length = strcasestr(request->data, "Content-Length:");
            *body = (size_t)(end - request->data) + 4;
            want = *body + (length ? strtoul(length + 15, NULL, 10) : 0);
        }
        if (want && request->len >= want)
            return true;
        ov_buf_grow(request, 65536);
        ssize_t n = readable(server, fd) ? read(fd, request->data + request->len, 65536) : 0;
        if (n <= 0)
            return false;
        request->len += (size_t)n;
    }
}

static void serve(struct server *server, int fd)
{
    size_t body, answer = 0;
    struct ov_buf request = {0};
    while (request_read(server, fd, &request, &body)) {
        size_t number = server->count;
        while (answer < number && server->answers[answer + 1])
            answer++;
        const char *text = server->answers[answer];
        if (server->body_max && request.len - body > server->body_max)
            text = "413 Too Large\r\n\r\n";
        if (number < REQUESTS_MAX)
            server->requests[number] = request;
        server->count++;
        request = (struct ov_buf){0};
        if (strcmp(text, CLOSE) == 0)
            break;
        const char *content = strstr(text, "\r\n\r\n");
        if (strcmp(text, HANG) == 0 || !content)
            continue;
        struct ov_buf out = {0};
        ov_buf_printf(&out, "HTTP/1.1 %.*s\r\nContent-Length: %zu\r\n\r\n%s",
                      (int)(content - text), text, strlen(content + 4), content + 4);
        ssize_t sent = write(fd, out.data, out.len);
        ov_buf_free(&out);
        if (sent < 0)
            break;
    }
    ov_buf_free(&request);
}

static void *server_run(void *argument)
{
    struct server *server = argument;
    while (readable(server, server->listener)) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0)
            break;
        server->connections++;
        serve(server, fd);
        close(fd);
    }
    return NULL;
}

static void server_start(struct server *server, const char *const *answers, size_t body_max)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    *server = (struct server){.answers = answers, .body_max = body_max};
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&at, len), 0);
    assert_int_equal(listen(server->listener, 8), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&at, &len), 0);
    server->port = ntohs(at.sin_port);
    assert_int_equal(pipe(server->stop), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_run, server), 0);
}

static void server_end(struct server *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->listener);
    for (size_t i = 0; i < server->count && i < REQUESTS_MAX; i++)
        ov_buf_free(&server->requests[i]);
}

/* ---------------------------------------------------------------- the instance */

struct bench {
    struct server server;
    struct output_rig rig;
    char url[64];
};

static void bench_prepare(struct bench *bench, const char *const *answers, size_t body_max)
{
    server_start(&bench->server, answers, body_max);
    snprintf(bench->url, sizeof bench->url, "http://127.0.0.1:%d", bench->server.port);
    rig_start(&bench->rig);
    rig_set(&bench->rig, "url", bench->url);
    rig_set(&bench->rig, "database", "my db");
    rig_set_int(&bench->rig, "batch", 5000);
}

static void bench_start(struct bench *bench, const char *const *answers, size_t body_max)
{
    bench_prepare(bench, answers, body_max);
    assert_int_equal(omnivigil_plugin.open(bench->rig.state, bench->rig.host), OV_OK);
}

static void bench_end(struct bench *bench)
{
    rig_end(&bench->rig);
    server_end(&bench->server);
}

static const char *body_of(struct bench *bench, size_t request)
{
    return strstr(ov_buf_text(&bench->server.requests[request]), "\r\n\r\n") + 4;
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
         30000, 30000, "CREATE DATABASE \"my db\""},
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
        {CLOSE, OV_RETRY, 0, 0, 0, ""},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct bench bench;
        struct ov_outcome outcome;
        bench_start(&bench, (const char *const[]){rows[i].answer, NULL}, 0);
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

static void test_request(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_outcome outcome;
    bench_prepare(&bench, (const char *const[]){"204 OK\r\n\r\n", NULL}, 0);
    rig_set(&bench.rig, "retention_policy", "a&b=c");
    rig_set(&bench.rig, "user", "me");
    rig_set(&bench.rig, "password", "p@ss");
    assert_int_equal(omnivigil_plugin.open(bench.rig.state, bench.rig.host), OV_OK);
    for (int i = 0; i < 3; i++)
        assert_int_equal(rig_send(&bench.rig, OV_SLICE(LINES), &outcome), OV_SENT);
    const char *request = ov_buf_text(&bench.server.requests[2]);
    assert_ptr_equal(strcasestr(request, "POST /write?db=my+db&rp=a%26b%3dc&precision=ns HTTP/1.1"),
                     request);
    assert_non_null(strstr(request, "Authorization: Basic bWU6cEBzcw=="));
    assert_null(strcasestr(request, "Expect:"));
    assert_string_equal(body_of(&bench, 2), LINES);
    assert_int_equal(bench.server.connections, 1); /* kept alive */
    bench_end(&bench);
}

static void test_bucket(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_outcome outcome;
    bench_prepare(&bench, (const char *const[]){"204 OK\r\n\r\n", NULL}, 0);
    strcat(bench.url, "/behind/");
    rig_set(&bench.rig, "organization", "my org");
    rig_set(&bench.rig, "bucket", "b");
    rig_set(&bench.rig, "token", "t-SECRET");
    assert_int_equal(omnivigil_plugin.open(bench.rig.state, bench.rig.host), OV_OK);
    assert_int_equal(rig_send(&bench.rig, OV_SLICE(LINES), &outcome), OV_SENT);
    const char *request = ov_buf_text(&bench.server.requests[0]);
    assert_non_null(strstr(request, "POST /behind/api/v2/write?org=my+org&bucket=b&precision=ns "));
    assert_non_null(strstr(request, "Authorization: Token t-SECRET\r\n"));
    bench_end(&bench);
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
        bench_start(&bench, (const char *const[]){"204 OK\r\n\r\n", NULL}, rows[i].body_max);
        struct ov_slice record = {lines.data, lines.len};
        enum ov_sent sent = rig_send(&bench.rig, record, &outcome);
        if (sent != (rows[i].rejected < 100 ? OV_SENT : OV_REJECTED) ||
            outcome.rejected != rows[i].rejected)
            fail_msg("row %zu: %d, %ju rejected", i, (int)sent, (uintmax_t)outcome.rejected);
        for (size_t r = 0; r < bench.server.count && r < REQUESTS_MAX; r++)
            if (strlen(body_of(&bench, r)) <= rows[i].body_max)
                ov_buf_str(&seen, body_of(&bench, r));
        if (!rows[i].rejected && (seen.len != lines.len ||
                                  memcmp(seen.data, lines.data, seen.len) != 0))
            fail_msg("row %zu: the server has seen %zu bytes of %zu", i, seen.len, lines.len);
        if (bench.server.count > 240)
            fail_msg("row %zu: %zu requests", i, bench.server.count);
        ov_buf_free(&lines);
        ov_buf_free(&seen);
        bench_end(&bench);
    }
}

/* A record that was delivered in part goes on where it stopped; another one starts anew. */
static void test_resume(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_outcome outcome;
    bench_start(&bench, (const char *const[]){"413 No\r\n\r\n", "204 OK\r\n\r\n", "500 No\r\n\r\n",
                                              "500 No\r\n\r\n", "204 OK\r\n\r\n", NULL}, 0);
    struct ov_slice lines = OV_SLICE("m n=1i 1\nm n=2i 2\n");
    assert_int_equal(rig_send(&bench.rig, lines, &outcome), OV_RETRY);
    assert_int_equal(rig_send(&bench.rig, lines, &outcome), OV_RETRY);
    assert_int_equal(rig_send(&bench.rig, lines, &outcome), OV_SENT);
    assert_string_equal(body_of(&bench, 1), "m n=1i 1\n");
    for (size_t i = 2; i < 5; i++)
        assert_string_equal(body_of(&bench, i), "m n=2i 2\n");
    assert_int_equal(bench.server.count, 5);
    assert_int_equal(rig_send(&bench.rig, lines, &outcome), OV_SENT); /* the same bytes, anew */
    assert_string_equal(body_of(&bench, 5), "m n=1i 1\n");
    bench_end(&bench);
}

static void test_deadline(void **state)
{
    (void)state;
    struct bench bench;
    struct ov_outcome outcome;
    bench_start(&bench, (const char *const[]){HANG, NULL}, 0);
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
    bench_start(&bench, (const char *const[]){HANG, NULL}, 0);
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
        cmocka_unit_test(test_bucket), cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_resume), cmocka_unit_test(test_deadline),
        cmocka_unit_test(test_stop), cmocka_unit_test(test_unreachable),
        cmocka_unit_test(test_retry_after),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
