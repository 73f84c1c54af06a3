/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a queue: the format of a record, order over segments and restarts, and that damage
 * anywhere costs what it hit and nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>

#include "queue_dir.h"
#include "queue_log.h"
#include "temp_dir.h"

static const struct ov_queue_join one = {1, SIZE_MAX, SIZE_MAX};

/* ---------------------------------------------------------------- the format of a record */

static void test_record(void **state)
{
    (void)state;
    static const struct ov_queue_head head = {.samples = 2, .time_ms = 1764038400123};
    static const char *const texts[] = {"", "a", "12345678", "123456789", "a\nb\n"};
    for (size_t i = 0; i < OV_COUNT(texts); i++) {
        char out[OV_QUEUE_HEAD_LEN], begin[64];
        struct ov_queue_head read;
        ov_queue_record_write(out, 7, &head, ov_slice(texts[i]));
        snprintf(begin, sizeof begin, "#ov1 wait %010zu 0000000002 1764038400123 ",
                 strlen(texts[i]));
        if (memcmp(out, begin, strlen(begin)) != 0 || out[OV_QUEUE_HEAD_LEN - 1] != '\n')
            fail_msg("row %zu: %.64s", i, out);
        assert_true(ov_queue_record_read(out, 7, &read));
        assert_int_equal(read.len, strlen(texts[i]));
        assert_int_equal(read.samples, 2);
        assert_int_equal(read.time_ms, 1764038400123);
        assert_int_equal(read.checksum, ov_queue_record_checksum(7, ov_slice(texts[i])));
        assert_false(read.done);
        assert_false(ov_queue_record_read(out, 8, &read)); /* of another file */
        memcpy(out + OV_QUEUE_MARK_AT, "done", 4);
        assert_true(ov_queue_record_read(out, 7, &read));
        assert_true(read.done);
    }
}

static void test_record_refusals(void **state)
{
    (void)state;
    static const struct ov_queue_head head = {.samples = 2, .time_ms = 1764038400123};
    char good[OV_QUEUE_HEAD_LEN], bad[OV_QUEUE_HEAD_LEN];
    struct ov_queue_head read;
    ov_queue_record_write(good, 7, &head, OV_SLICE("some bytes"));
    for (size_t at = 0; at < OV_QUEUE_HEAD_LEN; at++) {
        bool mark = at >= OV_QUEUE_MARK_AT && at < OV_QUEUE_MARK_AT + OV_QUEUE_MARK_LEN;
        for (int c = 0; c < 256; c++) {
            memcpy(bad, good, sizeof bad);
            bad[at] = (char)c;
            bool whole = mark || bad[at] == good[at];
            if (ov_queue_record_read(bad, 7, &read) != whole || (whole && read.done))
                fail_msg("byte %zu as %d", at, c);
        }
    }
}

static void test_record_limits(void **state)
{
    (void)state;
    static const struct {
        size_t samples;
        int64_t time_ms;
        size_t read_samples;
        int64_t read_ms;
    } rows[] = {
        {0, 0, 0, 0}, {SIZE_MAX, INT64_MAX, 9999999999, 9999999999999}, {1, -5, 1, 0},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_queue_head head = {.samples = rows[i].samples, .time_ms = rows[i].time_ms};
        char out[OV_QUEUE_HEAD_LEN];
        ov_queue_record_write(out, 1, &head, OV_SLICE(""));
        if (!ov_queue_record_read(out, 1, &head) || head.samples != rows[i].read_samples ||
            head.time_ms != rows[i].read_ms)
            fail_msg("row %zu", i);
    }
}

/* ---------------------------------------------------------------- a log */

struct rig {
    char *dir;
    struct ov_queue_log *log;
    struct ov_buf why, out;
};

static void rig_open(struct rig *rig)
{
    bool taken;
    ov_buf_reset(&rig->why);
    rig->log = ov_queue_log_open(rig->dir, "plug", true, &taken, &rig->why);
    if (!rig->log)
        fail_msg("%s", ov_buf_text(&rig->why));
}

static void rig_start(struct rig *rig)
{
    *rig = (struct rig){.dir = temp_dir_new()};
    rig_open(rig);
}

static void rig_end(struct rig *rig)
{
    ov_queue_log_close(rig->log);
    temp_dir_free(rig->dir);
    ov_buf_free(&rig->why);
    ov_buf_free(&rig->out);
}

