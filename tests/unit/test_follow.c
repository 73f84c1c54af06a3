/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Following a stream, against the Redis of fake_stream.h. A row is a script; its words, in order:
 *
 *     add:N  trim:N  xdel:MS  del      N new entries, keep the newest N, delete MS-0, the key
 *     clock:MS                         the next entry's id is MS-0
 *     big:N                            N entries of a megabyte
 *     save  load                       keep a copy of the stream; go back to it
 *     redis6                           from now on entries-added is not told
 *     forget                           an empty `struct follow`; what was read may come again
 *     restart                          through follow_write and follow_read
 *     K@word                           does `word` when request K of the next run (0 = XINFO)
 *                                      reaches Redis; there also:
 *          fail  stop                  the connection breaks, the agent stops
 *          late                        the clock reaches the time to stop
 *          error=TEXT  say=SHAPE       an error reply; a reply of no sense
 *     run  failed  stopped             follow_run, with this result
 *     name=VALUE                       what must hold now
 *
 * Each entry carries its own number, so one that is read twice is seen.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_stream.h"
#include "follow.h"

#define BIG ((size_t)1024 * 1024)

/* One for all rows; each begins with zeros. */
static struct redis redis;
static struct ov_host host;
static struct follow follow;
static struct reading {
    bool seen[FAKE_MOST];
    size_t twice, ahead; /* ahead: handed over while the next request was on the wire */
    struct redis_id last;
    bool disordered;
} reading;
static struct plan { /* of the next run */
    struct { size_t request; char word[64]; } words[8];
    size_t count;
} plan;

static void on_entry(void *context, struct redis_id id, struct ov_slice data)
{
    struct reading *read = context;
    if (redis_id_compare(id, read->last) <= 0)
        read->disordered = true;
    read->last = id;
    if (redis.fn && redis.flushed)
        read->ahead++;
    if (!data.len)
        return;
    size_t number = strtoul(data.ptr, NULL, 10);
    read->twice += read->seen[number];
    read->seen[number] = true;
}

static void through_text(void)
{
    struct ov_buf text = {0};
    struct follow again;
    follow_write(&follow, &text);
    assert_true(follow_read(&again, (struct ov_slice){text.data, text.len}));
    follow = again;
    ov_buf_free(&text);
}

/* The words that change Redis; false if it is none of them. */
static bool do_change(const char *word, const char *argument)
{
    uint64_t number = argument ? strtoull(argument, NULL, 10) : 0;
    if (strncmp(word, "add:", 4) == 0)
        fake_add(&redis, number, 0);
    else if (strncmp(word, "big:", 4) == 0)
        fake_add(&redis, number, BIG);
    else if (strncmp(word, "trim:", 5) == 0)
        fake_trim(&redis, number);
    else if (strncmp(word, "xdel:", 5) == 0)
        fake_xdel(&redis, number);
    else if (strncmp(word, "clock:", 6) == 0)
        redis.clock = number - 1;
    else if (strcmp(word, "del") == 0)
        redis.now.exists = false;
    else if (strcmp(word, "save") == 0)
        redis.saved = redis.now;
    else if (strcmp(word, "load") == 0)
        redis.now = redis.saved;
    else if (strcmp(word, "redis6") == 0)
        redis.redis6 = true;
    else
        return false;
    return true;
}

static void do_word(const char *word)
{
    const char *argument = strpbrk(word, ":=");
    if (argument)
        argument++;
    if (do_change(word, argument))
        return;
    if (strcmp(word, "fail") == 0)
        redis.status = OV_FAILED;
    else if (strcmp(word, "stop") == 0)
        redis.status = OV_STOPPED;
    else if (strcmp(word, "late") == 0)
        fake_now_ms = FAKE_DEADLINE_MS - 200;
    else if (strncmp(word, "error=", 6) == 0)
        snprintf(redis.error, sizeof redis.error, "%s", argument);
    else if (strncmp(word, "say=", 4) == 0)
        snprintf(redis.shape, sizeof redis.shape, "%s", argument);
    else if (strcmp(word, "restart") == 0)
        through_text();
    else if (strcmp(word, "forget") == 0) {
        follow = (struct follow){0};
        reading = (struct reading){0};
    } else
        fail_msg("no such word: %s", word);
}

