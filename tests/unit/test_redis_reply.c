/* SPDX-License-Identifier: Apache-2.0 */
/* Replies from bytes: each row is read whole and cut in two at every byte, and must come to the
 * same, written out by `render`. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "redis_reply.h"

static void render(struct ov_buf *out, const struct redis_reply *reply)
{
    static const char marks[] = {[REDIS_STATUS] = '+', [REDIS_ERROR] = '-', [REDIS_STRING] = '$'};
    switch (reply->type) {
    case REDIS_NIL:
        ov_buf_str(out, "nil");
        return;
    case REDIS_INTEGER:
        ov_buf_int(out, reply->integer);
        return;
    case REDIS_STATUS:
    case REDIS_ERROR:
    case REDIS_STRING:
        ov_buf_char(out, marks[reply->type]);
        ov_buf_escaped(out, reply->text);
        return;
    case REDIS_ARRAY:
        ov_buf_char(out, '[');
        for (size_t i = 0; i < reply->count; i++) {
            ov_buf_str(out, i ? " " : "");
            render(out, &reply->items[i]);
        }
        ov_buf_char(out, ']');
        return;
    }
}

static void render_all(struct ov_buf *out, struct redis_reader *reader)
{
    const struct redis_reply *reply;
    while ((reply = redis_reader_next(reader))) {
        ov_buf_str(out, out->len ? "; " : "");
        render(out, reply);
    }
}

/* Feeds the first `cut` bytes and then the rest, from memory that ends where they do. */
static const char *read_cut(struct ov_buf *out, struct ov_slice bytes, size_t cut, bool *failed)
{
    struct redis_reader *reader = redis_reader_new();
    char *first = malloc(cut + 1), *second = malloc(bytes.len - cut + 1);
    memcpy(first, bytes.ptr, cut);
    memcpy(second, bytes.ptr + cut, bytes.len - cut);
    ov_buf_reset(out);
    redis_reader_feed(reader, first, cut);
    render_all(out, reader);
    redis_reader_feed(reader, second, bytes.len - cut);
    render_all(out, reader);
    *failed = redis_reader_error(reader) != NULL;
    redis_reader_free(reader);
    free(first);
    free(second);
    return ov_buf_text(out);
}

#define ROW(bytes, expected) {{bytes, sizeof(bytes) - 1}, expected}

static void test_read(void **state)
{
    static const struct {
        struct ov_slice bytes;
        const char *expected;
    } rows[] = {
        ROW("", ""),
        ROW("+OK\r\n", "+OK"),
        ROW("+\r\n", "+"),
        ROW("-ERR no\r\n", "-ERR no"),
        ROW(":0\r\n:-1\r\n", "0; -1"),
        ROW(":9223372036854775807\r\n", "9223372036854775807"),
        ROW(":-9223372036854775808\r\n", "-9223372036854775808"),
        ROW("$-1\r\n", "nil"),
        ROW("*-1\r\n", "nil"),
        ROW("$0\r\n\r\n", "$"),
        ROW("$5\r\na\r\n\0b\r\n", "$a\\x0d\\n\\x00b"),
        ROW("*0\r\n", "[]"),
        ROW("*2\r\n$1\r\na\r\n:7\r\n", "[$a 7]"),
        ROW("*3\r\n$-1\r\n*-1\r\n*0\r\n", "[nil nil []]"),
        ROW("*2\r\n*2\r\n:1\r\n:2\r\n*1\r\n*1\r\n-E x\r\n+end\r\n", "[[1 2] [[-E x]]]; +end"),
        ROW("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "[[[[[[[1]]]]]]]"),
        ROW("+PONG\r\n$3\r\nab", "+PONG"),
        ROW("*2\r\n:1\r\n", ""),
        ROW("*2\r\n*700000\r\n", ""), /* large, but not too large */
    };
    struct ov_buf out = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        for (size_t cut = 0; cut <= rows[i].bytes.len; cut++) {
            bool failed;
            const char *got = read_cut(&out, rows[i].bytes, cut, &failed);
            if (failed || strcmp(got, rows[i].expected))
                fail_msg("row %zu cut at %zu: expected %s, got %s", i, cut, rows[i].expected, got);
        }
    }
    ov_buf_free(&out);
}

