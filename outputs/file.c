/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The output `file`: samples as lines, appended to a file, a named pipe or standard output.
 *
 * A file that was moved or deleted (logrotate) is opened anew, without a signal; a reload (SIGHUP)
 * opens it anew too. With `rotate_size` it is moved away by this output itself: out, out.1, out.2
 * and so on, the oldest replaced; between records, never within one. Writing never
 * blocks for ever: what is not a regular file is polled first and given no more at once than a
 * pipe takes without blocking. A record that could be written in part only is remembered and
 * finished before anything else, so that no line is torn.
 *
 * Threads: encode's members and send's members are apart; nothing is shared but the options.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "csv.h"
#include "json_lines.h"
#include "line_protocol.h"
#include "omnivigil.h"
#include "records.h"

enum { RECORD_LINES = 1000, RECORD_BYTES = 64 * 1024, LOOK_MS = 1000 };
enum { MODE = 0640 };

struct file {
    /* options */
    char *path;
    int format;
    int64_t rotate_size, rotate_keep;

    /* encode's */
    struct ov_buf scratch;

    /* send's */
    struct ov_host *host;
    bool is_stdout;
    int fd; /* -1: not open */
    bool is_regular;
    dev_t device;
    ino_t inode;
    size_t header_done;  /* how much of the format's header is out */
    int64_t looked_ms;   /* when the path was last compared with what is open */
    struct ov_buf begun; /* a record of which `written` bytes are out; empty: none */
    size_t written;
};

enum { FORMAT_INFLUX, FORMAT_JSON, FORMAT_CSV };
static const char *const formats[] = {
    [FORMAT_INFLUX] = "influx", [FORMAT_JSON] = "json", [FORMAT_CSV] = "csv", NULL,
};
static records_writer *const writers[] = {line_write, json_line_write, csv_write};
static const char *const headers[] = {"", "", CSV_HEADER};

static const struct ov_option options[] = {
    {.name = "path", .type = OV_OPT_STRING, .offset = offsetof(struct file, path),
     .fallback = "-", .help = "file to append to, or `-` for standard output"},
    {.name = "format", .type = OV_OPT_ENUM, .offset = offsetof(struct file, format),
     .fallback = "influx", .choices = formats,
     .help = "influx: InfluxDB line protocol; json: one JSON object a line; csv: a line for each "
             "field"},
    {.name = "rotate_size", .type = OV_OPT_SIZE, .offset = offsetof(struct file, rotate_size),
     .min = 1024, .max = INT64_C(1) << 50,
     .help = "size a file must not pass: it is renamed to PATH.1, that to PATH.2 and so on; by "
             "default it grows without end"},
    {.name = "rotate_keep", .type = OV_OPT_INT, .offset = offsetof(struct file, rotate_keep),
     .fallback = "5", .min = 0, .max = 1000,
     .help = "how many of those are kept"},
    {0},
};

/* What is not there may be mounted by the time it is needed; more likely it is a slip. */
static void check_directory(const char *path, struct ov_check *check)
{
    const char *slash = strrchr(path, '/');
    struct stat st;
    if (!slash || slash == path)
        return;
    char *directory = ov_memdup(path, (size_t)(slash - path));
    if (stat(directory, &st) != 0 ? errno == ENOENT || errno == ENOTDIR : !S_ISDIR(st.st_mode))
        ov_check_warn(check, "path", "there is no directory %s: samples wait until there is one",
                      directory);
    free(directory);
}

static void file_check(void *state, struct ov_check *check)
{
    const struct file *file = state;
    if (!*file->path)
        ov_check_error(check, "path", "is empty: name a file, or `-` for standard output");
    if (file->rotate_size && strcmp(file->path, "-") == 0)
        ov_check_error(check, "rotate_size", "is for a file, not for standard output");
    check_directory(file->path, check);
}

/* Standard output as a description of our own where that can be had: non-blocking here must not
 * become non-blocking for those we share it with. */
