/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The errors and warnings of one text, collected while it is read, shown in the order of their
 * places:
 *
 *     agent.yaml:3:3: agent: unknown option `intervall` (did you mean `interval`?)
 *           intervall: 5s
 *           ^~~~~~~~~
 *
 * Places are byte offsets into the text; shown are lines and columns from 1, columns counted in
 * characters. What must not be seen is hidden once, by place, and then shown as *** in whatever
 * line it stands. Main thread only.
 */
#ifndef OV_DIAG_H
#define OV_DIAG_H

#include "omnivigil.h"

/* A part of the text. */
struct ov_span {
    size_t start, end;
};
#define OV_NOWHERE ((struct ov_span){SIZE_MAX, SIZE_MAX}) /* the text as a whole */

struct ov_diag;

/* `name` is shown as the file's name and copied; `text` must stay until ov_diag_free. */
struct ov_diag *ov_diag_new(const char *name, struct ov_slice text);
void ov_diag_free(struct ov_diag *diag);

void ov_diag_error(struct ov_diag *diag, struct ov_span at, const char *format, ...)
    OV_PRINTF(3, 4);
void ov_diag_warn(struct ov_diag *diag, struct ov_span at, const char *format, ...)
    OV_PRINTF(3, 4);
/* Errors so far, warnings left out. */
size_t ov_diag_errors(const struct ov_diag *diag);
/* Whether one of them is within that part. */
bool ov_diag_has_error(const struct ov_diag *diag, struct ov_span part);

/* Shows this part as *** from now on. */
void ov_diag_hide(struct ov_diag *diag, struct ov_span part);
/* The text could not be taken apart, so nobody knows where its secrets are: of each line only
 * `key:` is shown. */
void ov_diag_hide_values(struct ov_diag *diag);

const char *ov_diag_name(const struct ov_diag *diag);
/* The line, from 1, of an offset. */
size_t ov_diag_line(struct ov_diag *diag, size_t offset);
/* Appends bytes from outside for use in a message: in backquotes, escaped, cut if long. */
void ov_diag_quote(struct ov_buf *out, struct ov_slice bytes);
/* Appends everything reported, sorted; beyond the first hundred only their number. */
void ov_diag_write(struct ov_diag *diag, struct ov_buf *out);

#endif
