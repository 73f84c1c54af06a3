/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A rule, compiled against the measurements it speaks of: what to look at, when it alarms, what
 * to say. The texts it is made of are a struct ov_rule (omnivigil.h), from a plugin's table or
 * from the configuration. Immutable once compiled.
 */
#ifndef OV_RULE_H
#define OV_RULE_H

#include "omnivigil.h"
#include "range.h"

enum ov_severity { OV_SEVERITY_NONE, OV_SEVERITY_WARNING, OV_SEVERITY_CRITICAL };
const char *ov_severity_word(enum ov_severity severity); /* "ok", "warning", "critical" */

/* All measurements a rule may speak of. */
struct ov_catalogue {
    const struct ov_measurement **list;
    size_t count;
};
/* Adds what is not in it yet of a NULL-terminated list (or NULL). */
void ov_catalogue_add(struct ov_catalogue *catalogue, const struct ov_measurement *const *list);

struct ov_compiled_rule;

/* Told of everything wrong with a rule: `key` is the member's name ("value", "warning", ...). */
typedef void ov_rule_fail_fn(void *context, const char *key, const char *problem);

/* NULL after an error. Free with ov_rule_free. */
struct ov_compiled_rule *ov_rule_compile(const struct ov_rule *text,
                                         const struct ov_catalogue *catalogue,
                                         ov_rule_fail_fn *fail, void *context);
void ov_rule_free(struct ov_compiled_rule *rule);

/* Replaces the ranges; NULL leaves one out. Returns what is wrong with one, or NULL. */
const char *ov_rule_set_ranges(struct ov_compiled_rule *rule, const char *warning,
                               const char *critical) OV_MUST_CHECK;

const char *ov_rule_name(const struct ov_compiled_rule *rule);
const struct ov_measurement *ov_rule_measurement(const struct ov_compiled_rule *rule);
const struct ov_field *ov_rule_field(const struct ov_compiled_rule *rule);
/* The ranges as written, NULL without. */
const char *ov_rule_warning(const struct ov_compiled_rule *rule);
const char *ov_rule_critical(const struct ov_compiled_rule *rule);
/* 0 for a plain value; else the window of an increase. */
int64_t ov_rule_window_ms(const struct ov_compiled_rule *rule);
int64_t ov_rule_hold_ms(const struct ov_compiled_rule *rule);
int64_t ov_rule_clear_ms(const struct ov_compiled_rule *rule);
int64_t ov_rule_repeat_ms(const struct ov_compiled_rule *rule);
/* How long a series must be missing before its alert ends. */
int64_t ov_rule_gone_ms(const struct ov_compiled_rule *rule);

enum ov_match { OV_MATCH_NO, OV_MATCH_YES, OV_MATCH_UNKNOWN };

/* Whether a sample of the rule's measurement meets its conditions, and the value it looks at (NaN
 * for texts and where there is none). UNKNOWN: what it depends on is absent. */
enum ov_match ov_rule_look(const struct ov_compiled_rule *rule, const struct ov_sample *sample,
                           double *value);
/* Bit i: whether the rule alarms, or is muted, depends on field i of this measurement. */
uint64_t ov_rule_fields(const struct ov_compiled_rule *rule, const struct ov_measurement *m);
/* What a value amounts to. `firing`: the alarm is on, so the clear threshold holds. */
enum ov_severity ov_rule_severity(const struct ov_compiled_rule *rule, double value, bool firing);
/* The threshold behind a severity, as written; "" where the conditions alone alarm. */
const char *ov_rule_threshold(const struct ov_compiled_rule *rule, enum ov_severity severity);
/* The measurement whose samples may mute the rule (its `unless`), or NULL; and whether one does. */
const struct ov_measurement *ov_rule_muting_measurement(const struct ov_compiled_rule *rule);
enum ov_match ov_rule_look_muting(const struct ov_compiled_rule *rule,
                                  const struct ov_sample *sample);

/* How far a value is outside of the range behind a severity: the farther, the worse. */
double ov_rule_beyond(const struct ov_compiled_rule *rule, enum ov_severity severity,
                      double value);

/* Appends a value that the rule looks at, for a person: 57.1 %, 3m12s. */
void ov_rule_value(const struct ov_compiled_rule *rule, double value, struct ov_buf *out);
/* Appends the summary, its {names} replaced by what the sample holds, for a person. */
void ov_rule_summary(const struct ov_compiled_rule *rule, const struct ov_sample *sample,
                     double value, enum ov_severity severity, struct ov_buf *out);
const char *ov_rule_description(const struct ov_compiled_rule *rule);

#endif
