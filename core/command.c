/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding a command and running it. Inputs are only loaded where the core has no command of that
 * name: checks must start quickly.
 */
#include <stdio.h>
#include <stdlib.h>

#include "call.h"
#include "command.h"
#include "command_guess.h"
#include "complete.h"
#include "config_path.h"
#include "log.h"
#include "nearest.h"
#include "plugin_dir.h"
#include "settings.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

const struct ov_command *const ov_commands[] = {
    &ov_command_run,          &ov_command_gather,  &ov_command_check,
    &ov_command_config_check, &ov_command_plugins, NULL,
};

/* What there is beyond the core. */
struct world {
    struct ov_settings *settings; /* NULL: the configuration has errors */
    struct ov_plugins *plugins;
    struct ov_buf errors;
    struct ov_command_row *rows; /* ends with a NULL command */
    size_t count;
};

/* ---------------------------------------------------------------- rows */

struct ov_flag *ov_command_flags(const struct ov_command_row *row, unsigned *common)
{
    struct ov_flag *flags = ov_calloc(OV_FLAGS_MAX + 1, sizeof *flags);
    char letters[OV_FLAGS_MAX + 1] = "";
    unsigned count = 0;
    for (const struct ov_flag *f = row->command->flags; f && f->name && count < OV_FLAGS_MAX; f++) {
        letters[count] = f->letter ? f->letter : ' ';
        flags[count++] = *f;
    }
    *common = count;
    for (int i = 0; row->plugin && i < OV_CALL_COMMON_COUNT && count < OV_FLAGS_MAX; i++) {
        if (i == OV_CALL_WATCH && row->command->once)
            continue;
        flags[count] = ov_call_flags[i];
        if (flags[count].letter && strchr(letters, flags[count].letter))
            flags[count].letter = 0; /* the command has another use for it */
        count++;
    }
    return flags;
}

static void add_row(struct world *world, const struct ov_command *command,
                    const struct ov_plugin *plugin)
{
    world->rows = ov_realloc(world->rows, world->count + 2, sizeof *world->rows);
    world->rows[world->count++] = (struct ov_command_row){command, plugin};
    world->rows[world->count] = (struct ov_command_row){NULL, NULL};
}

static void add_plugin(struct world *world, const struct ov_plugin *plugin)
{
    for (size_t i = 0; i < world->count; i++)
        if (world->rows[i].plugin == plugin)
            return;
    for (size_t i = 0; plugin->commands && plugin->commands[i]; i++)
        add_row(world, plugin->commands[i], plugin);
}

static void add_own(struct world *world)
{
    for (size_t i = 0; ov_commands[i]; i++)
        add_row(world, ov_commands[i], NULL);
}

/* Every input that is there, whether the configuration has it or not. */
static void add_all_inputs(struct world *world)
{
    size_t count;
    char **names = ov_plugins_list(world->plugins, &count);
    for (size_t i = 0; i < count; i++) {
        struct ov_buf why = {0};
        const struct ov_plugin *plugin = ov_plugins_load(world->plugins, names[i], &why);
        if (plugin && plugin->kind == OV_INPUT)
            add_plugin(world, plugin);
        ov_buf_free(&why);
        free(names[i]);
    }
    free(names);
}

/* Reads the configuration, whose inputs bring commands. One with errors does not say which they
 * are; the commands are there all the same, to tell those errors when they run. */
static void add_inputs(struct world *world, int argc, char **argv)
{
    const char *dir = ov_arguments_peek(argc, argv, "plugin-dir", 0);
    const char *config = ov_arguments_peek(argc, argv, "config", 'c');
    size_t error_count = 0;
    ov_log_setup(OV_WARN, false);
    world->settings = ov_settings_read(ov_config_path(config), dir, &world->plugins,
                                       &world->errors, &error_count);
    for (size_t i = 0; world->settings && i < world->settings->input_count; i++)
        add_plugin(world, world->settings->inputs[i].plugin);
    if (world->settings)
        return;
    if (!world->plugins) { /* no configuration was read that could name another directory */
        char *chosen = ov_plugin_dir(dir, NULL);
        world->plugins = ov_plugins_new(chosen);
        free(chosen);
    }
    add_all_inputs(world);
}

static void free_world(struct world *world)
{
    ov_settings_free(world->settings);
    ov_plugins_free(world->plugins);
    ov_buf_free(&world->errors);
    free(world->rows);
}

/* ---------------------------------------------------------------- help */

static void print_usage(const struct world *world)
{
    printf("omnivigil watches an OmniDaemon deployment and feeds the monitoring you already have."
           "\n\nUsage: omnivigil COMMAND [OPTION...]\n\nCommands:\n");
    for (size_t i = 0; i < world->count; i++) {
        const struct ov_command *command = world->rows[i].command;
        if (i > 0 && world->rows[i].plugin != world->rows[i - 1].plugin)
            printf("\n");
        printf("  %-20s %s\n", command->name, command->summary);
    }
    printf("\n`omnivigil COMMAND --help` tells more of one. `--version` prints the version.\n"
           "\nExample: omnivigil gather runner\n");
}

