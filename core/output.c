/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: `run` is the output's own thread and the only caller of the plugin's send; encode is
 * called by the inputs' threads, one at a time under `encoding`. `lock` covers the figures and
 * how the thread is to end.
 */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>

#include "batch.h"
#include "emit.h"
#include "filter.h"
#include "host.h"
#include "log.h"
#include "output.h"
#include "queue_dir.h"

enum { RETRY_FIRST_MS = 1000, RETRY_MAX_MS = 60000, RETRY_ASKED_MAX_MS = 3600000 };

struct ov_output {
    struct ov_instance *instance;
    struct ov_host *host;
    struct ov_queue *queue;
    pthread_t thread;
    pthread_mutex_t encoding;
    struct ov_filter *filter; /* under `encoding` */

    int64_t retry_ms; /* owned by the output's thread: the next wait; 0 after a success */
    unsigned int seed;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* shared, under `lock` */
    struct ov_output_stats stats;
    int64_t finish_ms; /* when to end at the latest, INT64_MAX while running */
    bool started, ended;
};

struct ov_output *ov_output_new(struct ov_instance *instance, const char *plugin_dir,
                                struct ov_buf *why)
{
    struct ov_output *output = ov_calloc(1, sizeof *output);
    pthread_condattr_t attr;
    output->instance = instance;
    output->host = ov_host_new(instance->name, plugin_dir, true);
    output->queue = ov_queue_new((size_t)instance->queue_samples, (size_t)instance->queue_bytes);
    output->filter = ov_filter_new(&(struct ov_filter_rules){
        .include = instance->include, .exclude = instance->exclude,
        .tags = instance->tags, .interval_ms = instance->interval_ms,
    });
    output->seed = (unsigned int)ov_wall_ns();
    output->finish_ms = INT64_MAX;
    output->stats.last_success_ms = INT64_MIN;
    pthread_mutex_init(&output->encoding, NULL);
    pthread_mutex_init(&output->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&output->changed, &attr);
    pthread_condattr_destroy(&attr);
    if (instance->plugin->open(instance->state, output->host) != OV_OK) {
        ov_buf_printf(why, "output %s: %s", instance->name, ov_host_why(output->host));
        ov_output_free(output);
        return NULL;
    }
    return output;
}

void ov_output_succeed(struct ov_output *output, struct ov_output *before)
{
    struct ov_queue *empty = output->queue;
    output->queue = before->queue;
    before->queue = empty;
    ov_queue_limit(output->queue, (size_t)output->instance->queue_samples,
                   (size_t)output->instance->queue_bytes);
    output->stats = before->stats;
}

int ov_output_open_queue(struct ov_output *output, const char *base, struct ov_buf *why)
{
    const struct ov_instance *instance = output->instance;
    char *dir = base ? ov_queue_dir_path(base, instance->name) : NULL;
    enum ov_queue_mode mode = (enum ov_queue_mode)instance->queue_mode;
    if (mode == OV_QUEUE_AUTO)
        mode = instance->plugin->precious ? OV_QUEUE_WRITE_AHEAD : OV_QUEUE_DISK;
    struct ov_queue_disk disk = {
        .dir = dir, .plugin = instance->plugin->name, .host = output->host,
        .mode = mode,
        .sync = (enum ov_queue_sync)instance->queue_sync,
    };
    int result = ov_queue_open(output->queue, &disk, why);
    free(dir);
    return result;
}

static void tell_dropped(struct ov_output *output, size_t samples)
{
    ov_problem(output->host, "queue full", "the queue is full (limit %jd samples, %jd bytes): "
               "dropped the %zu oldest samples; the receiver is too slow or away",
               (intmax_t)output->instance->queue_samples, (intmax_t)output->instance->queue_bytes,
               samples);
}

void ov_output_push(struct ov_output *output, const struct ov_batch *batch)
{
    struct ov_emit emit = {.queue = output->queue, .host = output->host};
    struct ov_batch *copy;
    pthread_mutex_lock(&output->encoding);
    batch = ov_filter_take(output->filter, batch, &copy);
    if (batch)
        output->instance->plugin->encode(output->instance->state, batch, &emit);
    ov_batch_free(copy);
    pthread_mutex_unlock(&output->encoding);
    if (emit.dropped)
        tell_dropped(output, emit.dropped);
    else
        ov_recovered(output->host, "queue full");
}

