/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The series of rules that are remembered: those that alarm, and those of rules about an increase;
 * a healthy sample costs a look at its conditions and nothing else. Kept in a balanced tree by a
 * key of bytes: the rule's name, the input's, then the sample's tags as a tag list.
 */
#ifndef OV_ALERT_SERIES_H
#define OV_ALERT_SERIES_H

#include "history.h"
#include "omnivigil.h"
#include "rule.h"

/* ENDED: resolved, while the telling of it is on its way */
enum ov_series_state { OV_SERIES_QUIET, OV_SERIES_PENDING, OV_SERIES_FIRING, OV_SERIES_ENDED };

/* What can be told; the numbers are in the saved text. */
enum ov_telling { OV_TELL_NOTHING, OV_TELL_FIRING, OV_TELL_REPEAT, OV_TELL_RESOLVED };

struct ov_series {
    struct ov_slice key;         /* behind the struct */
    struct ov_slice input, tags; /* parts of it */
    const struct ov_compiled_rule *rule; /* NULL: the configuration has no such rule any more */
    size_t *active;              /* how many series of its rule there are; NULL with the rule */
    struct ov_series *next;      /* in a list made of a walk */
    enum ov_series_state state;
    enum ov_severity severity;
    bool left_behind;            /* its rule or its input is no longer configured */
    bool gone;                   /* ended because it is no longer measured: not remembered */
    uint64_t met;                /* the feed that a sample of it was last in */
    int64_t missing_ms;          /* since when it should have been met, and was not; 0 */
    int64_t since_ms;            /* pending: when it began to alarm */
    int64_t over_ms;             /* firing: since when it no longer alarms; 0 while it does */
    int64_t started_ns, told_ns; /* wall clock */
    enum ov_severity told;       /* the severity that was told of; NONE: nothing was */
    enum ov_telling told_what;
    const struct ov_batch *telling; /* the batch that a sample of it is on its way in, or NULL */
    bool tell_again;             /* what was told last was on its way when the agent ended */
    char *id;                    /* the incident's, once it fired */
    double last;                 /* the value at the last look; NaN where it has none */
    struct ov_history history;   /* of a counter */
    double value;                /* when it last alarmed, */
    struct ov_buf summary;       /* and what was to be said then */
    enum ov_severity worst;      /* the incident's worst moment; NONE before it fires */
    double worst_value;
    struct ov_buf worst_summary;
};

enum { OV_SERIES_MAX = 100000 };

/* Zeros at first. */
struct ov_series_set {
    void *tree;
    size_t count;
};

/* Builds the key of `sample` into `key` (emptied first); the result points into it. */
struct ov_slice ov_series_key(struct ov_buf *key, const char *rule, const char *input,
                              const struct ov_sample *sample);
/* Takes a key apart that may be damaged. */
bool ov_series_key_read(struct ov_slice key, struct ov_slice *rule, struct ov_slice *input,
                        struct ov_slice *tags);

struct ov_series *ov_series_find(struct ov_series_set *set, struct ov_slice key);
/* A new one, quiet; `rule` and `active` may be NULL. NULL where the key is damaged, or there are
 * too many. */
struct ov_series *ov_series_add(struct ov_series_set *set, struct ov_slice key,
                                const struct ov_compiled_rule *rule, size_t *active);
void ov_series_drop(struct ov_series_set *set, struct ov_series *series);
/* All of them, linked by `next`, so that they can be dropped on the way. */
struct ov_series *ov_series_list(struct ov_series_set *set);
void ov_series_free(struct ov_series_set *set); /* the content */

#endif
