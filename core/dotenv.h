/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The environment as OmniDaemon sees it: the process's own variables, and beneath them those of a
 * `.env` file, read the way python-decouple reads it:
 *
 *     # a comment
 *     NAME=value with spaces # and no comment here
 *     export OTHER="the quotes go away, nothing in them is special"
 */
#ifndef OV_DOTENV_H
#define OV_DOTENV_H

#include "omnivigil.h"

struct ov_dotenv;

/* Reads `path`; lines that are no assignment are passed over, the last of several for one name
 * counts. Never NULL: a NULL path, and a file that cannot be read, leave the process's variables
 * alone; of the latter the reason is added to `why`. */
struct ov_dotenv *ov_dotenv_read(const char *path, struct ov_buf *why);
void ov_dotenv_free(struct ov_dotenv *dotenv);

/* The value of a variable, or NULL where neither the process nor the file sets it. A variable the
 * process sets to nothing is set. Valid until the next change of the environment. */
const char *ov_dotenv_get(const struct ov_dotenv *dotenv, const char *name);
/* What the file alone says. */
const char *ov_dotenv_file(const struct ov_dotenv *dotenv, const char *name);

#endif
