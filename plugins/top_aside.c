/* SPDX-License-Identifier: Apache-2.0 */
#include "top_aside.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

enum { KEPT_MAX = 16384 };

void top_aside_begin(struct top_aside *aside)
{
    int ends[2];
    *aside = (struct top_aside){.pipe_fd = -1, .before_fd = -1};
    if (!isatty(STDERR_FILENO) || pipe2(ends, O_CLOEXEC) != 0)
        return;
    aside->before_fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);
    if (aside->before_fd < 0 || fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0 ||
        dup2(ends[1], STDERR_FILENO) < 0) {
        close(ends[0]);
        if (aside->before_fd >= 0)
            close(aside->before_fd);
        aside->before_fd = -1;
    } else {
        aside->pipe_fd = ends[0];
    }
    close(ends[1]);
}

void top_aside_read(struct top_aside *aside)
{
    char bytes[4096];
    ssize_t got;
    while (aside->pipe_fd >= 0 && (got = read(aside->pipe_fd, bytes, sizeof bytes)) > 0) {
        ov_buf_add(&aside->kept, bytes, (size_t)got);
        if (aside->kept.len <= KEPT_MAX)
            continue;
        size_t gone = aside->kept.len - KEPT_MAX / 2;
        memmove(aside->kept.data, aside->kept.data + gone, aside->kept.len - gone);
        aside->kept.len -= gone;
    }
}

void top_aside_end(struct top_aside *aside)
{
    if (aside->pipe_fd < 0)
        return;
    top_aside_read(aside);
    dup2(aside->before_fd, STDERR_FILENO);
    close(aside->before_fd);
    close(aside->pipe_fd);
    fprintf(stderr, "%s", ov_buf_text(&aside->kept));
    ov_buf_free(&aside->kept);
    *aside = (struct top_aside){.pipe_fd = -1, .before_fd = -1};
}
