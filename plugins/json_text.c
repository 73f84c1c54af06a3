/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A validating scanner that goes on from value to value. Containers are kept as bits (1: an
 * object), so that depth costs no stack of ours.
 */
#include <math.h>
#include <stdlib.h>

#include "json.h"
#include "json_text.h"

#define MASK_LEVELS 4 /* JSON within a string within a string ...; what is deeper is masked */

/* ---------------------------------------------------------------- scanning; NULL: not valid */

static const char *skip_blanks(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

static const char *skip_escape(const char *at, const char *end)
{
    if (at == end || !memchr("\"\\/bfnrtu", *at, 9))
        return NULL;
    if (*at++ != 'u')
        return at;
    if (end - at < 4)
        return NULL;
    for (int i = 0; i < 4; i++, at++)
        if (!((*at >= '0' && *at <= '9') || ((*at | 0x20) >= 'a' && (*at | 0x20) <= 'f')))
            return NULL;
    return at;
}

static const char *skip_string(const char *at, const char *end)
{
    if (at == end || *at++ != '"')
        return NULL;
    while (at < end && *at != '"') {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at++ == '\\' && !(at = skip_escape(at, end)))
            return NULL;
    }
    return at < end ? at + 1 : NULL;
}

static const char *skip_digits(const char *at, const char *end)
{
    const char *begin = at;
    while (at < end && *at >= '0' && *at <= '9')
        at++;
    return at > begin ? at : NULL;
}

static const char *skip_number(const char *at, const char *end)
{
    if (at < end && *at == '-')
        at++;
    const char *whole = at;
    at = skip_digits(at, end);
    if (!at || (*whole == '0' && at > whole + 1))
        return NULL;
    if (at < end && *at == '.' && !(at = skip_digits(at + 1, end)))
        return NULL;
    if (at < end && (*at | 0x20) == 'e') {
        at++;
        if (at < end && (*at == '+' || *at == '-'))
            at++;
        at = skip_digits(at, end);
    }
    return at;
}

static const struct ov_slice words[] = {
    {"null", 4}, {"true", 4}, {"false", 5}, {"NaN", 3}, {"Infinity", 8}, {"-Infinity", 9},
};
enum { FIRST_PYTHON_WORD = 3 };

/* The word at `at`, or OV_COUNT(words). */
static size_t word_at(const char *at, const char *end)
{
    size_t i = 0;
    while (i < OV_COUNT(words) && !ov_slice_starts((struct ov_slice){at, (size_t)(end - at)},
                                                   words[i]))
        i++;
    return i;
}

static const char *skip_scalar(const char *at, const char *end)
{
    if (at == end)
        return NULL;
    if (*at == '"')
        return skip_string(at, end);
    size_t word = word_at(at, end);
    return word < OV_COUNT(words) ? at + words[word].len : skip_number(at, end);
}

/* What stands before a member's value: `"key" :`. */
static const char *skip_key(const char *at, const char *end)
{
    at = skip_string(skip_blanks(at, end), end);
    if (!at)
        return NULL;
    at = skip_blanks(at, end);
    return at < end && *at == ':' ? skip_blanks(at + 1, end) : NULL;
}

struct nest {
    uint64_t objects[JSON_TEXT_DEPTH / 64 + 1];
    unsigned depth;
};

static bool nest_is_object(const struct nest *nest)
{
    unsigned top = nest->depth - 1;
    return nest->objects[top / 64] >> (top % 64) & 1;
}

static bool nest_enter(struct nest *nest, bool object)
{
    unsigned top = nest->depth;
    if (top == JSON_TEXT_DEPTH)
        return false;
    nest->objects[top / 64] &= ~(UINT64_C(1) << (top % 64));
    nest->objects[top / 64] |= (uint64_t)object << (top % 64);
    nest->depth++;
    return true;
}

/* After a value: closes what ends here, up to the place where the next value stands. */
static const char *skip_between(struct nest *nest, const char *at, const char *end)
{
    while (nest->depth) {
        const char *next = skip_blanks(at, end);
        bool object = nest_is_object(nest);
        if (next == end)
            return NULL;
        if (*next == ',')
            return object ? skip_key(next + 1, end) : skip_blanks(next + 1, end);
        if (*next != (object ? '}' : ']'))
            return NULL;
        nest->depth--;
        at = next + 1;
    }
    return at;
}

