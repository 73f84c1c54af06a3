/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent measures of itself: `omnivigil_agent`, `omnivigil_input`, `omnivigil_output`.
 * alerts.h has the rest of what comes with it. */
#ifndef OV_SELF_H
#define OV_SELF_H

#include "input.h"
#include "omnivigil.h"
#include "output.h"

#define OV_SELF_INPUT "omnivigil" /* the name of what gathers that */

struct ov_self {
    int64_t started_ms; /* ov_clock_ms */
    uint64_t reloads, reload_failures;
    bool config_valid;  /* the newest read of the configuration succeeded */
    size_t plugins_missing;
};

/* NULL-terminated, for the reference. */
extern const struct ov_measurement *const ov_self_measurements[];
extern const struct ov_rule ov_self_rules[];

void ov_self_gather(const struct ov_self *self, struct ov_input *const *inputs,
                    size_t input_count, struct ov_output *const *outputs, size_t output_count,
                    struct ov_batch *batch);

#endif
