/* SPDX-License-Identifier: Apache-2.0 */
/*
 * player.c: plays a small OmniDaemon deployment on a Redis of its own, for the demonstration and
 * for trying rules and dashboards without one.
 *
 * It does and writes what OmniDaemon does (player_write.c): agents register and subscribe,
 * publishers add events to capped streams, agents take them by consumer group, leave results and
 * metrics, fail, are tried again and end in dead letter queues, a supervisor keeps a heartbeat.
 * What is played differs from real life only in pace: retries come after seconds, and one topic is
 * capped so low that it loses tasks while one watches.
 *
 *     tick:  publish what is due -> each agent: poll, start tasks, end tasks, reclaim, heartbeat
 *
 * One thread, one loop of ticks. It refuses a Redis that holds OmniDaemon's data.
 */
#include "player.h"

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TICK_MS 50
#define RECLAIM_SECONDS 1.0   /* OmniDaemon: 30 */
#define HEARTBEAT_SECONDS 2.0 /* OmniDaemon: 60 */
#define CRASH_SECONDS 20.0    /* when the supervised process dies, once */

static struct topic topics[] = {
    {"orders.created", 4, 10000, "{\"order\": 4711, \"text\": \"two chairs, one table\"}", 0},
    {"mail.incoming", 2, 10000, "\"Where is my parcel?\"", 0},
    {"reports.nightly", 3, 10000, "{\"report\": \"sales\", \"region\": \"north\"}", 0},
    {"clicks", 60, 100, "[\"shop\", \"chairs\"]", 0},
    {"support.chat", 1, 10000, "\"The door does not close.\"", 0},
};

static struct agent agents[] = {
    {.topic = "orders.created", .name = "invoice-writer", .description = "writes invoices",
     .consumers = 2, .reclaim_idle_ms = 180000, .retry_limit = 3, .seconds = 1.5},
    {.topic = "orders.created", .name = "fraud-check", .description = "looks for fraud",
     .consumers = 1, .reclaim_idle_ms = 2000, .retry_limit = 1, .seconds = 0.8,
     .fail_percent = 15},
    {.topic = "mail.incoming", .name = "mail-sorter", .description = "sorts the mail",
     .consumers = 1, .reclaim_idle_ms = 180000, .retry_limit = 3, .seconds = 0.5,
     .silent_after = 10},
    {.topic = "reports.nightly", .name = "report-writer", .description = "is too slow for its work",
     .consumers = 1, .reclaim_idle_ms = 180000, .retry_limit = 3, .seconds = 7},
    {.topic = "clicks", .name = "click-counter", .description = "loses what it cannot keep up with",
     .consumers = 1, .reclaim_idle_ms = 180000, .retry_limit = 3, .seconds = 1},
    {.topic = "support.chat", .name = "chat-helper", .description = "runs under a supervisor",
     .consumers = 1, .reclaim_idle_ms = 180000, .retry_limit = 3, .seconds = 2,
     .supervised = true},
};

static double begin, rate = 1;
static volatile sig_atomic_t stopping;

static void on_signal(int number)
{
    (void)number;
    stopping = 1;
}

/* ---------------------------------------------------------------- an agent's life */

static void start_process(struct agent *a, const char *from)
{
    write_state_change(a, from, "starting");
    a->pid = 4000 + (int)(random_bits() % 20000);
    a->start_time = now();
    write_state_change(a, "starting", "running");
}

static void register_agent(struct agent *a, bool first)
{
    snprintf(a->group, sizeof a->group, "group:%s:%s", a->topic, a->name);
    snprintf(a->stream, sizeof a->stream, "omni-stream:%s", a->topic);
    if (a->supervised)
        start_process(a, "idle");
    write_registration(a, first);
}

/* Keeps a message as a task; NULL for one that stays pending, as OmniDaemon cannot handle it. */
static struct task *hold(struct agent *a, const redisReply *entry, int consumer)
{
    if (a->task_count == MAX_TASKS || entry->type != REDIS_REPLY_ARRAY || entry->elements != 2 ||
        entry->element[1]->type != REDIS_REPLY_ARRAY || entry->element[1]->elements < 2)
        return NULL;
    const char *data = entry->element[1]->element[1]->str;
    if (data[0] != '{' || data[strlen(data) - 1] != '}')
        return NULL;
    struct task *t = &a->tasks[a->task_count++];
    *t = (struct task){.consumer = consumer};
    snprintf(t->id, sizeof t->id, "%s", entry->element[0]->str);
    t->data = strdup(data);
    if (!t->data)
        die("out of memory");
    return t;
}

