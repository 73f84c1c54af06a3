/* SPDX-License-Identifier: Apache-2.0 */
/* The view `top`: rates, tables, keys, pages, and what it draws, on paper. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "bus.h"
#include "human.h"
#include "runner.h"
#include "text_width.h"
#include "top_draw.h"
#include "top_fit.h"
#include "top_rates.h"
#include "utf8.h"

static const int64_t SECOND = 1000000000;

/* ---------------------------------------------------------------- rates */

static void test_rates(void **unused)
{
    static const struct {
        int64_t value, at_ms;
        double rate; /* negative: none */
    } rows[] = {
        {100, 1000, -1},  {100, 3000, 0},   {110, 5000, 5},    {110, 5000, -1}, /* no time */
        {120, 9000, 2.5}, {-1, 10000, -1},  {130, 14000, 2},   /* over the one that was missing */
        {7, 16000, -1},   {9, 18000, 1},    /* counted anew */
        {9, 17000, -1},   /* time does not go back, but nothing breaks */
        {INT64_MAX, 20000, (double)(INT64_MAX - 9) / 3},
    };
    struct top_rates rates = {.cycle = 0};
    (void)unused;
    top_rates_begin(&rates);
    struct top_track *track = top_track(&rates, OV_SLICE("t"), OV_SLICE("a"));
    assert_true(isnan(top_track_last(track, TOP_PROCESSED)));
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        double rate = top_track_rate(track, TOP_PROCESSED, rows[i].value,
                                     rows[i].at_ms * 1000000);
        if (rows[i].rate < 0 ? !isnan(rate) : fabs(rate - rows[i].rate) > 1e-6 * rows[i].rate)
            fail_msg("row %zu: %g instead of %g", i, rate, rows[i].rate);
        if (rows[i].value >= 0)
            assert_true(isnan(rate) ? isnan(top_track_last(track, TOP_PROCESSED))
                                    : rate == top_track_last(track, TOP_PROCESSED));
    }
    assert_true(isnan(top_track_last(track, TOP_FAILED)));
    top_rates_free(&rates);
}

static void test_rates_forget(void **unused)
{
    struct top_rates rates = {.cycle = 0};
    (void)unused;
    top_rates_begin(&rates);
    for (int i = 0; i < 1000; i++) {
        struct ov_buf name = {0};
        ov_buf_int(&name, i);
        top_track(&rates, OV_SLICE("t"), (struct ov_slice){name.data, name.len});
        ov_buf_free(&name);
    }
    assert_true(top_rates_fires(&rates, OV_SLICE("dlq"), OV_SLICE("a"), 5 * SECOND) == 0);
    top_rates_end(&rates);
    assert_int_equal(rates.tracks.count, 1000);
    top_rates_begin(&rates);
    top_track(&rates, OV_SLICE("t"), OV_SLICE("7"));
    assert_true(top_rates_fires(&rates, OV_SLICE("dlq"), OV_SLICE("a"), 8 * SECOND) == 3);
    assert_true(top_rates_fires(&rates, OV_SLICE("dlq"), OV_SLICE("b"), 8 * SECOND) == 0);
    top_rates_end(&rates);
    assert_int_equal(rates.tracks.count, 1);
    top_rates_begin(&rates);
    top_rates_end(&rates);
    assert_int_equal(rates.alerts.count, 0);
    top_rates_free(&rates);
}

static void test_lines(void **unused)
{
    static const struct {
        double values[12];
        unsigned count, width;
        const char *ascii, *utf8;
    } rows[] = {
        {{0}, 0, 4, "    ", "    "},
        {{0, 0, 0}, 3, 4, " ___", " \u2581\u2581\u2581"},
        {{0, 50, 100}, 3, 3, "_=#", "\u2581\u2585\u2588"},
        {{100, 0.001, 100}, 3, 3, "#.#", "\u2588\u2582\u2588"}, /* little is not nothing */
        {{1, 2, 3, 4}, 4, 2, "*#", "\u2587\u2588"},           /* the last of them */
        {{(double)NAN, 5, (double)NAN}, 3, 3, " # ", " \u2588 "},
    };
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct top_track track = {.name = {.seen = 0}};
        for (unsigned v = 0; v < rows[i].count; v++)
            top_track_add(&track, TOP_TREND_DEAD, rows[i].values[v]);
        for (int utf8 = 0; utf8 < 2; utf8++) {
            struct ov_buf out = {0};
            const char *want = utf8 ? rows[i].utf8 : rows[i].ascii;
            top_draw_line(&out, &track.lines[TOP_TREND_DEAD], rows[i].width, utf8);
            if (strcmp(ov_buf_text(&out), want) != 0)
                fail_msg("row %zu: `%s` instead of `%s`", i, ov_buf_text(&out), want);
            ov_buf_free(&out);
        }
    }
    struct top_track full = {.name = {.seen = 0}};
    for (int i = 0; i < 3 * TOP_TREND_MAX; i++)
        top_track_add(&full, TOP_TREND_WAITING, i);
    assert_int_equal(full.lines[TOP_TREND_WAITING].count, TOP_TREND_MAX);
    assert_true(full.lines[TOP_TREND_WAITING].values[0] == 2 * TOP_TREND_MAX);
}

