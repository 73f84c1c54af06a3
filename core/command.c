/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a command, reading its flags, and the help texts, all from the rows. */
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "nearest.h"

#ifndef VERSION
#define VERSION "unknown"
#endif

const struct ov_command *const ov_commands[] = {
    &ov_command_run,          &ov_command_gather,  &ov_command_check,
    &ov_command_config_check, &ov_command_plugins, NULL,
};

static void print_usage(void)
{
    printf("omnivigil watches an OmniDaemon deployment and feeds the monitoring you already have."
           "\n\nUsage: omnivigil COMMAND [OPTION...]\n\nCommands:\n");
    for (size_t i = 0; ov_commands[i]; i++)
        printf("  %-14s %s\n", ov_commands[i]->name, ov_commands[i]->summary);
    printf("\n`omnivigil COMMAND --help` tells more of one. `--version` prints the version.\n"
           "\nExample: omnivigil gather runner\n");
}

static void print_help(const struct ov_command *command)
{
    printf("Usage: omnivigil %s [OPTION...]%s%s\n\n%s.\n", command->name,
           *command->takes ? " " : "", command->takes, command->summary);
    if (command->more)
        printf("\n%s", command->more);
    printf("\nOptions:\n");
    for (const struct ov_flag *flag = command->flags; flag->name; flag++) {
        char left[64], letter[8] = "    ";
        if (flag->letter)
            snprintf(letter, sizeof letter, "-%c, ", flag->letter);
        snprintf(left, sizeof left, "%s--%s%s%s", letter, flag->name, flag->value ? " " : "",
                 flag->value ? flag->value : "");
        printf("  %-28s %s\n", left, flag->help);
    }
    printf("  %-28s %s\n", "-h, --help", "this text");
    printf("\nExample: %s\n", command->example);
}

static int usage_error(const struct ov_command *command, struct ov_buf *text)
{
    if (command && command->refuse) {
        int status = command->refuse(text);
        ov_buf_free(text);
        return status;
    }
    fprintf(stderr, "omnivigil: %s\n", ov_buf_text(text));
    fprintf(stderr, "`omnivigil%s%s --help` tells what there is.\n", command ? " " : "",
            command ? command->name : "");
    ov_buf_free(text);
    return OV_EXIT_USAGE;
}

static bool choice_is_known(const struct ov_flag *flag, const char *value, struct ov_buf *error)
{
    struct ov_nearest nearest = {.wanted = ov_slice(value)};
    if (!flag->choices)
        return true;
    for (size_t i = 0; flag->choices[i]; i++) {
        if (strcmp(flag->choices[i], value) == 0)
            return true;
        ov_nearest_try(&nearest, flag->choices[i]);
    }
    ov_buf_printf(error, "--%s takes", flag->name);
    for (size_t i = 0; flag->choices[i]; i++)
        ov_buf_printf(error, "%s `%s`", i == 0 ? "" : flag->choices[i + 1] ? "," : " or",
                      flag->choices[i]);
    ov_buf_str(error, ", not `");
    ov_buf_escaped(error, ov_slice(value));
    ov_buf_char(error, '`');
    ov_nearest_hint(&nearest, error);
    return false;
}

/* The flag that `word` names ("--format", "--format=json", "-c"), with a value that stands in the
 * same word in *value, or NULL with an error. */
static const struct ov_flag *find_flag(const struct ov_command *command, const char *word,
                                       const char **value, struct ov_buf *error)
{
    struct ov_nearest nearest = {0};
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1);
    size_t len = is_long ? strcspn(name, "=") : 1;
    nearest.wanted = (struct ov_slice){name, len};
    *value = is_long ? (name[len] ? name + len + 1 : NULL) : (name[1] ? name + 1 : NULL);
    for (const struct ov_flag *flag = command->flags; flag->name; flag++) {
        if (is_long ? strlen(flag->name) == len && memcmp(flag->name, name, len) == 0
                    : flag->letter == *name)
            return flag;
        if (is_long)
            ov_nearest_try(&nearest, flag->name);
    }
    ov_buf_str(error, "unknown option `");
    ov_buf_escaped(error, (struct ov_slice){word, (size_t)(name - word) + len});
    ov_buf_char(error, '`');
    if (nearest.best)
        ov_buf_printf(error, " (did you mean `--%s`?)", nearest.best);
    return NULL;
}

