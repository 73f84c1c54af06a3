/* SPDX-License-Identifier: Apache-2.0 */
/*
 *     T topic agent received processed failed window     an agent
 *     X topic agent error_type failed                    its failures of one type
 *     N newest_ms
 */
#include <stdlib.h>

#include "savefile.h"
#include "tasks.h"

/* What is beyond these counts as "other": names come from outside, memory does not. */
enum { AGENTS_MAX = 100000, ERROR_TYPES_MAX = 50 /* of one agent */ };

/* A name of two parts, the first with its length before it: any bytes may be in both. */
static struct ov_slice failures_key(struct tasks *tasks, struct ov_slice agent,
                                    struct ov_slice error_type)
{
    uint32_t len = (uint32_t)agent.len;
    ov_buf_reset(&tasks->key);
    ov_buf_add(&tasks->key, &len, sizeof len);
    ov_buf_slice(&tasks->key, agent);
    ov_buf_slice(&tasks->key, error_type);
    return (struct ov_slice){tasks->key.data, tasks->key.len};
}

void tasks_failures_name(const struct tasks_failures *failures, struct ov_slice *agent,
                         struct ov_slice *error_type)
{
    uint32_t len;
    struct ov_slice key = failures->name.b;
    memcpy(&len, key.ptr, sizeof len);
    *agent = (struct ov_slice){key.ptr + sizeof len, len};
    *error_type = (struct ov_slice){agent->ptr + len, key.len - sizeof len - len};
}

static struct tasks_failures *failures_of(struct tasks *tasks, struct tasks_agent *agent,
                                          struct ov_slice error_type)
{
    struct ov_slice key = failures_key(tasks, agent->name.b, error_type);
    struct tasks_failures *known = pairs_find(&tasks->failures, agent->name.a, key);
    if (known)
        return known;
    if (agent->error_types < ERROR_TYPES_MAX)
        agent->error_types++;
    else
        key = failures_key(tasks, agent->name.b, OV_SLICE("other"));
    return pairs_add(&tasks->failures, agent->name.a, key, sizeof *known);
}

static struct sketch *window_of(struct tasks_agent *agent)
{
    if (!agent->window)
        agent->window = ov_calloc(1, sizeof *agent->window);
    return agent->window;
}

void tasks_count(struct tasks *tasks, const struct event *event, int64_t at_ms)
{
    if (event->kind < EVENT_TASK_RECEIVED || event->kind > EVENT_TASK_FAILED)
        return;
    bool full = tasks->agents.count >= AGENTS_MAX &&
                !pairs_find(&tasks->agents, event->topic, event->agent);
    struct tasks_agent *agent = pairs_add(&tasks->agents, full ? OV_SLICE("other") : event->topic,
                                          full ? OV_SLICE("other") : event->agent, sizeof *agent);
    if (at_ms > tasks->newest_ms)
        tasks->newest_ms = at_ms;
    if (event->kind == EVENT_TASK_RECEIVED) {
        agent->received++;
    } else if (event->kind == EVENT_TASK_PROCESSED) {
        agent->processed++;
        sketch_processed(window_of(agent), tasks->window_ms, at_ms, event->processing_time_sec);
    } else {
        struct ov_slice type = event->error_type;
        agent->failed++;
        failures_of(tasks, agent, type.len ? type : OV_SLICE("unknown"))->failed++;
        sketch_failed(window_of(agent), tasks->window_ms, at_ms);
    }
}

const struct tasks_agent *tasks_find(const struct tasks *tasks, struct ov_slice topic,
                                     struct ov_slice agent)
{
    return pairs_find(&tasks->agents, topic, agent);
}

/* ---------------------------------------------------------------- saved state */

void tasks_save(const struct tasks *tasks, struct ov_buf *out)
{
    save_tag(out, "N");
    save_int(out, tasks->newest_ms);
    save_end(out);
    for (size_t i = 0; i < tasks->agents.count; i++) {
        const struct tasks_agent *agent = (const struct tasks_agent *)tasks->agents.entries[i];
        save_tag(out, "T");
        save_name(out, agent->name.a);
        save_name(out, agent->name.b);
        save_uint(out, agent->received);
        save_uint(out, agent->processed);
        save_uint(out, agent->failed);
        ov_buf_char(out, ' ');
        if (agent->window)
            sketch_write(agent->window, out);
        else
            ov_buf_char(out, '-');
        save_end(out);
    }
    for (size_t i = 0; i < tasks->failures.count; i++) {
        const struct tasks_failures *f = (const struct tasks_failures *)tasks->failures.entries[i];
        struct ov_slice agent, error_type;
        tasks_failures_name(f, &agent, &error_type);
        save_tag(out, "X");
        save_name(out, f->name.a);
        save_name(out, agent);
        save_name(out, error_type);
        save_uint(out, f->failed);
        save_end(out);
    }
}

static bool load_agent(struct tasks *tasks, struct ov_slice line, struct ov_buf names[3])
{
    uint64_t received, processed, failed;
    struct ov_slice window;
    if (!saved_name(&line, &names[0]) || !saved_name(&line, &names[1]) ||
        !saved_uint(&line, &received) || !saved_uint(&line, &processed) ||
        !saved_uint(&line, &failed) || !saved_word(&line, &window))
        return false;
    struct tasks_agent *agent = pairs_add(
        &tasks->agents, (struct ov_slice){names[0].data, names[0].len},
        (struct ov_slice){names[1].data, names[1].len}, sizeof *agent);
    agent->received = received;
    agent->processed = processed;
    agent->failed = failed;
    return ov_slice_eq(window, OV_SLICE("-")) || sketch_read(window_of(agent), window);
}

static bool load_failures(struct tasks *tasks, struct ov_slice line, struct ov_buf names[3])
{
    uint64_t failed;
    if (!saved_name(&line, &names[0]) || !saved_name(&line, &names[1]) ||
        !saved_name(&line, &names[2]) || !saved_uint(&line, &failed))
        return false;
    struct tasks_agent *agent = pairs_add(
        &tasks->agents, (struct ov_slice){names[0].data, names[0].len},
        (struct ov_slice){names[1].data, names[1].len}, sizeof *agent);
    failures_of(tasks, agent, (struct ov_slice){names[2].data, names[2].len})->failed = failed;
    return true;
}

bool tasks_load_line(struct tasks *tasks, struct ov_slice line, bool *damaged)
{
    struct ov_buf names[3] = {{0}, {0}, {0}};
    struct ov_slice tag;
    bool mine = true, good = true;
    if (!saved_word(&line, &tag))
        return false;
    if (ov_slice_eq(tag, OV_SLICE("T")))
        good = load_agent(tasks, line, names);
    else if (ov_slice_eq(tag, OV_SLICE("X")))
        good = load_failures(tasks, line, names);
    else if (ov_slice_eq(tag, OV_SLICE("N")))
        good = saved_int(&line, &tasks->newest_ms);
    else
        mine = false;
    for (size_t i = 0; i < 3; i++)
        ov_buf_free(&names[i]);
    *damaged = *damaged || !good;
    return mine && good;
}

static void free_window(void *entry)
{
    struct tasks_agent *agent = entry;
    if (agent->window)
        sketch_free(agent->window);
    free(agent->window);
}

void tasks_free(struct tasks *tasks)
{
    pairs_free(&tasks->agents, free_window);
    pairs_free(&tasks->failures, NULL);
    ov_buf_free(&tasks->key);
}
