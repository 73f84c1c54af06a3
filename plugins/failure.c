/* SPDX-License-Identifier: Apache-2.0 */
#include "failure.h"

/* ---------------------------------------------------------------- patterns */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
    return is_digit(c) || ((c | 0x20) >= 'a' && (c | 0x20) <= 'f');
}

static bool is_letter(char c)
{
    return ((c | 0x20) >= 'a' && (c | 0x20) <= 'z') || c == '_' || (unsigned char)c >= 0x80;
}

/* A quote that opens: an apostrophe within a word does not. */
static bool opens_quote(struct ov_slice text, size_t at)
{
    char c = text.ptr[at];
    if (c == '"' || c == '`')
        return true;
    return c == '\'' && (at == 0 || !(is_letter(text.ptr[at - 1]) || is_digit(text.ptr[at - 1])));
}

/* The place behind the quote that closes the one at `at`; 0: there is none. A backslash takes the
 * next byte along. */
static size_t quote_end(struct ov_slice text, size_t at)
{
    char quote = text.ptr[at];
    for (size_t i = at + 1; i < text.len; i++) {
        if (text.ptr[i] == '\\')
            i++;
        else if (text.ptr[i] == quote)
            return i + 1;
    }
    return 0;
}

/* Hex of some length, or several runs of digits in one long word: a3f09c12, 0x7f3a, UUIDs, entry
 * ids. utf8 and order-4711 are none: in them only the number is replaced. */
static bool word_is_id(struct ov_slice word)
{
    size_t runs = 0, hex = 0;
    for (size_t i = 0; i < word.len; i++) {
        runs += is_digit(word.ptr[i]) && (i == 0 || !is_digit(word.ptr[i - 1]));
        hex += is_hex(word.ptr[i]) || word.ptr[i] == '-';
    }
    bool prefixed = word.len > 2 && word.ptr[0] == '0' && (word.ptr[1] | 0x20) == 'x';
    bool letters = runs != 1 || !is_digit(word.ptr[0]) || !is_digit(word.ptr[word.len - 1]);
    return prefixed || (runs && letters && word.len >= 8 && (hex == word.len || runs > 1));
}

static bool is_of_word(struct ov_slice text, size_t at)
{
    char c = text.ptr[at];
    if (is_letter(c) || is_digit(c))
        return true;
    return c == '-' && at + 1 < text.len &&
           (is_letter(text.ptr[at + 1]) || is_digit(text.ptr[at + 1]));
}

/* A number goes on over points, commas and signs of an exponent: 1.5e-3, 10,000. */
static size_t number_end(struct ov_slice text, size_t at)
{
    while (at + 1 < text.len && strchr(".,:", text.ptr[at]) && text.ptr[at] &&
           is_digit(text.ptr[at + 1]))
        for (at++; at < text.len && is_digit(text.ptr[at]);)
            at++;
    return at;
}