/* ---------------------------------------------------------------- numbers */

static void test_numbers(void **unused)
{
    static const struct {
        enum top_type type;
        double number;
        unsigned width;
        const char *text;
    } rows[] = {
        {TOP_TYPE_COUNT, (double)NAN, 5, ""},     {TOP_TYPE_COUNT, 0, 4, "0"},
        {TOP_TYPE_COUNT, 9999, 4, "9999"},        {TOP_TYPE_COUNT, 12345, 4, "12k"},
        {TOP_TYPE_COUNT, 999999, 4, "999k"},      {TOP_TYPE_COUNT, 1234567, 4, "1M"},
        {TOP_TYPE_COUNT, 4e12, 4, "4T"},          {TOP_TYPE_COUNT, 9.2e18, 4, "9E"},
        {TOP_TYPE_LEAST, -1000, 5, "1000+"},      {TOP_TYPE_LEAST, -10000, 5, "10k+"},
        {TOP_TYPE_LEAST, 10000, 5, "10000"},      {TOP_TYPE_RATE, 0, 6, "0"},
        {TOP_TYPE_RATE, 0.001, 6, ">0"},          {TOP_TYPE_RATE, 0.25, 6, "0.25"},
        {TOP_TYPE_RATE, 12.34, 6, "12.3"},        {TOP_TYPE_RATE, 1234.5, 6, "1235"},
        {TOP_TYPE_RATE, 1e7, 6, "10000k"},        {TOP_TYPE_SECONDS, 0.6664, 6, "666ms"},
        {TOP_TYPE_SECONDS, 0.9999, 6, "1s"},      {TOP_TYPE_SECONDS, 0.00123, 6, "1.2ms"},
        {TOP_TYPE_SECONDS, 0.0008224, 6, "822us"}, {TOP_TYPE_SECONDS, 7325, 6, "2h02m"},
        {TOP_TYPE_SECONDS, 0, 6, "0s"},           {TOP_TYPE_RATIO, 0.975, 7, "97.5 %"},
        {TOP_TYPE_RATIO, 1, 7, "100.0 %"},
    };
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf out = {0};
        top_number(&out, rows[i].type, rows[i].number, rows[i].width);
        if (strcmp(ov_buf_text(&out), rows[i].text) != 0 || out.len > rows[i].width)
            fail_msg("row %zu: `%s` instead of `%s`", i, ov_buf_text(&out), rows[i].text);
        ov_buf_free(&out);
    }
}

/* ---------------------------------------------------------------- looks */

static const struct ov_measurement *measurement(const char *name)
{
    for (size_t i = 0; bus_measurements[i]; i++)
        if (strcmp(bus_measurements[i]->name, name) == 0)
            return bus_measurements[i];
    for (size_t i = 0; runner_measurements[i]; i++)
        if (strcmp(runner_measurements[i]->name, name) == 0)
            return runner_measurements[i];
    fail_msg("no measurement %s", name);
    return NULL;
}

static struct ov_sample *add(struct ov_batch *batch, const char *name, const char *topic,
                             struct ov_slice agent)
{
    struct ov_sample *s = ov_batch_add(batch, measurement(name));
    struct ov_buf group = {0};
    ov_buf_printf(&group, "group:%s:", topic ? topic : "");
    ov_buf_slice(&group, agent);
    for (unsigned i = 0; i < s->measurement->tag_count; i++) {
        const char *tag = s->measurement->tags[i];
        struct ov_slice value = strcmp(tag, "topic") == 0 ? ov_slice(topic)
                                : strcmp(tag, "agent") == 0 ? agent
                                                            : (struct ov_slice){group.data,
                                                                                group.len};
        ov_sample_tag(batch, s, i, value);
    }
    ov_buf_free(&group);
    return s;
}

static unsigned field(const struct ov_sample *s, const char *name)
{
    for (unsigned i = 0; i < s->measurement->field_count; i++)
        if (strcmp(s->measurement->fields[i].name, name) == 0)
            return i;
    fail_msg("%s has no field %s", s->measurement->name, name);
    return 0;
}

