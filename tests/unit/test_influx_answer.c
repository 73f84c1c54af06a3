/* SPDX-License-Identifier: Apache-2.0 */
/* What answers mean, in the words of InfluxDB 1, 2 and 3, of proxies before them, and of servers
 * that are none. Each is the answer to a request of ten lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "influx_answer.h"

enum { LINES = 10, NO_HTML = false, HTML = true };

struct row {
    long status;
    bool html;
    const char *body;
    enum influx_verdict verdict;
    uint64_t refused;
    int64_t retry_ms;
    bool fault;
    const char *why;
};

static void check(size_t number, const struct row *row, int64_t retry_after_ms, uint64_t lines)
{
    struct influx_answer answer = {.refused = 99};
    struct post_answer said = {
        .status = row->status, .html = row->html, .body = ov_slice(row->body), .location = "",
        .retry_after_ms = retry_after_ms,
    };
    ov_buf_str(&answer.why, "of the last one");
    influx_answer_read(&answer, &said, lines);
    if (answer.verdict != row->verdict || answer.refused != row->refused ||
        answer.retry_ms != row->retry_ms || answer.fault != row->fault)
        fail_msg("row %zu: verdict %d, %ju refused, retry in %jd ms, fault %d: %s", number,
                 (int)answer.verdict, (uintmax_t)answer.refused, (intmax_t)answer.retry_ms,
                 answer.fault, ov_buf_text(&answer.why));
    if (strcmp(ov_buf_text(&answer.why), row->why) != 0)
        fail_msg("row %zu says: %s", number, ov_buf_text(&answer.why));
    ov_buf_free(&answer.why);
}

#define V3_LINE(number, message)                                                                   \
    "{\"original_line\":\"m n=1 1\",\"line_number\":" number ",\"error_message\":\"" message "\"}"

static void test_dropped(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {204, NO_HTML, "", INFLUX_DELIVERED, 0, 0, false, ""},
        {200, NO_HTML, "", INFLUX_DELIVERED, 0, 0, false, ""},
        {200, NO_HTML, "{}", INFLUX_DELIVERED, 0, 0, false, ""},
        {400, NO_HTML, "{\"error\":\"partial write: field type conflict: input field \\\"n\\\" on "
         "measurement \\\"m\\\" is type float, already exists as type integer dropped=3\"}\n",
         INFLUX_DELIVERED, 3, 0, false, "answers 400: partial write: field type conflict: input "
         "field \"n\" on measurement \"m\" is type float, already exists as type integer dropped=3"},
        {400, NO_HTML, "{\"error\":\"partial write: x dropped=99999999999999999999999\"}",
         INFLUX_DELIVERED, 10, 0, false,
         "answers 400: partial write: x dropped=99999999999999999999999"},
        {400, NO_HTML, "{\"error\":\"partial write: unable to parse 'x': missing fields\\nunable to"
         " parse 'y': missing fields dropped=0\"}", INFLUX_DELIVERED, 2, 0, false, "answers 400: "
         "partial write: unable to parse 'x': missing fields unable to parse 'y': missing fields "
         "dropped=0"},
        {400, NO_HTML, "{\"error\":\"partial write: what\"}", INFLUX_DELIVERED, 1, 0, false,
         "answers 400: partial write: what"},
        {400, NO_HTML, "{\"error\":\"unable to parse \\u003cm\\u003E \\\\ \\u0026 \\u00e9\"}",
         INFLUX_DELIVERED, 10, 0, false, "answers 400: unable to parse <m> \\ & ?"},
        {400, NO_HTML, "", INFLUX_DELIVERED, 10, 0, false, "answers 400: (no explanation)"},
        {400, NO_HTML, "{\"error\": 5}", INFLUX_DELIVERED, 10, 0, false, "answers 400: {\"error\": 5}"},
        {400, NO_HTML, "{\"error\":\"cut \\", INFLUX_DELIVERED, 10, 0, false,
         "answers 400: cut \\"},
        {400, NO_HTML, "{\"error\":\"cut \\u00", INFLUX_DELIVERED, 10, 0, false,
         "answers 400: cut u00"},
        {422, NO_HTML, "{\"code\":\"unprocessable entity\",\"message\":\"failure writing points to "
         "database: partial write: points beyond retention policy dropped=2\"}", INFLUX_DELIVERED,
         2, 0, false, "answers 422: failure writing points to database: partial write: points "
         "beyond retention policy dropped=2"},
        {400, NO_HTML, "{\"code\":\"invalid\",\n \"message\" : \"unable to parse 'm': missing "
         "fields\"}", INFLUX_DELIVERED, 10, 0, false,
         "answers 400: unable to parse 'm': missing fields"},
        {400, NO_HTML, "{\"error\":\"partial write of line protocol occurred\",\"data\":["
         V3_LINE("2", "invalid column type") "," V3_LINE("7", "other") "]}", INFLUX_DELIVERED, 2,
         0, false,
         "answers 400: partial write of line protocol occurred: invalid column type"},
        {400, NO_HTML, "{\"error\":\"parsing failed for write_lp endpoint\",\"data\":"
         V3_LINE("2", "no fields") "}", INFLUX_DELIVERED, 10, 0, false,
         "answers 400: parsing failed for write_lp endpoint: no fields"},
        {405, NO_HTML, "405", INFLUX_DELIVERED, 10, 0, false, "answers 405: 405"},
        {413, NO_HTML, "Request Entity Too Large", INFLUX_TOO_LARGE, 0, 0, false,
         "answers 413: Request Entity Too Large"},
        {413, HTML, "<html><head><title>413 Request Entity Too Large</title></head>",
         INFLUX_TOO_LARGE, 0, 0, false, "answers 413: 413 Request Entity Too Large"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        check(i, &rows[i], 0, LINES);
    static const struct row alone = {413, HTML, "", INFLUX_DELIVERED, 1, 0, false,
                                     "answers 413: (no explanation); a line alone is too large"};
    check(OV_COUNT(rows), &alone, 0, 1);
}

#define WHO "; check `user` and `password`, or `token`, and what they may write to"
#define NOT_ITS_OWN "; that is not InfluxDB's own answer: is `url` right?"

static void test_kept(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {200, HTML, "<html>Hello", INFLUX_LATER, 0, 30000, false, "answers 200: (no explanation), a "
         "page for people; is `url` that of an InfluxDB?"},
        {301, HTML, "", INFLUX_LATER, 0, 30000, false, "answers 301, a redirect to nowhere, which "
         "is not followed: set `url` to the server's own address"},
        {401, NO_HTML, "{\"error\":\"authorization failed\"}", INFLUX_LATER, 0, 30000, false,
         "answers 401: authorization failed" WHO},
        {401, NO_HTML, "{\"code\":\"unauthorized\",\"message\":\"unauthorized access\"}",
         INFLUX_LATER, 0, 30000, false, "answers 401: unauthorized access" WHO},
        {403, HTML, "<title>403 Forbidden</title>", INFLUX_LATER, 0, 30000, false,
         "answers 403: 403 Forbidden" WHO},
        {404, NO_HTML, "{\"error\":\"database not found: \\\"d\\\"\"}", INFLUX_UNKNOWN, 0, 30000,
         false, "answers 404: database not found: \"d\""},
        {404, NO_HTML, "{\"code\":\"not found\",\"message\":\"bucket \\\"b\\\" not found\"}",
         INFLUX_UNKNOWN, 0, 30000, false, "answers 404: bucket \"b\" not found"},
        {404, NO_HTML, "{\"code\":\"not found\",\"message\":\"organization name \\\"o\\\" not "
         "found\"}", INFLUX_UNKNOWN, 0, 30000, false,
         "answers 404: organization name \"o\" not found"},
        {404, NO_HTML, "404 page not found\n", INFLUX_LATER, 0, 30000, false,
         "answers 404: 404 page not found; is `url` that of an InfluxDB?"},
        {500, NO_HTML, "{\"error\":\"retention policy not found: r\"}\n", INFLUX_LATER, 0, 30000,
         false, "answers 500: retention policy not found: r; create it, or set another "
         "`retention_policy` or none"},
        {400, HTML, "<title>400 No required SSL certificate was sent</title>", INFLUX_LATER, 0,
         30000, false, "answers 400: 400 No required SSL certificate was sent" NOT_ITS_OWN},
        {405, HTML, "<title>405 Not Allowed</title>", INFLUX_LATER, 0, 30000, false,
         "answers 405: 405 Not Allowed" NOT_ITS_OWN},
        {408, NO_HTML, "", INFLUX_LATER, 0, 0, false, "answers 408: (no explanation)"},
        {425, NO_HTML, "", INFLUX_LATER, 0, 0, false, "answers 425: (no explanation)"},
        {429, NO_HTML, "slow down\r\n", INFLUX_LATER, 0, 0, false, "answers 429: slow down"},
        {500, NO_HTML, "{\"error\":\"timeout\"}", INFLUX_LATER, 0, 0, true, "answers 500: timeout"},
        {502, HTML, "<title>502 Bad Gateway</title>", INFLUX_LATER, 0, 0, true,
         "answers 502: 502 Bad Gateway"},
        {503, NO_HTML, "", INFLUX_LATER, 0, 0, false, "answers 503: (no explanation)"},
        {504, HTML, "", INFLUX_LATER, 0, 0, true, "answers 504: (no explanation)"},
        {599, NO_HTML, "", INFLUX_LATER, 0, 0, true, "answers 599: (no explanation)"},
        {0, NO_HTML, "", INFLUX_LATER, 0, 0, false, "answers 0: (no explanation)"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        check(i, &rows[i], 0, LINES);
}

static void test_retry_after(void **state)
{
    (void)state;
    static const struct { int64_t asked_ms; struct row row; } rows[] = {
        {3000, {429, NO_HTML, "no", INFLUX_LATER, 0, 3000, false, "answers 429: no"}},
        {7000, {503, NO_HTML, "no", INFLUX_LATER, 0, 7000, false, "answers 503: no"}},
        {7000, {500, NO_HTML, "no", INFLUX_LATER, 0, 7000, false, "answers 500: no"}},
        {60000, {401, NO_HTML, "no", INFLUX_LATER, 0, 60000, false, "answers 401: no" WHO}},
        {3000, {401, NO_HTML, "no", INFLUX_LATER, 0, 30000, false, "answers 401: no" WHO}},
        {3000, {400, NO_HTML, "no", INFLUX_DELIVERED, LINES, 0, false, "answers 400: no"}},
        {3000, {204, NO_HTML, "", INFLUX_DELIVERED, 0, 0, false, ""}},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        check(i, &rows[i].row, rows[i].asked_ms, LINES);
}

/* A server's text is cut; one that goes on for ever does not fill the log. */
static void test_long_words(void **state)
{
    (void)state;
    static const char *const beginnings[] = {"", "{\"error\":\"", "{\"error_message\":\""};
    for (size_t i = 0; i < OV_COUNT(beginnings); i++) {
        struct ov_buf body = {0}, out = {0};
        ov_buf_str(&body, beginnings[i]);
        for (int n = 0; n < 100000; n++)
            ov_buf_char(&body, 'x');
        struct post_answer said = {.status = 400, .body = {body.data, body.len}, .location = ""};
        influx_answer_words(&said, &out);
        if (out.len < 300 || out.len > 700)
            fail_msg("row %zu: %zu bytes", i, out.len);
        ov_buf_free(&body);
        ov_buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dropped), cmocka_unit_test(test_kept),
        cmocka_unit_test(test_retry_after), cmocka_unit_test(test_long_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
