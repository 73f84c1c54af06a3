/* SPDX-License-Identifier: Apache-2.0 */
/* `omnivigil run`: the agent. */
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent.h"
#include "call.h"
#include "command.h"
#include "config_path.h"

enum { FLAG_CONFIG, FLAG_PLUGIN_DIR, FLAG_SECONDS };
static const struct ov_flag flags[] = {
    [FLAG_CONFIG] = {"config", 'c', "FILE", OV_CONFIG_HELP, NULL},
    [FLAG_PLUGIN_DIR] = {"plugin-dir", 0, "DIR", "where the plugins are", NULL},
    [FLAG_SECONDS] = {"seconds", 0, "N", "end after that time", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

static int run(void *none, struct ov_call *call)
{
    const struct ov_arguments *arguments = ov_call_arguments(call);
    (void)none;
    const char *seconds_text = arguments->values[FLAG_SECONDS];
    double seconds = 0;
    if (seconds_text) {
        char *end;
        seconds = strtod(seconds_text, &end);
        if (*end || end == seconds_text || !(seconds > 0) || seconds > 1e9) {
            fprintf(stderr, "omnivigil: --seconds takes a number above 0, not `%s`\n",
                    seconds_text);
            return OV_EXIT_USAGE;
        }
    }
    return ov_agent_run(ov_config_path(arguments->values[FLAG_CONFIG]),
                        arguments->values[FLAG_PLUGIN_DIR], seconds);
}

const struct ov_command ov_command_run = {
    .name = "run", .takes = "", .summary = "Run the agent",
    .more = "Gathers from all inputs on their schedules and forwards the samples to all outputs,\n"
            "until SIGTERM or Ctrl-C. SIGHUP reads the configuration again; if that has errors,\n"
            "the one before stays in force. Without any configuration it watches what\n"
            "OmniDaemon's own environment (REDIS_URL, STORAGE_BACKEND, ... and .env) names, and\n"
            "prints the samples.\n",
    .example = "omnivigil run -c /etc/omnivigil/omnivigil.yaml",
    .flags = flags, .run = run,
};
