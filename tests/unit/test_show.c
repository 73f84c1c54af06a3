/* SPDX-License-Identifier: Apache-2.0 */
/* What commands show, as persons, JSON and CSV read it, whatever bytes it is made of. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "call.h"
#include "capture.h"
#include "human.h"
#include "json_layout.h"
#include "terminal.h"
#include "text_width.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define BRANCH "\xe2\x94\x9c\xe2\x94\x80 "
#define NIHON "\xe6\x97\xa5\xe6\x9c\xac" /* two wide characters */
#define LAST "\xe2\x94\x94\xe2\x94\x80 "

struct ov_call {
    struct ov_shown *shown;
};

struct ov_shown *ov_call_shown(struct ov_call *call)
{
    return call->shown;
}

/* ---------------------------------------------------------------- a command that shows something */

static struct ov_call call_of(enum ov_show_format format, unsigned width, bool colours)
{
    struct ov_show_style style = {.format = format, .width = width, .colours = colours};
    return (struct ov_call){ov_shown_new(style)};
}

/* Ends the command and compares all it has written since. */
static void call_end(struct ov_call *call, struct ov_buf *out, const char *want,
                     const char *what, size_t number)
{
    ov_shown_write(call->shown, false, out);
    if (strcmp(ov_buf_text(out), want) != 0 || strlen(want) != out->len)
        fail_msg("%s %zu:\n%s-- instead of:\n%s--", what, number, ov_buf_text(out), want);
    ov_buf_free(out);
    ov_shown_free(call->shown);
}

/* ---------------------------------------------------------------- one cell of each type */

struct value {
    enum { ABSENT, TEXT, INT, FLOAT, BOOL } given;
    struct ov_slice text;
    double number;
};

static void value_show(struct ov_call *call, unsigned column, const struct value *value)
{
    if (value->given == TEXT)
        ov_show_text(call, column, value->text);
    else if (value->given == INT)
        ov_show_int(call, column, (int64_t)value->number);
    else if (value->given == FLOAT)
        ov_show_float(call, column, value->number);
    else if (value->given == BOOL)
        ov_show_bool(call, column, value->number != 0);
}

#define BYTES(literal) {TEXT, {(literal), sizeof(literal) - 1}, 0}
#define NUMBER(given, number) {given, {NULL, 0}, number}

static const struct {
    enum ov_cell type;
    struct value value;
    const char *table, *json, *csv;
} cells[] = {
    {OV_CELL_TEXT, BYTES("plain"), "plain", "\"plain\"", "plain"},
    {OV_CELL_TEXT, NUMBER(ABSENT, 0), "-", "null", "\"\""},
    {OV_CELL_TEXT, BYTES(""), "", "\"\"", "\"\""},
    {OV_CELL_TEXT, {TEXT, {NULL, 0}, 0}, "", "\"\"", "\"\""},
    {OV_CELL_TEXT, BYTES(" a  "), " a", "\" a  \"", "\" a  \""},
    {OV_CELL_TEXT, BYTES("a,b"), "a,b", "\"a,b\"", "\"a,b\""},
    {OV_CELL_TEXT, BYTES("say \"x\""), "say \"x\"", "\"say \\\"x\\\"\"", "\"say \"\"x\"\"\""},
    {OV_CELL_TEXT, BYTES("=1+1"), "=1+1", "\"=1+1\"", "=1+1"},
    {OV_CELL_TEXT, BYTES("-"), "-", "\"-\"", "-"},
    {OV_CELL_TEXT, BYTES("a\nb\tc"), "a\\nb\\tc", "\"a\\nb\\u0009c\"", "\"a\nb\tc\""},
    {OV_CELL_TEXT, BYTES("\x1b[2J"), "\\x1b[2J", "\"\\u001b[2J\"", "\"\x1b[2J\""},
    {OV_CELL_TEXT, BYTES("\xff\xc3"), "\\xff\\xc3", "\"\xef\xbf\xbd\xef\xbf\xbd\"",
     "\xef\xbf\xbd\xef\xbf\xbd"},
    {OV_CELL_TEXT, BYTES("\xc3\xbc\xe6\x97\xa5"), "\xc3\xbc\xe6\x97\xa5", "\"\xc3\xbc\xe6\x97\xa5\"",
     "\xc3\xbc\xe6\x97\xa5"},
    {OV_CELL_INT, NUMBER(INT, 0), "0", "0", "0"},
    {OV_CELL_INT, NUMBER(INT, -42), "-42", "-42", "-42"},
    {OV_CELL_INT, NUMBER(INT, -0x1p63), "-9223372036854775808", "-9223372036854775808",
     "-9223372036854775808"},
    {OV_CELL_FLOAT, NUMBER(FLOAT, 1234.56789), "1234.568", "1234.56789", "1234.56789"},
    {OV_CELL_FLOAT, NUMBER(FLOAT, 0.1), "0.1", "0.1", "0.1"},
    {OV_CELL_FLOAT, NUMBER(INT, 3), "3", "3", "3"},
    {OV_CELL_FLOAT, NUMBER(FLOAT, (double)NAN), "-", "null", "\"\""},
    {OV_CELL_FLOAT, NUMBER(FLOAT, (double)INFINITY), "-", "null", "\"\""},
    {OV_CELL_BOOL, NUMBER(BOOL, 1), "yes", "true", "true"},
    {OV_CELL_BOOL, NUMBER(BOOL, 0), "no", "false", "false"},
    {OV_CELL_SECONDS, NUMBER(FLOAT, 192.5), "3m12s", "192.5", "192.5"},
    {OV_CELL_SECONDS, NUMBER(INT, 5), "5s", "5", "5"},
    {OV_CELL_BYTES, NUMBER(INT, 13002342), "12.4 MiB", "13002342", "13002342"},
    {OV_CELL_RATIO, NUMBER(FLOAT, 0.975), "97.5 %", "0.975", "0.975"},
    {OV_CELL_TIME, NUMBER(FLOAT, 1700000000.25), "2023-11-14 23:13:20",
     "\"2023-11-14T22:13:20.250Z\"", "2023-11-14T22:13:20.250Z"},
    {OV_CELL_TIME, NUMBER(INT, 1700000000), "2023-11-14 23:13:20", "\"2023-11-14T22:13:20Z\"",
     "2023-11-14T22:13:20Z"},
    {OV_CELL_TIME, NUMBER(FLOAT, -0.5), "1970-01-01 00:59:59", "\"1969-12-31T23:59:59.500Z\"",
     "1969-12-31T23:59:59.500Z"},
    {OV_CELL_TIME, NUMBER(FLOAT, -62135596800.0), "0001-01-01 01:00:00",
     "\"0001-01-01T00:00:00Z\"", "0001-01-01T00:00:00Z"},
    {OV_CELL_TIME, NUMBER(FLOAT, 1e300), "-", "null", "\"\""},
    {OV_CELL_TIME, NUMBER(INT, -0x1p63), "-", "null", "\"\""},
    {OV_CELL_JSON, BYTES("{\"a\":[1.50,\n{}]}"), "{\"a\": [1.50, {}]}", "{\"a\": [1.50, {}]}",
     "\"{\"\"a\"\":[1.50,\n{}]}\""},
    {OV_CELL_JSON, BYTES("\"\x1b\xff\""), "\"\\u001b\xef\xbf\xbd\"", "\"\\u001b\xef\xbf\xbd\"",
     "\"\"\"\x1b\xef\xbf\xbd\"\"\""},
    /* what does not suit its column is shown as what it is */
    {OV_CELL_INT, BYTES("none"), "none", "\"none\"", "none"},
    {OV_CELL_INT, NUMBER(FLOAT, 1.5), "1.5", "1.5", "1.5"},
    {OV_CELL_JSON, NUMBER(INT, 7), "7", "7", "7"},
    {OV_CELL_TIME, BYTES("soon"), "soon", "\"soon\"", "soon"},
};

