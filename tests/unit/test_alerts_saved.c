/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts over restarts: whenever the agent is killed, an incident is told of once and resolved
 * once, and twice only where it ended while it was telling. And saved text that is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "alerts_rig.h"

#define OVER .name = "over", .value = "group.pending"

/* ---------------------------------------------------------------- restarts */

static void test_restart_between_firing_and_resolved(void **state)
{
    const struct ov_rule rule = {OVER, .warning = "3", .hold = "2s"};
    static const struct row rows[] = {
        AT(0, 9, ""), THEN(2, 9, "firing warning", RESTART),
        /* it goes on: no second firing, with or without values, one resolved */
        AT(10, 9, ""), THEN(11, ABSENT, "", RESTART), AT(12, GONE, ""), AT(20, 0, ""),
        THEN(22, 0, "resolved warning", RESTART), AT(23, 0, ""), AT(30, 0, ""),
    };
    (void)state;
    PLAY(rule, rows);
}

/* It ends while nobody looks. */
static void test_over_while_down(void **state)
{
    const struct ov_rule rule = {OVER, .critical = "3"};
    static const struct row rows[] = {
        THEN(0, 9, "firing critical", RESTART), AT(3600, 0, "resolved critical"), AT(3601, 0, ""),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_killed_while_pending(void **state)
{
    const struct ov_rule rule = {OVER, .warning = "3", .hold = "5s"};
    static const struct row rows[] = {
        THEN(0, 9, "", RESTART), AT(1, 9, ""), AT(5, 9, ""), AT(6, 9, "firing warning"),
        AT(7, 0, ""), THEN(11, 0, "", RESTART), AT(12, 0, ""), AT(16, 0, ""),
        AT(17, 0, "resolved warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

static void test_killed_while_telling(void **state)
{
    const struct ov_rule rule = {OVER, .warning = "3", .critical = "100", .repeat = "60s"};
    static const struct row firing[] = {
        THEN(0, 9, "firing warning", INTERRUPT), THEN(1, 9, "firing warning", RESTART),
        AT(2, 9, ""), AT(3, 0, "resolved warning"),
    };
    static const struct row firing_that_ended[] = {
        THEN(0, 9, "firing warning", INTERRUPT), AT(1, 0, "resolved warning"), AT(2, 0, ""),
    };
    static const struct row worse[] = {
        AT(0, 9, "firing warning"), THEN(1, 500, "firing critical", INTERRUPT),
        AT(2, 500, "firing critical"), AT(3, 0, "resolved critical"),
    };
    static const struct row repeated[] = {
        AT(0, 9, "firing warning"), THEN(60, 9, "repeat warning", INTERRUPT),
        AT(61, 9, "repeat warning"), AT(62, 9, ""), AT(63, 0, "resolved warning"),
    };
    static const struct row resolved[] = {
        AT(0, 9, "firing warning"), THEN(1, 0, "resolved warning", INTERRUPT),
        THEN(2, 0, "resolved warning", RESTART), AT(3, 0, ""), AT(4, 9, "firing warning"),
    };
    static const struct row resolved_and_back[] = {
        AT(0, 9, "firing warning"), THEN(1, 0, "resolved warning", INTERRUPT),
        AT(2, ABSENT, ""), AT(3, 0, "resolved warning"), AT(4, 9, "firing warning"),
    };
    (void)state;
    PLAY(rule, firing);
    PLAY(rule, firing_that_ended);
    PLAY(rule, worse);
    PLAY(rule, repeated);
    PLAY(rule, resolved);
    PLAY(rule, resolved_and_back);
}

static void test_repeat_goes_by_the_wall_clock(void **state)
{
    const struct ov_rule rule = {OVER, .warning = "3", .repeat = "60s"};
    static const struct row rows[] = {
        THEN(0, 9, "firing warning", RESTART), THEN(30, 9, "", RESTART), AT(59, 9, ""),
        THEN(60, 9, "repeat warning", RESTART), AT(61, 9, ""), AT(120, 9, "repeat warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* What is muted stays muted until its muting is measured again. */
static void test_muted_over_a_restart(void **state)
{
    const struct ov_rule rule = {OVER, .warning = "3", .unless = "health.runner=lost"};
    static const struct row rows[] = {
        WITH(0, 0, "", "lost"), THEN(1, 9, "", RESTART), THEN(2, 9, "", RESTART), AT(3, 9, ""),
        WITH(4, 9, "firing warning", "active"), THEN(5, 9, "", RESTART), AT(6, 9, ""),
        AT(7, 0, "resolved warning"), WITH(8, 0, "", "lost"), WITH(9, 0, "", "active"),
        THEN(10, 0, "", RESTART), AT(11, 9, "firing warning"),
    };
    (void)state;
    PLAY(rule, rows);
}

/* Growth that a restart interrupts is seen once, and a restart makes none. */
static void test_increase_over_a_restart(void **state)
{
    const struct ov_rule rule = {.name = "lost", .value = "increase(group.lost, 60s)",
                                 .critical = "0"};
    static const struct row firing[] = {
        AT(0, 1000, ""), THEN(10, 1001, "firing critical", RESTART), THEN(11, 1001, "", RESTART),
        AT(20, 1001, ""), THEN(69, 1001, "", STOP), AT(70, 1001, ""),
        THEN(81, 1001, "resolved critical", RESTART), THEN(82, 1001, "", STOP), AT(83, 1001, ""),
        AT(90, 1002, "firing critical"),
    };
    static const struct row from_zero[] = {
        AT(0, 0, ""), THEN(1, 0, "", STOP), THEN(5, 0, "", STOP), AT(3600, 5, "firing critical"),
        THEN(3610, 5, "", RESTART), AT(3640, 5, ""), AT(3700, 5, "resolved critical"),
    };
    static const struct row from_other[] = {
        AT(0, 7, ""), THEN(1, 7, "", STOP), AT(2, 7, ""), THEN(3, 7, "", STOP),
        AT(10, 9, "firing critical"),
    };
    static const struct row began_anew[] = {
        AT(0, 7, ""), THEN(1, 7, "", STOP), AT(2, 2, ""), THEN(3, 2, "", STOP), AT(4, 2, ""),
        AT(5, 3, "firing critical"),
    };
    static const struct row first_sight[] = {THEN(0, GONE, "", STOP), AT(1, 9, ""), AT(2, 9, "")};
    (void)state;
    PLAY(rule, firing);
    PLAY(rule, from_zero);
    PLAY(rule, from_other);
    PLAY(rule, began_anew);
    PLAY(rule, first_sight);
}

/* Killed at every possible place of a life: one firing and one resolved come through, and what
 * was interrupted comes as the same sample. */
static void test_killed_anywhere(void **state)
{
    enum { ROWS = 8 };
    static const int64_t values[ROWS] = {9, 9, 9, 9, 0, 0, 0, 0};
    const struct ov_rule text = {OVER, .warning = "3", .hold = "1s"};
    (void)state;
    for (int kill = 0; kill < ROWS; kill++)
        for (int how = RESTART; how <= INTERRUPT; how++) {
            struct player p = {.rule = rig_rule(&text), .clock_base_ms = 1000000};
            int firing = 0, resolved = 0;
            struct ov_slice lost = {0};
            int64_t lost_ns = 0;
            player_start(&p);
            for (int i = 0; i < ROWS + 2; i++) {
                struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0);
                struct ov_batch *out = ov_batch_new(&rig_no_tags, 0);
                const struct row row = AT(i, values[i < ROWS ? i : ROWS - 1], "");
                rig_fill(batch, &row);
                bool changed = ov_alerts_feed(p.alerts, "bus", batch,
                                              p.clock_base_ms + i * 1000, rig_wall(i), out);
                bool interrupted = i == kill && how == INTERRUPT;
                if (changed)
                    player_save(&p);
                const struct ov_sample *s = changed ? ov_batch_first(out) : NULL;
                for (; s; s = s->next) {
                    bool fires = ov_slice_eq(alert_text(s, OV_ALERT_STATE), OV_SLICE("firing"));
                    if (interrupted) {
                        lost = fires ? OV_SLICE("firing") : OV_SLICE("resolved");
                        lost_ns = s->time_ns;
                        continue;
                    }
                    if (ov_slice_eq(lost, alert_text(s, OV_ALERT_STATE)) && s->time_ns != lost_ns)
                        fail_msg("interrupted at %d: told of another time", kill);
                    firing += fires;
                    resolved += !fires;
                }
                if (changed && !interrupted) {
                    ov_alerts_told(p.alerts, out);
                    player_save(&p);
                }
                if (i == kill)
                    player_restart(&p);
                ov_batch_free(batch);
                ov_batch_free(out);
            }
            if (firing != 1 || resolved != 1 || ov_alerts_firing(p.alerts))
                fail_msg("%s at %d: %d firing, %d resolved",
                         how == RESTART ? "killed" : "interrupted", kill, firing, resolved);
            player_end(&p);
        }
}

/* ---------------------------------------------------------------- the saved text */

static struct ov_buf saved_text(const struct ov_rule *text, const char *topic, size_t len)
{
    struct ov_compiled_rule *rule = rig_rule(text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    struct ov_batch *batch = ov_batch_new(&rig_no_tags, 0), *out = ov_batch_new(&rig_no_tags, 0);
    struct ov_sample *s = rig_sample(batch, NULL, "g", "a");
    struct ov_buf saved = {0};
    ov_sample_tag(batch, s, GROUP_TOPIC, (struct ov_slice){topic, len});
    ov_sample_int(s, GROUP_PENDING, 9);
    ov_alerts_feed(alerts, "bus", batch, 1, rig_epoch_ns, out);
    ov_alerts_told(alerts, out);
    ov_alerts_save(alerts, 1, rig_epoch_ns, &saved);
    ov_batch_free(batch);
    ov_batch_free(out);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
    return saved;
}

/* Loads a text for one rule; how many incidents it knew of, and whether all of it was good. */
static size_t load(const struct ov_rule *text, struct ov_slice saved, bool *good)
{
    struct ov_compiled_rule *rule = rig_rule(text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    *good = ov_alerts_load(alerts, saved, 1, rig_epoch_ns);
    size_t firing = ov_alerts_firing(alerts);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
    return firing;
}

/* Names are bytes. */
static void test_any_name_survives(void **state)
{
    static const struct ov_slice names[] = {
        OV_SLICE(""), OV_SLICE("a b\nc"), OV_SLICE("a\0b"), OV_SLICE("\xff\xfe\n\n"),
        OV_SLICE("x"), OV_SLICE(" "), OV_SLICE("A x 1 1 0"), OV_SLICE("\xd0\xb7\xd0\xb0"),
    };
    const struct ov_rule rule = {OVER, .warning = "3", .summary = "{topic} \n {value}"};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(names); i++) {
        struct ov_buf saved = saved_text(&rule, names[i].ptr, names[i].len);
        bool good;
        for (size_t b = 0; b < saved.len; b++)
            assert_true(saved.data[b] == '\n' || (saved.data[b] >= 0x20 && saved.data[b] < 0x7f));
        if (load(&rule, (struct ov_slice){saved.data, saved.len}, &good) != 1 || !good)
            fail_msg("row %zu: %s", i, ov_buf_text(&saved));
        ov_buf_free(&saved);
    }
}

/* Known incidents are kept, what is loaded twice is there once. */
static void test_loaded_twice(void **state)
{
    const struct ov_rule text = {OVER, .warning = "3"};
    struct ov_buf saved = saved_text(&text, "t", 1);
    struct ov_compiled_rule *rule = rig_rule(&text);
    struct ov_alerts *alerts = rig_alerts(&rule, 1);
    const struct ov_slice slice = {saved.data, saved.len};
    (void)state;
    assert_true(ov_alerts_load(alerts, slice, 1, rig_epoch_ns));
    assert_true(ov_alerts_load(alerts, slice, 1, rig_epoch_ns));
    assert_int_equal(ov_alerts_firing(alerts), 1);
    ov_alerts_free(alerts);
    ov_rule_free(rule);
    ov_buf_free(&saved);
}

/* over, bus; topic t, group g, agent a */
#define KEY_START "x040000006f76657203000000627573"
#define KEY_TAGS "05000000746f706963010000007405000000" "67726f75700100000067050000006167656e7401000000"
#define KEY_WORD KEY_START KEY_TAGS "61"
static const char good_key[] = KEY_WORD;

/* Words of a line, one of them wrong. */
static void test_damaged_lines(void **state)
{
    static const char *const good_words[] = {
        "A", good_key, "1", "1", "0", "1700000000000000000", "1700000000000000000", "over-1", "9",
        "x61", "1", "-", "x62"};
    static const struct {
        size_t word;
        const char *text;
    } rows[] = {
        {0, "B"}, {0, "AA"}, {0, "a"}, {1, "x"}, {1, "04000000"}, {1, "x0"}, {1, "x04000000"},
        {1, "x040000006f7665"}, {1, "xffffffff6f766572"}, {1, "X040000006f766572"},
        {1, "x040000006F766572"}, {1, "xzz"},
        {1, KEY_START KEY_TAGS "6100"}, {1, KEY_START KEY_TAGS}, {1, KEY_START "05000000746f706963"},
        {2, "0"}, {2, "3"}, {2, "-1"}, {2, "x"}, {2, "1x"}, {2, "99999999999999999999"},
        {3, "3"}, {3, "-1"}, {3, "y"}, {4, "4"}, {4, "-1"}, {4, "true"},
        {5, "-1"}, {5, "soon"}, {5, "1.5"}, {5, "99999999999999999999"}, {6, "-5"}, {6, "0x10"},
        {7, "an-id-that-is-much-longer-than-any-that-was-ever-made-by-this-program-itself"},
        {8, ""}, {8, "nine"}, {8, "9x"}, {8, "inf"}, {8, "--"},
        {9, ""}, {9, "x0"}, {9, "00"}, {9, "x 1"}, {9, "xg0"}, {10, "3"}, {10, "-1"},
        {11, ""}, {11, "1,5"}, {12, "x6"}, {12, "62"}, {12, "x62 x62"},
    };
    const struct ov_rule rule = {OVER, .warning = "3"};
    (void)state;
    for (size_t i = 0; i <= OV_COUNT(rows); i++) {
        struct ov_buf line = {0};
        bool whole = i == OV_COUNT(rows), good;
        for (size_t w = 0; w < OV_COUNT(good_words); w++)
            ov_buf_printf(&line, "%s%s", w ? " " : "",
                          !whole && rows[i].word == w ? rows[i].text : good_words[w]);
        size_t firing = load(&rule, (struct ov_slice){line.data, line.len}, &good);
        if (firing != (size_t)whole || good != whole)
            fail_msg("%s: %zu incidents, %s", ov_buf_text(&line), firing, good ? "good" : "bad");
        /* a line of others is taken whatever stands before and after */
        ov_buf_printf(&line, "\nM x6f766572 x x\n\nrubbish\n%s %s 2 2 1 0 0 i 1 x61 2 1.5 x\nA", "A",
                      good_key);
        firing = load(&rule, (struct ov_slice){line.data, line.len}, &good);
        if (firing != 1 || good)
            fail_msg("%s: %zu incidents", ov_buf_text(&line), firing);
        ov_buf_free(&line);
    }
}

static void test_other_texts(void **state)
{
    static const struct {
        struct ov_slice text;
        bool good;
    } rows[] = {
        {{NULL, 0}, true}, {OV_SLICE(""), true}, {OV_SLICE("\n\n"), true},
        {OV_SLICE("\0"), false}, {OV_SLICE("rubbish"), false}, {OV_SLICE("A"), false},
        {OV_SLICE("A "), false}, {OV_SLICE("M"), false}, {OV_SLICE("M x x"), false},
        {OV_SLICE("M y x x"), false}, {OV_SLICE("M x6 x x"), false}, {OV_SLICE("M x61 x61"), false},
        {OV_SLICE("M x x x"), true}, {OV_SLICE("M x6f766572 x x"), true},
        {OV_SLICE("M x x x x"), false}, {OV_SLICE("\xff\xff\xff"), false},
        {OV_SLICE("Z"), false}, {OV_SLICE("Z x"), true}, {OV_SLICE("Z x0102030405060708"), true},
        {OV_SLICE("Z x01020304050607"), false}, {OV_SLICE("Z x0000000000000000"), true},
        {OV_SLICE("H x 1"), false}, {OV_SLICE("H " KEY_WORD), false},
        {OV_SLICE("H " KEY_WORD " 1"), true}, {OV_SLICE("H " KEY_WORD " 1.5 1700000000000:1"), true},
        {OV_SLICE("H " KEY_WORD " nan"), false}, {OV_SLICE("H " KEY_WORD " 1 2"), false},
        {OV_SLICE("H " KEY_WORD " 1 2:"), false}, {OV_SLICE("H " KEY_WORD " 1 :2"), false},
        {OV_SLICE("H " KEY_WORD " 1 -2:2"), false}, {OV_SLICE("H " KEY_WORD " 1 2:inf"), false},
        {OV_SLICE("H " KEY_WORD " 1 3:1 2:1"), false}, {OV_SLICE("H " KEY_WORD " 1 2:1 3:1"), true},
    };
    const struct ov_rule rule = {OVER, .warning = "3"};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        bool good;
        if (load(&rule, rows[i].text, &good) != 0 || good != rows[i].good)
            fail_msg("row %zu", i);
    }
}

/* A file that was cut, anywhere: nothing but whole incidents. */
static void test_cut_anywhere(void **state)
{
    const struct ov_rule rule = {OVER, .warning = "3"};
    struct ov_buf saved = saved_text(&rule, "topic", 5);
    (void)state;
    for (size_t len = 0; len < saved.len; len++) {
        char *exact = ov_memdup(saved.data, len); /* so that reading past it shows */
        bool good;
        size_t firing = load(&rule, (struct ov_slice){exact, len}, &good);
        if (firing > 1 || (firing == 0 && len > 0 && good))
            fail_msg("the first %zu bytes: %zu incidents, %s", len, firing, good ? "good" : "bad");
        free(exact);
    }
    ov_buf_free(&saved);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_restart_between_firing_and_resolved),
        cmocka_unit_test(test_over_while_down),
        cmocka_unit_test(test_killed_while_pending),
        cmocka_unit_test(test_killed_while_telling),
        cmocka_unit_test(test_repeat_goes_by_the_wall_clock),
        cmocka_unit_test(test_muted_over_a_restart),
        cmocka_unit_test(test_increase_over_a_restart),
        cmocka_unit_test(test_killed_anywhere),
        cmocka_unit_test(test_any_name_survives),
        cmocka_unit_test(test_loaded_twice),
        cmocka_unit_test(test_damaged_lines),
        cmocka_unit_test(test_other_texts),
        cmocka_unit_test(test_cut_anywhere),
    };
    return cmocka_run_group_tests_name("alerts_saved", tests, NULL, NULL);
}
