/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `bus dlq republish`. It counts first, tells who gets the events, asks, and then goes
 * through the queues a second time up to where they ended at the first.
 */
#include <stdio.h>
#include <stdlib.h>

#include "call_refused.h"
#include "figures.h"
#include "republish.h"

enum { FLAG_DRY_RUN = DLQ_FLAG_OWN, FLAG_KEEP, FLAG_AGAIN, FLAG_YES };
static const struct ov_flag flags[] = {
    DLQ_CHOICE_FLAGS,
    [FLAG_DRY_RUN] = {.name = "dry-run", .help = "only tell what would be done"},
    [FLAG_KEEP] = {.name = "keep", .help = "leave the dead letters in the queue, marked as "
                                           "republished"},
    [FLAG_AGAIN] = {.name = "again", .help = "also those marked by an earlier --keep"},
    [FLAG_YES] = {.name = "yes", .letter = 'y', .help = "do not ask"},
    {.name = NULL},
};

enum {
    COLUMN_TOPIC, COLUMN_CHOSEN, COLUMN_REPUBLISHED, COLUMN_GONE, COLUMN_EARLIER,
    COLUMN_UNREADABLE, COLUMN_FOREIGN, COLUMN_NO_ROOM, COLUMN_FIRST, COLUMN_LAST, COLUMN_DRY_RUN,
    COLUMNS,
};
#define ALL_COLUMNS(republished, title)                                                            \
    [COLUMN_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},                                             \
    [COLUMN_CHOSEN] = {"chosen", OV_CELL_INT, NULL, 0},                                            \
    [COLUMN_REPUBLISHED] = {republished, OV_CELL_INT, title, 0},                                   \
    [COLUMN_GONE] = {"already_gone", OV_CELL_INT, "already gone", 0},                              \
    [COLUMN_EARLIER] = {"republished_before", OV_CELL_INT, "republished before", 3},               \
    [COLUMN_UNREADABLE] = {"kept_unreadable", OV_CELL_INT, "kept: unreadable", 0},                 \
    [COLUMN_FOREIGN] = {"kept_other_topic", OV_CELL_INT, "kept: other topic", 2},                  \
    [COLUMN_NO_ROOM] = {"kept_no_room", OV_CELL_INT, "kept: no room", 1},                          \
    [COLUMN_FIRST] = {"first_new_id", OV_CELL_TEXT, "new ids from", 5},                            \
    [COLUMN_LAST] = {"last_new_id", OV_CELL_TEXT, "to", 5},                                        \
    [COLUMN_DRY_RUN] = {"dry_run", OV_CELL_BOOL, NULL, 4}

static const struct ov_column columns[] = {ALL_COLUMNS("republished", NULL)};
static const struct ov_column dry_columns[] = {ALL_COLUMNS("would_republish", "would republish")};
static const struct ov_view view = {
    .name = "republish", .shape = OV_SHAPE_LIST, .single = true, .columns = columns,
    .column_count = COLUMNS,
};
static const struct ov_view dry_view = {
    .name = "republish", .shape = OV_SHAPE_LIST, .single = true, .columns = dry_columns,
    .column_count = COLUMNS,
};

struct run {
    struct ov_call *call;
    struct dlq dlq;
    struct dlq_choice choice;
    struct republish to;
    struct ov_buf stream;     /* the topic's */
    int64_t room;             /* events the topic takes before it loses unfinished ones */
    int64_t chosen, fit, unreadable, foreign; /* as counted; `fit` of them can be put back */
    int64_t sent;
    int64_t readers;          /* consumer groups on the topic */
    bool dry_run;
};

/* ---------------------------------------------------------------- counting */

static bool is_foreign(const struct run *run, const struct dlq_entry *entry)
{
    struct ov_slice stream = entry->letter->stream;
    return stream.len && !ov_slice_eq(stream,
                                      (struct ov_slice){run->stream.data, run->stream.len});
}

static bool count_entry(void *context, const struct dlq_entry *entry)
{
    struct run *run = context;
    run->chosen++;
    if (entry->letter->flaw)
        run->unreadable++;
    else if (is_foreign(run, entry))
        run->foreign++;
    else
        run->fit++;
    return true;
}

/* Redis drops a topic's oldest entries beyond its limit, delivered or not. */
static void look_at_topic(struct run *run)
{
    int64_t limit = run->dlq.bus->stream_limit, length = 0, unfinished = 0;
    for (const struct ov_sample *s = ov_batch_first(run->dlq.batch); s; s = s->next) {
        if (!ov_slice_eq(figure_tag(s, "topic"), run->dlq.topic))
            continue;
        if (figure_of(s, "omnidaemon_stream"))
            length = figure_int(s, "length", 0);
        if (!figure_of(s, "omnidaemon_group") || figure_bool(s, "exists") != 1)
            continue;
        int64_t waiting = figure_int(s, "undelivered", figure_int(s, "undelivered_at_least", 0));
        waiting += figure_int(s, "pending", 0);
        unfinished = waiting > unfinished ? waiting : unfinished;
        run->readers++;
    }
    unfinished = unfinished < length ? unfinished : length;
    run->room = unfinished < limit ? limit - unfinished : 0;
}