static size_t put_word(struct ov_buf *out, struct ov_slice text, size_t begin)
{
    size_t end = begin;
    while (end < text.len && is_of_word(text, end))
        end++;
    if (word_is_id((struct ov_slice){text.ptr + begin, end - begin})) {
        ov_buf_str(out, "<id>");
        return end;
    }
    for (size_t at = begin; at < end;) {
        if (!is_digit(text.ptr[at])) {
            ov_buf_char(out, text.ptr[at++]);
            continue;
        }
        ov_buf_str(out, "<n>");
        while (at < end && is_digit(text.ptr[at]))
            at++;
    }
    return is_digit(text.ptr[end - 1]) ? number_end(text, end) : end;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

void failure_pattern(struct ov_buf *out, struct ov_slice message)
{
    if (message.len > FAILURE_PATTERN_MAX)
        message.len = FAILURE_PATTERN_MAX;
    for (size_t at = 0; at < message.len;) {
        char c = message.ptr[at];
        size_t quoted = opens_quote(message, at) ? quote_end(message, at) : 0;
        if (quoted) {
            ov_buf_printf(out, "%c...%c", c, c);
            at = quoted;
        } else if (is_letter(c) || is_digit(c)) {
            at = put_word(out, message, at);
        } else if (is_blank(c)) {
            while (at < message.len && is_blank(message.ptr[at]))
                at++;
            if (at < message.len)
                ov_buf_char(out, ' ');
        } else {
            ov_buf_char(out, c);
            at++;
        }
    }
}

void failure_text(struct ov_buf *out, struct ov_slice type, struct ov_slice message)
{
    ov_buf_slice(out, type);
    ov_buf_str(out, type.len && message.len ? ": " : "");
    ov_buf_slice(out, message);
}

/* ---------------------------------------------------------------- classes */

enum { TIMEOUT, SERVICE, DATA, EITHER, LOGIC, UNKNOWN };

static const struct failure_class classes[] = {
    [TIMEOUT] = {"timeout", "Give the call more time, or the agent less to do at once; then "
                            "republish."},
    [SERVICE] = {"service down", "Wait until the service answers again, or repair it; then "
                                 "republish."},
    [DATA] = {"invalid data", "Look at one: where the event is right, correct the callback, else "
                              "the publisher. Export them first; then republish, and purge only "
                              "events that are known to be bad."},
    [EITHER] = {"logic or data", "The callback has a fault, or the publisher left out what it "
                                 "needs: look at one. Export them, correct whichever it is, then "
                                 "republish; purge only events that are known to be bad."},
    [LOGIC] = {"logic", "Correct the callback and restart its runner; then republish."},
    [UNKNOWN] = {"unknown", "The exception is no longer in the task metrics: see the runner's "
                            "log."},
};

/* The first row that fits counts. Patterns are matched in lower case; a type may be a whole path
 * such as redis.exceptions.ConnectionError. */
static const struct {
    const char *type, *message; /* globs; NULL: any */
    int class;
} rows[] = {
    {"*timeout*", NULL, TIMEOUT},
    {"*timedout*", NULL, TIMEOUT},
    {"*deadlineexceeded*", NULL, TIMEOUT},
    {"*cancellederror", NULL, TIMEOUT},
    {"*connection*", NULL, SERVICE},
    {"*connect*error", NULL, SERVICE},
    {"*unavailable*", NULL, SERVICE},
    {"*ratelimit*", NULL, SERVICE},
    {"*overloaded*", NULL, SERVICE},
    {"*internalserver*", NULL, SERVICE},
    {"*brokenpipe*", NULL, SERVICE},
    {"*operationalerror", NULL, SERVICE},
    {"*gaierror", NULL, SERVICE},
    {"*sslerror", NULL, SERVICE},
    {"*networkerror", NULL, SERVICE},
    {"*remoteprotocolerror", NULL, SERVICE},
    {"*serviceerror", NULL, SERVICE},
    {"*authenticationerror", NULL, SERVICE},
    {"*validation*", NULL, DATA},
    {"*jsondecode*", NULL, DATA},
    {"*unicode*error", NULL, DATA},
    {"*schema*", NULL, DATA},
    {"*parseerror", NULL, DATA},
    {NULL, "*timed out*", TIMEOUT},
    {NULL, "*timeout*", TIMEOUT},
    {NULL, "*deadline exceeded*", TIMEOUT},
    {NULL, "*connection refused*", SERVICE},
    {NULL, "*connection reset*", SERVICE},
    {NULL, "*connection error*", SERVICE},
    {NULL, "*cannot connect*", SERVICE},
    {NULL, "*unreachable*", SERVICE},
    {NULL, "*unavailable*", SERVICE},
    {NULL, "*rate limit*", SERVICE},
    {NULL, "*too many requests*", SERVICE},
    {NULL, "*overloaded*", SERVICE},
    {NULL, "*name resolution*", SERVICE},
    {NULL, "*bad gateway*", SERVICE},
    {NULL, "*internal server error*", SERVICE},
    {"*valueerror", NULL, DATA},
    {"*keyerror", NULL, EITHER},
    {"*indexerror", NULL, EITHER},
    {"*typeerror", NULL, EITHER},
    {"*attributeerror", NULL, EITHER},
    {"*invalid*", NULL, DATA},
    {"*dataerror", NULL, DATA},
};

static bool fits(const char *glob, struct ov_slice text)
{
    return !glob || ov_glob(ov_slice(glob), text);
}

static struct ov_slice lower(struct ov_slice text, char *room, size_t size)
{
    size_t len = text.len < size ? text.len : size;
    for (size_t i = 0; i < len; i++)
        room[i] = text.ptr[i] >= 'A' && text.ptr[i] <= 'Z' ? (char)(text.ptr[i] | 0x20)
                                                           : text.ptr[i];
    return (struct ov_slice){room, len};
}

const struct failure_class *failure_class(struct ov_slice error_type, struct ov_slice message)
{
    char type_room[200], message_room[1000];
    struct ov_slice type = lower(error_type, type_room, sizeof type_room);
    struct ov_slice text = lower(message, message_room, sizeof message_room);
    if (type.len == 0)
        return &classes[UNKNOWN];
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        if (fits(rows[i].type, type) && fits(rows[i].message, text))
            return &classes[rows[i].class];
    return &classes[LOGIC];
}
