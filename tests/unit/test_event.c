/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event reader. A row is an object and what is read from it, written out by `render`; it is
 * read twice, by the scanner and by json-c alone, from memory that ends where the object does.
 */
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <json-c/json.h>

#include "event.h"

static void render_text(struct ov_buf *out, const char *name, struct ov_slice text)
{
    if (!text.len)
        return;
    ov_buf_printf(out, " %s=", name);
    ov_buf_escaped(out, text);
}

static void render_number(struct ov_buf *out, const char *name, double value)
{
    if (isnan(value))
        return;
    ov_buf_printf(out, " %s=%.17g", name, value);
}

static const char *render(struct ov_buf *out, bool read, const struct event *e)
{
    static const char *const kinds[] = {
        "other", "received", "task_processed", "failed", "state", "processed", "attempt",
        "reclaimed", "dlq",
    };
    ov_buf_reset(out);
    ov_buf_str(out, read ? kinds[e->kind] : "refused");
    render_text(out, "topic", e->topic);
    render_text(out, "agent", e->agent);
    render_text(out, "group", e->group);
    render_text(out, "consumer", e->consumer);
    render_text(out, "runner", e->runner_id);
    render_text(out, "task", e->task_id);
    render_text(out, "msg", e->msg_id);
    render_text(out, "error", e->error);
    render_text(out, "type", e->error_type);
    render_text(out, "name", e->agent_name);
    render_text(out, "old", e->old_state);
    render_text(out, "new", e->new_state);
    render_number(out, "took", e->processing_time_sec);
    render_number(out, "at", e->timestamp);
    return ov_buf_text(out);
}

