/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_stream.h. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "fake_stream.h"

int64_t fake_now_ms;

/* ---------------------------------------------------------------- what follow.c calls */

int64_t ov_clock_ms(void)
{
    return fake_now_ms;
}

int64_t ov_host_deadline(const struct ov_host *h)
{
    (void)h;
    return FAKE_DEADLINE_MS;
}

int ov_fail(struct ov_host *h, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(h->why, sizeof h->why, format, args);
    va_end(args);
    return OV_FAILED;
}

int redis_id_compare(struct redis_id a, struct redis_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return (a.seq > b.seq) - (a.seq < b.seq);
}

struct ov_slice redis_id_text(struct redis_id id, char text[48])
{
    int len = snprintf(text, 48, "%" PRIu64 "-%" PRIu64, id.ms, id.seq);
    return (struct ov_slice){text, (size_t)len};
}

bool redis_id_parse(struct ov_slice text, struct redis_id *id)
{
    char copy[48] = "", end;
    if (text.len < sizeof copy)
        memcpy(copy, text.ptr, text.len);
    return sscanf(copy, "%" SCNu64 "-%" SCNu64 "%c", &id->ms, &id->seq, &end) == 2;
}

const struct redis_reply *redis_map_get(const struct redis_reply *map, const char *name)
{
    for (size_t i = 0; map->type == REDIS_ARRAY && i + 1 < map->count; i += 2)
        if (ov_slice_eq(map->items[i].text, ov_slice(name)))
            return &map->items[i + 1];
    return NULL;
}

int64_t redis_int(const struct redis_reply *reply, int64_t missing)
{
    return reply && reply->type == REDIS_INTEGER ? reply->integer : missing;
}

enum redis_fault redis_reply_fault(const struct redis_reply *reply)
{
    if (reply->type != REDIS_ERROR)
        return REDIS_FINE;
    if (ov_slice_starts(reply->text, OV_SLICE("NOPERM")))
        return REDIS_NOPERM;
    if (ov_slice_starts(reply->text, OV_SLICE("WRONGTYPE")))
        return REDIS_WRONGTYPE;
    if (ov_slice_starts(reply->text, OV_SLICE("ERR no such key")))
        return REDIS_NOKEY;
    return REDIS_OTHER;
}

static bool word_is(const struct ov_slice *words, size_t argc, size_t at, const char *text)
{
    return at < argc && ov_slice_eq(words[at], ov_slice(text));
}

void redis_send_words(struct redis *r, redis_reply_fn *fn, void *context, size_t index,
                      const struct ov_slice *words, size_t argc)
{
    assert_null(r->fn);
    assert_int_equal(index, 0);
    r->fn = fn;
    r->context = context;
    r->flushed = false;
    r->is_info = word_is(words, argc, 0, "XINFO");
    if (r->is_info) {
        assert_true(argc == 3 && word_is(words, argc, 1, "STREAM") && word_is(words, argc, 2, "k"));
        return;
    }
    assert_true(argc == 6 && word_is(words, argc, 0, "XREAD") && word_is(words, argc, 1, "COUNT") &&
                word_is(words, argc, 3, "STREAMS") && word_is(words, argc, 4, "k"));
    assert_true(redis_id_parse(words[5], &r->after));
    r->count = 0;
    for (size_t i = 0; i < words[2].len; i++)
        r->count = r->count * 10 + (size_t)(words[2].ptr[i] - '0');
    assert_in_range(r->count, 1, 1000);
    r->at_once = r->count;
}

void redis_flush(struct redis *r)
{
    r->flushed = true;
}

/* ---------------------------------------------------------------- replies */

static struct redis_reply reply_integer(uint64_t value)
{
    return (struct redis_reply){.type = REDIS_INTEGER, .integer = (int64_t)value};
}

static struct redis_reply reply_text(enum redis_type type, const char *text, size_t len)
{
    return (struct redis_reply){.type = type, .text = {ov_memdup(text, len), len}};
}

static struct redis_reply reply_id(struct redis_id id)
{
    char text[48];
    struct ov_slice slice = redis_id_text(id, text);
    return reply_text(REDIS_STRING, slice.ptr, slice.len);
}

static struct redis_reply reply_array(size_t count)
{
    return (struct redis_reply){
        .type = REDIS_ARRAY, .items = ov_calloc(count, sizeof(struct redis_reply)), .count = count};
}

static void reply_free(struct redis_reply *reply)
{
    for (size_t i = 0; i < reply->count; i++)
        reply_free(&reply->items[i]);
    free(reply->items);
    free((char *)reply->text.ptr);
}

/* [id, [note, x, data, number]] */
static struct redis_reply reply_entry(const struct fake_entry *entry)
{
    struct redis_reply reply = reply_array(2), fields = reply_array(4);
    char *data = ov_calloc(1, entry->size + 24);
    int len = snprintf(data, 24, "%zu", entry->number);
    fields.items[0] = reply_text(REDIS_STRING, "note", 4);
    fields.items[1] = reply_text(REDIS_STRING, "data", 4);
    fields.items[2] = reply_text(REDIS_STRING, "data", 4);
    fields.items[3] = reply_text(REDIS_STRING, data, (size_t)len + entry->size);
    free(data);
    reply.items[0] = reply_id(entry->id);
    reply.items[1] = fields;
    return reply;
}