static void append(struct rig *rig, const char *text)
{
    if (ov_queue_log_append(rig->log, ov_slice(text), strlen(text), 5, &rig->why) != OV_OK)
        fail_msg("%s", ov_buf_text(&rig->why));
}

static void commit(struct rig *rig)
{
    if (ov_queue_log_commit(rig->log, &rig->why) != OV_OK)
        fail_msg("%s", ov_buf_text(&rig->why));
}

static void expect_read(struct rig *rig, struct ov_queue_join join, size_t records,
                        const char *want)
{
    size_t samples, read = ov_queue_log_read(rig->log, join, &rig->out, &samples);
    if (read != records || strcmp(ov_buf_text(&rig->out), want) != 0 || samples != strlen(want))
        fail_msg("%zu records %s instead of %zu records %s", read, ov_buf_text(&rig->out), records,
                 want);
}

/* As if the process had been killed: goes on with a copy of what is on disk at this moment. */
static void reopen_without_close(struct rig *rig)
{
    char *copy = temp_dir_new();
    struct ov_buf command = {0};
    ov_buf_printf(&command, "for f in '%s'/*; do [ ! -e \"$f\" ] || cp \"$f\" '%s'; done", rig->dir,
                  copy);
    assert_int_equal(system(ov_buf_text(&command)), 0);
    ov_buf_free(&command);
    ov_queue_log_close(rig->log);
    temp_dir_free(rig->dir);
    rig->dir = copy;
    rig_open(rig);
}

static void test_order(void **state)
{
    (void)state;
    struct rig rig;
    size_t bytes;
    rig_start(&rig);
    expect_read(&rig, one, 0, "");
    append(&rig, "a");
    append(&rig, "");
    append(&rig, "ccc\n");
    struct ov_queue_log_totals totals = ov_queue_log_totals(rig.log);
    assert_int_equal(totals.records, 3);
    assert_int_equal(totals.samples, 5);
    assert_int_equal(totals.bytes, 3 * OV_QUEUE_EXTRA_LEN + 5);
    expect_read(&rig, (struct ov_queue_join){9, 99, 99}, 3, "accc\n");
    expect_read(&rig, (struct ov_queue_join){2, 99, 99}, 2, "a");
    expect_read(&rig, one, 1, "a");
    ov_queue_log_pop(rig.log);
    expect_read(&rig, one, 1, "");
    reopen_without_close(&rig); /* the pop was not committed */
    expect_read(&rig, one, 1, "a");
    ov_queue_log_pop(rig.log);
    commit(&rig);
    reopen_without_close(&rig);
    expect_read(&rig, one, 1, "");
    ov_queue_log_pop(rig.log);
    expect_read(&rig, one, 1, "ccc\n");
    ov_queue_log_pop(rig.log);
    ov_queue_log_pop(rig.log); /* there is none */
    commit(&rig);
    assert_int_equal(temp_dir_count(rig.dir, &bytes), 1);
    assert_int_equal(bytes, 0);
    append(&rig, "again");
    reopen_without_close(&rig);
    expect_read(&rig, one, 1, "again");
    ov_queue_log_pop(rig.log);
    commit(&rig);
    assert_int_equal(ov_queue_log_lost(rig.log), 0);
    assert_string_equal(ov_buf_text(&rig.why), "");
    ov_queue_log_close(rig.log);
    assert_int_equal(temp_dir_count(rig.dir, &bytes), 0);
    rig_open(&rig);
    rig_end(&rig);
}

/* Many records in small segments, with restarts of both kinds in between. */
static void test_segments(void **state)
{
    (void)state;
    struct rig rig;
    size_t bytes, next = 0, made = 0, descriptors = open_descriptors();
    char text[32];
    rig_start(&rig);
    for (int round = 0; round < 40; round++) {
        ov_queue_log_setup(rig.log, 1000, (enum ov_queue_sync)(round % 3));
        for (int i = 0; i < 25; i++) {
            snprintf(text, sizeof text, "record %zu\n", made++);
            append(&rig, text);
        }
        for (int i = 0; i < (round < 30 ? 20 : 40); i++) {
            snprintf(text, sizeof text, "record %zu\n", next++);
            expect_read(&rig, one, 1, text);
            ov_queue_log_pop(rig.log);
            if (i % 3 == 0)
                commit(&rig);
        }
        commit(&rig);
        assert_int_equal(ov_queue_log_totals(rig.log).records, made - next);
        size_t files = temp_dir_count(rig.dir, &bytes);
        if (files > (made - next) / 12 + 3 || open_descriptors() > descriptors + 3)
            fail_msg("%zu files, %zu descriptors for %zu records", files, open_descriptors(),
                     made - next);
        if (round % 4 == 0) {
            ov_queue_log_close(rig.log);
            rig_open(&rig);
        } else if (round % 4 == 1) {
            reopen_without_close(&rig);
        }
        assert_int_equal(ov_queue_log_totals(rig.log).records, made - next);
    }
    assert_int_equal(next, made);
    rig_end(&rig);
    assert_int_equal(open_descriptors(), descriptors);
}

