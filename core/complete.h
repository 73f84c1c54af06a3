/* SPDX-License-Identifier: Apache-2.0 */
/* What a shell may offer for the last word of a command line. */
#ifndef OV_COMPLETE_H
#define OV_COMPLETE_H

#include "command.h"
#include "plugin.h"
#include "settings.h"

struct ov_complete {
    const struct ov_command_row *rows; /* of all commands */
    size_t row_count;
    const struct ov_settings *settings; /* NULL: there are none */
    struct ov_plugins *plugins;
};

/* argv is the line without the program's name; its last word, which may be empty, is the one to
 * complete. Prints a line "word<TAB>what it is" (or just the word) for each one that may be meant;
 * none where it is a file, or nobody can know. Returns the exit status. */
int ov_complete(const struct ov_complete *known, int argc, char **argv);

#endif
