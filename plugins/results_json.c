/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results in results.json: {task_id: {result, saved_at, expires_at}, ...}. The file is read as a
 * whole, as OmniDaemon does, and taken apart without a change to its bytes. Of an id that stands in
 * it twice the last holds.
 */
#include <math.h>
#include <stdlib.h>

#include "json.h"
#include "json_text.h"
#include "results.h"

struct kept {
    struct pair name;        /* the task's id, "" */
    struct ov_slice record;  /* in the file's text */
    double saved_at, expires_at;
    size_t order;            /* in the file */
};

/* Newest first; OmniDaemon takes one without a time for the oldest. */
static int compare_newest_first(const void *a, const void *b)
{
    const struct kept *x = *(const struct kept *const *)a, *y = *(const struct kept *const *)b;
    double at_x = isnan(x->saved_at) ? 0 : x->saved_at, at_y = isnan(y->saved_at) ? 0 : y->saved_at;
    if (at_x != at_y)
        return at_x < at_y ? 1 : -1;
    return x->order < y->order ? -1 : 1;
}

static void keep_all(struct pairs *kept, struct ov_slice text)
{
    struct json_walk walk = json_walk(text);
    struct ov_slice key, record;
    struct ov_buf id = {0};
    while (json_walk_next(&walk, &key, &record)) {
        ov_buf_reset(&id);
        if (!json_text_decode((struct ov_slice){key.ptr - 1, key.len + 2}, &id))
            continue;
        struct kept *k = pairs_add(kept, (struct ov_slice){id.data, id.len}, OV_SLICE(""),
                                   sizeof *k);
        k->record = record;
        k->saved_at = json_text_number(json_text_member(record, "saved_at"));
        k->expires_at = json_text_number(json_text_member(record, "expires_at"));
        if (!k->order)
            k->order = kept->count;
    }
    ov_buf_free(&id);
}

/* False: that was enough. */
static bool tell(struct results *results, const struct kept *k)
{
    results->looked++;
    if (k->expires_at * 1e3 < (double)results->now_ms) {
        results->gone++;
        results->gone_saved_at = k->saved_at;
        return true;
    }
    struct result result = {
        .task_id = k->name.a, .saved_at = k->saved_at, .expires_at = k->expires_at,
        .size = (int64_t)k->record.len, .record = k->record,
    };
    if (result.record.len > results->bytes_max)
        result.record.len = results->bytes_max;
    return results->fn(results->context, &result);
}

static void tell_all(struct results *results, struct pairs *kept)
{
    /* The order of the entries is of no more use to `pairs`. */
    if (kept->count)
        qsort(kept->entries, kept->count, sizeof *kept->entries, compare_newest_first);
    for (size_t i = 0; i < kept->count && results->looked < RESULTS_LOOK_MAX; i++)
        if (!tell(results, (const struct kept *)kept->entries[i]))
            return;
}

static int read_text(struct results *results, struct ov_buf *text)
{
    const char *dir = results->storage->omni.json_dir;
    const char *name = storage_file_names[FILE_RESULTS], *problem;
    struct ov_buf why = {0};
    int status = OV_EXIT_FINE;
    if (json_file_is_absent(dir, name))
        ov_buf_str(text, "{}");
    else if (!json_file_text(dir, name, STORAGE_FILE_MAX, text, &why))
        status = ov_call_unable(results->call, "%s", ov_buf_text(&why));
    if (status == OV_EXIT_FINE && !json_text_is_valid((struct ov_slice){text->data, text->len})) {
        json_object_put(json_read((struct ov_slice){text->data, text->len}, &problem));
        status = ov_call_unable(results->call, "%s/%s: %s: OmniDaemon reads this file as empty "
                                "and will write it over: save a copy now", dir, name,
                                problem ? problem : "no JSON");
    }
    ov_buf_free(&why);
    return status;
}

int results_read_json(struct results *results, struct ov_slice task_id)
{
    struct pairs kept = {0};
    struct ov_buf text = {0};
    int status = read_text(results, &text);
    results->now_ms = ov_wall_ns() / 1000000;
    if (status == OV_EXIT_FINE) {
        keep_all(&kept, (struct ov_slice){text.data, text.len});
        results->total = (int64_t)kept.count;
        const struct kept *one = task_id.ptr ? pairs_find(&kept, task_id, OV_SLICE("")) : NULL;
        if (one)
            (void)tell(results, one);
        else if (!task_id.ptr)
            tell_all(results, &kept);
    }
    pairs_free(&kept, NULL);
    ov_buf_free(&text);
    return status;
}
