/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `bus groups restore`: gives agents what they missed because Redis lost their group.
 * A group that is gone is made again where the agent had come to. What a living group was never
 * given, or had under way when it was lost, becomes pending for it, so that OmniDaemon's own
 * retries take it up: for this agent only, and nothing that was done is done again.
 */
#include <stdio.h>

#include "bus_call.h"
#include "call_refused.h"
#include "figures.h"
#include "missed.h"

enum { FLAG_FROM, FLAG_DRY_RUN, FLAG_YES };
static const struct ov_flag flags[] = {
    [FLAG_FROM] = {.name = "from", .value = "ID",
                   .help = "what came after this entry, in place of what the events tell"},
    [FLAG_DRY_RUN] = {.name = "dry-run", .help = "only tell what would be done"},
    [FLAG_YES] = {.name = "yes", .letter = 'y', .help = "do not ask"},
    {.name = NULL},
};

enum {
    COLUMN_TOPIC, COLUMN_AGENT, COLUMN_GROUP, COLUMN_MISSED, COLUMN_FIRST, COLUMN_LAST,
    COLUMN_POSITION, COLUMN_DONE, COLUMN_DRY_RUN,
};
static const struct ov_column columns[] = {
    [COLUMN_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [COLUMN_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [COLUMN_GROUP] = {"group", OV_CELL_TEXT, NULL, 0},
    [COLUMN_MISSED] = {"missed", OV_CELL_INT, NULL, 0},
    [COLUMN_FIRST] = {"first", OV_CELL_TIME, "published from", 1},
    [COLUMN_LAST] = {"last", OV_CELL_TIME, "to", 1},
    [COLUMN_POSITION] = {"made_at", OV_CELL_TEXT, "made at", 2},
    [COLUMN_DONE] = {"restored", OV_CELL_BOOL, NULL, 0},
    [COLUMN_DRY_RUN] = {"dry_run", OV_CELL_BOOL, NULL, 3},
};
static const struct ov_view view = {
    .name = "groups", .shape = OV_SHAPE_LIST, .columns = columns,
    .column_count = OV_COUNT(columns), .empty = "no group has missed anything",
};

enum {
    EVENTS_MAX = 2000000,
    IDS_AT_ONCE = 100,
    RETRIES_AT_ONCE = 50, RETRY_SECONDS = 30, /* OmniDaemon's reclaim loop */
};

struct run {
    struct ov_call *call;
    struct bus *bus;
    struct ov_slice topic;
    struct missed missed;
    int64_t reclaim_idle_ms;     /* of the agent at hand */
    bool dry_run;
    enum redis_fault fault;      /* of the group at hand */
    struct ov_buf why;
    struct ov_buf consumer;
};

static bool is_concerned(const struct missed_group *g)
{
    return g->known && (!g->exists || g->missed.count);
}

/* ---------------------------------------------------------------- doing */

static void on_answer(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct run *run = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_ERROR || run->fault)
        return;
    run->fault = redis_reply_fault(reply);
    ov_buf_reset(&run->why);
    ov_buf_slice(&run->why, reply->text);
}

static void on_config(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct run *run = context;
    struct registry_agent agent = {.reclaim_idle_ms = OMNI_RECLAIM_IDLE_MS};
    (void)r;
    (void)index;
    if (reply->type == REDIS_STRING)
        registry_read_config(&agent, reply->text);
    run->reclaim_idle_ms = agent.reclaim_idle_ms;
}

/* An entry that is pending already, or became so meanwhile, is never idle for so long. */
static const char never_idle[] = "4611686018427387904";

/* Makes entries pending as if a consumer of OmniDaemon's had left them, due at its next retry. */
static void send_pending(struct run *run, const struct missed_group *g)
{
    struct ov_slice words[IDS_AT_ONCE + 9] = {OV_SLICE("XCLAIM")};
    char ids[IDS_AT_ONCE][48], idle[24];
    struct ov_slice key = omni_stream_key(&run->bus->key, g->name.a);
    ov_buf_reset(&run->consumer);
    ov_buf_str(&run->consumer, "consumer:");
    ov_buf_slice(&run->consumer, g->name.b);
    ov_buf_str(&run->consumer, "-1");
    snprintf(idle, sizeof idle, "%jd", (intmax_t)run->reclaim_idle_ms + 1000);
    words[1] = key;
    words[2] = (struct ov_slice){g->group.data, g->group.len};
    words[3] = (struct ov_slice){run->consumer.data, run->consumer.len};
    words[4] = ov_slice(never_idle);
    for (size_t at = 0; at < g->skipped;) {
        size_t count = 5;
        for (size_t i = 0; i < IDS_AT_ONCE && at < g->skipped; i++)
            words[count++] = redis_id_text(g->missed.ids[at++], ids[i]);
        words[count++] = OV_SLICE("IDLE");
        words[count++] = ov_slice(idle);
        words[count++] = OV_SLICE("FORCE");
        words[count++] = OV_SLICE("JUSTID"); /* no payloads, and no delivery that was none */
        redis_send_words(run->bus->redis, on_answer, run, 0, words, count);
    }
}

static int restore(struct run *run, const struct missed_group *g)
{
    struct redis *r = run->bus->redis;
    char id[48];
    run->fault = REDIS_FINE;
    run->reclaim_idle_ms = OMNI_RECLAIM_IDLE_MS;
    if (run->bus->omni.backend == OMNI_REDIS)
        redis_send(r, on_config, run, 0, OV_SLICE("HGET"),
                   omni_storage_key(&run->bus->key, run->bus->omni.prefix, "agent", g->name.a,
                                    g->name.b), OV_SLICE("config"));
    if (!g->exists)
        redis_send(r, on_answer, run, 0, OV_SLICE("XGROUP"), OV_SLICE("CREATE"),
                   omni_stream_key(&run->bus->key, g->name.a),
                   (struct ov_slice){g->group.data, g->group.len}, redis_id_text(g->position, id),
                   OV_SLICE("MKSTREAM"));
    if (redis_run(r) != OV_OK)
        return bus_call_failed(run->call, run->bus);
    if (!run->fault)
        send_pending(run, g);
    if (redis_run(r) != OV_OK)
        return bus_call_failed(run->call, run->bus);
    if (!run->fault)
        return OV_EXIT_FINE;
    struct ov_slice why = {run->why.data, run->why.len};
    if (ov_slice_starts(why, OV_SLICE("BUSYGROUP")))
        return ov_call_unable(run->call, "a runner made the group again meanwhile: run this once "
                              "more");
    return call_refused(run->call, g->exists ? "XCLAIM" : "XGROUP CREATE, XCLAIM",
                        omni_stream_key(&run->bus->key, g->name.a), run->fault, why);
}

/* ---------------------------------------------------------------- telling */

static void show_row(struct run *run, const struct missed_group *g, bool done)
{
    struct ov_call *call = run->call;
    char id[48];
    ov_show_row(call);
    ov_show_text(call, COLUMN_TOPIC, g->name.a);
    ov_show_text(call, COLUMN_AGENT, g->name.b);
    ov_show_text(call, COLUMN_GROUP, g->exists ? OV_SLICE("made anew") : OV_SLICE("lost"));
    ov_show_int(call, COLUMN_MISSED, (int64_t)g->missed.count);
    if (g->missed.count) {
        ov_show_float(call, COLUMN_FIRST, (double)g->missed.ids[0].ms / 1e3);
        ov_show_float(call, COLUMN_LAST,
                      (double)g->missed.ids[g->missed.count - 1].ms / 1e3);
    }
    if (!g->exists)
        ov_show_text(call, COLUMN_POSITION, redis_id_text(g->position, id));
    ov_show_bool(call, COLUMN_DONE, done);
    ov_show_bool(call, COLUMN_DRY_RUN, run->dry_run);
}

static void show_notes(struct run *run)
{
    bool any_lost = false, any_cut = false, any_guess = false;
    size_t pending = 0;
    for (size_t i = 0; i < run->missed.groups.count; i++) {
        const struct missed_group *g = (const struct missed_group *)run->missed.groups.entries[i];
        if (!g->known && !g->exists)
            ov_show_note(run->call, "Nothing tells how far the group of %.*s had come: say it with "
                         "--from ID.", (int)g->name.b.len, g->name.b.ptr);
        if (!is_concerned(g))
            continue;
        any_lost |= !g->exists;
        any_cut |= g->cut;
        any_guess |= g->done.count == 0;
        pending = g->skipped > pending ? g->skipped : pending;
    }
    if (run->dry_run)
        ov_show_note(run->call, "Nothing was changed.");
    if (any_lost)
        ov_show_note(run->call, "Restart the runner of an agent whose group was lost: its "
                     "consumers stopped when that happened.");
    if (pending)
        ov_show_note(run->call, "What was skipped counts as pending: OmniDaemon's retries take up "
                     "%d of them every %d s, one after the other.", RETRIES_AT_ONCE,
                     RETRY_SECONDS);
    if (any_guess)
        ov_show_note(run->call, "Of a group without events it is not known what its agent did: "
                     "tasks that it has done come again.");
    if (any_cut)
        ov_show_note(run->call, "The events do not go back far enough: older tasks may be missed, "
                     "too. --from ID takes what came after an entry.");
    if (run->missed.why.len)
        ov_show_note(run->call, "Not all could be read: %s", ov_buf_text(&run->missed.why));
}

static bool ask(struct run *run, size_t tasks, size_t groups)
{
    struct ov_buf topic = {0};
    ov_buf_escaped(&topic, run->topic);
    bool yes = ov_call_flag(run->call, FLAG_YES) ||
               ov_call_confirm(run->call, "--yes", "Give %zu missed task%s of %s to the %zu "
                               "agent%s that missed them?", tasks, tasks == 1 ? "" : "s",
                               ov_buf_text(&topic), groups, groups == 1 ? "" : "s");
    ov_buf_free(&topic);
    return yes;
}

/* ---------------------------------------------------------------- the command */

static void show_progress(void *context, uint64_t events)
{
    ov_call_progress(context, "events looked at", (int64_t)events, 0);
}

static int find(struct run *run, const struct ov_batch *batch)
{
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
        if (figure_of(s, "omnidaemon_group") && figure_bool(s, "registered") == 1 &&
            ov_slice_eq(topic, run->topic) && ov_call_wants(run->call, &topic, &agent))
            missed_want(&run->missed, topic, agent);
    }
    if (run->missed.groups.count == 0)
        return ov_call_unable(run->call, "no agent is registered for that");
    if (missed_find(&run->missed) != OV_OK)
        return bus_call_failed(run->call, run->bus);
    ov_call_progress(run->call, "events looked at", (int64_t)run->missed.events,
                     (int64_t)run->missed.events);
    return OV_EXIT_FINE;
}

