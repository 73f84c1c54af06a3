/* SPDX-License-Identifier: Apache-2.0 */
/* Which failures are the same, and what kind of failure each is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "failure.h"

static void test_patterns(void **state)
{
    static const struct {
        const char *message, *want;
    } rows[] = {
        {"", ""},
        {"amount must be positive", "amount must be positive"},
        {"got 12, expected 3", "got <n>, expected <n>"},
        {"took 1.5 s", "took <n> s"},
        {"10,000 rows at 12:30:05", "<n> rows at <n>"},
        {"-5 is too small", "-<n> is too small"},
        {"1e-3", "<n>e-<n>"},
        {"line 3 column 14 (char 27)", "line <n> column <n> (char <n>)"},
        {"order-4711 failed", "order-<n> failed"},
        {"task_12 failed", "task_<n> failed"},
        {"utf8 and sha256", "utf<n> and sha<n>"},
        {"task 6fa459ea-ee8a-3ca4-894e-db77e160355e gone", "task <id> gone"},
        {"entry 1700000000000-0", "entry <id>"},
        {"commit a3f09c12", "commit <id>"},
        {"decade and facade", "decade and facade"},
        {"object at 0x7f3a0c", "object at <id>"},
        {"req_011CSHoEeqs5C35K2UUqR7Fy refused", "<id> refused"},
        {"123456789", "<n>"},
        {"no such column 'price'", "no such column '...'"},
        {"'a' and \"b 12\" and `c`", "'...' and \"...\" and `...`"},
        {"'it\\'s' here", "'...' here"},
        {"can't read, won't write", "can't read, won't write"},
        {"unclosed 'text 12", "unclosed 'text <n>"},
        {"a  b\n\tc ", "a b c"},
        {"http://10.0.0.7:8080/x", "http://<n>/x"},
        {"K\xc3\xb6ln 50667", "K\xc3\xb6ln <n>"},
        {"12.", "<n>."},
        {"a-", "a-"},
        {"\xff\x01", "\xff\x01"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf got = {0};
        failure_pattern(&got, ov_slice(rows[i].message));
        if (strcmp(ov_buf_text(&got), rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].message, ov_buf_text(&got), rows[i].want);
        ov_buf_free(&got);
    }
}

static void test_long_message(void **state)
{
    struct ov_buf message = {0}, pattern = {0};
    (void)state;
    for (int i = 0; i < 100000; i++)
        ov_buf_char(&message, '\'');
    failure_pattern(&pattern, (struct ov_slice){message.data, message.len});
    assert_true(pattern.len <= 5 * FAILURE_PATTERN_MAX);
    ov_buf_free(&message);
    ov_buf_free(&pattern);
}

static void test_classes(void **state)
{
    static const struct {
        const char *type, *message, *want;
    } rows[] = {
        {"ValueError", "amount must be positive", "invalid data"},
        {"KeyError", "'price'", "logic or data"},
        {"ValidationError", "1 validation error for Order", "invalid data"},
        {"JSONDecodeError", "Expecting value: line 1 column 1 (char 0)", "invalid data"},
        {"UnicodeDecodeError", "'utf-8' codec can't decode", "invalid data"},
        {"ConnectionError", "refused", "service down"},
        {"ConnectionRefusedError", "[Errno 111] Connect call failed", "service down"},
        {"ClientConnectorError", "Cannot connect to host x:80", "service down"},
        {"APIConnectionError", "", "service down"},
        {"RateLimitError", "429", "service down"},
        {"ServiceUnavailable", "503", "service down"},
        {"OperationalError", "could not connect to server", "service down"},
        {"OSError", "[Errno 113] Host unreachable", "service down"},
        {"RuntimeError", "upstream: Connection refused", "service down"},
        {"HTTPStatusError", "Server error '503 Service Unavailable'", "service down"},
        {"TimeoutError", "", "timeout"},
        {"ReadTimeout", "", "timeout"},
        {"ConnectTimeout", "", "timeout"},
        {"APITimeoutError", "Request timed out.", "timeout"},
        {"RuntimeError", "model call timed out after 30 s", "timeout"},
        {"ValueError", "the request timed out", "timeout"},
        {"AttributeError", "'NoneType' object has no attribute 'x'", "logic or data"},
        {"TypeError", "unsupported operand", "logic or data"},
        {"ZeroDivisionError", "division by zero", "logic"},
        {"IndexError", "list index out of range", "logic or data"},
        {"Boom", "", "logic"},
        {"", "", "unknown"},
        {"", "timed out", "unknown"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct failure_class *class = failure_class(ov_slice(rows[i].type),
                                                          ov_slice(rows[i].message));
        if (strcmp(class->name, rows[i].want) != 0 || !*class->remedy)
            fail_msg("%s: %s: %s, not %s", rows[i].type, rows[i].message, class->name,
                     rows[i].want);
        const char *purge = strstr(class->remedy, "purge"); /* what is purged is gone */
        const char *export = strstr(class->remedy, "xport");
        if (purge && (!export || export > purge || !strstr(class->remedy, "known to be bad")))
            fail_msg("%s: %s", rows[i].type, class->remedy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_long_message),
        cmocka_unit_test(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
