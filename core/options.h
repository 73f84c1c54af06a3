/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Filling a struct in from a mapping of the configuration, as an option table (omnivigil.h) says,
 * and freeing it again.
 *
 * The value of an option is, in this order: what is written (NAME, or for a secret text the
 * content of the file NAME_file), the environment variable `env` unless it is unset or empty, the
 * table's `fallback`. Without any of these the member stays as it is. Rules for what is written:
 *
 *     text, enum, duration, size   with or without quotes
 *     int, bool, ratio             without quotes, except around variables
 *     list                         a list of texts; a single text counts as a list of one
 *     map                          a mapping of names, not empty, to texts
 *     table                        a mapping by the table of its own; left out, or empty, its
 *                                  options have their defaults
 *
 * Texts are what is written: `no`, `012`, `1.0`, `null`, `~` stay as they are. In a variable or a
 * fallback a list is `a, b` and a map `name=value, name=value`. Main thread only.
 */
#ifndef OV_OPTIONS_H
#define OV_OPTIONS_H

#include "tree.h"

/* Where values come from, and where complaints go. */
struct ov_source {
    struct ov_diag *diag;
    const struct ov_dotenv *env;
    const struct ov_node *node; /* the mapping; where it is none (also NULL) nothing is written */
    const char *what;           /* what is being read, for messages: "agent", "inputs.main" */
    bool faulty;                /* it has errors already: see ov_source_can_judge */
};

/* Fills `state` in. Errors go to the source's diag; then the members they are about have the
 * table's fallback, or stay as they were. Values that are no secrets are marked as fit to be seen.
 * Free with ov_options_free, also after errors. */
void ov_options_read(const struct ov_source *source, const struct ov_option *table, void *state);
/* Reports every key of the source's mapping that none of these tables has. */
void ov_options_unknown(const struct ov_source *source, const struct ov_option *const *tables,
                        size_t count);
/* Frees the texts, lists and maps in `state` and sets them to nothing. */
void ov_options_free(const struct ov_option *table, void *state);

/* Whether an error found later about what is at `node` (NULL: it is not written) can be told. Where
 * there were errors before, only what is written, and had none itself, can be judged. */
bool ov_source_can_judge(const struct ov_source *source, const struct ov_node *node);
/* Whether no text that is required is missing from what was read. */
bool ov_options_have_required(const struct ov_option *table, const void *state);

/* Where errors about `source` as a whole are shown. */
struct ov_span ov_source_place(const struct ov_source *source);

/* What a plugin's check() is handed, for ov_check_error. */
struct ov_check {
    const struct ov_source *source;
    const struct ov_option *table;
};

#endif
