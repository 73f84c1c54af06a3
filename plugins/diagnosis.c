/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "diagnosis.h"

enum { CAUSES_MAX = 6 };

/* A cause of the same topic and agent, or one that concerns everything. */
struct reason {
    bool given;
    enum ailment cause;
};
#define BY(ailment) {true, ailment}
#define IN_THE_WAY BY(AIL_BUS_DOWN), BY(AIL_OTHER_STORAGE)
#define NOBODY BY(AIL_RUNNER_LOST), BY(AIL_RUNNER_STOPPED), BY(AIL_NO_GROUP), BY(AIL_SILENT)

/* `fleeting`: a start or a stop under way looks like it for a moment. */
static const struct {
    const char *name;
    enum check check;
    bool fleeting;
    struct reason reasons[CAUSES_MAX];
    const char *meaning;
} kinds[] = {
    [AIL_BUS_DOWN] = {"bus-down", CHECK_REACHABLE, false, {{0}},
        "OmniDaemon's bus is this Redis: nothing is published or processed while it cannot be "
        "used, and nothing else about it can be told."},
    [AIL_VERSION] = {"version", CHECK_VERSION, false, {{0}},
        "Redis has streams since version 5.0, and OmniDaemon's bus is made of them."},
    [AIL_BUS_TYPE] = {"bus-type", CHECK_ENVIRONMENT, false, {{0}},
        "OmniDaemon knows one bus, redis_stream, and refuses to start with another."},
    [AIL_OTHER_STORAGE] = {"other-storage", CHECK_STORAGE, false,
        {BY(AIL_BUS_DOWN), BY(AIL_EVICTED)},
        "OmniDaemon's agents, results and task figures are not where they are looked for, so "
        "nothing that is told about agents here holds."},
    [AIL_STORAGE_DOWN] = {"storage-down", CHECK_STORAGE, false, {IN_THE_WAY},
        "OmniDaemon keeps agents, results and task figures there, and cannot start without."},
    [AIL_NOTHING_HERE] = {"nothing-here", CHECK_REGISTRY, true,
        {IN_THE_WAY, BY(AIL_STORAGE_DOWN), BY(AIL_FILE), BY(AIL_REFUSED), BY(AIL_VERSION)},
        "No agent is registered and no topic has a stream: OmniDaemon never ran against this "
        "server and database, or its data is gone (a restart without persistence, a FLUSHALL)."},
    [AIL_FILE] = {"file-corrupt", CHECK_STORAGE, false, {{0}}, ""},
    [AIL_SAVE_FAILED] = {"save-failed", CHECK_PERSISTENCE, false, {{0}},
        "Redis could not write its data to disk (full, or no permission). By default it then "
        "refuses all writes, so nothing can be published or acknowledged; and a restart loses "
        "what came since the last good save. The server's log has the reason."},
    [AIL_EVICTED] = {"evicted", CHECK_MEMORY, false, {{0}},
        "Redis ran out of memory and threw keys away by a policy that takes any key: topics, "
        "consumer groups and registrations may be among them."},
    [AIL_MEMORY] = {"memory", CHECK_MEMORY, false, {{0}}, ""},
    [AIL_REFUSED] = {"refused", CHECK_PERMISSIONS, false, {BY(AIL_VERSION)},
        "What these commands would tell is missing below and in all samples. OmniDaemon's own "
        "user may be another one and unaffected."},
    [AIL_RUNNER_LOST] = {"runner-lost", CHECK_RUNNER, true, {IN_THE_WAY}, ""},
    [AIL_RUNNER_STOPPED] = {"runner-stopped", CHECK_RUNNER, true, {IN_THE_WAY},
        "The runner was stopped in an orderly way, and tasks have come since: they are delivered "
        "once it is started again, unless the topic is trimmed before."},
    [AIL_NO_GROUP] = {"no-group", CHECK_GROUPS, true, {IN_THE_WAY}, ""},
    [AIL_SILENT] = {"silent", CHECK_CONSUMERS, true,
        {IN_THE_WAY, BY(AIL_RUNNER_LOST), BY(AIL_RUNNER_STOPPED), BY(AIL_NO_GROUP)}, ""},
    [AIL_CRASHED] = {"crashed", CHECK_CONSUMERS, true,
        {BY(AIL_RUNNER_LOST), BY(AIL_RUNNER_STOPPED)}, ""},
    [AIL_TRIM_RISK] = {"trim-risk", CHECK_TRIMMING, false, {NOBODY}, ""},
    [AIL_MISSED] = {"missed", CHECK_GROUPS, true, {BY(AIL_NO_GROUP)},
        "Redis lost the agent's group, and a runner made it again at the end of the topic, past "
        "these tasks: they were delivered to nobody, or were under way just then. While they stand "
        "in the topic they can be given to the agent, those and no others."},
    [AIL_LOST] = {"lost", CHECK_TRIMMING, false, {{0}}, ""},
    [AIL_GIVEN_UP] = {"given-up", CHECK_FAILURES, false, {{0}},
        "Tasks failed at every retry and are in the agent's dead letter queue, where nobody but "
        "you will look after them."},
    [AIL_POISON] = {"poison", CHECK_FAILURES, false, {NOBODY}, ""},
    [AIL_FAILING] = {"failing", CHECK_FAILURES, false, {BY(AIL_GIVEN_UP), BY(AIL_POISON)},
        "Fewer deliveries ended well than the guide's 95 %; those that failed come again until "
        "their retries are used up."},
    [AIL_ABANDONED] = {"abandoned", CHECK_PENDING, false,
        {NOBODY, BY(AIL_POISON), BY(AIL_ORPHAN_GROUP)},
        "These tasks were delivered, never acknowledged, and not claimed again although that is "
        "long due: their consumer is gone, and OmniDaemon's retries look at the first 50 pending "
        "entries only."},
    [AIL_SLOW] = {"slow", CHECK_SPEED, false, {{0}},
        "Tasks take longer than the guide's 10 s. Where they wait for a model or a service, more "
        "consumers (consumer_count) or runners help; otherwise look into the callback."},
    [AIL_BACKLOG] = {"backlog", CHECK_BACKLOG, false, {NOBODY, BY(AIL_SLOW), BY(AIL_TRIM_RISK)},
        ""},
    [AIL_PENDING] = {"pending", CHECK_PENDING, false,
        {NOBODY, BY(AIL_GIVEN_UP), BY(AIL_FAILING)}, ""},
    [AIL_EVICTION] = {"eviction", CHECK_MEMORY, false, {BY(AIL_EVICTED)}, ""},
    [AIL_NO_PERSISTENCE] = {"no-persistence", CHECK_PERSISTENCE, false, {{0}},
        "Neither snapshots (save) nor the append-only file are on: a restart of Redis loses every "
        "topic and consumer group, and with them all tasks, and running agents stop for good."},
    [AIL_REPLICA] = {"replica", CHECK_REACHABLE, false, {{0}},
        "OmniDaemon must write, and a replica refuses that; its figures lag behind the master's, "
        "and idle times, by which agents are known to live, are its own."},
    [AIL_CLOCK] = {"clock", CHECK_CLOCKS, false, {{0}},
        "Ages that mix the two clocks are wrong by as much: uptimes, heartbeats, when results "
        "expire. Let all hosts follow one time server (chrony, systemd-timesyncd)."},
    [AIL_ORPHAN_GROUP] = {"orphan-group", CHECK_GROUPS, false, {IN_THE_WAY, BY(AIL_FILE)},
        "The group's agent was renamed, or deleted with its group kept: nobody will take what the "
        "group is still given, and what is pending for it stays so."},
    [AIL_OVERRIDDEN] = {"overridden", CHECK_ENVIRONMENT, false, {{0}},
        "A variable of the process wins over the file's, for OmniDaemon as for omnivigil. Two "
        "programs started from different places then use different settings."},
    [AIL_CONTRADICTION] = {"contradiction", CHECK_ENVIRONMENT, false, {{0}}, ""},
    [AIL_INDEX_LEAK] = {"index-leak", CHECK_STORAGE, false, {{0}},
        "Results expire after a day, their index never does: it takes memory, and makes "
        "OmniDaemon's list of results slow and full of gaps."},
    [AIL_HEALTH] = {"health", CHECK_REACHABLE, false,
        {IN_THE_WAY, BY(AIL_STORAGE_DOWN), BY(AIL_REFUSED), BY(AIL_VERSION)},
        "The bus or storage cannot be used."},
    [AIL_OTHER] = {"rule", CHECK_RULES, true, {BY(AIL_BUS_DOWN)}, ""},
};
_Static_assert(OV_COUNT(kinds) == AILMENTS, "a row for each kind");