#define SET_INT(s, name, value) ov_sample_int((s), field((s), (name)), (value))
#define SET_BOOL(s, name, value) ov_sample_bool((s), field((s), (name)), (value))
#define SET_TEXT(batch, s, name, value)                                                            \
    ov_sample_text((batch), (s), field((s), (name)), ov_slice(value))

/* Agents as they are seen in one look. */
struct agent {
    const char *topic;
    struct ov_slice name;
    int64_t processed, waiting, dead;
};

struct deployment {
    const struct agent *agents;
    size_t count;
    int64_t at_s;
    bool down;
    const char *fires; /* a rule, for the first agent's group */
};

static struct top_look *look_at(const struct deployment *d, struct top_rates *rates)
{
    struct ov_map none = {0};
    struct ov_batch *agents = ov_batch_new(&none, 0), *bus = ov_batch_new(&none, 0);
    const struct ov_sample *first = NULL;
    struct ov_sample *s = add(agents, "omnidaemon_health", NULL, OV_SLICE(""));
    SET_TEXT(agents, s, "status", d->down ? "DOWN" : "RUNNING");
    SET_TEXT(agents, s, "reason", "a runner is active");
    SET_INT(s, "status_code", d->down ? 3 : 0);
    s = add(bus, "omnidaemon_bus", NULL, OV_SLICE(""));
    SET_BOOL(s, "up", !d->down);
    SET_TEXT(bus, s, "version", "7.0.15");
    for (size_t i = 0; i < d->count && !d->down; i++) {
        const struct agent *a = &d->agents[i];
        s = add(agents, "omnidaemon_agent", a->topic, a->name);
        SET_BOOL(s, "registered", true);
        SET_INT(s, "processed", a->processed);
        s = add(bus, "omnidaemon_group", a->topic, a->name);
        SET_BOOL(s, "exists", true);
        SET_TEXT(bus, s, "life", "polling");
        SET_INT(s, "dlq_length", a->dead);
        if (a->waiting < 0)
            SET_INT(s, "undelivered_at_least", -a->waiting);
        else
            SET_INT(s, "undelivered", a->waiting);
        first = first ? first : s;
    }
    struct ov_finding finding = {
        .rule = d->fires, .critical = true, .sample = first, .value = 1,
        .summary = "it \033[31mburns", .description = "Put it out.",
    };
    struct top_found found = {
        .agents = agents, .bus = bus, .agents_ns = d->at_s * SECOND, .bus_ns = d->at_s * SECOND,
        .findings = &finding, .finding_count = d->fires && first,
        .why = d->down ? "no answer for 5 s" : NULL,
    };
    struct top_look *look = top_look_new(&found, rates);
    ov_batch_free(agents);
    ov_batch_free(bus);
    return look;
}

static const struct agent shop[] = {
    {"orders", OV_SLICE("billing"), 100, 5, 0},
    {"orders", OV_SLICE("Fraud*"), 90, -1000, 7},
    {"mail", OV_SLICE("sorter"), 10, 0, 2},
    {"mail", OV_SLICE("\033]0;owned\007\xff\xe6\x97\xa5\xe6\x9c\xac"), 0, 12, 0},
};
static const struct deployment first_look = {shop, OV_COUNT(shop), 10, false, "dlq"};

/* The names of a list's rows in their order, shortened to their first letters. */
static void names_of(const struct top_list *list, const struct top_look *look, struct ov_buf *out)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct top_row *row = &look->tables[list->table].rows[list->order[i]];
        struct ov_slice name = top_text(look, row->agent);
        ov_buf_char(out, name.ptr[0] == '\033' ? '!' : name.ptr[0]);
    }
}

static void test_lists(void **unused)
{
    enum { TOPIC = 0, NAME = 1, WAITING = 6 };
    static const struct {
        enum top_table table;
        unsigned sort;
        bool reversed;
        const char *filter, *names;
    } rows[] = {
        {TOP_TABLE_AGENTS, TOPIC, false, "", "!sFb"},
        {TOP_TABLE_AGENTS, TOPIC, true, "", "Fb!s"}, /* within a topic by name all the same */
        {TOP_TABLE_AGENTS, NAME, false, "", "!Fbs"},
        {TOP_TABLE_AGENTS, WAITING, false, "", "F!bs"},
        {TOP_TABLE_AGENTS, WAITING, true, "", "sb!F"},
        {TOP_TABLE_AGENTS, TOPIC, false, "ORD", "Fb"},
        {TOP_TABLE_AGENTS, TOPIC, false, "fraud", "F"},
        {TOP_TABLE_AGENTS, TOPIC, false, "*o*er*", "sFb"},
        {TOP_TABLE_AGENTS, TOPIC, false, "nothing", ""},
        {TOP_TABLE_AGENTS, TOPIC, false, "\xe6\x97\xa5", "!"},
        {TOP_TABLE_GROUPS, 3, false, "", "F!bs"},
        {TOP_TABLE_DLQS, 2, false, "", "Fs"},
        {TOP_TABLE_ALERTS, 0, false, "BURN", "b"},
        {TOP_TABLE_ALERTS, 0, false, "billing", ""}, /* no column says so */
    };
    struct top_rates rates = {.cycle = 0};
    struct top_look *look = look_at(&first_look, &rates);
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct top_list list;
        struct ov_buf names = {0};
        top_list_init(&list, rows[i].table);
        list.sort = rows[i].sort;
        list.reversed = rows[i].reversed;
        top_list_fill(&list, look, ov_slice(rows[i].filter));
        names_of(&list, look, &names);
        if (strcmp(ov_buf_text(&names), rows[i].names) != 0)
            fail_msg("row %zu: %s instead of %s", i, ov_buf_text(&names), rows[i].names);
        ov_buf_free(&names);
        top_list_free(&list);
    }
    top_look_free(look);
    top_rates_free(&rates);
}

