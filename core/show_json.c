/* SPDX-License-Identifier: Apache-2.0 */
/* What was shown as one JSON object. Views of one name are chained first, so that each name is a
 * member once, however often it was shown. */
#include <stdlib.h>

#include "json_layout.h"
#include "show_model.h"

#define NONE SIZE_MAX

struct chain { /* the views of one name */
    size_t first, last;
};
struct chains {
    struct chain *chains;
    size_t count;
    size_t *next; /* by view: the next one of its name, or NONE */
};

static struct chains chains_of(const struct ov_shown *shown, size_t view_count)
{
    struct chains all = {
        .chains = ov_calloc(view_count, sizeof *all.chains),
        .next = ov_calloc(view_count, sizeof *all.next),
    };
    for (size_t i = 0; i < view_count; i++) {
        const char *name = shown->views[i].view->name;
        size_t k = 0;
        while (k < all.count && strcmp(shown->views[all.chains[k].first].view->name, name) != 0)
            k++;
        if (k == all.count)
            all.chains[all.count++].first = i;
        else
            all.next[all.chains[k].last] = i;
        all.chains[k].last = i;
        all.next[i] = NONE;
    }
    return all;
}

static void cell_write(const struct ov_shown *shown, const struct ov_shown_cell *cell,
                       enum ov_cell type, struct ov_buf *out)
{
    if (cell->held == OV_HELD_NOTHING) {
        ov_buf_str(out, "null");
    } else if (cell->held == OV_HELD_TEXT && type == OV_CELL_JSON) {
        ov_json_layout(out, ov_shown_bytes(shown, cell->text), 0);
    } else if (cell->held == OV_HELD_TEXT) {
        ov_buf_json(out, ov_shown_bytes(shown, cell->text));
    } else {
        bool quoted = cell->held == OV_HELD_NUMBER && type == OV_CELL_TIME;
        ov_buf_str(out, quoted ? "\"" : "");
        ov_show_for_programs(cell, type, out);
        ov_buf_str(out, quoted ? "\"" : "");
    }
}

static void member_begin(const char *name, bool first, struct ov_buf *out)
{
    ov_buf_str(out, first ? "" : ", ");
    ov_buf_json(out, ov_slice(name));
    ov_buf_str(out, ": ");
}

static void row_write(const struct ov_shown *shown, const struct ov_shown_view *v, size_t row,
                      struct ov_buf *out)
{
    const struct ov_view *view = v->view;
    const struct ov_shown_cell *cells = &shown->cells[v->first_cell + row * view->column_count];
    ov_buf_char(out, '{');
    for (unsigned i = 0; i < view->column_count; i++) {
        member_begin(view->columns[i].name, i == 0, out);
        cell_write(shown, &cells[i], view->columns[i].type, out);
    }
    ov_buf_char(out, '}');
}

static void views_write(struct ov_shown *shown, const struct chains *all, struct chain chain,
                        struct ov_buf *out)
{
    const struct ov_shown_view *only = &shown->views[chain.first];
    bool single = only->view->single && chain.first == chain.last && only->row_count <= 1;
    bool first = true;
    member_begin(only->view->name, chain.first == 0, out);
    ov_buf_str(out, single ? "" : "[");
    for (size_t i = chain.first; i != NONE; i = all->next[i]) {
        for (size_t row = 0; row < shown->views[i].row_count; row++, first = false) {
            ov_buf_str(out, first ? "" : ", ");
            row_write(shown, &shown->views[i], row, out);
        }
        shown->views[i].begun = true;
    }
    ov_buf_str(out, !single ? "]" : first ? "null" : "");
}

static void object_write(struct ov_shown *shown, size_t view_count, struct ov_buf *out)
{
    struct chains all = chains_of(shown, view_count);
    ov_buf_char(out, '{');
    for (size_t i = 0; i < all.count; i++)
        views_write(shown, &all, all.chains[i], out);
    if (shown->note_count)
        member_begin("notes", view_count == 0, out);
    for (size_t i = 0; i < shown->note_count; i++) {
        ov_buf_str(out, i ? ", " : "[");
        ov_buf_json(out, ov_shown_bytes(shown, shown->notes[i].text));
    }
    ov_buf_str(out, shown->note_count ? "]}" : "}");
    free(all.chains);
    free(all.next);
}

void ov_show_json(struct ov_shown *shown, size_t view_count, unsigned indent, struct ov_buf *out)
{
    if (indent) {
        struct ov_buf line = {0};
        object_write(shown, view_count, &line);
        ov_json_layout(out, (struct ov_slice){line.data, line.len}, indent);
        ov_buf_free(&line);
    } else {
        object_write(shown, view_count, out);
    }
    ov_buf_char(out, '\n');
}
