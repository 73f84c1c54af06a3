/* SPDX-License-Identifier: Apache-2.0 */
/* What an output takes: patterns for measurements, fields, tags and their values, own tags, and
 * its own interval. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>

#include "alert.h"
#include "batch.h"
#include "filter.h"

static const struct ov_field fields[] = {
    {"length", OV_INT, OV_GAUGE, "", ""}, {"dlq_length", OV_INT, OV_GAUGE, "", ""},
    {"why", OV_TEXT, OV_GAUGE, "", ""},
};
static const char *const group_tags[] = {"topic", "group"};
static const struct ov_measurement stream = {"om_stream", "", group_tags, fields, 1, 1};
static const struct ov_measurement group = {"om_group", "", group_tags, fields, 2, 3};
static const struct ov_measurement bus = {"om_bus", "", NULL, fields, 0, 1};

#define LIST_MAX 4

struct lists {
    struct ov_slice items[6][LIST_MAX];
};

static struct ov_list list_of(struct ov_slice *items, const char *const *texts)
{
    struct ov_list list = {items, 0};
    while (list.count < LIST_MAX && texts[list.count]) {
        items[list.count] = ov_slice(texts[list.count]);
        list.count++;
    }
    return list;
}

/* A bus, two streams, and two groups, one without a group's name. */
static struct ov_batch *batch_make(const struct ov_map *tags, int64_t time_ns)
{
    struct ov_batch *batch = ov_batch_new(tags, time_ns);
    static const char *const topics[] = {"orders", "test:a"};
    ov_sample_int(ov_batch_add(batch, &bus), 0, 1);
    for (int i = 0; i < 2; i++) {
        struct ov_sample *s = ov_batch_add(batch, &stream);
        ov_sample_tag(batch, s, 0, ov_slice(topics[i]));
        ov_sample_int(s, 0, 10 + i);
        s = ov_batch_add(batch, &group);
        ov_sample_tag(batch, s, 0, ov_slice(topics[i]));
        if (i == 0)
            ov_sample_tag(batch, s, 1, OV_SLICE("g"));
        ov_sample_int(s, 0, 20 + i);
        ov_sample_int(s, 1, 30 + i);
        ov_sample_text(batch, s, 2, OV_SLICE("x"));
    }
    return batch;
}

/* Everything of a batch in a line: measurement{tags}field,field … then the batch's tags. */
static void describe(struct ov_buf *out, const struct ov_batch *batch)
{
    size_t count;
    for (const struct ov_sample *s = batch ? ov_batch_first(batch) : NULL; s; s = s->next) {
        const struct ov_measurement *m = s->measurement;
        ov_buf_printf(out, "%s{", m->name + 3);
        for (unsigned i = 0; i < m->tag_count; i++)
            ov_buf_printf(out, "%s%.*s", i ? "," : "", (int)s->tags[i].len, s->tags[i].ptr);
        ov_buf_char(out, '}');
        for (unsigned i = 0; i < m->field_count; i++)
            if (s->present >> i & 1)
                ov_buf_printf(out, "%c", m->fields[i].name[0]);
        ov_buf_char(out, ' ');
    }
    const struct ov_tag *tags = batch ? ov_batch_tags(batch, &count) : NULL;
    for (size_t i = 0; tags && i < count; i++)
        ov_buf_printf(out, "%s=%.*s ", tags[i].name, (int)tags[i].value.len, tags[i].value.ptr);
}

struct row {
    const char *include[3][LIST_MAX], *exclude[3][LIST_MAX]; /* measurements, fields, tags */
    const char *want; /* NULL: nothing */
};

#define ALL "bus{}l stream{orders}l group{orders,g}ldw stream{test:a}l group{test:a,}ldw "

