/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of a run of a command.
 *
 *     call.c         arguments, findings, persons, running
 *     call_gather.c  inputs, and what they gather
 *     call_held.c    what an agent holds as firing
 *     call_other.c   another command within it
 */
#ifndef OV_CALL_INSIDE_H
#define OV_CALL_INSIDE_H

#include "call.h"
#include "checking.h"
#include "input.h"

/* An input of the configuration, opened when it is asked for. */
struct ov_called {
    struct ov_input *input;
    struct ov_batch *batch; /* NULL: not gathered */
    char *why;              /* of a failure to open or to gather */
};

struct ov_call {
    const struct ov_command *command;
    const struct ov_arguments *arguments;
    unsigned common; /* position of the first of ov_call_flags */

    struct ov_settings *settings;
    struct ov_input_world world;
    struct ov_instance *own;
    struct ov_called *called;  /* by input */
    struct ov_batch *nothing;  /* what an input that is not there gathers */
    struct ov_buf missing;     /* why it is not there */
    struct ov_buf again;
    struct ov_finding *findings; /* NULL: not looked for since the last gather */
    size_t finding_count, silenced_count; /* those come after the others */
    struct ov_checking checking; /* what the findings live in */
    struct ov_batch *held;       /* NULL: not read, or there is nothing */
    double held_saved;
    struct ov_shown *shown;
    enum ov_show_format format;
    bool progressing;
    int64_t progress_ms; /* since when it goes on; 0: nothing does */
    bool origin_told;
    struct ov_buf *said; /* what is said goes there; NULL: to standard error */
};

/* The instance of `plugin` beside the command's own; NULL with the reason in call->missing. */
struct ov_instance *ov_call_beside(struct ov_call *call, const char *plugin);
/* Opens an input for the work of a command; false with the reason in its `why`. */
bool ov_call_open(struct ov_call *call, struct ov_instance *instance) OV_MUST_CHECK;
/* An ov_wants_fn of a struct ov_call: whether its command shows that. */
bool ov_call_shows(const void *call, const struct ov_measurement *m, unsigned field);
/* Makes the call forget what fires: --topic or --agent are about to change. */
void ov_call_forget_findings(struct ov_call *call);

#endif
