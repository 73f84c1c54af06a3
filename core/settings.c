/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The configuration, read in the only order that works: the text becomes a tree; the tree says
 * where the `.env` file is; with that all variables are replaced; then the agent's own options,
 * which say where the plugins are; then each instance, which needs its plugin for its options.
 * Errors are collected on the way, and nothing stops at the first.
 */
#include <stdlib.h>
#include <unistd.h>

#include "nearest.h"
#include "options.h"
#include "origin.h"
#include "plugin_dir.h"
#include "settings.h"
#include "settings_rules.h"
#include "slurp.h"

enum { FILE_LIMIT = 4 << 20, MAX_INSTANCES = 1000, LONGEST_NAME = 64 };

/* One of the two lists of instances. */
struct section {
    enum ov_plugin_kind kind;
    const char *name, *one; /* "inputs", "an input" */
    const struct ov_option *options;
    const char *const *standard; /* the plugins where the section is left out; NULL-terminated */
};

struct reading {
    struct ov_settings *settings;
    struct ov_diag *diag;
    struct ov_dotenv *env;
    struct ov_plugins *plugins;
};

/* An instance on the way, with where it stands and what it is called in messages. */
struct entry {
    const struct section *section;
    const struct ov_node *node; /* a mapping, the plugin's name alone, or NULL */
    struct ov_instance *instance;
    struct ov_source source;
    bool missing; /* optional, and its plugin did not load */
};

static const char *const standard_inputs[] = {"redis_bus", "storage", "runner", NULL};
static const char *const standard_outputs[] = {"file", NULL};

static const struct section sections[] = {
    [OV_INPUT] = {OV_INPUT, "inputs", "an input", ov_input_options, standard_inputs},
    [OV_OUTPUT] = {OV_OUTPUT, "outputs", "an output", ov_output_options, standard_outputs},
};

static const struct ov_option section_options[] = {
    {.name = "agent", .type = OV_OPT_TABLE, .table = ov_agent_options},
    {.name = "inputs", .type = OV_OPT_LIST},
    {.name = "outputs", .type = OV_OPT_LIST},
    {.name = "rules", .type = OV_OPT_LIST},
    {.name = "silences", .type = OV_OPT_LIST},
    {0},
};

/* ---------------------------------------------------------------- names and tags */

/* A name becomes part of the names of files. */
static bool name_is_good(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789_.-";
    size_t len = strlen(name);
    return len > 0 && len <= LONGEST_NAME && name[0] != '.' && strspn(name, letters) == len;
}

static struct ov_tag *tag_find(const struct ov_map *map, const char *name)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].name, name) == 0)
            return &map->items[i];
    return NULL;
}

/* Puts those of `general` that `own` does not have before what it has. */
static void tags_inherit(struct ov_map *own, const struct ov_map *general)
{
    struct ov_map all = {0};
    all.items = ov_calloc(own->count + general->count, sizeof *all.items);
    for (size_t i = 0; i < general->count; i++) {
        struct ov_tag tag = general->items[i];
        if (!tag_find(own, tag.name))
            all.items[all.count++] = (struct ov_tag){
                ov_strdup(tag.name), {ov_memdup(tag.value.ptr, tag.value.len), tag.value.len}};
    }
    for (size_t i = 0; i < own->count; i++)
        all.items[all.count++] = own->items[i];
    free(own->items);
    *own = all;
}

static void tag_set(struct ov_map *map, const char *name, const char *value)
{
    struct ov_tag tag = {name, ov_slice(value)}, *own = tag_find(map, name);
    struct ov_map one = {&tag, 1};
    if (!own) {
        tags_inherit(map, &one);
        return;
    }
    free((char *)own->value.ptr);
    own->value = (struct ov_slice){ov_strdup(value), strlen(value)};
}

/* ---------------------------------------------------------------- an instance's plugin */

static struct ov_span entry_place(const struct entry *entry, const char *key)
{
    const struct ov_node *node = ov_tree_get(entry->node, key);
    return node ? node->span : ov_source_place(&entry->source);
}

