/* SPDX-License-Identifier: Apache-2.0 */
/* The errors of all versions are JSON objects, but so much alike that the few texts and numbers
 * of interest are found by their keys, also in an answer that was cut or wrapped by a proxy. */
#include <strings.h>

#include "influx_answer.h"

enum {
    SLOW_RETRY_MS = 30 * 1000,
    WORDS_MAX = 300, /* of what a server says */
};

static const struct ov_slice NOTHING = {NULL, 0};

static const char *find(struct ov_slice in, const char *what)
{
    return in.len ? memmem(in.ptr, in.len, what, strlen(what)) : NULL;
}

static struct ov_slice rest_after(struct ov_slice in, const char *at, size_t skip)
{
    return (struct ov_slice){at + skip, in.len - (size_t)(at - in.ptr) - skip};
}

/* How often `what` occurs. */
static uint64_t count_of(struct ov_slice in, const char *what)
{
    uint64_t count = 0;
    for (const char *at; (at = find(in, what)); count++)
        in = rest_after(in, at, strlen(what));
    return count;
}

/* ---------------------------------------------------------------- words */

/* What follows `"key": "`; empty if there is no such text. */
static struct ov_slice json_text(struct ov_slice body, const char *key)
{
    const char *at = find(body, key);
    if (!at)
        return NOTHING;
    struct ov_slice rest = rest_after(body, at, strlen(key));
    while (rest.len && strchr(" \t\r\n:", *rest.ptr))
        rest = rest_after(rest, rest.ptr, 1);
    return rest.len && *rest.ptr == '"' ? rest_after(rest, rest.ptr, 1) : NOTHING;
}

/* Copies one escape of a JSON text, `escape` being what follows its backslash; returns its length.
 * Go writes < > & as \u003c and so on. */
static size_t escape_write(struct ov_buf *out, struct ov_slice escape)
{
    unsigned int code = 0;
    if (*escape.ptr != 'u' || escape.len < 5) {
        ov_buf_char(out, strchr("nrt", *escape.ptr) ? ' ' : *escape.ptr);
        return 1;
    }
    for (size_t i = 1; i < 5; i++) {
        const char *digit = memchr("0123456789abcdefABCDEF", escape.ptr[i], 22);
        unsigned int value = digit ? (unsigned int)(digit - "0123456789abcdefABCDEF") : 0;
        code = code * 16 + (value > 15 ? value - 6 : value);
    }
    ov_buf_char(out, code >= ' ' && code < 0x7f ? (char)code : '?');
    return 5;
}

static void json_text_write(struct ov_buf *out, struct ov_slice text)
{
    size_t start = out->len;
    while (text.len && *text.ptr != '"' && out->len - start < WORDS_MAX) {
        size_t len = 1;
        if (*text.ptr == '\\' && text.len > 1)
            len += escape_write(out, rest_after(text, text.ptr, 1));
        else
            ov_buf_char(out, *text.ptr);
        text = rest_after(text, text.ptr, len);
    }
}

static void plain_write(struct ov_buf *out, const struct post_answer *answer)
{
    struct ov_slice text = answer->body;
    if (answer->html) {
        const char *title = find(text, "<title>");
        text = title ? rest_after(text, title, strlen("<title>")) : NOTHING;
        const char *end = find(text, "</title>");
        if (end)
            text.len = (size_t)(end - text.ptr);
    }
    while (text.len && strchr("\r\n", text.ptr[text.len - 1]))
        text.len--;
    ov_buf_add(out, text.ptr, text.len < WORDS_MAX ? text.len : WORDS_MAX);
}

bool influx_answer_words(const struct post_answer *answer, struct ov_buf *out)
{
    struct ov_slice error = json_text(answer->body, "\"error\"");
    struct ov_slice message = json_text(answer->body, "\"message\"");
    struct ov_slice line = json_text(answer->body, "\"error_message\"");
    size_t start = out->len;
    if (error.len || message.len)
        json_text_write(out, error.len ? error : message);
    else
        plain_write(out, answer);
    if (line.len) { /* version 3: of the first line it refused */
        ov_buf_str(out, ": ");
        json_text_write(out, line);
    }
    if (out->len == start)
        ov_buf_str(out, "(no explanation)");
    return error.len;
}

