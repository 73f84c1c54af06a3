/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pending entries one by one: those that are delivered again and again, and those nobody comes back
 * for. What is pending for long is not judged by its age, since a task may have waited long before
 * its first delivery, but by how long ago it was delivered.
 */
#include <stdlib.h>

#include "diagnose.h"
#include "figures.h"

enum {
    ENTRIES_MAX = 100,      /* of each group */
    POISON_DELIVERIES = 5,
    POISON_GRAVE = 20,
    RECLAIMS_MISSED = 3,    /* reclaim_idle_ms so many times over is long due */
    BODY_MAX = 200,
};

/* A group's oldest pending entries. */
struct pile {
    struct look *look;
    struct ov_slice topic, agent, group;
    int64_t reclaim_idle_ms, retries;
    size_t abandoned, entries;
    int64_t longest_ms;
    char consumer[128];       /* of the one that waits longest */
    int64_t most;             /* deliveries */
    char most_id[48];
    struct ov_buf body;       /* of that one, cut */
};

static void copy(char *out, size_t size, struct ov_slice text)
{
    size_t len = text.len < size ? text.len : size - 1;
    memcpy(out, text.ptr, len);
    out[len] = '\0';
}

static void on_body(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct pile *pile = context;
    (void)r;
    (void)index;
    if (reply->type != REDIS_ARRAY || reply->count == 0 || reply->items[0].type != REDIS_ARRAY ||
        reply->items[0].count < 2)
        return;
    const struct redis_reply *data = redis_map_get(&reply->items[0].items[1], "data");
    if (!data || data->type != REDIS_STRING)
        return;
    size_t len = data->text.len < BODY_MAX ? data->text.len : BODY_MAX;
    ov_buf_reset(&pile->body);
    ov_buf_escaped(&pile->body, (struct ov_slice){data->text.ptr, len});
    ov_buf_str(&pile->body, len < data->text.len ? " ..." : "");
}

static void take_entry(struct pile *pile, const struct redis_reply *entry)
{
    if (entry->type != REDIS_ARRAY || entry->count < 4)
        return;
    int64_t idle_ms = redis_int(&entry->items[2], 0), times = redis_int(&entry->items[3], 0);
    int64_t due_ms = RECLAIMS_MISSED * pile->reclaim_idle_ms + 2 * OMNI_RECLAIM_LOOP_MS;
    pile->entries++;
    if (times > pile->most && times > pile->retries + 1) {
        pile->most = times;
        copy(pile->most_id, sizeof pile->most_id, entry->items[0].text);
    }
    if (idle_ms <= due_ms)
        return;
    pile->abandoned++;
    if (idle_ms <= pile->longest_ms)
        return;
    pile->longest_ms = idle_ms;
    copy(pile->consumer, sizeof pile->consumer, entry->items[1].text);
}

static void on_pending(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct pile *pile = context;
    (void)index;
    for (size_t i = 0; reply->type == REDIS_ARRAY && i < reply->count; i++)
        take_entry(pile, &reply->items[i]);
    if (pile->most >= POISON_DELIVERIES)
        redis_send(r, on_body, pile, 0, OV_SLICE("XRANGE"),
                   omni_stream_key(&pile->look->key, pile->topic), ov_slice(pile->most_id),
                   ov_slice(pile->most_id), OV_SLICE("COUNT"), OV_SLICE("1"));
}

/* ---------------------------------------------------------------- telling */

static void put_place(struct ov_buf *out, const struct pile *pile)
{
    ov_buf_escaped(out, pile->agent.len ? pile->agent : pile->group);
    ov_buf_str(out, " on ");
    ov_buf_escaped(out, pile->topic);
}

