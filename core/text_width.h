/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a terminal draws it, in columns. Text is UTF-8; a byte that is none counts as one. */
#ifndef OV_TEXT_WIDTH_H
#define OV_TEXT_WIDTH_H

#include "omnivigil.h"

unsigned ov_char_width(uint32_t c); /* 0, 1 or 2; control characters count as 1 */
size_t ov_text_width(struct ov_slice text);
/* How many bytes of the beginning fit `width` columns; `*used` is set to the columns they take. A
 * mark stays with its character. */
size_t ov_text_fit(struct ov_slice text, size_t width, size_t *used);

#endif