/* ---------------------------------------------------------------- meaning */

/* How many of `lines` points a partial write left out: its `dropped=N` and the lines it could not
 * parse, which it does not count there (version 1 and 2), or those it lists (version 3). */
static uint64_t dropped_points(const struct post_answer *answer, uint64_t lines)
{
    uint64_t dropped = 0;
    const char *at = find(answer->body, "dropped=");
    struct ov_slice digits = at ? rest_after(answer->body, at, strlen("dropped=")) : NOTHING;
    for (; digits.len && *digits.ptr >= '0' && *digits.ptr <= '9' && dropped <= lines;
         digits = rest_after(digits, digits.ptr, 1))
        dropped = dropped * 10 + (uint64_t)(*digits.ptr - '0');
    dropped += count_of(answer->body, "unable to parse '");
    dropped += count_of(answer->body, "\"line_number\"");
    if (dropped == 0)
        dropped = 1;
    return dropped < lines ? dropped : lines;
}

static void later(struct influx_answer *out, const struct post_answer *answer)
{
    out->verdict = INFLUX_LATER;
    out->retry_ms = answer->retry_after_ms;
}

/* `advice` is for the person without whom it will not get better. */
static void later_slowly(struct influx_answer *out, const struct post_answer *answer,
                         const char *advice)
{
    later(out, answer);
    if (out->retry_ms < SLOW_RETRY_MS)
        out->retry_ms = SLOW_RETRY_MS;
    ov_buf_str(&out->why, advice);
}

static void redirected(struct influx_answer *out, const struct post_answer *answer)
{
    ov_buf_reset(&out->why);
    ov_buf_printf(&out->why, "answers %ld, a redirect to %s", answer->status,
                  *answer->location ? answer->location : "nowhere");
    later_slowly(out, answer, ", which is not followed: set `url` to the server's own address");
}

static void not_found(struct influx_answer *out, const struct post_answer *answer)
{
    bool unknown = find(answer->body, "database not found") || find(answer->body, "bucket") ||
                   find(answer->body, "organization");
    later_slowly(out, answer, unknown ? "" : "; is `url` that of an InfluxDB?");
    if (unknown)
        out->verdict = INFLUX_UNKNOWN;
}

static void refused(struct influx_answer *out, const struct post_answer *answer, uint64_t lines)
{
    bool partial = find(answer->body, "partial write") || find(answer->body, "dropped=");
    out->refused = partial ? dropped_points(answer, lines) : lines;
    if (answer->status == 413)
        ov_buf_str(&out->why, "; a line alone is too large");
}

void influx_answer_read(struct influx_answer *out, const struct post_answer *answer,
                        uint64_t lines)
{
    long status = answer->status;
    bool success = status >= 200 && status < 300;
    *out = (struct influx_answer){.verdict = INFLUX_DELIVERED, .why = out->why};
    ov_buf_reset(&out->why);
    if (success && !answer->html)
        return;
    ov_buf_printf(&out->why, "answers %ld: ", status);
    influx_answer_words(answer, &out->why);
    if (success)
        later_slowly(out, answer, ", a page for people; is `url` that of an InfluxDB?");
    else if (status >= 300 && status < 400)
        redirected(out, answer);
    else if (find(answer->body, "retention policy not found")) /* with status 500 */
        later_slowly(out, answer, "; create it, or set another `retention_policy` or none");
    else if (status == 401 || status == 403)
        later_slowly(out, answer, "; check `user` and `password`, or `token`, and what they may "
                     "write to");
    else if (status == 404)
        not_found(out, answer);
    else if (status == 413 && lines > 1)
        out->verdict = INFLUX_TOO_LARGE;
    else if (post_status_is_passing(status) || status < 400)
        later(out, answer);
    else if (answer->html && status != 413)
        later_slowly(out, answer, "; that is not InfluxDB's own answer: is `url` right?");
    else
        refused(out, answer, lines);
    out->fault = status >= 500 && status != 503 && out->retry_ms == 0;
}
