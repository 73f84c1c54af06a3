/* SPDX-License-Identifier: Apache-2.0 */
#include "loss.h"

#include "figures.h"

enum loss loss_of(const struct ov_sample *group)
{
    double seconds = figure_double(group, "lost_seconds");
    if (figure_int(group, "lost", 0) <= 0)
        return LOSS_NONE;
    return seconds <= LOSS_NOW_SECONDS ? LOSS_NOW
           : seconds <= LOSS_LATE_SECONDS ? LOSS_LATE : LOSS_PAST;
}
