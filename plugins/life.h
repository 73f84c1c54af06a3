/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether somebody works for a consumer group. OmniDaemon's consumers read the key
 * `_subscription_active:<group>` before each blocking read, every 6 s or less, so its idle time
 * tells a poller; its reclaim loops read the same key every 30 s and live on when the consumers
 * have stopped for good. A consumer whose slots are all taken does not poll: it is busy, and
 * entries were delivered lately. Reading the key ourselves resets its idle time, hence the memory.
 *
 * Pure functions of signs and of a memory a group. Times in milliseconds.
 */
#ifndef LIFE_H
#define LIFE_H

#include "omnivigil.h"

enum life { LIFE_UNKNOWN, LIFE_POLLING, LIFE_BUSY, LIFE_SILENT, LIFE_PAUSED };
/* "polling", ...; NULL for LIFE_UNKNOWN. */
const char *life_word(enum life life);

struct life_signs {
    int64_t now_ms;            /* Redis' clock */
    int64_t key_idle_ms;       /* OBJECT IDLETIME; -1: no key, or not to be had */
    int64_t consumer_idle_ms;  /* the least idle consumer, where that means a try (Redis >= 7.2);
                                  -1: not to be had */
    int64_t pending;
    int64_t youngest_ms;       /* since the last delivery of a pending entry; -1: none */
    int64_t reclaim_idle_ms;   /* the agent's */
    int64_t waiting_ms;        /* how long the oldest undelivered entry waits; -1: none, unknown */
    bool moved;                /* entries were read since the last look */
    bool nobody_blocks;        /* no client at all has waited in a blocking read for a while */
};

/* Zeros at first. */
struct life_memory {
    int64_t stale_ms;          /* when the key was last seen too idle for a poller */
    int64_t read_ms;           /* when we read the key ourselves */
    int64_t idle_at_read_ms;   /* its idle time then */
    bool paused;               /* what we read */
};

enum life life_judge(const struct life_signs *signs, struct life_memory *memory);
/* Whether the key's value should be read now: it is stale or nobody blocks, and it was not read
 * since somebody else touched it, or for a while. */
bool life_wants_value(const struct life_signs *signs, const struct life_memory *memory);
/* Notes that we read the key (which resets its idle time), and what it said. */
void life_value_read(const struct life_signs *signs, bool paused, struct life_memory *memory);

#endif
