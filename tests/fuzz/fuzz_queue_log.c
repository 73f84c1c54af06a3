/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A segment is written, overwritten in places and cut off: what was not hit is delivered, in
 * order, and nothing else is. Or the input is the segment: whatever it is, the log can be read to
 * its end, the counts come out even, and it goes on.
 *
 *     input: kind, then the segment, or: count, length..., { place (2 bytes), byte }...
 */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "queue_log.h"
#include "temp_dir.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MOST = 8, SEED = 7 };
#define SEGMENT "plug-0000000001-00000007.log"

static void check(bool fine)
{
    if (!fine)
        abort();
}

struct written {
    struct ov_buf bytes;
    size_t start[RECORDS_MOST + 1]; /* of each record; then the end */
    size_t count;
    bool hit[RECORDS_MOST];
};

static void record_add(struct written *w, size_t len)
{
    char head[OV_QUEUE_HEAD_LEN];
    struct ov_queue_head h = {.samples = w->count + 1, .time_ms = 1764038400123};
    struct ov_buf text = {0};
    for (size_t i = 0; i < len; i++)
        ov_buf_char(&text, i % 32 ? (char)('a' + w->count) : '\n');
    ov_queue_record_write(head, SEED, &h, (struct ov_slice){text.data, text.len});
    ov_buf_add(&w->bytes, head, sizeof head);
    ov_buf_add(&w->bytes, text.data, text.len);
    ov_buf_char(&w->bytes, '\n');
    w->start[++w->count] = w->bytes.len;
    ov_buf_free(&text);
}

/* Overwrites one byte, or cuts the segment off there. */
static void damage(struct written *w, size_t at, uint8_t byte, bool cut)
{
    if (at >= w->bytes.len)
        return;
    for (size_t i = 0; i < w->count; i++)
        if (at < w->start[i + 1] && (cut || at >= w->start[i]))
            w->hit[i] |= cut || w->bytes.data[at] != (char)byte;
    w->bytes.data[at] = (char)byte;
    if (cut)
        w->bytes.len = at;
}

/* A damaged mark may say that all up to it is done. */
static size_t first_waiting(const struct written *w)
{
    size_t first = 0;
    struct ov_queue_head head;
    for (size_t i = 0; i < w->count; i++)
        if (w->start[i + 1] <= w->bytes.len &&
            ov_queue_record_read(w->bytes.data + w->start[i], SEED, &head) && head.done)
            first = i + 1;
    return first;
}

static char *directory; /* one for each input: nothing runs at the end of all */

static struct ov_queue_log *open_segment(struct ov_slice bytes)
{
    struct ov_buf why = {0}, path = {0};
    bool taken;
    ov_buf_printf(&path, "%s/" SEGMENT, directory);
    int fd = open(ov_buf_text(&path), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    check(fd >= 0 && write(fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len && close(fd) == 0);
    struct ov_queue_log *log = ov_queue_log_open(directory, "plug", true, &taken, &why);
    check(log);
    ov_buf_free(&path);
    ov_buf_free(&why);
    return log;
}

/* Reads the next record; false at the end, where everything must come out even. */
static bool read_next(struct ov_queue_log *log, struct ov_buf *out, size_t *samples,
                      size_t *promised)
{
    struct ov_queue_join one = {1, 0, 0};
    struct ov_buf why = {0};
    size_t records = ov_queue_log_read(log, one, out, samples);
    *promised -= ov_queue_log_lost(log) + *samples;
    if (records) {
        ov_queue_log_pop(log);
        check(ov_queue_log_commit(log, &why) == OV_OK);
        *promised -= ov_queue_log_lost(log);
        return true;
    }
    struct ov_queue_log_totals left = ov_queue_log_totals(log);
    check(*promised == 0 && left.records == 0 && left.bytes == 0 && left.samples == 0);
    check(ov_queue_log_append(log, OV_SLICE("more"), 1, 0, &why) == OV_OK);
    check(ov_queue_log_read(log, one, out, samples) == 1 && out->len == 4);
    ov_queue_log_pop(log);
    check(ov_queue_log_commit(log, &why) == OV_OK);
    return false;
}

static void any_segment(struct ov_slice bytes)
{
    struct ov_queue_log *log = open_segment(bytes);
    struct ov_buf out = {0};
    size_t samples, promised = ov_queue_log_totals(log).samples;
    while (read_next(log, &out, &samples, &promised))
        check(out.len <= bytes.len);
    ov_queue_log_close(log);
    ov_buf_free(&out);
}

static void damaged_segment(const uint8_t *data, size_t size)
{
    struct written w = {0};
    size_t count = size ? 1 + data[0] % RECORDS_MOST : 0, at = 1, samples;
    struct ov_buf out = {0};
    for (size_t i = 0; i < count && at < size; i++)
        record_add(&w, data[at++]);
    for (; at + 3 <= size; at += 3) {
        size_t place = (size_t)data[at] << 8 | data[at + 1];
        damage(&w, place & 0x7fff, data[at + 2], place >> 15);
    }
    struct ov_queue_log *log = open_segment((struct ov_slice){w.bytes.data, w.bytes.len});
    size_t promised = ov_queue_log_totals(log).samples, next = first_waiting(&w);
    while (read_next(log, &out, &samples, &promised)) {
        while (next < w.count && next + 1 != samples)
            check(w.hit[next++]);
        check(next < w.count && samples == next + 1);
        for (size_t i = 0; i < out.len; i++)
            check(out.data[i] == (i % 32 ? (char)('a' + next) : '\n'));
        next++;
    }
    while (next < w.count)
        check(w.hit[next++]);
    ov_queue_log_close(log);
    ov_buf_free(&out);
    ov_buf_free(&w.bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    directory = temp_dir_new();
    if (size && data[0] % 2)
        any_segment((struct ov_slice){(const char *)data + 1, size - 1});
    else if (size)
        damaged_segment(data + 1, size - 1);
    temp_dir_free(directory);
    return 0;
}
