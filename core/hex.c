/* SPDX-License-Identifier: Apache-2.0 */
#include "hex.h"

void ov_hex_put(struct ov_buf *out, struct ov_slice bytes)
{
    static const char digits[] = "0123456789abcdef";
    ov_buf_char(out, 'x');
    for (size_t i = 0; i < bytes.len; i++) {
        ov_buf_char(out, digits[(unsigned char)bytes.ptr[i] >> 4]);
        ov_buf_char(out, digits[(unsigned char)bytes.ptr[i] & 15]);
    }
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool ov_hex_take(const char *text, struct ov_buf *out)
{
    ov_buf_reset(out);
    if (*text++ != 'x')
        return false;
    for (; text[0] && text[1]; text += 2) {
        int high = hex_digit(text[0]), low = hex_digit(text[1]);
        if (high < 0 || low < 0)
            return false;
        ov_buf_char(out, (char)(high << 4 | low));
    }
    return !*text;
}
