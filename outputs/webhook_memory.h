/* SPDX-License-Identifier: Apache-2.0 */
/* A word about each of many alerts, of this process alone; bounded: beyond MEMORY_MAX alerts those
 * longest untouched are forgotten. Any thread. */
#ifndef WEBHOOK_MEMORY_H
#define WEBHOOK_MEMORY_H

#include "omnivigil.h"

struct memory;

enum memory_answer { MEMORY_NONE, MEMORY_SAME, MEMORY_OTHER };

struct memory *memory_new(void);
void memory_free(struct memory *memory);

/* `word` now holds of `alert`. Both are copied. */
void memory_note(struct memory *memory, struct ov_slice alert, struct ov_slice word);
/* Whether `word` is what was noted last of `alert`, or another one, or nothing was. */
enum memory_answer memory_ask(struct memory *memory, struct ov_slice alert, struct ov_slice word);
/* Forgets the alert, if it is `word` that was noted last. */
void memory_forget(struct memory *memory, struct ov_slice alert, struct ov_slice word);

#define MEMORY_MAX 16384

#endif
