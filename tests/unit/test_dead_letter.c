/* SPDX-License-Identifier: Apache-2.0 */
/* Entries of dead letter queues: as OmniDaemon writes them, and whatever else may stand there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "dead_letter.h"
#include "json_text.h"

#define TAIL ", \"retry_count\": 3, \"failed_at\": 1700000300.5}"

static const struct {
    const char *data;
    const char *event; /* NULL: it has a flaw */
} rows[] = {
    /* as OmniDaemon 0.1.1 writes it: the reclaim loop added its retries */
    {"{\"topic\": \"t\", \"failed_message\": {\"content\": {\"a\": 1.0}, \"topic\": \"t\", "
     "\"task_id\": \"x\", \"delivery_attempts\": 3, \"created_at\": 1700000000.1234567}" TAIL,
     "{\"content\": {\"a\": 1.0}, \"topic\": \"t\", \"task_id\": \"x\", "
     "\"delivery_attempts\": 0, \"created_at\": 1700000000.1234567}"},
    /* a reply is published with 1 */
    {"{\"failed_message\": {\"delivery_attempts\": 4}" TAIL, "{\"delivery_attempts\": 1}"},
    {"{\"failed_message\": {\"delivery_attempts\": 2}" TAIL, "{\"delivery_attempts\": 0}"},
    {"{\"failed_message\": {\"delivery_attempts\": 7}}", "{\"delivery_attempts\": 0}"},
    {"{\"failed_message\": {\"delivery_attempts\": null}" TAIL, "{\"delivery_attempts\": 0}"},
    {"{\"failed_message\": {\"delivery_attempts\": 5, \"delivery_attempts\": 4}" TAIL,
     "{\"delivery_attempts\": 2, \"delivery_attempts\": 1}"},
    {"{\"failed_message\": {}" TAIL, "{\"delivery_attempts\": 0}"},
    {"{\"failed_message\": {\"a\": 1}}", "{\"a\": 1, \"delivery_attempts\": 0}"},
    /* marks of a delivery, wherever they stand; the same names deeper are the content's own */
    {"{\"failed_message\": {\"processing_consumer\": \"consumer:a-1\", \"content\": "
     "{\"agent\": 1, \"processing_consumer\": 2, \"delivery_attempts\": 3}, \"agent\": \"a\", "
     "\"delivery_attempts\": 0}" TAIL,
     "{\"content\": {\"agent\": 1, \"processing_consumer\": 2, \"delivery_attempts\": 3}, "
     "\"delivery_attempts\": 0}"},
    /* bytes stay: escapes, blanks in values, big numbers, NaN */
    {"{\"failed_message\":{\"content\":\"\\u00fc \\ud83d\\ude00 \\/\",\"n\":1e400,\"x\":NaN,"
     "\"big\":123456789012345678901234567890,\"delivery_attempts\":0}}",
     "{\"content\": \"\\u00fc \\ud83d\\ude00 \\/\", \"n\": 1e400, \"x\": NaN, "
     "\"big\": 123456789012345678901234567890, \"delivery_attempts\": 0}"},
    /* flaws */
    {"", NULL},
    {"x", NULL},
    {"[]", NULL},
    {"null", NULL},
    {"{}", NULL},
    {"{\"failed_message\": null}", NULL},
    {"{\"failed_message\": [1]}", NULL},
    {"{\"failed_message\": \"{}\"}", NULL},
    {"{\"failed_message\": {\"a\": }}", NULL},
    {"{\"failed_message\": {}", NULL},
};

static void test_events(void **state)
{
    struct dead_letter letter = {0};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf event = {0};
        dead_letter_read(&letter, ov_slice(rows[i].data));
        if (!letter.flaw)
            dead_letter_event(&letter, &event);
        if (!rows[i].event ? !letter.flaw
                           : letter.flaw || strcmp(ov_buf_text(&event), rows[i].event) != 0)
            fail_msg("row %zu, %s: %s", i, rows[i].data,
                     letter.flaw ? letter.flaw : ov_buf_text(&event));
        if (event.len && !json_text_is_valid((struct ov_slice){event.data, event.len}))
            fail_msg("row %zu: not valid: %s", i, ov_buf_text(&event));
        ov_buf_free(&event);
    }
    dead_letter_free(&letter);
}

static void test_facts(void **state)
{
    struct dead_letter letter = {0};
    (void)state;
    dead_letter_read(&letter, ov_slice(
        "{\"topic\": \"a:b\", \"original_stream\": \"omni-stream:a:b\", \"original_id\": "
        "\"1700000000000-3\", \"failed_message\": {\"task_id\": \"t\\u00fc\"}, \"error\": "
        "\"Max retries (4) exceeded\"" TAIL));
    assert_null(letter.flaw);
    assert_true(ov_slice_eq(letter.stream, OV_SLICE("omni-stream:a:b")));
    assert_true(ov_slice_eq(letter.original_id, OV_SLICE("1700000000000-3")));
    assert_true(ov_slice_eq(letter.error, OV_SLICE("Max retries (4) exceeded")));
    assert_true(ov_slice_eq(letter.task_id, OV_SLICE("t\xc3\xbc")));
    assert_int_equal(letter.retries, 3);
    assert_true(letter.failed_at == 1700000300.5);

    dead_letter_read(&letter, ov_slice(
        "{\"original_stream\": 1, \"original_id\": null, \"failed_message\": {\"task_id\": 7}, "
        "\"error\": [], \"retry_count\": -1, \"failed_at\": \"now\"}"));
    assert_null(letter.flaw);
    assert_int_equal(letter.stream.len + letter.original_id.len + letter.task_id.len +
                     letter.error.len, 0);
    assert_int_equal(letter.retries, -1);
    assert_true(isnan(letter.failed_at));
    dead_letter_free(&letter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_events),
        cmocka_unit_test(test_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