static void test_cells(void **state)
{
    (void)state;
    setenv("TZ", "UTC-1", 1);
    for (size_t i = 0; i < OV_COUNT(cells); i++) {
        for (enum ov_show_format format = OV_SHOW_TABLE; format <= OV_SHOW_CSV; format++) {
            struct ov_column column = {.name = "a", .type = cells[i].type};
            struct ov_view view = {.name = "v", .columns = &column, .column_count = 1};
            struct ov_call call = call_of(format, 0, false);
            struct ov_buf out = {0}, want = {0};
            if (format == OV_SHOW_JSON)
                ov_buf_printf(&want, "{\"v\": [{\"a\": %s}]}\n", cells[i].json);
            else if (format == OV_SHOW_CSV)
                ov_buf_printf(&want, "a\n%s\n", cells[i].csv);
            ov_show(&call, &view);
            ov_show_row(&call);
            value_show(&call, 0, &cells[i].value);
            if (format == OV_SHOW_TABLE) { /* numbers stand to the right: a heading of one column */
                size_t heading = 1, width = ov_text_width(ov_slice(cells[i].table));
                bool right = cells[i].type == OV_CELL_INT || cells[i].type == OV_CELL_FLOAT ||
                             (cells[i].type >= OV_CELL_SECONDS && cells[i].type <= OV_CELL_RATIO);
                ov_buf_printf(&want, "%*s\n%s\n", (int)(right && width > 1 ? width : heading), "A",
                              cells[i].table);
            }
            call_end(&call, &out, ov_buf_text(&want), "row", i);
            ov_buf_free(&want);
        }
    }
}

static void test_nul(void **state)
{
    static const struct {
        enum ov_show_format format;
        struct ov_slice want;
    } rows[] = {
        {OV_SHOW_TABLE, OV_SLICE("A\nx\\x00y\n")},
        {OV_SHOW_JSON, OV_SLICE("{\"v\": [{\"a\": \"x\\u0000y\"}]}\n")},
        {OV_SHOW_CSV, OV_SLICE("a\n\"x\0y\"\n")},
    };
    static const struct ov_column column = {.name = "a"};
    static const struct ov_view view = {.name = "v", .columns = &column, .column_count = 1};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_call call = call_of(rows[i].format, 0, false);
        struct ov_buf out = {0};
        ov_show(&call, &view);
        ov_show_row(&call);
        ov_show_text(&call, 0, OV_SLICE("x\0y"));
        ov_shown_write(call.shown, false, &out);
        if (!ov_slice_eq((struct ov_slice){out.data, out.len}, rows[i].want))
            fail_msg("row %zu: %s", i, ov_buf_text(&out));
        ov_buf_free(&out);
        ov_shown_free(call.shown);
    }
}

