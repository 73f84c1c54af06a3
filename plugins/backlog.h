/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much work a consumer group has before it, and how much it lost: what Redis' own `lag` does
 * not tell once a stream was trimmed, an entry deleted, or the group made in the middle.
 *
 *     stream    |  trimmed away  | first ............ last |          added = ever added
 *     group               ^ last-delivered    left ───────▶
 *
 *     at the end   last-delivered = newest id:     left = 0
 *     before       last-delivered < first id:      left = length      (exact)
 *     inside       otherwise:                      left = lag - lost, or counted; all there is of
 *                                                  lag where added = length
 *
 * `lag` = added - read never forgets what was trimmed unread, so while Redis knows how many
 * entries the group has read, lost = lag - left. Where it does not (a group made at `$` on a topic
 * with history), the place of last-delivered among all entries ever added is remembered from the
 * moments at which it was known, and lost = added - length - place. Redis forgets too: when such a
 * group catches up, its lag begins anew at 0. So what was counted under one regime is carried
 * over into the next, and lost only grows.
 *
 * Pure functions of facts and of a memory a group.
 */
#ifndef BACKLOG_H
#define BACKLOG_H

#include "redis.h"

struct stream_facts {
    int64_t length;
    int64_t added;              /* -1: Redis before 7.0 */
    struct redis_id first, last_generated;
    bool empty;                 /* no entries: `first` means nothing */
};
struct group_facts {
    struct redis_id last_delivered;
    int64_t read;               /* entries-read; -1: null or not told */
    int64_t lag;                /* -1: null or not told */
    int64_t now_ms;             /* of Redis, at the look */
};

/* What is remembered of a group from cycle to cycle; zeros at first. */
struct backlog_memory {
    bool known;                 /* the rest means something */
    bool by_lag;                /* current was told by lag, else by place */
    struct redis_id last_delivered;
    int64_t added;
    int64_t place;              /* entries ever added up to last_delivered; -1: not known */
    int64_t current;            /* lost, under the present regime */
    int64_t carried;            /* lost, under earlier ones */
    int64_t lost_ms;            /* when more was found lost than at the look before, or at a first
                                   look tasks right after last_delivered; 0: never */
};

struct backlog {
    int64_t left;               /* -1: has to be counted */
    int64_t lost;               /* -1: not known (yet) */
    bool waiting;               /* something is left for certain, however much */
    bool oldest_is_first;       /* the oldest entry left is the stream's first */
};

/* What the facts alone say. Where left is -1, count the entries after last_delivered up to
 * last_generated (within a limit) and call backlog_counted. Updates the memory. The stream was
 * asked before the group: what was added or read in between does not count as lost. */
struct backlog backlog_judge(const struct stream_facts *stream, const struct group_facts *group,
                             struct backlog_memory *memory);
/* Completes a judgement with an exact count of the entries left. */
void backlog_counted(struct backlog *backlog, const struct stream_facts *stream,
                     const struct group_facts *group, int64_t left,
                     struct backlog_memory *memory);

#endif
