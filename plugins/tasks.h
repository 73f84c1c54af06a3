/* SPDX-License-Identifier: Apache-2.0 */
/* What the agents' tasks came to: exact counters and a window of durations for each topic and
 * agent, and failures by type of error, from OmniDaemon's task events. */
#ifndef TASKS_H
#define TASKS_H

#include "event.h"
#include "pairs.h"
#include "sketch.h"

struct tasks_agent {
    struct pair name;                    /* topic, agent */
    uint64_t received, processed, failed;
    struct sketch *window;               /* NULL before the first task */
    uint32_t error_types;
};
struct tasks_failures {
    struct pair name;                    /* topic, tasks_failures_key of agent and error type */
    uint64_t failed;
};

struct tasks {
    int64_t window_ms;
    struct pairs agents, failures;
    int64_t newest_ms;                   /* time of the newest event; 0: none */
    struct ov_buf key;
};

/* Counts one event that happened at `at_ms` (Unix). */
void tasks_count(struct tasks *tasks, const struct event *event, int64_t at_ms);
const struct tasks_agent *tasks_find(const struct tasks *tasks, struct ov_slice topic,
                                     struct ov_slice agent);
/* Takes a failure's name apart. */
void tasks_failures_name(const struct tasks_failures *failures, struct ov_slice *agent,
                         struct ov_slice *error_type);
void tasks_save(const struct tasks *tasks, struct ov_buf *out);
/* Takes a line of saved state; false where it is not one of these, or damaged (*damaged). */
bool tasks_load_line(struct tasks *tasks, struct ov_slice line, bool *damaged);
void tasks_free(struct tasks *tasks);

#endif
