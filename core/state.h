/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What survives a restart: one small text file an instance in the state directory, replaced
 * atomically (written aside, synced, renamed), with a head line that says whose it is and a
 * checksum, so a torn or foreign file is noticed and set aside. One agent a directory, by a lock.
 *
 *     omnivigil-state 1 PLUGIN BYTES CHECKSUM\n
 *     whatever the plugin's save wrote
 */
#ifndef OV_STATE_H
#define OV_STATE_H

#include "omnivigil.h"

struct ov_state;

/* `dir` is made if it is missing. Returns NULL with a text in `why` when it cannot be used;
 * *taken tells whether that is because another agent holds it. With `read_only` nothing is made
 * and no lock is taken. */
struct ov_state *ov_state_open(const char *dir, bool read_only, bool *taken, struct ov_buf *why);
void ov_state_close(struct ov_state *state);

/* OV_OK with the saved text in `out`; OV_OK and an empty `out` when there is none; OV_FAILED
 * with a text in `why` when the file is unreadable (it is renamed to NAME.state.bad). */
int ov_state_read(struct ov_state *state, const char *name, const char *plugin,
                  struct ov_buf *out, struct ov_buf *why) OV_MUST_CHECK;
const char *ov_state_dir(const struct ov_state *state);
/* When that was written, in Unix seconds; NaN where it is not there. */
double ov_state_saved(const struct ov_state *state, const char *name);
/* From any thread, for different names. */
int ov_state_write(struct ov_state *state, const char *name, const char *plugin,
                   struct ov_slice text, struct ov_buf *why) OV_MUST_CHECK;

/* The directory used when none is configured: systemd's STATE_DIRECTORY, the system's for root,
 * else the user's own. Caller frees. */
char *ov_state_default_dir(void);

#endif