static void test_human(void **state)
{
    static const struct {
        void (*write)(struct ov_buf *out, double value);
        double value;
        const char *text;
    } rows[] = {
        {ov_human_number, 0, "0"}, {ov_human_number, -1e-320, "-1e-320"},
        {ov_human_number, 0.0123456, "0.0123"}, {ov_human_number, -2.0004, "-2"},
        {ov_human_number, 1e22, "1e22"}, {ov_human_number, 999999.9999, "1000000"},
        {ov_human_seconds, 0, "0s"}, {ov_human_seconds, 0.35, "350ms"},
        {ov_human_seconds, 0.00125, "1.3ms"}, {ov_human_seconds, 12e-6, "12us"},
        {ov_human_seconds, 5e-9, "5ns"}, {ov_human_seconds, 1e-300, "0ns"},
        {ov_human_seconds, 0.9996, "1.0s"}, {ov_human_seconds, 4.24, "4.2s"},
        {ov_human_seconds, 4, "4s"}, {ov_human_seconds, 9.96, "10s"},
        {ov_human_seconds, 59.99, "59s"}, {ov_human_seconds, 60, "1m"},
        {ov_human_seconds, 192.9, "3m12s"}, {ov_human_seconds, 3599.9, "59m59s"},
        {ov_human_seconds, 3605, "1h"}, {ov_human_seconds, 7500, "2h05m"},
        {ov_human_seconds, 86400, "1d"}, {ov_human_seconds, 97200, "1d03h"},
        {ov_human_seconds, 86400 * 400.0, "400d"}, {ov_human_seconds, -192, "-3m12s"},
        {ov_human_seconds, 1e300, "1e300s"},
        {ov_human_bytes, 0, "0 B"}, {ov_human_bytes, 1023, "1023 B"},
        {ov_human_bytes, 1024, "1.0 KiB"}, {ov_human_bytes, 1048575, "1.0 MiB"},
        {ov_human_bytes, -2048, "-2.0 KiB"}, {ov_human_bytes, 0x1p63, "8.0 EiB"},
        {ov_human_bytes, 0x1p160, "1.2676506002282294e30 EiB"},
        {ov_human_ratio, 0, "0.0 %"}, {ov_human_ratio, 1, "100.0 %"},
        {ov_human_ratio, 0.9999, "99.99 %"}, {ov_human_ratio, 0.0001, "0.01 %"},
        {ov_human_ratio, 1e-12, "0.000000 %"}, {ov_human_ratio, -0.5, "-50.0 %"},
        {ov_human_ratio, 12.5, "1250.0 %"}, {ov_human_ratio, 1e300, "1e302 %"},
        {ov_human_ratio, 1.7e308, "1.7e308"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf out = {0};
        rows[i].write(&out, rows[i].value);
        if (strcmp(ov_buf_text(&out), rows[i].text) != 0)
            fail_msg("row %zu: %s instead of %s", i, ov_buf_text(&out), rows[i].text);
        ov_buf_free(&out);
    }
}

static void test_text_width(void **state)
{
    static const struct {
        const char *text;
        size_t width, fit_of_3, used_of_3; /* what fits three columns */
    } rows[] = {
        {"", 0, 0, 0}, {"abc", 3, 3, 3}, {"abcd", 4, 3, 3},
        {"\xc3\xbc\xc3\xbc", 2, 4, 2},
        {"\xe6\x97\xa5\xe6\x9c\xac", 4, 3, 2},       /* two wide ones */
        {"e\xcc\x81xyz", 4, 5, 3},                   /* a combining accent */
        {"abce\xcc\x81", 4, 3, 3}, {"abc\xcc\x81", 3, 5, 3},
        {"\xf0\x9f\x98\x80", 2, 4, 2},               /* a picture */
        {"a\xe2\x80\x8b" "b", 2, 5, 2},              /* a zero-width space */
        {"\xff\xfe", 2, 2, 2}, {"\xed\x95\x9c", 2, 3, 2},
        {"\xe0\xa4\x95\xe0\xa5\x8d", 1, 6, 1},       /* a Devanagari letter with its virama */
        {"\xee\x80\x80", 1, 3, 1}, {"\xf4\x8f\xbf\xbf", 1, 4, 1},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        size_t used, fit = ov_text_fit(ov_slice(rows[i].text), 3, &used);
        if (ov_text_width(ov_slice(rows[i].text)) != rows[i].width || fit != rows[i].fit_of_3 ||
            used != rows[i].used_of_3)
            fail_msg("row %zu: %zu columns, of three %zu bytes in %zu", i,
                     ov_text_width(ov_slice(rows[i].text)), fit, used);
    }
}

static void test_json_layout(void **state)
{
    static const struct {
        const char *json, *line, *lines;
    } rows[] = {
        {"1", "1", "1"}, {" null ", "null", "null"}, {"[]", "[]", "[]"}, {"{ }", "{}", "{}"},
        {"[[],{}]", "[[], {}]", "[\n  [],\n  {}\n]"},
        {"{\"a\" :\n1}", "{\"a\": 1}", "{\n  \"a\": 1\n}"},
        {"\"{[,:\\\"\\\\\"", "\"{[,:\\\"\\\\\"", "\"{[,:\\\"\\\\\""},
        {"[1.50,-0e9]", "[1.50, -0e9]", "[\n  1.50,\n  -0e9\n]"},
        {"\"\xc2\x9b\x7f\xe2\"", "\"\\u009b\\u007f\xef\xbf\xbd\"",
         "\"\\u009b\\u007f\xef\xbf\xbd\""},
        {"]", "]", "\n]"}, {"\"a", "\"a", "\"a"}, {"\x1b", "\\u001b", "\\u001b"}, {"", "", ""},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf line = {0}, lines = {0};
        ov_json_layout(&line, ov_slice(rows[i].json), 0);
        ov_json_layout(&lines, ov_slice(rows[i].json), 2);
        if (strcmp(ov_buf_text(&line), rows[i].line) != 0 ||
            strcmp(ov_buf_text(&lines), rows[i].lines) != 0)
            fail_msg("row %zu: %s and %s", i, ov_buf_text(&line), ov_buf_text(&lines));
        ov_buf_free(&line);
        ov_buf_free(&lines);
    }
    struct ov_buf deep = {0}, out = {0}; /* is not indented without end */
    for (int i = 0; i < 10000; i++)
        ov_buf_char(&deep, i < 5000 ? '[' : ']');
    ov_json_layout(&out, (struct ov_slice){deep.data, deep.len}, 2);
    assert_in_range(out.len, 10000, 10000 * 66);
    ov_buf_free(&deep);
    ov_buf_free(&out);
}

/* ---------------------------------------------------------------- shapes and widths */

static const struct ov_column group_columns[] = {
    {.name = "topic"}, {.name = "consumer_group"}, {.name = "pending", .type = OV_CELL_INT},
    {.name = "age_seconds", .type = OV_CELL_SECONDS, .title = "age", .rank = 1},
    {.name = "memory_bytes", .type = OV_CELL_BYTES, .title = "memory", .rank = 2},
    {.name = "error", .rank = 2},
};
enum { TOPIC, GROUP, PENDING, AGE, MEMORY, PROBLEM };

static void groups_show(struct ov_call *call)
{
    ov_show_row(call);
    ov_show_text(call, TOPIC, OV_SLICE("orders"));
    ov_show_text(call, GROUP, OV_SLICE("billing"));
    ov_show_int(call, PENDING, 12);
    ov_show_float(call, AGE, 192);
    ov_show_float(call, MEMORY, 2048);
    ov_show_text(call, PROBLEM, OV_SLICE("KeyError: 'order' is not in the message at all"));
    ov_show_row(call);
    ov_show_text(call, TOPIC, OV_SLICE("orders"));
    ov_show_text(call, GROUP, OV_SLICE("shipping-and-handling"));
    ov_show_int(call, PENDING, 0);
    ov_show_row(call);
    ov_show_text(call, TOPIC, OV_SLICE("payments"));
}

static const struct {
    enum ov_shape shape;
    unsigned width;
    const char *locale, *want;
} tables[] = {
    {OV_SHAPE_LIST, 0, "C.UTF-8",
     "TOPIC     CONSUMER GROUP         PENDING    AGE   MEMORY  ERROR\n"
     "orders    billing                     12  3m12s  2.0 KiB  "
     "KeyError: 'order' is not in the message at all\n"
     "orders    shipping-and-handling        0      -        -  -\n"
     "payments  -                            -      -        -  -\n"},
    {OV_SHAPE_LIST, 200, "C.UTF-8",
     "TOPIC     CONSUMER GROUP         PENDING    AGE   MEMORY  ERROR\n"
     "orders    billing                     12  3m12s  2.0 KiB  "
     "KeyError: 'order' is not in the message at all\n"
     "orders    shipping-and-handling        0      -        -  -\n"
     "payments  -                            -      -        -  -\n"},
    {OV_SHAPE_LIST, 96, "C.UTF-8",
     "TOPIC     CONSUMER GROUP         PENDING    AGE   MEMORY  ERROR\n"
     "orders    billing                     12  3m12s  2.0 KiB  "
     "KeyError: 'order' is not in the\n"
     "                                                          message at all\n"
     "orders    shipping-and-handling        0      -        -  -\n"
     "payments  -                            -      -        -  -\n"},
    {OV_SHAPE_LIST, 80, "C.UTF-8",
     "TOPIC     CONSUMER GROUP         PENDING    AGE   MEMORY\n"
     "orders    billing                     12  3m12s  2.0 KiB\n"
     "orders    shipping-and-handling        0      -        -\n"
     "payments  -                            -      -        -\n"
     "No room for: error; a wider terminal or --format csv shows them.\n"},
    {OV_SHAPE_LIST, 46, "C.UTF-8",
     "TOPIC     CONSUMER GROUP         PENDING\n"
     "orders    billing                     12\n"
     "orders    shipping-and-handling        0\n"
     "payments  -                            -\n"
     "No room for: age, memory, error; a wider\n"
     "terminal or --format csv shows them.\n"},
    {OV_SHAPE_LIST, 36, "C.UTF-8",
     "TOPIC     CONSUMER GROUP     PENDING\n"
     "orders    billing                 12\n"
     "orders    shipping-and-han" ELLIPSIS "        0\n"
     "payments  -                        -\n"
     "No room for: age, memory, error; a\n"
     "wider terminal or --format csv shows\n"
     "them.\n"},
    {OV_SHAPE_LIST, 36, "C",
     "TOPIC     CONSUMER GROUP     PENDING\n"
     "orders    billing                 12\n"
     "orders    shipping-and-h...        0\n"
     "payments  -                        -\n"
     "No room for: age, memory, error; a\n"
     "wider terminal or --format csv shows\n"
     "them.\n"},
    {OV_SHAPE_LIST, 20, "C.UTF-8",
     "orders\n"
     "  consumer group\n"
     "    billing\n"
     "  pending\n"
     "    12\n"
     "  age\n"
     "    3m12s\n"
     "  memory\n"
     "    2.0 KiB\n"
     "  error\n"
     "    KeyError:\n"
     "    'order' is not\n"
     "    in the message\n"
     "    at all\n"
     "\n"
     "orders\n"
     "  consumer group\n"
     "    shipping-and-han\n"
     "    dling\n"
     "  pending\n"
     "    0\n"
     "\n"
     "payments\n"},
    {OV_SHAPE_TREE, 80, "C.UTF-8",
     "TOPIC / CONSUMER GROUP    PENDING    AGE   MEMORY\n"
     "orders\n"
     BRANCH "billing                     12  3m12s  2.0 KiB\n"
     LAST "shipping-and-handling        0      -        -\n"
     "payments\n"
     "No room for: error; a wider terminal or --format csv shows them.\n"},
    {OV_SHAPE_TREE, 36, "en_GB.utf8",
     "TOPIC / CONSUMER GROUP    PENDING\n"
     "orders\n"
     BRANCH "billing                     12\n"
     LAST "shipping-and-handling        0\n"
     "payments\n"
     "No room for: age, memory, error; a\n"
     "wider terminal or --format csv shows\n"
     "them.\n"},
    {OV_SHAPE_TREE, 30, "C",
     "TOPIC / CONSUMER G...  PENDING\n"
     "orders\n"
     "|- billing                  12\n"
     "`- shipping-and-ha...        0\n"
     "payments\n"
     "No room for: age, memory,\n"
     "error; a wider terminal or\n"
     "--format csv shows them.\n"},
    {OV_SHAPE_CARDS, 80, "C.UTF-8",
     "orders\n"
     "  consumer group  billing\n"
     "  pending         12\n"
     "  age             3m12s\n"
     "  memory          2.0 KiB\n"
     "  error           KeyError: 'order' is not in the message at all\n"
     "\n"
     "orders\n"
     "  consumer group  shipping-and-handling\n"
     "  pending         0\n"
     "\n"
     "payments\n"},
    {OV_SHAPE_CARDS, 40, "C.UTF-8",
     "orders\n"
     "  consumer group  billing\n"
     "  pending         12\n"
     "  age             3m12s\n"
     "  memory          2.0 KiB\n"
     "  error           KeyError: 'order' is\n"
     "                  not in the message at\n"
     "                  all\n"
     "\n"
     "orders\n"
     "  consumer group  shipping-and-handling\n"
     "  pending         0\n"
     "\n"
     "payments\n"},
};

static void test_tables(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(tables); i++) {
        struct ov_view view = {
            .name = "groups", .shape = tables[i].shape, .columns = group_columns,
            .column_count = OV_COUNT(group_columns),
        };
        setenv("LC_ALL", tables[i].locale, 1);
        struct ov_call call = call_of(OV_SHOW_TABLE, tables[i].width, false);
        struct ov_buf out = {0};
        ov_show(&call, &view);
        groups_show(&call);
        call_end(&call, &out, tables[i].want, "row", i);
    }
    setenv("LC_ALL", "C.UTF-8", 1);
}

