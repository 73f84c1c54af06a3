/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a command again and again and tells what that cost, its start and its end included.
 *
 *     spend REDIS_PID TIMES COMMAND ARGUMENT...
 *
 * Its output is thrown away. Fails if the command fails.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

static double cpu_of(const struct rusage *use)
{
    return (double)(use->ru_utime.tv_sec + use->ru_stime.tv_sec) +
           (double)(use->ru_utime.tv_usec + use->ru_stime.tv_usec) / 1e6;
}

/* Returns the processor time it took. */
static double run(char **command)
{
    struct rusage use;
    int status;
    pid_t child = fork();
    if (child < 0)
        die("cannot fork: %s", strerror(errno));
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        dup2(null, STDOUT_FILENO);
        execvp(*command, command);
        die("cannot run %s: %s", *command, strerror(errno));
    }
    if (wait4(child, &status, 0, &use) != child || status != 0)
        die("%s failed", *command);
    return cpu_of(&use);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        die("usage: spend REDIS_PID TIMES COMMAND...");
    pid_t redis = (pid_t)number_argument(argv[1], "process", INT32_MAX);
    size_t times = (size_t)number_argument(argv[2], "times", 10000);
    struct cost *costs = calloc(times + 1, sizeof *costs);
    if (!costs)
        die("out of memory");
    for (size_t i = 0; i < times; i++) {
        struct meter meter = meter_start(0, redis);
        double cpu = run(argv + 3);
        costs[i] = meter_read(&meter);
        costs[i].client = cpu;
    }
    costs_print(costs, times);
    free(costs);
    return 0;
}
