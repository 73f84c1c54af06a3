/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass over a flat JSON object, value by value, without building a tree:
 *
 *     {"topic": "a.b", "event": "task_processed", "processing_time_sec": 0.25, ...}
 *       key     value   key      value
 *
 * Each known key is a row of a table that says where its value goes. The scanner accepts only
 * what json-c accepts as well, with the same meaning; at the first byte it is not sure of
 * (nesting, an escaped key, a control byte, a huge integer) it gives up, and json-c reads the
 * object from its beginning. Texts without escapes point into the object itself.
 */
#include "event.h"

#include <float.h>
#include <json-c/json.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>

#define PARSE_DEPTH 16
#define SCRATCH_KEPT ((size_t)1024 * 1024)

struct event_reader {
    locale_t locale;              /* "C": a decimal point whatever the process has set */
    struct json_tokener *tokener; /* made when first needed */
    struct json_object *object;   /* what the texts of the last parsed event point into */
    struct ov_buf scratch;        /* decoded texts; grown once an event, so that none moves */
};

/* ---------------------------------------------------------------- keys and where they go */

enum key_form { KEY_TEXT, KEY_ANY_TEXT, KEY_NUMBER, KEY_KIND };

struct event_key {
    const char *name;
    size_t len;
    size_t offset; /* in struct event */
    enum key_form form;
};

#define KEY(name, form)                                                                            \
    {                                                                                              \
        #name, sizeof(#name) - 1, offsetof(struct event, name), form                               \
    }
/* In the order OmniDaemon writes them, see key_find. */
static const struct event_key keys[] = {
    KEY(topic, KEY_TEXT),
    KEY(agent, KEY_TEXT),
    KEY(runner_id, KEY_TEXT),
    {"event", 5, offsetof(struct event, kind), KEY_KIND},
    KEY(task_id, KEY_TEXT),
    KEY(msg_id, KEY_TEXT),
    KEY(error, KEY_ANY_TEXT),
    KEY(error_type, KEY_TEXT),
    KEY(processing_time_sec, KEY_NUMBER),
    KEY(group, KEY_TEXT),
    KEY(consumer, KEY_TEXT),
    KEY(timestamp, KEY_NUMBER),
    KEY(agent_name, KEY_TEXT),
    KEY(old_state, KEY_TEXT),
    KEY(new_state, KEY_TEXT),
};

static const struct kind_name {
    const char *name;
    size_t len;
    enum event_kind kind;
} kinds[] = {
    {"task_received", 13, EVENT_TASK_RECEIVED},
    {"task_processed", 14, EVENT_TASK_PROCESSED},
    {"task_failed", 11, EVENT_TASK_FAILED},
    {"processed", 9, EVENT_BUS_PROCESSED},
    {"reclaim_attempt", 15, EVENT_BUS_RECLAIM_ATTEMPT},
    {"reclaimed", 9, EVENT_BUS_RECLAIMED},
    {"dlq_push", 8, EVENT_BUS_DLQ_PUSH},
    {"agent_state_change", 18, EVENT_AGENT_STATE_CHANGE},
};

/* Looks from row `*next` on, once around, and leaves `*next` behind the row found: writers keep
 * their order, so the first rows tried are the likely ones. */
static const struct event_key *key_find(struct ov_slice name, size_t *next)
{
    size_t at = *next;
    for (size_t tried = 0; tried < OV_COUNT(keys); tried++) {
        if (at == OV_COUNT(keys))
            at = 0;
        const struct event_key *key = &keys[at++];
        if (key->len == name.len && memcmp(key->name, name.ptr, name.len) == 0) {
            *next = at;
            return key;
        }
    }
    return NULL;
}

static enum event_kind kind_find(struct ov_slice name)
{
    for (size_t i = 0; i < OV_COUNT(kinds); i++)
        if (kinds[i].len == name.len && memcmp(kinds[i].name, name.ptr, name.len) == 0)
            return kinds[i].kind;
    return EVENT_OTHER;
}

static void event_clear(struct event *event)
{
    *event = (struct event){.processing_time_sec = NAN, .timestamp = NAN};
}

/* Puts a value where `key` says. A value that has no such form is an empty text or NaN. */
static void event_put(struct event *event, const struct event_key *key, struct ov_slice text,
                      double number)
{
    void *place = (char *)event + key->offset;
    switch (key->form) {
    case KEY_TEXT:
    case KEY_ANY_TEXT:
        *(struct ov_slice *)place = text;
        break;
    case KEY_NUMBER:
        *(double *)place = isfinite(number) ? number : (double)NAN;
        break;
    case KEY_KIND:
        *(enum event_kind *)place = kind_find(text);
        break;
    }
}

