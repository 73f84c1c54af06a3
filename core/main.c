/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "agent.h"
#include "command.h"

/* Monitoring systems know the check mode as a program of its own. */
static bool is_called_check(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return path && strcmp(slash ? slash + 1 : path, "check_omnidaemon") == 0;
}

int main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_IGN);
    if (argc > 1 && strcmp(argv[1], "run") == 0) /* any other command ends at Ctrl-C */
        ov_agent_block_signals();
    int status = is_called_check(argv[0]) ? ov_command_run_as(&ov_command_check, argc, argv)
                                          : ov_command_dispatch(argc, argv);
    if (fflush(stdout) != 0 && status == OV_EXIT_FINE)
        status = OV_EXIT_UNABLE;
    return status;
}