/* A plugin's option must not be called like one that every instance has. */
static bool options_are_free(const struct entry *entry, const struct ov_plugin *plugin,
                             struct ov_diag *diag)
{
    for (const struct ov_option *own = plugin->options; own->name; own++) {
        for (const struct ov_option *o = entry->section->options; o->name; o++) {
            if (strcmp(own->name, o->name) == 0) {
                ov_diag_error(diag, entry_place(entry, "plugin"),
                              "plugin `%s` has an option `%s`, as the agent itself has for every "
                              "instance: the plugin must call its own differently", plugin->name,
                              o->name);
                return false;
            }
        }
    }
    return true;
}

/* NULL on an error, reported; an optional plugin that is not there is a warning. */
static const struct ov_plugin *entry_plugin(struct reading *r, struct entry *entry)
{
    const char *name = entry->instance->plugin_name;
    struct ov_span at = entry_place(entry, "plugin");
    struct ov_buf why = {0};
    const struct ov_plugin *plugin = NULL;
    if (!name_is_good(name)) {
        ov_diag_quote(&why, ov_slice(name));
        ov_diag_error(r->diag, at, "%s is no plugin's name: those are made of letters, digits, "
                      "_, - and .", ov_buf_text(&why));
    } else if (!(plugin = ov_plugins_load(r->plugins, name, &why))) {
        ov_plugins_explain(r->plugins, name, &why);
        entry->missing = entry->instance->optional;
        if (entry->missing)
            ov_diag_warn(r->diag, at, "%s: left out, since it is optional", ov_buf_text(&why));
        else
            ov_diag_error(r->diag, at, "%s", ov_buf_text(&why));
    } else if (plugin->kind != entry->section->kind) {
        const struct section *other = &sections[plugin->kind];
        ov_diag_error(r->diag, at, "`%s` is %s: it belongs under `%s`", name, other->one,
                      other->name);
        plugin = NULL;
    } else if (!options_are_free(entry, plugin, r->diag)) {
        plugin = NULL;
    }
    ov_buf_free(&why);
    return plugin;
}

/* ---------------------------------------------------------------- one instance */

/* Sets the plugin's name and the instance's; false where that is impossible, reported. */
static bool entry_names(struct reading *r, struct entry *entry, const char *standard)
{
    struct ov_instance *instance = entry->instance;
    const struct ov_node *node = entry->node;
    if (!node)
        instance->plugin_name = ov_strdup(standard);
    else if (node->kind == OV_NODE_SCALAR)
        instance->plugin_name = ov_strdup(node->text.ptr);
    if (!instance->plugin_name) {
        const struct ov_node *plugin = ov_tree_get(node, "plugin");
        if (!plugin || plugin->key->faulty)
            ov_diag_error(r->diag, ov_source_place(&entry->source), "`%s`: `plugin` is required",
                          entry->source.what);
        return false;
    }
    if (!instance->name)
        instance->name = ov_strdup(instance->plugin_name);
    else if (!name_is_good(instance->name))
        ov_diag_error(r->diag, entry_place(entry, "name"), "`%s.name`: a name is made of letters, "
                      "digits, _, - and ., begins with no . and has %d characters at most",
                      entry->section->name, LONGEST_NAME);
    return true;
}

static void entry_unique(struct reading *r, const struct entry *entry,
                         const struct ov_instance *first)
{
    for (const struct ov_instance *other = first; other < entry->instance; other++) {
        if (!other->name || strcmp(other->name, entry->instance->name) != 0)
            continue;
        struct ov_buf name = {0};
        ov_diag_quote(&name, ov_slice(other->name));
        ov_diag_error(r->diag, entry_place(entry, "name"),
                      "two of the %s are called %s: give one of them another `name`",
                      entry->section->name, ov_buf_text(&name));
        ov_buf_free(&name);
        return;
    }
}

static void entry_read_state(struct reading *r, struct entry *entry, const struct ov_plugin *plugin)
{
    struct ov_instance *instance = entry->instance;
    const struct ov_option *const tables[] = {entry->section->options, plugin->options};
    struct ov_check check = {&entry->source, plugin->options};
    instance->plugin = plugin;
    instance->state = ov_calloc(1, plugin->state_size);
    size_t before = ov_diag_errors(r->diag);
    ov_options_read(&entry->source, plugin->options, instance->state);
    ov_options_unknown(&entry->source, tables, OV_COUNT(tables));
    instance->origins = ov_origins_new(&entry->source, plugin->options, r->settings->env_file);
    entry->source.faulty = ov_diag_errors(r->diag) > before || ov_tree_is_faulty(entry->node);
    if (plugin->check && ov_options_have_required(plugin->options, instance->state))
        plugin->check(instance->state, &check);
}

