/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of one run of a command; the plugin's side is in omnivigil.h. */
#ifndef OV_CALL_H
#define OV_CALL_H

#include "arguments.h"
#include "settings.h"
#include "show.h"

/* Flags of all commands that inputs bring, after the command's own. */
enum ov_call_common {
    OV_CALL_CONFIG, OV_CALL_PLUGIN_DIR, OV_CALL_INPUT, OV_CALL_FORMAT, OV_CALL_TOPIC,
    OV_CALL_AGENT, OV_CALL_WATCH, OV_CALL_COMMON_COUNT,
};
extern const struct ov_flag ov_call_flags[];

/* Runs a command of the core's own. */
int ov_call_run_own(const struct ov_command *command, const struct ov_arguments *arguments);
/* Runs a command that `plugin` brings, with the instance that --input names, again and again with
 * --watch. `common`: the position of the first of ov_call_flags in the arguments. */
int ov_call_run(const struct ov_command *command, const struct ov_plugin *plugin,
                const struct ov_arguments *arguments, unsigned common,
                struct ov_settings *settings, const char *plugin_dir);

const struct ov_arguments *ov_call_arguments(const struct ov_call *call);
struct ov_shown *ov_call_shown(struct ov_call *call);

#endif
