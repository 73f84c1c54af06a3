/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a queue's log lies: one directory for each output, named after it, with the segments of
 * its log. It is held by one agent at a time, and only used if it belongs to the user the agent
 * runs as (or to root).
 *
 *     BASE/queue/OUTPUT/PLUGIN-0000000012-5f3a9c01.log
 *                       |      |          ` the seed of its checksums, different in every file
 *                       |      ` segments are read in the order of their numbers
 *                       ` whose wire format the records have
 */
#ifndef OV_QUEUE_DIR_H
#define OV_QUEUE_DIR_H

#include "omnivigil.h"

/* BASE/queue/OUTPUT; the caller frees. */
char *ov_queue_dir_path(const char *base, const char *output);

/* Opens the directory and takes it for this process; with `create` it is made if it is missing.
 * Returns a descriptor, which holds the directory until it is closed, or -1 with a text in `why`;
 * a directory that is missing and not to be made is -1 without a text. *taken: another process
 * (or another queue of this one) holds it. */
int ov_queue_dir_open(const char *path, bool create, bool *taken, struct ov_buf *why);

struct ov_queue_name {
    char *file;
    uint64_t number;
    uint32_t seed;
};
/* The segments of `plugin` in the directory, by number; the caller frees the array and each
 * `file`. `*foreign` counts the segments of other plugins. */
struct ov_queue_name *ov_queue_dir_list(int dir_fd, const char *plugin, size_t *count,
                                        size_t *foreign);
/* A name for a new segment with a seed of its own. */
struct ov_queue_name ov_queue_dir_name(const char *plugin, uint64_t number);

/* Adds a line to `out` for every output that has a log below BASE but is not `known` any more. */
void ov_queue_dir_leftovers(const char *base,
                            bool (*known)(const void *context, const char *output),
                            const void *context, struct ov_buf *out);

#endif
