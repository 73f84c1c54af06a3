/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows in columns, two blanks apart, numbers to the right: all cells are written once to learn how
 * wide they are, then the columns are made to fit the terminal. Columns with a rank are left out,
 * the highest first, while the others do not fit with long texts cut to TEXT_FAIR, and named below;
 * then the widest texts are cut, down to TEXT_MIN, but for those at the end of a line, which go on
 * below. Numbers are never cut.
 *
 * A tree's first column is a line above the rows that have the same in it:
 *
 *     TOPIC / GROUP  PENDING
 *     orders.created
 *     ├─ billing          12
 *     └─ shipping          0
 */
#include <stdlib.h>

#include "show_model.h"
#include "terminal.h"
#include "text_width.h"

enum {
    GAP = 2,
    BRANCH = 3,     /* the columns of what is drawn before a tree's rows */
    TEXT_FAIR = 36, /* as long as a UUID */
    TEXT_MIN = 8,
};

struct piece { /* a cell as text */
    size_t at, len, width;
};

struct grid {
    const struct ov_shown *shown;
    const struct ov_shown_view *v;
    const struct ov_view *view;
    const struct ov_shown_layout *layout;
    bool tree;
    unsigned first; /* the first column that stands in the rows */
    struct ov_buf text;
    struct piece *pieces; /* the headings, then row by row */
    size_t *widths;       /* of the columns, made to fit */
    struct ov_buf *out;
    size_t blanks; /* to be written before the next text of the line */
};

static struct ov_slice piece_text(const struct grid *grid, const struct piece *piece)
{
    return (struct ov_slice){grid->text.data + piece->at, piece->len};
}

static void piece_end(struct grid *grid, struct piece *piece, size_t start)
{
    while (grid->text.len > start && grid->text.data[grid->text.len - 1] == ' ')
        grid->text.len--;
    *piece = (struct piece){.at = start, .len = grid->text.len - start};
    piece->width = ov_text_width(piece_text(grid, piece));
}

static void grid_fill(struct grid *grid)
{
    const struct ov_view *view = grid->view;
    size_t count = view->column_count;
    grid->pieces = ov_calloc((grid->v->row_count + 1) * count, sizeof *grid->pieces);
    for (unsigned i = 0; i < count; i++) {
        size_t start = grid->text.len;
        if (grid->tree && i == 1) { /* stands for both */
            ov_show_name(&view->columns[0], true, &grid->text);
            ov_buf_str(&grid->text, " / ");
        }
        ov_show_name(&view->columns[i], true, &grid->text);
        piece_end(grid, &grid->pieces[i], start);
    }
    const struct ov_shown_cell *cells = &grid->shown->cells[grid->v->first_cell];
    for (size_t i = 0; i < grid->v->row_count * count; i++) {
        size_t start = grid->text.len;
        ov_show_for_persons(grid->shown, &cells[i], view->columns[i % count].type, &grid->text);
        piece_end(grid, &grid->pieces[count + i], start);
    }
}

/* ---------------------------------------------------------------- columns made to fit */

static bool is_text(const struct ov_column *column)
{
    return column->type == OV_CELL_TEXT || column->type == OV_CELL_JSON;
}

static bool is_right(const struct ov_column *column)
{
    return column->type == OV_CELL_INT || column->type == OV_CELL_FLOAT ||
           column->type == OV_CELL_SECONDS || column->type == OV_CELL_BYTES ||
           column->type == OV_CELL_RATIO;
}

/* What the columns would like to have, which is no less than it was in the part before. */
static void layout_measure(const struct grid *grid, struct ov_shown_layout *layout)
{
    size_t count = grid->view->column_count;
    if (!grid->v->begun) {
        layout->widths = ov_realloc(layout->widths, count, sizeof *layout->widths);
        layout->left_out = ov_realloc(layout->left_out, count, sizeof *layout->left_out);
        memset(layout->widths, 0, count * sizeof *layout->widths);
        memset(layout->left_out, 0, count * sizeof *layout->left_out);
    }
    for (size_t i = 0; i < (grid->v->row_count + 1) * count; i++) {
        size_t width = grid->pieces[i].width;
        if (i == 1 && grid->tree) /* its heading begins above the branches */
            width = width > BRANCH ? width - BRANCH : 0;
        if (layout->widths[i % count] < width)
            layout->widths[i % count] = width;
    }
}

