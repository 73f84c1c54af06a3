/* SPDX-License-Identifier: Apache-2.0 */
/* Walks over text character by character, and adds up what a terminal takes for each. */
#include "text_width.h"
#include "utf8.h"

/* The width of the character at `bytes`, whose length is put into *step. */
static unsigned next_width(const char *bytes, size_t len, size_t *step)
{
    const unsigned char *b = (const unsigned char *)bytes;
    *step = ov_utf8_len(bytes, len);
    switch (*step) {
    case 2:
        return ov_char_width((b[0] & 0x1fu) << 6 | (b[1] & 0x3fu));
    case 3:
        return ov_char_width((b[0] & 0x0fu) << 12 | (b[1] & 0x3fu) << 6 | (b[2] & 0x3fu));
    case 4:
        return ov_char_width((b[0] & 0x07u) << 18 | (b[1] & 0x3fu) << 12 | (b[2] & 0x3fu) << 6 |
                             (b[3] & 0x3fu));
    default:
        *step = 1;
        return 1;
    }
}

size_t ov_text_fit(struct ov_slice text, size_t width, size_t *used)
{
    size_t at = 0;
    *used = 0;
    while (at < text.len) {
        size_t step = 1;
        unsigned more = 1;
        if ((unsigned char)text.ptr[at] >= 0x80)
            more = next_width(text.ptr + at, text.len - at, &step);
        if (more > width - *used)
            break;
        *used += more;
        at += step;
    }
    return at;
}

size_t ov_text_width(struct ov_slice text)
{
    size_t used;
    ov_text_fit(text, SIZE_MAX, &used);
    return used;
}
