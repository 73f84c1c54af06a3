/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inputs of a command: which of them look at the same target, opened when the command first
 * asks for them. All that measure something of what it shows gather at the same time, so that where
 * each of them has to wait a while, the person waits once.
 *
 * Threads: one an input, for the length of a gather; the call's own does one of them and waits for
 * the others.
 */
#include <pthread.h>
#include <stdlib.h>

#include "batch.h"
#include "call_inside.h"
#include "host.h"

enum { GATHER_MS = 60000 };

/* Whether both look at one target: their tags are equal, but for `input`, which tells instances of
 * one plugin apart. */
static bool is_beside(const struct ov_instance *a, const struct ov_instance *b)
{
    size_t same = 0, of_a = 0, of_b = 0;
    for (size_t i = 0; i < a->tags.count; i++) {
        of_a += strcmp(a->tags.items[i].name, "input") != 0;
        for (size_t j = 0; j < b->tags.count; j++)
            same += strcmp(a->tags.items[i].name, "input") != 0 &&
                    strcmp(a->tags.items[i].name, b->tags.items[j].name) == 0 &&
                    ov_slice_eq(a->tags.items[i].value, b->tags.items[j].value);
    }
    for (size_t j = 0; j < b->tags.count; j++)
        of_b += strcmp(b->tags.items[j].name, "input") != 0;
    return same == of_a && of_a == of_b;
}

struct ov_instance *ov_call_beside(struct ov_call *call, const char *plugin)
{
    struct ov_instance *only = NULL, *beside = NULL;
    size_t count = 0, matches = 0;
    for (size_t i = 0; i < call->settings->input_count; i++) {
        struct ov_instance *instance = &call->settings->inputs[i];
        if (strcmp(instance->plugin->name, plugin) != 0)
            continue;
        if (instance == call->own)
            return instance;
        only = instance;
        count++;
        if (is_beside(instance, call->own)) {
            beside = instance;
            matches++;
        }
    }
    if (count == 1 || matches == 1)
        return count == 1 ? only : beside;
    ov_buf_reset(&call->missing);
    if (count == 0)
        ov_buf_printf(&call->missing, "the configuration has no input `%s`", plugin);
    else
        ov_buf_printf(&call->missing, "there are %zu inputs `%s`, and not just one with the tags "
                      "of %s", count, plugin, call->own->name);
    return NULL;
}

/* Opens it once; false with the reason in ->why. */
static bool open_input(struct ov_call *call, struct ov_instance *instance)
{
    struct ov_called *called = &call->called[instance - call->settings->inputs];
    struct ov_buf why = {0};
    if (!called->input && !called->why) {
        called->input = ov_input_new(&call->world, instance, &why);
        if (called->input)
            ov_input_restore(called->input);
        else
            called->why = ov_strdup(ov_buf_text(&why));
    }
    ov_buf_free(&why);
    return called->input != NULL;
}

/* Long works go on as long as each exchange does; those have limits of their own. */
static void allow_time(struct ov_input *input)
{
    ov_host_set_deadline(ov_input_host(input), INT64_MAX / 2);
}

bool ov_call_open(struct ov_call *call, struct ov_instance *instance)
{
    bool open = open_input(call, instance);
    if (open)
        allow_time(call->called[instance - call->settings->inputs].input);
    return open;
}

static struct ov_called *find_called(struct ov_call *call, const char *plugin, const char **why)
{
    struct ov_instance *instance = ov_call_beside(call, plugin);
    *why = NULL;
    if (!instance) {
        *why = ov_buf_text(&call->missing);
        return NULL;
    }
    struct ov_called *called = &call->called[instance - call->settings->inputs];
    if (!open_input(call, instance))
        *why = called->why;
    return called->input ? called : NULL;
}

/* ---------------------------------------------------------------- gathering */

static bool shows_field(const struct ov_command *command, const struct ov_measurement *m,
                        unsigned field)
{
    struct ov_buf name = {0};
    bool shows = false;
    ov_buf_printf(&name, "%s.%s", m->name, m->fields[field].name);
    for (size_t i = 0; command->figures[i] && !shows; i++)
        shows = ov_glob(ov_slice(command->figures[i]), (struct ov_slice){name.data, name.len});
    ov_buf_free(&name);
    return shows;
}

