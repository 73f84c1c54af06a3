/* SPDX-License-Identifier: Apache-2.0 */
/* The output `file`: records on disk and in pipes, files that move away, readers that stall or
 * leave, and lines that are never torn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture.h"
#include "output_rig.h"

struct place {
    char dir[64], path[96], moved[96];
};

static void place_make(struct place *place)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(place->dir, sizeof place->dir, "%.40s/ov-file-XXXXXX", tmp ? tmp : "/tmp");
    assert_non_null(mkdtemp(place->dir));
    snprintf(place->path, sizeof place->path, "%s/out", place->dir);
    snprintf(place->moved, sizeof place->moved, "%s/out.1", place->dir);
}

static void place_remove(struct place *place)
{
    unlink(place->path);
    unlink(place->moved);
    rmdir(place->dir);
}

static void rig_open(struct output_rig *rig, const char *path)
{
    rig_start(rig);
    rig_set(rig, "path", path);
    assert_int_equal(omnivigil_plugin.open(rig->state, rig->host), OV_OK);
}

static void assert_content(const char *path, const char *want)
{
    char text[256] = "";
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        fail_msg("%s is not there", path);
    ssize_t n = read(fd, text, sizeof text - 1);
    close(fd);
    assert_true(n >= 0);
    assert_string_equal(text, want);
}

static void send_ok(struct output_rig *rig, const char *text)
{
    struct ov_outcome outcome;
    if (rig_send(rig, ov_slice(text), &outcome) != OV_SENT)
        fail_msg("%s was not sent: %s", text, ov_host_why(rig->host));
}

static void test_appends(void **state)
{
    (void)state;
    struct place place;
    struct output_rig rig;
    struct stat st;
    place_make(&place);
    umask(0);
    for (int i = 0; i < 2; i++) {
        rig_open(&rig, place.path);
        send_ok(&rig, "a\n");
        send_ok(&rig, "b\n");
        rig_end(&rig);
    }
    assert_content(place.path, "a\nb\na\nb\n");
    assert_int_equal(stat(place.path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0640);
    place_remove(&place);
}

static void test_moved(void **state)
{
    (void)state;
    struct place place;
    struct output_rig rig;
    place_make(&place);
    rig_open(&rig, place.path);
    send_ok(&rig, "a\n");
    assert_int_equal(rename(place.path, place.moved), 0);
    int64_t end = ov_clock_ms() + 5000; /* it looks once a second */
    while (access(place.path, F_OK) != 0 && ov_clock_ms() < end) {
        send_ok(&rig, "");
        usleep(20000);
    }
    send_ok(&rig, "b\n");
    assert_content(place.moved, "a\n");
    assert_content(place.path, "b\n");
    rig_end(&rig);
    place_remove(&place);
}

/* What cannot be opened is told at once, and tried again with each record. */
static void test_not_there(void **state)
{
    (void)state;
    static const char *const paths[] = {"/", "/no such directory/x", "/dev/null/x"};
    for (size_t i = 0; i < OV_COUNT(paths); i++) {
        static struct capture log;
        struct output_rig rig;
        struct ov_outcome outcome;
        capture_begin(&log, STDERR_FILENO);
        rig_open(&rig, paths[i]);
        capture_end(&log);
        if (!strstr(log.text, paths[i]))
            fail_msg("%s: logged is %s", paths[i], log.text);
        assert_int_equal(rig_send(&rig, OV_SLICE("a\n"), &outcome), OV_RETRY);
        if (!strstr(ov_host_why(rig.host), paths[i]))
            fail_msg("%s: says %s", paths[i], ov_host_why(rig.host));
        rig_end(&rig);
    }
}

static void test_comes_later(void **state)
{
    (void)state;
    struct place place;
    struct output_rig rig;
    struct ov_outcome outcome;
    place_make(&place);
    assert_int_equal(rmdir(place.dir), 0);
    rig_open(&rig, place.path);
    assert_int_equal(rig_send(&rig, OV_SLICE("a\n"), &outcome), OV_RETRY);
    assert_int_equal(mkdir(place.dir, 0700), 0);
    send_ok(&rig, "a\n");
    assert_content(place.path, "a\n");
    rig_end(&rig);
    place_remove(&place);
}

static void test_disk_full(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_outcome outcome;
    rig_open(&rig, "/dev/full");
    assert_int_equal(rig_send(&rig, OV_SLICE("a\n"), &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "cannot write to /dev/full: No space left"));
    rig_end(&rig);
}

