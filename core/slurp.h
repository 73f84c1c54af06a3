/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a small file whole: the configuration, a secret, a `.env`. */
#ifndef OV_SLURP_H
#define OV_SLURP_H

#include <sys/stat.h>

#include "omnivigil.h"

/* Appends the bytes of the regular file `path`, `limit` at most, to `out`; its status goes to
 * `info` unless that is NULL. On OV_FAILED the reason was added to `why` ("it is a directory") and
 * `out` may hold a part. Never waits for a pipe or a device: those are refused. */
int ov_slurp(const char *path, size_t limit, struct ov_buf *out, struct stat *info,
             struct ov_buf *why) OV_MUST_CHECK;

#endif
