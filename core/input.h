/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A running input: one thread that gathers on its schedule, hands each batch on, and saves its
 * state. Started and stopped by the main thread.
 */
#ifndef OV_INPUT_H
#define OV_INPUT_H

#include "host.h"
#include "omnivigil.h"
#include "settings.h"
#include "state.h"

struct ov_input;

/* Takes a finished batch, which may be empty; called in the input's thread, which frees the batch
 * afterwards. */
typedef void ov_deliver_fn(void *context, const char *input, const struct ov_batch *batch);

struct ov_input_stats {
    uint64_t runs, errors, skipped, samples;
    bool failing;                  /* the last one did */
    double last_duration_seconds;  /* NaN before the first */
    int64_t last_success_ms;       /* ov_clock_ms, INT64_MIN before the first */
};

/* What all inputs of an agent share. Outlives them. */
struct ov_input_world {
    const struct ov_settings *settings;
    const char *plugin_dir;
    struct ov_state *state; /* NULL: nothing is saved */
    ov_deliver_fn *deliver; /* NULL: for a command that gathers once */
    ov_wants_fn *wants;     /* NULL: everything is wanted */
    void *context;          /* of both */
};

/* Opens the instance (borrowed, it must outlive the input). NULL with a text in `why` when its
 * open fails. */
struct ov_input *ov_input_new(const struct ov_input_world *world, struct ov_instance *instance,
                              struct ov_buf *why);
/* Loads the state from the state directory. Before start. */
void ov_input_restore(struct ov_input *input);
/* Goes on where `before` (joined, of the same plugin) ended: its state and its figures. */
void ov_input_succeed(struct ov_input *input, struct ov_input *before);
int ov_input_start(struct ov_input *input) OV_MUST_CHECK;
/* Asks the thread to end; returns at once. */
void ov_input_stop(struct ov_input *input);
/* Waits for the thread until `deadline_ms`. True: it ended, and ov_input_free may be called.
 * False: it hangs; the input must be left alone for ever, and never delivers again. */
bool ov_input_join(struct ov_input *input, int64_t deadline_ms);
void ov_input_free(struct ov_input *input);

const char *ov_input_name(const struct ov_input *input);
const char *ov_input_plugin(const struct ov_input *input);
struct ov_input_stats ov_input_stats(struct ov_input *input);

/* One gather in the calling thread, for commands: into `batch`, by `deadline_ms`. The reason of a
 * failure is in ov_input_why. */
int ov_input_gather_once(struct ov_input *input, struct ov_batch *batch,
                         int64_t deadline_ms) OV_MUST_CHECK;
const char *ov_input_why(const struct ov_input *input);
struct ov_host *ov_input_host(struct ov_input *input);

#endif
