/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of the runner share. Functions that return int return an enum ov_exit. */
#ifndef RUNNER_CALL_H
#define RUNNER_CALL_H

#include "runner.h"

extern const struct ov_command runner_command_health, runner_command_agents,
    runner_command_agent, runner_command_metrics, runner_command_top;

/* Gathers what is known of agents; unable, said, where storage could not be read. */
int runner_call_gather(struct ov_call *call, const struct ov_batch **batch) OV_MUST_CHECK;

/* Shows what fires: for all, or where `topic` is not NULL, for that agent on that topic (and for
 * the topic as a whole). Returns how many. */
size_t runner_call_findings(struct ov_call *call, const struct ov_slice *topic,
                            const struct ov_slice *agent);

/* What fires, to mark what is shown by. */
struct runner_marks {
    struct ov_call *call;
    const struct ov_finding *findings; /* until the next ov_call_findings */
    size_t count;
};
struct runner_marks runner_marks(struct ov_call *call);
/* Marks cells of the last row by what fires for `sample` (NULL: nothing does); true where something
 * does. */
bool runner_mark(const struct runner_marks *marks, const struct ov_view *view,
                 const struct ov_sample *sample);

#endif
