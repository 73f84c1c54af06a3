/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as tags, as an address and as lines to be packed: whatever a name holds, a gauge is
 * one line (or two, below zero) with one colon, one type and no other tag, and packing loses
 * nothing. */
#include <stdio.h>
#include <stdlib.h>

#include "address.h"
#include "batch.h"
#include "datagram.h"
#include "statsd_lines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct ov_field fields[] = {{"x", OV_INT, OV_GAUGE, "", ""}};
static const char *const tag_names[] = {"a", "b"};
static const struct ov_measurement measurement = {"m", "", tag_names, fields, 2, 1};

static void require(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "broken: %s\n", what);
    abort();
}

static size_t count(struct ov_slice in, char c)
{
    size_t n = 0;
    for (size_t i = 0; i < in.len; i++)
        n += in.ptr[i] == c;
    return n;
}

static void check_line(struct ov_slice line, enum statsd_dialect dialect, size_t tags)
{
    bool dog = dialect == STATSD_DOGSTATSD;
    require(count(line, ':') == 1 + (dog ? tags : 0), "colons");
    require(count(line, '|') == (dog && tags ? 2 : 1), "bars");
    require(count(line, '#') == (dog && tags ? 1 : 0), "hashes");
    require(count(line, '=') == (dialect >= STATSD_INFLUX ? tags : 0), "equals");
    require(count(line, ';') == (dialect == STATSD_GRAPHITE ? tags : 0), "semicolons");
    require(dialect != STATSD_PLAIN || count(line, '.') == 3, "places");
    for (size_t i = 0; i < line.len; i++)
        require((unsigned char)line.ptr[i] > ' ' && line.ptr[i] != 0x7f, "blanks and controls");
}

static void fuzz_lines(const char *bytes, size_t size, enum statsd_dialect dialect, size_t split)
{
    struct ov_batch *batch = ov_batch_new(NULL, 0);
    struct ov_sample *s = ov_batch_add(batch, &measurement);
    struct series_table *series = series_table_new(1000, 10);
    struct statsd_style style = {dialect, "", 1432};
    struct ov_buf out = {0}, scratch = {0};
    split = split < size ? split : size;
    ov_sample_tag(batch, s, 0, (struct ov_slice){bytes, split});
    ov_sample_tag(batch, s, 1, (struct ov_slice){bytes + split, size - split});
    ov_sample_int(s, 0, size % 2 ? 5 : -5);
    series_round(series, 0);
    struct statsd_result result = statsd_lines_write(&out, &style, series, s, NULL, 0, &scratch);
    struct ov_slice rest = {out.data, out.len};
    require(result.why ? !out.len : result.lines == 1, "one field");
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        require(end != NULL, "whole lines");
        size_t len = (size_t)(end - rest.ptr);
        require(len <= 1432, "length");
        check_line((struct ov_slice){rest.ptr, len}, dialect, (split > 0) + (split < size));
        rest = (struct ov_slice){end + 1, rest.len - len - 1};
    }
    ov_buf_free(&out);
    ov_buf_free(&scratch);
    series_table_free(series);
    ov_batch_free(batch);
}

static void fuzz_cut(struct ov_slice lines, size_t max)
{
    while (lines.len) {
        size_t n, len = datagram_cut(lines, max, &n);
        require(len > 0 && len <= lines.len && n > 0, "progress");
        require(len == lines.len || lines.ptr[len - 1] == '\n', "cut at a line's end");
        require(n <= 2 || len - 1 <= max, "no more than fits");
        lines = (struct ov_slice){lines.ptr + len, lines.len - len};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    const char *bytes = (const char *)data + 2;
    struct address address;
    char *text = ov_memdup(bytes, size - 2);
    const char *why = address_read(&address, text, "8125");
    require(why || (*address.host && strlen(address.host) < sizeof address.host), "a host");
    free(text);
    fuzz_lines(bytes, size - 2, (enum statsd_dialect)(data[0] % 4), data[1]);
    fuzz_cut((struct ov_slice){bytes, size - 2}, data[1]);
    return 0;
}