static int restore_all(struct run *run)
{
    size_t tasks = 0, groups = 0;
    int status = OV_EXIT_FINE;
    for (size_t i = 0; i < run->missed.groups.count; i++) {
        const struct missed_group *g = (const struct missed_group *)run->missed.groups.entries[i];
        groups += is_concerned(g);
        tasks += is_concerned(g) ? g->missed.count : 0;
    }
    if (groups && !run->dry_run && !ask(run, tasks, groups))
        return OV_EXIT_PROBLEM;
    ov_show(run->call, &view);
    for (size_t i = 0; i < run->missed.groups.count && status == OV_EXIT_FINE; i++) {
        const struct missed_group *g = (const struct missed_group *)run->missed.groups.entries[i];
        if (!is_concerned(g))
            continue;
        if (!run->dry_run)
            status = restore(run, g);
        show_row(run, g, !run->dry_run && status == OV_EXIT_FINE);
    }
    show_notes(run);
    for (size_t i = 0; i < run->missed.groups.count && status == OV_EXIT_FINE; i++) {
        const struct missed_group *g = (const struct missed_group *)run->missed.groups.entries[i];
        if (!g->known && !g->exists)
            status = OV_EXIT_PROBLEM;
    }
    return status;
}

static int restore_run(void *state, struct ov_call *call)
{
    struct run run = {.call = call, .bus = state};
    const char *from = ov_call_flag(call, FLAG_FROM);
    const struct ov_batch *batch;
    run.missed = (struct missed){
        .omni = &run.bus->omni, .redis = run.bus->redis, .events_max = EVENTS_MAX,
        .progress = show_progress, .context = call,
    };
    run.dry_run = ov_call_flag(call, FLAG_DRY_RUN) != NULL;
    if (from && !redis_id_parse(ov_slice(from), &run.missed.after))
        return ov_call_usage(call, "`%s` is no entry id, as 1700000000000-0 is", from);
    int status = bus_call_gather(call, &batch);
    if (status == OV_EXIT_FINE)
        status = bus_call_topic(call, batch, ov_call_word(call, 0), &run.topic);
    if (status == OV_EXIT_FINE)
        status = find(&run, batch);
    if (status == OV_EXIT_FINE)
        status = restore_all(&run);
    missed_free(&run.missed);
    ov_buf_free(&run.why);
    ov_buf_free(&run.consumer);
    return status;
}

static const char more[] =
    "Where Redis lost a consumer group, its agent's runner makes it again at the end of the\n"
    "topic, and what was published in between is delivered to nobody. This gives the agent those\n"
    "tasks, as long as they stand in the topic: before the restart by making the group again\n"
    "where the agent had come to, afterwards by making them pending, for OmniDaemon's retries to\n"
    "take up. Other agents do not get them again, and what OmniDaemon noted as done is not done\n"
    "again. --agent narrows.\n";

const struct ov_command bus_command_restore = {
    .name = "bus groups restore", .takes = "TOPIC", .words_min = 1, .words_max = 1,
    .summary = "Give agents what they missed because Redis lost their group", .more = more,
    .example = "omnivigil bus groups restore orders.created --dry-run", .flags = flags,
    .run = restore_run, .once = true,
};
