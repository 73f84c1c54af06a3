/* SPDX-License-Identifier: Apache-2.0 */
/* Lines are found by their newlines: line_write lets no other one through. */
#include "lines.h"

static size_t line_end(struct ov_slice bytes, size_t start)
{
    const char *newline = memchr(bytes.ptr + start, '\n', bytes.len - start);
    return newline ? (size_t)(newline - bytes.ptr) + 1 : bytes.len;
}

struct ov_slice lines_first(struct ov_slice bytes, size_t max_bytes, size_t max_lines,
                            size_t *count)
{
    size_t end = 0;
    *count = 0;
    while (end < bytes.len) {
        size_t next = line_end(bytes, end);
        if (*count && (next > max_bytes || *count >= max_lines))
            break;
        end = next;
        ++*count;
    }
    return (struct ov_slice){bytes.ptr, end};
}

static void line_coarsen(struct ov_buf *out, struct ov_slice line, size_t digits)
{
    bool newline = line.ptr[line.len - 1] == '\n';
    size_t end = line.len - newline;
    const char *blank = memrchr(line.ptr, ' ', end);
    size_t time = blank ? (size_t)(blank - line.ptr) + 1 : end;
    size_t first = time + (time < end && line.ptr[time] == '-');
    bool vanishes = end - first <= digits;
    ov_buf_add(out, line.ptr, vanishes ? time : end - digits);
    if (vanishes && blank)
        ov_buf_char(out, '0');
    if (newline)
        ov_buf_char(out, '\n');
}

void lines_coarsen(struct ov_buf *out, struct ov_slice lines, size_t digits)
{
    ov_buf_grow(out, lines.len);
    for (size_t at = 0; at < lines.len;) {
        size_t end = line_end(lines, at);
        line_coarsen(out, (struct ov_slice){lines.ptr + at, end - at}, digits);
        at = end;
    }
}
