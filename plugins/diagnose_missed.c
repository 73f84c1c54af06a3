/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What agents missed because Redis lost their group: before its runner is restarted it is told
 * with the loss, since a restart makes it final; afterwards it is a finding of its own, which no
 * number of Redis' tells.
 */
#include "diagnose.h"
#include "figures.h"
#include "missed.h"

enum { EVENTS_MAX = 200000, LOOK_MS = 3000 };

static struct ov_slice bytes(const char *ptr, size_t len)
{
    return (struct ov_slice){ptr, len};
}

static void put_when(struct ov_buf *out, const struct look *look, struct redis_id id)
{
    char text[48];
    struct ov_slice written = redis_id_text(id, text);
    ov_buf_slice(out, written);
    ov_buf_str(out, ", ");
    put_duration(out, omni_age(look->now_ms, id.ms));
    ov_buf_str(out, " ago");
}

static void next_restore(struct look *look, struct finding *f)
{
    next_omnivigil(look, f, "bus groups restore", bytes(f->topic, f->topic_len),
                   bytes(f->agent, f->agent_len));
}

static void tell_missed(struct look *look, const struct missed_group *g)
{
    size_t count = g->missed.count;
    struct finding *f = diagnosis_add(look->d, AIL_MISSED, true, g->name.a, g->name.b);
    ov_buf_str(&f->what, "agent ");
    ov_buf_escaped(&f->what, g->name.b);
    ov_buf_printf(&f->what, " missed %zu task%s on ", count, count == 1 ? "" : "s");
    ov_buf_escaped(&f->what, g->name.a);
    ov_buf_str(&f->evidence, "neither pending nor noted as done: from ");
    put_when(&f->evidence, look, g->missed.ids[0]);
    ov_buf_str(&f->evidence, ", to ");
    put_when(&f->evidence, look, g->missed.ids[count - 1]);
    next_restore(look, f);
}

/* Adds to a finding about a group that is gone what is at stake. */
static void tell_stake(struct look *look, struct finding *f, const struct missed_group *g)
{
    size_t count = g->missed.count;
    if (!g->known) {
        ov_buf_str(&f->evidence, "; nothing tells how far it had come");
        return;
    }
    ov_buf_printf(&f->evidence, "; %s%zu task%s %s for it, ", g->cut ? "at least " : "", count,
                  count == 1 ? "" : "s", count == 1 ? "waits" : "wait");
    ov_buf_str(&f->evidence, g->done.count ? "the last it did is " : "it was registered at ");
    put_when(&f->evidence, look, g->position);
    next_restore(look, f);
}

static struct finding *finding_of(const struct look *look, enum ailment ailment,
                                  const struct pair *name)
{
    for (size_t i = 0; i < look->d->count; i++) {
        struct finding *f = look->d->findings[i];
        if (f->ailment == ailment && f->topic && f->agent &&
            ov_slice_eq(bytes(f->topic, f->topic_len), name->a) &&
            ov_slice_eq(bytes(f->agent, f->agent_len), name->b))
            return f;
    }
    return NULL;
}

void look_at_missed(struct look *look)
{
    struct missed all = {
        .omni = &look->runner->omni, .redis = look->runner->redis, .events_max = EVENTS_MAX,
        .until_ms = ov_clock_ms() + LOOK_MS,
    };
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
        if (figure_of(s, "omnidaemon_group") && figure_bool(s, "registered") == 1 &&
            ov_call_wants(look->call, &topic, &agent))
            missed_want(&all, topic, agent);
    }
    if (all.groups.count && missed_find(&all) == OV_OK)
        for (size_t i = 0; i < all.groups.count; i++) {
            const struct missed_group *g = (const struct missed_group *)all.groups.entries[i];
            struct finding *lost = finding_of(look, AIL_NO_GROUP, &g->name);
            if (!g->exists && lost)
                tell_stake(look, lost, g);
            else if (g->exists && g->missed.count)
                tell_missed(look, g);
        }
    missed_free(&all);
}
