/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receiver of StatsD's lines that counts them, with a socket's buffer as the system gives it.
 *
 *     count_udp QUIET_MS
 *
 * Prints its port at once; and "lines datagrams seconds" once nothing more came for so long, the
 * time from the first to the last.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

static size_t lines_in(const char *bytes, size_t len)
{
    size_t lines = 1;
    for (const char *at = bytes; (at = memchr(at, '\n', len - (size_t)(at - bytes))); at++)
        lines++;
    return lines;
}

int main(int argc, char **argv)
{
    char datagram[65536];
    size_t lines = 0, datagrams = 0;
    double first = 0, last = 0;
    if (argc != 2)
        die("usage: count_udp QUIET_MS");
    int quiet_ms = (int)number_argument(argv[1], "milliseconds", 600000);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof address;
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0)
        die("cannot listen: %s", strerror(errno));
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    struct pollfd readable = {.fd = fd, .events = POLLIN};
    while (poll(&readable, 1, datagrams ? quiet_ms : -1) > 0) {
        ssize_t n = recv(fd, datagram, sizeof datagram, 0);
        if (n < 0)
            die("cannot receive: %s", strerror(errno));
        last = clock_seconds();
        if (!datagrams++)
            first = last;
        lines += lines_in(datagram, (size_t)n);
    }
    printf("%zu %zu %.6g\n", lines, datagrams, last - first);
    close(fd);
    return 0;
}
