/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a small file whole. It is opened without blocking and looked at before the first read,
 * so that a pipe, a terminal or a directory in the place of a file is an error and no hang. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "scalar.h"
#include "slurp.h"

static int slurp_fail(struct ov_buf *why, const char *text)
{
    ov_buf_str(why, text);
    return OV_FAILED;
}

static int slurp_fd(int fd, size_t limit, struct ov_buf *out, struct stat *info,
                    struct ov_buf *why)
{
    size_t begin = out->len;
    if (fstat(fd, info) != 0)
        return slurp_fail(why, strerror(errno));
    if (S_ISDIR(info->st_mode))
        return slurp_fail(why, "it is a directory");
    if (!S_ISREG(info->st_mode))
        return slurp_fail(why, "it is not a regular file");
    for (;;) {
        ov_buf_grow(out, 16384);
        ssize_t got = read(fd, out->data + out->len, 16384);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return slurp_fail(why, strerror(errno));
        if (got == 0)
            return OV_OK;
        out->len += (size_t)got;
        if (out->len - begin > limit) {
            ov_buf_str(why, "it is larger than ");
            ov_scalar_put_size(why, (int64_t)limit);
            return OV_FAILED;
        }
    }
}

int ov_slurp(const char *path, size_t limit, struct ov_buf *out, struct stat *info,
             struct ov_buf *why)
{
    struct stat ignored;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0)
        return slurp_fail(why, strerror(errno));
    int status = slurp_fd(fd, limit, out, info ? info : &ignored, why);
    close(fd);
    return status;
}