/* Sorts argv into flags and words. False with an error; *help is set when help is asked for. */
static bool parse(const struct ov_command *command, int argc, char **argv,
                  struct ov_arguments *arguments, bool *help, struct ov_buf *error)
{
    bool flags_end = false;
    arguments->words = argv; /* the words move to the front */
    for (int i = 0; i < argc; i++) {
        const char *value;
        if (flags_end || argv[i][0] != '-' || !argv[i][1]) {
            arguments->words[arguments->word_count++] = argv[i];
            continue;
        }
        if (strcmp(argv[i], "--") == 0) {
            flags_end = true;
            continue;
        }
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
            *help = true;
            return true;
        }
        const struct ov_flag *flag = find_flag(command, argv[i], &value, error);
        if (!flag)
            return false;
        if (!flag->value && value) { /* `-vv` is `-v` twice */
            size_t more = argv[i][1] == '-' ? 0 : strspn(value, (char[]){flag->letter, '\0'});
            if (more == 0 || value[more]) {
                ov_buf_printf(error, "--%s takes no value", flag->name);
                return false;
            }
            arguments->counts[flag - command->flags] += (int)more;
        }
        if (flag->value && !value && !(value = i + 1 < argc ? argv[++i] : NULL)) {
            ov_buf_printf(error, "--%s needs a value: %s", flag->name, flag->value);
            return false;
        }
        if (flag->value && !choice_is_known(flag, value, error))
            return false;
        arguments->values[flag - command->flags] = flag->value ? value : "";
        arguments->counts[flag - command->flags]++;
    }
    if (arguments->word_count < command->words_min || arguments->word_count > command->words_max) {
        ov_buf_printf(error, "`%s` takes %s, got %d words", command->name,
                      *command->takes ? command->takes : "no words", arguments->word_count);
        return false;
    }
    return true;
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

static int run(const struct ov_command *command, int argc, char **argv)
{
    struct ov_arguments arguments = {0};
    struct ov_buf error = {0};
    bool help = false;
    if (!parse(command, argc, argv, &arguments, &help, &error))
        return usage_error(command, &error);
    if (help) {
        print_help(command);
        return OV_EXIT_FINE;
    }
    return command->run(&arguments);
}

int ov_command_run_as(const struct ov_command *command, int argc, char **argv)
{
    return run(command, argc - 1, argv + 1);
}

/* A command of two words whose first is `word`. */
static const struct ov_command *begins_with(const char *word)
{
    size_t len = strlen(word);
    for (size_t i = 0; ov_commands[i]; i++)
        if (strncmp(ov_commands[i]->name, word, len) == 0 && ov_commands[i]->name[len] == ' ')
            return ov_commands[i];
    return NULL;
}

int ov_command_dispatch(int argc, char **argv)
{
    struct ov_nearest nearest = {0};
    struct ov_buf error = {0};
    const char *first = argc > 1 ? argv[1] : "";
    if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0 || strcmp(first, "help") == 0) {
        print_usage();
        return OV_EXIT_FINE;
    }
    if (strcmp(first, "--version") == 0 || strcmp(first, "-V") == 0) {
        printf("omnivigil %s (plugin interface %d)\n", VERSION, OV_ABI);
        return OV_EXIT_FINE;
    }
    nearest.wanted = ov_slice(first);
    for (size_t i = 0; ov_commands[i]; i++) {
        int words = name_words(ov_commands[i], argc - 1, argv + 1);
        if (words)
            return run(ov_commands[i], argc - 1 - words, argv + 1 + words);
        ov_nearest_try(&nearest, ov_commands[i]->name);
        if (ov_slice_starts(ov_slice(ov_commands[i]->name), ov_slice(first)))
            nearest.best = ov_commands[i]->name;
    }
    if (!*first) {
        print_usage();
        return OV_EXIT_USAGE;
    }
    const struct ov_command *only = begins_with(first);
    if (only && argc > 2 && (strcmp(argv[2], "--help") == 0 || strcmp(argv[2], "-h") == 0)) {
        print_help(only);
        return OV_EXIT_FINE;
    }
    if (only && argc > 2)
        nearest.wanted = ov_slice(first = argv[2]);
    ov_buf_str(&error, "unknown command `");
    ov_buf_escaped(&error, ov_slice(first));
    ov_buf_char(&error, '`');
    ov_nearest_hint(&nearest, &error);
    return usage_error(NULL, &error);
}
