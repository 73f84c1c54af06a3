/* SPDX-License-Identifier: Apache-2.0 */
#include "top_watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct top_watch {
    pthread_t thread;
    int64_t interval_ms;
    int wake_fd;

    /* of the thread that looks */
    struct ov_call *call;
    struct top_rates rates;
    bool whole;             /* so was the last look */
    int64_t page_next_ms;   /* when a page may be made again */
    uint64_t page_made;     /* the id of the last */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* shared, under `lock` */
    struct top_look *look;
    struct ov_buf trouble;
    int64_t asked_ms;
    struct top_ask ask;
    struct ov_buf page;
    uint64_t page_id;
    int64_t page_ms;
    bool hurry, stopping;
};

static void wake(const struct top_watch *watch)
{
    (void)eventfd_write(watch->wake_fd, 1);
}

/* ---------------------------------------------------------------- looking */

/* Gathers from one input, and tells at once what is wrong with it: the next may take a while. */
static const struct ov_batch *gather(struct top_watch *watch, const char *plugin,
                                     struct ov_buf *why)
{
    const char *reason;
    const struct ov_batch *batch = ov_call_gather(watch->call, plugin, &reason);
    if (!reason || why->len)
        return batch;
    ov_buf_str(why, reason);
    pthread_mutex_lock(&watch->lock);
    ov_buf_reset(&watch->trouble);
    ov_buf_str(&watch->trouble, reason);
    pthread_mutex_unlock(&watch->lock);
    wake(watch);
    return batch;
}

static bool is_stopping(struct top_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    bool stopping = watch->stopping;
    pthread_mutex_unlock(&watch->lock);
    return stopping;
}

static void begin_look(struct top_watch *watch, int64_t now_ms)
{
    pthread_mutex_lock(&watch->lock);
    watch->asked_ms = now_ms;
    watch->hurry = false;
    ov_buf_reset(&watch->trouble);
    pthread_mutex_unlock(&watch->lock);
}

static void end_look(struct top_watch *watch, struct top_look *look)
{
    pthread_mutex_lock(&watch->lock);
    struct top_look *before = watch->look;
    watch->look = look;
    watch->asked_ms = 0;
    ov_buf_reset(&watch->trouble);
    pthread_mutex_unlock(&watch->lock);
    top_look_free(before);
    wake(watch);
}

static void look(struct top_watch *watch)
{
    struct ov_buf why = {0};
    struct top_found found = {.call = watch->call};
    int64_t began_ms = ov_clock_ms();
    begin_look(watch, began_ms);
    ov_call_refresh(watch->call);
    found.agents = gather(watch, "runner", &why);
    found.agents_ns = ov_clock_ns();
    found.bus = gather(watch, "redis_bus", &why);
    found.bus_ns = ov_clock_ns();
    (void)gather(watch, "storage", &why); /* for what fires about it */
    found.findings = ov_call_findings(watch->call, &found.finding_count);
    found.why = why.len ? ov_buf_text(&why) : NULL;
    found.took_ms = ov_clock_ms() - began_ms;
    if (!is_stopping(watch)) {
        struct top_look *made = top_look_new(&found, &watch->rates);
        watch->whole = made->whole;
        end_look(watch, made);
    }
    ov_buf_free(&why);
}

/* ---------------------------------------------------------------- pages */

static void hand_over(struct top_watch *watch, struct ov_buf *text, uint64_t id)
{
    pthread_mutex_lock(&watch->lock);
    struct ov_buf before = watch->page;
    watch->page = *text;
    watch->page_id = id;
    watch->page_ms = ov_clock_ms();
    pthread_mutex_unlock(&watch->lock);
    ov_buf_free(&before);
    wake(watch);
}

/* Makes the page that is asked for, if there is one and its time has come: a page that takes long
 * is made less often. */
static void tell_page(struct top_watch *watch)
{
    enum { REST = 9 }; /* times as long as it took */
    struct top_ask ask;
    struct ov_buf text = {0};
    int64_t began = ov_clock_ms();
    pthread_mutex_lock(&watch->lock);
    bool wanted = watch->ask.id && !watch->stopping && watch->whole &&
                  (watch->ask.id != watch->page_made || began >= watch->page_next_ms);
    if (wanted)
        top_ask_copy(&ask, &watch->ask);
    pthread_mutex_unlock(&watch->lock);
    if (!wanted)
        return;
    for (unsigned c = 0; c < TOP_COMMANDS_MAX && ask.counts[c]; c++) {
        char *words[TOP_WORDS_MAX]; /* the call puts them in another order */
        memcpy(words, ask.words[c], sizeof words);
        ov_buf_str(&text, c ? "\n" : "");
        (void)ov_call_other(watch->call, ask.counts[c], words, ask.width, ask.colours, &text);
    }
    watch->page_made = ask.id;
    watch->page_next_ms = ov_clock_ms() + REST * (ov_clock_ms() - began);
    hand_over(watch, &text, ask.id);
    top_ask_free(&ask);
}