/* ---------------------------------------------------------------- rotation and headers */

static void assert_numbered(const struct place *place, int number, const char *want)
{
    char path[128];
    snprintf(path, sizeof path, number ? "%s.%d" : "%s", place->path, number);
    if (want)
        assert_content(path, want);
    else if (access(path, F_OK) == 0)
        fail_msg("%s is there", path);
    unlink(path);
}

/* Ten records of four bytes, files of at most ten: two a file. */
static const struct { int64_t size, keep; const char *want[5]; } rotations[] = {
    {10, 3, {"008\n009\n", "006\n007\n", "004\n005\n", "002\n003\n", NULL}},
    {10, 1, {"008\n009\n", "006\n007\n", NULL}},
    {10, 0, {"008\n009\n", NULL}},
    {1, 2, {"009\n", "008\n", "007\n", NULL}}, /* a record is never parted */
    {0, 3, {"000\n001\n002\n003\n004\n005\n006\n007\n008\n009\n", NULL}},
    {40, 3, {"000\n001\n002\n003\n004\n005\n006\n007\n008\n009\n", NULL}},
};

static void test_rotates(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rotations); i++) {
        struct place place;
        struct output_rig rig;
        place_make(&place);
        rig_start(&rig);
        rig_set(&rig, "path", place.path);
        rig_set_int(&rig, "rotate_size", rotations[i].size);
        rig_set_int(&rig, "rotate_keep", rotations[i].keep);
        assert_int_equal(omnivigil_plugin.open(rig.state, rig.host), OV_OK);
        for (int n = 0; n < 10; n++) {
            char text[16];
            snprintf(text, sizeof text, "%03d\n", n);
            send_ok(&rig, text);
        }
        for (int n = 0; n < 5; n++)
            assert_numbered(&place, n, n <= rotations[i].keep ? rotations[i].want[n] : NULL);
        rig_end(&rig);
        place_remove(&place);
    }
}

/* A file that cannot be moved away grows on; one that was moved by somebody else is not moved
 * again. */
static void test_cannot_rotate(void **state)
{
    (void)state;
    struct place place;
    struct output_rig rig;
    place_make(&place);
    rig_start(&rig);
    rig_set(&rig, "path", place.path);
    rig_set_int(&rig, "rotate_size", 4);
    rig_set_int(&rig, "rotate_keep", 1);
    assert_int_equal(omnivigil_plugin.open(rig.state, rig.host), OV_OK);
    assert_int_equal(mkdir(place.moved, 0700), 0);
    send_ok(&rig, "a\n");
    send_ok(&rig, "bcd\n");
    assert_content(place.path, "a\nbcd\n");
    assert_int_equal(rmdir(place.moved), 0);
    assert_int_equal(rename(place.path, place.moved), 0);
    send_ok(&rig, "efg\n");
    assert_content(place.moved, "a\nbcd\n");
    assert_content(place.path, "efg\n");
    rig_end(&rig);
    place_remove(&place);
}

/* A header begins each file, and only there. */
static void test_header(void **state)
{
    (void)state;
    struct place place;
    place_make(&place);
    for (int i = 0; i < 2; i++) {
        struct output_rig rig;
        rig_start(&rig);
        rig_set(&rig, "path", place.path);
        rig_set_enum(&rig, "format", 2);
        rig_set_int(&rig, "rotate_size", 50);
        rig_set_int(&rig, "rotate_keep", 1);
        assert_int_equal(omnivigil_plugin.open(rig.state, rig.host), OV_OK);
        send_ok(&rig, "a\n");
        send_ok(&rig, "b\n");
        if (i == 1)
            send_ok(&rig, "a line that does not fit\n");
        rig_end(&rig);
    }
    assert_content(place.moved, "time,measurement,tags,field,value\na\nb\na\nb\n");
    assert_content(place.path, "time,measurement,tags,field,value\na line that does not fit\n");
    place_remove(&place);
}

/* ---------------------------------------------------------------- pipes */

/* Reads what is there without waiting. */
static void drain(int fd, struct ov_buf *seen)
{
    char bytes[65536];
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
        ov_buf_add(seen, bytes, (size_t)n);
}

/* A record of about `size` bytes whose lines all begin with `letter`. */
static struct ov_slice record_of(struct ov_buf *buf, char letter, size_t size)
{
    while (buf->len < size)
        ov_buf_printf(buf, "%c line %06zu\n", letter, buf->len);
    return (struct ov_slice){buf->data, buf->len};
}

