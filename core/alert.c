/* SPDX-License-Identifier: Apache-2.0 */
/* Nothing but the declarations: whoever emits, reads or describes alerts takes it from here. */
#include "alert.h"

static const char *const tags[] = {
    [OV_ALERT_AGENT] = "agent",       [OV_ALERT_GROUP] = "group",
    [OV_ALERT_INPUT] = "input",       [OV_ALERT_RULE] = "rule",
    [OV_ALERT_SEVERITY] = "severity", [OV_ALERT_SUBJECT] = "subject",
    [OV_ALERT_TOPIC] = "topic",
};

static const struct ov_field fields[] = {
    [OV_ALERT_STATE] = {"state", OV_TEXT, OV_GAUGE, "",
                        "firing, repeat (it fires still) or resolved."},
    [OV_ALERT_ID] = {"alert_id", OV_TEXT, OV_GAUGE, "",
                     "The incident's name, the same from firing to resolved."},
    [OV_ALERT_VALUE] = {"value", OV_FLOAT, OV_GAUGE, "", "What was measured, in its own unit."},
    [OV_ALERT_THRESHOLD] = {"threshold", OV_TEXT, OV_GAUGE, "", "The range it should be in."},
    [OV_ALERT_SUMMARY] = {"summary", OV_TEXT, OV_GAUGE, "",
                          "One line for a person; of a resolved one, how long it lasted and what "
                          "was said at its worst."},
    [OV_ALERT_DESCRIPTION] = {"description", OV_TEXT, OV_GAUGE, "", "More, such as what to do."},
    [OV_ALERT_STARTED_AT] = {"started_at", OV_FLOAT, OV_GAUGE, "seconds",
                             "When it began, since 1970."},
    [OV_ALERT_ENDED_AT] = {"ended_at", OV_FLOAT, OV_GAUGE, "seconds",
                           "When it ended, since 1970."},
    [OV_ALERT_REASON] = {"reason", OV_TEXT, OV_GAUGE, "",
                         "Why it is resolved, where it is not over: gone (it is no longer "
                         "there) or removed (its rule or input was, from the configuration)."},
    [OV_ALERT_DURATION] = {"duration_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                           "How long it has lasted."},
    [OV_ALERT_COUNT] = {"count", OV_INT, OV_GAUGE, "", "How many series it stands for."},
};

const struct ov_measurement ov_alert_measurement = {
    .name = "omnidaemon_alert",
    .help = "What happened to an incident that a rule found.",
    .tags = tags,
    .fields = fields,
    .tag_count = OV_COUNT(tags),
    .field_count = OV_COUNT(fields),
};

static const struct ov_field firing_fields[] = {
    [OV_FIRING_ID] = {"alert_id", OV_TEXT, OV_GAUGE, "", "As of omnidaemon_alert."},
    [OV_FIRING_VALUE] = {"value", OV_FLOAT, OV_GAUGE, "",
                         "What was measured when it last alarmed."},
    [OV_FIRING_THRESHOLD] = {"threshold", OV_TEXT, OV_GAUGE, "", "The range it should be in."},
    [OV_FIRING_SUMMARY] = {"summary", OV_TEXT, OV_GAUGE, "", "One line for a person."},
    [OV_FIRING_DESCRIPTION] = {"description", OV_TEXT, OV_GAUGE, "", "More, such as what to do."},
    [OV_FIRING_STARTED_AT] = {"started_at", OV_FLOAT, OV_GAUGE, "seconds",
                              "When it began, since 1970."},
    [OV_FIRING_DURATION] = {"duration_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                            "How long it has lasted."},
};
const struct ov_measurement ov_firing_measurement = {
    .name = "omnivigil_firing",
    .help = "An alert that fires.",
    .tags = tags,
    .fields = firing_fields,
    .tag_count = OV_COUNT(tags),
    .field_count = OV_COUNT(firing_fields),
};

static const char *const rule_tags[] = {"rule"};
static const struct ov_field rule_fields[] = {
    [OV_RULE_STATE_FIRING] = {"firing", OV_INT, OV_GAUGE, "", "Alerts of it that fire."},
    [OV_RULE_STATE_CRITICAL] = {"critical", OV_INT, OV_GAUGE, "", "Critical ones of these."},
};
const struct ov_measurement ov_rule_state_measurement = {
    .name = "omnivigil_rule",
    .help = "A rule that is applied.",
    .tags = rule_tags,
    .fields = rule_fields,
    .tag_count = OV_COUNT(rule_tags),
    .field_count = OV_COUNT(rule_fields),
};