/* ---------------------------------------------------------------- the thread */

static bool page_is_new(const struct top_watch *watch)
{
    return watch->ask.id && watch->ask.id != watch->page_made && watch->whole;
}

/* Until it is time for a look; what is asked for in between is told. False: the end. */
static bool rest(struct top_watch *watch, int64_t until_ms)
{
    const struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    bool stopping, due = false;
    do {
        pthread_mutex_lock(&watch->lock);
        while (!watch->stopping && !watch->hurry && !page_is_new(watch) && !due)
            due = pthread_cond_timedwait(&watch->changed, &watch->lock, &until) != 0;
        stopping = watch->stopping;
        due |= watch->hurry;
        pthread_mutex_unlock(&watch->lock);
        if (!stopping && !due)
            tell_page(watch);
    } while (!stopping && !due);
    return !stopping;
}

static void *run(void *context)
{
    struct top_watch *watch = context;
    int64_t began, took;
    do {
        began = ov_clock_ms();
        look(watch);
        tell_page(watch);
        took = ov_clock_ms() - began;
        if (!watch->whole) /* it may be back at any moment */
            began += took;
        else if (took > watch->interval_ms / 2) /* Redis has others to answer */
            began += took;
    } while (rest(watch, began + watch->interval_ms));
    return NULL;
}

struct top_watch *top_watch_start(struct ov_call *call, int64_t interval_ms)
{
    struct top_watch *watch = ov_calloc(1, sizeof *watch);
    pthread_condattr_t attributes;
    watch->call = call;
    watch->interval_ms = interval_ms;
    watch->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_mutex_init(&watch->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&watch->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    (void)ov_call_state(call, "redis_bus", &(const char *){NULL}); /* for ov_call_stop: all that */
    (void)ov_call_state(call, "storage", &(const char *){NULL});   /* may be needed are open */
    if (watch->wake_fd >= 0 && pthread_create(&watch->thread, NULL, run, watch) == 0)
        return watch;
    if (watch->wake_fd >= 0)
        close(watch->wake_fd);
    free(watch);
    return NULL;
}

int top_watch_fd(const struct top_watch *watch)
{
    return watch->wake_fd;
}

void top_watch_state(struct top_watch *watch, struct top_state *state)
{
    eventfd_t count;
    (void)eventfd_read(watch->wake_fd, &count);
    pthread_mutex_lock(&watch->lock);
    state->look = watch->look;
    watch->look = NULL;
    state->asked_ms = watch->asked_ms;
    ov_buf_reset(state->trouble);
    ov_buf_add(state->trouble, watch->trouble.data, watch->trouble.len);
    state->page = watch->page;
    state->page_id = watch->page_id;
    state->page_ms = watch->page_ms;
    watch->page = (struct ov_buf){0};
    watch->page_id = 0;
    pthread_mutex_unlock(&watch->lock);
}

void top_watch_hurry(struct top_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->hurry = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

void top_watch_ask(struct top_watch *watch, const struct top_ask *ask)
{
    pthread_mutex_lock(&watch->lock);
    top_ask_free(&watch->ask);
    top_ask_copy(&watch->ask, ask);
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
}

void top_watch_stop(struct top_watch *watch)
{
    pthread_mutex_lock(&watch->lock);
    watch->stopping = true;
    pthread_cond_signal(&watch->changed);
    pthread_mutex_unlock(&watch->lock);
    ov_call_stop(watch->call);
    pthread_join(watch->thread, NULL);
    close(watch->wake_fd);
    pthread_mutex_destroy(&watch->lock);
    pthread_cond_destroy(&watch->changed);
    top_look_free(watch->look);
    top_ask_free(&watch->ask);
    top_rates_free(&watch->rates);
    ov_buf_free(&watch->trouble);
    ov_buf_free(&watch->page);
    free(watch);
}