static void begin_task(struct agent *a, struct task *t)
{
    t->running = true;
    t->started = now();
    t->due = t->started + a->seconds * (0.5 + random_unit());
    a->requests++;
    write_received(a, t);
}

static bool fails(const struct agent *a, const struct task *t)
{
    int percent = t->retry && a->fail_percent ? 50 : a->fail_percent;
    return (int)(random_bits() % 100) < percent;
}

static void end_task(struct agent *a, int index)
{
    struct task *t = &a->tasks[index];
    if (!fails(a, t))
        write_processed(a, t);
    else if (random_bits() % 3 == 0)
        write_failed(a, t, "TimeoutError", "no answer from the model within 30 s");
    else
        write_failed(a, t, "ValueError", "unexpected reply: no score");
    free(t->data);
    a->tasks[index] = a->tasks[--a->task_count];
}

/* One round of a consumer's loop: is the subscription active, then wait for messages. */
static void poll_messages(struct agent *a)
{
    if (!a->waiting) {
        RUN("GET omni:config:_subscription_active:%s", a->group);
        a->consumer = a->consumer % a->consumers + 1;
        wait_begin(a, a->consumer);
        a->waiting = true;
    }
    redisReply *reply = wait_reply(a);
    if (!reply)
        return;
    a->waiting = false;
    if (reply->type == REDIS_REPLY_ARRAY && reply->elements == 1 &&
        reply->element[0]->elements == 2) {
        const redisReply *entries = reply->element[0]->element[1];
        for (size_t i = 0; i < entries->elements; i++)
            hold(a, entries->element[i], a->consumer);
    }
    freeReplyObject(reply);
}

static bool in_flight(const struct agent *a, const char *id)
{
    for (int i = 0; i < a->task_count; i++)
        if (strcmp(a->tasks[i].id, id) == 0)
            return true;
    return false;
}

static void reclaim_message(struct agent *a, const char *id)
{
    redisReply *claimed = command("XCLAIM %s %s consumer:%s-1 %d %s", a->stream, a->group, a->name,
                                  a->reclaim_idle_ms, id);
    struct task *t = NULL;
    if (claimed->type == REDIS_REPLY_ARRAY && claimed->elements == 1)
        t = hold(a, claimed->element[0], 1);
    freeReplyObject(claimed);
    if (!t)
        return;
    write_reclaim_attempt(a, t);
    redisReply *count = command("HINCRBY retry_counts:%s %s 1", a->group, id);
    t->retry = (int)count->integer;
    freeReplyObject(count);
    RUN("EXPIRE retry_counts:%s 3600", a->group);
    if (t->retry > a->retry_limit) {
        write_dead_letter(a, t);
        free(t->data);
        a->task_count--;
    }
}

static void reclaim_messages(struct agent *a)
{
    RUN("GET omni:config:_subscription_active:%s", a->group);
    redisReply *pending = command("XPENDING %s %s - + 50", a->stream, a->group);
    for (size_t i = 0; i < pending->elements; i++) {
        const redisReply *entry = pending->element[i];
        if (entry->elements == 4 && entry->element[2]->integer >= a->reclaim_idle_ms &&
            !in_flight(a, entry->element[0]->str))
            reclaim_message(a, entry->element[0]->str);
    }
    freeReplyObject(pending);
}

static void beat(struct agent *a, double time)
{
    if (time - begin > CRASH_SECONDS && !a->crashed_once) {
        a->crashed_once = true;
        write_state_change(a, "running", "crashed");
        a->restarts++;
        write_state_change(a, "crashed", "restarting");
        start_process(a, "restarting");
        return;
    }
    a->last_heartbeat = time;
    write_supervisor(a, "running");
}

static bool due(double *next, double time, double every)
{
    if (time < *next)
        return false;
    *next = time + every;
    return true;
}

