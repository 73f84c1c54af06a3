/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What all lines of a sample share is made once: `head` before the field's name, `middle` between
 * it and the value, and `end` after the type. The three stand behind each other in scratch memory
 * and are, together, the name the series is known by.
 */
#include "statsd_lines.h"
#include "tags.h"
#include "utf8.h"
#include "values.h"

/* The parts of a line as places in a buffer. */
struct frame {
    struct ov_buf *bytes;
    size_t head, middle; /* where each ends; the end ends with the buffer */
};

/* Where a dialect has its tags, and between what. NULL: not there. */
struct grammar {
    const char *first, *between, *equals;
    bool in_name, utf8, pairs;
};

static const struct grammar grammars[] = {
    [STATSD_PLAIN] = {.in_name = true, .pairs = true},
    [STATSD_DOGSTATSD] = {.first = "|#", .between = ",", .equals = ":", .utf8 = true},
    [STATSD_INFLUX] = {",", ",", "=", .in_name = true, .utf8 = true, .pairs = true},
    [STATSD_GRAPHITE] = {";", ";", "=", .in_name = true, .pairs = true},
};

/* ---------------------------------------------------------------- names */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '_' || c == '-';
}

/* Appends a name without what would mean something; `also` are bytes that may stay. */
static void clean(struct ov_buf *buf, struct ov_slice name, const char *also, bool utf8)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        size_t len = (unsigned char)c < 0x80 ? 1 : ov_utf8_len(name.ptr + i, name.len - i);
        if (is_plain(c) || (c && strchr(also, c))) {
            ov_buf_char(buf, c);
        } else if ((unsigned char)c < 0x80 || (utf8 && !len)) {
            ov_buf_char(buf, '_');
        } else if (utf8) {
            ov_buf_add(buf, name.ptr + i, len);
            i += len - 1;
        } else {
            ov_buf_printf(buf, "%02x", (unsigned)(unsigned char)c);
        }
    }
}

static void clean_place(struct ov_buf *buf, struct ov_slice value)
{
    if (value.len)
        clean(buf, value, "", false);
    else
        ov_buf_char(buf, '_');
    ov_buf_char(buf, '.');
}

static bool declares(const struct ov_measurement *m, const char *tag)
{
    for (unsigned i = 0; i < m->tag_count; i++)
        if (strcmp(m->tags[i], tag) == 0)
            return true;
    return false;
}

static struct ov_slice common_value(const struct ov_tag *tags, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(tags[i].name, name) == 0)
            return tags[i].value;
    return (struct ov_slice){"", 0};
}

static void places_write(struct ov_buf *buf, const struct ov_sample *s, const struct ov_tag *tags,
                         size_t tag_count)
{
    const struct ov_measurement *m = s->measurement;
    for (size_t i = 0; i < tag_count; i++)
        if (!declares(m, tags[i].name))
            clean_place(buf, tags[i].value);
    for (unsigned i = 0; i < m->tag_count; i++)
        clean_place(buf, s->tags[i].len ? s->tags[i] : common_value(tags, tag_count, m->tags[i]));
}

static void tags_write(struct ov_buf *buf, const struct grammar *grammar, struct tags all)
{
    const char *before = grammar->first;
    const char *also = grammar->utf8 ? "./" : ".";
    for (struct ov_tag tag; tags_next(&all, &tag); before = grammar->between) {
        ov_buf_str(buf, before);
        clean(buf, ov_slice(tag.name), also, grammar->utf8);
        ov_buf_str(buf, grammar->equals);
        clean(buf, tag.value, also, grammar->utf8);
    }
}

static struct frame frame_make(struct ov_buf *bytes, const struct statsd_style *style,
                               const struct ov_sample *s, const struct ov_tag *tags,
                               size_t tag_count)
{
    const struct grammar *grammar = &grammars[style->dialect];
    struct tags all = tags_of(s, tags, tag_count);
    struct frame frame = {.bytes = bytes};
    ov_buf_reset(bytes);
    ov_buf_str(bytes, style->prefix);
    clean(bytes, ov_slice(s->measurement->name), ".", false);
    ov_buf_char(bytes, '.');
    if (!grammar->first)
        places_write(bytes, s, tags, tag_count);
    frame.head = bytes->len;
    if (grammar->first && grammar->in_name)
        tags_write(bytes, grammar, all);
    frame.middle = bytes->len;
    if (grammar->first && !grammar->in_name)
        tags_write(bytes, grammar, all);
    return frame;
}

/* What tells the sample's series from all others, before names were cleaned. */
static uint64_t identity_of(const struct series_table *table, const struct ov_sample *s,
                            const struct ov_tag *tags, size_t tag_count)
{
    uint64_t hash = series_hash(table, 0, ov_slice(s->measurement->name));
    struct tags all = tags_of(s, tags, tag_count);
    for (struct ov_tag tag; tags_next(&all, &tag);)
        hash = series_hash(table, series_hash(table, hash, ov_slice(tag.name)), tag.value);
    return hash;
}

