/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clocks of the hosts that runners are on. What they write to a stream holds their time, its
 * entry's id Redis'. Writing takes a while, never less than nothing: of a runner's entries the one
 * where both differ least tells its clock.
 */
#include <math.h>
#include <stdio.h>

#include "diagnose.h"
#include "event.h"

enum { RUNNERS_MAX = 32, TOLERANCE_SECONDS = 5, RECENT_MS = 600000 };

struct host_clock {
    char runner[64];          /* "": not said */
    double ahead;             /* seconds, of Redis' */
    size_t entries;
};

struct clocks {
    struct event_reader *reader;
    struct host_clock hosts[RUNNERS_MAX];
    size_t count;
};

static struct host_clock *host_of(struct clocks *clocks, struct ov_slice runner)
{
    char name[sizeof clocks->hosts[0].runner];
    snprintf(name, sizeof name, "%.*s", (int)(runner.len < 63 ? runner.len : 63), runner.ptr);
    for (size_t i = 0; i < clocks->count; i++)
        if (strcmp(clocks->hosts[i].runner, name) == 0)
            return &clocks->hosts[i];
    if (clocks->count == RUNNERS_MAX)
        return NULL;
    struct host_clock *host = &clocks->hosts[clocks->count++];
    memcpy(host->runner, name, sizeof name);
    return host;
}

static void take_entry(struct clocks *clocks, const struct redis_reply *entry)
{
    struct event event;
    struct redis_id id;
    if (entry->type != REDIS_ARRAY || entry->count < 2 ||
        !redis_id_parse(entry->items[0].text, &id))
        return;
    const struct redis_reply *data = redis_map_get(&entry->items[1], "data");
    if (!data || data->type != REDIS_STRING ||
        !event_read(clocks->reader, data->text, &event) || isnan(event.timestamp))
        return;
    struct host_clock *host = host_of(clocks, event.runner_id);
    double ahead = event.timestamp - (double)id.ms / 1e3;
    if (!host)
        return;
    if (host->entries++ == 0 || fabs(ahead) < fabs(host->ahead))
        host->ahead = ahead;
}

static void on_entries(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    (void)r;
    (void)index;
    for (size_t i = 0; reply->type == REDIS_ARRAY && i < reply->count; i++)
        take_entry(context, &reply->items[i]);
}

static void tell_clock(struct look *look, const struct host_clock *host)
{
    struct finding *f = diagnosis_add(look->d, AIL_CLOCK, fabs(host->ahead) > 60, NOBODYS,
                                      NOBODYS);
    ov_buf_str(&f->what, "the clock of ");
    if (*host->runner)
        ov_buf_str(&f->what, "runner ");
    ov_buf_escaped(&f->what, ov_slice(*host->runner ? host->runner : "a runner's host"));
    ov_buf_str(&f->what, " is ");
    put_duration(&f->what, fabs(host->ahead));
    ov_buf_printf(&f->what, " %s Redis'", host->ahead > 0 ? "ahead of" : "behind");
    ov_buf_printf(&f->evidence, "at best %+.3f s in %zu events, by their timestamps and the ids of "
                  "their entries", host->ahead, host->entries);
    ov_buf_str(&f->next, "timedatectl");
}

/* Of runners where they are named; the bus's own metrics name none. */
static void ask(struct look *look, struct clocks *clocks, struct ov_slice key)
{
    char since[32];
    snprintf(since, sizeof since, "%jd", (intmax_t)(look->now_ms - RECENT_MS));
    redis_send(look->runner->redis, on_entries, clocks, 0, OV_SLICE("XRANGE"), key,
               ov_slice(since), OV_SLICE("+"), OV_SLICE("COUNT"), OV_SLICE("100"));
}

void look_at_clocks(struct look *look)
{
    struct clocks clocks = {.reader = event_reader_new()};
    const struct ov_slice none = {NULL, 0};
    if (look->runner->omni.backend == OMNI_REDIS)
        ask(look, &clocks, omni_storage_key(&look->key, look->runner->omni.prefix,
                                            "metrics:stream", none, none));
    else
        ask(look, &clocks, OMNI_BUS_METRICS);
    if (redis_run(look->runner->redis) == OV_OK)
        for (size_t i = 0; i < clocks.count; i++)
            if (fabs(clocks.hosts[i].ahead) > TOLERANCE_SECONDS)
                tell_clock(look, &clocks.hosts[i]);
    event_reader_free(clocks.reader);
}
