/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "follow_file.h"
#include "json.h"
#include "savefile.h"

enum { METRICS_FILE_MAX_BYTES = 256 * 1024 * 1024 };

static double saved_at(struct json_object *list, size_t i)
{
    double at = json_get_double(json_object_array_get_idx(list, i), "saved_at");
    return isfinite(at) && at > 0 ? at : 0;
}

/* The position after the last event counted: behind the counted ones of its moment, which is looked
 * for from the end. The list is in the order in which events were saved, also where the clock was
 * set back in between. */
static size_t find_place(struct follow_file *f, struct json_object *list, size_t count)
{
    size_t end = count;
    int64_t seen = 0;
    if (f->last_saved_at == 0)
        return 0;
    while (end > 0 && saved_at(list, end - 1) != f->last_saved_at)
        end--;
    size_t at = end;
    for (; at > 0 && saved_at(list, at - 1) == f->last_saved_at; at--)
        seen++;
    if (seen)
        return seen > f->same_moment ? at + (size_t)f->same_moment : end;
    for (end = count; end > 0 && saved_at(list, end - 1) > f->last_saved_at;)
        end--;
    f->gaps += end == 0 && count > 0; /* all there is came later: the place was dropped */
    return end;
}

static void count_from(struct follow_file *f, struct json_object *list, size_t at, size_t count,
                       follow_file_fn *fn, void *context)
{
    for (; at < count; at++) {
        struct event event;
        double moment = saved_at(list, at);
        f->entries++;
        if (moment == f->last_saved_at) {
            f->same_moment++;
        } else if (moment > 0) {
            f->last_saved_at = moment;
            f->same_moment = 1;
        }
        if (event_from_object(json_object_array_get_idx(list, at), &event)) {
            double ms = (moment > 0 ? moment : event.timestamp) * 1000;
            fn(context, &event, ms > 0 && ms < 9e15 ? (int64_t)ms : 0);
        }
    }
}

int follow_file_run(struct follow_file *f, const char *dir, follow_file_fn *fn, void *context,
                    struct ov_buf *why)
{
    struct ov_buf path = {0};
    struct stat st;
    ov_buf_printf(&path, "%s/metrics.json", dir);
    int missing = stat(ov_buf_text(&path), &st) != 0 ? errno : 0;
    ov_buf_free(&path);
    if (missing == ENOENT) {
        f->length = -1;
        f->inode = 0; /* it is read again should the same one come back */
        return OV_OK;
    }
    int64_t mtime_ns = missing ? 0 : (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec;
    if (!missing && mtime_ns == f->mtime_ns && st.st_size == f->size &&
        (int64_t)st.st_ino == f->inode)
        return OV_OK;
    struct json_object *list = json_read_file(dir, "metrics.json", METRICS_FILE_MAX_BYTES, why);
    if (!json_object_is_type(list, json_type_array)) {
        if (why->len == 0)
            ov_buf_printf(why, "%s/metrics.json: not a list", dir);
        json_object_put(list);
        return OV_FAILED;
    }
    size_t count = json_object_array_length(list);
    count_from(f, list, find_place(f, list, count), count, fn, context);
    f->length = (int64_t)count;
    f->mtime_ns = mtime_ns;
    f->size = st.st_size;
    f->inode = (int64_t)st.st_ino;
    json_object_put(list);
    return OV_OK;
}

void follow_file_write(const struct follow_file *f, struct ov_buf *out)
{
    uint64_t bits;
    memcpy(&bits, &f->last_saved_at, sizeof bits);
    ov_buf_printf(out, "%ju", (uintmax_t)bits);
    save_int(out, f->same_moment);
    save_uint(out, f->entries);
    save_uint(out, f->gaps);
}

bool follow_file_read(struct follow_file *f, struct ov_slice line)
{
    struct follow_file read = {.length = -1};
    uint64_t bits;
    if (!saved_uint(&line, &bits) || !saved_int(&line, &read.same_moment) ||
        !saved_uint(&line, &read.entries) || !saved_uint(&line, &read.gaps))
        return false;
    memcpy(&read.last_saved_at, &bits, sizeof bits);
    if (!isfinite(read.last_saved_at) || read.last_saved_at < 0 || read.same_moment < 0)
        return false;
    *f = read;
    return true;
}
