/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dead letter queues that a command is about, and the entries in them that it means.
 *
 *     dlq_open(&dlq, call, bus, topic)            which queues, as they are now
 *     dlq_each(&dlq, &choice, fn, context)        every entry that is chosen and was there by then
 *
 * Entries that arrive later are not met: what is changed is what could be seen.
 */
#ifndef DLQ_H
#define DLQ_H

#include "bus_call.h"
#include "dead_letter.h"
#include "exceptions.h"

struct dlq_queue {
    struct ov_slice topic;      /* empty where the name does not tell and none was asked for */
    struct ov_slice group, agent; /* agent: empty for a group of another name */
    struct ov_slice key;        /* owned */
    int64_t length;             /* -1: not known */
    bool has_group;             /* the consumer group is there */
    struct redis_id newest;     /* at dlq_open */
};

struct dlq {
    struct ov_call *call;
    struct bus *bus;
    const struct ov_batch *batch;
    struct ov_slice topic;      /* the one that was asked for; ptr NULL: all */
    int64_t now_ms;             /* by Redis' clock, at dlq_open */
    struct dlq_queue *queues;   /* those that hold something */
    size_t count;
    struct exceptions exceptions;
};

struct dlq_entry {
    const struct dlq_queue *queue;
    struct redis_id id;
    struct ov_slice data;
    const struct redis_reply *fields;
    const struct dead_letter *letter;
    const struct exception *exception; /* NULL: not known, or not looked for */
};

/* Which entries. */
struct dlq_choice {
    struct redis_id *ids;       /* these; owned */
    size_t id_count;
    struct ov_slice match;      /* with the exception, "Type: message", or the event matching this
                                 * pattern; without *, ? and [ a part of them */
    struct ov_buf pattern;
    struct ov_slice given;      /* the same as it was given: it may be a failure as --group shows
                                 * it, folded or whole */
    int64_t older_ms;           /* older than this; 0: of any age */
    bool all;
};

/* What commands show of dead letters. */
extern const char *const dlq_figures[];

/* Gathers and finds the queues. An enum ov_exit; what is wrong is said. End with dlq_close. */
int dlq_open(struct dlq *dlq, struct ov_call *call, struct bus *bus,
             const char *topic) OV_MUST_CHECK;
void dlq_close(struct dlq *dlq);
int64_t dlq_length(const struct dlq *dlq); /* of all */

/* Called with each entry; it may send commands, see stream_pages.h. False ends it all. */
typedef bool dlq_entry_fn(void *context, const struct dlq_entry *entry);

/* The oldest first, or the newest first of each queue and up to `limit` of each (0: all). An enum
 * ov_exit. */
struct dlq_walk {
    const struct dlq_choice *choice; /* NULL: all */
    bool newest_first;
    uint64_t limit;
    const char *what;           /* for the progress that is shown; NULL: none */
    dlq_entry_fn *fn;
    bool (*between)(void *context); /* as in struct stream_pages */
    void *context;
};
int dlq_each(struct dlq *dlq, const struct dlq_walk *walk) OV_MUST_CHECK;

/* Wants the exception of an entry, which dlq_find_exceptions looks for, together with others: later
 * walks have them. Says as a note where they could not be had. An enum ov_exit. */
void dlq_want_exception(struct dlq *dlq, const struct dlq_entry *entry);
int dlq_find_exceptions(struct dlq *dlq) OV_MUST_CHECK;
/* Both, for all entries of a walk, whose `fn` is not called. */
int dlq_explain(struct dlq *dlq, const struct dlq_walk *walk) OV_MUST_CHECK;
/* When it was given up, as Unix time. */
double dlq_entry_time(const struct dlq_entry *entry);

/* Flags of the commands that change or copy entries, in this order at the positions from 0 on;
 * reads them, where exactly one way to choose must be given. An enum ov_exit. */
enum dlq_flag { DLQ_FLAG_ID, DLQ_FLAG_ALL, DLQ_FLAG_MATCH, DLQ_FLAG_OLDER, DLQ_FLAG_OWN };
#define DLQ_CHOICE_FLAGS                                                                           \
    {.name = "id", .value = "ID", .help = "the entry of this id, and those that follow TOPIC"},    \
    {.name = "all", .help = "every entry"},                                                        \
    {.name = "match", .value = "PATTERN",                                                          \
     .help = "those whose exception or event matches, as 'ValueError*'"},                          \
    {.name = "older-than", .value = "AGE", .help = "those given up longer ago, as 12h or 7d"}
int dlq_choice_read(struct dlq_choice *choice, struct ov_call *call) OV_MUST_CHECK;
/* Says so where one of the chosen ids is in several queues: it does not tell which is meant. */
/* Whether particular entries were meant, so that it is a problem where there are none. */
static inline bool dlq_choice_is_narrow(const struct dlq_choice *choice)
{
    return choice->id_count || choice->match.ptr;
}
int dlq_choice_check(const struct dlq_choice *choice, struct dlq *dlq) OV_MUST_CHECK;
void dlq_choice_free(struct dlq_choice *choice);

#endif
