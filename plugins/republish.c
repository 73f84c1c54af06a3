/* SPDX-License-Identifier: Apache-2.0 */
#include "republish.h"

#include <stdio.h>
#include <stdlib.h>

/*
 * KEYS: the DLQ, the topic's stream, the retry counts, and where there are marks, those.
 * ARGV: the entry's id, the event, the stream's limit, the event's first id, "keep" or "remove",
 * "again" or "once". Answers the event's new id, 0: the entry is gone, 2: it is marked.
 *
 * A script's changes are not taken back where it fails in the middle. So what may be refused is
 * asked first: removing an entry that never was tells whether removing is allowed.
 */
static const char script[] =
    "local keep = ARGV[5] == 'keep'\n"
    "local function refused(reply) return type(reply) == 'table' and reply.err end\n"
    "local reply = keep or redis.pcall('XDEL', KEYS[1], '0-0')\n"
    "if refused(reply) then return reply end\n"
    "reply = redis.pcall('XRANGE', KEYS[1], ARGV[1], ARGV[1])\n"
    "if refused(reply) then return reply end\n"
    "if #reply == 0 then return 0 end\n"
    "if KEYS[4] and ARGV[6] ~= 'again' then\n"
    "  reply = redis.pcall('ZSCORE', KEYS[4], ARGV[1])\n"
    "  if refused(reply) then return reply end\n"
    "  if reply then return 2 end\n"
    "end\n"
    "if keep then\n"
    "  reply = redis.pcall('ZADD', KEYS[4], string.match(ARGV[1], '^%d+'), ARGV[1])\n"
    "  if refused(reply) then return reply end\n"
    "end\n"
    "reply = redis.pcall('XADD', KEYS[2], 'MAXLEN', '~', ARGV[3], '*', 'data', ARGV[2])\n"
    "if refused(reply) then\n"
    "  if keep then redis.call('ZREM', KEYS[4], ARGV[1]) end\n"
    "  return reply\n"
    "end\n"
    "if not keep then redis.call('XDEL', KEYS[1], ARGV[1]) end\n"
    "if KEYS[4] then\n" /* no marks for what is not there any more */
    "  local first = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', 1)\n"
    "  local oldest = first[1] and '(' .. string.match(first[1][1], '^%d+') or '+inf'\n"
    "  redis.pcall('ZREMRANGEBYSCORE', KEYS[4], '-inf', oldest)\n"
    "  if not keep then redis.pcall('ZREM', KEYS[4], ARGV[1]) end\n"
    "end\n"
    "redis.pcall('HDEL', KEYS[3], ARGV[4])\n"
    "return reply\n";

static struct ov_slice marks_key(struct republish *to, const struct dlq_queue *queue)
{
    ov_buf_reset(&to->marks);
    ov_buf_str(&to->marks, "omnivigil:republished:");
    ov_buf_slice(&to->marks, queue->group);
    return (struct ov_slice){to->marks.data, to->marks.len};
}

static void on_marks(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct republish *to = context;
    (void)r;
    to->marked[index] = reply->type == REDIS_INTEGER && reply->integer > 0;
}

int republish_begin(struct republish *to, struct dlq *dlq, bool keep, bool again)
{
    *to = (struct republish){.dlq = dlq, .keep = keep, .again = again};
    to->marked = ov_calloc(dlq->count + 1, sizeof *to->marked);
    snprintf(to->limit, sizeof to->limit, "%lld", (long long)dlq->bus->stream_limit);
    for (size_t i = 0; i < dlq->count; i++)
        redis_send(dlq->bus->redis, on_marks, to, i, OV_SLICE("EXISTS"),
                   marks_key(to, &dlq->queues[i]));
    if (redis_run(dlq->bus->redis) != OV_OK)
        return bus_call_failed(dlq->call, dlq->bus);
    return OV_EXIT_FINE;
}

static void on_done(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct republish *to = context;
    (void)r;
    (void)index;
    struct redis_id id;
    if (reply->type == REDIS_STRING && redis_id_parse(reply->text, &id)) {
        if (to->done++ == 0)
            to->first = id;
        to->last = id;
    } else if (reply->type == REDIS_INTEGER) {
        to->gone += reply->integer == 0;
        to->earlier += reply->integer == 2;
    } else if (!to->fault) {
        to->fault = reply->type == REDIS_ERROR ? redis_reply_fault(reply) : REDIS_PROTOCOL;
        ov_buf_slice(&to->why, reply->text);
    }
}

bool republish_send(struct republish *to, const struct dlq_entry *entry)
{
    struct bus *bus = to->dlq->bus;
    bool marks = to->keep || to->marked[entry->queue - to->dlq->queues];
    char id[48];
    if (to->fault)
        return false;
    ov_buf_reset(&to->event);
    dead_letter_event(entry->letter, &to->event);
    ov_buf_reset(&to->retries);
    ov_buf_str(&to->retries, "retry_counts:");
    ov_buf_slice(&to->retries, entry->queue->group);
    struct ov_slice words[] = {
        OV_SLICE("EVAL"), {script, sizeof script - 1}, ov_slice(marks ? "4" : "3"),
        entry->queue->key, omni_stream_key(&bus->key, entry->queue->topic),
        {to->retries.data, to->retries.len}, marks_key(to, entry->queue),
        redis_id_text(entry->id, id), {to->event.data, to->event.len}, ov_slice(to->limit),
        entry->letter->original_id, ov_slice(to->keep ? "keep" : "remove"),
        ov_slice(to->again ? "again" : "once"),
    };
    enum { MARKS_WORD = 6 };
    size_t count = OV_COUNT(words);
    if (!marks) {
        memmove(&words[MARKS_WORD], &words[MARKS_WORD + 1],
                (count - MARKS_WORD - 1) * sizeof *words);
        count--;
    }
    redis_send_words(bus->redis, on_done, to, 0, words, count);
    return true;
}

void republish_free(struct republish *to)
{
    free(to->marked);
    ov_buf_free(&to->why);
    ov_buf_free(&to->event);
    ov_buf_free(&to->retries);
    ov_buf_free(&to->marks);
}
