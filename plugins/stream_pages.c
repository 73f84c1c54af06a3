/* SPDX-License-Identifier: Apache-2.0 */
/* The first step is small, since nothing is known of the entries' size; each next one asks for as
 * many as would have been STEP_BYTES of those before. */
#include <inttypes.h>
#include <stdio.h>

#include "stream_pages.h"

#define STEP_FIRST 8
#define STEP_MAX 1000
#define STEP_BYTES ((size_t)4 * 1024 * 1024)

static struct redis_id id_after(struct redis_id id)
{
    if (++id.seq == 0)
        id.ms++;
    return id;
}

static struct redis_id id_before(struct redis_id id)
{
    if (id.seq-- == 0)
        id.ms--;
    return id;
}

/* An entry is [id, [name, value, ...]]. */
static bool entry_read(const struct redis_reply *reply, struct stream_entry *entry)
{
    if (reply->type != REDIS_ARRAY || reply->count != 2 ||
        reply->items[0].type != REDIS_STRING ||
        !redis_id_parse(reply->items[0].text, &entry->id) || reply->items[1].type != REDIS_ARRAY)
        return false;
    entry->fields = &reply->items[1];
    entry->data = (struct ov_slice){NULL, 0};
    for (size_t i = 0; i + 1 < entry->fields->count; i += 2)
        if (!entry->data.ptr && ov_slice_eq(entry->fields->items[i].text, OV_SLICE("data")))
            entry->data = entry->fields->items[i + 1].text;
    return true;
}

static size_t entry_bytes(const struct stream_entry *entry)
{
    size_t bytes = 64;
    for (size_t i = 0; i < entry->fields->count; i++)
        bytes += entry->fields->items[i].text.len;
    return bytes;
}

static void on_step(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct stream_pages *pages = context;
    (void)r;
    (void)index;
    pages->more = false;
    if (reply->type != REDIS_ARRAY) {
        pages->fault = reply->type == REDIS_ERROR ? redis_reply_fault(reply) : REDIS_PROTOCOL;
        ov_buf_slice(&pages->why, reply->text);
        if (reply->type != REDIS_ERROR)
            ov_buf_str(&pages->why, "not a list of entries");
        return;
    }
    size_t bytes = 0;
    for (size_t i = 0; i < reply->count; i++) {
        struct stream_entry entry;
        if (!entry_read(&reply->items[i], &entry)) {
            pages->fault = REDIS_PROTOCOL;
            ov_buf_str(&pages->why, "entries that are none");
            return;
        }
        bytes += entry_bytes(&entry);
        pages->entries++;
        if (pages->newest_first)
            pages->last = entry.id;
        else
            pages->first = entry.id;
        if (!pages->fn(pages->context, &entry))
            pages->stopped = true;
    }
    pages->more = reply->count >= pages->asked;
    if (reply->count) {
        size_t fit = STEP_BYTES / (bytes / reply->count + 1);
        pages->step = fit > STEP_MAX ? STEP_MAX : fit < 1 ? 1 : fit;
    }
}

static void ask_step(struct stream_pages *pages)
{
    char first[48], last[48], count[24];
    struct ov_slice low = redis_id_text(pages->first, first);
    struct ov_slice high = redis_id_text(pages->last, last);
    uint64_t left = pages->entries_max - pages->entries;
    pages->asked = pages->entries_max && left < pages->step ? (size_t)left : pages->step;
    snprintf(count, sizeof count, "%zu", pages->asked);
    redis_send(pages->redis, on_step, pages, 0,
               pages->newest_first ? OV_SLICE("XREVRANGE") : OV_SLICE("XRANGE"), pages->key,
               pages->newest_first ? high : low, pages->newest_first ? low : high,
               OV_SLICE("COUNT"), ov_slice(count));
}

/* Moves the range's end that was read beyond its last entry; false: nothing is left. */
static bool advance(struct stream_pages *pages)
{
    if (redis_id_compare(pages->first, pages->last) >= 0)
        return false;
    if (pages->newest_first)
        pages->last = id_before(pages->last);
    else
        pages->first = id_after(pages->first);
    return true;
}

int stream_pages_read(struct stream_pages *pages)
{
    pages->step = STEP_FIRST;
    do {
        ask_step(pages);
        int result = redis_run(pages->redis);
        if (result != OV_OK)
            return result;
        if (pages->fault)
            return OV_FAILED;
        if (pages->between && !pages->between(pages->context))
            pages->stopped = true;
    } while (pages->more && !pages->stopped &&
             (pages->entries_max == 0 || pages->entries < pages->entries_max) && advance(pages));
    return OV_OK;
}
