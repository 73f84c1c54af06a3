/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From above:
 *
 *     RUNNING a runner is active, 6 agents on 5 topics                    17:05:09
 *     how Redis and the runner are, sums over all that is shown
 *     how old all this is, and what is in the way
 *     what fires
 *     the views, filter, order
 *     headings
 *     rows, or the page about one
 *     keys
 *
 * Lines 2 and 4 are left out where the screen is low.
 */
#include "top_draw.h"

#include <math.h>
#include <stdio.h>

#include "human.h"
#include "terminal.h"
#include "text_width.h"
#include "top_fit.h"
#include "utf8.h"

enum { FACTS_FROM = 14, ALERTS_FROM = 9 }; /* rows of the screen */

struct drawing {
    struct top_view *view;
    const struct top_now *now;
    const struct top_canvas *canvas;
    unsigned row;
};

static struct top_pen next_line(struct drawing *d)
{
    return (struct top_pen){d->canvas, d->row++, 0};
}

/* ---------------------------------------------------------------- the head */

static int64_t age_ms(const struct drawing *d)
{
    return d->view->look ? d->now->now_ms - d->view->look->at_ms : 0;
}

/* Whether what is shown is not what is. */
static bool is_stale(const struct drawing *d)
{
    enum { LATE_MS = 2000 };
    const struct top_look *newest = d->now->newest;
    int64_t cycle_ms = d->now->interval_ms;
    if (newest && newest->whole && newest->took_ms > cycle_ms)
        cycle_ms = newest->took_ms;
    return !d->view->look || (newest && !newest->whole) ||
           (!d->view->paused && age_ms(d) > 2 * cycle_ms + LATE_MS);
}

/* Whether nobody has answered for a while: what was said last is not known to hold. */
static bool is_silent(const struct drawing *d)
{
    const struct top_look *newest = d->now->newest;
    return is_stale(d) && (!newest || newest->whole || d->now->trouble.len);
}

static unsigned status_style(int64_t code)
{
    enum { READY = 1, DEGRADED = 2 };
    return TOP_STYLE_BOLD | (code <= READY ? OV_MARK_GOOD
                             : code == DEGRADED ? OV_MARK_WARN : OV_MARK_BAD);
}

static void draw_status(struct drawing *d)
{
    struct top_pen pen = next_line(d);
    const struct top_look *newest = d->now->newest;
    struct ov_buf clock = {0};
    ov_human_time(&clock, d->now->wall);
    struct ov_slice time = {clock.data + clock.len - 8, 8};
    if (newest && newest->head.status.len) {
        bool silent = is_silent(d);
        unsigned room = pen.canvas->columns - (unsigned)time.len - 1;
        top_pen_str(&pen, silent ? OV_MARK_DIM : OV_MARK_NONE, silent ? "was " : "");
        top_pen_text(&pen, silent ? OV_MARK_DIM : status_style(newest->head.status_code), room,
                     top_text(newest, newest->head.status));
        top_pen_str(&pen, 0, " ");
        if (pen.column < room)
            top_pen_text(&pen, silent ? OV_MARK_DIM : OV_MARK_NONE, room - pen.column,
                         top_text(newest, newest->head.reason));
    } else {
        top_pen_str(&pen, TOP_STYLE_BOLD, "omnivigil top");
    }
    top_pen_to(&pen, 0, pen.canvas->columns - (unsigned)time.len);
    top_pen_text(&pen, 0, (unsigned)time.len, time);
    ov_buf_free(&clock);
}

/* A number with what it is, where it is known: "waiting 12". */
static void put_fact(struct ov_buf *out, const char *what, enum top_type type, double number,
                     const char *unit)
{
    if (isnan(number))
        return;
    ov_buf_printf(out, "%s%s ", out->len ? "  " : "", what);
    top_number(out, type, number, 9);
    ov_buf_str(out, unit);
}

