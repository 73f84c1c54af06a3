/* SPDX-License-Identifier: Apache-2.0 */
/* The queue with a log: when records go to disk, restarts, a disk that fails, limits, and a long
 * random life against a model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <sys/resource.h>

#include "host.h"
#include "queue.h"
#include "temp_dir.h"

static const struct ov_queue_join any = {SIZE_MAX, SIZE_MAX, SIZE_MAX};
static const struct ov_queue_join one = {1, SIZE_MAX, SIZE_MAX};

struct rig {
    char *dir;
    struct ov_queue *queue;
    size_t max_samples, max_bytes;
    struct ov_queue_disk disk;
};

static void rig_open(struct rig *rig)
{
    struct ov_buf why = {0};
    rig->queue = ov_queue_new(rig->max_samples, rig->max_bytes);
    if (ov_queue_open(rig->queue, &rig->disk, &why) != OV_OK)
        fail_msg("%s", ov_buf_text(&why));
    ov_buf_free(&why);
}

static void rig_start(struct rig *rig, enum ov_queue_mode mode)
{
    *rig = (struct rig){.dir = temp_dir_new(), .max_samples = 1000000, .max_bytes = 64 << 20};
    rig->disk = (struct ov_queue_disk){
        .dir = rig->dir, .plugin = "plug", .mode = mode, .sync = OV_QUEUE_SYNC_NEVER,
    };
    rig_open(rig);
}

static void rig_restart(struct rig *rig)
{
    ov_queue_free(rig->queue);
    rig_open(rig);
}

static void rig_end(struct rig *rig)
{
    ov_queue_free(rig->queue);
    temp_dir_free(rig->dir);
}

static size_t push(struct rig *rig, const char *text)
{
    return ov_queue_push(rig->queue, ov_slice(text), strlen(text));
}

static struct ov_queue_counts counts(struct rig *rig)
{
    struct ov_queue_counts c = ov_queue_counts(rig->queue);
    assert_int_equal(c.collected, c.sent + ov_queue_dropped(&c) + c.buffered);
    return c;
}

static void expect_loan(struct rig *rig, struct ov_queue_join join, const char *want)
{
    struct ov_queue_loan loan = {0};
    bool taken = ov_queue_take(rig->queue, join, &loan);
    if (!taken || !ov_slice_eq(loan.bytes, ov_slice(want)) || loan.samples != strlen(want))
        fail_msg("%.*s instead of %s", (int)loan.bytes.len, loan.bytes.ptr, want);
    counts(rig);
}

static void expect_sent(struct rig *rig, const char *want)
{
    expect_loan(rig, any, want);
    ov_queue_settle(rig->queue, 0);
    counts(rig);
}

static void expect_empty(struct rig *rig)
{
    struct ov_queue_loan loan;
    assert_false(ov_queue_take(rig->queue, any, &loan));
    assert_int_equal(counts(rig).buffered, 0);
    assert_int_equal(counts(rig).buffered_bytes, 0);
}

/* ---------------------------------------------------------------- when it goes to disk */

static void test_modes(void **state)
{
    (void)state;
    /* samples on disk after a push, after a loan was put back, after a push behind that */
    static const struct { enum ov_queue_mode mode; size_t pushed, put_back, more; } rows[] = {
        {OV_QUEUE_MEMORY, 0, 0, 0}, {OV_QUEUE_DISK, 0, 3, 5}, {OV_QUEUE_WRITE_AHEAD, 3, 3, 5},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct rig rig;
        size_t bytes;
        rig_start(&rig, rows[i].mode);
        push(&rig, "a");
        push(&rig, "bb");
        assert_int_equal(counts(&rig).buffered_disk, rows[i].pushed);
        expect_loan(&rig, any, "abb");
        assert_int_equal(ov_queue_put_back(rig.queue), 0);
        assert_int_equal(counts(&rig).buffered_disk, rows[i].put_back);
        push(&rig, "cc");
        assert_int_equal(counts(&rig).buffered_disk, rows[i].more);
        expect_sent(&rig, "abb");
        expect_sent(&rig, "cc");
        expect_empty(&rig);
        temp_dir_count(rig.dir, &bytes);
        assert_int_equal(bytes, 0);
        push(&rig, "d"); /* all is delivered: as at the beginning */
        assert_int_equal(counts(&rig).buffered_disk, rows[i].mode == OV_QUEUE_WRITE_AHEAD);
        rig_end(&rig);
    }
}