/* What an entry is called in messages: by its own name where it has one. */
static void entry_what(const struct entry *entry, const char *standard, struct ov_buf *what)
{
    const struct ov_node *node = ov_tree_get(entry->node, "name");
    if (!node || node->kind != OV_NODE_SCALAR)
        node = ov_tree_get(entry->node, "plugin");
    if (!node || node->kind != OV_NODE_SCALAR)
        node = entry->node;
    ov_buf_printf(what, "%s.", entry->section->name);
    if (!node)
        ov_buf_str(what, standard);
    else if (node->kind == OV_NODE_SCALAR)
        ov_buf_escaped(what, (struct ov_slice){node->text.ptr, strnlen(node->text.ptr, 64)});
    else
        ov_buf_char(what, '?');
}

static void read_entry(struct reading *r, struct entry *entry, const char *standard,
                       const struct ov_instance *first)
{
    struct ov_buf what = {0};
    entry_what(entry, standard, &what);
    entry->source = (struct ov_source){r->diag, r->env, entry->node, ov_buf_text(&what), false};
    entry->instance->jitter_ms = -1;
    if (entry->node && entry->node->kind == OV_NODE_LIST) {
        ov_diag_error(r->diag, entry->node->span,
                      "expected a plugin's name, or a mapping with `plugin: NAME`, got a list");
    } else {
        ov_options_read(&entry->source, entry->section->options, entry->instance);
        if (entry_names(r, entry, standard)) {
            const struct ov_plugin *plugin = entry_plugin(r, entry);
            if (plugin)
                entry_read_state(r, entry, plugin);
            if (!entry->missing)
                entry_unique(r, entry, first);
            if (entry->section->kind == OV_INPUT)
                tags_inherit(&entry->instance->tags, &r->settings->tags);
        }
    }
    ov_buf_free(&what);
}

static void instance_free(struct ov_instance *instance, const struct section *section)
{
    if (instance->state) {
        ov_options_free(instance->plugin->options, instance->state);
        ov_origins_free(instance->origins, instance->plugin->options);
    }
    free(instance->state);
    ov_options_free(section->options, instance);
}

/* ---------------------------------------------------------------- the sections */

static struct ov_instance *read_section(struct reading *r, const struct section *section,
                                        const struct ov_node *list, size_t *kept)
{
    const char *const *standard = section->standard;
    struct ov_node *node = list ? list->first : NULL;
    size_t count = 0;
    for (const struct ov_node *n = node; n; n = n->next)
        count++;
    for (size_t i = 0; !list && standard[i]; i++)
        count++;
    if (count > MAX_INSTANCES) {
        ov_diag_error(r->diag, list->key->span, "more than %d %s", MAX_INSTANCES, section->name);
        count = MAX_INSTANCES;
    }
    struct ov_instance *instances = ov_calloc(count, sizeof *instances);
    for (*kept = 0; count > 0; count--) {
        struct entry entry = {.section = section, .node = node, .instance = &instances[*kept]};
        if (node)
            node->shown = true;
        if (!node || !node->faulty)
            read_entry(r, &entry, *standard, instances);
        if (entry.missing) {
            r->settings->missing_count++;
            instance_free(entry.instance, section);
            *entry.instance = (struct ov_instance){0};
        } else {
            ++*kept;
        }
        node = node ? node->next : NULL;
        standard += *standard && !list;
    }
    return instances;
}

/* Finds a section that is of this kind or left out, then *out is NULL; false on an error. */
static bool get_section(struct reading *r, const struct ov_node *root, const char *name,
                        enum ov_node_kind kind, const struct ov_node **out)
{
    struct ov_node *node = ov_tree_get(root, name);
    *out = NULL;
    if (!node)
        return true;
    bool nothing = node->kind == OV_NODE_SCALAR && node->plain && node->text.len == 0;
    node->shown = true;
    if (!node->faulty && (node->kind == kind || (nothing && kind == OV_NODE_MAPPING))) {
        *out = node;
        return true;
    }
    if (nothing)
        ov_diag_error(r->diag, node->key->span, "`%s` has nothing in it: leave it out for the "
                      "standard ones, or write `%s: []` for none", name, name);
    else if (!node->faulty)
        ov_diag_error(r->diag, node->span, "`%s`: expected %s", name, kind == OV_NODE_LIST
                      ? "a list whose entries are `- plugin: NAME` with the plugin's options"
                      : "a mapping of options");
    return false;
}

