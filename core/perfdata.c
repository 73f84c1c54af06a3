/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "perfdata.h"

enum { LABEL_MAX = 200 };

void ov_perfdata_number(struct ov_buf *out, double value)
{
    size_t start = out->len;
    if (fabs(value) >= 1e15) {
        ov_buf_printf(out, "%.0f", value);
        return;
    }
    ov_buf_printf(out, "%.6f", value);
    while (out->data[out->len - 1] == '0')
        out->len--;
    if (out->data[out->len - 1] == '.')
        out->len--;
    if (out->len - start == 2 && memcmp(out->data + start, "-0", 2) == 0) {
        out->len = start;
        ov_buf_char(out, '0');
    }
}

static void label_clean(struct ov_buf *out, struct ov_slice label)
{
    if (label.len > LABEL_MAX) {
        label.len = LABEL_MAX;
        while (label.len && ((unsigned char)label.ptr[label.len] & 0xc0) == 0x80)
            label.len--; /* whole characters only */
    }
    for (size_t i = 0; i < label.len; i++) {
        unsigned char c = (unsigned char)label.ptr[i];
        if (c == '\'')
            ov_buf_str(out, "''");
        else
            ov_buf_char(out, c < 0x20 || c == 0x7f || c == '=' || c == '|' ? '_' : (char)c);
    }
}

static bool is_used(const struct ov_perfdata *perfdata, const char *label)
{
    for (size_t i = 0; i < perfdata->count; i++)
        if (strcmp(perfdata->labels[i], label) == 0)
            return true;
    return false;
}

static const char *unit_of(const char *unit)
{
    return strcmp(unit, "seconds") == 0 ? "s" : strcmp(unit, "bytes") == 0 ? "B"
           : strcmp(unit, "percent") == 0 ? "%" : "";
}

void ov_perfdata_add(struct ov_perfdata *perfdata, struct ov_slice label, double value,
                     const char *unit, const char *warning, const char *critical)
{
    struct ov_buf name = {0};
    label_clean(&name, label);
    size_t len = name.len;
    for (int i = 2; is_used(perfdata, ov_buf_text(&name)); i++) {
        name.len = len;
        ov_buf_printf(&name, " %d", i);
    }
    perfdata->labels = ov_realloc(perfdata->labels, perfdata->count + 1, sizeof *perfdata->labels);
    perfdata->labels[perfdata->count] = ov_strdup(ov_buf_text(&name));
    if (perfdata->count++)
        ov_buf_char(&perfdata->text, ' ');
    ov_buf_printf(&perfdata->text, "'%s'=", ov_buf_text(&name));
    if (isfinite(value)) {
        ov_perfdata_number(&perfdata->text, value);
        ov_buf_str(&perfdata->text, unit_of(unit));
    } else {
        ov_buf_char(&perfdata->text, 'U');
    }
    if (warning || critical)
        ov_buf_printf(&perfdata->text, ";%s", warning ? warning : "");
    if (critical)
        ov_buf_printf(&perfdata->text, ";%s", critical);
    ov_buf_free(&name);
}

void ov_perfdata_free(struct ov_perfdata *perfdata)
{
    for (size_t i = 0; i < perfdata->count; i++)
        free(perfdata->labels[i]);
    free(perfdata->labels);
    ov_buf_free(&perfdata->text);
}
