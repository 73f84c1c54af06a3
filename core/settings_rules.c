/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configured rule whose name is a recommended one's changes what it says and keeps the rest;
 * any other is a rule of its own. Compiling checks every name against the measurements of the
 * configured inputs, and each complaint is shown at the key it is about.
 */
#include <stdlib.h>
#include <time.h>

#include "nearest.h"
#include "self.h"
#include "settings_rules.h"

/* What can be said of a rule in the configuration. */
struct rule_entry {
    struct ov_rule rule;
    bool enabled;
};

#define RULE(key, member) \
    .name = key, .type = OV_OPT_STRING, .offset = offsetof(struct rule_entry, rule.member)

const struct ov_option ov_rule_options[] = {
    {RULE("name", name), .required = true,
     .help = "the rule's name; a recommended rule's changes that one"},
    {.name = "enabled", .type = OV_OPT_BOOL, .offset = offsetof(struct rule_entry, enabled),
     .fallback = "true", .help = "false switches the rule off"},
    {RULE("value", value),
     .help = "what is looked at: measurement.field, or increase(measurement.field, 5m)"},
    {RULE("where", where),
     .help = "which samples: name=pattern|pattern, name=pattern of tags and fields"},
    {RULE("unless", unless),
     .help = "muted while a sample matches: measurement.field=pattern|pattern; one whose tags, "
             "with its input's, do not contradict"},
    {RULE("warning", warning), .help = "range as in Nagios: 10, 10:, ~:10, 10:20, @10:20"},
    {RULE("critical", critical), .help = "the same, for what is worse"},
    {RULE("severity", severity),
     .help = "warning or critical, for a rule without ranges: its conditions alone alarm"},
    {RULE("clear", clear), .help = "range that must be left before a firing alert ends"},
    {RULE("for", hold), .help = "how long it must hold before it fires: 30s"},
    {RULE("clear_for", clear_hold),
     .help = "how long it must be over before it ends; as `for` when not given"},
    {RULE("repeat", repeat), .help = "how often a firing alert is told again; never when not "
                                     "given"},
    {RULE("gone_for", gone_hold),
     .help = "how long what it fires for may be missing, while all else is read, before it ends; "
             "5m when not given"},
    {RULE("summary", summary),
     .help = "one line; {topic}, {agent} or any tag or field, {value}, {threshold}, {severity}"},
    {RULE("description", description), .help = "what it means and what to do"},
    {.name = NULL},
};

struct silence_entry {
    char *rules, *from, *until, *comment;
    struct ov_map tags;
};

const struct ov_option ov_silence_options[] = {
    {.name = "rules", .type = OV_OPT_STRING, .offset = offsetof(struct silence_entry, rules),
     .fallback = "*", .help = "names of rules, as patterns separated by |"},
    {.name = "tags", .type = OV_OPT_MAP, .offset = offsetof(struct silence_entry, tags),
     .help = "only series with these tags: patterns separated by |"},
    {.name = "from", .type = OV_OPT_STRING, .offset = offsetof(struct silence_entry, from),
     .help = "when it begins: 2026-12-24 or 2026-12-24T18:00:00Z, in UTC; at once when not given"},
    {.name = "until", .type = OV_OPT_STRING, .offset = offsetof(struct silence_entry, until),
     .help = "when it ends; never when not given"},
    {.name = "comment", .type = OV_OPT_STRING, .offset = offsetof(struct silence_entry, comment),
     .help = "why, for whoever reads this file"},
    {.name = NULL},
};

/* ---------------------------------------------------------------- what there is */

struct rule_list {
    const struct ov_rule **rules;
    size_t count;
};

static void list_add(struct rule_list *list, const struct ov_rule *rules)
{
    for (; rules && rules->name; rules++) {
        for (size_t i = 0; i < list->count; i++)
            if (list->rules[i] == rules)
                return; /* of a plugin that has an instance already */
        list->rules = ov_realloc(list->rules, list->count + 1, sizeof *list->rules);
        list->rules[list->count++] = rules;
    }
}

