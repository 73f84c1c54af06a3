/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: which command is meant, its flags and words, helps, exit status and where what
 * is said goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "capture.h"
#include "command_guess.h"
#include "fake_plugins.h"

static struct capture out, err;

/* Runs "omnivigil LINE"; words are separated by blanks, '_' stands for an empty one. */
static int run_line(const char *line)
{
    static char words[1024];
    char *argv[32] = {words};
    int argc = 1;
    snprintf(words, sizeof words, "omnivigil %s", line);
    for (char *at = words; (at = strchr(at, ' ')); argc++) {
        *at++ = '\0';
        argv[argc] = *at == '_' && (at[1] == ' ' || !at[1]) ? at + 1 : at;
    }
    capture_begin(&out, STDOUT_FILENO);
    capture_begin(&err, STDERR_FILENO);
    int status = ov_command_dispatch(argc, argv);
    capture_end(&err);
    capture_end(&out);
    return status;
}

#define HINT "--help` tells what there is"

static void test_lines(void **state)
{
    static const struct {
        const char *line;
        int status;
        const char *out, *err; /* parts; NULL: nothing at all */
    } rows[] = {
        /* none of the commands */
        {"--help", 0, "Commands:", NULL},
        {"-h", 0, "Commands:", NULL},
        {"help", 0, "Commands:", NULL},
        {"--version", 0, "omnivigil ", NULL},
        {"-V", 0, "(plugin interface ", NULL},
        {"_", 2, "Commands:", NULL},
        {"gahter", 2, NULL, "unknown command `gahter` (did you mean `gather`?)"},
        {"plugin", 2, NULL, "(did you mean `plugins`?)"},
        {"Gather", 2, NULL, "unknown command `Gather`"},
        {"config", 2, "Commands:\n  config check ", NULL},
        {"config chekc", 2, NULL, "(did you mean `config check`?)"},
        {"config --help", 0, "Commands:\n  config check ", NULL},
        {"cofnig check", 2, NULL, "`cofnig check` (did you mean `config check`?)"},
        {"cofnig", 2, NULL, "`cofnig` (did you mean `config`?)"},
        {"cofnig frobnicate", 2, NULL, "`cofnig` (did you mean `config`?)"},
        {"config frobnicate", 2, NULL, "unknown command `config frobnicate`\n"},
        {"chekc", 2, NULL, "(did you mean `check`?)"},
        {"xyzzy", 2, NULL, "unknown command `xyzzy`\n`omnivigil " HINT},
        {"xyzzy -x --help", 2, NULL, "unknown command `xyzzy`\n"},
        {"help plugins", 0, "Usage: omnivigil plugins", NULL},
        {"--help config check", 0, "Usage: omnivigil config check", NULL},
        {"help config", 0, "Commands:\n  config check ", NULL},
        {"help gahter", 2, NULL, "unknown command `gahter` (did you mean `gather`?)"},
        {"help config chekc", 2, NULL, "(did you mean `config check`?)"},
        {"help --version", 2, NULL, "unknown option `--version`"},
        {"--verison", 2, NULL, "unknown option `--verison` (did you mean `--version`?)"},
        {"--config", 2, NULL, "unknown option `--config`: those of a command come after it"},
        {"-c", 2, NULL, "unknown option `-c`"},
        {"\x1b[2J\xff", 2, NULL, "unknown command `\\x1b[2J\\xff`"},
        /* completion */
        {"complete", 2, NULL, NULL},
        {"complete _", 0, "gather\tGather once", NULL},
        {"complete ru", 0, "run\tRun the agent\n", NULL},
        {"complete config _", 0, "check\t", NULL},
        {"complete --v", 0, "--version\t", NULL},
        {"complete gather --f", 0, "--format\t", NULL},
        {"complete gather --format j", 0, "json\n", NULL},
        {"complete gather -f in", 0, "influx\n", NULL},
        {"complete gather -c _", 0, NULL, NULL},
        {"complete gather ru", 0, "runner\n", NULL},
        {"complete plugins ag", 0, "agent\t", NULL},
        {"complete check --nothing-as w", 0, "warning\n", NULL},
        {"complete nothing like this", 0, NULL, NULL},
        /* helps */
        {"run --help", 0, "Usage: omnivigil run [OPTION...]\n\nRun the agent.", NULL},
        {"gather -h", 0, "Usage: omnivigil gather [OPTION...] [INPUT...]", NULL},
        {"config check --help", 0, "--plugin-dir DIR", NULL},
        {"plugins --help --nonsense", 0, "-h, --help", NULL},
        /* flags */
        {"plugins --nonsense", 2, NULL, "unknown option `--nonsense`\n`omnivigil plugins " HINT},
        {"gather --fromat json", 2, NULL, "unknown option `--fromat` (did you mean `--format`?)"},
        {"gather -x", 2, NULL, "unknown option `-x`"},
        {"gather -xyz=1", 2, NULL, "unknown option `-x`"},
        {"gather --format", 2, NULL, "--format needs a value: FORMAT"},
        {"gather -f", 2, NULL, "--format needs a value"},
        {"gather --=json", 2, NULL, "unknown option `--`"},
        {"gather --format=xml", 2, NULL, "--format takes `influx` or `json`, not `xml`"},
        {"gather --format jsno", 2, NULL, "not `jsno` (did you mean `json`?)"},
        {"gather --format=", 2, NULL, "not ``"},
        {"gather -fJSON", 2, NULL, "not `JSON`"},
        {"gather --format _", 2, NULL, "not ``"},
        {"run --seconds x", 2, NULL, "--seconds takes a number above 0, not `x`"},
        {"run --seconds 0", 2, NULL, "not `0`"},
        {"run --seconds -1", 2, NULL, "not `-1`"},
        {"run --seconds=nan", 2, NULL, "not `nan`"},
        {"run --seconds=inf", 2, NULL, "not `inf`"},
        {"run --seconds=5s", 2, NULL, "not `5s`"},
        {"run --seconds=", 2, NULL, "not ``"},
        /* words */
        {"run now", 2, NULL, "`run` takes no words, got `now`"},
        {"config check a b", 2, NULL, "`config check` takes no words"},
        {"plugins a b", 2, NULL, "`plugins` takes [NAME], got 2 words"},
        {"plugins -", 2, NULL, "unknown plugin `-`, in "},
        {"plugins -- --help", 2, NULL, "--help"},
        /* what the commands do */
        {"plugins --plugin-dir /given", 0, "Plugins in /given\n", NULL},
        {"plugins --plugin-dir=/given fake", 0, "fake (input)", NULL},
        {"plugins fake --plugin-dir /given", 0, "Options of fake", NULL},
        {"plugins fkae", 2, NULL, "unknown plugin `fkae` (did you mean `fake`?)"},
        {"plugins broken", 1, NULL, "does not load"},
        {"plugins agent", 0, "omnivigil_output {output, plugin}", NULL},
        {"config check", 0, "built-in configuration: good\ninputs: redis_bus storage runner\n"
                            "outputs: file\n", NULL},
        {"config check -c /nowhere.yaml", 1, NULL, "/nowhere.yaml"},
        {"config check --config=/nowhere.yaml", 1, NULL, "1 error\n"},
        {"config check -c/nowhere.yaml", 1, NULL, "/nowhere.yaml: 1 error\n"},
        {"gather nobody", 2, NULL, "`nobody`"},
        {"gather runenr", 2, NULL, "(did you mean `runner`?)"},
        {"gather -c /nowhere.yaml", 2, NULL, "/nowhere.yaml"},
        {"run -c /nowhere.yaml", 1, NULL, "/nowhere.yaml"},
    };
    (void)state;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        int status = run_line(rows[i].line);
        if (status != rows[i].status)
            fail_msg("%s: %d instead of %d\n%s%s", rows[i].line, status, rows[i].status, out.text,
                     err.text);
        if (rows[i].out ? !strstr(out.text, rows[i].out) : *out.text)
            fail_msg("%s: on stdout: %s", rows[i].line, out.text);
        if (rows[i].err ? !strstr(err.text, rows[i].err) : *err.text)
            fail_msg("%s: on stderr: %s", rows[i].line, err.text);
    }
}