static void draw_facts(struct drawing *d)
{
    struct top_pen pen = next_line(d);
    const struct top_look *look = d->view->look;
    struct ov_buf out = {0};
    if (!look)
        return;
    const struct top_head *head = &look->head;
    put_fact(&out, "new", TOP_TYPE_RATE, head->published, "/s");
    put_fact(&out, "done", TOP_TYPE_RATE, head->processed, "/s");
    put_fact(&out, "failed", TOP_TYPE_RATE, head->failed, "/s");
    put_fact(&out, "waiting", TOP_TYPE_COUNT, head->waiting, "");
    put_fact(&out, "pending", TOP_TYPE_COUNT, head->pending, "");
    put_fact(&out, "dlq", TOP_TYPE_COUNT, head->dead, "");
    if (!isnan(head->uptime)) {
        ov_buf_printf(&out, "%sup ", out.len ? "  " : "");
        ov_human_seconds(&out, head->uptime);
    }
    top_pen_text(&pen, is_stale(d) ? OV_MARK_DIM : OV_MARK_NONE, pen.canvas->columns,
                 (struct ov_slice){out.data, out.len});
    ov_buf_free(&out);
}

/* ---------------------------------------------------------------- how old it is */

static void put_seconds(struct ov_buf *out, int64_t ms)
{
    ov_human_seconds(out, floor((double)(ms > 0 ? ms : 0) / 1000));
}

/* What keeps it from being fresh. */
static void put_trouble(const struct drawing *d, struct ov_buf *out)
{
    const struct top_now *now = d->now;
    if (now->trouble.len) {
        ov_buf_str(out, ": ");
        ov_buf_slice(out, now->trouble);
    } else if (now->newest && !now->newest->whole) {
        ov_buf_str(out, ": ");
        ov_buf_slice(out, top_text(now->newest, now->newest->why));
    } else if (now->asked_ms) {
        ov_buf_str(out, ": no answer for ");
        put_seconds(out, now->now_ms - now->asked_ms);
    }
}

/* How Redis was, at the right, if there is room. */
static void draw_redis(struct drawing *d, struct top_pen *pen)
{
    const struct top_head *head = &d->view->look->head;
    struct ov_buf out = {0};
    ov_buf_str(&out, "redis ");
    ov_buf_slice(&out, top_text(d->view->look, head->version));
    if (!isnan(head->memory)) {
        ov_buf_str(&out, "  ");
        ov_human_bytes(&out, head->memory);
    }
    if (!isnan(head->latency)) {
        ov_buf_str(&out, "  ");
        top_number(&out, TOP_TYPE_SECONDS, head->latency, 6);
    }
    if (pen->column + 2 + out.len <= pen->canvas->columns) {
        top_pen_to(pen, 0, pen->canvas->columns - (unsigned)out.len);
        top_pen_text(pen, OV_MARK_DIM, pen->canvas->columns,
                     (struct ov_slice){out.data, out.len});
    }
    ov_buf_free(&out);
}

static void draw_age(struct drawing *d)
{
    struct top_pen pen = next_line(d);
    const struct top_now *now = d->now;
    const struct top_look *look = d->view->look;
    struct ov_buf out = {0};
    unsigned style = OV_MARK_DIM;
    if (d->view->paused)
        top_pen_str(&pen, TOP_STYLE_BOLD | OV_MARK_WARN, "PAUSED ");
    if (!look) {
        ov_buf_str(&out, "nothing seen yet");
        put_trouble(d, &out);
        style = now->trouble.len || now->newest ? OV_MARK_BAD : OV_MARK_NONE;
    } else if (is_stale(d)) {
        ov_buf_str(&out, "LAST SEEN ");
        put_seconds(&out, age_ms(d));
        ov_buf_str(&out, " AGO");
        put_trouble(d, &out);
        style = TOP_STYLE_BOLD | OV_MARK_BAD;
    } else {
        ov_buf_str(&out, "seen ");
        put_seconds(&out, age_ms(d));
        bool slow = look->took_ms > now->interval_ms;
        ov_buf_str(&out, slow ? " ago, a look takes " : " ago, every ");
        ov_human_seconds(&out, (double)(slow ? look->took_ms : now->interval_ms) / 1000);
        if (look->why.len) {
            ov_buf_str(&out, ", but not all: ");
            ov_buf_slice(&out, top_text(look, look->why));
            style = OV_MARK_WARN;
        }
    }
    top_pen_text(&pen, style, pen.canvas->columns, (struct ov_slice){out.data, out.len});
    if (look && !is_stale(d))
        draw_redis(d, &pen);
    ov_buf_free(&out);
}

