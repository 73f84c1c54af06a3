/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bucket i holds durations up to 0.1 ms * GAMMA^(i - BELOW), the first all up to 1 us. As GAMMA is
 * (1 + e) / (1 - e), the value 2 * bound / (GAMMA + 1) is within e = 1 % of all in a bucket.
 * Tasks of one agent take similar times, so a slice keeps only the buckets it needs, in an array
 * sorted by index; a summary adds the slices up in an array of all buckets on the stack.
 *
 *     slices[epoch % 10]:  | 40 | 41 | 32 | 33 | ... | 39 |   41 is being filled, 32 the oldest
 */
#include "sketch.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#define BASE_SECONDS 1e-4
#define GAMMA (1.01 / 0.99)
#define LOG_GAMMA 0.020000666706669435 /* ln(GAMMA) */
#define BELOW 231                      /* buckets below BASE_SECONDS; texts count from it */
#define BUCKETS (BELOW + 1128)         /* the last one holds SKETCH_MAX_SECONDS */

/* ---------------------------------------------------------------- adding */

static unsigned bucket_index(double seconds)
{
    double index = seconds > 0 ? ceil(log(seconds / BASE_SECONDS) / LOG_GAMMA) + BELOW : 0;
    return index <= 0 ? 0 : index < BUCKETS - 1 ? (unsigned)index : BUCKETS - 1;
}

static double bucket_seconds(unsigned index)
{
    return BASE_SECONDS * exp(((double)index - BELOW) * LOG_GAMMA) * 2 / (GAMMA + 1);
}

static void slice_empty(struct sketch_slice *slice)
{
    free(slice->buckets);
    *slice = (struct sketch_slice){0};
}

