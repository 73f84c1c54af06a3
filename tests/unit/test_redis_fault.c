/* SPDX-License-Identifier: Apache-2.0 */
/* Error replies, as Redis of several versions writes them, and the kind each is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "redis.h"

static void test_kinds(void **state)
{
    static const struct {
        const char *text, *word;
    } rows[] = {
        {"NOAUTH Authentication required.", "noauth"},
        {"ERR operation not permitted", "noauth"},
        {"WRONGPASS invalid username-password pair or user is disabled.", "wrongpass"},
        {"ERR invalid password", "wrongpass"},
        {"ERR Client sent AUTH, but no password is set", "wrongpass"},
        {"ERR AUTH <password> called without any password configured for the default user. Are "
         "you sure your configuration is correct?",
         "wrongpass"},
        {"NOPERM this user has no permissions to run the 'ping' command", "noperm"},
        {"NOPERM No permissions to access a key", "noperm"},
        {"ERR The user executing the script can't run this command or subcommand", "noperm"},
        {"DENIED Redis is running in protected mode because ...", "protected"},
        {"ERR max number of clients reached", "maxclients"},
        {"ERR max number of clients + cluster connections reached", "maxclients"},
        {"LOADING Redis is loading the dataset in memory", "loading"},
        {"MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
         "masterdown"},
        {"READONLY You can't write against a read only replica.", "readonly"},
        {"MOVED 3999 127.0.0.1:6381", "moved"},
        {"ASK 3999 127.0.0.1:6381", "ask"},
        {"CLUSTERDOWN Hash slot not served", "clusterdown"},
        {"BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.",
         "busy"},
        {"OOM command not allowed when used memory > 'maxmemory'.", "oom"},
        {"NOGROUP No such consumer group 'g' for key name 'k'", "nogroup"},
        {"NOGROUP No such key 'k' or consumer group 'g'", "nogroup"},
        {"ERR no such key", "nokey"},
        {"WRONGTYPE Operation against a key holding the wrong kind of value", "wrongtype"},
        {"ERR unknown command 'XINFO', with args beginning with: 'STREAM' ", "unknown_command"},
        {"ERR unknown command `XINFO`, with args beginning with: ", "unknown_command"},
        {"ERR unknown subcommand 'FOO'. Try XINFO HELP.", "unknown_command"},
        {"ERR Unknown subcommand or wrong number of arguments for 'FULL'", "unknown_command"},
        {"ERR DB index is out of range", "nodb"},
        {"ERR invalid DB index", "nodb"},
        {"ERR SELECT is not allowed in cluster mode", "nodb"},
        /* none of them */
        {"", "error"},
        {"ERR", "error"},
        {"ERR syntax error", "error"},
        {"NOAUTHORITY of any kind", "error"},
        {"BUSYGROUP Consumer Group name already exists", "error"},
        {"BUSYKEY Target key name already exists.", "error"},
        {"ASKING", "error"},
        {"noauth lower case", "error"},
        {"MISCONF Redis is configured to save RDB snapshots", "error"},
        {"NOSCRIPT No matching script.", "error"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct redis_reply reply = {.type = REDIS_ERROR, .text = ov_slice(rows[i].text)};
        const char *word = redis_fault_word(redis_reply_fault(&reply));
        if (strcmp(word, rows[i].word))
            fail_msg("%s: expected %s, got %s", rows[i].text, rows[i].word, word);
    }
}

static void test_only_errors_are_faults(void **state)
{
    (void)state;
    for (int type = REDIS_NIL; type <= REDIS_ARRAY; type++) {
        struct redis_reply reply = {.type = (enum redis_type)type,
                                    .text = OV_SLICE("NOAUTH Authentication required.")};
        assert_int_equal(redis_reply_fault(&reply) == REDIS_FINE, type != REDIS_ERROR);
    }
}

static void test_words(void **state)
{
    (void)state;
    for (int a = REDIS_FINE; a <= REDIS_STOPPED; a++) {
        const char *word = redis_fault_word((enum redis_fault)a);
        assert_non_null(word);
        assert_non_null(redis_fault_remedy((enum redis_fault)a));
        assert_int_equal(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
        for (int b = REDIS_FINE; b < a; b++)
            assert_string_not_equal(word, redis_fault_word((enum redis_fault)b));
    }
    assert_string_equal(redis_fault_word((enum redis_fault)9999), "error");
    assert_string_equal(redis_fault_remedy((enum redis_fault)-1), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_only_errors_are_faults),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
