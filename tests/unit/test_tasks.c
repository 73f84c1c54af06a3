/* SPDX-License-Identifier: Apache-2.0 */
/* Task counters: what each event adds, failures by type within their limit, and saved state. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "savefile.h"
#include "tasks.h"

enum { WINDOW_MS = 60000 };
#define NOW INT64_C(1700000000000)

static void count(struct tasks *tasks, enum event_kind kind, const char *topic, const char *agent,
                  const char *error_type)
{
    struct event event = {
        .kind = kind, .topic = ov_slice(topic), .agent = ov_slice(agent),
        .error_type = ov_slice(error_type), .processing_time_sec = 0.5,
    };
    tasks_count(tasks, &event, NOW);
}

static uint64_t failed_of(const struct tasks *tasks, const char *agent, const char *error_type)
{
    for (size_t i = 0; i < tasks->failures.count; i++) {
        const struct tasks_failures *f = (const void *)tasks->failures.entries[i];
        struct ov_slice name, type;
        tasks_failures_name(f, &name, &type);
        if (ov_slice_eq(name, ov_slice(agent)) && ov_slice_eq(type, ov_slice(error_type)))
            return f->failed;
    }
    return 0;
}

static void test_count(void **state)
{
    struct tasks tasks = {.window_ms = WINDOW_MS};
    (void)state;
    for (enum event_kind kind = EVENT_OTHER; kind <= EVENT_BUS_DLQ_PUSH; kind++)
        if (kind < EVENT_TASK_RECEIVED || kind > EVENT_TASK_FAILED)
            count(&tasks, kind, "t", "a", "E");
    assert_int_equal(tasks.agents.count, 0);
    assert_int_equal(tasks.newest_ms, 0);
    for (int i = 0; i < 5; i++)
        count(&tasks, EVENT_TASK_RECEIVED, "t", "a", "");
    for (int i = 0; i < 3; i++)
        count(&tasks, EVENT_TASK_PROCESSED, "t", "a", "");
    count(&tasks, EVENT_TASK_FAILED, "t", "a", "ValueError");
    count(&tasks, EVENT_TASK_FAILED, "t", "a", "");
    count(&tasks, EVENT_TASK_FAILED, "t", "b", "ValueError");
    count(&tasks, EVENT_TASK_RECEIVED, "ta", "", "");
    const struct tasks_agent *a = tasks_find(&tasks, OV_SLICE("t"), OV_SLICE("a"));
    assert_non_null(a);
    assert_int_equal(a->received, 5);
    assert_int_equal(a->processed, 3);
    assert_int_equal(a->failed, 2);
    struct sketch_summary summary = sketch_summarise(a->window, WINDOW_MS, NOW);
    assert_int_equal(summary.processed, 3);
    assert_int_equal(summary.failed, 2);
    assert_true(fabs(summary.p50 - 0.5) < 0.01);
    assert_int_equal(failed_of(&tasks, "a", "ValueError"), 1);
    assert_int_equal(failed_of(&tasks, "a", "unknown"), 1);
    assert_int_equal(failed_of(&tasks, "b", "ValueError"), 1);
    assert_int_equal(tasks_find(&tasks, OV_SLICE("ta"), OV_SLICE(""))->received, 1);
    assert_null(tasks_find(&tasks, OV_SLICE("t"), OV_SLICE("")));
    assert_int_equal(tasks.newest_ms, NOW);
    tasks_free(&tasks);
}

/* Types of errors come from outside: a source of ever new ones is bounded, and none is lost. */
static void test_error_types(void **state)
{
    enum { TYPES = 200, KEPT = 50 };
    struct tasks tasks = {.window_ms = WINDOW_MS};
    uint64_t sum = 0;
    (void)state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < TYPES; i++) {
            char type[32];
            snprintf(type, sizeof type, "Error%d", i);
            count(&tasks, EVENT_TASK_FAILED, "t", "a", type);
        }
    }
    assert_int_equal(tasks.failures.count, KEPT + 1);
    assert_int_equal(failed_of(&tasks, "a", "Error0"), 2);
    assert_int_equal(failed_of(&tasks, "a", "other"), 2 * (TYPES - KEPT));
    for (size_t i = 0; i < tasks.failures.count; i++)
        sum += ((const struct tasks_failures *)(const void *)tasks.failures.entries[i])->failed;
    assert_int_equal(sum, 2 * TYPES);
    count(&tasks, EVENT_TASK_FAILED, "t", "b", "Error199"); /* another agent has its own limit */
    assert_int_equal(failed_of(&tasks, "b", "Error199"), 1);
    tasks_free(&tasks);
}

