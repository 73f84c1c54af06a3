/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Services that keep alerts of their own and wake people: Alertmanager (API v2, /api/v2/alerts)
 * and PagerDuty (Events API v2, /v2/enqueue).
 *
 * Alertmanager knows an alert by its labels: the tags and, since two incidents may have the same
 * tags, the alert_id. An alert of another severity is another one to it, so whenever one severity
 * is told, the other is told to be over; of what it never knew it tells nobody. It ends an alert by
 * itself at its endsAt: that of a firing alert lies as far ahead as `expire` says. PagerDuty knows
 * an alert by its dedup_key and takes one event a request, of 512 KB at most, a summary of 1024
 * characters and a dedup_key of 255.
 */
#include <math.h>
#include <stdlib.h>

#include "hmac.h"
#include "tags.h"
#include "webhook_format.h"
#include "webhook_text.h"

enum {
    LABEL_MAX = 1024,
    LABELS_MAX = 64,
    SUMMARY_MAX = 1024,
    DESCRIPTION_MAX = 16 * 1024,
    DEDUP_KEY_MAX = 255,
    PAGERDUTY_MAX = 512 * 1024,
};

static void member(struct ov_buf *out, const char *name, struct ov_slice text, size_t most)
{
    if (!text.len)
        return;
    if (out->data[out->len - 1] != '{')
        ov_buf_char(out, ',');
    ov_buf_json(out, ov_slice(name));
    ov_buf_char(out, ':');
    text_json(out, text, most);
}

static void time_member(struct ov_buf *out, const char *name, double seconds)
{
    struct ov_buf text = {0};
    if (time_put(&text, seconds))
        member(out, name, (struct ov_slice){text.data, text.len}, SIZE_MAX);
    ov_buf_free(&text);
}

static void number_member(struct ov_buf *out, const char *name, double number)
{
    struct ov_buf text = {0};
    if (!isfinite(number))
        return;
    ov_buf_double(&text, number);
    member(out, name, (struct ov_slice){text.data, text.len}, SIZE_MAX);
    ov_buf_free(&text);
}

static double first_finite(double a, double b)
{
    return isfinite(a) ? a : b;
}

/* ---------------------------------------------------------------- Alertmanager */

/* A label's name: letters, digits and `_`, with no digit at its begin. */
static void label_member(struct ov_buf *out, const char *name, struct ov_slice value)
{
    char *plain = ov_strdup(name);
    for (char *c = plain; *c; c++) {
        bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z');
        if (!letter && (*c < '0' || *c > '9' || c == plain))
            *c = '_';
    }
    member(out, plain, value, LABEL_MAX);
    free(plain);
}

static void alertmanager_labels(struct ov_buf *out, const struct item *item,
                                struct ov_slice severity)
{
    struct tags tags = tags_of(item->sample, item->tags, item->tag_count);
    struct ov_slice rule = item->rule;
    ov_buf_str(out, "\"labels\":{");
    member(out, "alertname", rule.len ? rule : ov_slice(item->sample->measurement->name),
           LABEL_MAX);
    member(out, "severity", severity, LABEL_MAX);
    member(out, "alert_id", item->id, LABEL_MAX);
    for (struct ov_tag tag; tags_next(&tags, &tag);)
        if (strcmp(tag.name, "rule") != 0 && strcmp(tag.name, "alertname") != 0 &&
            strcmp(tag.name, "severity") != 0)
            label_member(out, tag.name, tag.value);
    ov_buf_char(out, '}');
}

static void alertmanager_alert(struct ov_buf *out, const struct item *item,
                               struct ov_slice severity, double end)
{
    double start = first_finite(item->started_at, item_time(item));
    ov_buf_char(out, '{');
    alertmanager_labels(out, item, severity);
    ov_buf_str(out, ",\"annotations\":{");
    member(out, "summary", item->summary, SUMMARY_MAX);
    member(out, "description", item->description, DESCRIPTION_MAX);
    number_member(out, "value", item->value);
    member(out, "threshold", item->threshold, LABEL_MAX);
    ov_buf_char(out, '}');
    time_member(out, "startsAt", start);
    time_member(out, "endsAt", end < start ? start : end); /* it refuses the reverse */
    ov_buf_char(out, '}');
}

static void alertmanager_item(const struct webhook_setup *setup, const struct item *item,
                              struct ov_buf *out)
{
    double now = item_time(item);
    double end = item->resolved ? first_finite(item->ended_at, now) : now + setup->expire_seconds;
    alertmanager_alert(out, item, item->severity, end);
    bool warning = ov_slice_eq(item->severity, OV_SLICE("warning"));
    if (warning || ov_slice_eq(item->severity, OV_SLICE("critical"))) {
        ov_buf_char(out, ',');
        alertmanager_alert(out, item, warning ? OV_SLICE("critical") : OV_SLICE("warning"),
                           end < now ? end : now);
    }
}

