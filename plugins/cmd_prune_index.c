/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `storage prune-index`. OmniDaemon's results expire, and their entries in its index
 * stay: this takes those out whose result is not there.
 *
 * The index is looked through in steps (ZSCAN, then EXISTS for each), of which this remembers
 * nothing. What seems to be gone is looked at again by a script in Redis, a few entries at a time,
 * which removes it in the same step: OmniDaemon saves a result before it puts it in the index, so
 * an entry whose result is there is never taken out, whoever writes or is killed meanwhile.
 */
#include <stdio.h>
#include <stdlib.h>

#include "call_refused.h"
#include "storage_call.h"

enum { FLAG_DRY_RUN, FLAG_YES };
static const struct ov_flag flags[] = {
    [FLAG_DRY_RUN] = {"dry-run", 0, NULL, "only tell what would be done, as it does anyway", NULL},
    [FLAG_YES] = {"yes", 'y', NULL, "remove them", NULL},
    {.name = NULL},
};

enum { COLUMN_INDEXED, COLUMN_RESULTS, COLUMN_LEAKED, COLUMN_REMOVED, COLUMN_DRY_RUN };
static const struct ov_column columns[] = {
    [COLUMN_INDEXED] = {"indexed", OV_CELL_INT, "in the index", 0},
    [COLUMN_RESULTS] = {"results", OV_CELL_INT, "with a result", 0},
    [COLUMN_LEAKED] = {"leaked", OV_CELL_INT, "without", 0},
    [COLUMN_REMOVED] = {"removed", OV_CELL_INT, NULL, 0},
    [COLUMN_DRY_RUN] = {"dry_run", OV_CELL_BOOL, NULL, 1},
};
static const struct ov_view view = {
    .name = "prune_index", .shape = OV_SHAPE_LIST, .single = true, .columns = columns,
    .column_count = OV_COUNT(columns),
};

enum {
    STEP = 300,  /* entries a ZSCAN is asked for */
    CHUNK = 50,  /* entries a script looks at: a fraction of a millisecond */
};

/*
 * KEYS: the index, then the results' keys. ARGV: their ids. Answers how many were removed.
 * Whatever is refused is refused before anything was changed.
 */
static const char script[] =
    "local gone = {}\n"
    "for i = 2, #KEYS do\n"
    "  local reply = redis.pcall('EXISTS', KEYS[i])\n"
    "  if type(reply) == 'table' then return reply end\n"
    "  if reply == 0 then gone[#gone + 1] = ARGV[i - 1] end\n"
    "end\n"
    "if #gone == 0 then return 0 end\n"
    "return redis.pcall('ZREM', KEYS[1], unpack(gone))\n";

/* An id of the step under way, in `ids`. */
struct place {
    size_t at, len;
    bool leaked;
};

struct run {
    struct storage *storage;
    struct ov_call *call;
    char cursor[24];             /* of the next ZSCAN */
    struct ov_buf index, ids, keys;
    struct place *places;
    size_t place_count, place_cap;
    int64_t indexed, looked, leaked, removed;
    const char *command;         /* the one that was refused */
    enum redis_fault fault;
    struct ov_buf why;
};

static void note_fault(struct run *run, const char *command, const struct redis_reply *reply)
{
    if (run->fault)
        return;
    run->command = command;
    run->fault = reply->type == REDIS_ERROR ? redis_reply_fault(reply) : REDIS_PROTOCOL;
    if (reply->type == REDIS_ERROR)
        ov_buf_slice(&run->why, reply->text);
    else
        ov_buf_str(&run->why, "an answer that is none");
}

static struct ov_slice index_key(const struct run *run)
{
    return (struct ov_slice){run->index.data, run->index.len};
}

static struct ov_slice id_of(const struct run *run, const struct place *place)
{
    return (struct ov_slice){run->ids.data + place->at, place->len};
}

/* ---------------------------------------------------------------- looking */

static void on_card(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct run *run = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        run->indexed = reply->integer;
    else
        note_fault(run, "ZCARD", reply);
}

