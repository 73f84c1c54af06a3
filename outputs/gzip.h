/* SPDX-License-Identifier: Apache-2.0 */
/* Bodies of requests, compressed as gzip. */
#ifndef GZIP_H
#define GZIP_H

#include "omnivigil.h"

struct gzip; /* the compressor's memory, used again from one body to the next */

struct gzip *gzip_new(void);
void gzip_free(struct gzip *gzip);

/* Replaces the content of `out` by `bytes`, compressed. False if zlib cannot. */
bool gzip_pack(struct gzip *gzip, struct ov_slice bytes, struct ov_buf *out);

#endif
