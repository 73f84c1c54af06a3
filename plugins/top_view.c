/* SPDX-License-Identifier: Apache-2.0 */
#include "top_view.h"

#include "top_fit.h"
#include "utf8.h"

void top_view_init(struct top_view *view)
{
    *view = (struct top_view){.table = TOP_TABLE_AGENTS, .height = 1};
    for (unsigned i = 0; i < TOP_TABLES; i++)
        top_list_init(&view->lists[i], (enum top_table)i);
}

void top_view_free(struct top_view *view)
{
    for (unsigned i = 0; i < TOP_TABLES; i++)
        top_list_free(&view->lists[i]);
    ov_buf_free(&view->filter);
    top_page_free(&view->page);
}

void top_view_show(struct top_view *view, const struct top_look *look)
{
    view->look = look;
    top_list_fill(top_view_list(view), look,
                  (struct ov_slice){view->filter.data, view->filter.len});
}

/* ---------------------------------------------------------------- the filter */

static void filter_set(struct top_view *view, size_t len)
{
    view->filter.len = len;
    top_view_show(view, view->look);
}

/* Without its last character. */
static size_t filter_shorter(const struct ov_buf *filter)
{
    size_t len = filter->len ? filter->len - 1 : 0;
    while (len && (filter->data[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static void filter_add(struct top_view *view, int key)
{
    enum { FILTER_MAX = 200 };
    unsigned c = (unsigned)key;
    char bytes[4];
    size_t len = 0;
    if (c < ' ' || c == 0x7f || c > 0x10ffff || view->filter.len > FILTER_MAX)
        return;
    if (c < 0x80) {
        bytes[len++] = (char)c;
    } else {
        size_t more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
        bytes[len++] = (char)((0xf00u >> (more + 1) & 0xf0u) | c >> 6 * more);
        while (more--)
            bytes[len++] = (char)(0x80u | (c >> 6 * more & 0x3fu));
    }
    if (ov_utf8_len(bytes, len) == len) {
        ov_buf_add(&view->filter, bytes, len);
        filter_set(view, view->filter.len);
    }
}

static void filter_key(struct top_view *view, int key)
{
    if (key == TOP_KEY_ENTER || key == TOP_KEY_UP || key == TOP_KEY_DOWN) {
        view->filtering = false;
    } else if (key == TOP_KEY_ESCAPE) {
        view->filtering = false;
        filter_set(view, 0);
    } else if (key == TOP_KEY_BACKSPACE) {
        filter_set(view, filter_shorter(&view->filter));
    } else if (key == TOP_CTRL('u')) {
        filter_set(view, 0);
    } else {
        filter_add(view, key);
    }
}

/* ---------------------------------------------------------------- moving */

static void move(struct top_view *view, ptrdiff_t by)
{
    struct top_page *page = &view->page;
    if (!page->open) {
        top_list_move(top_view_list(view), view->look, by);
        return;
    }
    size_t last = page->lines > view->height ? page->lines - view->height : 0;
    if (by < 0)
        page->first -= (size_t)-by < page->first ? (size_t)-by : page->first;
    else
        page->first = page->first + (size_t)by < last ? page->first + (size_t)by : last;
}

static void show_table(struct top_view *view, enum top_table table)
{
    top_page_close(&view->page);
    view->table = table;
    top_view_show(view, view->look);
}

/* By a column that can be seen. */
static void sort_by(struct top_view *view, int step)
{
    unsigned widths[TOP_COLUMNS_MAX];
    struct top_list *list = top_view_list(view);
    top_fit(view->look, view->table, view->columns, widths);
    do
        top_list_sort_by(list, step);
    while (widths[list->sort] == 0);
    top_view_show(view, view->look);
}

static void open_page(struct top_view *view)
{
    const struct top_row *row = top_list_row(top_view_list(view), view->look);
    if (!row || view->page.open)
        return;
    top_page_open(&view->page, view->look, view->table, row, view->columns);
}

static void go_back(struct top_view *view)
{
    if (view->helping)
        view->helping = false;
    else if (view->page.open)
        top_page_close(&view->page);
    else
        filter_set(view, 0);
}

/* ---------------------------------------------------------------- keys */

static void act_on_table(struct top_view *view, enum top_action action)
{
    if (view->page.open)
        return;
    if (action == TOP_FILTER) {
        view->filtering = true;
    } else if (action == TOP_SORT) {
        sort_by(view, 1);
    } else if (action == TOP_SORT_BACK) {
        sort_by(view, -1);
    } else if (action == TOP_REVERSE) {
        top_view_list(view)->reversed ^= true;
        top_view_show(view, view->look);
    }
}

static void act(struct top_view *view, enum top_action action)
{
    const ptrdiff_t page = view->height > 1 ? (ptrdiff_t)view->height - 1 : 1;
    switch (action) {
    case TOP_NOTHING:
        break;
    case TOP_QUIT:
        view->quitting = true;
        break;
    case TOP_HELP:
        view->helping = true;
        break;
    case TOP_AGENTS:
    case TOP_GROUPS:
    case TOP_DLQS:
    case TOP_ALERTS:
        show_table(view, TOP_TABLE_AGENTS + (action - TOP_AGENTS));
        break;
    case TOP_NEXT:
        show_table(view, (view->table + 1) % TOP_TABLES);
        break;
    case TOP_OPEN:
        open_page(view);
        break;
    case TOP_BACK:
        go_back(view);
        break;
    case TOP_FILTER:
    case TOP_SORT:
    case TOP_SORT_BACK:
    case TOP_REVERSE:
        act_on_table(view, action);
        break;
    case TOP_PAUSE:
        view->paused ^= true;
        break;
    case TOP_LOOK:
        view->look_now = true;
        break;
    case TOP_UP:
        move(view, -1);
        break;
    case TOP_DOWN:
        move(view, 1);
        break;
    case TOP_PAGE_UP:
        move(view, -page);
        break;
    case TOP_PAGE_DOWN:
        move(view, page);
        break;
    case TOP_HOME:
        move(view, -PTRDIFF_MAX);
        break;
    case TOP_END:
        move(view, PTRDIFF_MAX / 2);
        break;
    }
}

void top_view_key(struct top_view *view, int key)
{
    enum top_action action = top_action_of(key);
    if (view->filtering)
        filter_key(view, key);
    else if (view->helping && action != TOP_QUIT)
        view->helping = false; /* any key */
    else
        act(view, action);
}
