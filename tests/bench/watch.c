/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches an agent that writes its samples to a file, and tells what its gathers cost:
 *
 *     watch FILE INPUT AGENT_PID REDIS_PID SKIP ROUNDS
 *
 * The agent's own sample of the input, omnivigil_input, marks the rounds: it is taken when the
 * next gather begins, so that all the work of the one before is done. Once the keyspace was looked
 * through (omnidaemon_bus scan_complete), SKIP rounds pass, then ROUNDS are measured: the median
 * of what they took, as the agent says, and the processor time of agent and Redis a round, the
 * time between two gathers included. A gather that fails ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum { LOOK_MS = 1, LONGEST_WAIT_SECONDS = 60, LINE_MAX_BYTES = 64 * 1024 };

struct tail {
    int fd;
    pid_t agent;
    bool scanned; /* a line has told that the keyspace was looked through */
    size_t len;
    char line[LINE_MAX_BYTES];
};

static bool has_ended(pid_t pid)
{
    char path[40], target[8];
    snprintf(path, sizeof path, "/proc/%ld/exe", (long)pid); /* a process not waited for has none */
    return readlink(path, target, sizeof target) < 0;
}

/* The next whole line of what is appended to the file, without its newline. */
static char *next_line(struct tail *tail)
{
    static char bytes[256 * 1024];
    static size_t have, at;
    double until = clock_seconds() + LONGEST_WAIT_SECONDS;
    for (;;) {
        char *end = memchr(bytes + at, '\n', have - at);
        size_t len = end ? (size_t)(end - bytes - at) : have - at;
        if (tail->len + len >= sizeof tail->line)
            die("a line is too long");
        memcpy(tail->line + tail->len, bytes + at, len);
        tail->len += len;
        at += len;
        if (end) {
            at++;
            tail->line[tail->len] = '\0';
            tail->len = 0;
            return tail->line;
        }
        ssize_t n = read(tail->fd, bytes, sizeof bytes);
        if (n < 0 || clock_seconds() > until || has_ended(tail->agent))
            die("the agent ended, or wrote nothing for %d s", LONGEST_WAIT_SECONDS);
        have = (size_t)n;
        at = 0;
        if (n == 0)
            pause_ms(LOOK_MS);
    }
}

/* The value of a field of a line; -1 without. */
static double field(const char *line, const char *name)
{
    size_t len = strlen(name);
    for (const char *at = line; (at = strstr(at, name)); at += len)
        if ((at[-1] == ',' || at[-1] == ' ') && at[len] == '=')
            return strtod(at + len + 1, NULL);
    return -1;
}

/* Waits for the input's next round; returns how long it took. */
static double next_round(struct tail *tail, const char *input, long *runs)
{
    for (;;) {
        char *line = next_line(tail);
        if (strncmp(line, "omnidaemon_bus ", 15) == 0 && strstr(line, ",scan_complete=true,"))
            tail->scanned = true;
        if (strncmp(line, "omnivigil_input,input=", 22) != 0 ||
            strncmp(line + 22, input, strlen(input)) != 0 || line[22 + strlen(input)] != ',')
            continue;
        if (field(line, "errors") > 0)
            die("a gather failed: %s", line);
        long now = (long)field(line, "runs");
        if (now <= *runs)
            continue;
        *runs = now;
        return field(line, "duration_seconds");
    }
}

int main(int argc, char **argv)
{
    static struct tail tail;
    if (argc != 7)
        die("usage: watch FILE INPUT AGENT_PID REDIS_PID SKIP ROUNDS");
    pid_t agent = (pid_t)number_argument(argv[3], "process", INT32_MAX);
    pid_t redis = (pid_t)number_argument(argv[4], "process", INT32_MAX);
    long skip = number_argument(argv[5], "rounds", 10000), runs = 0;
    size_t rounds = (size_t)number_argument(argv[6], "rounds", 10000);
    double *took = calloc(rounds + 1, sizeof *took);
    tail.agent = agent;
    tail.fd = open(argv[1], O_RDONLY);
    if (!took || tail.fd < 0)
        die("cannot read %s: %s", argv[1], strerror(errno));
    while (!tail.scanned)
        next_round(&tail, argv[2], &runs);
    while (skip-- > 0)
        next_round(&tail, argv[2], &runs);
    long begin = runs;
    struct meter meter = meter_start(agent, redis);
    for (size_t i = 0; i < rounds; i++)
        took[i] = next_round(&tail, argv[2], &runs);
    struct cost cost = meter_read(&meter);
    double all = (double)(runs - begin);
    printf("%.6g %.6g %.6g\n", median(took, rounds) * 1e3, cost.client / all * 1e3,
           cost.server / all * 1e3);
    free(took);
    close(tail.fd);
    return 0;
}
