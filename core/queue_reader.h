/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over the records of segments, one segment open at a time, through a window of its bytes.
 * Trusts nothing it reads. One thread at a time.
 */
#ifndef OV_QUEUE_READER_H
#define OV_QUEUE_READER_H

#include <sys/types.h>

#include "omnivigil.h"
#include "queue_dir.h"
#include "queue_record.h"

/* Starts as {.dir_fd = ..., .fd = -1}. */
struct ov_queue_reader {
    int dir_fd;
    int fd;           /* for marking too, where the file allows it; -1: none is open */
    const char *file; /* the name given to open, to know it again */
    uint32_t seed;
    off_t size;       /* what is behind is not looked at */
    struct ov_buf window;
    off_t window_at;
};

/* Turns to a segment; cheap if it is the one before. The name must stay where it is until the
 * reader is closed or turned to another. OV_FAILED with errno. */
int ov_queue_reader_open(struct ov_queue_reader *reader, const struct ov_queue_name *name,
                         off_t size) OV_MUST_CHECK;
void ov_queue_reader_close(struct ov_queue_reader *reader);
/* Forgets bytes that were read before, since the file was written over. */
void ov_queue_reader_reset(struct ov_queue_reader *reader);

/* Moves `*at` to the first whole record at or behind it; that nothing was skipped is for the
 * caller to compare. False at the end. */
bool ov_queue_reader_next(struct ov_queue_reader *reader, off_t *at, struct ov_queue_head *head);
/* The bytes of the record at `at`, valid until the next call; a NULL pointer if damaged. */
struct ov_slice ov_queue_reader_bytes(struct ov_queue_reader *reader, off_t at,
                                      const struct ov_queue_head *head);
/* Whether what is left from `at` on may be the beginning of a record, cut off. */
bool ov_queue_reader_torn(struct ov_queue_reader *reader, off_t at);

static inline off_t ov_queue_record_size(const struct ov_queue_head *head)
{
    return (off_t)head->len + OV_QUEUE_EXTRA_LEN;
}

#endif
