/* SPDX-License-Identifier: Apache-2.0 */
/* Tasks that were trimmed before their delivery: whether that goes on, how fast, and why. */
#include <math.h>

#include "diagnose.h"
#include "figures.h"
#include "loss.h"

enum { TRIMMED_BY_OMNIDAEMON = 9000 }; /* it keeps 10 000 entries, less what is not exact */

static const struct ov_sample *stream_of(const struct look *look, struct ov_slice topic)
{
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next)
        if (figure_of(s, "omnidaemon_stream") && ov_slice_eq(figure_tag(s, "topic"), topic))
            return s;
    return NULL;
}

static void put_lost(struct ov_buf *out, const struct ov_sample *s)
{
    struct ov_slice agent = figure_tag(s, "agent");
    int64_t lost = figure_int(s, "lost", 0);
    ov_buf_printf(out, "%jd task%s for ", (intmax_t)lost, lost == 1 ? "" : "s");
    ov_buf_escaped(out, agent.len ? agent : figure_tag(s, "group"));
    ov_buf_str(out, " on ");
    ov_buf_escaped(out, figure_tag(s, "topic"));
    ov_buf_printf(out, " %s trimmed before delivery", lost == 1 ? "was" : "were");
}

/* Ids of entries are times: what is published while the topic is full drives out as much. */
static void put_rate(struct ov_buf *out, const struct ov_sample *stream)
{
    double span = figure_double(stream, "first_age_seconds") -
                  figure_double(stream, "last_age_seconds");
    int64_t length = figure_int(stream, "length", 0);
    if (!(span > 0) || length < 2)
        return;
    ov_buf_str(out, ", about ");
    ov_buf_double(out, round((double)(length - 1) / span * 60));
    ov_buf_str(out, " a minute are published, and as many trimmed");
}

static void put_reason(struct ov_buf *out, const struct ov_sample *stream)
{
    int64_t length = figure_int(stream, "length", -1);
    int64_t added = figure_int(stream, "entries_added", -1);
    if (length >= 0 && length < TRIMMED_BY_OMNIDAEMON && added > length)
        ov_buf_printf(out, "The topic holds %jd entries of %jd that were added: it is trimmed by "
                      "its publisher's maxlen or by somebody else, not by OmniDaemon's own limit "
                      "of 10 000. Give it room for all that may wait, and the agent",
                      (intmax_t)length, (intmax_t)added);
    else
        ov_buf_str(out, "OmniDaemon trims a topic near 10 000 entries, delivered or not. Give the "
                        "agent");
    ov_buf_str(out, " more consumers (consumer_count) or runners. Nothing tells which tasks were "
                    "lost: find out from the publisher, and publish them again.");
}

void judge_loss(struct look *look, const struct ov_sample *s)
{
    struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
    const struct ov_sample *stream = stream_of(look, topic);
    double seconds = figure_double(s, "lost_seconds");
    enum loss loss = loss_of(s);
    if (loss == LOSS_PAST) {
        ov_buf_str(&look->notes, look->notes.len ? "\n" : "");
        put_lost(&look->notes, s);
        ov_buf_str(&look->notes, isnan(seconds) ? " at some time; later ones were delivered since"
                                                : ", the last ");
        if (!isnan(seconds)) {
            put_duration(&look->notes, seconds);
            ov_buf_str(&look->notes, " ago");
        }
        ov_buf_char(&look->notes, '.');
    }
    if (loss < LOSS_LATE)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_LOST, loss == LOSS_NOW, given(topic),
                                      given(agent));
    put_lost(&f->what, s);
    if (loss == LOSS_NOW) {
        ov_buf_str(&f->what, ", and more are now");
    } else {
        ov_buf_str(&f->what, ", the last about ");
        put_duration(&f->what, seconds);
        ov_buf_str(&f->what, " ago");
    }
    put_fields(&f->evidence, s, "lost,undelivered,oldest_undelivered_seconds,life");
    if (stream && loss == LOSS_NOW)
        put_rate(&f->evidence, stream);
    if (stream)
        put_reason(&f->meaning, stream);
    next_omnivigil(look, f, "bus groups", topic, NOBODYS);
}
