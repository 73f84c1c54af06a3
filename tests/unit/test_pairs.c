/* SPDX-License-Identifier: Apache-2.0 */
/* Tables of pairs: names that are any bytes, addresses that stay, sweeping. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "pairs.h"

struct thing {
    struct pair name;
    int64_t value;
};

static const struct {
    struct ov_slice a, b;
} names[] = {
    {{"", 0}, {"", 0}},
    {{NULL, 0}, {"a", 1}},
    {{"a", 1}, {NULL, 0}},
    {{"a", 1}, {"bc", 2}},
    {{"ab", 2}, {"c", 1}},
    {{"abc", 3}, {"", 0}},
    {{"", 0}, {"abc", 3}},
    {{"\0", 1}, {"", 0}},
    {{"", 0}, {"\0", 1}},
    {{"\0\0", 2}, {"\0", 1}},
    {{"\0", 1}, {"\0\0", 2}},
    {{"eight888", 8}, {"sixteen_sixteen!", 16}},
    {{"eight888s", 9}, {"ixteen_sixteen!", 15}},
    {{"\xff\xfe newline\n", 11}, {"g:a:b", 5}},
};

static void test_names(void **state)
{
    struct pairs pairs = {0};
    (void)state;
    assert_null(pairs_find(&pairs, OV_SLICE("a"), OV_SLICE("b")));
    for (size_t i = 0; i < OV_COUNT(names); i++) {
        if (pairs_find(&pairs, names[i].a, names[i].b))
            fail_msg("row %zu is there before it was added", i);
        struct thing *thing = pairs_add(&pairs, names[i].a, names[i].b, sizeof *thing);
        assert_int_equal(thing->value, 0);
        assert_int_equal(thing->name.seen, 0);
        thing->value = (int64_t)i;
    }
    assert_int_equal(pairs.count, OV_COUNT(names));
    for (size_t i = 0; i < OV_COUNT(names); i++) {
        struct thing *thing = pairs_find(&pairs, names[i].a, names[i].b);
        if (!thing || thing->value != (int64_t)i)
            fail_msg("row %zu is another", i);
        assert_true(ov_slice_eq(thing->name.a, names[i].a));
        assert_true(ov_slice_eq(thing->name.b, names[i].b));
        assert_ptr_not_equal(thing->name.a.ptr, names[i].a.ptr);
        assert_ptr_equal(thing, pairs_add(&pairs, names[i].a, names[i].b, sizeof *thing));
        assert_ptr_equal(thing, pairs.entries[i]); /* in the order they were added */
    }
    pairs_free(&pairs, NULL);
    assert_int_equal(pairs.count, 0);
}

static size_t dropped;

static void drop(void *entry)
{
    struct thing *thing = entry;
    dropped += thing->value > 0;
}

enum { MANY = 5000 };

static struct thing *many_add(struct pairs *pairs, unsigned i)
{
    char a[16], b[16];
    snprintf(a, sizeof a, "%u", i / 7);
    snprintf(b, sizeof b, "agent%u", i % 7);
    struct thing *thing = pairs_add(pairs, ov_slice(a), ov_slice(b), sizeof *thing);
    if (thing->value == 0)
        thing->value = i + 1;
    return thing;
}

/* Cycles in which other parts of many things are seen, and the rest swept. */
static void test_sweep(void **state)
{
    static struct thing *address[MANY];
    struct pairs pairs = {0};
    (void)state;
    for (unsigned cycle = 1; cycle <= 6; cycle++) {
        size_t before = pairs.count, added = 0, kept = 0;
        dropped = 0;
        for (unsigned i = 0; i < MANY; i++) {
            bool wanted = i % 7 >= cycle - 1; /* fewer each time */
            if (!wanted)
                continue;
            struct thing *thing = many_add(&pairs, i);
            added += cycle == 1;
            kept++;
            if (cycle > 1)
                assert_ptr_equal(thing, address[i]);
            address[i] = thing;
            thing->name.seen = cycle;
        }
        assert_int_equal(pairs.count, before + added);
        pairs_sweep(&pairs, cycle, drop);
        assert_int_equal(pairs.count, kept);
        assert_int_equal(dropped, before + added - kept);
        for (unsigned i = 0; i < MANY; i++)
            if (i % 7 >= cycle - 1 && many_add(&pairs, i)->value != i + 1)
                fail_msg("cycle %u: %u is another", cycle, i);
        assert_int_equal(pairs.count, kept);
    }
    pairs_sweep(&pairs, 99, drop);
    assert_int_equal(pairs.count, 0);
    assert_null(pairs_find(&pairs, OV_SLICE("1"), OV_SLICE("agent6")));
    many_add(&pairs, 1);
    dropped = 0;
    pairs_free(&pairs, drop);
    assert_int_equal(dropped, 1);
}

static void test_sweep_of_nothing(void **state)
{
    struct pairs pairs = {0};
    (void)state;
    pairs_sweep(&pairs, 1, drop);
    pairs_free(&pairs, drop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sweep),
        cmocka_unit_test(test_sweep_of_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
