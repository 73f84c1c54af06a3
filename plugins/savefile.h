/* SPDX-License-Identifier: Apache-2.0 */
/* Saved state as lines of words: numbers, and names that are bytes (percent-encoded). */
#ifndef SAVEFILE_H
#define SAVEFILE_H

#include "omnivigil.h"

/* Append a word; the line's first has no blank before it. */
void save_tag(struct ov_buf *out, const char *tag); /* begins a line */
void save_name(struct ov_buf *out, struct ov_slice name);
void save_int(struct ov_buf *out, int64_t value);
void save_uint(struct ov_buf *out, uint64_t value);
void save_end(struct ov_buf *out);

/* Reading: take lines off `rest`, words off a line. */
bool saved_line(struct ov_slice *rest, struct ov_slice *line);
bool saved_word(struct ov_slice *line, struct ov_slice *word);
/* The next word as a name, decoded into `name` (emptied first). */
bool saved_name(struct ov_slice *line, struct ov_buf *name);
bool saved_int(struct ov_slice *line, int64_t *value);
bool saved_uint(struct ov_slice *line, uint64_t *value);

#endif
