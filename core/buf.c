/* SPDX-License-Identifier: Apache-2.0 */
/* A growing buffer, and the ways bytes from outside are made fit to be read: escaped for a
 * person, or as a JSON string. */
#include <stdio.h>
#include <stdlib.h>

#include "omnivigil.h"
#include "utf8.h"

void ov_buf_grow(struct ov_buf *buf, size_t more)
{
    size_t want;
    if (__builtin_add_overflow(buf->len, more, &want))
        want = SIZE_MAX;
    if (want <= buf->cap)
        return;
    size_t cap = buf->cap < 64 ? 64 : buf->cap;
    while (cap < want)
        cap = cap > SIZE_MAX / 2 ? SIZE_MAX : cap * 2;
    buf->data = ov_realloc(buf->data, cap, 1);
    buf->cap = cap;
}

void ov_buf_vprintf(struct ov_buf *buf, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    ov_buf_grow(buf, 64);
    int need = vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, args);
    if (need > 0 && (size_t)need >= buf->cap - buf->len) {
        ov_buf_grow(buf, (size_t)need + 1);
        vsnprintf(buf->data + buf->len, buf->cap - buf->len, format, again);
    }
    va_end(again);
    if (need > 0)
        buf->len += (size_t)need;
}

void ov_buf_printf(struct ov_buf *buf, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ov_buf_vprintf(buf, format, args);
    va_end(args);
}

void ov_buf_escaped(struct ov_buf *buf, struct ov_slice bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        size_t len = ov_utf8_len(bytes.ptr + i, bytes.len - i);
        bool control = c < 0x20 || c == 0x7f || (c == 0xc2 && len == 2 &&
                       (unsigned char)bytes.ptr[i + 1] < 0xa0);
        if (len && !control) {
            ov_buf_add(buf, bytes.ptr + i, len);
            i += len;
            continue;
        }
        if (c == '\n')
            ov_buf_str(buf, "\\n");
        else if (c == '\t')
            ov_buf_str(buf, "\\t");
        else
            ov_buf_printf(buf, "\\x%02x", c);
        i++;
    }
}

void ov_buf_json(struct ov_buf *buf, struct ov_slice bytes)
{
    ov_buf_char(buf, '"');
    size_t plain = 0; /* where the run of bytes to copy as they are begins */
    for (size_t i = 0; i < bytes.len;) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        size_t len = ov_utf8_len(bytes.ptr + i, bytes.len - i);
        if (len && c >= 0x20 && c != '"' && c != '\\' && c != 0x7f) {
            i += len;
            continue;
        }
        ov_buf_add(buf, bytes.ptr + plain, i - plain);
        if (c == '"' || c == '\\')
            ov_buf_printf(buf, "\\%c", c);
        else if (c == '\n')
            ov_buf_str(buf, "\\n");
        else if (c < 0x80)
            ov_buf_printf(buf, "\\u%04x", c);
        else
            ov_buf_str(buf, "\xef\xbf\xbd");
        plain = ++i;
    }
    if (plain < bytes.len)
        ov_buf_add(buf, bytes.ptr + plain, bytes.len - plain);
    ov_buf_char(buf, '"');
}

const char *ov_buf_text(struct ov_buf *buf)
{
    ov_buf_char(buf, '\0');
    buf->len--;
    return buf->data;
}

void ov_buf_free(struct ov_buf *buf)
{
    free(buf->data);
    *buf = (struct ov_buf){0};
}