/* ---------------------------------------------------------------- saved state */

static bool load_all(struct tasks *tasks, struct ov_slice text)
{
    struct ov_slice line;
    bool damaged = false;
    while (saved_line(&text, &line))
        tasks_load_line(tasks, line, &damaged);
    return !damaged;
}

static void test_saved(void **state)
{
    struct tasks tasks = {.window_ms = WINDOW_MS}, loaded = {.window_ms = WINDOW_MS};
    struct ov_buf text = {0}, again = {0};
    (void)state;
    for (int i = 0; i < 120; i++) {
        char type[32];
        snprintf(type, sizeof type, "E %d\n%%", i);
        count(&tasks, EVENT_TASK_FAILED, "a topic", "an:agent", type);
    }
    count(&tasks, EVENT_TASK_PROCESSED, "", "%", "");
    count(&tasks, EVENT_TASK_RECEIVED, "only received", "x", "");
    tasks_save(&tasks, &text);
    assert_true(load_all(&loaded, (struct ov_slice){text.data, text.len}));
    tasks_save(&loaded, &again);
    assert_string_equal(ov_buf_text(&text), ov_buf_text(&again));
    assert_true(load_all(&loaded, (struct ov_slice){text.data, text.len})); /* twice: the same */
    count(&loaded, EVENT_TASK_FAILED, "a topic", "an:agent", "new");
    assert_int_equal(failed_of(&loaded, "an:agent", "other"), 71);
    tasks_free(&tasks);
    tasks_free(&loaded);
    ov_buf_free(&text);
    ov_buf_free(&again);
}

static void test_lines(void **state)
{
    static const struct {
        const char *line;
        bool mine, damaged;
    } rows[] = {
        {"N 5", true, false},
        {"T t a 1 2 3 -", true, false},
        {"X t a E 4", true, false},
        {"", false, false},
        {"Z t a 1 2 3 -", false, false}, /* another's */
        {"TT t a 1 2 3 -", false, false},
        {" T t a 1 2 3 -", false, false},
        {"N", false, true},
        {"N x", false, true},
        {"N -", false, true},
        {"T", false, true},
        {"T t", false, true},
        {"T t a", false, true},
        {"T t a 1 2 3", false, true},
        {"T t a -1 2 3 -", false, true},
        {"T t a 1 2 3 --", false, true},
        {"T t a 1 2 3 1,2", false, true},
        {"T %zz a 1 2 3 -", false, true},
        {"T t a 1 2 99999999999999999999 -", false, true},
        {"X t a E", false, true},
        {"X t a E x", false, true},
        {"X t a %1 4", false, true},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct tasks tasks = {.window_ms = WINDOW_MS};
        bool damaged = false;
        bool mine = tasks_load_line(&tasks, ov_slice(rows[i].line), &damaged);
        if (mine != rows[i].mine || damaged != rows[i].damaged)
            fail_msg("%s: mine %d, damaged %d", rows[i].line, mine, damaged);
        tasks_free(&tasks);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_count),
        cmocka_unit_test(test_error_types),
        cmocka_unit_test(test_saved),
        cmocka_unit_test(test_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
