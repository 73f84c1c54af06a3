/* SPDX-License-Identifier: Apache-2.0 */
/* JSON lines: written straight into the buffer; no tree is built. */
#include <math.h>

#include "json_lines.h"
#include "rfc3339.h"
#include "tags.h"

static void key_write(struct ov_buf *buf, const char *name, bool first)
{
    if (!first)
        ov_buf_char(buf, ',');
    ov_buf_json(buf, ov_slice(name));
    ov_buf_char(buf, ':');
}

static void value_write(struct ov_buf *buf, enum ov_type type, union ov_value value)
{
    switch (type) {
    case OV_INT:
        ov_buf_int(buf, value.integer);
        break;
    case OV_FLOAT:
        ov_buf_double(buf, value.number);
        break;
    case OV_BOOL:
        ov_buf_str(buf, value.boolean ? "true" : "false");
        break;
    case OV_TEXT:
        ov_buf_json(buf, *value.text);
        break;
    }
}

/* Returns how many fields had a value. */
static unsigned fields_write(struct ov_buf *buf, const struct ov_sample *s)
{
    const struct ov_measurement *m = s->measurement;
    unsigned written = 0;
    for (unsigned i = 0; i < m->field_count; i++) {
        enum ov_type type = m->fields[i].type;
        if (!(s->present >> i & 1) || (type == OV_FLOAT && !isfinite(s->values[i].number)))
            continue;
        key_write(buf, m->fields[i].name, written++ == 0);
        value_write(buf, type, s->values[i]);
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
