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

#endif
