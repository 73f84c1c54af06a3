/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptions of options, and values written the way the configuration reads them. */
#include "option_text.h"
#include "scalar.h"

enum { WIDTH = 80, INDENT = 2 };

/* ---------------------------------------------------------------- descriptions */

static int name_width(const struct ov_option *table, int indent)
{
    int widest = 0;
    for (; table->name; table++) {
        int own = indent + (int)strlen(table->name);
        int inner = table->type == OV_OPT_TABLE ? name_width(table->table, indent + INDENT) : 0;
        own = inner > own ? inner : own;
        widest = own > widest ? own : widest;
    }
    return widest;
}

/* Appends the words of `text` from column `left` on; the cursor is at `left` already. */
static void put_wrapped(struct ov_buf *out, const char *text, int left)
{
    int column = left;
    while (*text) {
        int len = (int)strcspn(text, " ");
        if (column > left && column + 1 + len > WIDTH) {
            ov_buf_printf(out, "\n%*s", left, "");
            column = left;
        } else if (column > left) {
            ov_buf_char(out, ' ');
            column++;
        }
        ov_buf_add(out, text, (size_t)len);
        column += len;
        text += len + (text[len] == ' ');
    }
    ov_buf_char(out, '\n');
}

void ov_option_put_number(struct ov_buf *out, const struct ov_option *option, int64_t number)
{
    if (option->type == OV_OPT_DURATION)
        ov_scalar_put_duration(out, number);
    else if (option->type == OV_OPT_SIZE)
        ov_scalar_put_size(out, number);
    else
        ov_buf_int(out, number);
}

static void put_type(struct ov_buf *out, const struct ov_option *option)
{
    static const char *const names[] = {
        [OV_OPT_STRING] = "text",      [OV_OPT_INT] = "whole number",
        [OV_OPT_BOOL] = "true, false", [OV_OPT_DURATION] = "duration",
        [OV_OPT_SIZE] = "size",        [OV_OPT_RATIO] = "ratio",
        [OV_OPT_ENUM] = "one of",      [OV_OPT_LIST] = "list of texts",
        [OV_OPT_MAP] = "mapping of names to texts", [OV_OPT_TABLE] = "mapping",
    };
    ov_buf_str(out, names[option->type]);
    for (size_t i = 0; option->type == OV_OPT_ENUM && option->choices[i]; i++)
        ov_buf_printf(out, "%s %s", i > 0 ? "," : "", option->choices[i]);
    if (option->min != 0 || option->max != 0) {
        ov_buf_str(out, option->max == INT64_MAX ? ", at least " : " from ");
        ov_option_put_number(out, option, option->min);
        if (option->max != INT64_MAX) {
            ov_buf_str(out, " to ");
            ov_option_put_number(out, option, option->max);
        }
    }
}

static void put_facts(struct ov_buf *out, const struct ov_option *option)
{
    put_type(out, option);
    if (option->secret && option->type == OV_OPT_STRING)
        ov_buf_printf(out, ", secret (or %s_file)", option->name);
    else if (option->secret)
        ov_buf_str(out, ", secret");
    if (option->required)
        ov_buf_str(out, "; required");
    if (option->fallback)
        ov_buf_printf(out, "; default %s", *option->fallback ? option->fallback : "\"\"");
    if (option->env)
        ov_buf_printf(out, "; environment %s", option->env);
}

static void describe(struct ov_buf *out, const struct ov_option *table, int indent, int left)
{
    struct ov_buf facts = {0};
    for (; table->name; table++) {
        ov_buf_printf(out, "%*s%-*s", indent, "", left - indent, table->name);
        ov_buf_reset(&facts);
        put_facts(&facts, table);
        put_wrapped(out, ov_buf_text(&facts), left);
        if (table->help) {
            ov_buf_printf(out, "%*s", left, "");
            put_wrapped(out, table->help, left);
        }
        if (table->type == OV_OPT_TABLE)
            describe(out, table->table, indent + INDENT, left);
    }
    ov_buf_free(&facts);
}

void ov_options_describe(struct ov_buf *out, const struct ov_option *table)
{
    describe(out, table, INDENT, name_width(table, INDENT) + 2);
}

