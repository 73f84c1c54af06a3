/* SPDX-License-Identifier: Apache-2.0 */
/* Open addressing with linear probing over positions in an array of entries. Names come from
 * outside, so the hash is seeded by the table's own address against chosen collisions. Each gather
 * meets them in much the same order: the one behind the last is tried first, without a hash. */
#include <stdlib.h>

#include "pairs.h"

static uint64_t mix(uint64_t h, struct ov_slice s)
{
    for (; s.len >= 8; s.ptr += 8, s.len -= 8) {
        uint64_t word;
        memcpy(&word, s.ptr, 8);
        h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        h ^= h >> 29;
    }
    for (; s.len; s.ptr++, s.len--)
        h = (h ^ (unsigned char)*s.ptr) * UINT64_C(0x100000001b3);
    return h ^ h >> 32;
}

static uint64_t hash_pair(const struct pairs *pairs, struct ov_slice a, struct ov_slice b)
{
    uint64_t h = mix((uint64_t)(uintptr_t)pairs ^ UINT64_C(0xcbf29ce484222325), a);
    return mix((h ^ a.len) * UINT64_C(0x9e3779b97f4a7c15), b);
}

static bool is_named(const struct pair *entry, struct ov_slice a, struct ov_slice b)
{
    return ov_slice_eq(entry->b, b) && ov_slice_eq(entry->a, a);
}

/* The slot that holds the name, or the free one where it belongs. */
static size_t find_slot(const struct pairs *pairs, struct ov_slice a, struct ov_slice b,
                        uint64_t hash)
{
    size_t mask = pairs->slot_count - 1, slot = hash & mask;
    for (; pairs->slots[slot]; slot = (slot + 1) & mask) {
        const struct pair *entry = pairs->entries[pairs->slots[slot] - 1];
        if (entry->hash == hash && is_named(entry, a, b))
            break;
    }
    return slot;
}

static void index_entries(struct pairs *pairs, size_t slot_count)
{
    free(pairs->slots);
    pairs->slots = ov_calloc(slot_count, sizeof *pairs->slots);
    pairs->slot_count = slot_count;
    for (size_t i = 0; i < pairs->count; i++) {
        size_t mask = slot_count - 1, slot = pairs->entries[i]->hash & mask;
        while (pairs->slots[slot])
            slot = (slot + 1) & mask;
        pairs->slots[slot] = (uint32_t)i + 1;
    }
}

void *pairs_find(const struct pairs *pairs, struct ov_slice a, struct ov_slice b)
{
    if (pairs->count == 0)
        return NULL;
    uint32_t at = pairs->slots[find_slot(pairs, a, b, hash_pair(pairs, a, b))];
    return at ? pairs->entries[at - 1] : NULL;
}

void *pairs_add(struct pairs *pairs, struct ov_slice a, struct ov_slice b, size_t size)
{
    size_t next = pairs->next < pairs->count ? pairs->next : 0;
    if (pairs->count && is_named(pairs->entries[next], a, b)) {
        pairs->next = next + 1;
        return pairs->entries[next];
    }
    if ((pairs->count + 1) * 2 > pairs->slot_count)
        index_entries(pairs, pairs->slot_count ? pairs->slot_count * 2 : 16);
    uint64_t hash = hash_pair(pairs, a, b);
    size_t slot = find_slot(pairs, a, b, hash);
    if (pairs->slots[slot]) {
        pairs->next = pairs->slots[slot];
        return pairs->entries[pairs->next - 1];
    }
    if (pairs->count == pairs->cap) {
        pairs->cap = pairs->cap ? pairs->cap * 2 : 8;
        pairs->entries = ov_realloc(pairs->entries, pairs->cap, sizeof *pairs->entries);
    }
    struct pair *entry = ov_malloc(size + a.len + b.len);
    char *names = (char *)entry + size;
    memset(entry, 0, size);
    if (a.len)
        memcpy(names, a.ptr, a.len);
    if (b.len)
        memcpy(names + a.len, b.ptr, b.len);
    entry->a = (struct ov_slice){names, a.len};
    entry->b = (struct ov_slice){names + a.len, b.len};
    entry->hash = hash;
    pairs->entries[pairs->count++] = entry;
    pairs->slots[slot] = (uint32_t)pairs->count;
    pairs->next = pairs->count;
    return entry;
}

void pairs_sweep(struct pairs *pairs, uint32_t cycle, void (*drop)(void *entry))
{
    size_t kept = 0;
    for (size_t i = 0; i < pairs->count; i++) {
        if (pairs->entries[i]->seen == cycle) {
            pairs->entries[kept++] = pairs->entries[i];
            continue;
        }
        if (drop)
            drop(pairs->entries[i]);
        free(pairs->entries[i]);
    }
    if (kept == pairs->count)
        return;
    pairs->count = kept;
    index_entries(pairs, pairs->slot_count);
}

void pairs_free(struct pairs *pairs, void (*drop)(void *entry))
{
    for (size_t i = 0; i < pairs->count; i++) {
        if (drop)
            drop(pairs->entries[i]);
        free(pairs->entries[i]);
    }
    free(pairs->entries);
    free(pairs->slots);
    *pairs = (struct pairs){0};
}
