/* SPDX-License-Identifier: Apache-2.0 */
/* The core's side of an instance's line to the core: making it, setting deadlines, asking it to
 * stop, and reading what went wrong. The plugin's side is in omnivigil.h. */
#ifndef OV_HOST_H
#define OV_HOST_H

#include "omnivigil.h"

/* `name` goes into the log; `module_dir` is where ov_host_module looks. Both are copied.
 * `repeats` as in ov_host_repeats. */
struct ov_host *ov_host_new(const char *name, const char *module_dir, bool repeats);
void ov_host_free(struct ov_host *host);

/* Whether somebody looks at that field. */
typedef bool ov_wants_fn(const void *context, const struct ov_measurement *m, unsigned field);
/* Without, everything is wanted. Before the instance is opened. */
void ov_host_set_wants(struct ov_host *host, ov_wants_fn *wants, const void *context);
void ov_host_set_deadline(struct ov_host *host, int64_t deadline_ms);
/* Makes the stop descriptor readable; from any thread. Cannot be taken back. */
void ov_host_stop(struct ov_host *host);
/* The text of the last ov_fail, "" if there was none since ov_host_clear. The instance's own
 * thread only. */
const char *ov_host_why(const struct ov_host *host);
void ov_host_clear(struct ov_host *host);

#endif