/* ---------------------------------------------------------------- values */

static bool has_number(const struct ov_sample *s, unsigned field)
{
    return value_is_there(s, field) && s->measurement->fields[field].type != OV_TEXT;
}

static bool is_counter(const struct ov_field *field)
{
    return field->kind == OV_COUNTER && (field->type == OV_INT || field->type == OV_FLOAT);
}

static unsigned counter_count(const struct ov_measurement *m)
{
    unsigned count = 0;
    for (unsigned i = 0; i < m->field_count; i++)
        count += is_counter(&m->fields[i]);
    return count;
}

/* Appends what a counter rose by; false if it did not. */
static bool rise_write(struct ov_buf *buf, struct series *series, unsigned counter,
                       enum ov_type type, union ov_value value)
{
    if (type == OV_INT) {
        uint64_t rise = series_rise(series, counter, value.integer);
        if (rise)
            ov_buf_printf(buf, "%ju", (uintmax_t)rise);
        return rise > 0;
    }
    double rise = series_rise_float(series, counter, value.number);
    if (rise > 0)
        ov_buf_double(buf, rise);
    return rise > 0;
}

static void gauge_write(struct ov_buf *buf, enum ov_type type, union ov_value value)
{
    if (type == OV_INT)
        ov_buf_int(buf, value.integer);
    else if (type == OV_FLOAT)
        ov_buf_double(buf, value.number + 0.0); /* -0 is 0 */
    else
        ov_buf_char(buf, value.boolean ? '1' : '0');
}

/* ---------------------------------------------------------------- lines */

static void name_write(struct ov_buf *out, const struct frame *frame, const char *field)
{
    ov_buf_add(out, frame->bytes->data, frame->head);
    clean(out, ov_slice(field), ".", false);
    ov_buf_add(out, frame->bytes->data + frame->head, frame->middle - frame->head);
    ov_buf_char(out, ':');
}

static void end_write(struct ov_buf *out, const struct frame *frame, const char *type)
{
    ov_buf_str(out, type);
    ov_buf_add(out, frame->bytes->data + frame->middle, frame->bytes->len - frame->middle);
    ov_buf_char(out, '\n');
}

/* Appends the line, or pair of lines, of one gauge. */
static void gauge_lines(struct ov_buf *out, const struct frame *frame, bool pairs,
                        const struct ov_field *field, union ov_value value)
{
    size_t start = out->len;
    name_write(out, frame, field->name);
    size_t number = out->len;
    gauge_write(out, field->type, value);
    if (pairs && out->data[number] == '-') {
        out->len = number;
        ov_buf_char(out, '0');
        end_write(out, frame, "|g");
        ov_buf_grow(out, number - start); /* the source must not move */
        ov_buf_add(out, out->data + start, number - start);
        gauge_write(out, field->type, value);
    }
    end_write(out, frame, "|g");
}

static bool counter_line(struct ov_buf *out, const struct frame *frame, struct series *series,
                         unsigned counter, const struct ov_field *field, union ov_value value)
{
    size_t start = out->len;
    name_write(out, frame, field->name);
    if (rise_write(out, series, counter, field->type, value)) {
        end_write(out, frame, "|c");
        return true;
    }
    out->len = start;
    return false;
}

struct statsd_result statsd_lines_write(struct ov_buf *out, const struct statsd_style *style,
                                        struct series_table *table,
                                        const struct ov_sample *s, const struct ov_tag *tags,
                                        size_t tag_count, struct ov_buf *scratch)
{
    const struct ov_measurement *m = s->measurement;
    struct frame frame = frame_make(scratch, style, s, tags, tag_count);
    struct statsd_result result = {0};
    struct ov_slice name = {scratch->data, scratch->len};
    struct series *series = series_find(table, series_hash(table, 0, name),
                                        identity_of(table, s, tags, tag_count), counter_count(m),
                                        &result.why);
    if (!series)
        return result;
    bool numbers = false;
    for (unsigned i = 0, counter = 0; i < m->field_count; i++) {
        const struct ov_field *field = &m->fields[i];
        unsigned number = is_counter(field) ? counter++ : 0;
        size_t start = out->len;
        if (!has_number(s, i))
            continue;
        numbers = true;
        if (!is_counter(field))
            gauge_lines(out, &frame, grammars[style->dialect].pairs, field, s->values[i]);
        else if (!counter_line(out, &frame, series, number, field, s->values[i]))
            continue;
        bool fits = out->len - start <= style->max + 1; /* the last newline is not sent */
        result.lines += fits;
        result.too_long += !fits;
        out->len = fits ? out->len : start;
    }
    if (!numbers)
        result.why = "it has no number";
    else if (result.too_long && !result.lines)
        result.why = "its name is too long for a datagram";
    return result;
}
