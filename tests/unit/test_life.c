/* SPDX-License-Identifier: Apache-2.0 */
/* Signs of life: what single looks say, and lives of an agent's consumers and reclaim loops that
 * touch the key as OmniDaemon does, looked at now and then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "life.h"

#define S INT64_C(1000)

static const char *word(enum life life)
{
    const char *text = life_word(life);
    return text ? text : "unknown";
}

static void test_words(void **state)
{
    (void)state;
    assert_null(life_word(LIFE_UNKNOWN));
    assert_string_equal(life_word(LIFE_POLLING), "polling");
    assert_string_equal(life_word(LIFE_BUSY), "busy");
    assert_string_equal(life_word(LIFE_SILENT), "silent");
    assert_string_equal(life_word(LIFE_PAUSED), "paused");
}

/* ---------------------------------------------------------------- single looks */

/* Just paused, or read by a monitor: the key is fresh, and nobody blocks. Its value tells. */
static void test_value_of_a_fresh_key(void **state)
{
    (void)state;
    for (int paused = 0; paused <= 1; paused++) {
        struct life_signs signs = {
            .now_ms = 1700000000 * S, .key_idle_ms = 2 * S, .consumer_idle_ms = -1,
            .youngest_ms = -1, .waiting_ms = -1, .nobody_blocks = true,
        };
        struct life_memory memory = {0};
        assert_int_equal(life_judge(&signs, &memory), LIFE_SILENT);
        life_value_read(&signs, paused, &memory);
        assert_int_equal(life_judge(&signs, &memory), paused ? LIFE_PAUSED : LIFE_SILENT);
    }
}

static void test_first_look(void **state)
{
    static const struct {
        const char *what;
        int64_t key_idle_s, consumer_idle_s, pending, youngest_s;
        bool moved, nobody_blocks;
        enum life life;
    } rows[] = {
        {"no sign to be had", -1, -1, 0, -1, false, false, LIFE_UNKNOWN},
        {"no sign to be had, entries old", -1, -1, 5, 181, false, false, LIFE_UNKNOWN},
        {"nobody at all blocks", -1, -1, 0, -1, false, true, LIFE_SILENT},
        {"entries were read", -1, -1, 0, -1, true, false, LIFE_POLLING},
        {"entries were read, key old", 900, -1, 0, -1, true, true, LIFE_POLLING},
        {"key just read", 0, -1, 0, -1, false, false, LIFE_POLLING},
        {"key read within a poll", 8, -1, 0, -1, false, false, LIFE_POLLING},
        {"key read before that", 9, -1, 0, -1, false, false, LIFE_SILENT},
        {"key read, but nobody blocks", 3, -1, 0, -1, false, true, LIFE_SILENT},
        {"a consumer tried", 900, 4, 0, -1, false, false, LIFE_POLLING},
        {"no consumer tried", -1, 9, 0, -1, false, false, LIFE_SILENT},
        {"at work", 60, -1, 3, 30, false, false, LIFE_BUSY},
        {"at work, nobody blocks", 60, -1, 3, 30, false, true, LIFE_BUSY},
        {"at work until the last moment", 60, -1, 3, 180, false, false, LIFE_BUSY},
        {"no longer at work", 60, -1, 3, 181, false, false, LIFE_SILENT},
        {"pending of unknown age", 60, -1, 3, -1, false, false, LIFE_SILENT},
        {"pending not to be had", 60, -1, -1, -1, false, false, LIFE_SILENT},
        {"no pending, an old delivery", 60, -1, 0, 30, false, false, LIFE_SILENT},
        {"at work tells without a key", -1, -1, 1, 0, false, false, LIFE_BUSY},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct life_signs signs = {
            .now_ms = 1700000000 * S, .key_idle_ms = rows[i].key_idle_s * S,
            .consumer_idle_ms = rows[i].consumer_idle_s * S, .pending = rows[i].pending,
            .youngest_ms = rows[i].youngest_s * S, .reclaim_idle_ms = 180 * S,
            .moved = rows[i].moved, .nobody_blocks = rows[i].nobody_blocks,
        };
        struct life_memory memory = {0};
        enum life life = life_judge(&signs, &memory);
        if (life != rows[i].life)
            fail_msg("%s: %s instead of %s", rows[i].what, word(life), word(rows[i].life));
    }
}

/* ---------------------------------------------------------------- when to read the key */

static void test_wants_value(void **state)
{
    static const struct {
        const char *what;
        int64_t idle_s, since_read_s; /* since_read_s -1: never read */
        bool wants, nobody_blocks;
    } rows[] = {
        {"fresh", 0, -1, false, false},
        {"fresh to the end", 8, -1, false, false},
        {"stale", 9, -1, true, false},
        {"nobody but we touched it", 10, 10, false, false},
        {"nobody but we, the clocks round", 9, 10, false, false},
        {"nobody but we, for long", 299, 299, false, false},
        {"long enough to look again", 300, 300, true, false},
        {"somebody touched it since", 9, 60, true, false},
        {"somebody touched it just now", 3, 60, false, false},
        {"fresh, but nobody blocks", 0, -1, true, true},
        {"fresh by ourselves", 3, 3, false, true},
        {"touched just now, but nobody blocks", 3, 60, true, true},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        int64_t now = 1700000000 * S;
        struct life_signs then = {.now_ms = now - rows[i].since_read_s * S, .key_idle_ms = 20 * S};
        struct life_signs signs = {.now_ms = now, .key_idle_ms = rows[i].idle_s * S,
                                   .nobody_blocks = rows[i].nobody_blocks};
        struct life_memory memory = {0};
        if (rows[i].since_read_s >= 0)
            life_value_read(&then, false, &memory);
        if (life_wants_value(&signs, &memory) != rows[i].wants)
            fail_msg("%s: %s", rows[i].what, rows[i].wants ? "not wanted" : "wanted");
    }
    struct life_signs absent = {.now_ms = S, .key_idle_ms = -1};
    assert_false(life_wants_value(&absent, &(struct life_memory){0}));
}

