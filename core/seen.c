/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "seen.h"

static uint64_t hash_of(struct ov_slice key)
{
    uint64_t h = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < key.len; i++) {
        h = (h ^ (unsigned char)key.ptr[i]) * UINT64_C(0x100000001b3);
        h ^= h >> 29;
    }
    h *= UINT64_C(0x9e3779b97f4a7c15);
    return h ? h : 1;
}

static size_t slot_of(const struct ov_seen *seen, uint64_t hash)
{
    size_t mask = seen->slot_count - 1, slot = hash >> 20 & mask;
    while (seen->slots[slot] && seen->slots[slot] != hash)
        slot = (slot + 1) & mask;
    return slot;
}

bool ov_seen_has(const struct ov_seen *seen, struct ov_slice key)
{
    return seen->count && seen->slots[slot_of(seen, hash_of(key))];
}

static void grow(struct ov_seen *seen)
{
    struct ov_seen larger = {.slot_count = seen->slot_count ? seen->slot_count * 2 : 64,
                             .count = seen->count};
    larger.slots = ov_calloc(larger.slot_count, sizeof *larger.slots);
    for (size_t i = 0; i < seen->slot_count; i++)
        if (seen->slots[i])
            larger.slots[slot_of(&larger, seen->slots[i])] = seen->slots[i];
    free(seen->slots);
    *seen = larger;
}

void ov_seen_add_hash(struct ov_seen *seen, uint64_t hash)
{
    if (!hash)
        return;
    if ((seen->count + 1) * 2 > seen->slot_count)
        grow(seen);
    size_t slot = slot_of(seen, hash);
    seen->count += seen->slots[slot] == 0;
    seen->slots[slot] = hash;
}

void ov_seen_add(struct ov_seen *seen, struct ov_slice key)
{
    ov_seen_add_hash(seen, hash_of(key));
}

void ov_seen_free(struct ov_seen *seen)
{
    free(seen->slots);
    *seen = (struct ov_seen){0};
}
