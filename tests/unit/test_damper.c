/* SPDX-License-Identifier: Apache-2.0 */
/* Repeated faults: scripts of reports at given seconds, and the lines they leave in the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture.h"
#include "damper.h"
#include "log.h"

static struct capture capture;

/* The log's lines without their times and levels. */
static const char *lines(void)
{
    static char out[sizeof capture.text];
    char *to = out;
    for (const char *line = capture.text; *line; line += strcspn(line, "\n") + 1) {
        const char *from = strstr(line, "who: ");
        from = from ? from + 5 : line;
        size_t len = strcspn(from, "\n");
        memcpy(to, from, len);
        to += len;
        *to++ = '|';
    }
    *to = '\0';
    return out;
}

/* A script is words "SECONDS:CAUSE", or "SECONDS:-CAUSE" for its end. */
static void play(struct ov_damper *damper, const char *script)
{
    while (*script) {
        char *end;
        int64_t now_ms = strtol(script, &end, 10) * 1000;
        size_t len = strcspn(end + 1, " ");
        char cause[32], text[40];
        snprintf(cause, sizeof cause, "%.*s", (int)len, end + 1);
        snprintf(text, sizeof text, "%s fails", cause);
        if (*cause == '-')
            ov_damper_over(damper, cause + 1, now_ms);
        else
            ov_damper_report(damper, cause, text, now_ms);
        script = end + 1 + len;
        script += *script == ' ';
    }
}

static void test_scripts(void **state)
{
    static const struct {
        const char *script, *lines;
    } rows[] = {
        {"0:a", "a fails|"},
        {"0:a 1:a 59:a", "a fails|"},
        {"0:a 1:a 59:a 60:a", "a fails|a fails (3 times more in the last 60 s)|"},
        {"0:a 60:a 61:a 119:a 120:a",
         "a fails|a fails (1 time more in the last 60 s)|"
         "a fails (3 times more in the last 60 s)|"},
        {"0:a 200:a", "a fails|a fails (1 time more in the last 200 s)|"},
        {"0:a 1:b 2:a 3:b 4:a 5:b", "a fails|b fails|"},
        {"0:-a", ""},
        {"0:a 5:-b", "a fails|"},
        {"0:a 5:-a", "a fails|a: well again after 5 s (1 time)|"},
        {"0:a 1:a 65:-a 66:-a", "a fails|a: well again after 1 min 5 s (2 times)|"},
        {"0:a 5:-a 6:a 7:-a",
         "a fails|a: well again after 5 s (1 time)|a fails|a: well again after 1 s (1 time)|"},
        {"0:a 0:b 0:c 1:-a 2:c 3:-b 4:-c",
         "a fails|b fails|c fails|a: well again after 1 s (1 time)|"
         "b: well again after 3 s (1 time)|"
         "c: well again after 4 s (2 times)|"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        capture_begin(&capture, STDERR_FILENO);
        struct ov_damper *damper = ov_damper_new("who");
        play(damper, rows[i].script);
        ov_damper_free(damper);
        capture_end(&capture);
        if (strcmp(lines(), rows[i].lines) != 0)
            fail_msg("%s: %s", rows[i].script, lines());
    }
    ov_damper_free(NULL);
}

/* A source of ever new causes is bounded in lines. */
static void test_many_causes(void **state)
{
    size_t count = 0;
    (void)state;
    capture_begin(&capture, STDERR_FILENO);
    struct ov_damper *damper = ov_damper_new("who");
    for (int i = 0; i < 1000; i++) {
        char cause[32];
        snprintf(cause, sizeof cause, "cause%d", i);
        ov_damper_report(damper, cause, "fails", i);
    }
    ov_damper_free(damper);
    for (const char *at = capture_end(&capture); *at; at++)
        count += *at == '\n';
    assert_in_range(count, 2, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_many_causes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
