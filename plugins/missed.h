/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What agents missed because Redis lost their consumer group: a runner makes it again at the end of
 * its topic, and what was published in between is delivered to nobody, with no number that tells.
 *
 *     topic     |--- done ---| lost ... made anew |--- done ---|
 *                            ^ position  missed   ^
 *
 * OmniDaemon notes in `omni-metrics` each entry that a group is done with. An entry is missed
 * where it is younger than the first of these, stands in the topic, is not pending, is not waiting
 * for its delivery, and no event tells of it, there or, by its task, in the task metrics.
 *
 *     missed_want(&all, topic, agent) ...   then missed_find(&all)   then the results
 */
#ifndef MISSED_H
#define MISSED_H

#include "event.h"
#include "omni.h"
#include "pairs.h"

struct missed_ids {
    struct redis_id *ids;
    size_t count, cap;
};

struct missed_group {
    struct pair name;            /* topic, agent */
    struct missed *all;
    struct ov_buf group;

    bool exists;                 /* the group, by now */
    bool known;                  /* there is an event of it, or a time it began at */
    struct redis_id position;    /* where a group that is gone had come to */
    struct missed_ids missed;    /* the entries it missed, the oldest first */
    size_t skipped;              /* so many of them are not beyond `position` */
    bool cut;                    /* events or entries beyond the limits were not looked at */

    struct redis_id first, last_generated, last_delivered;
    int64_t length;
    double created_at;           /* of the agent; NaN */
    struct missed_ids done, pending, tried;
    struct redis_id next_pending;
};

struct missed {
    /* set by the owner */
    const struct omni_options *omni;
    struct redis *redis;
    uint64_t events_max;         /* how many events and entries are looked at, at most */
    int64_t until_ms;            /* on ov_clock_ms; 0: no limit */
    struct redis_id after;       /* only entries after this, processed before or not known to be;
                                    0-0: as the events tell */
    void (*progress)(void *context, uint64_t events); /* or NULL */
    void *context;

    struct pairs groups;         /* struct missed_group */
    struct ov_buf why;           /* why something could not be read; empty: all was */
    uint64_t events;             /* looked at */
    struct redis_id horizon;     /* events before this were not looked at; 0-0: all were */
    struct pairs tasks;          /* of entries that may be missed */
    struct event_reader *reader;
    struct missed_group *reading;
    struct ov_buf key;
};

void missed_want(struct missed *all, struct ov_slice topic, struct ov_slice agent);
/* Fails as redis_run does; what is refused is no failure but `why`. */
int missed_find(struct missed *all) OV_MUST_CHECK;
void missed_free(struct missed *all);

#endif
