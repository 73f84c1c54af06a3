/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Option tables put to work. Each option is looked up in the mapping by its name, so that whatever
 * was written stands in the tree with its place and need not be noted elsewhere: an error a plugin
 * finds later is looked up the same way.
 */
#include <stdlib.h>

#include "literal.h"
#include "nearest.h"
#include "options.h"
#include "slurp.h"

enum { SECRET_LIMIT = 1 << 16 };

static void *member(void *state, const struct ov_option *option)
{
    return (char *)state + option->offset;
}

static struct ov_span node_place(const struct ov_node *node)
{
    bool block = node->kind == OV_NODE_MAPPING && node->first;
    return block ? node->first->key->span : node->span;
}

struct ov_span ov_source_place(const struct ov_source *source)
{
    return source->node ? node_place(source->node) : OV_NOWHERE;
}

/* The nearest place around a table that is not written itself. */
static struct ov_span scope_place(const struct ov_scope *scope)
{
    while (scope && !scope->node)
        scope = scope->up;
    return scope ? node_place(scope->node) : OV_NOWHERE;
}

static bool has_file_form(const struct ov_option *option)
{
    return option->secret && option->type == OV_OPT_STRING;
}

/* Whether `key` is the option's NAME_file. */
static bool is_file_form(const struct ov_option *option, struct ov_slice key)
{
    size_t len = strlen(option->name);
    return has_file_form(option) && ov_slice_starts(key, (struct ov_slice){option->name, len}) &&
           ov_slice_eq((struct ov_slice){key.ptr + len, key.len - len}, OV_SLICE("_file"));
}

static struct ov_node *get_file_form(const struct ov_node *mapping, const struct ov_option *option)
{
    struct ov_node *n = mapping && mapping->kind == OV_NODE_MAPPING ? mapping->first : NULL;
    while (n && !is_file_form(option, n->key->text))
        n = n->next;
    return n;
}

/* ---------------------------------------------------------------- one option */

static void secret_cut_newline(struct ov_buf *content)
{
    if (content->len == 0 || content->data[content->len - 1] != '\n')
        return;
    content->len--;
    if (content->len > 0 && content->data[content->len - 1] == '\r')
        content->len--;
}

static void read_secret_file(struct ov_literal *v, const struct ov_node *node, void *out)
{
    struct ov_buf content = {0}, why = {0};
    struct stat info;
    v->suffix = "_file";
    v->at = node->span;
    if (node->faulty)
        return;
    if (node->kind != OV_NODE_SCALAR) {
        ov_literal_wrong_kind(v, "a file's name", node);
        return;
    }
    if (ov_slurp(node->text.ptr, SECRET_LIMIT, &content, &info, &why) != OV_OK) {
        ov_literal_fail(v, "cannot read the file: %s", ov_buf_text(&why));
    } else {
        secret_cut_newline(&content);
        v->text = (struct ov_slice){content.data, content.len};
        if (content.len == 0)
            ov_literal_fail(v, "the file is empty");
        else if (memchr(content.data, '\0', content.len))
            ov_literal_fail(v, "the file holds a NUL byte");
        else
            ov_literal_read(v, out);
        if (info.st_mode & (S_IRGRP | S_IROTH))
            ov_diag_warn(v->scope->source->diag, v->at,
                         "others than its owner can read this secret (mode %04o): chmod 600 it",
                         (unsigned)info.st_mode & 07777);
    }
    ov_buf_free(&content);
    ov_buf_free(&why);
}

/* What is not written in the configuration comes from the environment or the table. */
static void read_default(struct ov_literal *v, void *out)
{
    const struct ov_option *option = v->option;
    const char *text = option->env ? ov_dotenv_get(v->scope->source->env, option->env) : NULL;
    if (text && *text) {
        v->variable = option->env;
    } else if (option->fallback) {
        text = option->fallback;
        v->fallback = true;
    } else {
        if (option->required)
            ov_literal_fail(v, "is required");
        return;
    }
    v->plain = true;
    v->text = ov_slice(text);
    ov_literal_read(v, out);
}

static void read_table(const struct ov_scope *scope, const struct ov_option *table, void *state);

