/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an alert are looked up by name: a few short comparisons each. */
#include <math.h>

#include "alert.h"
#include "rfc3339.h"
#include "values.h"
#include "webhook_item.h"

static struct ov_slice tag_of(const struct ov_sample *s, enum ov_alert_tag which)
{
    const char *name = ov_alert_measurement.tags[which];
    for (size_t i = 0; i < s->measurement->tag_count; i++)
        if (strcmp(s->measurement->tags[i], name) == 0)
            return s->tags[i];
    return (struct ov_slice){0};
}

const union ov_value *item_field(const struct ov_sample *s, const char *name, enum ov_type type)
{
    const struct ov_measurement *m = s->measurement;
    for (unsigned i = 0; i < m->field_count; i++)
        if (strcmp(m->fields[i].name, name) == 0) {
            bool there = value_is_there(s, i) && m->fields[i].type == type;
            return there ? &s->values[i] : NULL;
        }
    return NULL;
}

static const union ov_value *field_of(const struct ov_sample *s, enum ov_alert_field which)
{
    const struct ov_field *field = &ov_alert_measurement.fields[which];
    return item_field(s, field->name, field->type);
}

static struct ov_slice text_of(const struct ov_sample *s, enum ov_alert_field which)
{
    const union ov_value *value = field_of(s, which);
    return value ? *value->text : (struct ov_slice){0};
}

static double number_of(const struct ov_sample *s, enum ov_alert_field which)
{
    const union ov_value *value = field_of(s, which);
    return value ? value->number : NAN;
}

struct item item_of(const struct ov_sample *s, const struct ov_tag *tags, size_t tag_count)
{
    struct item item = {.sample = s, .tags = tags, .tag_count = tag_count};
    item.alert = strcmp(s->measurement->name, ov_alert_measurement.name) == 0;
    if (!item.alert)
        return item;
    struct ov_slice state = text_of(s, OV_ALERT_STATE);
    const union ov_value *count = field_of(s, OV_ALERT_COUNT);
    item.resolved = ov_slice_eq(state, OV_SLICE("resolved"));
    item.repeat = ov_slice_eq(state, OV_SLICE("repeat"));
    item.rule = tag_of(s, OV_ALERT_RULE);
    item.severity = tag_of(s, OV_ALERT_SEVERITY);
    item.id = text_of(s, OV_ALERT_ID);
    item.threshold = text_of(s, OV_ALERT_THRESHOLD);
    item.summary = text_of(s, OV_ALERT_SUMMARY);
    item.description = text_of(s, OV_ALERT_DESCRIPTION);
    item.value = number_of(s, OV_ALERT_VALUE);
    item.started_at = number_of(s, OV_ALERT_STARTED_AT);
    item.ended_at = number_of(s, OV_ALERT_ENDED_AT);
    item.duration = number_of(s, OV_ALERT_DURATION);
    item.count = count ? count->integer : 0;
    if (!item.summary.len)
        item.summary = item.rule;
    return item;
}

void item_value(struct ov_buf *out, enum ov_type type, union ov_value value)
{
    if (type == OV_TEXT)
        ov_buf_slice(out, *value.text);
    else
        value_put(out, type, value);
}

bool time_put(struct ov_buf *out, double seconds)
{
    const double end = 7258118400; /* the year 2200: before nanoseconds pass 64 bits */
    if (!(seconds >= 0 && seconds < end))
        return false;
    rfc3339_write(out, llround(seconds * 1000) * 1000000);
    out->len -= sizeof "000000Z" - 1; /* milliseconds do */
    ov_buf_char(out, 'Z');
    return true;
}

void duration_put(struct ov_buf *out, double seconds)
{
    static const struct { int64_t seconds; char letter; } units[] = {
        {86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'},
    };
    int64_t left = seconds > 0 ? seconds < 1e12 ? llround(seconds) : INT64_C(1000000000000) : 0;
    size_t first = 0;
    while (first + 1 < OV_COUNT(units) && left < units[first].seconds)
        first++;
    for (size_t i = first; i < OV_COUNT(units) && i < first + 2; i++) {
        if (i == first || left / units[i].seconds)
            ov_buf_printf(out, "%jd%c", (intmax_t)(left / units[i].seconds), units[i].letter);
        left %= units[i].seconds;
    }
}

double item_time(const struct item *item)
{
    return (double)item->sample->time_ns / 1e9;
}
