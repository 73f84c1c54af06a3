/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's life. A `crew` is everything that follows from one reading of the configuration:
 * settings, inputs and outputs. A reload builds a new crew beside the old one; only when all of
 * it stands is the old one stopped, and each new instance goes on where the one of the same name
 * and plugin ended (state, figures, queue). Whatever is wrong with the new configuration, the old
 * crew has not been touched.
 *
 * Threads: all here runs in the main thread, except `deliver`, which inputs call; `router` guards
 * the crew it uses, `saving` the file of the alerts' state.
 */
#include <errno.h>
#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent.h"
#include "alerts.h"
#include "held.h"
#include "batch.h"
#include "input.h"
#include "log.h"
#include "output.h"
#include "queue_dir.h"
#include "schedule.h"
#include "self.h"
#include "settings.h"
#include "systemd.h"

/* The agent's own measurements are as from an input of this name. */
#define SELF OV_SELF_INPUT

struct crew {
    struct ov_settings *settings;
    struct ov_input_world world;
    struct ov_input **inputs;
    struct ov_output **outputs;
    size_t input_count, output_count;
    struct ov_alerts *alerts;
    bool hung; /* a thread of it never ended: its memory must stay */
};

struct agent {
    const char *config, *plugin_dir;
    struct ov_plugins *plugins;
    struct ov_state *state;
    char *queue_base; /* below it samples wait on disk; NULL: nowhere */
    struct ov_self self;
    struct ov_schedule schedule; /* of the agent's own measurements */
    pthread_rwlock_t router;     /* covers which crew is at work */
    pthread_mutex_t saving;
    int64_t saved_ms;            /* when the alerts were; covered by `saving` */
    struct crew *crew;
};

static sigset_t served_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    return set;
}

void ov_agent_block_signals(void)
{
    sigset_t set = served_signals();
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a limit on files is a write that fails */
}

static void push(struct crew *crew, const struct ov_batch *batch)
{
    for (size_t i = 0; i < crew->output_count && ov_batch_count(batch); i++)
        ov_output_push(crew->outputs[i], batch);
}

static void save_alerts(struct agent *agent, struct crew *crew)
{
    struct ov_buf text = {0}, why = {0};
    if (!agent->state)
        return;
    pthread_mutex_lock(&agent->saving);
    ov_held_write(crew->settings, &text);
    ov_alerts_save(crew->alerts, ov_clock_ms(), ov_wall_ns(), &text);
    agent->saved_ms = ov_clock_ms();
    if (ov_state_write(agent->state, OV_HELD_STATE, OV_HELD_KIND,
                       (struct ov_slice){text.data, text.len}, &why) != OV_OK)
        ov_log_line(OV_ERROR, NULL, "%s", ov_buf_text(&why));
    pthread_mutex_unlock(&agent->saving);
    ov_buf_free(&text);
    ov_buf_free(&why);
}

/* How counters grow is saved when nothing else happens, too. */
static void save_alerts_now_and_then(struct agent *agent)
{
    pthread_mutex_lock(&agent->saving);
    int64_t saved_ms = agent->saved_ms;
    pthread_mutex_unlock(&agent->saving);
    if (ov_clock_ms() - saved_ms >= agent->crew->settings->state_interval_ms)
        save_alerts(agent, agent->crew);
}

/* What is to be told is saved before it is handed on, and that it was, after: a kill in between
 * tells it once more, under the same id. */
static void raise_alerts(struct agent *agent, struct crew *crew, const char *input,
                         const struct ov_batch *batch)
{
    struct ov_map tags = {0};
    tags.items = (struct ov_tag *)ov_batch_tags(batch, &tags.count);
    struct ov_batch *told = ov_batch_new(&tags, ov_wall_ns());
    if (ov_alerts_feed(crew->alerts, input, batch, ov_clock_ms(), ov_wall_ns(), told)) {
        save_alerts(agent, crew);
        push(crew, told);
        ov_alerts_told(crew->alerts, told);
        save_alerts(agent, crew);
    }
    ov_batch_free(told);
}

static void deliver(void *context, const char *input, const struct ov_batch *batch)
{
    struct agent *agent = context;
    pthread_rwlock_rdlock(&agent->router);
    if (agent->crew) {
        push(agent->crew, batch);
        raise_alerts(agent, agent->crew, input, batch);
    }
    pthread_rwlock_unlock(&agent->router);
}

