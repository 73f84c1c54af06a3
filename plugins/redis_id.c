/* SPDX-License-Identifier: Apache-2.0 */
/* Stream entry ids: two numbers of 64 bits, the milliseconds since 1970 first. */
#include <inttypes.h>
#include <stdio.h>

#include "redis.h"

enum { NEVER_TOO_LARGE = 19 }; /* digits that fit in 64 bits, whatever they are */

/* Reads the decimal digits at the start of `*text` and takes them off. */
static bool take_number(struct ov_slice *text, uint64_t *value)
{
    size_t i = 0;
    uint64_t read = 0;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9'; i++) {
        uint64_t digit = (uint64_t)(text->ptr[i] - '0');
        if (i >= NEVER_TOO_LARGE && read > (UINT64_MAX - digit) / 10)
            return false;
        read = read * 10 + digit;
    }
    if (!i)
        return false;
    *value = read;
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
