/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue is a policy (limits, counts, who waits, when to write) over two stores: the log on disk
 * and the list in memory. Seen together they are one line of records, the log's before the
 * memory's, that only grows at one end and shrinks at the other. Writing memory to disk moves
 * records within the line and changes nothing else.
 *
 * A loan is a copy of the first records of the line. They stay in it, so that nothing special has
 * to be done to keep them; settling removes them. When room is needed meanwhile, the oldest leave
 * the line as always, and if they were on loan it is decided at its end whether they count as
 * sent or as dropped.
 *
 *       loan.records    again / alone
 *     ├─────────────┤                        first ─▶ … ─▶ last
 *     [ log ……………………………………… ][ memory ……………… ]
 *
 * Any thread may call anything; `lock` covers the whole struct. The loan's bytes are read without
 * it, which is safe because nothing but settle and put_back ends the loan.
 */
#include <pthread.h>
#include <stdlib.h>

#include "queue.h"
#include "queue_memory.h"

enum {
    SPILL_BYTES = 4 << 20,    /* in the disk mode no more waits in memory */
    MEMORY_BYTES = 64 << 20,  /* nor does more when the disk fails */
    LOAN_BYTES = 64 << 10,    /* a larger buffer is given back when all is delivered */
    REOPEN_MS = 10000,        /* between tries to open the log */
    UNREADABLE_MS = 1000,     /* between tries to read it */
};
static const size_t segment_least = 64 << 10, segment_most = (size_t)1 << 30;

struct loan {
    bool out;
    struct ov_buf bytes;
    size_t records;  /* of it still in line */
    size_t detached; /* samples of those that left it to make room */
};

struct ov_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something can be taken, or `woken` */
    bool woken;
    size_t max_samples, max_bytes;

    struct ov_queue_memory memory;
    struct ov_queue_log *log; /* NULL: none is open */
    char *dir, *plugin;
    enum ov_queue_mode mode;
    enum ov_queue_sync sync;
    struct ov_host *host;
    int64_t reopen_ms, unreadable_ms; /* not before, on ov_clock_ms */

    struct loan loan;
    size_t again; /* how many records the next loan must have, as it was put back; 0: any */
    size_t alone; /* how many records are to be lent one by one */
    struct ov_queue_counts counts; /* without `buffered*`, which the stores know */
};

struct ov_queue *ov_queue_new(size_t max_samples, size_t max_bytes)
{
    struct ov_queue *queue = ov_calloc(1, sizeof *queue);
    queue->max_samples = max_samples;
    queue->max_bytes = max_bytes;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&queue->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&queue->lock, NULL);
    return queue;
}

/* ---------------------------------------------------------------- what is in line */

static struct ov_queue_log_totals disk_totals(const struct ov_queue *queue)
{
    struct ov_queue_log_totals none = {0};
    return queue->log ? ov_queue_log_totals(queue->log) : none;
}

static void queue_trouble(struct ov_queue *queue, struct ov_buf *why, const char *consequence)
{
    if (queue->host && why->len)
        ov_problem(queue->host, "queue on disk", "%s%s", ov_buf_text(why), consequence);
    ov_buf_free(why);
}

/* The record at place `place` of the line leaves it. */
static void line_leave(struct ov_queue *queue, size_t place)
{
    size_t *counts[] = {&queue->loan.records, &queue->again, &queue->alone};
    for (size_t i = 0; i < OV_COUNT(counts); i++)
        *counts[i] -= place < *counts[i];
}

/* The log, which had `records`, may have found some of them damaged and removed them. */
static void queue_count_lost(struct ov_queue *queue, size_t records)
{
    size_t lost = queue->log ? ov_queue_log_lost(queue->log) : 0;
    for (records -= disk_totals(queue).records; records; records--)
        line_leave(queue, 0);
    queue->counts.dropped_damaged += lost;
    if (lost && queue->host)
        ov_problem(queue->host, "queue damage", "%zu samples on disk in %s are damaged and are "
                   "dropped", lost, queue->dir);
}

static bool disk_first(struct ov_queue *queue, struct ov_queue_head *head)
{
    size_t records = disk_totals(queue).records;
    bool found = records && ov_queue_log_first(queue->log, head);
    queue_count_lost(queue, records);
    return found;
}

