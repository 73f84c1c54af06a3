/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which topics and DLQs exist beside those that storage lists: a pass over the keyspace with
 * `SCAN ... MATCH omni-* COUNT 1000 TYPE stream`, whole before the first gather, and afterwards
 * every scan_interval, a few steps after each gather. So keys that are no streams cost nothing,
 * and a gather costs the same however many other keys there are.
 */
#include <stdio.h>

#include "bus.h"

enum { STEPS_AT_ONCE = 10 };

static void see_key(struct bus *bus, struct ov_slice key)
{
    struct pairs *found = NULL;
    struct ov_slice prefix = {"", 0};
    if (ov_slice_starts(key, OMNI_STREAM_PREFIX)) {
        found = &bus->found_topics;
        prefix = OMNI_STREAM_PREFIX;
    } else if (ov_slice_starts(key, OMNI_DLQ_PREFIX)) {
        found = &bus->found_dlqs;
        prefix = OMNI_DLQ_PREFIX;
    }
    if (!found)
        return;
    struct ov_slice name = {key.ptr + prefix.len, key.len - prefix.len};
    struct bus_found *entry = pairs_add(found, name, OV_SLICE(""), sizeof *entry);
    entry->name.seen = bus->scan.pass;
}

/* Redis before 6.0 cannot filter by type: ask for the type of each key, never XINFO. */
static void on_type(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct bus_found *entry = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_STATUS || !ov_slice_eq(reply->text, OV_SLICE("stream")))
        entry->name.seen--; /* swept at the end of the pass */
}

static void ask_type(struct bus *bus, struct ov_slice key)
{
    bool is_dlq = ov_slice_starts(key, OMNI_DLQ_PREFIX);
    size_t skip = is_dlq ? OMNI_DLQ_PREFIX.len : OMNI_STREAM_PREFIX.len;
    struct bus_found *entry = key.len < skip ? NULL
        : pairs_find(is_dlq ? &bus->found_dlqs : &bus->found_topics,
                     (struct ov_slice){key.ptr + skip, key.len - skip}, OV_SLICE(""));
    if (entry && entry->name.seen == bus->scan.pass)
        redis_send(bus->redis, on_type, entry, 0, OV_SLICE("TYPE"), key);
}

static void pass_ends(struct bus *bus)
{
    struct bus_scan *scan = &bus->scan;
    pairs_sweep(&bus->found_topics, scan->pass, NULL);
    pairs_sweep(&bus->found_dlqs, scan->pass, NULL);
    scan->running = false;
    scan->completed = true;
    scan->next_ms = ov_clock_ms() + bus->scan_interval_ms;
}

static void on_scan(struct redis *r, const struct redis_reply *reply, void *context, size_t index);

static void send_scan(struct bus *bus)
{
    struct bus_scan *scan = &bus->scan;
    struct ov_slice cursor = ov_slice(scan->cursor);
    scan->steps_left--;
    if (scan->no_type)
        redis_send(bus->redis, on_scan, bus, 0, OV_SLICE("SCAN"), cursor, OV_SLICE("MATCH"),
                   OV_SLICE("omni-*"), OV_SLICE("COUNT"), OV_SLICE("1000"));
    else
        redis_send(bus->redis, on_scan, bus, 0, OV_SLICE("SCAN"), cursor, OV_SLICE("MATCH"),
                   OV_SLICE("omni-*"), OV_SLICE("COUNT"), OV_SLICE("1000"), OV_SLICE("TYPE"),
                   OV_SLICE("stream"));
}

static void on_scan(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct bus *bus = context;
    struct bus_scan *scan = &bus->scan;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ERROR && !scan->no_type &&
        redis_reply_fault(reply) == REDIS_OTHER) { /* "ERR syntax error" */
        scan->no_type = true;
        send_scan(bus);
        return;
    }
    if (reply->type != REDIS_ARRAY || reply->count != 2 ||
        reply->items[0].text.len >= sizeof scan->cursor) {
        refusals_note(&bus->refusals, REFUSABLE_SCAN, OV_SLICE(""), reply);
        scan->running = false;
        scan->next_ms = ov_clock_ms() + bus->scan_interval_ms;
        return;
    }
    const struct redis_reply *keys = &reply->items[1];
    for (size_t i = 0; i < keys->count; i++)
        see_key(bus, keys->items[i].text);
    for (size_t i = 0; scan->no_type && i < keys->count; i++)
        ask_type(bus, keys->items[i].text);
    snprintf(scan->cursor, sizeof scan->cursor, "%.*s", (int)reply->items[0].text.len,
             reply->items[0].text.ptr);
    if (strcmp(scan->cursor, "0") != 0 && scan->steps_left > 0 &&
        ov_clock_ms() < scan->deadline_ms)
        send_scan(bus);
}

static int run_steps(struct bus *bus, int steps, int64_t deadline_ms)
{
    struct bus_scan *scan = &bus->scan;
    if (!scan->running) {
        memcpy(scan->cursor, "0", 2);
        scan->running = true;
        scan->pass += 2; /* see on_type */
    }
    scan->steps_left = steps;
    scan->deadline_ms = deadline_ms;
    send_scan(bus);
    int result = redis_run(bus->redis);
    if (result == OV_OK && scan->running && strcmp(scan->cursor, "0") == 0)
        pass_ends(bus);
    return result;
}

int bus_scan_run(struct bus *bus)
{
    int64_t now = ov_clock_ms(), left = ov_host_deadline(bus->host) - now;
    if (bus->scan.completed || (!bus->scan.running && now < bus->scan.next_ms))
        return OV_OK;
    return run_steps(bus, INT32_MAX, left > 60000 ? now + 30000 : now + left / 2);
}

void bus_scan_step(struct bus *bus)
{
    if (!bus->scan.running && ov_clock_ms() < bus->scan.next_ms)
        return;
    if (redis_open(bus->redis) == OV_OK && run_steps(bus, STEPS_AT_ONCE, INT64_MAX) != OV_OK)
        bus->scan.running = false; /* the next gather says why */
}
