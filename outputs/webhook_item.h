/* SPDX-License-Identifier: Apache-2.0 */
/* One sample on its way into a message, with an alert's parts found by their names, so that any
 * input may emit `omnidaemon_alert`; and times as people and machines read them. */
#ifndef WEBHOOK_ITEM_H
#define WEBHOOK_ITEM_H

#include "omnivigil.h"

/* Everything points into the batch. Texts that are absent are empty. */
struct item {
    const struct ov_sample *sample;
    const struct ov_tag *tags; /* the batch's, tag_count of them */
    size_t tag_count;

    bool alert; /* of the measurement omnidaemon_alert; only then is the rest filled in */
    bool resolved, repeat;
    struct ov_slice rule, severity, id, threshold, summary, description;
    double value, started_at, ended_at, duration; /* NaN: absent */
    int64_t count;                                /* 0: absent */
};

struct item item_of(const struct ov_sample *sample, const struct ov_tag *tags, size_t tag_count);

/* One value of a sample by name, of `type`; NULL when there is none. */
const union ov_value *item_field(const struct ov_sample *sample, const char *name,
                                 enum ov_type type);
/* Appends a value as it is: text unchanged, numbers and truth values in words. */
void item_value(struct ov_buf *out, enum ov_type type, union ov_value value);

/* Appends 2025-11-25T01:52:03.250Z for seconds since 1970; false, and nothing, where that is no
 * time from the year 1970 to 2199. */
bool time_put(struct ov_buf *out, double seconds);
/* Appends 45s, 12m5s, 3h20m or 2d4h. */
void duration_put(struct ov_buf *out, double seconds);
/* The time of the item's sample, in seconds. */
double item_time(const struct item *item);

#endif