static void queue_commit(struct ov_queue *queue)
{
    struct ov_buf why = {0};
    size_t records = disk_totals(queue).records;
    if (queue->log && ov_queue_log_commit(queue->log, &why) != OV_OK)
        queue_trouble(queue, &why, "");
    queue_count_lost(queue, records);
}

/* What left the line. */
struct gone {
    size_t samples;
    bool lent; /* part of the loan */
};

static void memory_pop(struct ov_queue *queue, struct gone *gone)
{
    size_t place = disk_totals(queue).records;
    gone->samples = queue->memory.first->samples;
    gone->lent = place < queue->loan.records;
    ov_queue_memory_pop(&queue->memory);
    line_leave(queue, place);
}

/* Removes the oldest record; false if there is none, or none that can be read now. */
static bool queue_pop(struct ov_queue *queue, struct gone *gone)
{
    struct ov_queue_head head;
    if (disk_first(queue, &head)) {
        *gone = (struct gone){head.samples, queue->loan.records > 0};
        ov_queue_log_pop(queue->log);
        line_leave(queue, 0);
        return true;
    }
    if (disk_totals(queue).records || !queue->memory.first)
        return false;
    memory_pop(queue, gone);
    return true;
}

static int64_t oldest_ms(struct ov_queue *queue)
{
    struct ov_queue_head head;
    if (disk_first(queue, &head))
        return head.time_ms;
    return queue->memory.first ? queue->memory.first->time_ms : INT64_MAX;
}

/* ---------------------------------------------------------------- limits */

static bool queue_is_over(const struct ov_queue *queue)
{
    struct ov_queue_log_totals disk = disk_totals(queue);
    return disk.samples + queue->memory.samples > queue->max_samples ||
           disk.bytes + queue->memory.bytes > queue->max_bytes;
}

static size_t drop(struct ov_queue *queue, struct gone gone)
{
    if (gone.lent) {
        queue->loan.detached += gone.samples;
        return 0;
    }
    queue->counts.dropped_full += gone.samples;
    return gone.samples;
}

/* Drops from the old end until the limits hold. Returns how many samples that cost. */
static size_t queue_trim(struct ov_queue *queue)
{
    struct gone gone;
    size_t dropped = 0, records = disk_totals(queue).records;
    while (queue_is_over(queue) && queue_pop(queue, &gone))
        dropped += drop(queue, gone);
    while (queue->mode != OV_QUEUE_MEMORY && queue->memory.bytes > MEMORY_BYTES) {
        memory_pop(queue, &gone);
        dropped += drop(queue, gone);
    }
    if (disk_totals(queue).records != records)
        queue_commit(queue);
    return dropped;
}

static void log_set_up(struct ov_queue *queue)
{
    size_t segment = queue->max_bytes / 16;
    if (segment < segment_least)
        segment = segment_least;
    if (segment > segment_most)
        segment = segment_most;
    if (queue->log)
        ov_queue_log_setup(queue->log, segment, queue->sync);
}

void ov_queue_limit(struct ov_queue *queue, size_t max_samples, size_t max_bytes)
{
    pthread_mutex_lock(&queue->lock);
    queue->max_samples = max_samples;
    queue->max_bytes = max_bytes;
    log_set_up(queue);
    pthread_mutex_unlock(&queue->lock);
}

/* ---------------------------------------------------------------- the disk */

/* True in *taken: another process has it. */
static void log_open(struct ov_queue *queue, bool *taken, struct ov_buf *why)
{
    queue->reopen_ms = ov_clock_ms() + REOPEN_MS;
    queue->log = ov_queue_log_open(queue->dir, queue->plugin, queue->mode != OV_QUEUE_MEMORY,
                                   taken, why);
    log_set_up(queue);
    queue->counts.collected += disk_totals(queue).samples;
    if (queue->log && why->len && queue->host)
        ov_log(queue->host, OV_WARN, "%s", ov_buf_text(why));
    if (queue->log)
        ov_buf_reset(why);
}