static void on_exists(struct redis *r, const struct redis_reply *reply, void *context,
                      size_t index)
{
    struct run *run = context;
    (void)r;
    if (reply->type != REDIS_INTEGER) {
        note_fault(run, "EXISTS on results of", reply);
        return;
    }
    run->places[index].leaked = reply->integer == 0;
    run->leaked += reply->integer == 0;
}

static void look_at(struct run *run, struct ov_slice id)
{
    const struct ov_slice none = {NULL, 0};
    if (run->place_count == run->place_cap) {
        run->place_cap = run->place_cap ? run->place_cap * 2 : STEP;
        run->places = ov_realloc(run->places, run->place_cap, sizeof *run->places);
    }
    run->places[run->place_count] = (struct place){.at = run->ids.len, .len = id.len};
    ov_buf_slice(&run->ids, id);
    redis_send(run->storage->redis, on_exists, run, run->place_count++, OV_SLICE("EXISTS"),
               omni_storage_key(&run->storage->key, run->storage->omni.prefix, "result", id, none));
}

/* [cursor, [id, score, id, score ...]] */
static void on_scan(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct run *run = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_ARRAY || reply->count != 2 ||
        reply->items[0].text.len >= sizeof run->cursor || reply->items[1].type != REDIS_ARRAY) {
        note_fault(run, "ZSCAN", reply);
        return;
    }
    memcpy(run->cursor, reply->items[0].text.ptr, reply->items[0].text.len);
    run->cursor[reply->items[0].text.len] = '\0';
    for (size_t i = 0; i + 1 < reply->items[1].count; i += 2)
        look_at(run, reply->items[1].items[i].text);
}

/* ---------------------------------------------------------------- removing */

static void on_removed(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct run *run = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_INTEGER)
        run->removed += reply->integer;
    else
        note_fault(run, "EVAL (EXISTS, ZREM)", reply);
}

static void send_chunk(struct run *run, const struct place *const *chunk, size_t count)
{
    enum { HEAD = 4 }; /* EVAL, the script, how many keys, the index */
    const struct ov_slice none = {NULL, 0};
    struct ov_slice words[HEAD + 2 * CHUNK];
    size_t at[CHUNK + 1];
    char keys[24];
    snprintf(keys, sizeof keys, "%zu", count + 1);
    ov_buf_reset(&run->keys);
    for (size_t i = 0; i < count; i++) {
        at[i] = run->keys.len;
        ov_buf_slice(&run->keys, omni_storage_key(&run->storage->key, run->storage->omni.prefix,
                                                  "result", id_of(run, chunk[i]), none));
    }
    at[count] = run->keys.len;
    words[0] = OV_SLICE("EVAL");
    words[1] = (struct ov_slice){script, sizeof script - 1};
    words[2] = ov_slice(keys);
    words[3] = index_key(run);
    for (size_t i = 0; i < count; i++) {
        words[HEAD + i] = (struct ov_slice){run->keys.data + at[i], at[i + 1] - at[i]};
        words[HEAD + count + i] = id_of(run, chunk[i]);
    }
    redis_send_words(run->storage->redis, on_removed, run, 0, words, HEAD + 2 * count);
}

static void remove_leaked(struct run *run)
{
    const struct place *chunk[CHUNK];
    size_t count = 0;
    for (size_t i = 0; i < run->place_count; i++) {
        if (run->places[i].leaked)
            chunk[count++] = &run->places[i];
        if (count == CHUNK || (count && i + 1 == run->place_count)) {
            send_chunk(run, chunk, count);
            count = 0;
        }
    }
}

/* ---------------------------------------------------------------- all of it */

/* An enum ov_exit; a fault is still to be said. */
static int settle(struct run *run)
{
    if (redis_run(run->storage->redis) == OV_OK)
        return OV_EXIT_FINE;
    return ov_call_unable(run->call, "%s", redis_why(run->storage->redis));
}

