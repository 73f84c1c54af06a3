/* SPDX-License-Identifier: Apache-2.0 */
#include "top_fit.h"

#include <math.h>

#include "human.h"

/* ---------------------------------------------------------------- columns */

static unsigned least_width(const struct top_look *look, enum top_table table, unsigned column)
{
    const struct top_column *c = &top_layouts[table].columns[column];
    unsigned title = (unsigned)strlen(c->title), text = title;
    if (c->type != TOP_TYPE_TEXT)
        return c->width > title ? c->width : title;
    if (look && look->tables[table].widths[column] > text)
        text = look->tables[table].widths[column];
    return text < c->width ? text : c->width;
}

static unsigned sum(const unsigned *widths, unsigned count)
{
    unsigned all = 0;
    for (unsigned i = 0; i < count; i++)
        all += widths[i] ? widths[i] + (all > 0) : 0;
    return all;
}

/* Leaves out the column that is wanted least; false where all others are wanted always. */
static bool leave_out(const struct top_layout *layout, unsigned *widths)
{
    unsigned last = 0;
    for (unsigned i = 0; i < layout->count; i++)
        if (widths[i] && layout->columns[i].rank > layout->columns[last].rank)
            last = i;
    if (layout->columns[last].rank == 0)
        return false;
    widths[last] = 0;
    return true;
}

/* Where there is not even room for what is always there, its texts become shorter. */
static void shorten(const struct top_layout *layout, unsigned *widths, unsigned width)
{
    enum { SHORTEST = 4 };
    while (sum(widths, layout->count) > width) {
        unsigned widest = 0;
        for (unsigned i = 1; i < layout->count; i++)
            if (layout->columns[i].type == TOP_TYPE_TEXT && widths[i] > widths[widest])
                widest = i;
        if (widths[widest] <= SHORTEST)
            return;
        widths[widest]--;
    }
}

void top_fit(const struct top_look *look, enum top_table table, unsigned width,
             unsigned widths[TOP_COLUMNS_MAX])
{
    const struct top_layout *layout = &top_layouts[table];
    for (unsigned i = 0; i < layout->count; i++)
        widths[i] = least_width(look, table, i);
    while (sum(widths, layout->count) > width && leave_out(layout, widths))
        ;
    shorten(layout, widths, width);
    unsigned used = sum(widths, layout->count);
    unsigned spare = used < width ? width - used : 0;
    for (bool any = true; spare && any;) {
        any = false;
        for (unsigned i = 0; i < layout->count && spare; i++) {
            bool wants = layout->columns[i].type == TOP_TYPE_TEXT && widths[i] && look &&
                         widths[i] < look->tables[table].widths[i];
            widths[i] += wants;
            spare -= wants;
            any |= wants;
        }
    }
    for (unsigned i = 0; i < layout->count; i++)
        if (layout->columns[i].type == TOP_TYPE_TREND && widths[i]) {
            unsigned more = TOP_TREND_MAX - widths[i];
            widths[i] += spare < more ? spare : more;
        }
}

/* ---------------------------------------------------------------- numbers */

/* 12345 in 4 columns: 12k */
static void count_write(struct ov_buf *out, double number, unsigned width)
{
    static const char units[] = " kMGTPE";
    size_t start = out->len;
    for (size_t unit = 0; unit < sizeof units - 1; unit++, number /= 1000) {
        out->len = start;
        ov_human_number(out, floor(number));
        if (unit)
            ov_buf_char(out, units[unit]);
        if (out->len - start <= width)
            return;
    }
}

static void rate_write(struct ov_buf *out, double rate, unsigned width)
{
    if (rate >= 99.95)
        count_write(out, rate + 0.5, width);
    else if (rate > 0 && rate < 0.005)
        ov_buf_str(out, ">0");
    else
        ov_human_number(out, rate < 0.995 ? round(rate * 100) / 100 : round(rate * 10) / 10);
}

/* In six columns: of less than a second, two or three digits are enough. */
static void seconds_write(struct ov_buf *out, double seconds)
{
    double step = seconds >= 0.01 ? 1e-3 : seconds >= 1e-3 ? 1e-4 : 1e-6;
    ov_human_seconds(out, fabs(seconds) < 1 ? round(seconds / step) * step : seconds);
}

void top_number(struct ov_buf *out, enum top_type type, double number, unsigned width)
{
    if (isnan(number))
        return;
    switch (type) {
    case TOP_TYPE_COUNT:
        count_write(out, number, width);
        break;
    case TOP_TYPE_LEAST:
        count_write(out, fabs(number), number < 0 ? width - 1 : width);
        if (number < 0)
            ov_buf_char(out, '+');
        break;
    case TOP_TYPE_RATE:
        rate_write(out, number, width);
        break;
    case TOP_TYPE_SECONDS:
        seconds_write(out, number);
        break;
    case TOP_TYPE_RATIO:
        ov_human_ratio(out, number);
        break;
    case TOP_TYPE_TEXT:
    case TOP_TYPE_TREND:
        break;
    }
}

/* ---------------------------------------------------------------- lines */

void top_draw_line(struct ov_buf *out, const struct top_line *line, unsigned width, bool utf8)
{
    static const char *const blocks[] = {"\u2581", "\u2582", "\u2583", "\u2584", "\u2585",
                                         "\u2586", "\u2587", "\u2588"};
    static const char *const ascii[] = {"_", ".", ":", "-", "=", "+", "*", "#"};
    enum { LEVELS = OV_COUNT(blocks) };
    unsigned count = line->count < width ? line->count : width;
    const float *values = line->values + line->count - count;
    float most = 0;
    for (unsigned i = 0; i < count; i++)
        most = values[i] > most ? values[i] : most;
    for (unsigned i = count; i < width; i++)
        ov_buf_char(out, ' ');
    for (unsigned i = 0; i < count; i++) {
        int level = values[i] > 0 ? (int)ceilf(values[i] / most * (LEVELS - 1)) : 0;
        ov_buf_str(out, isnan(values[i]) ? " " : utf8 ? blocks[level] : ascii[level]);
    }
}