/* Whether there is a log to write to. */
static bool log_ready(struct ov_queue *queue)
{
    struct ov_buf why = {0};
    bool taken;
    if (queue->log || queue->mode == OV_QUEUE_MEMORY || !queue->dir)
        return queue->log && queue->mode != OV_QUEUE_MEMORY;
    if (ov_clock_ms() < queue->reopen_ms)
        return false;
    log_open(queue, &taken, &why);
    queue_trouble(queue, &why, ": samples wait in memory");
    return queue->log;
}

/* An empty log whose directory may be gone is opened anew, later. */
static void log_failed(struct ov_queue *queue, struct ov_buf *why)
{
    queue_trouble(queue, why, ": samples wait in memory");
    if (disk_totals(queue).records)
        return;
    ov_queue_log_close(queue->log);
    queue->log = NULL;
    queue->reopen_ms = ov_clock_ms() + REOPEN_MS;
}

static bool disk_append(struct ov_queue *queue, struct ov_slice bytes, size_t samples,
                        int64_t time_ms)
{
    struct ov_buf why = {0};
    if (ov_queue_log_append(queue->log, bytes, samples, time_ms, &why) != OV_OK) {
        log_failed(queue, &why);
        return false;
    }
    if (queue->host)
        ov_recovered(queue->host, "queue on disk");
    return true;
}

/* Moves what is in memory to disk, as far as that goes. True if nothing is left there and there
 * is a log to write to. */
static bool queue_spill(struct ov_queue *queue)
{
    const struct ov_queue_item *i;
    if (!log_ready(queue))
        return false;
    while ((i = queue->memory.first)) {
        if (!disk_append(queue, (struct ov_slice){i->bytes, i->len}, i->samples, i->time_ms))
            return false;
        ov_queue_memory_pop(&queue->memory);
    }
    return true;
}

int ov_queue_open(struct ov_queue *queue, const struct ov_queue_disk *disk, struct ov_buf *why)
{
    bool taken = false;
    struct ov_buf fault = {0};
    pthread_mutex_lock(&queue->lock);
    queue->mode = disk->mode;
    queue->sync = disk->sync;
    queue->host = disk->host;
    if (!queue->log && disk->dir) {
        free(queue->dir);
        free(queue->plugin);
        queue->dir = ov_strdup(disk->dir);
        queue->plugin = ov_strdup(disk->plugin);
        log_open(queue, &taken, &fault);
        if (taken)
            ov_buf_str(why, ov_buf_text(&fault));
        else
            queue_trouble(queue, &fault, ": samples wait in memory");
        ov_buf_free(&fault);
    }
    log_set_up(queue);
    queue_trim(queue);
    pthread_mutex_unlock(&queue->lock);
    return taken ? OV_FAILED : OV_OK;
}

void ov_queue_spool(struct ov_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->reopen_ms = 0; /* there may be no later */
    queue_spill(queue);
    pthread_mutex_unlock(&queue->lock);
}

void ov_queue_shut(struct ov_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->reopen_ms = 0;
    queue_spill(queue);
    ov_queue_log_close(queue->log);
    queue->log = NULL;
    queue->mode = OV_QUEUE_MEMORY;
    queue->loan.out = false;
    queue->loan.records = queue->loan.detached = queue->again = queue->alone = 0;
    pthread_mutex_unlock(&queue->lock);
}

