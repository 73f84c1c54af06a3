/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The variables OmniDaemon reads, as they are set here. It takes them from its process first, then
 * from a `.env` file, which it looks for from where it is installed upwards: in the project whose
 * virtual environment holds it. In each folder a `settings.ini` comes before a `.env`.
 */
#include <errno.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "diagnose.h"
#include "dotenv.h"
#include "shell.h"

static const struct {
    const char *name, *fallback;
} variables[] = {
    {"REDIS_URL", "redis://localhost:6379"},
    {"EVENT_BUS_TYPE", "redis_stream"},
    {"STORAGE_BACKEND", "json"},
    {"REDIS_KEY_PREFIX", "omni"},
    {"JSON_STORAGE_DIR", ".omnidaemon_data"},
};

struct environment {
    struct ov_dotenv *process, *file; /* the file's has the process's variables, too */
    bool has_file;
    struct ov_buf why;                /* it cannot be read */
};

static struct environment environment_read(const struct look *look)
{
    struct environment e = {.process = ov_dotenv_read(NULL, NULL)};
    e.has_file = access(look->env_file, F_OK) == 0;
    e.file = ov_dotenv_read(e.has_file ? look->env_file : NULL, &e.why);
    return e;
}

static void environment_free(struct environment *e)
{
    ov_dotenv_free(e->process);
    ov_dotenv_free(e->file);
    ov_buf_free(&e->why);
}

/* An address without its secrets; other values as they are. */
static void put_value(struct ov_buf *out, const char *name, const char *value)
{
    struct redis_url url = {0};
    struct ov_buf why = {0};
    if (strcmp(name, "REDIS_URL") != 0)
        ov_buf_escaped(out, ov_slice(value));
    else if (redis_url_parse(value, &url, &why))
        redis_url_text(&url, out);
    else
        ov_buf_str(out, "(no address)");
    if (strcmp(name, "REDIS_URL") == 0)
        redis_url_free(&url);
    ov_buf_free(&why);
}

/* A variable where both set it, to different values. */
static void check_override(struct look *look, const struct environment *e, const char *name)
{
    const char *process = ov_dotenv_get(e->process, name);
    const char *file = ov_dotenv_file(e->file, name);
    if (!process || !file || strcmp(process, file) == 0)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_OVERRIDDEN, false, NOBODYS, NOBODYS);
    ov_buf_printf(&f->what, "%s in the environment is not what %s says", name, look->env_file);
    ov_buf_str(&f->evidence, "the environment: ");
    put_value(&f->evidence, name, process);
    ov_buf_printf(&f->evidence, "; %s: ", look->env_file);
    put_value(&f->evidence, name, file);
    if (strcmp(name, "REDIS_URL") == 0)
        ov_buf_str(&f->evidence, " (users and passwords are not shown)");
    ov_buf_printf(&f->next, "unset %s", name);
}

static void check_bus_type(struct look *look, const char *type)
{
    if (!type || strcasecmp(type, "redis_stream") == 0)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_BUS_TYPE, true, NOBODYS, NOBODYS);
    ov_buf_str(&f->what, "EVENT_BUS_TYPE names a bus that OmniDaemon does not have");
    ov_buf_str(&f->evidence, "EVENT_BUS_TYPE=");
    ov_buf_escaped(&f->evidence, ov_slice(type));
    ov_buf_str(&f->next, "export EVENT_BUS_TYPE=redis_stream");
}

static void check_prefix(struct look *look, const struct environment *e)
{
    const char *prefix = ov_dotenv_get(e->file, "REDIS_KEY_PREFIX");
    const char *backend = ov_dotenv_get(e->file, "STORAGE_BACKEND");
    if (!prefix || (backend && strcasecmp(backend, "json") != 0))
        return;
    struct finding *f = diagnosis_add(look->d, AIL_CONTRADICTION, false, NOBODYS, NOBODYS);
    ov_buf_str(&f->what, "REDIS_KEY_PREFIX is set, but storage is in JSON files");
    ov_buf_str(&f->evidence, "REDIS_KEY_PREFIX=");
    ov_buf_escaped(&f->evidence, ov_slice(prefix));
    ov_buf_printf(&f->evidence, ", STORAGE_BACKEND %s",
                  backend ? "is json" : "is not set, which means json");
    ov_buf_str(&f->meaning, "The prefix is for storage in Redis alone. If that is meant, "
                            "STORAGE_BACKEND must say so; if not, the prefix does nothing.");
    ov_buf_str(&f->next, "export STORAGE_BACKEND=redis");
}

