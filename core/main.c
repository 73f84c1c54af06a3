/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "agent.h"
#include "command.h"

int main(int argc, char **argv)
{
    ov_agent_block_signals();
    int status = ov_command_dispatch(argc, argv);
    if (fflush(stdout) != 0 && status == OV_EXIT_FINE)
        status = OV_EXIT_UNABLE;
    return status;
}
