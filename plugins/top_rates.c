/* SPDX-License-Identifier: Apache-2.0 */
#include "top_rates.h"

#include <math.h>

struct alert {
    struct pair name; /* rule, whose */
    int64_t since_ns;
};

void top_rates_begin(struct top_rates *rates)
{
    rates->cycle++;
}

struct top_track *top_track(struct top_rates *rates, struct ov_slice topic, struct ov_slice name)
{
    struct top_track *track = pairs_add(&rates->tracks, topic, name, sizeof *track);
    track->name.seen = rates->cycle;
    return track;
}

double top_track_rate(struct top_track *track, enum top_counter counter, int64_t value,
                      int64_t at_ns)
{
    double rate = (double)NAN;
    if (value < 0)
        return rate;
    int64_t grown = value - track->counters[counter].value;
    int64_t took_ns = at_ns - track->counters[counter].at_ns;
    if (track->counters[counter].known && grown >= 0 && took_ns > 0)
        rate = (double)grown * 1e9 / (double)took_ns;
    track->counters[counter].known = true;
    track->counters[counter].rate = rate;
    track->counters[counter].value = value;
    track->counters[counter].at_ns = at_ns;
    return rate;
}

double top_track_last(const struct top_track *track, enum top_counter counter)
{
    return track->counters[counter].known ? track->counters[counter].rate : (double)NAN;
}

void top_track_add(struct top_track *track, enum top_trend trend, double value)
{
    struct top_line *line = &track->lines[trend];
    if (line->count == TOP_TREND_MAX)
        memmove(line->values, line->values + 1, sizeof line->values - sizeof line->values[0]);
    else
        line->count++;
    line->values[line->count - 1] = (float)value;
}

double top_rates_fires(struct top_rates *rates, struct ov_slice rule, struct ov_slice whose,
                       int64_t at_ns)
{
    struct alert *alert = pairs_add(&rates->alerts, rule, whose, sizeof *alert);
    if (alert->name.seen == 0)
        alert->since_ns = at_ns;
    alert->name.seen = rates->cycle;
    return (double)(at_ns - alert->since_ns) / 1e9;
}

void top_rates_end(struct top_rates *rates)
{
    pairs_sweep(&rates->tracks, rates->cycle, NULL);
    pairs_sweep(&rates->alerts, rates->cycle, NULL);
}

void top_rates_free(struct top_rates *rates)
{
    pairs_free(&rates->tracks, NULL);
    pairs_free(&rates->alerts, NULL);
}
