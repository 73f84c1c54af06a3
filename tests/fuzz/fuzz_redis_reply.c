/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may send, in pieces: the first byte is the length of the pieces. */
#include "redis_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every byte of a reply. */
static void touch(const struct redis_reply *reply, volatile int64_t *sum)
{
    struct redis_id id;
    *sum += redis_int(reply, 0) ^ (int64_t)redis_reply_fault(reply);
    *sum += redis_map_get(reply, "name") != NULL;
    *sum += redis_id_parse(reply->text, &id);
    for (size_t i = 0; i < reply->text.len; i++)
        *sum += reply->text.ptr[i];
    for (size_t i = 0; i < reply->count; i++)
        touch(&reply->items[i], sum);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!size)
        return 0;
    struct redis_reader *reader = redis_reader_new();
    size_t step = *data ? *data : size;
    volatile int64_t sum = 0;
    for (size_t at = 1; at < size; at += step) {
        const struct redis_reply *reply;
        redis_reader_feed(reader, data + at, size - at < step ? size - at : step);
        while ((reply = redis_reader_next(reader)))
            touch(reply, &sum);
    }
    redis_reader_free(reader);
    return 0;
}