/* The columns a line takes where no text is longer than `text_max`. */
static size_t line_width(const struct grid *grid, size_t text_max)
{
    const struct ov_shown_layout *layout = grid->layout;
    size_t sum = grid->tree ? BRANCH : 0, gap = 0;
    for (unsigned i = grid->first; i < grid->view->column_count; i++) {
        if (layout->left_out[i])
            continue;
        bool cut = is_text(&grid->view->columns[i]) && layout->widths[i] > text_max;
        sum += gap + (cut ? text_max : layout->widths[i]);
        gap = GAP;
    }
    return sum;
}

/* Leaves out the column with the highest rank, the last one of equals; never the first in a row. */
static bool column_leave_out(const struct grid *grid, struct ov_shown_layout *layout)
{
    int rank = 0;
    unsigned worst = 0;
    for (unsigned i = grid->first + 1; i < grid->view->column_count; i++) {
        if (!layout->left_out[i] && grid->view->columns[i].rank > 0 &&
            grid->view->columns[i].rank >= rank) {
            rank = grid->view->columns[i].rank;
            worst = i;
        }
    }
    if (rank)
        layout->left_out[worst] = true;
    return rank != 0;
}

/* Makes the columns fit. False: they do not. `*changed`: others than before are left out. */
static bool layout_fit(struct grid *grid, struct ov_shown_layout *layout, bool *changed)
{
    size_t width = grid->shown->style.width ? grid->shown->style.width : SIZE_MAX;
    while (line_width(grid, TEXT_FAIR) > width && column_leave_out(grid, layout))
        *changed = true;
    if (line_width(grid, TEXT_MIN) > width)
        return false;
    size_t low = TEXT_MIN, high = width; /* `low` fits */
    while (low < high) {
        size_t middle = low + (high - low + 1) / 2;
        if (line_width(grid, middle) <= width)
            low = middle;
        else
            high = middle - 1;
    }
    size_t left = width - line_width(grid, low); /* less than one for each text that is cut */
    for (unsigned i = grid->first; i < grid->view->column_count; i++) {
        grid->widths[i] = layout->widths[i];
        if (is_text(&grid->view->columns[i]) && layout->widths[i] > low) {
            bool one_more = left > 0 && !layout->left_out[i];
            grid->widths[i] = low + one_more;
            left -= one_more;
        }
    }
    return true;
}

/* ---------------------------------------------------------------- lines */

static void piece_write(struct grid *grid, unsigned column, const struct piece *piece, size_t width,
                        const char *sgr)
{
    size_t used = piece->width < width ? piece->width : width;
    bool right = is_right(&grid->view->columns[column]);
    if (right)
        grid->blanks += width - used;
    if (piece->len) {
        ov_show_blanks(grid->out, grid->blanks);
        grid->blanks = 0;
        used = ov_show_cut(grid->shown, piece_text(grid, piece), width, sgr, grid->out);
    }
    grid->blanks += GAP + (right ? 0 : width - used);
}

static void line_end(struct grid *grid)
{
    ov_buf_char(grid->out, '\n');
    grid->blanks = 0;
}

static void headings_write(struct grid *grid)
{
    for (unsigned i = grid->first; i < grid->view->column_count; i++) {
        size_t branch = grid->tree && i == grid->first ? BRANCH : 0;
        if (!grid->layout->left_out[i])
            piece_write(grid, i, &grid->pieces[i], grid->widths[i] + branch, OV_SGR_BOLD);
    }
    line_end(grid);
}

static const struct piece *row_pieces(const struct grid *grid, size_t row)
{
    return &grid->pieces[(row + 1) * grid->view->column_count];
}

/* The last column that is there. */
static unsigned last_column(const struct grid *grid)
{
    unsigned last = grid->view->column_count - 1;
    while (last > grid->first && grid->layout->left_out[last])
        last--;
    return last;
}