/* Errors last: nothing is read behind them. */
static void test_refused(void **state)
{
    static const struct {
        struct ov_slice bytes;
        const char *expected; /* what stands before */
    } rows[] = {
        ROW("HTTP/1.1 400 Bad Request\r\n", ""),
        ROW("\r\n", ""),
        ROW("\0", ""),
        ROW("+OK\r\nx+OK\r\n", "+OK"),
        ROW(":\r\n", ""),
        ROW(":1x\r\n", ""),
        ROW(":99999999999999999999\r\n", ""),
        ROW("$x\r\n", ""),
        ROW("$-2\r\n", ""),
        ROW("*x\r\n", ""),
        ROW("*-2\r\n", ""),
        ROW("*2147483647\r\n", ""),
        ROW("*9223372036854775807\r\n", ""),
        ROW("*1400000\r\n", ""),
        ROW("*1\r\n*1400000\r\n", ""),
        ROW("*1\r\nx\r\n", ""),
        ROW(">1\r\n+x\r\n", ""),
        ROW("#t\r\n", ""),
        ROW(",1.5\r\n", ""),
        ROW("~1\r\n:1\r\n", ""),
        ROW("%1\r\n:1\r\n:2\r\n", ""),
        ROW("=5\r\ntxt:a\r\n", ""),
        ROW("(123\r\n", ""),
    };
    struct ov_buf out = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        for (size_t cut = 0; cut <= rows[i].bytes.len; cut++) {
            bool failed;
            const char *got = read_cut(&out, rows[i].bytes, cut, &failed);
            if (!failed || strcmp(got, rows[i].expected))
                fail_msg("row %zu cut at %zu: %s, got %s", i, cut,
                         failed ? "refused" : "accepted", got);
        }
    }
    ov_buf_free(&out);
}

/* ---------------------------------------------------------------- limits */

static void feed_text(struct redis_reader *reader, const char *text)
{
    redis_reader_feed(reader, text, strlen(text));
}

/* Feeds `count` times the same megabyte, or until there is an error. */
static void feed_megabytes(struct redis_reader *reader, char byte, size_t count)
{
    size_t size = (size_t)1 << 20;
    char *bytes = malloc(size);
    memset(bytes, byte, size);
    for (size_t i = 0; i < count && !redis_reader_error(reader); i++) {
        redis_reader_feed(reader, bytes, size);
        redis_reader_next(reader);
    }
    free(bytes);
}

static void test_a_large_reply(void **state)
{
    struct redis_reader *reader = redis_reader_new();
    (void)state;
    feed_text(reader, "$33554432\r\n");
    feed_megabytes(reader, 'x', 32);
    assert_null(redis_reader_error(reader));
    feed_text(reader, "\r\n:5\r\n");
    const struct redis_reply *reply = redis_reader_next(reader);
    assert_non_null(reply);
    assert_int_equal(reply->text.len, 32 << 20);
    assert_int_equal(redis_reader_next(reader)->integer, 5);
    assert_null(redis_reader_next(reader));
    redis_reader_free(reader);
}

