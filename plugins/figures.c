/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "figures.h"

bool figure_of(const struct ov_sample *sample, const char *measurement)
{
    return strcmp(sample->measurement->name, measurement) == 0;
}

struct ov_slice figure_tag(const struct ov_sample *sample, const char *name)
{
    for (unsigned i = 0; i < sample->measurement->tag_count; i++)
        if (strcmp(sample->measurement->tags[i], name) == 0)
            return sample->tags[i];
    return (struct ov_slice){"", 0};
}

static const union ov_value *find(const struct ov_sample *sample, const char *name,
                                  enum ov_type type)
{
    for (unsigned i = 0; i < sample->measurement->field_count; i++) {
        const struct ov_field *field = &sample->measurement->fields[i];
        if (field->type == type && strcmp(field->name, name) == 0)
            return sample->present >> i & 1 ? &sample->values[i] : NULL;
    }
    return NULL;
}

struct ov_slice figure_text(const struct ov_sample *sample, const char *name)
{
    const union ov_value *value = find(sample, name, OV_TEXT);
    return value ? *value->text : (struct ov_slice){"", 0};
}

int64_t figure_int(const struct ov_sample *sample, const char *name, int64_t missing)
{
    const union ov_value *value = find(sample, name, OV_INT);
    return value ? value->integer : missing;
}

double figure_double(const struct ov_sample *sample, const char *name)
{
    const union ov_value *value = find(sample, name, OV_FLOAT);
    return value ? value->number : (double)NAN;
}

int figure_bool(const struct ov_sample *sample, const char *name)
{
    const union ov_value *value = find(sample, name, OV_BOOL);
    return value ? value->boolean : -1;
}