static int64_t fitting(const struct run *run)
{
    return run->fit < run->room ? run->fit : run->room;
}

static int count(struct run *run)
{
    struct dlq_walk walk = {.choice = &run->choice, .fn = count_entry, .context = run,
                            .what = "dead letters looked at"};
    int status = dlq_choice_check(&run->choice, &run->dlq);
    if (status == OV_EXIT_FINE && run->choice.match.ptr)
        status = dlq_explain(&run->dlq, &walk);
    if (status == OV_EXIT_FINE)
        status = dlq_each(&run->dlq, &walk);
    look_at_topic(run);
    return status;
}

/* ---------------------------------------------------------------- doing */

static bool put_back(void *context, const struct dlq_entry *entry)
{
    struct run *run = context;
    if (entry->letter->flaw || is_foreign(run, entry))
        return true;
    if (run->sent >= run->room || !republish_send(&run->to, entry))
        return false;
    run->sent++;
    return true;
}

static bool goes_on(void *context)
{
    const struct run *run = context;
    return !run->to.fault;
}

static int refused(struct run *run)
{
    struct ov_slice why = {run->to.why.data, run->to.why.len};
    struct ov_slice key = {run->stream.data, run->stream.len};
    if (ov_slice_starts(why, OV_SLICE("CROSSSLOT")))
        return ov_call_unable(run->call, "this is a Redis cluster, where a topic and its dead "
                              "letter queue are in different slots and cannot be changed in one "
                              "step: nothing is republished there");
    return call_refused(run->call, "EVAL (XRANGE, XADD, XDEL, HDEL)", key, run->to.fault, why);
}

static int put_all_back(struct run *run)
{
    int status = republish_begin(&run->to, &run->dlq, ov_call_flag(run->call, FLAG_KEEP) != NULL,
                                 ov_call_flag(run->call, FLAG_AGAIN) != NULL);
    if (status == OV_EXIT_FINE)
        status = dlq_each(&run->dlq, &(struct dlq_walk){
            .choice = &run->choice, .fn = put_back, .between = goes_on, .context = run,
            .what = "dead letters",
        });
    if (status == OV_EXIT_FINE && run->to.fault)
        status = refused(run);
    return status;
}

/* ---------------------------------------------------------------- telling */

/* The agents of the topic; those that failed (true), or all others. */
static void name_agents(const struct run *run, bool failed, struct ov_buf *out)
{
    enum { NAMED_MAX = 5 };
    size_t count_all = 0;
    for (const struct ov_sample *s = ov_batch_first(run->dlq.batch); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_group") || figure_bool(s, "exists") != 1 ||
            !ov_slice_eq(figure_tag(s, "topic"), run->dlq.topic))
            continue;
        struct ov_slice group = figure_tag(s, "group"), agent = figure_tag(s, "agent");
        bool has_failed = false;
        for (size_t i = 0; i < run->dlq.count; i++)
            has_failed |= ov_slice_eq(run->dlq.queues[i].group, group);
        if (has_failed != failed || ++count_all > NAMED_MAX)
            continue;
        ov_buf_str(out, count_all > 1 ? ", " : "");
        ov_buf_escaped(out, agent.len ? agent : group);
    }
    if (count_all > NAMED_MAX)
        ov_buf_printf(out, " and %zu more", count_all - NAMED_MAX);
}

static bool ask(struct run *run)
{
    struct ov_buf text = {0}, names = {0};
    if (ov_call_flag(run->call, FLAG_YES))
        return true;
    ov_buf_printf(&text, "Republish %lld event%s on ", (long long)fitting(run),
                  fitting(run) == 1 ? "" : "s");
    ov_buf_escaped(&text, run->dlq.topic);
    ov_buf_char(&text, '?');
    name_agents(run, false, &names);
    if (names.len)
        ov_buf_printf(&text, " Other agents on it get them again: %s.", ov_buf_text(&names));
    bool yes = ov_call_confirm(run->call, "--yes", "%s", ov_buf_text(&text));
    ov_buf_free(&text);
    ov_buf_free(&names);
    return yes;
}

