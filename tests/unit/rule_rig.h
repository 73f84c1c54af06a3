/* SPDX-License-Identifier: Apache-2.0 */
/* Measurements to write rules about, rules compiled without a complaint, and samples of them. */
#ifndef RULE_RIG_H
#define RULE_RIG_H

#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "rule.h"

enum { GROUP_TOPIC, GROUP_NAME, GROUP_AGENT };
enum { GROUP_PENDING, GROUP_RATIO, GROUP_EXISTS, GROUP_LIFE, GROUP_LOST };

static const char *const rig_group_tags[] = {"topic", "group", "agent"};
static const struct ov_field rig_group_fields[] = {
    [GROUP_PENDING] = {"pending", OV_INT, OV_GAUGE, "", "under way"},
    [GROUP_RATIO] = {"trim_ratio", OV_FLOAT, OV_GAUGE, "ratio", "nearness of the limit"},
    [GROUP_EXISTS] = {"exists", OV_BOOL, OV_GAUGE, "", "is there"},
    [GROUP_LIFE] = {"life", OV_TEXT, OV_GAUGE, "", "sign of life"},
    [GROUP_LOST] = {"lost", OV_INT, OV_COUNTER, "", "trimmed before delivery"},
};
static const struct ov_measurement rig_group = {
    .name = "group", .help = "a group", .tags = rig_group_tags, .fields = rig_group_fields,
    .tag_count = OV_COUNT(rig_group_tags), .field_count = OV_COUNT(rig_group_fields),
};

enum { HEALTH_STATUS, HEALTH_RUNNER };
static const struct ov_field rig_health_fields[] = {
    [HEALTH_STATUS] = {"status", OV_INT, OV_GAUGE, "", "0 is fine"},
    [HEALTH_RUNNER] = {"runner", OV_TEXT, OV_GAUGE, "", "active, lost, stopped"},
};
static const struct ov_measurement rig_health = {
    .name = "health", .help = "the whole", .fields = rig_health_fields,
    .field_count = OV_COUNT(rig_health_fields),
};

static const struct ov_measurement *rig_list[] = {&rig_group, &rig_health};
static const struct ov_catalogue rig_catalogue = {rig_list, 2};

static inline void rig_complain(void *context, const char *key, const char *problem)
{
    (void)context;
    fprintf(stderr, "%s: %s\n", key, problem);
    abort();
}

static inline struct ov_compiled_rule *rig_rule(const struct ov_rule *text)
{
    return ov_rule_compile(text, &rig_catalogue, rig_complain, NULL);
}

/* A group's sample, its fields to be filled in; any tag may be NULL. */
static inline struct ov_sample *rig_sample(struct ov_batch *batch, const char *topic,
                                           const char *group, const char *agent)
{
    struct ov_sample *s = ov_batch_add(batch, &rig_group);
    ov_sample_tag(batch, s, GROUP_TOPIC, ov_slice(topic ? topic : ""));
    ov_sample_tag(batch, s, GROUP_NAME, ov_slice(group ? group : ""));
    ov_sample_tag(batch, s, GROUP_AGENT, ov_slice(agent ? agent : ""));
    return s;
}

#endif
