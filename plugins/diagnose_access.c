/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of the commands that omnivigil sends are refused. Each is tried once, on a key it is sent
 * for in earnest, and none changes anything: an ACL is asked before Redis looks at the key.
 */
#include <stdio.h>

#include "diagnose.h"
#include "shell.h"

enum place { ON_NOTHING, ON_STREAM, ON_DLQ, ON_BUS_METRICS, ON_STORAGE, ON_METRICS, PLACES };

enum { WORDS_MAX = 4, READ_RULES_SINCE = 70000 };

/* `before` the key, `after` it; `group`: the group's name comes first among the latter. */
static const struct probe {
    const char *rule;
    enum place place;
    const char *before[WORDS_MAX], *after[WORDS_MAX];
    bool group, storage; /* storage: only where storage is in Redis */
} probes[] = {
    {"+info", ON_NOTHING, {"INFO", "server"}, {NULL}, false, false},
    {"+time", ON_NOTHING, {"TIME"}, {NULL}, false, false},
    {"+client|list", ON_NOTHING, {"CLIENT", "LIST", "TYPE", "master"}, {NULL}, false, false},
    {"+scan", ON_NOTHING, {"SCAN", "0", "COUNT", "1"}, {NULL}, false, false},
    {"+xinfo|stream", ON_STREAM, {"XINFO", "STREAM"}, {NULL}, false, false},
    {"+xinfo|groups", ON_STREAM, {"XINFO", "GROUPS"}, {NULL}, false, false},
    {"+xinfo|consumers", ON_STREAM, {"XINFO", "CONSUMERS"}, {NULL}, true, false},
    {"+xpending", ON_STREAM, {"XPENDING"}, {"-", "+", "1"}, true, false},
    {"+xlen", ON_STREAM, {"XLEN"}, {NULL}, false, false},
    {"+xrange", ON_STREAM, {"XRANGE"}, {"-", "-", "COUNT", "1"}, false, false},
    {"+xrevrange", ON_STREAM, {"XREVRANGE"}, {"-", "-", "COUNT", "1"}, false, false},
    {"+xlen", ON_DLQ, {"XLEN"}, {NULL}, true, false},
    {"+xread", ON_BUS_METRICS, {"XREAD", "COUNT", "1", "STREAMS"}, {"$"}, false, false},
    {"+smembers", ON_STORAGE, {"SMEMBERS"}, {NULL}, false, true},
    {"+scard", ON_STORAGE, {"SCARD"}, {NULL}, false, true},
    {"+sscan", ON_STORAGE, {"SSCAN"}, {"0", "COUNT", "1"}, false, true},
    {"+exists", ON_STORAGE, {"EXISTS"}, {NULL}, false, true},
    {"+hget", ON_STORAGE, {"HGET"}, {"config"}, false, true},
    {"+get", ON_STORAGE, {"GET"}, {NULL}, false, true},
    {"+object|idletime", ON_STORAGE, {"OBJECT", "IDLETIME"}, {NULL}, false, true},
    {"+zcard", ON_STORAGE, {"ZCARD"}, {NULL}, false, true},
    {"+zcount", ON_STORAGE, {"ZCOUNT"}, {"0", "0"}, false, true},
    {"+xread", ON_METRICS, {"XREAD", "COUNT", "1", "STREAMS"}, {"$"}, false, true},
};

struct access {
    struct look *look;
    struct ov_buf keys[PLACES], patterns[PLACES], group;
    bool command_refused[OV_COUNT(probes)], place_refused[PLACES];
    struct ov_buf refused, user; /* "XINFO GROUPS, XPENDING"; who we are */
    size_t count;
};

static struct ov_slice slice_of(const struct ov_buf *buf)
{
    return (struct ov_slice){buf->data, buf->len};
}

/* Keys that are there where any are, since an ACL may allow nothing else. */
static void choose_keys(struct access *a)
{
    const struct runner *runner = a->look->runner;
    const char *prefix = runner->omni.prefix;
    struct ov_slice topic = OV_SLICE("omnivigil"), agent = OV_SLICE("omnivigil");
    const struct ov_slice none = {NULL, 0};
    if (runner->registry.agents.count) {
        topic = runner->registry.agents.entries[0]->a;
        agent = runner->registry.agents.entries[0]->b;
    }
    omni_group_name(&a->group, topic, agent);
    omni_stream_key(&a->keys[ON_STREAM], topic);
    omni_dlq_key(&a->keys[ON_DLQ], slice_of(&a->group));
    ov_buf_slice(&a->keys[ON_BUS_METRICS], OMNI_BUS_METRICS);
    omni_storage_key(&a->keys[ON_STORAGE], prefix, "topics", none, none);
    omni_storage_key(&a->keys[ON_METRICS], prefix, "metrics:stream", none, none);
    const char *reading = a->look->version_number >= READ_RULES_SINCE ? "%R" : "";
    ov_buf_printf(&a->patterns[ON_STREAM], "%s~omni-stream:*", reading);
    ov_buf_printf(&a->patterns[ON_DLQ], "%s~omni-dlq:*", reading);
    ov_buf_printf(&a->patterns[ON_BUS_METRICS], "%s~omni-metrics", reading);
    ov_buf_printf(&a->patterns[ON_STORAGE], "%s~%s:*", reading, prefix);
    ov_buf_printf(&a->patterns[ON_METRICS], "%s~%s:*", reading, prefix);
}

