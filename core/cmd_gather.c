/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `omnivigil gather`: one gather of each input, printed. The `file` output's encode writes the
 * samples, so what is printed is what an output would send. Saved state is read, never written,
 * so counters agree with those of an agent that runs here.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "batch.h"
#include "call.h"
#include "command.h"
#include "config_path.h"
#include "emit.h"
#include "host.h"
#include "input.h"
#include "log.h"
#include "nearest.h"
#include "origin.h"
#include "settings.h"

enum { FLAG_CONFIG, FLAG_FORMAT, FLAG_PLUGIN_DIR };
static const char *const formats[] = {"influx", "json", NULL};
static const struct ov_flag flags[] = {
    [FLAG_CONFIG] = {"config", 'c', "FILE", OV_CONFIG_HELP, NULL},
    [FLAG_FORMAT] = {"format", 'f', "FORMAT", "influx (line protocol) or json (one object a line)",
                     formats},
    [FLAG_PLUGIN_DIR] = {"plugin-dir", 0, "DIR", "where the plugins are", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

struct printer {
    struct ov_settings *settings; /* of a configuration with one output, `file` */
    struct ov_host *host;
};

static bool is_wanted(const struct ov_instance *instance, const struct ov_arguments *arguments)
{
    for (int i = 0; i < arguments->word_count; i++)
        if (strcmp(instance->name, arguments->words[i]) == 0 ||
            strcmp(instance->plugin->name, arguments->words[i]) == 0)
            return true;
    return arguments->word_count == 0;
}

/* Whether each word names an input; complains about the first that does not. */
static bool words_are_inputs(const struct ov_settings *settings,
                             const struct ov_arguments *arguments)
{
    for (int i = 0; i < arguments->word_count; i++) {
        struct ov_nearest nearest = {.wanted = ov_slice(arguments->words[i])};
        struct ov_arguments one = {.words = &arguments->words[i], .word_count = 1};
        bool found = false;
        for (size_t j = 0; j < settings->input_count; j++) {
            found = found || is_wanted(&settings->inputs[j], &one);
            ov_nearest_try(&nearest, settings->inputs[j].name);
        }
        if (!found) {
            struct ov_buf text = {0};
            ov_buf_escaped(&text, ov_slice(arguments->words[i]));
            ov_buf_char(&text, '`');
            ov_nearest_hint(&nearest, &text);
            fprintf(stderr, "omnivigil: no input is called `%s\n", ov_buf_text(&text));
            ov_buf_free(&text);
            return false;
        }
    }
    return true;
}

static int gather_one(const struct ov_input_world *world, struct ov_instance *instance,
                      const struct ov_instance *file, struct ov_buf *out)
{
    struct ov_buf why = {0};
    struct ov_input *input = ov_input_new(world, instance, &why);
    if (!input) {
        fprintf(stderr, "omnivigil: %s\n", ov_buf_text(&why));
        ov_buf_free(&why);
        return OV_EXIT_UNABLE;
    }
    ov_input_restore(input);
    struct ov_batch *batch = ov_batch_new(&instance->tags, ov_wall_ns());
    int64_t timeout = instance->timeout_ms > 0 ? instance->timeout_ms : 60000;
    int result = ov_input_gather_once(input, batch, ov_clock_ms() + timeout);
    if (result != OV_OK) {
        ov_buf_escaped(&why, ov_slice(ov_input_why(input)));
        ov_origins_put(instance->origins, instance->plugin->options, instance->state,
                       ov_input_why(input), &why);
        fprintf(stderr, "omnivigil: input %s: %s\n", instance->name, ov_buf_text(&why));
    }
    struct ov_emit emit = {.buf = out};
    file->plugin->encode(file->state, batch, &emit);
    ov_batch_free(batch);
    ov_input_free(input);
    ov_buf_free(&why);
    return result == OV_OK ? OV_EXIT_FINE : OV_EXIT_UNABLE;
}

/* An instance of the `file` output that writes `format`; NULL when it cannot be had. */
static struct ov_settings *printer_settings(struct ov_plugins **plugins, const char *plugin_dir,
                                            const char *format)
{
    struct ov_buf text = {0}, errors = {0};
    size_t error_count = 0;
    ov_buf_printf(&text, "{inputs: [], outputs: [{plugin: file, format: %s}]}", format);
    struct ov_settings *settings = ov_settings_parse("--format", (struct ov_slice){text.data,
                                                     text.len}, plugin_dir, plugins, &errors,
                                                     &error_count);
    if (errors.len)
        fprintf(stderr, "%s", ov_buf_text(&errors));
    ov_buf_free(&text);
    ov_buf_free(&errors);
    return settings;
}

static int gather_all(struct ov_settings *settings, struct ov_plugins *plugins,
                      const struct ov_arguments *arguments, const struct ov_instance *file)
{
    int status = OV_EXIT_FINE;
    bool taken = false;
    struct ov_buf why = {0};
    char *dir = settings->state_dir && *settings->state_dir ? ov_strdup(settings->state_dir)
                                                            : ov_state_default_dir();
    struct ov_input_world world = {
        .settings = settings, .plugin_dir = ov_plugins_dir(plugins),
        .state = ov_state_open(dir, true, &taken, &why), /* NULL is fine: there is none yet */
    };
    for (size_t i = 0; i < settings->input_count; i++) {
        struct ov_buf out = {0};
        if (!is_wanted(&settings->inputs[i], arguments))
            continue;
        int one = gather_one(&world, &settings->inputs[i], file, &out);
        status = one > status ? one : status;
        if (out.len && fwrite(out.data, 1, out.len, stdout) != out.len)
            status = OV_EXIT_UNABLE;
        fflush(stdout);
        ov_buf_free(&out);
    }
    ov_state_close(world.state);
    ov_buf_free(&why);
    free(dir);
    return status;
}

static int run(void *none, struct ov_call *call)
{
    const struct ov_arguments *arguments = ov_call_arguments(call);
    (void)none;
    const char *plugin_dir = arguments->values[FLAG_PLUGIN_DIR];
    const char *format = arguments->values[FLAG_FORMAT];
    struct ov_plugins *plugins = NULL;
    struct ov_buf errors = {0};
    size_t error_count = 0;
    int status = OV_EXIT_USAGE;
    ov_log_setup(OV_WARN, false);
    struct ov_settings *printer = NULL;
    struct ov_settings *settings = ov_settings_read(ov_config_path(arguments->values[FLAG_CONFIG]),
                                                    plugin_dir, &plugins, &errors, &error_count);
    if (errors.len)
        fprintf(stderr, "%s", ov_buf_text(&errors));
    if (settings && words_are_inputs(settings, arguments)) {
        printer = printer_settings(&plugins, plugin_dir, format ? format : "influx");
        status = printer ? gather_all(settings, plugins, arguments, &printer->outputs[0])
                         : OV_EXIT_UNABLE;
    }
    ov_buf_free(&errors);
    ov_settings_free(printer);
    ov_settings_free(settings);
    ov_plugins_free(plugins);
    return status;
}

const struct ov_command ov_command_gather = {
    .name = "gather", .takes = "[INPUT...]", .words_max = 1000,
    .summary = "Gather once and print the samples",
    .more = "Without an INPUT all configured inputs are gathered. Nothing is written anywhere.\n",
    .example = "omnivigil gather redis_bus --format json", .flags = flags, .run = run,
};
