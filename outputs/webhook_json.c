/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our own format, version 1. Members without a value are left out; later versions of omnivigil may
 * add members, anything else raises `version`.
 *
 *     {"version":1,"delivery_id":"8f0c…","source":"host",
 *      "alerts":[{"id":"…","state":"firing"|"repeat"|"resolved","rule":"…","severity":"…",
 *                 "summary":"…","description":"…","value":12.5,"threshold":"…","count":1,
 *                 "started_at":"2025-11-25T01:52:03.250Z","ended_at":"…","duration_seconds":3.5,
 *                 "time":"…","labels":{"topic":"…","agent":"…",…}},…]}
 *
 * Samples other than alerts come in messages of their own, with "samples" in place of "alerts",
 * each as the output `file` writes it (json_lines.h).
 */
#include <math.h>

#include "json_lines.h"
#include "tags.h"
#include "webhook_format.h"

size_t size_in_bytes(struct ov_slice text)
{
    return text.len;
}

static void key(struct ov_buf *out, const char *name)
{
    if (out->len && out->data[out->len - 1] != '{')
        ov_buf_char(out, ',');
    ov_buf_json(out, ov_slice(name));
    ov_buf_char(out, ':');
}

static void text_member(struct ov_buf *out, const char *name, struct ov_slice text)
{
    if (text.len) {
        key(out, name);
        ov_buf_json(out, text);
    }
}

static void number_member(struct ov_buf *out, const char *name, double number)
{
    if (isfinite(number)) {
        key(out, name);
        ov_buf_double(out, number);
    }
}

static void time_member(struct ov_buf *out, const char *name, double seconds)
{
    struct ov_buf text = {0};
    if (time_put(&text, seconds))
        text_member(out, name, (struct ov_slice){text.data, text.len});
    ov_buf_free(&text);
}

static void labels_member(struct ov_buf *out, const struct item *item)
{
    struct tags tags = tags_of(item->sample, item->tags, item->tag_count);
    key(out, "labels");
    ov_buf_char(out, '{');
    for (struct ov_tag tag; tags_next(&tags, &tag);)
        if (strcmp(tag.name, "rule") != 0 && strcmp(tag.name, "severity") != 0)
            text_member(out, tag.name, tag.value);
    ov_buf_char(out, '}');
}

static void alert_put(struct ov_buf *out, const struct item *item)
{
    ov_buf_char(out, '{');
    text_member(out, "id", item->id);
    text_member(out, "state",
                ov_slice(item->resolved ? "resolved" : item->repeat ? "repeat" : "firing"));
    text_member(out, "rule", item->rule);
    text_member(out, "severity", item->severity);
    text_member(out, "summary", item->summary);
    text_member(out, "description", item->description);
    number_member(out, "value", item->value);
    text_member(out, "threshold", item->threshold);
    if (item->count)
        number_member(out, "count", (double)item->count);
    time_member(out, "started_at", item->started_at);
    time_member(out, "ended_at", item->ended_at);
    number_member(out, "duration_seconds", item->duration);
    time_member(out, "time", item_time(item));
    labels_member(out, item);
    ov_buf_char(out, '}');
}

static void json_item(const struct webhook_setup *setup, const struct item *item,
                      struct ov_buf *out)
{
    (void)setup;
    if (item->alert)
        alert_put(out, item);
    else if (!json_line_write(out, item->sample, item->tags, item->tag_count))
        out->len--; /* its newline */
}

static void json_wrap(const struct webhook_setup *setup, const struct webhook_message *message,
                      struct ov_buf *out)
{
    ov_buf_str(out, "{\"version\":1");
    text_member(out, "delivery_id", ov_slice(message->delivery_id));
    text_member(out, "source", ov_slice(setup->source));
    key(out, message->items[0].alert ? "alerts" : "samples");
    ov_buf_char(out, '[');
    ov_buf_slice(out, message->text);
    ov_buf_str(out, "]}");
}

const struct webhook_format webhook_json = {
    .name = "json",
    .content_type = "application/json",
    .separator = ",",
    .max_size = 1 << 20,
    .size = size_in_bytes,
    .rate = 10,
    .item = json_item,
    .wrap = json_wrap,
};
