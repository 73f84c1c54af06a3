/* SPDX-License-Identifier: Apache-2.0 */
#include "bus_call.h"

#include <stdlib.h>

#include "call_refused.h"
#include "figures.h"
#include "nearest.h"

const char *const bus_call_streams[] = {"omnidaemon_stream.*", NULL};

int bus_call_gather(struct ov_call *call, const struct ov_batch **batch)
{
    const char *why;
    *batch = ov_call_gather(call, "redis_bus", &why);
    for (const struct ov_sample *s = ov_batch_first(*batch); s && !why; s = s->next)
        if (figure_of(s, "omnidaemon_bus") && figure_bool(s, "up") == 1)
            return OV_EXIT_FINE;
    return ov_call_unable(call, "%s", why ? why : "Redis could not be read");
}

static bool is_topic(const struct ov_batch *batch, struct ov_slice name)
{
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if ((figure_of(s, "omnidaemon_stream") || figure_of(s, "omnidaemon_group")) &&
            ov_slice_eq(figure_tag(s, "topic"), name))
            return true;
    return false;
}

/* A topic of which there is no more than a DLQ whose name does not tell where the topic ends. */
static bool is_of_a_dlq(const struct ov_batch *batch, struct ov_slice name)
{
    struct ov_slice agent;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (figure_of(s, "omnidaemon_group") && figure_tag(s, "topic").len == 0 &&
            omni_group_agent(figure_tag(s, "group"), name, &agent))
            return true;
    return false;
}

static int say_unknown(struct ov_call *call, const struct ov_batch *batch, struct ov_slice word)
{
    struct ov_nearest nearest = {.wanted = word};
    struct ov_buf names = {0}, text = {0};
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (figure_of(s, "omnidaemon_stream")) {
            ov_buf_slice(&names, figure_tag(s, "topic"));
            ov_buf_char(&names, '\0');
        }
    for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1)
        ov_nearest_try(&nearest, names.data + at);
    ov_buf_str(&text, "there is no topic `");
    ov_buf_escaped(&text, word);
    ov_buf_char(&text, '`');
    if (!ov_nearest_hint(&nearest, &text))
        ov_buf_str(&text, ": `omnivigil bus list` tells which there are");
    int status = ov_call_unable(call, "%s", ov_buf_text(&text));
    ov_buf_free(&names);
    ov_buf_free(&text);
    return status;
}

int bus_call_topic(struct ov_call *call, const struct ov_batch *batch, const char *word,
                   struct ov_slice *topic)
{
    struct ov_slice whole = ov_slice(word);
    *topic = (struct ov_slice){NULL, 0};
    if (!word)
        return OV_EXIT_FINE;
    struct ov_slice names[] = {whole, whole};
    if (ov_slice_starts(whole, OMNI_STREAM_PREFIX))
        names[1] = (struct ov_slice){whole.ptr + OMNI_STREAM_PREFIX.len,
                                     whole.len - OMNI_STREAM_PREFIX.len};
    for (size_t i = 0; i < OV_COUNT(names); i++)
        if (names[i].len && (is_topic(batch, names[i]) || is_of_a_dlq(batch, names[i]))) {
            *topic = names[i];
            return OV_EXIT_FINE;
        }
    return say_unknown(call, batch, whole);
}

const char *bus_call_stream(const struct ov_call *call, unsigned stream)
{
    const char *word = ov_call_word(call, 0);
    return word ? word : ov_call_flag(call, stream);
}

int bus_call_failed(struct ov_call *call, struct bus *bus)
{
    return ov_call_unable(call, "%s", redis_why(bus->redis));
}

int bus_call_pages_failed(struct ov_call *call, struct bus *bus, struct stream_pages *pages)
{
    int status = !pages->fault ? bus_call_failed(call, bus)
                 : call_refused(call, pages->newest_first ? "XREVRANGE" : "XRANGE", pages->key,
                                pages->fault, (struct ov_slice){pages->why.data, pages->why.len});
    ov_buf_free(&pages->why);
    return status;
}
