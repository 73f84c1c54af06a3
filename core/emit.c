/* SPDX-License-Identifier: Apache-2.0 */
#include "emit.h"

void ov_emit(struct ov_emit *emit, const void *bytes, size_t len, size_t samples)
{
    if (emit->queue)
        emit->dropped += ov_queue_push(emit->queue, (struct ov_slice){bytes, len}, samples);
    else
        ov_buf_add(emit->buf, bytes, len);
}

void ov_emit_unfit(struct ov_emit *emit, size_t samples, const char *why)
{
    if (emit->queue)
        ov_queue_unfit(emit->queue, samples);
    if (emit->host)
        ov_problem(emit->host, "unfit", "%zu samples cannot be written: %s", samples, why);
}
