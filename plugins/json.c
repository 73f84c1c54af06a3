/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "json.h"

enum { DEPTH_MAX = 64 };

struct json_object *json_read(struct ov_slice text, const char **why)
{
    *why = NULL;
    if (text.len == 0 || text.len > INT_MAX) {
        *why = text.len ? "too long" : "empty";
        return NULL;
    }
    struct json_tokener *tokener = json_tokener_new_ex(DEPTH_MAX);
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
    struct json_object *value = json_tokener_parse_ex(tokener, text.ptr, (int)text.len);
    enum json_tokener_error error = json_tokener_get_error(tokener);
    size_t end = json_tokener_get_parse_end(tokener);
    if (error == json_tokener_continue && end == text.len) { /* a number may end with the text */
        value = json_tokener_parse_ex(tokener, "\n", 1);
        error = json_tokener_get_error(tokener);
    }
    while (end < text.len && strchr(" \t\r\n", text.ptr[end]) && text.ptr[end])
        end++;
    if (error == json_tokener_continue)
        *why = "ends in the middle";
    else if (error != json_tokener_success)
        *why = json_tokener_error_desc(error);
    else if (end < text.len)
        *why = "something follows the value";
    json_tokener_free(tokener);
    if (!*why)
        return value;
    json_object_put(value);
    return NULL;
}

bool json_file_text(const char *dir, const char *name, size_t max_bytes, struct ov_buf *text,
                    struct ov_buf *why)
{
    struct ov_buf path = {0};
    struct stat st;
    const char *problem = NULL;
    ov_buf_printf(&path, "%s/%s", dir, name);
    int fd = open(ov_buf_text(&path), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        problem = strerror(errno);
    else if (!S_ISREG(st.st_mode))
        problem = "not a regular file";
    else if ((uintmax_t)st.st_size > max_bytes)
        problem = "too large to be read each time";
    for (ssize_t got = 1; !problem && got > 0;) {
        ov_buf_grow(text, 64 * 1024);
        got = read(fd, text->data + text->len, text->cap - text->len);
        if (got < 0 && errno != EINTR)
            problem = strerror(errno);
        else if (got < 0)
            got = 1;
        else
            text->len += (size_t)got;
    }
    if (problem)
        ov_buf_printf(why, "%s: %s", ov_buf_text(&path), problem);
    if (fd >= 0)
        close(fd);
    ov_buf_free(&path);
    return !problem;
}

struct json_object *json_read_file(const char *dir, const char *name, size_t max_bytes,
                                   struct ov_buf *why)
{
    struct ov_buf text = {0};
    struct json_object *value = NULL;
    const char *problem = NULL;
    if (json_file_text(dir, name, max_bytes, &text, why))
        value = json_read((struct ov_slice){text.data, text.len}, &problem);
    if (problem)
        ov_buf_printf(why, "%s/%s: %s", dir, name, problem);
    ov_buf_free(&text);
    return value;
}

bool json_file_is_absent(const char *dir, const char *name)
{
    struct ov_buf path = {0};
    ov_buf_printf(&path, "%s/%s", dir, name);
    bool absent = access(ov_buf_text(&path), F_OK) != 0 && errno == ENOENT &&
                  access(dir, R_OK | X_OK) == 0;
    ov_buf_free(&path);
    return absent;
}

static struct json_object *member(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    if (object && json_object_is_type(object, json_type_object))
        json_object_object_get_ex(object, name, &value);
    return value;
}

double json_get_double(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    if (json_object_is_type(value, json_type_double) || json_object_is_type(value, json_type_int))
        return json_object_get_double(value);
    return (double)NAN;
}

int64_t json_get_int(struct json_object *object, const char *name, int64_t missing)
{
    struct json_object *value = member(object, name);
    if (json_object_is_type(value, json_type_int))
        return json_object_get_int64(value);
    double number = json_get_double(object, name);
    return number >= -9e15 && number <= 9e15 ? (int64_t)number : missing;
}

struct ov_slice json_get_text(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    if (!json_object_is_type(value, json_type_string))
        return (struct ov_slice){"", 0};
    return (struct ov_slice){json_object_get_string(value),
                             (size_t)json_object_get_string_len(value)};
}

int json_get_bool(struct json_object *object, const char *name)
{
    struct json_object *value = member(object, name);
    return json_object_is_type(value, json_type_boolean) ? json_object_get_boolean(value) != 0 : -1;
}
