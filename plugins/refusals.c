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
    [REFUSABLE_ZCARD] = {"ZCARD", "+zcard"},
    [REFUSABLE_ZCOUNT] = {"ZCOUNT", "+zcount"},
};
_Static_assert(OV_COUNT(commands) == REFUSABLE_COMMANDS, "a row for each command");
_Static_assert(REFUSABLE_COMMANDS <= 32, "a bit for each command");

enum redis_fault refusals_note(struct refusals *refusals, enum refusable command,
                               struct ov_slice what, const struct redis_reply *reply)
{
    enum redis_fault fault = redis_reply_fault(reply);
    uint32_t bit = UINT32_C(1) << command;
    struct ov_buf text = {0};
    if (fault == REDIS_FINE || fault == REDIS_NOKEY || fault == REDIS_NOGROUP)
        return fault;
    refusals->count++;
    if (refusals->now & bit)
        return fault;
    refusals->now |= bit;
    ov_buf_printf(&text, "%s%s", commands[command].name, what.len ? " on " : "");
    ov_buf_slice(&text, what);
    ov_buf_str(&text, " is refused: ");
    ov_buf_slice(&text, reply->text);
    if (fault == REDIS_NOPERM)
        ov_buf_printf(&text, " (ACL SETUSER <user> %s and the keys would allow it; what it tells "
                      "is left out)", commands[command].rule);
    ov_problem(refusals->host, commands[command].name, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
    return fault;
}

void refusals_follow(struct refusals *refusals, struct ov_slice key, enum redis_fault fault)
{
    const char *remedy = redis_fault_remedy(fault);
    if (fault == REDIS_FINE) {
        ov_recovered(refusals->host, "XREAD");
        return;
    }
    refusals->count++;
    ov_problem(refusals->host, "XREAD", "XINFO STREAM and XREAD on %.*s, which counters rest on: "
               "%s%s%s", (int)key.len, key.ptr, redis_fault_word(fault), *remedy ? ": " : "",
               remedy);
}

void refusals_settle(struct refusals *refusals)
{
    uint32_t over = refusals->before & ~refusals->now;
    for (unsigned i = 0; i < REFUSABLE_COMMANDS; i++)
        if (over & UINT32_C(1) << i)
            ov_recovered(refusals->host, commands[i].name);
    refusals->before = refusals->now;
    refusals->now = 0;
}
