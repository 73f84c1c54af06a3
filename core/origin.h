/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the values came from that the environment may give (REDIS_URL): when something cannot be
 * reached, that is what a person needs to know.
 */
#ifndef OV_ORIGIN_H
#define OV_ORIGIN_H

#include "options.h"

/* For each option of the table a text, or NULL where no variable stands for it; to be freed with
 * ov_origins_free. `env_file` as configured, NULL or "" for none. */
char **ov_origins_new(const struct ov_source *source, const struct ov_option *table,
                      const char *env_file);
void ov_origins_free(char **origins, const struct ov_option *table);

/* Appends " (REDIS_URL is not set ...)" for the option whose value (a text, of an address the host
 * or path) `why` speaks of; nothing without one. `state` was filled in from the table. */
void ov_origins_put(char *const *origins, const struct ov_option *table, const void *state,
                    const char *why, struct ov_buf *out);

#endif
