/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples as line protocol, by the product's own code and by one snprintf a line, whose floats read
 * back exactly as well (%.17g), in turns. Prints what each takes for a million lines: "ours floor",
 * medians in seconds.
 *
 *     encode TURNS
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../core/batch.h"
#include "../../outputs/line_protocol.h"
#include "bench.h"
#include "point.h"

enum { POINTS = 10000, SERIES = 200, ROUNDS = 30, LINE_BYTES = 512 };

static struct point points[POINTS];
static char text[POINTS * LINE_BYTES];

static size_t lines_snprintf(void)
{
    size_t len = 0;
    for (size_t i = 0; i < POINTS; i++) {
        const struct point *p = &points[i];
        len += (size_t)snprintf(
            text + len, LINE_BYTES,
            "%s,agent=%s,group=%s,topic=%s length=%" PRId64 "i,pending=%" PRId64 "i,delivered=%"
            PRId64 "i,idle_seconds=%.17g,success_ratio=%.17g %" PRId64 "\n",
            point_measurement.name, p->agent, p->group, p->topic, p->length, p->pending,
            p->delivered, p->idle_seconds, p->success_ratio, p->time_ns);
    }
    return len;
}

static size_t lines_ours(const struct ov_batch *batch, struct ov_buf *out)
{
    ov_buf_reset(out);
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next)
        if (line_write(out, s, NULL, 0))
            die("a sample cannot be written");
    return out->len;
}

int main(int argc, char **argv)
{
    struct ov_map no_tags = {0};
    struct ov_buf out = {0};
    if (argc != 2)
        die("usage: encode TURNS");
    size_t turns = (size_t)number_argument(argv[1], "turns", 1000), lengths = 0;
    double *ours = calloc(turns + 1, sizeof *ours), *floor = calloc(turns + 1, sizeof *floor);
    struct ov_batch *batch = ov_batch_new(&no_tags, 0);
    if (!turns || !ours || !floor)
        die("nothing to measure");
    for (uint64_t i = 0; i < POINTS; i++) {
        points[i] = point_make(i * 37, SERIES);
        point_add(batch, &points[i]);
    }
    for (size_t turn = 0; turn < turns; turn++) {
        double began = clock_seconds();
        for (int round = 0; round < ROUNDS; round++)
            lengths += lines_snprintf();
        double between = clock_seconds();
        for (int round = 0; round < ROUNDS; round++)
            lengths += lines_ours(batch, &out);
        floor[turn] = (between - began) * 1e6 / (POINTS * ROUNDS);
        ours[turn] = (clock_seconds() - between) * 1e6 / (POINTS * ROUNDS);
    }
    if (!lengths)
        die("nothing was written");
    printf("%.6g %.6g\n", median(ours, turns), median(floor, turns));
    ov_batch_free(batch);
    ov_buf_free(&out);
    free(ours);
    free(floor);
    return 0;
}