/* ---------------------------------------------------------------- the scanner: strings */

/* Functions of the scanner return false where they are not sure, and json-c has to look. */
struct scan {
    const char *at, *end;
    struct event_reader *reader;
    struct event *event;
    size_t next_key;
};

/* True if any of 8 bytes is below 0x20, a quote or a backslash. */
static bool word_is_special(const char *p)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), tops = UINT64_C(0x8080808080808080);
    uint64_t word;
    memcpy(&word, p, sizeof word);
    uint64_t quote = word ^ (ones * '"'), slash = word ^ (ones * '\\');
    return ((((word - ones * 0x20) & ~word) | ((quote - ones) & ~quote) |
             ((slash - ones) & ~slash)) & tops) != 0;
}

/* The first byte from `p` on that does not stand for itself in a string. */
static const char *plain_end(const char *p, const char *end)
{
    while (end - p >= 8 && !word_is_special(p))
        p += 8;
    while (p < end && (unsigned char)*p >= 0x20 && *p != '"' && *p != '\\')
        p++;
    return p;
}

static bool scan_hex4(struct scan *s, unsigned *code)
{
    if (s->end - s->at < 4)
        return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = *s->at++;
        unsigned digit;
        if (c >= '0' && c <= '9')
            digit = (unsigned)(c - '0');
        else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
            digit = (unsigned)((c | 0x20) - 'a' + 10);
        else
            return false;
        *code = *code << 4 | digit;
    }
    return true;
}

static void utf8_add(struct ov_buf *out, unsigned code)
{
    if (code < 0x80) {
        ov_buf_char(out, (char)code);
    } else if (code < 0x800) {
        ov_buf_char(out, (char)(0xc0 | code >> 6));
        ov_buf_char(out, (char)(0x80 | (code & 0x3f)));
    } else if (code < 0x10000) {
        ov_buf_char(out, (char)(0xe0 | code >> 12));
        ov_buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        ov_buf_char(out, (char)(0x80 | (code & 0x3f)));
    } else {
        ov_buf_char(out, (char)(0xf0 | code >> 18));
        ov_buf_char(out, (char)(0x80 | (code >> 12 & 0x3f)));
        ov_buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
        ov_buf_char(out, (char)(0x80 | (code & 0x3f)));
    }
}

/* What follows `\u`: one code, or two that make a surrogate pair. */
static bool scan_unicode(struct scan *s)
{
    unsigned code, low;
    if (!scan_hex4(s, &code))
        return false;
    if (code >= 0xd800 && code < 0xdc00 && s->end - s->at >= 6 && memcmp(s->at, "\\u", 2) == 0) {
        const char *second = s->at;
        s->at += 2;
        if (!scan_hex4(s, &low))
            return false;
        if (low >= 0xdc00 && low < 0xe000) {
            utf8_add(&s->reader->scratch, 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00));
            return true;
        }
        s->at = second;
    }
    utf8_add(&s->reader->scratch, code >= 0xd800 && code < 0xe000 ? 0xfffd : code);
    return true;
}

/* What follows a backslash. */
static bool scan_escape(struct scan *s)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (s->at == s->end)
        return false;
    char c = *s->at++;
    if (c == 'u')
        return scan_unicode(s);
    const char *found = memchr(from, c, sizeof from - 1);
    if (!found)
        return false;
    ov_buf_char(&s->reader->scratch, to[found - from]);
    return true;
}

/* The rest of a string whose plain beginning ends at an escape. */
static bool scan_escaped(struct scan *s, struct ov_slice *text)
{
    struct ov_buf *scratch = &s->reader->scratch;
    if (scratch->len == 0) /* room for all that can follow: decoding makes nothing longer */
        ov_buf_grow(scratch, text->len + (size_t)(s->end - s->at));
    size_t begin = scratch->len;
    ov_buf_slice(scratch, *text);
    while (s->at < s->end && *s->at == '\\') {
        s->at++;
        if (!scan_escape(s))
            return false;
        const char *stop = plain_end(s->at, s->end);
        ov_buf_add(scratch, s->at, (size_t)(stop - s->at));
        s->at = stop;
    }
    *text = scratch->len > begin
                ? (struct ov_slice){scratch->data + begin, scratch->len - begin}
                : (struct ov_slice){"", 0};
    return s->at < s->end && *s->at++ == '"';
}

