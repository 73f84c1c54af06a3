/* SPDX-License-Identifier: Apache-2.0 */
/* Reads samples by the names of their tags and fields, as commands do that show what was gathered.
 * A value that is not there is absent: an empty slice, NaN, `missing` or -1. */
#ifndef FIGURES_H
#define FIGURES_H

#include "omnivigil.h"

bool figure_of(const struct ov_sample *sample, const char *measurement);
struct ov_slice figure_tag(const struct ov_sample *sample, const char *name);
struct ov_slice figure_text(const struct ov_sample *sample, const char *name);
int64_t figure_int(const struct ov_sample *sample, const char *name, int64_t missing);
double figure_double(const struct ov_sample *sample, const char *name);
int figure_bool(const struct ov_sample *sample, const char *name); /* 1, 0 or -1 */

#endif
