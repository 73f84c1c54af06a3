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
 * A series that is no longer there at all (a topic that was deleted) is not missing data: when its
 * input has read everything for `gone_for` and never met it, its incident is resolved, with the
 * reason `gone`. Whatever could not be read (ov_batch_unread) begins that time anew. Incidents of
 * rules and inputs that were taken out of the configuration are resolved as `removed`.
 *
 * A restart goes on: what fires, what was told and how counters grew is in the saved text, taken
 * before the samples are handed on and again after; an incident whose telling was interrupted is
 * told again by the same sample: same id, same time. Any thread; one lock.
 */
#ifndef OV_ALERTS_H
#define OV_ALERTS_H

#include "omnivigil.h"
#include "rule.h"
#include "silence.h"

struct ov_alerts;

/* All of it is borrowed and must outlive the alerts. */
struct ov_alerts_setup {
    struct ov_compiled_rule *const *rules;
    size_t rule_count;
    const struct ov_silence *silences;
    size_t silence_count;
    /* Whether the configuration has an input of this name; NULL: it has any. */
    bool (*has_input)(const void *context, struct ov_slice name);
    const void *context;
};

struct ov_alerts *ov_alerts_new(const struct ov_alerts_setup *setup);
void ov_alerts_free(struct ov_alerts *alerts);

/* Looks at every sample of `batch`, which is all that one gather of `input` found, and adds to
 * `out` a sample for each thing to tell. Times: `now_ms` on ov_clock_ms, `wall_ns` on ov_wall_ns.
 * Returns whether the state changed in a way that must survive a restart. */
bool ov_alerts_feed(struct ov_alerts *alerts, const char *input, const struct ov_batch *batch,
                    int64_t now_ms, int64_t wall_ns, struct ov_batch *out);
/* What a feed added to `out` has been handed on. */
void ov_alerts_told(struct ov_alerts *alerts, const struct ov_batch *out);

/* Times are saved by the wall clock and are on ov_clock_ms again when loaded. */
void ov_alerts_save(struct ov_alerts *alerts, int64_t now_ms, int64_t wall_ns,
                    struct ov_buf *out);
/* False where a line is damaged; the others are taken. */
bool ov_alerts_load(struct ov_alerts *alerts, struct ov_slice saved, int64_t now_ms,
                    int64_t wall_ns);

size_t ov_alerts_firing(struct ov_alerts *alerts);
/* Adds how things are to `out`: a sample for each rule, and one for each alert that fires. */
void ov_alerts_list(struct ov_alerts *alerts, int64_t wall_ns, struct ov_batch *out);

#endif
