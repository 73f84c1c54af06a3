/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Puts events of dead letters back on their topics, each in one step with its entry's removal: a
 * script in Redis does both or neither, so that an event is never in both places or in none,
 * whoever is killed or runs a second time meanwhile.
 *
 * An entry that is kept is marked, in the sorted set `omnivigil:republished:<group>` (its id, its
 * time), so that it is not put back a second time.
 */
#ifndef REPUBLISH_H
#define REPUBLISH_H

#include "dlq.h"

struct republish {
    struct dlq *dlq;
    bool keep;                /* leave the entries where they are, marked */
    bool again;               /* also those that are marked */

    int64_t done, gone, earlier; /* republished; not there any more; marked by an earlier run */
    struct redis_id first, last; /* the new ids of those that were */
    enum redis_fault fault;   /* the first refusal; nothing more is sent after it */
    struct ov_buf why;

    struct ov_buf event, retries, marks;
    bool *marked;             /* by queue: whether it has marks */
    char limit[24];
};

/* `dlq` is open, and outlives it. An enum ov_exit. End with republish_free. */
int republish_begin(struct republish *to, struct dlq *dlq, bool keep, bool again) OV_MUST_CHECK;
/* Sends what puts one entry's event back (it has no flaw); false after a refusal. Called where
 * commands may be sent; the tallies are right after redis_run. */
bool republish_send(struct republish *to, const struct dlq_entry *entry);
void republish_free(struct republish *to);

#endif
