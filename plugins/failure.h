/* SPDX-License-Identifier: Apache-2.0 */
/* What failures have in common: the pattern of an exception's message, and what kind of failure it
 * is, with what helps against that kind. */
#ifndef FAILURE_H
#define FAILURE_H

#include "omnivigil.h"

/* Appends `message` with what differs from case to case replaced: numbers by <n>, ids (UUIDs, hex
 * and mixed words with digits) by <id>, quoted text by '...', runs of blanks by one. No more than
 * FAILURE_PATTERN_MAX bytes of the message are looked at. */
#define FAILURE_PATTERN_MAX ((size_t)400)
void failure_pattern(struct ov_buf *out, struct ov_slice message);

/* Appends "Type: message", or the one there is. */
void failure_text(struct ov_buf *out, struct ov_slice type, struct ov_slice message);

struct failure_class {
    const char *name;   /* "invalid data" */
    const char *remedy; /* one sentence */
};
/* The class of an exception, by its type first and by the words of its message then. Never NULL:
 * what fits none is a fault of the callback's logic, and without a type it is "unknown". */
const struct failure_class *failure_class(struct ov_slice error_type, struct ov_slice message);

#endif