bool ov_call_shows(const void *call, const struct ov_measurement *m, unsigned field)
{
    const struct ov_command *command = ((const struct ov_call *)call)->command;
    return !command->figures || shows_field(command, m, field);
}

/* Whether the command declares that it shows something the plugin measures. */
static bool shows_plugin(const struct ov_command *command, const struct ov_plugin *plugin)
{
    for (size_t i = 0; command->figures && plugin->measurements[i]; i++)
        for (unsigned f = 0; f < plugin->measurements[i]->field_count; f++)
            if (shows_field(command, plugin->measurements[i], f))
                return true;
    return false;
}

struct gathering {
    struct ov_instance *instance;
    struct ov_called *called;
    pthread_t thread;
};

static void *gather(void *context)
{
    struct gathering *g = context;
    int64_t timeout = g->instance->timeout_ms > 0 ? g->instance->timeout_ms : GATHER_MS;
    if (ov_input_gather_once(g->called->input, g->called->batch, ov_clock_ms() + timeout) != OV_OK)
        g->called->why = ov_strdup(ov_input_why(g->called->input));
    allow_time(g->called->input);
    return NULL;
}

/* All at once: the first in this thread. */
static void gather_all(struct gathering *all, size_t count)
{
    size_t started = 1;
    for (; started < count; started++)
        if (pthread_create(&all[started].thread, NULL, gather, &all[started]) != 0)
            break;
    gather(&all[0]);
    for (size_t i = started; i < count; i++)
        gather(&all[i]);
    for (size_t i = 1; i < started; i++)
        pthread_join(all[i].thread, NULL);
}

/* Gathers with `first`, and with what else the command shows figures of. */
static void gather_with(struct ov_call *call, struct ov_called *first)
{
    struct ov_settings *settings = call->settings;
    struct gathering *all = ov_calloc(settings->input_count, sizeof *all);
    size_t count = 0;
    ov_call_forget_findings(call);
    for (size_t i = 0; i < settings->input_count; i++) {
        struct ov_instance *instance = &settings->inputs[i];
        struct ov_called *called = &call->called[i];
        bool along = shows_plugin(call->command, instance->plugin) && !called->batch &&
                     ov_call_beside(call, instance->plugin->name) == instance &&
                     open_input(call, instance);
        if (called != first && !along)
            continue;
        called->batch = ov_batch_new(&instance->tags, ov_wall_ns());
        all[count++] = (struct gathering){.instance = instance, .called = called};
    }
    gather_all(all, count);
    free(all);
}

const struct ov_batch *ov_call_gather(struct ov_call *call, const char *plugin, const char **why)
{
    const char *reason;
    struct ov_called *called = find_called(call, plugin, &reason);
    if (called && !called->batch)
        gather_with(call, called);
    if (called)
        reason = called->why;
    if (why)
        *why = reason;
    return called ? called->batch : call->nothing;
}

void *ov_call_state(struct ov_call *call, const char *plugin, const char **why)
{
    struct ov_called *called = find_called(call, plugin, why);
    return called ? call->settings->inputs[called - call->called].state : NULL;
}

struct ov_host *ov_call_host(struct ov_call *call)
{
    return ov_input_host(call->called[call->own - call->settings->inputs].input);
}

void ov_call_refresh(struct ov_call *call)
{
    ov_call_forget_findings(call);
    ov_batch_free(call->held);
    call->held = NULL;
    for (size_t i = 0; i < call->settings->input_count; i++) {
        struct ov_called *called = &call->called[i];
        const struct ov_instance *instance = &call->settings->inputs[i];
        if (called->batch && !called->why && instance->plugin->idle)
            instance->plugin->idle(instance->state);
        ov_batch_free(called->batch);
        called->batch = NULL;
        if (called->input) {
            free(called->why);
            called->why = NULL;
        }
    }
}