static int stdout_open(void)
{
    struct stat st;
    int fd = -1;
    if (fstat(STDOUT_FILENO, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISCHR(st.st_mode)))
        fd = open("/proc/self/fd/1", O_WRONLY | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd >= 0 ? fd : fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
}

static void file_shut(struct file *file)
{
    if (file->fd >= 0)
        close(file->fd);
    file->fd = -1;
    ov_buf_reset(&file->begun); /* what comes next goes to another reader */
}

static int file_fail(struct file *file, const char *what)
{
    return ov_fail(file->host, "cannot %s %s: %s", what,
                   file->is_stdout ? "standard output" : file->path, strerror(errno));
}

static int file_start(struct file *file)
{
    struct stat st;
    if (file->fd >= 0)
        return OV_OK;
    file->fd = file->is_stdout ? stdout_open()
                               : open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK |
                                                  O_NOCTTY | O_CLOEXEC, MODE);
    if (file->fd < 0 || fstat(file->fd, &st) != 0) {
        int error = errno; /* kept for the caller */
        file_fail(file, "open");
        file_shut(file);
        errno = error;
        return OV_FAILED;
    }
    file->is_regular = S_ISREG(st.st_mode);
    file->header_done = file->is_regular && st.st_size > 0 ? strlen(headers[file->format]) : 0;
    file->device = st.st_dev;
    file->inode = st.st_ino;
    file->looked_ms = ov_clock_ms();
    return OV_OK;
}

/* Lets go of a file that is no longer what its path names. */
static void file_follow(struct file *file)
{
    struct stat st;
    if (file->fd < 0 || file->is_stdout || ov_clock_ms() - file->looked_ms < LOOK_MS)
        return;
    file->looked_ms = ov_clock_ms();
    bool there = stat(file->path, &st) == 0;
    if (there ? st.st_dev != file->device || st.st_ino != file->inode : errno == ENOENT)
        file_shut(file);
}

/* Moves PATH to PATH.1 and so on; what fails is told, and writing goes on where it is. */
static bool file_shift(struct file *file)
{
    struct ov_buf from = {0}, to = {0};
    bool good = true;
    for (int64_t n = file->rotate_keep; n > 0 && good; n--) {
        ov_buf_reset(&from);
        ov_buf_reset(&to);
        ov_buf_printf(&to, "%s.%jd", file->path, (intmax_t)n);
        ov_buf_str(&from, file->path);
        if (n > 1)
            ov_buf_printf(&from, ".%jd", (intmax_t)(n - 1));
        good = rename(ov_buf_text(&from), ov_buf_text(&to)) == 0 || (errno == ENOENT && n > 1);
    }
    if (file->rotate_keep == 0)
        good = unlink(file->path) == 0;
    if (good)
        ov_recovered(file->host, "rotate");
    else
        ov_problem(file->host, "rotate", "cannot rotate %s, which grows on: %s", file->path,
                   strerror(errno));
    ov_buf_free(&from);
    ov_buf_free(&to);
    return good;
}

/* Begins a new file where `more` bytes would make this one too large. */
static void file_rotate(struct file *file, size_t more)
{
    struct stat st;
    if (!file->rotate_size || file->fd < 0 || !file->is_regular || fstat(file->fd, &st) != 0 ||
        st.st_size == 0 || st.st_size + (int64_t)more <= file->rotate_size)
        return;
    file->looked_ms = INT64_MIN / 2; /* it must still be the file that the path names */
    file_follow(file);
    if (file->fd >= 0 && file_shift(file))
        file_shut(file);
}

