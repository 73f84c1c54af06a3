/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small language for texts with places to be filled in, in the manner of Mustache:
 *
 *     text          itself
 *     {{name}}      a value, as it is
 *     {{name|json}} a value of JSON: a string with its quotes, a number, true, false or null
 *     {{name|url}}  percent-encoded
 *     {{! ... }}    nothing
 *     {{#each}}...{{/each}}       once for each item; {{#each ", "}} puts the text in quotes
 *                                 between two of them
 *
 *     name = one of the names the user of this file offers, tags.NAME or fields.NAME
 *
 * Blanks inside the braces do not matter, a line that holds nothing but #each, /each or a comment
 * leaves no empty line behind, and the line end at the end of the template is not part of it.
 * A value that is absent is no text, or null. Templates are read once, with every mistake
 * reported at its place, and rendered without being able to fail.
 */
#ifndef TEMPLATE_H
#define TEMPLATE_H

#include "omnivigil.h"

struct template;

/* What may be filled in. Lists end with NULL. */
struct template_names {
    const char *const *item;    /* of each item */
    const char *const *message; /* of the whole */
    const char *const *fields;  /* NAME in fields.NAME; NULL: any */
    const char *const *tags;    /* the same for tags.NAME */
};

enum template_kind {
    TEMPLATE_ABSENT,
    TEMPLATE_TEXT,
    TEMPLATE_LITERAL, /* a number or truth value, which JSON writes without quotes */
};

/* Appends the value of `name` (as written, with `tags.` or `fields.`) and says what it is. `item`
 * counts from 0. */
typedef enum template_kind template_value(void *context, size_t item, struct ov_slice name,
                                          struct ov_buf *out);
/* Is told a mistake; lines and columns count from 1, columns in bytes. */
typedef void template_complaint(void *context, size_t line, size_t column, const char *what);

/* NULL after complaints. The text is copied. */
struct template *template_new(struct ov_slice text, const struct template_names *names,
                              template_complaint *complain, void *context);
void template_free(struct template *template);

/* Whether it goes through items with #each; else it is for one item at a time. */
bool template_is_grouped(const struct template *template);
/* Appends the text for `count` items. */
void template_render(const struct template *template, size_t count, template_value *value,
                     void *context, struct ov_buf *out);

#endif