/* Wide and combining characters take the columns a terminal gives them. */
static void test_wide(void **state)
{
    static const struct ov_column columns[] = {{.name = "name"}, {.name = "n", .type = OV_CELL_INT}};
    static const struct ov_view view = {.name = "v", .columns = columns, .column_count = 2};
    static const char *const names[] = {
        NIHON NIHON NIHON NIHON NIHON,
        "cafe\xcc\x81", "\x1b[31m",
    };
    struct ov_call call = call_of(OV_SHOW_TABLE, 20, false);
    struct ov_buf out = {0};
    (void)state;
    ov_show(&call, &view);
    for (size_t i = 0; i < OV_COUNT(names); i++) {
        ov_show_row(&call);
        ov_show_text(&call, 0, ov_slice(names[i]));
        ov_show_int(&call, 1, (int64_t)i);
    }
    call_end(&call, &out,
             "NAME               N\n"
             NIHON NIHON NIHON NIHON ELLIPSIS "  0\n"
             "cafe\xcc\x81               1\n"
             "\\x1b[31m           2\n", "wide", 0);
}

static void test_cards(void **state)
{
    static const struct ov_column columns[] = {
        {.name = "id"}, {.name = "error"}, {.name = "payload", .type = OV_CELL_JSON},
        {.name = "odd_json", .type = OV_CELL_JSON, .title = "Odd"},
    };
    static const struct ov_view view = {
        .name = "letter", .shape = OV_SHAPE_CARDS, .single = true, .columns = columns,
        .column_count = OV_COUNT(columns),
    };
    struct ov_call call = call_of(OV_SHOW_TABLE, 40, false);
    struct ov_buf out = {0};
    (void)state;
    ov_show(&call, &view);
    ov_show_row(&call);
    ov_show_text(&call, 0, OV_SLICE("1700000000000-0"));
    ov_show_text(&call, 1, OV_SLICE("Traceback:\r\n\n  File \"worker.py\", line 12, in handle\n"
                                    "KeyError:\x1b[2J \t\n\n"));
    ov_show_text(&call, 2, OV_SLICE("{\"order\":{\"id\":7,\"lines\":[]},"
                                    "\"text\":\"a long text in a message\"}"));
    ov_show_row(&call);
    ov_show_text(&call, 1, OV_SLICE("   \n\n"));
    ov_show_text(&call, 3, OV_SLICE("[1]"));
    ov_show_mark(&call, 3, OV_MARK_BAD);
    call_end(&call, &out,
             "1700000000000-0\n"
             "  error    Traceback:\n"
             "\n"
             "             File \"worker.py\", line 12,\n"
             "             in handle\n"
             "           KeyError:\\x1b[2J\n"
             "  payload  {\n"
             "             \"order\": {\n"
             "               \"id\": 7,\n"
             "               \"lines\": []\n"
             "             },\n"
             "             \"text\": \"a long text in a\n"
             "             message\"\n"
             "           }\n"
             "\n"
             "-\n"
             "  error\n"
             "  Odd      [\n"
             "             1\n"
             "           ]\n", "cards", 0);
}

