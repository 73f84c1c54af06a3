/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers as text, fast and in the C locale. A double is printed with the fewest digits that read
 * back as the same double (and, of those, the ones closest to it), by the Schubfach method of
 * R. Giulietti: scale the double and the borders of what rounds to it by a power of ten, with 128
 * bits of it, and take the shortest decimal between the borders. Tables of all 617 powers are
 * replaced by every 27th with 192 bits, from which the others follow exactly.
 */
#include <math.h>

#include "omnivigil.h"

__extension__ typedef unsigned __int128 uint128;

enum {
    FRACTION_BITS = 52,
    EXPONENT_BIAS = 1075, /* of the fraction taken as an integer */
    POWER_MIN = -297,     /* the first row of `powers` */
    POWER_STEP = 27,      /* 5^27 is the last power of five that fits 64 bits */
    PLAIN_MAX = 21,       /* from 1e21 on, and below 1e-6, numbers get an exponent */
    PLAIN_MIN = -6,
};

struct power {
    uint64_t high, low;
};
struct decimal { /* digits * 10^exponent */
    uint64_t digits;
    int exponent;
};

/* 10^(POWER_MIN + i * POWER_STEP) scaled by a power of two to fill 192 bits, rounded down. */
static const uint64_t powers[][3] = {
    {0xa76c582338ed2621, 0xaf2af2b80af6f24e, 0x657c8f4d43323a36}, /* 1e-297 */
    {0x873e4f75e2224e68, 0x5a7744a6e804a291, 0xcc35eddfcf0996d7}, /* 1e-270 */
    {0xda7f5bf590966848, 0xaf39a475506a899e, 0xa30294cc2934e662}, /* 1e-243 */
    {0xb080392cc4349dec, 0xbd8d794d96aacfb3, 0xfe13a5c86af64418}, /* 1e-216 */
    {0x8e938662882af53e, 0x547eb47b7282ee9c, 0x41b0230e1421487d}, /* 1e-189 */
    {0xe65829b3046b0afa, 0x0cb4a5a3112a5112, 0xa3b561b1cb208396}, /* 1e-162 */
    {0xba121a4650e4ddeb, 0x92f34d62616ce413, 0x21a0183e10583cd3}, /* 1e-135 */
    {0x964e858c91ba2655, 0x3a6a07f8d510f86f, 0xe9082f25e9c5e9ec}, /* 1e-108 */
    {0xf2d56790ab41c2a2, 0xfae27299423fb9c3, 0x3695dad7e8858901}, /* 1e-81 */
    {0xc428d05aa4751e4c, 0xaa97e14c3c26b886, 0x96842dc95323f5a8}, /* 1e-54 */
    {0x9e74d1b791e07e48, 0x775ea264cf55347d, 0xca49f1c05120c9c7}, /* 1e-27 */
    {0x8000000000000000, 0x0000000000000000, 0x0000000000000000}, /* 1e0 */
    {0xcecb8f27f4200f3a, 0x0000000000000000, 0x0000000000000000}, /* 1e27 */
    {0xa70c3c40a64e6c51, 0x999090b65f67d924, 0x0000000000000000}, /* 1e54 */
    {0x86f0ac99b4e8dafd, 0x69a028bb3ded71a3, 0xdf9f915627c04e28}, /* 1e81 */
    {0xda01ee641a708de9, 0xe80e6f4820cc9495, 0xd74baad03bc1d8d3}, /* 1e108 */
    {0xb01ae745b101e9e4, 0x5ec05dcff72e7f8f, 0xc04c79ffe324301f}, /* 1e135 */
    {0x8e41ade9fbebc27d, 0x14588f13be847307, 0x23bd6a2059c002f5}, /* 1e162 */
    {0xe5d3ef282a242e81, 0x8f1668c8a86da5fa, 0xf0b5ccf5176ecc7c}, /* 1e189 */
    {0xb9a74a0637ce2ee1, 0x6d953e2bd7173692, 0x88efb0037ac08bde}, /* 1e216 */
    {0x95f83d0a1fb69cd9, 0x4abdaf101564f98e, 0x0d5a4af7b3a98e47}, /* 1e243 */
    {0xf24a01a73cf2dccf, 0xbc633b39673c8cec, 0x3d9c44cd2f36917c}, /* 1e270 */
    {0xc3b8358109e84f07, 0x0a862f80ec4700c8, 0x02606ea01029dc37}, /* 1e297 */
    {0x9e19db92b4e31ba9, 0x6c07a2c26a8346d1, 0x4944d9f52cd0dec2}, /* 1e324 */
};

