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
    REFUSABLE_XLEN, REFUSABLE_XPENDING, REFUSABLE_XRANGE, REFUSABLE_XREAD, REFUSABLE_ZCARD,
    REFUSABLE_ZCOUNT,
    REFUSABLE_COMMANDS,
};

#define REFUSED(command) (UINT32_C(1) << (command))

struct refusals {
    struct ov_host *host;
    uint64_t count;       /* error replies, ever */
    uint32_t now, before; /* REFUSED bits, of this gather and of the one before */
    struct ov_buf why[REFUSABLE_COMMANDS]; /* of the first in this gather, and what would help */
};

/* Notes the reply to `command` about `what` ("" or a key or its prefix) if it is an error that
 * matters: a missing key or group is none. Returns its fault, REDIS_FINE for any other reply. */
enum redis_fault refusals_note(struct refusals *refusals, enum refusable command,
                               struct ov_slice what, const struct redis_reply *reply);
/* As refusals_note, and sets the command's REFUSED bit in *refused for such an error. */
enum redis_fault refusals_note_in(struct refusals *refusals, enum refusable command,
                                  struct ov_slice what, const struct redis_reply *reply,
                                  uint32_t *refused);
/* Notes how following a stream ended: `fault` of a refusal, REDIS_FINE when it went well. */
void refusals_follow(struct refusals *refusals, struct ov_slice key, enum redis_fault fault);
/* Why the first of `commands` (REFUSED bits) that was refused in this gather was, and what would
 * help; "" where none was. */
const char *refusals_why(struct refusals *refusals, uint32_t commands);
/* Tells the batch that these fields (0: whole samples) could not be read, if any of `commands` was
 * refused in this gather; as ov_batch_unread. */
void refusals_unread(struct refusals *refusals, uint32_t commands, struct ov_batch *batch,
                     const struct ov_measurement *m, uint64_t fields,
                     const struct ov_slice *tags);
void refusals_free(struct refusals *refusals); /* the content */
/* After a gather: announces what is no longer refused. */
void refusals_settle(struct refusals *refusals);

#endif