static void tell_poison(struct pile *pile)
{
    struct look *look = pile->look;
    char words[80] = "bus inspect --id ";
    struct finding *f = diagnosis_add(look->d, AIL_POISON, pile->most >= POISON_GRAVE,
                                      pile->topic, pile->agent);
    ov_buf_printf(&f->what, "a task was delivered %jd times to ", (intmax_t)pile->most);
    put_place(&f->what, pile);
    ov_buf_printf(&f->evidence, "entry %s, retries allowed %jd", pile->most_id,
                  (intmax_t)pile->retries);
    if (pile->body.len)
        ov_buf_printf(&f->evidence, ", data %s", ov_buf_text(&pile->body));
    else
        ov_buf_str(&f->evidence, ", and it is no longer in the stream");
    ov_buf_str(&f->meaning, "It cannot be processed, and never reaches the dead letter queue (its "
                            "body is no JSON object, or its retry counts expired), so it comes "
                            "back for ever. Save it, then acknowledge it: redis-cli XACK.");
    strncat(words, pile->most_id, sizeof words - strlen(words) - 1);
    next_omnivigil(look, f, words, pile->topic, NOBODYS);
}

static void tell_abandoned(const struct pile *pile)
{
    struct look *look = pile->look;
    struct finding *f = diagnosis_add(look->d, AIL_ABANDONED, false, pile->topic, pile->agent);
    ov_buf_printf(&f->what, "%zu task%s of ", pile->abandoned, pile->abandoned == 1 ? "" : "s");
    put_place(&f->what, pile);
    ov_buf_printf(&f->what, " %s abandoned", pile->abandoned == 1 ? "is" : "are");
    ov_buf_str(&f->evidence, "last delivered ");
    put_duration(&f->evidence, (double)pile->longest_ms / 1e3);
    ov_buf_str(&f->evidence, " ago, to ");
    ov_buf_escaped(&f->evidence, ov_slice(pile->consumer));
    ov_buf_str(&f->evidence, "; due again after ");
    put_duration(&f->evidence, (double)pile->reclaim_idle_ms / 1e3);
    if (pile->entries == ENTRIES_MAX)
        ov_buf_printf(&f->evidence, "; of the %d oldest", ENTRIES_MAX);
    struct ov_slice names[] = {omni_stream_key(&look->key, pile->topic), pile->group,
                               OV_SLICE("-"), OV_SLICE("+"), OV_SLICE("100")};
    next_redis(look, f, "xpending", names, OV_COUNT(names));
}

void look_at_pending(struct look *look)
{
    struct pile *piles = ov_calloc(ov_batch_count(look->bus) + 1, sizeof *piles);
    struct redis *r = look->runner->redis;
    size_t count = 0;
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
        if (!figure_of(s, "omnidaemon_group") || figure_bool(s, "exists") != 1 ||
            figure_int(s, "pending", 0) <= 0 || !ov_call_wants(look->call, &topic, &agent))
            continue;
        const struct registry_agent *known = registry_find(&look->runner->registry, topic, agent);
        bool told = known && known->detailed;
        piles[count] = (struct pile){
            .look = look, .topic = topic, .agent = agent, .group = figure_tag(s, "group"),
            .reclaim_idle_ms = told ? known->reclaim_idle_ms : OMNI_RECLAIM_IDLE_MS,
            .retries = told ? known->dlq_retry_limit : 3,
        };
        redis_send(r, on_pending, &piles[count], 0, OV_SLICE("XPENDING"),
                   omni_stream_key(&look->key, topic), piles[count].group, OV_SLICE("-"),
                   OV_SLICE("+"), OV_SLICE("100"));
        count++;
    }
    if (redis_run(r) == OV_OK)
        diagnosis_looked(look->d, CHECK_PENDING, "groups that have any: %zu", count);
    else
        diagnosis_blind(look->d, CHECK_PENDING, "%s", redis_why(r));
    for (size_t i = 0; i < count; i++) {
        if (piles[i].most >= POISON_DELIVERIES)
            tell_poison(&piles[i]);
        if (piles[i].abandoned)
            tell_abandoned(&piles[i]);
        ov_buf_free(&piles[i].body);
    }
    free(piles);
}
