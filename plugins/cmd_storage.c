/* SPDX-License-Identifier: Apache-2.0 */
/* The command `storage health`: what the input measures, for persons. */
#include "figure_cells.h"
#include "figures.h"
#include "redis_url.h"
#include "storage_call.h"

enum { COLUMN_WHERE = 1, COLUMN_UP = 2, COLUMN_INDEXED = 9, COLUMN_LEAKED = 10 };
static const struct ov_column columns[] = {
    {"backend", OV_CELL_TEXT, NULL, 0},
    [COLUMN_WHERE] = {"where", OV_CELL_TEXT, NULL, 0},
    [COLUMN_UP] = {"up", OV_CELL_BOOL, "healthy", 0},
    {"fault", OV_CELL_TEXT, NULL, 0},
    {"reason", OV_CELL_TEXT, NULL, 0},
    {"latency_seconds", OV_CELL_SECONDS, "latency", 0},
    {"agents", OV_CELL_INT, NULL, 0},
    {"topics", OV_CELL_INT, NULL, 0},
    {"results", OV_CELL_INT, NULL, 0},
    [COLUMN_INDEXED] = {"results_indexed", OV_CELL_INT, "results as listed", 0},
    [COLUMN_LEAKED] = {"results_leaked", OV_CELL_INT, "of which expired", 0},
    {"metrics_length", OV_CELL_INT, "task events", 0},
    {"memory_used_bytes", OV_CELL_BYTES, "memory", 0},
};
static const struct ov_view view = {
    .name = "storage", .shape = OV_SHAPE_CARDS, .single = true, .columns = columns,
    .column_count = OV_COUNT(columns),
};

static const struct ov_column file_columns[] = {
    {"file", OV_CELL_TEXT, NULL, 0},
    {"exists", OV_CELL_BOOL, "there", 0},
    {"size_bytes", OV_CELL_BYTES, "size", 0},
    {"age_seconds", OV_CELL_SECONDS, "written", 0},
    {"valid", OV_CELL_BOOL, "parses", 0},
    {"error", OV_CELL_TEXT, NULL, 0},
};
static const struct ov_view files_view = {
    .name = "files", .shape = OV_SHAPE_LIST, .columns = file_columns,
    .column_count = OV_COUNT(file_columns),
};

/* Where it is, without secrets. */
static void put_place(const struct storage *storage, struct ov_buf *out)
{
    struct redis_url url = {0};
    struct ov_buf why = {0};
    if (storage->omni.backend == OMNI_JSON)
        ov_buf_str(out, storage->omni.json_dir);
    else if (redis_url_from_options(&storage->omni.redis, &url, &why))
        redis_url_text(&url, out);
    redis_url_free(&url);
    ov_buf_free(&why);
}

/* True where it is up. */
static bool show_storage(struct ov_call *call, const struct storage *storage,
                         const struct ov_sample *s)
{
    struct ov_buf place = {0};
    int64_t results = figure_int(s, "results", -1), indexed = figure_int(s, "results_indexed", -1);
    bool up = figure_bool(s, "up") == 1;
    put_place(storage, &place);
    ov_show(call, &view);
    ov_show_row(call);
    figure_cells(call, &view, s);
    if (place.len)
        ov_show_text(call, COLUMN_WHERE, (struct ov_slice){place.data, place.len});
    ov_show_mark(call, COLUMN_UP, up ? OV_MARK_GOOD : OV_MARK_BAD);
    if (results >= 0 && indexed >= results) {
        ov_show_int(call, COLUMN_LEAKED, indexed - results);
        if (indexed > results && storage->omni.backend == OMNI_REDIS)
            ov_show_note(call, "OmniDaemon's index of results is never trimmed: `omnivigil storage "
                         "prune-index` does it.");
    }
    ov_buf_free(&place);
    return up;
}

/* True where something is wrong with one. */
static bool show_files(struct ov_call *call, const struct ov_batch *batch)
{
    bool problem = false, begun = false;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_storage_file"))
            continue;
        if (!begun)
            ov_show(call, &files_view);
        begun = true;
        ov_show_row(call);
        figure_cells(call, &files_view, s);
        if (figure_bool(s, "valid") == 0) {
            figure_mark(call, &files_view, "valid", OV_MARK_BAD);
            problem = true;
        }
    }
    if (problem)
        ov_show_note(call, "OmniDaemon reads a file that does not parse as empty and writes it "
                     "over at its next save: save a copy now.");
    return problem;
}

static int health_run(void *state, struct ov_call *call)
{
    const char *why;
    const struct ov_batch *batch = ov_call_gather(call, "storage", &why);
    const struct ov_sample *storage = NULL;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (figure_of(s, "omnidaemon_storage"))
            storage = s;
    if (!storage)
        return ov_call_unable(call, "%s", why ? why : "storage could not be looked at");
    bool up = show_storage(call, state, storage);
    bool problem = show_files(call, batch);
    for (const struct ov_unread *u = ov_batch_first_unread(batch); u; u = u->next)
        ov_show_note(call, "Not known: %.*s", (int)u->why.len, u->why.ptr);
    return !up ? OV_EXIT_UNABLE : problem ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static const char more[] =
    "In Redis, results are those that were saved in the last day, since OmniDaemon keeps them for\n"
    "so long; as listed, with those that expired, as its index has them. Exit status: 1 where a\n"
    "file does not parse, 3 where storage cannot be read.\n";

const struct ov_command storage_command_health = {
    .name = "storage health", .takes = "",
    .summary = "OmniDaemon's storage: whether it can be read, what it holds, its files",
    .more = more, .example = "omnivigil storage health --format json", .run = health_run,
};
