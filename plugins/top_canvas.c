/* SPDX-License-Identifier: Apache-2.0 */
#include "top_canvas.h"

#include "text_width.h"
#include "utf8.h"

/* A terminal without UTF-8 gets `?` for each character beyond ASCII, as wide as it is. */
static void flatten(struct ov_buf *text)
{
    size_t to = 0;
    for (size_t at = 0; at < text->len;) {
        size_t len = ov_utf8_len(text->data + at, text->len - at);
        if (len <= 1) {
            text->data[to++] = text->data[at++];
            continue;
        }
        size_t width = ov_text_width((struct ov_slice){text->data + at, len});
        for (size_t i = 0; i < width && i < len; i++)
            text->data[to++] = '?';
        at += len;
    }
    text->len = to;
}

unsigned top_pen_text(struct top_pen *pen, unsigned style, unsigned width, struct ov_slice text)
{
    enum { LOOKED_AT = 4096 }; /* more than any row shows */
    struct ov_buf shown = {0};
    size_t used = 0;
    unsigned left = pen->canvas->columns > pen->column ? pen->canvas->columns - pen->column : 0;
    unsigned room = width < left ? width : left;
    if (text.len > LOOKED_AT)
        text.len = LOOKED_AT;
    ov_buf_escaped(&shown, text);
    if (!pen->canvas->utf8)
        flatten(&shown);
    struct ov_slice all = {shown.data, shown.len};
    size_t fits = ov_text_fit(all, room, &used);
    bool cut = fits < shown.len && room > 0;
    if (cut)
        fits = ov_text_fit(all, room - 1, &used);
    shown.len = fits;
    if (cut) {
        ov_buf_str(&shown, pen->canvas->utf8 ? "\xe2\x80\xa6" : "~");
        used++;
    }
    if (shown.len)
        pen->canvas->put(pen->canvas->context, pen->row, pen->column, style,
                         (struct ov_slice){shown.data, shown.len});
    pen->column += (unsigned)used;
    ov_buf_free(&shown);
    return (unsigned)used;
}

void top_pen_str(struct top_pen *pen, unsigned style, const char *text)
{
    top_pen_text(pen, style, pen->canvas->columns, ov_slice(text));
}

void top_pen_printf(struct top_pen *pen, unsigned style, const char *format, ...)
{
    struct ov_buf text = {0};
    va_list args;
    va_start(args, format);
    ov_buf_vprintf(&text, format, args);
    va_end(args);
    top_pen_text(pen, style, pen->canvas->columns, (struct ov_slice){text.data, text.len});
    ov_buf_free(&text);
}

void top_pen_to(struct top_pen *pen, unsigned style, unsigned column)
{
    static const char blanks[] = "                                                            ";
    while (pen->column < column && pen->column < pen->canvas->columns) {
        unsigned more = column - pen->column;
        size_t len = more < sizeof blanks - 1 ? more : sizeof blanks - 1;
        top_pen_text(pen, style, (unsigned)len, (struct ov_slice){blanks, len});
    }
}
