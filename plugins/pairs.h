/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A table of things named by two byte strings, such as (topic, agent) or (topic, group), kept in
 * the order they were added. An entry is a struct of the caller's that begins with a struct pair;
 * its address stays the same until it is removed.
 */
#ifndef PAIRS_H
#define PAIRS_H

#include "omnivigil.h"

struct pair {
    struct ov_slice a, b; /* copies, behind the entry */
    uint64_t hash;
    uint32_t seen;        /* for the caller: the last cycle that met it */
};

struct pairs {
    struct pair **entries; /* `count` of them */
    size_t count, cap;
    uint32_t *slots;       /* position in entries + 1; 0 is free */
    size_t slot_count;     /* a power of two */
    size_t next;           /* behind the entry that was added last, or met again */
};

/* The entry, or NULL. */
void *pairs_find(const struct pairs *pairs, struct ov_slice a, struct ov_slice b);
/* The entry, added with `size` bytes of zeros (its struct pair filled in) if it is new. */
void *pairs_add(struct pairs *pairs, struct ov_slice a, struct ov_slice b, size_t size);
/* Removes every entry whose `seen` is not `cycle`; `drop` (or NULL) is called with each first. */
void pairs_sweep(struct pairs *pairs, uint32_t cycle, void (*drop)(void *entry));
void pairs_free(struct pairs *pairs, void (*drop)(void *entry));

#endif