/* What is selected stays so when others come and go, and the order changes. */
static void test_the_selected_row_stays(void **unused)
{
    static const struct agent later[] = {
        {"a", OV_SLICE("new"), 0, 0, 0}, {"orders", OV_SLICE("billing"), 300, 0, 0},
        {"orders", OV_SLICE("Fraud*"), 90, 3, 7},
    };
    const struct deployment second_look = {later, OV_COUNT(later), 20, false, NULL};
    struct top_rates rates = {.cycle = 0};
    struct top_look *before = look_at(&first_look, &rates);
    struct top_look *after = look_at(&second_look, &rates);
    struct top_list list;
    (void)unused;
    top_list_init(&list, TOP_TABLE_AGENTS);
    assert_null(top_list_row(&list, NULL));
    top_list_move(&list, NULL, 1);
    top_list_fill(&list, before, OV_SLICE(""));
    top_list_move(&list, before, 3);
    assert_int_equal(list.selected, 3); /* billing */
    top_list_fill(&list, after, OV_SLICE(""));
    assert_int_equal(list.selected, 2);
    top_list_move(&list, after, -100);
    assert_int_equal(list.selected, 0);
    top_list_move(&list, after, 100);
    assert_int_equal(list.selected, 2);
    const struct top_row *row = top_list_row(&list, after);
    assert_true(ov_slice_eq(top_text(after, row->agent), OV_SLICE("billing")));
    assert_true(row->cells[3].number == 20); /* 200 more in 10 s */
    top_list_fill(&list, after, OV_SLICE("new")); /* gone: another is selected */
    assert_int_equal(list.selected, 0);
    top_list_fill(&list, after, OV_SLICE("none at all"));
    assert_null(top_list_row(&list, after));
    top_list_move(&list, after, 1);
    top_list_free(&list);
    top_look_free(before);
    top_look_free(after);
    top_rates_free(&rates);
}

static void test_marks(void **unused)
{
    static const struct {
        const char *rule;
        enum top_table table;
        unsigned column;
    } rows[] = {
        {"dlq", TOP_TABLE_AGENTS, 8},     {"silent", TOP_TABLE_AGENTS, 2},
        {"backlog", TOP_TABLE_GROUPS, 5}, {"poison", TOP_TABLE_GROUPS, 8},
        {"of the user", TOP_TABLE_AGENTS, 1},
    };
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct deployment d = first_look;
        struct top_rates rates = {.cycle = 0};
        d.fires = rows[i].rule;
        struct top_look *look = look_at(&d, &rates);
        for (size_t r = 0; r < look->tables[rows[i].table].count; r++) {
            const struct top_row *row = &look->tables[rows[i].table].rows[r];
            bool its = ov_slice_eq(top_text(look, row->agent), OV_SLICE("billing"));
            if ((row->marks[rows[i].column] == OV_MARK_BAD) != its ||
                (row->marks[1] == OV_MARK_BAD) != its)
                fail_msg("row %zu, agent %zu", i, r);
        }
        assert_int_equal(look->head.critical, 1);
        top_look_free(look);
        top_rates_free(&rates);
    }
}

/* ---------------------------------------------------------------- keys */

static void test_every_key_does_one_thing(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < top_key_count; i++) {
        assert_int_equal(top_keys[i].action, i + 1);
        assert_int_equal(strlen(top_keys[i].names), 14);
        for (int k = 0; k < 2; k++)
            if (top_action_of(top_keys[i].keys[k]) != top_keys[i].action)
                fail_msg("%s does something else, too", top_keys[i].names);
    }
    assert_int_equal(top_action_of('x'), TOP_NOTHING);
    assert_int_equal(top_action_of(TOP_KEY_NONE), TOP_NOTHING);
}

