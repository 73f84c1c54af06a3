/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `bus inspect`: what stands in a topic, or in any stream of OmniDaemon's by its key.
 * Following asks again and again without blocking: a blocked client would count as a sign of life
 * of the consumers.
 */
#include <math.h>
#include <poll.h>
#include <stdio.h>

#include "bus_call.h"
#include "call_number.h"
#include "figures.h"
#include "json_text.h"
#include "payload.h"

enum { FLAG_LIMIT, FLAG_ID, FLAG_FOLLOW, FLAG_MASK, FLAG_BYTES, FLAG_STREAM };
static const struct ov_flag flags[] = {
    [FLAG_LIMIT] = {"limit", 'n', "N", "show so many (10)", NULL},
    [FLAG_ID] = {"id", 0, "ID", "show the entry of this id", NULL},
    [FLAG_FOLLOW] = {"follow", 0, NULL, "go on with what is published from now on", NULL},
    [FLAG_MASK] = {"mask", 0, "PATTERN", "hide the values of keys that match, as '*key*,*token*'",
                   NULL},
    [FLAG_BYTES] = {"bytes", 0, "N", "show so much of a payload (4096; 0: all)", NULL},
    [FLAG_STREAM] = {"stream", 0, "TOPIC", "the same as TOPIC", NULL},
    {.name = NULL},
};

enum { COLUMN_ID, COLUMN_TIME, COLUMN_TASK, COLUMN_PAYLOAD, COLUMN_FIELDS };
static const struct ov_column columns[] = {
    [COLUMN_ID] = {"id", OV_CELL_TEXT, NULL, 0},
    [COLUMN_TIME] = {"time", OV_CELL_TIME, NULL, 0},
    [COLUMN_TASK] = {"task_id", OV_CELL_TEXT, "task", 0},
    [COLUMN_PAYLOAD] = {"payload", OV_CELL_JSON, NULL, 0},
    [COLUMN_FIELDS] = {"other_fields", OV_CELL_JSON, "other fields", 0},
};
static const struct ov_view view = {
    .name = "entries", .shape = OV_SHAPE_CARDS, .columns = columns,
    .column_count = OV_COUNT(columns), .empty = "no entries",
};

struct inspect {
    struct bus *bus;
    struct ov_call *call;
    struct payload_style style;
    struct ov_buf key, scratch;
    struct redis_id after; /* the newest that was shown or passed over */
};

/* Fields beside `data`, which OmniDaemon never writes, as one object. */
static void show_other_fields(struct inspect *in, const struct stream_entry *entry)
{
    const struct redis_reply *fields = entry->fields;
    bool data_seen = false, any = false;
    ov_buf_reset(&in->scratch);
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        bool is_data = !data_seen && ov_slice_eq(fields->items[i].text, OV_SLICE("data"));
        data_seen |= is_data;
        if (is_data)
            continue;
        ov_buf_str(&in->scratch, any ? ", " : "{");
        ov_buf_json(&in->scratch, fields->items[i].text);
        ov_buf_str(&in->scratch, ": ");
        payload_show(&in->style, fields->items[i + 1].text, &in->scratch);
        any = true;
    }
    if (!any)
        return;
    ov_buf_char(&in->scratch, '}');
    ov_show_text(in->call, COLUMN_FIELDS, (struct ov_slice){in->scratch.data, in->scratch.len});
}

static void show_task(struct inspect *in, struct ov_slice data)
{
    ov_buf_reset(&in->scratch);
    if (json_text_is_valid(data) &&
        json_text_decode(json_text_member(data, "task_id"), &in->scratch))
        ov_show_text(in->call, COLUMN_TASK,
                     (struct ov_slice){in->scratch.data, in->scratch.len});
}

static bool show_entry(void *context, const struct stream_entry *entry)
{
    struct inspect *in = context;
    char id[48];
    if (redis_id_compare(entry->id, in->after) > 0)
        in->after = entry->id;
    ov_show_row(in->call);
    ov_show_text(in->call, COLUMN_ID, redis_id_text(entry->id, id));
    if (!isnan(omni_age(in->bus->server.now_ms, entry->id.ms)))
        ov_show_float(in->call, COLUMN_TIME, (double)entry->id.ms / 1e3);
    if (entry->data.ptr) {
        show_task(in, entry->data);
        ov_buf_reset(&in->scratch);
        payload_show(&in->style, entry->data, &in->scratch);
        ov_show_text(in->call, COLUMN_PAYLOAD,
                     (struct ov_slice){in->scratch.data, in->scratch.len});
    }
    show_other_fields(in, entry);
    return true;
}

/* ---------------------------------------------------------------- which stream */

static bool key_is_omnidaemons(const struct bus *bus, struct ov_slice key)
{
    struct ov_buf metrics = {0};
    const struct ov_slice none = {NULL, 0};
    bool is = ov_slice_starts(key, OMNI_STREAM_PREFIX) || ov_slice_starts(key, OMNI_DLQ_PREFIX) ||
              ov_slice_eq(key, OMNI_BUS_METRICS) ||
              ov_slice_eq(key, omni_storage_key(&metrics, bus->omni.prefix, "metrics:stream",
                                                none, none));
    ov_buf_free(&metrics);
    return is;
}

static void on_last_id(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct redis_id *newest = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ARRAY)
        *newest = bus_reply_id(redis_map_get(reply, "last-generated-id"));
}