static void put_flag(const struct ov_flag *flag, struct ov_buf *out)
{
    struct ov_buf left = {0};
    ov_buf_printf(&left, flag->letter ? "-%c, " : "    ", flag->letter);
    ov_buf_printf(&left, "--%s%s%s", flag->name, flag->value ? " " : "",
                  flag->value ? flag->value : "");
    ov_buf_printf(out, "  %-28s %s\n", ov_buf_text(&left), flag->help);
    ov_buf_free(&left);
}

void ov_command_help(const struct ov_command_row *row, struct ov_buf *out)
{
    const struct ov_command *command = row->command;
    unsigned common;
    struct ov_flag *flags = ov_command_flags(row, &common);
    ov_buf_printf(out, "Usage: omnivigil %s [OPTION...]%s%s\n\n%s.\n", command->name,
                  *command->takes ? " " : "", command->takes, command->summary);
    if (command->more)
        ov_buf_printf(out, "\n%s", command->more);
    ov_buf_str(out, "\nOptions:\n");
    for (const struct ov_flag *flag = flags; flag->name; flag++)
        put_flag(flag, out);
    ov_buf_printf(out, "  %-28s %s\n", "-h, --help", "this text");
    ov_buf_printf(out, "\nExample: %s\n", command->example);
    free(flags);
}

static void print_help(const struct ov_command_row *row)
{
    struct ov_buf out = {0};
    ov_command_help(row, &out);
    fwrite(out.data, 1, out.len, stdout);
    ov_buf_free(&out);
}

static int usage_error(const struct ov_command *command, struct ov_buf *text)
{
    int status = OV_EXIT_USAGE;
    if (command && command->refuse) {
        status = command->refuse(text);
    } else {
        fprintf(stderr, "omnivigil: %s\n", ov_buf_text(text));
        fprintf(stderr, "`omnivigil%s%s --help` tells what there is.\n", command ? " " : "",
                command ? command->name : "");
    }
    ov_buf_free(text);
    return status;
}

/* ---------------------------------------------------------------- running */

static int run_of_plugin(const struct world *world, const struct ov_command_row *row,
                         const struct ov_arguments *arguments, unsigned common)
{
    if (world->errors.len)
        fprintf(stderr, "%.*s", (int)world->errors.len, world->errors.data);
    if (!world->settings)
        return OV_EXIT_USAGE;
    return ov_call_run(row->command, row->plugin, arguments, common, world->settings,
                       ov_plugins_dir(world->plugins));
}

/* Words too many may be a misspelt part of a longer name: `bus dlq repulish`. */
static void hint_more(const struct world *world, const struct ov_command *command,
                      const struct ov_arguments *arguments, struct ov_buf *error)
{
    if (arguments->word_count <= command->words_max)
        return;
    const struct ov_command *meant = ov_command_guess_more(
        world->rows, world->count, command->name, arguments->word_count, arguments->words);
    if (meant)
        ov_buf_printf(error, " (did you mean `%s`?)", meant->name);
}

static int run(const struct world *world, const struct ov_command_row *row, int argc, char **argv)
{
    struct ov_arguments arguments;
    struct ov_buf error = {0};
    unsigned common;
    struct ov_flag *flags = ov_command_flags(row, &common);
    int status = OV_EXIT_FINE;
    if (!ov_arguments_read(row->command, flags, argc, argv, &arguments, &error)) {
        hint_more(world, row->command, &arguments, &error);
        status = usage_error(row->command, &error);
    }
    else if (arguments.help)
        print_help(row);
    else if (row->plugin)
        status = run_of_plugin(world, row, &arguments, common);
    else
        status = ov_call_run_own(row->command, &arguments);
    free(flags);
    return status;
}

int ov_command_run_as(const struct ov_command *command, int argc, char **argv)
{
    return run(&(struct world){0}, &(struct ov_command_row){command, NULL}, argc - 1, argv + 1);
}

/* How many words of argv the command's name takes up, 0 if it is another. */
static int name_words(const struct ov_command *command, int argc, char **argv)
{
    int words = 0;
    for (const char *rest = command->name; *rest; words++) {
        size_t len = strcspn(rest, " ");
        if (words >= argc || strlen(argv[words]) != len || memcmp(argv[words], rest, len) != 0)
            return 0;
        rest += len + (rest[len] == ' ');
    }
    return words;
}

const struct ov_command_row *ov_command_find(const struct ov_command_row *rows, size_t count,
                                             int argc, char **argv, int *words)
{
    const struct ov_command_row *found = NULL;
    *words = 0;
    for (size_t i = 0; i < count; i++) {
        int some = name_words(rows[i].command, argc, argv);
        if (some > *words) {
            *words = some;
            found = &rows[i];
        }
    }
    return found;
}