void ov_queue_free(struct ov_queue *queue)
{
    if (!queue)
        return;
    ov_queue_shut(queue);
    while (queue->memory.first)
        ov_queue_memory_pop(&queue->memory);
    ov_buf_free(&queue->loan.bytes);
    free(queue->dir);
    free(queue->plugin);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

/* ---------------------------------------------------------------- pushing */

static bool push_goes_to_disk(const struct ov_queue *queue, size_t len)
{
    return queue->mode == OV_QUEUE_WRITE_AHEAD ||
           (queue->mode == OV_QUEUE_DISK &&
            (disk_totals(queue).records || queue->memory.bytes + len > SPILL_BYTES));
}

size_t ov_queue_push(struct ov_queue *queue, struct ov_slice bytes, size_t samples)
{
    int64_t now_ms = ov_wall_ns() / 1000000;
    size_t dropped = samples;
    pthread_mutex_lock(&queue->lock);
    queue->counts.collected += samples;
    if (samples > queue->max_samples || bytes.len > queue->max_bytes) {
        queue->counts.dropped_full += samples;
    } else {
        bool written = push_goes_to_disk(queue, bytes.len) && queue_spill(queue) &&
                       disk_append(queue, bytes, samples, now_ms);
        if (!written)
            ov_queue_memory_append(&queue->memory, bytes, samples, now_ms);
        dropped = queue_trim(queue);
        pthread_cond_signal(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

void ov_queue_unfit(struct ov_queue *queue, size_t samples)
{
    pthread_mutex_lock(&queue->lock);
    queue->counts.collected += samples;
    queue->counts.dropped_unfit += samples;
    pthread_mutex_unlock(&queue->lock);
}

/* ---------------------------------------------------------------- waiting */

static bool queue_ready_locked(const struct ov_queue *queue)
{
    return !queue->loan.out && (disk_totals(queue).records || queue->memory.first) &&
           (!queue->unreadable_ms || ov_clock_ms() >= queue->unreadable_ms);
}

/* When what can be taken is worth it, on ov_clock_ms: at once, some time, or INT64_MAX. */
static int64_t queue_worth_locked(struct ov_queue *queue, const struct ov_queue_worth *worth)
{
    struct ov_queue_log_totals disk = disk_totals(queue);
    if (!queue_ready_locked(queue))
        return INT64_MAX;
    if (worth->flush_ms <= 0 || queue->again || queue->alone ||
        disk.records + queue->memory.records >= worth->join.records ||
        disk.samples + queue->memory.samples >= worth->join.samples ||
        disk.bytes + queue->memory.bytes >= worth->join.bytes)
        return 0;
    int64_t age_ms = ov_wall_ns() / 1000000 - oldest_ms(queue);
    bool old = age_ms < 0 || age_ms >= worth->flush_ms; /* below 0: the clock was set */
    return old ? 0 : ov_clock_ms() + worth->flush_ms - age_ms;
}

bool ov_queue_wait(struct ov_queue *queue, struct ov_queue_worth worth, int64_t deadline_ms)
{
    int64_t at_ms, until_ms;
    pthread_mutex_lock(&queue->lock);
    if (queue->unreadable_ms && queue->unreadable_ms < deadline_ms)
        deadline_ms = queue->unreadable_ms;
    while ((at_ms = queue_worth_locked(queue, &worth)) > ov_clock_ms() && !queue->woken) {
        until_ms = at_ms < deadline_ms ? at_ms : deadline_ms > 0 ? deadline_ms : 0;
        struct timespec until = {.tv_sec = until_ms / 1000,
                                 .tv_nsec = until_ms % 1000 * 1000000};
        if (pthread_cond_timedwait(&queue->changed, &queue->lock, &until) != 0 &&
            until_ms != at_ms)
            break;
    }
    queue->woken = false;
    bool ready = queue_worth_locked(queue, &worth) <= ov_clock_ms();
    pthread_mutex_unlock(&queue->lock);
    return ready;
}

void ov_queue_wake(struct ov_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->woken = true;
    pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

/* ---------------------------------------------------------------- lending */

static size_t line_read(struct ov_queue *queue, struct ov_queue_join join, size_t *samples)
{
    size_t records = disk_totals(queue).records;
    if (!records)
        return ov_queue_memory_read(&queue->memory, join, &queue->loan.bytes, samples);
    size_t read = ov_queue_log_read(queue->log, join, &queue->loan.bytes, samples);
    queue_count_lost(queue, records);
    if (read || !disk_totals(queue).records)
        return read ? read : line_read(queue, join, samples);
    queue->unreadable_ms = ov_clock_ms() + UNREADABLE_MS;
    if (queue->host)
        ov_problem(queue->host, "queue on disk", "the queue in %s cannot be read", queue->dir);
    return 0;
}

bool ov_queue_take(struct ov_queue *queue, struct ov_queue_join join, struct ov_queue_loan *loan)
{
    pthread_mutex_lock(&queue->lock);
    bool ready = queue_ready_locked(queue);
    if (queue->alone)
        join.records = 1;
    else if (queue->again)
        join = (struct ov_queue_join){queue->again, SIZE_MAX, SIZE_MAX};
    if (ready) {
        queue->unreadable_ms = 0;
        loan->records = line_read(queue, join, &loan->samples);
        loan->bytes = (struct ov_slice){queue->loan.bytes.data, queue->loan.bytes.len};
        queue->loan.records = loan->records;
        queue->loan.out = ready = loan->records > 0;
        queue->loan.detached = 0;
    }
    pthread_mutex_unlock(&queue->lock);
    return ready;
}

static void loan_end(struct ov_queue *queue)
{
    queue->loan.out = false;
    queue->loan.records = queue->loan.detached = 0;
    if (queue->loan.bytes.cap > LOAN_BYTES && !disk_totals(queue).records && !queue->memory.first)
        ov_buf_free(&queue->loan.bytes);
}

/* Removes what is lent, and ends the loan; returns its samples. */
static size_t loan_remove(struct ov_queue *queue)
{
    struct gone gone;
    size_t samples = queue->loan.detached;
    while (queue->loan.records && queue_pop(queue, &gone))
        samples += gone.samples;
    queue_commit(queue);
    loan_end(queue);
    return samples;
}

void ov_queue_settle(struct ov_queue *queue, size_t rejected)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->loan.out) {
        size_t samples = loan_remove(queue);
        if (rejected > samples)
            rejected = samples;
        queue->counts.dropped_rejected += rejected;
        queue->counts.sent += samples - rejected;
    }
    pthread_mutex_unlock(&queue->lock);
}

void ov_queue_supersede(struct ov_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->loan.out)
        queue->counts.dropped_superseded += loan_remove(queue);
    pthread_mutex_unlock(&queue->lock);
}

/* Ends the loan without removing what is still in line; returns the samples that are not. */
static size_t put_back_locked(struct ov_queue *queue)
{
    size_t dropped = queue->loan.detached;
    queue->counts.dropped_full += dropped;
    loan_end(queue);
    if (queue->mode == OV_QUEUE_DISK)
        queue_spill(queue);
    if (queue_ready_locked(queue))
        pthread_cond_signal(&queue->changed);
    return dropped;
}

size_t ov_queue_put_back(struct ov_queue *queue)
{
    size_t dropped = 0;
    pthread_mutex_lock(&queue->lock);
    if (queue->loan.out) {
        queue->again = queue->loan.records;
        dropped = put_back_locked(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

size_t ov_queue_split(struct ov_queue *queue)
{
    size_t dropped = 0;
    pthread_mutex_lock(&queue->lock);
    if (queue->loan.out) {
        queue->again = 0;
        queue->alone = queue->loan.records;
        dropped = put_back_locked(queue);
    }
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

size_t ov_queue_expire(struct ov_queue *queue, int64_t age_ms)
{
    int64_t limit = ov_wall_ns() / 1000000 - age_ms;
    struct gone gone;
    size_t dropped = 0;
    pthread_mutex_lock(&queue->lock);
    while (!queue->loan.out && oldest_ms(queue) < limit && queue_pop(queue, &gone))
        dropped += gone.samples;
    if (dropped)
        queue_commit(queue);
    queue->counts.dropped_expired += dropped;
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

/* ---------------------------------------------------------------- counts */

uint64_t ov_queue_dropped(const struct ov_queue_counts *counts)
{
    return counts->dropped_full + counts->dropped_rejected + counts->dropped_unfit +
           counts->dropped_expired + counts->dropped_damaged + counts->dropped_superseded;
}

struct ov_queue_counts ov_queue_counts(struct ov_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct ov_queue_counts counts = queue->counts;
    struct ov_queue_log_totals disk = disk_totals(queue);
    counts.buffered_disk = disk.samples;
    counts.buffered_disk_bytes = disk.bytes;
    counts.buffered = disk.samples + queue->memory.samples + queue->loan.detached;
    counts.buffered_bytes = disk.bytes + queue->memory.bytes;
    pthread_mutex_unlock(&queue->lock);
    return counts;
}
