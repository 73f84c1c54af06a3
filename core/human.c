/* SPDX-License-Identifier: Apache-2.0 */
/* Rounds by hand instead of by printf, whose decimal point depends on the locale. */
#include <math.h>
#include <time.h>

#include "human.h"

/* From here on an integer is all a double holds, and as one it would not fit its type. */
static const double LARGE = 1e15;

/* With `decimals` digits after the point, 0 to 9; below LARGE. */
static void fixed_write(struct ov_buf *out, double value, int decimals)
{
    int64_t unit = 1;
    for (int i = 0; i < decimals && unit < (int64_t)1e9 && fabs(value) < LARGE / (double)unit; i++)
        unit *= 10;
    int64_t rounded = llround(fabs(value) * (double)unit);
    if (value < 0 && rounded)
        ov_buf_char(out, '-');
    ov_buf_int(out, rounded / unit);
    if (unit == 1)
        return;
    ov_buf_char(out, '.');
    for (int64_t digit = unit / 10; digit; digit /= 10)
        ov_buf_char(out, (char)('0' + rounded / digit % 10));
}

void ov_human_number(struct ov_buf *out, double value)
{
    double size = fabs(value), unit = 1000;
    if (size >= LARGE || size < 1e-9) {
        ov_buf_double(out, value);
        return;
    }
    for (; size * unit < 100; unit *= 10)
        ;
    double rounded = round(value * unit) / unit;
    ov_buf_double(out, rounded == 0 ? 0 : rounded);
}

/* Two units, the smaller left out where it is zero: 3m12s, 4d. */
static void pair_write(struct ov_buf *out, int64_t count, int64_t small, char unit, char small_unit)
{
    ov_buf_int(out, count / small);
    ov_buf_char(out, unit);
    if (count % small) {
        if (count % small < 10)
            ov_buf_char(out, '0');
        ov_buf_int(out, count % small);
        ov_buf_char(out, small_unit);
    }
}

void ov_human_seconds(struct ov_buf *out, double value)
{
    static const struct {
        double size;
        const char *name;
    } units[] = {{1e-3, "ms"}, {1e-6, "us"}, {0, "ns"}};
    enum { MINUTE = 60, HOUR = 60 * MINUTE, DAY = 24 * HOUR };
    double size = fabs(value);
    if (value < 0)
        ov_buf_char(out, '-');
    if (size >= LARGE) {
        ov_buf_double(out, size);
        ov_buf_char(out, 's');
    } else if (size >= 100 * (double)DAY) {
        pair_write(out, llround(size / DAY), 1, 'd', 0);
    } else if (size >= DAY) {
        pair_write(out, (int64_t)size / HOUR, DAY / HOUR, 'd', 'h');
    } else if (size >= HOUR) {
        pair_write(out, (int64_t)size / MINUTE, HOUR / MINUTE, 'h', 'm');
    } else if (size >= MINUTE) {
        pair_write(out, (int64_t)size, MINUTE, 'm', 's');
    } else if (size >= 0.9995 || size == 0) {
        fixed_write(out, size < 10 ? size : floor(size), size < 9.95 && size != floor(size));
        ov_buf_char(out, 's');
    } else {
        size_t unit = 0;
        double step = 1e-3;
        for (; size < units[unit].size * 0.9995; unit++)
            step /= 1000;
        ov_human_number(out, round(size / step * 10) / 10);
        ov_buf_str(out, units[unit].name);
    }
}

void ov_human_bytes(struct ov_buf *out, double value)
{
    static const char *const units[] = {" B", " KiB", " MiB", " GiB", " TiB", " PiB", " EiB"};
    double size = fabs(value);
    size_t unit = 0;
    for (; unit + 1 < OV_COUNT(units) && size >= (unit ? 1023.95 : 1023.5); unit++)
        size /= 1024;
    if (value < 0)
        ov_buf_char(out, '-');
    if (size < LARGE)
        fixed_write(out, size, unit > 0);
    else
        ov_buf_double(out, size);
    ov_buf_str(out, units[unit]);
}

void ov_human_ratio(struct ov_buf *out, double value)
{
    double percent = value * 100, size = fabs(percent);
    int decimals = 1;
    for (double half = 0.05; decimals < 6; decimals++, half /= 10)
        if (!(size != 0 && size < half) && !(size != 100 && fabs(size - 100) <= half))
            break;
    if (size < LARGE)
        fixed_write(out, percent, decimals);
    else
        ov_buf_double(out, isfinite(percent) ? percent : value);
    ov_buf_str(out, isfinite(percent) ? " %" : "");
}

void ov_human_quantity(struct ov_buf *out, const char *unit, double value)
{
    static const struct {
        const char *unit;
        void (*write)(struct ov_buf *out, double value);
    } writers[] = {{"seconds", ov_human_seconds}, {"bytes", ov_human_bytes},
                   {"ratio", ov_human_ratio}};
    for (size_t i = 0; isfinite(value) && i < OV_COUNT(writers); i++)
        if (strcmp(unit, writers[i].unit) == 0) {
            writers[i].write(out, value);
            return;
        }
    if (!isfinite(value)) {
        ov_buf_char(out, '?');
        return;
    }
    ov_human_number(out, value);
    if (strcmp(unit, "percent") == 0)
        ov_buf_str(out, " %");
}

void ov_human_time(struct ov_buf *out, double seconds)
{
    time_t whole = (time_t)floor(seconds);
    struct tm local;
    char text[48];
    localtime_r(&whole, &local);
    ov_buf_printf(out, "%04d-", local.tm_year + 1900);
    ov_buf_add(out, text, strftime(text, sizeof text, "%m-%d %H:%M:%S", &local));
}