static void press(struct top_view *view, const char *keys)
{
    for (; *keys; keys++)
        top_view_key(view, *keys == '^' ? TOP_KEY_ESCAPE : *keys == '~' ? TOP_KEY_BACKSPACE
                           : *keys);
}

/* Keys, and what the view is like then: table, filter, selected row of how many, and letters:
 * f filtering, h helping, p paused, o page open, q quitting, r reversed, s sorted otherwise. */
static void test_keys(void **unused)
{
    static const struct {
        const char *keys, *state;
    } rows[] = {
        {"", "0//0/4 "},           {"j", "0//1/4 "},
        {"jjjjjj", "0//3/4 "},     {"Gk", "0//2/4 "},
        {"Gg", "0//0/4 "},         {"3", "2//0/2 "},
        {"\t", "1//0/4 "},         {"\t\t\t\t", "0//0/4 "},
        {"/ord", "0/ord/0/2 f"},     {"/ord\r", "0/ord/0/2 "},
        {"/ord\rq", "0/ord/0/2 q"},  {"/q", "0/q/0/0 f"},
        {"/ordx~", "0/ord/0/2 f"},   {"/or^", "0//0/4 "},
        {"/or\r^", "0//0/4 "},     {"/ord\r2", "1/ord/0/2 "},
        {"?", "0//0/4 h"},         {"?j", "0//0/4 "},
        {"?q", "0//0/4 hq"},       {"p", "0//0/4 p"},
        {"p ", "0//0/4 "},         {"s", "0//0/4 s"},
        {"sS", "0//0/4 "},         {"S", "0//0/4 s"},
        {"r", "0//0/4 r"},         {"sr", "0//0/4 rs"},
        {"\r", "0//0/4 o"},        {"\r^", "0//0/4 "},
        {"\rs/r", "0//0/4 o"},     {"\r2", "1//0/4 "},
        {"\rq", "0//0/4 oq"},      {"/none\r\r", "0/none/0/0 "},
        {"4\r", "3//0/1 o"},
    };
    struct top_rates rates = {.cycle = 0};
    struct top_look *look = look_at(&first_look, &rates);
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct top_view view;
        struct ov_buf state = {0};
        top_view_init(&view);
        view.columns = 80;
        view.height = 10;
        top_view_show(&view, look);
        press(&view, rows[i].keys);
        const struct top_list *list = &view.lists[view.table];
        ov_buf_printf(&state, "%d/", (int)view.table);
        ov_buf_add(&state, view.filter.data, view.filter.len);
        ov_buf_printf(&state, "/%zu/%zu %s%s%s%s%s%s%s", list->selected, list->count,
                      view.filtering ? "f" : "", view.helping ? "h" : "", view.paused ? "p" : "",
                      view.page.open ? "o" : "", view.quitting ? "q" : "",
                      list->reversed ? "r" : "",
                      list->sort != top_layouts[view.table].sort ? "s" : "");
        if (strcmp(ov_buf_text(&state), rows[i].state) != 0)
            fail_msg("row %zu: `%s` instead of `%s`", i, ov_buf_text(&state), rows[i].state);
        ov_buf_free(&state);
        top_view_free(&view);
    }
    top_look_free(look);
    top_rates_free(&rates);
}

/* Any character may be typed into the filter, and is taken out as a whole. */
static void test_typing_beyond_ascii(void **unused)
{
    static const struct {
        int key;
        const char *bytes;
    } rows[] = {
        {0xe9, "\xc3\xa9"}, {0x65e5, "\xe6\x97\xa5"}, {0x1f600, "\xf0\x9f\x98\x80"},
        {0xd800, ""}, {1, ""}, {0x7f, ""}, {TOP_KEY_HOME, ""},
    };
    struct top_view view;
    (void)unused;
    top_view_init(&view);
    top_view_key(&view, '/');
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        top_view_key(&view, rows[i].key);
        if (!ov_slice_eq((struct ov_slice){view.filter.data, view.filter.len},
                         ov_slice(rows[i].bytes)))
            fail_msg("row %zu", i);
        top_view_key(&view, TOP_KEY_BACKSPACE);
        assert_int_equal(view.filter.len, 0);
    }
    for (int i = 0; i < 1000; i++)
        top_view_key(&view, 'x');
    assert_in_range(view.filter.len, 100, 300);
    top_view_free(&view);
}

/* ---------------------------------------------------------------- pages */

