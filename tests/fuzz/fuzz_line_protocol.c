/* SPDX-License-Identifier: Apache-2.0 */
/* Line protocol: any bytes as names, tags and texts give one line that readers take apart into
 * exactly what went in (with the documented replacements). Input: words separated by 0x01 0x02,
 * used as measurement, field name, tag names and values, text; its first 8 bytes are the float. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "../unit/line_reader.h"
#include "line_protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 8 };

static void check(bool ok, const char *what, struct ov_buf *buf)
{
    if (ok)
        return;
    fprintf(stderr, "%s: %s\n", what, ov_buf_text(buf));
    abort();
}

static bool same(const struct ov_buf *buf, struct ov_slice bytes, bool name)
{
    struct ov_buf want = {0};
    if (!name)
        ov_buf_char(&want, '"');
    line_reader_expect(&want, bytes, name);
    bool equal = ov_slice_eq((struct ov_slice){want.data, want.len},
                             (struct ov_slice){buf->data, buf->len});
    ov_buf_free(&want);
    return equal;
}

static bool is_reserved(const char *name)
{
    return strcmp(name, "time") == 0 || strcmp(name, "_field") == 0 ||
           strcmp(name, "_measurement") == 0;
}

/* A word as the name in a table: a C string, not empty and not one that is changed. */
static char *name_new(struct ov_slice word)
{
    char *name = ov_memdup(word.ptr, word.len);
    if (*name && !is_reserved(name))
        return name;
    free(name);
    return ov_strdup("name");
}

static size_t split(const uint8_t *data, size_t size, struct ov_slice words[WORDS])
{
    size_t count = 0, start = 0;
    for (size_t i = 0; i < size && count + 1 < WORDS; i++)
        if (data[i] == 1 && i + 1 < size && data[i + 1] == 2) {
            words[count++] = (struct ov_slice){(const char *)data + start, i - start};
            start = i + 2;
        }
    words[count++] = (struct ov_slice){(const char *)data + start, size - start};
    return count;
}

static void check_line(struct ov_buf *buf, const struct ov_sample *s, bool pairs)
{
    struct line_reader line = {0};
    const struct ov_measurement *m = s->measurement;
    check(line_reader_read(&line, (struct ov_slice){buf->data, buf->len - 1}, pairs), "read", buf);
    size_t tags = 0;
    for (size_t i = 0; i < m->tag_count; i++) {
        if (!s->tags[i].len)
            continue;
        check(tags < line.tag_count, "a tag is missing", buf);
        if (!pairs) {
            check(same(&line.tags[tags].name, ov_slice(m->tags[i]), true), "tag name", buf);
            check(same(&line.tags[tags].value, s->tags[i], true), "tag value", buf);
        }
        tags++;
    }
    check(tags == line.tag_count, "a tag too many", buf);
    size_t want = 1 + isfinite(s->values[1].number);
    check(line.field_count == want, "number of fields", buf);
    check(same(&line.fields[0].value, *s->values[0].text, false), "text", buf);
    if (want == 2)
        check(strtod(ov_buf_text(&line.fields[1].value), NULL) == s->values[1].number, "x", buf);
    if (!pairs)
        check(same(&line.fields[0].name, ov_slice(m->fields[0].name), true), "field name", buf);
    line_reader_free(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ov_slice words[WORDS] = {{0}};
    double number = 0;
    if (size < sizeof number)
        return 0;
    memcpy(&number, data, sizeof number);
    split(data + sizeof number, size - sizeof number, words);

    char *names[4];
    for (size_t i = 0; i < OV_COUNT(names); i++)
        names[i] = name_new(words[i]);
    const char *tag_names[] = {names[2], names[3]};
    const struct ov_field fields[] = {
        {names[1], OV_TEXT, OV_GAUGE, "", ""}, {"x", OV_FLOAT, OV_GAUGE, "", ""},
    };
    const struct ov_measurement m = {names[0], "", tag_names, fields, 2, 2};
    struct ov_slice tags[] = {words[4], words[5]}, text = words[6];
    union ov_value values[] = {{.text = &text}, {.number = number}};
    struct ov_sample s = {.measurement = &m, .time_ns = (int64_t)size, .present = 3,
                          .tags = tags, .values = values};
    struct ov_buf buf = {0};
    if (!line_write(&buf, &s, NULL, 0)) {
        check(memchr(buf.data, '\n', buf.len) == buf.data + buf.len - 1, "lines", &buf);
        check_line(&buf, &s, false);
        check_line(&buf, &s, true);
    } else {
        check(buf.len == 0 && tags[0].len + tags[1].len > LINE_KEY_MAX / 4, "refused", &buf);
    }
    ov_buf_free(&buf);
    for (size_t i = 0; i < OV_COUNT(names); i++)
        free(names[i]);
    return 0;
}