static void plan_word(const char *word)
{
    assert_true(plan.count < OV_COUNT(plan.words));
    plan.words[plan.count].request = strtoul(word, NULL, 10);
    snprintf(plan.words[plan.count++].word, sizeof plan.words[0].word, "%s", strchr(word, '@') + 1);
}

static void on_arrival(size_t request)
{
    for (size_t i = 0; i < plan.count; i++)
        if (plan.words[i].request == request)
            do_word(plan.words[i].word);
}

/* The value of `name`, as far as there is such a one. */
static bool value_of(const char *name, size_t len, enum redis_fault refused, int64_t *value)
{
    const struct { const char *name; int64_t value; } values[] = {
        {"entries", (int64_t)follow.entries},   {"missed", (int64_t)follow.missed},
        {"gaps", (int64_t)follow.gaps},         {"restarts", (int64_t)follow.restarts},
        {"behind", follow.behind},              {"length", follow.length},
        {"position", (int64_t)follow.position.ms}, {"started", follow.started},
        {"requests", (int64_t)redis.requests},  {"ahead", (int64_t)reading.ahead},
        {"at_once", (int64_t)redis.at_once},    {"twice", (int64_t)reading.twice},
        {"noperm", refused == REDIS_NOPERM},    {"wrongtype", refused == REDIS_WRONGTYPE},
        {"protocol", refused == REDIS_PROTOCOL}, {"fine", refused == REDIS_FINE},
    };
    for (size_t i = 0; i < OV_COUNT(values); i++) {
        if (strlen(values[i].name) == len && memcmp(values[i].name, name, len) == 0) {
            *value = values[i].value;
            return true;
        }
    }
    return false;
}

static int run_once(enum redis_fault *refused)
{
    fake_now_ms = FAKE_START_MS;
    host.why[0] = '\0';
    *refused = REDIS_NOGROUP;
    reading.ahead = 0;
    reading.last = (struct redis_id){0};
    struct follow_pass pass;
    follow_begin(&pass, &follow, &redis, &host, OV_SLICE("k"), on_entry, &reading);
    int status = follow_end(&pass, redis_run(&redis), refused);
    assert_null(redis.fn);
    plan.count = 0;
    return status;
}

/* Runs a script; returns the number of things that are not as they should be. */
static unsigned run_script(const char *script)
{
    static const struct { const char *word; int status; } runs[] = {
        {"run", OV_OK}, {"failed", OV_FAILED}, {"stopped", OV_STOPPED}};
    unsigned wrong = 0;
    enum redis_fault refused = REDIS_FINE;
    char *copy = ov_strdup(script), *rest = copy, *word;
    redis = (struct redis){.clock = 1000, .arrived = on_arrival};
    host = (struct ov_host){0};
    follow = (struct follow){0};
    reading = (struct reading){0};
    while ((word = strsep(&rest, " ")) != NULL) {
        const char *equals = strchr(word, '=');
        int64_t value, want = equals ? strtoll(equals + 1, NULL, 10) : 0;
        size_t r = 0;
        while (r < OV_COUNT(runs) && strcmp(word, runs[r].word) != 0)
            r++;
        if (r < OV_COUNT(runs)) {
            int status = run_once(&refused);
            if (status != runs[r].status || (refused != REDIS_FINE) != (host.why[0] != '\0')) {
                print_error("  %s: status %d, %s\n", word, status, host.why);
                wrong++;
            }
        } else if (strchr(word, '@')) {
            plan_word(word);
        } else if (equals && value_of(word, (size_t)(equals - word), refused, &value)) {
            if (value != want) {
                print_error("  %s, but it is %" PRId64 "\n", word, value);
                wrong++;
            }
        } else {
            do_word(word);
        }
    }
    if (reading.disordered || reading.twice) {
        print_error("  %zu read twice, disordered %d\n", reading.twice, reading.disordered);
        wrong++;
    }
    free(copy);
    return wrong;
}

