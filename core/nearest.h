/* SPDX-License-Identifier: Apache-2.0 */
/* Which of some names was probably meant by one that is not among them. */
#ifndef OV_NEAREST_H
#define OV_NEAREST_H

#include "omnivigil.h"

/* Start with {.wanted = what was written}, try every name, then read `best`. */
struct ov_nearest {
    struct ov_slice wanted;
    const char *best; /* NULL where no name is near enough to be worth a guess */
    size_t distance;  /* of `best`, in edits */
};

/* Keeps `name` (not copied) if it is nearer than the best so far. */
void ov_nearest_try(struct ov_nearest *nearest, const char *name);
/* Appends " (did you mean `best`?)", or nothing. Returns whether there was a best. */
bool ov_nearest_hint(const struct ov_nearest *nearest, struct ov_buf *out);

#endif
