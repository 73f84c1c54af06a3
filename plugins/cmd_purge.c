/* SPDX-License-Identifier: Apache-2.0 */
/* The command `bus dlq purge`: removes dead letters, each by the id it was seen with. */
#include <stdlib.h>

#include "call_refused.h"
#include "dlq.h"

enum { FLAG_DRY_RUN = DLQ_FLAG_OWN, FLAG_YES };
static const struct ov_flag flags[] = {
    DLQ_CHOICE_FLAGS,
    [FLAG_DRY_RUN] = {.name = "dry-run", .help = "only tell what would be done"},
    [FLAG_YES] = {.name = "yes", .letter = 'y', .help = "do not ask"},
    {.name = NULL},
};

enum { COLUMN_TOPIC, COLUMN_CHOSEN, COLUMN_PURGED, COLUMN_GONE, COLUMN_DRY_RUN };
#define ALL_COLUMNS(purged, title)                                                                 \
    [COLUMN_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},                                             \
    [COLUMN_CHOSEN] = {"chosen", OV_CELL_INT, NULL, 0},                                            \
    [COLUMN_PURGED] = {purged, OV_CELL_INT, title, 0},                                             \
    [COLUMN_GONE] = {"already_gone", OV_CELL_INT, "already gone", 0},                              \
    [COLUMN_DRY_RUN] = {"dry_run", OV_CELL_BOOL, NULL, 1}

static const struct ov_column columns[] = {ALL_COLUMNS("purged", NULL)};
static const struct ov_column dry_columns[] = {ALL_COLUMNS("would_purge", "would purge")};
static const struct ov_view view = {
    .name = "purge", .shape = OV_SHAPE_LIST, .single = true, .columns = columns,
    .column_count = OV_COUNT(columns),
};
static const struct ov_view dry_view = {
    .name = "purge", .shape = OV_SHAPE_LIST, .single = true, .columns = dry_columns,
    .column_count = OV_COUNT(dry_columns),
};

struct run {
    struct ov_call *call;
    struct dlq dlq;
    struct dlq_choice choice;
    int64_t chosen, removed, gone;
    enum redis_fault fault;
    struct ov_buf why;
};

static bool count_entry(void *context, const struct dlq_entry *entry)
{
    struct run *run = context;
    (void)entry;
    run->chosen++;
    return true;
}

static void on_removed(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct run *run = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER) {
        run->removed += reply->integer == 1;
        run->gone += reply->integer == 0;
    } else if (!run->fault) {
        run->fault = reply->type == REDIS_ERROR ? redis_reply_fault(reply) : REDIS_PROTOCOL;
        ov_buf_slice(&run->why, reply->text);
    }
}

static bool remove_entry(void *context, const struct dlq_entry *entry)
{
    struct run *run = context;
    char id[48];
    redis_send(run->dlq.bus->redis, on_removed, run, 0, OV_SLICE("XDEL"), entry->queue->key,
               redis_id_text(entry->id, id));
    return true;
}

static bool goes_on(void *context)
{
    const struct run *run = context;
    return !run->fault;
}

static int remove_all(struct run *run)
{
    int status = dlq_each(&run->dlq, &(struct dlq_walk){
        .choice = &run->choice, .fn = remove_entry, .between = goes_on, .context = run,
        .what = "dead letters",
    });
    if (status == OV_EXIT_FINE && run->fault)
        status = call_refused(run->call, "XDEL", OMNI_DLQ_PREFIX, run->fault,
                              (struct ov_slice){run->why.data, run->why.len});
    return status;
}

static bool ask(struct run *run)
{
    struct ov_buf topic = {0};
    ov_buf_escaped(&topic, run->dlq.topic);
    bool yes = ov_call_flag(run->call, FLAG_YES) ||
               ov_call_confirm(run->call, "--yes", "Remove %lld dead letter%s of %s for good?",
                               (long long)run->chosen, run->chosen == 1 ? "" : "s",
                               ov_buf_text(&topic));
    ov_buf_free(&topic);
    return yes;
}

static void show_summary(struct run *run, bool dry_run)
{
    int64_t missing = run->choice.id_count > (size_t)run->chosen
                          ? (int64_t)run->choice.id_count - run->chosen : 0;
    ov_show(run->call, dry_run ? &dry_view : &view);
    ov_show_row(run->call);
    ov_show_text(run->call, COLUMN_TOPIC, run->dlq.topic);
    ov_show_int(run->call, COLUMN_CHOSEN, run->chosen);
    ov_show_int(run->call, COLUMN_PURGED, dry_run ? run->chosen : run->removed);
    ov_show_int(run->call, COLUMN_GONE, run->gone + missing);
    ov_show_bool(run->call, COLUMN_DRY_RUN, dry_run);
    if (dry_run)
        ov_show_note(run->call, "Nothing was changed; `omnivigil bus dlq export` saves them "
                     "first.");
    else if (run->chosen == 0)
        ov_show_note(run->call, "No dead letter fits.");
}

static int purge(struct run *run)
{
    struct dlq_walk walk = {.choice = &run->choice, .fn = count_entry, .context = run,
                            .what = "dead letters looked at"};
    bool dry_run = ov_call_flag(run->call, FLAG_DRY_RUN) != NULL;
    int status = dlq_choice_check(&run->choice, &run->dlq);
    if (status == OV_EXIT_FINE && run->choice.match.ptr)
        status = dlq_explain(&run->dlq, &walk);
    if (status == OV_EXIT_FINE)
        status = dlq_each(&run->dlq, &walk);
    if (status != OV_EXIT_FINE)
        return status;
    if (!dry_run && run->chosen && !ask(run))
        return OV_EXIT_PROBLEM;
    if (!dry_run && run->chosen)
        status = remove_all(run);
    show_summary(run, dry_run);
    bool missed = run->chosen == 0 && dlq_choice_is_narrow(&run->choice);
    return status == OV_EXIT_FINE && missed ? OV_EXIT_PROBLEM : status;
}

static int purge_run(void *state, struct ov_call *call)
{
    struct run run = {.call = call};
    int status = dlq_choice_read(&run.choice, call);
    if (status == OV_EXIT_FINE) {
        status = dlq_open(&run.dlq, call, state, ov_call_word(call, 0));
        if (status == OV_EXIT_FINE)
            status = purge(&run);
        dlq_close(&run.dlq);
    }
    dlq_choice_free(&run.choice);
    ov_buf_free(&run.why);
    return status;
}

const struct ov_command bus_command_purge = {
    .name = "bus dlq purge", .takes = "TOPIC [ID...]", .words_min = 1, .words_max = 1000,
    .summary = "Remove dead letters for good",
    .more = "Only entries that were there when this began are removed, each by its id.\n"
            "--agent takes the dead letters of some agents only.\n",
    .example = "omnivigil bus dlq purge orders.created --older-than 7d --dry-run",
    .flags = flags, .run = purge_run, .once = true, .figures = dlq_figures,
};