static int64_t finish_time(struct ov_output *output)
{
    pthread_mutex_lock(&output->lock);
    int64_t at = output->finish_ms;
    pthread_mutex_unlock(&output->lock);
    return at;
}

/* Waits between tries; a finish ends it early. */
static void wait_before_retry(struct ov_output *output, int64_t asked_ms)
{
    if (asked_ms <= 0) {
        output->retry_ms = output->retry_ms ? output->retry_ms * 2 : RETRY_FIRST_MS;
        if (output->retry_ms > RETRY_MAX_MS)
            output->retry_ms = RETRY_MAX_MS;
        asked_ms = output->retry_ms - rand_r(&output->seed) % (output->retry_ms / 4 + 1);
    } else if (asked_ms > RETRY_ASKED_MAX_MS) {
        asked_ms = RETRY_ASKED_MAX_MS;
    }
    int64_t until = ov_clock_ms() + asked_ms;
    struct timespec at = {.tv_sec = (time_t)(until / 1000),
                          .tv_nsec = (long)(until % 1000) * 1000000};
    pthread_mutex_lock(&output->lock);
    while (output->finish_ms == INT64_MAX)
        if (pthread_cond_timedwait(&output->changed, &output->lock, &at) != 0)
            break;
    pthread_mutex_unlock(&output->lock);
}

static void count_send(struct ov_output *output, enum ov_sent sent)
{
    pthread_mutex_lock(&output->lock);
    output->stats.requests++;
    output->stats.retries += sent == OV_RETRY;
    output->stats.failing = sent != OV_SENT;
    if (sent == OV_SENT)
        output->stats.last_success_ms = ov_clock_ms();
    pthread_mutex_unlock(&output->lock);
}

static void supersede(struct ov_output *output)
{
    ov_problem(output->host, "superseded", "%s", ov_host_why(output->host));
    ov_queue_supersede(output->queue);
}

/* What became of a loan that was not delivered. */
static void settle_failure(struct ov_output *output, const struct ov_queue_loan *loan,
                           enum ov_sent sent)
{
    size_t dropped = 0;
    bool alone = loan->records == 1;
    ov_problem(output->host, "send", "%s%s", ov_host_why(output->host),
               sent == OV_RETRY ? "" : alone ? " (these samples are dropped)"
                                             : " (what was sent together is tried one by one)");
    if (sent == OV_RETRY)
        dropped = ov_queue_put_back(output->queue);
    else if (alone)
        ov_queue_settle(output->queue, loan->samples);
    else
        dropped = ov_queue_split(output->queue);
    if (dropped)
        tell_dropped(output, dropped);
}

/* Drops what has been tried for too long. */
static void expire(struct ov_output *output)
{
    int64_t limit_ms = output->instance->retry_limit_ms;
    size_t dropped = limit_ms ? ov_queue_expire(output->queue, limit_ms) : 0;
    struct ov_buf limit = {0};
    if (!dropped)
        return;
    ov_buf_duration(&limit, limit_ms);
    ov_problem(output->host, "expired", "dropped %zu samples that could not be delivered within "
               "the retry_limit of %s", dropped, ov_buf_text(&limit));
    ov_buf_free(&limit);
}

/* Sends a loan once. Returns what became of it; *wait_ms is a retry's wait. */
static enum ov_sent send_one(struct ov_output *output, const struct ov_queue_loan *loan,
                             int64_t *wait_ms)
{
    struct ov_outcome outcome = {0};
    int64_t deadline = ov_clock_ms() + output->instance->timeout_ms;
    int64_t finish = finish_time(output);
    ov_host_clear(output->host);
    ov_host_set_deadline(output->host, deadline < finish ? deadline : finish);
    enum ov_sent sent = output->instance->plugin->send(output->instance->state, loan->bytes,
                                                       &outcome);
    if (sent == OV_SUPERSEDED) {
        supersede(output);
        return sent;
    }
    count_send(output, sent);
    if (sent == OV_SENT) {
        ov_recovered(output->host, "send");
        ov_recovered(output->host, "superseded");
        ov_recovered(output->host, "expired");
        ov_queue_settle(output->queue,
                        outcome.rejected < loan->samples ? outcome.rejected : loan->samples);
    } else {
        settle_failure(output, loan, sent);
        if (sent == OV_RETRY)
            expire(output);
    }
    *wait_ms = outcome.retry_ms;
    return sent;
}

