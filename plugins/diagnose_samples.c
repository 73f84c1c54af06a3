/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the inputs' samples tell: the rules that alarm, each under the kind of finding it is about,
 * and what takes more than one sample, or no threshold, to see.
 */
#include <math.h>

#include "diagnose.h"
#include "figures.h"
#include "human.h"
#include "shell.h"

/* ---------------------------------------------------------------- rules */

/* `fields`: of the rule's sample, told as evidence. `words`: of the command to go on with; NULL: a
 * function of its own below. */
static const struct rule_row {
    const char *rule;
    enum ailment ailment;
    const char *fields, *words;
} rule_rows[] = {
    {"health", AIL_HEALTH, "status,runner,reason", "health"},
    {"runner", AIL_RUNNER_LOST, "runner_id,agents", "agent list"},
    {"crashed", AIL_CRASHED, "state,restarts,heartbeat_age_seconds", "agent list"},
    {"success", AIL_FAILING, "success_ratio,window_seconds,window_processed,"
                             "window_failed", "metrics"},
    {"slow", AIL_SLOW, "processing_p95_seconds,processing_avg_seconds,processing_max_seconds,"
                       "consumer_count", "metrics"},
    {"no-group", AIL_NO_GROUP, "", "bus groups"},
    {"silent", AIL_SILENT, "life,undelivered,pending,consumers", "bus groups"},
    {"pending", AIL_PENDING, "pending,oldest_pending_seconds,max_deliveries,life", "bus groups"},
    {"backlog", AIL_BACKLOG, "undelivered,oldest_undelivered_seconds,consumers,life",
     "bus groups"},
    {"trim-risk", AIL_TRIM_RISK, "undelivered,trim_ratio,oldest_undelivered_seconds", "bus groups"},
    {"lost", AIL_LOST, "", ""},        /* told with what was lost, below */
    {"dlq", AIL_GIVEN_UP, "", ""},     /* told with the letters themselves */
    {"poison", AIL_POISON, "", ""},    /* told with the entry itself */
    {"stuck", AIL_ABANDONED, "", ""},  /* told by when entries were last delivered */
    {"memory", AIL_MEMORY, "memory_used_bytes,memory_limit_bytes,eviction_policy", NULL},
    {"eviction", AIL_EVICTION, "eviction_policy,memory_limit_bytes,memory_used_bytes", NULL},
    {"storage", AIL_FILE, "size_bytes,error", NULL},
};

static bool ends_in(const char *name, const char *unit)
{
    size_t len = strlen(name), unit_len = strlen(unit);
    return len > unit_len && strcmp(name + len - unit_len, unit) == 0;
}

/* "undelivered 520, oldest undelivered 12 min, success ratio 57.1 %" */
static void put_field(struct ov_buf *out, const struct ov_sample *s, const char *name)
{
    struct ov_slice text = figure_text(s, name);
    int64_t integer = figure_int(s, name, -1);
    double number = integer >= 0 ? (double)integer : figure_double(s, name);
    size_t len = strlen(name);
    bool seconds = ends_in(name, "_seconds");
    if (text.len == 0 && isnan(number))
        return;
    ov_buf_str(out, out->len ? ", " : "");
    for (const char *c = name; c < name + (seconds ? len - 8 : len); c++)
        ov_buf_char(out, *c == '_' ? ' ' : *c);
    ov_buf_char(out, ' ');
    if (text.len)
        ov_buf_escaped(out, text);
    else if (seconds)
        put_duration(out, number);
    else if (ends_in(name, "_ratio"))
        ov_human_ratio(out, number);
    else
        ov_human_number(out, number);
}

void put_fields(struct ov_buf *out, const struct ov_sample *s, const char *names)
{
    char name[64];
    for (const char *at = names; *at;) {
        size_t len = strcspn(at, ",");
        if (len < sizeof name) {
            memcpy(name, at, len);
            name[len] = '\0';
            put_field(out, s, name);
        }
        at += len + (at[len] == ',');
    }
}

