/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The reader's functions for hiredis, and the arena they build in.
 *
 * hiredis calls one function for each item, in order, with the task of the array it stands in: an
 * array's items are allocated together when its header has been read, an item goes to its place
 * in them by the task's index. Their number is what the server says, so the memory is taken but
 * not touched before the items have come.
 */
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>

#include "redis_reply.h"

enum {
    FIRST_BLOCK = 16 << 10,
    LAST_BLOCK = 256 << 10,  /* blocks double up to this, unless one item takes more */
    BUFFER_KEPT = 256 << 10, /* hiredis' own buffer, when it is empty */
    LINE_LIMIT = 64 << 10,   /* a header, a status or an error */
};

struct block {
    struct block *older;
    size_t size, used;
    _Alignas(max_align_t) char bytes[];
};

struct redis_reader {
    redisReader *hiredis;
    redisReplyObjectFunctions functions;
    struct block *block; /* the newest */
    size_t taken;        /* by the reply under way */
    const char *error;
};

/* ---------------------------------------------------------------- the arena */

static void arena_add_block(struct redis_reader *reader, size_t need)
{
    size_t size = reader->block ? reader->block->size * 2 : FIRST_BLOCK;
    if (size > LAST_BLOCK)
        size = LAST_BLOCK;
    if (size < need)
        size = need;
    struct block *block = ov_malloc(sizeof *block + size);
    *block = (struct block){.older = reader->block, .size = size};
    reader->block = block;
}

/* NULL when the reply would become too large. */
static void *arena_take(struct redis_reader *reader, size_t size)
{
    if (size > REDIS_REPLY_LIMIT - reader->taken) {
        reader->error = "a reply larger than 64 MiB";
        return NULL;
    }
    size = (size + 7) & ~(size_t)7; /* the limit is a multiple of 8 too */
    if (!reader->block || reader->block->size - reader->block->used < size)
        arena_add_block(reader, size);
    void *taken = reader->block->bytes + reader->block->used;
    reader->block->used += size;
    reader->taken += size;
    return taken;
}

static void arena_free_blocks(struct block *block)
{
    while (block) {
        struct block *older = block->older;
        free(block);
        block = older;
    }
}

/* One block is kept for the next reply. */
static void arena_empty(struct redis_reader *reader)
{
    struct block *block = reader->block;
    reader->taken = 0;
    if (!block)
        return;
    if (block->size > LAST_BLOCK) {
        arena_free_blocks(block);
        reader->block = NULL;
        return;
    }
    arena_free_blocks(block->older);
    block->older = NULL;
    block->used = 0;
}

/* ---------------------------------------------------------------- hiredis' functions */

/* The place of a task's reply: in its array, or a new one. */
static struct redis_reply *place(const redisReadTask *task)
{
    if (!task->parent)
        return arena_take(task->privdata, sizeof(struct redis_reply));
    struct redis_reply *array = task->parent->obj;
    return &array->items[task->idx];
}

static void *create_string(const redisReadTask *task, char *text, size_t len)
{
    enum redis_type type = REDIS_STRING;
    if (task->type == REDIS_REPLY_STATUS)
        type = REDIS_STATUS;
    else if (task->type == REDIS_REPLY_ERROR)
        type = REDIS_ERROR;
    else if (task->type != REDIS_REPLY_STRING)
        return NULL;
    struct redis_reply *reply = place(task);
    char *copy = arena_take(task->privdata, len);
    if (!reply || !copy)
        return NULL;
    memcpy(copy, text, len);
    *reply = (struct redis_reply){.type = type, .text = {copy, len}};
    return reply;
}

static void *create_items(const redisReadTask *task, size_t count)
{
    if (task->type != REDIS_REPLY_ARRAY || count > REDIS_REPLY_LIMIT / sizeof(struct redis_reply))
        return NULL;
    struct redis_reply *reply = place(task);
    struct redis_reply *items = arena_take(task->privdata, count * sizeof *items);
    if (!reply || !items)
        return NULL;
    *reply = (struct redis_reply){.type = REDIS_ARRAY, .items = items, .count = count};
    return reply;
}

static void *create_integer(const redisReadTask *task, long long value)
{
    struct redis_reply *reply = place(task);
    if (reply)
        *reply = (struct redis_reply){.type = REDIS_INTEGER, .integer = value};
    return reply;
}

static void *create_nil(const redisReadTask *task)
{
    struct redis_reply *reply = place(task);
    if (reply)
        *reply = (struct redis_reply){.type = REDIS_NIL};
    return reply;
}

static void free_nothing(void *reply)
{
    (void)reply;
}

#if HIREDIS_MAJOR >= 1
static void *create_array(const redisReadTask *task, size_t count)
{
    return create_items(task, count);
}

