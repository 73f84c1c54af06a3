/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: one line a call on stderr, as text, as JSON, or with journald's priorities when systemd
 * reads stderr. Control bytes are escaped. A log nobody reads (closed, full disk, a pipe that is
 * full) costs lines, never time. Any thread.
 */
#ifndef OV_LOG_H
#define OV_LOG_H

#include "omnivigil.h"

#define OV_NOTHING ((enum ov_level)-1) /* a level below all: nothing is logged */

/* `level`: what is more detailed is left out. `json`: one object a line. Called before threads
 * start and again at a reload. */
void ov_log_setup(enum ov_level level, bool json);
/* `who` may be NULL for the agent itself. */
void ov_log_line(enum ov_level level, const char *who, const char *format, ...) OV_PRINTF(3, 4);
void ov_log_vline(enum ov_level level, const char *who, const char *format, va_list args)
    OV_PRINTF(3, 0);

/* Appends a duration for a person: "350 ms", "12 s", "3 min 5 s", "2 h 10 min". */
void ov_buf_duration(struct ov_buf *buf, int64_t ms);

#endif
