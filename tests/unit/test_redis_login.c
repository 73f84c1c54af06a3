/* SPDX-License-Identifier: Apache-2.0 */
/* How the Redis client comes to a connection and keeps it: what a server may say first, logging in,
 * idle connections that were lost, names and sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "redis_rig.h"

/* ---------------------------------------------------------------- the first reply */

struct first {
    const char *name;
    struct ov_slice says; /* to the first command */
    bool closes;          /* and then closes; otherwise it says no more */
    int status;
    enum redis_fault fault;
    const char *why;
};

static void talk_first(struct peer *peer)
{
    const struct first *first = peer_script(peer);
    if (!peer_hears(peer))
        return;
    peer_says(peer, first->says.ptr, first->says.len);
    peer_hears(peer); /* CLIENT SETNAME; read, or the close would be a reset */
    if (first->closes)
        return;
    peer_says_text(peer, "-NOPERM no\r\n");
    peer_waits(peer);
}

#define SAYS(text) {text, sizeof(text) - 1}

static void test_first_reply(void **state)
{
    static const struct first rows[] = {
        {"pong", SAYS("+PONG\r\n"), false, OV_OK, REDIS_FINE, ""},
        {"noperm", SAYS("-NOPERM no 'ping'\r\n"), false, OV_OK, REDIS_FINE, ""},
        {"disk full", SAYS("-MISCONF Redis is configured\r\n"), false, OV_OK, REDIS_FINE, ""},
        {"renamed", SAYS("-ERR unknown command 'PING'\r\n"), false, OV_OK, REDIS_FINE, ""},
        {"noauth", SAYS("-NOAUTH Authentication required.\r\n"), false, OV_FAILED, REDIS_NOAUTH,
         "wants a password; give `password`"},
        {"protected", SAYS("-DENIED Redis is running in protected mode because\r\n"), true,
         OV_FAILED, REDIS_PROTECTED, "protected mode"},
        {"full", SAYS("-ERR max number of clients reached\r\n"), true, OV_FAILED,
         REDIS_MAXCLIENTS, "as many clients"},
        {"loading", SAYS("-LOADING Redis is loading the dataset in memory\r\n"), false, OV_FAILED,
         REDIS_LOADING, "loading its data"},
        {"masterdown", SAYS("-MASTERDOWN Link with MASTER is down\r\n"), false, OV_FAILED,
         REDIS_MASTERDOWN, "lost its master"},
        {"busy", SAYS("-BUSY Redis is busy running a script.\r\n"), false, OV_FAILED, REDIS_BUSY,
         "SCRIPT KILL"},
        {"http", SAYS("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n"), true, OV_FAILED,
         REDIS_NOT_REDIS, "\"HTTP/1.1 400 Bad Request"},
        {"ssh", SAYS("SSH-2.0-OpenSSH_9.2\r\n"), true, OV_FAILED, REDIS_NOT_REDIS, "SSH-2.0"},
        {"tls", SAYS("\x15\x03\x03\0\x02\x02\x46"), true, OV_FAILED, REDIS_TLS, "rediss://"},
        {"echo", SAYS("*1\r\n$4\r\nPING\r\n"), false, OV_FAILED, REDIS_NOT_REDIS, "PONG"},
        {"another status", SAYS("+OK\r\n"), false, OV_FAILED, REDIS_NOT_REDIS, "PONG"},
        {"an integer", SAYS(":1\r\n"), false, OV_FAILED, REDIS_NOT_REDIS, "PONG"},
        {"huge", SAYS("*2000000000\r\n"), false, OV_FAILED, REDIS_NOT_REDIS, "*2000000000"},
        {"binary", SAYS("\0\xff\n"), true, OV_FAILED, REDIS_NOT_REDIS, "\\x00\\xff\\n"},
        {"closed at once", SAYS(""), true, OV_FAILED, REDIS_CLOSED, "closed"},
        {"closed in the reply", SAYS("+PO"), true, OV_FAILED, REDIS_CLOSED, "closed"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct server *server = server_start(talk_first, &rows[i]);
        struct client c;
        client_dial(&c, server);
        int status = redis_open(c.redis);
        if (status != rows[i].status || redis_fault(c.redis) != rows[i].fault ||
            !strstr(redis_why(c.redis), rows[i].why))
            fail_msg("%s: status %d, fault %s: %s", rows[i].name, status,
                     redis_fault_word(redis_fault(c.redis)), redis_why(c.redis));
        assert_int_equal(server_connections(server), 1);
        client_end(&c);
        server_end(server);
    }
}

/* A server that is loading answers INFO: the connection stays, and is used again. */
static void talk_loading(struct peer *peer)
{
    while (peer_hears(peer)) {
        if (!strcmp(peer_word(peer, 0), "ECHO"))
            say_number(peer);
        else
            peer_says_text(peer, peer_command(peer) < 4 ? "-LOADING wait\r\n" : "+PONG\r\n");
    }
}

static void test_loading_keeps_the_connection(void **state)
{
    struct server *server = server_start(talk_loading, NULL);
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_dial(&c, server);
    assert_fault(&c, redis_open(c.redis), REDIS_LOADING, "loading");
    send_echo(&c, on_number, &tally, 7);
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 1);
    assert_fault(&c, redis_open(c.redis), REDIS_LOADING, "loading");
    assert_open(&c);
    assert_int_equal(server_connections(server), 1);
    client_end(&c);
    server_end(server);
}