static void read_nested(struct ov_literal *v, struct ov_node *node, void *state)
{
    const struct ov_scope *up = v->scope;
    struct ov_scope inner = {up->source, NULL, up, v->option->name, ov_literal_is_secret(v)};
    if (node && !node->faulty) {
        v->at = node->span;
        if (node->kind == OV_NODE_MAPPING) {
            inner.node = node;
            node->shown = !inner.secret;
        } else if (node->kind == OV_NODE_LIST || node->text.len > 0 || !node->plain) {
            ov_literal_wrong_kind(v, "a mapping of options", node);
        }
    }
    read_table(&inner, v->option->table, state);
}

/* Also the second of a key given twice is shown, or not, as the option says. */
static void show_values(const struct ov_node *mapping, const char *name)
{
    for (struct ov_node *n = mapping->first; n; n = n->next)
        if (ov_slice_eq(n->key->text, ov_slice(name)))
            ov_tree_show(n);
}

/* What could not be read has a value all the same, for whoever looks at the others. */
static void fall_back(struct ov_literal *v, void *out)
{
    enum ov_option_type type = v->option->type;
    if (v->fallback || !v->option->fallback || type == OV_OPT_LIST || type == OV_OPT_MAP)
        return;
    v->fallback = v->plain = true;
    v->text = ov_slice(v->option->fallback);
    ov_literal_read(v, out);
}

static void read_option(const struct ov_scope *scope, const struct ov_option *option, void *state)
{
    struct ov_literal v = {
        .scope = scope, .option = option, .at = scope_place(scope), .suffix = "",
    };
    struct ov_node *node = ov_tree_get(scope->node, option->name);
    struct ov_node *file = get_file_form(scope->node, option);
    size_t errors = ov_diag_errors(scope->source->diag);
    if (option->type == OV_OPT_TABLE) {
        read_nested(&v, node, member(state, option));
        return;
    }
    if (node && !ov_literal_is_secret(&v))
        show_values(scope->node, option->name);
    if (file)
        file->shown = true;
    if (node && file) {
        v.at = file->key->span;
        ov_literal_fail(&v, "give either `%s` or `%s_file`, not both", option->name, option->name);
    } else if (node) {
        ov_literal_read_node(&v, node, member(state, option));
    } else if (file) {
        read_secret_file(&v, file, member(state, option));
    } else {
        read_default(&v, member(state, option));
    }
    if (ov_diag_errors(scope->source->diag) > errors || ov_tree_is_faulty(node ? node : file))
        fall_back(&v, member(state, option));
}

/* ---------------------------------------------------------------- unknown keys */

static bool table_knows(const struct ov_option *table, struct ov_slice key)
{
    for (; table->name; table++)
        if (ov_slice_eq(key, ov_slice(table->name)) || is_file_form(table, key))
            return true;
    return false;
}

