/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Percentiles of durations over a sliding window, in little memory: counts in buckets whose
 * bounds grow by a constant factor, so any quantile is right to 1 % of its value, from 1 us to a
 * week. A window is a ring of slices of time; a slice that has aged out is emptied as a whole.
 */
#ifndef SKETCH_H
#define SKETCH_H

#include "omnivigil.h"

/* One window's ring of SKETCH_SLICES slices; zeros are an empty one. The window ends with the
 * slice that is being filled, so it covers between 9 and 10 tenths of its nominal length. */
#define SKETCH_SLICES 10
#define SKETCH_MAX_SECONDS 604800.0 /* what is longer counts as this long */

struct sketch_slice {
    int64_t epoch;       /* time / slice length; tells which turn of the ring it belongs to */
    uint64_t processed, failed;
    double sum, max;     /* seconds, of processed tasks with a known time */
    uint64_t timed;      /* how many those are */
    struct sketch_bucket { uint16_t index; uint32_t count; } *buckets; /* sorted by index */
    uint16_t bucket_count, bucket_cap;
};
struct sketch {
    struct sketch_slice slices[SKETCH_SLICES];
};

struct sketch_summary {
    uint64_t processed, failed, timed;
    double average, p50, p95, p99, max; /* seconds; NaN when timed is 0 */
};

/* `window_ms` is the same in every call on one sketch; times are Unix milliseconds, of one clock
 * (the ids of a stream's entries are such a clock). `seconds` that is NaN or infinite counts as
 * processed in an unknown time, below 0 as 0. What is older than the window that ends at the
 * newest time seen does not count, unless it is older by more than another window: then the clock
 * was set back, and what lies in that far future gives way. */
void sketch_processed(struct sketch *s, int64_t window_ms, int64_t at_ms, double seconds);
void sketch_failed(struct sketch *s, int64_t window_ms, int64_t at_ms);
/* What happened in the window that ends at `now_ms`. A percentile is that of the task at rank
 * ceil(p * timed), never above `max`, which is exact. */
struct sketch_summary sketch_summarise(const struct sketch *s, int64_t window_ms, int64_t now_ms);
void sketch_free(struct sketch *s); /* the content, not the struct */

/* Text of one line without spaces, and back: the very same content, or false and an empty sketch
 * if the text is not one that sketch_write makes. sketch_read frees what `s` held.
 *     -                                                      the empty sketch
 *     epoch,processed,failed,timed,sum,max[,index:count]...  a slice; the next after a `;`
 * An index below 0 is of a time below 0.1 ms. sum and max are the 16 hexadecimal digits of the
 * double's bits. */
void sketch_write(const struct sketch *s, struct ov_buf *out);
bool sketch_read(struct sketch *s, struct ov_slice text);

#endif
