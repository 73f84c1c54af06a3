/* SPDX-License-Identifier: Apache-2.0 */
/* Line protocol: names and texts are copied in runs of plain bytes; only what has to be escaped
 * or replaced is looked at one by one. */
#include "line_protocol.h"
#include "tags.h"
#include "values.h"

#define BACKSLASH_LOOKALIKE "\xef\xbc\xbc"
#define NUMBER_SIGN_LOOKALIKE "\xef\xbc\x83"
#define REPLACEMENT "\xef\xbf\xbd"

/* The length of the well-formed UTF-8 character at `b`, or 0. */
static size_t character_len(const unsigned char *b, size_t len)
{
    size_t need = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    if (need == 0 || need > len || b[0] > 0xf4)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) || /* overlong, surrogate */
        (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))   /* overlong, too high */
        return 0;
    return need;
}

static bool is_control(unsigned char c)
{
    return c < 0x20 || c == 0x7f;
}

static void picture_write(struct ov_buf *buf, unsigned char control)
{
    char picture[3] = {'\xe2', '\x90', (char)(0x80 | (control == 0x7f ? 0x21 : control))};
    ov_buf_add(buf, picture, sizeof picture);
}

/* Copies the character at `bytes`, a control byte or one beyond ASCII; returns its length. */
static size_t unusual_write(struct ov_buf *buf, const char *bytes, size_t len)
{
    size_t size = character_len((const unsigned char *)bytes, len);
    if (is_control((unsigned char)*bytes))
        picture_write(buf, (unsigned char)*bytes);
    else if (size)
        ov_buf_add(buf, bytes, size);
    else
        ov_buf_str(buf, REPLACEMENT);
    return size ? size : 1;
}

static bool name_is_special(char c)
{
    return c == ',' || c == ' ' || c == '=';
}

static bool name_is_plain(char c)
{
    unsigned char u = (unsigned char)c;
    return u > ' ' && u < 0x7f && u != ',' && u != '=' && u != '\\';
}

static void name_write(struct ov_buf *buf, struct ov_slice name)
{
    for (size_t i = 0; i < name.len;) {
        size_t run = i;
        while (i < name.len && name_is_plain(name.ptr[i]))
            i++;
        ov_buf_add(buf, name.ptr + run, i - run);
        if (i == name.len)
            break;
        char c = name.ptr[i];
        if (name_is_special(c)) {
            ov_buf_char(buf, '\\');
            ov_buf_char(buf, c);
            i++;
        } else if (c == '\\') {
            i++;
            if (i == name.len || name_is_special(name.ptr[i]))
                ov_buf_str(buf, BACKSLASH_LOOKALIKE);
            else
                ov_buf_char(buf, c);
        } else {
            i += unusual_write(buf, name.ptr + i, name.len - i);
        }
    }
}

static bool text_is_plain(char c)
{
    unsigned char u = (unsigned char)c;
    return u >= ' ' && u < 0x7f && u != '"' && u != '\\';
}

static void text_write(struct ov_buf *buf, struct ov_slice text)
{
    size_t end = text.len < LINE_TEXT_MAX ? text.len : LINE_TEXT_MAX;
    ov_buf_char(buf, '"');
    for (size_t i = 0; i < end;) {
        size_t run = i;
        while (i < end && text_is_plain(text.ptr[i]))
            i++;
        ov_buf_add(buf, text.ptr + run, i - run);
        if (i == end)
            break;
        char c = text.ptr[i];
        if (c == '"' || c == '\\') {
            ov_buf_char(buf, '\\');
            ov_buf_char(buf, c);
            i++;
        } else {
            if (end - i < character_len((const unsigned char *)text.ptr + i, text.len - i))
                break; /* the cut would go through it */
            i += unusual_write(buf, text.ptr + i, end - i);
        }
    }
    ov_buf_char(buf, '"');
}

/* Names that InfluxDB has for itself. */
static bool key_is_reserved(const char *name)
{
    return strcmp(name, "time") == 0 || strcmp(name, "_field") == 0 ||
           strcmp(name, "_measurement") == 0;
}

/* The name of a tag or field. */
static void key_write(struct ov_buf *buf, const char *name)
{
    name_write(buf, ov_slice(name));
    if (key_is_reserved(name))
        ov_buf_char(buf, '_');
}

/* A measurement's name may hold `=` as it is: in it, `\=` is two characters. */
static void measurement_write(struct ov_buf *buf, const char *name)
{
    if (*name == '#') {
        ov_buf_str(buf, NUMBER_SIGN_LOOKALIKE);
        name++;
    }
    for (const char *equals; (equals = strchr(name, '=')); name = equals + 1) {
        name_write(buf, (struct ov_slice){name, (size_t)(equals - name)});
        ov_buf_char(buf, '=');
    }
    name_write(buf, ov_slice(name));
}

static void value_write(struct ov_buf *buf, enum ov_type type, union ov_value value)
{
    if (type == OV_TEXT)
        text_write(buf, *value.text);
    else
        value_put(buf, type, value);
    if (type == OV_INT)
        ov_buf_char(buf, 'i');
}

/* Returns how many fields had a value. */
static unsigned fields_write(struct ov_buf *buf, const struct ov_sample *s)
{
    const struct ov_measurement *m = s->measurement;
    unsigned written = 0;
    for (unsigned i = 0; i < m->field_count; i++) {
        if (!value_is_there(s, i))
            continue;
        ov_buf_char(buf, written++ ? ',' : ' ');
        key_write(buf, m->fields[i].name);
        ov_buf_char(buf, '=');
        value_write(buf, m->fields[i].type, s->values[i]);
    }
    return written;
}

const char *line_write(struct ov_buf *buf, const struct ov_sample *sample,
                       const struct ov_tag *tags, size_t tag_count)
{
    size_t start = buf->len;
    struct tags all = tags_of(sample, tags, tag_count);
    measurement_write(buf, sample->measurement->name);
    for (struct ov_tag tag; tags_next(&all, &tag);) {
        ov_buf_char(buf, ',');
        key_write(buf, tag.name);
        ov_buf_char(buf, '=');
        name_write(buf, tag.value);
    }
    bool too_long = buf->len - start > LINE_KEY_MAX;
    if (too_long || fields_write(buf, sample) == 0) {
        buf->len = start;
        return too_long ? "its tags are longer than InfluxDB allows" : "no field has a value";
    }
    ov_buf_char(buf, ' ');
    ov_buf_int(buf, sample->time_ns);
    ov_buf_char(buf, '\n');
    return NULL;
}
