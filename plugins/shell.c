/* SPDX-License-Identifier: Apache-2.0 */
#include "shell.h"
#include "utf8.h"

enum need { NEED_NOTHING, NEED_QUOTES, NEED_ESCAPES };

/* The length of the character at `at` (of `len` bytes); 0 for a control character and where there
 * is none. */
static size_t printable_len(const char *at, size_t len)
{
    unsigned char first = (unsigned char)*at;
    bool control = first < 0x20 || first == 0x7f ||
                   (first == 0xc2 && len > 1 && (unsigned char)at[1] < 0xa0);
    return control ? 0 : ov_utf8_len(at, len);
}

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c && strchr("_-./:@%+,", c));
}

static enum need need_of(struct ov_slice word)
{
    enum need need = word.len ? NEED_NOTHING : NEED_QUOTES;
    for (size_t i = 0; i < word.len;) {
        size_t len = printable_len(word.ptr + i, word.len - i);
        if (len == 0)
            return NEED_ESCAPES;
        if (!is_plain(word.ptr[i]))
            need = NEED_QUOTES;
        i += len;
    }
    return need;
}

static void put_quoted(struct ov_buf *line, struct ov_slice word)
{
    ov_buf_char(line, '\'');
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] == '\'')
            ov_buf_str(line, "'\\''");
        else
            ov_buf_char(line, word.ptr[i]);
    }
    ov_buf_char(line, '\'');
}

/* Three octal digits end by themselves: a digit of the name may follow. */
static void put_escaped(struct ov_buf *line, struct ov_slice word)
{
    ov_buf_str(line, "$'");
    for (size_t i = 0; i < word.len; i++) {
        unsigned char c = (unsigned char)word.ptr[i];
        if (c < 0x20 || c >= 0x7f || c == '\\' || c == '\'')
            ov_buf_printf(line, "\\%03o", c);
        else
            ov_buf_char(line, (char)c);
    }
    ov_buf_char(line, '\'');
}

bool shell_word(struct ov_buf *line, struct ov_slice word)
{
    if (word.len && memchr(word.ptr, '\0', word.len))
        return false;
    if (line->len)
        ov_buf_char(line, ' ');
    switch (need_of(word)) {
    case NEED_NOTHING:
        ov_buf_slice(line, word);
        break;
    case NEED_QUOTES:
        put_quoted(line, word);
        break;
    case NEED_ESCAPES:
        put_escaped(line, word);
        break;
    }
    return true;
}

bool shell_pattern(struct ov_buf *line, struct ov_slice text)
{
    struct ov_buf pattern = {0};
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] && strchr("*?[\\", text.ptr[i]))
            ov_buf_char(&pattern, '\\');
        ov_buf_char(&pattern, text.ptr[i]);
    }
    bool done = shell_word(line, (struct ov_slice){pattern.data, pattern.len});
    ov_buf_free(&pattern);
    return done;
}
