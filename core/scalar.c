/* SPDX-License-Identifier: Apache-2.0 */
/* Strict readers of numbers with units. A decimal fraction is kept as digits and a power of ten,
 * and multiplied by its unit in 128 bits, so the result is exact or refused. */
#include <stdlib.h>

#include "scalar.h"

__extension__ typedef __int128 wide;

/* digits / 10^decimals */
struct decimal {
    int64_t digits;
    int decimals;
};

struct unit {
    const char *name;
    int64_t factor;
};

enum { MAX_DIGITS = 18 }; /* so that an int64_t holds them */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Takes `12` or `1.5` off the front of *text: at least one digit on each side of a point, no
 * leading zero. */
static bool decimal_take(struct ov_slice *text, struct decimal *out)
{
    const char *p = text->ptr, *end = p + text->len, *first = p;
    *out = (struct decimal){0, 0};
    int count = 0;
    bool point = false;
    for (; p < end && (is_digit(*p) || (*p == '.' && !point)); p++) {
        if (*p == '.') {
            point = true;
            continue;
        }
        if (++count > MAX_DIGITS)
            return false;
        out->digits = out->digits * 10 + (*p - '0');
        out->decimals += point;
    }
    bool ends_well = p > first && is_digit(*first) && is_digit(p[-1]);
    bool padded = p - first > 1 && *first == '0' && first[1] != '.';
    *text = (struct ov_slice){p, (size_t)(end - p)};
    return ends_well && !padded;
}

static int64_t ten_to(int power)
{
    int64_t result = 1;
    while (power-- > 0)
        result *= 10;
    return result;
}

/* False where the product is no whole number. Fits for every unit below: 18 digits times 2^40. */
static bool decimal_times(struct decimal number, int64_t factor, wide *out)
{
    wide product = (wide)number.digits * factor;
    wide divisor = ten_to(number.decimals);
    *out = product / divisor;
    return product % divisor == 0;
}

/* Takes the longest unit whose letters are all the letters at the front of *text. */
static const struct unit *unit_take(struct ov_slice *text, const struct unit *units, size_t count)
{
    size_t len = 0;
    while (len < text->len && !is_digit(text->ptr[len]))
        len++;
    for (size_t i = 0; i < count; i++) {
        if (ov_slice_eq(ov_slice(units[i].name), (struct ov_slice){text->ptr, len})) {
            *text = (struct ov_slice){text->ptr + len, text->len - len};
            return &units[i];
        }
    }
    return NULL;
}

static bool all_digits(struct ov_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (!is_digit(text.ptr[i]))
            return false;
    }
    return text.len > 0;
}

const char *ov_scalar_int(struct ov_slice text, int64_t *value)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    struct ov_slice digits = {text.ptr + negative, text.len - negative};
    if (!all_digits(digits))
        return "expected a whole number such as 42";
    if (digits.ptr[0] == '0' && (digits.len > 1 || negative))
        return "expected a whole number without leading zeros";
    int64_t result = 0;
    for (size_t i = 0; i < digits.len; i++) {
        int digit = negative ? '0' - digits.ptr[i] : digits.ptr[i] - '0';
        if (__builtin_mul_overflow(result, 10, &result) ||
            __builtin_add_overflow(result, digit, &result))
            return "the number is too large";
    }
    *value = result;
    return NULL;
}

static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};

static const char *duration_positive(struct ov_slice text, int64_t *value_ms)
{
    static const char form[] = "expected a duration such as 500ms, 10s, 1m30s, 1h or 7d";
    struct ov_slice digits = {text.ptr, 0};
    while (digits.len < text.len && is_digit(text.ptr[digits.len]))
        digits.len++;
    wide total = 0;
    if (digits.len > MAX_DIGITS)
        return "the duration is too large";
    for (const struct unit *last = NULL; text.len > 0 || !last;) {
        struct decimal number;
        wide part;
        if (!decimal_take(&text, &number))
            return form;
        if (text.len == 0)
            return "a duration needs a unit (ms, s, m, h or d), such as 10s";
        const struct unit *unit = unit_take(&text, durations, OV_COUNT(durations));
        if (!unit || (last && unit <= last)) /* 30s1m is more likely a slip than a wish */
            return form;
        if (!decimal_times(number, unit->factor, &part))
            return "a duration must be a whole number of milliseconds";
        last = unit;
        total += part;
    }
    if (total > INT64_MAX)
        return "the duration is too large";
    *value_ms = (int64_t)total;
    return NULL;
}