static const struct ov_rule *list_find(const struct rule_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->rules[i]->name, name) == 0)
            return list->rules[i];
    return NULL;
}

/* The rules the configuration speaks of. */
struct name_list {
    char **names;
    size_t count;
};

static bool names_have(const struct name_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->names[i], name) == 0)
            return true;
    return false;
}

/* What rules and silences may speak of. */
struct known {
    struct ov_catalogue catalogue;
    struct rule_list recommended;
    struct name_list said;
};

static void known_add(struct known *known, const struct ov_plugin *plugin)
{
    ov_catalogue_add(&known->catalogue, plugin->measurements);
    list_add(&known->recommended, plugin->rules);
}

/* All inputs there are, in place of some that nobody knows. False where one does not load. */
static bool known_add_all(struct known *known, struct ov_plugins *plugins)
{
    size_t count;
    char **names = ov_plugins_list(plugins, &count);
    bool all = true;
    for (size_t i = 0; i < count; i++) {
        struct ov_buf why = {0};
        const struct ov_plugin *plugin = ov_plugins_load(plugins, names[i], &why);
        all = all && plugin;
        if (plugin && plugin->kind == OV_INPUT)
            known_add(known, plugin);
        ov_buf_free(&why);
        free(names[i]);
    }
    free(names);
    return all;
}

/* False where an input did not load, and may measure anything. */
static bool known_fill(struct known *known, const struct ov_settings *settings,
                       struct ov_plugins *plugins)
{
    bool all = settings->inputs != NULL;
    for (size_t i = 0; i < settings->input_count; i++) {
        all = all && settings->inputs[i].plugin;
        if (settings->inputs[i].plugin)
            known_add(known, settings->inputs[i].plugin);
    }
    ov_catalogue_add(&known->catalogue, ov_self_measurements);
    list_add(&known->recommended, ov_self_rules);
    return all || known_add_all(known, plugins);
}

static void known_free(struct known *known)
{
    for (size_t i = 0; i < known->said.count; i++)
        free(known->said.names[i]);
    free(known->said.names);
    free(known->recommended.rules);
    free(known->catalogue.list);
}

/* ---------------------------------------------------------------- compiling */

static void complain(void *context, const char *key, const char *problem)
{
    const struct ov_source *source = context;
    const struct ov_node *node = ov_tree_get(source->node, key);
    if (!ov_source_can_judge(source, node))
        return;
    ov_diag_error(source->diag, node ? node->span : ov_source_place(source), "%s: `%s`: %s",
                  source->what, key, problem);
}

static void add_rule(struct ov_settings *settings, const struct ov_rule *text,
                     const struct ov_catalogue *catalogue, struct ov_source *source)
{
    struct ov_compiled_rule *rule = ov_rule_compile(text, catalogue, complain, source);
    if (!rule)
        return;
    settings->rules = ov_realloc(settings->rules, settings->rule_count + 1,
                                 sizeof *settings->rules);
    settings->rules[settings->rule_count++] = rule;
}

static bool is_measured(const struct ov_catalogue *catalogue, const char *place)
{
    struct ov_slice name = {place, strcspn(place, ".")};
    for (size_t i = 0; i < catalogue->count; i++)
        if (ov_slice_eq(ov_slice(catalogue->list[i]->name), name))
            return true;
    return false;
}

/* What would mute a recommended rule may be measured by an input that is not configured: then
 * nothing does. */
static struct ov_rule recommended_rule(const struct ov_rule *text,
                                       const struct ov_catalogue *catalogue)
{
    struct ov_rule rule = *text;
    if (rule.unless && !is_measured(catalogue, rule.unless))
        rule.unless = NULL;
    return rule;
}

static const char *either(const char *said, const char *otherwise)
{
    return said ? said : otherwise;
}

