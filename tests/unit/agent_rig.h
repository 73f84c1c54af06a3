/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An agent in a process of its own, with plugins that are linked in and obey the test through
 * shared memory:
 *
 *     probe   an input that counts its gathers: the sample `probe,name=NAME count=N`
 *     sink    an output that writes samples as such lines and keeps what it was sent
 *
 * The option `slot` tells which of the rig's probes or sinks an instance is.
 */
#ifndef AGENT_RIG_H
#define AGENT_RIG_H

#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent.h"
#include "omnivigil.h"
#include "plugin.h"

enum sink_mode {
    SINK_TAKES, SINK_RETRIES, SINK_REJECTS, SINK_SUPERSEDES, SINK_HANGS, SINK_DEAF,
};
enum { RIG_SLOTS = 3, RIG_TEXT = 1 << 19 };

struct rig {
    struct rig_probe {
        atomic_int takes_ms, fails, deaf; /* deaf: the next gather never ends */
        atomic_int runs;
    } probes[RIG_SLOTS];
    struct rig_sink {
        atomic_int mode, takes_ms;
        atomic_llong retry_ms;
        atomic_int sends;
        atomic_size_t len;
        char text[RIG_TEXT];
    } sinks[RIG_SLOTS];
};

static struct rig *rig;

/* ---------------------------------------------------------------- the plugins */

struct probe {
    int64_t slot, count;
    bool refuses; /* to open */
    struct ov_host *host;
};
static const struct ov_option probe_options[] = {
    {.name = "slot", .type = OV_OPT_INT, .offset = offsetof(struct probe, slot),
     .fallback = "0", .max = RIG_SLOTS - 1},
    {.name = "refuses", .type = OV_OPT_BOOL, .offset = offsetof(struct probe, refuses),
     .fallback = "false"},
    {0},
};
static const char *const probe_tags[] = {"name"};
static const struct ov_field probe_fields[] = {{"count", OV_INT, OV_COUNTER, "", "Gathers."}};
static const struct ov_measurement probe_measurement = {
    "probe", "", probe_tags, probe_fields, OV_COUNT(probe_tags), OV_COUNT(probe_fields),
};
static const struct ov_measurement *const probe_measurements[] = {&probe_measurement, NULL};

static int probe_open(void *state, struct ov_host *host)
{
    struct probe *probe = state;
    probe->host = host;
    return probe->refuses ? ov_fail(host, "does not want to") : OV_OK;
}

static void instance_close(void *state)
{
    (void)state;
}

/* Sleeps; a stop ends it early. */
static void rig_sleep(struct ov_host *host, int ms)
{
    struct pollfd stop = {.fd = ov_host_stop_fd(host), .events = POLLIN};
    if (ms)
        poll(&stop, 1, ms);
}

static int probe_gather(void *state, struct ov_batch *batch)
{
    struct probe *probe = state;
    struct rig_probe *told = &rig->probes[probe->slot];
    told->runs++;
    while (told->deaf)
        poll(NULL, 0, 60000);
    rig_sleep(probe->host, told->takes_ms);
    struct ov_sample *s = ov_batch_add(batch, &probe_measurement);
    ov_sample_tag(batch, s, 0, ov_slice(ov_host_name(probe->host)));
    ov_sample_int(s, 0, ++probe->count);
    return told->fails ? ov_fail(probe->host, "fails as told") : OV_OK;
}

static void probe_save(void *state, struct ov_buf *out)
{
    const struct probe *probe = state;
    ov_buf_printf(out, "count %jd\n", (intmax_t)probe->count);
}

static int probe_load(void *state, struct ov_slice saved)
{
    struct probe *probe = state;
    char *text = ov_memdup(saved.ptr, saved.len);
    bool good = sscanf(text, "count %jd\n", (intmax_t *)&probe->count) == 1;
    free(text);
    return good ? OV_OK : ov_fail(probe->host, "no count in it");
}

struct sink {
    int64_t slot;
    struct ov_host *host;
};
static const struct ov_option sink_options[] = {
    {.name = "slot", .type = OV_OPT_INT, .offset = offsetof(struct sink, slot),
     .fallback = "0", .max = RIG_SLOTS - 1},
    {0},
};