static void test_join_over_segments(void **state)
{
    (void)state;
    struct rig rig;
    struct ov_buf want = {0};
    rig_start(&rig);
    ov_queue_log_setup(rig.log, 300, OV_QUEUE_SYNC_NEVER);
    for (int i = 0; i < 20; i++) {
        char text[32];
        snprintf(text, sizeof text, "record %d\n", i);
        append(&rig, text);
        ov_buf_str(&want, text);
    }
    expect_read(&rig, (struct ov_queue_join){99, 9999, 9999}, 20, ov_buf_text(&want));
    for (int i = 0; i < 20; i++)
        ov_queue_log_pop(rig.log);
    commit(&rig);
    expect_read(&rig, one, 0, "");
    ov_buf_free(&want);
    rig_end(&rig);
}

/* ---------------------------------------------------------------- damage */

/* The only segment's path; the caller frees. */
static char *segment_path(const char *dir)
{
    size_t count, foreign;
    struct ov_buf path = {0};
    int fd = open(dir, O_RDONLY | O_DIRECTORY);
    struct ov_queue_name *names = ov_queue_dir_list(fd, "plug", &count, &foreign);
    close(fd);
    assert_int_equal(count, 1);
    ov_buf_printf(&path, "%s/%s", dir, names[0].file);
    ov_buf_text(&path);
    free(names[0].file);
    free(names);
    return path.data;
}

static size_t read_file(const char *path, char *out, size_t size)
{
    int fd = open(path, O_RDONLY);
    ssize_t got = read(fd, out, size);
    close(fd);
    assert_true(got >= 0);
    return (size_t)got;
}

