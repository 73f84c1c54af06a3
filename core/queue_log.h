/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of a queue that lies on disk: records in a few files, the segments, appended at one
 * end and removed at the other (queue_record.h draws a record, queue_dir.h the files' names).
 *
 *     segment 12               segment 13            segment 14
 *     [done … done][wait … ]   [wait … wait]         [wait … wait]▒ ◀─ append
 *                   ▲ first
 *
 * An append is one write, and a record that could not be written whole is cut off again. What is
 * removed is marked `done` in place by ov_queue_log_commit, one word for any number of records, so
 * that a full disk cannot keep what was delivered from being remembered; a segment with nothing
 * left is deleted, and the last one is emptied. A process that is killed between two system calls
 * leaves a log that reads as if it had never begun the second.
 *
 * Opening walks the heads of all records; their bytes are checked when they are read. Behind a
 * damaged head the walk resumes at the next that is whole, so damage costs what it hit. A damaged
 * segment is not deleted but kept, one of them, as `damaged.log`.
 *
 * At most three descriptors: the directory, the segment being read, the one written to. One thread
 * at a time.
 */
#ifndef OV_QUEUE_LOG_H
#define OV_QUEUE_LOG_H

#include "omnivigil.h"
#include "queue_record.h"

enum ov_queue_sync {
    OV_QUEUE_SYNC_NEVER,    /* the kernel writes when it likes: safe from kill -9 */
    OV_QUEUE_SYNC_INTERVAL, /* at an append, if the last sync is a second ago or more */
    OV_QUEUE_SYNC_ALWAYS,   /* before an append or a commit returns: safe from power loss */
};

struct ov_queue_log;

/* Opens the log of `plugin` in directory `path`, which is made if `create`. On success `why` may
 * hold a warning (damage, records of another plugin). NULL with a text in `why` if it cannot be
 * used, without one if there is none and none was to be made. *taken as in ov_queue_dir_open. */
struct ov_queue_log *ov_queue_log_open(const char *path, const char *plugin, bool create,
                                       bool *taken, struct ov_buf *why);
/* Syncs unless that is never to be done. */
void ov_queue_log_close(struct ov_queue_log *log);
/* A segment is closed once it has `segment_bytes`; any record fits into an empty one. */
void ov_queue_log_setup(struct ov_queue_log *log, size_t segment_bytes, enum ov_queue_sync sync);

struct ov_queue_log_totals {
    size_t records, samples;
    size_t bytes; /* on disk, heads included */
};
/* What waits. */
struct ov_queue_log_totals ov_queue_log_totals(const struct ov_queue_log *log);
/* How many samples that used to wait turned out to be damaged since the last call. */
size_t ov_queue_log_lost(struct ov_queue_log *log);

/* OV_FAILED with a text in `why`: the log is as it was. */
int ov_queue_log_append(struct ov_queue_log *log, struct ov_slice bytes, size_t samples,
                        int64_t time_ms, struct ov_buf *why) OV_MUST_CHECK;
/* The oldest record's head; false when there is none. */
bool ov_queue_log_first(struct ov_queue_log *log, struct ov_queue_head *head);

/* The most that may be read at once; one record is read whatever its size. */
struct ov_queue_join {
    size_t records, samples, bytes;
};
/* Reads the oldest records, their bytes one behind the other, into `out`. Removes none but those
 * it finds damaged. Returns how many it read, with their samples in `*samples`. */
size_t ov_queue_log_read(struct ov_queue_log *log, struct ov_queue_join join, struct ov_buf *out,
                         size_t *samples);
/* Removes the oldest record, if there is one; the next commit makes that last. */
void ov_queue_log_pop(struct ov_queue_log *log);
/* OV_FAILED with a text in `why`: what was removed will be found again at the next start. */
int ov_queue_log_commit(struct ov_queue_log *log, struct ov_buf *why) OV_MUST_CHECK;

#endif
