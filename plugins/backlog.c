/* SPDX-License-Identifier: Apache-2.0 */
#include "backlog.h"

static int64_t at_least_0(int64_t value)
{
    return value < 0 ? 0 : value;
}

static bool lag_is_told(const struct group_facts *g)
{
    return g->read >= 0 && g->lag >= 0;
}

/* The lag as it was when the stream was asked: a moment earlier, so entries may have come since. */
static int64_t lag_then(const struct stream_facts *s, const struct group_facts *g)
{
    return s->added >= 0 && s->added - g->read < g->lag ? s->added - g->read : g->lag;
}

/* Whether the memory is of this group's present life: nothing in it may have gone back. */
static bool memory_fits(const struct stream_facts *s, const struct group_facts *g,
                        const struct backlog_memory *m)
{
    return m->known && s->added >= m->added &&
           redis_id_compare(g->last_delivered, m->last_delivered) >= 0;
}

static bool has_moved(const struct group_facts *g, const struct backlog_memory *m)
{
    return redis_id_compare(g->last_delivered, m->last_delivered) != 0;
}

/* Takes `current` as what was lost under the regime `by_lag`; another regime carries over what was
 * counted until now. Under the same one nothing is found again: a smaller number than before comes
 * of facts that are not of one moment. */
static void settle(struct backlog *b, const struct stream_facts *s, const struct group_facts *g,
                   int64_t current, bool by_lag, int64_t place, struct backlog_memory *m)
{
    int64_t before = m->known ? m->carried + m->current : INT64_MAX;
    if (m->known && (m->by_lag != by_lag || (!by_lag && has_moved(g, m))))
        m->carried += m->current;
    else if (current < m->current)
        current = m->current;
    m->known = true;
    m->by_lag = by_lag;
    m->last_delivered = g->last_delivered;
    m->added = s->added;
    m->place = place;
    m->current = current;
    b->lost = m->carried + current;
    if (b->lost > before)
        m->lost_ms = g->now_ms;
}

/* All that is left is all there is; what lies between last_delivered and the first entry was
 * trimmed unread. */
static void judge_before(struct backlog *b, const struct stream_facts *s,
                         const struct group_facts *g, struct backlog_memory *m)
{
    bool first_sight = !m->known;
    b->left = s->length;
    b->oldest_is_first = s->length > 0;
    if (lag_is_told(g)) { /* newer servers leave what was trimmed out of the lag alone */
        int64_t behind = s->added >= 0 ? s->added - g->read : g->lag;
        settle(b, s, g, at_least_0(behind - s->length), true, -1, m);
        if (first_sight && b->lost > 0)
            m->lost_ms = g->now_ms;
        return;
    }
    int64_t begins = s->added < 0 ? -1 : s->added - s->length;
    int64_t place = m->known && !has_moved(g, m) && m->place >= 0 ? m->place : begins;
    settle(b, s, g, at_least_0(begins - place), false, place, m);
    if (first_sight)
        b->lost = -1;
}

struct backlog backlog_judge(const struct stream_facts *s, const struct group_facts *g,
                             struct backlog_memory *m)
{
    struct backlog b = {.left = -1, .lost = -1};
    bool fits = memory_fits(s, g, m);
    if (!fits)
        *m = (struct backlog_memory){.place = -1};
    if (m->lost_ms > g->now_ms)
        m->lost_ms = g->now_ms; /* Redis' clock was set back, or it is another one's */
    int ahead = redis_id_compare(g->last_delivered, s->last_generated);
    if (ahead > 0) { /* it read on since the stream was asked: a later look tells what it lost */
        b.left = 0;
        b.lost = m->known ? m->carried + m->current : -1;
    } else if (ahead == 0) {
        b.left = 0;
        settle(&b, s, g, lag_is_told(g) ? at_least_0(lag_then(s, g)) : 0, lag_is_told(g),
               s->added, m);
    } else if (s->empty || redis_id_compare(g->last_delivered, s->first) < 0) {
        judge_before(&b, s, g, m);
    } else if (lag_is_told(g) && s->added == s->length) { /* nothing was ever trimmed or deleted */
        b.left = lag_then(s, g);
        settle(&b, s, g, 0, true, -1, m);
    } else if (fits && m->by_lag && lag_is_told(g) &&
               redis_id_compare(s->first, m->last_delivered) <= 0 && g->lag >= m->current &&
               g->lag - m->current <= s->length) {
        /* Nothing unread was trimmed since the memory: what was lost then is lost now. */
        b.left = g->lag - m->current;
        settle(&b, s, g, m->current, true, -1, m);
    }
    if (s->added < 0)
        b.lost = -1;
    b.waiting = b.left != 0;
    return b;
}

void backlog_counted(struct backlog *b, const struct stream_facts *s, const struct group_facts *g,
                     int64_t left, struct backlog_memory *m)
{
    bool first_sight = !m->known;
    b->left = left;
    b->waiting = left > 0;
    if (lag_is_told(g)) {
        settle(b, s, g, at_least_0(lag_then(s, g) - left), true, -1, m);
        return;
    }
    settle(b, s, g, 0, false, s->added < 0 ? -1 : s->added - left, m);
    if (first_sight || s->added < 0)
        b->lost = -1;
}
