/* SPDX-License-Identifier: Apache-2.0 */
/* `omnivigil plugins [NAME]`: what is there, and what a plugin's tables say. */
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "command.h"
#include "option_text.h"
#include "plugin.h"
#include "plugin_dir.h"
#include "self.h"
#include "settings.h"

enum { FLAG_PLUGIN_DIR };
static const struct ov_flag flags[] = {
    [FLAG_PLUGIN_DIR] = {"plugin-dir", 0, "DIR", "where the plugins are", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

static void describe_measurements(struct ov_buf *out, const struct ov_measurement *const *list)
{
    static const char *const types[] = {
        [OV_INT] = "integer", [OV_FLOAT] = "float", [OV_BOOL] = "boolean", [OV_TEXT] = "text",
    };
    for (; *list; list++) {
        const struct ov_measurement *m = *list;
        ov_buf_printf(out, "\n%s", m->name);
        for (unsigned i = 0; i < m->tag_count; i++)
            ov_buf_printf(out, "%s%s%s", i ? ", " : " {", m->tags[i],
                          i + 1 == m->tag_count ? "}" : "");
        ov_buf_printf(out, "\n  %s\n", m->help);
        for (unsigned i = 0; i < m->field_count; i++) {
            const struct ov_field *f = &m->fields[i];
            ov_buf_printf(out, "  %-28s %s%s%s%s\n      %s\n", f->name, types[f->type],
                          f->kind == OV_COUNTER ? ", counter" : "", *f->unit ? ", " : "", f->unit,
                          f->help);
        }
    }
}

static void describe_rules(struct ov_buf *out, const struct ov_rule *rule)
{
    if (!rule || !rule->name)
        return;
    ov_buf_str(out, "\nRecommended rules\n");
    for (; rule->name; rule++) {
        ov_buf_printf(out, "  %-14s %s", rule->name, rule->value);
        if (rule->where)
            ov_buf_printf(out, " where %s", rule->where);
        if (rule->warning)
            ov_buf_printf(out, ", warning %s", rule->warning);
        if (rule->critical)
            ov_buf_printf(out, ", critical %s", rule->critical);
        if (rule->severity)
            ov_buf_printf(out, ", %s", rule->severity);
        if (rule->hold)
            ov_buf_printf(out, ", for %s", rule->hold);
        ov_buf_printf(out, "\n      %s\n", rule->summary);
        if (rule->description)
            ov_buf_printf(out, "      %s\n", rule->description);
    }
}

static void describe(struct ov_buf *out, const struct ov_plugin *plugin)
{
    bool input = plugin->kind == OV_INPUT;
    ov_buf_printf(out, "%s (%s): %s\n\nOptions of every %s\n", plugin->name,
                  input ? "input" : "output", plugin->summary, input ? "input" : "output");
    ov_options_describe(out, input ? ov_input_options : ov_output_options);
    ov_buf_printf(out, "\nOptions of %s\n", plugin->name);
    ov_options_describe(out, plugin->options);
    if (input) {
        ov_buf_str(out, "\nMeasurements\n");
        describe_measurements(out, plugin->measurements);
        describe_rules(out, plugin->rules);
    }
}

/* `omnivigil plugins agent`: the agent's own options and measurements. */
static void describe_agent(struct ov_buf *out)
{
    ov_buf_str(out, "agent: the agent itself\n\nOptions of agent\n");
    ov_options_describe(out, ov_agent_options);
    ov_buf_str(out, "\nMeasurements\n");
    describe_measurements(out, ov_self_measurements);
    describe_rules(out, ov_self_rules);
}

/* `omnivigil plugins rules`: what the sections `rules` and `silences` take. */
static void describe_rule_options(struct ov_buf *out)
{
    ov_buf_str(out, "rules: alert rules of one's own, or changes of recommended ones\n\n"
                    "Options of a rule\n");
    ov_options_describe(out, ov_rule_options);
    ov_buf_str(out, "\nOptions of a silence\n");
    ov_options_describe(out, ov_silence_options);
}

static int refuse(struct ov_plugins *plugins, const char *name, struct ov_buf *why)
{
    bool is_there = ov_plugins_explain(plugins, name, why);
    fprintf(stderr, "omnivigil: %s\n", ov_buf_text(why));
    return is_there ? OV_EXIT_PROBLEM : OV_EXIT_USAGE;
}

static int print_one(struct ov_plugins *plugins, const char *name)
{
    struct ov_buf out = {0}, why = {0};
    const struct ov_plugin *plugin = NULL;
    int status = OV_EXIT_FINE;
    if (strcmp(name, "agent") == 0)
        describe_agent(&out);
    else if (strcmp(name, "rules") == 0)
        describe_rule_options(&out);
    else if ((plugin = ov_plugins_load(plugins, name, &why)))
        describe(&out, plugin);
    else
        status = refuse(plugins, name, &why);
    if (out.len)
        fwrite(out.data, 1, out.len, stdout);
    ov_buf_free(&out);
    ov_buf_free(&why);
    return status;
}

static int print_all(struct ov_plugins *plugins)
{
    size_t count;
    char **names = ov_plugins_list(plugins, &count);
    int status = count ? OV_EXIT_FINE : OV_EXIT_PROBLEM;
    printf("Plugins in %s\n", ov_plugins_dir(plugins));
    for (size_t i = 0; i < count; i++) {
        struct ov_buf why = {0};
        const struct ov_plugin *plugin = ov_plugins_load(plugins, names[i], &why);
        if (plugin)
            printf("  %-12s %-7s %s\n", plugin->name,
                   plugin->kind == OV_INPUT ? "input" : "output", plugin->summary);
        else
            printf("  %-12s refused %s\n", names[i], ov_buf_text(&why));
        ov_buf_free(&why);
        free(names[i]);
    }
    free(names);
    if (!count)
        printf("  none: set the directory with --plugin-dir or OMNIVIGIL_PLUGIN_DIR\n");
    printf("\n`omnivigil plugins NAME` prints the options and measurements of one; NAME may also "
           "be `agent` or `rules`.\n");
    return status;
}

static int run(void *none, struct ov_call *call)
{
    const struct ov_arguments *arguments = ov_call_arguments(call);
    (void)none;
    char *dir = ov_plugin_dir(arguments->values[FLAG_PLUGIN_DIR], NULL);
    struct ov_plugins *plugins = ov_plugins_new(dir);
    int status = arguments->word_count ? print_one(plugins, arguments->words[0])
                                       : print_all(plugins);
    ov_plugins_free(plugins);
    free(dir);
    return status;
}

const struct ov_command ov_command_plugins = {
    .name = "plugins", .takes = "[NAME]", .words_max = 1,
    .summary = "List plugins, or print one's options and measurements",
    .example = "omnivigil plugins redis_bus", .flags = flags, .run = run,
};
