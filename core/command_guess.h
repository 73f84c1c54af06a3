/* SPDX-License-Identifier: Apache-2.0 */
/* Which command was meant by words that name none. */
#ifndef OV_COMMAND_GUESS_H
#define OV_COMMAND_GUESS_H

#include "command.h"

struct ov_command_guess {
    struct ov_slice name; /* of a command, or the words several begin with ("bus"); empty: none */
    int words;            /* how many of argv stand for it */
};

/* Words may be misspelt, and the first ones left out: `buss list`, `dlq`. argv[0]... are words up
 * to the first that begins with `-`. */
struct ov_command_guess ov_command_guess(const struct ov_command_row *rows, size_t count, int argc,
                                         char **argv);
/* The command whose name goes on after `before` with what argv's first words misspell, or NULL. */
const struct ov_command *ov_command_guess_more(const struct ov_command_row *rows, size_t count,
                                               const char *before, int argc, char **argv);

#endif
