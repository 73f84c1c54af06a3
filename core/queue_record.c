/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <inttypes.h>
#include <stdio.h>

#include "queue_record.h"

enum { CHECKED_AT = OV_QUEUE_MARK_AT + OV_QUEUE_MARK_LEN, HEAD_CHECKSUM_AT = 55 };
#define LARGEST_COUNT UINT64_C(9999999999)
#define LARGEST_TIME INT64_C(9999999999999)

/* Each step is a bijection of the sum and of the word, so that no single wrong word is lost on
 * the way; a multiplication for eight bytes. */
static uint64_t step(uint64_t sum, uint64_t word)
{
    sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return sum ^ sum >> 32;
}

static uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

uint32_t ov_queue_record_checksum(uint32_t seed, struct ov_slice bytes)
{
    enum { LANES = 4, WORD = sizeof(uint64_t), BLOCK = LANES * WORD };
    uint64_t lanes[LANES] = {1, 2, 3, 4}, sum = step(seed, bytes.len); /* lanes for speed */
    for (; bytes.len >= BLOCK; bytes.ptr += BLOCK, bytes.len -= BLOCK)
        for (int i = 0; i < LANES; i++)
            lanes[i] = step(lanes[i], word_at(bytes.ptr + i * WORD));
    for (int i = 0; i < LANES; i++)
        sum = step(sum, lanes[i]);
    for (; bytes.len >= WORD; bytes.ptr += WORD, bytes.len -= WORD)
        sum = step(sum, word_at(bytes.ptr));
    char rest[WORD] = {0};
    if (bytes.len)
        memcpy(rest, bytes.ptr, bytes.len);
    return (uint32_t)step(step(sum, word_at(rest)), seed);
}

static uint32_t head_checksum(const char *head, uint32_t seed)
{
    return ov_queue_record_checksum(
        seed, (struct ov_slice){head + CHECKED_AT, HEAD_CHECKSUM_AT - CHECKED_AT});
}

void ov_queue_record_write(char out[OV_QUEUE_HEAD_LEN], uint32_t seed,
                           const struct ov_queue_head *head, struct ov_slice bytes)
{
    char text[OV_QUEUE_HEAD_LEN + 1];
    uint64_t samples = head->samples > LARGEST_COUNT ? LARGEST_COUNT : head->samples;
    int64_t time_ms = head->time_ms < 0 ? 0
                      : head->time_ms > LARGEST_TIME ? LARGEST_TIME : head->time_ms;
    snprintf(text, sizeof text, OV_QUEUE_MAGIC "wait %010zu %010" PRIu64 " %013" PRId64
             " %08" PRIx32 " ", bytes.len, samples, time_ms,
             ov_queue_record_checksum(seed, bytes));
    snprintf(text + HEAD_CHECKSUM_AT, sizeof text - HEAD_CHECKSUM_AT, "%08" PRIx32 "\n",
             head_checksum(text, seed));
    memcpy(out, text, OV_QUEUE_HEAD_LEN);
}

/* Reads exactly `width` digits of `base` and the byte `end` behind them. */
static bool read_number(const char **at, size_t width, unsigned base, char end, uint64_t *value)
{
    *value = 0;
    for (const char *stop = *at + width; *at != stop; ++*at) {
        unsigned c = (unsigned char)**at;
        unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 99;
        if (digit >= base)
            return false;
        *value = *value * base + digit;
    }
    return *(*at)++ == end;
}

/* The words have no letter in common at any place: the nearer one wins. */
static bool mark_is_done(const char *mark)
{
    int done = 0;
    for (int i = 0; i < OV_QUEUE_MARK_LEN; i++)
        done += (mark[i] == OV_QUEUE_DONE[i]) - (mark[i] == "wait"[i]);
    return done > 0;
}

bool ov_queue_record_read(const char in[OV_QUEUE_HEAD_LEN], uint32_t seed,
                          struct ov_queue_head *head)
{
    const char *at = in + CHECKED_AT + 1;
    uint64_t len, samples, time_ms, checksum, own;
    if (memcmp(in, OV_QUEUE_MAGIC, strlen(OV_QUEUE_MAGIC)) != 0 || in[CHECKED_AT] != ' ' ||
        !read_number(&at, 10, 10, ' ', &len) || !read_number(&at, 10, 10, ' ', &samples) ||
        !read_number(&at, 13, 10, ' ', &time_ms) || !read_number(&at, 8, 16, ' ', &checksum) ||
        !read_number(&at, 8, 16, '\n', &own) || own != head_checksum(in, seed) ||
        len > OV_QUEUE_RECORD_MAX)
        return false;
    *head = (struct ov_queue_head){
        .done = mark_is_done(in + OV_QUEUE_MARK_AT), .len = (size_t)len,
        .samples = (size_t)samples, .time_ms = (int64_t)time_ms, .checksum = (uint32_t)checksum,
    };
    return true;
}
