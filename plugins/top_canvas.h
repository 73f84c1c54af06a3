/* SPDX-License-Identifier: Apache-2.0 */
/* What `top` draws on: a terminal, or a test's paper. */
#ifndef TOP_CANVAS_H
#define TOP_CANVAS_H

#include "omnivigil.h"

/* A style is an enum ov_mark, with any of these. */
enum { TOP_STYLE_MARK = 7, TOP_STYLE_BOLD = 8, TOP_STYLE_REVERSE = 16 };

struct top_canvas {
    unsigned rows, columns;
    bool utf8; /* else ASCII is drawn alone */
    /* Text that is printable UTF-8 (or ASCII) and fits the row. */
    void (*put)(void *context, unsigned row, unsigned column, unsigned style,
                struct ov_slice text);
    void *context;
};

/* Draws one row from left to right. */
struct top_pen {
    const struct top_canvas *canvas;
    unsigned row, column;
};
/* As much of the text as fits the row, and `width` columns; control bytes and what is no UTF-8 are
 * escaped. Returns the columns it took. Where it was cut its last column says so. */
unsigned top_pen_text(struct top_pen *pen, unsigned style, unsigned width, struct ov_slice text);
void top_pen_str(struct top_pen *pen, unsigned style, const char *text);
void top_pen_printf(struct top_pen *pen, unsigned style, const char *format, ...) OV_PRINTF(3, 4);
/* Blanks up to a column. */
void top_pen_to(struct top_pen *pen, unsigned style, unsigned column);

#endif
