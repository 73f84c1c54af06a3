/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of whole lines: how they are cut, made coarser, and compressed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdlib.h>
#include <zlib.h>

#include "gzip.h"
#include "lines.h"

static void test_first(void **state)
{
    (void)state;
    static const struct { const char *bytes; size_t max_bytes, max_lines, len, count; } rows[] = {
        {"", 10, 10, 0, 0},
        {"a 1\n", 10, 10, 4, 1}, {"a 1\n", 4, 1, 4, 1},
        {"a 1\n", 3, 10, 4, 1}, /* longer than allowed, but alone */
        {"a 1\n", 0, 0, 4, 1}, {"\n", 0, 0, 1, 1}, {"\n\n\n", 2, 9, 2, 2},
        {"a 1\nb 2\n", 8, 10, 8, 2}, {"a 1\nb 2\n", 7, 10, 4, 1}, {"a 1\nb 2\n", 8, 1, 4, 1},
        {"a 1\nb 2\nc 3\n", 11, 10, 8, 2}, {"a 1\nb 2\nc 3\n", 99, 2, 8, 2},
        {"a 1\nb 2", 99, 9, 7, 2}, {"a 1\nb 2", 6, 9, 4, 1}, {"a 1", 1, 9, 3, 1},
        {"long line 1\nb 2\n", 5, 9, 12, 1},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        size_t count = 99;
        struct ov_slice bytes = ov_slice(rows[i].bytes);
        struct ov_slice first = lines_first(bytes, rows[i].max_bytes, rows[i].max_lines, &count);
        if (first.ptr != bytes.ptr || first.len != rows[i].len || count != rows[i].count)
            fail_msg("row %zu: %zu bytes, %zu lines", i, first.len, count);
    }
}

static void test_coarsen(void **state)
{
    (void)state;
    static const struct { const char *lines; size_t digits; const char *coarse; } rows[] = {
        {"", 3, ""},
        {"m n=1i 1764000000123456789\n", 3, "m n=1i 1764000000123456\n"},
        {"m n=1i 1764000000123456789\n", 6, "m n=1i 1764000000123\n"},
        {"m n=1i 1764000000123456789\n", 9, "m n=1i 1764000000\n"},
        {"m n=1i 1764000000123456789", 9, "m n=1i 1764000000"},
        {"m n=1i 1764000000123456789\nm n=2i 1764000001123456789\n", 9,
         "m n=1i 1764000000\nm n=2i 1764000001\n"},
        {"m,a=b\\ c t=\"x y 12345678901234567890\" 1764000000123456789\n", 9,
         "m,a=b\\ c t=\"x y 12345678901234567890\" 1764000000\n"},
        {"m n=1i 999999999\n", 9, "m n=1i 0\n"}, {"m n=1i 1000000000\n", 9, "m n=1i 1\n"},
        {"m n=1i 7\n", 3, "m n=1i 0\n"}, {"m n=1i 0\n", 9, "m n=1i 0\n"},
        {"m n=1i -7\n", 3, "m n=1i 0\n"}, {"m n=1i -7123\n", 3, "m n=1i -7\n"},
        {"m n=1i -712\n", 3, "m n=1i 0\n"}, {"\n", 3, "\n"}, {"x\n", 3, "x\n"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf out = {0};
        lines_coarsen(&out, ov_slice(rows[i].lines), rows[i].digits);
        if (strcmp(ov_buf_text(&out), rows[i].coarse) != 0)
            fail_msg("row %zu: %s", i, ov_buf_text(&out));
        ov_buf_free(&out);
    }
}

static void check_unpacks(const struct ov_buf *packed, struct ov_slice want)
{
    z_stream stream = {0};
    unsigned char *out = ov_malloc(want.len + 1);
    assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
    stream.next_in = (unsigned char *)packed->data;
    stream.avail_in = (unsigned)packed->len;
    stream.next_out = out;
    stream.avail_out = (unsigned)want.len + 1;
    assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
    assert_int_equal(stream.total_out, want.len);
    assert_memory_equal(out, want.ptr ? want.ptr : "", want.len);
    assert_int_equal(stream.avail_in, 0);
    inflateEnd(&stream);
    free(out);
}

static void test_gzip(void **state)
{
    (void)state;
    struct gzip *gzip = gzip_new();
    struct ov_buf lines = {0}, packed = {0};
    for (size_t round = 0; round < 8; round++) { /* from nothing to half a megabyte and back */
        ov_buf_reset(&lines);
        for (size_t i = 0, count = round * (7 - round) * 1500; i < count; i++)
            ov_buf_printf(&lines, "m,topic=t%zu n=%zui 1764000000000000000\n", i % 97, i * i);
        assert_true(gzip_pack(gzip, (struct ov_slice){lines.data, lines.len}, &packed));
        check_unpacks(&packed, (struct ov_slice){lines.data, lines.len});
        if (lines.len > 10000)
            assert_in_range(packed.len, 1, lines.len / 4);
    }
    ov_buf_reset(&lines);
    for (uint32_t i = 0, x = 1; i < 100000; i++) /* what cannot be made smaller */
        ov_buf_char(&lines, (char)((x = x * 1664525 + 1013904223) >> 24));
    assert_true(gzip_pack(gzip, (struct ov_slice){lines.data, lines.len}, &packed));
    check_unpacks(&packed, (struct ov_slice){lines.data, lines.len});
    ov_buf_free(&lines);
    ov_buf_free(&packed);
    gzip_free(gzip);
    gzip_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first), cmocka_unit_test(test_coarsen), cmocka_unit_test(test_gzip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
