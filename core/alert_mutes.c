/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "alert_mutes.h"
#include "hex.h"
#include "tag_list.h"

/* What one input says of one rule. */
struct ov_mute {
    const struct ov_compiled_rule *rule;
    char *input;
    struct ov_buf samples; /* of each that mutes: its tags, behind their length */
};

void ov_mute_tags(struct ov_buf *tags, const struct ov_batch *batch,
                  const struct ov_sample *sample)
{
    size_t count;
    const struct ov_tag *common = ov_batch_tags(batch, &count);
    for (size_t i = 0; i < count; i++)
        ov_tag_list_add(tags, ov_slice(common[i].name), common[i].value);
    ov_tag_list_add_sample(tags, sample);
}

static struct ov_mute *find(const struct ov_mutes *mutes, const struct ov_compiled_rule *rule,
                            struct ov_slice input)
{
    for (size_t i = 0; i < mutes->count; i++)
        if (mutes->items[i].rule == rule && ov_slice_eq(ov_slice(mutes->items[i].input), input))
            return &mutes->items[i];
    return NULL;
}

static struct ov_mute *add(struct ov_mutes *mutes, const struct ov_compiled_rule *rule,
                           struct ov_slice input)
{
    mutes->items = ov_realloc(mutes->items, mutes->count + 1, sizeof *mutes->items);
    mutes->items[mutes->count] = (struct ov_mute){
        .rule = rule, .input = ov_memdup(input.ptr, input.len)};
    return &mutes->items[mutes->count++];
}

bool ov_mutes_see(struct ov_mutes *mutes, const struct ov_compiled_rule *rule, const char *input,
                  const struct ov_batch *batch)
{
    const struct ov_measurement *m = ov_rule_muting_measurement(rule);
    struct ov_buf samples = {0}, tags = {0};
    bool seen = false, changed = false;
    for (const struct ov_sample *s = m ? ov_batch_first(batch) : NULL; s; s = s->next) {
        enum ov_match match = s->measurement == m ? ov_rule_look_muting(rule, s)
                                                  : OV_MATCH_UNKNOWN;
        seen |= match != OV_MATCH_UNKNOWN;
        if (match != OV_MATCH_YES)
            continue;
        ov_buf_reset(&tags);
        ov_mute_tags(&tags, batch, s);
        ov_tag_list_put(&samples, (struct ov_slice){tags.data, tags.len});
    }
    ov_buf_free(&tags);
    if (seen) {
        struct ov_mute *mute = find(mutes, rule, ov_slice(input));
        if (!mute && samples.len)
            mute = add(mutes, rule, ov_slice(input));
        if (mute) {
            struct ov_buf before = mute->samples;
            changed = !ov_slice_eq((struct ov_slice){before.data, before.len},
                                   (struct ov_slice){samples.data, samples.len});
            mute->samples = samples;
            samples = before;
        }
    }
    ov_buf_free(&samples);
    return changed;
}

bool ov_mutes_hold(const struct ov_mutes *mutes, const struct ov_compiled_rule *rule,
                   struct ov_slice tags)
{
    for (size_t i = 0; i < mutes->count; i++) {
        const struct ov_mute *mute = &mutes->items[i];
        struct ov_slice rest = {mute->samples.data, mute->samples.len}, one;
        while (mute->rule == rule && ov_tag_list_take(&rest, &one))
            if (ov_tag_lists_agree(one, tags))
                return true;
    }
    return false;
}

void ov_mutes_save(const struct ov_mutes *mutes, struct ov_buf *out)
{
    for (size_t i = 0; i < mutes->count; i++) {
        const struct ov_mute *mute = &mutes->items[i];
        if (!mute->samples.len)
            continue;
        ov_buf_str(out, "M ");
        ov_hex_put(out, ov_slice(ov_rule_name(mute->rule)));
        ov_buf_char(out, ' ');
        ov_hex_put(out, ov_slice(mute->input));
        ov_buf_char(out, ' ');
        ov_hex_put(out, (struct ov_slice){mute->samples.data, mute->samples.len});
        ov_buf_char(out, '\n');
    }
}

bool ov_mutes_load(struct ov_mutes *mutes, const struct ov_compiled_rule *rule,
                   struct ov_slice input, struct ov_slice samples)
{
    struct ov_slice rest = samples, one;
    while (rest.len)
        if (!ov_tag_list_take(&rest, &one) || !ov_tag_list_is_whole(one))
            return false;
    struct ov_mute *mute = find(mutes, rule, input);
    if (!mute)
        mute = add(mutes, rule, input);
    ov_buf_reset(&mute->samples);
    ov_buf_slice(&mute->samples, samples);
    return true;
}

void ov_mutes_free(struct ov_mutes *mutes)
{
    for (size_t i = 0; i < mutes->count; i++) {
        free(mutes->items[i].input);
        ov_buf_free(&mutes->items[i].samples);
    }
    free(mutes->items);
    *mutes = (struct ov_mutes){0};
}
