/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of tags: what is put in comes out, which agree, and what is damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "rule_rig.h"
#include "tag_list.h"

static struct ov_buf list_of(const char *text)
{
    struct ov_buf list = {0};
    char *copy = ov_strdup(text), *rest = NULL;
    for (char *tag = strtok_r(copy, " ", &rest); tag; tag = strtok_r(NULL, " ", &rest)) {
        char *value = strchr(tag, '=');
        *value++ = '\0';
        ov_tag_list_add(&list, ov_slice(tag), ov_slice(value));
    }
    free(copy);
    return list;
}

static void test_agree(void **state)
{
    static const struct {
        const char *a, *b;
        bool agree;
    } rows[] = {
        {"", "", true}, {"a=1", "", true}, {"a=1", "a=1", true}, {"a=1", "a=2", false},
        {"a=1", "b=2", true}, {"a=1 b=2", "b=2 a=1", true}, {"a=1 b=2", "b=3", false},
        {"a=1 b=2", "b=2 c=3", true}, {"a=", "a=1", true}, {"a=1", "a=11", false},
        {"site=fra topic=t", "site=fra agent=x topic=t", true},
        {"site=fra topic=t", "site=muc agent=x topic=t", false},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf a = list_of(rows[i].a), b = list_of(rows[i].b);
        struct ov_slice x = {a.data, a.len}, y = {b.data, b.len};
        if (ov_tag_lists_agree(x, y) != rows[i].agree || ov_tag_lists_agree(y, x) != rows[i].agree)
            fail_msg("`%s` and `%s`", rows[i].a, rows[i].b);
        ov_buf_free(&a);
        ov_buf_free(&b);
    }
}

static void test_samples(void **state)
{
    static const struct ov_map no_tags;
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    struct ov_buf list = {0};
    struct ov_slice name, value;
    (void)state;
    struct ov_sample *s = rig_sample(batch, NULL, "g", NULL);
    ov_sample_tag(batch, s, GROUP_AGENT, OV_SLICE("a\0b"));
    ov_tag_list_add_sample(&list, s);
    struct ov_slice rest = {list.data, list.len};
    assert_true(ov_slice_eq(ov_tag_list_find(rest, OV_SLICE("agent")), OV_SLICE("a\0b")));
    assert_true(ov_slice_eq(ov_tag_list_find(rest, OV_SLICE("group")), OV_SLICE("g")));
    assert_int_equal(ov_tag_list_find(rest, OV_SLICE("topic")).len, 0);
    assert_true(ov_tag_list_next(&rest, &name, &value));
    assert_true(ov_slice_eq(name, OV_SLICE("group")) && ov_slice_eq(value, OV_SLICE("g")));
    assert_true(ov_tag_list_next(&rest, &name, &value));
    assert_false(ov_tag_list_next(&rest, &name, &value));
    ov_buf_free(&list);
    ov_batch_free(batch);
}

/* Cut anywhere but between two tags it is not whole, and nothing behind its end is read. */
static void test_damaged(void **state)
{
    struct ov_buf list = list_of("topic=orders agent=mail");
    size_t whole = 0;
    (void)state;
    for (size_t len = 0; len <= list.len; len++) {
        char *exact = ov_memdup(list.data, len);
        struct ov_slice cut = {exact, len};
        whole += ov_tag_list_is_whole(cut);
        assert_true(ov_tag_list_find(cut, OV_SLICE("agent")).len == (len == list.len ? 4u : 0u));
        free(exact);
    }
    assert_int_equal(whole, 3);
    memset(list.data, 0xff, 4);
    assert_false(ov_tag_list_is_whole((struct ov_slice){list.data, list.len}));
    ov_buf_free(&list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_agree),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_damaged),
    };
    return cmocka_run_group_tests_name("tag_list", tests, NULL, NULL);
}
