/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages for people, in the markup of three chat services. An alert is
 *
 *     🔴 **CRITICAL firing**: summary
 *     agent a · rule backlog · topic orders
 *     value 12 (threshold 10) · since 2025-11-25T01:52:03.250Z · 3 series
 *     description
 *
 * What services refuse, or cut off themselves: Slack texts over 40,000 characters, Discord over
 * 2,000, Teams messages over 28 KB. The description comes last, for it may be cut.
 */
#include <math.h>

#include "human.h"
#include "tags.h"
#include "utf8.h"
#include "webhook_format.h"
#include "webhook_text.h"

enum {
    SLACK_MAX = 40000, SLACK_ITEM = 4000,
    DISCORD_MAX = 2000,
    TEAMS_MAX = 28 * 1024 - 1024, TEAMS_ITEM = 8000, /* the rest is for the card around them */
};

size_t size_in_utf16(struct ov_slice text)
{
    size_t size = 0;
    for (size_t i = 0; i < text.len; size++) {
        size_t len = ov_utf8_len(text.ptr + i, text.len - i);
        size += len == 4;
        i += len ? len : 1;
    }
    return size;
}

/* ---------------------------------------------------------------- the lines of an item */

#define DOT " \xc2\xb7 "

static void headline(struct text *text, const struct item *item, size_t most)
{
    bool warning = ov_slice_eq(item->severity, OV_SLICE("warning"));
    struct ov_buf state = {0};
    text_add(text, item->resolved ? "\xe2\x9c\x85 " : warning ? "\xf0\x9f\x9f\xa0 "
                                                              : "\xf0\x9f\x94\xb4 ");
    ov_buf_str(&state, warning ? "WARNING" : ov_slice_eq(item->severity, OV_SLICE("critical"))
                                                 ? "CRITICAL" : "ALERT");
    ov_buf_str(&state, item->resolved ? " resolved" : item->repeat ? " still firing" : " firing");
    text_bold(text, ov_buf_text(&state));
    text_add(text, ": ");
    text_bytes(text, item->summary, most, false);
    ov_buf_free(&state);
}

/* The tags; alone on their line, so that each is introduced by what stands before it. */
static void tags_line(struct text *text, const struct item *item, size_t most)
{
    struct tags tags = tags_of(item->sample, item->tags, item->tag_count);
    const char *before = "";
    for (struct ov_tag tag; text->left > 8 && tags_next(&tags, &tag);) {
        if (item->alert && strcmp(tag.name, "severity") == 0)
            continue;
        text_add(text, before);
        text_bytes(text, ov_slice(tag.name), most, false);
        text_add(text, " ");
        text_bytes(text, tag.value, most, false);
        before = DOT;
    }
}

static void values_line(struct text *text, const struct item *item, size_t most)
{
    struct ov_buf line = {0};
    if (isfinite(item->value)) {
        ov_buf_str(&line, "value ");
        ov_human_number(&line, item->value);
    }
    if (item->threshold.len) {
        struct ov_slice threshold = text_prefix(item->threshold, most);
        ov_buf_str(&line, line.len ? " (threshold " : "threshold ");
        ov_buf_slice(&line, threshold);
        ov_buf_str(&line, isfinite(item->value) ? ")" : "");
    }
    if (isfinite(item->started_at)) {
        ov_buf_str(&line, line.len ? DOT : "");
        ov_buf_str(&line, item->resolved ? "from " : "since ");
        time_put(&line, item->started_at);
        if (item->resolved && isfinite(item->ended_at)) {
            ov_buf_str(&line, " to ");
            time_put(&line, item->ended_at);
        }
    }
    if (isfinite(item->duration) && (item->resolved || item->repeat)) {
        ov_buf_str(&line, line.len ? DOT : "");
        ov_buf_str(&line, item->resolved ? "lasted " : "for ");
        duration_put(&line, item->duration);
    }
    if (item->count > 1)
        ov_buf_printf(&line, "%s%jd series", line.len ? DOT : "", (intmax_t)item->count);
    text_bytes(text, (struct ov_slice){line.data, line.len}, SIZE_MAX, false);
    ov_buf_free(&line);
}

