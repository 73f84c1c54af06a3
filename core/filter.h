/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one output takes of the samples, and the tags it puts on them: measurements, fields and tags
 * by pattern (as ov_glob), and not more often than its own interval.
 *
 *     include: {measurements: [omnidaemon_*], tags: ['topic=orders*']}
 *     exclude: {fields: [omnidaemon_group.dlq_*, '*_seconds'], tags: [group]}
 *
 * A sample, field or tag is taken if an include pattern matches it, or there is none of its kind,
 * and no exclude pattern does. A pattern for fields that has a dot is one for MEASUREMENT.FIELD. A
 * pattern for tags without a `=` is one for names: what does not pass is left off the samples.
 * NAME=VALUE chooses samples by a tag's value; those whose measurement does not have that tag
 * are not concerned, and several values of one name are alternatives. The value of a tag the
 * sample lacks is empty. A sample of which no field is left is left out.
 *
 * The interval divides the wall clock, as the inputs' schedule does: of the batches of one input
 * that are stamped in the same part, the first is taken. Alerts are always taken.
 *
 * One thread at a time.
 */
#ifndef OV_FILTER_H
#define OV_FILTER_H

#include "omnivigil.h"

struct ov_filter;

struct ov_filter_patterns {
    struct ov_list measurements, fields, tags;
};

/* All borrowed; must outlive the filter. */
struct ov_filter_rules {
    struct ov_filter_patterns include, exclude;
    struct ov_map tags;  /* go before the batch's own of the same name, not before the samples' */
    int64_t interval_ms; /* 0: every batch */
};

/* The rows of `include` and `exclude` over a struct ov_filter_patterns. */
extern const struct ov_option ov_filter_options[];

struct ov_filter *ov_filter_new(const struct ov_filter_rules *rules);
void ov_filter_free(struct ov_filter *filter);

/* What is to be taken of `batch`: itself, NULL for nothing, or a copy, which is also put into
 * *copy and to be freed by the caller before `batch` is, whose texts it shares. */
const struct ov_batch *ov_filter_take(struct ov_filter *filter, const struct ov_batch *batch,
                                      struct ov_batch **copy);

#endif
