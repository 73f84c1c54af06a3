/* SPDX-License-Identifier: Apache-2.0 */
/* The sample that the rows of outputs use: three tags and five fields, every number different. */
#ifndef POINT_H
#define POINT_H

#include <stdio.h>

#include "omnivigil.h"

#define POINT_BEGIN_NS INT64_C(1764000000000000000)

static const char *const point_tags[] = {"agent", "group", "topic"};
static const struct ov_field point_fields[] = {
    {"length", OV_INT, OV_GAUGE, "", "-"},
    {"pending", OV_INT, OV_GAUGE, "", "-"},
    {"delivered", OV_INT, OV_GAUGE, "", "-"},
    {"idle_seconds", OV_FLOAT, OV_GAUGE, "seconds", "-"},
    {"success_ratio", OV_FLOAT, OV_GAUGE, "ratio", "-"},
};
static const struct ov_measurement point_measurement = {
    "bench_point", "For measuring outputs.", point_tags, point_fields, OV_COUNT(point_tags),
    OV_COUNT(point_fields),
};

struct point {
    char agent[16], group[64], topic[32];
    int64_t length, pending, delivered, time_ns;
    double idle_seconds, success_ratio;
};

/* Point `i` of as many as one likes, in so many series. */
static inline struct point point_make(uint64_t i, uint64_t series_count)
{
    uint64_t series = i % series_count;
    struct point p = {
        .length = (int64_t)(i % 10000), .pending = (int64_t)(i % 97), .delivered = (int64_t)i,
        .time_ns = POINT_BEGIN_NS + (int64_t)i * 1000000,
        .idle_seconds = (double)(i % 600000) / 1e3,
        .success_ratio = 1 - (double)(i % 1009) / 1009,
    };
    snprintf(p.topic, sizeof p.topic, "bench.%05u.tasks", (unsigned)(series / 2));
    snprintf(p.agent, sizeof p.agent, "%s", series % 2 ? "reviewer" : "writer");
    snprintf(p.group, sizeof p.group, "group:%s:%s", p.topic, p.agent);
    return p;
}

static inline void point_add(struct ov_batch *batch, const struct point *p)
{
    struct ov_sample *s = ov_batch_add(batch, &point_measurement);
    s->time_ns = p->time_ns;
    ov_sample_tag(batch, s, 0, ov_slice(p->agent));
    ov_sample_tag(batch, s, 1, ov_slice(p->group));
    ov_sample_tag(batch, s, 2, ov_slice(p->topic));
    ov_sample_int(s, 0, p->length);
    ov_sample_int(s, 1, p->pending);
    ov_sample_int(s, 2, p->delivered);
    ov_sample_float(s, 3, p->idle_seconds);
    ov_sample_float(s, 4, p->success_ratio);
}

#endif
