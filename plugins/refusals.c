/* SPDX-License-Identifier: Apache-2.0 */
#include "refusals.h"

static const struct {
    const char *name, *rule;
} commands[] = {
    [REFUSABLE_CLIENT_LIST] = {"CLIENT LIST", "+client|list"},
    [REFUSABLE_EXISTS] = {"EXISTS", "+exists"},
    [REFUSABLE_GET] = {"GET", "+get"},
    [REFUSABLE_HGET] = {"HGET", "+hget"},
    [REFUSABLE_INFO] = {"INFO", "+info"},
    [REFUSABLE_OBJECT] = {"OBJECT IDLETIME", "+object|idletime"},
    [REFUSABLE_SCAN] = {"SCAN", "+scan"},
    [REFUSABLE_SCARD] = {"SCARD", "+scard"},
    [REFUSABLE_SMEMBERS] = {"SMEMBERS", "+smembers"},
    [REFUSABLE_SSCAN] = {"SSCAN", "+sscan"},
    [REFUSABLE_TIME] = {"TIME", "+time"},
    [REFUSABLE_TYPE] = {"TYPE", "+type"},
    [REFUSABLE_XINFO_CONSUMERS] = {"XINFO CONSUMERS", "+xinfo|consumers"},
    [REFUSABLE_XINFO_GROUPS] = {"XINFO GROUPS", "+xinfo|groups"},
    [REFUSABLE_XINFO_STREAM] = {"XINFO STREAM", "+xinfo|stream"},
    [REFUSABLE_XLEN] = {"XLEN", "+xlen"},
    [REFUSABLE_XPENDING] = {"XPENDING", "+xpending"},
    [REFUSABLE_XRANGE] = {"XRANGE", "+xrange"},
    [REFUSABLE_XREAD] = {"XREAD", "+xread"},
    [REFUSABLE_ZCARD] = {"ZCARD", "+zcard"},
    [REFUSABLE_ZCOUNT] = {"ZCOUNT", "+zcount"},
};
_Static_assert(OV_COUNT(commands) == REFUSABLE_COMMANDS, "a row for each command");
_Static_assert(REFUSABLE_COMMANDS <= 32, "a bit for each command");

/* Notes the first refusal of a command in this gather; `text` is what is wrong, moved. */
static void note_first(struct refusals *refusals, enum refusable command, struct ov_buf *text)
{
    ov_problem(refusals->host, commands[command].name, "%s", ov_buf_text(text));
    ov_buf_free(&refusals->why[command]);
    refusals->why[command] = *text;
    refusals->now |= REFUSED(command);
}

static bool matters(enum redis_fault fault)
{
    return fault != REDIS_FINE && fault != REDIS_NOKEY && fault != REDIS_NOGROUP;
}

enum redis_fault refusals_note(struct refusals *refusals, enum refusable command,
                               struct ov_slice what, const struct redis_reply *reply)
{
    enum redis_fault fault = redis_reply_fault(reply);
    struct ov_buf text = {0};
    if (!matters(fault))
        return fault;
    refusals->count++;
    if (refusals->now & REFUSED(command))
        return fault;
    ov_buf_printf(&text, "%s%s", commands[command].name, what.len ? " on " : "");
    ov_buf_slice(&text, what);
    ov_buf_str(&text, " is refused: ");
    ov_buf_slice(&text, reply->text);
    if (fault == REDIS_NOPERM)
        ov_buf_printf(&text, " (ACL SETUSER <user> %s and the keys would allow it; what it tells "
                      "is left out)", commands[command].rule);
    note_first(refusals, command, &text);
    return fault;
}

enum redis_fault refusals_note_in(struct refusals *refusals, enum refusable command,
                                  struct ov_slice what, const struct redis_reply *reply,
                                  uint32_t *refused)
{
    enum redis_fault fault = refusals_note(refusals, command, what, reply);
    if (matters(fault))
        *refused |= REFUSED(command);
    return fault;
}

void refusals_follow(struct refusals *refusals, struct ov_slice key, enum redis_fault fault)
{
    const char *remedy = redis_fault_remedy(fault);
    struct ov_buf text = {0};
    if (fault == REDIS_FINE)
        return;
    refusals->count++;
    ov_buf_str(&text, "XINFO STREAM and XREAD on ");
    ov_buf_slice(&text, key);
    ov_buf_printf(&text, ", which counters rest on: %s%s%s", redis_fault_word(fault),
                  *remedy ? ": " : "", remedy);
    note_first(refusals, REFUSABLE_XREAD, &text);
}

const char *refusals_why(struct refusals *refusals, uint32_t which)
{
    for (unsigned i = 0; i < REFUSABLE_COMMANDS; i++)
        if (which & refusals->now & REFUSED(i))
            return ov_buf_text(&refusals->why[i]);
    return "";
}

void refusals_unread(struct refusals *refusals, uint32_t which, struct ov_batch *batch,
                     const struct ov_measurement *m, uint64_t fields,
                     const struct ov_slice *tags)
{
    const char *why = refusals_why(refusals, which);
    if (*why)
        ov_batch_unread(batch, m, fields, tags, ov_slice(why));
}

void refusals_settle(struct refusals *refusals)
{
    uint32_t over = refusals->before & ~refusals->now;
    for (unsigned i = 0; i < REFUSABLE_COMMANDS; i++)
        if (over & REFUSED(i))
            ov_recovered(refusals->host, commands[i].name);
    refusals->before = refusals->now;
    refusals->now = 0;
}

void refusals_free(struct refusals *refusals)
{
    for (unsigned i = 0; i < REFUSABLE_COMMANDS; i++)
        ov_buf_free(&refusals->why[i]);
}
