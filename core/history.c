/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdlib.h>

#include "history.h"

enum { POINTS = 16 };

/* What the counter was at some moments of the window, oldest first. */
struct ov_history_points {
    unsigned count;
    struct {
        int64_t at_ms;
        double value;
    } points[POINTS];
};

static void add(struct ov_history_points *p, int64_t at_ms, double value)
{
    if (p->count == POINTS)
        return;
    p->points[p->count].at_ms = at_ms;
    p->points[p->count++].value = value;
}

static double grown_since(struct ov_history_points *p, double value, int64_t now_ms,
                          int64_t window_ms)
{
    if (value < p->points[p->count - 1].value)
        p->count = 0;
    while (p->count > 1 && p->points[1].at_ms <= now_ms - window_ms)
        memmove(p->points, p->points + 1, --p->count * sizeof *p->points);
    double grown = p->count ? value - p->points[0].value : (double)NAN;
    if (!p->count || now_ms - p->points[p->count - 1].at_ms >= window_ms / (POINTS - 2))
        add(p, now_ms, value);
    return grown;
}

double ov_history_increase(struct ov_history *h, double value, int64_t now_ms, int64_t window_ms)
{
    if (isnan(value))
        return value;
    if (!h->points && (!h->known || value <= h->base)) {
        double grown = h->known && value == h->base ? 0 : (double)NAN;
        h->known = true;
        h->base = value;
        return grown;
    }
    if (!h->points) {
        h->points = ov_calloc(1, sizeof *h->points);
        add(h->points, now_ms, h->base);
    }
    return grown_since(h->points, value, now_ms, window_ms);
}

void ov_history_free(struct ov_history *h)
{
    free(h->points);
    *h = (struct ov_history){0};
}