static int sink_open(void *state, struct ov_host *host)
{
    struct sink *sink = state;
    sink->host = host;
    return OV_OK;
}

static void sink_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    struct ov_buf line = {0};
    (void)state;
    for (const struct ov_sample *s = ov_batch_first(batch); s; s = s->next) {
        const struct ov_measurement *m = s->measurement;
        ov_buf_reset(&line);
        ov_buf_str(&line, m->name);
        for (unsigned i = 0; i < m->tag_count; i++)
            ov_buf_printf(&line, ",%s=%.*s", m->tags[i], (int)s->tags[i].len, s->tags[i].ptr);
        for (unsigned i = 0; i < m->field_count; i++) {
            const struct ov_field *f = &m->fields[i];
            if (s->present >> i & 1 && (f->type == OV_INT || f->type == OV_BOOL))
                ov_buf_printf(&line, " %s=%jd", f->name,
                              f->type == OV_INT ? (intmax_t)s->values[i].integer
                                                : s->values[i].boolean);
        }
        ov_buf_char(&line, '\n');
        ov_emit(emit, line.data, line.len, 1);
    }
    ov_buf_free(&line);
}

static enum ov_sent sink_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    struct sink *sink = state;
    struct rig_sink *told = &rig->sinks[sink->slot];
    told->sends++;
    while (told->mode == SINK_DEAF)
        poll(NULL, 0, 60000);
    rig_sleep(sink->host, told->mode == SINK_HANGS ? 60000 : told->takes_ms);
    ov_fail(sink->host, "refused as told");
    outcome->retry_ms = told->retry_ms;
    if (told->mode == SINK_RETRIES || told->mode == SINK_HANGS)
        return OV_RETRY;
    if (told->mode == SINK_REJECTS)
        return OV_REJECTED;
    if (told->mode == SINK_SUPERSEDES)
        return OV_SUPERSEDED;
    if (told->len + bytes.len >= RIG_TEXT)
        abort();
    memcpy(told->text + told->len, bytes.ptr, bytes.len);
    told->len += bytes.len;
    return OV_SENT;
}

static const struct ov_plugin rig_plugins[] = {
    {OV_PLUGIN_HEAD, .name = "probe", .summary = "", .kind = OV_INPUT,
     .state_size = sizeof(struct probe), .options = probe_options,
     .measurements = probe_measurements, .open = probe_open, .close = instance_close,
     .gather = probe_gather, .save = probe_save, .load = probe_load},
    {OV_PLUGIN_HEAD, .name = "sink", .summary = "", .kind = OV_OUTPUT,
     .state_size = sizeof(struct sink), .options = sink_options, .open = sink_open,
     .close = instance_close, .encode = sink_encode, .send = sink_send},
};

/* In the place of core/plugin.c. */
struct ov_plugins {
    char *dir;
};

struct ov_plugins *ov_plugins_new(const char *dir)
{
    struct ov_plugins *plugins = ov_malloc(sizeof *plugins);
    plugins->dir = ov_strdup(dir);
    return plugins;
}

void ov_plugins_free(struct ov_plugins *plugins)
{
    if (plugins)
        free(plugins->dir);
    free(plugins);
}

const char *ov_plugins_dir(const struct ov_plugins *plugins)
{
    return plugins->dir;
}

const struct ov_plugin *ov_plugins_load(struct ov_plugins *plugins, const char *name,
                                        struct ov_buf *why)
{
    (void)plugins;
    for (size_t i = 0; i < OV_COUNT(rig_plugins); i++)
        if (strcmp(rig_plugins[i].name, name) == 0)
            return &rig_plugins[i];
    ov_buf_printf(why, "%s: no such plugin", name);
    return NULL;
}

char **ov_plugins_list(struct ov_plugins *plugins, size_t *count)
{
    (void)plugins;
    *count = 0;
    return NULL;
}

/* ---------------------------------------------------------------- the agent */

static char rig_dir[] = "/tmp/omnivigil-agent-XXXXXX";
static pid_t rig_child;

