/* SPDX-License-Identifier: Apache-2.0 */
/* How much a counter grew in the last while. Most counters never move: those cost one number. */
#ifndef OV_HISTORY_H
#define OV_HISTORY_H

#include "omnivigil.h"

/* Zeros at first. */
struct ov_history {
    bool known;
    double base;                      /* before the counter first moved */
    struct ov_history_points *points; /* since then */
};

/* Takes the counter's value at `now_ms` and returns its growth over `window_ms`, to a fourteenth
 * of that; NaN at first sight, for NaN, and where a smaller value than before shows that the
 * counter began anew. The window is the same in every call. */
double ov_history_increase(struct ov_history *history, double value, int64_t now_ms,
                           int64_t window_ms);
/* Appends it as words, " base at:value at:value ...", its times plus `behind_ms`. */
void ov_history_save(const struct ov_history *history, int64_t behind_ms, struct ov_buf *out);
/* Reads such words into an empty history, the times less `behind_ms`. False where they are none;
 * then it stays empty. */
bool ov_history_load(struct ov_history *history, char *const *words, size_t count,
                     int64_t behind_ms) OV_MUST_CHECK;
void ov_history_free(struct ov_history *history); /* the content */

#endif
