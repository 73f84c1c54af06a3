/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "queue_reader.h"

enum { WINDOW_BYTES = 64 * 1024 };

void ov_queue_reader_close(struct ov_queue_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    reader->fd = -1;
    reader->file = NULL;
    ov_buf_free(&reader->window);
}

void ov_queue_reader_reset(struct ov_queue_reader *reader)
{
    ov_buf_reset(&reader->window);
}

int ov_queue_reader_open(struct ov_queue_reader *reader, const struct ov_queue_name *name,
                         off_t size)
{
    int flags = O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    reader->size = size;
    if (reader->file == name->file)
        return OV_OK;
    ov_queue_reader_close(reader);
    reader->fd = openat(reader->dir_fd, name->file, O_RDWR | flags);
    if (reader->fd < 0 && (errno == EACCES || errno == EROFS))
        reader->fd = openat(reader->dir_fd, name->file, O_RDONLY | flags);
    if (reader->fd < 0)
        return OV_FAILED;
    reader->file = name->file;
    reader->seed = name->seed;
    return OV_OK;
}

static bool reader_fill(struct ov_queue_reader *reader, off_t at, size_t len)
{
    struct ov_buf *window = &reader->window;
    ov_buf_reset(window);
    ov_buf_grow(window, len);
    reader->window_at = at;
    while (window->len < len) {
        ssize_t got = pread(reader->fd, window->data + window->len, len - window->len,
                            at + (off_t)window->len);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return false;
        window->len += (size_t)got;
    }
    return true;
}

/* `len` bytes from `at` on; NULL beyond the end or if unreadable. */
static const char *reader_view(struct ov_queue_reader *reader, off_t at, size_t len)
{
    off_t left = reader->size - at;
    if (left < (off_t)len)
        return NULL;
    if (at < reader->window_at ||
        at + (off_t)len > reader->window_at + (off_t)reader->window.len) {
        size_t want = left < WINDOW_BYTES ? (size_t)left : WINDOW_BYTES;
        if (!reader_fill(reader, at, want > len ? want : len) && reader->window.len < len)
            return NULL;
    }
    return reader->window.data + (at - reader->window_at);
}

static bool head_at(struct ov_queue_reader *reader, off_t at, struct ov_queue_head *head)
{
    const char *view = reader_view(reader, at, OV_QUEUE_HEAD_LEN);
    return view && ov_queue_record_read(view, reader->seed, head);
}

static bool record_at(struct ov_queue_reader *reader, off_t at, struct ov_queue_head *head)
{
    return head_at(reader, at, head) && ov_queue_record_size(head) <= reader->size - at;
}

/* Looks for the next head behind damage. */
static bool reader_resume(struct ov_queue_reader *reader, off_t *at, struct ov_queue_head *head)
{
    const size_t magic_len = strlen(OV_QUEUE_MAGIC);
    for (off_t from = *at + 1;;) {
        const char *view = reader_view(reader, from, OV_QUEUE_HEAD_LEN);
        if (!view)
            return false;
        size_t len = reader->window.len - (size_t)(from - reader->window_at);
        const char *found = memmem(view, len, OV_QUEUE_MAGIC, magic_len);
        if (!found) {
            from += (off_t)(len - magic_len + 1);
            continue;
        }
        from += found - view;
        if (record_at(reader, from, head)) {
            *at = from;
            return true;
        }
        from++;
    }
}

bool ov_queue_reader_next(struct ov_queue_reader *reader, off_t *at, struct ov_queue_head *head)
{
    return record_at(reader, *at, head) || reader_resume(reader, at, head);
}

struct ov_slice ov_queue_reader_bytes(struct ov_queue_reader *reader, off_t at,
                                      const struct ov_queue_head *head)
{
    struct ov_slice bytes = {reader_view(reader, at + OV_QUEUE_HEAD_LEN, head->len), head->len};
    if (bytes.ptr && ov_queue_record_checksum(reader->seed, bytes) != head->checksum)
        bytes.ptr = NULL;
    return bytes;
}

bool ov_queue_reader_torn(struct ov_queue_reader *reader, off_t at)
{
    struct ov_queue_head head;
    return reader->size - at < OV_QUEUE_HEAD_LEN || head_at(reader, at, &head);
}
