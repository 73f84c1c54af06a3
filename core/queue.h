/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of one output between encode and send: wire-ready bytes, oldest first, within a
 * limit of samples and of bytes. Thread-safe: inputs push, the output's thread takes and settles.
 *
 *     push ─▶ [ in memory ] ─▶ [ on disk ] ─▶ take ─▶ settle (sent or dropped) │ put back (retry)
 *             newest                 oldest
 *
 * What is on disk is always older than what is in memory. By the queue's mode, records go to disk
 *     memory       never;
 *     disk         once the receiver is away (a loan was put back), too slow (much waits), or the
 *                  agent stops; and from then on until all that is on disk is delivered;
 *     write ahead  before a push returns.
 * When the disk fails they stay in memory, the fault is logged once, and each push tries again.
 *
 * A push beyond a limit drops the oldest records and counts them. At every moment, in samples:
 * collected = sent + dropped + buffered (what is lent included). What is found on disk counts as
 * collected when it is found.
 */
#ifndef OV_QUEUE_H
#define OV_QUEUE_H

#include "omnivigil.h"
#include "queue_log.h"

struct ov_queue;

enum ov_queue_mode {
    OV_QUEUE_MEMORY, OV_QUEUE_DISK, OV_QUEUE_WRITE_AHEAD,
    OV_QUEUE_AUTO, /* of settings only: the output decides between the last two */
};

struct ov_queue_counts {
    uint64_t collected; /* samples pushed, those that did not fit the format included */
    uint64_t sent;
    uint64_t dropped_full, dropped_rejected, dropped_unfit;
    uint64_t dropped_expired; /* too old, see ov_queue_expire */
    uint64_t dropped_damaged; /* could not be read from disk again */
    uint64_t dropped_superseded; /* see ov_queue_supersede */
    uint64_t buffered, buffered_bytes;
    uint64_t buffered_disk, buffered_disk_bytes; /* of these, on disk */
};

/* The sum of dropped_*. */
uint64_t ov_queue_dropped(const struct ov_queue_counts *counts);

/* A queue in memory. */
struct ov_queue *ov_queue_new(size_t max_samples, size_t max_bytes);
/* In the modes that write to disk, what is still in memory is written first. */
void ov_queue_free(struct ov_queue *queue);
/* New limits hold from the next push. */
void ov_queue_limit(struct ov_queue *queue, size_t max_samples, size_t max_bytes);

struct ov_queue_disk {
    const char *dir;    /* the log's directory, NULL for none: memory only; copied */
    const char *plugin; /* whose records they are; copied */
    enum ov_queue_mode mode;
    enum ov_queue_sync sync;
    struct ov_host *host; /* for what goes wrong with the disk; NULL: it is not reported */
};
/* Sets how the disk is used, opens the log there unless it is open, and drops from the old end
 * until the limits hold. In the memory mode a log is opened if there is one, to be delivered.
 * OV_FAILED with a text in `why` only if another process has the directory; any other fault of it
 * is a warning, and the queue does without. Call it again for new settings: the directory stays
 * as it was if its log is open. */
int ov_queue_open(struct ov_queue *queue, const struct ov_queue_disk *disk, struct ov_buf *why)
    OV_MUST_CHECK;
/* Writes what is in memory to disk, unless the mode forbids; records on loan, too. */
void ov_queue_spool(struct ov_queue *queue);
/* The same, and closes the log. The queue goes on in memory, and a loan's end changes nothing. */
void ov_queue_shut(struct ov_queue *queue);

/* Copies a record in; returns how many samples were dropped from the old end to make room. A
 * record larger than the whole queue is dropped itself. */
size_t ov_queue_push(struct ov_queue *queue, struct ov_slice bytes, size_t samples);
/* Counts samples that no record could be made of. */
void ov_queue_unfit(struct ov_queue *queue, size_t samples);

/* What it is worth to wait for: a loan of `join`, or less once its oldest record is `flush_ms` old.
 * What was lent before is never waited for. */
struct ov_queue_worth {
    struct ov_queue_join join;
    int64_t flush_ms; /* 0: anything */
};
/* Waits until `deadline_ms` (ov_clock_ms), ov_queue_wake, or until there is what is worth taking.
 * Returns whether there is. */
bool ov_queue_wait(struct ov_queue *queue, struct ov_queue_worth worth, int64_t deadline_ms);
void ov_queue_wake(struct ov_queue *queue);

struct ov_queue_loan {
    struct ov_slice bytes;
    size_t samples, records;
};
/* Lends the oldest record, with those behind it as long as they stay within `join`, their bytes
 * one behind the other. They stay the same until settled or put back, and count as buffered;
 * limits apply without them. After they were put back the very same are lent again, unless some
 * of them had to be dropped. False when there is none. One loan at a time. */
bool ov_queue_take(struct ov_queue *queue, struct ov_queue_join join, struct ov_queue_loan *loan);
/* The loan is done with: `rejected` of its samples were refused, the rest delivered. */
void ov_queue_settle(struct ov_queue *queue, size_t rejected);
/* The loan is done with, unsent: what waits behind it stands for it. */
void ov_queue_supersede(struct ov_queue *queue);
/* The loan stays first in line, unless room had to be made meanwhile: returns how many samples of
 * it were dropped. */
size_t ov_queue_put_back(struct ov_queue *queue);
/* As ov_queue_put_back, and its records will be lent one by one. */
size_t ov_queue_split(struct ov_queue *queue);
/* Drops the records that were pushed more than `age_ms` ago (not while there is a loan); returns
 * how many samples that were. */
size_t ov_queue_expire(struct ov_queue *queue, int64_t age_ms);

struct ov_queue_counts ov_queue_counts(struct ov_queue *queue);

#endif
