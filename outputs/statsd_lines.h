/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Samples as StatsD metrics, a line for each field with a number. Gauges are sent as they are,
 * booleans as 0 and 1, counters as what they rose by, if they did. Texts have no place in StatsD.
 *
 *     plain       prefix.measurement.site.topic.agent.field:5|g
 *     dogstatsd   prefix.measurement.field:5|g|#topic:orders,agent:mail
 *     influx      prefix.measurement.field,topic=orders,agent=mail:5|g
 *     graphite    prefix.measurement.field;topic=orders;agent=mail:5|g
 *
 * A plain name holds the values of all tags: those of the batch in their order, then those the
 * measurement declares, `_` for one that is not there, so that a place always means the same tag.
 *
 * A gauge below zero is a line that sets it to zero and one with its value, as `:-5|g` alone means
 * "less 5" to most servers, but not in DogStatsD.
 *
 * In names every byte that is not a letter, a digit, `_` or `-` becomes `_`. In tags of dogstatsd
 * and influx `.`, `/` and UTF-8 stay, in those of graphite `.`; elsewhere bytes beyond ASCII are
 * written in hexadecimal.
 */
#ifndef STATSD_LINES_H
#define STATSD_LINES_H

#include "series.h"

enum statsd_dialect { STATSD_PLAIN, STATSD_DOGSTATSD, STATSD_INFLUX, STATSD_GRAPHITE };

struct statsd_style {
    enum statsd_dialect dialect;
    const char *prefix; /* before each name, with its dot; "" for none */
    size_t max;         /* bytes of a line, and of a pair of lines */
};

struct statsd_result {
    size_t lines, too_long; /* written, and left out since they pass `max` */
    const char *why;        /* not NULL: the sample cannot be written at all */
};

/* Appends the lines of a sample. `tags` are the batch's, the sample's own win over them. `scratch`
 * is memory that is used again from one call to the next. */
struct statsd_result statsd_lines_write(struct ov_buf *out, const struct statsd_style *style,
                                        struct series_table *series,
                                        const struct ov_sample *sample, const struct ov_tag *tags,
                                        size_t tag_count, struct ov_buf *scratch);

#endif
