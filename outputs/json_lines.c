/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: written straight into the buffer; no tree is built. */
#include "json_lines.h"
#include "rfc3339.h"
#include "tags.h"
#include "values.h"

static void key_write(struct ov_buf *buf, const char *name, bool first)
{
    if (!first)
        ov_buf_char(buf, ',');
    ov_buf_json(buf, ov_slice(name));
    ov_buf_char(buf, ':');
}

/* Returns how many fields had a value. */
static unsigned fields_write(struct ov_buf *buf, const struct ov_sample *s)
{
    const struct ov_measurement *m = s->measurement;
    unsigned written = 0;
    for (unsigned i = 0; i < m->field_count; i++) {
        enum ov_type type = m->fields[i].type;
        if (!value_is_there(s, i))
            continue;
        key_write(buf, m->fields[i].name, written++ == 0);
        if (type == OV_TEXT)
            ov_buf_json(buf, *s->values[i].text);
        else
            value_put(buf, type, s->values[i]);
    }
    return written;
}

static void tags_write(struct ov_buf *buf, struct tags all)
{
    bool first = true;
    for (struct ov_tag tag; tags_next(&all, &tag); first = false) {
        key_write(buf, tag.name, first);
        ov_buf_json(buf, tag.value);
    }
}

const char *json_line_write(struct ov_buf *buf, const struct ov_sample *sample,
                            const struct ov_tag *tags, size_t tag_count)
{
    size_t start = buf->len;
    ov_buf_str(buf, "{\"time\":\"");
    rfc3339_write(buf, sample->time_ns);
    ov_buf_str(buf, "\",\"measurement\":");
    ov_buf_json(buf, ov_slice(sample->measurement->name));
    ov_buf_str(buf, ",\"tags\":{");
    tags_write(buf, tags_of(sample, tags, tag_count));
    ov_buf_str(buf, "},\"fields\":{");
    if (fields_write(buf, sample) == 0) {
        buf->len = start;
        return "no field has a value";
    }
    ov_buf_str(buf, "}}\n");
    return NULL;
}