static bool tags_equal(const struct ov_map *a, const struct ov_map *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct ov_tag *other = tag_find(b, a->items[i].name);
        if (!other || !ov_slice_eq(other->value, a->items[i].value))
            return false;
    }
    return a->count == b->count;
}

/* Two inputs of one plugin measure things of the same names: where their tags do not tell them
 * apart, each gets the tag `input`, so that no sample takes another's place. */
static void tell_apart(struct ov_settings *settings)
{
    struct ov_instance *inputs = settings->inputs;
    bool *twin = ov_calloc(settings->input_count, sizeof *twin);
    for (size_t i = 0; i < settings->input_count; i++)
        for (size_t j = 0; j < settings->input_count && !twin[i]; j++)
            twin[i] = i != j && inputs[i].plugin && inputs[i].plugin == inputs[j].plugin &&
                      tags_equal(&inputs[i].tags, &inputs[j].tags);
    for (size_t i = 0; i < settings->input_count; i++)
        if (twin[i])
            tag_set(&inputs[i].tags, "input", inputs[i].name);
    free(twin);
}

static void read_instances(struct reading *r, const struct ov_node *root)
{
    struct ov_settings *settings = r->settings;
    const struct ov_node *list;
    if (get_section(r, root, "inputs", OV_NODE_LIST, &list))
        settings->inputs = read_section(r, &sections[OV_INPUT], list, &settings->input_count);
    if (settings->inputs)
        tell_apart(settings);
    if (get_section(r, root, "outputs", OV_NODE_LIST, &list))
        settings->outputs = read_section(r, &sections[OV_OUTPUT], list, &settings->output_count);
}

/* ---------------------------------------------------------------- the agent's own */

static struct ov_dotenv *read_env(struct ov_diag *diag, const struct ov_node *root)
{
    struct ov_node *node = ov_tree_get(ov_tree_get(root, "agent"), "env_file");
    struct ov_dotenv *env = ov_dotenv_read(NULL, NULL);
    struct ov_buf why = {0};
    const char *path = access(".env", F_OK) == 0 ? ".env" : NULL;
    if (node && node->kind == OV_NODE_SCALAR) {
        ov_tree_expand(node, env, diag);
        path = node->text.len > 0 && !node->faulty ? node->text.ptr : NULL;
    }
    ov_dotenv_free(env);
    env = ov_dotenv_read(path, &why);
    if (why.len > 0)
        ov_diag_warn(diag, node ? node->span : OV_NOWHERE, "cannot read the environment file "
                     "`%s`: %s", path, ov_buf_text(&why));
    ov_buf_free(&why);
    return env;
}

/* Chooses where plugins are; those of an earlier reading stay. */
static void open_plugins(struct reading *r, const struct ov_source *agent, const char *override,
                         struct ov_plugins **plugins)
{
    char **dir = &r->settings->plugin_dir;
    char *chosen = ov_plugin_dir(override && *override ? override : NULL, *dir);
    if (!*plugins)
        *plugins = ov_plugins_new(chosen);
    r->plugins = *plugins;
    if (strcmp(chosen, ov_plugins_dir(*plugins)) != 0) {
        const struct ov_node *node = ov_tree_get(agent->node, "plugin_dir");
        ov_diag_warn(r->diag, node ? node->span : OV_NOWHERE, "plugins cannot come from another "
                     "directory while the agent runs: restart it to change `plugin_dir`");
    }
    char *used = ov_strdup(ov_plugins_dir(*plugins));
    free(chosen);
    free(*dir);
    *dir = used;
}

static void read_agent(struct reading *r, const struct ov_node *root, const char *override,
                       struct ov_plugins **plugins)
{
    static const struct ov_option *const tables[] = {ov_agent_options};
    struct ov_source source = {.diag = r->diag, .env = r->env, .what = "agent"};
    get_section(r, root, "agent", OV_NODE_MAPPING, &source.node);
    ov_options_read(&source, ov_agent_options, r->settings);
    ov_options_unknown(&source, tables, OV_COUNT(tables));
    open_plugins(r, &source, override, plugins);
}

