/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The samples of one gather, in memory of their own: blocks are filled from front to back and
 * freed together, so a sample costs no allocation and a batch of any size is freed at once.
 */
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "batch.h"

enum { UNREAD_MAX = 100 }; /* beyond that they are not told apart by their tags */

/* Mapped with all its pages, which is cheaper than a fault for each, and given back to the system
 * as soon as the batch is freed. Each is twice as large as the one before. */
enum { FIRST_BLOCK = 32 * 1024, LAST_BLOCK = 256 * 1024 };

struct block {
    struct block *next;
    size_t used, size;
    _Alignas(max_align_t) char bytes[];
};

struct ov_batch {
    struct block *blocks; /* the one being filled first */
    size_t block_size;    /* of the next */
    const struct ov_map *tags;
    int64_t time_ns;
    struct ov_sample *first, *last;
    size_t count;
    struct ov_unread *unread;
    size_t unread_count;
};

static struct block *block_new(size_t room)
{
    struct block *b = mmap(NULL, sizeof *b + room, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (b == MAP_FAILED)
        b = ov_malloc(SIZE_MAX); /* says that there is no memory, and ends */
    b->size = room;
    return b;
}

struct ov_batch *ov_batch_new(const struct ov_map *tags, int64_t time_ns)
{
    struct ov_batch *batch = ov_calloc(1, sizeof *batch);
    batch->tags = tags;
    batch->time_ns = time_ns;
    batch->block_size = FIRST_BLOCK;
    return batch;
}

void ov_batch_free(struct ov_batch *batch)
{
    if (!batch)
        return;
    for (struct block *b = batch->blocks, *next; b; b = next) {
        next = b->next;
        munmap(b, sizeof *b + b->size);
    }
    free(batch);
}

static void *batch_take(struct ov_batch *batch, size_t size, size_t align)
{
    struct block *b = batch->blocks;
    size_t at = b ? (b->used + align - 1) & ~(align - 1) : 0;
    if (!b || at > b->size || b->size - at < size) {
        bool own = size > batch->block_size / 4;
        b = block_new(own ? size : batch->block_size - sizeof *b);
        at = 0;
        if (batch->blocks && own) { /* keep filling the old one */
            b->next = batch->blocks->next;
            batch->blocks->next = b;
        } else {
            b->next = batch->blocks;
            batch->blocks = b;
        }
        if (!own && batch->block_size < LAST_BLOCK)
            batch->block_size *= 2;
    }
    b->used = at + size;
    return b->bytes + at;
}

struct ov_slice ov_batch_copy(struct ov_batch *batch, struct ov_slice bytes)
{
    if (bytes.len == 0)
        return (struct ov_slice){"", 0};
    char *copy = batch_take(batch, bytes.len, 1);
    memcpy(copy, bytes.ptr, bytes.len);
    return (struct ov_slice){copy, bytes.len};
}

struct ov_sample *ov_batch_add(struct ov_batch *batch, const struct ov_measurement *m)
{
    size_t tags = m->tag_count * sizeof(struct ov_slice);
    size_t values = m->field_count * sizeof(union ov_value);
    char *memory = batch_take(batch, sizeof(struct ov_sample) + tags + values,
                              _Alignof(struct ov_sample));
    struct ov_sample *s = (struct ov_sample *)memory;
    memset(s, 0, sizeof *s + tags);
    s->measurement = m;
    s->time_ns = batch->time_ns;
    s->tags = (struct ov_slice *)(memory + sizeof *s);
    s->values = (union ov_value *)(memory + sizeof *s + tags);
    if (batch->last)
        batch->last->next = s;
    else
        batch->first = s;
    batch->last = s;
    batch->count++;
    return s;
}

const struct ov_sample *ov_batch_first(const struct ov_batch *batch)
{
    return batch->first;
}

const void *ov_batch_source(const struct ov_batch *batch)
{
    return batch->tags;
}

size_t ov_batch_count(const struct ov_batch *batch)
{
    return batch->count;
}

const struct ov_tag *ov_batch_tags(const struct ov_batch *batch, size_t *count)
{
    *count = batch->tags ? batch->tags->count : 0;
    return batch->tags ? batch->tags->items : NULL;
}

void ov_sample_tag(struct ov_batch *batch, struct ov_sample *s, unsigned tag,
                   struct ov_slice value)
{
    s->tags[tag] = ov_batch_copy(batch, value);
}

void ov_sample_text(struct ov_batch *batch, struct ov_sample *s, unsigned field,
                    struct ov_slice value)
{
    struct ov_slice *text = batch_take(batch, sizeof *text, _Alignof(struct ov_slice));
    *text = ov_batch_copy(batch, value);
    s->values[field].text = text;
    s->present |= UINT64_C(1) << field;
}

void ov_sample_float(struct ov_sample *s, unsigned field, double value)
{
    if (!isfinite(value))
        return;
    s->values[field].number = value;
    s->present |= UINT64_C(1) << field;
}

/* ---------------------------------------------------------------- what could not be read */

static bool is_about(const struct ov_unread *u, const struct ov_measurement *m, uint64_t fields,
                     const struct ov_slice *tags)
{
    bool same = u->measurement == m && u->fields == fields && !u->tags == !tags;
    for (unsigned i = 0; same && tags && i < m->tag_count; i++)
        same = ov_slice_eq(u->tags[i], tags[i]);
    return same;
}

static void note(struct ov_batch *batch, const struct ov_measurement *m, uint64_t fields,
                 const struct ov_slice *tags, struct ov_slice why, bool untold)
{
    if (batch->unread_count >= UNREAD_MAX)
        tags = NULL;
    for (const struct ov_unread *u = batch->unread; u; u = u->next)
        if (is_about(u, m, fields, tags))
            return;
    struct ov_unread *u = batch_take(batch, sizeof *u, _Alignof(struct ov_unread));
    *u = (struct ov_unread){batch->unread, m, fields, NULL, ov_batch_copy(batch, why),
                             untold};
    if (tags) {
        struct ov_slice *copy = batch_take(batch, m->tag_count * sizeof *copy,
                                           _Alignof(struct ov_slice));
        for (unsigned i = 0; i < m->tag_count; i++)
            copy[i] = ov_batch_copy(batch, tags[i]);
        u->tags = copy;
    }
    batch->unread = u;
    batch->unread_count++;
}

void ov_batch_unread(struct ov_batch *batch, const struct ov_measurement *m, uint64_t fields,
                     const struct ov_slice *tags, struct ov_slice why)
{
    note(batch, m, fields, tags, why, false);
}

void ov_batch_untold(struct ov_batch *batch, const struct ov_measurement *m, uint64_t fields,
                     const struct ov_slice *tags, struct ov_slice why)
{
    note(batch, m, fields, tags, why, true);
}

const struct ov_unread *ov_batch_first_unread(const struct ov_batch *batch)
{
    return batch->unread;
}