static const uint64_t fives[] = {
    0x0000000000000001, 0x0000000000000005, 0x0000000000000019, 0x000000000000007d,
    0x0000000000000271, 0x0000000000000c35, 0x0000000000003d09, 0x000000000001312d,
    0x000000000005f5e1, 0x00000000001dcd65, 0x00000000009502f9, 0x0000000002e90edd,
    0x000000000e8d4a51, 0x0000000048c27395, 0x000000016bcc41e9, 0x000000071afd498d,
    0x0000002386f26fc1, 0x000000b1a2bc2ec5, 0x000003782dace9d9, 0x00001158e460913d,
    0x000056bc75e2d631, 0x0001b1ae4d6e2ef5, 0x000878678326eac9, 0x002a5a058fc295ed,
    0x00d3c21bcecceda1, 0x0422ca8b0a00a425, 0x14adf4b7320334b9, 0x6765c793fa10079d,
};

static const char pairs[] =
    "00010203040506070809101112131415161718192021222324252627282930313233343536373839404142434445"
    "464748495051525354555657585960616263646566676869707172737475767778798081828384858687888990"
    "919293949596979899";

/* Writes the digits of `value` so that they end before `end`; returns where they begin. */
static char *digits_write(char *end, uint64_t value)
{
    for (; value >= 100; value /= 100) {
        end -= 2;
        memcpy(end, pairs + value % 100 * 2, 2);
    }
    if (value >= 10) {
        end -= 2;
        memcpy(end, pairs + value * 2, 2);
    } else {
        *--end = (char)('0' + value);
    }
    return end;
}

/* 10^exponent scaled by a power of two to fill 128 bits: rounded down, plus one. */
static struct power power_of_ten(int exponent)
{
    unsigned row = (unsigned)(exponent - POWER_MIN) / POWER_STEP;
    unsigned rest = (unsigned)(exponent - POWER_MIN) % POWER_STEP;
    uint64_t five = fives[rest] << __builtin_clzll(fives[rest]);
    uint128 low = (uint128)powers[row][2] * five;
    uint128 middle = (uint128)powers[row][1] * five + (uint64_t)(low >> 64);
    uint128 high = (uint128)powers[row][0] * five + (uint64_t)(middle >> 64);
    if (!(high >> 127))
        high = high << 1 | ((uint64_t)middle >> 63);
    high += 1;
    return (struct power){(uint64_t)(high >> 64), (uint64_t)high};
}

/* The upper half of the product, its lowest bit set where anything was cut off ("round to odd"). */
static uint64_t power_multiply(struct power power, uint64_t factor)
{
    uint64_t carry = (uint64_t)((uint128)power.low * factor >> 64);
    uint128 product = (uint128)power.high * factor + carry;
    return (uint64_t)(product >> 64) | ((uint64_t)product > 1);
}

static int floor_log2_of_power(int exponent) /* floor(log2(10^exponent)) */
{
    return (exponent * 1741647) >> 19;
}

/* The shortest decimal that rounds to fraction * 2^exponent. All values are times four, so that
 * the borders (halfway to the neighbours) are integers. `closer`: the lower neighbour is half as
 * far as the upper one, because the exponent changes there. */
