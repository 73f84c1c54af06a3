/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of line protocol for tests, written from the format's description and not from our
 * writer: it splits a line where an unescaped separator stands and undoes the escaping. Readers
 * differ on two backslashes in a name: InfluxDB 1 and 2 keep both (`pairs` false), others read
 * them as one and take the separator behind them for a separator (`pairs` true). What we write
 * must be the same points to both.
 */
#ifndef LINE_READER_H
#define LINE_READER_H

#include "omnivigil.h"

enum { LINE_READER_ITEMS = 64 };

struct line_item {
    struct ov_buf name, value; /* unescaped; of a text with its first quote */
};
struct line_reader {
    struct ov_buf measurement;
    struct line_item tags[LINE_READER_ITEMS], fields[LINE_READER_ITEMS];
    size_t tag_count, field_count;
    struct ov_buf time;
};

static inline void line_reader_free(struct line_reader *line)
{
    ov_buf_free(&line->measurement);
    ov_buf_free(&line->time);
    for (size_t i = 0; i < LINE_READER_ITEMS; i++) {
        ov_buf_free(&line->tags[i].name);
        ov_buf_free(&line->tags[i].value);
        ov_buf_free(&line->fields[i].name);
        ov_buf_free(&line->fields[i].value);
    }
}

/* Reads an escaped word up to one of `stops`; returns that byte, or 0 at the end of the line. */
static inline char line_reader_word(struct ov_slice *in, const char *stops, bool pairs,
                                    struct ov_buf *out)
{
    while (in->len) {
        char c = *in->ptr++;
        in->len--;
        if (c == '\\' && in->len && (strchr(",= ", *in->ptr) || (pairs && *in->ptr == '\\'))) {
            ov_buf_char(out, *in->ptr++);
            in->len--;
        } else if (c && strchr(stops, c)) {
            return c;
        } else {
            ov_buf_char(out, c);
        }
    }
    return 0;
}

/* Reads a field's value; returns the separator behind it, 0 if there is none, '!' for nonsense. */
static inline char line_reader_value(struct ov_slice *in, struct ov_buf *out)
{
    bool text = in->len && *in->ptr == '"';
    for (bool open = false; in->len;) {
        char c = *in->ptr++;
        in->len--;
        if (text && c == '"' && out->len == 0) {
            ov_buf_char(out, c);
            open = true;
        } else if (open && c == '\\' && in->len && (*in->ptr == '"' || *in->ptr == '\\')) {
            ov_buf_char(out, *in->ptr++);
            in->len--;
        } else if (open && c == '"') {
            open = false;
        } else if (!open && (c == ',' || c == ' ')) {
            return c;
        } else if (text && !open) {
            return '!'; /* something between the closing quote and the separator */
        } else {
            ov_buf_char(out, c);
        }
    }
    return 0;
}

/* Reads one line without its newline into `line`, which begins as zeros; false if malformed. */
static inline bool line_reader_read(struct line_reader *line, struct ov_slice in, bool pairs)
{
    char stop = line_reader_word(&in, ", ", pairs, &line->measurement);
    while (stop == ',') {
        if (line->tag_count == LINE_READER_ITEMS)
            return false;
        struct line_item *tag = &line->tags[line->tag_count++];
        if (line_reader_word(&in, "=, ", pairs, &tag->name) != '=')
            return false;
        stop = line_reader_word(&in, "=, ", pairs, &tag->value);
        if (tag->name.len == 0 || tag->value.len == 0)
            return false;
    }
    if (stop != ' ' || line->measurement.len == 0)
        return false;
    do {
        if (line->field_count == LINE_READER_ITEMS)
            return false;
        struct line_item *field = &line->fields[line->field_count++];
        if (line_reader_word(&in, "=, ", pairs, &field->name) != '=' || field->name.len == 0)
            return false;
        stop = line_reader_value(&in, &field->value);
        if (field->value.len == 0)
            return false;
    } while (stop == ',');
    if (stop != ' ')
        return false;
    ov_buf_slice(&line->time, in);
    for (size_t i = line->time.len && line->time.data[0] == '-'; i < line->time.len; i++)
        if (line->time.data[i] < '0' || line->time.data[i] > '9')
            return false;
    return line->time.len > 0;
}

/* The code point of the well-formed UTF-8 character at `b` and its length, or 0. */
static inline size_t line_reader_character(const unsigned char *b, size_t len, uint32_t *code)
{
    static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t size = b[0] < 0x80 ? 1 : b[0] >> 5 == 6 ? 2 : b[0] >> 4 == 14 ? 3 : 4;
    if (size > len || (size == 4 && b[0] >> 3 != 30))
        return 0;
    *code = size == 1 ? b[0] : b[0] & (0x7fu >> size);
    for (size_t i = 1; i < size; i++) {
        if (b[i] >> 6 != 2)
            return 0;
        *code = *code << 6 | (b[i] & 0x3f);
    }
    bool bad = *code < lowest[size] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000);
    return bad ? 0 : size;
}

/* What a reader should find for `bytes`: the documented replacements, nothing else changed. */
static inline void line_reader_expect(struct ov_buf *out, struct ov_slice bytes, bool name)
{
    for (size_t i = 0; i < bytes.len;) {
        uint32_t code;
        const unsigned char *at = (const unsigned char *)bytes.ptr + i;
        size_t size = line_reader_character(at, bytes.len - i, &code);
        if (!name && i + (size ? size : 1) > 65536)
            return;
        i += size ? size : 1;
        bool before_stop = i == bytes.len || bytes.ptr[i] == ',' || bytes.ptr[i] == '=' ||
                           bytes.ptr[i] == ' ';
        if (!size)
            ov_buf_str(out, "\xef\xbf\xbd");
        else if (code < 0x20)
            ov_buf_printf(out, "\xe2\x90%c", (int)(0x80 + code));
        else if (code == 0x7f)
            ov_buf_str(out, "\xe2\x90\xa1");
        else if (name && code == '\\' && before_stop)
            ov_buf_str(out, "\xef\xbc\xbc");
        else
            ov_buf_add(out, at, size);
    }
}

#endif
