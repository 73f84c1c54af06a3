/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiling resolves every name once, so looking at a sample is a matter of indices. A name in a
 * condition or a summary may be a tag or a field of the rule's measurement.
 */
#include <math.h>
#include <stdlib.h>

#include "human.h"
#include "nearest.h"
#include "rule.h"
#include "scalar.h"

enum { GONE_MS = 300000 }; /* `gone_for` when not given */

/* A tag or field of a measurement. */
struct place {
    bool is_tag;
    unsigned index;
};

struct condition {
    struct place place;
    struct ov_slice patterns; /* globs, separated by | */
};

/* A piece of a summary: plain text, or a name's value. */
struct piece {
    enum { PIECE_TEXT, PIECE_PLACE, PIECE_VALUE, PIECE_THRESHOLD, PIECE_SEVERITY } kind;
    struct ov_slice text;
    struct place place;
};

struct ov_compiled_rule {
    char *name, *warning_text, *critical_text, *description, *where_text, *unless_text,
        *summary_text;
    const struct ov_measurement *measurement, *muting;
    unsigned field;
    int64_t window_ms, hold_ms, clear_ms, repeat_ms, gone_ms;
    struct ov_range warning, critical, clear;
    bool has_clear;
    enum ov_severity plain_severity; /* without ranges */
    struct condition *conditions, *mutes;
    size_t condition_count, mute_count;
    struct piece *pieces;
    size_t piece_count;
};

/* A compilation under way. */
struct compiling {
    const struct ov_rule *text;
    const struct ov_catalogue *catalogue;
    struct ov_compiled_rule *rule;
    ov_rule_fail_fn *fail;
    void *context;
    bool failed;
};

const char *ov_severity_word(enum ov_severity severity)
{
    static const char *const words[] = {"ok", "warning", "critical"};
    return words[severity];
}

void ov_catalogue_add(struct ov_catalogue *catalogue, const struct ov_measurement *const *list)
{
    for (; list && *list; list++) {
        bool known = false;
        for (size_t i = 0; i < catalogue->count; i++)
            known |= catalogue->list[i] == *list;
        if (known)
            continue;
        catalogue->list = ov_realloc(catalogue->list, catalogue->count + 1,
                                     sizeof *catalogue->list);
        catalogue->list[catalogue->count++] = *list;
    }
}

static void complain(struct compiling *c, const char *key, const char *format, ...)
    OV_PRINTF(3, 4);
static void complain(struct compiling *c, const char *key, const char *format, ...)
{
    struct ov_buf text = {0};
    va_list args;
    va_start(args, format);
    ov_buf_vprintf(&text, format, args);
    va_end(args);
    c->failed = true;
    c->fail(c->context, key, ov_buf_text(&text));
    ov_buf_free(&text);
}