static const char *const scripts[] = {
    /* plain reading */
    "run length=-1 started=0 entries=0 behind=0 requests=1 fine=1",
    "add:3 run entries=3 missed=0 gaps=0 restarts=0 behind=0 length=3 position=1003 fine=1",
    "add:3 run run entries=3 requests=1 add:2 run entries=5 requests=2 missed=0 restart run "
    "entries=5 add:1 run entries=6 missed=0 gaps=0 restarts=0",
    "add:2500 run entries=2500 requests=6 ahead=2200 behind=0 position=3500",
    "add:100 run entries=100 requests=2 ahead=0 add:1000 run entries=1100 requests=2 ahead=0",
    "add:10 1@add:5 run entries=15 behind=0 missed=0 add:1 run entries=16 missed=0 gaps=0",
    "add:150 2@add:2000 run entries=200 behind=0 run entries=2150 missed=0 gaps=0",
    "add:5 clock:5000 add:5 run entries=10 position=5004",
    /* large entries are asked for by few, and fewer after a failure */
    "big:9 run entries=9 requests=4 at_once=3 add:9 run requests=4 at_once=1000",
    "big:9 add:1 run entries=10 requests=2 at_once=100 big:9 run entries=19 at_once=3",
    "add:90 1@fail failed at_once=100 run at_once=50 entries=90 run add:9 run at_once=1000",
    "add:9 1@fail failed 1@fail failed 1@fail failed 1@fail failed 1@fail failed 1@fail failed "
    "1@fail failed at_once=1 run entries=9 at_once=1000",
    /* history before the first start is not ours */
    "add:50 trim:10 run entries=10 missed=0 gaps=0",
    "add:50 trim:0 run entries=0 missed=0 gaps=0 length=0 add:2 run entries=2 missed=0 gaps=0",
    "add:50 trim:10 1@trim:4 run entries=4 missed=6 gaps=1",
    "run add:50 trim:10 run entries=10 missed=0 gaps=0",
    /* trimmed before it was read */
    "add:10 run add:30 trim:20 run entries=30 missed=10 gaps=1 run missed=10 gaps=1 restarts=0",
    "add:10 run trim:0 run entries=10 missed=0 gaps=0 length=0 add:4 run entries=14 missed=0",
    "add:10 run add:5 trim:5 run entries=15 missed=0 gaps=0",
    "add:10 run add:5 trim:6 run entries=15 missed=0 gaps=0",
    "add:10 run add:5 trim:4 run entries=14 missed=1 gaps=1",
    "add:10 run add:5 trim:0 run entries=10 missed=5 gaps=1 position=1015 run missed=5 gaps=1 "
    "add:1 run entries=11 missed=5",
    "add:10 run add:20 trim:10 restart run entries=20 missed=10 gaps=1",
    "add:10 run 1@trim:3 add:10 run entries=13 missed=7 gaps=1 behind=0",
    "add:10 run 1@trim:0 add:10 run entries=10 missed=10 gaps=1 behind=0 position=1020 run "
    "missed=10 add:1 run entries=11 missed=10",
    "add:10 run add:10 trim:5 1@trim:2 run entries=12 missed=8 gaps=2",
    "add:10 run add:10 1@add:8 1@trim:4 run entries=14 missed=10 gaps=1 run entries=14 missed=14 "
    "gaps=2 run missed=14",
    "add:150 3@trim:0 run entries=150 missed=0 3@trim:350 add:2500 run entries=2500 missed=150 "
    "behind=0 run entries=2500 missed=150 gaps=1",
    /* deleted by hand */
    "add:5 run add:5 xdel:1008 run entries=9 missed=1 gaps=1 run missed=1",
    "add:5 xdel:1003 run entries=4 missed=0 add:1 run entries=5 missed=0 gaps=0",
    "add:5 run add:5 xdel:1010 run entries=9 missed=1 position=1010 add:1 run entries=10 missed=1",
    "add:5 run xdel:1001 xdel:1003 run entries=5 missed=0 add:3 trim:3 run entries=8 missed=0",
    "add:5 run add:5 xdel:1008 trim:3 run entries=8 missed=2 gaps=1",
    /* another stream under the same name */
    "add:10 run del run length=-1 entries=10 position=1010 behind=0 add:3 run entries=13 missed=0 "
    "gaps=0 restarts=1 run restarts=1 add:1 run entries=14 missed=0",
    "add:10 run del add:3 run entries=13 missed=0 restarts=1 gaps=0",
    "add:10 run del add:30 run entries=40 missed=0 restarts=1 run restarts=1",
    "add:10 run del add:8 trim:5 run entries=15 missed=0 restarts=1",
    "add:10 run del add:1500 run entries=1510 restarts=1 behind=0",
    "add:10 run del clock:500 add:3 run entries=13 missed=0 gaps=0 restarts=1 position=502 run "
    "restarts=1 add:2 run entries=15 missed=0 restarts=1",
    "add:10 run del clock:500 add:300 run entries=310 restarts=1 missed=0 position=799",
    "add:10 run del clock:500 add:3 1@trim:1 run entries=11 missed=2 restarts=1",
    "add:10 run del clock:1005 add:3 trim:2 run entries=12 missed=0 restarts=1 position=1007",
    "add:10 run del add:1 trim:0 run restarts=1 length=0 entries=10 add:2 run entries=12 missed=0",
    "add:10 run 1@del 1@add:3 add:10 run entries=13 missed=10 run entries=13 restarts=1 missed=10",
    "add:10 run del clock:1005 add:8 run entries=12 restarts=1 missed=0 position=1012",
    "add:10 run del clock:500 add:3 restart run entries=13 restarts=1",
    "add:10 run del redis6 clock:500 add:3 run entries=13 restarts=1 missed=0 gaps=0",
    /* an older copy of the same */
    "add:10 save add:10 run load run entries=20 restarts=1 missed=0 gaps=0 position=1010 run "
    "restarts=1 add:3 run entries=23 missed=0 gaps=0",
    "add:10 save add:10 run load add:3 run entries=23 restarts=1 missed=0 gaps=0 twice=0 run "
    "restarts=1 add:1 run entries=24 missed=0",
    "add:50 trim:20 save add:10 trim:20 run load run entries=20 restarts=1 position=1050 add:3 "
    "run entries=23 missed=0 gaps=0",
    "add:10 save add:10 run load clock:1015 add:2 run entries=20 restarts=1 position=1016",
    "add:10 save add:10 run load restart run entries=20 restarts=1 position=1010",
    "add:10 save add:10 run load add:13 run entries=33 restarts=1 missed=0 gaps=0",
    "redis6 add:10 save add:10 run load run entries=20 restarts=1 position=1010 gaps=0",
    "add:10 trim:0 save add:5 run load run entries=5 restarts=1 missed=0 add:1 run entries=6",
    /* before Redis 7.0 */
    "redis6 add:10 run entries=10 missed=0 gaps=0 add:5 run entries=15 missed=0 gaps=0",
    "redis6 add:10 trim:5 run entries=5 missed=0 gaps=0",
    "redis6 add:10 run add:10 trim:5 run entries=15 missed=0 gaps=1 run gaps=1 add:1 run gaps=1",
    "redis6 add:10 run add:10 trim:0 run entries=10 gaps=1 run gaps=1 add:1 run entries=11",
    "redis6 add:10 run trim:0 run gaps=0 run gaps=0",
    "redis6 add:10 run add:10 trim:11 run entries=20 gaps=0",
    "add:10 run redis6 add:10 trim:5 run entries=15 missed=0 gaps=0",
    /* refused */
    "0@error=NOPERM failed noperm=1 started=0 behind=1 add:2 run entries=2 fine=1",
    "add:2 0@error=WRONGTYPE failed wrongtype=1 entries=0 run entries=2",
    "add:2 1@error=NOPERM failed noperm=1 entries=0 behind=1 run entries=2 missed=0",
    "add:150 2@error=NOPERM failed noperm=1 entries=100 position=1100 run entries=150 missed=0",
    "add:2 0@error=LOADING failed noperm=0 fine=0 run entries=2",
    "add:2 0@say=string failed protocol=1 run entries=2",
    "add:2 0@say=empty failed protocol=1 run entries=2",
    "add:2 0@say=negative failed protocol=1 run entries=2",
    "add:2 0@say=nofirst failed protocol=1 run entries=2",
    "add:2 1@say=string failed protocol=1 entries=0 run entries=2",
    "add:2 1@say=empty failed protocol=1 entries=0 run entries=2",
    "add:2 1@say=badid failed protocol=1 entries=0 run entries=2",
    "add:3 1@say=sameid failed protocol=1 entries=1 behind=1 run entries=3 missed=0",
    "add:150 1@say=sameid failed protocol=1 entries=1 requests=3 run entries=150 missed=0",
    "add:2 1@say=nofields run entries=2",
    /* cut off */
    "add:5 0@fail failed fine=1 started=0 behind=1 run entries=5 missed=0",
    "add:5 1@fail failed entries=0 behind=1 run entries=5 missed=0",
    "add:150 2@fail failed entries=100 position=1100 run entries=150 missed=0 gaps=0 behind=0",
    "add:150 2@fail failed trim:20 run entries=120 missed=30 gaps=1",
    "add:150 2@stop stopped entries=100 behind=1 restart run entries=150 missed=0",
    "add:5000 3@late run entries=1200 behind=1 position=2200 run entries=5000 behind=0 missed=0",
    "add:5000 0@late run entries=100 behind=1 run entries=5000 missed=0 gaps=0",
    "add:5000 3@late run entries=1200 behind=1 trim:1000 add:5 run entries=2205 missed=2800 "
    "gaps=1 behind=0",
    "add:90 0@late run entries=90 behind=0",
    "add:5000 3@late run del add:3 run entries=1203 restarts=1 missed=0",
    "add:3 run forget run entries=3 twice=0",
};