static struct decimal shortest(uint64_t fraction, int exponent, bool closer)
{
    bool even = fraction % 2 == 0; /* then the borders themselves round to it */
    int k = (exponent * 1262611 - (closer ? 524031 : 0)) >> 22; /* floor(log10(of its ulp)) */
    int shift = exponent + floor_log2_of_power(-k) + 1;
    struct power power = power_of_ten(-k);
    uint64_t lower = power_multiply(power, (4 * fraction - 2 + closer) << shift) + !even;
    uint64_t value = power_multiply(power, (4 * fraction) << shift);
    uint64_t upper = power_multiply(power, (4 * fraction + 2) << shift) - !even;

    uint64_t digits = value / 4;
    if (digits >= 10) { /* one digit less, if exactly one such decimal lies inside */
        uint64_t tens = digits / 10;
        bool below = lower <= 40 * tens;
        bool above = 40 * tens + 40 <= upper;
        if (below != above)
            return (struct decimal){tens + above, k + 1};
    }
    bool below = lower <= 4 * digits;
    bool above = 4 * digits + 4 <= upper;
    if (below != above)
        return (struct decimal){digits + above, k};
    uint64_t middle = 4 * digits + 2;
    bool up = value > middle || (value == middle && digits % 2 == 1);
    return (struct decimal){digits + up, k};
}

static struct decimal decimal_of(double value) /* finite and above zero */
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint64_t fraction = bits & ((UINT64_C(1) << FRACTION_BITS) - 1);
    int exponent = (int)(bits >> FRACTION_BITS) & 0x7ff;
    bool closer = fraction == 0 && exponent > 1;
    if (exponent == 0)
        exponent = 1;
    else
        fraction |= UINT64_C(1) << FRACTION_BITS;
    struct decimal d = shortest(fraction, exponent - EXPONENT_BIAS, closer);
    for (; d.digits % 10 == 0; d.digits /= 10)
        d.exponent++;
    return d;
}

static void zeros_add(struct ov_buf *buf, int count)
{
    while (count-- > 0)
        ov_buf_char(buf, '0');
}

static void decimal_write(struct ov_buf *buf, struct decimal d)
{
    char text[24];
    char *end = text + sizeof text;
    char *digits = digits_write(end, d.digits);
    int count = (int)(end - digits);
    int point = count + d.exponent; /* how many digits stand before the decimal point */

    if (point > PLAIN_MAX || point <= PLAIN_MIN) {
        ov_buf_char(buf, digits[0]);
        if (count > 1) {
            ov_buf_char(buf, '.');
            ov_buf_add(buf, digits + 1, (size_t)count - 1);
        }
        ov_buf_char(buf, 'e');
        ov_buf_int(buf, point - 1);
    } else if (point <= 0) {
        ov_buf_add(buf, "0.", 2);
        zeros_add(buf, -point);
        ov_buf_add(buf, digits, (size_t)count);
    } else if (point >= count) {
        ov_buf_add(buf, digits, (size_t)count);
        zeros_add(buf, point - count);
    } else {
        ov_buf_add(buf, digits, (size_t)point);
        ov_buf_char(buf, '.');
        ov_buf_add(buf, digits + point, (size_t)(count - point));
    }
}

void ov_buf_double(struct ov_buf *buf, double value)
{
    if (!isfinite(value)) { /* never a number that is not there */
        ov_buf_str(buf, "NaN");
        return;
    }
    if (signbit(value)) {
        ov_buf_char(buf, '-');
        value = -value;
    }
    if (value < 0x1p53 && value == (double)(int64_t)value)
        ov_buf_int(buf, (int64_t)value);
    else
        decimal_write(buf, decimal_of(value));
}

void ov_buf_int(struct ov_buf *buf, int64_t value)
{
    char text[24];
    char *end = text + sizeof text;
    char *digits = digits_write(end, value < 0 ? -(uint64_t)value : (uint64_t)value);
    if (value < 0)
        *--digits = '-';
    ov_buf_add(buf, digits, (size_t)(end - digits));
}
