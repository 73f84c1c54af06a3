/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups whose agents are not registered: left over, or of agents that are registered elsewhere.
 * OmniDaemon's bus is one for all prefixes of storage keys, so other prefixes are looked for, in a
 * bounded scan, before a group is called left over. A removal is only proposed for what is at rest.
 */
#include <stdio.h>
#include <stdlib.h>

#include "diagnose.h"
#include "figures.h"
#include "shell.h"

enum {
    PREFIXES_MAX = 16,
    SCAN_STEPS_MAX = 2000, /* of 1000 keys */
    SCAN_MS = 1500,
    REST_SECONDS = 3600,   /* a topic without entries for so long is at rest */
};

struct orphan {
    const struct ov_sample *sample;
    const char *home;      /* the prefix that its agent is registered under; NULL: none was found */
};

struct search {
    struct look *look;
    struct orphan *orphans;
    size_t count;
    char *prefixes[PREFIXES_MAX]; /* owned */
    size_t prefix_count;
    char cursor[24];
    bool failed;
};

/* ---------------------------------------------------------------- other prefixes */

static void add_prefix(struct search *search, struct ov_slice key)
{
    static const struct ov_slice end = {":topics", sizeof ":topics" - 1};
    const struct omni_options *omni = &search->look->runner->omni;
    if (key.len <= end.len || memchr(key.ptr, '\0', key.len) ||
        memcmp(key.ptr + key.len - end.len, end.ptr, end.len) != 0)
        return;
    struct ov_slice prefix = {key.ptr, key.len - end.len};
    bool known = omni->backend == OMNI_REDIS && ov_slice_eq(prefix, ov_slice(omni->prefix));
    for (size_t i = 0; i < search->prefix_count; i++)
        known |= ov_slice_eq(prefix, ov_slice(search->prefixes[i]));
    if (!known && search->prefix_count < PREFIXES_MAX)
        search->prefixes[search->prefix_count++] = ov_memdup(prefix.ptr, prefix.len);
}

static void on_scan(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct search *search = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_ARRAY || reply->count != 2 || reply->items[0].text.len == 0 ||
        reply->items[0].text.len >= sizeof search->cursor) {
        search->failed = true;
        return;
    }
    snprintf(search->cursor, sizeof search->cursor, "%.*s", (int)reply->items[0].text.len,
             reply->items[0].text.ptr);
    for (size_t i = 0; i < reply->items[1].count; i++)
        add_prefix(search, reply->items[1].items[i].text);
}

static void on_member(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct search *search = context;
    struct orphan *orphan = &search->orphans[index / PREFIXES_MAX];
    (void)r;
    if (reply->type == REDIS_INTEGER && reply->integer == 1 && !orphan->home)
        orphan->home = search->prefixes[index % PREFIXES_MAX];
}

/* True where all keys were seen and asked about. */
static bool find_homes(struct search *search)
{
    struct look *look = search->look;
    struct redis *r = look->runner->redis;
    int64_t until = ov_clock_ms() + SCAN_MS;
    int steps = 0;
    memcpy(search->cursor, "0", 2);
    do {
        redis_send(r, on_scan, search, 0, OV_SLICE("SCAN"), ov_slice(search->cursor),
                   OV_SLICE("MATCH"), OV_SLICE("*:topics"), OV_SLICE("COUNT"), OV_SLICE("1000"));
        if (redis_run(r) != OV_OK)
            return false;
    } while (!search->failed && strcmp(search->cursor, "0") != 0 && ++steps < SCAN_STEPS_MAX &&
             ov_clock_ms() < until);
    for (size_t i = 0; i < search->count * search->prefix_count; i++) {
        size_t orphan = i / search->prefix_count, prefix = i % search->prefix_count;
        const struct ov_sample *s = search->orphans[orphan].sample;
        redis_send(r, on_member, search, orphan * PREFIXES_MAX + prefix, OV_SLICE("SISMEMBER"),
                   omni_storage_key(&look->key, search->prefixes[prefix], "agents:topic",
                                    figure_tag(s, "topic"), NOBODYS), figure_tag(s, "agent"));
    }
    return redis_run(r) == OV_OK && !search->failed && strcmp(search->cursor, "0") == 0;
}

/* ---------------------------------------------------------------- rest */

/* Seconds since the topic's newest entry; NaN where there is none. */
static double topic_rests(const struct look *look, struct ov_slice topic)
{
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next)
        if (figure_of(s, "omnidaemon_stream") && ov_slice_eq(figure_tag(s, "topic"), topic))
            return figure_double(s, "last_age_seconds");
    return -1;
}

static bool has_tasks(const struct ov_sample *s)
{
    return figure_int(s, "pending", -1) != 0 || figure_int(s, "undelivered", -1) != 0;
}

/* Whether somebody takes its tasks, or may: it is up to date on a topic that is used. */
static bool is_lively(const struct look *look, const struct ov_sample *s)
{
    struct ov_slice life = figure_text(s, "life");
    return ov_slice_eq(life, OV_SLICE("polling")) || ov_slice_eq(life, OV_SLICE("busy")) ||
           (figure_int(s, "undelivered", -1) == 0 &&
            topic_rests(look, figure_tag(s, "topic")) < REST_SECONDS);
}

/* ---------------------------------------------------------------- telling */

