/* SPDX-License-Identifier: Apache-2.0 */
/* The arguments of a command, sorted into flags and words. */
#ifndef OV_ARGUMENTS_H
#define OV_ARGUMENTS_H

#include "omnivigil.h"

struct ov_arguments {
    const char *values[OV_FLAGS_MAX]; /* by the flag's position; NULL: not given; "" for a flag that
                                       * takes nothing */
    int counts[OV_FLAGS_MAX];         /* how often it was given */
    char **words;                     /* in argv */
    int word_count;
    bool help;                        /* asked for: the rest was not looked at */
};

/* Reads argv for `command` by `flags` (at most OV_FLAGS_MAX rows, ends with a NULL name; of two
 * with one name or letter the first counts). Moves the words to the front of argv. False with what
 * is wrong in `error`. */
bool ov_arguments_read(const struct ov_command *command, const struct ov_flag *flags, int argc,
                       char **argv, struct ov_arguments *arguments,
                       struct ov_buf *error) OV_MUST_CHECK;
/* The value of `--NAME` (or `-LETTER`) before anything else is known of argv; NULL if it is not
 * there. */
const char *ov_arguments_peek(int argc, char **argv, const char *name, char letter);

#endif
