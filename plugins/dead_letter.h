/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One entry of a dead letter queue: what OmniDaemon says of the failure, and the event itself.
 *
 *     {"topic": ..., "original_stream": "omni-stream:orders", "original_id": "1700000000000-0",
 *      "failed_message": {"content": ..., "task_id": ..., "delivery_attempts": 3, ...},
 *      "error": "Max retries (4) exceeded", "retry_count": 3, "failed_at": 1700000300.5}
 */
#ifndef DEAD_LETTER_H
#define DEAD_LETTER_H

#include "redis.h"

/* Start with {0}, read any number of entries one after another, end with dead_letter_free. What it
 * holds is valid until the next read and as long as the entry's bytes. */
struct dead_letter {
    const char *flaw;          /* why its event cannot be published again; NULL: it can */
    struct ov_slice message;   /* the event as it stands in the entry, valid JSON; empty: none */
    struct ov_slice task_id;   /* empty: none */
    struct ov_slice stream;    /* the key of the topic it was published on; empty: not said */
    struct ov_slice original_id;
    struct ov_slice error;     /* what OmniDaemon says, which is never the exception */
    int64_t retries;           /* deliveries after the first; -1: not said */
    double failed_at;          /* Unix time; NaN: not said */
    struct ov_buf text;        /* decoded texts */
};

/* Takes the bytes of field `data` apart. Whatever they are, the letter can be shown. */
void dead_letter_read(struct dead_letter *letter, struct ov_slice data);
/* Appends the event as OmniDaemon published it, to be published again; only where there is no
 * flaw. Every byte stays as it is, but delivery_attempts is what it was before the failed
 * deliveries, and the marks of a delivery (processing_consumer, agent) are gone. */
void dead_letter_event(const struct dead_letter *letter, struct ov_buf *out);
void dead_letter_free(struct dead_letter *letter);

#endif
