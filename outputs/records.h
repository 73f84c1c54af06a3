/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting a batch into records of whole lines, for the formats that write a sample a line. */
#ifndef RECORDS_H
#define RECORDS_H

#include "omnivigil.h"

/* Appends one line and returns NULL, or appends nothing and returns why not: line_write and
 * json_line_write are such. */
typedef const char *records_writer(struct ov_buf *buf, const struct ov_sample *sample,
                                   const struct ov_tag *tags, size_t tag_count);

struct records_limits {
    size_t lines, bytes; /* of one record; a longer line is a record of its own */
};

/* Emits the samples of `batch`, those that cannot be written as unfit. `scratch` is memory that
 * is used again from one call to the next; what it holds is of no interest. */
void records_emit(struct ov_emit *emit, const struct ov_batch *batch, records_writer *write,
                  struct records_limits limits, struct ov_buf *scratch);

#endif
