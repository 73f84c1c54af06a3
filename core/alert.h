/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The measurement `omnidaemon_alert`: what happens to an incident, as a sample like any other, so
 * that every output can carry it.
 *
 *     firing ──▶ repeat ──▶ … ──▶ resolved        one alert_id
 *
 * Tags that an incident is not about are left empty. The tags of an alert_id never change, its
 * severity included, since receivers such as Alertmanager know an alert by its tags: what gets
 * worse is another incident.
 */
#ifndef OV_ALERT_H
#define OV_ALERT_H

#include "omnivigil.h"

enum ov_alert_tag {
    OV_ALERT_RULE,
    OV_ALERT_SEVERITY, /* warning, critical */
    OV_ALERT_TOPIC,
    OV_ALERT_GROUP,
    OV_ALERT_AGENT,
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
    OV_ALERT_DURATION,
    OV_ALERT_COUNT,
};

extern const struct ov_measurement ov_alert_measurement;

#endif
