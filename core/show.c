/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps what a command shows until it is written. A cell outside of the view or before its first
 * row is nothing that can be shown, and is ignored. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "call.h"
#include "show_model.h"
#include "terminal.h"

enum { WIDTH_MIN = 20 }; /* of a layout: a narrower terminal breaks the lines itself */

const char *const ov_show_formats[] = {
    [OV_SHOW_TABLE] = "table", [OV_SHOW_JSON] = "json", [OV_SHOW_CSV] = "csv", NULL,
};

struct ov_show_style ov_show_style_of_stdout(enum ov_show_format format)
{
    bool laid_out = format == OV_SHOW_TABLE || isatty(STDOUT_FILENO); /* JSON is indented there */
    return (struct ov_show_style){
        .format = format, .width = laid_out ? ov_terminal_width() : 0,
        .colours = ov_terminal_has_colours(),
    };
}

struct ov_shown *ov_shown_new(struct ov_show_style style)
{
    struct ov_shown *shown = ov_calloc(1, sizeof *shown);
    if (style.width && style.width < WIDTH_MIN)
        style.width = WIDTH_MIN;
    shown->style = style;
    ov_buf_grow(&shown->bytes, 1); /* empty texts have a place, too */
    shown->utf8 = ov_terminal_is_utf8();
    tzset(); /* for localtime_r */
    return shown;
}

void ov_shown_free(struct ov_shown *shown)
{
    if (!shown)
        return;
    ov_buf_free(&shown->bytes);
    free(shown->cells);
    free(shown->views);
    free(shown->notes);
    free(shown->layout.widths);
    free(shown->layout.left_out);
    free(shown);
}

/* Makes room for `more` elements of `size` bytes beyond `count`. */
static void *room(void *array, size_t *room, size_t count, size_t more, size_t size)
{
    if (*room - count >= more)
        return array;
    *room = count + more + *room;
    return ov_realloc(array, *room, size);
}

static struct ov_shown_view *last_view(struct ov_shown *shown)
{
    return shown->view_count ? &shown->views[shown->view_count - 1] : NULL;
}

void ov_show(struct ov_call *call, const struct ov_view *view)
{
    struct ov_shown *shown = ov_call_shown(call);
    struct ov_shown_view *last = last_view(shown);
    if (last && last->view == view && last->carried && last->row_count == 0)
        return; /* goes on */
    if (last && last->begun && last->row_count == 0) { /* has no further part, only notes */
        for (size_t i = 0; i < shown->note_count; i++)
            shown->notes[i].view = 0;
        shown->view_count = 0;
    }
    shown->views = room(shown->views, &shown->view_room, shown->view_count, 1,
                        sizeof *shown->views);
    shown->views[shown->view_count++] = (struct ov_shown_view){
        .view = view, .first_cell = shown->cell_count,
    };
}

void ov_show_row(struct ov_call *call)
{
    struct ov_shown *shown = ov_call_shown(call);
    struct ov_shown_view *last = last_view(shown);
    if (!last)
        return;
    size_t count = last->view->column_count;
    shown->cells = room(shown->cells, &shown->cell_room, shown->cell_count, count,
                        sizeof *shown->cells);
    for (size_t i = 0; i < count; i++)
        shown->cells[shown->cell_count++] = (struct ov_shown_cell){.held = OV_HELD_NOTHING};
    last->row_count++;
}

/* The cell of the last row; NULL where there is none. */
static struct ov_shown_cell *cell_of(struct ov_shown *shown, unsigned column)
{
    const struct ov_shown_view *last = last_view(shown);
    if (!last || last->row_count == 0 || column >= last->view->column_count)
        return NULL;
    return &shown->cells[shown->cell_count - last->view->column_count + column];
}

static void cell_set(struct ov_call *call, unsigned column, struct ov_shown_cell value)
{
    struct ov_shown_cell *cell = cell_of(ov_call_shown(call), column);
    if (!cell)
        return;
    value.mark = cell->mark;
    *cell = value;
}