/* What the configuration says over what is recommended. */
static struct ov_rule merge(const struct ov_rule *said, const struct ov_rule *base)
{
    struct ov_rule all = *said;
    if (!base)
        return all;
    bool ranges = said->warning || said->critical;
    all.value = either(said->value, base->value);
    all.where = either(said->where, base->where);
    all.unless = either(said->unless, base->unless);
    all.warning = either(said->warning, base->warning);
    all.critical = either(said->critical, base->critical);
    all.severity = either(said->severity, ranges ? NULL : base->severity);
    all.clear = either(said->clear, base->clear);
    all.hold = either(said->hold, base->hold);
    all.clear_hold = either(said->clear_hold, base->clear_hold);
    all.repeat = either(said->repeat, base->repeat);
    all.gone_hold = either(said->gone_hold, base->gone_hold);
    all.summary = either(said->summary, base->summary);
    all.description = either(said->description, base->description);
    return all;
}

/* The entries of a section; NULL without any. */
static struct ov_node *find_entries(const struct ov_source *root, const char *name)
{
    struct ov_node *node = ov_tree_get(root->node, name);
    if (!node || node->faulty)
        return NULL;
    node->shown = true;
    for (struct ov_node *n = node->kind == OV_NODE_LIST ? node->first : NULL; n; n = n->next)
        n->shown = true;
    if (node->kind == OV_NODE_LIST)
        return node->first;
    ov_diag_error(root->diag, node->span, "`%s`: expected a list of mappings", name);
    return NULL;
}

/* The name of the plugin that recommends a rule, among all there are; to be freed, or NULL. */
static char *find_recommender(struct ov_plugins *plugins, const char *name)
{
    size_t count;
    char **names = ov_plugins_list(plugins, &count), *found = NULL;
    for (size_t i = 0; i < count; i++) {
        struct ov_buf why = {0};
        const struct ov_plugin *plugin = found ? NULL : ov_plugins_load(plugins, names[i], &why);
        for (const struct ov_rule *r = plugin ? plugin->rules : NULL; r && r->name; r++)
            if (!found && strcmp(r->name, name) == 0)
                found = ov_strdup(plugin->name);
        ov_buf_free(&why);
        free(names[i]);
    }
    free(names);
    return found;
}

/* A rule that says no `value`, and is none of a configured input; one that is switched off may be
 * of an input that is not configured. */
static void complain_unknown(struct ov_plugins *plugins, struct ov_source *source,
                             const struct known *known, const struct rule_entry *entry)
{
    const char *name = entry->rule.name;
    struct ov_buf text = {0};
    char *input = find_recommender(plugins, name);
    if (input) {
        ov_buf_printf(&text, "it is a rule of the input %s, which is not configured: add "
                      "`- plugin: %s` to `inputs`, or take the rule out", input, input);
    } else {
        struct ov_nearest nearest = {.wanted = ov_slice(name)};
        for (size_t i = 0; i < known->recommended.count; i++)
            ov_nearest_try(&nearest, known->recommended.rules[i]->name);
        ov_buf_str(&text, "no input recommends a rule of that name");
        ov_nearest_hint(&nearest, &text);
        ov_buf_str(&text, ", and one of your own needs `value`");
    }
    if (!input || entry->enabled)
        complain(source, "name", ov_buf_text(&text));
    free(input);
    ov_buf_free(&text);
}

static void read_rule(struct ov_settings *settings, struct ov_plugins *plugins,
                      const struct ov_source *root, struct known *known,
                      const struct ov_node *node)
{
    static const struct ov_option *const tables[] = {ov_rule_options};
    struct rule_entry entry = {.enabled = true};
    struct ov_source source = {root->diag, root->env, node, "a rule", false};
    struct name_list *said = &known->said;
    size_t errors = ov_diag_errors(root->diag);
    ov_options_read(&source, ov_rule_options, &entry);
    ov_options_unknown(&source, tables, OV_COUNT(tables));
    source.faulty = ov_diag_errors(root->diag) > errors || ov_tree_is_faulty(node);
    if (entry.rule.name) {
        const struct ov_rule *base = list_find(&known->recommended, entry.rule.name);
        struct ov_rule plain = base ? recommended_rule(base, &known->catalogue)
                                    : (struct ov_rule){0};
        struct ov_rule whole = merge(&entry.rule, base ? &plain : NULL);
        source.what = entry.rule.name;
        if (names_have(said, entry.rule.name))
            complain(&source, "name", "there is another rule of this name");
        if (!whole.value && !ov_tree_get(node, "value"))
            complain_unknown(plugins, &source, known, &entry);
        else if (entry.enabled)
            add_rule(settings, &whole, &known->catalogue, &source);
        said->names = ov_realloc(said->names, said->count + 1, sizeof *said->names);
        said->names[said->count++] = ov_strdup(entry.rule.name);
    }
    ov_options_free(ov_rule_options, &entry);
}