/* ---------------------------------------------------------------- a crew */

static void crew_free(struct crew *crew)
{
    if (!crew)
        return;
    for (size_t i = 0; i < crew->input_count; i++)
        ov_input_free(crew->inputs[i]);
    for (size_t i = 0; i < crew->output_count; i++)
        ov_output_free(crew->outputs[i]);
    if (crew->hung) /* what it may still use stays */
        return;
    free(crew->inputs);
    free(crew->outputs);
    ov_alerts_free(crew->alerts);
    ov_settings_free(crew->settings);
    free(crew);
}

static void log_lines(enum ov_level level, struct ov_buf *text)
{
    ov_buf_text(text);
    for (char *line = text->len ? text->data : NULL, *next; line; line = next) {
        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (*line)
            ov_log_line(level, NULL, "%s", line);
    }
}

static bool has_input(const void *context, struct ov_slice name)
{
    const struct ov_settings *settings = context;
    for (size_t i = 0; i < settings->input_count; i++)
        if (ov_slice_eq(ov_slice(settings->inputs[i].name), name))
            return true;
    return ov_slice_eq(OV_SLICE(SELF), name);
}

static bool crew_open(struct agent *agent, struct crew *crew, struct ov_buf *why)
{
    struct ov_settings *settings = crew->settings;
    crew->world = (struct ov_input_world){
        .settings = settings, .plugin_dir = ov_plugins_dir(agent->plugins),
        .state = agent->state, .deliver = deliver, .context = agent,
    };
    crew->alerts = ov_alerts_new(&(struct ov_alerts_setup){
        .rules = settings->rules, .rule_count = settings->rule_count,
        .silences = settings->silences, .silence_count = settings->silence_count,
        .has_input = has_input, .context = settings,
    });
    crew->inputs = ov_calloc(settings->input_count, sizeof *crew->inputs);
    crew->outputs = ov_calloc(settings->output_count, sizeof *crew->outputs);
    for (size_t i = 0; i < settings->output_count; i++) {
        struct ov_output *output = ov_output_new(&settings->outputs[i], crew->world.plugin_dir,
                                                 why);
        if (!output)
            return false;
        crew->outputs[crew->output_count++] = output;
    }
    for (size_t i = 0; i < settings->input_count; i++) {
        struct ov_input *input = ov_input_new(&crew->world, &settings->inputs[i], why);
        if (!input)
            return false;
        crew->inputs[crew->input_count++] = input;
    }
    return true;
}

/* Opens what waits on disk for the outputs. False, reported, when another agent has it. */
static bool crew_open_queues(const struct agent *agent, struct crew *crew)
{
    struct ov_buf why = {0};
    bool good = true;
    for (size_t i = 0; i < crew->output_count; i++) {
        if (ov_output_open_queue(crew->outputs[i], agent->queue_base, &why) == OV_OK)
            continue;
        ov_log_line(OV_ERROR, ov_output_name(crew->outputs[i]), "%s", ov_buf_text(&why));
        ov_buf_reset(&why);
        good = false;
    }
    ov_buf_free(&why);
    return good;
}

static bool is_output(const void *context, const char *name)
{
    const struct crew *crew = context;
    for (size_t i = 0; i < crew->output_count; i++)
        if (strcmp(ov_output_name(crew->outputs[i]), name) == 0)
            return true;
    return false;
}

static void log_leftovers(const struct agent *agent, const struct crew *crew)
{
    struct ov_buf text = {0};
    if (agent->queue_base)
        ov_queue_dir_leftovers(agent->queue_base, is_output, crew, &text);
    if (text.len)
        log_lines(OV_WARN, &text);
    ov_buf_free(&text);
}

/* Reads the configuration; everything found wrong is on the log. NULL on errors. */
static struct crew *crew_read(struct agent *agent)
{
    struct ov_buf errors = {0};
    size_t error_count = 0;
    struct ov_settings *settings = ov_settings_read(agent->config, agent->plugin_dir,
                                                    &agent->plugins, &errors, &error_count);
    if (errors.len)
        log_lines(settings ? OV_WARN : OV_ERROR, &errors);
    ov_buf_free(&errors);
    if (!settings)
        return NULL;
    struct crew *crew = ov_calloc(1, sizeof *crew);
    crew->settings = settings;
    return crew;
}

