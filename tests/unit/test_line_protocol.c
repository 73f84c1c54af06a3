/* SPDX-License-Identifier: Apache-2.0 */
/* Line protocol: what is written for each hostile name, text and number, and that readers of
 * both kinds find the same points in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "line_protocol.h"
#include "line_reader.h"

/* A sample with a tag and a field of each type, in memory of its own. */
enum { INT, FLOAT, BOOL, TEXT, FIELDS };
static const struct ov_field fields[FIELDS] = {
    {"n", OV_INT, OV_GAUGE, "", ""},
    {"x", OV_FLOAT, OV_GAUGE, "", ""},
    {"up", OV_BOOL, OV_GAUGE, "", ""},
    {"why", OV_TEXT, OV_GAUGE, "", ""},
};
static const char *const tag_names[] = {"agent", "topic"};
static const struct ov_measurement measurement = {"m", "", tag_names, fields, 2, FIELDS};

struct row {
    struct ov_sample sample;
    struct ov_slice tags[2], text;
    union ov_value values[FIELDS];
};

static struct ov_sample *row_start(struct row *row)
{
    *row = (struct row){0};
    row->sample = (struct ov_sample){.measurement = &measurement, .time_ns = 7,
                                     .tags = row->tags, .values = row->values};
    return &row->sample;
}

static void row_text(struct row *row, struct ov_slice text)
{
    row->text = text;
    row->values[TEXT].text = &row->text;
    row->sample.present |= 1u << TEXT;
}

static void set_float(struct ov_sample *s, double value) /* also what ov_sample_float leaves out */
{
    s->values[FLOAT].number = value;
    s->present |= 1u << FLOAT;
}

static void check_line(size_t number, const struct ov_sample *s, const char *want)
{
    struct ov_buf buf = {0};
    const char *why = line_write(&buf, s, NULL, 0);
    if (why)
        fail_msg("row %zu: not written: %s", number, why);
    if (strcmp(ov_buf_text(&buf), want) != 0)
        fail_msg("row %zu:\n got %s\nwant %s", number, ov_buf_text(&buf), want);
    ov_buf_free(&buf);
}

#define BYTES(literal) {literal, sizeof(literal) - 1}

