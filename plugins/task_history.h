/* SPDX-License-Identifier: Apache-2.0 */
/* Task events from some time on, counted as the input counts them: in small steps from Redis, or
 * from metrics.json. */
#ifndef TASK_HISTORY_H
#define TASK_HISTORY_H

#include "omni.h"
#include "tasks.h"

struct task_history {
    struct tasks tasks;      /* of agents and failures; their windows hold all events */
    struct sketch total;     /* of all agents that were wanted */
    uint64_t received;       /* likewise */
    uint64_t events;         /* looked at */
    int64_t first_ms;        /* when the oldest event there is came; 0: there is none */
    bool trimmed;            /* there were older ones */
    bool may_be_trimmed;     /* there may have been: Redis before 7.0 does not tell */
    struct ov_buf why;       /* why events could not be read; empty: they were */

    /* set by the owner */
    bool (*wants)(void *context, struct ov_slice topic, struct ov_slice agent);
    void (*progress)(void *context, uint64_t done, uint64_t total); /* now and then; or NULL */
    void *context;

    uint64_t length, since_ms;
    struct event_reader *reader;
};

/* Counts what came since `since_ms` (Unix; 0: all there is). Fails as redis_run does; what is
 * refused or damaged is no failure but `why`. */
int task_history_read(struct task_history *history, const struct omni_options *omni,
                      struct redis *redis, uint64_t since_ms) OV_MUST_CHECK;
struct sketch_summary task_history_summary(const struct sketch *window);
void task_history_free(struct task_history *history);

#endif
