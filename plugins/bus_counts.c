/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happened on the bus, counted from the stream `omni-metrics` by following it: exact however
 * it is trimmed, and kept over restarts together with the position it was counted to.
 *
 *     T ms place                                         when it was saved, and of which Redis
 *     F TEXT                                             the follower, as it writes itself
 *     C topic group processed attempts reclaimed dlq       the counters of a group
 *     B topic group ms seq by_lag added place current carried lost_ms   its backlog's memory
 */
#include "bus.h"
#include "savefile.h"

enum { MEMORY_MS = 600000 }; /* an older memory is none, for a command that looks once */

struct bus_counts *bus_counts_add(struct bus *bus, struct ov_slice topic, struct ov_slice group)
{
    return pairs_add(&bus->counts, topic, group, sizeof(struct bus_counts));
}

static void on_entry(void *context, struct redis_id id, struct ov_slice data)
{
    struct bus *bus = context;
    struct event event;
    (void)id;
    if (!event_read(bus->reader, data, &event) || event.kind < EVENT_BUS_PROCESSED)
        return;
    struct bus_counts *counts = bus_counts_add(bus, event.topic, event.group);
    counts->processed += event.kind == EVENT_BUS_PROCESSED;
    counts->reclaim_attempts += event.kind == EVENT_BUS_RECLAIM_ATTEMPT;
    counts->reclaimed += event.kind == EVENT_BUS_RECLAIMED;
    counts->dlq_pushes += event.kind == EVENT_BUS_DLQ_PUSH;
}

void bus_counts_begin(struct bus *bus)
{
    follow_begin(&bus->counting, &bus->follow, bus->redis, bus->host, OMNI_BUS_METRICS, on_entry,
                 bus);
}

int bus_counts_end(struct bus *bus, int status)
{
    enum redis_fault refused;
    int result = follow_end(&bus->counting, status, &refused);
    if (result != OV_OK && refused == REDIS_FINE)
        return result;
    bus->follow_started = result == OV_OK;
    refusals_follow(&bus->refusals, OMNI_BUS_METRICS, refused);
    return OV_OK;
}

/* ---------------------------------------------------------------- saved state */

static void save_backlog(const struct bus_group *group, struct ov_buf *out)
{
    const struct backlog_memory *m = &group->backlog_memory;
    save_tag(out, "B");
    save_name(out, group->name.a);
    save_name(out, group->name.b);
    save_uint(out, m->last_delivered.ms);
    save_uint(out, m->last_delivered.seq);
    save_int(out, m->by_lag);
    save_int(out, m->added);
    save_int(out, m->place);
    save_int(out, m->current);
    save_int(out, m->carried);
    save_int(out, m->lost_ms);
    save_end(out);
}

void bus_save(const struct bus *bus, struct ov_buf *out)
{
    save_tag(out, "T");
    save_int(out, ov_wall_ns() / 1000000);
    save_name(out, redis_place(bus->redis));
    save_end(out);
    save_tag(out, "F ");
    follow_write(&bus->follow, out);
    save_end(out);
    for (size_t i = 0; i < bus->counts.count; i++) {
        const struct bus_counts *c = (const struct bus_counts *)bus->counts.entries[i];
        save_tag(out, "C");
        save_name(out, c->name.a);
        save_name(out, c->name.b);
        save_uint(out, c->processed);
        save_uint(out, c->reclaim_attempts);
        save_uint(out, c->reclaimed);
        save_uint(out, c->dlq_pushes);
        save_end(out);
    }
    for (size_t i = 0; i < bus->groups.count; i++) {
        const struct bus_group *group = (const struct bus_group *)bus->groups.entries[i];
        if (group->backlog_memory.known)
            save_backlog(group, out);
    }
}

static bool load_counts(struct bus *bus, struct ov_slice line, struct ov_buf *topic,
                        struct ov_buf *name)
{
    struct bus_counts read = {.processed = 0};
    if (!saved_name(&line, topic) || !saved_name(&line, name) ||
        !saved_uint(&line, &read.processed) || !saved_uint(&line, &read.reclaim_attempts) ||
        !saved_uint(&line, &read.reclaimed) || !saved_uint(&line, &read.dlq_pushes))
        return false;
    struct bus_counts *counts = bus_counts_add(bus, (struct ov_slice){topic->data, topic->len},
                                               (struct ov_slice){name->data, name->len});
    read.name = counts->name;
    *counts = read;
    return true;
}

static bool load_backlog(struct bus *bus, struct ov_slice line, struct ov_buf *topic,
                         struct ov_buf *name)
{
    struct backlog_memory m = {.known = true};
    int64_t by_lag;
    if (!saved_name(&line, topic) || !saved_name(&line, name) ||
        !saved_uint(&line, &m.last_delivered.ms) || !saved_uint(&line, &m.last_delivered.seq) ||
        !saved_int(&line, &by_lag) || !saved_int(&line, &m.added) || !saved_int(&line, &m.place) ||
        !saved_int(&line, &m.current) || !saved_int(&line, &m.carried) ||
        (line.len && !saved_int(&line, &m.lost_ms)))
        return false;
    if (bus->memory_is_strange)
        return true;
    struct bus_group *group = pairs_add(&bus->groups, (struct ov_slice){topic->data, topic->len},
                                        (struct ov_slice){name->data, name->len}, sizeof *group);
    m.by_lag = by_lag != 0;
    group->backlog_memory = m;
    return true;
}

/* The agent takes what it finds as what became of things while it was away. A command that looks
 * once saves nothing: it would find the same again and again after an agent that runs no more, and
 * may be about another Redis than the agent that saved. */
static bool load_origin(struct bus *bus, struct ov_slice line, struct ov_buf *place)
{
    struct ov_slice ours = redis_place(bus->redis);
    int64_t saved_ms, now_ms = ov_wall_ns() / 1000000;
    if (!saved_int(&line, &saved_ms) || !saved_name(&line, place))
        return false;
    bool fresh = saved_ms >= now_ms - MEMORY_MS && saved_ms <= now_ms + MEMORY_MS;
    bool same = ov_slice_eq((struct ov_slice){place->data, place->len}, ours);
    bus->memory_is_strange &= !fresh || !same;
    return true;
}

int bus_load(struct bus *bus, struct ov_slice saved)
{
    struct ov_buf topic = {0}, name = {0};
    struct ov_slice line, tag;
    bool good = true;
    bus->memory_is_strange = !ov_host_repeats(bus->host);
    while (good && saved_line(&saved, &line)) {
        if (!saved_word(&line, &tag))
            continue;
        if (ov_slice_eq(tag, OV_SLICE("T")))
            good = load_origin(bus, line, &name);
        else if (ov_slice_eq(tag, OV_SLICE("F")))
            good = follow_read(&bus->follow, line);
        else if (ov_slice_eq(tag, OV_SLICE("C")))
            good = load_counts(bus, line, &topic, &name);
        else if (ov_slice_eq(tag, OV_SLICE("B")))
            good = load_backlog(bus, line, &topic, &name);
    }
    ov_buf_free(&topic);
    ov_buf_free(&name);
    if (good)
        return OV_OK;
    bus->follow = (struct follow){0};
    pairs_free(&bus->counts, NULL);
    pairs_free(&bus->groups, bus_group_free);
    return ov_fail(bus->host, "a line of the saved state is damaged");
}
