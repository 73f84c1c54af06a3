/* SPDX-License-Identifier: Apache-2.0 */
/* A text that is read as a sketch is written again byte for byte, and its summary makes sense. */
#include <stdlib.h>

#include "sketch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool fine)
{
    if (!fine)
        abort();
}

static void check_summary(const struct sketch *s, int64_t now_ms)
{
    struct sketch_summary sum = sketch_summarise(s, SKETCH_SLICES, now_ms);
    if (sum.timed > 0)
        check(0 <= sum.p50 && sum.p50 <= sum.p95 && sum.p95 <= sum.p99 && sum.p99 <= sum.max &&
              sum.max <= SKETCH_MAX_SECONDS && sum.average >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ov_slice text = {(const char *)data, size};
    struct sketch s = {0};
    struct ov_buf out = {0};
    bool read = sketch_read(&s, text);
    sketch_write(&s, &out);
    struct ov_slice written = {out.data, out.len};
    check(ov_slice_eq(written, read ? text : OV_SLICE("-")));
    for (size_t i = 0; i < SKETCH_SLICES; i++) {
        int64_t epoch = s.slices[i].epoch; /* slices of one millisecond */
        check_summary(&s, epoch);
        sketch_processed(&s, SKETCH_SLICES, epoch, 0.5);
        sketch_failed(&s, SKETCH_SLICES, epoch < INT64_MAX ? epoch + 1 : epoch);
        check_summary(&s, epoch);
    }
    ov_buf_free(&out);
    sketch_free(&s);
    return 0;
}
