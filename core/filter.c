/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns are tried once for each measurement of a batch, not for each sample: the answer is a
 * `verdict`, masks that are then laid over all samples of it. Only tags' values are looked at
 * sample by sample.
 */
#include <stdlib.h>

#include "alert.h"
#include "batch.h"
#include "filter.h"

enum { EARLY_MS = 100 }; /* how much before its part of the clock a batch may be stamped */

const struct ov_option ov_filter_options[] = {
    {.name = "measurements", .type = OV_OPT_LIST,
     .offset = offsetof(struct ov_filter_patterns, measurements),
     .help = "patterns of measurements, such as omnidaemon_*"},
    {.name = "fields", .type = OV_OPT_LIST, .offset = offsetof(struct ov_filter_patterns, fields),
     .help = "patterns of fields; with a dot, of MEASUREMENT.FIELD"},
    {.name = "tags", .type = OV_OPT_LIST, .offset = offsetof(struct ov_filter_patterns, tags),
     .help = "patterns of tags to leave on the samples, or off; NAME=VALUE chooses samples by a "
             "tag's value"},
    {0},
};

/* What the patterns say of one measurement. */
struct verdict {
    const struct ov_measurement *measurement;
    bool wanted;
    uint64_t fields;
    bool *tags; /* which to leave on; NULL: all */
};

/* When a batch of one input was last taken. */
struct taken {
    const void *source;
    int64_t part; /* of the wall clock, counted in intervals */
};

struct ov_filter {
    struct ov_filter_rules rules;
    bool chooses_tags, chooses_samples; /* there are patterns of this kind */
    struct taken *taken;
    size_t taken_count;

    /* of the batch under way */
    struct verdict *verdicts;
    size_t verdict_count, verdict_room;
    struct ov_map tags;
};

/* ---------------------------------------------------------------- patterns */

/* The part of a tag pattern before its `=`, or all of it; *value is what is behind. */
static struct ov_slice pattern_name(struct ov_slice pattern, bool *has_value,
                                    struct ov_slice *value)
{
    const char *equals = pattern.len ? memchr(pattern.ptr, '=', pattern.len) : NULL;
    *has_value = equals != NULL;
    if (!equals)
        return pattern;
    size_t len = (size_t)(equals - pattern.ptr);
    *value = (struct ov_slice){equals + 1, pattern.len - len - 1};
    return (struct ov_slice){pattern.ptr, len};
}

static bool list_matches(const struct ov_list *list, struct ov_slice name)
{
    for (size_t i = 0; i < list->count; i++)
        if (ov_glob(list->items[i], name))
            return true;
    return false;
}

static bool measurement_passes(const struct ov_filter_rules *rules, const char *name)
{
    const struct ov_list *include = &rules->include.measurements;
    return (!include->count || list_matches(include, ov_slice(name))) &&
           !list_matches(&rules->exclude.measurements, ov_slice(name));
}

static bool field_is_listed(const struct ov_list *list, struct ov_slice name, struct ov_slice full)
{
    for (size_t i = 0; i < list->count; i++) {
        struct ov_slice pattern = list->items[i];
        bool dotted = pattern.len && memchr(pattern.ptr, '.', pattern.len);
        if (ov_glob(pattern, dotted ? full : name))
            return true;
    }
    return false;
}

static bool field_passes(const struct ov_filter_rules *rules, const struct ov_measurement *m,
                         const char *field)
{
    const struct ov_list *include = &rules->include.fields, *exclude = &rules->exclude.fields;
    if (!include->count && !exclude->count)
        return true;
    struct ov_buf full = {0};
    ov_buf_printf(&full, "%s.%s", m->name, field);
    struct ov_slice name = ov_slice(field), whole = {full.data, full.len};
    bool passes = (!include->count || field_is_listed(include, name, whole)) &&
                  !field_is_listed(exclude, name, whole);
    ov_buf_free(&full);
    return passes;
}

/* Whether one of the patterns for names matches; *any says whether there is one. */
static bool tag_is_listed(const struct ov_list *list, const char *name, bool *any)
{
    *any = false;
    for (size_t i = 0; i < list->count; i++) {
        bool has_value;
        struct ov_slice value, pattern = pattern_name(list->items[i], &has_value, &value);
        if (has_value)
            continue;
        *any = true;
        if (ov_glob(pattern, ov_slice(name)))
            return true;
    }
    return false;
}

