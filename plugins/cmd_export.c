/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command `bus dlq export`: dead letters as lines of JSON, exactly as they stand in Redis:
 *
 *     {"key": "omni-dlq:group:t:a", "id": "1700000000000-0", "fields": ["data", "{...}"]}
 *
 * `fields` is what XRANGE answers. Where it is no valid UTF-8, "encoding": "latin-1" follows, and
 * each character stands for one byte.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dlq.h"
#include "utf8.h"

enum { FLAG_OUTPUT = DLQ_FLAG_OWN };
static const struct ov_flag flags[] = {
    DLQ_CHOICE_FLAGS,
    [FLAG_OUTPUT] = {.name = "output", .letter = 'o', .value = "FILE",
                     .help = "write to this new file, which nobody else may read; else to the "
                             "standard output"},
    {.name = NULL},
};

struct run {
    struct ov_call *call;
    struct dlq dlq;
    struct dlq_choice choice;
    const char *path;         /* NULL: standard output */
    int fd;
    struct ov_buf lines;
    int64_t written;
    int error;                /* of a failed write */
};

static bool is_utf8(struct ov_slice text)
{
    for (size_t at = 0, len; at < text.len; at += len)
        if ((len = ov_utf8_len(text.ptr + at, text.len - at)) == 0)
            return false;
    return true;
}

/* Each byte as the character of that number. */
static void put_latin_1(struct ov_buf *out, struct ov_slice text)
{
    struct ov_buf wide = {0};
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c < 0x80) {
            ov_buf_char(&wide, (char)c);
        } else {
            ov_buf_char(&wide, (char)(0xc0 | c >> 6));
            ov_buf_char(&wide, (char)(0x80 | (c & 0x3f)));
        }
    }
    ov_buf_json(out, (struct ov_slice){wide.data, wide.len});
    ov_buf_free(&wide);
}

static void write_lines(struct run *run)
{
    size_t at = 0;
    while (at < run->lines.len && !run->error) {
        ssize_t n = write(run->fd, run->lines.data + at, run->lines.len - at);
        if (n < 0 && errno != EINTR)
            run->error = errno;
        at += n > 0 ? (size_t)n : 0;
    }
    ov_buf_reset(&run->lines);
}

static bool put_entry(void *context, const struct dlq_entry *entry)
{
    struct run *run = context;
    struct ov_buf *out = &run->lines;
    bool plain = is_utf8(entry->queue->key);
    char id[48];
    for (size_t i = 0; i < entry->fields->count; i++)
        plain = plain && is_utf8(entry->fields->items[i].text);
    void (*put)(struct ov_buf *, struct ov_slice) = plain ? ov_buf_json : put_latin_1;
    ov_buf_str(out, "{\"key\": ");
    put(out, entry->queue->key);
    ov_buf_str(out, ", \"id\": ");
    put(out, redis_id_text(entry->id, id));
    ov_buf_str(out, ", \"fields\": [");
    for (size_t i = 0; i < entry->fields->count; i++) {
        ov_buf_str(out, i ? ", " : "");
        put(out, entry->fields->items[i].text);
    }
    ov_buf_printf(out, "]%s}\n", plain ? "" : ", \"encoding\": \"latin-1\"");
    run->written++;
    return true;
}

static bool between_steps(void *context)
{
    struct run *run = context;
    write_lines(run);
    return !run->error;
}

static int write_failed(struct run *run, int error)
{
    if (!run->path)
        return ov_call_unable(run->call, "standard output: %s", strerror(error));
    unlink(run->path); /* a part of the dead letters might be taken for all */
    return ov_call_unable(run->call, "%s: %s; it is removed again", run->path, strerror(error));
}

static int export(struct run *run)
{
    struct dlq_walk walk = {.choice = &run->choice, .fn = put_entry, .between = between_steps,
                            .context = run, .what = run->path ? "dead letters" : NULL};
    int status = OV_EXIT_FINE;
    if (run->choice.match.ptr)
        status = dlq_explain(&run->dlq, &walk);
    if (status == OV_EXIT_FINE)
        status = dlq_each(&run->dlq, &walk);
    if (run->path && status == OV_EXIT_FINE && !run->error && fsync(run->fd) != 0)
        run->error = errno;
    if (run->error)
        return write_failed(run, run->error);
    if (run->path && status != OV_EXIT_FINE)
        unlink(run->path);
    else if (run->path)
        fprintf(stderr, "omnivigil: %lld dead letter%s in %s\n", (long long)run->written,
                run->written == 1 ? "" : "s", run->path);
    return status;
}

static int open_output(struct run *run)
{
    run->path = ov_call_flag(run->call, FLAG_OUTPUT);
    run->fd = STDOUT_FILENO;
    if (!run->path)
        return OV_EXIT_FINE;
    run->fd = open(run->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (run->fd < 0)
        return ov_call_unable(run->call, "%s: %s%s", run->path, strerror(errno),
                              errno == EEXIST ? ": name a new file" : "");
    return OV_EXIT_FINE;
}

static int export_run(void *state, struct ov_call *call)
{
    struct run run = {.call = call};
    int status = dlq_choice_read(&run.choice, call);
    if (status == OV_EXIT_FINE) {
        status = dlq_open(&run.dlq, call, state, ov_call_word(call, 0));
        if (status == OV_EXIT_FINE)
            status = open_output(&run);
        if (status == OV_EXIT_FINE)
            status = export(&run);
        if (run.path && run.fd >= 0)
            close(run.fd);
        dlq_close(&run.dlq);
    }
    dlq_choice_free(&run.choice);
    ov_buf_free(&run.lines);
    return status;
}

static const char more[] =
    "Each line holds an entry with its fields as they stand in Redis. To add them again by hand:\n"
    "  jq -r '\"XADD \\(.key|@json) * \" + ([.fields[]|@json]|join(\" \"))' FILE | redis-cli\n"
    "--agent takes the dead letters of some agents only.\n";

const struct ov_command bus_command_export = {
    .name = "bus dlq export", .takes = "TOPIC [ID...]", .words_min = 1, .words_max = 1000,
    .summary = "Save dead letters as lines of JSON", .more = more,
    .example = "omnivigil bus dlq export orders.created --all --output letters.json",
    .flags = flags, .run = export_run, .once = true, .figures = dlq_figures,
};