static void live(struct agent *a, double time)
{
    if (a->silent_after > 0 && time - begin > a->silent_after) {
        wait_abandon(a);
        return;
    }
    int running = 0;
    for (int i = a->task_count - 1; i >= 0; i--)
        if (a->tasks[i].running && a->tasks[i].due <= time)
            end_task(a, i);
    for (int i = 0; i < a->task_count; i++)
        running += a->tasks[i].running;
    if (a->task_count == running)
        poll_messages(a);
    for (int i = 0; i < a->task_count && running < 10 * a->consumers; i++) {
        if (!a->tasks[i].running) {
            begin_task(a, &a->tasks[i]);
            running++;
        }
    }
    if (due(&a->next_reclaim, time, RECLAIM_SECONDS))
        reclaim_messages(a);
    if (a->supervised && due(&a->next_heartbeat, time, HEARTBEAT_SECONDS))
        beat(a, time);
}

/* ---------------------------------------------------------------- the play */

static void play(double seconds)
{
    double last = begin;
    while (!stopping && (seconds <= 0 || now() - begin < seconds)) {
        double time = now();
        for (size_t i = 0; i < COUNT(topics); i++) {
            topics[i].owed += topics[i].per_second * rate * (time - last);
            for (; topics[i].owed >= 1; topics[i].owed -= 1)
                write_event(&topics[i]);
        }
        last = time;
        for (size_t i = 0; i < COUNT(agents); i++)
            live(&agents[i], time);
        usleep(TICK_MS * 1000);
    }
}

/* A clean stop, as OmniDaemon's SDK does it; the silent agent's messages stay pending. */
static void stop(void)
{
    for (size_t i = 0; i < COUNT(agents); i++) {
        struct agent *a = &agents[i];
        if (a->supervised) {
            write_state_change(a, "running", "stopping");
            a->pid = 0;
            write_state_change(a, "stopping", "stopped");
        }
        for (int k = 0; k < a->task_count; k++)
            free(a->tasks[k].data);
        wait_abandon(a);
    }
    write_runner_stopped();
    redis_disconnect();
}

static void usage(void)
{
    puts("Usage: player [--url URL | --socket PATH] [--seconds N] [--rate X] [--seed N]\n"
         "\n"
         "Plays a small OmniDaemon deployment on an empty Redis: agents that work, one that fails\n"
         "into its dead letter queue, one that goes silent, one too slow for its topic, a topic\n"
         "that loses tasks, a supervised agent that restarts once.\n"
         "\n"
         "  --url URL      redis://HOST[:PORT] or unix:///PATH (redis://127.0.0.1:6379)\n"
         "  --socket PATH  the same as --url unix://PATH\n"
         "  --seconds N    stop after N seconds; 0, the default: at Ctrl-C\n"
         "  --rate X       publish X times as many events (1)\n"
         "  --seed N       the same dice every time (1)\n"
         "  --help         show this");
}

static double positive(const char *option, const char *text)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    if (errno || end == text || *end || !(value >= 0 && value <= 1e6))
        die("--%s %s: a number from 0 to 1000000 is expected", option, text);
    return value;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"url", required_argument, NULL, 'u'},  {"socket", required_argument, NULL, 's'},
        {"seconds", required_argument, NULL, 't'}, {"rate", required_argument, NULL, 'r'},
        {"seed", required_argument, NULL, 'd'}, {"help", no_argument, NULL, 'h'}, {0}};
    char url[512] = "redis://127.0.0.1:6379";
    double seconds = 0, seed = 1;
    for (int c; (c = getopt_long(argc, argv, "h", options, NULL)) != -1;) {
        switch (c) {
        case 'u': snprintf(url, sizeof url, "%s", optarg); break;
        case 's': snprintf(url, sizeof url, "unix://%s", optarg); break;
        case 't': seconds = positive("seconds", optarg); break;
        case 'r': rate = positive("rate", optarg); break;
        case 'd': seed = positive("seed", optarg); break;
        case 'h': usage(); return 0;
        default: fputs("Try player --help.\n", stderr); return 2;
        }
    }
    if (optind < argc)
        die("%s: no such argument, try --help", argv[optind]);
    const struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    random_seed((uint64_t)seed);
    redis_connect(url);
    begin = now();
    for (size_t i = 0; i < COUNT(agents); i++)
        register_agent(&agents[i], i == 0);
    printf("player: %zu agents on %zu topics at %s\n", COUNT(agents), COUNT(topics), url);
    fflush(stdout);
    play(seconds);
    stop();
    return 0;
}
