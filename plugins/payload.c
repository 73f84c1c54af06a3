/* SPDX-License-Identifier: Apache-2.0 */
#include "payload.h"

#include <stdlib.h>

#include "json_text.h"

#define SIZE_DEFAULT 4096
#define SIZE_MAX_TAKEN ((size_t)64 * 1024 * 1024)

bool payload_style_read(struct payload_style *style, struct ov_call *call, const char *limit,
                        const char *mask)
{
    *style = (struct payload_style){.bytes_max = SIZE_DEFAULT};
    if (limit) {
        size_t size = 0;
        for (const char *at = limit; *at && size <= SIZE_MAX_TAKEN; at++)
            size = *at >= '0' && *at <= '9' ? size * 10 + (size_t)(*at - '0')
                                            : SIZE_MAX_TAKEN + 1;
        if (!*limit || size > SIZE_MAX_TAKEN) {
            (void)ov_call_usage(call, "--bytes takes a number of bytes up to %zu (0: no limit), "
                                "not `%s`", SIZE_MAX_TAKEN, limit);
            return false;
        }
        style->bytes_max = size;
    }
    if (!mask)
        return true;
    ov_buf_str(&style->patterns_text, mask);
    const char *at = ov_buf_text(&style->patterns_text);
    while (*at) {
        size_t len = strcspn(at, ",");
        style->patterns.items = ov_realloc(style->patterns.items, style->patterns.count + 1,
                                           sizeof *style->patterns.items);
        if (len)
            style->patterns.items[style->patterns.count++] = (struct ov_slice){at, len};
        at += len + (at[len] == ',');
    }
    return true;
}

void payload_style_free(struct payload_style *style)
{
    free(style->patterns.items);
    ov_buf_free(&style->patterns_text);
}

/* The beginning of `text`, without half a character at its end. */
static struct ov_slice beginning(struct ov_slice text, size_t max)
{
    if (text.len <= max)
        return text;
    size_t len = max;
    while (len > 0 && max - len < 4 && ((unsigned char)text.ptr[len] & 0xc0) == 0x80)
        len--;
    return (struct ov_slice){text.ptr, len};
}

static void cut(struct ov_slice text, size_t max, struct ov_buf *out)
{
    struct ov_slice begin = beginning(text, max);
    struct ov_buf shown = {0};
    ov_buf_slice(&shown, begin);
    if (begin.len < text.len)
        ov_buf_printf(&shown, "... (%zu bytes more; --bytes 0 shows all)", text.len - begin.len);
    ov_buf_json(out, (struct ov_slice){shown.data, shown.len});
    ov_buf_free(&shown);
}

void payload_show(const struct payload_style *style, struct ov_slice bytes, struct ov_buf *out)
{
    size_t max = style->bytes_max ? style->bytes_max : SIZE_MAX, begin = out->len;
    if (!json_text_is_valid(bytes)) {
        if (style->patterns.count)
            ov_buf_printf(out, "\"(%zu bytes that are no JSON, masked)\"", bytes.len);
        else
            cut(bytes, max, out);
        return;
    }
    json_text_mask(out, bytes, &style->patterns);
    if (out->len - begin <= max)
        return;
    struct ov_buf whole = {0};
    ov_buf_add(&whole, out->data + begin, out->len - begin);
    out->len = begin;
    cut((struct ov_slice){whole.data, whole.len}, max, out);
    ov_buf_free(&whole);
}