static int step(struct run *run, bool removes)
{
    char count[24];
    snprintf(count, sizeof count, "%d", STEP);
    run->place_count = 0;
    ov_buf_reset(&run->ids);
    redis_send(run->storage->redis, on_scan, run, 0, OV_SLICE("ZSCAN"), index_key(run),
               ov_slice(run->cursor), OV_SLICE("COUNT"), ov_slice(count));
    int status = settle(run);
    if (status != OV_EXIT_FINE || run->fault)
        return status;
    run->looked += (int64_t)run->place_count;
    ov_call_progress(run->call, "entries of the index looked at", run->looked,
                     run->looked < run->indexed ? run->indexed : 0);
    if (removes)
        remove_leaked(run);
    return settle(run);
}

static int refused(struct run *run)
{
    struct ov_slice why = {run->why.data, run->why.len};
    if (run->fault == REDIS_MOVED || run->fault == REDIS_ASK ||
        ov_slice_starts(why, OV_SLICE("CROSSSLOT")))
        return ov_call_unable(run->call, "this is a Redis cluster, where the index and its results "
                              "are in different slots and cannot be changed in one step: nothing "
                              "is removed there");
    int status = call_refused(run->call, run->command, index_key(run), run->fault, why);
    if (run->removed)
        (void)ov_call_unable(run->call, "%lld were removed by then; the rest is as it was",
                             (long long)run->removed);
    return status;
}

static void show_summary(struct run *run, bool dry_run)
{
    ov_show(run->call, &view);
    ov_show_row(run->call);
    ov_show_int(run->call, COLUMN_INDEXED, run->looked);
    ov_show_int(run->call, COLUMN_RESULTS, run->looked - run->leaked);
    ov_show_int(run->call, COLUMN_LEAKED, run->leaked);
    ov_show_int(run->call, COLUMN_REMOVED, run->removed);
    ov_show_bool(run->call, COLUMN_DRY_RUN, dry_run);
    if (dry_run && run->leaked)
        ov_show_note(run->call, "Nothing was changed: %lld of %lld entries are of results that are "
                     "gone; --yes removes them.", (long long)run->leaked,
                     (long long)run->looked);
}

static int prune(struct run *run, bool removes)
{
    const struct ov_slice none = {NULL, 0};
    struct storage *storage = run->storage;
    omni_storage_key(&run->index, storage->omni.prefix, "results:index", none, none);
    if (redis_open(storage->redis) != OV_OK)
        return ov_call_unable(run->call, "%s", redis_why(storage->redis));
    redis_send(storage->redis, on_card, run, 0, OV_SLICE("ZCARD"), index_key(run));
    int status = settle(run);
    do {
        if (status == OV_EXIT_FINE && !run->fault)
            status = step(run, removes);
        if (status == OV_EXIT_FINE && run->fault)
            status = refused(run);
    } while (status == OV_EXIT_FINE && strcmp(run->cursor, "0") != 0);
    if (status == OV_EXIT_FINE)
        show_summary(run, !removes);
    return status;
}

static int prune_index_run(void *state, struct ov_call *call)
{
    struct run run = {.storage = state, .call = call, .cursor = "0"};
    bool removes = ov_call_flag(call, FLAG_YES) && !ov_call_flag(call, FLAG_DRY_RUN);
    if (run.storage->omni.backend != OMNI_REDIS) {
        ov_show(call, &view);
        ov_show_note(call, "There is no index to prune: OmniDaemon's JSON storage keeps results "
                           "in a file alone.");
        return OV_EXIT_FINE;
    }
    int status = prune(&run, removes);
    free(run.places);
    ov_buf_free(&run.index);
    ov_buf_free(&run.ids);
    ov_buf_free(&run.keys);
    ov_buf_free(&run.why);
    return status;
}

static const char more[] =
    "OmniDaemon's results expire a day after they were saved, but not their entries in its index,\n"
    "which grows for ever. Without --yes it only tells how many there are. An entry whose result\n"
    "is there is never removed. It may be interrupted, and run again, at any time.\n";

const struct ov_command storage_command_prune_index = {
    .name = "storage prune-index", .takes = "",
    .summary = "Take expired results out of OmniDaemon's index", .more = more,
    .example = "omnivigil storage prune-index", .flags = flags, .run = prune_index_run,
    .once = true,
};