static void assert_whole_lines(const struct ov_buf *seen)
{
    assert_int_equal(seen->len % 14, 0);
    for (size_t i = 0; i < seen->len; i += 14)
        if (memcmp(seen->data + i + 1, " line ", 6) != 0 || seen->data[i + 13] != '\n')
            fail_msg("a torn line at byte %zu: %.14s", i, seen->data + i);
}

static void test_stalled_reader(void **state)
{
    (void)state;
    struct place place;
    struct output_rig rig;
    struct ov_outcome outcome;
    struct ov_buf a = {0}, b = {0}, seen = {0};
    place_make(&place);
    assert_int_equal(mkfifo(place.path, 0600), 0);
    int reader = open(place.path, O_RDONLY | O_NONBLOCK);
    rig_open(&rig, place.path);
    rig.timeout_ms = 20;
    struct ov_slice first = record_of(&a, 'a', 300000), second = record_of(&b, 'b', 1000);
    assert_int_equal(rig_send(&rig, first, &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "timed out"));
    for (int i = 0; i < 50; i++) { /* goes on where it stopped */
        drain(reader, &seen);
        if (rig_send(&rig, first, &outcome) == OV_SENT)
            break;
    }
    drain(reader, &seen);
    assert_int_equal(seen.len, first.len);
    assert_memory_equal(seen.data, first.ptr, first.len);

    seen.len = 0; /* the same record again, but dropped half-way: its lines are finished first */
    assert_int_equal(rig_send(&rig, first, &outcome), OV_RETRY);
    for (int i = 0; i < 50; i++) {
        drain(reader, &seen);
        if (rig_send(&rig, second, &outcome) == OV_SENT)
            break;
    }
    drain(reader, &seen);
    assert_whole_lines(&seen);
    assert_memory_equal(seen.data + seen.len - second.len, second.ptr, second.len);
    close(reader);
    ov_buf_free(&a);
    ov_buf_free(&b);
    ov_buf_free(&seen);
    rig_end(&rig);
    place_remove(&place);
}

static void test_reader_leaves(void **state)
{
    (void)state;
    struct place place;
    struct output_rig rig;
    struct ov_outcome outcome;
    struct ov_buf a = {0}, seen = {0};
    place_make(&place);
    assert_int_equal(mkfifo(place.path, 0600), 0);
    rig_open(&rig, place.path); /* nobody reads yet: no failure */
    rig.timeout_ms = 20;
    struct ov_slice record = record_of(&a, 'a', 200000);
    assert_int_equal(rig_send(&rig, record, &outcome), OV_RETRY);
    int reader = open(place.path, O_RDONLY | O_NONBLOCK);
    assert_int_equal(rig_send(&rig, record, &outcome), OV_RETRY); /* half of it is in the pipe */
    close(reader);
    assert_int_equal(rig_send(&rig, record, &outcome), OV_RETRY);
    assert_non_null(strstr(ov_host_why(rig.host), "Broken pipe"));
    reader = open(place.path, O_RDONLY | O_NONBLOCK);
    for (int i = 0; i < 50; i++) { /* the next reader gets the record from its beginning */
        if (rig_send(&rig, record, &outcome) == OV_SENT)
            break;
        drain(reader, &seen);
    }
    drain(reader, &seen);
    assert_int_equal(seen.len, record.len);
    assert_memory_equal(seen.data, record.ptr, record.len);
    close(reader);
    ov_buf_free(&a);
    ov_buf_free(&seen);
    rig_end(&rig);
    place_remove(&place);
}

static void *stop_host(void *host)
{
    ov_host_stop(host);
    return NULL;
}

/* Standard output is a pipe that others hold too: it must stay blocking for them, and never
 * block us. */
static void test_stdout(void **state)
{
    (void)state;
    struct output_rig rig;
    struct ov_outcome outcome;
    struct ov_buf a = {0};
    pthread_t thread;
    int pipe_fds[2], saved = dup(STDOUT_FILENO);
    assert_int_equal(pipe(pipe_fds), 0);
    fflush(stdout);
    dup2(pipe_fds[1], STDOUT_FILENO);
    rig_start(&rig);
    rig_set(&rig, "path", "-");
    int opened = omnivigil_plugin.open(rig.state, rig.host);
    rig.timeout_ms = 60000;
    int threaded = pthread_create(&thread, NULL, stop_host, rig.host);
    int64_t start = ov_clock_ms();
    enum ov_sent sent = rig_send(&rig, record_of(&a, 'a', 300000), &outcome);
    int64_t took = ov_clock_ms() - start;
    pthread_join(thread, NULL);
    int flags = fcntl(STDOUT_FILENO, F_GETFL);
    dup2(saved, STDOUT_FILENO);
    close(saved);
    assert_int_equal(opened, OV_OK);
    assert_int_equal(threaded, 0);
    assert_int_equal(sent, OV_RETRY);
    assert_in_range(took, 0, 5000);
    assert_int_equal(flags & O_NONBLOCK, 0);
    close(pipe_fds[0]);
    close(pipe_fds[1]);
    ov_buf_free(&a);
    rig_end(&rig);
}

