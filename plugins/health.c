/* SPDX-License-Identifier: Apache-2.0 */
#include "health.h"

const char *health_word(enum health health)
{
    static const char *const words[] = {
        [HEALTH_RUNNING] = "RUNNING", [HEALTH_READY] = "READY", [HEALTH_DEGRADED] = "DEGRADED",
        [HEALTH_DOWN] = "DOWN",
    };
    return words[health];
}

const char *runner_word(enum runner_state state)
{
    static const char *const words[] = {
        [RUNNER_UNKNOWN] = NULL, [RUNNER_NONE] = "none", [RUNNER_STOPPED] = "stopped",
        [RUNNER_LOST] = "lost", [RUNNER_ACTIVE] = "active",
    };
    return words[state];
}

enum runner_state runner_judge(const struct runner_signs *s)
{
    if (!s->readable)
        return RUNNER_UNKNOWN;
    if (s->polling == SIGN_YES || (s->started && s->busy == SIGN_YES))
        return RUNNER_ACTIVE;
    if ((s->polling == SIGN_UNKNOWN || s->busy == SIGN_UNKNOWN) && s->recent == SIGN_YES)
        return RUNNER_ACTIVE;
    if (s->agents == 0)
        return RUNNER_NONE;
    if (s->started && (s->polling == SIGN_UNKNOWN || s->busy == SIGN_UNKNOWN))
        return RUNNER_UNKNOWN;
    return s->started ? RUNNER_LOST : RUNNER_STOPPED;
}

enum health health_judge(bool bus_up, bool storage_up, enum runner_state runner)
{
    if (!bus_up && !storage_up)
        return HEALTH_DOWN;
    if (!bus_up || !storage_up)
        return HEALTH_DEGRADED;
    return runner == RUNNER_ACTIVE ? HEALTH_RUNNING : HEALTH_READY;
}