/* What is on loan from memory is written too, and stays the same loan. */
static void test_spool_with_loan(void **state)
{
    (void)state;
    for (int delivered = 0; delivered < 2; delivered++) {
        struct rig rig;
        rig_start(&rig, OV_QUEUE_DISK);
        push(&rig, "a");
        push(&rig, "bb");
        expect_loan(&rig, one, "a");
        ov_queue_spool(rig.queue);
        assert_int_equal(counts(&rig).buffered_disk, 3);
        if (delivered)
            ov_queue_settle(rig.queue, 0);
        else
            ov_queue_put_back(rig.queue);
        rig_restart(&rig);
        assert_int_equal(counts(&rig).collected, delivered ? 2 : 3);
        expect_sent(&rig, delivered ? "bb" : "abb");
        expect_empty(&rig);
        rig_end(&rig);
    }
}

/* A thread that hangs with a loan comes back after the queue was shut. */
static void test_shut_with_loan(void **state)
{
    (void)state;
    struct rig rig, next;
    rig_start(&rig, OV_QUEUE_DISK);
    push(&rig, "abc");
    expect_loan(&rig, any, "abc");
    ov_queue_shut(rig.queue);
    next = rig;
    rig_open(&next);
    ov_queue_settle(rig.queue, 0);
    expect_sent(&next, "abc");
    ov_queue_free(rig.queue);
    rig_end(&next);
}

static void test_much_goes_to_disk(void **state)
{
    (void)state;
    struct rig rig;
    struct ov_slice bytes = {calloc(1, 1 << 20), 1 << 20};
    rig_start(&rig, OV_QUEUE_DISK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(ov_queue_push(rig.queue, bytes, 10), 0);
        struct ov_queue_counts c = counts(&rig);
        assert_true(c.buffered_bytes - c.buffered_disk_bytes <= 4 << 20);
    }
    assert_true(counts(&rig).buffered_disk >= 160);
    free((char *)bytes.ptr);
    rig_end(&rig);
}

static void test_restart(void **state)
{
    (void)state;
    for (int mode = OV_QUEUE_DISK; mode <= OV_QUEUE_WRITE_AHEAD; mode++) {
        struct rig rig;
        rig_start(&rig, (enum ov_queue_mode)mode);
        push(&rig, "a");
        push(&rig, "bb");
        push(&rig, "ccc");
        expect_loan(&rig, one, "a");
        ov_queue_settle(rig.queue, 0);
        rig_restart(&rig);
        assert_int_equal(counts(&rig).collected, 5);
        push(&rig, "d");
        expect_sent(&rig, "bbcccd");
        expect_empty(&rig);
        rig_restart(&rig);
        expect_empty(&rig);
        rig_end(&rig);
    }
}

/* A log of an earlier configuration is delivered, and not written to. */
static void test_mode_change(void **state)
{
    (void)state;
    struct rig rig;
    size_t bytes;
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    push(&rig, "a");
    rig.disk.mode = OV_QUEUE_MEMORY;
    rig_restart(&rig);
    push(&rig, "b");
    assert_int_equal(counts(&rig).buffered_disk, 1);
    expect_sent(&rig, "a");
    expect_sent(&rig, "b");
    expect_empty(&rig);
    rig_restart(&rig);
    assert_int_equal(temp_dir_count(rig.dir, &bytes), 0);
    /* and back, while it runs */
    struct ov_buf why = {0};
    push(&rig, "c");
    rig.disk.mode = OV_QUEUE_WRITE_AHEAD;
    assert_int_equal(ov_queue_open(rig.queue, &rig.disk, &why), OV_OK);
    push(&rig, "d");
    assert_int_equal(counts(&rig).buffered_disk, 2);
    rig_restart(&rig);
    expect_sent(&rig, "cd");
    rig_end(&rig);
}