static const struct row {
    const char *json, *want;
} rows[] = {
    /* as OmniDaemon writes them */
    {"{\"topic\": \"file_system.tasks\", \"agent\": \"a\", \"runner_id\": \"r\", \"event\": "
     "\"task_received\", \"task_id\": \"t\", \"timestamp\": 1733000000.1234567, \"saved_at\": "
     "1733000000.2}",
     "received topic=file_system.tasks agent=a runner=r task=t at=1733000000.1234567"},
    {"{\"topic\": \"t\", \"agent\": \"a\", \"runner_id\": \"r\", \"event\": \"task_processed\", "
     "\"task_id\": null, \"processing_time_sec\": 2.384185791015625e-07, \"timestamp\": 1.5}",
     "task_processed topic=t agent=a runner=r took=2.384185791015625e-07 at=1.5"},
    {"{\"event\": \"task_failed\", \"error\": \"a \\\"b\\\"\\n\", \"error_type\": \"ValueError\", "
     "\"msg_id\": \"1-0\", \"task_id\": \"x\"}",
     "failed task=x msg=1-0 error=a \"b\"\\n type=ValueError"},
    {"{\"topic\": \"t\", \"event\": \"reclaim_attempt\", \"msg_id\": \"1-0\", \"group\": "
     "\"group:t:a\", \"consumer\": \"consumer:a-1\", \"timestamp\": 3}",
     "attempt topic=t group=group:t:a consumer=consumer:a-1 msg=1-0 at=3"},
    {"{\"event\": \"processed\"}", "processed"},
    {"{\"event\": \"reclaimed\"}", "reclaimed"},
    {"{\"event\": \"dlq_push\"}", "dlq"},
    {"{\"event\": \"agent_state_change\", \"agent_name\": \"n\", \"old_state\": \"idle\", "
     "\"new_state\": \"running\"}",
     "state name=n old=idle new=running"},
    /* other orders, spaces and doublets */
    {"{}", "other"},
    {" \t\r\n{ \n} ", "other"},
    {"{\"timestamp\":1,\"agent\":\"a\",\"topic\":\"t\",\"event\":\"processed\"}",
     "processed topic=t agent=a at=1"},
    {"{ \"topic\" : \"t\" , \"agent\" : \"a\" }", "other topic=t agent=a"},
    {"{\"topic\": \"first\", \"topic\": \"last\"}", "other topic=last"},
    {"{\"topic\": \"first\", \"topic\": 5}", "other"},
    {"{\"timestamp\": 1, \"timestamp\": null}", "other"},
    {"{\"event\": \"processed\", \"event\": \"PROCESSED\"}", "other"},
    {"{\"event\": \"processe\"}", "other"},
    {"{\"event\": \"processed\\u0000\"}", "other"},
    {"{\"Topic\": \"t\", \"topi\": \"t\", \"topics\": \"t\", \"\": \"t\"}", "other"},
    {"{\"\\u0074opic\": \"t\"}", "other topic=t"},
    /* values of other types */
    {"{\"topic\": 5, \"agent\": true, \"group\": null, \"task_id\": NaN}", "other"},
    {"{\"topic\": {\"agent\": \"a\"}, \"agent\": [\"b\"]}", "other"},
    {"{\"x\": {\"topic\": \"inner\"}, \"topic\": \"outer\"}", "other topic=outer"},
    {"{\"x\": [[[[[[[[]]]]]]]], \"topic\": \"t\"}", "other topic=t"},
    {"{\"timestamp\": \"1.5\", \"processing_time_sec\": false}", "other"},
    {"{\"error\": 500}", "other error=500"},
    {"{\"error\": -1.50}", "other error=-1.50"},
    {"{\"error\": true}", "other error=true"},
    {"{\"error\": null}", "other"},
    {"{\"error\": {\"code\": [1]}}", "other error={\"code\":[1]}"},
    {"{\"error\": 1, \"error\": \"text\"}", "other error=text"},
    /* numbers */
    {"{\"timestamp\": NaN, \"processing_time_sec\": -Infinity}", "other"},
    {"{\"timestamp\": Infinity, \"processing_time_sec\": 1e400}", "other"},
    {"{\"timestamp\": -1e400, \"processing_time_sec\": 1e-400}", "other took=0"},
    {"{\"timestamp\": -12.5e+3, \"processing_time_sec\": 1E-2}", "other took=0.01 at=-12500"},
    {"{\"timestamp\": 0, \"processing_time_sec\": 0.5}", "other took=0.5 at=0"},
    {"{\"timestamp\": 999999999999999999}", "other at=1e+18"},
    {"{\"timestamp\": 9223372036854775807}", "other at=9.2233720368547758e+18"},
    {"{\"timestamp\": 0.1234567890123456789012345678901234567890}",
     "other at=0.12345678901234568"},
    {"{\"timestamp\": 9007199254740993.0}", "other at=9007199254740992"},
    {"{\"timestamp\": 2.2250738585072011e-308}", "other at=2.2250738585072009e-308"},
    {"{\"timestamp\": 1e99999999999999999999}", "other"},
    {"{\"timestamp\": 1e22, \"processing_time_sec\": 1e23}",
     "other took=9.9999999999999992e+22 at=1e+22"},
    /* strings */
    {"{\"topic\": \"\\u00e9\\u4e2d\\ud83d\\ude00\"}", "other topic=é中😀"},
    {"{\"topic\": \"\\uD83D\\uDE00\\u00E9\"}", "other topic=😀é"},
    {"{\"topic\": \"a\\ud83d\"}", "other topic=a\xef\xbf\xbd"},
    {"{\"topic\": \"\\ude00b\"}", "other topic=\xef\xbf\xbd" "b"},
    {"{\"topic\": \"\\ud83d\\ud83d\\ude00\"}", "other topic=\xef\xbf\xbd😀"},
    {"{\"topic\": \"\\ud83dx\", \"agent\": \"\\ud83d\\n\"}",
     "other topic=\xef\xbf\xbdx agent=\xef\xbf\xbd\\n"},
    {"{\"topic\": \"a\\u0000b\"}", "other topic=a\\x00b"},
    {"{\"topic\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "other topic=\"\\/\\x08\\x0c\\n\\x0d\\t"},
    {"{\"topic\": \"raw é\", \"agent\": \"\xff\"}", "other topic=raw é agent=\\xff"},
    {"{\"topic\": \"\", \"agent\": \"1234567\", \"task_id\": \"12345678\", "
     "\"group\": \"123456789\"}",
     "other agent=1234567 group=123456789 task=12345678"},
    {"{\"topic\": \"12345678\\\"\", \"agent\": \"\\\\12345678\"}",
     "other topic=12345678\" agent=\\12345678"},
    /* none of these is an object */
    {"", "refused"},
    {" ", "refused"},
    {"null", "refused"},
    {"NaN", "refused"},
    {"5", "refused"},
    {"\"topic\"", "refused"},
    {"[]", "refused"},
    {"[{\"topic\": \"t\"}]", "refused"},
    {"{", "refused"},
    {"{\"", "refused"},
    {"{\"topic", "refused"},
    {"{\"topic\"", "refused"},
    {"{\"topic\":", "refused"},
    {"{\"topic\": ", "refused"},
    {"{\"topic\": \"t", "refused"},
    {"{\"topic\": \"t\\", "refused"},
    {"{\"topic\": \"t\\u00", "refused"},
    {"{\"topic\": \"t\\ud800\\u", "refused"},
    {"{\"topic\": \"t\"", "refused"},
    {"{\"topic\": \"t\",", "refused"},
    {"{\"topic\": \"t\",}", "refused"},
    {"{,\"topic\": \"t\"}", "refused"},
    {"{\"topic\": \"t\"} x", "refused"},
    {"{\"topic\": \"t\"}{}", "refused"},
    {"{\"topic\": \"t\"}}", "refused"},
    {"{\"topic\": \"t\" \"agent\": \"a\"}", "refused"},
    {"{\"topic\" \"t\"}", "refused"},
    {"{\"topic\": t}", "refused"},
    {"{topic: \"t\"}", "refused"},
    {"{5: \"t\"}", "refused"},
    {"{\"topic\": \"\\x\"}", "refused"},
    {"{\"topic\": \"\\u12g4\"}", "refused"},
    {"{\"topic\": \"\\ud800\\u12g4\"}", "refused"},
    {"{\"topic\": nul}", "refused"},
    {"{\"topic\": nulll}", "refused"},
    {"{\"timestamp\": 01}", "refused"},
    {"{\"timestamp\": -}", "refused"},
    {"{\"timestamp\": +1}", "refused"},
    {"{\"timestamp\": .5}", "refused"},
    {"{\"timestamp\": 1e}", "refused"},
    {"{\"timestamp\": 1e+}", "refused"},
    {"{\"timestamp\": 1", "refused"},
    {"{\"timestamp\": 0x10}", "refused"},
    {"{\"timestamp\": 1 2}", "refused"},
    {"{\"timestamp\": inf}", "refused"},
    {"{\"timestamp\": 1,5}", "refused"},
    {"{\"timestamp\": [}", "refused"},
    {"\xef\xbb\xbf{}", "refused"},
    {"{\"x\": [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]}", "refused"},
};

