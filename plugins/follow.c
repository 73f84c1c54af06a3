/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One pass is one chain of replies: XINFO STREAM, then XREADs, each sent by the function that
 * handles the reply before it.
 *
 *     XINFO ──▶ what became of the position? ──▶ XREAD ──▶ next XREAD sent, entries handed over
 *                                                  ▲                        │
 *                                                  └────────────────────────┘
 *
 * What was missed is a matter of counting, since a stream's entries-added never goes down:
 *
 *     entries-added = older than our start + handed over + missed + still to be read
 *
 * `added` is the sum of the first three. When the position is before the first entry, still to be
 * read is the whole length; when everything up to the newest id of the XINFO was handed over, it
 * is none. At these two moments `missed` is what is lacking. Between them `added` moves with the
 * entries, so a pass that is cut off, or a trim in the middle of one, changes nothing.
 */
#include "follow.h"

#include <inttypes.h>
#include <stdio.h>

#define COUNT_MAX 1000
#define COUNT_FIRST 100                        /* before anything is known of their size */
#define REPLY_BYTES ((size_t)4 * 1024 * 1024)  /* what a reply should stay below */

static bool id_is_less(struct redis_id a, struct redis_id b)
{
    return redis_id_compare(a, b) < 0;
}

/* As much of a text as a message shows. */
static int shown(struct ov_slice text)
{
    return text.len < 200 ? (int)text.len : 200;
}

static void pass_refuse(struct follow_pass *pass, enum redis_fault fault, const char *command,
                       struct ov_slice why)
{
    pass->refused = fault;
    (void)ov_fail(pass->host, "%s %.*s: %.*s", command, shown(pass->key), pass->key.ptr, shown(why),
                  why.ptr);
}

/* ---------------------------------------------------------------- counting */

static void follow_miss(struct follow *f, uint64_t number)
{
    f->missed += number;
    f->gaps++;
}

/* `accounted` of the stream's additions should be behind us: what we know less of was missed.
 * More than were ever added means that another stream has grown past us unseen. */
static void follow_account(struct follow *f, uint64_t accounted)
{
    if (accounted != FOLLOW_UNKNOWN && f->added != FOLLOW_UNKNOWN) {
        if (accounted > f->added)
            follow_miss(f, accounted - f->added);
        else if (accounted < f->added)
            f->restarts++;
    }
    f->added = accounted;
}

/* Everything up to the newest id of the XINFO was handed over or is gone. */
static void pass_settle(struct follow_pass *pass)
{
    if (pass->settled)
        return;
    pass->settled = true;
    follow_account(pass->f, pass->added);
    if (id_is_less(pass->f->position, pass->newest))
        pass->f->position = pass->newest;
}

/* ---------------------------------------------------------------- reading */

static void on_entries(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index);

static void pass_request(struct follow_pass *pass, struct redis *r, struct redis_id after)
{
    char id[48], count[16];
    int len = snprintf(count, sizeof count, "%" PRIu32, pass->f->count);
    pass->asked = pass->f->count;
    redis_send(r, on_entries, pass, 0, OV_SLICE("XREAD"), OV_SLICE("COUNT"),
               {count, (size_t)len}, OV_SLICE("STREAMS"), pass->key, redis_id_text(after, id));
}

/* An entry is [id, [name, value, name, value ...]]. */
static bool entry_id(const struct redis_reply *entry, struct redis_id *id)
{
    return entry->type == REDIS_ARRAY && entry->count == 2 &&
           entry->items[0].type == REDIS_STRING && redis_id_parse(entry->items[0].text, id);
}

static struct ov_slice entry_data(const struct redis_reply *entry)
{
    const struct redis_reply *fields = &entry->items[1];
    for (size_t i = 0; fields->type == REDIS_ARRAY && i + 1 < fields->count; i += 2)
        if (ov_slice_eq(fields->items[i].text, OV_SLICE("data")))
            return fields->items[i + 1].text;
    return (struct ov_slice){0};
}

/* Hands over the entries; returns their bytes. */
static size_t pass_hand_over(struct follow_pass *pass, const struct redis_reply *entries)
{
    struct follow *f = pass->f;
    size_t bytes = 0;
    for (size_t i = 0; i < entries->count; i++) {
        struct redis_id id;
        if (!entry_id(&entries->items[i], &id) || !id_is_less(f->position, id)) {
            pass_refuse(pass, REDIS_PROTOCOL, "XREAD", OV_SLICE("entries that are none"));
            break;
        }
        if (id_is_less(pass->newest, id))
            pass_settle(pass);
        struct ov_slice data = entry_data(&entries->items[i]);
        bytes += data.len;
        f->position = id;
        f->entries++;
        if (f->added != FOLLOW_UNKNOWN)
            f->added++;
        pass->fn(pass->context, id, data);
    }
    return bytes;
}

