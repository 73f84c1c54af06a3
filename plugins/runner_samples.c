/* SPDX-License-Identifier: Apache-2.0 */
/* What the `runner` input measures, and the samples made of it. */
#include <math.h>
#include <stdio.h>

#include "runner.h"

enum {
    HEALTH_STATUS, HEALTH_STATUS_CODE, HEALTH_REASON, HEALTH_RUNNER, HEALTH_RUNNER_ID,
    HEALTH_UPTIME, HEALTH_AGENTS, HEALTH_TOPICS, HEALTH_BUS_UP, HEALTH_STORAGE_UP,
};
static const struct ov_field health_fields[] = {
    [HEALTH_STATUS] = {"status", OV_TEXT, OV_GAUGE, "",
                       "RUNNING: a runner is active, bus and storage are healthy; READY: they "
                       "are, no runner is active; DEGRADED: bus or storage is not; DOWN: neither "
                       "is."},
    [HEALTH_STATUS_CODE] = {"status_code", OV_INT, OV_GAUGE, "",
                            "The same as a number: 0, 1, 2, 3."},
    [HEALTH_REASON] = {"reason", OV_TEXT, OV_GAUGE, "", "Why, in a sentence."},
    [HEALTH_RUNNER] = {"runner", OV_TEXT, OV_GAUGE, "",
                       "active; stopped: ended in an orderly way; lost: should run and gives no "
                       "sign of life; none: no agent is registered. Left out where there is no "
                       "telling."},
    [HEALTH_RUNNER_ID] = {"runner_id", OV_TEXT, OV_GAUGE, "",
                          "Id of the runner that started first; a crash leaves it behind."},
    [HEALTH_UPTIME] = {"uptime_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                       "Since the runner started, while one is active."},
    [HEALTH_AGENTS] = {"agents", OV_INT, OV_GAUGE, "", "Registered agents."},
    [HEALTH_TOPICS] = {"topics", OV_INT, OV_GAUGE, "", "Topics they are registered on."},
    [HEALTH_BUS_UP] = {"bus_up", OV_BOOL, OV_GAUGE, "", "Whether the bus is healthy."},
    [HEALTH_STORAGE_UP] = {"storage_up", OV_BOOL, OV_GAUGE, "", "Whether storage is healthy."},
};
static const struct ov_measurement health_measurement = {
    .name = "omnidaemon_health", .help = "OmniDaemon's overall status.",
    .fields = health_fields, .field_count = OV_COUNT(health_fields),
};

enum {
    AGENT_REGISTERED, AGENT_CONSUMER_COUNT, AGENT_RECLAIM_IDLE, AGENT_DLQ_RETRY_LIMIT,
    AGENT_STATE, AGENT_HEALTHY, AGENT_RESTARTS, AGENT_PROCESS_AGE, AGENT_CPU, AGENT_MEMORY,
    AGENT_HEARTBEAT, AGENT_REQUESTS, AGENT_RECEIVED, AGENT_PROCESSED, AGENT_FAILED, AGENT_WINDOW,
    AGENT_WINDOW_PROCESSED, AGENT_WINDOW_FAILED, AGENT_SUCCESS_RATIO, AGENT_AVERAGE, AGENT_P50,
    AGENT_P95, AGENT_P99, AGENT_MAX,
};
static const char *const agent_tags[] = {"topic", "agent"};
static const struct ov_field agent_fields[] = {
    [AGENT_REGISTERED] = {"registered", OV_BOOL, OV_GAUGE, "",
                          "Whether storage lists the agent; false for one that only past tasks "
                          "tell of."},
    [AGENT_CONSUMER_COUNT] = {"consumer_count", OV_INT, OV_GAUGE, "", "Consumers it asks for."},
    [AGENT_RECLAIM_IDLE] = {"reclaim_idle_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                            "How long a task may take before it is claimed again."},
    [AGENT_DLQ_RETRY_LIMIT] = {"dlq_retry_limit", OV_INT, OV_GAUGE, "",
                               "Retries before a task goes to the dead letter queue."},
    [AGENT_STATE] = {"state", OV_TEXT, OV_GAUGE, "",
                     "Its supervisor's word: idle, starting, running, stopping, stopped, crashed, "
                     "restarting."},
    [AGENT_HEALTHY] = {"healthy", OV_BOOL, OV_GAUGE, "", "Whether its supervisor calls it so."},
    [AGENT_RESTARTS] = {"restarts", OV_INT, OV_GAUGE, "",
                        "Restarts since its supervisor started."},
    [AGENT_PROCESS_AGE] = {"process_age_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                           "Since its process was last started."},
    [AGENT_CPU] = {"cpu_percent", OV_FLOAT, OV_GAUGE, "percent",
                   "Processor use as it reports at its heartbeat."},
    [AGENT_MEMORY] = {"memory_bytes", OV_FLOAT, OV_GAUGE, "bytes", "Memory, likewise."},
    [AGENT_HEARTBEAT] = {"heartbeat_age_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                         "Since its last heartbeat."},
    [AGENT_REQUESTS] = {"requests", OV_INT, OV_COUNTER, "", "Requests it served, as it reports."},
    [AGENT_RECEIVED] = {"received", OV_INT, OV_COUNTER, "",
                        "Deliveries to the agent: a task tried three times counts three."},
    [AGENT_PROCESSED] = {"processed", OV_INT, OV_COUNTER, "", "Deliveries that succeeded."},
    [AGENT_FAILED] = {"failed", OV_INT, OV_COUNTER, "", "Deliveries that failed."},
    [AGENT_WINDOW] = {"window_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                      "The option window: what follows is about that time, to a tenth of it."},
    [AGENT_WINDOW_PROCESSED] = {"window_processed", OV_INT, OV_GAUGE, "",
                                "Deliveries that succeeded in the window."},
    [AGENT_WINDOW_FAILED] = {"window_failed", OV_INT, OV_GAUGE, "",
                             "Deliveries that failed in the window."},
    [AGENT_SUCCESS_RATIO] = {"success_ratio", OV_FLOAT, OV_GAUGE, "ratio",
                             "Deliveries in the window that succeeded, of those that ended."},
    [AGENT_AVERAGE] = {"processing_avg_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                       "Average time of the tasks processed in the window."},
    [AGENT_P50] = {"processing_p50_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                   "Half of them took at most this, to 1 %."},
    [AGENT_P95] = {"processing_p95_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                   "95 of 100 took at most this."},
    [AGENT_P99] = {"processing_p99_seconds", OV_FLOAT, OV_GAUGE, "seconds",
                   "99 of 100 took at most this."},
    [AGENT_MAX] = {"processing_max_seconds", OV_FLOAT, OV_GAUGE, "seconds", "The longest."},
};
static const struct ov_measurement agent_measurement = {
    .name = "omnidaemon_agent", .help = "An agent on a topic, with its tasks.",
    .tags = agent_tags, .tag_count = OV_COUNT(agent_tags),
    .fields = agent_fields, .field_count = OV_COUNT(agent_fields),
};

static const char *const failures_tags[] = {"topic", "agent", "error_type"};
static const struct ov_field failures_fields[] = {
    {"failed", OV_INT, OV_COUNTER, "", "Deliveries that failed with this exception."},
};
static const struct ov_measurement failures_measurement = {
    .name = "omnidaemon_failures",
    .help = "Failed tasks by the exception's type; an agent's 50 first types, then `other`.",
    .tags = failures_tags, .tag_count = OV_COUNT(failures_tags),
    .fields = failures_fields, .field_count = OV_COUNT(failures_fields),
};

enum { METRICS_ENTRIES, METRICS_MISSED, METRICS_GAPS, METRICS_BEHIND, METRICS_LENGTH };
static const struct ov_field metrics_fields[] = {
    [METRICS_ENTRIES] = {"entries", OV_INT, OV_COUNTER, "", "Task events counted."},
    [METRICS_MISSED] = {"missed", OV_INT, OV_COUNTER, "",
                        "Task events that were dropped before they could be counted."},
    [METRICS_GAPS] = {"gaps", OV_INT, OV_COUNTER, "",
                      "Times that happened; where the number cannot be known, only this grows."},
    [METRICS_BEHIND] = {"behind", OV_BOOL, OV_GAUGE, "",
                        "Whether counting has not reached the newest event yet."},
    [METRICS_LENGTH] = {"length", OV_INT, OV_GAUGE, "", "Task events OmniDaemon holds."},
};
static const struct ov_measurement metrics_measurement = {
    .name = "omnidaemon_metrics",
    .help = "How OmniDaemon's task events are followed: what the counters rest on.",
    .fields = metrics_fields, .field_count = OV_COUNT(metrics_fields),
};

const struct ov_measurement *const runner_measurements[] = {
    &health_measurement, &agent_measurement, &failures_measurement, &metrics_measurement, NULL,
};

static void known_int(struct ov_sample *s, unsigned field, int64_t value)
{
    if (value >= 0)
        ov_sample_int(s, field, value);
}

/* Unix seconds as the age they have now; NaN where they are no time. */
static double age_of(const struct runner *runner, double at)
{
    if (!(at > 0 && at < 1e12))
        return (double)NAN;
    return omni_age(runner->facts.now_ms, (uint64_t)(at * 1000));
}

/* ---------------------------------------------------------------- health */

static enum sign sign_of(bool known, bool yes)
{
    return yes ? SIGN_YES : known ? SIGN_NO : SIGN_UNKNOWN;
}

struct runner_signs runner_signs(const struct runner *runner)
{
    const struct runner_facts *facts = &runner->facts;
    double event_age = omni_age(facts->now_ms, (uint64_t)runner->tasks.newest_ms);
    double update_age = age_of(runner, facts->newest_update);
    bool recent = event_age <= OMNI_RECLAIM_LOOP_MS / 1e3 ||
                  update_age <= 2.5 * OMNI_HEARTBEAT_MS / 1e3;
    return (struct runner_signs){
        .readable = facts->bus_up && facts->storage_up,
        .started = isfinite(facts->start_time),
        .agents = (int64_t)runner->registry.agents.count,
        .polling = runner_polling(runner),
        .busy = sign_of(!facts->pending_unknown, facts->any_busy && facts->others != 0),
        .recent = sign_of(true, recent),
    };
}

bool runner_is_wanted(const struct runner *runner)
{
    return ov_host_wants(runner->host, &health_measurement, HEALTH_RUNNER) ||
           ov_host_wants(runner->host, &health_measurement, HEALTH_STATUS) ||
           ov_host_wants(runner->host, &health_measurement, HEALTH_STATUS_CODE);
}

static void reason(const struct runner *runner, enum runner_state state, struct ov_buf *text)
{
    const struct runner_facts *facts = &runner->facts;
    if (!facts->bus_up || !facts->storage_up) {
        ov_buf_printf(text, "%s: %s", facts->bus_up ? "storage" : facts->storage_up ? "bus"
                      : "bus and storage", facts->why);
        return;
    }
    switch (state) {
    case RUNNER_ACTIVE:
        ov_buf_printf(text, "a runner is active, %zu agents on %zu topics",
                      runner->registry.agents.count, runner->registry.topics.count);
        break;
    case RUNNER_LOST:
        ov_buf_printf(text, "no runner: one was started and did not stop, but none of its %zu "
                      "agents gives a sign of life", runner->registry.agents.count);
        break;
    case RUNNER_STOPPED:
        ov_buf_printf(text, "no runner: stopped in an orderly way, %zu agents registered",
                      runner->registry.agents.count);
        break;
    case RUNNER_UNKNOWN:
        ov_buf_str(text, "a runner was started; whether it is active cannot be told");
        break;
    case RUNNER_NONE:
        ov_buf_str(text, "no runner: no agents are registered");
        break;
    }
}

static void health_sample(struct runner *runner, struct ov_batch *batch)
{
    const struct runner_facts *facts = &runner->facts;
    const struct runner_signs signs = runner_signs(runner);
    enum runner_state state = runner_judge(&signs);
    enum health health = health_judge(facts->bus_up, facts->storage_up, state);
    struct ov_sample *s = ov_batch_add(batch, &health_measurement);
    struct ov_buf text = {0};
    reason(runner, state, &text);
    ov_sample_text(batch, s, HEALTH_STATUS, ov_slice(health_word(health)));
    ov_sample_int(s, HEALTH_STATUS_CODE, health);
    ov_sample_text(batch, s, HEALTH_REASON, (struct ov_slice){text.data, text.len});
    if (runner_word(state))
        ov_sample_text(batch, s, HEALTH_RUNNER, ov_slice(runner_word(state)));
    if (facts->runner_id[0])
        ov_sample_text(batch, s, HEALTH_RUNNER_ID, ov_slice(facts->runner_id));
    if (state == RUNNER_ACTIVE)
        ov_sample_float(s, HEALTH_UPTIME, age_of(runner, facts->start_time));
    if (facts->storage_up && runner->registry.complete) {
        ov_sample_int(s, HEALTH_AGENTS, (int64_t)runner->registry.agents.count);
        ov_sample_int(s, HEALTH_TOPICS, (int64_t)runner->registry.topics.count);
    }
    ov_sample_bool(s, HEALTH_BUS_UP, facts->bus_up);
    ov_sample_bool(s, HEALTH_STORAGE_UP, facts->storage_up);
    ov_buf_free(&text);
}

/* ---------------------------------------------------------------- agents */

static void supervisor_fields(struct runner *runner, struct ov_slice agent, struct ov_sample *s,
                              struct ov_batch *batch)
{
    const struct supervisor *v = pairs_find(&runner->supervisors, agent, OV_SLICE(""));
    if (!v)
        return;
    if (v->state[0])
        ov_sample_text(batch, s, AGENT_STATE, ov_slice(v->state));
    if (v->healthy >= 0)
        ov_sample_bool(s, AGENT_HEALTHY, v->healthy);
    known_int(s, AGENT_RESTARTS, v->restarts);
    ov_sample_float(s, AGENT_PROCESS_AGE, age_of(runner, v->start_time));
    known_int(s, AGENT_REQUESTS, v->requests);
    ov_sample_float(s, AGENT_CPU, v->cpu_percent);
    ov_sample_float(s, AGENT_MEMORY, v->memory_mb * 1024 * 1024);
    ov_sample_float(s, AGENT_HEARTBEAT, age_of(runner, v->last_heartbeat));
}

/* Longer decimals would say more than a clock knows. */
static double to_microseconds(double seconds)
{
    return round(seconds * 1e6) / 1e6;
}

static void task_fields(struct runner *runner, const struct tasks_agent *tasks,
                        struct ov_sample *s)
{
    static const struct tasks_agent none;
    if (!runner->counted)
        return;
    if (!tasks)
        tasks = &none;
    ov_sample_int(s, AGENT_RECEIVED, (int64_t)tasks->received);
    ov_sample_int(s, AGENT_PROCESSED, (int64_t)tasks->processed);
    ov_sample_int(s, AGENT_FAILED, (int64_t)tasks->failed);
    if (!tasks->window)
        return;
    struct sketch_summary sum = sketch_summarise(tasks->window, runner->tasks.window_ms,
                                                 runner->facts.now_ms);
    ov_sample_float(s, AGENT_WINDOW, (double)runner->tasks.window_ms / 1e3);
    ov_sample_int(s, AGENT_WINDOW_PROCESSED, (int64_t)sum.processed);
    ov_sample_int(s, AGENT_WINDOW_FAILED, (int64_t)sum.failed);
    if (sum.processed + sum.failed)
        ov_sample_float(s, AGENT_SUCCESS_RATIO,
                        (double)sum.processed / (double)(sum.processed + sum.failed));
    ov_sample_float(s, AGENT_AVERAGE, to_microseconds(sum.average));
    ov_sample_float(s, AGENT_P50, to_microseconds(sum.p50));
    ov_sample_float(s, AGENT_P95, to_microseconds(sum.p95));
    ov_sample_float(s, AGENT_P99, to_microseconds(sum.p99));
    ov_sample_float(s, AGENT_MAX, to_microseconds(sum.max));
}

static void agent_sample(struct runner *runner, struct ov_slice topic, struct ov_slice name,
                         const struct registry_agent *agent, struct ov_batch *batch)
{
    struct ov_sample *s = ov_batch_add(batch, &agent_measurement);
    ov_sample_tag(batch, s, 0, topic);
    ov_sample_tag(batch, s, 1, name);
    ov_sample_bool(s, AGENT_REGISTERED, agent != NULL);
    if (agent && agent->detailed) {
        ov_sample_int(s, AGENT_CONSUMER_COUNT, agent->consumer_count);
        ov_sample_float(s, AGENT_RECLAIM_IDLE, (double)agent->reclaim_idle_ms / 1e3);
        ov_sample_int(s, AGENT_DLQ_RETRY_LIMIT, agent->dlq_retry_limit);
    }
    if (agent)
        supervisor_fields(runner, name, s, batch);
    task_fields(runner, tasks_find(&runner->tasks, topic, name), s);
}

static void agent_samples(struct runner *runner, struct ov_batch *batch)
{
    for (size_t i = 0; i < runner->registry.agents.count; i++) {
        const struct registry_agent *agent =
            (const struct registry_agent *)runner->registry.agents.entries[i];
        agent_sample(runner, agent->name.a, agent->name.b, agent, batch);
    }
    for (size_t i = 0; runner->counted && i < runner->tasks.agents.count; i++) {
        const struct pair *past = runner->tasks.agents.entries[i];
        if (!registry_find(&runner->registry, past->a, past->b))
            agent_sample(runner, past->a, past->b, NULL, batch);
    }
}

static void failures_samples(struct runner *runner, struct ov_batch *batch)
{
    for (size_t i = 0; runner->counted && i < runner->tasks.failures.count; i++) {
        const struct tasks_failures *f =
            (const struct tasks_failures *)runner->tasks.failures.entries[i];
        struct ov_slice agent, error_type;
        struct ov_sample *s = ov_batch_add(batch, &failures_measurement);
        tasks_failures_name(f, &agent, &error_type);
        ov_sample_tag(batch, s, 0, f->name.a);
        ov_sample_tag(batch, s, 1, agent);
        ov_sample_tag(batch, s, 2, error_type);
        ov_sample_int(s, 0, (int64_t)f->failed);
    }
}

static void metrics_sample(struct runner *runner, struct ov_batch *batch)
{
    if (!runner->counted)
        return;
    struct ov_sample *s = ov_batch_add(batch, &metrics_measurement);
    if (runner->omni.backend == OMNI_REDIS) {
        ov_sample_int(s, METRICS_ENTRIES, (int64_t)runner->follow.entries);
        ov_sample_int(s, METRICS_MISSED, (int64_t)runner->follow.missed);
        ov_sample_int(s, METRICS_GAPS, (int64_t)runner->follow.gaps);
        ov_sample_bool(s, METRICS_BEHIND, runner->follow.behind);
        known_int(s, METRICS_LENGTH, runner->follow.length);
    } else {
        ov_sample_int(s, METRICS_ENTRIES, (int64_t)runner->follow_file.entries);
        ov_sample_int(s, METRICS_GAPS, (int64_t)runner->follow_file.gaps);
        known_int(s, METRICS_LENGTH, runner->follow_file.length);
    }
}

/* ---------------------------------------------------------------- what could not be read */

#define FIELD(i) (UINT64_C(1) << (i))
#define SUPERVISOR_FIELDS (FIELD(AGENT_STATE) | FIELD(AGENT_HEALTHY) | FIELD(AGENT_RESTARTS) |     \
                           FIELD(AGENT_PROCESS_AGE) | FIELD(AGENT_CPU) | FIELD(AGENT_MEMORY) |     \
                           FIELD(AGENT_HEARTBEAT) | FIELD(AGENT_REQUESTS))
#define TASK_FIELDS (FIELD(AGENT_RECEIVED) | FIELD(AGENT_PROCESSED) | FIELD(AGENT_FAILED) |        \
                     FIELD(AGENT_WINDOW) | FIELD(AGENT_WINDOW_PROCESSED) |                         \
                     FIELD(AGENT_WINDOW_FAILED) |                                                  \
                     FIELD(AGENT_SUCCESS_RATIO) | FIELD(AGENT_AVERAGE) | FIELD(AGENT_P50) |        \
                     FIELD(AGENT_P95) | FIELD(AGENT_P99) | FIELD(AGENT_MAX))
/* What tells whether a runner is active. */
#define SIGNS (REFUSED(REFUSABLE_CLIENT_LIST) | REFUSED(REFUSABLE_INFO) |                          \
               REFUSED(REFUSABLE_OBJECT) | REFUSED(REFUSABLE_XPENDING))

static void tasks_unread(struct runner *runner, struct ov_slice why, struct ov_batch *batch)
{
    ov_batch_unread(batch, &failures_measurement, 0, NULL, why);
    ov_batch_unread(batch, &metrics_measurement, 0, NULL, why);
    ov_batch_unread(batch, &agent_measurement, runner->facts.storage_up ? TASK_FIELDS : 0, NULL,
                    why);
}

static void unread(struct runner *runner, struct ov_batch *batch)
{
    const struct runner_facts *facts = &runner->facts;
    struct ov_slice supervisors = {runner->supervisors_why.data, runner->supervisors_why.len};
    if (!facts->storage_up) {
        ov_batch_unread(batch, &health_measurement, FIELD(HEALTH_RUNNER) | FIELD(HEALTH_AGENTS) |
                        FIELD(HEALTH_TOPICS), NULL, ov_slice(facts->why));
        tasks_unread(runner, ov_slice(facts->why), batch);
        return;
    }
    refusals_unread(&runner->refusals, SIGNS, batch, &health_measurement, FIELD(HEALTH_RUNNER),
                    NULL);
    if (!runner->registry.complete) {
        const struct ov_slice why = OV_SLICE("agents.json, which tells what agents there are, "
                                             "cannot be read");
        ov_batch_unread(batch, &agent_measurement, 0, NULL, why);
        ov_batch_unread(batch, &health_measurement, FIELD(HEALTH_AGENTS) | FIELD(HEALTH_TOPICS),
                        NULL, why);
    }
    if (supervisors.len)
        ov_batch_unread(batch, &agent_measurement, SUPERVISOR_FIELDS, NULL, supervisors);
    if (!runner->counted && runner->uncounted_why.len)
        tasks_unread(runner, (struct ov_slice){runner->uncounted_why.data,
                                               runner->uncounted_why.len}, batch);
}

void runner_samples(struct runner *runner, struct ov_batch *batch)
{
    health_sample(runner, batch);
    unread(runner, batch);
    if (!runner->facts.storage_up)
        return;
    agent_samples(runner, batch);
    failures_samples(runner, batch);
    metrics_sample(runner, batch);
}
