/* SPDX-License-Identifier: Apache-2.0 */
/* `omnivigil config check`: reads the configuration as the agent would; no network, no writes. */
#include <stdio.h>

#include "call.h"
#include "command.h"
#include "config_path.h"
#include "settings.h"

enum { FLAG_CONFIG, FLAG_PLUGIN_DIR };
static const struct ov_flag flags[] = {
    [FLAG_CONFIG] = {"config", 'c', "FILE", OV_CONFIG_HELP, NULL},
    [FLAG_PLUGIN_DIR] = {"plugin-dir", 0, "DIR", "where the plugins are", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

static void print_instances(const char *kind, const struct ov_instance *instances, size_t count)
{
    printf("%s:", kind);
    for (size_t i = 0; i < count; i++) {
        printf(" %s", instances[i].name);
        if (strcmp(instances[i].name, instances[i].plugin->name) != 0)
            printf(" (%s)", instances[i].plugin->name);
    }
    printf("%s\n", count ? "" : " none");
}

static int run(void *none, struct ov_call *call)
{
    const struct ov_arguments *arguments = ov_call_arguments(call);
    (void)none;
    const char *path = ov_config_path(arguments->values[FLAG_CONFIG]);
    struct ov_plugins *plugins = NULL;
    struct ov_buf errors = {0};
    size_t error_count = 0;
    struct ov_settings *settings = ov_settings_read(path, arguments->values[FLAG_PLUGIN_DIR],
                                                    &plugins, &errors, &error_count);
    if (errors.len)
        fprintf(stderr, "%s", ov_buf_text(&errors));
    if (settings) {
        printf("%s: good\n", path ? path : "built-in configuration");
        print_instances("inputs", settings->inputs, settings->input_count);
        print_instances("outputs", settings->outputs, settings->output_count);
    } else {
        fprintf(stderr, "%s: %zu error%s\n", path ? path : "built-in configuration", error_count,
                error_count == 1 ? "" : "s");
    }
    int status = settings ? OV_EXIT_FINE : OV_EXIT_PROBLEM;
    ov_buf_free(&errors);
    ov_settings_free(settings);
    ov_plugins_free(plugins);
    return status;
}

const struct ov_command ov_command_config_check = {
    .name = "config check", .takes = "", .summary = "Check the configuration",
    .more = "Reports every error with its file, line and column. Opens no connection and writes\n"
            "nothing.\n",
    .example = "omnivigil config check -c /etc/omnivigil/omnivigil.yaml",
    .flags = flags, .run = run,
};
