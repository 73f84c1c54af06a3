/* SPDX-License-Identifier: Apache-2.0 */
/* CSV: one header for all, cells that mean themselves whatever is in them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "batch.h"
#include "csv.h"

enum { COUNT, RATIO, UP, WHY };
static const struct ov_field fields[] = {
    [COUNT] = {"count", OV_INT, OV_COUNTER, "", ""},
    [RATIO] = {"ratio", OV_FLOAT, OV_GAUGE, "", ""},
    [UP] = {"up", OV_BOOL, OV_GAUGE, "", ""}, [WHY] = {"why", OV_TEXT, OV_GAUGE, "", ""},
};
static const char *const tags[] = {"topic"};
static const struct ov_measurement measurement = {"m", "", tags, fields, 1, 4};

#define TIME "2026-11-25T12:00:00.000000001Z,m,"

struct row {
    struct ov_slice topic, why;
    const char *want; /* of the field `why` */
};

static const struct row rows[] = {
    {OV_SLICE(""), OV_SLICE("plain"), TIME "{},why,plain\n"},
    {OV_SLICE("a"), OV_SLICE("plain"), TIME "\"{\"\"topic\"\":\"\"a\"\"}\",why,plain\n"},
    {OV_SLICE("a,\"b"), OV_SLICE("x"),
     TIME "\"{\"\"topic\"\":\"\"a,\\\"\"b\"\"}\",why,x\n"},
    {OV_SLICE("a\nb"), OV_SLICE("x"), TIME "\"{\"\"topic\"\":\"\"a\\nb\"\"}\",why,x\n"},
    {OV_SLICE(""), OV_SLICE(""), TIME "{},why,\"\"\n"},
    {OV_SLICE(""), OV_SLICE("a,b"), TIME "{},why,\"a,b\"\n"},
    {OV_SLICE(""), OV_SLICE("say \"no\""), TIME "{},why,\"say \"\"no\"\"\"\n"},
    {OV_SLICE(""), OV_SLICE("a\r\nb"), TIME "{},why,\"a\r\nb\"\n"},
    {OV_SLICE(""), OV_SLICE(" a"), TIME "{},why,\" a\"\n"},
    {OV_SLICE(""), OV_SLICE("a "), TIME "{},why,\"a \"\n"},
    {OV_SLICE(""), OV_SLICE("a\tb"), TIME "{},why,a\tb\n"},
    {OV_SLICE(""), OV_SLICE("a\0b\x7f"), TIME "{},why,\"a\xe2\x90\x80" "b\xe2\x90\xa1\"\n"},
    {OV_SLICE(""), OV_SLICE("\xff\xc3\xa4\xc3"), TIME "{},why,\xef\xbf\xbd\xc3\xa4\xef\xbf\xbd\n"},
};

static struct ov_sample *sample_make(struct ov_batch *batch, struct ov_slice topic)
{
    struct ov_sample *s = ov_batch_add(batch, &measurement);
    ov_sample_tag(batch, s, 0, topic);
    return s;
}

static void test_cells(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_batch *batch = ov_batch_new(NULL, 1795608000000000001);
        struct ov_sample *s = sample_make(batch, rows[i].topic);
        struct ov_buf out = {0};
        ov_sample_text(batch, s, WHY, rows[i].why);
        if (csv_write(&out, s, NULL, 0) || strcmp(ov_buf_text(&out), rows[i].want) != 0)
            fail_msg("row %zu: %s", i, ov_buf_text(&out));
        ov_buf_free(&out);
        ov_batch_free(batch);
    }
}

static void test_fields(void **state)
{
    (void)state;
    static const struct ov_tag common[] = {{"site", {"fra", 3}}, {"topic", {"other", 5}}};
    struct ov_batch *batch = ov_batch_new(NULL, 1795608000000000001);
    struct ov_sample *s = sample_make(batch, OV_SLICE("a"));
    struct ov_buf out = {0};
    ov_sample_int(s, COUNT, INT64_MIN);
    ov_sample_float(s, RATIO, 0.1);
    ov_sample_bool(s, UP, true);
    assert_null(csv_write(&out, s, common, 2));
#define HEAD TIME "\"{\"\"site\"\":\"\"fra\"\",\"\"topic\"\":\"\"a\"\"}\","
    assert_string_equal(ov_buf_text(&out), HEAD "count,-9223372036854775808\n" HEAD "ratio,0.1\n"
                                           HEAD "up,true\n");
    ov_buf_free(&out);
    ov_batch_free(batch);
}

static void test_nothing_to_say(void **state)
{
    (void)state;
    struct ov_batch *batch = ov_batch_new(NULL, 0);
    struct ov_sample *s = sample_make(batch, OV_SLICE("a"));
    struct ov_buf out = {0};
    assert_string_equal(csv_write(&out, s, NULL, 0), "no field has a value");
    s->values[RATIO].number = (double)NAN;
    s->present = 1 << RATIO;
    assert_non_null(csv_write(&out, s, NULL, 0));
    assert_int_equal(out.len, 0);
    ov_buf_free(&out);
    ov_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells), cmocka_unit_test(test_fields),
        cmocka_unit_test(test_nothing_to_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
