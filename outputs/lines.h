/* SPDX-License-Identifier: Apache-2.0 */
/* Line protocol that is on its way: bytes of whole lines, cut into requests and datagrams. The
 * last line may lack its newline. */
#ifndef LINES_H
#define LINES_H

#include "omnivigil.h"

/* The first lines of `bytes`: as many as `max_bytes` and `max_lines` allow, at least one even if
 * it is longer. *count says how many. */
struct ov_slice lines_first(struct ov_slice bytes, size_t max_bytes, size_t max_lines,
                            size_t *count);

/* Appends the lines with the last `digits` of their timestamps, which are nanoseconds, cut off:
 * 3 for microseconds, 6 for milliseconds, 9 for seconds. */
void lines_coarsen(struct ov_buf *out, struct ov_slice lines, size_t digits);

#endif