static void write_file(const char *path, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static const char *const words[] = {"first\n", "the second one\n", "3\n", "fourth\n", "fifth\n"};

/* A directory with one segment of those words; its bytes in `bytes`. */
static size_t words_make(struct rig *rig, char **path, char *bytes, size_t size)
{
    rig_start(rig);
    ov_queue_log_setup(rig->log, 1 << 20, OV_QUEUE_SYNC_NEVER);
    for (size_t i = 0; i < OV_COUNT(words); i++)
        append(rig, words[i]);
    ov_queue_log_close(rig->log);
    *path = segment_path(rig->dir);
    return read_file(*path, bytes, size);
}

/* Opens the log and reads it to its end; bit i is set if word i came. Fails where something else
 * came, out of order, or where the counts do not add up. */
static unsigned words_read(struct rig *rig)
{
    unsigned came = 0;
    size_t at = 0, read_samples = 0, lost = 0, samples;
    rig_open(rig);
    size_t promised = ov_queue_log_totals(rig->log).samples;
    while (ov_queue_log_read(rig->log, one, &rig->out, &samples)) {
        while (at < OV_COUNT(words) && strcmp(ov_buf_text(&rig->out), words[at]) != 0)
            at++;
        if (at == OV_COUNT(words))
            fail_msg("read %s", ov_buf_text(&rig->out));
        came |= 1U << at++;
        read_samples += samples;
        ov_queue_log_pop(rig->log);
        commit(rig);
    }
    lost = ov_queue_log_lost(rig->log);
    assert_int_equal(promised, read_samples + lost);
    struct ov_queue_log_totals left = ov_queue_log_totals(rig->log);
    assert_true(left.records == 0 && left.samples == 0 && left.bytes == 0);
    append(rig, "goes on");
    expect_read(rig, one, 1, "goes on");
    ov_queue_log_pop(rig->log);
    commit(rig);
    ov_queue_log_close(rig->log);
    return came;
}

/* Which word's record holds byte `at` of the segment. */
static size_t word_at(size_t at)
{
    size_t end = 0, i = 0;
    while (i < OV_COUNT(words) && at >= (end += strlen(words[i]) + OV_QUEUE_EXTRA_LEN))
        i++;
    return i;
}

static void test_wrong_byte(void **state)
{
    (void)state;
    struct rig rig;
    char *path, good[1024], bad[1024];
    size_t size = words_make(&rig, &path, good, sizeof good);
    for (size_t at = 0; at < size; at++) {
        static const unsigned char flips[] = {1, 0x20, 0x80, 0xff};
        for (size_t i = 0; i < sizeof flips; i++) {
            memcpy(bad, good, size);
            bad[at] ^= (char)flips[i];
            write_file(path, bad, size);
            unsigned all = (1U << OV_COUNT(words)) - 1, came = words_read(&rig);
            if ((came | 1U << word_at(at)) != all)
                fail_msg("byte %zu ^ %d: came %x", at, flips[i], came);
            temp_dir_clear(rig.dir);
            mkdir(rig.dir, 0700);
        }
    }
    rig_open(&rig);
    rig_end(&rig);
    free(path);
}

static void test_cut_off(void **state)
{
    (void)state;
    struct rig rig;
    char *path, good[1024];
    size_t size = words_make(&rig, &path, good, sizeof good);
    for (size_t len = 0; len < size; len++) {
        write_file(path, good, len);
        unsigned whole = (1U << word_at(len)) - 1, came = words_read(&rig);
        if (came != whole)
            fail_msg("cut to %zu bytes: came %x instead of %x", len, came, whole);
        temp_dir_clear(rig.dir);
        mkdir(rig.dir, 0700);
    }
    rig_open(&rig);
    rig_end(&rig);
    free(path);
}

/* A torn end is cut off, and the same segment goes on. */
static void test_torn_end_goes_on(void **state)
{
    (void)state;
    struct rig rig;
    char *path, good[1024];
    size_t size = words_make(&rig, &path, good, sizeof good), bytes;
    write_file(path, good, size - 3);
    rig_open(&rig);
    assert_non_null(strstr(ov_buf_text(&rig.why), "not written whole"));
    append(&rig, "new\n");
    assert_int_equal(temp_dir_count(rig.dir, &bytes), 1);
    reopen_without_close(&rig);
    assert_string_equal(ov_buf_text(&rig.why), "");
    expect_read(&rig, (struct ov_queue_join){9, 99, 99}, 5,
                "first\nthe second one\n3\nfourth\nnew\n");
    rig_end(&rig);
    free(path);
}

/* Each row puts bytes before a word, or in place of the whole segment. */
static void test_foreign_bytes(void **state)
{
    (void)state;
    static const char zeros[300], *const garbage[] = {
        "x", "\n", "#ov1 ", "#ov1 #ov1 #ov1 #ov1 #ov1 #ov1 #ov1 #ov1 #ov1 #ov1 #ov1 #ov1 #ov1 ",
        "#ov1 done 0000000001 0000000001 1764038400123 00000000 00000000\n",
        "m,t=a x=1 1764038400000000000\n", zeros,
    };
    for (size_t g = 0; g < OV_COUNT(garbage); g++) {
        size_t garbage_len = garbage[g] == zeros ? sizeof zeros : strlen(garbage[g]), at = 0;
        for (size_t w = 0; w <= OV_COUNT(words); w++) {
            struct rig rig;
            char *path, good[1024], bad[2048];
            size_t size = words_make(&rig, &path, good, sizeof good);
            memcpy(bad, good, at);
            memcpy(bad + at, garbage[g], garbage_len);
            memcpy(bad + at + garbage_len, good + at, size - at);
            write_file(path, bad, size + garbage_len);
            unsigned came = words_read(&rig);
            if (came != (1U << OV_COUNT(words)) - 1)
                fail_msg("garbage %zu before word %zu: came %x", g, w, came);
            write_file(path, garbage[g], garbage_len);
            assert_int_equal(words_read(&rig), 0);
            if (w < OV_COUNT(words))
                at += strlen(words[w]) + OV_QUEUE_EXTRA_LEN;
            rig_open(&rig);
            rig_end(&rig);
            free(path);
        }
    }
}

/* Text from outside that looks like a record is not taken for one, wherever reading resumes. */
static void test_forged_record(void **state)
{
    (void)state;
    struct rig rig;
    char head[OV_QUEUE_HEAD_LEN], *path, bytes[1024];
    struct ov_buf text = {0};
    rig_start(&rig);
    ov_queue_log_setup(rig.log, 1 << 20, OV_QUEUE_SYNC_NEVER);
    ov_queue_record_write(head, 0, &(struct ov_queue_head){.samples = 4}, OV_SLICE("evil"));
    ov_buf_str(&text, "m,t=a x=\"\n");
    ov_buf_add(&text, head, sizeof head);
    ov_buf_str(&text, "evil\n\"\n");
    append(&rig, ov_buf_text(&text));
    append(&rig, words[0]);
    ov_queue_log_close(rig.log);
    path = segment_path(rig.dir);
    size_t size = read_file(path, bytes, sizeof bytes);
    bytes[20] ^= 1; /* in the first record's head */
    write_file(path, bytes, size);
    assert_int_equal(words_read(&rig), 1);
    rig_open(&rig);
    rig_end(&rig);
    ov_buf_free(&text);
    free(path);
}

/* What is damaged is kept for a person to look at, one of it. */
static void test_damaged_is_kept(void **state)
{
    (void)state;
    struct rig rig;
    struct ov_buf kept = {0};
    struct stat st;
    for (int i = 0; i < 2; i++) {
        char *path, bytes[1024];
        size_t size = words_make(&rig, &path, bytes, sizeof bytes);
        bytes[100] ^= 1;
        write_file(path, bytes, size);
        words_read(&rig);
        ov_buf_reset(&kept);
        ov_buf_printf(&kept, "%s/damaged.log", rig.dir);
        assert_int_equal(stat(ov_buf_text(&kept), &st), 0);
        assert_int_equal(st.st_size, size);
        rig_open(&rig);
        rig_end(&rig);
        free(path);
    }
    ov_buf_free(&kept);
}

/* A mark that was hit by damage counts as what it was nearer to. */
static void test_mark(void **state)
{
    (void)state;
    static const struct { const char *mark; unsigned came; } rows[] = {
        {"wait", 31}, {"done", 28}, {"wXit", 31}, {"dXne", 28}, {"donX", 28}, {"waiX", 31},
        {"XXXX", 31}, {"DONE", 31},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct rig rig;
        char *path, bytes[1024];
        size_t size = words_make(&rig, &path, bytes, sizeof bytes);
        size_t second = strlen(words[0]) + OV_QUEUE_EXTRA_LEN;
        memcpy(bytes + second + OV_QUEUE_MARK_AT, rows[i].mark, 4);
        write_file(path, bytes, size);
        unsigned came = words_read(&rig);
        if (came != rows[i].came)
            fail_msg("row %zu: came %x", i, came);
        rig_open(&rig);
        rig_end(&rig);
        free(path);
    }
}

/* ---------------------------------------------------------------- the directory */

/* Files that are not this log's, or are none at all. */
static void test_other_files(void **state)
{
    (void)state;
    static const char *const names[] = {
        "plug-0000000001-0000000.log", "plug-000000001-00000000.log", "plug-0000000001-0000000G.log",
        "-0000000001-00000000.log", "plug-0000000001-00000000.log.bak", "damaged.log", "lock",
        "plug-+000000001-00000000.log", "plug-0000000001-0x000000.log", "note",
    };
    struct rig rig;
    struct ov_buf path = {0};
    size_t bytes;
    rig_start(&rig);
    append(&rig, "mine");
    ov_queue_log_close(rig.log);
    for (size_t i = 0; i < OV_COUNT(names); i++) {
        ov_buf_reset(&path);
        ov_buf_printf(&path, "%s/%s", rig.dir, names[i]);
        write_file(ov_buf_text(&path), "text", 4);
    }
    rig_open(&rig);
    assert_string_equal(ov_buf_text(&rig.why), "");
    expect_read(&rig, (struct ov_queue_join){99, 99, 99}, 1, "mine");
    ov_queue_log_pop(rig.log);
    commit(&rig);
    ov_queue_log_close(rig.log);
    assert_int_equal(temp_dir_count(rig.dir, &bytes), OV_COUNT(names));
    ov_buf_reset(&path);
    ov_buf_printf(&path, "%s/other-0000000001-00000000.log", rig.dir);
    write_file(ov_buf_text(&path), "text", 4);
    ov_buf_reset(&path);
    ov_buf_printf(&path, "%s/plug-0000000003-00000000.log", rig.dir);
    assert_int_equal(mkfifo(ov_buf_text(&path), 0600), 0);
    rig_open(&rig);
    assert_non_null(strstr(ov_buf_text(&rig.why), "another plugin than plug"));
    assert_non_null(strstr(ov_buf_text(&rig.why), "1 files cannot be read"));
    append(&rig, "goes on");
    rig_end(&rig);
    ov_buf_free(&path);
}

static bool is_known(const void *context, const char *output)
{
    return strcmp(context, output) == 0;
}

static void test_leftovers(void **state)
{
    (void)state;
    char *base = temp_dir_new();
    struct ov_buf why = {0}, text = {0};
    static const char *const outputs[] = {"here", "gone", "empty"};
    bool taken;
    for (size_t i = 0; i < OV_COUNT(outputs); i++) {
        char *path = ov_queue_dir_path(base, outputs[i]);
        struct ov_queue_log *log = ov_queue_log_open(path, "plug", true, &taken, &why);
        assert_non_null(log);
        if (i < 2)
            assert_int_equal(ov_queue_log_append(log, OV_SLICE("x"), 1, 0, &why), OV_OK);
        ov_queue_log_close(log);
        free(path);
    }
    ov_queue_dir_leftovers(base, is_known, "here", &text);
    const char *line = ov_buf_text(&text);
    assert_non_null(strstr(line, "/queue/gone holds 66 bytes"));
    assert_null(strstr(line, "here"));
    assert_null(strstr(line, "empty"));
    ov_buf_reset(&text);
    ov_queue_dir_leftovers("/nowhere/at/all", is_known, "here", &text);
    assert_int_equal(text.len, 0);
    temp_dir_free(base);
    ov_buf_free(&why);
    ov_buf_free(&text);
}

static void test_directory_refusals(void **state)
{
    (void)state;
    struct rig rig;
    struct ov_buf path = {0};
    bool taken;
    rig_start(&rig);
    /* held by another */
    assert_null(ov_queue_log_open(rig.dir, "plug", true, &taken, &rig.why));
    assert_true(taken);
    assert_non_null(strstr(ov_buf_text(&rig.why), "in use by another omnivigil"));
    /* missing, and not to be made */
    ov_buf_printf(&path, "%s/a/b", rig.dir);
    ov_buf_reset(&rig.why);
    assert_null(ov_queue_log_open(ov_buf_text(&path), "plug", false, &taken, &rig.why));
    assert_int_equal(rig.why.len, 0);
    assert_false(taken);
    /* a file in its place, or in its path */
    ov_buf_reset(&path);
    ov_buf_printf(&path, "%s/a", rig.dir);
    write_file(ov_buf_text(&path), "", 0);
    assert_null(ov_queue_log_open(ov_buf_text(&path), "plug", true, &taken, &rig.why));
    assert_non_null(strstr(ov_buf_text(&rig.why), "Not a directory"));
    ov_buf_str(&path, "/b");
    ov_buf_reset(&rig.why);
    assert_null(ov_queue_log_open(ov_buf_text(&path), "plug", true, &taken, &rig.why));
    assert_non_null(strstr(ov_buf_text(&rig.why), "Not a directory"));
    /* somebody else's */
    ov_buf_reset(&path);
    ov_buf_reset(&rig.why);
    ov_buf_printf(&path, "%s/c", rig.dir);
    assert_int_equal(mkdir(ov_buf_text(&path), 0777), 0);
    if (geteuid() == 0) { /* only root can give a directory away */
        assert_int_equal(chown(path.data, 4711, 4711), 0);
        assert_null(ov_queue_log_open(path.data, "plug", true, &taken, &rig.why));
        assert_non_null(strstr(ov_buf_text(&rig.why), "belongs to user 4711"));
        assert_false(taken);
    }
    ov_buf_free(&path);
    rig_end(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_record), cmocka_unit_test(test_record_refusals),
        cmocka_unit_test(test_record_limits), cmocka_unit_test(test_order),
        cmocka_unit_test(test_segments), cmocka_unit_test(test_join_over_segments),
        cmocka_unit_test(test_wrong_byte), cmocka_unit_test(test_cut_off),
        cmocka_unit_test(test_torn_end_goes_on), cmocka_unit_test(test_foreign_bytes),
        cmocka_unit_test(test_forged_record), cmocka_unit_test(test_damaged_is_kept),
        cmocka_unit_test(test_mark), cmocka_unit_test(test_other_files),
        cmocka_unit_test(test_leftovers), cmocka_unit_test(test_directory_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
