/* SPDX-License-Identifier: Apache-2.0 */
/* One walk over the bytes: blanks between tokens are dropped, and those of the new layout written.
 * Which bracket is open does not matter, how many are does: no stack. */
#include "json_layout.h"
#include "utf8.h"

enum { DEPTH_MAX = 32 }; /* deeper ones are indented no further */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Writes the character at `text`; returns its length. */
static size_t character_write(struct ov_buf *out, const char *text, size_t len)
{
    const unsigned char *b = (const unsigned char *)text;
    size_t step = ov_utf8_len(text, len);
    if (step == 0)
        ov_buf_str(out, "\xef\xbf\xbd");
    else if (b[0] < 0x20 || b[0] == 0x7f)
        ov_buf_printf(out, "\\u%04x", b[0]);
    else if (b[0] == 0xc2 && b[1] < 0xa0)
        ov_buf_printf(out, "\\u%04x", b[1]);
    else
        ov_buf_add(out, text, step);
    return step ? step : 1;
}

/* Writes the string at `text`, which begins with its quote; returns its length. */
static size_t string_write(struct ov_buf *out, const char *text, size_t len)
{
    size_t at = 1;
    bool escaped = false;
    ov_buf_char(out, '"');
    while (at < len) {
        char c = text[at];
        at += character_write(out, text + at, len - at);
        if (c == '"' && !escaped)
            break;
        escaped = c == '\\' && !escaped;
    }
    return at;
}

static void line_begin(struct ov_buf *out, unsigned indent, size_t depth)
{
    size_t blanks = indent * (depth < DEPTH_MAX ? depth : DEPTH_MAX);
    ov_buf_char(out, '\n');
    while (blanks--)
        ov_buf_char(out, ' ');
}

void ov_json_layout(struct ov_buf *out, struct ov_slice json, unsigned indent)
{
    size_t depth = 0;
    bool opened = false; /* the token before opened an object or array */
    for (size_t at = 0; at < json.len;) {
        char c = json.ptr[at];
        if (is_blank(c)) {
            at++;
            continue;
        }
        bool closes = c == '}' || c == ']';
        if (closes && depth)
            depth--;
        if (indent && opened != closes)
            line_begin(out, indent, depth);
        opened = c == '{' || c == '[';
        depth += opened;
        if (c == '"') {
            at += string_write(out, json.ptr + at, json.len - at);
            continue;
        }
        at += character_write(out, json.ptr + at, json.len - at);
        if (c == ':')
            ov_buf_char(out, ' ');
        else if (c == ',' && indent)
            line_begin(out, indent, depth);
        else if (c == ',')
            ov_buf_char(out, ' ');
    }
}
