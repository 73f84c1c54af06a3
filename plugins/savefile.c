/* SPDX-License-Identifier: Apache-2.0 */
#include "savefile.h"

void save_tag(struct ov_buf *out, const char *tag)
{
    ov_buf_str(out, tag);
}

void save_name(struct ov_buf *out, struct ov_slice name)
{
    ov_buf_char(out, ' ');
    if (name.len == 0)
        ov_buf_char(out, '%'); /* which no other name begins with alone */
    for (size_t i = 0; i < name.len; i++) {
        unsigned char c = (unsigned char)name.ptr[i];
        if (c > ' ' && c < 0x7f && c != '%')
            ov_buf_char(out, (char)c);
        else
            ov_buf_printf(out, "%%%02x", c);
    }
}

void save_int(struct ov_buf *out, int64_t value)
{
    ov_buf_printf(out, " %jd", (intmax_t)value);
}

void save_uint(struct ov_buf *out, uint64_t value)
{
    ov_buf_printf(out, " %ju", (uintmax_t)value);
}

void save_end(struct ov_buf *out)
{
    ov_buf_char(out, '\n');
}

static bool take_until(struct ov_slice *rest, char end, struct ov_slice *part)
{
    if (rest->len == 0)
        return false;
    const char *at = memchr(rest->ptr, end, rest->len);
    part->ptr = rest->ptr;
    part->len = at ? (size_t)(at - rest->ptr) : rest->len;
    size_t used = part->len + (at != NULL);
    rest->ptr += used;
    rest->len -= used;
    return true;
}

bool saved_line(struct ov_slice *rest, struct ov_slice *line)
{
    return take_until(rest, '\n', line);
}

bool saved_word(struct ov_slice *line, struct ov_slice *word)
{
    return take_until(line, ' ', word);
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool saved_name(struct ov_slice *line, struct ov_buf *name)
{
    struct ov_slice word;
    ov_buf_reset(name);
    if (!saved_word(line, &word))
        return false;
    if (ov_slice_eq(word, OV_SLICE("%")))
        return true;
    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] != '%') {
            ov_buf_char(name, word.ptr[i]);
            continue;
        }
        if (word.len - i < 3 || hex(word.ptr[i + 1]) < 0 || hex(word.ptr[i + 2]) < 0)
            return false;
        ov_buf_char(name, (char)(hex(word.ptr[i + 1]) << 4 | hex(word.ptr[i + 2])));
        i += 2;
    }
    return true;
}

bool saved_uint(struct ov_slice *line, uint64_t *value)
{
    struct ov_slice word;
    uint64_t number = 0;
    if (!saved_word(line, &word) || word.len == 0)
        return false;
    for (size_t i = 0; i < word.len; i++)
        if (word.ptr[i] < '0' || word.ptr[i] > '9' ||
            __builtin_mul_overflow(number, UINT64_C(10), &number) ||
            __builtin_add_overflow(number, (uint64_t)(word.ptr[i] - '0'), &number))
            return false;
    *value = number;
    return true;
}

bool saved_int(struct ov_slice *line, int64_t *value)
{
    bool negative = line->len && *line->ptr == '-';
    uint64_t number;
    if (negative) {
        line->ptr++;
        line->len--;
    }
    if (!saved_uint(line, &number) || number > (uint64_t)INT64_MAX + negative)
        return false;
    *value = (int64_t)(negative ? -number : number);
    return true;
}
