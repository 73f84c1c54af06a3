/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread that looks: it alone works with the call, so that a Redis that hangs keeps no key
 * waiting. What it found is handed over under a lock.
 */
#ifndef TOP_WATCH_H
#define TOP_WATCH_H

#include "top_page.h"

struct top_watch;

/* Starts; from now on the call is the thread's. NULL: there is no thread to be had. */
struct top_watch *top_watch_start(struct ov_call *call, int64_t interval_ms);
/* Readable when there is something new; top_watch_state makes it unreadable again. */
int top_watch_fd(const struct top_watch *watch);

struct top_state {
    struct top_look *look;   /* a new one, now the caller's; or NULL */
    int64_t asked_ms;        /* when the look under way began; 0: none is under way */
    struct ov_buf *trouble;  /* set to what is wrong in that so far; the caller's */
    struct ov_buf page;      /* a page that was told, now the caller's */
    uint64_t page_id;        /* of that; 0: none */
    int64_t page_ms;
};
void top_watch_state(struct top_watch *watch, struct top_state *state);

/* Looks as soon as it can. */
void top_watch_hurry(struct top_watch *watch);
/* Asks for a page, again and again until another (or, with id 0, none) is asked for. */
void top_watch_ask(struct top_watch *watch, const struct top_ask *ask);
/* Ends what is under way, and the thread; the call is the caller's again. */
void top_watch_stop(struct top_watch *watch);

#endif
