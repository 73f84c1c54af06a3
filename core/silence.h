/* SPDX-License-Identifier: Apache-2.0 */
/* A time in which some alerts are not told of. */
#ifndef OV_SILENCE_H
#define OV_SILENCE_H

#include "omnivigil.h"
#include "tag_list.h"

struct ov_silence {
    struct ov_slice rules; /* globs, separated by | */
    struct ov_map tags;    /* tag name to globs */
    double from, until;    /* Unix seconds, 0 where open */
};

static inline bool ov_silence_matches(struct ov_slice patterns, struct ov_slice text)
{
    for (;;) {
        const char *bar = patterns.len ? memchr(patterns.ptr, '|', patterns.len) : NULL;
        struct ov_slice one = {patterns.ptr, bar ? (size_t)(bar - patterns.ptr) : patterns.len};
        if (ov_glob(one, text))
            return true;
        if (!bar)
            return false;
        patterns = (struct ov_slice){bar + 1, patterns.len - one.len - 1};
    }
}

/* Whether it is about the series of `rule` with these tags (a tag list), at that time. */
static inline bool ov_silence_holds(const struct ov_silence *silence, const char *rule,
                                    struct ov_slice tags, int64_t wall_ns)
{
    double now = (double)wall_ns / 1e9;
    bool holds = now >= silence->from && (silence->until == 0 || now < silence->until) &&
                 ov_silence_matches(silence->rules, ov_slice(rule));
    for (size_t i = 0; holds && i < silence->tags.count; i++)
        holds = ov_silence_matches(silence->tags.items[i].value,
                                   ov_tag_list_find(tags, ov_slice(silence->tags.items[i].name)));
    return holds;
}

#endif