static void test_what_pages_ask(void **unused)
{
    static const struct {
        enum top_table table;
        const char *filter, *asked;
    } rows[] = {
        {TOP_TABLE_AGENTS, "fraud", "agent get -- orders Fraud*; "
                                    "bus dlq --group --agent=Fraud\\* -- orders; "},
        {TOP_TABLE_DLQS, "sorter", "bus dlq --group --agent=sorter -- mail; "
                                   "agent get -- mail sorter; "},
        {TOP_TABLE_ALERTS, "", "agent get -- orders billing; "
                               "bus dlq --group --agent=billing -- orders; "},
    };
    struct top_rates rates = {.cycle = 0};
    struct top_look *look = look_at(&first_look, &rates);
    struct top_page page = {.open = false};
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct top_list list;
        struct top_ask copy;
        struct ov_buf asked = {0};
        top_list_init(&list, rows[i].table);
        top_list_fill(&list, look, ov_slice(rows[i].filter));
        top_page_open(&page, look, rows[i].table, top_list_row(&list, look), 80);
        top_ask_copy(&copy, &page.ask);
        for (unsigned c = 0; c < TOP_COMMANDS_MAX; c++)
            for (int w = 0; w < copy.counts[c]; w++)
                ov_buf_printf(&asked, "%s%s", copy.words[c][w],
                              w + 1 < copy.counts[c] ? " " : "; ");
        if (strcmp(ov_buf_text(&asked), rows[i].asked) != 0)
            fail_msg("row %zu: %s", i, ov_buf_text(&asked));
        assert_int_equal(page.ask.id, i + 1);
        top_ask_free(&copy);
        ov_buf_free(&asked);
        top_list_free(&list);
    }
    top_page_free(&page);
    top_look_free(look);
    top_rates_free(&rates);
}

static void test_pages_take_their_own(void **unused)
{
    static const char *const lines[] = {"it", "\\x1b[31mbu", "rns", "Put it", "out.", "",
                                        "one", "", "three"};
    struct top_rates rates = {.cycle = 0};
    struct top_look *look = look_at(&first_look, &rates);
    struct top_page page = {.open = false};
    struct ov_buf text = {0};
    struct ov_slice line;
    (void)unused;
    top_page_open(&page, look, TOP_TABLE_ALERTS, &look->tables[TOP_TABLE_ALERTS].rows[0], 10);
    ov_buf_str(&text, "one\n\nthree\n");
    top_page_take(&page, page.ask.id + 1, &text, 5);
    assert_int_equal(page.told_ms, 0);
    assert_int_equal(text.len, 11); /* still ours */
    top_page_take(&page, page.ask.id, &text, 5);
    assert_int_equal(page.told_ms, 5);
    assert_int_equal(text.len, 0);
    assert_int_equal(page.lines, OV_COUNT(lines));
    for (size_t i = 0; i < OV_COUNT(lines); i++) {
        assert_true(top_page_line(&page, i, &line));
        assert_true(ov_slice_eq(line, ov_slice(lines[i])));
    }
    assert_false(top_page_line(&page, OV_COUNT(lines), &line));
    top_page_free(&page);
    top_look_free(look);
    top_rates_free(&rates);
}

/* ---------------------------------------------------------------- drawing */

enum { PAPER_ROWS = 60, PAPER_COLUMNS = 210 };
struct paper {
    struct top_canvas canvas;
    char cells[PAPER_ROWS][PAPER_COLUMNS][8]; /* a character and marks that go with it */
    unsigned styles[PAPER_ROWS][PAPER_COLUMNS];
    struct ov_buf text;
};

static void on_put(void *context, unsigned row, unsigned column, unsigned style,
                   struct ov_slice text)
{
    struct paper *paper = context;
    size_t width = ov_text_width(text);
    if (row >= paper->canvas.rows || column + width > paper->canvas.columns)
        fail_msg("%zu columns at %u, %u of %ux%u", width, column, row, paper->canvas.columns,
                 paper->canvas.rows);
    for (size_t at = 0; at < text.len;) {
        size_t len = ov_utf8_len(text.ptr + at, text.len - at);
        unsigned char c = (unsigned char)text.ptr[at];
        if (len == 0 || c < ' ' || c == 0x7f || (len > 1 && !paper->canvas.utf8))
            fail_msg("a raw byte %02x at %u, %u", c, column, row);
        size_t wide = ov_text_width((struct ov_slice){text.ptr + at, len});
        for (size_t i = 0; i < wide; i++) {
            memset(paper->cells[row][column + i], 0, 8);
            memcpy(paper->cells[row][column + i], text.ptr + at, i == 0 ? len : 0);
            paper->styles[row][column + i] = style;
        }
        column += (unsigned)wide;
        at += len;
    }
}