static inline const char *rig_path(const char *name)
{
    static char path[128];
    snprintf(path, sizeof path, "%s/%s", rig_dir, name);
    return path;
}

/* Writes the configuration: the agent's options (besides those all tests need), inputs, outputs. */
static inline void rig_configure(const char *agent, const char *inputs, const char *outputs)
{
    FILE *file = fopen(rig_path("config.yaml"), "w");
    if (!file)
        abort();
    fprintf(file, "agent: {interval: 100ms, state_dir: %s/state, env_file: \"\", %s}\n", rig_dir,
            agent);
    fprintf(file, "inputs: [%s]\noutputs: [%s]\n", inputs, outputs);
    fclose(file);
}

/* Starts the agent with everything as at first; its log goes to a file. */
static inline void rig_start(void)
{
    sigset_t before;
    memset(rig, 0, sizeof *rig);
    fflush(NULL);
    sigprocmask(SIG_SETMASK, NULL, &before);
    ov_agent_block_signals(); /* as main does first of all */
    rig_child = fork();
    if (rig_child != 0) {
        sigprocmask(SIG_SETMASK, &before, NULL);
        return;
    }
    int log = open(rig_path("log"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
    dup2(log, STDERR_FILENO);
    close(log);
    exit(ov_agent_run(rig_path("config.yaml"), NULL, 0));
}

/* Waits for the agent's end; its exit status, or -1 after `ms` (it is killed then), or -signal. */
static inline int rig_wait(int64_t ms)
{
    int64_t until = ov_clock_ms() + ms;
    int status = 0;
    while (waitpid(rig_child, &status, WNOHANG) == 0) {
        if (ov_clock_ms() >= until) {
            kill(rig_child, SIGKILL);
            waitpid(rig_child, &status, 0);
            status = -1;
            break;
        }
        poll(NULL, 0, 5);
    }
    rig_child = 0;
    return status < 0 ? -1 : WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static inline int rig_stop(int64_t ms)
{
    kill(rig_child, SIGTERM);
    return rig_wait(ms);
}

static inline const char *rig_log(void)
{
    static char text[1 << 18];
    int fd = open(rig_path("log"), O_RDONLY);
    ssize_t len = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    text[len > 0 ? len : 0] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static inline size_t count_in(const char *text, const char *what)
{
    size_t count = 0;
    for (; (text = strstr(text, what)); text++)
        count++;
    return count;
}

static inline bool rig_wait_log(const char *what, size_t times, int64_t ms)
{
    for (int64_t until = ov_clock_ms() + ms; count_in(rig_log(), what) < times; poll(NULL, 0, 5))
        if (ov_clock_ms() >= until)
            return false;
    return true;
}

/* Waits until a number of the rig is at least `least`. */
static inline bool rig_wait_number(const atomic_int *number, int least, int64_t ms)
{
    for (int64_t until = ov_clock_ms() + ms; *number < least; poll(NULL, 0, 5))
        if (ov_clock_ms() >= until)
            return false;
    return true;
}

/* The value of a field in a line; -1 for none. */
static inline intmax_t line_value(const char *line, const char *field)
{
    char name[64];
    int len = snprintf(name, sizeof name, " %s=", field);
    const char *value = strstr(line, name);
    return value && !memchr(line, '\n', (size_t)(value - line))
               ? strtoimax(value + len, NULL, 10) : -1;
}

/* The same in the newest line a sink took that begins with `line`. */
static inline intmax_t sink_value(int slot, const char *line, const char *field)
{
    const char *text = rig->sinks[slot].text, *newest = NULL;
    for (const char *at = text; (at = strstr(at, line)); at++)
        if (at == text || at[-1] == '\n')
            newest = at;
    return newest ? line_value(newest, field) : -1;
}

static inline bool sink_wait_value(int slot, const char *line, const char *field, intmax_t least,
                                   int64_t ms)
{
    for (int64_t until = ov_clock_ms() + ms; sink_value(slot, line, field) < least;
         poll(NULL, 0, 5))
        if (ov_clock_ms() >= until)
            return false;
    return true;
}

#endif
