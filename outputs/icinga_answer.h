/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an answer of Icinga's API means. It is an object with `results`, one for each object that
 * the request was about, each with a code of its own; or with `error`, for the request as a whole.
 *
 *     results 2xx, 409            delivered (409: Icinga has a newer one)
 *     404 "No objects found."     there is no such object, or this user may not do that to it
 *     results with another code   refused: only for this object
 *     results 503                 later
 *     401, 403, 3xx               later, slowly: a person has to act
 *     408, 425, 429, 5xx          later, not before its Retry-After
 *     anything else               later, slowly: that is no Icinga
 */
#ifndef ICINGA_ANSWER_H
#define ICINGA_ANSWER_H

#include "post.h"

enum icinga_verdict { ICINGA_DELIVERED, ICINGA_LATER, ICINGA_MISSING, ICINGA_REFUSED };

struct icinga_answer {
    enum icinga_verdict verdict;
    int64_t retry_ms;  /* LATER: not before this; 0: any time */
    struct ov_buf why; /* `answers 403: its own words; advice`, unless delivered */
};

/* Fills in *out, whose `why` is used again. */
void icinga_answer_read(struct icinga_answer *out, const struct post_answer *answer);

#endif