/* ---------------------------------------------------------------- lives */

/* Consumers that read the key each `poll_s` (0: none) and reclaim loops that do each 30 s, each
 * until some time; then what the looks have to say from `settled_s` on. */
struct scene {
    const char *what;
    int64_t look_s;    /* between two looks */
    int64_t phase_s;   /* of the reclaim loops against the looks */
    int64_t polls_until_s, reclaims_until_s, paused_from_s, resumed_s; /* 0: never */
    int64_t settled_s;
    enum life before, settled; /* before: until the first of the ends above */
};

enum { SCENE_S = 1200 };

static const struct scene scenes[] = {
    {"alive", 10, 0, SCENE_S, SCENE_S, 0, 0, 0, LIFE_POLLING, LIFE_POLLING},
    {"alive, looked at often", 1, 7, SCENE_S, SCENE_S, 0, 0, 0, LIFE_POLLING, LIFE_POLLING},
    {"alive, looked at rarely", 60, 7, SCENE_S, SCENE_S, 0, 0, 0, LIFE_POLLING, LIFE_POLLING},
    {"dies", 10, 0, 300, 300, 0, 0, 320, LIFE_POLLING, LIFE_SILENT},
    {"dies, looked at often", 1, 0, 300, 300, 0, 0, 310, LIFE_POLLING, LIFE_SILENT},
    {"dies, looked at rarely", 60, 0, 300, 300, 0, 0, 361, LIFE_POLLING, LIFE_SILENT},
    {"consumers stop", 10, 0, 300, SCENE_S, 0, 0, 340, LIFE_POLLING, LIFE_SILENT},
    {"consumers stop, in another phase", 10, 4, 300, SCENE_S, 0, 0, 340, LIFE_POLLING,
     LIFE_SILENT},
    {"consumers stop, looked at often", 1, 3, 300, SCENE_S, 0, 0, 340, LIFE_POLLING, LIFE_SILENT},
    {"consumers stop, looked at each 15 s", 15, 3, 300, SCENE_S, 0, 0, 340, LIFE_POLLING,
     LIFE_SILENT},
    {"consumers stop, looked at each 7 s", 7, 3, 300, SCENE_S, 0, 0, 340, LIFE_POLLING,
     LIFE_SILENT},
    {"paused", 10, 0, 300, 300, 300, 0, 340, LIFE_POLLING, LIFE_PAUSED},
    {"paused, looked at often", 1, 0, 300, 300, 300, 0, 340, LIFE_POLLING, LIFE_PAUSED},
    {"paused, looked at rarely", 60, 0, 300, 300, 300, 0, 430, LIFE_POLLING, LIFE_PAUSED},
    {"paused and resumed", 10, 0, 300, 300, 300, 600, 660, LIFE_POLLING, LIFE_POLLING},
};

/* The last multiple of `every` (+ phase) up to `now` and before `until`; 0 if there is none. */
static int64_t last_touch(int64_t now, int64_t until, int64_t every, int64_t phase)
{
    int64_t at = now < until ? now : until - 1;
    return at < phase ? 0 : at - (at - phase) % every;
}

static int64_t latest(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static int64_t scene_touched(const struct scene *s, int64_t now)
{
    int64_t touched = latest(last_touch(now, s->polls_until_s, 5, 2),
                             last_touch(now, s->reclaims_until_s, 30, s->phase_s));
    if (s->paused_from_s && now >= s->paused_from_s)
        touched = latest(touched, s->paused_from_s); /* written, which is a touch */
    if (s->resumed_s && now >= s->resumed_s)
        touched = latest(touched, last_touch(now, SCENE_S, 5, s->resumed_s % 5));
    return touched;
}

/* Runs a scene; returns how often the key was read. */
static unsigned scene_play(const struct scene *s)
{
    const int64_t epoch = 1700000000;
    struct life_memory memory = {0};
    int64_t we_touched = 0;
    unsigned reads = 0;
    for (int64_t now = 60; now < SCENE_S; now += s->look_s) {
        int64_t idle = now - latest(scene_touched(s, now), we_touched);
        struct life_signs signs = {
            .now_ms = (epoch + now) * S, .key_idle_ms = idle * S, .consumer_idle_ms = -1,
            .youngest_ms = -1, .reclaim_idle_ms = 180 * S,
        };
        if (life_wants_value(&signs, &memory)) {
            bool paused = s->paused_from_s && now >= s->paused_from_s &&
                          (!s->resumed_s || now < s->resumed_s);
            life_value_read(&signs, paused, &memory);
            we_touched = now;
            reads++;
        }
        enum life life = life_judge(&signs, &memory);
        enum life want = now >= s->settled_s ? s->settled : s->before;
        bool between = now >= s->polls_until_s && now < s->settled_s;
        if (!between && life != want)
            fail_msg("%s: %s instead of %s at %jd s", s->what, word(life), word(want),
                     (intmax_t)now);
    }
    return reads;
}

static void test_scenes(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(scenes); i++) {
        unsigned reads = scene_play(&scenes[i]);
        bool stays_alive = scenes[i].polls_until_s == SCENE_S;
        if (stays_alive ? reads > 0 : reads > 70)
            fail_msg("%s: the key was read %u times", scenes[i].what, reads);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words), cmocka_unit_test(test_first_look),
        cmocka_unit_test(test_value_of_a_fresh_key),
        cmocka_unit_test(test_wants_value), cmocka_unit_test(test_scenes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
