/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits in the queue: one check result as Icinga takes it, behind a line that says what it is
 * about.
 *
 *     icinga 1764035600500000000-7 omnidaemon!backlog
 *     {"type":"Service","service":"omnidaemon!backlog","exit_status":2,…}
 */
#ifndef ICINGA_RECORD_H
#define ICINGA_RECORD_H

#include "omnivigil.h"

struct icinga_result {
    struct ov_slice service;   /* host!service, as made by icinga_name.h */
    int exit_status;
    struct ov_slice output;    /* lines; no control bytes besides their ends */
    struct ov_slice perfdata;  /* elements of a JSON array */
    const char *source;
    int64_t time_ns, ttl_ms;   /* 0: no ttl */
};

void icinga_record_put(struct ov_buf *out, const char *word, const struct icinga_result *result);

struct icinga_record {
    struct ov_slice word, service; /* the word is new for each result */
    struct ov_slice body;
};
/* Takes a record apart, without copies. False: it is none. */
bool icinga_record_read(struct ov_slice bytes, struct icinga_record *record);

#endif
