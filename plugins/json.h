/* SPDX-License-Identifier: Apache-2.0 */
/* JSON as Python writes it (NaN and Infinity allowed), read with json-c, with typed access that
 * takes a wrong type for an absent value. */
#ifndef JSON_H
#define JSON_H

#include <json-c/json.h>

#include "omnivigil.h"

/* The value, to be given back with json_object_put; NULL for what is no JSON (*why says what and
 * where) and, with a NULL *why, for `null`. The whole text must be one value. */
struct json_object *json_read(struct ov_slice text, const char **why);
/* The same for a file of at most `max_bytes`. */
struct json_object *json_read_file(const char *dir, const char *name, size_t max_bytes,
                                   struct ov_buf *why);
/* The text of such a file, appended; false with what is wrong in `why`. */
bool json_file_text(const char *dir, const char *name, size_t max_bytes, struct ov_buf *text,
                    struct ov_buf *why) OV_MUST_CHECK;
/* True where the directory can be looked into and holds no such file. */
bool json_file_is_absent(const char *dir, const char *name);

/* Members of an object; NaN, `missing` or an empty slice for anything else. Slices are borrowed. */
double json_get_double(struct json_object *object, const char *name);
int64_t json_get_int(struct json_object *object, const char *name, int64_t missing);
struct ov_slice json_get_text(struct json_object *object, const char *name);
/* 1, 0, or -1 where it is no truth value. */
int json_get_bool(struct json_object *object, const char *name);

#endif
