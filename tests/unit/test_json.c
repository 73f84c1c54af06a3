/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as Python writes and reads it: what is a value, what is none, members of the wrong type, and
 * files that are no such. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

static void test_accepted(void **state)
{
    static const struct {
        const char *text;
        enum json_type type;
    } rows[] = {
        {"null", json_type_null},
        {" null\n", json_type_null},
        {"true", json_type_boolean},
        {"0", json_type_int},
        {"12", json_type_int},
        {"-12 ", json_type_int},
        {"1.5", json_type_double},
        {"1e3", json_type_double},
        {"NaN", json_type_double},
        {"Infinity", json_type_double},
        {"-Infinity", json_type_double},
        {"\"\"", json_type_string},
        {"\"a\\u0000b\"", json_type_string},
        {"\"\xc3\xbc\"", json_type_string},
        {"[]", json_type_array},
        {"\t\r\n [1, 2]\r\n\t ", json_type_array},
        {"{}", json_type_object},
        {"{\"a\": {\"a\": [{}]}}", json_type_object},
        {"{\"a\": NaN, \"b\": [Infinity, -Infinity]}", json_type_object},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const char *why = "unset";
        struct json_object *value = json_read(ov_slice(rows[i].text), &why);
        if (why || json_object_get_type(value) != rows[i].type)
            fail_msg("%s: %s", rows[i].text, why ? why : "of another type");
        json_object_put(value);
    }
}

/* What Python would not read, OmniDaemon does not: it takes the file for empty. (json-c lets some
 * more pass, such as a newline in a string.) */
static void test_refused(void **state)
{
    static const char *const rows[] = {
        "", " ", "\n", "nul", "nulll", "null null", "True", "-", "1,2", "1 2", "12x", "1]", "1}",
        "01", "+1", "1e", "0x10", "\"", "\"a", "\"a\" \"b\"", "'a'", "\"\\x\"",
        "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "[] []", "[]]", "[1],", "{", "}", "{]",
        "{\"a\"}", "{\"a\":}", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{1:1}", "{} x",
        "{}}", "// c\n1", "/* c */ 1", "1 // c", "nan", "infinity", "--Infinity", "\xff", "hello",
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const char *why = NULL;
        struct json_object *value = json_read(ov_slice(rows[i]), &why);
        if (value || !why)
            fail_msg("accepted: %s", rows[i]);
    }
    const char *why = NULL;
    assert_null(json_read((struct ov_slice){"{}\0", 3}, &why));
    assert_non_null(why);
    assert_null(json_read((struct ov_slice){"1\0002", 3}, &why));
    assert_non_null(why);
}

static void test_depth(void **state)
{
    static char deep[100000];
    const char *why;
    (void)state;
    memset(deep, '[', sizeof deep);
    assert_null(json_read((struct ov_slice){deep, sizeof deep}, &why));
    assert_non_null(why);
}

/* ---------------------------------------------------------------- members */

static void test_members(void **state)
{
    static const struct {
        const char *object;
        double number;
        int64_t integer; /* -7: missing */
        const char *text;
        int truth;
    } rows[] = {
        {"{\"m\": 1}", 1, 1, "", -1},
        {"{\"m\": 1.75}", 1.75, 1, "", -1},
        {"{\"m\": -3}", -3, -3, "", -1},
        {"{\"m\": 9223372036854775807}", 9223372036854775807.0, INT64_MAX, "", -1},
        {"{\"m\": 1e300}", 1e300, -7, "", -1},
        {"{\"m\": -1e300}", -1e300, -7, "", -1},
        {"{\"m\": Infinity}", (double)INFINITY, -7, "", -1},
        {"{\"m\": NaN}", (double)NAN, -7, "", -1},
        {"{\"m\": \"1\"}", (double)NAN, -7, "1", -1},
        {"{\"m\": \"\"}", (double)NAN, -7, "", -1},
        {"{\"m\": true}", (double)NAN, -7, "", 1},
        {"{\"m\": false}", (double)NAN, -7, "", 0},
        {"{\"m\": null}", (double)NAN, -7, "", -1},
        {"{\"m\": [1]}", (double)NAN, -7, "", -1},
        {"{\"m\": {\"m\": 1}}", (double)NAN, -7, "", -1},
        {"{\"n\": 1}", (double)NAN, -7, "", -1},
        {"{}", (double)NAN, -7, "", -1},
        {"[1]", (double)NAN, -7, "", -1},
        {"\"m\"", (double)NAN, -7, "", -1},
        {"null", (double)NAN, -7, "", -1},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        const char *why;
        struct json_object *object = json_read(ov_slice(rows[i].object), &why);
        double number = json_get_double(object, "m");
        bool same = isnan(rows[i].number) ? isnan(number) : number == rows[i].number;
        if (why || !same || json_get_int(object, "m", -7) != rows[i].integer ||
            !ov_slice_eq(json_get_text(object, "m"), ov_slice(rows[i].text)) ||
            json_get_bool(object, "m") != rows[i].truth)
            fail_msg("%s: %g, %jd, %.*s, %d", rows[i].object, number,
                     (intmax_t)json_get_int(object, "m", -7),
                     (int)json_get_text(object, "m").len, json_get_text(object, "m").ptr,
                     json_get_bool(object, "m"));
        json_object_put(object);
    }
}

/* ---------------------------------------------------------------- files */

static char dir[] = "/tmp/omnivigil-json-XXXXXX";

static void file_write(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void expect_file(const char *what, const char *reason)
{
    struct ov_buf why = {0};
    struct json_object *value = json_read_file(dir, "f.json", 100, &why);
    if (reason ? value || !strstr(ov_buf_text(&why), reason) : !value || why.len)
        fail_msg("%s: %s", what, why.len ? ov_buf_text(&why) : "accepted");
    json_object_put(value);
    ov_buf_free(&why);
}

static void test_files(void **state)
{
    char path[64], large[128];
    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/f.json", dir);
    memset(large, ' ', sizeof large);
    large[0] = '1';
    large[100] = '\0';
    assert_true(json_file_is_absent(dir, "f.json"));
    expect_file("none", "f.json: No such file");
    file_write(path, "");
    assert_false(json_file_is_absent(dir, "f.json"));
    expect_file("empty", "f.json: empty");
    file_write(path, "[1");
    expect_file("cut", "f.json: ends in the middle");
    file_write(path, "{\"a\": 1}\n");
    expect_file("good", NULL);
    file_write(path, large);
    expect_file("as large as may be", NULL);
    large[100] = ' ';
    large[101] = '\0';
    file_write(path, large);
    expect_file("too large", "f.json: too large");
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    expect_file("a pipe", "f.json: not a regular file");
    unlink(path);
    assert_int_equal(mkdir(path, 0700), 0);
    expect_file("a directory", "f.json: not a regular file");
    rmdir(path);
    assert_int_equal(symlink("/dev/zero", path), 0);
    expect_file("a device", "f.json: not a regular file");
    unlink(path);
    rmdir(dir);
    assert_false(json_file_is_absent(dir, "f.json")); /* the directory is not there either */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted), cmocka_unit_test(test_refused),
        cmocka_unit_test(test_depth),    cmocka_unit_test(test_members),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
