/* SPDX-License-Identifier: Apache-2.0 */
/* Findings: which of them leads, in which order they come, and what a second look does away with. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "diagnosis.h"

#define NOWHERE ((struct ov_slice){NULL, 0})

struct given {
    enum ailment ailment;
    bool critical;
    const char *topic, *agent;
};

static struct ov_slice slice(const char *text)
{
    return text ? ov_slice(text) : NOWHERE;
}

static void add_all(struct diagnosis *d, const struct given *given, size_t count)
{
    for (size_t i = 0; i < count && given[i].ailment != AILMENTS; i++) {
        struct finding *f = diagnosis_add(d, given[i].ailment, given[i].critical,
                                          slice(given[i].topic), slice(given[i].agent));
        ov_buf_printf(&f->what, "%s %s", f->name, given[i].topic ? given[i].topic : "");
    }
}

/* "name*2 > cause" a finding: critical with `!`, its consequences, its cause. */
static void describe(const struct diagnosis *d, struct ov_buf *out)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct finding *f = d->findings[i];
        ov_buf_printf(out, "%s%s%s", i ? " " : "", f->name, f->critical ? "!" : "");
        if (f->topic)
            ov_buf_printf(out, "@%s", f->topic);
        if (f->consequences)
            ov_buf_printf(out, "*%zu", f->consequences);
        if (f->cause)
            ov_buf_printf(out, "<%s", f->cause->name);
    }
}

#define MANY 6
#define END {AILMENTS, false, NULL, NULL}
static const struct {
    const char *what;
    struct given given[MANY];
    const char *settled;
} rows[] = {
    {"nothing", {END}, ""},
    {"the gravest first, then the kind",
     {{AIL_SLOW, false, "t", "a"}, {AIL_CLOCK, true, NULL, NULL}, {AIL_LOST, false, "t", "a"},
      END}, "clock! lost@t slow@t"},
    {"one kind by its text",
     {{AIL_SLOW, false, "b", "a"}, {AIL_SLOW, false, "a", "a"}, END}, "slow@a slow@b"},
    {"a cause for all",
     {{AIL_BACKLOG, false, "t", "a"}, {AIL_RUNNER_LOST, true, NULL, NULL},
      {AIL_SILENT, true, "u", "b"}, END},
     "runner-lost!*2 silent!@u<runner-lost backlog@t<runner-lost"},
    {"a cause of one agent is none of another's",
     {{AIL_NO_GROUP, true, "t", "a"}, {AIL_BACKLOG, false, "t", "a"},
      {AIL_BACKLOG, false, "t", "b"}, {AIL_BACKLOG, false, "u", "a"}, END},
     "no-group!@t*1 backlog@t backlog@u backlog@t<no-group"},
    {"a cause is as grave as what comes of it",
     {{AIL_GIVEN_UP, false, "t", "a"}, {AIL_FAILING, true, "t", "a"}, {AIL_LOST, false, "t", "a"},
      END}, "given-up!@t*1 lost@t failing!@t<given-up"},
    {"the cause of the cause leads",
     {{AIL_BACKLOG, false, "t", "a"}, {AIL_SILENT, true, "t", "a"},
      {AIL_RUNNER_STOPPED, false, NULL, NULL}, {AIL_BUS_DOWN, true, NULL, NULL}, END},
     "bus-down!*3 silent!@t<bus-down runner-stopped<bus-down backlog@t<bus-down"},
    {"what has no cause here stands for itself",
     {{AIL_FAILING, false, "t", "a"}, {AIL_PENDING, false, "t", "a"}, END},
     "failing@t*1 pending@t<failing"},
};

static void test_settle(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct diagnosis d = {0};
        struct ov_buf got = {0};
        add_all(&d, rows[i].given, MANY);
        diagnosis_settle(&d);
        describe(&d, &got);
        if (strcmp(ov_buf_text(&got), rows[i].settled) != 0)
            fail_msg("%s: %s, not %s", rows[i].what, ov_buf_text(&got), rows[i].settled);
        ov_buf_free(&got);
        diagnosis_free(&d);
    }
}

static void test_confirm(void **state)
{
    static const struct given first[] = {
        {AIL_NO_GROUP, true, "t", "a"}, {AIL_SILENT, true, "t", "b"}, {AIL_SLOW, false, "t", "c"},
    };
    static const struct given second[] = {
        {AIL_NO_GROUP, true, "t", "b"}, {AIL_SILENT, true, "t", "b"},
        {AIL_NO_PERSISTENCE, false, NULL, NULL},
    };
    struct diagnosis earlier = {0}, d = {0};
    struct ov_buf got = {0};
    (void)state;
    assert_false(diagnosis_is_fleeting(&d));
    add_all(&d, second + 2, 1);
    assert_false(diagnosis_is_fleeting(&d));
    diagnosis_free(&d);
    add_all(&earlier, first, OV_COUNT(first));
    add_all(&d, second, OV_COUNT(second));
    assert_true(diagnosis_is_fleeting(&d));
    diagnosis_confirm(&d, &earlier);
    describe(&d, &got);
    assert_string_equal(ov_buf_text(&got), "silent!@t no-persistence");
    ov_buf_free(&got);
    diagnosis_free(&d);
    diagnosis_free(&earlier);
}

static void test_checks(void **state)
{
    struct diagnosis d = {0};
    (void)state;
    for (unsigned i = 0; i < CHECKS; i++) {
        assert_non_null(check_name((enum check)i));
        assert_false(d.checks[i].looked);
    }
    diagnosis_looked(&d, CHECK_GROUPS, "%d groups", 3);
    assert_true(d.checks[CHECK_GROUPS].looked);
    diagnosis_blind(&d, CHECK_GROUPS, "%s", "refused");
    assert_false(d.checks[CHECK_GROUPS].looked);
    assert_string_equal(ov_buf_text(&d.checks[CHECK_GROUPS].detail), "refused");
    const struct finding *f = diagnosis_add(&d, AIL_NO_GROUP, true, OV_SLICE("t"), OV_SLICE("a"));
    assert_int_equal(finding_check(f), CHECK_GROUPS);
    assert_int_equal(diagnosis_count(&d, CHECK_GROUPS), 1);
    assert_int_equal(diagnosis_count(&d, CHECK_MEMORY), 0);
    diagnosis_free(&d);
}

/* Each kind has a name of its own. */
static void test_kinds(void **state)
{
    struct diagnosis d = {0};
    (void)state;
    for (unsigned i = 0; i < AILMENTS; i++) {
        const struct finding *f = diagnosis_add(&d, (enum ailment)i, false, NOWHERE, NOWHERE);
        assert_non_null(f->name);
        for (size_t j = 0; j + 1 < d.count; j++)
            assert_string_not_equal(d.findings[j]->name, f->name);
    }
    diagnosis_settle(&d);
    assert_int_equal(d.count, AILMENTS);
    diagnosis_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_settle),
        cmocka_unit_test(test_confirm),
        cmocka_unit_test(test_checks),
        cmocka_unit_test(test_kinds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
