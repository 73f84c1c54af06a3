/* SPDX-License-Identifier: Apache-2.0 */
/* Where plugins are looked for. */
#ifndef OV_PLUGIN_DIR_H
#define OV_PLUGIN_DIR_H

/* The first of these that is set: `option` (of the command line), OMNIVIGIL_PLUGIN_DIR,
 * `configured` (agent.plugin_dir); else the build tree's own plugins, where the program runs from
 * one; else where `make install` puts them. The caller frees it. */
char *ov_plugin_dir(const char *option, const char *configured);

#endif