static void show_summary(struct run *run, int64_t republished)
{
    char id[48];
    int64_t missing = run->choice.id_count > (size_t)run->chosen
                          ? (int64_t)run->choice.id_count - run->chosen : 0;
    int64_t values[COLUMNS] = {
        [COLUMN_CHOSEN] = run->chosen, [COLUMN_REPUBLISHED] = republished,
        [COLUMN_GONE] = run->to.gone + missing, [COLUMN_EARLIER] = run->to.earlier,
        [COLUMN_UNREADABLE] = run->unreadable, [COLUMN_FOREIGN] = run->foreign,
        [COLUMN_NO_ROOM] = run->fit - fitting(run),
    };
    ov_show(run->call, run->dry_run ? &dry_view : &view);
    ov_show_row(run->call);
    ov_show_text(run->call, COLUMN_TOPIC, run->dlq.topic);
    for (unsigned i = COLUMN_CHOSEN; i <= COLUMN_NO_ROOM; i++) {
        ov_show_int(run->call, i, values[i]);
        if (i > COLUMN_GONE && values[i])
            ov_show_mark(run->call, i, OV_MARK_WARN);
    }
    if (run->to.done) {
        ov_show_text(run->call, COLUMN_FIRST, redis_id_text(run->to.first, id));
        ov_show_text(run->call, COLUMN_LAST, redis_id_text(run->to.last, id));
    }
    ov_show_bool(run->call, COLUMN_DRY_RUN, run->dry_run);
}

static void show_notes(struct run *run)
{
    struct ov_buf names = {0};
    name_agents(run, false, &names);
    if (run->dry_run)
        ov_show_note(run->call, "Nothing was changed.");
    if (names.len && run->fit)
        ov_show_note(run->call, "Other agents on the topic get these events again: %s.",
                     ov_buf_text(&names));
    if (run->unreadable)
        ov_show_note(run->call, "Unreadable entries stay: `omnivigil bus dlq export` saves them, "
                     "`bus dlq purge` removes them.");
    if (run->fit > fitting(run))
        ov_show_note(run->call, "The topic is near its limit of %lld entries, beyond which tasks "
                     "are lost: run this again when its agents have caught up.",
                     (long long)run->dlq.bus->stream_limit);
    if (run->to.earlier)
        ov_show_note(run->call, "Entries kept by an earlier --keep were not republished twice; "
                     "--again does it.");
    if (run->chosen == 0)
        ov_show_note(run->call, "No dead letter fits.");
    ov_buf_free(&names);
}

static int republish(struct run *run)
{
    int status = count(run);
    if (status != OV_EXIT_FINE)
        return status;
    if (run->fit && run->readers == 0)
        return ov_call_unable(run->call, "no consumer group is on this topic, so the events would "
                              "reach nobody: start the agent first");
    run->dry_run = ov_call_flag(run->call, FLAG_DRY_RUN) != NULL;
    if (!run->dry_run && fitting(run) && !ask(run))
        return OV_EXIT_PROBLEM;
    if (!run->dry_run && fitting(run))
        status = put_all_back(run);
    show_summary(run, run->dry_run ? fitting(run) : run->to.done);
    show_notes(run);
    bool missed = run->chosen == 0 && dlq_choice_is_narrow(&run->choice);
    bool kept = run->unreadable || run->foreign || run->fit > fitting(run);
    return status == OV_EXIT_FINE && (kept || missed) ? OV_EXIT_PROBLEM : status;
}

static int republish_run(void *state, struct ov_call *call)
{
    struct run run = {.call = call};
    int status = dlq_choice_read(&run.choice, call);
    if (status == OV_EXIT_FINE) {
        status = dlq_open(&run.dlq, call, state, ov_call_word(call, 0));
        if (status == OV_EXIT_FINE) {
            omni_stream_key(&run.stream, run.dlq.topic);
            status = republish(&run);
        }
        dlq_close(&run.dlq);
    }
    dlq_choice_free(&run.choice);
    republish_free(&run.to);
    ov_buf_free(&run.stream);
    return status;
}

static const char more[] =
    "The event that failed goes back on its topic as it was published: its task id stays, its\n"
    "attempts begin anew. The entry leaves the queue in the same step, so that an event is never\n"
    "there twice and never lost, also where this is stopped in the middle or run twice at once.\n"
    "Every agent on the topic gets the event, not only the one that failed: you are asked.\n"
    "--agent takes the dead letters of some agents only.\n";

const struct ov_command bus_command_republish = {
    .name = "bus dlq republish", .takes = "TOPIC [ID...]", .words_min = 1, .words_max = 1000,
    .summary = "Put events of dead letters back on their topic", .more = more,
    .example = "omnivigil bus dlq republish orders.created --match 'ConnectionError*' --dry-run",
    .flags = flags, .run = republish_run, .once = true, .figures = dlq_figures,
};