static struct redis_reply reply_info(const struct redis *r)
{
    const struct fake_stream *s = &r->now;
    static const char *const names[] = {"length", "last-generated-id", "first-entry",
                                        "last-entry", "entries-added"};
    struct redis_reply reply = reply_array(r->redis6 ? 8 : 10);
    for (size_t i = 0; i < reply.count; i += 2)
        reply.items[i] = reply_text(REDIS_STRING, names[i / 2], strlen(names[i / 2]));
    reply.items[1] = reply_integer(s->end - s->first);
    reply.items[3] = reply_id(s->newest);
    if (s->end > s->first) {
        reply.items[5] = reply_entry(&s->entries[s->first]);
        reply.items[7] = reply_entry(&s->entries[s->end - 1]);
    }
    if (!r->redis6)
        reply.items[9] = reply_integer(s->added);
    return reply;
}

static struct redis_reply reply_read(const struct redis *r)
{
    const struct fake_stream *s = &r->now;
    size_t begin = s->first, end;
    while (begin < s->end && redis_id_compare(s->entries[begin].id, r->after) <= 0)
        begin++;
    end = s->end - begin < r->count ? s->end : begin + r->count;
    if (!s->exists || begin == end)
        return (struct redis_reply){.type = REDIS_NIL};
    struct redis_reply reply = reply_array(1), stream = reply_array(2);
    stream.items[0] = reply_text(REDIS_STRING, "k", 1);
    stream.items[1] = reply_array(end - begin);
    for (size_t i = begin; i < end; i++)
        stream.items[1].items[i - begin] = reply_entry(&s->entries[i]);
    reply.items[0] = stream;
    return reply;
}

/* What no Redis says, bent out of what it would have said. */
static void reply_bend(struct redis_reply *reply, const char *shape)
{
    if (strcmp(shape, "string") == 0) {
        reply_free(reply);
        *reply = reply_text(REDIS_STRING, "x", 1);
    } else if (strcmp(shape, "empty") == 0) {
        reply_free(reply);
        *reply = reply_array(0);
    } else if (strcmp(shape, "negative") == 0) {
        reply->items[1].integer = -1;
    } else if (strcmp(shape, "nofirst") == 0) {
        reply_free(&reply->items[5]);
        reply->items[5] = (struct redis_reply){.type = REDIS_NIL};
    } else if (strcmp(shape, "badid") == 0) {
        struct redis_reply *entry = &reply->items[0].items[1].items[1];
        reply_free(&entry->items[0]);
        entry->items[0] = reply_text(REDIS_STRING, "5-", 2);
    } else if (strcmp(shape, "sameid") == 0) {
        struct redis_reply *entries = reply->items[0].items[1].items;
        reply_free(&entries[1].items[0]);
        entries[1].items[0] = reply_text(REDIS_STRING, entries[0].items[0].text.ptr,
                                         entries[0].items[0].text.len);
    } else if (strcmp(shape, "nofields") == 0) {
        struct redis_reply *entry = &reply->items[0].items[1].items[0];
        reply_free(&entry->items[1]);
        entry->items[1] = (struct redis_reply){.type = REDIS_NIL};
    }
}

/* One request reaches Redis. */
static struct redis_reply redis_answer(struct redis *r)
{
    r->arrived(r->requests++);
    struct redis_reply reply;
    if (r->error[0])
        reply = reply_text(REDIS_ERROR, r->error, strlen(r->error));
    else if (r->is_info && !r->now.exists)
        reply = reply_text(REDIS_ERROR, "ERR no such key", 15);
    else
        reply = r->is_info ? reply_info(r) : reply_read(r);
    reply_bend(&reply, r->shape);
    r->error[0] = r->shape[0] = '\0';
    return reply;
}

int redis_run(struct redis *r)
{
    r->requests = 0;
    r->status = OV_OK;
    while (r->fn) {
        redis_reply_fn *fn = r->fn;
        struct redis_reply reply = redis_answer(r);
        if (r->status == OV_OK) {
            r->fn = NULL;
            fn(r, &reply, r->context, 0);
        } else {
            r->fn = NULL;
        }
        reply_free(&reply);
    }
    return r->status;
}

/* ---------------------------------------------------------------- changes */

void fake_add(struct redis *r, size_t count, size_t size)
{
    struct fake_stream *s = &r->now;
    if (!s->exists)
        *s = (struct fake_stream){.exists = true};
    for (size_t i = 0; i < count; i++) {
        assert_true(s->end < FAKE_MOST && r->next_number < FAKE_MOST);
        s->newest = (struct redis_id){++r->clock, 0};
        s->entries[s->end++] = (struct fake_entry){s->newest, r->next_number++, size};
        s->added++;
    }
}

void fake_trim(struct redis *r, size_t keep)
{
    struct fake_stream *s = &r->now;
    if (s->end - s->first > keep)
        s->first = s->end - keep;
}

void fake_xdel(struct redis *r, uint64_t ms)
{
    struct fake_stream *s = &r->now;
    for (size_t i = s->first; i < s->end; i++) {
        if (s->entries[i].id.ms != ms)
            continue;
        memmove(&s->entries[i], &s->entries[i + 1], (s->end - i - 1) * sizeof s->entries[0]);
        s->end--;
        return;
    }
    fail_msg("no entry %" PRIu64, ms);
}