/* Names with several words: which is meant by words that are none. */
static void test_guesses(void **state)
{
    static const struct ov_command commands[] = {
        {.name = "health"}, {.name = "metrics"}, {.name = "bus list"}, {.name = "bus groups"},
        {.name = "bus dlq"}, {.name = "bus dlq republish"}, {.name = "bus dlq purge"},
        {.name = "agent list"}, {.name = "top"},
    };
    static const struct {
        const char *words[4];
        const char *name; /* "": none */
        int used;
    } rows[] = {
        {{"buss", "list"}, "bus list", 2},
        {{"buss", "lst", "orders"}, "bus list", 2},
        {{"buss"}, "bus", 1},
        {{"bus", "frobnicate"}, "", 0},
        {{"bus", "grops"}, "bus groups", 2},
        {{"agents", "list"}, "agent list", 2},
        {{"agents"}, "agent", 1},
        {{"dlq"}, "bus dlq", 1},
        {{"dlqs"}, "bus dlq", 1},
        {{"groups", "orders"}, "bus groups", 1},
        {{"republish"}, "bus dlq republish", 1},
        {{"dlq", "republish", "orders"}, "bus dlq republish", 2},
        {{"dlq", "repulish"}, "bus dlq republish", 2},
        {{"bsu", "dlq", "prge"}, "bus dlq purge", 3},
        {{"metric"}, "metrics", 1},
        {{"met"}, "metrics", 1},
        {{"m"}, "", 0},
        {{"", "list"}, "", 0},
        {{"heatlh"}, "health", 1},
        {{"bus", "--list"}, "", 0},
        {{"frobnicate", "bus", "list"}, "", 0},
    };
    struct ov_command_row known[OV_COUNT(commands)];
    (void)state;
    for (size_t i = 0; i < OV_COUNT(commands); i++)
        known[i] = (struct ov_command_row){&commands[i], NULL};
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        int argc = 0;
        while (argc < 4 && rows[i].words[argc])
            argc++;
        struct ov_command_guess guess =
            ov_command_guess(known, OV_COUNT(known), argc, (char **)rows[i].words);
        if (!ov_slice_eq(guess.name, ov_slice(rows[i].name)) || guess.words != rows[i].used)
            fail_msg("%s %s: `%.*s`, %d words", rows[i].words[0],
                     argc > 1 ? rows[i].words[1] : "", (int)guess.name.len,
                     guess.name.ptr ? guess.name.ptr : "", guess.words);
    }
    const char *const misspelt[] = {"repulish", "orders"}, *const topic[] = {"orders", "x"};
    char **more = (char **)misspelt;
    const struct ov_command *meant =
        ov_command_guess_more(known, OV_COUNT(known), "bus dlq", 2, more);
    assert_string_equal(meant ? meant->name : "", "bus dlq republish");
    assert_null(ov_command_guess_more(known, OV_COUNT(known), "bus dlq", 2, (char **)topic));
    assert_null(ov_command_guess_more(known, OV_COUNT(known), "health", 2, more));
}