static void test_expire_on_disk(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    push(&rig, "aa");
    push(&rig, "b");
    rig_restart(&rig);
    assert_int_equal(ov_queue_expire(rig.queue, 60000), 0);
    assert_int_equal(ov_queue_expire(rig.queue, -1000), 3);
    assert_int_equal(counts(&rig).dropped_expired, 3);
    rig_restart(&rig);
    expect_empty(&rig);
    rig_end(&rig);
}

/* ---------------------------------------------------------------- limits */

static void test_limits(void **state)
{
    (void)state;
    struct rig rig;
    size_t bytes, most = 0, descriptors = open_descriptors();
    char text[1001] = {0};
    memset(text, 'x', sizeof text - 1);
    rig_start(&rig, OV_QUEUE_DISK);
    rig.max_bytes = 1 << 20;
    ov_queue_limit(rig.queue, rig.max_samples, rig.max_bytes);
    push(&rig, "first");
    expect_loan(&rig, any, "first");
    ov_queue_put_back(rig.queue);
    for (int i = 0; i < 5000; i++) {
        push(&rig, text);
        assert_true(temp_dir_count(rig.dir, &bytes) <= 18);
        most = bytes > most ? bytes : most;
    }
    assert_true(most <= rig.max_bytes + (64 << 10));
    assert_true(open_descriptors() <= descriptors + 4);
    struct ov_queue_counts c = counts(&rig);
    assert_int_equal(c.buffered, c.buffered_disk);
    assert_int_equal(c.buffered, rig.max_bytes / (1000 + OV_QUEUE_EXTRA_LEN) * 1000);
    /* counted again, and smaller limits hold at once */
    rig_restart(&rig);
    assert_int_equal(counts(&rig).collected, c.buffered);
    rig.max_samples = 5000;
    rig_restart(&rig);
    c = counts(&rig);
    assert_int_equal(c.buffered, 5000);
    assert_int_equal(c.dropped_full, c.collected - 5000);
    rig_end(&rig);
    assert_int_equal(open_descriptors(), descriptors);
}

/* A receiver that never takes anything: neither memory, nor disk, nor descriptors grow. */
static void test_endless_outage(void **state)
{
    (void)state;
    for (int mode = OV_QUEUE_MEMORY; mode <= OV_QUEUE_WRITE_AHEAD; mode++) {
        struct rig rig;
        struct ov_queue_loan loan;
        size_t bytes, descriptors = open_descriptors();
        char text[501] = {0};
        memset(text, 'x', sizeof text - 1);
        rig_start(&rig, (enum ov_queue_mode)mode);
        ov_queue_limit(rig.queue, 100, 1 << 20);
        for (int i = 0; i < 20000; i++) {
            ov_queue_push(rig.queue, ov_slice(text), 1);
            if (i % 10 == 0 && ov_queue_take(rig.queue, any, &loan)) {
                assert_true(loan.samples <= 100);
                ov_queue_put_back(rig.queue);
            }
        }
        assert_int_equal(counts(&rig).buffered, 100);
        assert_int_equal(counts(&rig).dropped_full, 19900);
        assert_true(temp_dir_count(rig.dir, &bytes) <= 3);
        assert_true(bytes <= 200 << 10);
        assert_true(open_descriptors() <= descriptors + 4);
        rig_end(&rig);
    }
}

/* ---------------------------------------------------------------- a disk that fails */

