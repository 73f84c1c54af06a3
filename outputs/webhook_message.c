/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a batch to messages: items are gathered until a message is full, as many as the
 * configuration and as large as the service allows.
 *
 * A delivery id is the digest of what happened (which alert came into which state, and when), not
 * of the bytes: the same told again, by an agent that was killed before it could remember, has the
 * same id, and a receiver can drop it.
 */
#include <stdlib.h>

#include "hmac.h"
#include "webhook.h"
#include "webhook_record.h"

static void digest_part(struct ov_buf *out, struct ov_slice bytes)
{
    ov_buf_printf(out, "%zu:", bytes.len);
    ov_buf_slice(out, bytes);
}

static void digest_item(struct ov_buf *out, const struct item *item)
{
    digest_part(out, item->id);
    digest_part(out, item->severity);
    digest_part(out, ov_slice(item->resolved ? "resolved" : item->repeat ? "repeat" : "firing"));
    ov_buf_int(out, item->sample->time_ns);
}

/* Writes the id of the message under way. */
static bool delivery_id(const struct webhook *w, char id[SHA256_HEX + 1])
{
    struct ov_buf what = {0};
    bool events = true;
    digest_part(&what, ov_slice(ov_host_name(w->host)));
    digest_part(&what, ov_slice(w->setup.source));
    for (size_t i = 0; i < w->count; i++) {
        digest_item(&what, &w->items[i]);
        events &= w->items[i].alert && w->items[i].id.len > 0;
    }
    if (!events) {
        digest_part(&what, (struct ov_slice){w->text.data, w->text.len});
        ov_buf_int(&what, ov_wall_ns());
    }
    bool ok = sha256_hex((struct ov_slice){what.data, what.len}, id);
    id[DELIVERY_ID_LEN] = '\0';
    ov_buf_free(&what);
    return ok;
}

static void head_write(struct webhook *w, const char *id)
{
    struct record record;
    ov_buf_reset(&w->record);
    record_begin(&w->record, w->kind->name, id);
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].id.len)
            record_add_alert(&w->record, w->items[i].id);
    record_body(&w->record);
    if (!record_read((struct ov_slice){w->record.data, w->record.len}, &record))
        return;
    for (struct ov_slice alert; record_alert(&record.alerts, &alert);)
        memory_note(w->newest, alert, record.delivery);
}

static void message_end(struct webhook *w, struct ov_emit *emit)
{
    char id[SHA256_HEX + 1];
    if (!w->count)
        return;
    if (delivery_id(w, id)) {
        struct webhook_message message = {id, w->items, w->count, {w->text.data, w->text.len}};
        head_write(w, id);
        w->kind->wrap(&w->setup, &message, &w->record);
        ov_emit(emit, w->record.data, w->record.len, w->count);
    } else {
        ov_emit_unfit(emit, w->count, "libcrypto fails");
    }
    w->count = 0;
    w->size = 0;
    ov_buf_reset(&w->text);
}

static size_t max_items(const struct webhook *w)
{
    if (w->template && !template_is_grouped(w->template))
        return 1;
    return w->kind->max_items ? w->kind->max_items : (size_t)w->batch;
}

static void message_add(struct webhook *w, const struct item *item, struct ov_emit *emit)
{
    ov_buf_reset(&w->piece);
    w->kind->item(&w->setup, item, &w->piece);
    struct ov_slice piece = {w->piece.data, w->piece.len};
    struct ov_slice separator = ov_slice(w->kind->separator);
    size_t size = w->kind->size(piece);
    if (w->count && (w->count >= max_items(w) || w->items[0].alert != item->alert ||
                     w->size + separator.len + size > w->kind->max_size))
        message_end(w, emit);
    if (w->count) {
        ov_buf_slice(&w->text, separator);
        w->size += separator.len;
    }
    ov_buf_slice(&w->text, piece);
    w->size += size;
    if (w->count == w->room) {
        w->room = w->room ? w->room * 2 : 8;
        w->items = ov_realloc(w->items, w->room, sizeof *w->items);
    }
    w->items[w->count++] = *item;
}

static bool is_wanted(struct webhook *w, const struct ov_measurement *m)
{
    if (w->seen == m)
        return w->seen_wanted;
    w->seen = m;
    w->seen_wanted = false;
    for (size_t i = 0; i < w->measurements.count && !w->seen_wanted; i++)
        w->seen_wanted = ov_glob(w->measurements.items[i], ov_slice(m->name));
    return w->seen_wanted;
}

static bool has_values(const struct ov_sample *s)
{
    for (unsigned i = 0; i < s->measurement->field_count; i++)
        if (item_field(s, s->measurement->fields[i].name, s->measurement->fields[i].type))
            return true;
    return false;
}

void webhook_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    struct webhook *w = state;
    size_t tag_count;
    const struct ov_tag *tags = ov_batch_tags(batch, &tag_count);
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        if (!is_wanted(w, s->measurement))
            continue;
        struct item item = item_of(s, tags, tag_count);
        if (!has_values(s))
            ov_emit_unfit(emit, 1, "no field has a value");
        else if (w->kind->alerts_only && !item.alert)
            ov_emit_unfit(emit, 1, "the receiver takes nothing but alerts");
        else
            message_add(w, &item, emit);
    }
    message_end(w, emit);
}
