/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer to a write means.
 *
 *     2xx                       delivered (but a page in HTML is some other server's)
 *     4xx with `partial write`  delivered but for the points the server dropped
 *     413                       to be sent in smaller pieces; a single line too large is dropped
 *     401, 403, 404, 3xx        kept and tried again slowly: a person has to act
 *     408, 425, 429, 5xx        kept and tried again, not before its Retry-After
 *     other 4xx                 dropped; in HTML, which no InfluxDB speaks, kept and tried slowly
 */
#ifndef INFLUX_ANSWER_H
#define INFLUX_ANSWER_H

#include "omnivigil.h"
#include "post.h"

enum influx_verdict {
    INFLUX_DELIVERED, /* but for `refused` lines */
    INFLUX_TOO_LARGE,
    INFLUX_LATER,
    INFLUX_UNKNOWN, /* the database, retention policy or bucket: later, after a person's help */
};

struct influx_answer {
    enum influx_verdict verdict;
    uint64_t refused;  /* lines the server has dropped */
    int64_t retry_ms;  /* what is to be tried later, not before this; 0: any time */
    bool fault;        /* it failed inside, which these very lines may be the cause of */
    struct ov_buf why; /* `answers 400: the server's own words`, unless all is well */
};

/* Fills in *out, whose `why` is used again, for an answer to a request of `lines` lines. */
void influx_answer_read(struct influx_answer *out, const struct post_answer *answer,
                        uint64_t lines);

/* Appends what a person is to read of an answer: its error, else its text. Returns whether it
 * holds an error. */
bool influx_answer_words(const struct post_answer *answer, struct ov_buf *out);

#endif
