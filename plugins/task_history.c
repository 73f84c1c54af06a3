/* SPDX-License-Identifier: Apache-2.0 */
#include "task_history.h"

#include "follow_file.h"
#include "stream_pages.h"

/* A window that no event falls out of, and its end. */
#define ALL_MS ((int64_t)1000 * 365 * 86400000)
#define END_MS (ALL_MS / 2)

enum { METRICS_FILE_HOLDS = 10000 /* OmniDaemon drops older events from metrics.json */ };

static void count(struct task_history *h, const struct event *event, int64_t at_ms)
{
    if (event->kind < EVENT_TASK_RECEIVED || event->kind > EVENT_TASK_FAILED ||
        !h->wants(h->context, event->topic, event->agent))
        return;
    tasks_count(&h->tasks, event, at_ms);
    if (event->kind == EVENT_TASK_RECEIVED)
        h->received++;
    else if (event->kind == EVENT_TASK_PROCESSED)
        sketch_processed(&h->total, ALL_MS, at_ms, event->processing_time_sec);
    else
        sketch_failed(&h->total, ALL_MS, at_ms);
}

struct sketch_summary task_history_summary(const struct sketch *window)
{
    return sketch_summarise(window, ALL_MS, END_MS);
}

/* ---------------------------------------------------------------- Redis */

static void note_refusal(struct task_history *h, const char *command, struct ov_slice key,
                         enum redis_fault fault, struct ov_slice text)
{
    ov_buf_printf(&h->why, "%s ", command);
    ov_buf_escaped(&h->why, key);
    ov_buf_str(&h->why, ": ");
    ov_buf_escaped(&h->why, text);
    if (*redis_fault_remedy(fault))
        ov_buf_printf(&h->why, "; %s", redis_fault_remedy(fault));
}

static void on_stream(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct task_history *h = context;
    struct redis_id first;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ERROR && redis_reply_fault(reply) != REDIS_NOKEY)
        note_refusal(h, "XINFO STREAM", OV_SLICE("metrics:stream"), redis_reply_fault(reply),
                     reply->text);
    if (reply->type != REDIS_ARRAY)
        return;
    const struct redis_reply *entry = redis_map_get(reply, "first-entry");
    int64_t added = redis_int(redis_map_get(reply, "entries-added"), -1);
    int64_t length = redis_int(redis_map_get(reply, "length"), 0);
    h->length = (uint64_t)(length > 0 ? length : 0);
    h->trimmed = added > length;
    h->may_be_trimmed = added < 0;
    if (entry && entry->type == REDIS_ARRAY && entry->count == 2 &&
        redis_id_parse(entry->items[0].text, &first))
        h->first_ms = (int64_t)first.ms;
}

static bool on_entry(void *context, const struct stream_entry *entry)
{
    struct task_history *h = context;
    struct event event;
    h->events++;
    if (entry->data.ptr && event_read(h->reader, entry->data, &event))
        count(h, &event, (int64_t)entry->id.ms);
    return true;
}

static bool between_steps(void *context)
{
    struct task_history *h = context;
    if (h->progress)
        h->progress(h->context, h->events, h->length);
    return true;
}

static int read_redis(struct task_history *h, const struct omni_options *omni,
                      struct redis *redis)
{
    const struct ov_slice none = {NULL, 0};
    struct ov_buf key = {0};
    struct stream_pages pages = {
        .redis = redis, .first = {h->since_ms, 0}, .last = STREAM_LAST, .fn = on_entry,
        .context = h, .between = between_steps,
        .key = omni_storage_key(&key, omni->prefix, "metrics:stream", none, none),
    };
    redis_send(redis, on_stream, h, 0, OV_SLICE("XINFO"), OV_SLICE("STREAM"), pages.key);
    int result = redis_run(redis);
    if (result == OV_OK && h->why.len == 0) {
        h->reader = event_reader_new();
        /* what comes while it is read would make it endless */
        pages.entries_max = h->length + 1;
        result = stream_pages_read(&pages);
        event_reader_free(h->reader);
        h->reader = NULL;
    }
    if (result == OV_FAILED && pages.fault) {
        note_refusal(h, "XRANGE", pages.key, pages.fault,
                     (struct ov_slice){pages.why.data, pages.why.len});
        result = OV_OK;
    }
    ov_buf_free(&pages.why);
    ov_buf_free(&key);
    return result;
}

/* ---------------------------------------------------------------- JSON */

static void on_file_event(void *context, const struct event *event, int64_t at_ms)
{
    struct task_history *h = context;
    h->events++;
    if (at_ms > 0 && (h->first_ms == 0 || at_ms < h->first_ms))
        h->first_ms = at_ms;
    if (at_ms >= (int64_t)h->since_ms)
        count(h, event, at_ms);
}

static void read_json(struct task_history *h, const struct omni_options *omni)
{
    struct follow_file whole = {.length = -1};
    if (follow_file_run(&whole, omni->json_dir, on_file_event, h, &h->why) == OV_OK)
        h->trimmed = whole.length >= METRICS_FILE_HOLDS;
}

/* ---------------------------------------------------------------- both */

int task_history_read(struct task_history *h, const struct omni_options *omni,
                      struct redis *redis, uint64_t since_ms)
{
    h->tasks.window_ms = ALL_MS;
    h->since_ms = since_ms;
    if (omni->backend == OMNI_REDIS)
        return read_redis(h, omni, redis);
    read_json(h, omni);
    return OV_OK;
}

void task_history_free(struct task_history *h)
{
    tasks_free(&h->tasks);
    sketch_free(&h->total);
    ov_buf_free(&h->why);
}
