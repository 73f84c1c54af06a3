/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns rules and batches into alerts. Each series of a rule (its sample's tags, and the input it
 * came from) has a state of its own:
 *
 *     quiet ──alarm──▶ pending ──held for `for`──▶ firing ──over for `clear_for`──▶ quiet
 *                         │                          ▲ │
 *                         └──over──▶ quiet           └─┘ repeat, change of severity
 *
 * Told is what outputs get: one `firing` and one `resolved` for an incident, `repeat` in between
 * where the rule asks for it, and `firing` again with the same id when the severity changes. What
 * is not measured changes nothing: missing data resolves nothing. A series that is muted (by the
 * rule's `unless`, or by a silence) is not told of while it is, and after that not before it has
 * held for `for`; what was told is always resolved.
 *
 * A restart goes on: what fires and what was told is in the saved text, taken before the samples
 * are handed on and again after; an incident whose telling was interrupted is told again under
 * the same id. Any thread; one lock.
 */
#ifndef OV_ALERTS_H
#define OV_ALERTS_H

#include "omnivigil.h"
#include "rule.h"
#include "silence.h"

struct ov_alerts;

/* Rules and silences are borrowed and must outlive it. */
struct ov_alerts *ov_alerts_new(struct ov_compiled_rule *const *rules, size_t rule_count,
                                const struct ov_silence *silences, size_t silence_count);
void ov_alerts_free(struct ov_alerts *alerts);

/* Looks at every sample of `batch`, which came from `input`, and adds to `out` a sample for each
 * thing to tell. Times: `now_ms` on ov_clock_ms, `wall_ns` on ov_wall_ns. Returns whether the
 * state changed in a way that must survive a restart. */
bool ov_alerts_feed(struct ov_alerts *alerts, const char *input, const struct ov_batch *batch,
                    int64_t now_ms, int64_t wall_ns, struct ov_batch *out);
/* What the last feed added to its `out` has been handed on. */
void ov_alerts_told(struct ov_alerts *alerts);

void ov_alerts_save(struct ov_alerts *alerts, struct ov_buf *out);
/* Of rules that are no longer there, incidents are forgotten. False where a line is damaged;
 * the others are taken. */
bool ov_alerts_load(struct ov_alerts *alerts, struct ov_slice saved);

size_t ov_alerts_firing(struct ov_alerts *alerts);

#endif
