/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue_dir.h"

enum { DIR_MODE = 0750, TAIL_LEN = sizeof "-0000000012-5f3a9c01.log" - 1 };
#define QUEUE_DIR "queue"

char *ov_queue_dir_path(const char *base, const char *output)
{
    struct ov_buf path = {0};
    ov_buf_printf(&path, "%s/" QUEUE_DIR "/%s", base, output);
    ov_buf_text(&path);
    return path.data;
}

/* Makes the last part's name last. */
static void sync_parent(const char *dir)
{
    char *path = ov_memdup(dir, (size_t)(strrchr(dir, '/') - dir));
    int fd = open(*path ? path : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
    free(path);
}

/* The last mkdir's errno is what is wrong: those before may fail since they are there. */
static bool make_dirs(const char *dir)
{
    char *path = ov_strdup(dir);
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, DIR_MODE) == 0 && strchr(path, '/'))
            sync_parent(path);
        *slash = '/';
    }
    free(path);
    if (mkdir(dir, DIR_MODE) != 0)
        return errno == EEXIST;
    sync_parent(dir);
    return true;
}

static int dir_take(int fd, const char *path, bool *taken, struct ov_buf *why)
{
    struct stat st;
    if (fstat(fd, &st) != 0) {
        ov_buf_printf(why, "queue directory %s: %s", path, strerror(errno));
        return OV_FAILED;
    }
    if (st.st_uid != 0 && st.st_uid != geteuid()) {
        ov_buf_printf(why, "queue directory %s belongs to user %ju, not to the one omnivigil runs "
                      "as (%ju): it is not used", path, (uintmax_t)st.st_uid,
                      (uintmax_t)geteuid());
        return OV_FAILED;
    }
    /* A file system that cannot lock is used without. */
    if (flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
        *taken = true;
        ov_buf_printf(why, "queue directory %s is in use by another omnivigil: stop it, or give "
                      "this one its own agent.queue_dir or agent.state_dir", path);
        return OV_FAILED;
    }
    return OV_OK;
}

int ov_queue_dir_open(const char *path, bool create, bool *taken, struct ov_buf *why)
{
    bool made = !create || make_dirs(path);
    int fd = made ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
    *taken = false;
    if (fd < 0) {
        if (create || errno != ENOENT)
            ov_buf_printf(why, "queue directory %s: %s", path, strerror(errno));
        return -1;
    }
    if (dir_take(fd, path, taken, why) == OV_OK)
        return fd;
    close(fd);
    return -1;
}

/* ---------------------------------------------------------------- names of segments */

struct ov_queue_name ov_queue_dir_name(const char *plugin, uint64_t number)
{
    struct ov_queue_name name = {.number = number};
    struct ov_buf file = {0};
    if (getrandom(&name.seed, sizeof name.seed, GRND_NONBLOCK) != sizeof name.seed)
        name.seed = (uint32_t)ov_wall_ns();
    ov_buf_printf(&file, "%s-%010" PRIu64 "-%08" PRIx32 ".log", plugin, number, name.seed);
    ov_buf_text(&file);
    name.file = file.data;
    return name;
}

/* Splits a segment's name; *plugin_len is the length of the part in front. */
static bool name_read(const char *file, struct ov_queue_name *name, size_t *plugin_len)
{
    size_t len = strlen(file);
    int end = 0;
    if (len <= TAIL_LEN)
        return false;
    const char *tail = file + len - TAIL_LEN;
    if (strspn(tail + 1, "0123456789") != 10 || strspn(tail + 12, "0123456789abcdef") != 8 ||
        sscanf(tail, "-%10" SCNu64 "-%8" SCNx32 ".log%n", &name->number, &name->seed, &end) != 2 ||
        end != TAIL_LEN)
        return false;
    *plugin_len = len - TAIL_LEN;
    return true;
}

static int name_compare(const void *a, const void *b)
{
    const struct ov_queue_name *x = a, *y = b;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    return strcmp(x->file, y->file);
}

static DIR *dir_stream(int dir_fd)
{
    int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream && fd >= 0)
        close(fd);
    return stream;
}

struct ov_queue_name *ov_queue_dir_list(int dir_fd, const char *plugin, size_t *count,
                                        size_t *foreign)
{
    struct ov_queue_name *names = NULL, name;
    size_t cap = 0, plugin_len;
    DIR *stream = dir_stream(dir_fd);
    *count = *foreign = 0;
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (!name_read(entry->d_name, &name, &plugin_len))
            continue;
        if (plugin_len != strlen(plugin) || memcmp(entry->d_name, plugin, plugin_len) != 0) {
            ++*foreign;
            continue;
        }
        if (*count == cap)
            names = ov_realloc(names, cap = cap ? cap * 2 : 16, sizeof *names);
        name.file = ov_strdup(entry->d_name);
        names[(*count)++] = name;
    }
    if (stream)
        closedir(stream);
    if (*count)
        qsort(names, *count, sizeof *names, name_compare);
    return names;
}

/* ---------------------------------------------------------------- leftovers */

/* Bytes in the segments of a directory, whatever their plugin. */
static uint64_t segment_bytes(int parent_fd, const char *output)
{
    struct ov_queue_name name;
    struct stat st;
    size_t plugin_len;
    uint64_t bytes = 0;
    int fd = openat(parent_fd, output, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *stream = fd < 0 ? NULL : fdopendir(fd);
    if (!stream) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    for (struct dirent *entry; (entry = readdir(stream));)
        if (name_read(entry->d_name, &name, &plugin_len) &&
            fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode))
            bytes += (uint64_t)st.st_size;
    closedir(stream);
    return bytes;
}

void ov_queue_dir_leftovers(const char *base,
                            bool (*known)(const void *context, const char *output),
                            const void *context, struct ov_buf *out)
{
    char *path = ov_queue_dir_path(base, "");
    DIR *stream = opendir(path);
    for (struct dirent *entry; stream && (entry = readdir(stream));) {
        if (entry->d_name[0] == '.' || known(context, entry->d_name))
            continue;
        uint64_t bytes = segment_bytes(dirfd(stream), entry->d_name);
        if (bytes)
            ov_buf_printf(out, "%s%s holds %" PRIu64 " bytes that wait for an output named %s, "
                          "which is not configured: give an output that name, or remove the "
                          "directory\n", path, entry->d_name, bytes, entry->d_name);
    }
    if (stream)
        closedir(stream);
    free(path);
}
