/* SPDX-License-Identifier: Apache-2.0 */
#include "figure_cells.h"

#include "figures.h"

static void show_text(struct ov_call *call, unsigned column, const struct ov_sample *sample,
                      const char *name)
{
    struct ov_slice tag = figure_tag(sample, name), text = figure_text(sample, name);
    if (tag.len || text.len)
        ov_show_text(call, column, tag.len ? tag : text);
}

static void show_bool(struct ov_call *call, unsigned column, int value)
{
    if (value >= 0)
        ov_show_bool(call, column, value == 1);
}

void figure_cells_of(struct ov_call *call, const struct ov_view *view, unsigned first,
                     unsigned last, const struct ov_sample *sample)
{
    for (unsigned i = first; i <= last; i++) {
        const char *name = view->columns[i].name;
        int64_t whole = figure_int(sample, name, INT64_MIN);
        switch (view->columns[i].type) {
        case OV_CELL_TEXT:
        case OV_CELL_LINE:
        case OV_CELL_JSON:
            show_text(call, i, sample, name);
            break;
        case OV_CELL_BOOL:
            show_bool(call, i, figure_bool(sample, name));
            break;
        case OV_CELL_INT:
            if (whole != INT64_MIN)
                ov_show_int(call, i, whole);
            break;
        case OV_CELL_FLOAT:
        case OV_CELL_SECONDS:
        case OV_CELL_BYTES:
        case OV_CELL_RATIO:
        case OV_CELL_TIME:
            ov_show_float(call, i, whole != INT64_MIN ? (double)whole
                                                      : figure_double(sample, name));
            break;
        }
    }
}

void figure_cells(struct ov_call *call, const struct ov_view *view, const struct ov_sample *sample)
{
    figure_cells_of(call, view, 0, view->column_count - 1, sample);
}

void figure_mark(struct ov_call *call, const struct ov_view *view, const char *column,
                 enum ov_mark mark)
{
    for (unsigned i = 0; i < view->column_count; i++)
        if (strcmp(view->columns[i].name, column) == 0)
            ov_show_mark(call, i, mark);
}
