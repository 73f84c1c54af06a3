/* SPDX-License-Identifier: Apache-2.0 */
/* What was shown as CSV (RFC 4180, lines ended by \n): an empty text is in quotes, an absent cell
 * is nothing. */
#include "show_model.h"
#include "utf8.h"

static bool needs_quotes(struct ov_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x20 || c == 0x7f || c == ',' || c == '"')
            return true;
    }
    return text.len == 0 || text.ptr[0] == ' ' || text.ptr[text.len - 1] == ' ';
}

static void text_write(struct ov_slice text, struct ov_buf *out)
{
    bool quoted = needs_quotes(text);
    if (quoted)
        ov_buf_char(out, '"');
    for (size_t i = 0; i < text.len;) {
        size_t len = ov_utf8_len(text.ptr + i, text.len - i);
        if (text.ptr[i] == '"')
            ov_buf_str(out, "\"\"");
        else if (len)
            ov_buf_add(out, text.ptr + i, len);
        else
            ov_buf_str(out, "\xef\xbf\xbd");
        i += len ? len : 1;
    }
    if (quoted)
        ov_buf_char(out, '"');
}

static void row_write(const struct ov_shown *shown, const struct ov_shown_view *v, size_t row,
                      struct ov_buf *out)
{
    const struct ov_view *view = v->view;
    const struct ov_shown_cell *cells = &shown->cells[v->first_cell + row * view->column_count];
    size_t start = out->len;
    for (unsigned i = 0; i < view->column_count; i++) {
        if (i)
            ov_buf_char(out, ',');
        if (cells[i].held == OV_HELD_TEXT)
            text_write(ov_shown_bytes(shown, cells[i].text), out);
        else
            ov_show_for_programs(&cells[i], view->columns[i].type, out);
    }
    if (out->len == start) /* an empty line is what parts views */
        ov_buf_str(out, "\"\"");
    ov_buf_char(out, '\n');
}

void ov_show_csv(struct ov_shown *shown, size_t view_count, struct ov_buf *out)
{
    size_t start = out->len;
    for (size_t i = 0; i < view_count; i++) {
        struct ov_shown_view *v = &shown->views[i];
        if (!v->begun && (shown->written || out->len > start))
            ov_buf_char(out, '\n');
        for (unsigned k = 0; k < v->view->column_count && !v->begun; k++) {
            if (k)
                ov_buf_char(out, ',');
            text_write(ov_slice(v->view->columns[k].name), out);
        }
        if (!v->begun)
            ov_buf_char(out, '\n');
        for (size_t row = 0; row < v->row_count; row++)
            row_write(shown, v, row, out);
        v->begun = true;
    }
}
