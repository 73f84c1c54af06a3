/* SPDX-License-Identifier: Apache-2.0 */
/* Words of any bytes, as they look, and as a real shell takes them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "shell.h"

#define WORD(text) {text, sizeof(text) - 1}

static const struct row {
    struct ov_slice word;
    const char *line;
} rows[] = {
    {WORD("orders"), "orders"},
    {WORD("omni-stream:file_system.tasks@1%+,"), "omni-stream:file_system.tasks@1%+,"},
    {WORD(""), "''"},
    {WORD("two words"), "'two words'"},
    {WORD("it's"), "'it'\\''s'"},
    {WORD("a=b"), "'a=b'"},
    {WORD("$(x)`y`;&|<>!*?[]{}~#\"\\"), "'$(x)`y`;&|<>!*?[]{}~#\"\\'"},
    {WORD("\xc3\xbc" "ber"), "'\xc3\xbc" "ber'"},
    {WORD("a\nb"), "$'a\\012b'"},
    {WORD("\x1b[31m7"), "$'\\033[31m7'"},
    {WORD("\xff" "7"), "$'\\3777'"},
    {WORD("\xc3"), "$'\\303'"},
    {WORD("\xc2\x85"), "$'\\302\\205'"},
    {WORD("\x7f'\\"), "$'\\177\\047\\134'"},
    {WORD("\xc3\xbc\n"), "$'\\303\\274\\012'"},
};

static void test_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf line = {0};
        if (!shell_word(&line, rows[i].word) || strcmp(ov_buf_text(&line), rows[i].line) != 0)
            fail_msg("row %zu: %s, not %s", i, ov_buf_text(&line), rows[i].line);
        ov_buf_free(&line);
    }
}

static void test_line(void **state)
{
    struct ov_buf line = {0};
    (void)state;
    assert_true(shell_word(&line, OV_SLICE("redis-cli")));
    assert_true(shell_word(&line, OV_SLICE("a b")));
    assert_false(shell_word(&line, (struct ov_slice){"a\0b", 3}));
    assert_true(shell_pattern(&line, OV_SLICE("[a]*?\\")));
    assert_false(shell_pattern(&line, (struct ov_slice){"*\0", 2}));
    assert_string_equal(ov_buf_text(&line), "redis-cli 'a b' '\\[a]\\*\\?\\\\'");
    ov_buf_free(&line);
}

/* Runs the line and compares what the word was with what it is. */
static void check_by_shell(struct ov_slice word)
{
    struct ov_buf line = {0}, got = {0};
    char chunk[512];
    ov_buf_str(&line, "printf %s");
    assert_true(shell_word(&line, word));
    FILE *file = fopen("test_shell.sh", "w");
    assert_non_null(file);
    assert_int_equal(fwrite(line.data, 1, line.len, file), line.len);
    assert_int_equal(fclose(file), 0);
    FILE *shell = popen("bash test_shell.sh", "r");
    assert_non_null(shell);
    for (size_t len; (len = fread(chunk, 1, sizeof chunk, shell)) > 0;)
        ov_buf_add(&got, chunk, len);
    assert_int_equal(pclose(shell), 0);
    if (!ov_slice_eq((struct ov_slice){got.data, got.len}, word))
        fail_msg("%s became %s", ov_buf_text(&line), ov_buf_text(&got));
    ov_buf_free(&line);
    ov_buf_free(&got);
}

static void test_in_a_shell(void **state)
{
    char bytes[255];
    (void)state;
    if (system("bash -c : 2>/dev/null") != 0)
        skip();
    for (size_t i = 0; i < OV_COUNT(rows); i++)
        check_by_shell(rows[i].word);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)(i + 1);
    check_by_shell((struct ov_slice){bytes, sizeof bytes});
    srand(1);
    for (unsigned round = 0; round < 60; round++) {
        size_t len = 1 + (size_t)rand() % 40;
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(1 + rand() % (round % 2 ? 255 : 126));
        check_by_shell((struct ov_slice){bytes, len});
    }
    assert_int_equal(remove("test_shell.sh"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_in_a_shell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
