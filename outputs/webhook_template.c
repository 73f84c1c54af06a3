/* SPDX-License-Identifier: Apache-2.0 */
/* The user's own format: the names a template (template.h) may use, and their values. */
#include <math.h>

#include "alert.h"
#include "tags.h"
#include "webhook_template.h"

static const char *const item_names[] = {
    "summary", "description", "state", "rule", "severity", "alert_id", "value", "threshold",
    "series", "started_at", "ended_at", "duration", "duration_seconds", "time", "measurement",
    NULL,
};
static const char *const message_names[] = {"delivery_id", "source", "alerts", NULL};

/* The fields of an alert. */
static void alert_fields(const char *names[OV_MAX_FIELDS + 1])
{
    unsigned count = ov_alert_measurement.field_count;
    for (unsigned i = 0; i < count; i++)
        names[i] = ov_alert_measurement.fields[i].name;
    names[count] = NULL;
}

struct template *webhook_template_new(struct ov_slice text, bool only_alerts,
                                      template_complaint *complain, void *context)
{
    const char *fields[OV_MAX_FIELDS + 1];
    alert_fields(fields);
    struct template_names names = {
        .item = item_names, .message = message_names, .fields = only_alerts ? fields : NULL,
    };
    return template_new(text, &names, complain, context);
}

/* ---------------------------------------------------------------- values */

static enum template_kind text_value(struct ov_buf *out, struct ov_slice text)
{
    ov_buf_slice(out, text);
    return text.len ? TEMPLATE_TEXT : TEMPLATE_ABSENT;
}

static enum template_kind number_value(struct ov_buf *out, double number)
{
    if (!isfinite(number))
        return TEMPLATE_ABSENT;
    ov_buf_double(out, number);
    return TEMPLATE_LITERAL;
}

static enum template_kind time_value(struct ov_buf *out, double seconds)
{
    return time_put(out, seconds) ? TEMPLATE_TEXT : TEMPLATE_ABSENT;
}

static enum template_kind tag_value(const struct item *item, struct ov_slice name,
                                    struct ov_buf *out)
{
    struct tags tags = tags_of(item->sample, item->tags, item->tag_count);
    for (struct ov_tag tag; tags_next(&tags, &tag);)
        if (ov_slice_eq(ov_slice(tag.name), name))
            return text_value(out, tag.value);
    return TEMPLATE_ABSENT;
}

static enum template_kind field_value(const struct item *item, struct ov_slice name,
                                      struct ov_buf *out)
{
    const struct ov_measurement *m = item->sample->measurement;
    for (unsigned i = 0; i < m->field_count; i++) {
        const struct ov_field *field = &m->fields[i];
        if (!ov_slice_eq(ov_slice(field->name), name) ||
            !item_field(item->sample, field->name, field->type))
            continue;
        item_value(out, field->type, item->sample->values[i]);
        return field->type == OV_TEXT ? TEMPLATE_TEXT : TEMPLATE_LITERAL;
    }
    return TEMPLATE_ABSENT;
}

static enum template_kind alert_value(const struct item *item, struct ov_slice name,
                                      struct ov_buf *out)
{
    const struct { const char *name; struct ov_slice text; } texts[] = {
        {"summary", item->summary}, {"description", item->description}, {"rule", item->rule},
        {"severity", item->severity}, {"alert_id", item->id}, {"threshold", item->threshold},
        {"state", ov_slice(!item->alert     ? ""
                           : item->resolved ? "resolved"
                           : item->repeat   ? "repeat"
                                            : "firing")},
    };
    for (size_t i = 0; i < OV_COUNT(texts); i++)
        if (ov_slice_eq(name, ov_slice(texts[i].name)))
            return text_value(out, texts[i].text);
    if (!item->alert)
        return TEMPLATE_ABSENT;
    if (ov_slice_eq(name, OV_SLICE("value")))
        return number_value(out, item->value);
    if (ov_slice_eq(name, OV_SLICE("series")))
        return number_value(out, item->count ? (double)item->count : NAN);
    if (ov_slice_eq(name, OV_SLICE("started_at")))
        return time_value(out, item->started_at);
    if (ov_slice_eq(name, OV_SLICE("ended_at")))
        return time_value(out, item->ended_at);
    if (ov_slice_eq(name, OV_SLICE("duration_seconds")))
        return number_value(out, item->duration);
    if (!isfinite(item->duration))
        return TEMPLATE_ABSENT;
    duration_put(out, item->duration);
    return TEMPLATE_TEXT;
}

/* ---------------------------------------------------------------- rendering */

struct scene {
    const struct webhook_setup *setup;
    const struct webhook_message *message;
};

static enum template_kind scene_value(void *context, size_t number, struct ov_slice name,
                                      struct ov_buf *out)
{
    const struct scene *scene = context;
    const struct item *item = &scene->message->items[number];
    struct ov_slice tag = OV_SLICE("tags."), field = OV_SLICE("fields.");
    if (ov_slice_starts(name, tag))
        return tag_value(item, (struct ov_slice){name.ptr + tag.len, name.len - tag.len}, out);
    if (ov_slice_starts(name, field))
        return field_value(item, (struct ov_slice){name.ptr + field.len, name.len - field.len},
                           out);
    if (ov_slice_eq(name, OV_SLICE("delivery_id")))
        return text_value(out, ov_slice(scene->message->delivery_id));
    if (ov_slice_eq(name, OV_SLICE("source")))
        return text_value(out, ov_slice(scene->setup->source));
    if (ov_slice_eq(name, OV_SLICE("alerts")))
        return number_value(out, (double)scene->message->count);
    if (ov_slice_eq(name, OV_SLICE("time")))
        return time_value(out, item_time(item));
    if (ov_slice_eq(name, OV_SLICE("measurement")))
        return text_value(out, ov_slice(item->sample->measurement->name));
    return alert_value(item, name, out);
}

static void template_item(const struct webhook_setup *setup, const struct item *item,
                          struct ov_buf *out)
{
    (void)setup; /* it needs all items of a message together */
    (void)item;
    (void)out;
}

static void template_wrap(const struct webhook_setup *setup, const struct webhook_message *message,
                          struct ov_buf *out)
{
    struct scene scene = {setup, message};
    template_render(setup->template, message->count, scene_value, &scene, out);
}

const struct webhook_format webhook_template = {
    .name = "template",
    .content_type = "application/json",
    .separator = "",
    .max_size = SIZE_MAX,
    .size = size_in_bytes,
    .rate = 10,
    .item = template_item,
    .wrap = template_wrap,
};