static void test_rows(void **state)
{
    struct ov_buf out = {0};
    struct event_reader *reader = event_reader_new();
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        size_t len = strlen(rows[i].json);
        char *exact = malloc(len ? len : 1); /* without a NUL: whoever reads on is caught */
        assert_non_null(exact);
        memcpy(exact, rows[i].json, len);
        for (int slow = 0; slow < 2; slow++) {
            struct event e;
            struct ov_slice json = {exact, len};
            bool read = slow ? event_parse(reader, json, &e) : event_read(reader, json, &e);
            if (strcmp(render(&out, read, &e), rows[i].want) == 0)
                continue;
            print_error("row %zu, %s: %s\n  got  %s\n  want %s\n", i, slow ? "json-c" : "scanner",
                        rows[i].json, ov_buf_text(&out), rows[i].want);
            wrong++;
        }
        free(exact);
    }
    event_reader_free(reader);
    ov_buf_free(&out);
    assert_int_equal(wrong, 0);
}

static double number_read(struct event_reader *reader, const char *digits)
{
    char json[128];
    struct event e;
    int len = snprintf(json, sizeof json, "{\"timestamp\": %s}", digits);
    assert_true(event_read(reader, (struct ov_slice){json, (size_t)len}, &e));
    return e.timestamp;
}

