/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: `run` is the input's own thread and the only one in the plugin between start and
 * join; the main thread makes, starts, stops and frees. `lock` covers the figures and the two
 * flags by which the threads part.
 */
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "batch.h"
#include "host.h"
#include "input.h"
#include "log.h"
#include "schedule.h"

struct ov_input {
    const struct ov_input_world *world;
    struct ov_instance *instance;
    struct ov_host *host;
    pthread_t thread;

    /* owned by the input's thread */
    struct ov_schedule schedule;
    int64_t saved_ms;

    pthread_mutex_t lock;
    pthread_cond_t ended_now;
    /* shared, under `lock` */
    struct ov_input_stats stats;
    bool started, ended, abandoned;
};

static void load(struct ov_input *input, struct ov_slice text)
{
    const struct ov_instance *instance = input->instance;
    if (text.len == 0 || instance->plugin->load(instance->state, text) == OV_OK)
        return;
    if (input->world->state)
        ov_log(input->host, OV_WARN, "saved state %s/%s.state is not understood, starting without "
               "it: %s", ov_state_dir(input->world->state), instance->name,
               ov_host_why(input->host));
    else
        ov_log(input->host, OV_WARN, "the state so far is not understood, starting without it: %s",
               ov_host_why(input->host));
}

void ov_input_restore(struct ov_input *input)
{
    const struct ov_plugin *plugin = input->instance->plugin;
    struct ov_buf text = {0}, why = {0};
    if (!plugin->load || !input->world->state)
        return;
    if (ov_state_read(input->world->state, input->instance->name, plugin->name, &text, &why) ==
        OV_OK)
        load(input, (struct ov_slice){text.data, text.len});
    else
        ov_log(input->host, OV_WARN, "%s", ov_buf_text(&why));
    ov_buf_free(&text);
    ov_buf_free(&why);
}

void ov_input_succeed(struct ov_input *input, struct ov_input *before)
{
    const struct ov_plugin *plugin = input->instance->plugin;
    struct ov_buf text = {0};
    if (plugin->save && plugin->load) {
        plugin->save(before->instance->state, &text);
        load(input, (struct ov_slice){text.data, text.len});
    }
    input->stats = before->stats;
    ov_buf_free(&text);
}

struct ov_input *ov_input_new(const struct ov_input_world *world, struct ov_instance *instance,
                              struct ov_buf *why)
{
    struct ov_input *input = ov_calloc(1, sizeof *input);
    const struct ov_settings *settings = world->settings;
    pthread_condattr_t attr;
    input->world = world;
    input->instance = instance;
    input->host = ov_host_new(instance->name, world->plugin_dir, world->deliver != NULL);
    ov_host_set_wants(input->host, world->wants, world->context);
    input->schedule = (struct ov_schedule){
        .interval_ms = instance->interval_ms > 0 ? instance->interval_ms : settings->interval_ms,
        .jitter_ms = instance->jitter_ms >= 0 ? instance->jitter_ms : settings->jitter_ms,
        .last_ms = INT64_MIN,
    };
    input->saved_ms = ov_clock_ms();
    input->stats.last_duration_seconds = (double)NAN;
    input->stats.last_success_ms = INT64_MIN;
    pthread_mutex_init(&input->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&input->ended_now, &attr);
    pthread_condattr_destroy(&attr);
    if (instance->plugin->open(instance->state, input->host) != OV_OK) {
        ov_buf_printf(why, "input %s: %s", instance->name, ov_host_why(input->host));
        ov_input_free(input);
        return NULL;
    }
    return input;
}

int ov_input_gather_once(struct ov_input *input, struct ov_batch *batch, int64_t deadline_ms)
{
    const struct ov_plugin *plugin = input->instance->plugin;
    ov_host_clear(input->host);
    ov_host_set_deadline(input->host, deadline_ms);
    int result = plugin->gather(input->instance->state, batch);
    for (size_t i = 0; result != OV_OK && plugin->measurements[i]; i++)
        ov_batch_unread(batch, plugin->measurements[i], 0, NULL,
                        ov_slice(ov_host_why(input->host)));
    return result;
}

struct ov_host *ov_input_host(struct ov_input *input)
{
    return input->host;
}

const char *ov_input_why(const struct ov_input *input)
{
    return ov_host_why(input->host);
}

static void save_state(struct ov_input *input)
{
    const struct ov_plugin *plugin = input->instance->plugin;
    struct ov_buf text = {0}, why = {0};
    if (!plugin->save || !input->world->state)
        return;
    plugin->save(input->instance->state, &text);
    if (ov_state_write(input->world->state, input->instance->name, plugin->name,
                       (struct ov_slice){text.data, text.len}, &why) == OV_OK)
        ov_recovered(input->host, "saving state");
    else
        ov_problem(input->host, "saving state", "%s", ov_buf_text(&why));
    ov_buf_free(&text);
    ov_buf_free(&why);
    input->saved_ms = ov_clock_ms();
}

/* Counts the run, and whether the batch may still be handed on. */
static bool count_run(struct ov_input *input, int result, double seconds, size_t samples)
{
    pthread_mutex_lock(&input->lock);
    struct ov_input_stats *stats = &input->stats;
    bool wanted = !input->abandoned;
    stats->runs++;
    stats->samples += samples;
    stats->last_duration_seconds = seconds;
    stats->failing = result == OV_FAILED;
    if (result == OV_OK)
        stats->last_success_ms = ov_clock_ms();
    else if (result == OV_FAILED)
        stats->errors++;
    pthread_mutex_unlock(&input->lock);
    return wanted;
}