static void name_command(struct access *a, const struct probe *probe)
{
    const char *second = strchr(probe->rule, '|') ? probe->before[1] : NULL;
    char name[40];
    int len = snprintf(name, sizeof name, "%s%s%s", probe->before[0], second ? " " : "",
                       second ? second : "");
    if (a->refused.len && memmem(a->refused.data, a->refused.len, name, (size_t)len))
        return;
    ov_buf_str(&a->refused, a->refused.len ? ", " : "");
    ov_buf_str(&a->refused, name);
    a->count++;
}

/* "... no permissions to access one of the keys used as arguments", "No permissions to access a
 * key"; about commands it is "to run". */
static bool is_about_keys(struct ov_slice text)
{
    static const char words[] = "permissions to access";
    return memmem(text.ptr, text.len, words, sizeof words - 1) != NULL;
}

static void on_probe(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct access *a = context;
    const struct probe *probe = &probes[index];
    enum redis_fault fault = redis_reply_fault(reply);
    (void)r;
    if (fault != REDIS_NOPERM && fault != REDIS_UNKNOWN_COMMAND)
        return;
    name_command(a, probe);
    if (fault == REDIS_NOPERM && is_about_keys(reply->text))
        a->place_refused[probe->place] = true;
    else if (fault == REDIS_NOPERM)
        a->command_refused[index] = true;
}

static void on_user(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct access *a = context;
    (void)r;
    (void)index;
    if (reply->type == REDIS_STRING)
        ov_buf_slice(&a->user, reply->text);
}

static void send_probe(struct access *a, size_t index)
{
    const struct probe *probe = &probes[index];
    struct ov_slice words[2 * WORDS_MAX + 2];
    size_t count = 0;
    for (size_t i = 0; i < WORDS_MAX && probe->before[i]; i++)
        words[count++] = ov_slice(probe->before[i]);
    if (probe->place != ON_NOTHING)
        words[count++] = slice_of(&a->keys[probe->place]);
    if (probe->group && probe->place != ON_DLQ)
        words[count++] = slice_of(&a->group);
    for (size_t i = 0; i < WORDS_MAX && probe->after[i]; i++)
        words[count++] = ov_slice(probe->after[i]);
    redis_send_words(a->look->runner->redis, on_probe, a, index, words, count);
}

/* The rules that are missing, each once, in an order ACL SETUSER takes. */
static size_t missing_rules(struct access *a, struct ov_slice *rules, size_t room)
{
    size_t count = 0;
    for (size_t i = 0; i < OV_COUNT(probes) + PLACES; i++) {
        size_t place = i - OV_COUNT(probes);
        bool is_key = i >= OV_COUNT(probes), known = false;
        if (is_key ? !a->place_refused[place] : !a->command_refused[i])
            continue;
        struct ov_slice rule = is_key ? slice_of(&a->patterns[place]) : ov_slice(probes[i].rule);
        for (size_t j = 0; j < count; j++)
            known |= ov_slice_eq(rules[j], rule);
        if (!known && count < room)
            rules[count++] = rule;
    }
    return count;
}

static void tell_refused(struct access *a)
{
    struct look *look = a->look;
    struct ov_slice names[OV_COUNT(probes) + PLACES + 1];
    struct finding *f = diagnosis_add(look->d, AIL_REFUSED, false, NOBODYS, NOBODYS);
    if (a->user.len == 0 && look->url.user.len)
        ov_buf_slice(&a->user, slice_of(&look->url.user));
    if (a->user.len == 0)
        ov_buf_str(&a->user, "default");
    ov_buf_printf(&f->what, "Redis refuses %zu command%s to the user ", a->count,
                  a->count == 1 ? "" : "s");
    ov_buf_escaped(&f->what, slice_of(&a->user));
    ov_buf_printf(&f->evidence, "refused: %s", ov_buf_text(&a->refused));
    names[0] = slice_of(&a->user);
    size_t count = missing_rules(a, names + 1, OV_COUNT(names) - 1);
    if (count) {
        next_redis(look, f, "acl setuser", names, count + 1);
    } else {
        ov_buf_str(&f->meaning, " The server does not know them: they were renamed, or it is too "
                                "old.");
        next_redis(look, f, "info server", NULL, 0);
    }
}

void look_at_access(struct look *look)
{
    struct access a = {.look = look};
    struct redis *r = look->runner->redis;
    choose_keys(&a);
    for (size_t i = 0; i < OV_COUNT(probes); i++)
        if (!probes[i].storage || look->runner->omni.backend == OMNI_REDIS)
            send_probe(&a, i);
    redis_send(r, on_user, &a, 0, OV_SLICE("ACL"), OV_SLICE("WHOAMI"));
    if (redis_run(r) != OV_OK)
        diagnosis_blind(look->d, CHECK_PERMISSIONS, "%s", redis_why(r));
    else
        diagnosis_looked(look->d, CHECK_PERMISSIONS, "%s", a.count ? "commands are refused"
                         : "all commands are allowed");
    if (a.count)
        tell_refused(&a);
    for (unsigned i = 0; i < PLACES; i++) {
        ov_buf_free(&a.keys[i]);
        ov_buf_free(&a.patterns[i]);
    }
    ov_buf_free(&a.group);
    ov_buf_free(&a.refused);
    ov_buf_free(&a.user);
}
