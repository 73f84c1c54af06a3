/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running output: encodes batches into its queue in the inputs' threads, and sends what the
 * queue holds in a thread of its own, so that a slow or dead receiver delays nobody.
 */
#ifndef OV_OUTPUT_H
#define OV_OUTPUT_H

#include "omnivigil.h"
#include "queue.h"
#include "settings.h"

struct ov_output;

struct ov_output_stats {
    struct ov_queue_counts queue;
    uint64_t requests, retries; /* sends begun; those that have to be done again */
    bool failing;               /* the last send did not succeed */
    int64_t last_success_ms;    /* ov_clock_ms, INT64_MIN before the first */
};

/* Opens the instance (borrowed, must outlive the output). NULL with a text in `why` when its open
 * fails. */
struct ov_output *ov_output_new(struct ov_instance *instance, const char *plugin_dir,
                                struct ov_buf *why);
/* Goes on where `before` (joined) ended: with its queue and its figures. Before start. */
void ov_output_succeed(struct ov_output *output, struct ov_output *before);
/* Opens what waits on disk, below directory `base` (NULL: nothing waits on disk), and applies the
 * settings of the queue; after ov_output_succeed, before start. OV_FAILED with a text in `why`
 * only when another omnivigil holds the queue's directory: then it would wait in memory. */
int ov_output_open_queue(struct ov_output *output, const char *base, struct ov_buf *why)
    OV_MUST_CHECK;
int ov_output_start(struct ov_output *output) OV_MUST_CHECK;
/* Encodes a batch into the queue. From any thread. */
void ov_output_push(struct ov_output *output, const struct ov_batch *batch);

/* Asks the thread to end: after the queue is empty, a send has to be retried, or `deadline_ms`
 * has passed, whichever is first. Returns at once. */
void ov_output_finish(struct ov_output *output, int64_t deadline_ms);
/* Waits for the thread until `deadline_ms`, interrupting a send at that moment and then waiting
 * no more than a second. False: it hangs and must be left alone for ever. */
bool ov_output_join(struct ov_output *output, int64_t deadline_ms);
/* Writes what waits in memory to disk, if this output's queue does so; in any state of its
 * thread. */
void ov_output_spool(struct ov_output *output);
/* The same, and leaves the directory to a successor. After join, whatever it returned. */
void ov_output_shut_queue(struct ov_output *output);
void ov_output_free(struct ov_output *output);

const char *ov_output_name(const struct ov_output *output);
const char *ov_output_plugin(const struct ov_output *output);
struct ov_output_stats ov_output_stats(struct ov_output *output);

#endif