/* ---------------------------------------------------------------- logging in */

struct login {
    const char *user, *password, *db;
    const char *heard;  /* the words of the commands before PING */
    const char *says;   /* to the first of them */
    enum redis_fault fault;
    const char *why;
};

static void talk_login(struct peer *peer)
{
    const struct login *login = peer_script(peer);
    char heard[256] = "";
    while (peer_hears(peer) && strcmp(peer_word(peer, 0), "PING")) {
        for (size_t i = 0; *peer_word(peer, i); i++) {
            strncat(heard, peer_word(peer, i), 63);
            strcat(heard, " ");
        }
        peer_says_text(peer, peer_command(peer) ? "+OK\r\n" : login->says);
    }
    bool good = !strcmp(heard, login->heard);
    peer_says_text(peer, good ? "+PONG\r\n" : "-NOAUTH heard something else\r\n");
    while (peer_hears(peer))
        peer_says_text(peer, "-ERR unknown command\r\n");
}

static void test_login(void **state)
{
    static const char odd[] = "p@ss:w/rd#%$ {x}'\"\\";
    static const struct login rows[] = {
        {NULL, NULL, "", "", "", REDIS_FINE, ""},
        {NULL, "pw", "", "AUTH pw ", "+OK\r\n", REDIS_FINE, ""},
        {NULL, odd, "", "AUTH p@ss:w/rd#%$ {x}'\"\\ ", "+OK\r\n", REDIS_FINE, ""},
        {"u", "pw", "/0", "AUTH u pw ", "+OK\r\n", REDIS_FINE, ""},
        {"u", "pw", "/7", "AUTH u pw SELECT 7 ", "+OK\r\n", REDIS_FINE, ""},
        {NULL, NULL, "/7", "SELECT 7 ", "+OK\r\n", REDIS_FINE, ""},
        {NULL, NULL, "/7", "SELECT 7 ", "-ERR DB index is out of range\r\n",
         REDIS_NODB, "no database 7"},
        {NULL, NULL, "/7", "SELECT 7 ", "-NOPERM no\r\n", REDIS_NOPERM, "SELECT database 7"},
        {NULL, NULL, "/7", "SELECT 7 ", "-NOAUTH no\r\n", REDIS_NOAUTH, "wants a password"},
        {NULL, NULL, "/7", "SELECT 7 ", "-ERR SELECT is not allowed in cluster mode\r\n",
         REDIS_NODB, "no database"},
        {NULL, "SECRET", "", "AUTH SECRET ", "-WRONGPASS invalid\r\n",
         REDIS_WRONGPASS, "refuses the password"},
        {"mon", "SECRET", "", "AUTH mon SECRET ", "-WRONGPASS invalid\r\n",
         REDIS_WRONGPASS, "`mon`"},
        {NULL, "SECRET", "", "AUTH SECRET ", "-ERR invalid password\r\n",
         REDIS_WRONGPASS, "refuses the password"},
        {NULL, "SECRET", "", "AUTH SECRET ", "-ERR Client sent AUTH, but no password is set\r\n",
         REDIS_WRONGPASS, "has none set"},
        {NULL, "SECRET", "", "AUTH SECRET ",
         "-ERR AUTH <password> called without any password configured\r\n",
         REDIS_WRONGPASS, "has none set"},
        {"mon", "SECRET", "", "AUTH mon SECRET ",
         "-ERR wrong number of arguments for 'auth' command\r\n",
         REDIS_WRONGPASS, "older than Redis 6"},
        {NULL, "SECRET", "", "AUTH SECRET ",
         "-ERR unknown command `AUTH`, with args beginning with: `SECRET`, \r\n",
         REDIS_WRONGPASS, "knows no AUTH"},
        {NULL, "SECRET", "", "AUTH SECRET ", "-SECRET SECRET\r\n",
         REDIS_WRONGPASS, "refuses the password"},
        {NULL, "SECRET", "", "AUTH SECRET ", "-ERR max number of clients reached\r\n",
         REDIS_MAXCLIENTS, "clients"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct server *server = server_start(talk_login, &rows[i]);
        struct client c;
        client_init(&c, "redis://127.0.0.1:%d%s", server_port(server), rows[i].db);
        redis_free(c.redis);
        c.options.user = (char *)rows[i].user;
        c.options.password = (char *)rows[i].password;
        c.redis = redis_new(&c.options, c.host);
        int status = redis_open(c.redis);
        if (redis_fault(c.redis) != rows[i].fault || !strstr(redis_why(c.redis), rows[i].why) ||
            (status == OV_OK) != (rows[i].fault == REDIS_FINE))
            fail_msg("row %zu: status %d, %s: %s", i, status,
                     redis_fault_word(redis_fault(c.redis)), redis_why(c.redis));
        assert_null(strstr(redis_why(c.redis), "SECRET"));
        assert_null(strstr(ov_host_why(c.host), "SECRET"));
        client_end(&c);
        server_end(server);
    }
}

static void talk_wrong_password(struct peer *peer)
{
    while (peer_hears(peer))
        peer_says_text(peer, strcmp(peer_word(peer, 0), "AUTH") ? "-NOAUTH no\r\n"
                                                                : "-WRONGPASS no\r\n");
}

/* One attempt a second at first, then one after 2, 4, 8 ... and at last 60 seconds. */
static void test_wrong_password_slows_down(void **state)
{
    static const int waits_s[] = {1, 2, 4, 8, 16, 32, 60, 60, 60};
    struct server *server = server_start(talk_wrong_password, NULL);
    struct client c;
    (void)state;
    client_init(&c, "redis://:pw@127.0.0.1:%d", server_port(server));
    for (size_t i = 0; i < OV_COUNT(waits_s); i++) {
        assert_fault(&c, redis_open(c.redis), REDIS_WRONGPASS, "refuses");
        assert_int_equal(server_connections(server), i + 1);
        clock_ahead_ms += waits_s[i] * 1000 - 500;
        ov_host_clear(c.host);
        assert_fault(&c, redis_open(c.redis), REDIS_WRONGPASS, "refuses");
        assert_int_equal(server_connections(server), i + 1);
        clock_ahead_ms += 500;
    }
    client_end(&c);
    server_end(server);
}

/* ---------------------------------------------------------------- idle connections */

static atomic_int opened; /* connections that were greeted */

static void talk_once(struct peer *peer)
{
    for (int i = 0; i < 2 && peer_hears(peer); i++)
        peer_greets(peer);
    if (!peer_script(peer))
        return;
    while (opened <= peer_number(peer)) /* with the greeting it would be an error at once */
        nap(1);
    peer_says_text(peer, peer_script(peer));
    peer_is_served(peer);
    peer_waits(peer);
}

/* Closed, or with something to read that nobody asked for: dialled anew, without a word. */
static void test_idle_connection_lost(void **state)
{
    static const char *const rows[] = {NULL, "+PONG\r\n", "-ERR idle\r\n", "x"};
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct server *server = server_start(talk_once, rows[i]);
        struct client c;
        client_dial(&c, server);
        opened = 0;
        for (int n = 1; n <= 3; n++) {
            assert_open(&c);
            assert_string_equal(ov_host_why(c.host), "");
            assert_int_equal(server_connections(server), n);
            opened = n;
            server_await(server, n);
        }
        client_end(&c);
        server_end(server);
    }
}

