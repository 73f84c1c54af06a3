/* SPDX-License-Identifier: Apache-2.0 */
/* Values turned into what their option's type says, and the complaints when they are not. A secret
 * never becomes part of a message. */
#include <stdlib.h>

#include "literal.h"
#include "nearest.h"
#include "option_text.h"
#include "scalar.h"

/* ---------------------------------------------------------------- complaints */

void ov_scope_put(struct ov_buf *out, const struct ov_scope *scope)
{
    if (!scope->up) {
        ov_buf_str(out, scope->source->what);
        return;
    }
    ov_scope_put(out, scope->up);
    ov_buf_printf(out, ".%s", scope->name);
}

void ov_literal_fail(const struct ov_literal *v, const char *format, ...)
{
    struct ov_buf text = {0};
    va_list args;
    ov_buf_char(&text, '`');
    ov_scope_put(&text, v->scope);
    ov_buf_printf(&text, ".%s%s`", v->option->name, v->suffix);
    if (v->variable)
        ov_buf_printf(&text, " (from the environment variable %s)", v->variable);
    else if (v->fallback)
        ov_buf_str(&text, " (the default in the option table)");
    ov_buf_str(&text, ": ");
    va_start(args, format);
    ov_buf_vprintf(&text, format, args);
    va_end(args);
    ov_diag_error(v->scope->source->diag, v->at, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
}

bool ov_literal_is_secret(const struct ov_literal *v)
{
    return v->option->secret || v->scope->secret;
}

/* Appends ", got ..." unless it is a secret. */
static void put_got(struct ov_buf *out, const struct ov_literal *v)
{
    if (ov_literal_is_secret(v))
        return;
    struct ov_buf written = {0};
    ov_buf_str(&written, v->plain ? "" : "\"");
    ov_buf_slice(&written, v->text);
    ov_buf_str(&written, v->plain ? "" : "\"");
    ov_buf_str(out, ", got ");
    if (written.len > 0)
        ov_diag_quote(out, (struct ov_slice){written.data, written.len});
    else
        ov_buf_str(out, "nothing");
    ov_buf_free(&written);
}

static void wrong(const struct ov_literal *v, const char *expected)
{
    struct ov_buf got = {0};
    put_got(&got, v);
    ov_literal_fail(v, "%s%s", expected, ov_buf_text(&got));
    ov_buf_free(&got);
}

void ov_literal_wrong_kind(const struct ov_literal *v, const char *expected,
                           const struct ov_node *node)
{
    static const char *const kinds[] = {
        [OV_NODE_SCALAR] = "single value", [OV_NODE_LIST] = "list", [OV_NODE_MAPPING] = "mapping",
    };
    ov_literal_fail(v, "expected %s, got a %s", expected, kinds[node->kind]);
}

/* ---------------------------------------------------------------- single values */

/* Only what is not quoted can be a number or a truth value. */
static bool is_unquoted(const struct ov_literal *v, const char *expected)
{
    if (!v->plain)
        wrong(v, expected);
    return v->plain;
}

/* Whether there is anything at all: `url:` alone is more likely a slip than a wish. */
static bool is_given(const struct ov_literal *v, const struct ov_node *node)
{
    if (!node->plain || node->expanded || node->text.len > 0)
        return true;
    ov_literal_fail(v, "expected a text, got nothing (write \"\" for an empty one)");
    return false;
}

static bool in_range(const struct ov_literal *v, int64_t number)
{
    const struct ov_option *option = v->option;
    if ((option->min == 0 && option->max == 0) || (number >= option->min && number <= option->max))
        return true;
    struct ov_buf limits = {0};
    ov_buf_str(&limits, option->max == INT64_MAX ? "must be at least " : "must be from ");
    ov_option_put_number(&limits, option, option->min);
    if (option->max != INT64_MAX) {
        ov_buf_str(&limits, " to ");
        ov_option_put_number(&limits, option, option->max);
    }
    wrong(v, ov_buf_text(&limits));
    ov_buf_free(&limits);
    return false;
}

static void read_string(const struct ov_literal *v, char **out)
{
    if (v->option->required && v->text.len == 0)
        ov_literal_fail(v, "must not be empty");
    else
        *out = ov_memdup(v->text.ptr, v->text.len);
}

static void read_number(const struct ov_literal *v, int64_t *out)
{
    int64_t number = 0;
    const char *bad;
    if (v->option->type == OV_OPT_DURATION) {
        bad = ov_scalar_duration(v->text, &number);
    } else if (v->option->type == OV_OPT_SIZE) {
        bad = ov_scalar_size(v->text, &number);
    } else {
        if (!is_unquoted(v, "expected a whole number without quotes"))
            return;
        bad = ov_scalar_int(v->text, &number);
    }
    if (bad)
        wrong(v, bad);
    else if (in_range(v, number))
        *out = number;
}

static void read_bool(const struct ov_literal *v, bool *out)
{
    const char *bad;
    if (is_unquoted(v, "expected true or false without quotes") &&
        (bad = ov_scalar_bool(v->text, out)))
        wrong(v, bad);
}

static void read_ratio(const struct ov_literal *v, double *out)
{
    const char *bad;
    if (is_unquoted(v, "expected a ratio without quotes") && (bad = ov_scalar_ratio(v->text, out)))
        wrong(v, bad);
}

static void read_enum(const struct ov_literal *v, int *out)
{
    struct ov_nearest nearest = {.wanted = v->text};
    struct ov_buf text = {0};
    ov_buf_str(&text, "expected one of");
    for (int i = 0; v->option->choices[i]; i++) {
        const char *choice = v->option->choices[i];
        if (ov_slice_eq(v->text, ov_slice(choice))) {
            *out = i;
            ov_buf_free(&text);
            return;
        }
        ov_nearest_try(&nearest, choice);
        ov_buf_printf(&text, "%s %s", i > 0 ? "," : "", choice);
    }
    put_got(&text, v);
    if (!ov_literal_is_secret(v))
        ov_nearest_hint(&nearest, &text);
    ov_literal_fail(v, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
}

/* ---------------------------------------------------------------- lists and maps */

static void list_add(struct ov_list *list, struct ov_slice item)
{
    list->items = ov_realloc(list->items, list->count + 1, sizeof *list->items);
    list->items[list->count++] = (struct ov_slice){ov_memdup(item.ptr, item.len), item.len};
}

static void map_add(struct ov_map *map, struct ov_slice name, struct ov_slice value)
{
    map->items = ov_realloc(map->items, map->count + 1, sizeof *map->items);
    map->items[map->count++] = (struct ov_tag){
        ov_memdup(name.ptr, name.len), {ov_memdup(value.ptr, value.len), value.len}};
}

static struct ov_slice trimmed(struct ov_slice text)
{
    while (text.len > 0 && text.ptr[0] == ' ')
        text = (struct ov_slice){text.ptr + 1, text.len - 1};
    while (text.len > 0 && text.ptr[text.len - 1] == ' ')
        text.len--;
    return text;
}

static void read_assignment(const struct ov_literal *v, struct ov_slice item, struct ov_map *map)
{
    const char *equals = memchr(item.ptr, '=', item.len);
    struct ov_slice name = {item.ptr, equals ? (size_t)(equals - item.ptr) : 0};
    name = trimmed(name);
    if (name.len == 0) {
        wrong(v, "expected name=value, name=value");
        return;
    }
    struct ov_slice value = {equals + 1, (size_t)(item.ptr + item.len - equals) - 1};
    map_add(map, name, trimmed(value));
}

/* A list or map in one line: its parts are separated by commas. */
static void read_line(const struct ov_literal *v, void *out)
{
    const char *p = v->text.ptr, *end = p + v->text.len;
    while (p < end) {
        const char *comma = memchr(p, ',', (size_t)(end - p));
        if (!comma)
            comma = end;
        struct ov_slice item = trimmed((struct ov_slice){p, (size_t)(comma - p)});
        p = comma + 1;
        if (item.len == 0)
            continue;
        if (v->option->type == OV_OPT_LIST)
            list_add(out, item);
        else
            read_assignment(v, item, out);
    }
}

/* Narrows `whole` to a part of it, for complaints. False where that is no text, reported. */
static bool is_part(struct ov_literal *part, const struct ov_literal *whole,
                    const struct ov_node *node)
{
    *part = *whole;
    part->at = node->span;
    if (node->faulty)
        return false;
    if (node->kind != OV_NODE_SCALAR) {
        ov_literal_wrong_kind(part, "a text", node);
        return false;
    }
    return is_given(part, node);
}

static void read_list(const struct ov_literal *v, const struct ov_node *node, struct ov_list *out)
{
    struct ov_literal part;
    if (node->kind == OV_NODE_SCALAR) {
        if (!v->plain || v->text.len > 0)
            list_add(out, node->text);
        else if (!node->expanded)
            ov_literal_fail(v, "expected a list, got nothing (write [] for an empty one)");
        return;
    }
    if (node->kind != OV_NODE_LIST) {
        ov_literal_wrong_kind(v, "a list", node);
        return;
    }
    for (const struct ov_node *item = node->first; item; item = item->next)
        if (is_part(&part, v, item))
            list_add(out, item->text);
}

static void read_map(const struct ov_literal *v, const struct ov_node *node, struct ov_map *out)
{
    struct ov_literal part;
    if (node->kind != OV_NODE_MAPPING) {
        if (!v->plain || v->text.len > 0 || node->kind == OV_NODE_LIST)
            ov_literal_wrong_kind(v, "a mapping of names to texts", node);
        return;
    }
    for (const struct ov_node *item = node->first; item; item = item->next) {
        if (item->key->text.len == 0 && !item->faulty) {
            part = *v;
            part.at = item->key->span;
            ov_literal_fail(&part, "a name cannot be empty");
        } else if (is_part(&part, v, item)) {
            map_add(out, item->key->text, item->text);
        }
    }
}

/* ---------------------------------------------------------------- by type */

void ov_literal_read(const struct ov_literal *v, void *out)
{
    switch (v->option->type) {
    case OV_OPT_STRING:
        read_string(v, out);
        break;
    case OV_OPT_INT:
    case OV_OPT_DURATION:
    case OV_OPT_SIZE:
        read_number(v, out);
        break;
    case OV_OPT_BOOL:
        read_bool(v, out);
        break;
    case OV_OPT_RATIO:
        read_ratio(v, out);
        break;
    case OV_OPT_ENUM:
        read_enum(v, out);
        break;
    case OV_OPT_LIST:
    case OV_OPT_MAP:
        read_line(v, out);
        break;
    case OV_OPT_TABLE:
        break;
    }
}

void ov_literal_read_node(struct ov_literal *v, const struct ov_node *node, void *out)
{
    static const char *const expected[] = {
        [OV_OPT_STRING] = "a text",
        [OV_OPT_INT] = "a whole number",
        [OV_OPT_BOOL] = "true or false",
        [OV_OPT_DURATION] = "a duration such as 10s",
        [OV_OPT_SIZE] = "a size such as 64MiB",
        [OV_OPT_RATIO] = "a ratio such as 0.8",
        [OV_OPT_ENUM] = "a single word",
    };
    v->at = node->span;
    v->plain = node->plain || node->expanded; /* quotes may be there only for the braces */
    v->text = node->text;
    if (node->faulty)
        return;
    if (v->option->type == OV_OPT_LIST)
        read_list(v, node, out);
    else if (v->option->type == OV_OPT_MAP)
        read_map(v, node, out);
    else if (node->kind != OV_NODE_SCALAR)
        ov_literal_wrong_kind(v, expected[v->option->type], node);
    else if (v->option->type != OV_OPT_STRING || is_given(v, node))
        ov_literal_read(v, out);
}