static struct ov_queue_join joined(struct ov_output *output)
{
    const struct ov_plugin *plugin = output->instance->plugin;
    struct ov_queue_join join = {.records = plugin->join ? SIZE_MAX : 1};
    if (plugin->join)
        plugin->join(output->instance->state, &join.samples, &join.bytes);
    return join;
}

/* The next loan, of a full batch or what has waited for `flush`. False: not yet, or none is left
 * and the output is to end. */
static bool take(struct ov_output *output, bool ending, struct ov_queue_loan *loan)
{
    struct ov_queue_worth worth = {joined(output), ending ? 0 : output->instance->flush_ms};
    int64_t now = ov_clock_ms();
    return ov_queue_wait(output->queue, worth, ending ? now : now + 60000) &&
           ov_queue_take(output->queue, worth.join, loan);
}

static void *run(void *argument)
{
    struct ov_output *output = argument;
    for (;;) {
        struct ov_queue_loan loan;
        int64_t finish = finish_time(output), wait_ms;
        if (finish != INT64_MAX && ov_clock_ms() >= finish)
            break;
        if (!take(output, finish != INT64_MAX, &loan)) {
            if (finish != INT64_MAX)
                break;
            continue;
        }
        if (send_one(output, &loan, &wait_ms) == OV_RETRY) {
            if (finish_time(output) != INT64_MAX)
                break;
            wait_before_retry(output, wait_ms);
        } else {
            output->retry_ms = 0;
        }
    }
    pthread_mutex_lock(&output->lock);
    output->ended = true;
    pthread_cond_broadcast(&output->changed);
    pthread_mutex_unlock(&output->lock);
    return NULL;
}

int ov_output_start(struct ov_output *output)
{
    output->started = pthread_create(&output->thread, NULL, run, output) == 0;
    return output->started ? OV_OK : OV_FAILED;
}

void ov_output_finish(struct ov_output *output, int64_t deadline_ms)
{
    pthread_mutex_lock(&output->lock);
    output->finish_ms = deadline_ms;
    pthread_cond_broadcast(&output->changed);
    pthread_mutex_unlock(&output->lock);
    ov_queue_wake(output->queue);
}

static bool wait_ended(struct ov_output *output, int64_t deadline_ms)
{
    struct timespec at = {.tv_sec = (time_t)(deadline_ms / 1000),
                          .tv_nsec = (long)(deadline_ms % 1000) * 1000000};
    pthread_mutex_lock(&output->lock);
    while (!output->ended)
        if (pthread_cond_timedwait(&output->changed, &output->lock, &at) != 0)
            break;
    bool ended = output->ended;
    pthread_mutex_unlock(&output->lock);
    return ended;
}

bool ov_output_join(struct ov_output *output, int64_t deadline_ms)
{
    if (!output->started)
        return true;
    bool ended = wait_ended(output, deadline_ms);
    if (!ended) {
        ov_host_stop(output->host);
        ended = wait_ended(output, deadline_ms + 1000);
    }
    if (ended)
        pthread_join(output->thread, NULL);
    else
        pthread_detach(output->thread);
    return ended;
}

void ov_output_spool(struct ov_output *output)
{
    ov_queue_spool(output->queue);
}

void ov_output_shut_queue(struct ov_output *output)
{
    ov_queue_shut(output->queue);
}

void ov_output_free(struct ov_output *output)
{
    if (!output)
        return;
    output->instance->plugin->close(output->instance->state);
    ov_queue_free(output->queue); /* which may have something to report */
    ov_host_free(output->host);
    ov_filter_free(output->filter);
    pthread_cond_destroy(&output->changed);
    pthread_mutex_destroy(&output->lock);
    pthread_mutex_destroy(&output->encoding);
    free(output);
}

const char *ov_output_name(const struct ov_output *output)
{
    return output->instance->name;
}

const char *ov_output_plugin(const struct ov_output *output)
{
    return output->instance->plugin->name;
}

struct ov_output_stats ov_output_stats(struct ov_output *output)
{
    pthread_mutex_lock(&output->lock);
    struct ov_output_stats stats = output->stats;
    pthread_mutex_unlock(&output->lock);
    stats.queue = ov_queue_counts(output->queue);
    return stats;
}
