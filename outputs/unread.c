/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line of those files, addresses being words of hexadecimal in the host's order:
 *
 *     sl  local_address rem_address   st tx_queue rx_queue ...
 *     63: 0100007F:1FBD 00000000:0000 07 00000000:00000C00 ...
 *
 * Of several sockets at one port the kernel takes the one with the most exact address.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "unread.h"

enum {
    WORD_CHARS = 8,
    ADDRESS_CHARS = 4 * WORD_CHARS,
    SOCKETS_MAX = 4096, /* beyond that looking costs more than it is worth */
    UNCONNECTED = 7,
};

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

struct sought {
    unsigned port;
    char address[ADDRESS_CHARS + 1]; /* as it stands there */
    int rank;                        /* of the best that was found; 0: none */
    int64_t unread;
};

static bool is_loopback(const union address *a)
{
    if (a->any.sa_family == AF_INET)
        return ntohl(a->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
    return IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) ||
           (IN6_IS_ADDR_V4MAPPED(&a->v6.sin6_addr) &&
            a->v6.sin6_addr.s6_addr[12] == IN_LOOPBACKNET);
}

/* The kernel sends to an address of this host from the very same. */
static bool is_here(const union address *own, const union address *peer)
{
    if (own->any.sa_family != peer->any.sa_family)
        return false;
    if (is_loopback(peer))
        return true;
    return peer->any.sa_family == AF_INET
               ? own->v4.sin_addr.s_addr == peer->v4.sin_addr.s_addr
               : memcmp(&own->v6.sin6_addr, &peer->v6.sin6_addr, sizeof own->v6.sin6_addr) == 0;
}

static void words_write(char *out, const uint32_t *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        snprintf(out + i * WORD_CHARS, WORD_CHARS + 1, "%08X", (unsigned)words[i]);
}

/* Keeps what the line says, if it is of a better match. `any` is the rank of a socket that takes
 * all addresses. */
static void line_look(const char *line, struct sought *sought, int any)
{
    char address[ADDRESS_CHARS + 1];
    unsigned port, state, unread;
    if (sscanf(line, " %*u: %32[0-9A-F]:%4X %*32[0-9A-F]:%*4X %2X %*8X:%8X", address, &port,
               &state, &unread) != 4 ||
        port != sought->port || state != UNCONNECTED)
        return;
    int rank = strcmp(address, sought->address) == 0 ? any + 1
               : strspn(address, "0") == strlen(address) ? any : 0;
    if (rank <= sought->rank)
        return;
    sought->rank = rank;
    sought->unread = unread;
}

static void file_look(const char *path, struct sought *sought, int any)
{
    char line[256];
    FILE *file = fopen(path, "re");
    for (int i = 0; file && i < SOCKETS_MAX && fgets(line, sizeof line, file); i++)
        line_look(line, sought, any);
    if (file)
        fclose(file);
}

int64_t unread_at_receiver(int fd)
{
    union address own = {0}, peer = {0};
    struct sought sought = {.unread = -1};
    uint32_t words[4] = {0, 0, htonl(0xffff), 0};
    socklen_t own_len = sizeof own, peer_len = sizeof peer;
    if (getsockname(fd, &own.any, &own_len) != 0 || getpeername(fd, &peer.any, &peer_len) != 0 ||
        !is_here(&own, &peer))
        return -1;
    if (peer.any.sa_family == AF_INET) {
        words[3] = peer.v4.sin_addr.s_addr;
        sought.port = ntohs(peer.v4.sin_port);
        words_write(sought.address, &words[3], 1);
        file_look("/proc/net/udp", &sought, 3);
    } else {
        memcpy(words, &peer.v6.sin6_addr, sizeof words);
        sought.port = ntohs(peer.v6.sin6_port);
    }
    words_write(sought.address, words, OV_COUNT(words));
    file_look("/proc/net/udp6", &sought, 1);
    return sought.unread;
}
