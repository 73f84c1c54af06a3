/* SPDX-License-Identifier: Apache-2.0 */
/* How fresh it is that tasks of a group were trimmed before their delivery. What was lost never
 * comes back, so their number is no problem for ever: only while more are lost, or were lately. */
#ifndef LOSS_H
#define LOSS_H

#include "omnivigil.h"

#define LOSS_NOW_SECONDS 600.0    /* as the rule `lost` has it */
#define LOSS_LATE_SECONDS 86400.0

enum loss {
    LOSS_NONE,
    LOSS_PAST, /* for more than a day nothing more was, or, where one look alone cannot tell when,
                * later tasks were delivered since */
    LOSS_LATE, /* within a day */
    LOSS_NOW,
};
/* Of a sample of omnidaemon_group. */
enum loss loss_of(const struct ov_sample *group);

#endif
