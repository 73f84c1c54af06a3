/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `top` remembers from one look to the next: the counters of topics, groups and agents, of
 * which it makes rates, and the last values of a few figures, which it draws as a line.
 *
 *     top_rates_begin(&rates)                     a look begins
 *     track = top_track(&rates, topic, name)      something that it found
 *     top_track_rate(track, ...), top_track_add(track, ...)
 *     top_rates_end(&rates)                       what it did not find is forgotten
 */
#ifndef TOP_RATES_H
#define TOP_RATES_H

#include "pairs.h"

enum top_counter { TOP_PUBLISHED, TOP_PROCESSED, TOP_FAILED, TOP_DEAD, TOP_COUNTERS };
enum top_trend { TOP_TREND_PROCESSED, TOP_TREND_WAITING, TOP_TREND_DEAD, TOP_TRENDS };
enum { TOP_TREND_MAX = 40 };

/* The last values, the oldest first; NaN: not known then. */
struct top_line {
    float values[TOP_TREND_MAX];
    unsigned count;
};

struct top_track {
    struct pair name;       /* topic, agent or group */
    struct {
        int64_t value, at_ns; /* as last seen */
        double rate;          /* then */
        bool known;
    } counters[TOP_COUNTERS];
    struct top_line lines[TOP_TRENDS];
};

/* Start with {0}. */
struct top_rates {
    struct pairs tracks;    /* struct top_track */
    struct pairs alerts;    /* when they were first seen */
    uint32_t cycle;
};

void top_rates_begin(struct top_rates *rates);
struct top_track *top_track(struct top_rates *rates, struct ov_slice topic, struct ov_slice name);
/* How much a counter grew a second since it was last seen; NaN at first, where it is not there
 * (`value` negative) and where it fell: it was counted anew. `at_ns`: when it was read. */
double top_track_rate(struct top_track *track, enum top_counter counter, int64_t value,
                      int64_t at_ns);
/* What that was when it was last asked for. */
double top_track_last(const struct top_track *track, enum top_counter counter);
void top_track_add(struct top_track *track, enum top_trend trend, double value);
/* For how many seconds a rule has been seen to fire, for what `whose` tells apart. */
double top_rates_fires(struct top_rates *rates, struct ov_slice rule, struct ov_slice whose,
                       int64_t at_ns);
void top_rates_end(struct top_rates *rates);
void top_rates_free(struct top_rates *rates);

#endif
