/* SPDX-License-Identifier: Apache-2.0 */
/* How things are, for whoever does not follow what happens, or has not from the beginning. An alert
 * fires here from its first telling to its last, whether it is muted meanwhile or not. */
#include <stdlib.h>

#include "alert.h"
#include "alerts_inside.h"

struct rule_count {
    int64_t firing, critical;
};

static void list_alert(const struct ov_series *s, int64_t wall_ns, struct ov_batch *out)
{
    struct ov_sample *a = ov_batch_add(out, &ov_firing_measurement);
    ov_alert_tags(s, s->told, out, a);
    ov_sample_text(out, a, OV_FIRING_ID, ov_slice(s->id));
    ov_sample_float(a, OV_FIRING_VALUE, s->value);
    if (s->rule) {
        ov_sample_text(out, a, OV_FIRING_THRESHOLD, ov_slice(ov_rule_threshold(s->rule, s->told)));
        ov_sample_text(out, a, OV_FIRING_DESCRIPTION, ov_slice(ov_rule_description(s->rule)));
    }
    ov_sample_text(out, a, OV_FIRING_SUMMARY, (struct ov_slice){s->summary.data, s->summary.len});
    ov_sample_float(a, OV_FIRING_STARTED_AT, (double)s->started_ns / 1e9);
    ov_sample_float(a, OV_FIRING_DURATION, (double)(wall_ns - s->started_ns) / 1e9);
}

/* Its place among the rules; `count` for one that is no longer configured. */
static size_t rule_of(const struct ov_alerts *alerts, const struct ov_series *s)
{
    return s->active ? (size_t)(s->active - alerts->active) : alerts->setup.rule_count;
}

void ov_alerts_list(struct ov_alerts *alerts, int64_t wall_ns, struct ov_batch *out)
{
    size_t count = alerts->setup.rule_count;
    struct rule_count *counts = ov_calloc(count + 1, sizeof *counts);
    pthread_mutex_lock(&alerts->lock);
    for (struct ov_series *s = ov_series_list(&alerts->series); s; s = s->next) {
        if (s->state != OV_SERIES_FIRING || s->told == OV_SEVERITY_NONE)
            continue;
        counts[rule_of(alerts, s)].firing++;
        counts[rule_of(alerts, s)].critical += s->told == OV_SEVERITY_CRITICAL;
        list_alert(s, wall_ns, out);
    }
    pthread_mutex_unlock(&alerts->lock);
    for (size_t i = 0; i < count; i++) {
        struct ov_sample *r = ov_batch_add(out, &ov_rule_state_measurement);
        ov_sample_tag(out, r, 0, ov_slice(ov_rule_name(alerts->setup.rules[i])));
        ov_sample_int(r, OV_RULE_STATE_FIRING, counts[i].firing);
        ov_sample_int(r, OV_RULE_STATE_CRITICAL, counts[i].critical);
    }
    free(counts);
}
