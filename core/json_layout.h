/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text laid out anew. */
#ifndef OV_JSON_LAYOUT_H
#define OV_JSON_LAYOUT_H

#include "omnivigil.h"

/* Appends `json`, which is valid, on one line, or where `indent` is not 0 with a line for each
 * member and element, and no final newline. Names, numbers and their order stay as they are;
 * control characters are escaped, invalid UTF-8 is U+FFFD. Text that is not valid gives nothing
 * better, but does no harm. */
void ov_json_layout(struct ov_buf *out, struct ov_slice json, unsigned indent);

#endif