static const char *const check_names[] = {
    [CHECK_ENVIRONMENT] = "environment", [CHECK_REACHABLE] = "connection",
    [CHECK_PERMISSIONS] = "permissions", [CHECK_VERSION] = "version", [CHECK_MEMORY] = "memory",
    [CHECK_PERSISTENCE] = "persistence", [CHECK_STORAGE] = "storage", [CHECK_REGISTRY] = "agents",
    [CHECK_RUNNER] = "runner", [CHECK_GROUPS] = "consumer groups",
    [CHECK_CONSUMERS] = "consumers", [CHECK_PENDING] = "pending entries",
    [CHECK_BACKLOG] = "backlog", [CHECK_TRIMMING] = "trimming", [CHECK_FAILURES] = "failures",
    [CHECK_SPEED] = "speed", [CHECK_CLOCKS] = "clocks", [CHECK_RULES] = "rules of yours",
};

const char *check_name(enum check check)
{
    return check_names[check];
}

enum check finding_check(const struct finding *finding)
{
    return kinds[finding->ailment].check;
}

/* ---------------------------------------------------------------- keeping */

static void finding_free(struct finding *finding)
{
    free(finding->topic);
    free(finding->agent);
    ov_buf_free(&finding->what);
    ov_buf_free(&finding->evidence);
    ov_buf_free(&finding->meaning);
    ov_buf_free(&finding->next);
    free(finding);
}