/* A note is no line of a card; a list as cards says what a heading is that is no name. */
static void test_cards_of_a_list(void **state)
{
    static const struct ov_column columns[] = {
        {.name = "entries", .type = OV_CELL_INT}, {.name = "processed", .type = OV_CELL_INT},
        {.name = "reclaimed", .type = OV_CELL_INT},
    };
    static const struct ov_view list = {.name = "l", .columns = columns, .column_count = 3};
    static const struct ov_view cards = {
        .name = "c", .shape = OV_SHAPE_CARDS, .columns = columns, .column_count = 3,
    };
    struct ov_call call = call_of(OV_SHOW_TABLE, 20, false);
    struct ov_buf out = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        ov_show(&call, i ? &cards : &list);
        ov_show_row(&call);
        ov_show_int(&call, 0, 7);
        ov_show_int(&call, 1, i);
        ov_show_note(&call, "note");
    }
    call_end(&call, &out,
             "entries 7\n  processed\n    0\n\nnote\n"
             "\n7\n  processed\n    1\n\nnote\n", "cards of a list", 0);
}

static void test_colours(void **state)
{
    static const struct ov_view view = {
        .name = "groups", .title = "Groups", .columns = group_columns, .column_count = 3,
    };
    struct ov_call call = call_of(OV_SHOW_TABLE, 80, true);
    struct ov_buf out = {0};
    (void)state;
    ov_show(&call, &view);
    groups_show(&call);
    ov_show_mark(&call, TOPIC, OV_MARK_BAD);
    ov_show_mark(&call, GROUP, OV_MARK_DIM);
    ov_show_mark(&call, PENDING, OV_MARK_WARN);
    ov_show_mark(&call, PENDING, OV_MARK_GOOD);
    ov_show_int(&call, PENDING, 3); /* keeps its mark */
    ov_show_note(&call, "note");
    call_end(&call, &out,
             "\033[1mGroups\033[0m\n"
             "\033[1mTOPIC\033[0m     \033[1mCONSUMER GROUP\033[0m         \033[1mPENDING\033[0m\n"
             "orders    billing                     12\n"
             "orders    shipping-and-handling        0\n"
             "\033[1;31mpayments\033[0m  \033[2m-\033[0m                            "
             "\033[32m3\033[0m\n"
             "\033[2mnote\033[0m\n", "colours", 0);
}

