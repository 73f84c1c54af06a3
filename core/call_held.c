/* SPDX-License-Identifier: Apache-2.0 */
/* What commands can tell of alerts without having looked: what an agent holds, and which rules it
 * takes an agent to judge. */
#include "batch.h"
#include "call_inside.h"
#include "held.h"

const struct ov_batch *ov_call_held(struct ov_call *call, double *saved, struct ov_buf *unjudged)
{
    const struct ov_settings *settings = call->settings;
    for (size_t i = 0; i < settings->rule_count; i++)
        if (ov_rule_window_ms(settings->rules[i]) > 0)
            ov_buf_printf(unjudged, "%s%s", unjudged->len ? ", " : "",
                          ov_rule_name(settings->rules[i]));
    if (!call->held)
        call->held = ov_held_read(settings, call->world.state, &call->held_saved);
    *saved = call->held_saved;
    return call->held;
}
