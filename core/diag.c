/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Showing errors with the line they are about. A line is walked character by character into what
 * a person sees (escapes and *** are wider than what they stand for), noting where in it the
 * place begins and ends. Of a long line only the surroundings of the place are walked, so that a
 * file of one line costs no more than any other.
 */
#include <stdlib.h>

#include "diag.h"
#include "utf8.h"

enum {
    MAX_REPORTS = 100,
    BEFORE = 60, /* bytes of a line shown before the place */
    WIDTH = 100, /* columns shown of a line */
    LONGEST_QUOTE = 60,
};

struct report {
    struct ov_span at;
    size_t number; /* in the order of reporting, for places that are the same */
    bool is_error;
    char *text;
};

struct ov_diag {
    char *name;
    struct ov_slice text;
    struct report *reports;
    size_t count, cap;
    size_t errors, left_out;
    struct ov_span *hidden;
    size_t hidden_count, hidden_cap;
    size_t *lines; /* where each begins; NULL until somebody asks */
    size_t line_count;
    bool hide_values;
};

struct ov_diag *ov_diag_new(const char *name, struct ov_slice text)
{
    struct ov_diag *diag = ov_calloc(1, sizeof *diag);
    diag->name = ov_strdup(name);
    diag->text = text;
    return diag;
}

void ov_diag_free(struct ov_diag *diag)
{
    if (!diag)
        return;
    for (size_t i = 0; i < diag->count; i++)
        free(diag->reports[i].text);
    free(diag->reports);
    free(diag->hidden);
    free(diag->lines);
    free(diag->name);
    free(diag);
}

static void OV_PRINTF(4, 0) diag_report(struct ov_diag *diag, struct ov_span at, bool is_error,
                                        const char *format, va_list args)
{
    struct ov_buf text = {0};
    if (diag->count == MAX_REPORTS) {
        diag->left_out++;
        return;
    }
    ov_buf_str(&text, is_error ? "" : "warning: ");
    ov_buf_vprintf(&text, format, args);
    if (diag->count == diag->cap) {
        diag->cap = diag->cap ? diag->cap * 2 : 8;
        diag->reports = ov_realloc(diag->reports, diag->cap, sizeof *diag->reports);
    }
    diag->reports[diag->count] = (struct report){at, diag->count, is_error,
                                                  ov_strdup(ov_buf_text(&text))};
    diag->count++;
    ov_buf_free(&text);
}

void ov_diag_error(struct ov_diag *diag, struct ov_span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diag_report(diag, at, true, format, args);
    va_end(args);
    diag->errors++;
}

void ov_diag_warn(struct ov_diag *diag, struct ov_span at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    diag_report(diag, at, false, format, args);
    va_end(args);
}

size_t ov_diag_errors(const struct ov_diag *diag)
{
    return diag->errors;
}

bool ov_diag_has_error(const struct ov_diag *diag, struct ov_span part)
{
    for (size_t i = 0; i < diag->count; i++) {
        struct ov_span at = diag->reports[i].at;
        if (diag->reports[i].is_error && at.start >= part.start && at.end <= part.end)
            return true;
    }
    return false;
}

void ov_diag_hide(struct ov_diag *diag, struct ov_span part)
{
    if (part.start >= part.end)
        return;
    if (diag->hidden_count == diag->hidden_cap) {
        diag->hidden_cap = diag->hidden_cap ? diag->hidden_cap * 2 : 16;
        diag->hidden = ov_realloc(diag->hidden, diag->hidden_cap, sizeof *diag->hidden);
    }
    diag->hidden[diag->hidden_count++] = part;
}

void ov_diag_hide_values(struct ov_diag *diag)
{
    diag->hide_values = true;
}

static size_t char_len(struct ov_slice text, size_t at)
{
    size_t len = ov_utf8_len(text.ptr + at, text.len - at);
    return len ? len : 1;
}

/* Notes where each line begins, once. */
static void diag_find_lines(struct ov_diag *diag)
{
    size_t count = 1;
    for (size_t i = 0; i < diag->text.len; i++)
        count += diag->text.ptr[i] == '\n';
    diag->lines = ov_calloc(count, sizeof *diag->lines);
    diag->line_count = 1;
    for (size_t i = 0; i < diag->text.len; i++)
        if (diag->text.ptr[i] == '\n')
            diag->lines[diag->line_count++] = i + 1;
}

const char *ov_diag_name(const struct ov_diag *diag)
{
    return diag->name;
}

size_t ov_diag_line(struct ov_diag *diag, size_t offset)
{
    if (!diag->lines)
        diag_find_lines(diag);
    size_t low = 1, high = diag->line_count; /* the first line that begins beyond `offset` */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (diag->lines[middle] <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void ov_diag_quote(struct ov_buf *out, struct ov_slice bytes)
{
    size_t len = 0;
    while (len < bytes.len && len < LONGEST_QUOTE)
        len += char_len(bytes, len);
    ov_buf_char(out, '`');
    ov_buf_escaped(out, (struct ov_slice){bytes.ptr, len});
    ov_buf_str(out, len < bytes.len ? "...`" : "`");
}

/* ---------------------------------------------------------------- what is hidden */

static int span_order(const void *a, const void *b)
{
    const struct ov_span *x = a, *y = b;
    return x->start != y->start ? (x->start < y->start ? -1 : 1) : 0;
}

/* Sorts the hidden parts and joins those that overlap. */
static void diag_sort_hidden(struct ov_diag *diag)
{
    size_t count = 0;
    if (diag->hidden_count > 0)
        qsort(diag->hidden, diag->hidden_count, sizeof *diag->hidden, span_order);
    for (size_t i = 0; i < diag->hidden_count; i++) {
        struct ov_span part = diag->hidden[i];
        struct ov_span *last = count > 0 ? &diag->hidden[count - 1] : NULL;
        if (!last || part.start > last->end)
            diag->hidden[count++] = part;
        else if (part.end > last->end)
            last->end = part.end;
    }
    diag->hidden_count = count;
}

/* The end of the hidden part that `offset` is in, or `offset`. */
static size_t hidden_until(const struct ov_diag *diag, size_t offset)
{
    size_t low = 0, high = diag->hidden_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (diag->hidden[middle].end <= offset)
            low = middle + 1;
        else
            high = middle;
    }
    bool inside = low < diag->hidden_count && diag->hidden[low].start <= offset;
    return inside ? diag->hidden[low].end : offset;
}

static bool is_key_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-.\"'", c));
}