static void complain_unknown(struct compiling *c, const char *key, const char *what,
                             struct ov_slice name, const struct ov_nearest *nearest)
{
    struct ov_buf text = {0};
    ov_buf_printf(&text, "unknown %s `", what);
    ov_buf_escaped(&text, name);
    ov_buf_char(&text, '`');
    ov_nearest_hint(nearest, &text);
    complain(c, key, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
}

/* ---------------------------------------------------------------- names */

static struct ov_slice trim(struct ov_slice s)
{
    while (s.len && *s.ptr == ' ')
        s.ptr++, s.len--;
    while (s.len && s.ptr[s.len - 1] == ' ')
        s.len--;
    return s;
}

/* Splits at the first `c`; what follows is left in *rest, which has ptr NULL without any. */
static struct ov_slice cut(struct ov_slice *rest, char c)
{
    const char *at = rest->len ? memchr(rest->ptr, c, rest->len) : NULL;
    struct ov_slice part = {rest->ptr, at ? (size_t)(at - rest->ptr) : rest->len};
    *rest = at ? (struct ov_slice){at + 1, rest->len - part.len - 1} : (struct ov_slice){NULL, 0};
    return part;
}

static const struct ov_measurement *find_measurement(struct compiling *c, const char *key,
                                                     struct ov_slice name)
{
    struct ov_nearest nearest = {.wanted = name};
    for (size_t i = 0; i < c->catalogue->count; i++) {
        if (ov_slice_eq(ov_slice(c->catalogue->list[i]->name), name))
            return c->catalogue->list[i];
        ov_nearest_try(&nearest, c->catalogue->list[i]->name);
    }
    complain_unknown(c, key, "measurement", name, &nearest);
    return NULL;
}

static bool find_place(struct compiling *c, const char *key, const struct ov_measurement *m,
                       struct ov_slice name, bool fields_only, struct place *place)
{
    struct ov_nearest nearest = {.wanted = name};
    for (unsigned i = 0; !fields_only && i < m->tag_count; i++) {
        *place = (struct place){true, i};
        if (ov_slice_eq(ov_slice(m->tags[i]), name))
            return true;
        ov_nearest_try(&nearest, m->tags[i]);
    }
    for (unsigned i = 0; i < m->field_count; i++) {
        *place = (struct place){false, i};
        if (ov_slice_eq(ov_slice(m->fields[i].name), name))
            return true;
        ov_nearest_try(&nearest, m->fields[i].name);
    }
    complain_unknown(c, key, fields_only ? "field" : "tag or field", name, &nearest);
    return false;
}

/* "measurement.field" */
static void compile_field(struct compiling *c, struct ov_slice text)
{
    struct ov_slice rest = trim(text), name = cut(&rest, '.');
    struct place place;
    if (!rest.ptr) {
        complain(c, "value", "expected `measurement.field` or `increase(measurement.field, 5m)`");
        return;
    }
    c->rule->measurement = find_measurement(c, "value", name);
    if (c->rule->measurement &&
        find_place(c, "value", c->rule->measurement, rest, true, &place))
        c->rule->field = place.index;
}

static void compile_value(struct compiling *c)
{
    const struct ov_slice head = OV_SLICE("increase(");
    struct ov_slice text = trim(ov_slice(c->text->value ? c->text->value : ""));
    if (!ov_slice_starts(text, head)) {
        compile_field(c, text);
        return;
    }
    struct ov_slice rest = {text.ptr + head.len, text.len - head.len};
    struct ov_slice field = cut(&rest, ',');
    if (!rest.ptr || rest.len == 0 || rest.ptr[rest.len - 1] != ')') {
        complain(c, "value", "expected `increase(measurement.field, 5m)`");
        return;
    }
    rest.len--;
    const char *wrong = ov_scalar_duration(trim(rest), &c->rule->window_ms);
    if (wrong || c->rule->window_ms <= 0)
        complain(c, "value", "the window of an increase: %s",
                 wrong ? wrong : "expected a time above 0");
    compile_field(c, field);
}

/* "name=pattern|pattern, name=pattern": into a list of conditions on `m`. */
static struct condition *compile_conditions(struct compiling *c, const char *key,
                                            const struct ov_measurement *m, const char *text,
                                            size_t *count)
{
    struct condition *list = NULL;
    struct ov_slice rest = ov_slice(text);
    *count = 0;
    while (rest.ptr && trim(rest).len) {
        struct ov_slice patterns = cut(&rest, ','), name = cut(&patterns, '=');
        struct place place;
        if (!patterns.ptr) {
            complain(c, key, "expected conditions such as `registered=true, life=silent|paused`");
            break;
        }
        if (!find_place(c, key, m, trim(name), false, &place))
            continue;
        list = ov_realloc(list, *count + 1, sizeof *list);
        list[(*count)++] = (struct condition){place, trim(patterns)};
    }
    return list;
}

/* `unless`: "measurement.name=pattern" */
static void compile_mutes(struct compiling *c)
{
    struct ov_compiled_rule *rule = c->rule;
    if (!rule->unless_text)
        return;
    struct ov_slice rest = ov_slice(rule->unless_text), name = cut(&rest, '.');
    if (!rest.ptr) {
        complain(c, "unless", "expected `measurement.field=pattern`");
        return;
    }
    rule->muting = find_measurement(c, "unless", trim(name));
    if (rule->muting)
        rule->mutes = compile_conditions(c, "unless", rule->muting, rest.ptr, &rule->mute_count);
}

/* ---------------------------------------------------------------- thresholds and times */

static bool compile_range(struct compiling *c, const char *key, const char *text,
                          struct ov_range *range)
{
    if (!text)
        return false;
    const char *wrong = ov_range_parse(ov_slice(text), range);
    if (wrong)
        complain(c, key, "%s", wrong);
    return !wrong;
}

static int64_t compile_time(struct compiling *c, const char *key, const char *text,
                            int64_t standard)
{
    int64_t ms = standard;
    const char *wrong = text ? ov_scalar_duration(ov_slice(text), &ms) : NULL;
    if (wrong)
        complain(c, key, "%s", wrong);
    return ms;
}

static bool is_text(const struct ov_compiled_rule *rule)
{
    return rule->measurement && ov_rule_field(rule)->type == OV_TEXT;
}

static void compile_thresholds(struct compiling *c)
{
    struct ov_compiled_rule *rule = c->rule;
    const struct ov_rule *text = c->text;
    compile_range(c, "warning", text->warning, &rule->warning);
    compile_range(c, "critical", text->critical, &rule->critical);
    rule->has_clear = compile_range(c, "clear", text->clear, &rule->clear);
    if (is_text(rule) && (rule->window_ms || text->warning || text->critical || text->clear))
        complain(c, "value", "`%s` is a text, which no range fits: name what it is in `where`, as "
                 "in `%s=...`", ov_rule_field(rule)->name, ov_rule_field(rule)->name);
    if (!text->warning && !text->critical) {
        if (!text->severity || strcmp(text->severity, "critical") == 0)
            rule->plain_severity = OV_SEVERITY_CRITICAL;
        else if (strcmp(text->severity, "warning") == 0)
            rule->plain_severity = OV_SEVERITY_WARNING;
        else
            complain(c, "severity", "expected `warning` or `critical`");
        if (!text->where)
            complain(c, "value", "this rule would always alarm: give it `warning` or `critical`, "
                     "or a condition in `where`");
    } else if (text->severity) {
        complain(c, "severity", "comes from `warning` and `critical` where those are given");
    }
    rule->hold_ms = compile_time(c, "for", text->hold, 0);
    rule->clear_ms = compile_time(c, "clear_for", text->clear_hold, rule->hold_ms);
    rule->repeat_ms = compile_time(c, "repeat", text->repeat, 0);
    rule->gone_ms = compile_time(c, "gone_for", text->gone_hold, GONE_MS);
}

/* ---------------------------------------------------------------- summaries */

static void add_piece(struct ov_compiled_rule *rule, struct piece piece)
{
    rule->pieces = ov_realloc(rule->pieces, rule->piece_count + 1, sizeof *rule->pieces);
    rule->pieces[rule->piece_count++] = piece;
}

static void compile_summary(struct compiling *c)
{
    struct ov_compiled_rule *rule = c->rule;
    struct ov_slice rest = ov_slice(rule->summary_text);
    while (rest.ptr && rest.len) {
        struct ov_slice plain = cut(&rest, '{');
        if (plain.len)
            add_piece(rule, (struct piece){.kind = PIECE_TEXT, .text = plain});
        if (!rest.ptr)
            return;
        struct ov_slice name = cut(&rest, '}');
        struct piece piece = {.kind = PIECE_PLACE};
        if (!rest.ptr) {
            complain(c, "summary", "a `{` without its `}`");
            return;
        }
        if (ov_slice_eq(name, OV_SLICE("value")))
            piece.kind = PIECE_VALUE;
        else if (ov_slice_eq(name, OV_SLICE("threshold")))
            piece.kind = PIECE_THRESHOLD;
        else if (ov_slice_eq(name, OV_SLICE("severity")))
            piece.kind = PIECE_SEVERITY;
        else if (!find_place(c, "summary", rule->measurement, name, false, &piece.place))
            continue;
        add_piece(rule, piece);
    }
}

/* ---------------------------------------------------------------- all */

static char *copy(const char *text)
{
    return text ? ov_strdup(text) : NULL;
}

struct ov_compiled_rule *ov_rule_compile(const struct ov_rule *text,
                                         const struct ov_catalogue *catalogue,
                                         ov_rule_fail_fn *fail, void *context)
{
    struct ov_compiled_rule *rule = ov_calloc(1, sizeof *rule);
    struct compiling c = {text, catalogue, rule, fail, context, false};
    rule->name = ov_strdup(text->name);
    rule->warning_text = copy(text->warning);
    rule->critical_text = copy(text->critical);
    rule->description = ov_strdup(text->description ? text->description : "");
    rule->where_text = copy(text->where);
    rule->unless_text = copy(text->unless);
    rule->summary_text = ov_strdup(text->summary ? text->summary : "{value}");
    compile_value(&c);
    compile_thresholds(&c);
    compile_mutes(&c);
    if (rule->measurement) {
        if (rule->where_text)
            rule->conditions = compile_conditions(&c, "where", rule->measurement,
                                                  rule->where_text, &rule->condition_count);
        compile_summary(&c);
    }
    if (!c.failed)
        return rule;
    ov_rule_free(rule);
    return NULL;
}

void ov_rule_free(struct ov_compiled_rule *rule)
{
    if (!rule)
        return;
    free(rule->name);
    free(rule->warning_text);
    free(rule->critical_text);
    free(rule->description);
    free(rule->where_text);
    free(rule->unless_text);
    free(rule->summary_text);
    free(rule->conditions);
    free(rule->mutes);
    free(rule->pieces);
    free(rule);
}

const char *ov_rule_name(const struct ov_compiled_rule *rule) { return rule->name; }
const char *ov_rule_warning(const struct ov_compiled_rule *rule) { return rule->warning_text; }
const char *ov_rule_critical(const struct ov_compiled_rule *rule) { return rule->critical_text; }
const char *ov_rule_description(const struct ov_compiled_rule *rule) { return rule->description; }
int64_t ov_rule_window_ms(const struct ov_compiled_rule *rule) { return rule->window_ms; }
int64_t ov_rule_hold_ms(const struct ov_compiled_rule *rule) { return rule->hold_ms; }
int64_t ov_rule_clear_ms(const struct ov_compiled_rule *rule) { return rule->clear_ms; }
int64_t ov_rule_repeat_ms(const struct ov_compiled_rule *rule) { return rule->repeat_ms; }
int64_t ov_rule_gone_ms(const struct ov_compiled_rule *rule) { return rule->gone_ms; }
const struct ov_measurement *ov_rule_measurement(const struct ov_compiled_rule *rule)
{
    return rule->measurement;
}
const struct ov_field *ov_rule_field(const struct ov_compiled_rule *rule)
{
    return &rule->measurement->fields[rule->field];
}
const struct ov_measurement *ov_rule_muting_measurement(const struct ov_compiled_rule *rule)
{
    return rule->muting;
}

const char *ov_rule_set_ranges(struct ov_compiled_rule *rule, const char *warning,
                               const char *critical)
{
    struct ov_range warning_range = rule->warning, critical_range = rule->critical;
    if (is_text(rule))
        return "the rule is about a text, which no range fits";
    const char *wrong = warning ? ov_range_parse(ov_slice(warning), &warning_range) : NULL;
    if (!wrong && critical)
        wrong = ov_range_parse(ov_slice(critical), &critical_range);
    if (wrong)
        return wrong;
    rule->warning = warning_range;
    rule->critical = critical_range;
    free(rule->warning_text);
    free(rule->critical_text);
    rule->warning_text = copy(warning);
    rule->critical_text = copy(critical);
    rule->plain_severity = OV_SEVERITY_NONE;
    return NULL;
}

/* ---------------------------------------------------------------- looking at a sample */

static bool is_present(const struct ov_sample *s, struct place place)
{
    return place.is_tag ? s->tags[place.index].len > 0 : s->present >> place.index & 1;
}

/* A tag's or field's value as text; numbers go to `scratch`. */
static struct ov_slice text_of(const struct ov_sample *s, struct place place,
                               struct ov_buf *scratch)
{
    if (place.is_tag)
        return s->tags[place.index];
    const union ov_value *value = &s->values[place.index];
    ov_buf_reset(scratch);
    switch (s->measurement->fields[place.index].type) {
    case OV_TEXT:
        return *value->text;
    case OV_BOOL:
        return value->boolean ? OV_SLICE("true") : OV_SLICE("false");
    case OV_INT:
        ov_buf_int(scratch, value->integer);
        break;
    case OV_FLOAT:
        ov_buf_double(scratch, value->number);
        break;
    }
    return (struct ov_slice){scratch->data, scratch->len};
}

static enum ov_match meets(const struct condition *list, size_t count, const struct ov_sample *s)
{
    struct ov_buf scratch = {0};
    enum ov_match match = OV_MATCH_YES;
    for (size_t i = 0; i < count && match != OV_MATCH_NO; i++) {
        struct ov_slice patterns = list[i].patterns, text = {"", 0};
        bool present = is_present(s, list[i].place), any = false;
        if (present)
            text = text_of(s, list[i].place, &scratch);
        while (patterns.ptr && !any) {
            struct ov_slice pattern = cut(&patterns, '|');
            any = present ? ov_glob(pattern, text) : pattern.len == 0;
        }
        if (!any)
            match = present ? OV_MATCH_NO : OV_MATCH_UNKNOWN;
    }
    ov_buf_free(&scratch);
    return match;
}

static double number_of(const struct ov_sample *s, unsigned field)
{
    const union ov_value *value = &s->values[field];
    if (!(s->present >> field & 1))
        return (double)NAN;
    switch (s->measurement->fields[field].type) {
    case OV_INT:
        return (double)value->integer;
    case OV_FLOAT:
        return value->number;
    case OV_BOOL:
        return value->boolean;
    case OV_TEXT:
        break;
    }
    return (double)NAN;
}

enum ov_match ov_rule_look(const struct ov_compiled_rule *rule, const struct ov_sample *sample,
                           double *value)
{
    *value = number_of(sample, rule->field);
    enum ov_match match = meets(rule->conditions, rule->condition_count, sample);
    if (match == OV_MATCH_YES && rule->plain_severity == OV_SEVERITY_NONE && isnan(*value))
        return OV_MATCH_UNKNOWN;
    return match;
}

static uint64_t fields_of(const struct condition *list, size_t count)
{
    uint64_t fields = 0;
    for (size_t i = 0; i < count; i++)
        if (!list[i].place.is_tag)
            fields |= UINT64_C(1) << list[i].place.index;
    return fields;
}

uint64_t ov_rule_fields(const struct ov_compiled_rule *rule, const struct ov_measurement *m)
{
    uint64_t fields = 0;
    if (m == rule->measurement)
        fields |= fields_of(rule->conditions, rule->condition_count);
    if (m == rule->measurement && rule->plain_severity == OV_SEVERITY_NONE)
        fields |= UINT64_C(1) << rule->field;
    if (m == rule->muting)
        fields |= fields_of(rule->mutes, rule->mute_count);
    return fields;
}

enum ov_severity ov_rule_severity(const struct ov_compiled_rule *rule, double value, bool firing)
{
    if (rule->plain_severity != OV_SEVERITY_NONE)
        return rule->plain_severity;
    if (rule->critical_text && ov_range_alarms(&rule->critical, value))
        return OV_SEVERITY_CRITICAL;
    if (rule->warning_text && ov_range_alarms(&rule->warning, value))
        return OV_SEVERITY_WARNING;
    if (firing && rule->has_clear && ov_range_alarms(&rule->clear, value))
        return rule->warning_text ? OV_SEVERITY_WARNING : OV_SEVERITY_CRITICAL;
    return OV_SEVERITY_NONE;
}

const char *ov_rule_threshold(const struct ov_compiled_rule *rule, enum ov_severity severity)
{
    const char *text = severity == OV_SEVERITY_CRITICAL ? rule->critical_text : rule->warning_text;
    return text ? text : "";
}

double ov_rule_beyond(const struct ov_compiled_rule *rule, enum ov_severity severity,
                      double value)
{
    bool critical = severity == OV_SEVERITY_CRITICAL;
    const char *text = critical ? rule->critical_text : rule->warning_text;
    return text ? ov_range_beyond(critical ? &rule->critical : &rule->warning, value) : 0;
}

enum ov_match ov_rule_look_muting(const struct ov_compiled_rule *rule,
                                  const struct ov_sample *sample)
{
    return meets(rule->mutes, rule->mute_count, sample);
}

void ov_rule_value(const struct ov_compiled_rule *rule, double value, struct ov_buf *out)
{
    ov_human_quantity(out, ov_rule_field(rule)->unit, value);
}

/* A tag or field for a person. */
static void put_place(struct ov_buf *out, const struct ov_sample *s, struct place place)
{
    const struct ov_field *field = place.is_tag ? NULL : &s->measurement->fields[place.index];
    struct ov_buf scratch = {0};
    if (!is_present(s, place))
        ov_buf_char(out, '?');
    else if (field && (field->type == OV_FLOAT || (field->type == OV_INT && *field->unit)))
        ov_human_quantity(out, field->unit, number_of(s, place.index));
    else
        ov_buf_slice(out, text_of(s, place, &scratch));
    ov_buf_free(&scratch);
}

void ov_rule_summary(const struct ov_compiled_rule *rule, const struct ov_sample *sample,
                     double value, enum ov_severity severity, struct ov_buf *out)
{
    for (size_t i = 0; i < rule->piece_count; i++) {
        const struct piece *piece = &rule->pieces[i];
        switch (piece->kind) {
        case PIECE_TEXT:
            ov_buf_slice(out, piece->text);
            break;
        case PIECE_PLACE:
            put_place(out, sample, piece->place);
            break;
        case PIECE_VALUE:
            ov_rule_value(rule, value, out);
            break;
        case PIECE_THRESHOLD:
            ov_buf_str(out, ov_rule_threshold(rule, severity));
            break;
        case PIECE_SEVERITY:
            ov_buf_str(out, ov_severity_word(severity));
            break;
        }
    }
}
