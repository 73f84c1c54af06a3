/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a command shows: views of rows of cells, kept until they are written as a table for
 * persons, as JSON or as CSV. The plugin's side (ov_show and its kin) is in omnivigil.h.
 *
 *     table   each view as its shape says, notes below; fits `width` columns, 0 for no limit
 *     json    one object on a line: {"view": [{"column": value, ...}, ...], "notes": ["..."]}; a
 *             single view is an object; views of one name are one array; indented for a terminal
 *     csv     each view with its heading line, an empty line between two (RFC 4180); no notes
 */
#ifndef OV_SHOW_H
#define OV_SHOW_H

#include "omnivigil.h"

enum ov_show_format { OV_SHOW_TABLE, OV_SHOW_JSON, OV_SHOW_CSV };
extern const char *const ov_show_formats[]; /* their names; NULL-terminated */

struct ov_show_style {
    enum ov_show_format format;
    unsigned width; /* columns there are; 0: no limit */
    bool colours;
};
/* For standard output as it is: a table is as wide as COLUMNS says, else the terminal (else 80);
 * colours unless NO_COLOR is set or TERM is `dumb`. */
struct ov_show_style ov_show_style_of_stdout(enum ov_show_format format);

struct ov_shown;
struct ov_shown *ov_shown_new(struct ov_show_style style);
void ov_shown_free(struct ov_shown *shown); /* NULL is fine */
/* Appends what was shown since the last write to `out`. `more`: the command goes on
 * (ov_show_flush); else this was the end, and the next view begins anew. */
void ov_shown_write(struct ov_shown *shown, bool more, struct ov_buf *out);

#endif
