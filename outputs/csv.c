/* SPDX-License-Identifier: Apache-2.0 */
/* What all lines of a sample begin with is written once, and copied for its further fields. */
#include "csv.h"
#include "rfc3339.h"
#include "tags.h"
#include "utf8.h"
#include "values.h"

static bool needs_quotes(struct ov_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(",\"\r\n", text.ptr[i])) /* NUL too */
            return true;
    return text.len == 0 || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ';
}

static void control_write(struct ov_buf *buf, unsigned char c)
{
    char picture[3] = {'\xe2', '\x90', (char)(0x80 | (c == 0x7f ? 0x21 : c))};
    ov_buf_add(buf, picture, sizeof picture);
}

/* Writes a cell; an empty text is in quotes, so that it is not taken for none. */
static void cell_write(struct ov_buf *buf, struct ov_slice text)
{
    bool quoted = needs_quotes(text);
    if (quoted)
        ov_buf_char(buf, '"');
    for (size_t i = 0; i < text.len;) {
        unsigned char c = (unsigned char)text.ptr[i];
        size_t len = ov_utf8_len(text.ptr + i, text.len - i);
        if (c == '"')
            ov_buf_str(buf, "\"\"");
        else if ((c < 0x20 && c != '\n' && c != '\r' && c != '\t') || c == 0x7f)
            control_write(buf, c);
        else if (len)
            ov_buf_add(buf, text.ptr + i, len);
        else
            ov_buf_str(buf, "\xef\xbf\xbd");
        i += len ? len : 1;
    }
    if (quoted)
        ov_buf_char(buf, '"');
}

/* Appends the tags as a cell that holds a JSON object. */
static void tags_write(struct ov_buf *buf, struct tags all)
{
    struct ov_buf object = {0};
    ov_buf_char(&object, '{');
    for (struct ov_tag tag; tags_next(&all, &tag);) {
        if (object.len > 1)
            ov_buf_char(&object, ',');
        ov_buf_json(&object, ov_slice(tag.name));
        ov_buf_char(&object, ':');
        ov_buf_json(&object, tag.value);
    }
    ov_buf_char(&object, '}');
    cell_write(buf, (struct ov_slice){object.data, object.len});
    ov_buf_free(&object);
}

const char *csv_write(struct ov_buf *buf, const struct ov_sample *s, const struct ov_tag *tags,
                      size_t tag_count)
{
    const struct ov_measurement *m = s->measurement;
    size_t start = buf->len, head = 0;
    for (unsigned i = 0; i < m->field_count; i++) {
        enum ov_type type = m->fields[i].type;
        if (!value_is_there(s, i))
            continue;
        if (head) {
            ov_buf_grow(buf, head); /* the source must not move */
            ov_buf_add(buf, buf->data + start, head);
        } else {
            rfc3339_write(buf, s->time_ns);
            ov_buf_char(buf, ',');
            cell_write(buf, ov_slice(m->name));
            ov_buf_char(buf, ',');
            tags_write(buf, tags_of(s, tags, tag_count));
            ov_buf_char(buf, ',');
            head = buf->len - start;
        }
        cell_write(buf, ov_slice(m->fields[i].name));
        ov_buf_char(buf, ',');
        if (type == OV_TEXT)
            cell_write(buf, *s->values[i].text);
        else
            value_put(buf, type, s->values[i]);
        ov_buf_char(buf, '\n');
    }
    return head ? NULL : "no field has a value";
}