/* The folder of the `.env` with another file name. */
static void beside(struct ov_buf *path, const char *env_file, const char *name)
{
    const char *slash = strrchr(env_file, '/');
    if (slash)
        ov_buf_add(path, env_file, (size_t)(slash + 1 - env_file));
    ov_buf_str(path, name);
}

static void check_hidden(struct look *look, const struct environment *e)
{
    struct ov_buf path = {0};
    bool sets_any = false;
    beside(&path, look->env_file, "settings.ini");
    for (size_t i = 0; i < OV_COUNT(variables); i++)
        sets_any |= ov_dotenv_file(e->file, variables[i].name) != NULL;
    if (sets_any && access(ov_buf_text(&path), F_OK) == 0) {
        struct finding *f = diagnosis_add(look->d, AIL_CONTRADICTION, false, NOBODYS, NOBODYS);
        ov_buf_printf(&f->what, "OmniDaemon does not read %s: a settings.ini is beside it",
                      look->env_file);
        ov_buf_printf(&f->evidence, "both %s and %s are there", look->env_file,
                      ov_buf_text(&path));
        ov_buf_str(&f->meaning, "OmniDaemon takes the first of the two in a folder, and "
                                "settings.ini is looked for first. omnivigil reads the .env.");
        ov_buf_str(&f->next, "ls -l");
        if (!shell_word(&f->next, ov_slice(ov_buf_text(&path))) ||
            !shell_word(&f->next, ov_slice(look->env_file)))
            ov_buf_reset(&f->next);
    }
    ov_buf_free(&path);
}

void look_at_environment(struct look *look)
{
    struct environment e = environment_read(look);
    for (size_t i = 0; i < OV_COUNT(variables); i++)
        check_override(look, &e, variables[i].name);
    check_bus_type(look, ov_dotenv_get(e.file, "EVENT_BUS_TYPE"));
    check_prefix(look, &e);
    check_hidden(look, &e);
    if (e.why.len)
        diagnosis_blind(look->d, CHECK_ENVIRONMENT, "%s", ov_buf_text(&e.why));
    else
        diagnosis_looked(look->d, CHECK_ENVIRONMENT, "%s%s", look->env_file,
                         e.has_file ? " and the process" : " is not there; the process");
    environment_free(&e);
}

/* ---------------------------------------------------------------- as a table */

enum { COLUMN_NAME, COLUMN_PROCESS, COLUMN_FILE, COLUMN_USED };
static const struct ov_column columns[] = {
    [COLUMN_NAME] = {"variable", OV_CELL_TEXT, NULL, 0},
    [COLUMN_PROCESS] = {"environment", OV_CELL_TEXT, NULL, 0},
    [COLUMN_FILE] = {"file", OV_CELL_TEXT, "env file", 0},
    [COLUMN_USED] = {"used", OV_CELL_TEXT, NULL, 0},
};
static const struct ov_view view = {
    .name = "environment", .shape = OV_SHAPE_LIST, .title = "OmniDaemon's variables here",
    .columns = columns, .column_count = OV_COUNT(columns),
};

static void show_value(struct look *look, unsigned column, const char *name, const char *value)
{
    struct ov_buf text = {0};
    if (value) {
        put_value(&text, name, value);
        ov_show_text(look->call, column, (struct ov_slice){text.data, text.len});
    }
    ov_buf_free(&text);
}

void show_environment(struct look *look)
{
    struct environment e = environment_read(look);
    ov_show(look->call, &view);
    for (size_t i = 0; i < OV_COUNT(variables); i++) {
        const char *name = variables[i].name, *used = ov_dotenv_get(e.file, name);
        ov_show_row(look->call);
        ov_show_text(look->call, COLUMN_NAME, ov_slice(name));
        show_value(look, COLUMN_PROCESS, name, ov_dotenv_get(e.process, name));
        show_value(look, COLUMN_FILE, name, ov_dotenv_file(e.file, name));
        show_value(look, COLUMN_USED, name, used ? used : variables[i].fallback);
    }
    environment_free(&e);
}
