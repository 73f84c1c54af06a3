/* SPDX-License-Identifier: Apache-2.0 */
/* Batches: what is put in comes out, whatever the sizes, and belongs to the batch. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"

static const char *const tags[] = {"topic", "agent"};
static const struct ov_field fields[] = {
    {"count", OV_INT, OV_COUNTER, "", ""},
    {"age_seconds", OV_FLOAT, OV_GAUGE, "seconds", ""},
    {"up", OV_BOOL, OV_GAUGE, "", ""},
    {"word", OV_TEXT, OV_GAUGE, "", ""},
};
static const struct ov_measurement measurement = {
    "m", "", tags, fields, OV_COUNT(tags), OV_COUNT(fields),
};
static struct ov_field many_fields[OV_MAX_FIELDS];
static const struct ov_measurement wide = {"w", "", NULL, many_fields, 0, OV_MAX_FIELDS};
static const struct ov_measurement empty = {"e", "", NULL, NULL, 0, 0};

static void test_sample(void **state)
{
    char word[] = "word";
    struct ov_batch *batch = ov_batch_new(NULL, 123);
    (void)state;
    assert_null(ov_batch_first(batch));
    assert_int_equal(ov_batch_count(batch), 0);
    struct ov_sample *s = ov_batch_add(batch, &measurement);
    assert_int_equal(s->present, 0);
    assert_int_equal(s->time_ns, 123);
    assert_int_equal(s->tags[0].len, 0);
    assert_int_equal(s->tags[1].len, 0);
    ov_sample_tag(batch, s, 1, ov_slice(word));
    ov_sample_int(s, 0, INT64_MIN);
    ov_sample_float(s, 1, 0.5);
    ov_sample_bool(s, 2, true);
    ov_sample_text(batch, s, 3, ov_slice(word));
    word[0] = 'x'; /* it was copied */
    assert_int_equal(s->present, 15);
    assert_true(ov_slice_eq(s->tags[1], OV_SLICE("word")));
    assert_true(s->values[0].integer == INT64_MIN);
    assert_true(s->values[1].number == 0.5);
    assert_true(s->values[2].boolean);
    assert_true(ov_slice_eq(*s->values[3].text, OV_SLICE("word")));
    ov_sample_text(batch, s, 3, OV_SLICE(""));
    assert_int_equal(s->values[3].text->len, 0);
    assert_int_equal(s->present, 15);
    ov_batch_free(batch);
    ov_batch_free(NULL);
}

static void test_no_number(void **state)
{
    const double rows[] = {(double)NAN, -(double)NAN, (double)INFINITY, -(double)INFINITY};
    struct ov_batch *batch = ov_batch_new(NULL, 0);
    (void)state;
    struct ov_sample *s = ov_batch_add(batch, &measurement);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        ov_sample_float(s, 1, rows[i]);
        assert_int_equal(s->present, 0);
    }
    ov_batch_free(batch);
}

static void test_tags(void **state)
{
    struct ov_tag items[] = {{"site", OV_SLICE("fra")}, {"empty", OV_SLICE("")}};
    struct ov_map map = {items, OV_COUNT(items)}, none = {NULL, 0};
    size_t count = 99;
    (void)state;
    struct ov_batch *batch = ov_batch_new(&map, 0);
    assert_ptr_equal(ov_batch_tags(batch, &count), items);
    assert_int_equal(count, 2);
    ov_batch_free(batch);
    const struct ov_map *const without[] = {NULL, &none};
    for (size_t i = 0; i < OV_COUNT(without); i++) {
        batch = ov_batch_new(without[i], 0);
        ov_batch_tags(batch, &count);
        assert_int_equal(count, 0);
        ov_batch_free(batch);
    }
}

/* The value of byte `k` of the text of sample `i`. */
static char letter(size_t i, size_t k)
{
    return (char)('a' + (i * 31 + k) % 26);
}

/* Samples of all kinds and texts of all sizes, among them ones that fill blocks to the byte. */
static void test_sizes(void **state)
{
    enum { SAMPLES = 600 };
    struct ov_batch *batch = ov_batch_new(NULL, 7);
    size_t n = 0;
    (void)state;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t len = i % 50 == 49 ? 16380 + i % 17 : i % 100 == 13 ? 70000 + i : i * 7 % 900;
        char *text = malloc(len + 1);
        for (size_t k = 0; k < len; k++)
            text[k] = letter(i, k);
        struct ov_sample *s = ov_batch_add(batch, &measurement);
        assert_int_equal((uintptr_t)s % _Alignof(struct ov_sample), 0);
        ov_sample_text(batch, s, 3, (struct ov_slice){text, len});
        ov_sample_tag(batch, s, 0, (struct ov_slice){text, len % 5});
        ov_sample_int(s, 0, (int64_t)i);
        s = ov_batch_add(batch, &wide);
        for (unsigned f = 0; f < OV_MAX_FIELDS; f++)
            ov_sample_int(s, f, (int64_t)(i + f));
        assert_true(s->present == UINT64_MAX);
        ov_batch_add(batch, &empty);
        free(text);
    }
    assert_int_equal(ov_batch_count(batch), 3 * SAMPLES);
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next, n++) {
        size_t i = n / 3;
        assert_int_equal(s->time_ns, 7);
        if (n % 3 == 1)
            for (unsigned f = 0; f < OV_MAX_FIELDS; f++)
                assert_true(s->values[f].integer == (int64_t)(i + f));
        if (n % 3 != 0)
            continue;
        struct ov_slice text = *s->values[3].text;
        assert_true(s->values[0].integer == (int64_t)i);
        for (size_t k = 0; k < text.len; k++)
            if (text.ptr[k] != letter(i, k))
                fail_msg("sample %zu, byte %zu", i, k);
        assert_int_equal(s->tags[0].len, text.len % 5);
    }
    assert_int_equal(n, 3 * SAMPLES);
    ov_batch_free(batch);
}

/* What could not be read is noted once, and beyond a hundred for all tags. */
static void test_unread(void **state)
{
    struct ov_batch *batch = ov_batch_new(NULL, 0);
    size_t tagged = 0, whole = 0;
    (void)state;
    assert_null(ov_batch_first_unread(batch));
    for (int i = 0; i < 1000; i++) {
        char topic[16];
        snprintf(topic, sizeof topic, "t%d", i / 2);
        const struct ov_slice of[] = {ov_slice(topic), {"", 0}};
        ov_batch_unread(batch, &measurement, 0, of, OV_SLICE("refused"));
        ov_batch_unread(batch, &empty, 0, NULL, OV_SLICE("away"));
    }
    ov_batch_unread(batch, &measurement, 5, NULL, OV_SLICE("other fields"));
    for (const struct ov_unread *u = ov_batch_first_unread(batch); u; u = u->next) {
        tagged += u->tags != NULL;
        whole += !u->tags && u->measurement == &measurement && u->fields == 0;
        assert_true(u->why.len > 0);
    }
    assert_int_equal(whole, 1);
    assert_true(tagged > 90 && tagged <= 100);
    assert_int_equal(ov_batch_count(batch), 0);
    const struct ov_unread *last = ov_batch_first_unread(batch);
    assert_true(last->fields == 5 && ov_slice_eq(last->why, OV_SLICE("other fields")));
    ov_batch_free(batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sample),
        cmocka_unit_test(test_no_number),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_unread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
