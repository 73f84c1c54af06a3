/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input `runner`: OmniDaemon's overall status, its agents with their configuration and
 * supervisors, and what became of their tasks. It only ever reads.
 */
#include <stdlib.h>

#include "cmd_diagnose.h"
#include "runner_call.h"
#include "savefile.h"

static const struct ov_option options[] = {
    OMNI_OPTION_ROWS(struct runner, omni),
    {.name = "window", .type = OV_OPT_DURATION, .offset = offsetof(struct runner, window_ms),
     .fallback = "5m", .min = 10000, .max = 7 * 86400000LL,
     .help = "the time that success ratio and processing times are taken over"},
    {.name = NULL},
};

static const struct ov_rule rules[] = {
    {.name = "health", .value = "omnidaemon_health.status_code", .warning = "1", .critical = "2",
     .hold = "10s", .summary = "OmniDaemon is {status}: {reason}",
     .description = "The bus or storage cannot be used: `omnivigil diagnose` tells which, why, and "
                    "what to do."},
    {.name = "runner", .value = "omnidaemon_health.agents", .where = "runner=lost",
     .severity = "critical", .hold = "10s", .summary = "{reason}",
     .description = "The runner crashed or was killed, and left its start time behind: start it "
                    "again. `omnivigil health` shows by what signs it is missed."},
    {.name = "crashed", .value = "omnidaemon_agent.restarts", .where = "state=crashed",
     .severity = "critical", .hold = "10s",
     .summary = "the process of agent {agent} crashed, after {value} restarts",
     .description = "Its supervisor gave up; only the next task makes it start the process again. "
                    "`omnivigil agent get TOPIC NAME` shows its state; the runner's log has the "
                    "reason."},
    {.name = "restarting", .value = "omnidaemon_agent.process_age_seconds",
     .where = "restarts=[!0]*", .warning = "@0:600",
     .summary = "the process of agent {agent} was restarted, {restarts} times by now",
     .description = "It ended by itself, or was killed, in the last ten minutes. `omnivigil agent "
                    "get TOPIC NAME` shows its state; the runner's log has the reason."},
    {.name = "success", .value = "omnidaemon_agent.success_ratio", .warning = "0.95:",
     .critical = "0.8:", .hold = "1m",
     .summary = "{value} of the deliveries to agent {agent} on {topic} succeeded in the last "
                "{window_seconds} ({window_processed} did, {window_failed} failed)",
     .description = "A task that is tried three times counts three. `omnivigil metrics` shows the "
                    "exceptions, `omnivigil bus dlq TOPIC --group` those of tasks that were given "
                    "up, and what helps. It ends when the window holds enough successes again."},
    {.name = "slow", .value = "omnidaemon_agent.processing_p95_seconds", .warning = "10",
     .hold = "1m", .summary = "agent {agent} on {topic} needs {value} for a task (p95)",
     .description = "95 of 100 tasks in the window took at most that. `omnivigil metrics` shows "
                    "all agents' times. Where they wait for a model or a service, more consumers "
                    "(consumer_count) or runners help."},
    {.name = "metrics-gap", .value = "increase(omnidaemon_metrics.gaps, 10m)", .warning = "0",
     .summary = "task events were dropped before they were counted, {value} times in ten minutes",
     .description = "The counters of agents (received, processed, failed) are too low since: "
                    "gather more often (the option interval of the input)."},
    {.name = NULL},
};

static void check(void *state, struct ov_check *check)
{
    struct runner *runner = state;
    redis_options_check(&runner->omni.redis, check);
}

static int open_runner(void *state, struct ov_host *host)
{
    struct runner *runner = state;
    runner->host = host;
    runner->redis = redis_new(&runner->omni.redis, host);
    runner->reader = event_reader_new();
    runner->registry.options = &runner->omni;
    runner->refusals.host = host;
    runner->registry.refusals = &runner->refusals;
    runner->registry.details = true;
    runner->tasks.window_ms = runner->window_ms;
    runner->follow_file.length = -1;
    return OV_OK;
}

static void close_runner(void *state)
{
    struct runner *runner = state;
    redis_free(runner->redis);
    event_reader_free(runner->reader);
    registry_free(&runner->registry);
    refusals_free(&runner->refusals);
    pairs_free(&runner->supervisors, NULL);
    tasks_free(&runner->tasks);
    ov_buf_free(&runner->supervisors_why);
    ov_buf_free(&runner->uncounted_why);
    ov_buf_free(&runner->key);
}

static void on_entry(void *context, struct redis_id id, struct ov_slice data)
{
    struct runner *runner = context;
    struct event event;
    if (event_read(runner->reader, data, &event))
        tasks_count(&runner->tasks, &event, (int64_t)id.ms);
}