/* RESP3, which is never asked for. */
static void *refuse_double(const redisReadTask *task, double value, char *text, size_t len)
{
    (void)task, (void)value, (void)text, (void)len;
    return NULL;
}

static void *refuse_bool(const redisReadTask *task, int value)
{
    (void)task, (void)value;
    return NULL;
}
#else
static void *create_array(const redisReadTask *task, int count)
{
    return create_items(task, (size_t)count);
}
#endif

static const redisReplyObjectFunctions reader_functions = {
    .createString = create_string,
    .createArray = create_array,
    .createInteger = create_integer,
    .createNil = create_nil,
#if HIREDIS_MAJOR >= 1
    .createDouble = refuse_double,
    .createBool = refuse_bool,
#endif
    .freeObject = free_nothing,
};

/* ---------------------------------------------------------------- the reader */

struct redis_reader *redis_reader_new(void)
{
    struct redis_reader *reader = ov_calloc(1, sizeof *reader);
    reader->functions = reader_functions; /* hiredis wants them writable */
    reader->hiredis = redisReaderCreateWithFunctions(&reader->functions);
    if (reader->hiredis) {
        reader->hiredis->privdata = reader;
        reader->hiredis->maxbuf = BUFFER_KEPT;
    } else {
        reader->error = "out of memory";
    }
    return reader;
}

void redis_reader_free(struct redis_reader *reader)
{
    if (!reader)
        return;
    if (reader->hiredis)
        redisReaderFree(reader->hiredis);
    arena_free_blocks(reader->block);
    free(reader);
}

void redis_reader_feed(struct redis_reader *reader, const void *bytes, size_t len)
{
    if (!reader->error && redisReaderFeed(reader->hiredis, bytes, len) != REDIS_OK)
        reader->error = reader->hiredis->errstr;
}

/* hiredis keeps what is not a whole item yet for as long as more comes. */
static const char *check_unfinished(const redisReader *hiredis)
{
    size_t kept = hiredis->len - hiredis->pos;
    if (kept > REDIS_REPLY_LIMIT + LINE_LIMIT)
        return "a reply larger than 64 MiB";
    if (kept > LINE_LIMIT && !memchr(hiredis->buf + hiredis->pos, '\n', LINE_LIMIT))
        return "a line without an end";
    return NULL;
}

const struct redis_reply *redis_reader_next(struct redis_reader *reader)
{
    void *reply = NULL;
    if (reader->error)
        return NULL;
    if (reader->hiredis->ridx < 0) /* between two replies */
        arena_empty(reader);
    if (redisReaderGetReply(reader->hiredis, &reply) == REDIS_OK) {
        if (!reply)
            reader->error = check_unfinished(reader->hiredis);
        return reply;
    }
    if (!reader->error)
        reader->error = reader->hiredis->err == REDIS_ERR_OOM
                            ? "a reply of a kind that was not asked for"
                            : reader->hiredis->errstr;
    return NULL;
}

const char *redis_reader_error(const struct redis_reader *reader)
{
    return reader->error;
}

/* ---------------------------------------------------------------- looking into replies */

static bool is_name(const struct redis_reply *reply, struct ov_slice name)
{
    return (reply->type == REDIS_STRING || reply->type == REDIS_STATUS) &&
           ov_slice_eq(reply->text, name);
}

void redis_map_pick(const struct redis_reply *map, const struct ov_slice *names, size_t count,
                    const struct redis_reply **values)
{
    size_t known = map->type == REDIS_ARRAY ? map->count / 2 : 0, at = 0;
    for (size_t i = 0; i < count; i++) {
        values[i] = NULL;
        for (size_t looked = 0; looked < known && !values[i]; looked++) {
            if (is_name(&map->items[2 * at], names[i]))
                values[i] = &map->items[2 * at + 1];
            at = at + 1 < known ? at + 1 : 0;
        }
    }
}

const struct redis_reply *redis_map_get(const struct redis_reply *map, const char *name)
{
    const struct ov_slice wanted = ov_slice(name);
    const struct redis_reply *value;
    redis_map_pick(map, &wanted, 1, &value);
    return value;
}

static int64_t decimal(struct ov_slice text, int64_t missing)
{
    bool negative = text.len && *text.ptr == '-';
    int64_t value = 0;
    if (text.len == (size_t)negative)
        return missing;
    for (size_t i = negative; i < text.len; i++) {
        int digit = text.ptr[i] - '0';
        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, INT64_C(10), &value) ||
            __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return missing;
    }
    return value;
}

int64_t redis_int(const struct redis_reply *reply, int64_t missing)
{
    if (!reply)
        return missing;
    if (reply->type == REDIS_INTEGER)
        return reply->integer;
    return reply->type == REDIS_STRING ? decimal(reply->text, missing) : missing;
}
