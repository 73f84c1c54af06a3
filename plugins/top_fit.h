/* SPDX-License-Identifier: Apache-2.0 */
/* Which columns of a table a screen has room for, and how its cells are written. */
#ifndef TOP_FIT_H
#define TOP_FIT_H

#include "top_look.h"

/* widths[i]: of column i; 0: it is left out. One column is between two. `look` may be NULL. */
void top_fit(const struct top_look *look, enum top_table table, unsigned width,
             unsigned widths[TOP_COLUMNS_MAX]);
/* Appends a number as persons read it, in no more than `width` columns, if that can be (from 4 on
 * it can); nothing for NaN. */
void top_number(struct ov_buf *out, enum top_type type, double number, unsigned width);
/* Appends the last `width` values of a line, drawn against its greatest; blanks for those there are
 * none of. */
void top_draw_line(struct ov_buf *out, const struct top_line *line, unsigned width, bool utf8);

#endif