static void draw_alerts(struct drawing *d)
{
    struct top_pen pen = next_line(d);
    const struct top_look *look = d->view->look;
    if (!look)
        return;
    const struct top_head *head = &look->head;
    if (head->critical)
        top_pen_printf(&pen, TOP_STYLE_BOLD | OV_MARK_BAD, "%zu critical", head->critical);
    if (head->warnings)
        top_pen_printf(&pen, TOP_STYLE_BOLD | OV_MARK_WARN, "%s%zu warning%s",
                       head->critical ? ", " : "", head->warnings, head->warnings == 1 ? "" : "s");
    if (!head->critical && !head->warnings) {
        top_pen_str(&pen, OV_MARK_GOOD, "nothing fires");
        return;
    }
    top_pen_str(&pen, 0, ": ");
    top_pen_text(&pen, 0, pen.canvas->columns, top_text(look, head->worst));
}

/* ---------------------------------------------------------------- views */

static void draw_tabs(struct drawing *d)
{
    struct top_pen pen = next_line(d);
    const struct top_view *view = d->view;
    const struct top_list *list = &view->lists[view->table];
    for (unsigned i = 0; i < TOP_TABLES; i++) {
        size_t count = view->look ? view->look->tables[i].count : 0;
        unsigned style = i == view->table ? TOP_STYLE_BOLD | TOP_STYLE_REVERSE : OV_MARK_NONE;
        top_pen_printf(&pen, style, " %u %s %zu ", i + 1, top_layouts[i].name, count);
        top_pen_str(&pen, 0, " ");
    }
    if (view->filtering || view->filter.len) {
        top_pen_printf(&pen, OV_MARK_WARN, "%zu with /", list->count);
        top_pen_text(&pen, OV_MARK_WARN, pen.canvas->columns,
                     (struct ov_slice){view->filter.data, view->filter.len});
    }
}

/* ---------------------------------------------------------------- the table */

static bool is_right(enum top_type type)
{
    return type != TOP_TYPE_TEXT && type != TOP_TYPE_TREND;
}

static void draw_headings(struct drawing *d, const unsigned *widths)
{
    struct top_pen pen = next_line(d);
    const struct top_layout *layout = &top_layouts[d->view->table];
    const struct top_list *list = &d->view->lists[d->view->table];
    unsigned begin = 0;
    for (unsigned i = 0; i < layout->count; i++) {
        if (!widths[i])
            continue;
        const struct top_column *column = &layout->columns[i];
        unsigned style = TOP_STYLE_BOLD | (i == list->sort ? TOP_STYLE_REVERSE : 0);
        unsigned len = (unsigned)strlen(column->title);
        top_pen_to(&pen, 0, begin + (is_right(column->type) ? widths[i] - len : 0));
        top_pen_text(&pen, style, widths[i], ov_slice(column->title));
        begin += widths[i] + 1;
    }
}

static void put_cell(struct ov_buf *out, const struct top_look *look, const struct top_row *row,
                     const struct top_column *column, unsigned index, unsigned width, bool utf8)
{
    if (column->type == TOP_TYPE_TEXT)
        ov_buf_slice(out, top_text(look, row->cells[index].text));
    else if (column->type == TOP_TYPE_TREND)
        top_draw_line(out, &row->line, width, utf8);
    else
        top_number(out, column->type, row->cells[index].number, width);
    if (out->len == 0)
        ov_buf_char(out, '-');
}

