/* SPDX-License-Identifier: Apache-2.0 */
/* The agent with its inputs, outputs and signals: whole lives of a process, with plugins that do
 * as they are told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ftw.h>

#include "agent_rig.h"

#define A "{plugin: probe, name: a, slot: 0}"
#define B "{plugin: probe, name: b, slot: 1}"
#define X "{plugin: sink, name: x, slot: 0}"
#define Y "{plugin: sink, name: y, slot: 1}"
#define X_MEMORY "{plugin: sink, name: x, slot: 0, queue: memory}"
#define Y_MEMORY "{plugin: sink, name: y, slot: 1, queue: memory}"

enum { SOON = 20000 }; /* ms, in which whatever is waited for must come on a slow machine */

static void check(bool good, const char *what)
{
    if (!good)
        fail_msg("%s\nthe log:\n%s", what, rig_log());
}

/* The counts of a probe that a sink took: each one more than the one before, from `first` on.
 * Returns the last. */
static intmax_t check_counts(int slot, const char *probe, intmax_t first)
{
    char line[64];
    intmax_t last = first - 1;
    int len = snprintf(line, sizeof line, "probe,name=%s count=", probe);
    for (const char *at = rig->sinks[slot].text; (at = strstr(at, line)); at += len) {
        intmax_t count = strtoimax(at + len, NULL, 10);
        if (count != last + 1)
            fail_msg("sink %d, probe %s: %jd comes after %jd", slot, probe, count, last);
        last = count;
    }
    return last;
}

/* Wherever the agent told of an output, collected = sent + dropped + buffered. */
static void check_balance(int slot)
{
    size_t lines = 0;
    for (const char *at = rig->sinks[slot].text; (at = strstr(at, "omnivigil_output,")); at++) {
        if (line_value(at, "collected") != line_value(at, "sent") + line_value(at, "dropped") +
                                               line_value(at, "buffered"))
            fail_msg("not in balance: %.*s", (int)strcspn(at, "\n"), at);
        lines++;
    }
    assert_true(lines > 0);
}

static void stop_well(void)
{
    int status = rig_stop(SOON);
    if (status != 0)
        fail_msg("ended with %d\nthe log:\n%s", status, rig_log());
    check_balance(0);
}

static int remove_entry(const char *path, const struct stat *st, int kind, struct FTW *at)
{
    (void)st;
    (void)kind;
    return at->level == 0 ? 0 : remove(path);
}

