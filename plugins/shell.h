/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines to be pasted into a shell, whatever bytes the names in them are. */
#ifndef SHELL_H
#define SHELL_H

#include "omnivigil.h"

/* Appends `word` as one word of a shell, with a blank before it unless the line is empty: bare
 * where nothing in it is special, in '...', or, where it holds control bytes or is not UTF-8, in
 * $'...', which is ASCII (bash, zsh, ksh, busybox). False, and nothing appended, for a word with a
 * NUL, which no command line can hold. */
bool shell_word(struct ov_buf *line, struct ov_slice word) OV_MUST_CHECK;
/* The same for a pattern that matches `text` and nothing else. */
bool shell_pattern(struct ov_buf *line, struct ov_slice text) OV_MUST_CHECK;

#endif