/* The end of the value that begins at `at`. */
static const char *skip_value(const char *at, const char *end)
{
    struct nest nest = {.depth = 0};
    do {
        bool object = at < end && *at == '{';
        if (!object && (at == end || *at != '[')) {
            at = skip_scalar(at, end);
        } else if (!nest_enter(&nest, object)) {
            return NULL;
        } else {
            at = skip_blanks(at + 1, end);
            if (at == end || *at != (object ? '}' : ']')) {
                at = object ? skip_key(at, end) : at;
                if (!at)
                    return NULL;
                continue; /* to the first value within */
            }
        }
        at = at ? skip_between(&nest, at, end) : NULL;
    } while (at && nest.depth);
    return at;
}

bool json_text_is_valid(struct ov_slice text)
{
    if (text.len == 0)
        return false;
    const char *end = text.ptr + text.len;
    const char *at = skip_value(skip_blanks(text.ptr, end), end);
    return at && skip_blanks(at, end) == end;
}

/* ---------------------------------------------------------------- members */

struct json_walk json_walk(struct ov_slice object)
{
    if (object.len == 0)
        return (struct json_walk){"", ""};
    const char *end = object.ptr + object.len, *at = skip_blanks(object.ptr, end);
    return (struct json_walk){at < end && *at == '{' ? at + 1 : end, end};
}

bool json_walk_next(struct json_walk *walk, struct ov_slice *key, struct ov_slice *value)
{
    const char *at = skip_blanks(walk->at, walk->end);
    if (at < walk->end && *at == ',')
        at = skip_blanks(at + 1, walk->end);
    const char *key_end = at < walk->end ? skip_string(at, walk->end) : NULL;
    const char *begin = key_end ? skip_key(at, walk->end) : NULL;
    const char *end = begin ? skip_value(begin, walk->end) : NULL;
    if (!end)
        return false;
    *key = (struct ov_slice){at + 1, (size_t)(key_end - at) - 2};
    *value = (struct ov_slice){begin, (size_t)(end - begin)};
    walk->at = end;
    return true;
}

/* The text between the quotes; `decoded` is where an escaped one goes. */
static struct ov_slice key_text(struct ov_slice key, struct ov_buf *decoded)
{
    if (!memchr(key.ptr, '\\', key.len))
        return key;
    ov_buf_reset(decoded);
    json_text_decode((struct ov_slice){key.ptr - 1, key.len + 2}, decoded);
    return (struct ov_slice){decoded->data, decoded->len};
}

bool json_text_key_is(struct ov_slice key, const char *name)
{
    struct ov_buf decoded = {0};
    bool same = ov_slice_eq(key_text(key, &decoded), ov_slice(name));
    ov_buf_free(&decoded);
    return same;
}

struct ov_slice json_text_member(struct ov_slice object, const char *name)
{
    struct json_walk walk = json_walk(object);
    struct ov_slice key, value, found = {"", 0};
    while (json_walk_next(&walk, &key, &value))
        if (json_text_key_is(key, name))
            found = value;
    return found;
}

bool json_text_decode(struct ov_slice value, struct ov_buf *out)
{
    const char *why;
    if (value.len < 2 || *value.ptr != '"')
        return false;
    if (!memchr(value.ptr, '\\', value.len)) {
        ov_buf_add(out, value.ptr + 1, value.len - 2);
        return true;
    }
    struct json_object *string = json_read(value, &why);
    if (!json_object_is_type(string, json_type_string)) {
        json_object_put(string);
        return false;
    }
    ov_buf_add(out, json_object_get_string(string), (size_t)json_object_get_string_len(string));
    json_object_put(string);
    return true;
}

double json_text_number(struct ov_slice value)
{
    char copy[64];
    if (value.len == 0 || value.len >= sizeof copy ||
        skip_number(value.ptr, value.ptr + value.len) != value.ptr + value.len)
        return (double)NAN;
    memcpy(copy, value.ptr, value.len);
    copy[value.len] = '\0';
    double number = strtod(copy, NULL); /* the program never leaves the C locale */
    return isfinite(number) ? number : (double)NAN;
}

