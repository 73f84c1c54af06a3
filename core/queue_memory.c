/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "queue_memory.h"

void ov_queue_memory_append(struct ov_queue_memory *memory, struct ov_slice bytes, size_t samples,
                            int64_t time_ms)
{
    struct ov_queue_item *item = ov_malloc(sizeof *item + bytes.len);
    *item = (struct ov_queue_item){.len = bytes.len, .samples = samples, .time_ms = time_ms};
    if (bytes.len)
        memcpy(item->bytes, bytes.ptr, bytes.len);
    if (memory->last)
        memory->last->next = item;
    else
        memory->first = item;
    memory->last = item;
    memory->records++;
    memory->samples += samples;
    memory->bytes += bytes.len;
}

void ov_queue_memory_pop(struct ov_queue_memory *memory)
{
    struct ov_queue_item *item = memory->first;
    memory->first = item->next;
    if (!memory->first)
        memory->last = NULL;
    memory->records--;
    memory->samples -= item->samples;
    memory->bytes -= item->len;
    free(item);
}

size_t ov_queue_memory_read(const struct ov_queue_memory *memory, struct ov_queue_join join,
                            struct ov_buf *out, size_t *samples)
{
    size_t records = 0;
    ov_buf_reset(out);
    *samples = 0;
    for (const struct ov_queue_item *i = memory->first; i; i = i->next) {
        if (records && (records >= join.records || *samples + i->samples > join.samples ||
                        out->len + i->len > join.bytes))
            break;
        ov_buf_add(out, i->bytes, i->len);
        *samples += i->samples;
        records++;
    }
    return records;
}
