/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plugins are `NAME.so` in one directory. A file is looked at before it is loaded (loading runs
 * its constructors): it must be a regular file, in a directory, that not just anybody can change,
 * owned by root or by us. After loading, the interface version and the size of the declaration are
 * compared before anything else in it is read. A loaded plugin stays for the life of the process.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin.h"

struct loaded {
    char *name;
    const struct ov_plugin *plugin;
};

struct ov_plugins {
    char *dir;
    struct loaded *loaded;
    size_t count;
};

struct ov_plugins *ov_plugins_new(const char *dir)
{
    struct ov_plugins *plugins = ov_calloc(1, sizeof *plugins);
    plugins->dir = ov_strdup(dir);
    return plugins;
}

void ov_plugins_free(struct ov_plugins *plugins)
{
    if (!plugins)
        return;
    for (size_t i = 0; i < plugins->count; i++)
        free(plugins->loaded[i].name);
    free(plugins->loaded);
    free(plugins->dir);
    free(plugins);
}

const char *ov_plugins_dir(const struct ov_plugins *plugins)
{
    return plugins->dir;
}

static bool name_is_plain(const char *name)
{
    return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                 "0123456789_-") == strlen(name);
}

/* Who may change a file decides what runs in this process. */
static bool is_safe(const char *path, const struct stat *st, const char *what, struct ov_buf *why)
{
    if (st->st_mode & S_IWOTH && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX)) {
        ov_buf_printf(why, "%s: refused, since anybody can write to this %s: chmod o-w it", path,
                      what);
        return false;
    }
    if (st->st_uid != 0 && st->st_uid != geteuid()) {
        ov_buf_printf(why, "%s: refused, since this %s belongs to user %ju, neither root nor the "
                      "user that runs omnivigil", path, what, (uintmax_t)st->st_uid);
        return false;
    }
    return true;
}

static bool file_is_safe(const char *dir, const char *path, struct ov_buf *why)
{
    struct stat st;
    if (stat(dir, &st) != 0) {
        ov_buf_printf(why, "plugin directory %s: %s (set it with --plugin-dir, "
                      "OMNIVIGIL_PLUGIN_DIR or agent.plugin_dir)", dir, strerror(errno));
        return false;
    }
    if (!is_safe(dir, &st, "directory", why))
        return false;
    if (stat(path, &st) != 0) {
        ov_buf_printf(why, "%s: %s (`omnivigil plugins` lists what is there)", path,
                      errno == ENOENT ? "no such plugin" : strerror(errno));
        return false;
    }
    if (!S_ISREG(st.st_mode)) {
        ov_buf_printf(why, "%s: not a regular file", path);
        return false;
    }
    return is_safe(path, &st, "file", why);
}

static bool declaration_fits(const char *path, const char *name, const struct ov_plugin *p,
                             struct ov_buf *why)
{
    if (p->abi != OV_ABI || p->size != sizeof *p) {
        ov_buf_printf(why, "%s: made for interface version %u (%u bytes), this omnivigil has "
                      "version %u (%zu bytes): build the plugin again against its omnivigil.h",
                      path, p->abi, p->size, OV_ABI, sizeof *p);
        return false;
    }
    if (!p->name || strcmp(p->name, name) != 0) {
        ov_buf_printf(why, "%s: calls itself `%s`: the file must be called after the plugin", path,
                      p->name ? p->name : "");
        return false;
    }
    bool whole = p->summary && p->options && p->open && p->close && p->state_size &&
                 (p->kind == OV_INPUT ? p->gather && p->measurements
                                      : p->kind == OV_OUTPUT && p->encode && p->send);
    if (!whole)
        ov_buf_printf(why, "%s: its declaration lacks functions or tables that an %s needs "
                      "(omnivigil.h says which)", path, p->kind == OV_INPUT ? "input" : "output");
    return whole;
}

static const struct ov_plugin *load(struct ov_plugins *plugins, const char *name,
                                    struct ov_buf *why)
{
    struct ov_buf path_text = {0};
    ov_buf_printf(&path_text, "%s/%s.so", plugins->dir, name);
    const char *path = ov_buf_text(&path_text);
    const struct ov_plugin *plugin = NULL;
    if (file_is_safe(plugins->dir, path, why)) {
        void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
        if (object)
            plugin = dlsym(object, "omnivigil_plugin");
        if (!object)
            ov_buf_printf(why, "cannot load a plugin: %s", dlerror());
        else if (!plugin)
            ov_buf_printf(why, "%s: no plugin of omnivigil: it has no symbol `omnivigil_plugin`",
                          path);
        else if (!declaration_fits(path, name, plugin, why))
            plugin = NULL;
    }
    ov_buf_free(&path_text);
    return plugin;
}

const struct ov_plugin *ov_plugins_load(struct ov_plugins *plugins, const char *name,
                                        struct ov_buf *why)
{
    for (size_t i = 0; i < plugins->count; i++)
        if (strcmp(plugins->loaded[i].name, name) == 0)
            return plugins->loaded[i].plugin;
    if (!name_is_plain(name)) {
        ov_buf_str(why, "`");
        ov_buf_escaped(why, ov_slice(name));
        ov_buf_str(why, "` is no plugin's name: letters, digits, `_` and `-` only");
        return NULL;
    }
    const struct ov_plugin *plugin = load(plugins, name, why);
    if (!plugin)
        return NULL;
    plugins->loaded = ov_realloc(plugins->loaded, plugins->count + 1, sizeof *plugins->loaded);
    plugins->loaded[plugins->count++] = (struct loaded){ov_strdup(name), plugin};
    return plugin;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Modules of plugins lie beside them as `NAME.mod.so`, which is no plain name: not listed. */
char **ov_plugins_list(struct ov_plugins *plugins, size_t *count)
{
    char **names = NULL;
    *count = 0;
    DIR *dir = opendir(plugins->dir);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t len = strlen(entry->d_name);
        if (len < 4 || strcmp(entry->d_name + len - 3, ".so") != 0)
            continue;
        char *name = ov_memdup(entry->d_name, len - 3);
        if (!name_is_plain(name)) {
            free(name);
            continue;
        }
        names = ov_realloc(names, *count + 1, sizeof *names);
        names[(*count)++] = name;
    }
    if (dir)
        closedir(dir);
    if (names)
        qsort(names, *count, sizeof *names, compare_names);
    return names;
}