static void test_tags(void **state)
{
    (void)state;
    static const struct { struct ov_slice value; const char *written; } rows[] = {
        {BYTES("orders"), "orders"}, {BYTES("file_system.tasks"), "file_system.tasks"},
        {BYTES("a b"), "a\\ b"}, {BYTES("a,b"), "a\\,b"}, {BYTES("a=b"), "a\\=b"},
        {BYTES(" "), "\\ "}, {BYTES(",,=="), "\\,\\,\\=\\="}, {BYTES("\"q\""), "\"q\""},
        {BYTES("a:b*?[c]"), "a:b*?[c]"}, {BYTES("#not a comment"), "#not\\ a\\ comment"},
        {BYTES("a\nb"), "a\u240ab"}, {BYTES("a\rb"), "a\u240db"}, {BYTES("a\tb"), "a\u2409b"},
        {BYTES("a\0b"), "a\u2400b"}, {BYTES("\0"), "\u2400"}, {BYTES("\x7f"), "\u2421"},
        {BYTES("\x1b[31m"), "\u241b[31m"}, {BYTES("x\nm,topic=y n=1i 7"),
                                            "x\u240am\\,topic\\=y\\ n\\=1i\\ 7"},
        {BYTES("a\\b"), "a\\b"}, {BYTES("a\\\\b"), "a\\\\b"}, {BYTES("a\\nb"), "a\\nb"},
        {BYTES("a\\"), "a\uff3c"}, {BYTES("\\"), "\uff3c"}, {BYTES("a\\\\"), "a\\\uff3c"},
        {BYTES("a\\,b"), "a\uff3c\\,b"}, {BYTES("a\\\\,b"), "a\\\uff3c\\,b"},
        {BYTES("a\\ b"), "a\uff3c\\ b"}, {BYTES("a\\=b"), "a\uff3c\\=b"},
        {BYTES("a\\\nb"), "a\\\u240ab"}, {BYTES("a\\\xff"), "a\\\ufffd"},
        {BYTES("\u6ce8\u6587"), "\u6ce8\u6587"}, {BYTES("\U0001f600"), "\U0001f600"},
        {BYTES("\xff"), "\ufffd"}, {BYTES("a\xc3"), "a\ufffd"}, {BYTES("\xc3("), "\ufffd("},
        {BYTES("\xc0\x80"), "\ufffd\ufffd"}, {BYTES("\xed\xa0\x80"), "\ufffd\ufffd\ufffd"},
        {BYTES("\xe0\x80\xaf"), "\ufffd\ufffd\ufffd"}, {BYTES("\xf0\x9f\x98"), "\ufffd\ufffd\ufffd"},
        {BYTES("\xf4\x90\x80\x80"), "\ufffd\ufffd\ufffd\ufffd"}, {BYTES("\xc3,"), "\ufffd\\,"},
        {BYTES("\xe2\x82\n"), "\ufffd\ufffd\u240a"}, {BYTES("\xc2\x85"), "\xc2\x85"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        struct ov_sample *s = row_start(&row);
        char want[256];
        s->tags[1] = rows[i].value;
        ov_sample_int(s, INT, 1);
        snprintf(want, sizeof want, "m,topic=%s n=1i 7\n", rows[i].written);
        check_line(i, s, want);
    }
}

static void test_texts(void **state)
{
    (void)state;
    static const struct { struct ov_slice value; const char *written; } rows[] = {
        {BYTES(""), ""}, {BYTES("plain, with = and space"), "plain, with = and space"},
        {BYTES("say \"no\""), "say \\\"no\\\""}, {BYTES("c:\\dir\\"), "c:\\\\dir\\\\"},
        {BYTES("\\\""), "\\\\\\\""}, {BYTES("a\nb"), "a\u240ab"}, {BYTES("a\r\nb"), "a\u240d\u240ab"},
        {BYTES("\0"), "\u2400"}, {BYTES("\xff\xfe"), "\ufffd\ufffd"}, {BYTES("\u00e9"), "\u00e9"},
        {BYTES("\" 7\nm n=2i 8"), "\\\" 7\u240am n=2i 8"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        char want[256];
        row_start(&row);
        row_text(&row, rows[i].value);
        snprintf(want, sizeof want, "m why=\"%s\" 7\n", rows[i].written);
        check_line(i, &row.sample, want);
    }
}

static void test_text_is_cut(void **state)
{
    (void)state;
    static const struct { size_t at; const char *last; size_t kept; } rows[] = {
        {LINE_TEXT_MAX - 1, "x", LINE_TEXT_MAX},
        {LINE_TEXT_MAX - 1, "\u00e9", LINE_TEXT_MAX - 1},
        {LINE_TEXT_MAX - 2, "\u00e9", LINE_TEXT_MAX},
        {LINE_TEXT_MAX - 1, "\u6ce8", LINE_TEXT_MAX - 1},
        {LINE_TEXT_MAX - 2, "\u6ce8", LINE_TEXT_MAX - 2},
        {LINE_TEXT_MAX - 3, "\u6ce8", LINE_TEXT_MAX},
        {LINE_TEXT_MAX - 3, "\U0001f600", LINE_TEXT_MAX - 3},
    };
    enum { LONG = 70000 };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        char *text = ov_malloc(LONG);
        memset(text, 'a', LONG);
        memcpy(text + rows[i].at, rows[i].last, strlen(rows[i].last));
        struct row row;
        struct ov_buf buf = {0};
        row_start(&row);
        row_text(&row, (struct ov_slice){text, LONG});
        assert_null(line_write(&buf, &row.sample, NULL, 0));
        size_t kept = buf.len - strlen("m why=\"\" 7\n");
        if (kept != rows[i].kept)
            fail_msg("row %zu: %zu bytes kept instead of %zu", i, kept, rows[i].kept);
        ov_buf_free(&buf);
        free(text);
    }
}

static void test_integers(void **state)
{
    (void)state;
    static const struct { int64_t value; const char *line; } rows[] = {
        {0, "m n=0i 7\n"}, {-1, "m n=-1i 7\n"}, {9007199254740993, "m n=9007199254740993i 7\n"},
        {INT64_MAX, "m n=9223372036854775807i 7\n"}, {INT64_MIN, "m n=-9223372036854775808i 7\n"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        ov_sample_int(row_start(&row), INT, rows[i].value);
        check_line(i, &row.sample, rows[i].line);
    }
}

static void test_floats(void **state)
{
    (void)state;
    static const struct { double value; const char *line; } rows[] = {
        {1, "m x=1 7\n"}, {1.5, "m x=1.5 7\n"}, {2, "m x=2 7\n"}, {0.1, "m x=0.1 7\n"},
        {-0.0, "m x=-0 7\n"}, {1e-320, "m x=1e-320 7\n"}, {1e308, "m x=1e308 7\n"},
        {1e15, "m x=1000000000000000 7\n"}, {-2.5e-10, "m x=-2.5e-10 7\n"},
    };
    setlocale(LC_ALL, "de_DE.UTF-8");
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        set_float(row_start(&row), rows[i].value);
        check_line(i, &row.sample, rows[i].line);
    }
    setlocale(LC_ALL, "C");
}

static void test_no_number(void **state)
{
    (void)state;
    static const double rows[] = {NAN, -NAN, INFINITY, -INFINITY};
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        struct ov_buf buf = {0};
        struct ov_sample *s = row_start(&row);
        s->tags[0] = OV_SLICE("a");
        set_float(s, rows[i]);
        ov_buf_str(&buf, "before\n");
        if (!line_write(&buf, s, NULL, 0))
            fail_msg("row %zu: a sample without a value was written", i);
        assert_string_equal(ov_buf_text(&buf), "before\n"); /* nothing left behind */
        ov_buf_free(&buf);
        ov_sample_bool(s, BOOL, true);
        check_line(i, s, "m,agent=a up=true 7\n");
    }
}

