/* SPDX-License-Identifier: Apache-2.0 */
#include "agent_failures.h"

#include <stdlib.h>

#include "event.h"
#include "json.h"
#include "stream_pages.h"

#define FILE_MAX_BYTES ((size_t)256 * 1024 * 1024)
#define TEXT_MAX ((size_t)1000)

static struct ov_slice copy(struct ov_slice text)
{
    size_t len = text.len < TEXT_MAX ? text.len : TEXT_MAX;
    return (struct ov_slice){ov_memdup(text.ptr, len), len};
}

/* False once there are enough. */
static bool take(struct agent_failures *failures, const struct event *event, double at)
{
    if (failures->count < AGENT_FAILURES_MAX && event->kind == EVENT_TASK_FAILED &&
        ov_slice_eq(event->topic, failures->topic) && ov_slice_eq(event->agent, failures->agent))
        failures->items[failures->count++] = (struct agent_failure){
            .at = at, .type = copy(event->error_type), .message = copy(event->error),
            .task_id = copy(event->task_id),
        };
    return failures->count < AGENT_FAILURES_MAX;
}

static bool on_entry(void *context, const struct stream_entry *entry)
{
    struct agent_failures *failures = context;
    struct event event;
    if (!entry->data.ptr || !event_read(failures->reader, entry->data, &event))
        return true;
    return take(failures, &event, (double)entry->id.ms / 1e3);
}

static int read_redis(struct agent_failures *failures, const struct omni_options *omni,
                      struct redis *redis)
{
    const struct ov_slice none = {NULL, 0};
    struct ov_buf key = {0};
    struct stream_pages pages = {
        .redis = redis, .first = STREAM_FIRST, .last = STREAM_LAST, .newest_first = true,
        .fn = on_entry, .context = failures, .entries_max = AGENT_FAILURES_EVENTS,
        .key = omni_storage_key(&key, omni->prefix, "metrics:stream", none, none),
    };
    failures->reader = event_reader_new();
    int result = stream_pages_read(&pages);
    if (result == OV_FAILED && pages.fault) {
        ov_buf_printf(&failures->why, "XREVRANGE %s: ", ov_buf_text(&key));
        ov_buf_slice(&failures->why, (struct ov_slice){pages.why.data, pages.why.len});
        result = OV_OK;
    }
    event_reader_free(failures->reader);
    failures->reader = NULL;
    ov_buf_free(&pages.why);
    ov_buf_free(&key);
    return result;
}

static void read_file(struct agent_failures *failures, const struct omni_options *omni)
{
    struct json_object *events = json_read_file(omni->json_dir, "metrics.json", FILE_MAX_BYTES,
                                                &failures->why);
    size_t count = json_object_is_type(events, json_type_array) ? json_object_array_length(events)
                                                                : 0;
    size_t last = count > AGENT_FAILURES_EVENTS ? count - AGENT_FAILURES_EVENTS : 0;
    struct event event;
    for (size_t i = count; i > last; i--)
        if (event_from_object(json_object_array_get_idx(events, i - 1), &event) &&
            !take(failures, &event, event.timestamp))
            break;
    json_object_put(events);
}

int agent_failures_read(struct agent_failures *failures, const struct omni_options *omni,
                        struct redis *redis)
{
    if (omni->backend == OMNI_REDIS)
        return read_redis(failures, omni, redis);
    read_file(failures, omni);
    return OV_OK;
}

void agent_failures_free(struct agent_failures *failures)
{
    for (size_t i = 0; i < failures->count; i++) {
        free((char *)failures->items[i].type.ptr);
        free((char *)failures->items[i].message.ptr);
        free((char *)failures->items[i].task_id.ptr);
    }
    ov_buf_free(&failures->why);
}
