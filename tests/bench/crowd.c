/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command many times at once, as a scheduler does, and tells the time from the first start
 * to the last exit in milliseconds: the median of TURNS.
 *
 *     crowd TURNS AT_ONCE COMMAND ARGUMENT...
 *
 * Its output is thrown away. Fails if one of them fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

extern char **environ;

static double run(char **command, size_t at_once, const posix_spawn_file_actions_t *actions)
{
    double began = clock_seconds();
    for (size_t i = 0; i < at_once; i++) {
        pid_t child;
        int error = posix_spawnp(&child, *command, actions, NULL, command, environ);
        if (error)
            die("cannot run %s: %s", *command, strerror(error));
    }
    for (size_t i = 0; i < at_once; i++) {
        int status;
        if (wait(&status) < 0 || status != 0)
            die("%s failed", *command);
    }
    return clock_seconds() - began;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage: crowd TURNS AT_ONCE COMMAND...");
    size_t turns = (size_t)number_argument(argv[1], "turns", 10000);
    size_t at_once = (size_t)number_argument(argv[2], "commands", 1000);
    double *seconds = calloc(turns + 1, sizeof *seconds);
    posix_spawn_file_actions_t actions;
    if (!seconds || posix_spawn_file_actions_init(&actions) != 0 ||
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0) != 0)
        die("out of memory");
    for (size_t i = 0; i < turns; i++)
        seconds[i] = run(argv + 3, at_once, &actions);
    printf("%.6f\n", median(seconds, turns) * 1e3);
    posix_spawn_file_actions_destroy(&actions);
    free(seconds);
    return 0;
}