static void test_scripts(void **state)
{
    unsigned wrong = 0;
    (void)state;
    for (size_t i = 0; i < OV_COUNT(scripts); i++) {
        if (run_script(scripts[i]) == 0)
            continue;
        print_error("script %zu: %s\n", i, scripts[i]);
        wrong++;
    }
    assert_int_equal(wrong, 0);
}

static void test_texts(void **state)
{
    static const struct { const char *text; bool read; } rows[] = {
        {"1,5,0,1,0,10,9,1,1,0", true},
        {"0,0,0,0,0,0,0,0,0,0", true},
        {"1,5,0,1,0,18446744073709551615,9,1,1,0", true},
        {"", false},
        {"1", false},
        {"2,5,0,1,0,10,9,1,1,0", false},
        {"1,5,0,1,0,10,9,1,1", false},
        {"1,5,0,1,0,10,9,1,1,0,0", false},
        {"1,5,0,1,0,10,9,1,1,", false},
        {"1,5,0,1,0,10,9,1,1,0 ", false},
        {"1,5,0,1,0,10,9,,1,0", false},
        {"1,5,0,1,0,10,9,-1,1,0", false},
        {"1,5,0,1,0,18446744073709551616,9,1,1,0", false},
        {"1 5,0,1,0,10,9,1,1,0", false},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct follow f = {.position = {1, 1}, .started = true};
        struct ov_buf out = {0};
        bool read = follow_read(&f, ov_slice(rows[i].text));
        follow_write(&f, &out);
        if (read != rows[i].read ||
            strcmp(ov_buf_text(&out), read ? rows[i].text : rows[1].text) != 0)
            fail_msg("row %zu: %s gave %s", i, rows[i].text, ov_buf_text(&out));
        ov_buf_free(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scripts),
        cmocka_unit_test(test_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