/* Every command's row is whole, and its help says all that is in it. */
static void test_rows(void **state)
{
    (void)state;
    for (size_t i = 0; ov_commands[i]; i++) {
        const struct ov_command *c = ov_commands[i];
        char line[128];
        snprintf(line, sizeof line, "%s --help", c->name);
        assert_int_equal(run_line(line), 0);
        snprintf(line, sizeof line, "omnivigil %s", c->name);
        if (strncmp(c->example, line, strlen(line)) != 0 || !strstr(out.text, c->example))
            fail_msg("%s: the example is %s", c->name, c->example);
        assert_true(c->words_min <= c->words_max);
        assert_true((c->words_max > 0) == (*c->takes != '\0'));
        size_t count = 0;
        for (const struct ov_flag *flag = c->flags; flag->name; flag++, count++) {
            snprintf(line, sizeof line, "--%s", flag->name);
            if (!strstr(out.text, line) || !strstr(out.text, flag->help))
                fail_msg("%s: no help for --%s", c->name, flag->name);
            for (const struct ov_flag *other = c->flags; other < flag; other++)
                if (strcmp(other->name, flag->name) == 0 ||
                    (flag->letter && other->letter == flag->letter))
                    fail_msg("%s: --%s is there twice", c->name, flag->name);
            assert_true(flag->value || !flag->choices);
        }
        assert_true(count <= OV_FLAGS_MAX);
        for (const char *at = out.text; *at; at += strcspn(at, "\n") + 1)
            if (strcspn(at, "\n") > 100)
                fail_msg("%s: a long line: %.*s", c->name, (int)strcspn(at, "\n"), at);
        run_line("--help");
        assert_non_null(strstr(out.text, c->summary));
    }
}

static int set_up(void **state)
{
    (void)state;
    unsetenv("OMNIVIGIL_PLUGIN_DIR");
    return chdir("/"); /* where no configuration lies */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines),
        cmocka_unit_test(test_guesses),
        cmocka_unit_test(test_rows),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
