/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A row as a block of lines, for what has many columns or long texts. Names stand in a column of
 * their own; where that leaves too little for the values, these follow below.
 *
 *     orders.created
 *       last error  Traceback (most recent call last):
 *                     File "worker.py", line 12
 *       payload     {
 *                     "order": 7
 *                   }
 */
#include "json_layout.h"
#include "show_model.h"
#include "terminal.h"
#include "text_width.h"

enum { INDENT = 2, GAP = 2, VALUE_MIN = 10 };

struct cards {
    const struct ov_shown *shown;
    const struct ov_view *view;
    size_t margin; /* of the values */
    bool below;    /* they begin below the names */
    struct ov_buf scratch;
    struct ov_buf *out;
};

static struct cards cards_of(const struct ov_shown *shown, const struct ov_view *view,
                             struct ov_buf *out)
{
    struct cards cards = {.shown = shown, .view = view, .out = out};
    size_t longest = 0, width = shown->style.width;
    for (unsigned i = 1; i < view->column_count; i++) {
        ov_buf_reset(&cards.scratch);
        ov_show_name(&view->columns[i], false, &cards.scratch);
        size_t name = ov_text_width((struct ov_slice){cards.scratch.data, cards.scratch.len});
        longest = name > longest ? name : longest;
    }
    cards.margin = INDENT + longest + GAP;
    size_t room = width / 3 > VALUE_MIN ? width / 3 : VALUE_MIN;
    cards.below = width && cards.margin + room > width;
    if (cards.below)
        cards.margin = INDENT + GAP;
    return cards;
}

/* Writes the value's lines, the first of which begins where the line is. */
static void lines_write(struct cards *cards, struct ov_slice lines, size_t margin, const char *sgr)
{
    for (bool first = true; first || lines.len; first = false) {
        const char *end = lines.len ? memchr(lines.ptr, '\n', lines.len) : NULL;
        size_t len = end ? (size_t)(end - lines.ptr) : lines.len;
        struct ov_slice line = {lines.ptr, len};
        if (!first)
            ov_show_blanks(cards->out, margin);
        ov_show_wrapped(cards->shown, line, margin, sgr, cards->out);
        len += end != NULL;
        lines = (struct ov_slice){lines.ptr + len, lines.len - len};
    }
}

/* Text of several lines stays so; what ends it is left out. */
static void text_prepare(struct ov_buf *out, struct ov_slice text)
{
    while (text.len && memchr(" \n\r\t", text.ptr[text.len - 1], 4))
        text.len--;
    while (text.len) {
        const char *end = memchr(text.ptr, '\n', text.len);
        size_t len = end ? (size_t)(end - text.ptr) : text.len;
        size_t shown = len && end && text.ptr[len - 1] == '\r' ? len - 1 : len;
        ov_buf_escaped(out, (struct ov_slice){text.ptr, shown});
        if (end)
            ov_buf_char(out, '\n');
        len += end != NULL;
        text = (struct ov_slice){text.ptr + len, text.len - len};
    }
}

static void member_write(struct cards *cards, const struct ov_column *column,
                         const struct ov_shown_cell *cell)
{
    const struct ov_shown *shown = cards->shown;
    struct ov_buf *scratch = &cards->scratch;
    ov_buf_reset(scratch);
    ov_show_name(column, false, scratch);
    ov_show_blanks(cards->out, INDENT);
    size_t room = shown->style.width ? shown->style.width - INDENT : SIZE_MAX;
    size_t used = ov_show_cut(shown, (struct ov_slice){scratch->data, scratch->len}, room, NULL,
                              cards->out);
    ov_buf_reset(scratch);
    if (cell->held == OV_HELD_TEXT && column->type == OV_CELL_JSON)
        ov_json_layout(scratch, ov_shown_bytes(shown, cell->text), 2);
    else if (cell->held == OV_HELD_TEXT)
        text_prepare(scratch, ov_shown_bytes(shown, cell->text));
    else
        ov_show_for_persons(shown, cell, column->type, scratch);
    if (scratch->len == 0) {
        ov_buf_char(cards->out, '\n');
        return;
    }
    if (cards->below)
        ov_buf_char(cards->out, '\n');
    ov_show_blanks(cards->out, cards->below ? cards->margin : cards->margin - INDENT - used);
    lines_write(cards, (struct ov_slice){scratch->data, scratch->len}, cards->margin,
                ov_mark_sgr[cell->mark]);
}

void ov_show_cards(struct ov_shown *shown, struct ov_shown_view *v, struct ov_buf *out)
{
    const struct ov_view *view = v->view;
    struct cards cards = cards_of(shown, view, out);
    for (size_t row = 0; row < v->row_count && view->column_count; row++) {
        const struct ov_shown_cell *cells =
            &shown->cells[v->first_cell + row * view->column_count];
        if (row || v->begun)
            ov_buf_char(out, '\n');
        ov_buf_reset(&cards.scratch);
        if (view->shape != OV_SHAPE_CARDS && view->columns[0].type != OV_CELL_TEXT) {
            ov_show_name(&view->columns[0], false, &cards.scratch); /* no value to know it by */
            ov_buf_char(&cards.scratch, ' ');
        }
        ov_show_for_persons(shown, cells, view->columns[0].type, &cards.scratch);
        ov_show_wrapped(shown, (struct ov_slice){cards.scratch.data, cards.scratch.len}, 0,
                        cells[0].mark ? ov_mark_sgr[cells[0].mark] : OV_SGR_BOLD, out);
        for (unsigned i = 1; i < view->column_count; i++)
            if (cells[i].held != OV_HELD_NOTHING)
                member_write(&cards, &view->columns[i], &cells[i]);
    }
    shown->layout.cards = true;
    ov_buf_free(&cards.scratch);
}