static bool tag_passes(const struct ov_filter_rules *rules, const char *name)
{
    bool any;
    if (!tag_is_listed(&rules->include.tags, name, &any) && any)
        return false;
    return !tag_is_listed(&rules->exclude.tags, name, &any);
}

static void find_kinds(struct ov_filter *filter, const struct ov_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        bool has_value;
        struct ov_slice value;
        pattern_name(list->items[i], &has_value, &value);
        if (has_value)
            filter->chooses_samples = true;
        else
            filter->chooses_tags = true;
    }
}

struct ov_filter *ov_filter_new(const struct ov_filter_rules *rules)
{
    struct ov_filter *filter = ov_calloc(1, sizeof *filter);
    filter->rules = *rules;
    find_kinds(filter, &rules->include.tags);
    find_kinds(filter, &rules->exclude.tags);
    return filter;
}

static void verdicts_reset(struct ov_filter *filter)
{
    for (size_t i = 0; i < filter->verdict_count; i++)
        free(filter->verdicts[i].tags);
    filter->verdict_count = 0;
}

void ov_filter_free(struct ov_filter *filter)
{
    if (!filter)
        return;
    verdicts_reset(filter);
    free(filter->verdicts);
    free(filter->tags.items);
    free(filter->taken);
    free(filter);
}

/* ---------------------------------------------------------------- one measurement */

static void verdict_make(const struct ov_filter *filter, struct verdict *v,
                         const struct ov_measurement *m)
{
    *v = (struct verdict){.measurement = m};
    v->wanted = measurement_passes(&filter->rules, m->name);
    if (!v->wanted)
        return;
    for (unsigned i = 0; i < m->field_count; i++)
        if (field_passes(&filter->rules, m, m->fields[i].name))
            v->fields |= UINT64_C(1) << i;
    if (!filter->chooses_tags || !m->tag_count)
        return;
    v->tags = ov_calloc(m->tag_count, sizeof *v->tags);
    for (unsigned i = 0; i < m->tag_count; i++)
        v->tags[i] = tag_passes(&filter->rules, m->tags[i]);
}

/* Valid until the next call. Samples of one measurement mostly follow each other. */
static const struct verdict *verdict_of(struct ov_filter *filter, const struct ov_measurement *m)
{
    for (size_t i = filter->verdict_count; i > 0; i--)
        if (filter->verdicts[i - 1].measurement == m)
            return &filter->verdicts[i - 1];
    if (filter->verdict_count == filter->verdict_room) {
        filter->verdict_room = filter->verdict_room ? filter->verdict_room * 2 : 8;
        filter->verdicts = ov_realloc(filter->verdicts, filter->verdict_room,
                                      sizeof *filter->verdicts);
    }
    struct verdict *v = &filter->verdicts[filter->verdict_count++];
    verdict_make(filter, v, m);
    return v;
}

/* ---------------------------------------------------------------- one sample */

/* The value of a tag as an output would write it; false if there is no such tag. */
static bool tag_value(const struct ov_sample *s, const struct ov_map *common, struct ov_slice name,
                      struct ov_slice *value)
{
    bool found = false;
    *value = (struct ov_slice){"", 0};
    for (unsigned i = 0; i < s->measurement->tag_count; i++) {
        if (!ov_slice_eq(ov_slice(s->measurement->tags[i]), name))
            continue;
        found = true;
        *value = s->tags[i];
    }
    for (size_t i = 0; !value->len && i < common->count; i++) {
        if (!ov_slice_eq(ov_slice(common->items[i].name), name))
            continue;
        found = true;
        *value = common->items[i].value;
    }
    return found;
}

/* Whether a value pattern for the tag of `wanted`, from number `first` on, matches the sample. */
static bool value_is_listed(const struct ov_list *list, size_t first, struct ov_slice wanted,
                            struct ov_slice actual)
{
    for (size_t i = first; i < list->count; i++) {
        bool has_value;
        struct ov_slice value, name = pattern_name(list->items[i], &has_value, &value);
        if (has_value && ov_slice_eq(name, wanted) && ov_glob(value, actual))
            return true;
    }
    return false;
}

