/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON text taken apart without a change to its bytes: what was not asked for stays as it was
 * written, numbers, escapes, order and repeated keys included. NaN, Infinity and -Infinity count as
 * values, as Python writes them.
 */
#ifndef JSON_TEXT_H
#define JSON_TEXT_H

#include "omnivigil.h"

/* Nesting beyond this is refused. */
#define JSON_TEXT_DEPTH 1000

/* One value with nothing but blanks around it. */
bool json_text_is_valid(struct ov_slice text);

/* The members of an object (or nothing, for any other value) of valid text:
 *
 *     struct json_walk walk = json_walk(text);
 *     while (json_walk_next(&walk, &key, &value))
 *
 * `key` is the text between its quotes, `value` whole, both as written. */
struct json_walk {
    const char *at, *end;
};
struct json_walk json_walk(struct ov_slice object);
bool json_walk_next(struct json_walk *walk, struct ov_slice *key, struct ov_slice *value);

/* The last value of `key`, or an empty slice. */
struct ov_slice json_text_member(struct ov_slice object, const char *key);
/* Whether a key as written stands for `name`. */
bool json_text_key_is(struct ov_slice key, const char *name);
/* Appends what a string with its quotes stands for, as UTF-8; false, and nothing, where `value` is
 * no string. */
bool json_text_decode(struct ov_slice value, struct ov_buf *out);
/* The value of a number; NaN for anything else, NaN and the infinities included. */
double json_text_number(struct ov_slice value);
/* The value of a whole number from 0 to a million; -1 for anything else. */
int64_t json_text_count(struct ov_slice value);

/* Appends valid text as one that every JSON reader takes: NaN and the infinities become strings.
 * The values of keys that match one of the patterns, in any case and at any depth, also in JSON
 * that stands inside a string, become "***". */
void json_text_mask(struct ov_buf *out, struct ov_slice text, const struct ov_list *patterns);

#endif