static const struct row rows[] = {
    {{{0}}, {{0}}, ALL "site=fra "},
    /* measurements */
    {{{"om_*"}}, {{0}}, ALL "site=fra "},
    {{{"om_bus", "om_g*"}}, {{0}}, "bus{}l group{orders,g}ldw group{test:a,}ldw site=fra "},
    {{{0}}, {{"om_[sg]*"}}, "bus{}l site=fra "},
    {{{"om_*"}}, {{"om_*"}}, NULL},
    {{{"OM_*"}}, {{0}}, NULL},
    {{{""}}, {{0}}, NULL},
    {{{0}}, {{""}}, ALL "site=fra "},
    /* fields */
    {{{0}, {"length"}}, {{0}}, "bus{}l stream{orders}l group{orders,g}l stream{test:a}l "
                               "group{test:a,}l site=fra "},
    {{{0}, {"om_group.*"}}, {{0}}, "group{orders,g}ldw group{test:a,}ldw site=fra "},
    {{{0}}, {{0}, {"om_group.*"}}, "bus{}l stream{orders}l stream{test:a}l site=fra "},
    {{{0}}, {{0}, {"dlq_*", "om_group.why"}}, "bus{}l stream{orders}l group{orders,g}l "
                                              "stream{test:a}l group{test:a,}l site=fra "},
    {{{0}, {"dlq_length"}}, {{0}}, "group{orders,g}d group{test:a,}d site=fra "},
    {{{0}, {"nothing"}}, {{0}}, NULL},
    /* tags by name */
    {{{"om_group"}, {"why"}}, {{0}, {0}, {"group"}}, "group{orders,}w group{test:a,}w site=fra "},
    {{{"om_group"}, {"why"}, {"group"}}, {{0}}, "group{,g}w group{,}w "},
    {{{"om_bus"}}, {{0}, {0}, {"s*"}}, "bus{}l "},
    /* samples by the value of a tag; what does not have it stays */
    {{{0}, {0}, {"topic=ord*"}}, {{0}}, "bus{}l stream{orders}l group{orders,g}ldw site=fra "},
    {{{0}, {0}, {"topic=test:?", "topic=orders"}}, {{0}}, ALL "site=fra "},
    {{{0}}, {{0}, {0}, {"topic=test:*"}}, "bus{}l stream{orders}l group{orders,g}ldw site=fra "},
    {{{"om_group"}, {"why"}, {"group=?*"}}, {{0}}, "group{orders,g}w site=fra "},
    {{{"om_group"}, {"why"}}, {{0}, {0}, {"group="}}, "group{orders,g}w site=fra "},
    {{{0}, {0}, {"site=fra"}}, {{0}}, ALL "site=fra "},
    {{{0}, {0}, {"site=ber"}}, {{0}}, NULL},
    /* a tag may choose samples and be left off them */
    {{{"om_group"}, {"why"}, {"topic=o*"}}, {{0}, {0}, {"topic"}}, "group{,g}w site=fra "},
};

static struct ov_tag site[] = {{"site", {"fra", 3}}};
static const struct ov_map sites = {site, 1};

static void patterns_fill(struct ov_filter_patterns *patterns,
                          struct ov_slice (*items)[LIST_MAX],
                          const char *const (*texts)[LIST_MAX])
{
    patterns->measurements = list_of(items[0], texts[0]);
    patterns->fields = list_of(items[1], texts[1]);
    patterns->tags = list_of(items[2], texts[2]);
}

static void test_patterns(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct lists lists;
        struct ov_filter_rules rules = {.interval_ms = 0};
        patterns_fill(&rules.include, lists.items, rows[i].include);
        patterns_fill(&rules.exclude, lists.items + 3, rows[i].exclude);
        struct ov_filter *filter = ov_filter_new(&rules);
        for (int again = 0; again < 2; again++) {
            struct ov_batch *batch = batch_make(&sites, 0), *copy;
            struct ov_buf text = {0};
            describe(&text, ov_filter_take(filter, batch, &copy));
            if (strcmp(ov_buf_text(&text), rows[i].want ? rows[i].want : "") != 0)
                fail_msg("row %zu: %s", i, ov_buf_text(&text));
            ov_buf_free(&text);
            ov_batch_free(copy);
            ov_batch_free(batch);
        }
        ov_filter_free(filter);
    }
}