static void draw_row(struct drawing *d, const unsigned *widths, size_t at)
{
    struct top_pen pen = next_line(d);
    const struct top_look *look = d->view->look;
    const struct top_layout *layout = &top_layouts[d->view->table];
    const struct top_list *list = &d->view->lists[d->view->table];
    const struct top_row *row = &look->tables[d->view->table].rows[list->order[at]];
    unsigned base = at == list->selected ? TOP_STYLE_REVERSE : 0, begin = 0;
    bool stale = is_stale(d);
    struct ov_buf out = {0};
    for (unsigned i = 0; i < layout->count; i++) {
        if (!widths[i])
            continue;
        const struct top_column *column = &layout->columns[i];
        ov_buf_reset(&out);
        put_cell(&out, look, row, column, i, widths[i], d->canvas->utf8);
        unsigned style = base | (stale || (out.len == 1 && *out.data == '-') ? OV_MARK_DIM
                                 : row->marks[i]);
        unsigned pad = is_right(column->type) && out.len < widths[i]
                           ? widths[i] - (unsigned)out.len : 0;
        top_pen_to(&pen, base, begin + pad);
        top_pen_text(&pen, style, widths[i] - pad, (struct ov_slice){out.data, out.len});
        begin += widths[i] + 1;
    }
    top_pen_to(&pen, base, d->canvas->columns);
    ov_buf_free(&out);
}

static void draw_table(struct drawing *d)
{
    unsigned widths[TOP_COLUMNS_MAX];
    struct top_view *view = d->view;
    struct top_list *list = top_view_list(view);
    top_fit(view->look, view->table, d->canvas->columns, widths);
    draw_headings(d, widths);
    view->height = d->canvas->rows - 1 - d->row;
    top_list_scroll(list, view->height);
    for (size_t i = 0; i < view->height && list->first + i < list->count; i++)
        draw_row(d, widths, list->first + i);
    if (list->count == 0 && view->look) {
        struct top_pen pen = next_line(d);
        top_pen_str(&pen, OV_MARK_DIM, view->filter.len ? "no row has that text"
                                                        : top_layouts[view->table].empty);
    }
}

/* ---------------------------------------------------------------- the page */

static unsigned mark_of_sgr(struct ov_slice sgr)
{
    for (unsigned i = 0; i <= OV_MARK_DIM; i++)
        if (ov_mark_sgr[i] && ov_slice_eq(sgr, ov_slice(ov_mark_sgr[i])))
            return i;
    return ov_slice_eq(sgr, OV_SLICE(OV_SGR_BOLD)) ? TOP_STYLE_BOLD : OV_MARK_NONE;
}

/* A line with ESC[...m for the style of what follows. */
static void draw_line(struct drawing *d, struct ov_slice line)
{
    struct top_pen pen = next_line(d);
    unsigned style = 0;
    while (line.len) {
        const char *escape = memchr(line.ptr, '\033', line.len);
        size_t len = escape ? (size_t)(escape - line.ptr) : line.len;
        top_pen_text(&pen, style, pen.canvas->columns, (struct ov_slice){line.ptr, len});
        line = (struct ov_slice){line.ptr + len, line.len - len};
        const char *end = line.len > 2 ? memchr(line.ptr, 'm', line.len) : NULL;
        if (!end)
            break;
        len = (size_t)(end - line.ptr);
        style = mark_of_sgr((struct ov_slice){line.ptr + 2, len - 2});
        line = (struct ov_slice){end + 1, line.len - len - 1};
    }
}

static void draw_page(struct drawing *d)
{
    struct top_view *view = d->view;
    struct top_page *page = &view->page;
    struct top_pen pen = next_line(d);
    struct ov_buf state = {0};
    struct ov_slice line;
    top_pen_text(&pen, TOP_STYLE_BOLD, pen.canvas->columns,
                 (struct ov_slice){page->title.data, page->title.len});
    if (page->told_ms) {
        ov_buf_str(&state, "  seen ");
        put_seconds(&state, d->now->now_ms - page->told_ms);
        ov_buf_str(&state, " ago");
    } else {
        ov_buf_str(&state, "  asking");
        put_trouble(d, &state);
    }
    top_pen_text(&pen, OV_MARK_DIM, pen.canvas->columns, (struct ov_slice){state.data, state.len});
    ov_buf_free(&state);
    view->height = d->canvas->rows - 1 - d->row;
    if (page->first + view->height > page->lines)
        page->first = page->lines > view->height ? page->lines - view->height : 0;
    for (size_t i = 0; i < view->height && top_page_line(page, page->first + i, &line); i++)
        draw_line(d, line);
}