static void gather(struct ov_input *input)
{
    const struct ov_plugin *plugin = input->instance->plugin;
    struct ov_batch *batch = ov_batch_new(&input->instance->tags, ov_wall_ns());
    int64_t timeout = input->instance->timeout_ms > 0 ? input->instance->timeout_ms
                                                      : input->schedule.interval_ms;
    int64_t began = ov_clock_ns();
    int result = ov_input_gather_once(input, batch, began / 1000000 + timeout);
    double seconds = (double)(ov_clock_ns() - began) / 1e9;
    if (result == OV_FAILED)
        ov_problem(input->host, "gather", "%s", ov_host_why(input->host));
    else if (result == OV_OK)
        ov_recovered(input->host, "gather");
    bool wanted = count_run(input, result, seconds, ov_batch_count(batch));
    if (wanted && result != OV_STOPPED)
        input->world->deliver(input->world->context, input->instance->name, batch);
    ov_batch_free(batch);
    if (wanted && ov_clock_ms() - input->saved_ms >= input->world->settings->state_interval_ms)
        save_state(input);
    if (wanted && plugin->idle && !ov_host_stopping(input->host))
        plugin->idle(input->instance->state);
}

/* Sleeps until `at_ms`, or until asked to stop. */
static void sleep_until(struct ov_input *input, int64_t at_ms)
{
    struct pollfd stop = {.fd = ov_host_stop_fd(input->host), .events = POLLIN};
    for (int64_t now; (now = ov_clock_ms()) < at_ms && !ov_host_stopping(input->host);)
        poll(&stop, 1, at_ms - now > 60000 ? 60000 : (int)(at_ms - now));
}

static void count_skipped(struct ov_input *input)
{
    uint64_t skipped = ov_schedule_skipped(&input->schedule, ov_clock_ms());
    pthread_mutex_lock(&input->lock);
    input->stats.skipped += skipped;
    pthread_mutex_unlock(&input->lock);
    if (skipped)
        ov_problem(input->host, "overrun", "a gather took longer than the interval of %jd ms: "
                   "%ju were skipped; give it a longer interval, or a timeout",
                   (intmax_t)input->schedule.interval_ms, (uintmax_t)skipped);
    else
        ov_recovered(input->host, "overrun");
}

/* Where what is watched runs on the same processor, each of its answers would wake us in its
 * place: it goes on, and we read several at once. Whoever chose another policy keeps it. */
static void give_way(void)
{
    const struct sched_param none = {0};
    if (sched_getscheduler(0) == SCHED_OTHER)
        (void)sched_setscheduler(0, SCHED_BATCH, &none);
}

static void *run(void *argument)
{
    struct ov_input *input = argument;
    unsigned int seed = (unsigned int)ov_wall_ns() ^ (unsigned int)(uintptr_t)input;
    give_way();
    while (!ov_host_stopping(input->host)) {
        input->schedule.last_ms = ov_clock_ms();
        gather(input);
        if (ov_host_stopping(input->host))
            break;
        count_skipped(input);
        sleep_until(input, ov_schedule_next(&input->schedule, ov_clock_ms(), ov_wall_ns(),
                                            (uint32_t)rand_r(&seed)));
    }
    pthread_mutex_lock(&input->lock);
    bool wanted = !input->abandoned;
    pthread_mutex_unlock(&input->lock);
    if (wanted)
        save_state(input);
    pthread_mutex_lock(&input->lock);
    input->ended = true;
    pthread_cond_signal(&input->ended_now);
    pthread_mutex_unlock(&input->lock);
    return NULL;
}

int ov_input_start(struct ov_input *input)
{
    input->started = pthread_create(&input->thread, NULL, run, input) == 0;
    return input->started ? OV_OK : OV_FAILED;
}

void ov_input_stop(struct ov_input *input)
{
    ov_host_stop(input->host);
}

bool ov_input_join(struct ov_input *input, int64_t deadline_ms)
{
    struct timespec until = {.tv_sec = (time_t)(deadline_ms / 1000),
                             .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    if (!input->started)
        return true;
    pthread_mutex_lock(&input->lock);
    while (!input->ended)
        if (pthread_cond_timedwait(&input->ended_now, &input->lock, &until) != 0)
            break;
    bool ended = input->ended;
    input->abandoned = !ended;
    pthread_mutex_unlock(&input->lock);
    if (ended)
        pthread_join(input->thread, NULL);
    else
        pthread_detach(input->thread);
    return ended;
}

void ov_input_free(struct ov_input *input)
{
    if (!input)
        return;
    input->instance->plugin->close(input->instance->state);
    ov_host_free(input->host);
    pthread_cond_destroy(&input->ended_now);
    pthread_mutex_destroy(&input->lock);
    free(input);
}

const char *ov_input_name(const struct ov_input *input)
{
    return input->instance->name;
}

const char *ov_input_plugin(const struct ov_input *input)
{
    return input->instance->plugin->name;
}

struct ov_input_stats ov_input_stats(struct ov_input *input)
{
    pthread_mutex_lock(&input->lock);
    struct ov_input_stats stats = input->stats;
    pthread_mutex_unlock(&input->lock);
    return stats;
}
