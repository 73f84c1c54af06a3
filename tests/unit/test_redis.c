/* SPDX-License-Identifier: Apache-2.0 */
/* The Redis client's pipeline, against a server that says what each test wants said: much at
 * once, late, in pieces, broken off, or nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>

#include "redis_rig.h"

/* ---------------------------------------------------------------- the pipeline */

static void test_many(void **state)
{
    struct server *server = server_start(talk_well, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    for (size_t i = 0; i < 20000; i++) {
        send_echo(&c, on_number, &tally, i);
        assert_true(i + 1 - tally.count <= 512); /* the window */
    }
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 20000);
    assert_int_equal(tally.wrong, 0);
    assert_int_equal(redis_run(c.redis), OV_OK); /* of nothing */
    client_end(&c);
    server_end(server);
}

static void on_number_send_more(struct redis *r, const struct redis_reply *reply, void *context,
                                size_t index)
{
    struct tally *tally = context;
    on_number(r, reply, context, index);
    for (int i = 0; i < 2 && tally->more; i++, tally->more--) {
        char text[24];
        int len = snprintf(text, sizeof text, "%zu", tally->more);
        redis_send(r, on_number_send_more, tally, tally->more, OV_SLICE("ECHO"),
                   (struct ov_slice){text, (size_t)len});
    }
}

/* Each reply sends two commands more, until there were thousands. */
static void test_send_from_replies(void **state)
{
    struct server *server = server_start(talk_well, NULL);
    struct client c;
    struct tally tally = {.more = 20000};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    send_echo(&c, on_number_send_more, &tally, 0);
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 20001);
    assert_int_equal(tally.wrong, 0);
    client_end(&c);
    server_end(server);
}

static void on_number_send_5000(struct redis *r, const struct redis_reply *reply, void *context,
                                size_t index)
{
    on_number(r, reply, context, index);
    for (size_t i = 0; i < 5000; i++)
        redis_send(r, on_number, context, 9, OV_SLICE("ECHO"), OV_SLICE("9"));
    redis_flush(r);
}

static void test_send_a_page_from_one_reply(void **state)
{
    struct server *server = server_start(talk_well, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    send_echo(&c, on_number_send_5000, &tally, 1);
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 5001);
    assert_int_equal(tally.wrong, 0);
    client_end(&c);
    server_end(server);
}

static void talk_byte_by_byte(struct peer *peer)
{
    while (peer_hears(peer)) {
        if (peer_greets(peer))
            continue;
        char text[80];
        int len = snprintf(text, sizeof text, "*2\r\n$3\r\nabc\r\n:%s\r\n", peer_word(peer, 1));
        for (int i = 0; i < len; i++)
            peer_says(peer, text + i, 1);
    }
}

static void on_pair(struct redis *r, const struct redis_reply *reply, void *context, size_t index)
{
    struct tally *tally = context;
    (void)r;
    tally->count++;
    if (reply->type != REDIS_ARRAY || reply->count != 2 ||
        !ov_slice_eq(reply->items[0].text, OV_SLICE("abc")) ||
        reply->items[1].integer != (int64_t)index)
        tally->wrong++;
}

static void test_byte_by_byte(void **state)
{
    struct server *server = server_start(talk_byte_by_byte, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    for (size_t i = 0; i < 300; i++)
        send_echo(&c, on_pair, &tally, i);
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 300);
    assert_int_equal(tally.wrong, 0);
    client_end(&c);
    server_end(server);
}

static void talk_deaf(struct peer *peer)
{
    for (int i = 0; i < 2 && peer_hears(peer); i++)
        peer_greets(peer);
    while (peer_hears(peer))
        ;
}