/* ---------------------------------------------------------------- views */

static const struct ov_column pair_columns[] = {{.name = "a"}, {.name = "b", .type = OV_CELL_INT}};
static const struct ov_view
    pairs = {.name = "pairs", .title = "Pairs", .columns = pair_columns, .column_count = 2,
             .empty = "no pairs"},
    silent = {.name = "silent", .title = "Silent", .columns = pair_columns, .column_count = 2},
    single = {.name = "single", .columns = pair_columns, .column_count = 2, .single = true},
    single_too = {.name = "single", .columns = pair_columns, .column_count = 1, .single = true};

static void pair_show(struct ov_call *call, const char *a, int64_t b)
{
    ov_show_row(call);
    ov_show_text(call, 0, ov_slice(a));
    ov_show_int(call, 1, b);
}

static void show_nothing(struct ov_call *call)
{
    ov_show_row(call); /* without a view, or beyond it: nothing to show */
    ov_show_int(call, 0, 1);
    ov_show_mark(call, 0, OV_MARK_BAD);
}

static void show_empty(struct ov_call *call)
{
    ov_show(call, &pairs);
    ov_show_text(call, 0, OV_SLICE("no row"));
    ov_show(call, &silent);
    ov_show(call, &single);
}

static void show_twice(struct ov_call *call)
{
    ov_show_note(call, "first %s", "\x1b");
    ov_show(call, &pairs);
    pair_show(call, "x", 1);
    ov_show_int(call, 2, 1);
    ov_show_note(call, "of one");
    ov_show(call, &single);
    pair_show(call, "only", 1);
    ov_show(call, &pairs);
    pair_show(call, "y", 2);
    ov_show_note(call, "of two");
}

static void show_singles(struct ov_call *call)
{
    ov_show(call, &single);
    pair_show(call, "x", 1);
    ov_show(call, &single_too);
    pair_show(call, "y", 2);
}

static const struct {
    void (*show)(struct ov_call *call);
    const char *table, *json, *csv;
} views[] = {
    {show_nothing, "", "{}\n", ""},
    {show_empty, "Pairs\nno pairs\n", "{\"pairs\": [], \"silent\": [], \"single\": null}\n",
     "a,b\n\na,b\n\na,b\n"},
    {show_twice,
     "first \\x1b\n\nPairs\nA  B\nx  1\nof one\n\nA     B\nonly  1\n\nPairs\nA  B\ny  2\nof two\n",
     "{\"pairs\": [{\"a\": \"x\", \"b\": 1}, {\"a\": \"y\", \"b\": 2}], "
     "\"single\": {\"a\": \"only\", \"b\": 1}, "
     "\"notes\": [\"first \\u001b\", \"of one\", \"of two\"]}\n",
     "a,b\nx,1\n\na,b\nonly,1\n\na,b\ny,2\n"},
    {show_singles, "A  B\nx  1\n\nA\ny\n",
     "{\"single\": [{\"a\": \"x\", \"b\": 1}, {\"a\": \"y\"}]}\n", "a,b\nx,1\n\na\ny\n"},
};

static void test_views(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(views); i++) {
        const char *const want[] = {views[i].table, views[i].json, views[i].csv};
        for (enum ov_show_format format = OV_SHOW_TABLE; format <= OV_SHOW_CSV; format++) {
            struct ov_call call = call_of(format, 0, false);
            struct ov_buf out = {0};
            for (int run = 0; run < 2; run++) { /* --watch: the second run is like the first */
                ov_buf_reset(&out);
                views[i].show(&call);
                if (run == 0)
                    ov_shown_write(call.shown, false, &out);
            }
            call_end(&call, &out, want[format], "row", i);
        }
    }
}

static void test_json_for_persons(void **state)
{
    struct ov_call call = call_of(OV_SHOW_JSON, 80, true);
    struct ov_buf out = {0};
    (void)state;
    ov_show(&call, &pairs);
    pair_show(&call, "x", 1);
    ov_show(&call, &silent);
    call_end(&call, &out,
             "{\n  \"pairs\": [\n    {\n      \"a\": \"x\",\n      \"b\": 1\n    }\n  ],\n"
             "  \"silent\": []\n}\n", "indented", 0);
}

