/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measurement `omnidaemon_alert`: what happens to an incident, as a sample like any other, so
 * that every output can carry it.
 *
 *     firing ──▶ repeat ──▶ … ──▶ resolved        one alert_id
 *
 * An incident whose severity changes is `firing` once more, under the same alert_id. Tags that it
 * is not about are left empty; all but the severity stay the same, and no two incidents have all of
 * them in common.
 */
#ifndef OV_ALERT_H
#define OV_ALERT_H

#include "omnivigil.h"

enum ov_alert_tag { /* by name, as formats want them */
    OV_ALERT_AGENT,
    OV_ALERT_GROUP,
    OV_ALERT_INPUT, /* that measured it */
    OV_ALERT_RULE,
    OV_ALERT_SEVERITY, /* warning, critical */
    OV_ALERT_SUBJECT,  /* the series' other tags: "output=influx,plugin=influx" */
    OV_ALERT_TOPIC,
};

enum ov_alert_field {
    OV_ALERT_STATE, /* firing, resolved; repeat: fires still */
    OV_ALERT_ID,
    OV_ALERT_VALUE,
    OV_ALERT_THRESHOLD,
    OV_ALERT_SUMMARY,
    OV_ALERT_DESCRIPTION,
    OV_ALERT_STARTED_AT,
    OV_ALERT_ENDED_AT, /* resolved only */
    OV_ALERT_REASON,   /* resolved only: why, where it is not over: gone, removed */
    OV_ALERT_DURATION,
    OV_ALERT_COUNT,
};

extern const struct ov_measurement ov_alert_measurement;

/* How things are, in place of what happens: `omnivigil_firing`, one for each alert that was told
 * and has not ended, with the tags of omnidaemon_alert; and `omnivigil_rule`, for each rule. They
 * come together, all in one batch. */
enum ov_firing_field {
    OV_FIRING_ID,
    OV_FIRING_VALUE,
    OV_FIRING_THRESHOLD,
    OV_FIRING_SUMMARY,
    OV_FIRING_DESCRIPTION,
    OV_FIRING_STARTED_AT,
    OV_FIRING_DURATION,
};
extern const struct ov_measurement ov_firing_measurement;

enum ov_rule_state_field {
    OV_RULE_STATE_FIRING,
    OV_RULE_STATE_CRITICAL,
};
extern const struct ov_measurement ov_rule_state_measurement;

#endif
