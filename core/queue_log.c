/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The segments are an array, the oldest first. `at` is how far the first of them has been dealt
 * with; whatever walks over records goes through segment_next, at opening and later alike, so the
 * counts made at opening hold. What a segment still counts when its end is reached was damaged in
 * between.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "queue_log.h"
#include "queue_reader.h"

enum { SEGMENT_BYTES = 64 * 1024, SYNC_INTERVAL_MS = 1000, FILE_MODE = 0640 };
#define DAMAGED_NAME "damaged.log"

struct segment {
    struct ov_queue_name name;
    off_t size; /* where the next record goes */
    struct ov_queue_log_totals waiting;
    bool damaged;
};

struct ov_queue_log {
    char *path, *plugin;
    int dir_fd;
    struct segment *segments;
    size_t count;
    struct ov_queue_log_totals totals;
    size_t lost;

    off_t at;       /* in the first segment: the oldest record */
    off_t unmarked; /* in the first segment: the last record removed since the commit, or -1 */
    int commit_error; /* why a segment that was done with could be neither deleted nor marked */

    int write_fd; /* of the last segment; -1: not open */
    size_t segment_bytes;
    enum ov_queue_sync sync;
    bool unsynced;
    int64_t synced_ms;

    struct ov_queue_reader reader;
};

/* ---------------------------------------------------------------- counting */

static void totals_add(struct ov_queue_log_totals *totals, const struct ov_queue_head *head)
{
    totals->records++;
    totals->samples += head->samples;
    totals->bytes += (size_t)ov_queue_record_size(head);
}

static void totals_take(struct ov_queue_log_totals *totals, struct ov_queue_log_totals gone)
{
    totals->records -= gone.records;
    totals->samples -= gone.samples;
    totals->bytes -= gone.bytes;
}

static int segment_open(struct ov_queue_log *log, const struct segment *s)
{
    return ov_queue_reader_open(&log->reader, &s->name, s->size);
}

/* ---------------------------------------------------------------- removing */

static void segment_forget(struct ov_queue_log *log, size_t index)
{
    struct segment *s = &log->segments[index];
    if (log->reader.file == s->name.file)
        ov_queue_reader_close(&log->reader);
    if (index + 1 == log->count && log->write_fd >= 0) {
        close(log->write_fd);
        log->write_fd = -1;
    }
    totals_take(&log->totals, s->waiting);
    free(s->name.file);
    memmove(s, s + 1, (log->count - index - 1) * sizeof *s);
    log->count--;
    if (index == 0) {
        log->at = 0;
        log->unmarked = -1;
    }
}

/* Marks what was removed from the first segment. */
static int segment_mark(struct ov_queue_log *log)
{
    if (log->unmarked < 0)
        return OV_OK;
    off_t at = log->unmarked + OV_QUEUE_MARK_AT;
    if (segment_open(log, &log->segments[0]) != OV_OK ||
        pwrite(log->reader.fd, OV_QUEUE_DONE, OV_QUEUE_MARK_LEN, at) != OV_QUEUE_MARK_LEN)
        return OV_FAILED;
    log->unmarked = -1;
    return OV_OK;
}

/* Deletes the first segment. Where the directory does not allow that, a mark has to do. */
static void segment_end(struct ov_queue_log *log)
{
    struct segment *s = &log->segments[0];
    bool gone = (s->damaged ? renameat(log->dir_fd, s->name.file, log->dir_fd, DAMAGED_NAME)
                            : unlinkat(log->dir_fd, s->name.file, 0)) == 0 || errno == ENOENT;
    if (!gone && segment_mark(log) != OV_OK)
        log->commit_error = errno;
    segment_forget(log, 0);
}

/* What the first segment still counts cannot be found any more. */
static void segment_lose(struct ov_queue_log *log)
{
    struct segment *s = &log->segments[0];
    if (s->waiting.records == 0)
        return;
    s->damaged = true;
    log->lost += s->waiting.samples;
    totals_take(&log->totals, s->waiting);
    s->waiting = (struct ov_queue_log_totals){0};
}

bool ov_queue_log_first(struct ov_queue_log *log, struct ov_queue_head *head)
{
    while (log->count) {
        const struct segment *s = &log->segments[0];
        bool open = segment_open(log, s) == OV_OK;
        if (open && ov_queue_reader_next(&log->reader, &log->at, head))
            return true;
        if (!open && errno != ENOENT) /* no descriptor left, say: it may be there later */
            return false;
        segment_lose(log);
        log->at = s->size;
        if (log->count == 1)
            return false;
        segment_end(log);
    }
    return false;
}