static void tell_orphan(struct look *look, const struct ov_sample *s, bool searched)
{
    struct ov_slice topic = figure_tag(s, "topic"), group = figure_tag(s, "group");
    struct finding *f = diagnosis_add(look->d, AIL_ORPHAN_GROUP, false, topic,
                                      figure_tag(s, "agent"));
    ov_buf_str(&f->what, "group ");
    ov_buf_escaped(&f->what, group);
    ov_buf_str(&f->what, " belongs to no registered agent");
    put_fields(&f->evidence, s, "pending,undelivered,consumers,life,dlq_length");
    next_omnivigil(look, f, "bus groups", topic, NOBODYS);
    if (is_lively(look, s)) {
        ov_buf_str(&f->meaning, " Or it is in use, by an agent that is registered elsewhere "
                                "(REDIS_KEY_PREFIX, STORAGE_BACKEND): do not remove it.");
    } else if (has_tasks(s)) {
        ov_buf_str(&f->meaning, " It holds tasks that nobody may have done, and that a removal "
                                "of the group drops.");
    } else if (!searched) {
        ov_buf_str(&f->meaning, " Whether its agent is registered under another prefix could not "
                                "be found out.");
    } else {
        struct ov_slice key = omni_stream_key(&look->key, topic);
        next_redis(look, f, "xgroup destroy", (const struct ov_slice[]){key, group}, 2);
    }
}

static const char *place(const struct look *look)
{
    return look->runner->omni.backend == OMNI_REDIS ? look->runner->omni.prefix
                                                    : look->runner->omni.json_dir;
}

/* No agent is where omnivigil looks: tells where they are, or may be. */
static void tell_elsewhere(struct search *search, const struct orphan *example)
{
    struct look *look = search->look;
    bool in_redis = look->runner->omni.backend == OMNI_REDIS;
    struct finding *f = diagnosis_add(look->d, AIL_OTHER_STORAGE, true, NOBODYS, NOBODYS);
    ov_buf_printf(&f->what, "OmniDaemon's storage %s, not where omnivigil looks",
                  example->home ? "is under another prefix" : "seems to be elsewhere");
    ov_buf_printf(&f->evidence, "no agent is registered %s ", in_redis ? "under the prefix" : "in");
    ov_buf_escaped(&f->evidence, ov_slice(place(look)));
    ov_buf_str(&f->evidence, ", and the agent of ");
    ov_buf_escaped(&f->evidence, figure_tag(example->sample, "group"));
    if (!example->home) {
        ov_buf_printf(&f->evidence, " works; %zu such group%s", search->count,
                      search->count == 1 ? "" : "s");
        ov_buf_str(&f->meaning, " OmniDaemon finds it by REDIS_KEY_PREFIX, STORAGE_BACKEND and "
                                "JSON_STORAGE_DIR: give omnivigil the same.");
        next_omnivigil(look, f, "diagnose -v", NOBODYS, NOBODYS);
        return;
    }
    struct ov_buf word = {0};
    ov_buf_str(&f->evidence, " is registered under ");
    ov_buf_escaped(&f->evidence, ov_slice(example->home));
    ov_buf_printf(&word, "REDIS_KEY_PREFIX=%s", example->home);
    ov_buf_printf(&f->next, "export%s", in_redis ? "" : " STORAGE_BACKEND=redis");
    if (!shell_word(&f->next, (struct ov_slice){word.data, word.len}))
        ov_buf_reset(&f->next);
    ov_buf_free(&word);
}

/* The one that says most about where the agents are; NULL: none is known to be elsewhere. */
static const struct orphan *find_example(const struct search *search)
{
    const struct orphan *example = NULL;
    for (size_t i = 0; i < search->count; i++) {
        const struct orphan *orphan = &search->orphans[i];
        if (orphan->home)
            return orphan;
        if (!example && is_lively(search->look, orphan->sample))
            example = orphan;
    }
    return example;
}

static bool tells_elsewhere(const struct look *look)
{
    for (size_t i = 0; i < look->d->count; i++)
        if (look->d->findings[i]->ailment == AIL_OTHER_STORAGE)
            return true;
    return false;
}

static bool knows_agents(const struct look *look)
{
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next)
        if (figure_of(s, "omnidaemon_group") && figure_bool(s, "registered") == 1)
            return true;
    return false;
}

/* A name of another form is another program's group, which is none of OmniDaemon's business. */
static bool is_orphan(const struct look *look, const struct ov_sample *s)
{
    struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
    return figure_of(s, "omnidaemon_group") && figure_bool(s, "exists") == 1 &&
           figure_bool(s, "registered") == 0 && agent.len && topic.len &&
           ov_call_wants(look->call, &topic, &agent);
}

void look_at_orphans(struct look *look)
{
    struct search search = {.look = look};
    search.orphans = ov_calloc(ov_batch_count(look->bus) + 1, sizeof *search.orphans);
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next)
        if (is_orphan(look, s))
            search.orphans[search.count++] = (struct orphan){.sample = s};
    if (search.count) {
        bool searched = find_homes(&search);
        const struct orphan *example = find_example(&search);
        if (example && !knows_agents(look) && !tells_elsewhere(look))
            tell_elsewhere(&search, example);
        for (size_t i = 0; i < search.count; i++)
            if (!search.orphans[i].home)
                tell_orphan(look, search.orphans[i].sample, searched);
    }
    for (size_t i = 0; i < search.prefix_count; i++)
        free(search.prefixes[i]);
    free(search.orphans);
}