static void report_unknown(const struct ov_scope *scope, const struct ov_node *key,
                           const struct ov_option *const *tables, size_t count)
{
    struct ov_nearest nearest = {.wanted = key->text};
    struct ov_buf text = {0}, known = {0};
    ov_buf_str(&text, "unknown option ");
    ov_diag_quote(&text, key->text);
    ov_buf_str(&text, " in `");
    ov_scope_put(&text, scope);
    ov_buf_char(&text, '`');
    for (size_t t = 0; t < count; t++) {
        for (const struct ov_option *option = tables[t]; option->name; option++) {
            ov_nearest_try(&nearest, option->name);
            ov_buf_printf(&known, "%s%s", known.len > 0 ? ", " : "", option->name);
        }
    }
    if (!ov_nearest_hint(&nearest, &text))
        ov_buf_printf(&text, ", known are: %s", ov_buf_text(&known));
    ov_diag_error(scope->source->diag, key->span, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
    ov_buf_free(&known);
}

static void find_unknown(const struct ov_scope *scope, const struct ov_option *const *tables,
                         size_t count)
{
    bool mapping = scope->node && scope->node->kind == OV_NODE_MAPPING;
    for (const struct ov_node *n = mapping ? scope->node->first : NULL; n; n = n->next) {
        bool known = n->faulty;
        for (size_t t = 0; t < count && !known; t++)
            known = table_knows(tables[t], n->key->text);
        if (!known)
            report_unknown(scope, n->key, tables, count);
    }
}

void ov_options_unknown(const struct ov_source *source, const struct ov_option *const *tables,
                        size_t count)
{
    struct ov_scope scope = {.source = source, .node = source->node};
    find_unknown(&scope, tables, count);
}

/* ---------------------------------------------------------------- tables */

static void read_table(const struct ov_scope *scope, const struct ov_option *table, void *state)
{
    for (const struct ov_option *option = table; option->name; option++)
        read_option(scope, option, state);
    if (scope->up)
        find_unknown(scope, &table, 1);
}

void ov_options_read(const struct ov_source *source, const struct ov_option *table, void *state)
{
    struct ov_scope scope = {.source = source, .node = source->node};
    read_table(&scope, table, state);
}

bool ov_options_have_required(const struct ov_option *table, const void *state)
{
    for (const struct ov_option *option = table; option->name; option++) {
        const char *at = (const char *)state + option->offset;
        if (option->type == OV_OPT_TABLE ? !ov_options_have_required(option->table, at)
                                         : option->type == OV_OPT_STRING && option->required &&
                                               !*(char *const *)(const void *)at)
            return false;
    }
    return true;
}

bool ov_source_can_judge(const struct ov_source *source, const struct ov_node *node)
{
    return !source->faulty || (node && !ov_tree_is_faulty(node) &&
                               !ov_diag_has_error(source->diag, node->span));
}

static void free_list(struct ov_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((char *)list->items[i].ptr);
    free(list->items);
    *list = (struct ov_list){0};
}

static void free_map(struct ov_map *map)
{
    for (size_t i = 0; i < map->count; i++) {
        free((char *)map->items[i].name);
        free((char *)map->items[i].value.ptr);
    }
    free(map->items);
    *map = (struct ov_map){0};
}

void ov_options_free(const struct ov_option *table, void *state)
{
    for (const struct ov_option *option = table; option->name; option++) {
        void *at = member(state, option);
        if (option->type == OV_OPT_TABLE) {
            ov_options_free(option->table, at);
        } else if (option->type == OV_OPT_LIST) {
            free_list(at);
        } else if (option->type == OV_OPT_MAP) {
            free_map(at);
        } else if (option->type == OV_OPT_STRING) {
            free(*(char **)at);
            *(char **)at = NULL;
        }
    }
}

/* ---------------------------------------------------------------- a plugin's own check */

/* Goes down `name` (`tls.ca`) through tables and tree as far as both go. `v` ends up at the last
 * part that is written. NULL where it is not written as a whole. */
static const struct ov_node *check_locate(const struct ov_check *check, const char *name,
                                          struct ov_literal *v)
{
    const struct ov_option *table = check->table;
    const struct ov_node *mapping = check->source->node;
    v->at = ov_source_place(check->source);
    while (table && *name) {
        size_t len = strcspn(name, ".");
        while (table->name && !ov_slice_eq(ov_slice(table->name), (struct ov_slice){name, len}))
            table++;
        if (!table->name)
            return NULL;
        const struct ov_node *node = ov_tree_get(mapping, table->name);
        if (!node && (node = get_file_form(mapping, table)))
            v->suffix = "_file";
        if (node)
            v->at = node->span;
        v->option = table;
        mapping = node;
        name += len + (name[len] == '.');
        table = table->type == OV_OPT_TABLE ? table->table : NULL;
    }
    if (mapping || !v->option || !v->option->env)
        return v->option ? mapping : NULL;
    const char *text = ov_dotenv_get(check->source->env, v->option->env);
    if (text && *text)
        v->variable = v->option->env;
    return NULL;
}

static void OV_PRINTF(4, 0) check_report(struct ov_check *check, const char *name, bool is_error,
                                         const char *format, va_list args)
{
    struct ov_literal v = {.suffix = ""};
    struct ov_buf text = {0};
    const struct ov_node *node = check_locate(check, name, &v);
    if (v.variable ? check->source->faulty && ov_diag_has_error(check->source->diag, v.at)
                   : !ov_source_can_judge(check->source, node))
        return;
    ov_buf_printf(&text, "`%s%s%s%s`", check->source->what, *name ? "." : "", name, v.suffix);
    if (v.variable)
        ov_buf_printf(&text, " (from the environment variable %s)", v.variable);
    ov_buf_str(&text, ": ");
    ov_buf_vprintf(&text, format, args);
    if (is_error)
        ov_diag_error(check->source->diag, v.at, "%s", ov_buf_text(&text));
    else
        ov_diag_warn(check->source->diag, v.at, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
}

void ov_check_error(struct ov_check *check, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    check_report(check, name, true, format, args);
    va_end(args);
}

void ov_check_warn(struct ov_check *check, const char *name, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    check_report(check, name, false, format, args);
    va_end(args);
}
