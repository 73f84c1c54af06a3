/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The series an output has written, with the last values of their counters, for formats that
 * want differences. A series is known by the name it is written under; where two get the same
 * name, the first has it. Those not seen for a while are forgotten. One thread at a time.
 */
#ifndef SERIES_H
#define SERIES_H

#include "omnivigil.h"

struct series_table;

/* Forgets a series that was not seen for `forget_ms`; holds at most `max` of them. */
struct series_table *series_table_new(int64_t forget_ms, size_t max);
void series_table_free(struct series_table *table);
size_t series_table_count(const struct series_table *table);

/* A number for bytes that nobody outside can foresee. Begin with `so_far` 0. */
uint64_t series_hash(const struct series_table *table, uint64_t so_far, struct ov_slice bytes);

/* Begins a round, in which each series may come up once, at `now_ms` on ov_clock_ms. */
void series_round(struct series_table *table, int64_t now_ms);

/* A series with up to OV_MAX_FIELDS counters, which are told apart by number. `name` and `identity`
 * are from series_hash: of the name it is written under, and of what it really is. NULL with a
 * reason in *why: the name is taken, or there are too many. Valid until the next call. */
struct series *series_find(struct series_table *table, uint64_t name, uint64_t identity,
                           unsigned counters, const char **why);

/* What a counter rose by since the call before; 0 the first time, and where it fell: it began
 * anew, and nothing says from where. */
uint64_t series_rise(struct series *series, unsigned counter, int64_t value);
/* The same for fractions, to a billionth; what that leaves over counts the next time. */
double series_rise_float(struct series *series, unsigned counter, double value);

#endif