/* A string, from its opening quote on. */
static bool scan_string(struct scan *s, struct ov_slice *text)
{
    const char *begin = s->at + 1;
    s->at = plain_end(begin, s->end);
    *text = (struct ov_slice){begin, (size_t)(s->at - begin)};
    if (s->at < s->end && *s->at == '"') {
        s->at++;
        return true;
    }
    return scan_escaped(s, text);
}

/* ---------------------------------------------------------------- the scanner: numbers */

/* digits * 10^power. Right only while there are no more than 19 digits. */
struct decimal {
    uint64_t digits;
    int power;
    unsigned count; /* of digits, leading zeros included; stops at 20 */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* At least one digit. */
static bool scan_digits(struct scan *s, struct decimal *d)
{
    const char *begin = s->at;
    while (s->at < s->end && is_digit(*s->at)) {
        if (d->count < 19)
            d->digits = d->digits * 10 + (uint64_t)(*s->at - '0');
        if (d->count < 20)
            d->count++;
        s->at++;
    }
    return s->at > begin;
}

static bool scan_exponent(struct scan *s, struct decimal *d)
{
    bool negative = false;
    int exponent = 0;
    if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
        negative = *s->at++ == '-';
    const char *begin = s->at;
    for (; s->at < s->end && is_digit(*s->at); s->at++)
        if (exponent < 10000)
            exponent = exponent * 10 + (*s->at - '0');
    d->power += negative ? -exponent : exponent;
    return s->at > begin;
}

/* One operation on two exact operands is rounded once, so the result is the nearest double. */
static bool decimal_exact(const struct decimal *d, double *value)
{
    static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    if (FLT_EVAL_METHOD != 0 || d->count > 19 || d->digits > UINT64_C(1) << 53 || d->power < -22 ||
        d->power > 22)
        return false;
    *value = d->power < 0 ? (double)d->digits / tens[-d->power]
                          : (double)d->digits * tens[d->power];
    return true;
}

/* A finite number; its value is worked out only if `value` is wanted. */
static bool scan_number(struct scan *s, double *value)
{
    const char *begin = s->at;
    struct decimal d = {0};
    bool negative = *s->at == '-', whole = true;
    if (negative)
        s->at++;
    bool zero = s->at < s->end && *s->at == '0';
    if (!scan_digits(s, &d) || (zero && d.count > 1))
        return false;
    unsigned before_point = d.count;
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        whole = false;
        if (!scan_digits(s, &d))
            return false;
        d.power = -(int)(d.count - before_point);
    }
    if (s->at < s->end && (*s->at | 0x20) == 'e') {
        s->at++;
        whole = false;
        if (!scan_exponent(s, &d))
            return false;
    }
    /* A byte that ends the number must follow, so that strtod stops there too. json-c's integers
     * have 64 bits. */
    if (s->at == s->end || (whole && d.count > 18))
        return false;
    if (!value)
        return true;
    if (decimal_exact(&d, value)) {
        *value = negative ? -*value : *value;
        return true;
    }
    if (!s->reader->locale)
        return false;
    char *stop;
    *value = strtod_l(begin, &stop, s->reader->locale);
    return stop == s->at;
}

/* ---------------------------------------------------------------- the scanner: objects */

