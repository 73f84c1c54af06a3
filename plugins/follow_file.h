/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Follows OmniDaemon's metrics.json: a list of the newest 10 000 events, replaced as a whole after
 * every 100. An event has no id, so the place in the list is found again by the `saved_at` of the
 * last event counted, and how many of that very moment were. What is older than the list's first
 * event when the place is not found was missed, in a number nobody knows.
 */
#ifndef FOLLOW_FILE_H
#define FOLLOW_FILE_H

#include "event.h"

struct follow_file {
    double last_saved_at;  /* of the last event counted; 0 before the first */
    int64_t same_moment;   /* how many events of that moment were counted */
    uint64_t entries, gaps;
    int64_t length;        /* of the list at the last look; -1: no file */
    /* the file when it was last read, not saved: it is read only when it changed */
    int64_t mtime_ns, size, inode;
};

typedef void follow_file_fn(void *context, const struct event *event, int64_t at_ms);

/* Counts what is new in `dir`/metrics.json. No file is OV_OK. A file that does not parse is
 * OV_FAILED with a text in `why`. */
int follow_file_run(struct follow_file *f, const char *dir, follow_file_fn *fn, void *context,
                    struct ov_buf *why) OV_MUST_CHECK;
void follow_file_write(const struct follow_file *f, struct ov_buf *out);
bool follow_file_read(struct follow_file *f, struct ov_slice line);

#endif