/* Each test begins without saved state, and leaves no process behind. */
static int begin(void **state)
{
    (void)state;
    if (rig_child) {
        kill(rig_child, SIGKILL);
        waitpid(rig_child, NULL, 0);
        rig_child = 0;
    }
    return nftw(rig_dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* ---------------------------------------------------------------- starting and stopping */

static void test_flow(void **state)
{
    (void)state;
    rig_configure("", A ", " B, X ", " Y);
    rig_start();
    for (int slot = 0; slot < 2; slot++) {
        check(sink_wait_value(slot, "probe,name=a", "count", 3, SOON), "no samples of a");
        check(sink_wait_value(slot, "probe,name=b", "count", 3, SOON), "no samples of b");
        check(sink_wait_value(slot, "omnivigil_input,input=b,plugin=probe", "runs", 2, SOON),
              "no samples of the agent");
    }
    stop_well();
    for (int slot = 0; slot < 2; slot++) { /* all that was gathered before the stop was sent */
        assert_int_equal(check_counts(slot, "a", 1), rig->probes[0].runs);
        assert_int_equal(check_counts(slot, "b", 1), rig->probes[1].runs);
        assert_int_equal(sink_value(slot, "omnivigil_agent", "config_valid"), 1);
    }
    assert_int_equal(sink_value(0, "omnivigil_input,input=a", "runs"), rig->probes[0].runs);
    assert_int_equal(sink_value(0, "omnivigil_input,input=a", "errors"), 0);
    check(strstr(rig_log(), "started: 2 inputs, 2 outputs") && strstr(rig_log(), "stopped"),
          "a log without start and stop");
    check(!strstr(rig_log(), " error ") && !strstr(rig_log(), " warning "), "errors in the log");
}

static void test_refused_starts(void **state)
{
    static const struct {
        const char *agent, *inputs, *outputs, *log;
    } rows[] = {
        {"intervall: 1s", A, X, "(did you mean `interval`?)"},
        {"", "{plugin: nothing}", X, "nothing: no such plugin"},
        {"", A ", " A, X, "`a`"},
        {"", "{plugin: probe, name: a, refuses: true}", X, "input a: does not want to"},
        {"", A ", {plugin: probe, name: r, refuses: true}", X, "input r: does not want to"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        rig_configure(rows[i].agent, rows[i].inputs, rows[i].outputs);
        rig_start();
        int status = rig_wait(SOON);
        if (status != 1 || !strstr(rig_log(), rows[i].log) || rig->probes[0].runs)
            fail_msg("row %zu: %d, %s", i, status, rig_log());
    }
}

/* One agent a state directory; without any the agent runs, and says what that means. */
static void test_state_directory(void **state)
{
    (void)state;
    rig_configure("", A, X);
    rig_start();
    check(rig_wait_number(&rig->probes[0].runs, 1, SOON), "not started");
    pid_t first = rig_child;
    rig_start();
    assert_int_equal(rig_wait(SOON), 1);
    check(strstr(rig_log(), "in use by another omnivigil"), "two at once");
    rig_child = first;
    assert_int_equal(rig_stop(SOON), 0);
    FILE *file = fopen(rig_path("config.yaml"), "w");
    fprintf(file, "agent: {interval: 100ms, state_dir: /dev/null/x, env_file: \"\"}\n"
                  "inputs: [" A "]\noutputs: [" X "]\n");
    fclose(file);
    rig_start();
    check(sink_wait_value(0, "probe,name=a", "count", 1, SOON), "not started");
    stop_well();
    check(strstr(rig_log(), "warning state directory /dev/null/x"), "no warning");
}

/* ---------------------------------------------------------------- inputs */

static void test_overrun(void **state)
{
    (void)state;
    rig_configure("", A ", " B, X);
    rig_start();
    rig->probes[0].takes_ms = 350;
    check(rig_wait_number(&rig->probes[0].runs, 5, SOON), "a does not run");
    check(sink_wait_value(0, "omnivigil_input,input=a", "skipped", 6, SOON), "nothing skipped");
    check(rig->probes[1].runs >= 2 * rig->probes[0].runs, "b is delayed by a");
    assert_int_equal(count_in(rig_log(), "a gather took longer than the interval of 100 ms"), 1);
    rig->probes[0].takes_ms = 0;
    check(rig_wait_log("a: overrun: well again", 1, SOON), "its end is not told");
    stop_well();
    check_counts(0, "a", 1);
    assert_int_equal(sink_value(0, "omnivigil_input,input=a", "runs"), rig->probes[0].runs);
}

static void test_failing_input(void **state)
{
    (void)state;
    rig_configure("", A ", " B, X);
    rig_start();
    rig->probes[0].fails = 1;
    check(sink_wait_value(0, "omnivigil_input,input=a", "errors", 5, SOON), "no errors counted");
    rig->probes[0].fails = 0;
    check(rig_wait_log("a: gather: well again", 1, SOON), "its end is not told");
    stop_well();
    check_counts(0, "a", 1); /* what it gathered nonetheless was forwarded */
    assert_int_equal(count_in(rig_log(), "error a: fails as told"), 1);
    assert_int_equal(sink_value(0, "omnivigil_input,input=b", "errors"), 0);
}

/* An input that never returns costs its own samples only, and the stop no more than the grace. */
static void test_hanging_input(void **state)
{
    (void)state;
    rig_configure("grace: 2s", A ", " B, X);
    rig_start();
    rig->sinks[0].takes_ms = 1;
    rig->probes[0].deaf = 1;
    check(sink_wait_value(0, "probe,name=b", "count", 5, SOON), "b is delayed by a");
    int64_t began = ov_clock_ms();
    int status = rig_stop(SOON);
    int64_t took = ov_clock_ms() - began;
    if (status != 0 || took > 3500)
        fail_msg("ended with %d after %jd ms\n%s", status, (intmax_t)took, rig_log());
    check(strstr(rig_log(), "a: does not end within the grace time"), "not told");
    assert_int_equal(check_counts(0, "b", 1), rig->probes[1].runs);
    assert_int_equal(sink_value(0, "omnivigil_input,input=b", "runs"), rig->probes[1].runs);
    check(!strstr(rig_log(), "could not be delivered"), "samples were dropped");
}

/* ---------------------------------------------------------------- outputs */

static void test_dead_output(void **state)
{
    (void)state;
    rig_configure("", A, X ", " Y);
    rig_start();
    rig->sinks[1].mode = SINK_RETRIES;
    int64_t began = ov_clock_ms();
    check(sink_wait_value(0, "probe,name=a", "count", 20, SOON), "x is delayed by y");
    int64_t took = ov_clock_ms() - began;
    check(rig->sinks[1].sends <= 2 + took / 700, "y is tried too often");
    check(sink_value(0, "omnivigil_output,output=y", "failing") == 1, "not told");
    check(sink_value(0, "omnivigil_output,output=y", "buffered") > 10, "nothing is kept");
    assert_int_equal(count_in(rig_log(), "error y: refused as told"), 1);
    rig->sinks[1].mode = SINK_TAKES;
    check(sink_wait_value(1, "probe,name=a", "count", 20, SOON), "y does not recover");
    check(rig_wait_log("y: send: well again", 1, SOON), "its end is not told");
    stop_well();
    assert_int_equal(check_counts(1, "a", 1), rig->probes[0].runs); /* all of them, in order */
    check_balance(1);
}

/* The receiver's own wish to wait is followed, whatever it is. */
static void test_retry_wait(void **state)
{
    (void)state;
    rig_configure("", A, X_MEMORY);
    rig_start();
    rig->sinks[0].retry_ms = 20;
    rig->sinks[0].mode = SINK_RETRIES;
    check(rig_wait_number(&rig->sinks[0].sends, 20, SOON), "tried too rarely");
    rig->sinks[0].retry_ms = INT64_MAX;
    poll(NULL, 0, 100);
    int sends = rig->sinks[0].sends;
    poll(NULL, 0, 500);
    assert_in_range(rig->sinks[0].sends, sends, sends + 1);
    assert_int_equal(rig_stop(SOON), 0); /* does not wait for it */
    check(strstr(rig_log(), "samples could not be delivered and are dropped"), "not told");
}

static void test_full_queue(void **state)
{
    (void)state;
    rig_configure("", A, "{plugin: sink, name: x, slot: 0, queue_samples: 8}, " Y);
    rig_start();
    rig->sinks[0].mode = SINK_RETRIES;
    check(sink_wait_value(1, "omnivigil_output,output=x", "dropped_full", 20, SOON),
          "nothing dropped");
    check(count_in(rig_log(), "x: the queue is full (limit 8 samples") == 1, "not told once");
    rig->sinks[0].mode = SINK_TAKES;
    check(sink_wait_value(1, "omnivigil_output,output=x", "sent", 8, SOON), "nothing sent");
    check(rig_wait_log("x: queue full: well again", 1, SOON), "its end is not told");
    stop_well();
    check_balance(1);
    intmax_t first = sink_value(0, "probe,name=a", "count");
    for (const char *at = rig->sinks[0].text; (at = strstr(at, "probe,name=a count=")); at++)
        if (strtoimax(at + 19, NULL, 10) < first)
            first = strtoimax(at + 19, NULL, 10);
    assert_true(first > 2);
    assert_int_equal(check_counts(0, "a", first), rig->probes[0].runs); /* the newest */
}

static const struct { enum sink_mode mode; const char *counted, *said; } refusals[] = {
    {SINK_REJECTS, "dropped_rejected", "refused as told (these samples are dropped)"},
    {SINK_SUPERSEDES, "dropped_superseded", "refused as told"},
};

static void test_rejected(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(refusals); i++) {
        rig_configure("", A, X ", " Y);
        rig_start();
        rig->sinks[0].mode = refusals[i].mode;
        check(sink_wait_value(1, "omnivigil_output,output=x", refusals[i].counted, 9, SOON),
              refusals[i].counted);
        rig->sinks[0].mode = SINK_TAKES;
        check(sink_wait_value(0, "probe,name=a", "count", 1, SOON), "does not go on");
        stop_well();
        check_balance(1);
        check(count_in(rig_log(), refusals[i].said) == 1, refusals[i].said);
    }
}

static const struct flush {
    const char *what;
    enum sink_mode mode; /* of y, at the stop */
    int takes_ms;
    int64_t most_ms;
    bool delivered;
} flushes[] = {
    {"slow", SINK_TAKES, 20, 2000, true},
    {"much too slow", SINK_TAKES, 1000, 3500, false},
    {"away", SINK_RETRIES, 0, 1500, false},
    {"hangs", SINK_HANGS, 0, 3500, false},
    {"hangs and does not hear", SINK_DEAF, 0, 3500, false},
};

/* Lets samples wait for y, and stops the agent. */
static void flush_play(const struct flush *f)
{
    rig_start();
    rig->sinks[1].retry_ms = 100;
    rig->sinks[1].mode = SINK_RETRIES;
    check(sink_wait_value(0, "omnivigil_output,output=y", "buffered", 12, SOON), "no queue");
    rig->sinks[1].takes_ms = f->takes_ms;
    rig->sinks[1].mode = (int)f->mode;
    int64_t began = ov_clock_ms();
    int status = rig_stop(SOON);
    int64_t took = ov_clock_ms() - began;
    if (status != 0 || took > f->most_ms)
        fail_msg("%s: ended with %d after %jd ms\n%s", f->what, status, (intmax_t)took,
                 rig_log());
    assert_int_equal(check_counts(0, "a", 1), rig->probes[0].runs);
    if (f->delivered != (check_counts(1, "a", 1) == rig->probes[0].runs))
        fail_msg("%s: delivered up to %jd of %d", f->what, check_counts(1, "a", 1),
                 rig->probes[0].runs);
}

/* What waits at the stop is sent within the grace, and not beyond it. The rest is told of. */
static void test_final_flush(void **state)
{
    for (size_t i = 0; i < OV_COUNT(flushes); i++) {
        begin(state);
        rig_configure("grace: 1s", A, X ", " Y_MEMORY);
        flush_play(&flushes[i]);
        if (flushes[i].delivered == (strstr(rig_log(), "y: ") &&
                                     strstr(rig_log(), "could not be delivered")))
            fail_msg("%s: %s", flushes[i].what, rig_log());
    }
}

/* Or it waits on disk, and is sent after the next start. */
static void test_flush_to_disk(void **state)
{
    for (size_t i = 0; i < OV_COUNT(flushes); i++) {
        begin(state);
        rig_configure("grace: 1s", A, X ", " Y);
        flush_play(&flushes[i]);
        if (flushes[i].delivered == (strstr(rig_log(), "samples wait on disk") != NULL))
            fail_msg("%s: %s", flushes[i].what, rig_log());
        intmax_t sent = check_counts(1, "a", 1), gathered = rig->probes[0].runs;
        rig_start();
        check(sink_wait_value(1, "probe,name=a", "count", gathered + 1, SOON), flushes[i].what);
        stop_well();
        assert_int_equal(check_counts(1, "a", sent + 1), gathered + rig->probes[0].runs);
    }
}

/* ---------------------------------------------------------------- reloads */

static void test_good_reload(void **state)
{
    (void)state;
    rig_configure("", A ", " B, X ", " Y);
    rig_start();
    rig->sinks[1].retry_ms = 50;
    rig->sinks[1].mode = SINK_RETRIES;
    check(sink_wait_value(0, "omnivigil_output,output=y", "buffered", 15, SOON), "no queue");
    intmax_t runs = sink_value(0, "omnivigil_input,input=a", "runs");
    rig_configure("tags: {site: fra}", "{plugin: probe, name: c, slot: 2}, " A, Y ", " X);
    kill(rig_child, SIGHUP);
    check(rig_wait_log("configuration reloaded", 1, SOON), "not reloaded");
    check(sink_wait_value(0, "probe,name=c", "count", 3, SOON), "no samples of the new input");
    check(sink_wait_value(0, "omnivigil_input,input=a", "runs", runs + 3, SOON), "a stands still");
    assert_int_equal(sink_value(0, "omnivigil_agent", "reloads"), 1);
    assert_int_equal(sink_value(0, "omnivigil_agent", "config_valid"), 1);
    rig->sinks[1].mode = SINK_TAKES;
    check(sink_wait_value(1, "probe,name=c", "count", 3, SOON), "y does not recover");
    int b_runs = rig->probes[1].runs;
    stop_well();
    assert_int_equal(rig->probes[1].runs, b_runs); /* b is gone */
    for (int slot = 0; slot < 2; slot++) { /* no sample was lost or doubled by the change */
        assert_int_equal(check_counts(slot, "a", 1), rig->probes[0].runs);
        assert_int_equal(check_counts(slot, "b", 1), rig->probes[1].runs);
        assert_int_equal(check_counts(slot, "c", 1), rig->probes[2].runs);
        check_balance(slot);
    }
    assert_int_equal(sink_value(0, "omnivigil_input,input=a", "runs"), rig->probes[0].runs);
}

static void test_bad_reload(void **state)
{
    static const struct {
        const char *agent, *inputs, *outputs, *log;
    } rows[] = {
        {"intervall: 1s", A, X, "(did you mean `interval`?)"},
        {"", "{plugin: nothing}", X, "nothing: no such plugin"},
        {"", "{plugin: probe, name: r, refuses: true}", X, "input r: does not want to"},
        {"", "{{{", X, "config.yaml:2:"},
    };
    (void)state;
    rig_configure("", A, X);
    rig_start();
    check(sink_wait_value(0, "probe,name=a", "count", 1, SOON), "not started");
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        rig_configure(rows[i].agent, rows[i].inputs, rows[i].outputs);
        kill(rig_child, SIGHUP);
        check(rig_wait_log("reload refused", i + 1, SOON), "not refused");
        check(strstr(rig_log(), rows[i].log) != NULL, rows[i].log);
        check(sink_wait_value(0, "omnivigil_agent", "reload_failures", (intmax_t)i + 1, SOON),
              "not counted");
        assert_int_equal(sink_value(0, "omnivigil_agent", "config_valid"), 0);
    }
    int runs = rig->probes[0].runs;
    check(rig_wait_number(&rig->probes[0].runs, runs + 3, SOON), "a stands still");
    rig_configure("", A, X);
    kill(rig_child, SIGHUP);
    check(sink_wait_value(0, "omnivigil_agent", "config_valid", 1, SOON), "does not recover");
    stop_well();
    assert_int_equal(check_counts(0, "a", 1), rig->probes[0].runs);
}

/* An input that hangs, and one that is only slow, cost a reload nothing but time. */
static void test_reload_while_hanging(void **state)
{
    (void)state;
    rig_configure("grace: 1s", A ", " B, X ", " Y);
    rig_start();
    rig->sinks[1].retry_ms = 50;
    rig->sinks[1].mode = SINK_RETRIES;
    check(sink_wait_value(0, "probe,name=b", "count", 5, SOON), "not started");
    rig->probes[0].deaf = 1;
    int runs = rig->probes[0].runs;
    check(rig_wait_number(&rig->probes[0].runs, runs + 1, SOON), "a does not hang");
    rig_configure("grace: 1s", B, X ", " Y);
    kill(rig_child, SIGHUP);
    check(rig_wait_log("configuration reloaded", 1, SOON), "not reloaded");
    rig->sinks[1].mode = SINK_TAKES;
    runs = rig->probes[1].runs;
    check(rig_wait_number(&rig->probes[1].runs, runs + 3, SOON), "b stands still");
    stop_well();
    for (int slot = 0; slot < 2; slot++)
        assert_int_equal(check_counts(slot, "b", 1), rig->probes[1].runs);
}

/* Queues that nobody takes over are told of. */
static void test_output_removed(void **state)
{
    (void)state;
    rig_configure("", A, X ", " Y_MEMORY);
    rig_start();
    rig->sinks[1].mode = SINK_RETRIES;
    check(sink_wait_value(0, "omnivigil_output,output=y", "buffered", 5, SOON), "no queue");
    rig_configure("", A, X);
    kill(rig_child, SIGHUP);
    check(rig_wait_log("configuration reloaded", 1, SOON), "not reloaded");
    check(strstr(rig_log(), "y: ") && strstr(rig_log(), "could not be delivered"), "not told");
    stop_well();
}

static void test_many_reloads(void **state)
{
    (void)state;
    rig_configure("", A ", " B, X);
    rig_start();
    for (int i = 0; i < 100; i++) {
        kill(rig_child, SIGHUP); /* also before it is ready */
        poll(NULL, 0, i % 7);
    }
    check(rig_wait_log("configuration reloaded", 1, SOON), "not reloaded");
    int runs = rig->probes[0].runs;
    check(rig_wait_number(&rig->probes[0].runs, runs + 3, SOON), "a stands still");
    stop_well();
    assert_int_equal(check_counts(0, "a", 1), rig->probes[0].runs);
}

/* ---------------------------------------------------------------- saved state */

static void test_restart(void **state)
{
    intmax_t count;
    (void)state;
    rig_configure("state_interval: 1s", A, X);
    unlink(rig_path("state/a.state"));
    rig_start();
    check(sink_wait_value(0, "probe,name=a", "count", 3, SOON), "not started");
    stop_well();
    count = check_counts(0, "a", 1);
    rig_start(); /* goes on */
    check(sink_wait_value(0, "probe,name=a", "count", count + 15, SOON), "not started");
    assert_int_equal(sink_value(0, "omnivigil_input,input=a", "errors"), 0);
    check_counts(0, "a", count + 1);
    count += 15;
    kill(rig_child, SIGKILL);
    assert_int_equal(rig_wait(SOON), -SIGKILL);
    rig_start(); /* goes on from what was saved a second before the end, at most */
    check(sink_wait_value(0, "probe,name=a", "count", count + 1, SOON), "not started");
    stop_well();
    const char *first = strstr(rig->sinks[0].text, "probe,name=a count=");
    assert_in_range(strtoimax(first + 19, NULL, 10), 5, count + 3);
    FILE *file = fopen(rig_path("state/a.state"), "w");
    fputs("damaged", file);
    fclose(file);
    rig_start();
    check(sink_wait_value(0, "probe,name=a", "count", 2, SOON), "not started");
    stop_well();
    check_counts(0, "a", 1);
    check(strstr(rig_log(), "state file") && strstr(rig_log(), "a.state.bad"), "not told");
}

/* ---------------------------------------------------------------- */

static int set_up(void **state)
{
    (void)state;
    rig = mmap(NULL, sizeof *rig, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return rig != MAP_FAILED && mkdtemp(rig_dir) ? 0 : -1;
}

static int tear_down(void **state)
{
    begin(state);
    return rmdir(rig_dir);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_flow),
        TEST(test_refused_starts),
        TEST(test_state_directory),
        TEST(test_overrun),
        TEST(test_failing_input),
        TEST(test_hanging_input),
        TEST(test_dead_output),
        TEST(test_retry_wait),
        TEST(test_full_queue),
        TEST(test_rejected),
        TEST(test_final_flush),
        TEST(test_flush_to_disk),
        TEST(test_good_reload),
        TEST(test_bad_reload),
        TEST(test_reload_while_hanging),
        TEST(test_output_removed),
        TEST(test_many_reloads),
        TEST(test_restart),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