/* The configured rules, then the recommended ones they do not speak of. */
static void read_rules(struct ov_settings *settings, struct ov_plugins *plugins,
                       const struct ov_source *root, struct known *known,
                       const struct ov_node *entries)
{
    for (const struct ov_node *n = entries; n; n = n->next)
        read_rule(settings, plugins, root, known, n);
    for (size_t i = 0; i < known->recommended.count; i++) {
        struct ov_rule rule = recommended_rule(known->recommended.rules[i], &known->catalogue);
        struct ov_source source = {root->diag, root->env, NULL, rule.name, false};
        if (!names_have(&known->said, rule.name))
            add_rule(settings, &rule, &known->catalogue, &source);
    }
}

/* ---------------------------------------------------------------- silences */

static bool time_parse(const char *text, double *seconds)
{
    static const char *const forms[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%MZ", "%Y-%m-%dT%H:%M:%SZ"};
    for (size_t i = 0; i < OV_COUNT(forms); i++) {
        struct tm utc = {0};
        const char *end = strptime(text, forms[i], &utc);
        if (end && !*end) {
            *seconds = (double)timegm(&utc);
            return true;
        }
    }
    return false;
}

/* Whether there is a rule that a silence's pattern may mean. */
static bool rule_is_known(struct ov_plugins *plugins, const struct known *known,
                          struct ov_slice pattern, struct ov_nearest *nearest)
{
    for (size_t i = 0; i < known->said.count; i++) {
        if (ov_glob(pattern, ov_slice(known->said.names[i])))
            return true;
        ov_nearest_try(nearest, known->said.names[i]);
    }
    for (size_t i = 0; i < known->recommended.count; i++) {
        if (ov_glob(pattern, ov_slice(known->recommended.rules[i]->name)))
            return true;
        ov_nearest_try(nearest, known->recommended.rules[i]->name);
    }
    char *name = ov_memdup(pattern.ptr, pattern.len), *input = find_recommender(plugins, name);
    free(name);
    free(input);
    return input; /* of one that is not configured: nothing to silence, and nothing wrong */
}

static void check_silenced_rules(struct ov_plugins *plugins, const struct known *known,
                                 struct ov_source *source, const char *patterns)
{
    for (const char *at = patterns; *at; at += *at == '|') {
        struct ov_slice pattern = {at, strcspn(at, "|")};
        struct ov_nearest nearest = {.wanted = pattern};
        struct ov_buf text = {0};
        at += pattern.len;
        if (rule_is_known(plugins, known, pattern, &nearest))
            continue;
        ov_buf_str(&text, "there is no rule ");
        ov_diag_quote(&text, pattern);
        ov_nearest_hint(&nearest, &text);
        complain(source, "rules", ov_buf_text(&text));
        ov_buf_free(&text);
    }
}

static bool try_tag(struct ov_nearest *nearest, const char *name)
{
    ov_nearest_try(nearest, name);
    return ov_slice_eq(nearest->wanted, ov_slice(name));
}

/* Whether samples have such a tag: of a measurement, or from the configuration. */
static bool tag_is_known(const struct ov_settings *settings, const struct known *known,
                         struct ov_nearest *nearest)
{
    bool found = false;
    for (size_t i = 0; i < known->catalogue.count; i++)
        for (unsigned j = 0; j < known->catalogue.list[i]->tag_count; j++)
            found |= try_tag(nearest, known->catalogue.list[i]->tags[j]);
    for (size_t i = 0; i < settings->input_count; i++)
        for (size_t j = 0; j < settings->inputs[i].tags.count; j++)
            found |= try_tag(nearest, settings->inputs[i].tags.items[j].name);
    for (size_t i = 0; i < settings->tags.count; i++)
        found |= try_tag(nearest, settings->tags.items[i].name);
    return found;
}

static void check_silenced_tags(const struct ov_settings *settings, const struct known *known,
                                struct ov_source *source, const struct ov_map *tags)
{
    for (size_t i = 0; i < tags->count; i++) {
        struct ov_nearest nearest = {.wanted = ov_slice(tags->items[i].name)};
        struct ov_buf text = {0};
        if (tag_is_known(settings, known, &nearest))
            continue;
        ov_buf_str(&text, "no sample has a tag ");
        ov_diag_quote(&text, nearest.wanted);
        ov_nearest_hint(&nearest, &text);
        complain(source, "tags", ov_buf_text(&text));
        ov_buf_free(&text);
    }
}

static void read_silence_times(struct ov_silence *silence, const struct silence_entry *entry,
                               struct ov_source *source)
{
    static const char wrong[] = "expected a time such as 2026-12-24 or 2026-12-24T18:00:00Z";
    const struct ov_node *until = ov_tree_get(source->node, "until");
    if (entry->from && !time_parse(entry->from, &silence->from))
        complain(source, "from", wrong);
    if (entry->until && !time_parse(entry->until, &silence->until))
        complain(source, "until", wrong);
    else if (entry->until && silence->until <= silence->from)
        complain(source, "until", "it ends before it begins");
    else if (entry->until && silence->until < (double)ov_wall_ns() / 1e9 && until)
        ov_diag_warn(source->diag, until->span, "this silence is over: it does nothing");
}

/* `known`: NULL where nobody can say what there is. */
static void read_silence(struct ov_settings *settings, struct ov_plugins *plugins,
                         const struct ov_source *root, const struct known *known,
                         const struct ov_node *node)
{
    static const struct ov_option *const tables[] = {ov_silence_options};
    struct silence_entry entry = {0};
    struct ov_source source = {root->diag, root->env, node, "a silence", false};
    struct ov_silence silence = {0};
    size_t errors = ov_diag_errors(root->diag);
    ov_options_read(&source, ov_silence_options, &entry);
    ov_options_unknown(&source, tables, OV_COUNT(tables));
    source.faulty = ov_diag_errors(root->diag) > errors || ov_tree_is_faulty(node);
    read_silence_times(&silence, &entry, &source);
    if (known) {
        check_silenced_rules(plugins, known, &source, entry.rules);
        check_silenced_tags(settings, known, &source, &entry.tags);
    }
    silence.rules = ov_slice(entry.rules);
    silence.tags = entry.tags;
    entry.rules = NULL; /* both belong to the silence now */
    entry.tags = (struct ov_map){0};
    ov_options_free(ov_silence_options, &entry);
    settings->silences = ov_realloc(settings->silences, settings->silence_count + 1,
                                    sizeof *settings->silences);
    settings->silences[settings->silence_count++] = silence;
}

/* ---------------------------------------------------------------- both */

void ov_settings_read_rules(struct ov_settings *settings, struct ov_plugins *plugins,
                            const struct ov_source *root)
{
    struct known known = {0};
    const struct ov_node *rules = find_entries(root, "rules");
    const struct ov_node *silences = find_entries(root, "silences");
    bool complete = known_fill(&known, settings, plugins);
    if (complete)
        read_rules(settings, plugins, root, &known, rules);
    for (const struct ov_node *n = silences; n; n = n->next)
        read_silence(settings, plugins, root, complete ? &known : NULL, n);
    known_free(&known);
}

void ov_settings_free_rules(struct ov_settings *settings)
{
    for (size_t i = 0; i < settings->rule_count; i++)
        ov_rule_free(settings->rules[i]);
    free(settings->rules);
    for (size_t i = 0; i < settings->silence_count; i++) {
        struct silence_entry entry = {.rules = (char *)settings->silences[i].rules.ptr,
                                      .tags = settings->silences[i].tags};
        ov_options_free(ov_silence_options, &entry);
    }
    free(settings->silences);
}
