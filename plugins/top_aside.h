/* SPDX-License-Identifier: Apache-2.0 */
/* While the screen is up, what is said on standard error would garble it: where that is the
 * terminal it is kept, the last of it, and said when the screen is gone. */
#ifndef TOP_ASIDE_H
#define TOP_ASIDE_H

#include "omnivigil.h"

struct top_aside {
    int pipe_fd;   /* where it arrives; -1: standard error is left alone */
    int before_fd; /* the terminal */
    struct ov_buf kept;
};

void top_aside_begin(struct top_aside *aside);
void top_aside_read(struct top_aside *aside); /* takes what is there; waits for nothing */
void top_aside_end(struct top_aside *aside);

#endif
