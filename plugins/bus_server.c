/* SPDX-License-Identifier: Apache-2.0 */
/* What Redis says of itself: its clock, and four sections of INFO. */
#include <stdio.h>

#include "bus.h"

static void on_time(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct bus *bus = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_ARRAY && reply->count == 2)
        bus->server.now_ms = redis_int(&reply->items[0], 0) * 1000 +
                             redis_int(&reply->items[1], 0) / 1000;
    else
        refusals_note(&bus->refusals, REFUSABLE_TIME, OV_SLICE(""), reply);
}

static void copy_word(char *out, size_t size, struct ov_slice value)
{
    size_t len = value.len < size ? value.len : size - 1;
    memcpy(out, value.ptr, len);
    out[len] = '\0';
}

static int version_number(const char *text)
{
    int major = 0, minor = 0, patch = 0;
    return sscanf(text, "%3d.%3d.%3d", &major, &minor, &patch) >= 1
               ? major * 10000 + minor * 100 + patch : 0;
}

static void take_info(struct bus_server *server, struct ov_slice name, struct ov_slice value)
{
    const struct { const char *name; int64_t *to; } numbers[] = {
        {"uptime_in_seconds", &server->uptime_s}, {"used_memory", &server->memory_used},
        {"maxmemory", &server->memory_limit}, {"connected_clients", &server->clients},
        {"blocked_clients", &server->blocked_clients}, {"used_memory_peak", &server->memory_peak},
    };
    const struct redis_reply number = {.type = REDIS_STRING, .text = value};
    for (size_t i = 0; i < OV_COUNT(numbers); i++)
        if (ov_slice_eq(name, ov_slice(numbers[i].name)))
            *numbers[i].to = redis_int(&number, -1);
    if (ov_slice_eq(name, OV_SLICE("redis_version"))) {
        copy_word(server->version, sizeof server->version, value);
        server->version_number = version_number(server->version);
    } else if (ov_slice_eq(name, OV_SLICE("role"))) {
        copy_word(server->role, sizeof server->role, value);
    } else if (ov_slice_eq(name, OV_SLICE("maxmemory_policy"))) {
        copy_word(server->policy, sizeof server->policy, value);
    }
}

static void on_info(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct bus *bus = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_STRING) {
        refusals_note(&bus->refusals, REFUSABLE_INFO, OV_SLICE(""), reply);
        return;
    }
    struct ov_slice rest = reply->text;
    while (rest.len) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) : rest.len;
        const char *colon = memchr(rest.ptr, ':', len);
        size_t trimmed = len && rest.ptr[len - 1] == '\r' ? len - 1 : len;
        if (colon && colon < rest.ptr + trimmed)
            take_info(&bus->server, (struct ov_slice){rest.ptr, (size_t)(colon - rest.ptr)},
                      (struct ov_slice){colon + 1, (size_t)(rest.ptr + trimmed - colon - 1)});
        rest.ptr += len + (end != NULL);
        rest.len -= len + (end != NULL);
    }
}

void bus_server_ask(struct bus *bus)
{
    static const char *const sections[] = {"server", "clients", "memory", "replication"};
    bus->server = (struct bus_server){
        .now_ms = ov_wall_ns() / 1000000, .uptime_s = -1, .memory_used = -1, .memory_limit = -1,
        .memory_peak = -1, .clients = -1, .blocked_clients = -1,
    };
    redis_send(bus->redis, on_time, bus, 0, OV_SLICE("TIME"));
    for (size_t i = 0; i < OV_COUNT(sections); i++)
        redis_send(bus->redis, on_info, bus, 0, OV_SLICE("INFO"), ov_slice(sections[i]));
}

/* ---------------------------------------------------------------- who blocks */

/* Whoever was paused a moment ago has a fresh key and does not block, either. Returns whether
 * something was asked. */
static bool ask_who_paused(struct bus *bus)
{
    bool asked = false;
    for (size_t i = 0; bus->nobody_blocks && i < bus->groups.count; i++) {
        struct bus_group *group = (struct bus_group *)bus->groups.entries[i];
        struct life_signs signs = {.now_ms = bus->server.now_ms,
                                   .key_idle_ms = group->key_idle_ms, .nobody_blocks = true};
        if (group->key_idle_ms < 0 || !bus_group_is_silent(group) ||
            !life_wants_value(&signs, &group->life_memory))
            continue;
        bus_group_ask_value(group);
        asked = true;
    }
    return asked;
}

int bus_server_blocked(struct bus *bus)
{
    bool first_look = bus->blocked_seen_ms == 0 && bus->cycle == 1;
    if (!bus_wants_life(bus))
        return OV_OK;
    if (bus->server.blocked_clients == 0 && first_look && bus_needs_blocked(bus)) {
        omni_pause(bus->host, OMNI_UNBLOCKED_MS);
        redis_send(bus->redis, on_info, bus, 0, OV_SLICE("INFO"), OV_SLICE("clients"));
        int result = redis_run(bus->redis);
        if (result != OV_OK)
            return result;
    }
    if (bus->server.blocked_clients > 0)
        bus->blocked_seen_ms = ov_clock_ms();
    bus->nobody_blocks = bus->server.blocked_clients == 0 &&
                         (bus->blocked_seen_ms == 0 ||
                          ov_clock_ms() - bus->blocked_seen_ms > OMNI_FRESH_MS);
    return ask_who_paused(bus) ? redis_run(bus->redis) : OV_OK;
}
