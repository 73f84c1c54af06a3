/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a `.env` file: the text is kept, cut into names and values in place. */
#include <stdlib.h>

#include "dotenv.h"
#include "slurp.h"

enum { DOTENV_LIMIT = 1 << 20 };

struct variable {
    const char *name, *value;
};

struct ov_dotenv {
    struct ov_buf text;
    struct variable *variables;
    size_t count, cap;
};

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Takes blanks off both ends of [*from, *to). */
static void trim(char **from, char **to)
{
    while (*from < *to && is_blank(**from))
        ++*from;
    while (*from < *to && is_blank((*to)[-1]))
        --*to;
}

/* [from, to) is one line, and *to may be overwritten. */
static void dotenv_line(struct ov_dotenv *dotenv, char *from, char *to)
{
    trim(&from, &to);
    char *equals = memchr(from, '=', (size_t)(to - from));
    if (!equals || *from == '#' || memchr(from, '\0', (size_t)(to - from)))
        return;
    char *value = equals + 1, *name_end = equals;
    if (equals - from > 7 && memcmp(from, "export", 6) == 0 && is_blank(from[6]))
        from += 7;
    trim(&from, &name_end);
    trim(&value, &to);
    if (to - value >= 2 && (*value == '"' || *value == '\'') && to[-1] == *value) {
        value++;
        to--;
    }
    if (from == name_end)
        return;
    *name_end = '\0';
    *to = '\0';
    if (dotenv->count == dotenv->cap) {
        dotenv->cap = dotenv->cap ? dotenv->cap * 2 : 16;
        dotenv->variables = ov_realloc(dotenv->variables, dotenv->cap, sizeof *dotenv->variables);
    }
    dotenv->variables[dotenv->count++] = (struct variable){from, value};
}

struct ov_dotenv *ov_dotenv_read(const char *path, struct ov_buf *why)
{
    struct ov_dotenv *dotenv = ov_calloc(1, sizeof *dotenv);
    if (!path || ov_slurp(path, DOTENV_LIMIT, &dotenv->text, NULL, why) != OV_OK)
        return dotenv;
    ov_buf_char(&dotenv->text, '\n');
    char *line = dotenv->text.data, *end = line + dotenv->text.len;
    if (dotenv->text.len > 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0)
        line += 3;
    while (line < end) {
        char *newline = memchr(line, '\n', (size_t)(end - line));
        dotenv_line(dotenv, line, newline);
        line = newline + 1;
    }
    return dotenv;
}

void ov_dotenv_free(struct ov_dotenv *dotenv)
{
    if (!dotenv)
        return;
    free(dotenv->variables);
    ov_buf_free(&dotenv->text);
    free(dotenv);
}

const char *ov_dotenv_file(const struct ov_dotenv *dotenv, const char *name)
{
    for (size_t i = dotenv->count; i > 0; i--)
        if (strcmp(dotenv->variables[i - 1].name, name) == 0)
            return dotenv->variables[i - 1].value;
    return NULL;
}

const char *ov_dotenv_get(const struct ov_dotenv *dotenv, const char *name)
{
    const char *value = getenv(name);
    return value ? value : ov_dotenv_file(dotenv, name);
}
