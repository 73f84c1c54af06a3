/* SPDX-License-Identifier: Apache-2.0 */
/* The server: one thread accepts, each client has its own, all end with server_end. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "redis_server.h"

enum { MOST_PEERS = 256, MOST_WORDS = 8, WORD_SIZE = 64 };

struct peer {
    struct server *server;
    pthread_t thread;
    int number, fd;
    FILE *in;
    bool served;
    size_t command;
    char words[MOST_WORDS][WORD_SIZE];
};

struct server {
    peer_fn *talk;
    const void *script;
    int fd, port;
    pthread_t thread;
    atomic_int connections, served;
    struct peer peers[MOST_PEERS];
};

static void require(bool good)
{
    if (!good)
        abort();
}

static void *peer_run(void *argument)
{
    struct peer *peer = argument;
    peer->server->talk(peer);
    fclose(peer->in);
    peer_is_served(peer);
    return NULL;
}

static void *server_run(void *argument)
{
    struct server *server = argument;
    for (;;) {
        int fd = accept(server->fd, NULL, NULL), on = 1;
        if (fd < 0)
            return NULL;
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        int number = atomic_fetch_add(&server->connections, 1);
        require(number < MOST_PEERS);
        struct peer *peer = &server->peers[number];
        *peer = (struct peer){
            .server = server, .number = number, .fd = fd, .in = fdopen(fd, "r"),
            .command = (size_t)-1};
        require(!pthread_create(&peer->thread, NULL, peer_run, peer));
    }
}

static struct server *server_on(int fd, peer_fn *talk, const void *script)
{
    struct server *server = calloc(1, sizeof *server);
    struct sockaddr_in address = {0};
    socklen_t len = sizeof address;
    require(fd >= 0 && server && !listen(fd, 128));
    server->talk = talk;
    server->script = script;
    server->fd = fd;
    getsockname(fd, (struct sockaddr *)&address, &len);
    server->port = ntohs(address.sin_port);
    require(!pthread_create(&server->thread, NULL, server_run, server));
    return server;
}

struct server *server_start(peer_fn *talk, const void *script)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    require(!bind(fd, (struct sockaddr *)&address, sizeof address));
    return server_on(fd, talk, script);
}

struct server *server_start_unix(peer_fn *talk, const void *script, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    require(!bind(fd, (struct sockaddr *)&address, sizeof address));
    return server_on(fd, talk, script);
}

void server_end(struct server *server)
{
    shutdown(server->fd, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->fd);
    for (int i = 0; i < server->connections; i++)
        pthread_join(server->peers[i].thread, NULL);
    free(server);
}

int server_port(const struct server *server)
{
    return server->port;
}

int server_connections(const struct server *server)
{
    return server->connections;
}

void server_await(const struct server *server, int served)
{
    while (server->served < served)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* Reads "<mark><number>\r\n". */
static bool read_number(struct peer *peer, char mark, long *number)
{
    char line[32];
    if (!fgets(line, sizeof line, peer->in))
        return false;
    *number = strtol(line + 1, NULL, 10);
    return line[0] == mark;
}

bool peer_hears(struct peer *peer)
{
    long count, len;
    if (!read_number(peer, '*', &count))
        return false;
    memset(peer->words, 0, sizeof peer->words);
    for (long i = 0; i < count; i++) {
        if (!read_number(peer, '$', &len))
            return false;
        for (long at = 0; at < len + 2; at++) {
            int c = getc(peer->in);
            if (i < MOST_WORDS && at < len && at < WORD_SIZE - 1)
                peer->words[i][at] = (char)c;
        }
    }
    peer->command++;
    return !feof(peer->in);
}

size_t peer_command(const struct peer *peer)
{
    return peer->command;
}

const char *peer_word(const struct peer *peer, size_t word)
{
    return peer->words[word];
}

int peer_number(const struct peer *peer)
{
    return peer->number;
}

const void *peer_script(const struct peer *peer)
{
    return peer->server->script;
}

void peer_says(struct peer *peer, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(peer->fd, bytes, len, MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes += n;
        len -= (size_t)n;
    }
}

void peer_says_text(struct peer *peer, const char *text)
{
    peer_says(peer, text, strlen(text));
}

bool peer_greets(struct peer *peer)
{
    static const char *const first[][2] = {
        {"AUTH", "+OK\r\n"}, {"SELECT", "+OK\r\n"}, {"PING", "+PONG\r\n"}, {"CLIENT", "+OK\r\n"}};
    for (size_t i = 0; i < sizeof first / sizeof *first; i++) {
        if (!strcmp(peer->words[0], first[i][0])) {
            peer_says_text(peer, first[i][1]);
            return true;
        }
    }
    return false;
}

void peer_is_served(struct peer *peer)
{
    if (!peer->served)
        peer->server->served++;
    peer->served = true;
}

void peer_waits(struct peer *peer)
{
    while (getc(peer->in) != EOF)
        ;
}
