/* SPDX-License-Identifier: Apache-2.0 */
/* Views for persons: a title, the rows as the shape says or why there are none, the notes; an empty
 * line between two. And lines that are too long for the terminal. */
#include "show_model.h"
#include "terminal.h"
#include "text_width.h"

void ov_show_blanks(struct ov_buf *out, size_t count)
{
    if (count == 0)
        return;
    ov_buf_grow(out, count);
    memset(out->data + out->len, ' ', count);
    out->len += count;
}

size_t ov_show_cut(const struct ov_shown *shown, struct ov_slice text, size_t width,
                   const char *sgr, struct ov_buf *out)
{
    const char *ellipsis = shown->utf8 ? "\xe2\x80\xa6" : "...";
    size_t used, room = shown->utf8 ? 1 : 3;
    if (ov_text_fit(text, width, &used) == text.len) {
        ov_terminal_draw(out, shown->style.colours, sgr, text);
        return used;
    }
    text.len = ov_text_fit(text, width > room ? width - room : 0, &used);
    struct ov_buf cut = {0};
    ov_buf_slice(&cut, text);
    ov_buf_str(&cut, ellipsis);
    ov_terminal_draw(out, shown->style.colours, sgr, (struct ov_slice){cut.data, cut.len});
    ov_buf_free(&cut);
    return used + room;
}

/* How much of `text` to put into a line of `width` columns. */
static size_t line_length(struct ov_slice text, size_t width)
{
    size_t used, fit = ov_text_fit(text, width, &used), at = fit;
    if (fit == text.len)
        return fit;
    while (at > 0 && text.ptr[at] != ' ')
        at--;
    while (at > 0 && text.ptr[at - 1] == ' ')
        at--;
    return at ? at : fit ? fit : 1;
}

static struct ov_slice blanks_skip(struct ov_slice text)
{
    while (text.len && text.ptr[0] == ' ')
        text = (struct ov_slice){text.ptr + 1, text.len - 1};
    return text;
}

void ov_show_wrapped(const struct ov_shown *shown, struct ov_slice text, size_t margin,
                     const char *sgr, struct ov_buf *out)
{
    size_t width = shown->style.width ? shown->style.width - margin : SIZE_MAX;
    if (text.len == 0)
        text = OV_SLICE(""); /* an empty buffer has none */
    struct ov_slice rest = blanks_skip(text);
    size_t inner = text.len - rest.len;
    if (inner > width / 2)
        inner = width / 2;
    for (bool first = true; first || rest.len; first = false) {
        size_t len = line_length(rest, width - inner);
        struct ov_slice line = {rest.ptr, len};
        while (line.len && line.ptr[line.len - 1] == ' ')
            line.len--;
        if (line.len)
            ov_show_blanks(out, first ? inner : margin + inner);
        else /* no blanks at the end */
            while (out->len && out->data[out->len - 1] == ' ')
                out->len--;
        ov_terminal_draw(out, shown->style.colours, sgr, line);
        ov_buf_char(out, '\n');
        rest = blanks_skip((struct ov_slice){rest.ptr + len, rest.len - len});
    }
}

/* The notes below the first `view_count` views, from number `note` on; returns the next one. */
static size_t notes_write(const struct ov_shown *shown, size_t note, size_t view_count,
                          struct ov_buf *out)
{
    for (; note < shown->note_count && shown->notes[note].view <= view_count; note++) {
        struct ov_buf line = {0};
        ov_buf_escaped(&line, ov_shown_bytes(shown, shown->notes[note].text));
        ov_show_wrapped(shown, (struct ov_slice){line.data, line.len}, 0, ov_mark_sgr[OV_MARK_DIM],
                        out);
        ov_buf_free(&line);
    }
    return note;
}

static void view_write(struct ov_shown *shown, struct ov_shown_view *v, struct ov_buf *out)
{
    const struct ov_view *view = v->view;
    if (v->row_count == 0 && !view->empty)
        return;
    if (!v->begun) {
        shown->layout.cards = view->shape == OV_SHAPE_CARDS;
        if (shown->written || out->len)
            ov_buf_char(out, '\n');
        if (view->title)
            ov_show_wrapped(shown, ov_slice(view->title), 0, OV_SGR_BOLD, out);
    }
    if (v->row_count == 0)
        ov_show_wrapped(shown, ov_slice(view->empty), 0, NULL, out);
    else if (shown->layout.cards || !ov_show_rows(shown, v, out))
        ov_show_cards(shown, v, out);
    v->begun = true;
}

void ov_show_table(struct ov_shown *shown, size_t view_count, struct ov_buf *out)
{
    struct ov_buf table = {0};
    size_t note = notes_write(shown, 0, 0, &table);
    for (size_t i = 0; i < view_count; i++) {
        view_write(shown, &shown->views[i], &table);
        bool noted = note < shown->note_count && shown->notes[note].view <= i + 1;
        if (noted && shown->layout.cards && shown->views[i].row_count)
            ov_buf_char(&table, '\n'); /* else it were a line of the last card */
        note = notes_write(shown, note, i + 1, &table);
    }
    notes_write(shown, note, shown->view_count, &table);
    ov_buf_add(out, table.data, table.len);
    ov_buf_free(&table);
}