/* Where following begins: at the newest entry there ever was. */
static int find_end(struct inspect *in)
{
    redis_send(in->bus->redis, on_last_id, &in->after, 0, OV_SLICE("XINFO"), OV_SLICE("STREAM"),
               (struct ov_slice){in->key.data, in->key.len});
    return redis_run(in->bus->redis) == OV_OK ? OV_EXIT_FINE
                                              : bus_call_failed(in->call, in->bus);
}

/* Sets the key: a topic's stream, or a stream by its own name. */
static int find_stream(struct inspect *in, const struct ov_batch *batch, const char *word)
{
    struct ov_slice topic, whole = ov_slice(word);
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (figure_of(s, "omnidaemon_stream") && ov_slice_eq(figure_tag(s, "topic"), whole)) {
            omni_stream_key(&in->key, whole);
            return OV_EXIT_FINE;
        }
    if (key_is_omnidaemons(in->bus, whole)) {
        ov_buf_reset(&in->key);
        ov_buf_slice(&in->key, whole);
        return OV_EXIT_FINE;
    }
    int status = bus_call_topic(in->call, batch, word, &topic);
    if (status == OV_EXIT_FINE)
        omni_stream_key(&in->key, topic);
    return status;
}

/* ---------------------------------------------------------------- reading */

static int read_range(struct inspect *in, struct redis_id first, struct redis_id last,
                      bool newest_first, uint64_t limit, uint64_t *entries)
{
    struct stream_pages pages = {
        .redis = in->bus->redis, .key = {in->key.data, in->key.len}, .first = first, .last = last,
        .newest_first = newest_first, .fn = show_entry, .context = in, .entries_max = limit,
    };
    if (stream_pages_read(&pages) != OV_OK)
        return bus_call_pages_failed(in->call, in->bus, &pages);
    *entries = pages.entries;
    return OV_EXIT_FINE;
}

static int follow(struct inspect *in)
{
    enum { PAUSE_MS = 250, AT_ONCE = 1000 };
    struct ov_host *host = ov_call_host(in->call);
    while (!ov_host_stopping(host)) {
        struct redis_id first = in->after;
        uint64_t entries;
        if (++first.seq == 0)
            first.ms++;
        ov_show_flush(in->call);
        int status = read_range(in, first, STREAM_LAST, false, AT_ONCE, &entries);
        if (status != OV_EXIT_FINE)
            return status;
        struct pollfd stop = {.fd = ov_host_stop_fd(host), .events = POLLIN};
        if (entries < AT_ONCE)
            poll(&stop, 1, PAUSE_MS);
    }
    return OV_EXIT_FINE;
}

static int inspect(struct inspect *in, const char *id_text, int64_t limit)
{
    struct redis_id id;
    uint64_t entries;
    bool following = ov_call_flag(in->call, FLAG_FOLLOW) != NULL;
    const char *word = bus_call_stream(in->call, FLAG_STREAM);
    if (!word)
        return ov_call_usage(in->call, "say which topic");
    if (id_text && following)
        return ov_call_usage(in->call, "--id and --follow exclude each other");
    if (id_text && !redis_id_parse(ov_slice(id_text), &id))
        return ov_call_usage(in->call, "`%s` is no entry id, as 1700000000000-0 is", id_text);
    const struct ov_batch *batch;
    int status = bus_call_gather(in->call, &batch);
    if (status == OV_EXIT_FINE)
        status = find_stream(in, batch, word);
    if (status != OV_EXIT_FINE)
        return status;
    ov_show(in->call, &view);
    if (following) {
        status = find_end(in);
        return status == OV_EXIT_FINE ? follow(in) : status;
    }
    if (!id_text)
        return read_range(in, STREAM_FIRST, STREAM_LAST, true, (uint64_t)limit, &entries);
    status = read_range(in, id, id, false, 1, &entries);
    if (status == OV_EXIT_FINE && entries == 0) {
        ov_show_note(in->call, "There is no entry %s: it was trimmed or deleted, or never was.",
                     id_text);
        status = OV_EXIT_PROBLEM;
    }
    return status;
}

static int inspect_run(void *state, struct ov_call *call)
{
    struct inspect in = {.bus = state, .call = call};
    int64_t limit;
    if (!call_number(call, FLAG_LIMIT, "limit", 10, 100000, &limit) ||
        !payload_style_read(&in.style, call, ov_call_flag(call, FLAG_BYTES),
                            ov_call_flag(call, FLAG_MASK)))
        return OV_EXIT_USAGE;
    int status = inspect(&in, ov_call_flag(call, FLAG_ID), limit);
    payload_style_free(&in.style);
    ov_buf_free(&in.key);
    ov_buf_free(&in.scratch);
    return status;
}

static const char more[] =
    "The newest entries come first; with --follow, those published from now on as they come.\n"
    "TOPIC may also be the key of a stream, as omni-dlq:group:orders.created:fraud-check or\n"
    "omni-metrics are. Reading changes nothing, and takes nothing from any agent.\n";

const struct ov_command bus_command_inspect = {
    .name = "bus inspect", .takes = "TOPIC", .words_max = 1,
    .summary = "Entries of a topic, with their payloads", .more = more,
    .example = "omnivigil bus inspect orders.created --limit 3 --mask '*key*,*token*'",
    .flags = flags, .run = inspect_run, .once = true, .figures = bus_call_streams,
};
