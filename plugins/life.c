/* SPDX-License-Identifier: Apache-2.0 */
#include "life.h"
#include "omni.h"

enum {
    FRESH_MS = OMNI_FRESH_MS,
    PROBATION_MS = OMNI_RECLAIM_LOOP_MS + 5000,
    REREAD_MS = 300000,
    WAITING_MS = 3 * OMNI_POLL_MS,
};

const char *life_word(enum life life)
{
    static const char *const words[] = {
        [LIFE_UNKNOWN] = NULL, [LIFE_POLLING] = "polling", [LIFE_BUSY] = "busy",
        [LIFE_SILENT] = "silent", [LIFE_PAUSED] = "paused",
    };
    return words[life];
}

/* Whether nobody touched the key since we read it: then our reading is what its idle time counts
 * from. */
static bool we_were_last(const struct life_signs *s, const struct life_memory *m)
{
    return m->read_ms && s->key_idle_ms >= s->now_ms - m->read_ms - 1500;
}

/* The key's idle time as it would be had we not read it. */
static int64_t idle_without_us(const struct life_signs *s, const struct life_memory *m)
{
    if (s->key_idle_ms < 0 || !we_were_last(s, m))
        return s->key_idle_ms;
    return m->idle_at_read_ms + s->now_ms - m->read_ms;
}

static bool is_busy(const struct life_signs *s)
{
    return s->pending > 0 && s->youngest_ms >= 0 && s->youngest_ms <= s->reclaim_idle_ms;
}

enum life life_judge(const struct life_signs *s, struct life_memory *m)
{
    int64_t idle = idle_without_us(s, m);
    bool fresh = idle >= 0 && idle <= FRESH_MS;
    if (idle > FRESH_MS)
        m->stale_ms = s->now_ms;
    /* A reclaim loop alone also makes the key fresh for some seconds of each 30. */
    if (fresh && m->stale_ms && s->now_ms - m->stale_ms < PROBATION_MS)
        fresh = false;
    if (s->moved || (s->consumer_idle_ms >= 0 && s->consumer_idle_ms <= FRESH_MS)) {
        m->stale_ms = 0;
        return LIFE_POLLING;
    }
    /* Whoever polls takes what waits; looks that fall into step with the reclaim loop's would
     * always find the key fresh. */
    if (fresh && s->waiting_ms > WAITING_MS)
        fresh = false;
    if (fresh && !s->nobody_blocks)
        return LIFE_POLLING;
    if (is_busy(s))
        return LIFE_BUSY;
    if (idle < 0 && s->consumer_idle_ms < 0 && !s->nobody_blocks)
        return LIFE_UNKNOWN;
    if (m->read_ms && m->paused && (idle > FRESH_MS || we_were_last(s, m)))
        return LIFE_PAUSED;
    return LIFE_SILENT;
}

bool life_wants_value(const struct life_signs *s, const struct life_memory *m)
{
    if (idle_without_us(s, m) <= FRESH_MS && !s->nobody_blocks)
        return false;
    return !we_were_last(s, m) || s->now_ms - m->read_ms >= REREAD_MS;
}

void life_value_read(const struct life_signs *s, bool paused, struct life_memory *m)
{
    m->idle_at_read_ms = idle_without_us(s, m);
    m->read_ms = s->now_ms;
    m->paused = paused;
}