static void crew_start(struct crew *crew)
{
    for (size_t i = 0; i < crew->output_count; i++)
        if (ov_output_start(crew->outputs[i]) != OV_OK)
            ov_log_line(OV_ERROR, ov_output_name(crew->outputs[i]), "cannot start a thread: %s",
                        strerror(errno));
    for (size_t i = 0; i < crew->input_count; i++)
        if (ov_input_start(crew->inputs[i]) != OV_OK)
            ov_log_line(OV_ERROR, ov_input_name(crew->inputs[i]), "cannot start a thread: %s",
                        strerror(errno));
}

/* One that hangs is taken out of the crew, whose memory then has to stay for its sake. */
static void leave_behind(struct crew *crew, const char *name)
{
    crew->hung = true;
    ov_log_line(OV_ERROR, name, "does not end within the grace time and is left behind");
}

static void crew_stop_inputs(struct crew *crew, int64_t deadline_ms)
{
    size_t ended = 0;
    for (size_t i = 0; i < crew->input_count; i++)
        ov_input_stop(crew->inputs[i]);
    for (size_t i = 0; i < crew->input_count; i++) {
        if (ov_input_join(crew->inputs[i], deadline_ms))
            crew->inputs[ended++] = crew->inputs[i];
        else
            leave_behind(crew, ov_input_name(crew->inputs[i]));
    }
    crew->input_count = ended;
}

/* Ends a queue that nobody takes over: what is not on disk is lost; say so. */
static void shut_queue(struct ov_output *output)
{
    ov_output_spool(output);
    struct ov_queue_counts counts = ov_output_stats(output).queue;
    uint64_t lost = counts.buffered - counts.buffered_disk;
    if (counts.buffered_disk)
        ov_log_line(OV_INFO, ov_output_name(output), "%ju samples wait on disk for the next start",
                    (uintmax_t)counts.buffered_disk);
    if (lost)
        ov_log_line(OV_WARN, ov_output_name(output),
                    "%ju samples could not be delivered and are dropped", (uintmax_t)lost);
    ov_output_shut_queue(output);
}

static void crew_stop_outputs(struct crew *crew, int64_t deadline_ms)
{
    size_t ended = 0;
    for (size_t i = 0; i < crew->output_count; i++)
        ov_output_finish(crew->outputs[i], deadline_ms);
    for (size_t i = 0; i < crew->output_count; i++) {
        if (ov_output_join(crew->outputs[i], deadline_ms)) {
            crew->outputs[ended++] = crew->outputs[i];
            continue;
        }
        shut_queue(crew->outputs[i]);
        leave_behind(crew, ov_output_name(crew->outputs[i]));
    }
    crew->output_count = ended;
}

/* The agent's own samples, with how its alerts are. */
static void gather_self(struct agent *agent)
{
    struct crew *crew = agent->crew;
    struct ov_batch *batch = ov_batch_new(&crew->settings->tags, ov_wall_ns());
    agent->schedule.last_ms = ov_clock_ms();
    agent->self.plugins_missing = crew->settings->missing_count;
    ov_self_gather(&agent->self, crew->inputs, crew->input_count, crew->outputs,
                   crew->output_count, batch);
    ov_alerts_list(crew->alerts, ov_wall_ns(), batch);
    deliver(agent, SELF, batch);
    save_alerts_now_and_then(agent);
    ov_batch_free(batch);
}

/* ---------------------------------------------------------------- reload */

static void succeed_inputs(struct crew *new, struct crew *old)
{
    for (size_t i = 0; i < new->input_count; i++) {
        struct ov_input *before = NULL;
        for (size_t j = 0; j < old->input_count && !before; j++)
            if (strcmp(ov_input_name(old->inputs[j]), ov_input_name(new->inputs[i])) == 0 &&
                strcmp(ov_input_plugin(old->inputs[j]), ov_input_plugin(new->inputs[i])) == 0)
                before = old->inputs[j];
        if (before)
            ov_input_succeed(new->inputs[i], before);
        else
            ov_input_restore(new->inputs[i]);
    }
}

static void succeed_outputs(struct crew *new, struct crew *old)
{
    for (size_t i = 0; i < new->output_count; i++)
        for (size_t j = 0; j < old->output_count; j++)
            if (strcmp(ov_output_name(old->outputs[j]), ov_output_name(new->outputs[i])) == 0 &&
                strcmp(ov_output_plugin(old->outputs[j]), ov_output_plugin(new->outputs[i])) == 0)
                ov_output_succeed(new->outputs[i], old->outputs[j]);
}