static const char *draw(struct paper *paper, struct top_view *view, const struct top_now *now,
                        unsigned columns, unsigned rows, bool utf8)
{
    paper->canvas = (struct top_canvas){rows, columns, utf8, on_put, paper};
    for (unsigned r = 0; r < rows; r++)
        for (unsigned c = 0; c < columns; c++)
            memcpy(paper->cells[r][c], " ", 2);
    top_draw(view, now, &paper->canvas);
    ov_buf_reset(&paper->text);
    for (unsigned r = 0; r < rows; r++) {
        for (unsigned c = 0; c < columns; c++)
            ov_buf_str(&paper->text, paper->cells[r][c]);
        ov_buf_char(&paper->text, '\n');
    }
    return ov_buf_text(&paper->text);
}

static void assert_shows(const char *screen, const char *text)
{
    if (!strstr(screen, text))
        fail_msg("no `%s` in\n%s", text, screen);
}

static void test_what_is_drawn(void **unused)
{
    static const struct {
        const char *what;
        int64_t now_s, asked_s;
        bool nothing, down, paused;
        const char *trouble, *shows[3];
    } rows[] = {
        {"fresh", 11, 0, false, false, false, "",
         {"RUNNING a runner is active", "seen 1s ago, every 2s", "1 critical: it \\x1b[31mburns"}},
        {"late, and the look still goes on", 40, 25, false, false, false, "",
         {"was RUNNING", "LAST SEEN 30s AGO: no answer for 15s", "billing"}},
        {"late, and a part has failed", 40, 25, false, false, false, "host: timed out",
         {"was RUNNING", "LAST SEEN 30s AGO: host: timed out", "billing"}},
        {"down", 12, 0, false, true, false, "",
         {"DOWN a runner is active", "LAST SEEN 2s AGO: no answer for 5 s", "billing"}},
        {"paused", 40, 0, false, false, true, "",
         {"RUNNING", "PAUSED seen 30s ago", "billing"}},
        {"nothing yet", 11, 9, true, false, false, "",
         {"omnivigil top", "nothing seen yet: no answer for 2s", " 1 Agents 0 "}},
        {"nothing, for a reason", 11, 9, true, false, false, "host: refused",
         {"omnivigil top", "nothing seen yet: host: refused", " 1 Agents 0 "}},
        {"nothing ever", 11, 0, true, true, false, "",
         {"DOWN", "nothing seen yet: no answer for 5 s", " 1 Agents 0 "}},
    };
    struct top_rates rates = {.cycle = 0};
    struct top_look *good = look_at(&first_look, &rates);
    struct deployment gone = first_look;
    gone.down = true;
    struct top_look *bad = look_at(&gone, &rates);
    struct paper *paper = ov_calloc(1, sizeof *paper);
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct top_view view;
        const struct top_now now = {
            .newest = rows[i].down ? bad : rows[i].nothing ? NULL : good,
            .now_ms = rows[i].now_s * 1000, .asked_ms = rows[i].asked_s * 1000,
            .interval_ms = 2000, .wall = 1e9, .trouble = ov_slice(rows[i].trouble),
        };
        top_view_init(&view);
        top_view_show(&view, rows[i].nothing ? NULL : good);
        view.paused = rows[i].paused;
        const char *screen = draw(paper, &view, &now, 80, 24, true);
        for (size_t k = 0; k < OV_COUNT(rows[i].shows); k++)
            if (!strstr(screen, rows[i].shows[k]))
                fail_msg("%s: no `%s` in\n%s", rows[i].what, rows[i].shows[k], screen);
        top_view_free(&view);
    }
    ov_buf_free(&paper->text);
    free(paper);
    top_look_free(good);
    top_look_free(bad);
    top_rates_free(&rates);
}

/* Whatever the size, nothing is drawn beyond it, and no byte of a name as it is. */
static void test_every_size(void **unused)
{
    static const struct {
        unsigned columns, rows;
    } sizes[] = {{0, 0},   {1, 1},   {5, 3},   {29, 24}, {30, 5},   {30, 6},  {40, 9},
                 {60, 13}, {80, 24}, {81, 25}, {120, 8}, {200, 50}, {210, 60}};
    static const char *const keys[] = {"", "2", "3", "4", "?", "\r", "4\r", "sr", "p",
                                       "/a filter that is longer than many a terminal is wide, 1 "
                                       "2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20"};
    struct top_rates rates = {.cycle = 0};
    struct top_look *look = look_at(&first_look, &rates);
    struct paper *paper = ov_calloc(1, sizeof *paper);
    const struct top_now now = {.newest = look, .now_ms = 11000, .interval_ms = 2000, .wall = 1e9};
    (void)unused;
    for (size_t s = 0; s < OV_COUNT(sizes); s++)
        for (size_t k = 0; k < OV_COUNT(keys); k++)
            for (int utf8 = 0; utf8 < 2; utf8++) {
                struct top_view view;
                struct ov_buf text = {0};
                top_view_init(&view);
                top_view_show(&view, look);
                press(&view, keys[k]);
                ov_buf_str(&text, "a \033[1;31mred\033[0m line\n\033[\nlast");
                top_page_take(&view.page, view.page.ask.id, &text, 10000);
                const char *screen = draw(paper, &view, &now, sizes[s].columns, sizes[s].rows,
                                          utf8);
                if (sizes[s].columns >= TOP_COLUMNS_MIN && sizes[s].rows < TOP_ROWS_MIN)
                    assert_shows(screen, "too small");
                ov_buf_free(&text);
                top_view_free(&view);
            }
    ov_buf_free(&paper->text);
    free(paper);
    top_look_free(look);
    top_rates_free(&rates);
}

