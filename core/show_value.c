/* SPDX-License-Identifier: Apache-2.0 */
/* One cell as text: rounded and with its unit for persons, exact for programs. */
#include <math.h>
#include <time.h>

#include "human.h"
#include "json_layout.h"
#include "show_model.h"

static void number_for_persons(struct ov_buf *out, enum ov_cell type, double value)
{
    if (type == OV_CELL_SECONDS)
        ov_human_seconds(out, value);
    else if (type == OV_CELL_BYTES)
        ov_human_bytes(out, value);
    else if (type == OV_CELL_RATIO)
        ov_human_ratio(out, value);
    else if (type == OV_CELL_TIME)
        ov_human_time(out, value);
    else
        ov_human_number(out, value);
}

void ov_show_for_persons(const struct ov_shown *shown, const struct ov_shown_cell *cell,
                         enum ov_cell type, struct ov_buf *out)
{
    switch ((enum ov_held)cell->held) {
    case OV_HELD_NOTHING:
        ov_buf_char(out, '-');
        break;
    case OV_HELD_TEXT:
        if (type == OV_CELL_JSON)
            ov_json_layout(out, ov_shown_bytes(shown, cell->text), 0);
        else
            ov_buf_escaped(out, ov_shown_bytes(shown, cell->text));
        break;
    case OV_HELD_INT:
        ov_buf_int(out, cell->integer);
        break;
    case OV_HELD_NUMBER:
        number_for_persons(out, type, cell->number);
        break;
    case OV_HELD_BOOL:
        ov_buf_str(out, cell->boolean ? "yes" : "no");
        break;
    }
}

/* 2026-01-31T16:05:09Z, with milliseconds where there are any. */
static void time_for_programs(struct ov_buf *out, double value)
{
    int64_t ms = llround(value * 1000);
    time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
    struct tm utc;
    char text[48];
    ms -= (int64_t)seconds * 1000;
    gmtime_r(&seconds, &utc);
    ov_buf_printf(out, "%04d-", utc.tm_year + 1900);
    ov_buf_add(out, text, strftime(text, sizeof text, "%m-%dT%H:%M:%S", &utc));
    if (ms)
        ov_buf_printf(out, ".%03d", (int)ms);
    ov_buf_char(out, 'Z');
}

void ov_show_for_programs(const struct ov_shown_cell *cell, enum ov_cell type, struct ov_buf *out)
{
    if (cell->held == OV_HELD_INT)
        ov_buf_int(out, cell->integer);
    else if (cell->held == OV_HELD_BOOL)
        ov_buf_str(out, cell->boolean ? "true" : "false");
    else if (cell->held == OV_HELD_NUMBER && type == OV_CELL_TIME)
        time_for_programs(out, cell->number);
    else if (cell->held == OV_HELD_NUMBER)
        ov_buf_double(out, cell->number);
}

void ov_show_name(const struct ov_column *column, bool upper, struct ov_buf *out)
{
    size_t start = out->len;
    ov_buf_str(out, column->title ? column->title : column->name);
    for (char *c = out->data + start; c < out->data + out->len; c++) {
        if (*c == '_' && !column->title)
            *c = ' ';
        else if (upper && *c >= 'a' && *c <= 'z')
            *c = (char)(*c - 'a' + 'A');
    }
}