/* Where a bucket is, or belongs. */
static unsigned slice_find(const struct sketch_slice *slice, unsigned index)
{
    unsigned low = 0, high = slice->bucket_count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (slice->buckets[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void slice_insert(struct sketch_slice *slice, unsigned at, unsigned index, uint32_t count)
{
    if (slice->bucket_count == slice->bucket_cap) {
        slice->bucket_cap = (uint16_t)(slice->bucket_cap ? slice->bucket_cap * 2 : 8);
        slice->buckets = ov_realloc(slice->buckets, slice->bucket_cap, sizeof *slice->buckets);
    }
    memmove(slice->buckets + at + 1, slice->buckets + at,
            (slice->bucket_count - at) * sizeof *slice->buckets);
    slice->buckets[at] = (struct sketch_bucket){(uint16_t)index, count};
    slice->bucket_count++;
}

static void slice_add(struct sketch_slice *slice, unsigned index)
{
    unsigned at = slice_find(slice, index);
    if (at == slice->bucket_count || slice->buckets[at].index != index)
        slice_insert(slice, at, index, 1);
    else if (slice->buckets[at].count < UINT32_MAX)
        slice->buckets[at].count++;
}

static int64_t epoch_of(int64_t window_ms, int64_t at_ms)
{
    int64_t length = window_ms / SKETCH_SLICES;
    return at_ms <= 0 ? 0 : at_ms / (length > 0 ? length : 1);
}

/* The slice that `at_ms` falls into, emptied of an earlier turn; NULL if the ring has moved on. */
static struct sketch_slice *sketch_at(struct sketch *s, int64_t window_ms, int64_t at_ms)
{
    int64_t epoch = epoch_of(window_ms, at_ms);
    struct sketch_slice *slice = &s->slices[epoch % SKETCH_SLICES];
    int64_t ahead = slice->epoch - epoch;
    if (ahead == 0)
        return slice;
    if (ahead == SKETCH_SLICES)
        return NULL;
    slice_empty(slice);
    slice->epoch = epoch;
    return slice;
}

void sketch_processed(struct sketch *s, int64_t window_ms, int64_t at_ms, double seconds)
{
    struct sketch_slice *slice = sketch_at(s, window_ms, at_ms);
    if (!slice)
        return;
    slice->processed++;
    if (!isfinite(seconds))
        return;
    seconds = seconds > 0 ? fmin(seconds, SKETCH_MAX_SECONDS) : 0;
    slice->timed++;
    slice->sum += seconds;
    slice->max = fmax(slice->max, seconds);
    slice_add(slice, bucket_index(seconds));
}

void sketch_failed(struct sketch *s, int64_t window_ms, int64_t at_ms)
{
    struct sketch_slice *slice = sketch_at(s, window_ms, at_ms);
    if (slice)
        slice->failed++;
}

void sketch_free(struct sketch *s)
{
    for (size_t i = 0; i < SKETCH_SLICES; i++)
        slice_empty(&s->slices[i]);
}

/* ---------------------------------------------------------------- summing up */

/* The value at rank ceil(ratio * total) in ascending order. */
static double percentile(const uint64_t counts[BUCKETS], uint64_t total, double ratio)
{
    uint64_t rank = (uint64_t)ceil(ratio * (double)total), seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += counts[i];
        if (seen >= rank)
            return bucket_seconds(i);
    }
    return bucket_seconds(BUCKETS - 1);
}

struct sketch_summary sketch_summarise(const struct sketch *s, int64_t window_ms, int64_t now_ms)
{
    struct sketch_summary sum = {.average = NAN, .p50 = NAN, .p95 = NAN, .p99 = NAN, .max = NAN};
    uint64_t counts[BUCKETS] = {0}, counted = 0;
    int64_t now = epoch_of(window_ms, now_ms);
    double seconds = 0, max = 0;
    for (size_t i = 0; i < SKETCH_SLICES; i++) {
        const struct sketch_slice *slice = &s->slices[i];
        if (slice->epoch > now || slice->epoch <= now - SKETCH_SLICES)
            continue;
        sum.processed += slice->processed;
        sum.failed += slice->failed;
        sum.timed += slice->timed;
        seconds += slice->sum;
        max = fmax(max, slice->max);
        for (unsigned b = 0; b < slice->bucket_count; b++) {
            counts[slice->buckets[b].index] += slice->buckets[b].count;
            counted += slice->buckets[b].count;
        }
    }
    if (sum.timed == 0)
        return sum;
    sum.average = seconds / (double)sum.timed;
    sum.p50 = fmin(percentile(counts, counted, 0.50), max);
    sum.p95 = fmin(percentile(counts, counted, 0.95), max);
    sum.p99 = fmin(percentile(counts, counted, 0.99), max);
    sum.max = max;
    return sum;
}

/* ---------------------------------------------------------------- as text */

static uint64_t double_bits(double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static bool slice_is_empty(const struct sketch_slice *slice)
{
    return slice->processed == 0 && slice->failed == 0;
}

void sketch_write(const struct sketch *s, struct ov_buf *out)
{
    const char *separator = "";
    for (size_t i = 0; i < SKETCH_SLICES; i++) {
        const struct sketch_slice *slice = &s->slices[i];
        if (slice_is_empty(slice))
            continue;
        ov_buf_printf(out, "%s%" PRId64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64, separator,
                      slice->epoch, slice->processed, slice->failed, slice->timed);
        ov_buf_printf(out, ",%016" PRIx64 ",%016" PRIx64, double_bits(slice->sum),
                      double_bits(slice->max));
        for (unsigned b = 0; b < slice->bucket_count; b++)
            ov_buf_printf(out, ",%d:%" PRIu32, (int)slice->buckets[b].index - BELOW,
                          slice->buckets[b].count);
        separator = ";";
    }
    if (!*separator)
        ov_buf_char(out, '-');
}

/* Takes `byte` off the front of `text`. */
static bool take_byte(struct ov_slice *text, char byte)
{
    if (text->len == 0 || *text->ptr != byte)
        return false;
    text->ptr++;
    text->len--;
    return true;
}

/* Takes a decimal number from 0 to `max`, without leading zeros. */
static bool take_number(struct ov_slice *text, uint64_t max, uint64_t *number)
{
    bool zero = text->len > 0 && *text->ptr == '0';
    size_t digits = 0;
    *number = 0;
    for (; text->len > 0 && *text->ptr >= '0' && *text->ptr <= '9'; text->ptr++, text->len--) {
        uint64_t digit = (uint64_t)(*text->ptr - '0');
        if (digit > max || *number > (max - digit) / 10)
            return false;
        *number = *number * 10 + digit;
        digits++;
    }
    return digits == 1 || (digits > 1 && !zero);
}

/* Takes the bits of a double of at least 0 and at most `max`. */
static bool take_double(struct ov_slice *text, double max, double *value)
{
    uint64_t bits = 0;
    if (text->len < 16)
        return false;
    for (size_t i = 0; i < 16; i++) {
        static const char hex[] = "0123456789abcdef";
        const char *digit = memchr(hex, text->ptr[i], 16);
        if (!digit)
            return false;
        bits = bits << 4 | (uint64_t)(digit - hex);
    }
    text->ptr += 16;
    text->len -= 16;
    memcpy(value, &bits, sizeof bits);
    return *value >= 0 && *value <= max && !signbit(*value);
}

/* Takes a bucket's number as it is written. */
static bool take_index(struct ov_slice *text, uint64_t *index)
{
    bool below = take_byte(text, '-');
    if (!take_number(text, below ? BELOW : BUCKETS - BELOW - 1, index) || (below && *index == 0))
        return false;
    *index = below ? BELOW - *index : BELOW + *index;
    return true;
}

/* The buckets of a slice, which must hold as many tasks as are timed, or fewer where a count has
 * reached its end. */
static bool take_buckets(struct ov_slice *text, struct sketch_slice *slice)
{
    uint64_t left = slice->timed, index, count, lowest = 0;
    bool full = false;
    while (take_byte(text, ',')) {
        if (!take_index(text, &index) || index < lowest || !take_byte(text, ':') ||
            !take_number(text, UINT32_MAX, &count) || count == 0 || count > left)
            return false;
        slice_insert(slice, slice->bucket_count, (unsigned)index, (uint32_t)count);
        lowest = index + 1;
        left -= count;
        full = full || count == UINT32_MAX;
    }
    return left == 0 || full;
}

/* Takes a slice whose place in the ring is `*place` or later. */
static bool take_slice(struct ov_slice *text, struct sketch *s, uint64_t *place)
{
    uint64_t epoch;
    struct sketch_slice read = {0};
    if (!take_number(text, INT64_MAX, &epoch) || !take_byte(text, ',') ||
        !take_number(text, UINT64_MAX, &read.processed) || !take_byte(text, ',') ||
        !take_number(text, UINT64_MAX, &read.failed) || !take_byte(text, ',') ||
        !take_number(text, read.processed, &read.timed) || !take_byte(text, ',') ||
        !take_double(text, SKETCH_MAX_SECONDS * (double)read.timed * 1.01, &read.sum) ||
        !take_byte(text, ',') || !take_double(text, fmin(read.sum, SKETCH_MAX_SECONDS), &read.max))
        return false;
    if (epoch % SKETCH_SLICES < *place || slice_is_empty(&read))
        return false;
    *place = epoch % SKETCH_SLICES + 1;
    struct sketch_slice *slice = &s->slices[epoch % SKETCH_SLICES];
    *slice = read;
    slice->epoch = (int64_t)epoch;
    return take_buckets(text, slice);
}

bool sketch_read(struct sketch *s, struct ov_slice text)
{
    sketch_free(s);
    if (ov_slice_eq(text, OV_SLICE("-")))
        return true;
    uint64_t place = 0;
    bool fine;
    do
        fine = take_slice(&text, s, &place);
    while (fine && take_byte(&text, ';'));
    if (fine && text.len == 0)
        return true;
    sketch_free(s);
    return false;
}