static void fields_line(struct text *text, const struct item *item, size_t most)
{
    const struct ov_sample *s = item->sample;
    const char *before = "";
    for (unsigned i = 0; i < s->measurement->field_count && text->left > 8; i++) {
        const struct ov_field *field = &s->measurement->fields[i];
        if (!item_field(s, field->name, field->type))
            continue;
        struct ov_buf value = {0};
        ov_buf_printf(&value, "%s ", field->name);
        item_value(&value, field->type, s->values[i]);
        text_add(text, before);
        text_bytes(text, (struct ov_slice){value.data, value.len}, most, false);
        ov_buf_free(&value);
        before = DOT;
    }
}

/* `size` is what the whole may have. */
static void chat_item(enum text_style style, size_t size, const struct item *item,
                      struct ov_buf *out)
{
    struct text text = {out, style, size};
    size_t most = size / 16;
    if (item->alert) {
        headline(&text, item, size / 3);
        text_newline(&text);
        tags_line(&text, item, most);
        text_newline(&text);
        values_line(&text, item, most);
    } else {
        text_bytes(&text, ov_slice(item->sample->measurement->name), most, false);
        text_newline(&text);
        tags_line(&text, item, most);
        text_newline(&text);
        fields_line(&text, item, most);
    }
    if (item->description.len) {
        text_newline(&text);
        text_bytes(&text, item->description, SIZE_MAX, true);
    }
}

/* ---------------------------------------------------------------- the services */

static void slack_item(const struct webhook_setup *setup, const struct item *item,
                       struct ov_buf *out)
{
    (void)setup;
    chat_item(TEXT_SLACK, SLACK_ITEM, item, out);
}

static void slack_wrap(const struct webhook_setup *setup, const struct webhook_message *message,
                       struct ov_buf *out)
{
    (void)setup;
    ov_buf_str(out, "{\"text\":");
    ov_buf_json(out, message->text);
    ov_buf_str(out, ",\"mrkdwn\":true,\"unfurl_links\":false}");
}

static void discord_item(const struct webhook_setup *setup, const struct item *item,
                         struct ov_buf *out)
{
    (void)setup;
    chat_item(TEXT_DISCORD, DISCORD_MAX, item, out);
}

/* Nothing that an alert's text happens to say may call anybody. */
static void discord_wrap(const struct webhook_setup *setup, const struct webhook_message *message,
                         struct ov_buf *out)
{
    (void)setup;
    ov_buf_str(out, "{\"content\":");
    ov_buf_json(out, message->text);
    ov_buf_str(out, ",\"allowed_mentions\":{\"parse\":[]}}");
}

static void teams_item(const struct webhook_setup *setup, const struct item *item,
                       struct ov_buf *out)
{
    struct ov_buf text = {0};
    (void)setup;
    chat_item(TEXT_TEAMS, TEAMS_ITEM, item, &text);
    ov_buf_str(out, "{\"type\":\"TextBlock\",\"wrap\":true,\"separator\":true,\"text\":");
    ov_buf_json(out, (struct ov_slice){text.data, text.len});
    ov_buf_char(out, '}');
    ov_buf_free(&text);
}

static void teams_wrap(const struct webhook_setup *setup, const struct webhook_message *message,
                       struct ov_buf *out)
{
    (void)setup;
    ov_buf_str(out, "{\"type\":\"message\",\"attachments\":[{\"contentType\":"
               "\"application/vnd.microsoft.card.adaptive\",\"contentUrl\":null,\"content\":{"
               "\"$schema\":\"http://adaptivecards.io/schemas/adaptive-card.json\","
               "\"type\":\"AdaptiveCard\",\"version\":\"1.2\",\"msteams\":{\"width\":\"Full\"},"
               "\"body\":[");
    ov_buf_slice(out, message->text);
    ov_buf_str(out, "]}}]}");
}

const struct webhook_format webhook_slack = {
    .name = "slack",
    .content_type = "application/json",
    .separator = "\n\n",
    .max_size = SLACK_MAX,
    .size = size_in_utf16,
    .rate = 1,
    .item = slack_item,
    .wrap = slack_wrap,
};

const struct webhook_format webhook_discord = {
    .name = "discord",
    .content_type = "application/json",
    .separator = "\n\n",
    .max_size = DISCORD_MAX,
    .size = size_in_utf16,
    .rate = 2,
    .item = discord_item,
    .wrap = discord_wrap,
};

const struct webhook_format webhook_teams = {
    .name = "teams",
    .content_type = "application/json",
    .separator = ",",
    .max_size = TEAMS_MAX,
    .size = size_in_bytes,
    .rate = 4,
    .item = teams_item,
    .wrap = teams_wrap,
};
