/* SPDX-License-Identifier: Apache-2.0 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "history.h"
#include "scalar.h"

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
    for (unsigned i = p->count; i-- > 0 && p->points[i].at_ms > now_ms;)
        p->points[i].at_ms = now_ms; /* saved before the wall clock was set back */
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

void ov_history_save(const struct ov_history *h, int64_t behind_ms, struct ov_buf *out)
{
    ov_buf_char(out, ' ');
    ov_buf_double(out, h->base);
    for (unsigned i = 0; h->points && i < h->points->count; i++) {
        ov_buf_printf(out, " %" PRId64 ":", h->points->points[i].at_ms + behind_ms);
        ov_buf_double(out, h->points->points[i].value);
    }
}

static bool number_parse(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end); /* the program never leaves the C locale */
    return end != text && !*end && isfinite(*value);
}

/* "at:value", not earlier than the point before */
static bool point_load(struct ov_history_points *p, const char *word, int64_t behind_ms)
{
    const char *colon = strchr(word, ':');
    int64_t at;
    double value;
    if (!colon || ov_scalar_int((struct ov_slice){word, (size_t)(colon - word)}, &at) || at < 0 ||
        !number_parse(colon + 1, &value) || p->count == POINTS ||
        (p->count && at - behind_ms < p->points[p->count - 1].at_ms))
        return false;
    add(p, at - behind_ms, value);
    return true;
}

bool ov_history_load(struct ov_history *h, char *const *words, size_t count, int64_t behind_ms)
{
    struct ov_history read = {.known = true};
    bool good = count > 0 && number_parse(words[0], &read.base);
    if (good && count > 1)
        read.points = ov_calloc(1, sizeof *read.points);
    for (size_t i = 1; good && i < count; i++)
        good = point_load(read.points, words[i], behind_ms);
    if (good)
        *h = read;
    else
        ov_history_free(&read);
    return good;
}

void ov_history_free(struct ov_history *h)
{
    free(h->points);
    *h = (struct ov_history){0};
}
