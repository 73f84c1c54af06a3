/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables, and structs filled in from them, as text for a person. */
#ifndef OV_OPTION_TEXT_H
#define OV_OPTION_TEXT_H

#include "omnivigil.h"

/* Appends a description of every option, nested ones indented, 80 columns wide:
 *
 *     url              text, secret (or url_file); default redis://localhost:6379;
 *                      environment REDIS_URL
 *                      Redis: redis://[user[:password]@]host[:port][/db]
 */
void ov_options_describe(struct ov_buf *out, const struct ov_option *table);

/* Appends a number in the unit of the option's type: 42, `1m30s`, `64MiB`. */
void ov_option_put_number(struct ov_buf *out, const struct ov_option *option, int64_t number);
/* Appends what could be written in the configuration for the value an option has in `state`, in one
 * line; a secret is `***`, an unset text `~`. Not for tables. */
void ov_option_put(struct ov_buf *out, const struct ov_option *option, const void *state);
/* Appends `name: value` lines for all options that have a value, `indent` blanks before each. */
void ov_options_dump(struct ov_buf *out, const struct ov_option *table, const void *state,
                     int indent);

#endif
