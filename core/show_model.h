/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was shown since the last write, as its writers read it: cells lie one after another, row by
 * row and view by view; texts in one buffer. Nothing is freed before all of it is.
 */
#ifndef OV_SHOW_MODEL_H
#define OV_SHOW_MODEL_H

#include "show.h"

enum ov_held { OV_HELD_NOTHING, OV_HELD_TEXT, OV_HELD_INT, OV_HELD_NUMBER, OV_HELD_BOOL };

struct ov_shown_text { /* a place in `bytes` */
    size_t at, len;
};
/* A cell is what was given; its column says what that means. */
struct ov_shown_cell {
    union {
        struct ov_shown_text text;
        int64_t integer;
        double number; /* finite; a time lies in the years 1 to 9999 */
        bool boolean;
    };
    uint8_t held; /* enum ov_held */
    uint8_t mark; /* enum ov_mark */
};
struct ov_shown_view {
    const struct ov_view *view; /* lives as long as the command runs */
    size_t first_cell, row_count;
    bool carried; /* was there at the last write */
    bool begun;   /* its heading was written then */
};
struct ov_shown_note {
    struct ov_shown_text text;
    size_t view; /* how many views were there: it is below the last of those */
};
/* How a list's columns were laid out, for its further parts. */
struct ov_shown_layout {
    size_t *widths; /* what the columns would like to have */
    bool *left_out;
    bool cards;
};

struct ov_shown {
    struct ov_show_style style; /* a width of 0, or enough to lay out something */
    bool utf8;    /* what is drawn may go beyond ASCII */
    bool written; /* something was, since the last end */
    struct ov_buf bytes;
    struct ov_shown_cell *cells;
    struct ov_shown_view *views;
    struct ov_shown_note *notes;
    size_t cell_count, cell_room, view_count, view_room, note_count, note_room;
    struct ov_shown_layout layout; /* of the last view */
};

static inline struct ov_slice ov_shown_bytes(const struct ov_shown *shown,
                                             struct ov_shown_text text)
{
    return (struct ov_slice){shown->bytes.data + text.at, text.len};
}

/* The writers write the first `view_count` views, all notes, and set what was begun. */
void ov_show_table(struct ov_shown *shown, size_t view_count, struct ov_buf *out);
void ov_show_csv(struct ov_shown *shown, size_t view_count, struct ov_buf *out);
void ov_show_json(struct ov_shown *shown, size_t view_count, unsigned indent, struct ov_buf *out);

/* The parts of a table: rows in columns; returns false where they cannot be made to fit. */
bool ov_show_rows(struct ov_shown *shown, struct ov_shown_view *v, struct ov_buf *out);
void ov_show_cards(struct ov_shown *shown, struct ov_shown_view *v, struct ov_buf *out);

/* A cell as persons read it, on one line without control bytes; `-` for none. */
void ov_show_for_persons(const struct ov_shown *shown, const struct ov_shown_cell *cell,
                         enum ov_cell type, struct ov_buf *out);
/* A number, truth or time as programs read it. */
void ov_show_for_programs(const struct ov_shown_cell *cell, enum ov_cell type, struct ov_buf *out);
/* A column's name as persons read it. */
void ov_show_name(const struct ov_column *column, bool upper, struct ov_buf *out);

/* Writes text (one line without control bytes) whose first line begins at column `margin`, where
 * the line is already, and goes on in further ones at that column: broken at blanks where possible,
 * each ended. What it begins with in blanks, further lines have as well. */
void ov_show_wrapped(const struct ov_shown *shown, struct ov_slice text, size_t margin,
                     const char *sgr, struct ov_buf *out);
/* Writes text cut to `width` columns, with an ellipsis; returns the columns it takes. */
size_t ov_show_cut(const struct ov_shown *shown, struct ov_slice text, size_t width,
                   const char *sgr, struct ov_buf *out);
void ov_show_blanks(struct ov_buf *out, size_t count);

#endif
