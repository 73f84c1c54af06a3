/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the entries of a stream in steps whose replies stay small, whatever the entries are. */
#ifndef STREAM_PAGES_H
#define STREAM_PAGES_H

#include "redis.h"

struct stream_entry {
    struct redis_id id;
    struct ov_slice data;              /* of the field `data`; ptr NULL: it has none */
    const struct redis_reply *fields;  /* name, value, name, value ... */
};

/* Called with each entry, inside a reply function: it may send commands, whose replies are there
 * before the next step. False ends the reading after the entries of this step, which still come. */
typedef bool stream_entry_fn(void *context, const struct stream_entry *entry);

struct stream_pages {
    struct redis *redis;
    struct ov_slice key;
    struct redis_id first, last; /* both inclusive */
    bool newest_first;
    stream_entry_fn *fn;
    void *context;
    uint64_t entries_max;        /* no more than so many; 0: all */
    /* called between two steps, outside reply functions; false ends the reading; or NULL */
    bool (*between)(void *context);

    uint64_t entries;            /* results: how many were handed over */
    enum redis_fault fault;      /* of an error reply */
    struct ov_buf why;           /* that reply; to be freed */

    size_t asked, step, bytes;
    bool more, stopped;
};
/* The range of all ids. */
#define STREAM_FIRST ((struct redis_id){0, 0})
#define STREAM_LAST ((struct redis_id){UINT64_MAX, UINT64_MAX})

/* OV_OK (a stream that is not there is empty), or OV_FAILED: with `fault` and `why` for an error
 * reply, else as redis_run. */
int stream_pages_read(struct stream_pages *pages) OV_MUST_CHECK;

#endif
