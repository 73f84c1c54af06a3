/* SPDX-License-Identifier: Apache-2.0 */
/* The screen of `top`: what stands where. */
#ifndef TOP_DRAW_H
#define TOP_DRAW_H

#include "top_canvas.h"
#include "top_view.h"

/* What there is to be known beside what the view shows. */
struct top_now {
    const struct top_look *newest; /* the last look that ended; NULL: none did */
    int64_t now_ms, asked_ms;      /* ov_clock_ms; when the look under way began, 0: none is */
    int64_t interval_ms;
    double wall;                   /* Unix time */
    struct ov_slice trouble;       /* of the look under way; empty: none so far */
};

enum { TOP_COLUMNS_MIN = 30, TOP_ROWS_MIN = 6 };

/* Draws on a canvas that is blank. */
void top_draw(struct top_view *view, const struct top_now *now, const struct top_canvas *canvas);

#endif
