/* SPDX-License-Identifier: Apache-2.0 */
/* Remembers keys by a 64-bit hash alone: eight bytes each, and one false yes in some billions of
 * billions of questions. */
#ifndef OV_SEEN_H
#define OV_SEEN_H

#include "omnivigil.h"

/* Zeros at first. */
struct ov_seen {
    uint64_t *slots; /* 0: free */
    size_t slot_count, count;
};

bool ov_seen_has(const struct ov_seen *seen, struct ov_slice key);
void ov_seen_add(struct ov_seen *seen, struct ov_slice key);
/* The hash of a key as it stands in `slots`, saved by an earlier run; 0 is none. */
void ov_seen_add_hash(struct ov_seen *seen, uint64_t hash);
void ov_seen_free(struct ov_seen *seen);

#endif