/* ---------------------------------------------------------------- commands that go on */

static void test_flush(void **state)
{
    static const char *const want[] = {
        [OV_SHOW_TABLE] = "Pairs\nA     B\nlong  1\nx     2\nof two\nlonger  300\ny         4\nend\n",
        [OV_SHOW_JSON] = "{\"pairs\": [{\"a\": \"long\", \"b\": 1}]}\n"
                         "{\"pairs\": [{\"a\": \"x\", \"b\": 2}], \"notes\": [\"of two\"]}\n"
                         "{\"pairs\": [{\"a\": \"longer\", \"b\": 300}, {\"a\": \"y\", \"b\": 4}]}\n"
                         "{\"notes\": [\"end\"]}\n",
        [OV_SHOW_CSV] = "a,b\nlong,1\nx,2\nlonger,300\ny,4\n",
    };
    (void)state;
    for (enum ov_show_format format = OV_SHOW_TABLE; format <= OV_SHOW_CSV; format++) {
        struct ov_call call = call_of(format, 80, false);
        struct ov_buf out = {0};
        ov_shown_write(call.shown, true, &out);
        ov_show(&call, &pairs);
        ov_shown_write(call.shown, true, &out); /* nothing yet */
        assert_int_equal(out.len, 0);
        pair_show(&call, "long", 1);
        ov_shown_write(call.shown, true, &out);
        ov_show(&call, &pairs); /* goes on */
        pair_show(&call, "x", 2);
        ov_show_note(&call, "of two");
        ov_shown_write(call.shown, true, &out);
        ov_shown_write(call.shown, true, &out);
        pair_show(&call, "longer", 300);
        pair_show(&call, "y", 4);
        ov_shown_write(call.shown, true, &out);
        ov_show_note(&call, "end");
        call_end(&call, &out, want[format], "format", format);
    }
}

/* A view whose rows never came is told about at the end; another one begins as always. */
static void test_flush_ends(void **state)
{
    static const char *const want[] = {
        [OV_SHOW_TABLE] = "Pairs\nA  B\nx  1\nof pairs\n\nA  B\nz  3\n\nPairs\nno pairs\n",
        [OV_SHOW_JSON] = ("{\"pairs\": [{\"a\": \"x\", \"b\": 1}]}\n"
                          "{\"single\": {\"a\": \"z\", \"b\": 3}, \"pairs\": [], "
                          "\"notes\": [\"of pairs\"]}\n"),
        [OV_SHOW_CSV] = "a,b\nx,1\n\na,b\nz,3\n\na,b\n",
    };
    (void)state;
    for (enum ov_show_format format = OV_SHOW_TABLE; format <= OV_SHOW_CSV; format++) {
        struct ov_call call = call_of(format, 0, false);
        struct ov_buf out = {0};
        ov_show(&call, &pairs);
        pair_show(&call, "x", 1);
        ov_shown_write(call.shown, true, &out);
        ov_show_note(&call, "of pairs");
        ov_show(&call, &single);
        pair_show(&call, "z", 3);
        ov_show(&call, &pairs);
        call_end(&call, &out, want[format], "format", format);
    }
}

/* Where wider rows leave no room for a column, the heading tells which ones there are. */
static void test_flush_narrow(void **state)
{
    static const struct ov_column columns[] = {
        {.name = "n", .type = OV_CELL_INT}, {.name = "m", .type = OV_CELL_INT, .rank = 1},
    };
    static const struct ov_view view = {.name = "v", .columns = columns, .column_count = 2};
    static const int64_t values[] = {1, 1000000000000, 2};
    struct ov_call call = call_of(OV_SHOW_TABLE, 20, false);
    struct ov_buf out = {0};
    (void)state;
    ov_show(&call, &view);
    for (size_t i = 0; i < OV_COUNT(values); i++) {
        ov_show_row(&call);
        ov_show_int(&call, 0, values[i]);
        ov_show_int(&call, 1, values[i]);
        ov_shown_write(call.shown, true, &out);
    }
    call_end(&call, &out,
             "N  M\n1  1\n            N\n1000000000000\n            2\n", "narrow", 0);
}

static void test_flush_writes(void **state)
{
    struct ov_call call = call_of(OV_SHOW_CSV, 0, false);
    static struct capture capture;
    struct ov_buf out = {0};
    (void)state;
    capture_begin(&capture, STDOUT_FILENO);
    ov_show(&call, &pairs);
    pair_show(&call, "x", 1);
    ov_show_flush(&call);
    pair_show(&call, "y", 2);
    ov_show_flush(&call);
    assert_string_equal(capture_end(&capture), "a,b\nx,1\ny,2\n");
    call_end(&call, &out, "", "rest", 0);
}

/* ---------------------------------------------------------------- size, and where it goes to */

static void test_many(void **state)
{
    enum { ROWS = 100000 };
    (void)state;
    for (enum ov_shape shape = OV_SHAPE_LIST; shape <= OV_SHAPE_CARDS; shape++) {
        for (enum ov_show_format format = OV_SHOW_TABLE; format <= OV_SHOW_CSV; format++) {
            struct ov_view view = {
                .name = "groups", .shape = shape, .columns = group_columns,
                .column_count = OV_COUNT(group_columns),
            };
            struct ov_call call = call_of(format, 80, true);
            struct ov_buf out = {0};
            int64_t began = ov_clock_ms();
            for (int i = 0; i < ROWS; i += 3) {
                ov_show(&call, &view); /* begins anew only where it may */
                groups_show(&call);
                ov_show_note(&call, "note");
            }
            ov_shown_write(call.shown, false, &out);
            if (ov_clock_ms() - began > 5000)
                fail_msg("shape %d, format %d: %jd ms", (int)shape, (int)format,
                         (intmax_t)(ov_clock_ms() - began));
            assert_true(out.len > ROWS * 20);
            ov_buf_free(&out);
            ov_shown_free(call.shown);
        }
    }
}