/* A copy of a damaged file, before OmniDaemon writes it over. */
static void next_copy(struct look *look, struct finding *f, struct ov_slice file)
{
    struct ov_buf path = {0};
    ov_buf_printf(&path, "%s/", look->runner->omni.json_dir);
    ov_buf_slice(&path, file);
    ov_buf_reset(&f->next);
    ov_buf_str(&f->next, "cp");
    bool typed = shell_word(&f->next, (struct ov_slice){path.data, path.len});
    ov_buf_str(&path, ".saved");
    typed = typed && shell_word(&f->next, (struct ov_slice){path.data, path.len});
    if (!typed)
        ov_buf_reset(&f->next);
    ov_buf_free(&path);
}

static void next_for_rule(struct look *look, struct finding *f, const struct rule_row *row,
                          const struct ov_sample *s)
{
    struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
    if (!row)
        next_omnivigil(look, f, "check", NOBODYS, NOBODYS);
    else if (row->ailment == AIL_FILE)
        next_copy(look, f, figure_tag(s, "file"));
    else if (row->ailment == AIL_MEMORY)
        next_redis(look, f, "info memory", NULL, 0);
    else if (row->ailment == AIL_EVICTION)
        next_redis(look, f, "config set maxmemory-policy noeviction", NULL, 0);
    else if (strncmp(row->words, "bus ", 4) == 0)
        next_omnivigil(look, f, row->words, topic, agent);
    else
        next_omnivigil(look, f, row->words, NOBODYS, NOBODYS);
}

static const struct rule_row *row_of(const char *rule)
{
    for (size_t i = 0; i < OV_COUNT(rule_rows); i++)
        if (strcmp(rule_rows[i].rule, rule) == 0)
            return &rule_rows[i];
    return NULL;
}

/* Tasks that agents have yet to get, as far as that is known exactly. */
static int64_t tasks_waiting(const struct look *look)
{
    int64_t waiting = 0;
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next)
        if (figure_of(s, "omnidaemon_group") && figure_bool(s, "registered") == 1)
            waiting += figure_int(s, "undelivered", 0);
    return waiting;
}

static void take_rule(struct look *look, const struct ov_finding *told)
{
    const struct rule_row *row = row_of(told->rule);
    const struct ov_sample *s = told->sample;
    if (row && row->words && !*row->words)
        return;
    struct finding *f = diagnosis_add(look->d, row ? row->ailment : AIL_OTHER, told->critical,
                                      given(figure_tag(s, "topic")),
                                      given(figure_tag(s, "agent")));
    ov_buf_str(&f->what, told->summary);
    if (f->ailment == AIL_NO_GROUP) {
        ov_buf_escaped(&f->evidence, figure_tag(s, "group"));
        ov_buf_str(&f->evidence, " is not on the topic's stream, and the agent is registered");
    } else if (f->ailment == AIL_RUNNER_LOST) {
        ov_buf_printf(&f->evidence, "tasks that wait %jd", (intmax_t)tasks_waiting(look));
    }
    if (f->ailment == AIL_BACKLOG && ov_slice_eq(figure_text(s, "life"), OV_SLICE("silent")))
        ov_buf_str(&f->meaning, "Nobody takes them: start the agent's runner again.");
    if (f->meaning.len == 0)
        ov_buf_str(&f->meaning, told->description);
    if (row) {
        put_fields(&f->evidence, s, row->fields);
    } else {
        f->name = told->rule;
        ov_buf_printf(&f->evidence, "rule %s", told->rule);
        if (isfinite(told->value)) {
            ov_buf_str(&f->evidence, ": ");
            ov_buf_double(&f->evidence, told->value);
        }
    }
    if (told->silenced > 0)
        ov_buf_str(&f->evidence, f->evidence.len ? ", silenced by the configuration"
                                                 : "silenced by the configuration");
    next_for_rule(look, f, row, s);
}

/* Those that are silenced, too: who looks for a cause wants to see it. */
static void take_rules(struct look *look)
{
    size_t count;
    const struct ov_finding *told = ov_call_findings(look->call, &count);
    for (size_t i = 0; i < count; i++)
        take_rule(look, &told[i]);
    told = ov_call_silenced(look->call, &count);
    for (size_t i = 0; i < count; i++)
        take_rule(look, &told[i]);
}

