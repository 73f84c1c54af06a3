/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue is a policy (limits, counts, who waits) over a store of records in memory: a list, each
 * record one allocation of a small header and its bytes. The store is the four store_* functions
 * and nothing else touches it, so that a log on disk can take its place: records are only ever
 * appended, read at the old end and removed there, with one exception. While the oldest record is
 * taken, room is made by removing those behind it.
 *
 *     first (oldest, perhaps taken) ─▶ … ─▶ last (newest) ─▶ NULL
 *
 * Any thread may call anything; `lock` covers the whole struct. The bytes of the taken record are
 * read without the lock, which is safe because nothing but settle and put_back ends the loan.
 */
#include <pthread.h>
#include <stdlib.h>

#include "queue.h"

struct record {
    struct record *next;
    size_t len, samples;
    char bytes[];
};

struct store {
    struct record *first, *last;
    size_t samples, bytes;
};

struct ov_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something can be taken, or `woken` */
    struct store store;
    size_t max_samples, max_bytes;
    bool taken; /* the first record is lent */
    bool woken;
    struct ov_queue_counts counts; /* without `buffered*`, which the store knows */
};

/* ---------------------------------------------------------------- the store */

static void store_append(struct store *store, struct record *record)
{
    if (store->last)
        store->last->next = record;
    else
        store->first = record;
    store->last = record;
    store->samples += record->samples;
    store->bytes += record->len;
}

static struct record *store_oldest(const struct store *store, bool taken)
{
    return taken ? store->first->next : store->first;
}

/* Removes the oldest record, or the one behind it when that is `taken`; returns its samples. */
static size_t store_remove(struct store *store, bool taken)
{
    struct record *record = store_oldest(store, taken);
    if (taken)
        store->first->next = record->next;
    else
        store->first = record->next;
    if (store->last == record)
        store->last = taken ? store->first : NULL;
    size_t samples = record->samples;
    store->samples -= samples;
    store->bytes -= record->len;
    free(record);
    return samples;
}

static void store_free(struct store *store)
{
    while (store->first)
        store_remove(store, false);
}

/* ---------------------------------------------------------------- the queue */

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

void ov_queue_free(struct ov_queue *queue)
{
    if (!queue)
        return;
    store_free(&queue->store);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->lock);
    free(queue);
}

void ov_queue_limit(struct ov_queue *queue, size_t max_samples, size_t max_bytes)
{
    pthread_mutex_lock(&queue->lock);
    queue->max_samples = max_samples;
    queue->max_bytes = max_bytes;
    pthread_mutex_unlock(&queue->lock);
}

/* Drops from the old end until the limits hold; the taken record is outside of them. Returns how
 * many samples that cost. */
static size_t queue_trim_locked(struct ov_queue *queue)
{
    const struct record *lent = queue->taken ? queue->store.first : NULL;
    size_t lent_samples = lent ? lent->samples : 0;
    size_t lent_bytes = lent ? lent->len : 0;
    size_t dropped = 0;
    while (store_oldest(&queue->store, queue->taken) &&
           (queue->store.samples - lent_samples > queue->max_samples ||
            queue->store.bytes - lent_bytes > queue->max_bytes))
        dropped += store_remove(&queue->store, queue->taken);
    queue->counts.dropped_full += dropped;
    return dropped;
}

static struct record *record_new(struct ov_slice bytes, size_t samples)
{
    struct record *record = ov_malloc(sizeof *record + bytes.len);
    *record = (struct record){.len = bytes.len, .samples = samples};
    if (bytes.len)
        memcpy(record->bytes, bytes.ptr, bytes.len);
    return record;
}

size_t ov_queue_push(struct ov_queue *queue, struct ov_slice bytes, size_t samples)
{
    struct record *record = record_new(bytes, samples);
    size_t dropped = 0;
    pthread_mutex_lock(&queue->lock);
    queue->counts.collected += samples;
    if (samples > queue->max_samples || bytes.len > queue->max_bytes) {
        dropped = samples;
        queue->counts.dropped_full += samples;
    } else {
        store_append(&queue->store, record);
        record = NULL;
        dropped = queue_trim_locked(queue);
        pthread_cond_signal(&queue->changed);
    }
    pthread_mutex_unlock(&queue->lock);
    free(record);
    return dropped;
}

void ov_queue_unfit(struct ov_queue *queue, size_t samples)
{
    pthread_mutex_lock(&queue->lock);
    queue->counts.collected += samples;
    queue->counts.dropped_unfit += samples;
    pthread_mutex_unlock(&queue->lock);
}

static bool queue_ready_locked(const struct ov_queue *queue)
{
    return queue->store.first && !queue->taken;
}

bool ov_queue_wait(struct ov_queue *queue, int64_t deadline_ms)
{
    if (deadline_ms < 0)
        deadline_ms = 0;
    struct timespec until = {.tv_sec = deadline_ms / 1000,
                             .tv_nsec = deadline_ms % 1000 * 1000000};
    pthread_mutex_lock(&queue->lock);
    while (!queue_ready_locked(queue) && !queue->woken)
        if (pthread_cond_timedwait(&queue->changed, &queue->lock, &until) != 0)
            break;
    queue->woken = false;
    bool ready = queue_ready_locked(queue);
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

bool ov_queue_take(struct ov_queue *queue, struct ov_slice *bytes, size_t *samples)
{
    pthread_mutex_lock(&queue->lock);
    bool ready = queue_ready_locked(queue);
    if (ready) {
        const struct record *record = queue->store.first;
        *bytes = (struct ov_slice){record->bytes, record->len};
        *samples = record->samples;
        queue->taken = true;
    }
    pthread_mutex_unlock(&queue->lock);
    return ready;
}

void ov_queue_settle(struct ov_queue *queue, size_t rejected)
{
    pthread_mutex_lock(&queue->lock);
    if (queue->taken) {
        queue->taken = false;
        size_t samples = store_remove(&queue->store, false);
        if (rejected > samples)
            rejected = samples;
        queue->counts.dropped_rejected += rejected;
        queue->counts.sent += samples - rejected;
    }
    pthread_mutex_unlock(&queue->lock);
}

size_t ov_queue_put_back(struct ov_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->taken = false;
    size_t dropped = queue_trim_locked(queue);
    if (queue_ready_locked(queue))
        pthread_cond_signal(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return dropped;
}

struct ov_queue_counts ov_queue_counts(struct ov_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    struct ov_queue_counts counts = queue->counts;
    counts.buffered = queue->store.samples;
    counts.buffered_bytes = queue->store.bytes;
    pthread_mutex_unlock(&queue->lock);
    return counts;
}
