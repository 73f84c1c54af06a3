/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tags of a sample, as every text format wants them: its own and those of its batch, empty
 * ones left out, and where both have a name, the sample's own alone. They come sorted by name if
 * both lists are sorted (a merge), else in some order.
 *
 *     struct tags tags = tags_of(sample, batch_tags, batch_tag_count);
 *     for (struct ov_tag tag; tags_next(&tags, &tag);)
 *         ...
 */
#ifndef TAGS_H
#define TAGS_H

#include "omnivigil.h"

struct tags {
    const struct ov_sample *sample;
    const struct ov_tag *common;
    size_t common_count;
    size_t own_at, common_at; /* what comes next of each, always something to show or the end */
};

static inline bool tags_sets(const struct ov_sample *sample, const char *name)
{
    for (size_t i = 0; i < sample->measurement->tag_count; i++)
        if (sample->tags[i].len && strcmp(sample->measurement->tags[i], name) == 0)
            return true;
    return false;
}

static inline void tags_skip(struct tags *tags)
{
    const struct ov_sample *sample = tags->sample;
    while (tags->own_at < sample->measurement->tag_count && !sample->tags[tags->own_at].len)
        tags->own_at++;
}

static inline void tags_skip_common(struct tags *tags)
{
    const struct ov_tag *common = tags->common;
    while (tags->common_at < tags->common_count &&
           (!common[tags->common_at].value.len ||
            tags_sets(tags->sample, common[tags->common_at].name)))
        tags->common_at++;
}

static inline struct tags tags_of(const struct ov_sample *sample, const struct ov_tag *common,
                                  size_t common_count)
{
    struct tags tags = {sample, common, common_count, 0, 0};
    tags_skip(&tags);
    tags_skip_common(&tags);
    return tags;
}

static inline bool tags_next(struct tags *tags, struct ov_tag *tag)
{
    const struct ov_measurement *m = tags->sample->measurement;
    bool own = tags->own_at < m->tag_count;
    bool common = tags->common_at < tags->common_count;
    if (own && common)
        own = strcmp(m->tags[tags->own_at], tags->common[tags->common_at].name) < 0;
    if (own) {
        *tag = (struct ov_tag){m->tags[tags->own_at], tags->sample->tags[tags->own_at]};
        tags->own_at++;
        tags_skip(tags);
    } else if (common) {
        *tag = tags->common[tags->common_at++];
        tags_skip_common(tags);
    }
    return own || common;
}

#endif
