/* SPDX-License-Identifier: Apache-2.0 */
/* One request at a time, of any connection; whatever is waited for, `stop` ends the wait. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http_server.h"

enum { CONNECTIONS_MAX = 8 };

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    perror(what);
    abort();
}

static bool readable(struct http_server *server, int fd)
{
    struct pollfd fds[] = {{.fd = fd, .events = POLLIN}, {.fd = server->stop[0], .events = POLLIN}};
    return poll(fds, 2, -1) > 0 && !fds[1].revents;
}

/* Reads one request; its body begins at *body. False at the end of the connection. */
static bool request_read(struct http_server *server, int fd, struct ov_buf *request, size_t *body)
{
    for (size_t want = 0;;) {
        char *end = request->len ? strstr(ov_buf_text(request), "\r\n\r\n") : NULL;
        if (end && !want) {
            char *length = strcasestr(request->data, "Content-Length:");
            *body = (size_t)(end - request->data) + 4;
            want = *body + (length ? strtoul(length + 15, NULL, 10) : 0);
        }
        if (want && request->len >= want)
            return true;
        ov_buf_grow(request, 65536);
        ssize_t n = readable(server, fd) ? read(fd, request->data + request->len, 65536) : 0;
        if (n <= 0)
            return false;
        request->len += (size_t)n;
    }
}

/* False: hang up. */
static bool answer_write(int fd, const char *text)
{
    const char *content = strstr(text, "\r\n\r\n");
    if (strcmp(text, HTTP_HANG) == 0)
        return true;
    if (strcmp(text, HTTP_CLOSE) == 0 || !content)
        return false;
    struct ov_buf out = {0};
    ov_buf_printf(&out, "HTTP/1.1 %.*s\r\nContent-Length: %zu\r\n\r\n%s", (int)(content - text),
                  text, strlen(content + 4), content + 4);
    ssize_t sent = write(fd, out.data, out.len);
    ov_buf_free(&out);
    return sent >= 0;
}

/* Takes one request and answers it. False: the connection is to be closed. */
static bool serve(struct http_server *server, int fd)
{
    size_t body, answer = 0, number = server->count;
    struct ov_buf request = {0};
    if (!request_read(server, fd, &request, &body)) {
        ov_buf_free(&request);
        return false;
    }
    while (answer < number && server->answers[answer + 1])
        answer++;
    const char *text = server->answers[answer];
    if (server->body_max && request.len - body > server->body_max)
        text = "413 Too Large\r\n\r\n";
    pthread_mutex_lock(&server->lock);
    if (number < HTTP_REQUESTS_MAX)
        server->requests[number] = request;
    else
        ov_buf_free(&request);
    server->count++;
    pthread_mutex_unlock(&server->lock);
    return answer_write(fd, text);
}

static void *server_run(void *argument)
{
    struct http_server *server = argument;
    struct pollfd fds[2 + CONNECTIONS_MAX] = {{server->stop[0], POLLIN, 0},
                                              {server->listener, POLLIN, 0}};
    nfds_t count = 2;
    while (poll(fds, count, -1) > 0 && !fds[0].revents) {
        for (nfds_t i = 2; i < count; i++)
            if (fds[i].revents && !serve(server, fds[i].fd)) {
                close(fds[i].fd);
                fds[i] = fds[--count];
                break; /* what else is ready, poll says again */
            }
        if (fds[1].revents && count < OV_COUNT(fds)) {
            fds[count++] = (struct pollfd){accept(server->listener, NULL, NULL), POLLIN, 0};
            server->connections++;
        }
    }
    while (count > 2)
        close(fds[--count].fd);
    return NULL;
}

static void start(struct http_server *server, const struct sockaddr *at, socklen_t len,
                  const char *const *answers)
{
    const int yes = 1;
    *server = (struct http_server){.answers = answers};
    pthread_mutex_init(&server->lock, NULL);
    server->listener = socket(at->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    must(server->listener >= 0, "socket");
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    must(bind(server->listener, at, len) == 0, "bind");
    must(listen(server->listener, 8) == 0, "listen");
    must(pipe(server->stop) == 0, "pipe");
}

static void run(struct http_server *server)
{
    must(pthread_create(&server->thread, NULL, server_run, server) == 0, "pthread_create");
}

void http_server_start(struct http_server *server, const char *address, int port,
                       const char *const *answers)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    socklen_t len = sizeof at;
    must(inet_pton(AF_INET, address ? address : "127.0.0.1", &at.sin_addr) == 1, "address");
    start(server, (struct sockaddr *)&at, len, answers);
    must(getsockname(server->listener, (struct sockaddr *)&at, &len) == 0, "getsockname");
    server->port = ntohs(at.sin_port);
    run(server);
}

void http_server_start_unix(struct http_server *server, const char *path,
                            const char *const *answers)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    must(strlen(path) < sizeof at.sun_path, "path");
    strcpy(at.sun_path, path);
    unlink(path);
    start(server, (struct sockaddr *)&at, sizeof at, answers);
    run(server);
}

void http_server_end(struct http_server *server)
{
    close(server->stop[1]);
    pthread_join(server->thread, NULL);
    close(server->stop[0]);
    close(server->listener);
    for (size_t i = 0; i < server->count && i < HTTP_REQUESTS_MAX; i++)
        ov_buf_free(&server->requests[i]);
    pthread_mutex_destroy(&server->lock);
}

size_t http_server_count(struct http_server *server)
{
    pthread_mutex_lock(&server->lock);
    size_t count = server->count;
    pthread_mutex_unlock(&server->lock);
    return count;
}

const char *http_server_body(struct http_server *server, size_t request)
{
    const char *end = strstr(ov_buf_text(&server->requests[request]), "\r\n\r\n");
    return end ? end + 4 : "";
}
