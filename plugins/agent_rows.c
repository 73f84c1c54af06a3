/* SPDX-License-Identifier: Apache-2.0 */
#include "agent_rows.h"

#include <stdlib.h>

#include "figures.h"
#include "nearest.h"

static struct agent_row *row_of(struct agent_rows *rows, const struct ov_sample *sample)
{
    return pairs_add(&rows->all, figure_tag(sample, "topic"), figure_tag(sample, "agent"),
                     sizeof(struct agent_row));
}

static int compare_slices(struct ov_slice a, struct ov_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int compare_rows(const void *left, const void *right)
{
    const struct pair *a = *(struct pair *const *)left, *b = *(struct pair *const *)right;
    int order = compare_slices(a->a, b->a);
    return order ? order : compare_slices(a->b, b->b);
}

void agent_rows_read(struct agent_rows *rows, const struct ov_batch *agents,
                     const struct ov_batch *bus)
{
    for (const struct ov_sample *s = ov_batch_first(agents); s; s = s->next)
        if (figure_of(s, "omnidaemon_agent"))
            row_of(rows, s)->agent = s;
    for (const struct ov_sample *s = bus ? ov_batch_first(bus) : NULL; s; s = s->next)
        if (figure_of(s, "omnidaemon_group") && figure_tag(s, "agent").len)
            row_of(rows, s)->group = s;
    /* nothing is looked up by name from here on, which sorting would not survive */
    if (rows->all.count)
        qsort(rows->all.entries, rows->all.count, sizeof(struct pair *), compare_rows);
}

bool agent_row_is_registered(const struct agent_row *row)
{
    return row->agent && figure_bool(row->agent, "registered") == 1;
}

void agent_rows_free(struct agent_rows *rows)
{
    pairs_free(&rows->all, NULL);
}

/* ---------------------------------------------------------------- one of them */

static const struct agent_row *row_at(const struct agent_rows *rows, size_t i)
{
    return (const struct agent_row *)rows->all.entries[i];
}

static bool has_topic(const struct agent_rows *rows, const char *topic)
{
    for (size_t i = 0; i < rows->all.count; i++)
        if (ov_slice_eq(row_at(rows, i)->name.a, ov_slice(topic)))
            return true;
    return false;
}

/* Tries the topics, or the agents of `topic` (NULL: of all). */
static bool put_nearest(const struct agent_rows *rows, const char *wanted, bool topics,
                        const char *topic, struct ov_buf *text)
{
    struct ov_nearest nearest = {.wanted = ov_slice(wanted)};
    struct ov_buf names = {0};
    for (size_t i = 0; i < rows->all.count; i++) {
        const struct pair *name = &row_at(rows, i)->name;
        if (!topics && topic && !ov_slice_eq(name->a, ov_slice(topic)))
            continue;
        ov_buf_escaped(&names, topics ? name->a : name->b);
        ov_buf_char(&names, '\0');
    }
    for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1)
        ov_nearest_try(&nearest, names.data + at);
    bool found = ov_nearest_hint(&nearest, text);
    ov_buf_free(&names);
    return found;
}

static int say_none(const struct agent_rows *rows, struct ov_call *call, const char *topic,
                    const char *name)
{
    struct ov_buf text = {0};
    bool topics = topic && !has_topic(rows, topic);
    const char *wanted = topics ? topic : name;
    ov_buf_printf(&text, "there is no %s", topics ? "topic with agents called" : "agent");
    if (wanted) {
        ov_buf_str(&text, " `");
        ov_buf_escaped(&text, ov_slice(wanted));
        ov_buf_char(&text, '`');
    }
    if (!topics && topic) {
        ov_buf_str(&text, " on ");
        ov_buf_escaped(&text, ov_slice(topic));
    }
    if (!wanted || !put_nearest(rows, wanted, topics, topic, &text))
        ov_buf_str(&text, ": `omnivigil agent list` tells which there are");
    int status = ov_call_unable(call, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
    return status;
}

const struct agent_row *agent_rows_find(const struct agent_rows *rows, struct ov_call *call,
                                        const char *topic, const char *name, int *status)
{
    const struct agent_row *found = NULL;
    size_t count = 0;
    for (size_t i = 0; i < rows->all.count; i++) {
        const struct agent_row *row = row_at(rows, i);
        if ((topic && !ov_slice_eq(row->name.a, ov_slice(topic))) ||
            (name && !ov_slice_eq(row->name.b, ov_slice(name))) ||
            !ov_call_wants(call, &row->name.a, &row->name.b))
            continue;
        found = row;
        count++;
    }
    *status = OV_EXIT_FINE;
    if (count == 1)
        return found;
    *status = count ? ov_call_usage(call, "%zu agents match: say which, as TOPIC NAME", count)
                    : say_none(rows, call, topic, name);
    return NULL;
}
