/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One value of the configuration: where it comes from, what it must be, and how to complain about
 * it. The rules are in options.h, whose second half this is.
 */
#ifndef OV_LITERAL_H
#define OV_LITERAL_H

#include "options.h"

/* A table being read, and the ones it is in. */
struct ov_scope {
    const struct ov_source *source;
    const struct ov_node *node; /* its mapping; NULL where it is not written */
    const struct ov_scope *up;
    const char *name;           /* of the option this table is the value of; NULL at the top */
    bool secret;
};

struct ov_literal {
    const struct ov_scope *scope;
    const struct ov_option *option;
    struct ov_span at;
    const char *suffix;   /* "_file" for a secret's file, else "" */
    const char *variable; /* the environment variable it comes from, or NULL */
    bool fallback;        /* it is the table's own */
    bool plain;           /* without quotes, or with variables, or not from the file at all */
    struct ov_slice text;
};

/* Reports an error at the value: `inputs.main.tls.ca`: ... */
void ov_literal_fail(const struct ov_literal *literal, const char *format, ...) OV_PRINTF(2, 3);
/* Reports "expected X, got a list". */
void ov_literal_wrong_kind(const struct ov_literal *literal, const char *expected,
                         const struct ov_node *node);
bool ov_literal_is_secret(const struct ov_literal *literal);

/* Reads literal->text, from wherever it comes, into the member `out`; a list or map is one line.
 * Not for tables. On an error, reported, *out stays as it is (a list may have a part). */
void ov_literal_read(const struct ov_literal *literal, void *out);
/* Reads what is written in the file, the same way. Sets the value's place and text. */
void ov_literal_read_node(struct ov_literal *literal, const struct ov_node *node, void *out);

/* Appends the dotted name of a table: `inputs.main.tls`. */
void ov_scope_put(struct ov_buf *out, const struct ov_scope *scope);

#endif