void diagnosis_free(struct diagnosis *d)
{
    for (size_t i = 0; i < d->count; i++)
        finding_free(d->findings[i]);
    for (unsigned i = 0; i < CHECKS; i++)
        ov_buf_free(&d->checks[i].detail);
    free(d->findings);
    *d = (struct diagnosis){0};
}

struct finding *diagnosis_add(struct diagnosis *d, enum ailment ailment, bool critical,
                              struct ov_slice topic, struct ov_slice agent)
{
    struct finding *f = ov_calloc(1, sizeof *f);
    f->ailment = ailment;
    f->critical = critical;
    f->name = kinds[ailment].name;
    f->topic = topic.ptr ? ov_memdup(topic.ptr, topic.len) : NULL;
    f->agent = agent.ptr ? ov_memdup(agent.ptr, agent.len) : NULL;
    f->topic_len = topic.len;
    f->agent_len = agent.len;
    ov_buf_str(&f->meaning, kinds[ailment].meaning);
    if (d->count == d->cap) {
        d->cap = d->cap ? 2 * d->cap : 16;
        d->findings = ov_realloc(d->findings, d->cap, sizeof *d->findings);
    }
    d->findings[d->count++] = f;
    return f;
}

OV_PRINTF(4, 0)
static void note(struct diagnosis *d, enum check check, bool looked, const char *format,
                 va_list args)
{
    d->checks[check].looked = looked;
    ov_buf_reset(&d->checks[check].detail);
    ov_buf_vprintf(&d->checks[check].detail, format, args);
}

void diagnosis_looked(struct diagnosis *d, enum check check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(d, check, true, format, args);
    va_end(args);
}

void diagnosis_blind(struct diagnosis *d, enum check check, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note(d, check, false, format, args);
    va_end(args);
}

size_t diagnosis_count(const struct diagnosis *d, enum check check)
{
    size_t count = 0;
    for (size_t i = 0; i < d->count; i++)
        count += finding_check(d->findings[i]) == check;
    return count;
}

/* ---------------------------------------------------------------- two looks */

bool diagnosis_is_fleeting(const struct diagnosis *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (kinds[d->findings[i]->ailment].fleeting)
            return true;
    return false;
}

static bool same_bytes(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return !a == !b && a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

static bool same_place(const struct finding *a, const struct finding *b)
{
    return same_bytes(a->topic, a->topic_len, b->topic, b->topic_len) &&
           same_bytes(a->agent, a->agent_len, b->agent, b->agent_len);
}

static bool has(const struct diagnosis *d, const struct finding *wanted)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->findings[i]->ailment == wanted->ailment &&
            strcmp(d->findings[i]->name, wanted->name) == 0 && same_place(d->findings[i], wanted))
            return true;
    return false;
}

void diagnosis_confirm(struct diagnosis *d, const struct diagnosis *earlier)
{
    size_t kept = 0;
    for (size_t i = 0; i < d->count; i++) {
        struct finding *f = d->findings[i];
        if (kinds[f->ailment].fleeting && !has(earlier, f))
            finding_free(f);
        else
            d->findings[kept++] = f;
    }
    d->count = kept;
}

/* ---------------------------------------------------------------- causes */

static bool concerns(const struct finding *cause, const struct finding *effect)
{
    return (!cause->topic && !cause->agent) || same_place(cause, effect);
}

/* `has_any`: by kind, since most are not there. */
static struct finding *cause_of(const struct diagnosis *d, const bool *has_any,
                                const struct finding *effect)
{
    for (unsigned r = 0; r < CAUSES_MAX && kinds[effect->ailment].reasons[r].given; r++) {
        enum ailment cause = kinds[effect->ailment].reasons[r].cause;
        for (size_t i = 0; i < d->count && has_any[cause]; i++)
            if (d->findings[i]->ailment == cause && concerns(d->findings[i], effect))
                return d->findings[i];
    }
    return NULL;
}

static int compare(const void *a, const void *b)
{
    const struct finding *x = *(struct finding *const *)a, *y = *(struct finding *const *)b;
    if (!x->cause != !y->cause)
        return x->cause ? 1 : -1;
    if (x->critical != y->critical)
        return x->critical ? -1 : 1;
    if (x->ailment != y->ailment)
        return x->ailment < y->ailment ? -1 : 1;
    size_t shorter = x->what.len < y->what.len ? x->what.len : y->what.len;
    int order = shorter ? memcmp(x->what.data, y->what.data, shorter) : 0;
    return order ? order : (x->what.len > y->what.len) - (x->what.len < y->what.len);
}

void diagnosis_settle(struct diagnosis *d)
{
    bool has_any[AILMENTS] = {false};
    for (size_t i = 0; i < d->count; i++)
        has_any[d->findings[i]->ailment] = true;
    for (size_t i = 0; i < d->count; i++) {
        struct finding *root = NULL;
        for (struct finding *f = cause_of(d, has_any, d->findings[i]); f;
             f = cause_of(d, has_any, f))
            root = f;
        d->findings[i]->cause = root;
        if (!root)
            continue;
        root->consequences++;
        root->critical |= d->findings[i]->critical;
    }
    if (d->count)
        qsort(d->findings, d->count, sizeof(struct finding *), compare);
}