static void alertmanager_wrap(const struct webhook_setup *setup,
                              const struct webhook_message *message, struct ov_buf *out)
{
    (void)setup;
    ov_buf_char(out, '[');
    ov_buf_slice(out, message->text);
    ov_buf_char(out, ']');
}

/* ---------------------------------------------------------------- PagerDuty */

void routing_add(struct ov_buf *out, const char *routing_key, struct ov_slice body)
{
    ov_buf_str(out, "{\"routing_key\":");
    ov_buf_json(out, ov_slice(routing_key));
    if (body.len > 2)
        ov_buf_char(out, ',');
    ov_buf_add(out, body.ptr + 1, body.len - 1);
}

/* What is too long for a key is known by its digest. */
static void dedup_key(struct ov_buf *out, struct ov_slice id)
{
    char digest[SHA256_HEX + 1];
    if (id.len > DEDUP_KEY_MAX && sha256_hex(id, digest))
        id = ov_slice(digest);
    member(out, "dedup_key", id, DEDUP_KEY_MAX);
}

static void details(struct ov_buf *out, const struct item *item)
{
    struct tags tags = tags_of(item->sample, item->tags, item->tag_count);
    size_t count = 0;
    ov_buf_str(out, ",\"custom_details\":{");
    member(out, "description", item->description, DESCRIPTION_MAX);
    number_member(out, "value", item->value);
    member(out, "threshold", item->threshold, LABEL_MAX);
    member(out, "state", ov_slice(item->repeat ? "repeat" : "firing"), LABEL_MAX);
    if (item->count)
        number_member(out, "count", (double)item->count);
    time_member(out, "started_at", item->started_at);
    for (struct ov_tag tag; count < LABELS_MAX && tags_next(&tags, &tag); count++) {
        struct ov_buf name = {0};
        ov_buf_printf(&name, "tag_%.64s", tag.name);
        member(out, ov_buf_text(&name), tag.value, LABEL_MAX);
        ov_buf_free(&name);
    }
    ov_buf_char(out, '}');
}

static void pagerduty_payload(const struct webhook_setup *setup, const struct item *item,
                              struct ov_buf *out)
{
    struct ov_slice severity = item->severity;
    bool known = ov_slice_eq(severity, OV_SLICE("warning")) ||
                 ov_slice_eq(severity, OV_SLICE("critical")) ||
                 ov_slice_eq(severity, OV_SLICE("info"));
    struct ov_slice summary = item->summary.len ? item->summary : OV_SLICE("omnidaemon_alert");
    struct ov_slice topic = {0};
    for (size_t i = 0; i < item->sample->measurement->tag_count; i++)
        if (strcmp(item->sample->measurement->tags[i], "topic") == 0)
            topic = item->sample->tags[i];
    ov_buf_str(out, ",\"payload\":{");
    member(out, "summary", summary, SUMMARY_MAX);
    member(out, "source", ov_slice(setup->source), LABEL_MAX);
    member(out, "severity", known ? severity : OV_SLICE("error"), LABEL_MAX);
    time_member(out, "timestamp", item_time(item));
    member(out, "component", topic, LABEL_MAX);
    member(out, "class", item->rule, LABEL_MAX);
    details(out, item);
    ov_buf_char(out, '}');
}

static void pagerduty_item(const struct webhook_setup *setup, const struct item *item,
                           struct ov_buf *out)
{
    ov_buf_char(out, '{');
    member(out, "event_action", ov_slice(item->resolved ? "resolve" : "trigger"), SIZE_MAX);
    dedup_key(out, item->id);
    if (!item->resolved)
        pagerduty_payload(setup, item, out);
    ov_buf_str(out, ",\"client\":\"omnivigil\"}");
}

static void pagerduty_wrap(const struct webhook_setup *setup,
                           const struct webhook_message *message, struct ov_buf *out)
{
    (void)setup;
    ov_buf_slice(out, message->text);
}

const struct webhook_format webhook_alertmanager = {
    .name = "alertmanager",
    .content_type = "application/json",
    .path = "/api/v2/alerts",
    .separator = ",",
    .alerts_only = true,
    .max_size = 1 << 20,
    .size = size_in_bytes,
    .rate = 10,
    .item = alertmanager_item,
    .wrap = alertmanager_wrap,
};

const struct webhook_format webhook_pagerduty = {
    .name = "pagerduty",
    .content_type = "application/json",
    .url = "https://events.pagerduty.com/v2/enqueue",
    .separator = "",
    .alerts_only = true,
    .keyed = true,
    .max_items = 1,
    .max_size = PAGERDUTY_MAX,
    .size = size_in_bytes,
    .rate = 2,
    .item = pagerduty_item,
    .wrap = pagerduty_wrap,
};
