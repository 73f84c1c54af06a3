/* SPDX-License-Identifier: Apache-2.0 */
/* Finding, checking and loading plugins. Main thread only. */
#ifndef OV_PLUGIN_H
#define OV_PLUGIN_H

#include "omnivigil.h"

struct ov_plugins;

/* `dir` is where plugins are looked for (`dir/NAME.so`); copied. */
struct ov_plugins *ov_plugins_new(const char *dir);
/* Unloads nothing: threads of a plugin's libraries may outlive it. Frees the bookkeeping. */
void ov_plugins_free(struct ov_plugins *plugins);

/* Loads `name` once and returns its declaration, or NULL with a text in `why` (file, what it
 * wants, what is offered, what to do). */
const struct ov_plugin *ov_plugins_load(struct ov_plugins *plugins, const char *name,
                                        struct ov_buf *why);
/* `name` did not load, for the reason in `why`, which becomes a better one where no file has that
 * name. Whether one has it. */
bool ov_plugins_explain(struct ov_plugins *plugins, const char *name, struct ov_buf *why);
/* Sorted names of the plugin files in the directory; *count of them, free each and the array. */
char **ov_plugins_list(struct ov_plugins *plugins, size_t *count);
const char *ov_plugins_dir(const struct ov_plugins *plugins);

#endif