static void read_root(struct reading *r, struct ov_node *root, const char *override,
                      struct ov_plugins **plugins)
{
    static const struct ov_option *const tables[] = {section_options};
    struct ov_source source = {r->diag, r->env, root, "the configuration", false};
    bool nothing = root && root->kind == OV_NODE_SCALAR && root->plain && root->text.len == 0;
    if (root) {
        root->shown = true;
        ov_tree_expand(root, r->env, r->diag);
        if (root->kind != OV_NODE_MAPPING && !nothing)
            ov_diag_error(r->diag, root->span,
                          "expected the sections `agent:`, `inputs:` and `outputs:`");
    }
    ov_options_unknown(&source, tables, OV_COUNT(tables));
    read_agent(r, root, override, plugins);
    read_instances(r, root);
    ov_settings_read_rules(r->settings, r->plugins, &source);
    if (root)
        ov_tree_hide(root, r->diag);
}

/* ---------------------------------------------------------------- the file */

struct ov_settings *ov_settings_parse(const char *name, struct ov_slice text,
                                      const char *plugin_dir_override,
                                      struct ov_plugins **plugins, struct ov_buf *errors,
                                      size_t *error_count)
{
    if (ov_slice_starts(text, OV_SLICE("\xef\xbb\xbf")))
        text = (struct ov_slice){text.ptr + 3, text.len - 3};
    struct reading r = {.diag = ov_diag_new(name, text)};
    struct ov_tree *tree = ov_tree_parse(text, r.diag);
    r.settings = ov_calloc(1, sizeof *r.settings);
    if (tree) {
        struct ov_node *root = ov_tree_root(tree);
        r.env = read_env(r.diag, root);
        read_root(&r, root, plugin_dir_override, plugins);
    }
    ov_diag_write(r.diag, errors);
    *error_count = ov_diag_errors(r.diag);
    ov_tree_free(tree);
    ov_dotenv_free(r.env);
    ov_diag_free(r.diag);
    if (*error_count == 0)
        return r.settings;
    ov_settings_free(r.settings);
    return NULL;
}

static bool is_blank(struct ov_slice text)
{
    while (text.len > 0 && memchr(" \t\r\n\xef\xbb\xbf", text.ptr[text.len - 1], 7))
        text.len--;
    return text.len == 0;
}

static void refuse_file(const char *path, const char *why, struct ov_buf *errors,
                        size_t *error_count)
{
    ov_buf_escaped(errors, ov_slice(path));
    ov_buf_printf(errors, ": cannot read the configuration: %s\n", why);
    *error_count = 1;
}

struct ov_settings *ov_settings_read(const char *path, const char *plugin_dir_override,
                                     struct ov_plugins **plugins, struct ov_buf *errors,
                                     size_t *error_count)
{
    if (!path)
        return ov_settings_parse("built-in configuration", OV_SLICE(""), plugin_dir_override,
                                 plugins, errors, error_count);
    struct ov_buf text = {0}, why = {0};
    struct ov_settings *settings = NULL;
    if (ov_slurp(path, FILE_LIMIT, &text, NULL, &why) != OV_OK)
        refuse_file(path, ov_buf_text(&why), errors, error_count);
    else if (is_blank((struct ov_slice){text.data, text.len}))
        refuse_file(path, "it is empty (a file of comments asks for the defaults)", errors,
                    error_count);
    else
        settings = ov_settings_parse(path, (struct ov_slice){text.data, text.len},
                                     plugin_dir_override, plugins, errors, error_count);
    if (settings)
        settings->path = ov_strdup(path);
    ov_buf_free(&text);
    ov_buf_free(&why);
    return settings;
}

void ov_settings_free(struct ov_settings *settings)
{
    if (!settings)
        return;
    for (size_t i = 0; i < settings->input_count; i++)
        instance_free(&settings->inputs[i], &sections[OV_INPUT]);
    for (size_t i = 0; i < settings->output_count; i++)
        instance_free(&settings->outputs[i], &sections[OV_OUTPUT]);
    ov_settings_free_rules(settings);
    free(settings->inputs);
    free(settings->outputs);
    ov_options_free(ov_agent_options, settings);
    free(settings->path);
    free(settings);
}