/* A column further right begins where its heading does, also behind wide characters. */
static void test_columns_stay_aligned(void **unused)
{
    struct top_rates rates = {.cycle = 0};
    struct top_look *look = look_at(&first_look, &rates);
    struct paper *paper = ov_calloc(1, sizeof *paper);
    struct top_view view;
    const struct top_now now = {.newest = look, .now_ms = 11000, .interval_ms = 2000, .wall = 1e9};
    (void)unused;
    top_view_init(&view);
    top_view_show(&view, look);
    for (unsigned columns = 60; columns <= 200; columns += 35) {
        const char *screen = draw(paper, &view, &now, columns, 24, true);
        unsigned at = 0;
        while (at < columns && memcmp(paper->cells[5][at], "L", 1) != 0)
            at++; /* LIFE */
        if (at == columns)
            continue;
        for (unsigned row = 6; row < 6 + look->tables[TOP_TABLE_AGENTS].count; row++)
            if (memcmp(paper->cells[row][at], "p", 1) != 0)
                fail_msg("row %u of\n%s", row, screen);
    }
    assert_shows(draw(paper, &view, &now, 80, 24, true), "1000+");
    assert_shows(draw(paper, &view, &now, 200, 24, true), "\\x1b]0;owned\\x07\\xff\u65e5\u672c");
    assert_shows(draw(paper, &view, &now, 200, 24, false), "\\x1b]0;owned\\x07\\xff????");
    ov_buf_free(&paper->text);
    free(paper);
    top_view_free(&view);
    top_look_free(look);
    top_rates_free(&rates);
}

/* Of many rows those that are in sight are drawn, and the selected one is in sight. */
static void test_many_rows(void **unused)
{
    enum { MANY = 10000 };
    struct agent *agents = ov_calloc(MANY, sizeof *agents);
    char (*names)[24] = ov_calloc(MANY, sizeof *names);
    struct top_rates rates = {.cycle = 0};
    struct paper *paper = ov_calloc(1, sizeof *paper);
    struct top_view view;
    (void)unused;
    for (int i = 0; i < MANY; i++) {
        snprintf(names[i], sizeof names[i], "agent-%05d", i);
        agents[i] = (struct agent){"t", ov_slice(names[i]), i, i, 0};
    }
    const struct deployment d = {agents, MANY, 10, false, NULL};
    struct top_look *look = look_at(&d, &rates);
    const struct top_now now = {.newest = look, .now_ms = 11000, .interval_ms = 2000, .wall = 1e9};
    top_view_init(&view);
    top_view_show(&view, look);
    const char *screen = draw(paper, &view, &now, 80, 24, true);
    assert_shows(screen, "agent-00016");
    assert_null(strstr(screen, "agent-00017"));
    press(&view, "G");
    screen = draw(paper, &view, &now, 80, 24, true);
    assert_shows(screen, "agent-09999");
    assert_shows(screen, "agent-09983");
    press(&view, "/agent-05*\r");
    assert_shows(draw(paper, &view, &now, 80, 24, true), "1000 with /agent-05*");
    press(&view, "/9");
    assert_shows(draw(paper, &view, &now, 40, 24, true), "\n/agent-05*9  ");
    assert_shows(draw(paper, &view, &now, 80, 24, true), "\n/agent-05*9   Enter keeps it");
    ov_buf_free(&paper->text);
    free(paper);
    top_view_free(&view);
    top_look_free(look);
    top_rates_free(&rates);
    free(agents);
    free(names);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_rates_forget),
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_the_selected_row_stays),
        cmocka_unit_test(test_marks),
        cmocka_unit_test(test_every_key_does_one_thing),
        cmocka_unit_test(test_keys),
        cmocka_unit_test(test_typing_beyond_ascii),
        cmocka_unit_test(test_what_pages_ask),
        cmocka_unit_test(test_pages_take_their_own),
        cmocka_unit_test(test_what_is_drawn),
        cmocka_unit_test(test_every_size),
        cmocka_unit_test(test_columns_stay_aligned),
        cmocka_unit_test(test_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
