/* SPDX-License-Identifier: Apache-2.0 */
/* One question about bytes: is there a well-formed UTF-8 character here? */
#ifndef OV_UTF8_H
#define OV_UTF8_H

#include <stddef.h>

/* The length (1 to 4) of the well-formed character at `bytes`, or 0: a stray or cut sequence, an
 * overlong form, a surrogate, beyond U+10FFFF. `len` is at least 1. */
static inline size_t ov_utf8_len(const char *bytes, size_t len)
{
    const unsigned char *b = (const unsigned char *)bytes;
    size_t need = b[0] < 0x80 ? 1 : b[0] < 0xc2 ? 0 : b[0] < 0xe0 ? 2 : b[0] < 0xf0 ? 3 : 4;
    if (need == 0 || b[0] > 0xf4 || need > len)
        return 0;
    for (size_t i = 1; i < need; i++)
        if ((b[i] & 0xc0) != 0x80)
            return 0;
    if ((b[0] == 0xe0 && b[1] < 0xa0) || (b[0] == 0xed && b[1] > 0x9f) ||
        (b[0] == 0xf0 && b[1] < 0x90) || (b[0] == 0xf4 && b[1] > 0x8f))
        return 0;
    return need;
}

#endif
