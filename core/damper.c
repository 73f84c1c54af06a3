/* SPDX-License-Identifier: Apache-2.0 */
/* A short list of the causes that are under way. A cause beyond the limit is folded into the one
 * named "others", so a source of ever new causes is bounded in lines and in memory. */
#include <pthread.h>
#include <stdlib.h>

#include "damper.h"
#include "log.h"

enum { CAUSES_MAX = 64, SUMMARY_MS = 60000 };

struct fault {
    char *cause;
    int64_t began_ms, logged_ms;
    uint64_t count;    /* since it began */
    uint64_t unlogged; /* since the last line */
};

struct ov_damper {
    char *who;
    pthread_mutex_t lock; /* covers all below */
    struct fault faults[CAUSES_MAX + 1];
    size_t fault_count;
};

struct ov_damper *ov_damper_new(const char *who)
{
    struct ov_damper *damper = ov_calloc(1, sizeof *damper);
    damper->who = ov_strdup(who);
    pthread_mutex_init(&damper->lock, NULL);
    return damper;
}

void ov_damper_free(struct ov_damper *damper)
{
    if (!damper)
        return;
    for (size_t i = 0; i < damper->fault_count; i++)
        free(damper->faults[i].cause);
    pthread_mutex_destroy(&damper->lock);
    free(damper->who);
    free(damper);
}

static struct fault *find_locked(struct ov_damper *damper, const char *cause)
{
    for (size_t i = 0; i < damper->fault_count; i++)
        if (strcmp(damper->faults[i].cause, cause) == 0)
            return &damper->faults[i];
    return NULL;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

static void report_locked(struct ov_damper *damper, const char *cause, const char *text,
                          int64_t now_ms)
{
    struct fault *f = find_locked(damper, cause);
    if (!f && damper->fault_count >= CAUSES_MAX) {
        cause = "others";
        f = find_locked(damper, cause);
    }
    if (!f) {
        f = &damper->faults[damper->fault_count++];
        *f = (struct fault){.cause = ov_strdup(cause), .began_ms = now_ms, .logged_ms = now_ms,
                            .count = 1};
        ov_log_line(OV_ERROR, damper->who, "%s", text);
        return;
    }
    f->count++;
    f->unlogged++;
    if (now_ms - f->logged_ms >= SUMMARY_MS) {
        ov_log_line(OV_ERROR, damper->who, "%s (%ju time%s more in the last %jd s)", text,
                    (uintmax_t)f->unlogged, plural(f->unlogged),
                    (intmax_t)((now_ms - f->logged_ms) / 1000));
        f->logged_ms = now_ms;
        f->unlogged = 0;
    }
}

void ov_damper_report(struct ov_damper *damper, const char *cause, const char *text,
                      int64_t now_ms)
{
    pthread_mutex_lock(&damper->lock);
    report_locked(damper, cause, text, now_ms);
    pthread_mutex_unlock(&damper->lock);
}

void ov_damper_over(struct ov_damper *damper, const char *cause, int64_t now_ms)
{
    pthread_mutex_lock(&damper->lock);
    struct fault *f = find_locked(damper, cause);
    if (f) {
        struct ov_buf lasted = {0};
        ov_buf_duration(&lasted, now_ms - f->began_ms);
        ov_log_line(OV_INFO, damper->who, "%s: well again after %s (%ju time%s)", f->cause,
                    ov_buf_text(&lasted), (uintmax_t)f->count, plural(f->count));
        ov_buf_free(&lasted);
        free(f->cause);
        *f = damper->faults[--damper->fault_count];
    }
    pthread_mutex_unlock(&damper->lock);
}