static void succeed_alerts(struct crew *new, struct crew *old)
{
    struct ov_buf text = {0};
    int64_t now = ov_clock_ms(), wall = ov_wall_ns();
    ov_alerts_save(old->alerts, now, wall, &text);
    if (text.len &&
        !ov_alerts_load(new->alerts, (struct ov_slice){text.data, text.len}, now, wall))
        ov_log_line(OV_WARN, NULL, "some alerts under way could not be taken over");
    ov_buf_free(&text);
}

static void restore_alerts(struct agent *agent, struct crew *crew)
{
    struct ov_buf text = {0}, why = {0};
    if (!agent->state)
        return;
    if (ov_state_read(agent->state, OV_HELD_STATE, OV_HELD_KIND, &text, &why) != OV_OK ||
        (text.len && !ov_alerts_load(crew->alerts, (struct ov_slice){text.data, text.len},
                                     ov_clock_ms(), ov_wall_ns())))
        ov_log_line(OV_WARN, NULL, "alerts under way before the start are not all known: %s",
                    why.len ? ov_buf_text(&why) : "their saved state is damaged");
    ov_buf_free(&text);
    ov_buf_free(&why);
}

/* Ends the queues nobody took over. */
static void crew_shut_queues(struct crew *crew)
{
    for (size_t i = 0; i < crew->output_count; i++)
        shut_queue(crew->outputs[i]);
}

static void apply_log(const struct ov_settings *settings)
{
    ov_log_setup((enum ov_level)settings->log_level, settings->log_format == OV_LOG_JSON);
}