/* Closes when it hears the second PING of the first connection. */
static void talk_close_at_ping(struct peer *peer)
{
    while (peer_hears(peer)) {
        if (peer_number(peer) == 0 && peer_command(peer) == 2)
            return;
        peer_greets(peer);
    }
}

static void test_connection_lost_at_ping(void **state)
{
    struct server *server = server_start(talk_close_at_ping, NULL);
    struct client c;
    (void)state;
    client_dial(&c, server);
    for (int i = 0; i < 4; i++)
        assert_open(&c);
    assert_int_equal(server_connections(server), 2);
    client_end(&c);
    server_end(server);
}

/* ---------------------------------------------------------------- nowhere to connect to */

static void test_not_connected(void **state)
{
    struct client c;
    struct tally tally = {0};
    (void)state;
    client_init(&c, "redis://127.0.0.1:1");
    send_echo(&c, on_number, &tally, 0);
    redis_flush(c.redis);
    assert_int_equal(redis_run(c.redis), OV_FAILED);
    assert_fault(&c, redis_open(c.redis), REDIS_REFUSED, "127.0.0.1:1: connection refused; is");
    redis_close(c.redis);
    assert_fault(&c, redis_open(c.redis), REDIS_REFUSED, "refused");
    client_end(&c);
    redis_free(NULL);
}