/* ---------------------------------------------------------------- values */

static bool is_plain(struct ov_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    c == '_' || c == '/';
        if (!word && !(i > 0 && (c == '.' || c == '-')))
            return false;
    }
    return text.len > 0;
}

/* A $ is doubled, so that it is not read as the beginning of a variable. */
static void put_text(struct ov_buf *out, struct ov_slice text)
{
    if (is_plain(text)) {
        ov_buf_slice(out, text);
        return;
    }
    struct ov_buf doubled = {0};
    for (size_t i = 0; i < text.len; i++) {
        ov_buf_char(&doubled, text.ptr[i]);
        if (text.ptr[i] == '$')
            ov_buf_char(&doubled, '$');
    }
    ov_buf_json(out, (struct ov_slice){ov_buf_text(&doubled), doubled.len});
    ov_buf_free(&doubled);
}

static void put_list(struct ov_buf *out, const struct ov_list *list)
{
    ov_buf_char(out, '[');
    for (size_t i = 0; i < list->count; i++) {
        ov_buf_str(out, i > 0 ? ", " : "");
        put_text(out, list->items[i]);
    }
    ov_buf_char(out, ']');
}

static void put_map(struct ov_buf *out, const struct ov_map *map)
{
    ov_buf_char(out, '{');
    for (size_t i = 0; i < map->count; i++) {
        struct ov_slice name = ov_slice(map->items[i].name);
        ov_buf_str(out, i > 0 ? ", " : "");
        if (is_plain(name))
            ov_buf_slice(out, name);
        else
            ov_buf_json(out, name); /* keys have no variables */
        ov_buf_str(out, ": ");
        put_text(out, map->items[i].value);
    }
    ov_buf_char(out, '}');
}

static const void *member(const void *state, const struct ov_option *option)
{
    return (const char *)state + option->offset;
}

static bool is_set(const struct ov_option *option, const void *at)
{
    switch (option->type) {
    case OV_OPT_STRING:
        return *(char *const *)at;
    case OV_OPT_LIST:
        return ((const struct ov_list *)at)->count > 0;
    case OV_OPT_MAP:
        return ((const struct ov_map *)at)->count > 0;
    case OV_OPT_DURATION:
        return *(const int64_t *)at >= 0;
    default:
        return true;
    }
}

void ov_option_put(struct ov_buf *out, const struct ov_option *option, const void *state)
{
    const void *at = member(state, option);
    if (option->secret && is_set(option, at)) {
        ov_buf_str(out, "***");
        return;
    }
    switch (option->type) {
    case OV_OPT_STRING:
        if (is_set(option, at))
            put_text(out, ov_slice(*(char *const *)at));
        else
            ov_buf_char(out, '~');
        break;
    case OV_OPT_INT:
    case OV_OPT_DURATION:
    case OV_OPT_SIZE:
        ov_option_put_number(out, option, *(const int64_t *)at);
        break;
    case OV_OPT_BOOL:
        ov_buf_str(out, *(const bool *)at ? "true" : "false");
        break;
    case OV_OPT_RATIO:
        ov_buf_double(out, *(const double *)at);
        break;
    case OV_OPT_ENUM:
        ov_buf_str(out, option->choices[*(const int *)at]);
        break;
    case OV_OPT_LIST:
        put_list(out, at);
        break;
    case OV_OPT_MAP:
        put_map(out, at);
        break;
    case OV_OPT_TABLE:
        break;
    }
}

void ov_options_dump(struct ov_buf *out, const struct ov_option *table, const void *state,
                     int indent)
{
    for (; table->name; table++) {
        const void *at = member(state, table);
        if (!is_set(table, at))
            continue;
        ov_buf_printf(out, "%*s%s:", indent, "", table->name);
        if (table->type == OV_OPT_TABLE && !table->secret) {
            ov_buf_char(out, '\n');
            ov_options_dump(out, table->table, at, indent + INDENT);
            continue;
        }
        ov_buf_char(out, ' ');
        ov_option_put(out, table, state);
        ov_buf_char(out, '\n');
    }
}
