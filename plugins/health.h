/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OmniDaemon's overall status by its guide's table, and whether a runner is at work, from signs
 * rather than from what a crash leaves behind. Pure functions.
 *
 *                     bus and storage healthy   one of them not   both not
 *     runner active   RUNNING                   DEGRADED          DOWN
 *     no runner       READY                     DEGRADED          DOWN
 */
#ifndef HEALTH_H
#define HEALTH_H

#include "omnivigil.h"

enum health { HEALTH_RUNNING, HEALTH_READY, HEALTH_DEGRADED, HEALTH_DOWN };
const char *health_word(enum health health);

enum runner_state {
    RUNNER_UNKNOWN, /* what would tell cannot be read */
    RUNNER_NONE,    /* no agent was ever registered */
    RUNNER_STOPPED, /* agents are registered, the runner ended in an orderly way */
    RUNNER_LOST,    /* it should run, and gives no sign of life */
    RUNNER_ACTIVE,
};
const char *runner_word(enum runner_state state); /* NULL for RUNNER_UNKNOWN */

enum sign { SIGN_UNKNOWN, SIGN_NO, SIGN_YES };

struct runner_signs {
    bool readable;      /* the bus and storage were read */
    bool started;       /* storage holds a start time */
    int64_t agents;     /* registered */
    enum sign polling;  /* consumers wait in a blocking read */
    enum sign busy;     /* entries were delivered lately and may be being worked on; says nothing
                           once the runner stopped in an orderly way */
    enum sign recent;   /* task events or heartbeats came lately */
};
/* Recent events only tell where polling and busy cannot be known; where even they say nothing, a
 * runner that was started is not called lost. */
enum runner_state runner_judge(const struct runner_signs *signs);
enum health health_judge(bool bus_up, bool storage_up, enum runner_state runner);

#endif