static void test_bad_address(void **state)
{
    struct client c;
    (void)state;
    client_init(&c, "redis://:SECRET@h:x");
    assert_fault(&c, redis_open(c.redis), REDIS_OTHER, "port");
    assert_null(strstr(redis_why(c.redis), "SECRET"));
    client_end(&c);
}

static void test_unix_socket(void **state)
{
    char folder[] = "/tmp/test_redis_XXXXXX", path[64];
    struct client c;
    struct tally tally = {0};
    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/socket", folder);
    client_init(&c, "unix://%s", path);
    assert_fault(&c, redis_open(c.redis), REDIS_REFUSED, "/socket: no such file");
    struct server *server = server_start_unix(talk_well, NULL, path);
    assert_open(&c);
    send_echo(&c, on_number, &tally, 3);
    assert_int_equal(redis_run(c.redis), OV_OK);
    assert_int_equal(tally.count, 1);
    redis_close(c.redis);
    server_end(server);
    assert_fault(&c, redis_open(c.redis), REDIS_REFUSED, "/socket: connection refused");
    client_end(&c);
    unlink(path);
    rmdir(folder);
}

/* The thread of a slow lookup is left behind; its answer, when it comes, is used. */
static void test_slow_name(void **state)
{
    struct server *server = server_start(talk_well, NULL);
    struct client c;
    (void)state;
    client_init(&c, "redis://slow.test:%d", server_port(server));
    c.options.timeout_ms = 50;
    for (int i = 0; i < 3; i++)
        assert_fault(&c, redis_open(c.redis), REDIS_DNS, "no answer from the name server");
    assert_int_equal(slow_lookups, 1);
    c.options.timeout_ms = 5000;
    answer_lookups = true;
    assert_open(&c);
    assert_int_equal(slow_lookups, 1);
    redis_close(c.redis);
    assert_open(&c); /* asked anew */
    assert_int_equal(slow_lookups, 2);
    client_end(&c);
    server_end(server);
}

static void test_forgotten_lookup(void **state)
{
    struct client c;
    (void)state;
    answer_lookups = false;
    client_init(&c, "redis://slow.test:1");
    c.options.timeout_ms = 20;
    assert_fault(&c, redis_open(c.redis), REDIS_DNS, "no answer");
    client_end(&c);
    answer_lookups = true;
    nap(50); /* for the thread to find that it is alone */
}

static void test_names(void **state)
{
    struct server *server = server_start(talk_well, NULL);
    struct client c;
    (void)state;
    client_init(&c, "redis://localhost:%d", server_port(server));
    assert_open(&c);
    client_end(&c);
    client_init(&c, "rediss://localhost:%d", server_port(server));
    assert_int_equal(redis_open(c.redis), OV_FAILED);
    assert_non_null(strstr(redis_why(c.redis), "the module for TLS cannot be loaded"));
    assert_non_null(strstr(ov_host_why(c.host), "redis_tls"));
    client_end(&c);
    server_end(server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_reply),
        cmocka_unit_test(test_loading_keeps_the_connection),
        cmocka_unit_test(test_login),
        cmocka_unit_test(test_wrong_password_slows_down),
        cmocka_unit_test(test_idle_connection_lost),
        cmocka_unit_test(test_connection_lost_at_ping),
        cmocka_unit_test(test_not_connected),
        cmocka_unit_test(test_bad_address),
        cmocka_unit_test(test_unix_socket),
        cmocka_unit_test(test_slow_name),
        cmocka_unit_test(test_forgotten_lookup),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
