/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The commands of the command line. A command is a row: its name, what it takes, what it does,
 * its options, an example. Parsing, `--help` and the shell completions come from the rows.
 *
 * Exit status: 0 fine, 1 a problem was found, 2 wrong usage, 3 could not look.
 */
#ifndef OV_COMMAND_H
#define OV_COMMAND_H

#include "omnivigil.h"

enum { OV_EXIT_FINE = 0, OV_EXIT_PROBLEM = 1, OV_EXIT_USAGE = 2, OV_EXIT_UNABLE = 3 };

struct ov_flag {
    const char *name;  /* without the dashes */
    char letter;       /* 0: none */
    const char *value; /* what it takes, for the help: "FILE"; NULL: nothing */
    const char *help;
    const char *const *choices; /* NULL-terminated, or NULL */
};

enum { OV_FLAGS_MAX = 16 };

struct ov_arguments {
    const char *values[OV_FLAGS_MAX]; /* by the flag's position; "" for a flag that takes none */
    int counts[OV_FLAGS_MAX];         /* how often it was given */
    char **words;
    int word_count;
};

struct ov_command {
    const char *name;      /* "config check" has two words */
    const char *takes;     /* "[INPUT...]" */
    int words_min, words_max;
    const char *summary;
    const char *more;      /* lines for --help, or NULL */
    const char *example;
    const struct ov_flag *flags; /* ends with a NULL name */
    int (*run)(const struct ov_arguments *arguments);
    int (*refuse)(const struct ov_buf *error); /* says what is wrong with the arguments and returns
                                                * the exit status; NULL: as all commands do */
};

extern const struct ov_command ov_command_run, ov_command_gather, ov_command_check,
    ov_command_config_check, ov_command_plugins;

/* NULL-terminated. */
extern const struct ov_command *const ov_commands[];

/* Runs `command` with all of argv[1]... as its arguments. */
int ov_command_run_as(const struct ov_command *command, int argc, char **argv);
/* Finds and runs the command that argv names. Returns the exit status. */
int ov_command_dispatch(int argc, char **argv);

#endif