static void log_remove(struct ov_queue_log *log, const struct ov_queue_head *head)
{
    struct segment *s = &log->segments[0];
    struct ov_queue_log_totals gone = {0};
    totals_add(&gone, head);
    totals_take(&s->waiting, gone);
    totals_take(&log->totals, gone);
    log->unmarked = log->at;
    log->at += ov_queue_record_size(head);
}

void ov_queue_log_pop(struct ov_queue_log *log)
{
    struct ov_queue_head head;
    if (ov_queue_log_first(log, &head))
        log_remove(log, &head);
}

/* Empties the only segment, in which nothing waits. */
static int segment_clear(struct ov_queue_log *log)
{
    struct segment *s = &log->segments[0];
    if (s->damaged) {
        segment_end(log);
        return OV_OK;
    }
    if (s->size == 0)
        return OV_OK;
    if (segment_open(log, s) != OV_OK || ftruncate(log->reader.fd, 0) != 0)
        return segment_mark(log);
    s->size = log->at = 0;
    log->unmarked = -1;
    ov_queue_reader_reset(&log->reader);
    return OV_OK;
}

int ov_queue_log_commit(struct ov_queue_log *log, struct ov_buf *why)
{
    struct ov_queue_head head;
    int result = OV_OK;
    if (!ov_queue_log_first(log, &head) && log->count && log->totals.records == 0)
        result = segment_clear(log);
    else
        result = segment_mark(log);
    int error = result == OV_OK ? log->commit_error : errno;
    log->commit_error = 0;
    if (!error && log->sync == OV_QUEUE_SYNC_ALWAYS && log->reader.fd >= 0 &&
        fdatasync(log->reader.fd) != 0)
        error = errno;
    if (!error)
        return OV_OK;
    ov_buf_printf(why, "cannot note in the queue on disk in %s what was delivered: %s: it will be "
                  "sent again after a restart", log->path, strerror(error));
    return OV_FAILED;
}

/* ---------------------------------------------------------------- reading records */

/* Adds the bytes of the record at `at` of the open segment; false if they are damaged. */
static bool payload_add(struct ov_queue_log *log, off_t at, const struct ov_queue_head *head,
                        struct ov_buf *out)
{
    struct ov_slice bytes = ov_queue_reader_bytes(&log->reader, at, head);
    if (bytes.ptr)
        ov_buf_slice(out, bytes);
    return bytes.ptr;
}

/* Removes damaged records from the old end until one is read. */
static bool read_first(struct ov_queue_log *log, struct ov_queue_head *head, struct ov_buf *out)
{
    while (ov_queue_log_first(log, head)) {
        if (payload_add(log, log->at, head, out))
            return true;
        log->segments[0].damaged = true;
        log->lost += head->samples;
        log_remove(log, head);
    }
    return false;
}

size_t ov_queue_log_read(struct ov_queue_log *log, struct ov_queue_join join, struct ov_buf *out,
                         size_t *samples)
{
    struct ov_queue_head head;
    size_t records = 1, index = 0;
    ov_buf_reset(out);
    *samples = 0;
    if (!read_first(log, &head, out))
        return 0;
    *samples = head.samples;
    off_t at = log->at + ov_queue_record_size(&head);
    while (records < join.records) {
        if (!ov_queue_reader_next(&log->reader, &at, &head)) {
            at = 0;
            if (++index == log->count || segment_open(log, &log->segments[index]) != OV_OK)
                break;
            continue;
        }
        if (*samples + head.samples > join.samples || out->len + head.len > join.bytes ||
            !payload_add(log, at, &head, out))
            break;
        *samples += head.samples;
        at += ov_queue_record_size(&head);
        records++;
    }
    return records;
}

struct ov_queue_log_totals ov_queue_log_totals(const struct ov_queue_log *log)
{
    return log->totals;
}

size_t ov_queue_log_lost(struct ov_queue_log *log)
{
    size_t lost = log->lost;
    log->lost = 0;
    return lost;
}

/* ---------------------------------------------------------------- appending */

/* Writes everything at `at`. */
static bool write_all(int fd, struct iovec *parts, int count, off_t at)
{
    while (count) {
        ssize_t wrote = pwritev(fd, parts, count, at);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return false;
        at += wrote;
        for (; count && (size_t)wrote >= parts->iov_len; parts++, count--)
            wrote -= (ssize_t)parts->iov_len;
        if (count) {
            parts->iov_base = (char *)parts->iov_base + wrote;
            parts->iov_len -= (size_t)wrote;
        }
    }
    return true;
}

