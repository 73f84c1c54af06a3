/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The exceptions behind dead letters. OmniDaemon's task events have them (`task_failed`, with the
 * task's id); a dead letter only says that there were too many retries. Say which tasks are wanted,
 * then look once through the events, the newest first:
 *
 *     exceptions_want(&all, task_id, agent, published)     ... any number of times
 *     exceptions_find(&all, options, redis)                one bounded pass
 *     exceptions_of(&all, task_id, agent)                  the last exception, or NULL
 */
#ifndef EXCEPTIONS_H
#define EXCEPTIONS_H

#include "omni.h"
#include "pairs.h"

struct exception {
    struct pair name;          /* task id, agent ("" for any) */
    bool found;
    struct ov_slice type, message; /* owned; cut where they are very long */
};

/* Start with {0}. */
struct exceptions {
    struct pairs wanted;       /* struct exception */
    uint64_t missing;          /* wanted and not found yet */
    uint64_t since_ms;         /* no event before this can be of interest */
    uint64_t looked_at;        /* events */
    struct ov_buf why;         /* why the events could not be read, for a note; empty: they were */
    /* called now and then with how many events were looked at; or NULL */
    void (*progress)(void *context, uint64_t done);
    void *context;
    struct event_reader *reader;
};

/* `published`: the id of the event, or 0-0 where it is not known. A task without an id is passed
 * over. */
void exceptions_want(struct exceptions *all, struct ov_slice task_id, struct ov_slice agent,
                     struct redis_id published);
/* Fails as redis_run does; what is refused or damaged is no failure but `why`. */
int exceptions_find(struct exceptions *all, const struct omni_options *omni,
                    struct redis *redis) OV_MUST_CHECK;
const struct exception *exceptions_of(const struct exceptions *all, struct ov_slice task_id,
                                      struct ov_slice agent);
void exceptions_free(struct exceptions *all);

#endif
