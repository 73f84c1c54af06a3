/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "state.h"

#ifndef OV_STATE_DIR
#define OV_STATE_DIR "/var/lib/omnivigil"
#endif

enum { STATE_MAX_BYTES = 256 * 1024 * 1024 };

struct ov_state {
    char *dir;
    int dir_fd;
    int lock_fd;
    bool read_only;
};

static int make_dirs(const char *dir)
{
    char *path = ov_strdup(dir), *slash = path + strspn(path, "/");
    int result = 0;
    while ((slash = strchr(slash, '/'))) {
        *slash = '\0';
        if (mkdir(path, 0755) != 0 && errno != EEXIST)
            break; /* the last mkdir says what is wrong */
        *slash++ = '/';
    }
    if (mkdir(dir, 0750) != 0 && errno != EEXIST)
        result = -1;
    free(path);
    return result;
}

static int take_lock(struct ov_state *state, bool *taken, struct ov_buf *why)
{
    state->lock_fd = openat(state->dir_fd, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (state->lock_fd < 0) {
        ov_buf_printf(why, "state directory %s: %s: make it writable for this user, or set "
                      "agent.state_dir", state->dir, strerror(errno));
        return OV_FAILED;
    }
    if (flock(state->lock_fd, LOCK_EX | LOCK_NB) != 0) {
        *taken = errno == EWOULDBLOCK;
        ov_buf_printf(why, "state directory %s is in use by another omnivigil: stop it, or give "
                      "this one its own agent.state_dir", state->dir);
        return OV_FAILED;
    }
    return OV_OK;
}

struct ov_state *ov_state_open(const char *dir, bool read_only, bool *taken, struct ov_buf *why)
{
    struct ov_state *state = ov_calloc(1, sizeof *state);
    *taken = false;
    state->dir = ov_strdup(dir);
    state->lock_fd = -1;
    state->read_only = read_only;
    bool made = read_only || make_dirs(dir) == 0;
    state->dir_fd = made ? open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (state->dir_fd < 0) {
        ov_buf_printf(why, "state directory %s: %s", dir, strerror(errno));
    } else if (read_only || take_lock(state, taken, why) == OV_OK) {
        return state;
    }
    ov_state_close(state);
    return NULL;
}

void ov_state_close(struct ov_state *state)
{
    if (!state)
        return;
    if (state->lock_fd >= 0)
        close(state->lock_fd);
    if (state->dir_fd >= 0)
        close(state->dir_fd);
    free(state->dir);
    free(state);
}

/* FNV-1a: tells damage, not malice. */
static uint64_t checksum(struct ov_slice text)
{
    uint64_t sum = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < text.len; i++)
        sum = (sum ^ (unsigned char)text.ptr[i]) * UINT64_C(1099511628211);
    return sum;
}

static int read_all(int fd, struct ov_buf *out)
{
    for (;;) {
        ov_buf_grow(out, 64 * 1024);
        ssize_t got = read(fd, out->data + out->len, out->cap - out->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0 || out->len + (size_t)got > STATE_MAX_BYTES)
            return OV_FAILED;
        if (got == 0)
            return OV_OK;
        out->len += (size_t)got;
    }
}

static void head_add(struct ov_buf *head, const char *plugin, struct ov_slice text)
{
    ov_buf_printf(head, "omnivigil-state 1 %s %zu %016" PRIx64 "\n", plugin, text.len,
                  checksum(text));
}

/* Cuts the head line off `out` if it is the one that `plugin` and the rest ask for. */
static bool head_fits(struct ov_buf *out, const char *plugin)
{
    const char *end = out->len ? memchr(out->data, '\n', out->len) : NULL;
    struct ov_buf head = {0};
    if (!end)
        return false;
    size_t len = (size_t)(end + 1 - out->data);
    struct ov_slice text = {end + 1, out->len - len};
    head_add(&head, plugin, text);
    bool fits = ov_slice_eq((struct ov_slice){out->data, len},
                            (struct ov_slice){head.data, head.len});
    if (fits)
        memmove(out->data, text.ptr, text.len);
    out->len = fits ? text.len : out->len;
    ov_buf_free(&head);
    return fits;
}

int ov_state_read(struct ov_state *state, const char *name, const char *plugin,
                  struct ov_buf *out, struct ov_buf *why)
{
    char file[160], bad[176];
    snprintf(file, sizeof file, "%s.state", name);
    ov_buf_reset(out);
    int fd = openat(state->dir_fd, file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return OV_OK;
    int result = fd < 0 ? OV_FAILED : read_all(fd, out);
    if (fd >= 0)
        close(fd);
    if (result == OV_OK && head_fits(out, plugin))
        return OV_OK;
    ov_buf_reset(out);
    ov_buf_printf(why, "state file %s/%s is damaged or of another kind: starting without it",
                  state->dir, file);
    snprintf(bad, sizeof bad, "%s.bad", file);
    if (!state->read_only && renameat(state->dir_fd, file, state->dir_fd, bad) == 0)
        ov_buf_printf(why, " (kept as %s)", bad);
    return OV_FAILED;
}

double ov_state_saved(const struct ov_state *state, const char *name)
{
    char file[160];
    struct stat at;
    snprintf(file, sizeof file, "%s.state", name);
    return fstatat(state->dir_fd, file, &at, 0) == 0
               ? (double)at.st_mtim.tv_sec + (double)at.st_mtim.tv_nsec / 1e9 : (double)NAN;
}

static bool write_all(int fd, struct ov_slice text)
{
    while (text.len) {
        ssize_t wrote = write(fd, text.ptr, text.len);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        text.ptr += wrote;
        text.len -= (size_t)wrote;
    }
    return true;
}

const char *ov_state_dir(const struct ov_state *state)
{
    return state->dir;
}

int ov_state_write(struct ov_state *state, const char *name, const char *plugin,
                   struct ov_slice text, struct ov_buf *why)
{
    char file[160], aside[176];
    struct ov_buf head = {0};
    snprintf(file, sizeof file, "%s.state", name);
    snprintf(aside, sizeof aside, "%s.new", file);
    head_add(&head, plugin, text);
    int fd = openat(state->dir_fd, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
    bool good = fd >= 0 && write_all(fd, (struct ov_slice){head.data, head.len}) &&
                write_all(fd, text) && fdatasync(fd) == 0;
    int saved = errno;
    ov_buf_free(&head);
    if (fd >= 0)
        close(fd);
    if (good && renameat(state->dir_fd, aside, state->dir_fd, file) == 0) {
        fsync(state->dir_fd);
        return OV_OK;
    }
    ov_buf_printf(why, "cannot save state to %s/%s: %s", state->dir, file,
                  strerror(good ? errno : saved));
    if (fd >= 0)
        unlinkat(state->dir_fd, aside, 0);
    return OV_FAILED;
}

char *ov_state_default_dir(void)
{
    const char *systemd = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    struct ov_buf dir = {0};
    if (systemd && *systemd)
        ov_buf_add(&dir, systemd, strcspn(systemd, ":"));
    else if (geteuid() == 0)
        ov_buf_str(&dir, OV_STATE_DIR);
    else if (xdg && *xdg == '/')
        ov_buf_printf(&dir, "%s/omnivigil", xdg);
    else if (home && *home == '/')
        ov_buf_printf(&dir, "%s/.local/state/omnivigil", home);
    else
        ov_buf_str(&dir, OV_STATE_DIR);
    ov_buf_text(&dir);
    return dir.data;
}
