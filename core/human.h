/* SPDX-License-Identifier: Apache-2.0 */
/* Quantities as persons read them, rounded. All values are finite, but for ov_human_quantity. */
#ifndef OV_HUMAN_H
#define OV_HUMAN_H

#include "omnivigil.h"

void ov_human_number(struct ov_buf *out, double value);  /* 1234.568, 0.0123; tiny ones whole */
void ov_human_seconds(struct ov_buf *out, double value); /* 85ms, 4.2s, 3m12s, 2h05m, 4d03h */
void ov_human_bytes(struct ov_buf *out, double value);   /* 512 B, 12.4 MiB */
/* 97.5 %; with more digits where it would else be 0 or 100 and is not. */
void ov_human_ratio(struct ov_buf *out, double value);
/* A value of a field with that unit, as above; ? for one that is not finite. */
void ov_human_quantity(struct ov_buf *out, const char *unit, double value);
/* Seconds since 1970, in years of up to four digits: local time, 2026-01-31 17:05:09. */
void ov_human_time(struct ov_buf *out, double seconds);

#endif
