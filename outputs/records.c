/* SPDX-License-Identifier: Apache-2.0 */
/* Lines gather in one buffer; the one that would pass a limit starts the next record. */
#include "records.h"

void records_emit(struct ov_emit *emit, const struct ov_batch *batch, records_writer *write,
                  struct records_limits limits, struct ov_buf *scratch)
{
    size_t tag_count, lines = 0;
    const struct ov_tag *tags = ov_batch_tags(batch, &tag_count);
    ov_buf_reset(scratch);
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        size_t before = scratch->len;
        const char *why = write(scratch, s, tags, tag_count);
        if (why) {
            ov_emit_unfit(emit, 1, why);
            continue;
        }
        if (lines && (lines == limits.lines || scratch->len > limits.bytes)) {
            ov_emit(emit, scratch->data, before, lines);
            scratch->len -= before;
            memmove(scratch->data, scratch->data + before, scratch->len);
            lines = 0;
        }
        lines++;
    }
    if (lines)
        ov_emit(emit, scratch->data, scratch->len, lines);
}