static void test_absent(void **state)
{
    (void)state;
    struct row row;
    struct ov_buf buf = {0};
    struct ov_sample *s = row_start(&row);
    assert_non_null(line_write(&buf, s, NULL, 0));
    assert_int_equal(buf.len, 0);
    ov_buf_free(&buf);
    ov_sample_bool(s, BOOL, false);
    check_line(0, s, "m up=false 7\n");
    s->tags[1] = OV_SLICE("t");
    ov_sample_int(s, INT, 3);
    s->time_ns = -5;
    check_line(1, s, "m,topic=t n=3i,up=false -5\n");
}

static void test_common_tags(void **state)
{
    (void)state;
    static const struct {
        struct ov_slice agent, topic;
        struct ov_tag common[3];
        const char *line;
    } rows[] = {
        {BYTES("a"), BYTES("t"), {{"host", BYTES("h")}}, "m,agent=a,host=h,topic=t n=1i 7\n"},
        {BYTES(""), BYTES("t"), {{"aa", BYTES("1")}, {"zz", BYTES("2")}},
         "m,aa=1,topic=t,zz=2 n=1i 7\n"},
        {BYTES("a"), BYTES("t"), {{"agent", BYTES("other")}, {"topic", BYTES("other")}},
         "m,agent=a,topic=t n=1i 7\n"},
        {BYTES(""), BYTES("t"), {{"agent", BYTES("other")}}, "m,agent=other,topic=t n=1i 7\n"},
        {BYTES("a"), BYTES(""), {{"host", BYTES("")}, {"k y", BYTES("v=")}},
         "m,agent=a,k\\ y=v\\= n=1i 7\n"},
        {BYTES("a"), BYTES("t"), {{"z", BYTES("1")}, {"b", BYTES("2")}, {"agent", BYTES("3")}},
         "m,agent=a,topic=t,z=1,b=2 n=1i 7\n"}, /* unsorted in, not sorted out, nothing lost */
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        struct ov_buf buf = {0};
        size_t count = 0;
        while (count < 3 && rows[i].common[count].name)
            count++;
        struct ov_sample *s = row_start(&row);
        s->tags[0] = rows[i].agent;
        s->tags[1] = rows[i].topic;
        ov_sample_int(s, INT, 1);
        assert_null(line_write(&buf, s, rows[i].common, count));
        if (strcmp(ov_buf_text(&buf), rows[i].line) != 0)
            fail_msg("row %zu:\n got %s\nwant %s", i, ov_buf_text(&buf), rows[i].line);
        ov_buf_free(&buf);
    }
}

static void test_names(void **state)
{
    (void)state;
    static const struct ov_field odd_fields[] = {{"a b,c=d\"e\\", OV_BOOL, OV_GAUGE, "", ""}};
    static const struct ov_measurement odd = {"my m,e=a\n", "", NULL, odd_fields, 0, 1};
    union ov_value value = {.boolean = true};
    struct ov_sample s = {.measurement = &odd, .present = 1, .values = &value};
    check_line(0, &s, "my\\ m\\,e=a\u240a a\\ b\\,c\\=d\"e\uff3c=true 0\n");
}

