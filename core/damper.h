/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps repeated faults from flooding the log: the first of a cause is logged at once, repeats
 * are counted and summed up once a minute, and its end is announced. Causes that alternate do not
 * disturb each other. Any thread.
 */
#ifndef OV_DAMPER_H
#define OV_DAMPER_H

#include "omnivigil.h"

struct ov_damper;

/* `who` is put before each line; copied. */
struct ov_damper *ov_damper_new(const char *who);
void ov_damper_free(struct ov_damper *damper);
/* A fault now (`now_ms` on ov_clock_ms); `text` is the line to log. */
void ov_damper_report(struct ov_damper *damper, const char *cause, const char *text,
                      int64_t now_ms);
/* The fault is over; does nothing if it was not reported. */
void ov_damper_over(struct ov_damper *damper, const char *cause, int64_t now_ms);

#endif
