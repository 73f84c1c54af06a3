/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A hash table with open addressing: a series is at the first free place from its hash on. There
 * is no removal but building the table anew, which happens when it fills up, and so that the
 * forgotten go, four times in the time it takes to forget. The hash multiplies and folds words
 * under a random key, so that names cannot be chosen to meet.
 */
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

#include "series.h"

__extension__ typedef unsigned __int128 uint128;

struct series {
    uint64_t name; /* 0: a free place */
    uint64_t identity;
    int64_t seen_ms;
    uint64_t round; /* when it came up last */
    uint64_t known; /* bit i: last[i] holds a value */
    unsigned counters;
    union ov_value *last; /* `counters` of them; NULL for none */
};

struct series_table {
    int64_t forget_ms, swept_ms, now_ms;
    uint64_t round;
    size_t max;
    uint64_t key;
    struct series *places;
    size_t room, count; /* room is a power of two */
};

struct series_table *series_table_new(int64_t forget_ms, size_t max)
{
    struct series_table *table = ov_calloc(1, sizeof *table);
    *table = (struct series_table){.forget_ms = forget_ms, .max = max, .room = 64,
                                   .swept_ms = ov_clock_ms()};
    if (getrandom(&table->key, sizeof table->key, GRND_NONBLOCK) != (ssize_t)sizeof table->key)
        table->key = (uint64_t)ov_wall_ns() ^ (uintptr_t)table;
    table->places = ov_calloc(table->room, sizeof *table->places);
    return table;
}

void series_table_free(struct series_table *table)
{
    if (!table)
        return;
    for (size_t i = 0; i < table->room; i++)
        free(table->places[i].last);
    free(table->places);
    free(table);
}

size_t series_table_count(const struct series_table *table)
{
    return table->count;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

uint64_t series_hash(const struct series_table *table, uint64_t so_far, struct ov_slice bytes)
{
    uint64_t hash = fold(so_far ^ table->key ^ bytes.len, UINT64_C(0x9e3779b97f4a7c15));
    for (size_t i = 0; i < bytes.len; i += 8) {
        uint64_t word = 0;
        memcpy(&word, bytes.ptr + i, bytes.len - i < 8 ? bytes.len - i : 8);
        hash = fold(hash ^ word ^ table->key, UINT64_C(0xa0761d6478bd642f) ^ (hash >> 32));
    }
    return hash;
}

/* ---------------------------------------------------------------- places */

static struct series *place_of(const struct series_table *table, uint64_t name)
{
    size_t at = (size_t)name & (table->room - 1);
    while (table->places[at].name && table->places[at].name != name)
        at = (at + 1) & (table->room - 1);
    return &table->places[at];
}

static bool is_kept(const struct series_table *table, const struct series *series)
{
    return series->name && table->now_ms - series->seen_ms < table->forget_ms;
}

/* Builds the table anew for twice as many as are left. */
static void rebuild(struct series_table *table)
{
    struct series *old = table->places;
    size_t old_room = table->room, left = 0;
    for (size_t i = 0; i < old_room; i++)
        left += is_kept(table, &old[i]);
    for (table->room = 64; table->room < left * 2 + 2;)
        table->room *= 2;
    table->places = ov_calloc(table->room, sizeof *table->places);
    table->count = left;
    table->swept_ms = table->now_ms;
    for (size_t i = 0; i < old_room; i++) {
        if (is_kept(table, &old[i]))
            *place_of(table, old[i].name) = old[i];
        else
            free(old[i].last);
    }
    free(old);
}

static void counters_set(struct series *series, unsigned counters)
{
    series->known = 0;
    series->counters = counters;
    free(series->last);
    series->last = counters ? ov_calloc(counters, sizeof *series->last) : NULL;
}

void series_round(struct series_table *table, int64_t now_ms)
{
    table->round++;
    table->now_ms = now_ms;
    if (now_ms - table->swept_ms >= table->forget_ms / 4)
        rebuild(table);
}

/* Takes a free place for a series. */
static struct series *add(struct series_table *table, uint64_t name, uint64_t identity)
{
    if ((table->count + 1) * 4 > table->room * 3)
        rebuild(table);
    struct series *series = place_of(table, name);
    *series = (struct series){.name = name, .identity = identity};
    table->count++;
    return series;
}

struct series *series_find(struct series_table *table, uint64_t name, uint64_t identity,
                           unsigned counters, const char **why)
{
    name |= 1;
    struct series *series = place_of(table, name);
    *why = NULL;
    if (!series->name && table->count >= table->max)
        *why = "there are too many series";
    else if (!series->name)
        series = add(table, name, identity);
    else if (series->identity != identity)
        *why = "another series is written under the same name";
    else if (series->round == table->round)
        *why = "a series came up twice at once";
    if (*why)
        return NULL;
    if (series->counters != counters)
        counters_set(series, counters);
    series->seen_ms = table->now_ms;
    series->round = table->round;
    return series;
}

/* ---------------------------------------------------------------- counters */

static bool note(struct series *series, unsigned counter)
{
    bool known = series->known >> counter & 1;
    series->known |= UINT64_C(1) << counter;
    return known;
}

uint64_t series_rise(struct series *series, unsigned counter, int64_t value)
{
    int64_t before = series->last[counter].integer;
    bool known = note(series, counter);
    series->last[counter].integer = value;
    return known && value > before ? (uint64_t)value - (uint64_t)before : 0;
}

double series_rise_float(struct series *series, unsigned counter, double value)
{
    double before = series->last[counter].number;
    bool known = note(series, counter);
    double rise = known && value > before ? value - before : 0;
    if (!isfinite(rise))
        rise = 0;
    if (rise < 1e6) /* beyond that a double has no digits to cut */
        rise = nearbyint(rise * 1e9) / 1e9;
    series->last[counter].number = known && value >= before ? before + rise : value;
    return rise;
}