/* ---------------------------------------------------------------- records */

static const struct ov_field fields[] = {{"x", OV_FLOAT, OV_GAUGE, "", ""}};
static const char *const tags[] = {"topic"};
static const struct ov_measurement measurement = {"m", "", tags, fields, 1, 1};

/* Takes every record out of the queue and checks it; returns how many there were. */
static size_t check_records(struct ov_queue *queue, size_t max_samples, size_t max_bytes)
{
    struct ov_queue_loan loan;
    size_t records = 0;
    for (; ov_queue_take(queue, (struct ov_queue_join){.records = 1}, &loan); records++) {
        struct ov_slice bytes = loan.bytes;
        size_t samples = loan.samples, lines = 0;
        for (size_t i = 0; i < bytes.len; i++)
            lines += bytes.ptr[i] == '\n';
        if (lines != samples || samples > max_samples || bytes.ptr[bytes.len - 1] != '\n' ||
            (bytes.len > max_bytes && lines > 1))
            fail_msg("record %zu: %zu lines of %zu bytes for %zu samples", records, lines,
                     bytes.len, samples);
        ov_queue_settle(queue, 0);
    }
    return records;
}

static void test_encode(void **state)
{
    (void)state;
    static const struct { size_t samples, tag_len, unfit, records; int format; } rows[] = {
        {0, 1, 0, 0, 0}, {1, 1, 0, 1, 0}, {1000, 1, 0, 1, 0}, {1001, 1, 0, 2, 1},
        {2500, 1, 0, 3, 0}, {3, 1, 3, 0, 0}, {1003, 1, 3, 2, 1}, {100, 2000, 0, 4, 0},
        {3, 60000, 0, 3, 1}, {2, 100000, 0, 2, 1}, {2, 100000, 2, 0, 0},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct output_rig rig;
        struct ov_batch *batch = ov_batch_new(NULL, 1764000000000000000);
        struct ov_queue *queue = ov_queue_new(1000000, 100000000);
        struct ov_emit emit = {.queue = queue};
        char *name = ov_malloc(rows[i].tag_len);
        memset(name, 'x', rows[i].tag_len);
        for (size_t n = 0; n < rows[i].samples; n++) {
            struct ov_sample *s = ov_batch_add(batch, &measurement);
            ov_sample_tag(batch, s, 0, (struct ov_slice){name, rows[i].tag_len});
            if (n >= rows[i].unfit || rows[i].tag_len > 65000)
                ov_sample_float(s, 0, 0.5);
        }
        rig_start(&rig);
        rig_set(&rig, "path", "/dev/null");
        rig_set_enum(&rig, "format", rows[i].format);
        omnivigil_plugin.encode(rig.state, batch, &emit);
        size_t records = check_records(queue, 1000, 65536);
        struct ov_queue_counts c = ov_queue_counts(queue);
        if (records != rows[i].records || c.dropped_unfit != rows[i].unfit ||
            c.sent != rows[i].samples - rows[i].unfit)
            fail_msg("row %zu: %zu records, %ju unfit, %ju sent", i, records,
                     (uintmax_t)c.dropped_unfit, (uintmax_t)c.sent);
        rig_end(&rig);
        free(name);
        ov_batch_free(batch);
        ov_queue_free(queue);
    }
}

int main(void)
{
    signal(SIGPIPE, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends), cmocka_unit_test(test_moved),
        cmocka_unit_test(test_not_there),
        cmocka_unit_test(test_comes_later), cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_rotates), cmocka_unit_test(test_cannot_rotate),
        cmocka_unit_test(test_header),
        cmocka_unit_test(test_stalled_reader), cmocka_unit_test(test_reader_leaves),
        cmocka_unit_test(test_stdout), cmocka_unit_test(test_encode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
