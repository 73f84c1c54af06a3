/* SPDX-License-Identifier: Apache-2.0 */
#include "exceptions.h"

#include <stdlib.h>

#include "event.h"
#include "json.h"
#include "stream_pages.h"

#define EVENTS_MAX 250000 /* OmniDaemon keeps about 100 000 */
#define FILE_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define MESSAGE_MAX ((size_t)4000)
#define TYPE_MAX ((size_t)200)
#define CLOCKS_DIFFER_MS 3600000 /* a failure may be noted so much before its event, by the clock */

void exceptions_want(struct exceptions *all, struct ov_slice task_id, struct ov_slice agent,
                     struct redis_id published)
{
    size_t before = all->wanted.count;
    uint64_t since = published.ms > CLOCKS_DIFFER_MS ? published.ms - CLOCKS_DIFFER_MS : 0;
    if (task_id.len == 0)
        return;
    pairs_add(&all->wanted, task_id, agent, sizeof(struct exception));
    all->missing += all->wanted.count - before;
    if (before == 0 || since < all->since_ms)
        all->since_ms = since;
}

static struct ov_slice copy(struct ov_slice text, size_t max)
{
    size_t len = text.len < max ? text.len : max;
    return (struct ov_slice){ov_memdup(text.ptr, len), len};
}

static void take(struct exceptions *all, const struct event *event, struct ov_slice agent)
{
    struct exception *e = pairs_find(&all->wanted, event->task_id, agent);
    if (!e || e->found)
        return;
    e->found = true;
    e->type = copy(event->error_type, TYPE_MAX);
    e->message = copy(event->error, MESSAGE_MAX);
    all->missing--;
}

static void take_event(struct exceptions *all, const struct event *event)
{
    if (event->kind != EVENT_TASK_FAILED || event->task_id.len == 0)
        return;
    take(all, event, event->agent);
    take(all, event, OV_SLICE(""));
}

static bool on_entry(void *context, const struct stream_entry *entry)
{
    struct exceptions *all = context;
    struct event event;
    all->looked_at++;
    if (entry->data.ptr && event_read(all->reader, entry->data, &event))
        take_event(all, &event);
    return all->missing > 0;
}

static bool between_steps(void *context)
{
    struct exceptions *all = context;
    if (all->progress)
        all->progress(all->context, all->looked_at);
    return true;
}

static int find_in_redis(struct exceptions *all, const struct omni_options *omni,
                         struct redis *redis)
{
    const struct ov_slice none = {NULL, 0};
    struct ov_buf key = {0};
    struct stream_pages pages = {
        .redis = redis, .first = {all->since_ms, 0}, .last = STREAM_LAST, .newest_first = true,
        .fn = on_entry, .context = all, .entries_max = EVENTS_MAX, .between = between_steps,
        .key = omni_storage_key(&key, omni->prefix, "metrics:stream", none, none),
    };
    all->reader = event_reader_new();
    int result = stream_pages_read(&pages);
    if (result == OV_FAILED && pages.fault) {
        ov_buf_printf(&all->why, "%s: ", ov_buf_text(&key));
        ov_buf_slice(&all->why, (struct ov_slice){pages.why.data, pages.why.len});
        result = OV_OK;
    }
    event_reader_free(all->reader);
    all->reader = NULL;
    ov_buf_free(&pages.why);
    ov_buf_free(&key);
    return result;
}

static void find_in_file(struct exceptions *all, const struct omni_options *omni)
{
    struct json_object *events = json_read_file(omni->json_dir, "metrics.json", FILE_MAX_BYTES,
                                                &all->why);
    if (!json_object_is_type(events, json_type_array)) {
        if (all->why.len == 0)
            ov_buf_printf(&all->why, "%s/metrics.json: not a list of events", omni->json_dir);
        json_object_put(events);
        return;
    }
    for (size_t i = json_object_array_length(events); i > 0 && all->missing; i--) {
        struct event event;
        all->looked_at++;
        if (event_from_object(json_object_array_get_idx(events, i - 1), &event))
            take_event(all, &event);
    }
    json_object_put(events);
}

int exceptions_find(struct exceptions *all, const struct omni_options *omni, struct redis *redis)
{
    if (all->missing == 0)
        return OV_OK;
    if (omni->backend == OMNI_REDIS)
        return find_in_redis(all, omni, redis);
    find_in_file(all, omni);
    return OV_OK;
}

const struct exception *exceptions_of(const struct exceptions *all, struct ov_slice task_id,
                                      struct ov_slice agent)
{
    const struct exception *e = pairs_find(&all->wanted, task_id, agent);
    return e && e->found ? e : NULL;
}

static void drop(void *entry)
{
    struct exception *e = entry;
    free((char *)e->type.ptr);
    free((char *)e->message.ptr);
}

void exceptions_free(struct exceptions *all)
{
    pairs_free(&all->wanted, drop);
    ov_buf_free(&all->why);
    *all = (struct exceptions){0};
}
