/* SPDX-License-Identifier: Apache-2.0 */
/* Stream entry ids: read, written and compared. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "redis.h"

static void test_read(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms, seq;
    } rows[] = {
        {"0-0", 0, 0},
        {"1700000000000-3", UINT64_C(1700000000000), 3},
        {"18446744073709551615-18446744073709551615", UINT64_MAX, UINT64_MAX},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_id id = {7, 7};
        char text[48];
        assert_true(redis_id_parse(ov_slice(rows[i].text), &id));
        assert_true(id.ms == rows[i].ms && id.seq == rows[i].seq);
        assert_true(ov_slice_eq(redis_id_text(id, text), ov_slice(rows[i].text)));
        assert_string_equal(text, rows[i].text);
    }
}

static void test_refused(void **state)
{
    static const char *const rows[] = {
        "", "-", "1", "1-", "-1", "1-2-3", "1--2", "+1-2", "1-+2", " 1-2", "1-2 ", "a-1", "1-a",
        "1.5-2", "$", ">", "18446744073709551616-0", "0-18446744073709551616",
        "99999999999999999999999-1",
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_id id = {7, 7};
        if (redis_id_parse(ov_slice(rows[i]), &id))
            fail_msg("accepted: %s", rows[i]);
        assert_true(id.ms == 7 && id.seq == 7);
    }
    struct redis_id id;
    assert_false(redis_id_parse((struct ov_slice){"1-2\0", 4}, &id));
    assert_false(redis_id_parse((struct ov_slice){0}, &id));
}

static void test_compare(void **state)
{
    static const struct redis_id rising[] = {{0, 0}, {0, UINT64_MAX}, {1, 0}, {1, 1},
                                             {UINT64_MAX, 0}};
    (void)state;
    for (size_t a = 0; a < OV_COUNT(rising); a++)
        for (size_t b = 0; b < OV_COUNT(rising); b++)
            assert_int_equal(redis_id_compare(rising[a], rising[b]), (a > b) - (a < b));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_compare),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
