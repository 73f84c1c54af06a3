/* SPDX-License-Identifier: Apache-2.0 */
/* Each character is turned into a small unit, escape and all, whose cost is known before it is
 * added: so no unit is ever torn. */
#include "utf8.h"
#include "webhook_text.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

/* What one unit costs, of the size that the service limits. */
static size_t cost_of(enum text_style style, struct ov_slice unit)
{
    size_t cost = 0;
    for (size_t i = 0; i < unit.len;) {
        size_t len = ov_utf8_len(unit.ptr + i, unit.len - i);
        len = len ? len : 1;
        if (style != TEXT_TEAMS)
            cost += len == 4 ? 2 : 1;
        else
            cost += len + (len == 1 && strchr("\"\\\n", unit.ptr[i]) != NULL);
        i += len;
    }
    return cost;
}

static bool put(struct text *text, struct ov_slice unit)
{
    size_t cost = cost_of(text->style, unit);
    if (cost > text->left)
        return false;
    text->left -= cost;
    ov_buf_slice(text->out, unit);
    return true;
}

void text_add(struct text *text, const char *ours)
{
    put(text, ov_slice(ours));
}

void text_newline(struct text *text)
{
    text_add(text, text->style == TEXT_TEAMS ? "\n\n" : "\n");
}

void text_bold(struct text *text, const char *ours)
{
    struct ov_buf whole = {0};
    const char *mark = text->style == TEXT_SLACK ? "*" : "**";
    ov_buf_printf(&whole, "%s%s%s", mark, ours, mark);
    text_add(text, ov_buf_text(&whole));
    ov_buf_free(&whole);
}

/* ---------------------------------------------------------------- bytes from outside */

static bool is_address(struct ov_slice rest)
{
    return ov_slice_starts(rest, OV_SLICE("http://")) ||
           ov_slice_starts(rest, OV_SLICE("https://"));
}

/* The escape for a character that is markup to the service, NULL for none. */
static const char *escape_of(enum text_style style, char c, bool address)
{
    static const struct { char c; const char *slack, *others; } escapes[] = {
        {'&', "&amp;", NULL}, {'<', "&lt;", "\\<"}, {'>', "&gt;", "\\>"}, {'\\', NULL, "\\\\"},
        {'*', NULL, "\\*"},   {'_', NULL, "\\_"},   {'~', NULL, "\\~"},   {'`', NULL, "\\`"},
        {'|', NULL, "\\|"},   {'#', NULL, "\\#"},   {'[', NULL, "\\["},   {']', NULL, "\\]"},
    };
    for (size_t i = 0; i < OV_COUNT(escapes); i++)
        if (escapes[i].c == c)
            return style == TEXT_SLACK ? escapes[i].slack : address ? NULL : escapes[i].others;
    return NULL;
}

/* Takes the next character off `rest` and returns how it is written. */
static struct ov_slice next_unit(const struct text *text, struct ov_slice *rest, bool *address,
                                 bool lines)
{
    size_t len = ov_utf8_len(rest->ptr, rest->len);
    struct ov_slice unit = {rest->ptr, len};
    char c = *rest->ptr;
    if (is_address(*rest))
        *address = true;
    else if ((unsigned char)c <= ' ' || strchr("<>\"", c))
        *address = false;
    const char *escape = escape_of(text->style, c, *address);
    if (len == 0)
        unit = OV_SLICE(REPLACEMENT);
    else if (c == '\n' && lines)
        unit = text->style == TEXT_TEAMS ? OV_SLICE("\n\n") : OV_SLICE("\n");
    else if ((unsigned char)c < ' ' || c == 0x7f)
        unit = OV_SLICE(" ");
    else if (escape)
        unit = ov_slice(escape);
    len = len ? len : 1;
    *rest = (struct ov_slice){rest->ptr + len, rest->len - len};
    return unit;
}

void text_bytes(struct text *text, struct ov_slice rest, size_t most, bool lines)
{
    struct text part = *text;
    part.left = part.left < most ? part.left : most;
    size_t given = part.left, ellipsis = cost_of(text->style, OV_SLICE(ELLIPSIS));
    size_t cut_len = text->out->len, cut_left = part.left; /* where an ellipsis still fits */
    bool address = false, fits = true;
    while (rest.len && fits) {
        if (part.left >= ellipsis) {
            cut_len = text->out->len;
            cut_left = part.left;
        }
        fits = put(&part, next_unit(&part, &rest, &address, lines));
    }
    if (!fits) {
        text->out->len = cut_len;
        part.left = cut_left;
        put(&part, OV_SLICE(ELLIPSIS));
    }
    text->left -= given - part.left;
}

/* ---------------------------------------------------------------- plain cuts */

struct ov_slice text_prefix(struct ov_slice bytes, size_t most)
{
    if (bytes.len <= most)
        return bytes;
    size_t end = most;
    for (size_t back = 0; end && back < 4; back++, end--)
        if (((unsigned char)bytes.ptr[end] & 0xc0) != 0x80)
            return (struct ov_slice){bytes.ptr, end};
    return (struct ov_slice){bytes.ptr, most}; /* no UTF-8: any place will do */
}

void text_json(struct ov_buf *out, struct ov_slice bytes, size_t most)
{
    if (bytes.len <= most) {
        ov_buf_json(out, bytes);
        return;
    }
    ov_buf_json(out, text_prefix(bytes, most - strlen(ELLIPSIS)));
    out->len--; /* its closing quote */
    ov_buf_str(out, ELLIPSIS "\"");
}
