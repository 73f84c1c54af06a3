/* SPDX-License-Identifier: Apache-2.0 */
/* Any cells, shapes, widths and parts. What a terminal gets fits it and holds no control bytes, the
 * JSON can be read back line by line, and the CSV has as many quotes as it needs. */
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "call.h"
#include "text_width.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COLUMNS_MAX = 6, WIDTH_MIN = 20 };

struct ov_call {
    struct ov_shown *shown;
    const uint8_t *data;
    size_t size;
};

struct ov_shown *ov_call_shown(struct ov_call *call)
{
    return call->shown;
}

static void require(bool good, const char *what, struct ov_buf *out)
{
    if (!good) {
        fprintf(stderr, "%s:\n%s\n", what, ov_buf_text(out));
        abort();
    }
}

static uint8_t next(struct ov_call *call)
{
    if (call->size == 0)
        return 0;
    call->size--;
    return *call->data++;
}

static struct ov_slice next_bytes(struct ov_call *call)
{
    size_t len = next(call);
    len = len < call->size ? len : call->size;
    struct ov_slice bytes = {(const char *)call->data, len};
    call->data += len;
    call->size -= len;
    return bytes;
}

/* Valid JSON, with any bytes in its strings. */
static void json_show(struct ov_call *call, unsigned column)
{
    struct ov_buf json = {0};
    unsigned depth = next(call) % 40;
    for (unsigned i = 0; i < depth; i++)
        ov_buf_str(&json, i % 2 ? "{ \"k\" :" : "[\n1,\t");
    ov_buf_json(&json, next_bytes(call));
    while (depth--)
        ov_buf_str(&json, depth % 2 ? ",\"e\":{}}" : "]\r\n");
    ov_show_text(call, column, (struct ov_slice){json.data, json.len});
    ov_buf_free(&json);
}

static void number_show(struct ov_call *call, unsigned column)
{
    double number;
    uint8_t bytes[sizeof number];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = next(call);
    memcpy(&number, bytes, sizeof number);
    ov_show_float(call, column, number);
}

static void cell_show(struct ov_call *call, const struct ov_view *view, unsigned column)
{
    uint8_t choice = next(call);
    switch (choice % 6) {
    case 0:
        break;
    case 1:
        ov_show_int(call, column, (int64_t)(next(call) * UINT64_C(0x9e3779b97f4a7c15)));
        break;
    case 2:
        number_show(call, column);
        break;
    case 3:
        ov_show_bool(call, column, choice & 8);
        break;
    default:
        if (column < view->column_count && view->columns[column].type == OV_CELL_JSON)
            json_show(call, column);
        else
            ov_show_text(call, column, next_bytes(call));
    }
    ov_show_mark(call, column, (enum ov_mark)(choice >> 5));
}

/* ---------------------------------------------------------------- what is written */

static void check_table(struct ov_buf *out, unsigned width)
{
    for (size_t at = 0, end; at < out->len; at = end + 1) {
        for (end = at; end < out->len && out->data[end] != '\n'; end++) {
            unsigned char c = (unsigned char)out->data[end];
            require(c >= 0x20 && c != 0x7f, "a control byte", out);
        }
        require(end < out->len, "a line without its end", out);
        require(end == at || out->data[end - 1] != ' ', "blanks at a line's end", out);
        size_t columns = ov_text_width((struct ov_slice){out->data + at, end - at});
        require(!width || columns <= (width < WIDTH_MIN ? WIDTH_MIN : width), "too wide", out);
    }
}

/* A line each, or one object of several lines for persons. */
static void check_json(struct ov_buf *out, unsigned width)
{
    struct json_tokener *tokener = json_tokener_new_ex(100);
    bool indented = out->len > 1 && out->data[1] == '\n';
    json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
    require(!indented || width, "indented for a program", out);
    for (size_t at = 0, len; at < out->len; at += len) {
        const char *end = memchr(out->data + at, '\n', out->len - at);
        require(end, "a line without its end", out);
        len = indented ? out->len - at : (size_t)(end + 1 - out->data) - at;
        json_tokener_reset(tokener);
        struct json_object *value = json_tokener_parse_ex(tokener, out->data + at, (int)len);
        require(json_object_is_type(value, json_type_object), "no JSON object", out);
        json_object_put(value);
    }
    json_tokener_free(tokener);
}

static void check_csv(struct ov_buf *out)
{
    bool quoted = false;
    for (size_t i = 0; i < out->len; i++) {
        quoted ^= out->data[i] == '"';
        require(quoted || (unsigned char)out->data[i] >= 0x20 || out->data[i] == '\n',
                "a control byte without quotes", out);
    }
    require(!quoted && (out->len == 0 || out->data[out->len - 1] == '\n'), "a cut cell", out);
}

static void show(struct ov_call *call, const struct ov_view *views, size_t view_count,
                 struct ov_buf *out)
{
    const struct ov_view *view = &views[0];
    while (call->size) {
        uint8_t choice = next(call);
        if (choice % 8 == 0) {
            view = &views[choice / 8 % view_count];
            ov_show(call, view);
        } else if (choice % 8 == 1) {
            struct ov_slice note = next_bytes(call);
            ov_show_note(call, "%.*s", (int)note.len, note.ptr);
        } else if (choice % 8 == 2) {
            ov_shown_write(call->shown, true, out);
        } else if (choice % 8 == 3) {
            ov_show_row(call);
        } else {
            cell_show(call, view, choice / 8 % (COLUMNS_MAX + 1));
        }
    }
    ov_shown_write(call->shown, false, out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[COLUMNS_MAX] = {
        "name", "a_longer_name", "n", "age", "a_very_long_name_of_a_column", "x",
    };
    struct ov_call call = {.data = data, .size = size};
    struct ov_column columns[COLUMNS_MAX];
    struct ov_view views[3];
    struct ov_buf out = {0};
    for (size_t i = 0; i < COLUMNS_MAX; i++) {
        uint8_t choice = next(&call);
        columns[i] = (struct ov_column){
            .name = names[i], .type = (enum ov_cell)(choice % (OV_CELL_JSON + 1)),
            .rank = choice >> 6,
        };
    }
    for (size_t i = 0; i < OV_COUNT(views); i++) {
        uint8_t choice = next(&call);
        views[i] = (struct ov_view){
            .name = i ? "two" : "one", .shape = (enum ov_shape)(choice % 3),
            .single = choice & 64, .title = choice & 32 ? "A title of some words" : NULL,
            .columns = columns, .column_count = 1 + choice / 3 % COLUMNS_MAX,
            .empty = choice & 128 ? "nothing that could be shown" : NULL,
        };
    }
    enum ov_show_format format = (enum ov_show_format)(next(&call) % 3);
    uint8_t width = next(&call);
    call.shown = ov_shown_new((struct ov_show_style){.format = format, .width = width});
    show(&call, views, OV_COUNT(views), &out);
    if (format == OV_SHOW_TABLE)
        check_table(&out, width);
    else if (format == OV_SHOW_JSON)
        check_json(&out, width);
    else
        check_csv(&out);
    ov_shown_free(call.shown);
    ov_buf_free(&out);
    return 0;
}
