/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of the alerts.
 *
 *     alert_series.c   the series that are remembered
 *     alert_mutes.c    what is muted by `unless`
 *     alert_tell.c     what outputs are told
 *     alerts.c         the states, and what each sample does to them
 *     alerts_saved.c   over a restart
 *     alerts_list.c    how things are
 */
#ifndef OV_ALERTS_INSIDE_H
#define OV_ALERTS_INSIDE_H

#include <pthread.h>

#include "alert_mutes.h"
#include "alert_series.h"
#include "alerts.h"
#include "seen.h"

struct ov_watched { /* the rules about one measurement */
    const struct ov_measurement *measurement;
    size_t *rules;
    size_t count;
};

struct ov_alerts {
    struct ov_alerts_setup setup;
    struct ov_watched *watched;
    size_t watched_count;

    pthread_mutex_t lock; /* covers all below */
    struct ov_mutes mutes;
    struct ov_series_set series;
    struct ov_seen zeros; /* counters that were 0 at every look: not worth a series */
    size_t firing_count;
    uint64_t feeds;
    size_t *active;       /* by rule: how many series are remembered */
    struct ov_buf key, tags; /* scratch */
};

/* Names the incident that begins. */
void ov_alert_name(struct ov_series *series, int64_t wall_ns);
/* Sets the tags of a sample of omnidaemon_alert, or of omnivigil_firing. */
void ov_alert_tags(const struct ov_series *series, enum ov_severity severity, struct ov_batch *out,
                   struct ov_sample *sample);
/* Adds the sample that tells of a series; why it ended, where that is not because it is over; NULL
 * else. What was on its way when the agent ended becomes the same sample again. */
void ov_alert_tell(struct ov_series *series, enum ov_telling what, const char *reason,
                   enum ov_severity severity, int64_t wall_ns, struct ov_batch *out);

#endif
