/* SPDX-License-Identifier: Apache-2.0 */
#include "top_list.h"

#include <math.h>
#include <stdlib.h>

void top_list_init(struct top_list *list, enum top_table table)
{
    *list = (struct top_list){.table = table, .sort = top_layouts[table].sort};
}

void top_list_free(struct top_list *list)
{
    free(list->order);
    ov_buf_free(&list->key);
}

/* ---------------------------------------------------------------- order */

struct sorting {
    const struct top_look *look;
    const struct top_row *rows;
    enum top_type type;
    unsigned column;
    int sign;
};

static int compare_texts(struct ov_slice a, struct ov_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Of a line its last value counts. */
static double number_of(const struct sorting *sorting, const struct top_row *row)
{
    if (sorting->type == TOP_TYPE_TREND)
        return row->line.count ? (double)row->line.values[row->line.count - 1] : (double)NAN;
    double number = row->cells[sorting->column].number;
    return sorting->type == TOP_TYPE_LEAST ? fabs(number) : number;
}

/* Numbers fall; what has none comes last in any case. */
static int compare_numbers(double a, double b, int sign)
{
    if (isnan(a) || isnan(b))
        return isnan(a) - isnan(b);
    return sign * ((a < b) - (a > b));
}

static int compare_rows(const void *left, const void *right, void *context)
{
    const struct sorting *s = context;
    const struct top_row *a = &s->rows[*(const uint32_t *)left];
    const struct top_row *b = &s->rows[*(const uint32_t *)right];
    int order = s->type == TOP_TYPE_TEXT
                    ? s->sign * compare_texts(top_text(s->look, a->cells[s->column].text),
                                              top_text(s->look, b->cells[s->column].text))
                    : compare_numbers(number_of(s, a), number_of(s, b), s->sign);
    return order ? order : compare_texts(top_text(s->look, a->key), top_text(s->look, b->key));
}

/* ---------------------------------------------------------------- choice */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static bool contains(struct ov_slice text, struct ov_slice part)
{
    for (size_t at = 0; at + part.len <= text.len; at++) {
        size_t same = 0;
        while (same < part.len && lower(text.ptr[at + same]) == lower(part.ptr[same]))
            same++;
        if (same == part.len)
            return true;
    }
    return false;
}

static bool has_wildcard(struct ov_slice filter)
{
    for (size_t i = 0; i < filter.len; i++)
        if (memchr("*?[", filter.ptr[i], 3))
            return true;
    return false;
}

static bool passes(const struct top_list *list, const struct top_look *look,
                   const struct top_row *row, struct ov_slice filter, bool pattern)
{
    const struct top_layout *layout = &top_layouts[list->table];
    for (unsigned i = 0; i < layout->count; i++) {
        if (layout->columns[i].type != TOP_TYPE_TEXT)
            continue;
        struct ov_slice text = top_text(look, row->cells[i].text);
        if (pattern ? ov_glob(filter, text) : contains(text, filter))
            return true;
    }
    return filter.len == 0;
}

/* ---------------------------------------------------------------- filling */

static struct ov_slice key_of(const struct top_list *list, const struct top_look *look, size_t at)
{
    return top_text(look, look->tables[list->table].rows[list->order[at]].key);
}

/* The selected row is where its key is now; if it is gone, what took its place. */
static void find_selected(struct top_list *list, const struct top_look *look)
{
    const struct ov_slice key = {list->key.data, list->key.len};
    for (size_t i = 0; key.len && i < list->count; i++)
        if (ov_slice_eq(key_of(list, look, i), key)) {
            list->selected = i;
            return;
        }
    if (list->selected >= list->count)
        list->selected = list->count ? list->count - 1 : 0;
}

void top_list_fill(struct top_list *list, const struct top_look *look, struct ov_slice filter)
{
    const struct top_column *column = &top_layouts[list->table].columns[list->sort];
    const struct top_rows *rows = look ? &look->tables[list->table] : NULL;
    bool pattern = has_wildcard(filter);
    list->count = 0;
    if (!rows)
        return;
    list->order = ov_realloc(list->order, rows->count + 1, sizeof *list->order);
    for (size_t i = 0; i < rows->count; i++)
        if (passes(list, look, &rows->rows[i], filter, pattern))
            list->order[list->count++] = (uint32_t)i;
    struct sorting sorting = {
        .look = look, .rows = rows->rows, .type = column->type, .column = list->sort,
        .sign = list->reversed ? -1 : 1,
    };
    if (list->count)
        qsort_r(list->order, list->count, sizeof *list->order, compare_rows, &sorting);
    find_selected(list, look);
}

void top_list_move(struct top_list *list, const struct top_look *look, ptrdiff_t by)
{
    if (list->count == 0)
        return;
    size_t down = list->count - 1 - list->selected;
    if (by < 0)
        list->selected -= (size_t)-by < list->selected ? (size_t)-by : list->selected;
    else
        list->selected += (size_t)by < down ? (size_t)by : down;
    ov_buf_reset(&list->key);
    ov_buf_slice(&list->key, key_of(list, look, list->selected));
}

void top_list_scroll(struct top_list *list, size_t height)
{
    size_t last = list->count > height ? list->count - height : 0;
    if (list->selected < list->first)
        list->first = list->selected;
    if (height && list->selected >= list->first + height)
        list->first = list->selected - height + 1;
    if (list->first > last)
        list->first = last;
}

void top_list_sort_by(struct top_list *list, int step)
{
    unsigned count = top_layouts[list->table].count;
    list->sort = (list->sort + count + (unsigned)step) % count;
    list->reversed = false;
}

const struct top_row *top_list_row(const struct top_list *list, const struct top_look *look)
{
    if (!look || list->selected >= list->count)
        return NULL;
    return &look->tables[list->table].rows[list->order[list->selected]];
}
