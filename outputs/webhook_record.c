/* SPDX-License-Identifier: Apache-2.0 */
/* Heads are read line by line; whatever does not look like one makes the whole no record. */
#include "webhook_record.h"

void record_begin(struct ov_buf *out, const char *format, const char *delivery)
{
    ov_buf_printf(out, "webhook %s %s\n", format, delivery);
}

void record_add_alert(struct ov_buf *out, struct ov_slice id)
{
    ov_buf_str(out, "alert ");
    ov_buf_escaped(out, id);
    ov_buf_char(out, '\n');
}

void record_body(struct ov_buf *out)
{
    ov_buf_char(out, '\n');
}

/* Takes a line off `rest`, without its end. */
static bool line_take(struct ov_slice *rest, struct ov_slice *line)
{
    const char *end = rest->len ? memchr(rest->ptr, '\n', rest->len) : NULL;
    if (!end)
        return false;
    line->ptr = rest->ptr;
    line->len = (size_t)(end - rest->ptr);
    rest->ptr = end + 1;
    rest->len -= line->len + 1;
    return true;
}

static bool prefix_take(struct ov_slice *line, struct ov_slice prefix)
{
    if (!ov_slice_starts(*line, prefix))
        return false;
    line->ptr += prefix.len;
    line->len -= prefix.len;
    return true;
}

bool record_read(struct ov_slice bytes, struct record *record)
{
    struct ov_slice line, rest = bytes;
    if (!line_take(&rest, &line) || !prefix_take(&line, OV_SLICE("webhook ")))
        return false;
    const char *blank = memchr(line.ptr, ' ', line.len);
    if (!blank)
        return false;
    record->format = (struct ov_slice){line.ptr, (size_t)(blank - line.ptr)};
    record->delivery = (struct ov_slice){blank + 1, line.len - record->format.len - 1};
    record->alerts = (struct ov_slice){rest.ptr, 0};
    bool ended = false;
    while (!ended && line_take(&rest, &line)) {
        if (line.len == 0)
            ended = true;
        else if (prefix_take(&line, OV_SLICE("alert ")))
            record->alerts.len = (size_t)(rest.ptr - record->alerts.ptr);
        else
            return false;
    }
    record->body = rest;
    return ended && record->delivery.len == DELIVERY_ID_LEN;
}

bool record_alert(struct ov_slice *lines, struct ov_slice *id)
{
    return line_take(lines, id) && prefix_take(id, OV_SLICE("alert "));
}