/* A server that takes commands and does not answer holds back the sender, not for ever. */
static void test_sender_waits_and_gives_up(void **state)
{
    struct server *server = server_start(talk_deaf, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    c.options.timeout_ms = 100;
    int64_t start = ov_clock_ms();
    for (size_t i = 0; i < 100000; i++)
        send_echo(&c, on_number, &tally, i);
    assert_true(ov_clock_ms() - start < 2000);
    assert_fault(&c, redis_run(c.redis), REDIS_TIMEOUT, "no answer for 100 ms");
    assert_int_equal(tally.count, 0);
    client_end(&c);
    server_end(server);
}

/* ---------------------------------------------------------------- broken connections */

static const char three[] = ":0\r\n:1\r\n*2\r\n$1\r\na\r\n:7\r\n";

/* Says so many bytes of `three` as the script says, and closes. */
static void talk_cut(struct peer *peer)
{
    for (int i = 0; i < 5 && peer_hears(peer); i++)
        peer_greets(peer);
    peer_says(peer, three, *(const size_t *)peer_script(peer));
}

static void on_anything(struct redis *r, const struct redis_reply *reply, void *context,
                        size_t index)
{
    struct tally *tally = context;
    (void)r, (void)reply;
    if (index != tally->count)
        tally->wrong++;
    tally->count++;
}

static void test_closed_in_mid_reply(void **state)
{
    (void)state;
    for (size_t len = 0; len < sizeof three - 1; len++) {
        struct server *server = server_start(talk_cut, &len);
        struct client c;
        struct tally tally = {0};
        client_dial(&c, server);
        assert_open(&c);
        for (size_t i = 0; i < 3; i++)
            send_echo(&c, on_anything, &tally, i);
        assert_fault(&c, redis_run(c.redis), REDIS_CLOSED, "closed the connection");
        assert_int_equal(tally.count, (len >= 4) + (len >= 8));
        assert_int_equal(tally.wrong, 0);
        send_echo(&c, on_anything, &tally, 9); /* does nothing */
        assert_fault(&c, redis_run(c.redis), REDIS_CLOSED, "closed the connection");
        client_end(&c);
        server_end(server);
    }
}

/* What a server may say in place of the second of three replies. */
static void talk_garbage(struct peer *peer)
{
    for (int i = 0; i < 5 && peer_hears(peer); i++)
        peer_greets(peer);
    peer_says_text(peer, ":0\r\n");
    peer_says_text(peer, peer_script(peer));
    peer_waits(peer);
}

static void test_garbage(void **state)
{
    static const char *const rows[] = {
        "garbage\r\n", "\r\n", ":x\r\n", "$-7\r\n", "*-7\r\n", "*1000000000\r\n",
        "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1400000\r\n", ">1\r\n+x\r\n", "%1\r\n+a\r\n+b\r\n",
        "*1\r\n?",
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct server *server = server_start(talk_garbage, rows[i]);
        struct client c;
        struct tally tally = {0};
        client_dial(&c, server);
        assert_open(&c);
        for (size_t n = 0; n < 3; n++)
            send_echo(&c, on_anything, &tally, n);
        assert_fault(&c, redis_run(c.redis), REDIS_PROTOCOL, "protocol error");
        assert_int_equal(tally.count, 1);
        client_end(&c);
        server_end(server);
    }
}

/* Answers the first ECHO of the first connection only when the client has long given up. */
static void talk_late(struct peer *peer)
{
    while (peer_hears(peer)) {
        if (peer_greets(peer))
            continue;
        if (peer_number(peer) == 0)
            nap(300);
        say_number(peer);
    }
}

static void test_late_reply(void **state)
{
    struct server *server = server_start(talk_late, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    c.options.timeout_ms = 100;
    send_echo(&c, on_number, &tally, 1);
    assert_fault(&c, redis_run(c.redis), REDIS_TIMEOUT, "no answer for 100 ms; is Redis stuck");
    assert_int_equal(tally.count, 0);
    c.options.timeout_ms = 5000;
    assert_open(&c);
    send_echo(&c, on_number, &tally, 2);
    nap(300);
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 1);
    assert_int_equal(tally.wrong, 0);
    assert_int_equal(server_connections(server), 2);
    client_end(&c);
    server_end(server);
}

/* A gather that was given up leaves commands behind, whose context is gone. */
static void test_open_disowns(void **state)
{
    struct server *server = server_start(talk_well, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    for (size_t i = 0; i < 100; i++)
        send_echo(&c, on_number, NULL, i);
    assert_open(&c);
    send_echo(&c, on_number, &tally, 5);
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 1);
    assert_int_equal(tally.wrong, 0);
    assert_int_equal(server_connections(server), 1);
    client_end(&c);
    server_end(server);
}

/* ---------------------------------------------------------------- stopping and deadlines */

static void *stop_soon(void *host)
{
    nap(50);
    ov_host_stop(host);
    return NULL;
}

static void test_stop_during_wait(void **state)
{
    struct server *server = server_start(talk_deaf, NULL);
    struct client c;
    struct tally tally = {0};
    pthread_t thread;
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    pthread_create(&thread, NULL, stop_soon, c.host);
    int64_t start = ov_clock_ms();
    send_echo(&c, on_number, &tally, 0);
    assert_int_equal(redis_run(c.redis), OV_STOPPED);
    assert_int_equal(redis_fault(c.redis), REDIS_STOPPED);
    assert_true(ov_clock_ms() - start < 2000);
    assert_int_equal(redis_run(c.redis), OV_STOPPED);
    assert_int_equal(redis_open(c.redis), OV_STOPPED);
    pthread_join(thread, NULL);
    client_end(&c);
    server_end(server);
}

static void test_deadline_of_the_whole(void **state)
{
    struct server *server = server_start(talk_deaf, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_open(&c);
    ov_host_set_deadline(c.host, ov_clock_ms() + 100);
    int64_t start = ov_clock_ms();
    send_echo(&c, on_number, &tally, 0);
    assert_fault(&c, redis_run(c.redis), REDIS_TIMEOUT, "the time allowed");
    assert_true(ov_clock_ms() - start < 2000);
    assert_fault(&c, redis_open(c.redis), REDIS_TIMEOUT, "time allowed");
    client_end(&c);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_send_from_replies),
        cmocka_unit_test(test_send_a_page_from_one_reply),
        cmocka_unit_test(test_byte_by_byte),
        cmocka_unit_test(test_sender_waits_and_gives_up),
        cmocka_unit_test(test_closed_in_mid_reply),
        cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_late_reply),
        cmocka_unit_test(test_open_disowns),
        cmocka_unit_test(test_stop_during_wait),
        cmocka_unit_test(test_deadline_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