/* ---------------------------------------------------------------- keys */

/* What is being typed, the end of it where it is long. */
static void draw_prompt(struct drawing *d)
{
    static const char keys[] = "  Enter keeps it, Esc drops it";
    struct top_pen pen = {d->canvas, d->canvas->rows - 1, 0};
    struct ov_slice text = {d->view->filter.data, d->view->filter.len};
    size_t room = d->canvas->columns - 2;
    while (ov_text_width(text) > room) {
        size_t len = ov_utf8_len(text.ptr, text.len);
        text = (struct ov_slice){text.ptr + len, text.len - len};
    }
    top_pen_str(&pen, TOP_STYLE_BOLD, "/");
    top_pen_text(&pen, 0, d->canvas->columns, text);
    top_pen_str(&pen, TOP_STYLE_REVERSE, " ");
    if (pen.column + sizeof keys <= d->canvas->columns)
        top_pen_str(&pen, OV_MARK_DIM, keys);
}

static void draw_keys(struct drawing *d)
{
    struct top_pen pen = {d->canvas, d->canvas->rows - 1, 0};
    for (size_t i = 0; i < top_key_count; i++) {
        const char *names = top_keys[i].names;
        size_t len = strcspn(names, ", ");
        unsigned width = (unsigned)(len + strlen(top_keys[i].word)) + 3;
        if (!*top_keys[i].word || pen.column + width > d->canvas->columns)
            continue;
        top_pen_text(&pen, TOP_STYLE_BOLD, (unsigned)len, (struct ov_slice){names, len});
        top_pen_printf(&pen, OV_MARK_DIM, " %s  ", top_keys[i].word);
    }
}

static void draw_help(struct drawing *d)
{
    size_t room = d->canvas->rows - 2;
    for (size_t i = 0; i < top_key_count && i < room; i++) {
        struct top_pen pen = next_line(d);
        top_pen_str(&pen, TOP_STYLE_BOLD, top_keys[i].names);
        top_pen_str(&pen, 0, " ");
        top_pen_str(&pen, 0, top_keys[i].help);
    }
    d->row = d->canvas->rows - 1;
    struct top_pen pen = next_line(d);
    top_pen_str(&pen, OV_MARK_DIM, "any key goes back");
}

/* ---------------------------------------------------------------- the whole */

static void draw_too_small(struct drawing *d)
{
    struct top_pen pen = next_line(d);
    if (d->canvas->columns == 0 || d->canvas->rows == 0)
        return;
    top_pen_printf(&pen, 0, "%ux%u is too small:", d->canvas->columns, d->canvas->rows);
    if (d->row < d->canvas->rows) {
        pen = next_line(d);
        top_pen_printf(&pen, 0, "%dx%d at least", TOP_COLUMNS_MIN, TOP_ROWS_MIN);
    }
    if (d->row < d->canvas->rows) {
        pen = next_line(d);
        top_pen_str(&pen, 0, "q quits");
    }
}

void top_draw(struct top_view *view, const struct top_now *now, const struct top_canvas *canvas)
{
    struct drawing d = {.view = view, .now = now, .canvas = canvas};
    view->columns = canvas->columns;
    view->rows = canvas->rows;
    if (canvas->columns < TOP_COLUMNS_MIN || canvas->rows < TOP_ROWS_MIN) {
        draw_too_small(&d);
        return;
    }
    if (view->helping) {
        draw_help(&d);
        return;
    }
    draw_status(&d);
    if (canvas->rows >= FACTS_FROM)
        draw_facts(&d);
    draw_age(&d);
    if (canvas->rows >= ALERTS_FROM)
        draw_alerts(&d);
    draw_tabs(&d);
    if (view->page.open)
        draw_page(&d);
    else
        draw_table(&d);
    if (view->filtering)
        draw_prompt(&d);
    else
        draw_keys(&d);
}
