/* SPDX-License-Identifier: Apache-2.0 */
/* Shows samples in views whose columns are called as the samples' tags and fields are. */
#ifndef FIGURE_CELLS_H
#define FIGURE_CELLS_H

#include "omnivigil.h"

/* Fills in the last row: each column of `view` that has the name of a tag or field of `sample` and
 * for which that has a value. */
void figure_cells(struct ov_call *call, const struct ov_view *view,
                  const struct ov_sample *sample);
/* The same for the columns from `first` to `last` alone. */
void figure_cells_of(struct ov_call *call, const struct ov_view *view, unsigned first,
                     unsigned last, const struct ov_sample *sample);

/* Marks the cell of the last row whose column is called `column`. */
void figure_mark(struct ov_call *call, const struct ov_view *view, const char *column,
                 enum ov_mark mark);

#endif
