/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of one output between encode and send: wire-ready bytes, oldest first, within a
 * limit of samples and of bytes. A push beyond a limit drops the oldest records and counts them.
 * Thread-safe: inputs push, the output's thread takes and settles.
 *
 *     push ─▶ [ newest … oldest ] ─▶ take ─▶ settle (sent or dropped) │ put back (retry)
 *
 * At every moment, in samples: collected = sent + dropped + buffered (those taken included). The
 * taken record is outside the limits while it is lent, so that the newest are kept beside it.
 */
#ifndef OV_QUEUE_H
#define OV_QUEUE_H

#include "omnivigil.h"

struct ov_queue;

struct ov_queue_counts {
    uint64_t collected; /* samples pushed, those that did not fit the format included */
    uint64_t sent;
    uint64_t dropped_full, dropped_rejected, dropped_unfit;
    uint64_t buffered, buffered_bytes;
};

struct ov_queue *ov_queue_new(size_t max_samples, size_t max_bytes);
void ov_queue_free(struct ov_queue *queue);
/* New limits hold from the next push. */
void ov_queue_limit(struct ov_queue *queue, size_t max_samples, size_t max_bytes);

/* Copies a record in; returns how many samples were dropped from the old end to make room. A
 * record larger than the whole queue is dropped itself. */
size_t ov_queue_push(struct ov_queue *queue, struct ov_slice bytes, size_t samples);
/* Counts samples that no record could be made of. */
void ov_queue_unfit(struct ov_queue *queue, size_t samples);

/* Waits until `deadline_ms` (ov_clock_ms), ov_queue_wake, or until something can be taken.
 * Returns whether there is something. */
bool ov_queue_wait(struct ov_queue *queue, int64_t deadline_ms);
void ov_queue_wake(struct ov_queue *queue);

/* Lends the oldest record. It stays the same until settled or put back, is not dropped in
 * between, and counts as buffered. False when there is none. One at a time. */
bool ov_queue_take(struct ov_queue *queue, struct ov_slice *bytes, size_t *samples);
/* The taken record is done with: `rejected` of its samples were refused, the rest delivered. */
void ov_queue_settle(struct ov_queue *queue, size_t rejected);
/* The taken record stays first in line, unless the limits are passed now that it counts again:
 * returns how many samples were dropped from the old end. */
size_t ov_queue_put_back(struct ov_queue *queue);

struct ov_queue_counts ov_queue_counts(struct ov_queue *queue);

#endif
