/* SPDX-License-Identifier: Apache-2.0 */
/* What is written to a descriptor (stdout, stderr) while a test runs, as text. */
#ifndef CAPTURE_H
#define CAPTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct capture {
    int fd, saved;
    FILE *file;
    char text[65536]; /* NUL-terminated, after capture_end */
};

static inline void capture_begin(struct capture *c, int fd)
{
    fflush(NULL);
    c->fd = fd;
    c->saved = dup(fd);
    c->file = tmpfile();
    if (!c->file || dup2(fileno(c->file), fd) < 0)
        abort();
}

/* What there is up to now; goes on. */
static inline const char *capture_read(struct capture *c)
{
    fflush(NULL);
    ssize_t len = pread(fileno(c->file), c->text, sizeof c->text - 1, 0);
    c->text[len > 0 ? len : 0] = '\0';
    return c->text;
}

static inline const char *capture_end(struct capture *c)
{
    capture_read(c);
    dup2(c->saved, c->fd);
    close(c->saved);
    fclose(c->file);
    return c->text;
}

#endif