static int writer_sync(struct ov_queue_log *log)
{
    if (log->write_fd >= 0 && log->unsynced && fdatasync(log->write_fd) != 0)
        return OV_FAILED;
    log->unsynced = false;
    log->synced_ms = ov_clock_ms();
    return OV_OK;
}

static void writer_close(struct ov_queue_log *log)
{
    if (log->sync != OV_QUEUE_SYNC_NEVER)
        (void)writer_sync(log); /* there is no one to tell: nothing was promised yet */
    if (log->write_fd >= 0)
        close(log->write_fd);
    log->write_fd = -1;
}

static struct segment *segment_add(struct ov_queue_log *log, struct ov_queue_name name)
{
    log->segments = ov_realloc(log->segments, log->count + 1, sizeof *log->segments);
    log->segments[log->count] = (struct segment){.name = name};
    return &log->segments[log->count++];
}

/* Makes a new last segment; NULL with errno. */
static struct segment *segment_create(struct ov_queue_log *log)
{
    uint64_t number = log->count ? log->segments[log->count - 1].name.number + 1 : 1;
    struct ov_queue_name name = ov_queue_dir_name(log->plugin, number);
    writer_close(log);
    log->write_fd = openat(log->dir_fd, name.file,
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
    if (log->write_fd < 0) {
        free(name.file);
        return NULL;
    }
    if (log->sync == OV_QUEUE_SYNC_ALWAYS)
        fsync(log->dir_fd);
    return segment_add(log, name);
}

/* The segment that the next record goes to, open; NULL with errno. */
static struct segment *segment_last(struct ov_queue_log *log, size_t size)
{
    struct segment *s = log->count ? &log->segments[log->count - 1] : NULL;
    struct stat st;
    if (!s || s->damaged || (s->size && (size_t)s->size + size > log->segment_bytes))
        return segment_create(log);
    if (log->write_fd >= 0)
        return fstat(log->write_fd, &st) == 0 && st.st_nlink ? s : segment_create(log);
    log->write_fd = openat(log->dir_fd, s->name.file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (log->write_fd < 0)
        return errno == ENOENT ? segment_create(log) : NULL;
    return ftruncate(log->write_fd, s->size) == 0 ? s : NULL; /* a torn end goes */
}

/* Whether a record just written is as safe as it has to be. */
static bool append_synced(struct ov_queue_log *log)
{
    log->unsynced = true;
    if (log->sync == OV_QUEUE_SYNC_NEVER ||
        (log->sync == OV_QUEUE_SYNC_INTERVAL && ov_clock_ms() - log->synced_ms < SYNC_INTERVAL_MS))
        return true;
    return writer_sync(log) == OV_OK;
}

int ov_queue_log_append(struct ov_queue_log *log, struct ov_slice bytes, size_t samples,
                        int64_t time_ms, struct ov_buf *why)
{
    char text[OV_QUEUE_HEAD_LEN], newline = '\n';
    struct ov_queue_head head = {.len = bytes.len, .samples = samples, .time_ms = time_ms};
    struct iovec parts[] = {{text, sizeof text}, {(void *)bytes.ptr, bytes.len}, {&newline, 1}};
    struct segment *s = NULL;
    errno = EFBIG;
    if (bytes.len <= OV_QUEUE_RECORD_MAX)
        s = segment_last(log, (size_t)ov_queue_record_size(&head));
    if (s) {
        ov_queue_record_write(text, s->name.seed, &head, bytes);
        if (write_all(log->write_fd, parts, OV_COUNT(parts), s->size) && append_synced(log)) {
            s->size += ov_queue_record_size(&head);
            totals_add(&s->waiting, &head);
            totals_add(&log->totals, &head);
            return OV_OK;
        }
    }
    ov_buf_printf(why, "cannot write to the queue in %s: %s", log->path, strerror(errno));
    if (s && ftruncate(log->write_fd, s->size) != 0)
        writer_close(log); /* the next append tries to cut off again what was torn */
    return OV_FAILED;
}

/* ---------------------------------------------------------------- opening */

/* What a walk over all segments found wrong. */
struct damage {
    off_t torn, skipped;
    size_t unreadable, foreign;
};

/* Everything before index is done with. */
static void forget_before(struct ov_queue_log *log, size_t index)
{
    while (index--)
        segment_end(log);
}

/* Walks over the segment with that index and counts what waits; those before it have been. */
static void segment_scan(struct ov_queue_log *log, size_t index, struct damage *damage)
{
    struct segment *s = &log->segments[index];
    struct ov_queue_head head;
    off_t at = 0, end = 0, first = 0;
    bool done = false;
    for (; ov_queue_reader_next(&log->reader, &at, &head);
         end = at += ov_queue_record_size(&head)) {
        damage->skipped += at - end;
        s->damaged |= at != end;
        totals_add(&s->waiting, &head);
        if (!head.done)
            continue;
        s->waiting = (struct ov_queue_log_totals){0};
        first = at + ov_queue_record_size(&head);
        done = true;
    }
    if (ov_queue_reader_torn(&log->reader, end))
        damage->torn += s->size - end;
    else
        damage->skipped += s->size - end;
    s->damaged |= !ov_queue_reader_torn(&log->reader, end);
    s->size = end;
    ov_queue_reader_reset(&log->reader); /* what was torn will be written over */
    log->totals.records += s->waiting.records;
    log->totals.samples += s->waiting.samples;
    log->totals.bytes += s->waiting.bytes;
    if (done)
        forget_before(log, index);
    if (done || index == 0)
        log->at = first;
}

static void log_scan(struct ov_queue_log *log, struct damage *damage)
{
    size_t count;
    struct ov_queue_name *names = ov_queue_dir_list(log->dir_fd, log->plugin, &count,
                                                    &damage->foreign);
    for (size_t i = 0; i < count; i++) {
        struct stat st = {0};
        struct segment *s = segment_add(log, names[i]);
        if (segment_open(log, s) == OV_OK && fstat(log->reader.fd, &st) == 0 &&
            S_ISREG(st.st_mode)) {
            log->reader.size = s->size = st.st_size;
            segment_scan(log, log->count - 1, damage);
            continue;
        }
        damage->unreadable++;
        segment_forget(log, log->count - 1);
    }
    free(names);
}

static void damage_say(const struct ov_queue_log *log, const struct damage *damage,
                       struct ov_buf *why)
{
    if (!damage->skipped && !damage->torn && !damage->unreadable && !damage->foreign)
        return;
    ov_buf_printf(why, "queue directory %s: ", log->path);
    if (damage->skipped)
        ov_buf_printf(why, "%jd damaged bytes are skipped (to be kept in " DAMAGED_NAME "); ",
                      (intmax_t)damage->skipped);
    if (damage->torn)
        ov_buf_printf(why, "%jd bytes of a record that was not written whole are skipped; ",
                      (intmax_t)damage->torn);
    if (damage->unreadable)
        ov_buf_printf(why, "%zu files cannot be read; ", damage->unreadable);
    if (damage->foreign)
        ov_buf_printf(why, "%zu files were made for another plugin than %s and are left alone; ",
                      damage->foreign, log->plugin);
    why->len -= strlen("; ");
}

struct ov_queue_log *ov_queue_log_open(const char *path, const char *plugin, bool create,
                                       bool *taken, struct ov_buf *why)
{
    int dir_fd = ov_queue_dir_open(path, create, taken, why);
    if (dir_fd < 0)
        return NULL;
    struct ov_queue_log *log = ov_calloc(1, sizeof *log);
    struct damage damage = {0};
    log->path = ov_strdup(path);
    log->plugin = ov_strdup(plugin);
    log->dir_fd = dir_fd;
    log->reader = (struct ov_queue_reader){.dir_fd = dir_fd, .fd = -1};
    log->write_fd = -1;
    log->unmarked = -1;
    log->segment_bytes = SEGMENT_BYTES;
    log_scan(log, &damage);
    damage_say(log, &damage, why);
    return log;
}

void ov_queue_log_setup(struct ov_queue_log *log, size_t segment_bytes, enum ov_queue_sync sync)
{
    log->segment_bytes = segment_bytes;
    log->sync = sync;
}

void ov_queue_log_close(struct ov_queue_log *log)
{
    struct ov_buf why = {0};
    if (!log)
        return;
    if (ov_queue_log_commit(log, &why) == OV_OK && log->count == 1 && log->totals.records == 0)
        segment_end(log);
    writer_close(log);
    while (log->count)
        segment_forget(log, log->count - 1);
    close(log->dir_fd);
    free(log->segments);
    free(log->path);
    free(log->plugin);
    ov_buf_free(&why);
    free(log);
}
