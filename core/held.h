/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an agent holds as firing, read from what it saved: for commands that look once, which cannot
 * judge every rule and do not know since when something fires.
 *
 *     I input digest      in the saved alerts: how that input was configured
 *
 * Alerts count only where the input of their name is configured as the agent's is: the default
 * state directory may be that of an agent that watches another OmniDaemon.
 */
#ifndef OV_HELD_H
#define OV_HELD_H

#include "settings.h"
#include "state.h"

#define OV_HELD_STATE ".alerts" /* no instance can have this name */
#define OV_HELD_KIND "alerts"

/* Adds the lines that say how the inputs are configured. */
void ov_held_write(const struct ov_settings *settings, struct ov_buf *out);
/* The samples of omnivigil_firing of alerts that fired when the state was saved, at `*saved` (Unix
 * seconds); the caller frees them. NULL where `state` (may be NULL) has none that is readable and
 * of an agent with one of these inputs. */
struct ov_batch *ov_held_read(const struct ov_settings *settings, struct ov_state *state,
                              double *saved);

#endif