/* Own tags go before the batch's; left off by name are only the others. */
static void test_own_tags(void **state)
{
    (void)state;
    struct ov_tag own[] = {{"zone", {"z", 1}}, {"site", {"own", 3}}, {"app", {"a", 1}}};
    struct ov_slice star = OV_SLICE("*");
    struct ov_filter_rules rules = {.tags = {own, 3}};
    for (int off = 0; off < 2; off++) {
        struct ov_batch *batch = batch_make(&sites, 0), *copy;
        struct ov_buf text = {0};
        rules.exclude.tags = (struct ov_list){&star, (size_t)off};
        struct ov_filter *filter = ov_filter_new(&rules);
        const struct ov_batch *taken = ov_filter_take(filter, batch, &copy);
        assert_ptr_equal(taken, copy);
        describe(&text, taken);
        assert_string_equal(ov_buf_text(&text), off
            ? "bus{}l stream{}l group{,}ldw stream{}l group{,}ldw app=a site=own zone=z "
            : ALL "app=a site=own zone=z ");
        assert_int_equal(ov_batch_first(taken)->values[0].integer, 1);
        ov_buf_free(&text);
        ov_batch_free(copy);
        ov_batch_free(batch);
        ov_filter_free(filter);
    }
}

static void test_nothing_asked(void **state)
{
    (void)state;
    struct ov_filter_rules rules = {.interval_ms = 0};
    struct ov_filter *filter = ov_filter_new(&rules);
    struct ov_batch *batch = batch_make(NULL, 0), *empty = ov_batch_new(NULL, 0), *copy;
    assert_ptr_equal(ov_filter_take(filter, batch, &copy), batch);
    assert_null(copy);
    assert_ptr_equal(ov_filter_take(filter, empty, &copy), empty);
    ov_batch_free(batch);
    ov_batch_free(empty);
    ov_filter_free(filter);
    ov_filter_free(NULL);
}

struct stamp {
    int64_t ms;
    int input; /* of two */
    bool taken;
};

/* Every 10 s of 30: the first of each input in a part of the clock, however late or early. */
static const struct stamp stamps[] = {
    {1000000000000, 0, true},  {1000000000001, 1, true},  {1000000010000, 0, false},
    {1000000019950, 0, true},  {1000000020003, 0, false}, {1000000020004, 1, true},
    {1000000030000, 0, false}, {1000000030002, 1, false}, {1000000049910, 0, true},
    {1000000120000, 0, true},  {1000000121000, 0, false},
    {1000000000000, 0, true}, /* the clock was set back */
    {1000000001000, 0, false},
};

static void test_interval(void **state)
{
    (void)state;
    struct ov_filter_rules rules = {.interval_ms = 30000};
    struct ov_filter *filter = ov_filter_new(&rules);
    const struct ov_map inputs[] = {sites, sites};
    for (size_t i = 0; i < OV_COUNT(stamps); i++) {
        struct ov_batch *batch = batch_make(&inputs[stamps[i].input], stamps[i].ms * 1000000);
        struct ov_batch *copy;
        if ((ov_filter_take(filter, batch, &copy) == batch) != stamps[i].taken)
            fail_msg("stamp %zu is %staken", i, stamps[i].taken ? "not " : "");
        ov_batch_free(batch);
    }
    for (int i = 0; i < 2; i++) { /* alerts are not passed over */
        struct ov_batch *batch = ov_batch_new(&sites, 0), *copy;
        ov_batch_add(batch, &ov_alert_measurement);
        assert_ptr_equal(ov_filter_take(filter, batch, &copy), batch);
        ov_batch_free(batch);
    }
    ov_filter_free(filter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns), cmocka_unit_test(test_own_tags),
        cmocka_unit_test(test_nothing_asked), cmocka_unit_test(test_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
