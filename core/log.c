/* SPDX-License-Identifier: Apache-2.0 */
/* One line a call, built whole and written with one write, so that threads and processes that
 * share a log do not mix their lines. */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* A pipe takes this much at once or not at all, so a full one is noticed before it blocks. */
enum { LINE_MAX_BYTES = 4096 };

/* Covers the room that poll saw until write has used it: another line would block there. */
static pthread_mutex_t log_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int log_level = OV_INFO;
static atomic_bool log_json;
static atomic_bool log_journal;

static const char *const level_names[] = {"error", "warning", "info", "debug"};
static const int journal_priorities[] = {3, 4, 6, 7};

/* systemd names the socket it gave us as stderr by device and inode. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat st;
    char expected[64];
    if (!stream || fstat(STDERR_FILENO, &st) != 0)
        return false;
    snprintf(expected, sizeof expected, "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
    return strcmp(stream, expected) == 0;
}

void ov_log_setup(enum ov_level level, bool json)
{
    log_level = level;
    log_json = json;
    log_journal = stderr_is_journal();
}

static void time_add(struct ov_buf *line)
{
    int64_t now = ov_wall_ns();
    time_t seconds = (time_t)(now / 1000000000);
    struct tm utc;
    char text[32];
    gmtime_r(&seconds, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &utc);
    ov_buf_printf(line, "%s.%03dZ", text, (int)(now % 1000000000 / 1000000));
}

static void line_write(struct ov_buf *line)
{
    struct pollfd ready = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (line->len > LINE_MAX_BYTES - 1) {
        line->len = LINE_MAX_BYTES - 1;
        while ((line->data[line->len] & 0xc0) == 0x80) /* not in the middle of a character */
            line->len--;
    }
    ov_buf_char(line, '\n');
    pthread_mutex_lock(&log_lock);
    if (poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT)) {
        ssize_t written = write(STDERR_FILENO, line->data, line->len);
        (void)written; /* there is nowhere left to say so */
    }
    pthread_mutex_unlock(&log_lock);
}

/* Cuts the message until the object is whole within a line. */
static void json_add(struct ov_buf *line, enum ov_level level, const char *who,
                     struct ov_slice message)
{
    if (message.len > LINE_MAX_BYTES)
        message.len = LINE_MAX_BYTES;
    for (;; message.len /= 2) {
        ov_buf_reset(line);
        ov_buf_str(line, "{\"time\":\"");
        time_add(line);
        ov_buf_printf(line, "\",\"level\":\"%s\",\"from\":", level_names[level]);
        ov_buf_json(line, ov_slice(who ? who : "omnivigil"));
        ov_buf_str(line, ",\"message\":");
        ov_buf_json(line, message);
        ov_buf_char(line, '}');
        if (line->len < LINE_MAX_BYTES || message.len == 0)
            return;
    }
}

static void text_add(struct ov_buf *line, enum ov_level level, const char *who,
                     struct ov_slice message)
{
    if (log_journal) {
        ov_buf_printf(line, "<%d>", journal_priorities[level]);
    } else {
        time_add(line);
        ov_buf_printf(line, " %s ", level_names[level]);
    }
    if (who)
        ov_buf_printf(line, "%s: ", who);
    ov_buf_escaped(line, message);
}

void ov_log_vline(enum ov_level level, const char *who, const char *format, va_list args)
{
    if ((int)level > log_level)
        return;
    int saved = errno;
    struct ov_buf text = {0}, line = {0};
    ov_buf_vprintf(&text, format, args);
    struct ov_slice message = {text.data, text.len};
    if (log_json)
        json_add(&line, level, who, message);
    else
        text_add(&line, level, who, message);
    line_write(&line);
    ov_buf_free(&text);
    ov_buf_free(&line);
    errno = saved;
}

void ov_log_line(enum ov_level level, const char *who, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    ov_log_vline(level, who, format, args);
    va_end(args);
}

void ov_buf_duration(struct ov_buf *buf, int64_t ms)
{
    int64_t s = ms / 1000;
    if (ms < 1000)
        ov_buf_printf(buf, "%jd ms", (intmax_t)ms);
    else if (s < 60)
        ov_buf_printf(buf, "%jd s", (intmax_t)s);
    else if (s < 3600)
        ov_buf_printf(buf, "%jd min %jd s", (intmax_t)(s / 60), (intmax_t)(s % 60));
    else if (s < 86400)
        ov_buf_printf(buf, "%jd h %jd min", (intmax_t)(s / 3600), (intmax_t)(s / 60 % 60));
    else
        ov_buf_printf(buf, "%jd d %jd h", (intmax_t)(s / 86400), (intmax_t)(s / 3600 % 24));
}