void ov_show_text(struct ov_call *call, unsigned column, struct ov_slice value)
{
    struct ov_shown *shown = ov_call_shown(call);
    if (!cell_of(shown, column))
        return;
    struct ov_shown_text text = {shown->bytes.len, value.len};
    ov_buf_slice(&shown->bytes, value);
    cell_set(call, column, (struct ov_shown_cell){.held = OV_HELD_TEXT, .text = text});
}

static bool holds_number(enum ov_cell type)
{
    return type == OV_CELL_FLOAT || type == OV_CELL_SECONDS || type == OV_CELL_BYTES ||
           type == OV_CELL_RATIO || type == OV_CELL_TIME;
}

void ov_show_int(struct ov_call *call, unsigned column, int64_t value)
{
    struct ov_shown *shown = ov_call_shown(call);
    if (!cell_of(shown, column))
        return;
    if (holds_number(last_view(shown)->view->columns[column].type))
        ov_show_float(call, column, (double)value);
    else
        cell_set(call, column, (struct ov_shown_cell){.held = OV_HELD_INT, .integer = value});
}

void ov_show_float(struct ov_call *call, unsigned column, double value)
{
    static const double time_min = -62135596800, time_max = 253402300799;
    struct ov_shown *shown = ov_call_shown(call);
    if (!cell_of(shown, column))
        return;
    bool is_time = last_view(shown)->view->columns[column].type == OV_CELL_TIME;
    struct ov_shown_cell cell = {.held = OV_HELD_NUMBER, .number = value};
    if (!isfinite(value) || (is_time && (value < time_min || value > time_max)))
        cell.held = OV_HELD_NOTHING;
    cell_set(call, column, cell);
}

void ov_show_bool(struct ov_call *call, unsigned column, bool value)
{
    cell_set(call, column, (struct ov_shown_cell){.held = OV_HELD_BOOL, .boolean = value});
}

void ov_show_mark(struct ov_call *call, unsigned column, enum ov_mark mark)
{
    struct ov_shown_cell *cell = cell_of(ov_call_shown(call), column);
    if (cell && mark <= OV_MARK_DIM)
        cell->mark = (uint8_t)mark;
}

void ov_show_note(struct ov_call *call, const char *format, ...)
{
    struct ov_shown *shown = ov_call_shown(call);
    va_list args;
    struct ov_shown_note note = {.text.at = shown->bytes.len, .view = shown->view_count};
    va_start(args, format);
    ov_buf_vprintf(&shown->bytes, format, args);
    va_end(args);
    note.text.len = shown->bytes.len - note.text.at;
    shown->notes = room(shown->notes, &shown->note_room, shown->note_count, 1,
                        sizeof *shown->notes);
    shown->notes[shown->note_count++] = note;
}

/* Forgets what was written; what goes on keeps its last view. */
static void forget(struct ov_shown *shown, bool more)
{
    struct ov_shown_view *last = last_view(shown);
    if (more && last) {
        shown->views[0] = (struct ov_shown_view){
            .view = last->view, .carried = true, .begun = last->begun,
        };
    }
    shown->view_count = more && last;
    shown->cell_count = shown->note_count = 0;
    ov_buf_reset(&shown->bytes);
}

void ov_shown_write(struct ov_shown *shown, bool more, struct ov_buf *out)
{
    const struct ov_shown_view *last = last_view(shown);
    size_t count = shown->view_count, start = out->len;
    if (last && last->row_count == 0 && (more || last->begun))
        count--; /* rows may come yet, or have been there */
    if (count || shown->note_count || !(more || shown->written)) {
        bool indented = shown->style.width && !more && !shown->written;
        switch (shown->style.format) {
        case OV_SHOW_TABLE:
            ov_show_table(shown, count, out);
            break;
        case OV_SHOW_JSON:
            ov_show_json(shown, count, indented ? 2 : 0, out);
            break;
        case OV_SHOW_CSV:
            ov_show_csv(shown, count, out);
            break;
        }
    }
    shown->written = more && (shown->written || out->len > start);
    forget(shown, more);
}

void ov_show_flush(struct ov_call *call)
{
    struct ov_buf out = {0};
    ov_shown_write(ov_call_shown(call), true, &out);
    if (out.len)
        fwrite(out.data, 1, out.len, stdout); /* what fails is seen by ferror at the end */
    fflush(stdout);
    ov_buf_free(&out);
}
