/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names to addresses, waiting no longer than allowed. getaddrinfo has no deadline, so a name is
 * looked up in a thread of its own; one that takes too long is taken up again by the next call.
 */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <netdb.h>

#include "omnivigil.h"

struct lookup;

/* Finds `name` and `port` for sockets of `type`. OV_OK with *found (for freeaddrinfo), OV_STOPPED,
 * or OV_FAILED with ov_fail's text. `*pending` is NULL at first; a lookup that has no answer by
 * `deadline_ms` (ov_clock_ms) is left there. */
int lookup_find(struct lookup **pending, struct ov_host *host, const char *name, const char *port,
                int type, int64_t deadline_ms, struct addrinfo **found) OV_MUST_CHECK;
/* Lets go of a lookup that is under way; NULL is fine. */
void lookup_drop(struct lookup *lookup);

#endif