/* How many entries to ask for, if `entries` of them took `bytes`. */
static uint32_t count_for(size_t entries, size_t bytes)
{
    size_t fit = REPLY_BYTES / (bytes / entries + 1);
    return fit > COUNT_MAX ? COUNT_MAX : fit < 1 ? 1 : (uint32_t)fit;
}

/* The entries of an XREAD's reply, [[key, entries]]; NULL where there are none or the reply is
 * something else. */
static const struct redis_reply *reply_entries(const struct redis_reply *reply)
{
    if (reply->type != REDIS_ARRAY || reply->count != 1 || reply->items[0].type != REDIS_ARRAY ||
        reply->items[0].count != 2)
        return NULL;
    const struct redis_reply *entries = &reply->items[0].items[1];
    return entries->type == REDIS_ARRAY && entries->count > 0 ? entries : NULL;
}

/* Whether to ask for more when what is up to `last` has arrived. */
static bool pass_goes_on(const struct follow_pass *pass, const struct redis_reply *entries,
                        struct redis_id last)
{
    return entries->count >= pass->asked && id_is_less(last, pass->newest) &&
           id_is_less(pass->f->position, last) && ov_clock_ms() < pass->stop_at_ms;
}

/* Entries stay valid until this returns, so Redis prepares the next reply while they are read. */
static void on_entries(struct redis *r, const struct redis_reply *reply, void *context,
                       size_t index)
{
    struct follow_pass *pass = context;
    struct redis_id last;
    (void)index;
    if (pass->refused)
        return;
    enum redis_fault fault = redis_reply_fault(reply);
    const struct redis_reply *entries = reply_entries(reply);
    if (fault) {
        pass_refuse(pass, fault, "XREAD", reply->text);
        return;
    }
    if (!entries && reply->type == REDIS_NIL) {
        pass_settle(pass);
        return;
    }
    if (!entries || !entry_id(&entries->items[entries->count - 1], &last)) {
        pass_refuse(pass, REDIS_PROTOCOL, "XREAD", OV_SLICE("not a list of entries"));
        return;
    }
    bool full = entries->count >= pass->asked;
    bool more = pass_goes_on(pass, entries, last);
    if (more) {
        pass_request(pass, r, last);
        redis_flush(r);
    }
    pass->f->count = count_for(entries->count, pass_hand_over(pass, entries));
    if (!pass->refused && !more && (!full || !id_is_less(last, pass->newest)))
        pass_settle(pass);
}

/* ---------------------------------------------------------------- what became of the stream */

/* What of XINFO STREAM's reply is of interest. */
struct info {
    struct redis_id first, newest;
    uint64_t length, added; /* added: FOLLOW_UNKNOWN before Redis 7.0 */
    size_t bytes;           /* of the last entry */
};

static bool info_read(const struct redis_reply *reply, struct info *info)
{
    const struct redis_reply *newest = redis_map_get(reply, "last-generated-id");
    const struct redis_reply *first = redis_map_get(reply, "first-entry");
    const struct redis_reply *last = redis_map_get(reply, "last-entry");
    struct redis_id last_id;
    int64_t length = redis_int(redis_map_get(reply, "length"), -1);
    int64_t added = redis_int(redis_map_get(reply, "entries-added"), -1);
    *info = (struct info){.length = (uint64_t)length, .added = (uint64_t)added};
    if (length < 0 || !newest || !redis_id_parse(newest->text, &info->newest))
        return false;
    if (added < length)
        info->added = FOLLOW_UNKNOWN;
    if (last && entry_id(last, &last_id))
        info->bytes = entry_data(last).len;
    return length == 0 || (first && entry_id(first, &info->first));
}

/* How many entries of the stream are gone. */
static uint64_t info_gone(const struct info *info)
{
    return info->added == FOLLOW_UNKNOWN ? FOLLOW_UNKNOWN : info->added - info->length;
}

/* Whether nothing of what the stream holds is up to `position`. */
static bool info_is_unread(const struct info *info, struct redis_id position)
{
    return info->length > 0 && id_is_less(position, info->first);
}

static bool follow_is_foreign(const struct follow *f, const struct info *info)
{
    return id_is_less(info->newest, f->position) ||
           (info->added != FOLLOW_UNKNOWN && f->added != FOLLOW_UNKNOWN && info->added < f->added);
}

/* True for a copy of the known stream from before: it begins with the same entry, or with an
 * older one that was trimmed since. A stream made anew has lost nothing yet. */
static bool follow_is_older(const struct follow *f, const struct info *info)
{
    if (info->length == 0)
        return true;
    int order = redis_id_compare(info->first, f->first);
    return order == 0 || (order < 0 && info->added != FOLLOW_UNKNOWN && info_gone(info) > 0);
}

/* Another stream is read from its beginning, an older copy of the known one from its end. Where
 * the newest id is not behind the position, reading on from there repeats nothing either way. */