static void test_too_large(void **state)
{
    static const struct {
        const char *start;
        char byte;
        const char *error;
    } rows[] = {
        {"$999999999999\r\n", 'x', "larger than 64 MiB"},
        {"+", 'x', "line without an end"},
        {"-", 'x', "line without an end"},
        {":", '1', "line without an end"},
        {"*", '1', "line without an end"},
        {"$", '1', "line without an end"},
        {"*1\r\n$", '1', "line without an end"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_reader *reader = redis_reader_new();
        feed_text(reader, rows[i].start);
        feed_megabytes(reader, rows[i].byte, 100);
        const char *error = redis_reader_error(reader);
        if (!error || !strstr(error, rows[i].error))
            fail_msg("row %zu: %s", i, error ? error : "no error");
        redis_reader_free(reader);
    }
}

/* Arrays in arrays: each is small, and together they are not. */
static void test_too_many_arrays(void **state)
{
    struct redis_reader *reader = redis_reader_new();
    (void)state;
    feed_text(reader, "*1000000\r\n");
    for (int i = 0; i < 500 && !redis_reader_error(reader); i++) {
        feed_text(reader, "*1000\r\n");
        for (int item = 0; item < 1000; item++)
            feed_text(reader, ":1\r\n");
        redis_reader_next(reader);
    }
    assert_string_equal(redis_reader_error(reader), "a reply larger than 64 MiB");
    redis_reader_free(reader);
}

/* ---------------------------------------------------------------- looking into replies */

static const struct redis_reply *read_one(struct redis_reader *reader, const char *bytes)
{
    feed_text(reader, bytes);
    const struct redis_reply *reply = redis_reader_next(reader);
    assert_non_null(reply);
    return reply;
}

static void test_map(void **state)
{
    struct redis_reader *reader = redis_reader_new();
    const struct redis_reply *map =
        read_one(reader, "*7\r\n$3\r\nlag\r\n$-1\r\n$4\r\nname\r\n$1\r\ng\r\n:1\r\n:2\r\n"
                         "$3\r\nodd\r\n");
    (void)state;
    assert_int_equal(redis_map_get(map, "lag")->type, REDIS_NIL);
    assert_true(ov_slice_eq(redis_map_get(map, "name")->text, OV_SLICE("g")));
    assert_null(redis_map_get(map, "g"));
    assert_null(redis_map_get(map, "na"));
    assert_null(redis_map_get(map, "odd"));
    assert_null(redis_map_get(map, ""));
    assert_null(redis_map_get(&map->items[2], "lag"));
    redis_reader_free(reader);
}

/* In the server's order and in others, with names that are not there. */
static void test_map_pick(void **state)
{
    static const struct {
        struct ov_slice names[3];
        int values[3]; /* 0: none */
    } rows[] = {
        {{OV_SLICE("a"), OV_SLICE("b"), OV_SLICE("c")}, {1, 2, 3}},
        {{OV_SLICE("c"), OV_SLICE("b"), OV_SLICE("a")}, {3, 2, 1}},
        {{OV_SLICE("b"), OV_SLICE("b"), OV_SLICE("a")}, {2, 2, 1}},
        {{OV_SLICE("x"), OV_SLICE("c"), OV_SLICE("odd")}, {0, 3, 0}},
        {{OV_SLICE("c"), OV_SLICE(""), OV_SLICE("c")}, {3, 0, 3}},
    };
    struct redis_reader *reader = redis_reader_new();
    const struct redis_reply *map = read_one(reader, "*7\r\n$1\r\na\r\n:1\r\n+b\r\n:2\r\n"
                                                     "$1\r\nc\r\n:3\r\n$3\r\nodd\r\n");
    const struct redis_reply *values[3];
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        redis_map_pick(map, rows[i].names, 3, values);
        for (size_t j = 0; j < 3; j++)
            if (redis_int(values[j], 0) != rows[i].values[j])
                fail_msg("row %zu, name %zu", i, j);
    }
    redis_map_pick(&map->items[0], rows[0].names, 3, values); /* no map */
    assert_null(values[0]);
    redis_reader_free(reader);
}

static void test_int(void **state)
{
    static const struct {
        const char *bytes;
        int64_t expected;
    } rows[] = {
        {":5\r\n", 5},
        {":-1\r\n", -1},
        {"$1\r\n7\r\n", 7},
        {"$3\r\n-42\r\n", -42},
        {"$19\r\n9223372036854775807\r\n", INT64_MAX},
        {"$20\r\n-9223372036854775808\r\n", INT64_MIN},
        {"$19\r\n9223372036854775808\r\n", 99},
        {"$20\r\n-9223372036854775809\r\n", 99},
        {"$20\r\n18446744073709551615\r\n", 99},
        {"$0\r\n\r\n", 99},
        {"$1\r\n-\r\n", 99},
        {"$2\r\n+1\r\n", 99},
        {"$2\r\n 1\r\n", 99},
        {"$2\r\n1 \r\n", 99},
        {"$3\r\n1.5\r\n", 99},
        {"$3\r\n0x1\r\n", 99},
        {"$-1\r\n", 99},
        {"+5\r\n", 99},
        {"-5\r\n", 99},
        {"*1\r\n:5\r\n", 99},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_reader *reader = redis_reader_new();
        int64_t got = redis_int(read_one(reader, rows[i].bytes), 99);
        if (got != rows[i].expected)
            fail_msg("row %zu: got %lld", i, (long long)got);
        redis_reader_free(reader);
    }
    assert_int_equal(redis_int(NULL, 99), 99);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),          cmocka_unit_test(test_refused),
        cmocka_unit_test(test_a_large_reply), cmocka_unit_test(test_too_large),
        cmocka_unit_test(test_too_many_arrays), cmocka_unit_test(test_map),
        cmocka_unit_test(test_map_pick),        cmocka_unit_test(test_int),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
