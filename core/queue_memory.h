/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a queue that lies in memory: a list of records, each one allocation of a small
 * header and its bytes. Starts as zeros; the caller locks. */
#ifndef OV_QUEUE_MEMORY_H
#define OV_QUEUE_MEMORY_H

#include "omnivigil.h"
#include "queue_log.h"

struct ov_queue_item {
    struct ov_queue_item *next;
    size_t len, samples;
    int64_t time_ms; /* wall clock */
    char bytes[];
};

struct ov_queue_memory {
    struct ov_queue_item *first, *last; /* the oldest, the newest */
    size_t records, samples, bytes;
};

/* Copies a record to the new end. */
void ov_queue_memory_append(struct ov_queue_memory *memory, struct ov_slice bytes, size_t samples,
                            int64_t time_ms);
/* Frees the oldest record, which must exist. */
void ov_queue_memory_pop(struct ov_queue_memory *memory);
/* As ov_queue_log_read. */
size_t ov_queue_memory_read(const struct ov_queue_memory *memory, struct ov_queue_join join,
                            struct ov_buf *out, size_t *samples);

#endif
