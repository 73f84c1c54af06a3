/* SPDX-License-Identifier: Apache-2.0 */
/* What outputs are told of an incident: its name, and the samples of omnidaemon_alert. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "alert.h"
#include "alerts_inside.h"
#include "human.h"
#include "tag_list.h"

enum { ID_BYTES = 64 };

void ov_alert_name(struct ov_series *s, int64_t wall_ns)
{
    uint64_t hash = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < s->key.len; i++)
        hash = (hash ^ (unsigned char)s->key.ptr[i]) * UINT64_C(1099511628211);
    s->started_ns = wall_ns;
    s->id = ov_realloc(s->id, ID_BYTES, 1);
    snprintf(s->id, ID_BYTES, "%.24s-%08" PRIx32 "-%" PRId64, ov_rule_name(s->rule),
             (uint32_t)(hash ^ hash >> 32), wall_ns / 1000000);
    for (char *c = s->id; *c; c++) /* one word of plain characters, whatever the rule is called */
        if (!(*c >= '0' && *c <= '9') && !((*c | 32) >= 'a' && (*c | 32) <= 'z') && *c != '_')
            *c = '-';
}

static bool has_its_own_tag(struct ov_slice name)
{
    return ov_slice_eq(name, OV_SLICE("topic")) || ov_slice_eq(name, OV_SLICE("group")) ||
           ov_slice_eq(name, OV_SLICE("agent"));
}

/* The tags that an alert has no tag of its own for: "file=agents.json", "name=value,name=value";
 * a backslash before a comma or backslash of a value keeps different series different. */
static void put_subject(struct ov_buf *out, struct ov_slice tags)
{
    struct ov_slice name, value;
    while (ov_tag_list_next(&tags, &name, &value)) {
        if (has_its_own_tag(name))
            continue;
        if (out->len)
            ov_buf_char(out, ',');
        ov_buf_slice(out, name);
        ov_buf_char(out, '=');
        for (size_t i = 0; i < value.len; i++) {
            if (value.ptr[i] == ',' || value.ptr[i] == '\\')
                ov_buf_char(out, '\\');
            ov_buf_char(out, value.ptr[i]);
        }
    }
}

void ov_alert_tags(const struct ov_series *s, enum ov_severity severity, struct ov_batch *out,
                   struct ov_sample *a)
{
    struct ov_slice rule = {"", 0}, input, tags;
    struct ov_buf subject = {0};
    ov_series_key_read(s->key, &rule, &input, &tags);
    put_subject(&subject, s->tags);
    ov_sample_tag(out, a, OV_ALERT_RULE, rule);
    ov_sample_tag(out, a, OV_ALERT_INPUT, s->input);
    ov_sample_tag(out, a, OV_ALERT_SEVERITY, ov_slice(ov_severity_word(severity)));
    ov_sample_tag(out, a, OV_ALERT_TOPIC, ov_tag_list_find(s->tags, OV_SLICE("topic")));
    ov_sample_tag(out, a, OV_ALERT_GROUP, ov_tag_list_find(s->tags, OV_SLICE("group")));
    ov_sample_tag(out, a, OV_ALERT_AGENT, ov_tag_list_find(s->tags, OV_SLICE("agent")));
    ov_sample_tag(out, a, OV_ALERT_SUBJECT, (struct ov_slice){subject.data, subject.len});
    ov_buf_free(&subject);
}

/* "over after 13m20s, now 95.3 %; at worst: ..." */
static void put_ending(struct ov_buf *out, const struct ov_series *s, const char *reason,
                       int64_t wall_ns)
{
    bool ranged = s->rule && *ov_rule_threshold(s->rule, s->worst);
    const char *what = !reason ? "over" : strcmp(reason, "gone") == 0 ? "no longer there"
                                                                      : "no longer watched";
    int64_t lasted_ns = wall_ns > s->started_ns ? wall_ns - s->started_ns : 0;
    ov_buf_printf(out, "%s after ", what);
    ov_human_seconds(out, round((double)lasted_ns / 1e9));
    if (!reason && ranged && isfinite(s->last)) {
        ov_buf_str(out, ", now ");
        ov_rule_value(s->rule, s->last, out);
    }
    if (s->worst_summary.len) {
        ov_buf_str(out, "; at worst: ");
        ov_buf_add(out, s->worst_summary.data, s->worst_summary.len);
    }
}

void ov_alert_tell(struct ov_series *s, enum ov_telling what, const char *reason,
                   enum ov_severity severity, int64_t wall_ns, struct ov_batch *out)
{
    static const char *const states[] = {
        [OV_TELL_FIRING] = "firing", [OV_TELL_REPEAT] = "repeat", [OV_TELL_RESOLVED] = "resolved",
    };
    struct ov_sample *a = ov_batch_add(out, &ov_alert_measurement);
    bool resolved = what == OV_TELL_RESOLVED;
    struct ov_buf ending = {0};
    if (s->tell_again && s->told_what == what && s->told == severity)
        wall_ns = s->told_ns; /* the same sample, for who had it the first time */
    a->time_ns = wall_ns;
    ov_alert_tags(s, severity, out, a);
    ov_sample_text(out, a, OV_ALERT_STATE, ov_slice(states[what]));
    ov_sample_text(out, a, OV_ALERT_ID, ov_slice(s->id));
    ov_sample_float(a, OV_ALERT_VALUE, resolved ? s->last : s->value);
    if (s->rule) {
        ov_sample_text(out, a, OV_ALERT_THRESHOLD,
                       ov_slice(ov_rule_threshold(s->rule, severity)));
        ov_sample_text(out, a, OV_ALERT_DESCRIPTION, ov_slice(ov_rule_description(s->rule)));
    }
    if (reason)
        ov_sample_text(out, a, OV_ALERT_REASON, ov_slice(reason));
    if (resolved)
        put_ending(&ending, s, reason, wall_ns);
    const struct ov_buf *summary = resolved ? &ending : &s->summary;
    ov_sample_text(out, a, OV_ALERT_SUMMARY, (struct ov_slice){summary->data, summary->len});
    ov_buf_free(&ending);
    ov_sample_float(a, OV_ALERT_STARTED_AT, (double)s->started_ns / 1e9);
    if (resolved)
        ov_sample_float(a, OV_ALERT_ENDED_AT, (double)wall_ns / 1e9);
    ov_sample_float(a, OV_ALERT_DURATION, (double)(wall_ns - s->started_ns) / 1e9);
    ov_sample_int(a, OV_ALERT_COUNT, 1);
    s->told_ns = wall_ns;
    s->told_what = what;
    s->telling = out;
    s->tell_again = false;
}
