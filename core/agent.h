/* SPDX-License-Identifier: Apache-2.0 */
/* The running agent: reads the configuration, starts the instances, and serves signals until it
 * is told to end. Main thread only. */
#ifndef OV_AGENT_H
#define OV_AGENT_H

/* Blocks the signals the agent serves, so that one that comes early is kept until it is ready.
 * Called first of all, before threads exist. */
void ov_agent_block_signals(void);

/* Runs until SIGTERM or SIGINT. `config` may be NULL (the built-in configuration). Returns the
 * process's exit status: 0 after an orderly stop, 1 when it could not start (the reasons are on
 * stderr). `seconds` > 0 ends it by itself. */
int ov_agent_run(const char *config, const char *plugin_dir, double seconds);

#endif
