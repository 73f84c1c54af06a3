/* SPDX-License-Identifier: Apache-2.0 */
/* Nearness of names: the number of letters to insert, delete, replace or swap with the next one.
 * Letters are compared without case, and `-` is `_`, since those are the commonest slips. */
#include "nearest.h"

enum { LONGEST = 64 };

static unsigned char nearest_letter(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned char)(c - 'A' + 'a');
    return c == '-' ? '_' : (unsigned char)c;
}

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Three rows of the usual table are enough: a swap looks back two. */
static unsigned nearest_distance(struct ov_slice a, struct ov_slice b)
{
    unsigned rows[3][LONGEST + 1];
    for (unsigned j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (unsigned i = 1; i <= a.len; i++) {
        const unsigned *before = rows[(i + 1) % 3], *last = rows[(i - 1) % 3];
        unsigned *row = rows[i % 3];
        unsigned char x = nearest_letter(a.ptr[i - 1]);
        row[0] = i;
        for (unsigned j = 1; j <= b.len; j++) {
            unsigned char y = nearest_letter(b.ptr[j - 1]);
            row[j] = smaller(smaller(last[j], row[j - 1]) + 1, last[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == nearest_letter(b.ptr[j - 2]) &&
                y == nearest_letter(a.ptr[i - 2]))
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void ov_nearest_try(struct ov_nearest *nearest, const char *name)
{
    struct ov_slice wanted = nearest->wanted, other = ov_slice(name);
    if (wanted.len == 0 || wanted.len > LONGEST || other.len > LONGEST)
        return;
    size_t longer = wanted.len > other.len ? wanted.len : other.len;
    size_t shorter = wanted.len + other.len - longer, limit = (longer + 1) / 3;
    if (longer - shorter > limit)
        return;
    size_t distance = nearest_distance(wanted, other);
    if (distance > limit || distance >= wanted.len)
        return;
    if (!nearest->best || distance < nearest->distance) {
        nearest->best = name;
        nearest->distance = distance;
    }
}

bool ov_nearest_hint(const struct ov_nearest *nearest, struct ov_buf *out)
{
    if (!nearest->best)
        return false;
    ov_buf_str(out, " (did you mean `");
    ov_buf_escaped(out, ov_slice(nearest->best));
    ov_buf_str(out, "`?)");
    return true;
}