static void follow_change(struct follow *f, const struct info *info)
{
    f->restarts++;
    if (id_is_less(info->newest, f->position))
        f->position = follow_is_older(f, info) ? info->newest : (struct redis_id){0};
    f->added = info_is_unread(info, f->position) ? info_gone(info) : FOLLOW_UNKNOWN;
}

/* Sets position and `added` for the stream at hand, and counts what is already known missing. */
static void follow_look(struct follow *f, const struct info *info)
{
    bool emptied = info->length == 0 && id_is_less(f->position, info->newest);
    if (!f->started) {
        f->started = true;
        f->position = (struct redis_id){0};
        f->added = info_gone(info);
    } else if (follow_is_foreign(f, info)) {
        follow_change(f, info);
    } else if (emptied || info_is_unread(info, f->position)) {
        if (f->added == FOLLOW_UNKNOWN && (f->position.ms || f->position.seq))
            follow_miss(f, 0);
        follow_account(f, info_gone(info));
    }
    if (info->length > 0)
        f->first = info->first;
}

static void on_info(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct follow_pass *pass = context;
    struct follow *f = pass->f;
    struct info info;
    (void)index;
    enum redis_fault fault = redis_reply_fault(reply);
    if (fault == REDIS_NOKEY) {
        f->length = -1;
        pass->settled = true;
        return;
    }
    if (fault) {
        pass_refuse(pass, fault, "XINFO STREAM", reply->text);
        return;
    }
    if (!info_read(reply, &info)) {
        pass_refuse(pass, REDIS_PROTOCOL, "XINFO STREAM", OV_SLICE("not what describes a stream"));
        return;
    }
    f->length = (int64_t)info.length;
    pass->newest = info.newest;
    pass->added = info.added;
    follow_look(f, &info);
    uint32_t fit = count_for(1, info.bytes);
    f->count = fit < f->count ? fit : f->count;
    if (info.length == 0 || !id_is_less(f->position, info.newest))
        pass_settle(pass);
    else
        pass_request(pass, r, f->position);
}

void follow_begin(struct follow_pass *pass, struct follow *f, struct redis *r, struct ov_host *host,
                  struct ov_slice key, follow_entry_fn *fn, void *context)
{
    int64_t now = ov_clock_ms(), left = ov_host_deadline(host) - now;
    *pass = (struct follow_pass){
        .f = f, .host = host, .key = key, .fn = fn, .context = context,
        .stop_at_ms = now + left / 4 * 3,
    };
    if (f->count == 0 || f->count > COUNT_MAX)
        f->count = COUNT_FIRST;
    redis_send(r, on_info, pass, 0, OV_SLICE("XINFO"), OV_SLICE("STREAM"), key);
}

int follow_end(struct follow_pass *pass, int status, enum redis_fault *refused)
{
    struct follow *f = pass->f;
    f->behind = !pass->settled;
    if (status == OV_FAILED && pass->asked > 1) /* more than the client or the time allows? */
        f->count = (uint32_t)pass->asked / 2;
    *refused = status == OV_OK ? pass->refused : REDIS_FINE;
    return *refused ? OV_FAILED : status;
}

/* ---------------------------------------------------------------- as text */

void follow_write(const struct follow *f, struct ov_buf *out)
{
    const uint64_t numbers[] = {f->position.ms, f->position.seq, f->first.ms, f->first.seq,
                                f->added, f->entries, f->missed, f->gaps, f->restarts};
    ov_buf_char(out, f->started ? '1' : '0');
    for (size_t i = 0; i < OV_COUNT(numbers); i++)
        ov_buf_printf(out, ",%" PRIu64, numbers[i]);
}

/* Takes `,` and a decimal number off the front of `text`. */
static bool take_number(struct ov_slice *text, uint64_t *number)
{
    size_t at = 1;
    *number = 0;
    if (text->len == 0 || text->ptr[0] != ',')
        return false;
    for (; at < text->len && text->ptr[at] >= '0' && text->ptr[at] <= '9'; at++)
        if (__builtin_mul_overflow(*number, 10, number) ||
            __builtin_add_overflow(*number, (uint64_t)(text->ptr[at] - '0'), number))
            return false;
    text->ptr += at;
    text->len -= at;
    return at > 1;
}

bool follow_read(struct follow *f, struct ov_slice text)
{
    struct follow read = {.length = -1};
    uint64_t *const numbers[] = {&read.position.ms, &read.position.seq, &read.first.ms,
                                 &read.first.seq, &read.added, &read.entries, &read.missed,
                                 &read.gaps, &read.restarts};
    *f = (struct follow){.length = -1};
    if (text.len == 0 || (*text.ptr != '0' && *text.ptr != '1'))
        return false;
    read.started = *text.ptr == '1';
    text.ptr++;
    text.len--;
    for (size_t i = 0; i < OV_COUNT(numbers); i++)
        if (!take_number(&text, numbers[i]))
            return false;
    if (text.len > 0)
        return false;
    *f = read;
    return true;
}