/* Waits until something can be written without blocking. */
static int file_wait(struct file *file)
{
    struct pollfd fds[] = {
        {.fd = file->fd, .events = POLLOUT},
        {.fd = ov_host_stop_fd(file->host), .events = POLLIN},
    };
    int ready;
    do {
        int64_t left = ov_host_deadline(file->host) - ov_clock_ms();
        ready = poll(fds, OV_COUNT(fds), left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left);
    } while (ready < 0 && errno == EINTR);
    if (ready < 0)
        return file_fail(file, "wait for");
    if (fds[0].revents)
        return OV_OK;
    if (fds[1].revents)
        return ov_fail(file->host, "stopped before all was written");
    errno = ETIMEDOUT;
    return file_fail(file, "write to");
}

/* Writes from *done on, which it advances. */
static int file_write(struct file *file, struct ov_slice bytes, size_t *done)
{
    while (*done < bytes.len) {
        size_t size = bytes.len - *done;
        if (!file->is_regular) {
            if (file_wait(file) != OV_OK)
                return OV_FAILED;
            if (size > PIPE_BUF)
                size = PIPE_BUF;
        }
        ssize_t n = write(file->fd, bytes.ptr + *done, size);
        if (n >= 0) {
            *done += (size_t)n;
        } else if (errno != EINTR && (errno != EAGAIN || file->is_regular)) {
            bool reader_gone = errno == EPIPE;
            file_fail(file, "write to");
            if (reader_gone && !file->is_stdout)
                file_shut(file);
            return OV_FAILED;
        }
    }
    return OV_OK;
}

static int file_write_header(struct file *file)
{
    struct ov_slice header = ov_slice(headers[file->format]);
    return file_write(file, header, &file->header_done);
}

static int file_open(void *state, struct ov_host *host)
{
    struct file *file = state;
    file->host = host;
    file->fd = -1;
    file->is_stdout = strcmp(file->path, "-") == 0;
    if (file_start(file) != OV_OK && errno != ENXIO) /* a named pipe that nobody reads yet */
        ov_problem(host, "send", "cannot open %s: %s", file->path, strerror(errno));
    return OV_OK;
}

static void file_close(void *state)
{
    struct file *file = state;
    if (file->host)
        file_shut(file);
    ov_buf_free(&file->begun);
    ov_buf_free(&file->scratch);
}

static void file_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit)
{
    struct file *file = state;
    struct records_limits limits = {RECORD_LINES, RECORD_BYTES};
    records_emit(emit, batch, writers[file->format], limits, &file->scratch);
}

static enum ov_sent file_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome)
{
    struct file *file = state;
    (void)outcome; /* the core's backoff suits whatever ails a file */
    if (file->begun.len) {
        struct ov_slice begun = {file->begun.data, file->begun.len};
        /* else it was dropped in the meantime; or only its oldest lines were */
        bool same = bytes.len <= begun.len &&
                    memcmp(begun.ptr + begun.len - bytes.len, bytes.ptr, bytes.len) == 0;
        if (file_write(file, begun, &file->written) != OV_OK)
            return OV_RETRY;
        ov_buf_reset(&file->begun);
        if (same)
            return OV_SENT;
    }
    size_t done = 0;
    file_follow(file);
    file_rotate(file, bytes.len);
    if (file_start(file) != OV_OK || file_write_header(file) != OV_OK)
        return OV_RETRY;
    if (file_write(file, bytes, &done) == OV_OK)
        return OV_SENT;
    if (done && file->fd >= 0) {
        ov_buf_slice(&file->begun, bytes);
        file->written = done;
    }
    return OV_RETRY;
}

static void file_join(const void *state, size_t *samples, size_t *bytes)
{
    (void)state;
    *samples = RECORD_LINES;
    *bytes = RECORD_BYTES;
}

OV_PLUGIN = {
    OV_PLUGIN_HEAD,
    .name = "file",
    .summary = "appends samples to a file, a named pipe or standard output",
    .kind = OV_OUTPUT,
    .state_size = sizeof(struct file),
    .options = options,
    .check = file_check,
    .open = file_open,
    .close = file_close,
    .encode = file_encode,
    .send = file_send,
    .join = file_join,
};
