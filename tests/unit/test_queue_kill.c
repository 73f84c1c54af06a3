/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Killed at any instant, a write-ahead queue loses nothing it has taken, sends nothing again that
 * it was told is delivered, and sends at most the batch in flight twice.
 *
 * A child pushes numbers and delivers them to a file, the receiver. What it knows for certain it
 * writes to memory that it shares with its parent, which kills it at a random moment and starts
 * the next.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "queue.h"
#include "temp_dir.h"

enum { ROUNDS = 150, MOST_MS = 12, NUMBERS_MOST = 4000000, JOIN = 7 };

/* Written by the child in the order that makes each statement true when it is read. */
struct shared {
    _Atomic uint32_t pushing; /* the number being pushed, */
    _Atomic uint32_t pushed;  /* and the last that was */
    _Atomic uint32_t settled; /* the last number that was settled */
    _Atomic uint32_t received_count;
    _Atomic uint32_t received[NUMBERS_MOST];
};

static void receive(struct shared *shared, struct ov_slice bytes)
{
    for (const char *at = bytes.ptr, *end = at + bytes.len; at != end;) {
        uint32_t count = shared->received_count;
        shared->received[count] = (uint32_t)strtoul(at, NULL, 10);
        shared->received_count = count + 1;
        at = (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
    }
}

static void child_deliver(struct shared *shared, struct ov_queue *queue, unsigned *random)
{
    static const struct ov_queue_join join = {JOIN, SIZE_MAX, SIZE_MAX};
    struct ov_queue_loan loan;
    if (!ov_queue_take(queue, join, &loan))
        return;
    if (rand_r(random) % 4 == 0) {
        ov_queue_put_back(queue);
        return;
    }
    receive(shared, loan.bytes);
    uint32_t last = shared->received[shared->received_count - 1];
    ov_queue_settle(queue, 0);
    shared->settled = last;
}

static struct ov_queue *queue_open(const char *dir, enum ov_queue_mode mode)
{
    struct ov_queue *queue = ov_queue_new(SIZE_MAX, SIZE_MAX);
    struct ov_queue_disk disk = {.dir = dir, .plugin = "plug", .mode = mode,
                                 .sync = OV_QUEUE_SYNC_NEVER};
    struct ov_buf why = {0};
    ov_queue_limit(queue, SIZE_MAX, 1 << 20); /* of which follow segments of 64 KiB */
    if (ov_queue_open(queue, &disk, &why) != OV_OK)
        abort();
    ov_queue_limit(queue, SIZE_MAX, (size_t)1 << 40);
    return queue;
}

_Noreturn static void child(struct shared *shared, const char *dir, unsigned random)
{
    struct ov_queue *queue = queue_open(dir, OV_QUEUE_WRITE_AHEAD);
    for (;;) {
        for (int i = rand_r(&random) % 20; i > 0; i--) {
            char text[400];
            uint32_t number = shared->pushing + 1;
            int len = snprintf(text, sizeof text, "%u%*s\n", number, (int)(number % 300), "");
            shared->pushing = number;
            ov_queue_push(queue, (struct ov_slice){text, (size_t)len}, 1);
            shared->pushed = number;
        }
        for (int i = rand_r(&random) % 5; i > 0; i--)
            child_deliver(shared, queue, &random);
    }
}

struct watch {
    struct shared *shared;
    uint32_t unsure[ROUNDS]; /* whose push was under way at a kill */
    size_t unsure_count;
    uint32_t from;  /* where this round's begin in `received` */
    uint32_t twice;
};

/* Whether `number` is the next behind `last`, but for those that may never have been taken. */
static bool follows(const struct watch *w, uint32_t number, uint32_t last)
{
    for (size_t i = 0; i < w->unsure_count && number != last + 1; i++)
        last += w->unsure[i] == last + 1;
    return number == last + 1;
}

/* Checks what was received in this round and returns the last number known to be delivered. It
 * begins behind what was settled; if the child was killed between settling and its note, behind
 * what was received; if it was killed while it settled what lies in two segments, within that. */
static uint32_t check_round(struct watch *w, uint32_t settled)
{
    const struct shared *shared = w->shared;
    uint32_t before = w->from ? shared->received[w->from - 1] : 0, last = settled;
    if (shared->received_count == w->from)
        return settled;
    uint32_t first = shared->received[w->from];
    if (!follows(w, first, settled))
        last = first > settled && first <= before ? first - 1 : before;
    uint32_t again = 0; /* numbers may be missing in between */
    for (uint32_t i = w->from; i > 0 && shared->received[i - 1] >= first; i--, again++)
        if (i < w->from && shared->received[i - 1] >= shared->received[i])
            break;
    w->twice += again;
    if (again > JOIN)
        fail_msg("%u numbers from %u to %u came twice", again, first, before);
    for (uint32_t i = w->from; i < shared->received_count; i++) {
        if (!follows(w, shared->received[i], last))
            fail_msg("%u came after %u", shared->received[i], last);
        last = shared->received[i];
    }
    return shared->settled > settled ? shared->settled : settled;
}

static void kill_one(struct watch *w, const char *dir, unsigned *random)
{
    struct timespec pause = {0, rand_r(random) % (MOST_MS * 1000000)};
    uint32_t settled = w->shared->settled;
    w->from = w->shared->received_count;
    pid_t pid = fork();
    if (pid == 0)
        child(w->shared, dir, *random);
    nanosleep(&pause, NULL);
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    w->shared->settled = check_round(w, settled);
    if (w->shared->pushing != w->shared->pushed)
        w->unsure[w->unsure_count++] = w->shared->pushing;
}

static void test_kill(void **state)
{
    (void)state;
    struct watch w = {.shared = mmap(NULL, sizeof *w.shared, PROT_READ | PROT_WRITE,
                                     MAP_SHARED | MAP_ANONYMOUS, -1, 0)};
    char *dir = temp_dir_new();
    unsigned random = (unsigned)ov_clock_ns();
    assert_true(w.shared != MAP_FAILED);
    for (int round = 0; round < ROUNDS; round++)
        kill_one(&w, dir, &random);
    struct ov_queue *queue = queue_open(dir, OV_QUEUE_MEMORY); /* and delivers the rest */
    struct ov_queue_loan loan;
    w.from = w.shared->received_count;
    while (ov_queue_take(queue, (struct ov_queue_join){1, 0, 0}, &loan)) {
        receive(w.shared, loan.bytes);
        ov_queue_settle(queue, 0);
    }
    check_round(&w, w.shared->settled);
    assert_true(w.shared->received[w.shared->received_count - 1] >= w.shared->pushed);
    assert_int_equal(ov_queue_counts(queue).dropped_damaged, 0);
    print_message("%u numbers, %u of them twice after %d kills\n", w.shared->pushed, w.twice,
                  ROUNDS);
    ov_queue_free(queue);
    temp_dir_free(dir);
    munmap(w.shared, sizeof *w.shared);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_kill)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
