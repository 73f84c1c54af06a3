/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <unistd.h>

#include "origin.h"

/* The file and line of what is written in it. */
static void put_written(struct ov_buf *out, const struct ov_source *source,
                        const struct ov_option *option, const struct ov_node *node)
{
    ov_buf_printf(out, "from `%s` in ", option->name);
    ov_buf_escaped(out, ov_slice(ov_diag_name(source->diag)));
    ov_buf_printf(out, ":%zu", ov_diag_line(source->diag, node->span.start));
}

static void put_variable(struct ov_buf *out, const struct ov_source *source, const char *variable,
                         const char *env_file)
{
    const char *value = ov_dotenv_get(source->env, variable);
    bool has_file = env_file && *env_file;
    if (value && *value) {
        ov_buf_printf(out, "from %s in ", variable);
        ov_buf_escaped(out, ov_slice(getenv(variable) ? "the environment" : env_file));
        return;
    }
    ov_buf_printf(out, "the default: %s is not set in the environment", variable);
    if (!has_file)
        return;
    bool there = access(env_file, F_OK) == 0;
    ov_buf_str(out, there ? ", nor in " : ", and there is no file ");
    ov_buf_escaped(out, ov_slice(env_file));
    if (!there && *env_file != '/')
        ov_buf_str(out, " here");
}

static size_t table_size(const struct ov_option *table)
{
    size_t count = 0;
    while (table[count].name)
        count++;
    return count;
}

char **ov_origins_new(const struct ov_source *source, const struct ov_option *table,
                      const char *env_file)
{
    char **origins = ov_calloc(table_size(table) + 1, sizeof *origins);
    for (size_t i = 0; table[i].name; i++) {
        const struct ov_node *node = ov_tree_get(source->node, table[i].name);
        struct ov_buf text = {0};
        if (!table[i].env || table[i].type != OV_OPT_STRING)
            continue;
        if (node)
            put_written(&text, source, &table[i], node);
        else
            put_variable(&text, source, table[i].env, env_file);
        origins[i] = ov_strdup(ov_buf_text(&text));
        ov_buf_free(&text);
    }
    return origins;
}

void ov_origins_free(char **origins, const struct ov_option *table)
{
    for (size_t i = 0; origins && table[i].name; i++)
        free(origins[i]);
    free(origins);
}

/* Of an address the host and port, or the path; a path as it is; nothing of other values. */
static struct ov_slice place_of(const char *value)
{
    const char *scheme = strstr(value, "://");
    if (!scheme)
        return ov_slice(*value == '.' || strchr(value, '/') ? value : NULL);
    const char *host = scheme + 3, *end = host + strcspn(host, "?#");
    for (const char *at = host; at < end; at++)
        if (*at == '@')
            host = at + 1;
    if (*host != '/')
        end = host + strcspn(host, "/?#");
    return (struct ov_slice){host, (size_t)(end - host)};
}

void ov_origins_put(char *const *origins, const struct ov_option *table, const void *state,
                    const char *why, struct ov_buf *out)
{
    for (size_t i = 0; origins && table[i].name; i++) {
        const char *value = origins[i] ? *(char *const *)(const void *)((const char *)state +
                                                                        table[i].offset) : NULL;
        struct ov_slice place = value ? place_of(value) : (struct ov_slice){NULL, 0};
        if (place.len && memmem(why, strlen(why), place.ptr, place.len)) {
            ov_buf_printf(out, " (%s)", origins[i]);
            return;
        }
    }
}
