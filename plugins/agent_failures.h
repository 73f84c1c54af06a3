/* SPDX-License-Identifier: Apache-2.0 */
/* The newest failures of one agent with their exceptions, from OmniDaemon's task events: also of
 * tasks that will be tried again, of which no dead letter tells. */
#ifndef AGENT_FAILURES_H
#define AGENT_FAILURES_H

#include "omni.h"

enum { AGENT_FAILURES_MAX = 5 };

struct agent_failure {
    double at;                              /* Unix time */
    struct ov_slice type, message, task_id; /* owned; cut where they are very long */
};

/* Start with {0} and a name. */
struct agent_failures {
    struct ov_slice topic, agent;
    struct agent_failure items[AGENT_FAILURES_MAX]; /* the newest first */
    size_t count;
    struct ov_buf why;                      /* why events could not be read; empty: they were */
    struct event_reader *reader;
};

/* Looks through so many of the newest events, at most. Fails as redis_run does; what is refused or
 * damaged is no failure but `why`. */
#define AGENT_FAILURES_EVENTS 20000
int agent_failures_read(struct agent_failures *failures, const struct omni_options *omni,
                        struct redis *redis) OV_MUST_CHECK;
void agent_failures_free(struct agent_failures *failures);

#endif