static void test_long(void **state) /* a name of a megabyte */
{
    struct ov_buf name = {0};
    (void)state;
    while (name.len < 1 << 20)
        ov_buf_str(&name, "a\xcc\x81\xe6\x97\xa5 ");
    for (enum ov_shape shape = OV_SHAPE_LIST; shape <= OV_SHAPE_CARDS; shape++) {
        struct ov_view view = {
            .name = "v", .shape = shape, .columns = pair_columns, .column_count = 2,
        };
        struct ov_call call = call_of(OV_SHOW_TABLE, 40, false);
        struct ov_buf out = {0};
        ov_show(&call, &view);
        ov_show_row(&call);
        ov_show_text(&call, 0, (struct ov_slice){name.data, name.len});
        ov_shown_write(call.shown, false, &out);
        for (char *line = (char *)(uintptr_t)ov_buf_text(&out), *end; *line; line = end + 1) {
            end = strchr(line, '\n');
            size_t width = ov_text_width((struct ov_slice){line, (size_t)(end - line)});
            if (width > 40)
                fail_msg("shape %d: a line of %zu columns", (int)shape, width);
        }
        ov_buf_free(&out);
        ov_shown_free(call.shown);
    }
    ov_buf_free(&name);
}

static void test_locale(void **state)
{
    static const struct {
        const char *all, *type, *lang;
        bool utf8;
    } rows[] = {
        {NULL, NULL, NULL, false}, {"", "", "", false}, {NULL, NULL, "en_US.UTF-8", true},
        {"C", "en_US.UTF-8", "en_US.UTF-8", false}, {"", "de_DE", "en_US.UTF-8", false},
        {"", "C.utf8", "C", true},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const char *const values[] = {rows[i].all, rows[i].type, rows[i].lang};
        static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
        for (size_t k = 0; k < OV_COUNT(names); k++)
            if (!values[k])
                unsetenv(names[k]);
            else
                setenv(names[k], values[k], 1);
        if (ov_terminal_is_utf8() != rows[i].utf8)
            fail_msg("row %zu", i);
    }
    setenv("LC_ALL", "C.UTF-8", 1);
}

/* Standard output is a file, or a terminal that knows its size or does not. */
static void test_terminal(void **state)
{
    static const struct {
        bool terminal;
        unsigned short size;
        const char *columns, *no_colour, *term;
        unsigned width;
        bool colours;
    } rows[] = {
        {false, 0, NULL, NULL, "xterm", 0, false},  {false, 0, "123", NULL, "xterm", 123, false},
        {true, 57, NULL, NULL, "xterm", 57, true},  {true, 57, "123", NULL, "xterm", 123, true},
        {true, 0, "123", NULL, "xterm", 123, true}, {true, 0, NULL, NULL, "xterm", 80, true},
        {true, 0, "0", "", "xterm", 80, true},      {true, 0, "9x", "1", "xterm", 80, false},
        {true, 0, "70000", NULL, "dumb", 80, false}, {true, 300, "-5", NULL, NULL, 300, false},
    };
    static const char *const names[] = {"COLUMNS", "NO_COLOR", "TERM"};
    static struct capture capture;
    (void)state;
    int terminal = posix_openpt(O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0 && grantpt(terminal) == 0 && unlockpt(terminal) == 0);
    int user = open(ptsname(terminal), O_RDWR | O_NOCTTY);
    assert_true(user >= 0);
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const char *const values[] = {rows[i].columns, rows[i].no_colour, rows[i].term};
        struct winsize size = {.ws_row = 24, .ws_col = rows[i].size};
        for (size_t k = 0; k < OV_COUNT(names); k++)
            if (!values[k])
                unsetenv(names[k]);
            else
                setenv(names[k], values[k], 1);
        assert_int_equal(ioctl(user, TIOCSWINSZ, &size), 0);
        capture_begin(&capture, STDOUT_FILENO);
        if (rows[i].terminal)
            dup2(user, STDOUT_FILENO);
        struct ov_show_style style = ov_show_style_of_stdout(OV_SHOW_TABLE);
        bool json_is_wide = ov_show_style_of_stdout(OV_SHOW_JSON).width > 0;
        capture_end(&capture);
        if (style.width != rows[i].width || style.colours != rows[i].colours ||
            style.format != OV_SHOW_TABLE || json_is_wide != rows[i].terminal)
            fail_msg("row %zu: %u columns, colours %d", i, style.width, style.colours);
    }
    close(user);
    close(terminal);
    assert_string_equal(ov_show_formats[OV_SHOW_CSV], "csv");
    assert_null(ov_show_formats[OV_SHOW_CSV + 1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cells), cmocka_unit_test(test_nul), cmocka_unit_test(test_human),
        cmocka_unit_test(test_text_width), cmocka_unit_test(test_json_layout),
        cmocka_unit_test(test_tables), cmocka_unit_test(test_wide),
        cmocka_unit_test(test_cards), cmocka_unit_test(test_cards_of_a_list),
        cmocka_unit_test(test_colours), cmocka_unit_test(test_views),
        cmocka_unit_test(test_json_for_persons), cmocka_unit_test(test_flush),
        cmocka_unit_test(test_flush_ends), cmocka_unit_test(test_flush_narrow),
        cmocka_unit_test(test_flush_writes), cmocka_unit_test(test_many),
        cmocka_unit_test(test_long), cmocka_unit_test(test_locale),
        cmocka_unit_test(test_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
