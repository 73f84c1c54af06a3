/* SPDX-License-Identifier: Apache-2.0 */
/* Stream entry ids: two numbers of 64 bits, the milliseconds since 1970 first. */
#include <inttypes.h>
#include <stdio.h>

#include "redis.h"

/* Reads the decimal digits at the start of `*text` and takes them off. */
static bool take_number(struct ov_slice *text, uint64_t *value)
{
    size_t i = 0;
    *value = 0;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++)
        if (__builtin_mul_overflow(*value, UINT64_C(10), value) ||
            __builtin_add_overflow(*value, (uint64_t)(text->ptr[i] - '0'), value))
            return false;
    if (!i)
        return false;
    text->ptr += i;
    text->len -= i;
    return true;
}

bool redis_id_parse(struct ov_slice text, struct redis_id *id)
{
    struct redis_id read;
    if (!take_number(&text, &read.ms) || !text.len || *text.ptr != '-')
        return false;
    text.ptr++;
    text.len--;
    if (!take_number(&text, &read.seq) || text.len)
        return false;
    *id = read;
    return true;
}

struct ov_slice redis_id_text(struct redis_id id, char text[48])
{
    int len = snprintf(text, 48, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
    return (struct ov_slice){text, (size_t)len};
}

int redis_id_compare(struct redis_id a, struct redis_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}
