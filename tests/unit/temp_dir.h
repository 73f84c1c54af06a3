/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of a test's own, and what tests look for in one. */
#ifndef TEMP_DIR_H
#define TEMP_DIR_H

#include <dirent.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "omnivigil.h"

/* Ends the test program where there is none to be had; the caller hands it to temp_dir_free. */
static inline char *temp_dir_new(void)
{
    const char *base = getenv("TMPDIR");
    struct ov_buf path = {0};
    ov_buf_printf(&path, "%s/ov_test.XXXXXX", base && *base ? base : "/tmp");
    ov_buf_text(&path);
    if (!mkdtemp(path.data)) {
        perror(path.data);
        abort();
    }
    return path.data;
}

static inline int temp_remove(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static inline void temp_dir_clear(const char *path)
{
    nftw(path, temp_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static inline void temp_dir_free(char *path)
{
    temp_dir_clear(path);
    free(path);
}

/* How many names there are in a directory, with their files' sizes in *bytes. */
static inline size_t temp_dir_count(const char *path, size_t *bytes)
{
    DIR *stream = opendir(path);
    size_t count = 0;
    *bytes = 0;
    for (struct dirent *e; stream && (e = readdir(stream));) {
        struct stat st;
        if (e->d_name[0] == '.' || fstatat(dirfd(stream), e->d_name, &st, 0) != 0)
            continue;
        count++;
        *bytes += (size_t)st.st_size;
    }
    if (stream)
        closedir(stream);
    return count;
}

static inline size_t open_descriptors(void)
{
    size_t bytes;
    return temp_dir_count("/proc/self/fd", &bytes);
}

#endif
