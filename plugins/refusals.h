/* SPDX-License-Identifier: Apache-2.0 */
/* Commands that Redis answers with an error: each told once, with the ACL rule that would help,
 * counted, and announced when it is over. */
#ifndef REFUSALS_H
#define REFUSALS_H

#include "redis.h"

enum refusable {
    REFUSABLE_CLIENT_LIST, REFUSABLE_EXISTS, REFUSABLE_GET, REFUSABLE_HGET, REFUSABLE_INFO,
    REFUSABLE_OBJECT, REFUSABLE_SCAN, REFUSABLE_SCARD, REFUSABLE_SMEMBERS, REFUSABLE_SSCAN,
    REFUSABLE_TIME,
    REFUSABLE_TYPE, REFUSABLE_XINFO_CONSUMERS, REFUSABLE_XINFO_GROUPS, REFUSABLE_XINFO_STREAM,
    REFUSABLE_XLEN, REFUSABLE_XPENDING, REFUSABLE_XRANGE, REFUSABLE_ZCARD, REFUSABLE_ZCOUNT,
    REFUSABLE_COMMANDS,
};

struct refusals {
    struct ov_host *host;
    uint64_t count;       /* error replies, ever */
    uint32_t now, before; /* bit i: enum refusable, in this gather and in the one before */
};

/* Notes the reply to `command` about `what` ("" or a key or its prefix) if it is an error that
 * matters: a missing key or group is none. Returns its fault, REDIS_FINE for any other reply. */
enum redis_fault refusals_note(struct refusals *refusals, enum refusable command,
                               struct ov_slice what, const struct redis_reply *reply);
/* Notes how following a stream ended: `fault` of a refusal, REDIS_FINE when it went well. */
void refusals_follow(struct refusals *refusals, struct ov_slice key, enum redis_fault fault);
/* After a gather: announces what is no longer refused. */
void refusals_settle(struct refusals *refusals);

#endif
