/* SPDX-License-Identifier: Apache-2.0 */
/* Where an output's encode puts its records: a queue in the agent, a buffer in a command. */
#ifndef OV_EMIT_H
#define OV_EMIT_H

#include "omnivigil.h"
#include "queue.h"

struct ov_emit {
    struct ov_queue *queue; /* or */
    struct ov_buf *buf;
    struct ov_host *host;   /* for what cannot be written; may be NULL */
    size_t dropped;         /* samples pushed out of a full queue */
};

#endif
