/* SPDX-License-Identifier: Apache-2.0 */
/* An input that fills queues: `samples` points a gather, in `gathers` gathers, then none; the points
 * belong to `series` series by turns. */
#include "point.h"

struct points {
    int64_t samples, gathers, series;
    uint64_t made;
};

static const struct ov_option options[] = {
    {.name = "samples", .type = OV_OPT_INT, .offset = offsetof(struct points, samples),
     .fallback = "5000", .min = 1, .max = 10000000, .help = "points of a gather"},
    {.name = "gathers", .type = OV_OPT_INT, .offset = offsetof(struct points, gathers),
     .fallback = "1", .min = 1, .max = 1000000, .help = "gathers that have points"},
    {.name = "series", .type = OV_OPT_INT, .offset = offsetof(struct points, series),
     .fallback = "200", .min = 1, .max = 10000000, .help = "series the points belong to"},
    {0},
};
static const struct ov_measurement *const measurements[] = {&point_measurement, NULL};

static int points_open(void *state, struct ov_host *host)
{
    (void)state;
    (void)host;
    return OV_OK;
}

static void points_close(void *state)
{
    (void)state;
}

static int points_gather(void *state, struct ov_batch *batch)
{
    struct points *points = state;
    if (points->gathers-- <= 0)
        return OV_OK;
    for (int64_t i = 0; i < points->samples; i++) {
        struct point p = point_make(points->made++, (uint64_t)points->series);
        point_add(batch, &p);
    }
    return OV_OK;
}

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "points",
    .summary = "fills queues for the benchmark",
    .kind = OV_INPUT,
    .state_size = sizeof(struct points),
    .options = options,
    .measurements = measurements,
    .open = points_open,
    .close = points_close,
    .gather = points_gather,
};