/* Texts at the end of a line go on below where they are too long; others are cut. */
static void row_write(struct grid *grid, size_t row)
{
    const struct ov_shown_view *v = grid->v;
    const struct ov_shown_cell *cells =
        &grid->shown->cells[v->first_cell + row * grid->view->column_count];
    const struct piece *pieces = row_pieces(grid, row);
    unsigned last = last_column(grid);
    size_t margin = grid->tree ? BRANCH : 0;
    for (unsigned i = grid->first; i < last; i++) {
        if (grid->layout->left_out[i])
            continue;
        piece_write(grid, i, &pieces[i], grid->widths[i], ov_mark_sgr[cells[i].mark]);
        margin += grid->widths[i] + GAP;
    }
    if (is_text(&grid->view->columns[last]) && pieces[last].width > grid->widths[last]) {
        ov_show_blanks(grid->out, grid->blanks);
        ov_show_wrapped(grid->shown, piece_text(grid, &pieces[last]), margin,
                        ov_mark_sgr[cells[last].mark], grid->out);
        grid->blanks = 0;
        return;
    }
    piece_write(grid, last, &pieces[last], grid->widths[last], ov_mark_sgr[cells[last].mark]);
    line_end(grid);
}

static bool in_same_group(const struct grid *grid, size_t a, size_t b)
{
    return a < grid->v->row_count && b < grid->v->row_count &&
           ov_slice_eq(piece_text(grid, row_pieces(grid, a)),
                       piece_text(grid, row_pieces(grid, b)));
}

/* A heading can stand alone: a row that has nothing else. */
static bool is_heading_only(const struct grid *grid, size_t row)
{
    const struct ov_shown_cell *cells =
        &grid->shown->cells[grid->v->first_cell + row * grid->view->column_count];
    for (unsigned i = 1; i < grid->view->column_count; i++)
        if (cells[i].held != OV_HELD_NOTHING)
            return false;
    return true;
}

static void tree_row_write(struct grid *grid, size_t row)
{
    bool first = !in_same_group(grid, row, row - 1), last = !in_same_group(grid, row, row + 1);
    if (first) {
        const struct ov_shown_cell *cell =
            &grid->shown->cells[grid->v->first_cell + row * grid->view->column_count];
        size_t width = grid->shown->style.width ? grid->shown->style.width : SIZE_MAX;
        ov_show_cut(grid->shown, piece_text(grid, row_pieces(grid, row)), width,
                    cell->mark ? ov_mark_sgr[cell->mark] : OV_SGR_BOLD, grid->out);
        line_end(grid);
    }
    if (first && last && is_heading_only(grid, row))
        return;
    if (grid->shown->utf8)
        ov_buf_str(grid->out, last ? "\u2514\u2500" : "\u251c\u2500");
    else
        ov_buf_str(grid->out, last ? "`-" : "|-");
    grid->blanks = 1;
    row_write(grid, row);
}

/* Says which columns are not there, and what would show them. */
static void left_out_write(const struct grid *grid)
{
    struct ov_buf text = {0};
    for (unsigned i = 0; i < grid->view->column_count; i++) {
        if (!grid->layout->left_out[i])
            continue;
        ov_buf_str(&text, text.len ? ", " : "No room for: ");
        ov_show_name(&grid->view->columns[i], false, &text);
    }
    if (text.len) {
        ov_buf_str(&text, "; a wider terminal or --format csv shows them.");
        ov_show_wrapped(grid->shown, (struct ov_slice){text.data, text.len}, 0,
                        ov_mark_sgr[OV_MARK_DIM], grid->out);
    }
    ov_buf_free(&text);
}

bool ov_show_rows(struct ov_shown *shown, struct ov_shown_view *v, struct ov_buf *out)
{
    bool tree = v->view->shape == OV_SHAPE_TREE && v->view->column_count > 1;
    struct grid grid = {
        .shown = shown, .v = v, .view = v->view, .layout = &shown->layout, .tree = tree,
        .first = tree, .widths = ov_calloc(v->view->column_count, sizeof *grid.widths), .out = out,
    };
    bool headings = !v->begun;
    grid_fill(&grid);
    layout_measure(&grid, &shown->layout);
    bool fits = layout_fit(&grid, &shown->layout, &headings);
    if (fits && headings)
        headings_write(&grid);
    for (size_t row = 0; fits && row < v->row_count; row++) {
        if (tree)
            tree_row_write(&grid, row);
        else
            row_write(&grid, row);
    }
    if (fits && !v->begun)
        left_out_write(&grid);
    ov_buf_free(&grid.text);
    free(grid.pieces);
    free(grid.widths);
    return fits;
}