/* ---------------------------------------------------------------- groups */

static bool wanted(const struct look *look, struct ov_slice topic, struct ov_slice agent)
{
    return ov_call_wants(look->call, &topic, &agent);
}

/* Tasks that wait for agents of a runner that was stopped. */
static void judge_stopped(struct look *look)
{
    int64_t waiting = tasks_waiting(look);
    bool stopped = false;
    for (const struct ov_sample *s = ov_batch_first(look->tasks); s; s = s->next)
        stopped |= figure_of(s, "omnidaemon_health") &&
                   ov_slice_eq(figure_text(s, "runner"), OV_SLICE("stopped"));
    if (!stopped || waiting == 0)
        return;
    struct finding *f = diagnosis_add(look->d, AIL_RUNNER_STOPPED, false, NOBODYS, NOBODYS);
    ov_buf_printf(&f->what, "no runner: it was stopped, and %jd task%s wait%s",
                  (intmax_t)waiting, waiting == 1 ? "" : "s", waiting == 1 ? "s" : "");
    ov_buf_printf(&f->evidence, "runner stopped, undelivered %jd", (intmax_t)waiting);
    next_omnivigil(look, f, "bus groups", NOBODYS, NOBODYS);
}

static void judge_groups(struct look *look)
{
    size_t groups = 0;
    for (const struct ov_sample *s = ov_batch_first(look->bus); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_group") ||
            !wanted(look, figure_tag(s, "topic"), figure_tag(s, "agent")))
            continue;
        groups++;
        judge_loss(look, s);
    }
    judge_stopped(look);
    diagnosis_looked(look->d, CHECK_GROUPS, "groups: %zu", groups);
    diagnosis_looked(look->d, CHECK_CONSUMERS, "groups: %zu", groups);
    diagnosis_looked(look->d, CHECK_BACKLOG, "groups: %zu", groups);
    diagnosis_looked(look->d, CHECK_FAILURES, "groups with their dead letter queues: %zu", groups);
    if (look->version_number && look->version_number < 70000)
        diagnosis_blind(look->d, CHECK_TRIMMING, "what was lost cannot be told before Redis 7.0");
    else
        diagnosis_looked(look->d, CHECK_TRIMMING, "groups: %zu", groups);
}

/* A gather that failed although Redis answers: it has no time for it, or the connection broke. */
static bool judge_gather(struct look *look)
{
    static const enum check checks[] = {CHECK_GROUPS, CHECK_CONSUMERS, CHECK_PENDING,
                                        CHECK_BACKLOG, CHECK_FAILURES, CHECK_TRIMMING};
    if (!look->bus_why)
        return true;
    for (size_t i = 0; i < OV_COUNT(checks); i++)
        diagnosis_blind(look->d, checks[i], "%s", look->bus_why);
    if (look->usable && ov_batch_count(look->bus) > 0) {
        struct finding *f = diagnosis_add(look->d, AIL_BUS_DOWN, true, NOBODYS, NOBODYS);
        ov_buf_str(&f->what, "the bus cannot be read");
        ov_buf_escaped(&f->evidence, ov_slice(look->bus_why));
        next_redis(look, f, "slowlog get 10", NULL, 0);
    }
    return false;
}

void look_at_samples(struct look *look)
{
    take_rules(look);
    look_at_storage(look);
    if (judge_gather(look))
        judge_groups(look);
    if (look->tasks_why) {
        diagnosis_blind(look->d, CHECK_RUNNER, "%s", look->tasks_why);
        diagnosis_blind(look->d, CHECK_SPEED, "%s", look->tasks_why);
    } else {
        look_at_registry(look);
        diagnosis_looked(look->d, CHECK_SPEED, "the last %.0f min",
                         (double)look->runner->window_ms / 60e3);
    }
    diagnosis_looked(look->d, CHECK_RULES, "all that one look can judge");
}