static bool sample_is_chosen(const struct ov_filter *filter, const struct ov_sample *s)
{
    const struct ov_list *include = &filter->rules.include.tags;
    const struct ov_list *exclude = &filter->rules.exclude.tags;
    bool has_value;
    struct ov_slice value, actual;
    for (size_t i = 0; i < include->count; i++) {
        struct ov_slice name = pattern_name(include->items[i], &has_value, &value);
        if (has_value && tag_value(s, &filter->tags, name, &actual) &&
            !value_is_listed(include, 0, name, actual))
            return false;
    }
    for (size_t i = 0; i < exclude->count; i++) {
        struct ov_slice name = pattern_name(exclude->items[i], &has_value, &value);
        if (has_value && tag_value(s, &filter->tags, name, &actual) && ov_glob(value, actual))
            return false;
    }
    return true;
}

static void sample_copy(struct ov_batch *to, const struct ov_sample *s, const struct verdict *v)
{
    const struct ov_measurement *m = s->measurement;
    struct ov_sample *copy = ov_batch_add(to, m);
    copy->time_ns = s->time_ns;
    copy->present = s->present & v->fields;
    memcpy(copy->values, s->values, m->field_count * sizeof *s->values);
    for (unsigned i = 0; i < m->tag_count; i++)
        if (!v->tags || v->tags[i])
            copy->tags[i] = s->tags[i];
}

/* ---------------------------------------------------------------- one batch */

static int tag_compare(const void *a, const void *b)
{
    return strcmp(((const struct ov_tag *)a)->name, ((const struct ov_tag *)b)->name);
}

/* The batch's tags less those left off, the output's own over them; by name, as outputs like. */
static void tags_merge(struct ov_filter *filter, const struct ov_batch *batch, bool left_off)
{
    size_t count;
    const struct ov_tag *tags = ov_batch_tags(batch, &count);
    const struct ov_map *own = &filter->rules.tags;
    struct ov_map *all = &filter->tags;
    all->items = ov_realloc(all->items, count + own->count + 1, sizeof *all->items);
    all->count = 0;
    for (size_t i = 0; i < count; i++) {
        bool taken = left_off && filter->chooses_tags && !tag_passes(&filter->rules, tags[i].name);
        for (size_t j = 0; j < own->count && !taken; j++)
            taken = strcmp(own->items[j].name, tags[i].name) == 0;
        if (!taken)
            all->items[all->count++] = tags[i];
    }
    for (size_t i = 0; i < own->count; i++)
        all->items[all->count++] = own->items[i];
    qsort(all->items, all->count, sizeof *all->items, tag_compare);
}

static bool is_due(struct ov_filter *filter, const struct ov_batch *batch)
{
    const struct ov_sample *first = ov_batch_first(batch);
    const void *source = ov_batch_source(batch);
    int64_t interval = filter->rules.interval_ms;
    if (interval <= 0 || !first || first->measurement == &ov_alert_measurement)
        return true; /* what happens once is told, whenever that is */
    int64_t early = interval > 10 * EARLY_MS ? EARLY_MS : 0;
    int64_t part = (first->time_ns / 1000000 + early) / interval;
    for (size_t i = 0; i < filter->taken_count; i++) {
        if (filter->taken[i].source != source)
            continue;
        bool due = filter->taken[i].part != part;
        filter->taken[i].part = part;
        return due;
    }
    filter->taken = ov_realloc(filter->taken, filter->taken_count + 1, sizeof *filter->taken);
    filter->taken[filter->taken_count++] = (struct taken){source, part};
    return true;
}

static bool patterns_are_empty(const struct ov_filter_patterns *patterns)
{
    return !patterns->measurements.count && !patterns->fields.count && !patterns->tags.count;
}

const struct ov_batch *ov_filter_take(struct ov_filter *filter, const struct ov_batch *batch,
                                      struct ov_batch **copy)
{
    const struct ov_filter_rules *rules = &filter->rules;
    const struct ov_sample *s = ov_batch_first(batch);
    *copy = NULL;
    if (!is_due(filter, batch))
        return NULL;
    if (!s || (!rules->tags.count && patterns_are_empty(&rules->include) &&
               patterns_are_empty(&rules->exclude)))
        return batch;
    *copy = ov_batch_new(&filter->tags, s->time_ns);
    tags_merge(filter, batch, false); /* a tag may choose samples and be left off them */
    for (; s; s = s->next) {
        const struct verdict *v = verdict_of(filter, s->measurement);
        if (v->wanted && (!s->present || s->present & v->fields) &&
            (!filter->chooses_samples || sample_is_chosen(filter, s)))
            sample_copy(*copy, s, v);
    }
    tags_merge(filter, batch, true);
    verdicts_reset(filter);
    if (ov_batch_count(*copy))
        return *copy;
    ov_batch_free(*copy);
    *copy = NULL;
    return NULL;
}
