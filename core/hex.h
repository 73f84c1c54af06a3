/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a word of text, and back: an `x` and two hexadecimal digits for each byte. */
#ifndef OV_HEX_H
#define OV_HEX_H

#include "omnivigil.h"

void ov_hex_put(struct ov_buf *out, struct ov_slice bytes);
/* Reads such a word into `out` (emptied first); false where it is none. */
bool ov_hex_take(const char *text, struct ov_buf *out) OV_MUST_CHECK;

#endif