static void on_file_event(void *context, const struct event *event, int64_t at_ms)
{
    struct runner *runner = context;
    tasks_count(&runner->tasks, event, at_ms);
}

static int follow_stream(struct runner *runner)
{
    const struct ov_slice none = {NULL, 0};
    struct ov_buf key = {0};
    enum redis_fault refused = REDIS_FINE;
    struct follow_pass pass;
    follow_begin(&pass, &runner->follow, runner->redis, runner->host,
                 omni_storage_key(&key, runner->omni.prefix, "metrics:stream", none, none),
                 on_entry, runner);
    int result = follow_end(&pass, redis_run(runner->redis), &refused);
    runner->counted = result == OV_OK;
    if (result == OV_OK || refused != REDIS_FINE) {
        refusals_follow(&runner->refusals, (struct ov_slice){key.data, key.len}, refused);
        ov_buf_str(&runner->uncounted_why,
                   refused ? ov_buf_text(&runner->refusals.why[REFUSABLE_XREAD]) : "");
        result = OV_OK;
    }
    ov_buf_free(&key);
    return result;
}

static void follow_json(struct runner *runner)
{
    struct ov_buf *why = &runner->uncounted_why;
    runner->counted = follow_file_run(&runner->follow_file, runner->omni.json_dir, on_file_event,
                                      runner, why) == OV_OK;
    if (runner->counted)
        ov_recovered(runner->host, "metrics.json");
    else
        ov_problem(runner->host, "metrics.json", "cannot count tasks, and OmniDaemon is about to "
                   "overwrite this file: %s", ov_buf_text(why));
}

static int gather(void *state, struct ov_batch *batch)
{
    struct runner *runner = state;
    int result = runner_read(runner);
    if (result != OV_OK)
        return result;
    runner->counted = false;
    ov_buf_reset(&runner->uncounted_why);
    if (runner->omni.backend == OMNI_JSON)
        follow_json(runner);
    else if (runner->facts.storage_up)
        result = follow_stream(runner);
    if (result == OV_STOPPED)
        return result;
    runner_samples(runner, batch);
    refusals_settle(&runner->refusals);
    if (result == OV_FAILED) /* the connection broke; ov_fail has said how */
        return result;
    return runner->facts.bus_up ? OV_OK : ov_fail(runner->host, "%s", redis_why(runner->redis));
}

static void save(void *state, struct ov_buf *out)
{
    const struct runner *runner = state;
    save_tag(out, runner->omni.backend == OMNI_REDIS ? "F " : "J ");
    if (runner->omni.backend == OMNI_REDIS)
        follow_write(&runner->follow, out);
    else
        follow_file_write(&runner->follow_file, out);
    save_end(out);
    tasks_save(&runner->tasks, out);
}

/* State of the other storage backend counts other events: it is not taken. */
static int load(void *state, struct ov_slice saved)
{
    struct runner *runner = state;
    struct ov_slice line, rest, tag;
    bool damaged = false, found = false;
    while (saved_line(&saved, &line) && !damaged) {
        rest = line;
        if (!saved_word(&rest, &tag))
            continue;
        if (ov_slice_eq(tag, OV_SLICE("F")) && runner->omni.backend == OMNI_REDIS)
            found = follow_read(&runner->follow, rest);
        else if (ov_slice_eq(tag, OV_SLICE("J")) && runner->omni.backend == OMNI_JSON)
            found = follow_file_read(&runner->follow_file, rest);
        else if (found)
            tasks_load_line(&runner->tasks, line, &damaged);
    }
    if (found && !damaged)
        return OV_OK;
    tasks_free(&runner->tasks);
    runner->tasks = (struct tasks){.window_ms = runner->window_ms};
    runner->follow = (struct follow){0};
    runner->follow_file = (struct follow_file){.length = -1};
    return ov_fail(runner->host, damaged ? "a line of it is damaged"
                                         : "it belongs to another storage backend");
}

static const struct ov_command *const commands[] = {
    &runner_command_health, &runner_command_agents, &runner_command_agent,
    &runner_command_metrics, &runner_command_top, &cmd_diagnose, NULL,
};

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "runner",
    .summary = "OmniDaemon's status, agents, supervisors and tasks",
    .kind = OV_INPUT,
    .state_size = sizeof(struct runner),
    .options = options,
    .measurements = runner_measurements,
    .rules = rules,
    .commands = commands,
    .check = check,
    .open = open_runner,
    .close = close_runner,
    .gather = gather,
    .save = save,
    .load = load,
};