static void limit_files(rlim_t bytes)
{
    struct rlimit limit;
    getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_disk_full(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    rig.disk.host = ov_host_new("queue", ".", true); /* says so, and that it is over */
    rig_restart(&rig);
    push(&rig, "a");
    limit_files(100);
    for (int i = 0; i < 3; i++)
        assert_int_equal(push(&rig, "bb"), 0);
    assert_int_equal(counts(&rig).buffered_disk, 1);
    assert_int_equal(counts(&rig).buffered, 7);
    limit_files(RLIM_INFINITY);
    push(&rig, "c");
    assert_int_equal(counts(&rig).buffered_disk, 8);
    rig_restart(&rig);
    expect_sent(&rig, "abbbbbbc");
    expect_empty(&rig);
    struct ov_host *host = rig.disk.host;
    rig_end(&rig);
    ov_host_free(host);
}

/* What is delivered is remembered on a disk that takes not one byte more. */
static void test_full_disk_remembers(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    push(&rig, "a");
    push(&rig, "b");
    push(&rig, "c");
    limit_files(150);
    expect_loan(&rig, one, "a");
    ov_queue_settle(rig.queue, 0);
    push(&rig, "lost");
    ov_queue_free(rig.queue);
    limit_files(RLIM_INFINITY);
    rig_open(&rig);
    expect_sent(&rig, "bc");
    rig_end(&rig);
}

/* A full disk from the first write on; with what was kept in memory written at the end. */
static void test_disk_full_at_once(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    limit_files(10);
    push(&rig, "a");
    push(&rig, "b");
    expect_loan(&rig, one, "a");
    ov_queue_settle(rig.queue, 0);
    push(&rig, "c");
    limit_files(RLIM_INFINITY);
    rig_restart(&rig);
    expect_sent(&rig, "bc");
    rig_end(&rig);
}

static void test_directory_is_taken_away(void **state)
{
    (void)state;
    struct rig rig;
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    push(&rig, "a");
    temp_dir_clear(rig.dir);
    push(&rig, "b");
    expect_sent(&rig, "b");
    assert_int_equal(counts(&rig).dropped_damaged, 1);
    push(&rig, "c");
    rig_restart(&rig); /* which makes it again */
    expect_sent(&rig, "c");
    expect_empty(&rig);
    rig_end(&rig);
}

static void test_unusable_directory(void **state)
{
    (void)state;
    struct rig rig;
    struct ov_buf dir = {0}, why = {0};
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    /* another queue has it */
    struct ov_queue *second = ov_queue_new(100, 1000);
    assert_int_equal(ov_queue_open(second, &rig.disk, &why), OV_FAILED);
    assert_non_null(strstr(ov_buf_text(&why), "in use by another omnivigil"));
    ov_queue_push(second, OV_SLICE("x"), 1);
    assert_int_equal(ov_queue_counts(second).buffered_disk, 0);
    assert_int_equal(ov_queue_counts(second).buffered, 1);
    ov_queue_free(second);
    ov_queue_free(rig.queue);
    /* a file is in its place: memory serves */
    ov_buf_printf(&dir, "%s/file", rig.dir);
    fclose(fopen(ov_buf_text(&dir), "w"));
    rig.disk.dir = ov_buf_text(&dir);
    rig_open(&rig);
    push(&rig, "a");
    expect_sent(&rig, "a");
    rig_end(&rig);
    ov_buf_free(&dir);
    ov_buf_free(&why);
}

/* Damage found while it runs is counted. */
static void test_damage(void **state)
{
    (void)state;
    struct rig rig;
    struct ov_buf command = {0};
    rig_start(&rig, OV_QUEUE_WRITE_AHEAD);
    push(&rig, "aaaa");
    push(&rig, "bbb");
    ov_queue_free(rig.queue);
    ov_buf_printf(&command, "sed -i s/aaaa/aXaa/ %s/*", rig.dir);
    assert_int_equal(system(ov_buf_text(&command)), 0);
    ov_buf_free(&command);
    rig_open(&rig);
    assert_int_equal(counts(&rig).collected, 7);
    expect_sent(&rig, "bbb");
    assert_int_equal(counts(&rig).dropped_damaged, 4);
    expect_empty(&rig);
    rig_end(&rig);
}

/* ---------------------------------------------------------------- against a model */

enum { MODEL_MOST = 4096 };

struct model {
    size_t samples[MODEL_MOST]; /* of the records in line, by number */
    size_t first, next;         /* those in line */
    size_t lent, again;         /* records */
    bool out;
};

static size_t model_text(char *text, size_t number)
{
    return (size_t)sprintf(text, "%zu %.*s\n", number, (int)(number % 50),
                           "##################################################");
}

static size_t model_samples(const struct model *m)
{
    size_t sum = 0;
    for (size_t i = m->first; i < m->next; i++)
        sum += m->samples[i % MODEL_MOST];
    return sum;
}

static void model_push(struct rig *rig, struct model *m, unsigned seed)
{
    char text[100];
    size_t samples = seed % 7, len = model_text(text, m->next);
    m->samples[m->next++ % MODEL_MOST] = samples;
    ov_queue_push(rig->queue, (struct ov_slice){text, len}, samples);
    for (; model_samples(m) > rig->max_samples; m->first++) {
        m->lent -= m->lent > 0;
        m->again -= m->again > 0;
    }
}

static void model_take(struct rig *rig, struct model *m, unsigned seed)
{
    struct ov_queue_loan loan;
    struct ov_queue_join join = {1 + seed % 5, 1 + seed % 11, 1 + seed % 150};
    bool taken = ov_queue_take(rig->queue, join, &loan);
    assert_int_equal(taken, !m->out && m->first != m->next);
    if (!taken)
        return;
    struct ov_buf want = {0};
    for (size_t i = 0; i < loan.records; i++) {
        char text[100];
        ov_buf_add(&want, text, model_text(text, m->first + i));
    }
    if (!ov_slice_eq(loan.bytes, (struct ov_slice){want.data, want.len}) ||
        (m->again && m->again != loan.records))
        fail_msg("%zu records lent (%zu before): %.*s", loan.records, m->again,
                 (int)loan.bytes.len, loan.bytes.ptr);
    ov_buf_free(&want);
    m->out = true;
    m->lent = loan.records;
    m->again = 0;
}

static void model_restart(struct rig *rig, struct model *m)
{
    limit_files(RLIM_INFINITY);
    rig_restart(rig);
    m->out = false;
    m->lent = m->again = 0;
    assert_int_equal(counts(rig).collected, model_samples(m));
}

static void model_step(struct rig *rig, struct model *m, unsigned op, unsigned seed)
{
    if (op < 50)
        model_push(rig, m, seed);
    else if (op < 75)
        model_take(rig, m, seed);
    else if (op < 87) {
        ov_queue_settle(rig->queue, seed % 3);
        m->first += m->out ? m->lent : 0;
        m->out = false;
        m->lent = 0;
    } else if (op < 94) {
        if (seed % 3)
            ov_queue_put_back(rig->queue);
        else
            ov_queue_split(rig->queue);
        m->again = m->out && seed % 3 ? m->lent : 0;
        m->out = false;
        m->lent = 0;
    } else if (op < 95)
        ov_queue_spool(rig->queue);
    else if (op < 97)
        limit_files(seed % 2 ? 3000 : RLIM_INFINITY);
    else if (op < 98)
        ov_queue_unfit(rig->queue, 1);
    else if (rig->disk.mode != OV_QUEUE_MEMORY && seed % 4 == 0)
        model_restart(rig, m);
}

static void test_random_life(void **state)
{
    (void)state;
    for (unsigned run = 0; run < 60; run++) {
        struct rig rig;
        struct model m = {0};
        unsigned random = run * 77 + 1;
        rig_start(&rig, (enum ov_queue_mode)(run % 3));
        rig.max_samples = 50 + run * 20;
        rig.disk.sync = run == 2 ? OV_QUEUE_SYNC_ALWAYS : OV_QUEUE_SYNC_NEVER;
        rig_restart(&rig);
        for (int i = 0; i < (run == 2 ? 200 : 2000); i++) {
            unsigned op = (unsigned)rand_r(&random) % 100;
            model_step(&rig, &m, op, (unsigned)rand_r(&random));
            struct ov_queue_counts c = counts(&rig);
            assert_true(c.buffered >= model_samples(&m));
            assert_int_equal(c.dropped_damaged, 0);
            if (!m.out)
                assert_int_equal(c.buffered, model_samples(&m));
        }
        limit_files(RLIM_INFINITY);
        rig_end(&rig);
    }
}

int main(void)
{
    signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_modes), cmocka_unit_test(test_spool_with_loan),
        cmocka_unit_test(test_shut_with_loan), cmocka_unit_test(test_much_goes_to_disk),
        cmocka_unit_test(test_restart), cmocka_unit_test(test_mode_change),
        cmocka_unit_test(test_expire_on_disk), cmocka_unit_test(test_limits),
        cmocka_unit_test(test_endless_outage), cmocka_unit_test(test_disk_full),
        cmocka_unit_test(test_full_disk_remembers), cmocka_unit_test(test_disk_full_at_once),
        cmocka_unit_test(test_directory_is_taken_away), cmocka_unit_test(test_unusable_directory),
        cmocka_unit_test(test_damage), cmocka_unit_test(test_random_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