int64_t json_text_count(struct ov_slice value)
{
    int64_t count = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9' || count > 100000)
            return -1;
        count = count * 10 + (value.ptr[i] - '0');
    }
    return value.len ? count : -1;
}

/* ---------------------------------------------------------------- masking */

struct mask {
    struct ov_buf *out;
    const struct ov_list *patterns;
    struct ov_buf key, lower;
    int level;
};

static struct ov_slice lower_case(struct ov_slice text, struct ov_buf *out)
{
    ov_buf_reset(out);
    for (size_t i = 0; i < text.len; i++)
        ov_buf_char(out, text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] | 0x20)
                                                                  : text.ptr[i]);
    return (struct ov_slice){out->data, out->len};
}

static bool mask_hits(struct mask *mask, struct ov_slice key)
{
    struct ov_buf pattern = {0};
    struct ov_slice text = lower_case(key_text(key, &mask->key), &mask->lower);
    bool hit = false;
    for (size_t i = 0; i < mask->patterns->count && !hit; i++)
        hit = ov_glob(lower_case(mask->patterns->items[i], &pattern), text);
    ov_buf_free(&pattern);
    return hit;
}

static void mask_text(struct mask *mask, struct ov_slice text);

/* A string's value: one that holds an object or a list is masked within. */
static void mask_string(struct mask *mask, struct ov_slice string)
{
    struct ov_buf inner = {0}, masked = {0};
    bool holds = mask->patterns->count &&
                 (memchr(string.ptr, '{', string.len) || memchr(string.ptr, '[', string.len)) &&
                 json_text_decode(string, &inner) &&
                 json_text_is_valid((struct ov_slice){inner.data, inner.len});
    if (holds && mask->level == MASK_LEVELS) {
        ov_buf_str(&masked, "***");
    } else if (holds) {
        struct mask within = *mask;
        within.out = &masked;
        within.level++;
        within.key = within.lower = (struct ov_buf){0};
        mask_text(&within, (struct ov_slice){inner.data, inner.len});
        ov_buf_free(&within.key);
        ov_buf_free(&within.lower);
        holds = masked.len != inner.len || memcmp(masked.data, inner.data, inner.len) != 0;
    }
    if (holds)
        ov_buf_json(mask->out, (struct ov_slice){masked.data, masked.len});
    else
        ov_buf_slice(mask->out, string);
    ov_buf_free(&inner);
    ov_buf_free(&masked);
}

/* In valid text a string before a colon is a key, and a letter that is in no string begins a
 * word. */
static void mask_text(struct mask *mask, struct ov_slice text)
{
    const char *at = text.ptr, *end = at + text.len;
    while (at < end) {
        size_t word = *at == '"' ? OV_COUNT(words) : word_at(at, end);
        if (word < OV_COUNT(words)) {
            const char *quote = word < FIRST_PYTHON_WORD ? "" : "\"";
            ov_buf_printf(mask->out, "%s%s%s", quote, words[word].ptr, quote);
            at += words[word].len;
        } else if (*at != '"') {
            ov_buf_char(mask->out, *at++);
        } else {
            const char *begin = at, *value;
            at = skip_string(at, end);
            if (!at)
                return; /* not valid after all */
            struct ov_slice string = {begin, (size_t)(at - begin)};
            value = skip_blanks(at, end);
            if (value == end || *value != ':') {
                mask_string(mask, string);
                continue;
            }
            ov_buf_slice(mask->out, string);
            value = skip_blanks(value + 1, end);
            bool hit = mask_hits(mask, (struct ov_slice){begin + 1, string.len - 2});
            ov_buf_add(mask->out, at, (size_t)(value - at));
            at = hit ? skip_value(value, end) : value;
            if (hit)
                ov_buf_str(mask->out, "\"***\"");
            if (!at)
                return;
        }
    }
}

void json_text_mask(struct ov_buf *out, struct ov_slice text, const struct ov_list *patterns)
{
    static const struct ov_list none = {NULL, 0};
    struct mask mask = {.out = out, .patterns = patterns ? patterns : &none};
    mask_text(&mask, text);
    ov_buf_free(&mask.key);
    ov_buf_free(&mask.lower);
}
