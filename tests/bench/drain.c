/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs an agent until what waits in a queue's directory is delivered, then ends it, and tells how
 * long that took, from its start on:
 *
 *     drain DIRECTORY COMMAND ARGUMENT...
 *
 * Prints seconds. Fails if the command ends by itself, or with an error, or takes too long.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bench.h"

enum { LOOK_MS = 2, LONGEST_SECONDS = 300 };

/* Of all files in it. */
static long long bytes_in(const char *path)
{
    long long bytes = 0;
    struct stat info;
    DIR *directory = opendir(path);
    if (!directory)
        die("%s: %s", path, strerror(errno));
    for (struct dirent *e; (e = readdir(directory));)
        if (fstatat(dirfd(directory), e->d_name, &info, 0) == 0 && S_ISREG(info.st_mode))
            bytes += info.st_size;
    closedir(directory);
    return bytes;
}

int main(int argc, char **argv)
{
    int status;
    if (argc < 3)
        die("usage: drain DIRECTORY COMMAND ARGUMENT...");
    if (!bytes_in(argv[1]))
        die("nothing waits in %s", argv[1]);
    double began = clock_seconds();
    pid_t pid = fork();
    if (pid < 0)
        die("cannot fork: %s", strerror(errno));
    if (pid == 0) {
        execv(argv[2], argv + 2);
        _exit(127);
    }
    while (bytes_in(argv[1])) {
        if (waitpid(pid, &status, WNOHANG))
            die("%s ended too early", argv[2]);
        if (clock_seconds() - began > LONGEST_SECONDS) {
            kill(pid, SIGKILL);
            die("%s needs too long", argv[2]);
        }
        pause_ms(LOOK_MS);
    }
    double took = clock_seconds() - began;
    kill(pid, SIGTERM);
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) || WEXITSTATUS(status))
        die("%s failed", argv[2]);
    printf("%.6g\n", took);
    return 0;
}
