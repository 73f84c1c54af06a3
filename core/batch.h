/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of a batch: making, sealing and ending one. The plugins' side is in
 * omnivigil.h. A batch is filled by one thread and is immutable from then on. */
#ifndef OV_BATCH_H
#define OV_BATCH_H

#include "omnivigil.h"

/* `tags` are borrowed and must outlive the batch. Samples are stamped with `time_ns`. */
struct ov_batch *ov_batch_new(const struct ov_map *tags, int64_t time_ns);
void ov_batch_free(struct ov_batch *batch);
/* The same for all batches of one input and for no other's: the address of its tags. */
const void *ov_batch_source(const struct ov_batch *batch);

#endif
