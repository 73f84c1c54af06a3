/* SPDX-License-Identifier: Apache-2.0 */
/* One deflate stream, reset for each body, at the fastest level: names repeat so much in what an
 * output sends that the slower ones save little. */
#include <limits.h>
#include <stdlib.h>
#include <zlib.h>

#include "gzip.h"

enum { WINDOW_BITS = 15, AS_GZIP = 16, MEMORY_LEVEL = 8 };

struct gzip {
    z_stream stream;
    bool ready;
};

struct gzip *gzip_new(void)
{
    struct gzip *gzip = ov_calloc(1, sizeof *gzip);
    gzip->ready = deflateInit2(&gzip->stream, Z_BEST_SPEED, Z_DEFLATED, WINDOW_BITS | AS_GZIP,
                               MEMORY_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
    return gzip;
}

void gzip_free(struct gzip *gzip)
{
    if (gzip && gzip->ready)
        deflateEnd(&gzip->stream);
    free(gzip);
}

bool gzip_pack(struct gzip *gzip, struct ov_slice bytes, struct ov_buf *out)
{
    z_stream *stream = &gzip->stream;
    if (!gzip->ready || bytes.len > UINT_MAX / 2 || deflateReset(stream) != Z_OK)
        return false;
    ov_buf_reset(out);
    ov_buf_grow(out, deflateBound(stream, bytes.len));
    stream->next_in = (z_const Bytef *)bytes.ptr;
    stream->avail_in = (uInt)bytes.len;
    stream->next_out = (Bytef *)out->data;
    stream->avail_out = out->cap > UINT_MAX ? UINT_MAX : (uInt)out->cap;
    if (deflate(stream, Z_FINISH) != Z_STREAM_END)
        return false;
    out->len = stream->total_out;
    return true;
}