/* Every double comes back as it was, from 15 to 17 digits, whatever the locale. */
static void test_numbers_are_exact(void **state)
{
    struct event_reader *reader = event_reader_new();
    uint64_t random = 1;
    (void)state;
    for (int i = 0; i < 200000; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        double value, near = (double)(random >> 11) / (double)(UINT64_C(1) << (i % 60));
        char digits[40];
        memcpy(&value, &random, sizeof value);
        value = i % 2 || !isfinite(value) ? near : value;
        snprintf(digits, sizeof digits, "%.*g", 15 + i % 3, value);
        double want = strtod(digits, NULL);
        if (strspn(digits, "-0123456789") == strlen(digits))
            continue; /* json-c's integers are another matter */
        if (isfinite(want) && number_read(reader, digits) != want)
            fail_msg("%s was read as %.17g", digits, number_read(reader, digits));
    }
    event_reader_free(reader);
}

static void test_decimal_comma(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "de_DE"};
    bool found = false;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(names) && !found; i++)
        found = setlocale(LC_NUMERIC, names[i]) != NULL;
    if (!found)
        skip();
    struct event_reader *reader = event_reader_new();
    double fast = number_read(reader, "0.5"), slow = number_read(reader, "1733000000.1234567");
    event_reader_free(reader);
    setlocale(LC_NUMERIC, "C");
    assert_true(fast == 0.5);
    assert_true(slow == 1733000000.1234567);
}

/* A flat object may be of any size; what json-c has to read is bounded. */
static void test_sizes(void **state)
{
    static const struct {
        const char *head, *fill, *tail;
        size_t count;
        bool read;
    } sizes[] = {
        {"{\"error\": \"", "x", "\", \"topic\": \"t\"}", 3000000, true},
        {"{\"error\": \"", "\\u00e9", "\", \"topic\": \"t\"}", 500000, true},
        {"{\"x\": [1", ",1", "], \"topic\": \"t\"}", 1000, true},
        {"{\"x\": [1", ",1", "], \"topic\": \"t\"}", 300000, false},
        {"{\"x\": ", "[", "", 100000, false},
        {"", "{\"a\":", "", 50000, false},
    };
    struct event_reader *reader = event_reader_new();
    struct ov_buf json = {0};
    struct event e;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(sizes); i++) {
        ov_buf_reset(&json);
        ov_buf_str(&json, sizes[i].head);
        for (size_t n = 0; n < sizes[i].count; n++)
            ov_buf_str(&json, sizes[i].fill);
        ov_buf_str(&json, sizes[i].tail);
        bool read = event_read(reader, (struct ov_slice){json.data, json.len}, &e);
        if (read != sizes[i].read || ov_slice_eq(e.topic, OV_SLICE("t")) != read)
            fail_msg("size row %zu: read %d", i, read);
    }
    ov_buf_free(&json);
    event_reader_free(reader);
}

static void test_from_object(void **state)
{
    struct json_object *list = json_tokener_parse("[{\"topic\": \"t\", \"timestamp\": 2}, 5]");
    struct event e;
    (void)state;
    assert_true(event_from_object(json_object_array_get_idx(list, 0), &e));
    assert_true(ov_slice_eq(e.topic, OV_SLICE("t")) && e.timestamp == 2);
    assert_false(event_from_object(json_object_array_get_idx(list, 1), &e));
    assert_int_equal(e.topic.len, 0);
    assert_false(event_from_object(NULL, &e));
    json_object_put(list);
    event_reader_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_numbers_are_exact),
        cmocka_unit_test(test_decimal_comma),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_from_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
