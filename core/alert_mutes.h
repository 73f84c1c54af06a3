/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which rules are muted by their `unless`, and for what. A sample that meets it mutes the series
 * whose tags, with those of the input's configuration, do not contradict its own: a lost runner
 * mutes the agents of its own OmniDaemon, a crashed agent mutes itself.
 */
#ifndef OV_ALERT_MUTES_H
#define OV_ALERT_MUTES_H

#include "omnivigil.h"
#include "rule.h"

struct ov_mute;

/* Zeros at first. */
struct ov_mutes {
    struct ov_mute *items;
    size_t count;
};

/* Appends what a sample is compared by: its tags and its batch's. */
void ov_mute_tags(struct ov_buf *tags, const struct ov_batch *batch,
                  const struct ov_sample *sample);

/* Takes from a batch of `input` what mutes `rule`, in place of what that input said before. What
 * is not measured changes nothing. Returns whether it changed. */
bool ov_mutes_see(struct ov_mutes *mutes, const struct ov_compiled_rule *rule, const char *input,
                  const struct ov_batch *batch);
/* Whether the rule is muted for a sample of these tags. */
bool ov_mutes_hold(const struct ov_mutes *mutes, const struct ov_compiled_rule *rule,
                   struct ov_slice tags);

/* "M rule input tags" a line, bytes in hex. Reads such words; false where they are damaged. The
 * rule is the one of that name. */
void ov_mutes_save(const struct ov_mutes *mutes, struct ov_buf *out);
bool ov_mutes_load(struct ov_mutes *mutes, const struct ov_compiled_rule *rule,
                   struct ov_slice input, struct ov_slice tags);
void ov_mutes_free(struct ov_mutes *mutes); /* the content */

#endif