const char *ov_scalar_duration(struct ov_slice text, int64_t *value_ms)
{
    if (text.len < 2 || text.ptr[0] != '-')
        return duration_positive(text, value_ms);
    int64_t ignored;
    const char *wrong = duration_positive((struct ov_slice){text.ptr + 1, text.len - 1}, &ignored);
    return wrong ? wrong : "a duration cannot be negative";
}

static const struct unit sizes[] = {
    {"TiB", INT64_C(1) << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10},
    {"TB", 1000000000000},     {"GB", 1000000000}, {"MB", 1000000}, {"KB", 1000},
    {"kB", 1000},              {"B", 1},
};

const char *ov_scalar_size(struct ov_slice text, int64_t *value)
{
    static const char form[] = "expected a size such as 512, 64KiB, 10MB or 2GiB";
    struct decimal number;
    wide result;
    if (text.len > MAX_DIGITS && all_digits(text))
        return "the size is too large";
    if (text.len > 1 && text.ptr[0] == '-' && is_digit(text.ptr[1]))
        return "a size cannot be negative";
    if (!decimal_take(&text, &number))
        return form;
    const struct unit *unit = &sizes[OV_COUNT(sizes) - 1];
    if (text.len > 0)
        unit = unit_take(&text, sizes, OV_COUNT(sizes));
    if (!unit || text.len > 0)
        return form;
    if (!decimal_times(number, unit->factor, &result))
        return "a size must be a whole number of bytes";
    if (result > INT64_MAX)
        return "the size is too large";
    *value = (int64_t)result;
    return NULL;
}

const char *ov_scalar_ratio(struct ov_slice text, double *value)
{
    static const char form[] = "expected a ratio from 0 to 1, such as 0.8 or 80%";
    struct decimal number;
    if (!decimal_take(&text, &number))
        return form;
    if (text.len == 1 && text.ptr[0] == '%') {
        number.decimals += 2;
        text.len = 0;
    }
    /* Up to 2^53 over up to 10^22 both are exact doubles, hence so is the rounding. */
    if (text.len > 0 || number.digits > INT64_C(1) << 53)
        return form;
    double power = 1;
    for (int i = 0; i < number.decimals; i++)
        power *= 10;
    double result = (double)number.digits / power;
    if (result > 1)
        return form;
    *value = result;
    return NULL;
}

const char *ov_scalar_bool(struct ov_slice text, bool *value)
{
    if (!ov_slice_eq(text, OV_SLICE("true")) && !ov_slice_eq(text, OV_SLICE("false")))
        return "expected true or false";
    *value = text.ptr[0] == 't';
    return NULL;
}

void ov_scalar_put_duration(struct ov_buf *out, int64_t ms)
{
    if (ms <= 0) {
        ov_buf_str(out, "0s");
        return;
    }
    for (size_t i = 0; i < OV_COUNT(durations); i++) {
        if (ms < durations[i].factor)
            continue;
        ov_buf_int(out, ms / durations[i].factor);
        ov_buf_str(out, durations[i].name);
        ms %= durations[i].factor;
    }
}

void ov_scalar_put_size(struct ov_buf *out, int64_t bytes)
{
    for (size_t i = 0; i < 4; i++) {
        if (bytes > 0 && bytes % sizes[i].factor == 0) {
            ov_buf_int(out, bytes / sizes[i].factor);
            ov_buf_str(out, sizes[i].name);
            return;
        }
    }
    ov_buf_int(out, bytes);
}
