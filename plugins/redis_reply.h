/* SPDX-License-Identifier: Apache-2.0 */
/* Turns the bytes Redis sends into replies. hiredis' reader takes them apart; the replies are
 * built in an arena that is emptied for each next one, so that a reply costs no allocation. */
#ifndef REDIS_REPLY_H
#define REDIS_REPLY_H

#include "redis.h"

/* What one reply may take in memory; a larger one is an error before it is allocated. */
#define REDIS_REPLY_LIMIT ((size_t)64 << 20)

struct redis_reader;

struct redis_reader *redis_reader_new(void);
void redis_reader_free(struct redis_reader *reader);
/* Takes bytes in, as many as came; take out the replies before the next call. */
void redis_reader_feed(struct redis_reader *reader, const void *bytes, size_t len);
/* The next whole reply, valid until the next call. NULL when it takes more bytes, and after an
 * error, for good. */
const struct redis_reply *redis_reader_next(struct redis_reader *reader);
/* What is wrong with the bytes, or NULL. */
const char *redis_reader_error(const struct redis_reader *reader);

#endif
