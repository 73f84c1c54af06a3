/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scrapes an HTTP server on this machine as Prometheus would, and tells what that cost.
 *
 *     scrape HTTP_PORT PATH PID REDIS_PID TIMES PAUSE_MS
 *
 * There is a pause before each time. Fails unless every answer is a 2xx. With TIMES 0 one request is made and nothing is printed.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static bool scrape(long port, const char *path)
{
    char buffer[64 * 1024], head[16] = "";
    size_t total = 0;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr = {htonl(INADDR_LOOPBACK)}};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    int len = snprintf(buffer, sizeof buffer, "GET %s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n", path);
    ssize_t n = send(fd, buffer, (size_t)len, MSG_NOSIGNAL);
    while (n > 0 && (n = read(fd, buffer, sizeof buffer)) > 0) {
        size_t room = total < sizeof head - 1 ? sizeof head - 1 - total : 0;
        memcpy(head + total, buffer, (size_t)n < room ? (size_t)n : room);
        total += (size_t)n;
    }
    close(fd);
    return n == 0 && strncmp(head, "HTTP/1.", 7) == 0 && head[9] == '2';
}

int main(int argc, char **argv)
{
    if (argc != 7)
        die("usage: scrape HTTP_PORT PATH PID REDIS_PID TIMES PAUSE_MS");
    long port = number_argument(argv[1], "port", 65535);
    pid_t client = (pid_t)number_argument(argv[3], "process", INT32_MAX);
    pid_t server = (pid_t)number_argument(argv[4], "process", INT32_MAX);
    size_t times = (size_t)number_argument(argv[5], "times", 10000);
    long pause = number_argument(argv[6], "pause", 60000);
    struct cost *costs = calloc(times + 1, sizeof *costs);
    if (!costs || !scrape(port, argv[2]))
        die("no answer on port %ld", port);
    for (size_t i = 0; i < times; i++) {
        pause_ms(pause);
        struct meter meter = meter_start(client, server);
        if (!scrape(port, argv[2]))
            die("no answer on port %ld", port);
        costs[i] = meter_read(&meter);
    }
    if (times)
        costs_print(costs, times);
    free(costs);
    return 0;
}
