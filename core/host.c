/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance's line to the core.
 *
 * Threads: the error text belongs to the thread that runs the instance; the stop flag and the
 * deadline are atomic; the log and the damper have locks of their own.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "damper.h"
#include "host.h"
#include "log.h"

struct ov_host {
    char *name, *module_dir;
    bool repeats;
    ov_wants_fn *wants;
    const void *wants_context;
    int stop_fd;
    atomic_bool stopping;
    _Atomic int64_t deadline_ms;
    struct ov_damper *damper;
    struct ov_buf why;
};

struct ov_host *ov_host_new(const char *name, const char *module_dir, bool repeats)
{
    struct ov_host *host = ov_calloc(1, sizeof *host);
    host->name = ov_strdup(name);
    host->module_dir = ov_strdup(module_dir);
    host->repeats = repeats;
    host->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    host->deadline_ms = INT64_MAX;
    host->damper = ov_damper_new(name);
    return host;
}

void ov_host_free(struct ov_host *host)
{
    if (!host)
        return;
    if (host->stop_fd >= 0)
        close(host->stop_fd);
    ov_damper_free(host->damper);
    ov_buf_free(&host->why);
    free(host->name);
    free(host->module_dir);
    free(host);
}

void ov_host_set_wants(struct ov_host *host, ov_wants_fn *wants, const void *context)
{
    host->wants = wants;
    host->wants_context = context;
}

bool ov_host_wants(const struct ov_host *host, const struct ov_measurement *m, unsigned field)
{
    return !host->wants || host->wants(host->wants_context, m, field);
}

void ov_host_set_deadline(struct ov_host *host, int64_t deadline_ms)
{
    host->deadline_ms = deadline_ms;
}

void ov_host_stop(struct ov_host *host)
{
    host->stopping = true;
    if (host->stop_fd >= 0)
        eventfd_write(host->stop_fd, 1);
}

const char *ov_host_why(const struct ov_host *host)
{
    return host->why.len ? host->why.data : "";
}

void ov_host_clear(struct ov_host *host)
{
    ov_buf_reset(&host->why);
}

const char *ov_host_name(const struct ov_host *host)
{
    return host->name;
}

void ov_log(struct ov_host *host, enum ov_level level, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ov_log_vline(level, host->name, format, args);
    va_end(args);
}

void ov_problem(struct ov_host *host, const char *cause, const char *format, ...)
{
    struct ov_buf text = {0};
    va_list args;
    va_start(args, format);
    ov_buf_vprintf(&text, format, args);
    va_end(args);
    ov_damper_report(host->damper, cause, ov_buf_text(&text), ov_clock_ms());
    ov_buf_free(&text);
}

void ov_recovered(struct ov_host *host, const char *cause)
{
    ov_damper_over(host->damper, cause, ov_clock_ms());
}

int ov_fail(struct ov_host *host, const char *format, ...)
{
    struct ov_buf text = {0}; /* the arguments may come from the old text */
    va_list args;
    va_start(args, format);
    ov_buf_vprintf(&text, format, args);
    va_end(args);
    ov_buf_text(&text);
    ov_buf_free(&host->why);
    host->why = text;
    return OV_FAILED;
}

int ov_host_stop_fd(const struct ov_host *host)
{
    return host->stop_fd;
}

bool ov_host_stopping(const struct ov_host *host)
{
    return host->stopping;
}

int64_t ov_host_deadline(const struct ov_host *host)
{
    return host->deadline_ms;
}

bool ov_host_repeats(const struct ov_host *host)
{
    return host->repeats;
}

void *ov_host_module(struct ov_host *host, const char *name, const char *symbol)
{
    struct ov_buf path = {0};
    ov_buf_printf(&path, "%s/%s.mod.so", host->module_dir, name);
    /* Bound at once is what the module itself asks for, by how it is linked; lazily what the many
     * libraries behind it ask of one another: a check has no time for that. */
    void *found = NULL, *module = dlopen(ov_buf_text(&path), RTLD_LAZY | RTLD_LOCAL);
    if (module)
        found = dlsym(module, symbol);
    if (!found)
        ov_fail(host, "cannot load the module `%s`: %s", name, dlerror());
    ov_buf_free(&path);
    return found;
}