static void replace_crew(struct agent *agent, struct crew *new)
{
    struct crew *old = agent->crew;
    crew_stop_inputs(old, ov_clock_ms() + old->settings->grace_ms);
    pthread_rwlock_wrlock(&agent->router);
    crew_stop_outputs(old, ov_clock_ms());
    succeed_inputs(new, old);
    succeed_outputs(new, old);
    succeed_alerts(new, old);
    crew_shut_queues(old);
    crew_open_queues(agent, new);
    agent->crew = new;
    pthread_rwlock_unlock(&agent->router);
    apply_log(new->settings);
    agent->schedule.interval_ms = new->settings->interval_ms;
    gather_self(agent);
    crew_start(new);
    crew_free(old);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static void reload(struct agent *agent)
{
    struct ov_buf why = {0};
    ov_systemd_reloading();
    struct crew *new = crew_read(agent);
    if (new && !crew_open(agent, new, &why)) {
        ov_log_line(OV_ERROR, NULL, "%s", ov_buf_text(&why));
        crew_free(new);
        new = NULL;
    }
    agent->self.config_valid = new != NULL;
    if (new) {
        if (!same_text(new->settings->state_dir, agent->crew->settings->state_dir))
            ov_log_line(OV_WARN, NULL, "state_dir changes at the next start, not at a reload");
        if (!same_text(new->settings->queue_dir, agent->crew->settings->queue_dir))
            ov_log_line(OV_WARN, NULL, "queue_dir changes at the next start, not at a reload");
        replace_crew(agent, new);
        agent->self.reloads++;
        ov_log_line(OV_INFO, NULL, "configuration reloaded");
    } else {
        agent->self.reload_failures++;
        ov_log_line(OV_ERROR, NULL, "reload refused: the configuration before stays in force");
    }
    ov_buf_free(&why);
    ov_systemd_notify("READY=1");
}

/* ---------------------------------------------------------------- the main loop */

/* Serves signals and the agent's own measurements until SIGTERM, SIGINT or `end_ms`. */
static void serve(struct agent *agent, int64_t end_ms)
{
    sigset_t set = served_signals();
    int64_t tick = ov_schedule_next(&agent->schedule, ov_clock_ms(), ov_wall_ns(), 0);
    for (;;) {
        int64_t now = ov_clock_ms();
        if (now >= end_ms)
            return;
        if (now >= tick) {
            gather_self(agent);
            tick = ov_schedule_next(&agent->schedule, ov_clock_ms(), ov_wall_ns(), 0);
            continue;
        }
        int64_t wait = (tick < end_ms ? tick : end_ms) - now;
        if (wait > 60000)
            wait = 60000;
        struct timespec timeout = {wait / 1000, wait % 1000 * 1000000};
        int signal = sigtimedwait(&set, NULL, &timeout);
        if (signal == SIGTERM || signal == SIGINT)
            return;
        if (signal == SIGHUP) {
            reload(agent);
            tick = ov_schedule_next(&agent->schedule, ov_clock_ms(), ov_wall_ns(), 0);
        }
    }
}

static bool open_state(struct agent *agent, const struct ov_settings *settings)
{
    struct ov_buf why = {0};
    bool taken = false;
    char *dir = settings->state_dir && *settings->state_dir ? ov_strdup(settings->state_dir)
                                                            : ov_state_default_dir();
    agent->state = ov_state_open(dir, false, &taken, &why);
    if (!agent->state)
        ov_log_line(taken ? OV_ERROR : OV_WARN, NULL, "%s%s", ov_buf_text(&why),
                    taken ? "" : "; counters begin anew at each start");
    if (settings->queue_dir && *settings->queue_dir)
        agent->queue_base = ov_strdup(settings->queue_dir);
    else if (agent->state)
        agent->queue_base = ov_strdup(dir);
    free(dir);
    ov_buf_free(&why);
    return agent->state || !taken;
}

static bool start(struct agent *agent)
{
    struct ov_buf why = {0};
    struct crew *crew = crew_read(agent);
    if (!crew)
        return false;
    apply_log(crew->settings);
    bool good = open_state(agent, crew->settings) && crew_open(agent, crew, &why) &&
                crew_open_queues(agent, crew);
    if (why.len)
        ov_log_line(OV_ERROR, NULL, "%s", ov_buf_text(&why));
    ov_buf_free(&why);
    if (!good) {
        crew_free(crew);
        return false;
    }
    for (size_t i = 0; i < crew->input_count; i++)
        ov_input_restore(crew->inputs[i]);
    restore_alerts(agent, crew);
    agent->crew = crew;
    agent->self = (struct ov_self){.started_ms = ov_clock_ms(), .config_valid = true};
    agent->schedule = (struct ov_schedule){.interval_ms = crew->settings->interval_ms,
                                           .last_ms = INT64_MIN};
    log_leftovers(agent, crew);
    gather_self(agent); /* outputs know how alerts are before they learn what happens to them */
    crew_start(crew);
    return true;
}

static void stop(struct agent *agent)
{
    struct crew *crew = agent->crew;
    int64_t now = ov_clock_ms(), grace = crew->settings->grace_ms;
    ov_systemd_notify("STOPPING=1");
    crew_stop_inputs(crew, now + grace / 2); /* the rest is for delivering what they gathered */
    gather_self(agent);
    save_alerts(agent, crew);
    for (size_t i = 0; i < crew->output_count; i++) /* now, whatever the receivers do then */
        ov_output_spool(crew->outputs[i]);
    crew_stop_outputs(crew, now + grace);
    crew_shut_queues(crew);
    ov_log_line(OV_INFO, NULL, "stopped");
}

int ov_agent_run(const char *config, const char *plugin_dir, double seconds)
{
    struct agent agent = {.config = config, .plugin_dir = plugin_dir};
    int64_t end = seconds > 0 ? ov_clock_ms() + (int64_t)(seconds * 1000) : INT64_MAX;
    /* Batches come and go every few seconds: give their memory back, and share one arena. */
    mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    mallopt(M_TRIM_THRESHOLD, 256 * 1024);
    mallopt(M_ARENA_MAX, 1);
    pthread_rwlock_init(&agent.router, NULL);
    pthread_mutex_init(&agent.saving, NULL);
    bool started = start(&agent);
    if (started) {
        ov_log_line(OV_INFO, NULL, "started: %zu input%s, %zu output%s, configuration %s",
                    agent.crew->input_count, agent.crew->input_count == 1 ? "" : "s",
                    agent.crew->output_count, agent.crew->output_count == 1 ? "" : "s",
                    agent.crew->settings->path ? agent.crew->settings->path : "built in");
        ov_systemd_notify("READY=1");
        serve(&agent, end);
        stop(&agent);
    }
    bool hung = started && agent.crew->hung;
    crew_free(agent.crew);
    ov_state_close(agent.state);
    free(agent.queue_base);
    if (hung)
        _exit(0); /* a thread still runs in what would be torn down */
    ov_plugins_free(agent.plugins);
    pthread_mutex_destroy(&agent.saving);
    pthread_rwlock_destroy(&agent.router);
    return started ? 0 : 1;
}
