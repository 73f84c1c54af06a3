/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Redis stream and one consumer group on it in numbers only, with entries-read and lag by the
 * rules of Redis 7.0 (t_stream.c), and beside them the truth that Redis does not keep. The n-th
 * entry ever added has the id n-0, so an id is also its place.
 */
#ifndef SIM_STREAM_H
#define SIM_STREAM_H

#include "backlog.h"

enum { SIM_MOST = 4096 }; /* entries ever added */

struct sim {
    /* the stream; ids are 0 where Redis has 0-0 */
    uint64_t added, length, first, last, max_deleted;
    bool there[SIM_MOST + 1];
    /* the group */
    bool has_group;
    uint64_t delivered; /* last-delivered-id */
    int64_t read;       /* entries-read, -1: null */
    /* the truth */
    uint64_t lost; /* trimmed since the group exists, before it read them */
};

static inline void sim_find_first(struct sim *s)
{
    if (s->length == 0)
        s->first = 0;
    else
        while (!s->there[s->first])
            s->first++;
}

static inline void sim_add(struct sim *s)
{
    s->last = ++s->added;
    s->there[s->last] = true;
    if (s->length++ == 0)
        s->first = s->last;
}

/* XTRIM MAXLEN: leaves max-deleted-entry-id alone. */
static inline void sim_trim(struct sim *s, uint64_t keep)
{
    while (s->length > keep) {
        s->there[s->first] = false;
        s->length--;
        s->lost += s->has_group && s->first > s->delivered;
        sim_find_first(s);
    }
}

static inline void sim_delete(struct sim *s, uint64_t id)
{
    if (id == 0 || id > s->added || !s->there[id])
        return;
    s->there[id] = false;
    s->length--;
    if (id > s->max_deleted)
        s->max_deleted = id;
    sim_find_first(s);
}

/* XGROUP CREATE at an id. */
static inline void sim_create(struct sim *s, uint64_t at)
{
    s->has_group = true;
    s->delivered = at;
    s->read = -1;
    s->lost = 0;
}

static inline bool sim_has_tombstones_after(const struct sim *s, uint64_t id)
{
    return s->length && s->max_deleted && s->first <= s->max_deleted && id <= s->max_deleted;
}

/* streamEstimateDistanceFromFirstEverEntry */
static inline int64_t sim_place_by_redis(const struct sim *s, uint64_t id)
{
    if (!s->added)
        return 0;
    if (!s->length && id <= s->last)
        return (int64_t)s->added;
    if (id == s->last)
        return (int64_t)s->added;
    if (s->max_deleted == 0 || s->max_deleted < s->first) {
        if (id < s->first)
            return (int64_t)(s->added - s->length);
        if (id == s->first)
            return (int64_t)(s->added - s->length + 1);
    }
    return -1;
}

/* XREADGROUP COUNT n > */
static inline void sim_read(struct sim *s, uint64_t count)
{
    for (uint64_t id = s->delivered + 1; id <= s->added && count; id++) {
        if (!s->there[id])
            continue;
        count--;
        if (s->read >= 0 && !sim_has_tombstones_after(s, id))
            s->read++;
        else
            s->read = sim_place_by_redis(s, id);
        s->delivered = id;
    }
}

/* XINFO GROUPS: lag, -1 for null */
static inline int64_t sim_lag(const struct sim *s)
{
    if (!s->added)
        return 0;
    int64_t read = s->read;
    if (read < 0 || sim_has_tombstones_after(s, s->delivered))
        read = sim_place_by_redis(s, s->delivered);
    return read < 0 ? -1 : (int64_t)s->added - read;
}

static inline int64_t sim_left(const struct sim *s)
{
    int64_t left = 0;
    for (uint64_t id = s->delivered + 1; id <= s->added; id++)
        left += s->there[id];
    return left;
}

static inline struct stream_facts sim_stream_facts(const struct sim *s)
{
    return (struct stream_facts){
        .length = (int64_t)s->length, .added = (int64_t)s->added, .first = {s->first, 0},
        .last_generated = {s->last, 0}, .empty = s->length == 0,
    };
}

static inline struct group_facts sim_group_facts(const struct sim *s)
{
    return (struct group_facts){.last_delivered = {s->delivered, 0}, .read = s->read,
                                .lag = sim_lag(s)};
}

/* One step of a script, a letter and a number: add so many, read so many, trim to a length, delete
 * an id, make the group at an id. */
static inline void sim_step(struct sim *s, char what, uint64_t n)
{
    switch (what) {
    case 'r':
        sim_read(s, n);
        break;
    case 'a':
        for (uint64_t i = 0; i < n; i++)
            sim_add(s);
        break;
    case 't':
        sim_trim(s, n);
        break;
    case 'd':
        sim_delete(s, n);
        break;
    case 'g':
        sim_create(s, n);
        break;
    default:
        break;
    }
}

#endif
