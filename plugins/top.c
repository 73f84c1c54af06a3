/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The loop of `top`: one thread that waits for keys, signals, what the thread that looks has found,
 * and the next second, and then draws.
 */
#include "top.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "top_aside.h"
#include "top_draw.h"
#include "top_screen.h"
#include "top_watch.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGCONT, SIGWINCH};

struct top {
    struct ov_call *call;
    int64_t interval_ms;
    struct top_watch *watch;
    struct top_screen *screen;
    struct top_aside aside;
    struct top_view view;
    struct top_look *shown, *newest; /* owned; may be the same */
    struct ov_buf trouble;
    int64_t asked_ms;
    uint64_t page_asked; /* the id the thread was last asked for; 0: none */
    unsigned page_width;
    sigset_t before;     /* what was blocked */
    int signal_fd;
    bool failed;         /* a look did */
};

/* ---------------------------------------------------------------- what is new */

/* Shows the newest look, if it has anything to show. */
static void show_newest(struct top *top)
{
    if (top->view.paused || !top->newest || !top->newest->whole || top->shown == top->newest)
        return;
    top_look_free(top->shown);
    top->shown = top->newest;
    top_view_show(&top->view, top->shown);
}

static void take_news(struct top *top)
{
    struct top_state state = {.trouble = &top->trouble};
    top_watch_state(top->watch, &state);
    top->asked_ms = state.asked_ms;
    if (state.look) {
        if (top->newest != top->shown)
            top_look_free(top->newest);
        top->newest = state.look;
        top->failed |= !state.look->whole;
    }
    show_newest(top);
    if (!top->view.paused || !top->view.page.told_ms)
        top_page_take(&top->view.page, state.page_id, &state.page, state.page_ms);
    ov_buf_free(&state.page);
}

/* Tells the thread which page is open, and how wide. */
static void ask_page(struct top *top)
{
    struct top_page *page = &top->view.page;
    uint64_t id = page->open ? page->ask.id : 0;
    if (id && top->page_asked == id && top->page_width != top->view.columns)
        page->ask.id = ++id; /* what was told is too wide, or could be wider */
    if (id == top->page_asked)
        return;
    page->ask.width = top->page_width = top->view.columns;
    page->ask.colours = top_screen_has_colours(top->screen);
    top_watch_ask(top->watch, page->open ? &page->ask : &(struct top_ask){.id = 0});
    top->page_asked = id;
}

static void draw(struct top *top)
{
    const struct top_now now = {
        .newest = top->newest, .now_ms = ov_clock_ms(), .asked_ms = top->asked_ms,
        .interval_ms = top->interval_ms, .wall = (double)ov_wall_ns() / 1e9,
        .trouble = {top->trouble.data, top->trouble.len},
    };
    top_draw(&top->view, &now, top_screen_begin(top->screen));
    top_screen_show(top->screen);
}

/* ---------------------------------------------------------------- keys and signals */

static void read_keys(struct top *top)
{
    int key;
    while (!top->view.quitting && (key = top_screen_key(top->screen)) != TOP_KEY_NONE)
        top_view_key(&top->view, key);
    if (top->view.look_now) {
        top_watch_hurry(top->watch);
        top_screen_redraw(top->screen);
    }
    top->view.look_now = false;
}

/* Stops as any program does that knows nothing of Ctrl-Z, with the terminal as it was. */
static void suspend(struct top *top)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    struct sigaction ours;
    sigset_t stop;
    top_screen_leave(top->screen);
    sigemptyset(&stop);
    sigaddset(&stop, SIGTSTP);
    sigaction(SIGTSTP, &usual, &ours);
    raise(SIGTSTP);
    pthread_sigmask(SIG_UNBLOCK, &stop, NULL); /* stops here until SIGCONT */
    pthread_sigmask(SIG_BLOCK, &stop, NULL);
    sigaction(SIGTSTP, &ours, NULL);
    top_screen_return(top->screen);
}

static void read_signals(struct top *top)
{
    struct signalfd_siginfo info;
    while (read(top->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGTSTP)
            suspend(top);
        else if (info.ssi_signo == SIGCONT)
            top_screen_return(top->screen);
        else if (info.ssi_signo != SIGWINCH)
            top->view.quitting = true;
    }
}

/* All threads to come have them blocked, too. */
static bool block_signals(struct top *top)
{
    sigset_t mask;
    sigemptyset(&mask);
    for (size_t i = 0; i < OV_COUNT(signals); i++)
        sigaddset(&mask, signals[i]);
    pthread_sigmask(SIG_BLOCK, &mask, &top->before);
    top->signal_fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    return top->signal_fd >= 0;
}

/* ---------------------------------------------------------------- the loop */

/* Until something happens, or the clock shows another second. */
static void wait_for_any(struct top *top)
{
    struct pollfd fds[] = {
        {.fd = STDIN_FILENO, .events = POLLIN},
        {.fd = top->signal_fd, .events = POLLIN},
        {.fd = top_watch_fd(top->watch), .events = POLLIN},
        {.fd = top->aside.pipe_fd, .events = POLLIN},
    };
    int64_t left_ms = 1000 - ov_wall_ns() / 1000000 % 1000;
    if (poll(fds, OV_COUNT(fds), (int)left_ms) > 0 &&
        fds[0].revents & (POLLHUP | POLLERR | POLLNVAL) && !(fds[0].revents & POLLIN))
        top->view.quitting = true; /* the terminal is gone */
}

static void loop(struct top *top)
{
    while (!top->view.quitting) {
        draw(top);
        ask_page(top);
        wait_for_any(top);
        read_signals(top);
        read_keys(top);
        top_aside_read(&top->aside);
        take_news(top);
    }
}

/* Gives the terminal back first, so that nobody waits for that. */
static int end(struct top *top)
{
    top_screen_close(top->screen);
    if (top->watch)
        top_watch_stop(top->watch);
    top_aside_end(&top->aside);
    int status = OV_EXIT_FINE;
    if (!top->shown && top->failed)
        status = ov_call_unable(top->call, "nothing could be seen: %.*s", (int)top->newest->why.len,
                                top->newest->bytes.data + top->newest->why.at);
    if (top->newest != top->shown)
        top_look_free(top->newest);
    top_look_free(top->shown);
    top_view_free(&top->view);
    ov_buf_free(&top->trouble);
    if (top->signal_fd >= 0)
        close(top->signal_fd);
    pthread_sigmask(SIG_SETMASK, &top->before, NULL);
    return status;
}

static int run(struct ov_call *call, int64_t interval_ms)
{
    struct top top = {.call = call, .interval_ms = interval_ms, .aside = {-1, -1, {0}},
                      .signal_fd = -1};
    struct ov_buf why = {0};
    int status = OV_EXIT_FINE;
    top_view_init(&top.view);
    bool good = block_signals(&top);
    if (!good)
        ov_buf_str(&why, "signals cannot be waited for");
    if (good)
        top.screen = top_screen_open(&why);
    if (top.screen) {
        top_aside_begin(&top.aside);
        top.watch = top_watch_start(call, interval_ms);
        if (top.watch)
            loop(&top);
        else
            ov_buf_str(&why, "no thread can be started");
    }
    status = end(&top);
    if (why.len)
        status = ov_call_unable(call, "%s", ov_buf_text(&why));
    ov_buf_free(&why);
    return status;
}

extern OV_API const struct top_module top_module;
const struct top_module top_module = {.run = run};
