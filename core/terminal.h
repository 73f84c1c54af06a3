/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal that standard output may be. */
#ifndef OV_TERMINAL_H
#define OV_TERMINAL_H

#include "omnivigil.h"

/* Its columns (else COLUMNS, else 80); 0 where standard output is no terminal. */
unsigned ov_terminal_width(void);
/* Whether it is one with colours: not where NO_COLOR is set or TERM is `dumb`. */
bool ov_terminal_has_colours(void);
/* Whether the locale that the environment names is UTF-8; it need not be installed. */
bool ov_terminal_is_utf8(void);

/* How to draw (the parameters of the escape sequence); NULL: plainly. */
#define OV_SGR_BOLD "1"
extern const char *const ov_mark_sgr[]; /* by enum ov_mark */
/* Appends text drawn so, if there are `colours`. */
void ov_terminal_draw(struct ov_buf *out, bool colours, const char *sgr, struct ov_slice text);

#endif
