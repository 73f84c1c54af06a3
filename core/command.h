/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: the commands that are the core's own, and those that the inputs of the
 * configuration bring. A command is a row (struct ov_command); finding it, reading its flags,
 * `--help`, the manual and the shell completions come from the rows.
 */
#ifndef OV_COMMAND_H
#define OV_COMMAND_H

#include "omnivigil.h"

/* A command and where it comes from. */
struct ov_command_row {
    const struct ov_command *command;
    const struct ov_plugin *plugin; /* NULL: the core's own */
};

extern const struct ov_command ov_command_run, ov_command_gather, ov_command_check,
    ov_command_config_check, ov_command_plugins;

/* The core's own; NULL-terminated. */
extern const struct ov_command *const ov_commands[];

/* Runs `command`, one of the core's own, with all of argv[1]... as its arguments. */
int ov_command_run_as(const struct ov_command *command, int argc, char **argv);
/* Finds and runs the command that argv names. Returns the exit status. */
int ov_command_dispatch(int argc, char **argv);

/* The row that argv names by the most words, *words of them; NULL if none. */
const struct ov_command_row *ov_command_find(const struct ov_command_row *rows, size_t count,
                                             int argc, char **argv, int *words);
/* The flags of a command, those that all of its kind have included. The caller frees the table,
 * which ends with a NULL name; *common is the position of the first that all have. */
struct ov_flag *ov_command_flags(const struct ov_command_row *row, unsigned *common);
void ov_command_help(const struct ov_command_row *row, struct ov_buf *out);

#endif