/* The part of a line of a broken text that must be hidden: all but blanks, dashes and `key:`. */
static struct ov_span line_values(struct ov_slice text, struct ov_span line)
{
    size_t from = line.start, key;
    while (from < line.end && strchr(" \t", text.ptr[from]) && text.ptr[from])
        from++;
    while (from + 1 < line.end && text.ptr[from] == '-' && text.ptr[from + 1] == ' ')
        from += 2;
    for (key = from; key < line.end && is_key_char(text.ptr[key]);)
        key++;
    if (key > from && key < line.end && text.ptr[key] == ':')
        from = key + 1;
    while (from < line.end && text.ptr[from] == ' ')
        from++;
    return (struct ov_span){from, line.end};
}

/* ---------------------------------------------------------------- showing a line */

/* The line that `offset` is in, without its end. */
static struct ov_span line_around(struct ov_slice text, size_t offset)
{
    struct ov_span line = {offset, offset};
    while (line.start > 0 && text.ptr[line.start - 1] != '\n')
        line.start--;
    const char *newline = offset < text.len
                              ? memchr(text.ptr + offset, '\n', text.len - offset) : NULL;
    line.end = newline ? (size_t)(newline - text.ptr) : text.len;
    if (line.end > line.start && text.ptr[line.end - 1] == '\r')
        line.end--;
    return line;
}

static size_t column_of(struct ov_slice text, size_t line_start, size_t offset)
{
    size_t column = 1;
    for (size_t i = line_start; i < offset; i += char_len(text, i))
        column++;
    return column;
}

/* Appends the character at `at` (or *** for a hidden part) and returns the columns it takes. */
static size_t put_char(struct ov_buf *out, struct ov_slice text, size_t at, bool hidden)
{
    size_t before = out->len;
    if (hidden) {
        ov_buf_str(out, "***");
        return 3;
    }
    size_t len = char_len(text, at);
    ov_buf_escaped(out, (struct ov_slice){text.ptr + at, len});
    return out->len - before == len ? 1 : out->len - before;
}

static void show_line(const struct ov_diag *diag, struct ov_span line, struct ov_span at,
                      struct ov_buf *out)
{
    struct ov_span values = diag->hide_values ? line_values(diag->text, line) : OV_NOWHERE;
    size_t i = line.start, column = 0, first = SIZE_MAX, last = 0;
    ov_buf_str(out, "    ");
    if (at.start - i > BEFORE) {
        i = at.start - BEFORE;
        while (((unsigned char)diag->text.ptr[i] & 0xc0) == 0x80 && i < at.start)
            i++;
        ov_buf_str(out, "...");
        column = 3;
    }
    while (i < line.end && column < WIDTH) {
        size_t next = hidden_until(diag, i);
        if (i >= values.start)
            next = line.end;
        bool hidden = next > i;
        size_t width = put_char(out, diag->text, i, hidden);
        next = hidden ? next : i + char_len(diag->text, i);
        if (next > at.start && first == SIZE_MAX)
            first = column;
        column += width;
        if (i < at.end)
            last = column;
        i = next;
    }
    if (i < line.end)
        ov_buf_str(out, "...");
    if (first == SIZE_MAX)
        first = column;
    ov_buf_printf(out, "\n    %*s^", (int)first, "");
    for (size_t c = first + 1; c < last; c++)
        ov_buf_char(out, '~');
    ov_buf_char(out, '\n');
}

static void show_report(struct ov_diag *diag, const struct report *report, struct ov_buf *out)
{
    struct ov_span line = {0, 0};
    bool somewhere = report->at.start <= diag->text.len;
    ov_buf_escaped(out, ov_slice(diag->name));
    if (somewhere) {
        line = line_around(diag->text, report->at.start);
        ov_buf_printf(out, ":%zu:%zu", ov_diag_line(diag, line.start),
                      column_of(diag->text, line.start, report->at.start));
    }
    ov_buf_str(out, ": ");
    ov_buf_escaped(out, ov_slice(report->text)); /* it may come from a plugin */
    ov_buf_char(out, '\n');
    if (line.end > line.start)
        show_line(diag, line, report->at, out);
}

/* Those about the whole text come first. */
static int report_order(const void *a, const void *b)
{
    const struct report *x = a, *y = b;
    if (x->at.start != y->at.start)
        return x->at.start + 1 < y->at.start + 1 ? -1 : 1;
    return x->number < y->number ? -1 : 1;
}

void ov_diag_write(struct ov_diag *diag, struct ov_buf *out)
{
    diag_sort_hidden(diag);
    if (diag->count > 0)
        qsort(diag->reports, diag->count, sizeof *diag->reports, report_order);
    for (size_t i = 0; i < diag->count; i++)
        show_report(diag, &diag->reports[i], out);
    if (diag->left_out > 0) {
        ov_buf_escaped(out, ov_slice(diag->name));
        ov_buf_printf(out, ": and %zu more\n", diag->left_out);
    }
}