/* Whether `word` begins the names of commands; prints them, if it is help that was asked for. */
static bool is_family(const struct world *world, const char *word, bool print)
{
    struct ov_buf begin = {0};
    bool found = false;
    ov_buf_printf(&begin, "%s ", word);
    for (size_t i = 0; i < world->count; i++) {
        const struct ov_command *command = world->rows[i].command;
        if (!ov_slice_starts(ov_slice(command->name), (struct ov_slice){begin.data, begin.len}))
            continue;
        if (print)
            printf("%s  %-20s %s\n", found ? "" : "Commands:\n", command->name, command->summary);
        found = true;
    }
    ov_buf_free(&begin);
    return found;
}

/* An option in the place of a command. */
static void refuse_option(const char *word, struct ov_buf *error)
{
    struct ov_nearest nearest = {.wanted = ov_slice(word)};
    ov_nearest_try(&nearest, "--help");
    ov_nearest_try(&nearest, "--version");
    ov_buf_str(error, "unknown option `");
    ov_buf_escaped(error, nearest.wanted);
    ov_buf_char(error, '`');
    if (!ov_nearest_hint(&nearest, error))
        ov_buf_str(error, ": those of a command come after it");
}

static void refuse_words(const struct world *world, int argc, char **argv, struct ov_buf *error)
{
    struct ov_command_guess guess = ov_command_guess(world->rows, world->count, argc, argv);
    bool family = is_family(world, argv[0], false) && argc > 1 && argv[1][0] != '-';
    int words = guess.words ? guess.words : family ? 2 : 1;
    ov_buf_str(error, "unknown command `");
    for (int i = 0; i < words; i++) {
        ov_buf_str(error, i ? " " : "");
        ov_buf_escaped(error, ov_slice(argv[i]));
    }
    ov_buf_char(error, '`');
    if (guess.words)
        ov_buf_printf(error, " (did you mean `%.*s`?)", (int)guess.name.len, guess.name.ptr);
}

/* A command of an input that the configuration does not have. */
static bool refuse_unconfigured(struct world *world, int argc, char **argv, struct ov_buf *error)
{
    int words;
    add_all_inputs(world);
    const struct ov_command_row *row = ov_command_find(world->rows, world->count, argc, argv,
                                                       &words);
    if (row)
        ov_buf_printf(error, "`%s` comes with the input %s, which the configuration does not have",
                      row->command->name, row->plugin->name);
    return row;
}

/* argv[0]... name no command, nor begin several. */
static int unknown_command(struct world *world, int argc, char **argv)
{
    struct ov_buf error = {0};
    if (argv[0][0] == '-')
        refuse_option(argv[0], &error);
    else if (refuse_unconfigured(world, argc, argv, &error))
        return usage_error(NULL, &error);
    else
        refuse_words(world, argc, argv, &error);
    return usage_error(NULL, &error);
}

static bool asks_for_help(const char *word)
{
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* Inputs are only loaded where no command of the core's own is meant. */
static const struct ov_command_row *find_row(struct world *world, int argc, char **argv, int *words)
{
    add_own(world);
    const struct ov_command_row *row = ov_command_find(world->rows, world->count, argc, argv,
                                                       words);
    if (row)
        return row;
    add_inputs(world, argc, argv);
    return ov_command_find(world->rows, world->count, argc, argv, words);
}

/* argv[0] is the first word. */
static int dispatch(struct world *world, int argc, char **argv)
{
    bool help = argc > 0 && asks_for_help(argv[0]);
    int words, rest = help && argc > 1 ? 1 : 0; /* `help bus list` */
    argc -= rest;
    argv += rest;
    const struct ov_command_row *row = find_row(world, argc, argv, &words);
    if (row && help)
        print_help(row);
    if (row)
        return help ? OV_EXIT_FINE : run(world, row, argc - words, argv + words);
    if (argc > 0 && strcmp(argv[0], "complete") == 0) /* for shells: see etc/completion */
        return ov_complete(&(struct ov_complete){world->rows, world->count, world->settings,
                                                 world->plugins}, argc - 1, argv + 1);
    if (argc == 0 || !*argv[0] || asks_for_help(argv[0])) {
        print_usage(world);
        return help ? OV_EXIT_FINE : OV_EXIT_USAGE;
    }
    bool after = argc > 1 && asks_for_help(argv[1]);
    if ((after || argc == 1) && is_family(world, argv[0], true))
        return help || after ? OV_EXIT_FINE : OV_EXIT_USAGE;
    return unknown_command(world, argc, argv);
}

int ov_command_dispatch(int argc, char **argv)
{
    struct world world = {0};
    if (argc > 1 && (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0)) {
        printf("omnivigil %s (plugin interface %d)\n", VERSION, OV_ABI);
        return OV_EXIT_FINE;
    }
    int status = dispatch(&world, argc > 0 ? argc - 1 : 0, argv + 1);
    free_world(&world);
    return status;
}