static void test_reserved_names(void **state)
{
    (void)state;
    static const struct { const char *measurement, *tag, *field, *line; } rows[] = {
        {"#m", "t", "f", "\uff03m,t=v f=true 0\n"}, {"m#", "#", "#", "m#,#=v #=true 0\n"},
        {"#", "times", "tim", "\uff03,times=v tim=true 0\n"},
        {"time", "time", "f", "time,time_=v f=true 0\n"},
        {"m", "t", "time", "m,t=v time_=true 0\n"},
        {"_field", "_field", "_measurement", "_field,_field_=v _measurement_=true 0\n"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const struct ov_field field = {rows[i].field, OV_BOOL, OV_GAUGE, "", ""};
        const struct ov_measurement m = {rows[i].measurement, "", &rows[i].tag, &field, 1, 1};
        union ov_value value = {.boolean = true};
        struct ov_slice tag = OV_SLICE("v");
        struct ov_sample s = {.measurement = &m, .present = 1, .tags = &tag, .values = &value};
        check_line(i, &s, rows[i].line);
    }
}

static void test_key_too_long(void **state)
{
    (void)state;
    static const struct { size_t len; bool fits; } rows[] = {
        {1000, true}, {LINE_KEY_MAX - 8, true}, {LINE_KEY_MAX - 7, false}, {300000, false},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct row row;
        struct ov_buf buf = {0};
        struct ov_sample *s = row_start(&row);
        char *name = ov_malloc(rows[i].len);
        memset(name, 'x', rows[i].len);
        s->tags[1] = (struct ov_slice){name, rows[i].len};
        ov_sample_int(s, INT, 1);
        bool fits = line_write(&buf, s, NULL, 0) == NULL;
        if (fits != rows[i].fits || (fits ? buf.len != rows[i].len + strlen("m,topic= n=1i 7\n")
                                          : buf.len != 0))
            fail_msg("row %zu: %zu bytes written", i, buf.len);
        ov_buf_free(&buf);
        free(name);
    }
}

/* All short strings over the bytes that matter, as a tag and as a text, read back. */
static void check_round_trip(struct ov_slice bytes)
{
    struct row row;
    struct ov_buf buf = {0}, name = {0}, text = {0};
    struct ov_sample *s = row_start(&row);
    s->tags[0] = bytes;
    s->tags[1] = OV_SLICE("t");
    row_text(&row, bytes);
    assert_null(line_write(&buf, s, NULL, 0));
    line_reader_expect(&name, bytes, true);
    ov_buf_char(&text, '"');
    line_reader_expect(&text, bytes, false);
    if (memchr(buf.data, '\n', buf.len) != buf.data + buf.len - 1)
        fail_msg("not one line: %s", ov_buf_text(&buf));
    for (int pairs = 0; pairs < 2; pairs++) {
        struct line_reader line = {0};
        struct ov_slice written = {buf.data, buf.len - 1};
        bool ok = line_reader_read(&line, written, pairs) && line.tag_count == 2 &&
                  line.field_count == 1;
        ok = ok && line.fields[0].value.len == text.len &&
             memcmp(line.fields[0].value.data, text.data, text.len) == 0;
        if (!pairs)
            ok = ok && line.tags[0].value.len == name.len &&
                 memcmp(line.tags[0].value.data, name.data, name.len) == 0;
        if (!ok)
            fail_msg("does not read back (pairs %d): %s", pairs, ov_buf_text(&buf));
        line_reader_free(&line);
    }
    ov_buf_free(&buf);
    ov_buf_free(&name);
    ov_buf_free(&text);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const char alphabet[] = {'a', '\\', ',', '=', ' ', '"', '\n', '\0', '\xc3', '\xa9'};
    enum { LETTERS = sizeof alphabet, LONGEST = 4 };
    for (size_t len = 1, count = LETTERS; len <= LONGEST; len++, count *= LETTERS)
        for (size_t n = 0; n < count; n++) {
            char bytes[LONGEST];
            for (size_t i = 0, rest = n; i < len; i++, rest /= LETTERS)
                bytes[i] = alphabet[rest % LETTERS];
            check_round_trip((struct ov_slice){bytes, len});
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags), cmocka_unit_test(test_texts),
        cmocka_unit_test(test_text_is_cut), cmocka_unit_test(test_integers),
        cmocka_unit_test(test_floats), cmocka_unit_test(test_no_number),
        cmocka_unit_test(test_absent), cmocka_unit_test(test_common_tags),
        cmocka_unit_test(test_names), cmocka_unit_test(test_reserved_names),
        cmocka_unit_test(test_key_too_long),
        cmocka_unit_test(test_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