static void skip_space(struct scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

static bool scan_byte(struct scan *s, char byte)
{
    if (s->at == s->end || *s->at != byte)
        return false;
    s->at++;
    return true;
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if ((size_t)(s->end - s->at) < len || memcmp(s->at, word, len) != 0)
        return false;
    s->at += len;
    return true;
}

/* `null`, `true` and the like: no text and no number. */
static bool scan_literal(struct scan *s)
{
    switch (*s->at) {
    case 'n': return scan_word(s, "null");
    case 't': return scan_word(s, "true");
    case 'f': return scan_word(s, "false");
    case 'N': return scan_word(s, "NaN");
    case 'I': return scan_word(s, "Infinity");
    default: return scan_word(s, "-Infinity");
    }
}

/* A value that is not nested, for `key` or, if that is NULL, for nobody. */
static bool scan_value(struct scan *s, const struct event_key *key)
{
    struct ov_slice text = {0};
    double number = NAN;
    if (s->at == s->end)
        return false;
    char first = *s->at;
    if (first == '"') {
        if (!scan_string(s, &text))
            return false;
    } else if (key && key->form == KEY_ANY_TEXT && first != 'n') {
        return false;
    } else if (is_digit(first) || (first == '-' && s->end - s->at > 1 && is_digit(s->at[1]))) {
        if (!scan_number(s, key && key->form == KEY_NUMBER ? &number : NULL))
            return false;
    } else if (!scan_literal(s)) {
        return false;
    }
    if (key)
        event_put(s->event, key, text, number);
    return true;
}

static bool scan_member(struct scan *s)
{
    if (s->at == s->end || *s->at != '"')
        return false;
    const char *begin = s->at + 1;
    s->at = plain_end(begin, s->end);
    struct ov_slice name = {begin, (size_t)(s->at - begin)};
    if (!scan_byte(s, '"'))
        return false;
    skip_space(s);
    if (!scan_byte(s, ':'))
        return false;
    skip_space(s);
    return scan_value(s, key_find(name, &s->next_key));
}

static bool event_scan(struct event_reader *reader, struct ov_slice json, struct event *event)
{
    struct scan s = {json.ptr, json.ptr + json.len, reader, event, 0};
    event_clear(event);
    skip_space(&s);
    if (!scan_byte(&s, '{'))
        return false;
    skip_space(&s);
    if (!scan_byte(&s, '}')) {
        do {
            skip_space(&s);
            if (!scan_member(&s))
                return false;
            skip_space(&s);
        } while (scan_byte(&s, ','));
        if (!scan_byte(&s, '}'))
            return false;
    }
    skip_space(&s);
    return s.at == s.end;
}

/* ---------------------------------------------------------------- by json-c */

static struct ov_slice object_text(struct json_object *value, enum key_form form)
{
    size_t len = 0;
    if (json_object_is_type(value, json_type_string)) {
        const char *text = json_object_get_string(value);
        return (struct ov_slice){text, (size_t)json_object_get_string_len(value)};
    }
    if (form != KEY_ANY_TEXT || !value)
        return (struct ov_slice){0};
    const char *text = json_object_to_json_string_length(value, JSON_C_TO_STRING_PLAIN, &len);
    return (struct ov_slice){text, text ? len : 0};
}

static double object_number(struct json_object *value)
{
    return json_object_is_type(value, json_type_int) || json_object_is_type(value, json_type_double)
               ? json_object_get_double(value)
               : (double)NAN;
}

bool event_from_object(struct json_object *object, struct event *event)
{
    struct json_object *value;
    event_clear(event);
    if (!json_object_is_type(object, json_type_object))
        return false;
    for (size_t i = 0; i < OV_COUNT(keys); i++)
        if (json_object_object_get_ex(object, keys[i].name, &value))
            event_put(event, &keys[i], object_text(value, keys[i].form), object_number(value));
    return true;
}

static void reader_reset(struct event_reader *reader)
{
    ov_buf_reset(&reader->scratch);
    if (reader->scratch.cap > SCRATCH_KEPT)
        ov_buf_free(&reader->scratch);
    if (reader->object) {
        json_object_put(reader->object);
        reader->object = NULL;
    }
}

/* The whole of `json` as one value, or NULL. */
static struct json_object *reader_parse(struct event_reader *reader, struct ov_slice json)
{
    if (json.len == 0 || json.len > EVENT_PARSE_MAX)
        return NULL;
    if (!reader->tokener) {
        reader->tokener = json_tokener_new_ex(PARSE_DEPTH);
        if (!reader->tokener)
            return NULL;
        json_tokener_set_flags(reader->tokener, JSON_TOKENER_STRICT);
    }
    json_tokener_reset(reader->tokener);
    struct json_object *object = json_tokener_parse_ex(reader->tokener, json.ptr, (int)json.len);
    struct scan rest = {json.ptr + json_tokener_get_parse_end(reader->tokener),
                        json.ptr + json.len, reader, NULL, 0};
    skip_space(&rest);
    if (rest.at == rest.end)
        return object;
    json_object_put(object);
    return NULL;
}

bool event_parse(struct event_reader *reader, struct ov_slice json, struct event *event)
{
    reader_reset(reader);
    reader->object = reader_parse(reader, json);
    return event_from_object(reader->object, event);
}

bool event_read(struct event_reader *reader, struct ov_slice json, struct event *event)
{
    reader_reset(reader);
    return event_scan(reader, json, event) || event_parse(reader, json, event);
}

struct event_reader *event_reader_new(void)
{
    struct event_reader *reader = ov_calloc(1, sizeof *reader);
    reader->locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    return reader;
}

void event_reader_free(struct event_reader *reader)
{
    if (!reader)
        return;
    reader_reset(reader);
    ov_buf_free(&reader->scratch);
    if (reader->tokener)
        json_tokener_free(reader->tokener);
    if (reader->locale)
        freelocale(reader->locale);
    free(reader);
}
