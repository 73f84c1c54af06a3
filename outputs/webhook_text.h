/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text for a chat service: what is markup there is escaped, and the whole stays within a size.
 * Bytes are cut between characters, never inside one or inside an escape, and end in `…` then.
 */
#ifndef WEBHOOK_TEXT_H
#define WEBHOOK_TEXT_H

#include "omnivigil.h"

enum text_style { TEXT_SLACK, TEXT_DISCORD, TEXT_TEAMS };

/* Start with {out, style, left}. */
struct text {
    struct ov_buf *out;
    enum text_style style;
    size_t left; /* what may still be added: UTF-16 units; for Teams bytes of a JSON string */
};

/* Adds markup or words of ours, as they are; nothing where they do not fit. */
void text_add(struct text *text, const char *ours);
/* Adds bytes from outside, `most` of the size at most. Addresses (http, https) are left whole
 * where escapes would break them. `lines`: keep line ends, which else are blanks. */
void text_bytes(struct text *text, struct ov_slice bytes, size_t most, bool lines);
void text_bold(struct text *text, const char *ours);
void text_newline(struct text *text);

/* The longest beginning of `bytes` of at most `most` bytes that does not end inside a character. */
struct ov_slice text_prefix(struct ov_slice bytes, size_t most);
/* Appends a JSON string of at most `most` bytes of the text, ending in `…` if it is cut. */
void text_json(struct ov_buf *out, struct ov_slice bytes, size_t most);

#endif
