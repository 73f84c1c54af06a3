/* SPDX-License-Identifier: Apache-2.0 */
/* Option tables: every type, what each accepts and refuses and at which place it says so, where
 * values come from, and that no secret is ever shown. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_plugins.h"
#include "nearest.h"
#include "option_text.h"
#include "options.h"
#include "scalar.h"

/* One reading of a text through the fake plugin's table. */
struct result {
    struct fake fake;
    struct ov_buf report, dump;
    size_t errors;
};

static void result_read(struct result *r, const char *yaml)
{
    *r = (struct result){0};
    struct ov_slice text = ov_slice(yaml);
    struct ov_diag *diag = ov_diag_new("c.yaml", text);
    struct ov_tree *tree = ov_tree_parse(text, diag);
    struct ov_dotenv *env = ov_dotenv_read(NULL, NULL);
    if (tree) {
        struct ov_node *root = ov_tree_root(tree);
        struct ov_source source = {diag, env, root, "fake", false};
        struct ov_check check = {&source, fake_options};
        const struct ov_option *const tables[] = {fake_options};
        if (root) {
            root->shown = true;
            ov_tree_expand(root, env, diag);
        }
        ov_options_read(&source, fake_options, &r->fake);
        ov_options_unknown(&source, tables, 1);
        if (ov_diag_errors(diag) == 0)
            fake_check(&r->fake, &check);
        if (root)
            ov_tree_hide(root, diag);
    }
    ov_diag_write(diag, &r->report);
    r->errors = ov_diag_errors(diag);
    ov_options_dump(&r->dump, fake_options, &r->fake, 0);
    ov_tree_free(tree);
    ov_dotenv_free(env);
    ov_diag_free(diag);
}

static void result_free(struct result *r)
{
    ov_options_free(fake_options, &r->fake);
    ov_options_free(fake_options, &r->fake); /* twice is harmless */
    ov_buf_free(&r->report);
    ov_buf_free(&r->dump);
}

/* ---------------------------------------------------------------- accepted */

struct accepted {
    const char *yaml;
    const char *dump; /* a line of the dump, or NULL for a value that must not be there */
};

static const struct accepted accepted[] = {
    {"{}", "port: 6379"},
    {"port: 1", "port: 1"},
    {"port: 65535", "port: 65535"},
    {"count: -7", "count: -7"},
    {"count: 0", "count: 0"},
    {"count: 9223372036854775807", "count: 9223372036854775807"},
    {"count: -9223372036854775808", "count: -9223372036854775808"},
    {"count: ${FAKE_NUMBER}", "count: 42"},
    {"count: ${FAKE_UNSET:-43}", "count: 43"},
    {"{count: \"${FAKE_NUMBER}\"}", "count: 42"},
    {"enabled: '${FAKE_UNSET:-false}'", "enabled: false"},
    {"count: ${FAKE_EMPTY:-44}", "count: 44"},
    {"enabled: false", "enabled: false"},
    {"wait: 500ms", "wait: 500ms"},
    {"wait: 0.5s", "wait: 500ms"},
    {"wait: 1.5m", "wait: 1m30s"},
    {"wait: 1m30s", "wait: 1m30s"},
    {"wait: 1m0.5s", "wait: 1m500ms"},
    {"wait: \"10s\"", "wait: 10s"},
    {"wait: 10m", "wait: 10m"},
    {"wait: 10ms", "wait: 10ms"},
    {"wait: ${FAKE_UNSET:-2s}", "wait: 2s"},
    {"room: 512", "room: 512"},
    {"room: 512B", "room: 512"},
    {"room: 64KiB", "room: 64KiB"},
    {"room: 10MB", "room: 10000000"},
    {"room: 1.5GiB", "room: 1536MiB"},
    {"room: 8388607TiB", "room: 8388607TiB"},
    {"room: 1kB", "room: 1000"},
    {"share: 0.8", "share: 0.8"},
    {"share: 80%", "share: 0.8"},
    {"share: 0", "share: 0"},
    {"share: 1", "share: 1"},
    {"share: 100%", "share: 1"},
    {"share: 0.1%", "share: 0.001"},
    {"mode: quick", "mode: quick"},
    {"mode: \"slow\"", "mode: slow"},
    {"topics: [a, 012, no, ~, 'x, y']", "topics: [a, 012, no, \"~\", \"x, y\"]"},
    {"topics:\n- a\n- b\n", "topics: [a, b]"},
    {"topics: just one", "topics: [\"just one\"]"},
    {"topics: ''", "topics: [\"\"]"},
    {"topics: []", NULL},
    {"topics: ${FAKE_EMPTY}", NULL},
    {"topics: ${FAKE_COMMAS}", "topics: [\"a, b\"]"},
    {"labels: {a: no, b: 012, c: 1.0, d: 2026-01-01, e: null, f: ~, g: true, h: 1e3}",
     "labels: {a: no, b: 012, c: 1.0, d: 2026-01-01, e: null, f: \"~\", g: true, h: 1e3}"},
    {"labels: {a: '', 'b c': \"${FAKE_NUMBER}\"}", "labels: {a: \"\", \"b c\": 42}"},
    {"labels: {z: 1, a: 2, m: 3}", "labels: {z: 1, a: 2, m: 3}"},
    {"labels:", NULL},
    {"text: no", "text: no"},
    {"text: 012", "text: 012"},
    {"text: ~", "text: \"~\""},
    {"text: ''", "text: \"\""},
    {"text: ${FAKE_EMPTY}", "text: \"\""},
    {"text: |\n  one\n  two\n", "text: \"one\\ntwo\\n\""},
    {"text: a$b$", "text: \"a$$b$$\""},
    {"text: $$", "text: \"$$\""},
    {"text: $${LIT}", "text: \"$${LIT}\""},
    {"text: $$${FAKE_NUMBER}$$", "text: \"$$42$$\""},
    {"text: <${FAKE_NUMBER}|${FAKE_UNSET:-d:-e $$}>", "text: \"<42|d:-e $$$$>\""},
    {"text: '${FAKE_UNSET:-}'", "text: \"\""},
    {"text: ${FAKE_NASTY}",
     "text: \"a$$b\\\\c\\\"q\\\":\\n#z $${NOT} & *x\""},
    {"text: \"${FAKE_NASTY}\"",
     "text: \"a$$b\\\\c\\\"q\\\":\\n#z $${NOT} & *x\""},
    {"tls:", "  port: 443"},
    {"tls: {port: 8443, ca: /a/b}", "  ca: /a/b"},
    {"tls: {port: 8443, ca: /a/b}", "  port: 8443"},
    {"password: hunter2", "password: ***"},
    {"headers: {Authorization: hunter2}", "headers: ***"},
};

static bool has_line(const struct ov_buf *text, const char *line)
{
    const char *p = text->data, *end = p + text->len;
    size_t len = strlen(line);
    while (p < end) {
        const char *newline = memchr(p, '\n', (size_t)(end - p));
        if ((size_t)(newline - p) == len && memcmp(p, line, len) == 0)
            return true;
        p = newline + 1;
    }
    return false;
}

static void test_accepted(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(accepted); i++) {
        const struct accepted *row = &accepted[i];
        struct result r;
        struct ov_buf key = {0};
        result_read(&r, row->yaml);
        ov_buf_printf(&key, "\n%.*s:", (int)strcspn(row->yaml, ":"), row->yaml);
        if (r.errors > 0)
            fail_msg("%s\nis refused: %s", row->yaml, ov_buf_text(&r.report));
        if (row->dump ? !has_line(&r.dump, row->dump)
                      : strstr(ov_buf_text(&r.dump), ov_buf_text(&key)) != NULL)
            fail_msg("%s\ngives\n%s", row->yaml, ov_buf_text(&r.dump));
        ov_buf_free(&key);
        result_free(&r);
    }
}

/* What is dumped reads back as the same. */
static void test_dump_reads_back(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(accepted); i++) {
        struct result first, second;
        result_read(&first, accepted[i].yaml);
        result_read(&second, ov_buf_text(&first.dump));
        if (second.errors > 0 && !strstr(ov_buf_text(&first.dump), "***"))
            fail_msg("%s\nis refused: %s", ov_buf_text(&first.dump), ov_buf_text(&second.report));
        if (second.errors == 0 &&
            strcmp(ov_buf_text(&first.dump), ov_buf_text(&second.dump)) != 0)
            fail_msg("%s\nbecomes\n%s", ov_buf_text(&first.dump), ov_buf_text(&second.dump));
        result_free(&first);
        result_free(&second);
    }
}

/* ---------------------------------------------------------------- refused */

struct refused {
    const char *yaml;
    const char *place; /* "LINE:COLUMN" of an error */
    const char *text;  /* a part of its message */
};

static const struct refused refused[] = {
    {"port: 0", "1:7", "must be from 1 to 65535, got `0`"},
    {"port: 65536", "1:7", "must be from 1 to 65535"},
    {"port: -1", "1:7", "must be from 1 to 65535"},
    {"port: 010", "1:7", "without leading zeros, got `010`"},
    {"port: \"6379\"", "1:7", "without quotes, got `\"6379\"`"},
    {"port: '7${FAKE_NUMBER}x'", "1:7", "expected a whole number such as 42, got `742x`"},
    {"{port: ${FAKE_NUMBER}}", "1:9", "within [ ] and { } a variable must be in quotes"},
    {"port: 0x10", "1:7", "expected a whole number"},
    {"port: 1_000", "1:7", "expected a whole number"},
    {"port: 1e3", "1:7", "expected a whole number"},
    {"port: 1.0", "1:7", "expected a whole number"},
    {"port: +5", "1:7", "expected a whole number"},
    {"port: .inf", "1:7", "expected a whole number"},
    {"port: .nan", "1:7", "expected a whole number"},
    {"port: ~", "1:7", "expected a whole number such as 42, got `~`"},
    {"port:", "1:6", "expected a whole number such as 42, got nothing"},
    {"port: [1]", "1:7", "expected a whole number, got a list"},
    {"port: {a: 1}", "1:7", "expected a whole number, got a mapping"},
    {"port: ٣", "1:7", "expected a whole number"},
    {"count: 9223372036854775808", "1:8", "too large"},
    {"count: -9223372036854775809", "1:8", "too large"},
    {"count: -", "1:8", ""},
    {"count: --1", "1:8", "expected a whole number"},
    {"count: -0", "1:8", "expected a whole number"},
    {"count: ${FAKE_NASTY}", "1:8", "expected a whole number such as 42, got `a$b\\c"},
    {"enabled: yes", "1:10", "expected true or false, got `yes`"},
    {"enabled: on", "1:10", "expected true or false, got `on`"},
    {"enabled: maybe", "1:10", "expected true or false"},
    {"enabled: True", "1:10", "expected true or false"},
    {"enabled: 1", "1:10", "expected true or false"},
    {"enabled: \"true\"", "1:10", "without quotes"},
    {"enabled:", "1:9", "got nothing"},
    {"wait: 0s", "1:7", "must be from 10ms to 10m, got `0s`"},
    {"wait: -1s", "1:7", "cannot be negative, got `-1s`"},
    {"wait: 10", "1:7", "needs a unit (ms, s, m, h or d), such as 10s, got `10`"},
    {"wait: 0", "1:7", "needs a unit"},
    {"wait: 10x", "1:7", "expected a duration"},
    {"wait: 1e3s", "1:7", "expected a duration"},
    {"wait: 999999999999h", "1:7", "must be from 10ms to 10m"},
    {"wait: 999999999999999999h", "1:7", "too large"},
    {"wait: 99999999999999999999999999h", "1:7", "too large"},
    {"wait: 106751991168d", "1:7", "too large"},
    {"wait: 0.0005s", "1:7", "whole number of milliseconds"},
    {"wait: 0.1ms", "1:7", "whole number of milliseconds"},
    {"wait: 010s", "1:7", "expected a duration"},
    {"wait: .5s", "1:7", "expected a duration"},
    {"wait: 1.s", "1:7", "expected a duration"},
    {"wait: 1..5s", "1:7", "expected a duration"},
    {"wait: 30s1m", "1:7", "expected a duration"},
    {"wait: 1s1s", "1:7", "expected a duration"},
    {"wait: 1m30", "1:7", "needs a unit"},
    {"wait: 10 s", "1:7", "expected a duration"},
    {"wait: 10S", "1:7", "expected a duration"},
    {"wait: 1_000ms", "1:7", "expected a duration"},
    {"wait: 0x10s", "1:7", "expected a duration"},
    {"wait: .inf", "1:7", "expected a duration"},
    {"wait: s", "1:7", "expected a duration"},
    {"wait: -", "1:7", ""},
    {"wait: ''", "1:7", "expected a duration"},
    {"room: -1", "1:7", "cannot be negative"},
    {"room: 0", "1:7", "must be at least 1"},
    {"room: 64kb", "1:7", "expected a size"},
    {"room: 64 KiB", "1:7", "expected a size"},
    {"room: 8388608TiB", "1:7", "too large"},
    {"room: 99999999999999999999", "1:7", "too large"},
    {"room: 0.3", "1:7", "whole number of bytes"},
    {"room: 1KiB1B", "1:7", "expected a size"},
    {"room: 010", "1:7", "expected a size"},
    {"room: KiB", "1:7", "expected a size"},
    {"room: 1e3", "1:7", "expected a size"},
    {"room: .nan", "1:7", "expected a size"},
    {"share: 1.1", "1:8", "expected a ratio from 0 to 1, such as 0.8 or 80%, got `1.1`"},
    {"share: 101%", "1:8", "expected a ratio"},
    {"share: -0.1", "1:8", "expected a ratio"},
    {"share: .inf", "1:8", "expected a ratio"},
    {"share: .nan", "1:8", "expected a ratio"},
    {"share: 0x1", "1:8", "expected a ratio"},
    {"share: 1e-1", "1:8", "expected a ratio"},
    {"share: 0,5", "1:8", "expected a ratio"},
    {"share: .5", "1:8", "expected a ratio"},
    {"share: 50%%", "1:8", "expected a ratio"},
    {"share: 0.00000000000000000001", "1:8", "expected a ratio"},
    {"share: \"0.5\"", "1:8", "without quotes"},
    {"mode: quik", "1:7",
     "expected one of slow, steady, quick, got `quik` (did you mean `quick`?)"},
    {"mode: Quick", "1:7", "(did you mean `quick`?)"},
    {"mode: nothing like it", "1:7", "expected one of slow, steady, quick, got"},
    {"mode:", "1:6", "got nothing"},
    {"mode: [quick]", "1:7", "expected a single word, got a list"},
    {"topics:", "1:8", "write [] for an empty one"},
    {"topics: [a, ]\ntopics: [b]", "2:1", "`topics` is given twice, first in line 1"},
    {"topics: [a, [b]]", "1:13", "expected a text, got a list"},
    {"topics: {a: b}", "1:9", "expected a list, got a mapping"},
    {"topics:\n-\n- b", "2:2", "got nothing"},
    {"labels: a", "1:9", "expected a mapping of names to texts"},
    {"labels: [a]", "1:9", "expected a mapping of names to texts, got a list"},
    {"labels: {a: [b]}", "1:13", "expected a text, got a list"},
    {"labels: {'': b}", "1:10", "a name cannot be empty"},
    {"labels: {a: }", "1:13", "got nothing"},
    {"labels: {a: 1, a: 2}", "1:16", "`a` is given twice"},
    {"text:", "1:6", "write \"\" for an empty one"},
    {"text: [a]", "1:7", "expected a text, got a list"},
    {"text: \"a\\0b\"", "1:7", "NUL"},
    {"tls: true", "1:6", "expected a mapping of options"},
    {"tls: []", "1:6", "expected a mapping of options"},
    {"tls: {port: 0}", "1:13", "`fake.tls.port`: must be from 1 to 65535"},
    {"tls: {cert: x}", "1:7", "unknown option `cert` in `fake.tls`"},
    {"tls:\n  ca: x\n  insecur: true", "3:3", "(did you mean `insecure`?)"},
    {"prt: 1", "1:1", "unknown option `prt` in `fake` (did you mean `port`?)"},
    {"Port: 1", "1:1", "(did you mean `port`?)"},
    {"elephant: 1", "1:1", "known are: url, text, password"},
    {"port_file: /x", "1:1", "unknown option `port_file`"},
    {"<<: {port: 1}", "1:1", "unknown option `<<`"},
    {"text: ${FAKE_UNSET}", "1:7", "the environment variable FAKE_UNSET is not set"},
    {"text: ${FAKE UNSET}", "1:7", "a variable is written ${NAME}"},
    {"text: ${}", "1:7", "a variable is written ${NAME}"},
    {"text: ${1}", "1:7", "a variable is written ${NAME}"},
    {"text: ${A-b}", "1:7", "a variable is written ${NAME}"},
    {"text: ${FAKE_NUMBER", "1:7", "a variable is written ${NAME}"},
    {"text: '${FAKE_UNSET:-${FAKE_NUMBER}}'", "1:7", "a variable is written ${NAME}"},
    {"tls: {insecure: true, ca: /x}", "1:27", "`fake.tls.ca`: has no meaning with `insecure`"},
    {"url: http://x", "1:6", "`fake.url`: must begin with fake://"},
    {"port: 1\nwish: nothing at all", "1:1", "`fake`: cannot work"},
};

/* Whether the report has an error at `place` with `text` in the same line. */
static bool reports(struct ov_buf *report, const char *place, const char *text)
{
    struct ov_buf head = {0};
    ov_buf_printf(&head, "c.yaml:%s: ", place);
    const char *p = strstr(ov_buf_text(report), ov_buf_text(&head));
    const char *found = p ? strstr(p, text) : NULL;
    bool good = found && !memchr(p, '\n', (size_t)(found - p));
    ov_buf_free(&head);
    return good;
}

static void test_refused(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(refused); i++) {
        struct result r;
        result_read(&r, refused[i].yaml);
        if (r.errors == 0)
            fail_msg("%s\nis not refused but gives\n%s", refused[i].yaml, ov_buf_text(&r.dump));
        if (!reports(&r.report, refused[i].place, refused[i].text))
            fail_msg("%s\nshould have at %s: %s, has\n%s", refused[i].yaml, refused[i].place,
                     refused[i].text, ov_buf_text(&r.report));
        result_free(&r);
    }
}

/* ---------------------------------------------------------------- secrets */

/* In none of these may "hunter2" or "hunter3" be seen. Most are errors. */
static const char *const secrets[] = {
    "password: hunter2\npassword: hunter3",
    "password: [hunter2]",
    "password: {a: hunter2}",
    "password: [hunter2",
    "password: \"hunter2",
    "password: hunter2: x",
    "password: 'hunter2' x",
    "password: &hunter2 x",
    "password: *hunter2",
    "password: !hunter2 x",
    "password: \"hunter2\\0\"",
    "password: \"hunter2\\q\"",
    "password: ${FAKE-hunter2}",
    "password: ${hunter2-x}\nport: 0",
    "password: |\n  hunter2\n hunter3",
    "password: |\n  hunter2\nhunter3",
    "password: >\n  hunter2\n  hunter3\nport: 0",
    "{password: hunter2, port: 0}",
    "{password: hunter2, port: 0, url: hunter3}",
    "{port: 0, url: hunter3",
    "password: hunter2\npassword_file: /none",
    "passwrd: hunter2",
    "passwrd: [x, hunter2]",
    "passwrd:\n- x\n- hunter2\nport: 0",
    "unheard: {of: hunter2}",
    "url: hunter2",
    "url: hunter2\nport: 0",
    "url: [hunter2]",
    "headers: hunter2",
    "headers: [hunter2]",
    "headers: {a: [hunter2]}",
    "headers: {a: hunter2, a: hunter3}",
    "headers: {a: hunter2, b: }",
    "headers: {a: hunter2}\nheaders: {b: hunter3}",
    "tls: {key: hunter2, port: 0}",
    "tls: {key: [hunter2], keys: hunter3}",
    "tls: hunter2",
    "tls: {key: hunter2}\ntls: {key: hunter3}",
    "- hunter2",
    "hunter2",
    "password: hunter2\n\tport: 1",
    "password: hunter2\x01",
    "password: hunter2\nport: 1\n---\npassword: hunter3",
};

static void test_secrets_hidden(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(secrets); i++) {
        struct result r;
        result_read(&r, secrets[i]);
        const char *report = ov_buf_text(&r.report), *dump = ov_buf_text(&r.dump);
        if (strstr(report, "unter") || strstr(dump, "unter"))
            fail_msg("%s\nis shown in\n%s%s", secrets[i], report, dump);
        result_free(&r);
    }
}

/* A secret's file, with what it holds, its mode, and the value or the complaint. */
static const struct secret_file {
    const char *content;
    size_t len;
    mode_t mode;
    const char *value, *complaint;
} secret_files[] = {
    {"p@ss:w/rd#%$ {x}'\"\\", 19, 0600, "p@ss:w/rd#%$ {x}'\"\\", NULL},
    {"p@ss:w/rd#%$ {x}'\"\\\n", 20, 0600, "p@ss:w/rd#%$ {x}'\"\\", NULL},
    {"two\n\n", 5, 0600, "two\n", NULL},
    {"dos\r\n", 5, 0600, "dos", NULL},
    {" ${HOME}\r", 9, 0600, " ${HOME}\r", NULL},
    {"open", 4, 0644, "open", "warning: others than its owner can read this secret (mode 0644)"},
    {"group", 5, 0640, "group", "(mode 0640)"},
    {"", 0, 0600, NULL, "`fake.password_file`: the file is empty"},
    {"\n", 1, 0600, NULL, "the file is empty"},
    {"a\0b", 3, 0600, NULL, "NUL"},
};

static void test_secret_files(void **unused)
{
    (void)unused;
    char path[] = "/tmp/omnivigil-secret-XXXXXX";
    int fd = mkstemp(path);
    struct ov_buf yaml = {0};
    assert_true(fd >= 0);
    ov_buf_printf(&yaml, "port: 1\npassword_file: %s\n", path);
    for (size_t i = 0; i < OV_COUNT(secret_files); i++) {
        const struct secret_file *row = &secret_files[i];
        struct result r;
        assert_int_equal(ftruncate(fd, 0), 0);
        assert_int_equal(pwrite(fd, row->content, row->len, 0), (ssize_t)row->len);
        assert_int_equal(fchmod(fd, row->mode), 0);
        result_read(&r, ov_buf_text(&yaml));
        const char *report = ov_buf_text(&r.report);
        bool same = row->value && r.fake.password ? strcmp(row->value, r.fake.password) == 0
                                                  : !row->value && !r.fake.password;
        bool said = row->complaint ? reports(&r.report, "2:16", row->complaint) : !*report;
        if (!same || !said || (r.errors == 0) != (row->value != NULL))
            fail_msg("row %zu gives `%s` and\n%s", i, r.fake.password, report);
        result_free(&r);
    }
    ov_buf_free(&yaml);
    close(fd);
    unlink(path);
}

static const struct refused refused_files[] = {
    {"password_file: /nowhere/at/all", "1:16", "cannot read the file: No such file"},
    {"password_file: /", "1:16", "it is a directory"},
    {"password_file: /dev/zero", "1:16", "it is not a regular file"},
    {"password_file: [x]", "1:16", "expected a file's name, got a list"},
    {"password_file:", "1:15", "cannot read the file"},
    {"password: a\npassword_file: b", "2:1", "give either `password` or `password_file`"},
    {"tls: {key_file: /nowhere}", "1:17", "`fake.tls.key_file`: cannot read"},
};

static void test_refused_files(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(refused_files); i++) {
        struct result r;
        result_read(&r, refused_files[i].yaml);
        if (!reports(&r.report, refused_files[i].place, refused_files[i].text))
            fail_msg("%s\nhas\n%s", refused_files[i].yaml, ov_buf_text(&r.report));
        result_free(&r);
    }
}

/* ---------------------------------------------------------------- the environment */

static const struct variable_row {
    const char *name, *value, *yaml;
    const char *dump;      /* expected without error */
    const char *complaint; /* or expected as an error, at 1:1 */
} variable_rows[] = {
    {"FAKE_WAIT", "7s", "port: 1", "wait: 7s", NULL},
    {"FAKE_WAIT", "7s", "wait: 8s", "wait: 8s", NULL},
    {"FAKE_WAIT", "", "port: 1", "wait: 5s", NULL},
    {"FAKE_WAIT", "7", "port: 1", NULL,
     "`fake.wait` (from the environment variable FAKE_WAIT): a duration needs a unit"},
    {"FAKE_WAIT", "1h", "port: 1", NULL, "must be from 10ms to 10m, got `1h`"},
    {"FAKE_TOPICS", "a, b,,c ", "port: 1", "topics: [a, b, c]", NULL},
    {"FAKE_LABELS", "site=fra, x = y=z", "port: 1", "labels: {site: fra, x: \"y=z\"}", NULL},
    {"FAKE_LABELS", "site", "port: 1", NULL, "expected name=value, name=value, got `site`"},
    {"FAKE_LABELS", "=x", "port: 1", NULL, "expected name=value"},
    {"FAKE_KEY", "k$y", "port: 1", "  key: ***", NULL},
    {"FAKE_URL", "hunter2", "port: 1", NULL,
     "`fake.url` (from the environment variable FAKE_URL): must begin with fake://"},
};

static void test_variables(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(variable_rows); i++) {
        const struct variable_row *row = &variable_rows[i];
        struct result r;
        setenv(row->name, row->value, 1);
        result_read(&r, row->yaml);
        bool good = row->dump ? r.errors == 0 && has_line(&r.dump, row->dump)
                              : reports(&r.report, "1:1", row->complaint);
        if (!good || strstr(ov_buf_text(&r.report), "hunter2"))
            fail_msg("%s=%s gives\n%s\n%s", row->name, row->value, ov_buf_text(&r.dump),
                     ov_buf_text(&r.report));
        unsetenv(row->name);
        result_free(&r);
    }
}

static const struct dotenv_row {
    const char *name, *value; /* NULL: unset */
} dotenv_rows[] = {
    {"PLAIN", "value with blanks # and no comment"},
    {"SPACED", "x"},
    {"SINGLE", "a\"b"},
    {"DOUBLE", " $X \\n "},
    {"HALF", "\"half"},
    {"EXPORTED", "yes"},
    {"exported", "no word"},
    {"EMPTY", ""},
    {"AGAIN", "second"},
    {"EQUALS", "a=b"},
    {"FAKE_NUMBER", "42"}, /* the process comes first */
    {"FAKE_EMPTY", ""},
    {"COMMENT", NULL},
    {"NOVALUE", NULL},
    {"NUL", NULL},
    {"LAST", "end"},
};

static void test_dotenv(void **unused)
{
    (void)unused;
    static const char text[] =
        "\xef\xbb\xbfPLAIN=value with blanks # and no comment\r\n"
        "  SPACED =\t x  \n# COMMENT=1\n  # COMMENT=2\n\nNOVALUE\n=nameless\n"
        "SINGLE='a\"b'\nDOUBLE=\" $X \\n \"\nHALF=\"half\nexport EXPORTED=yes\nexported=no word\n"
        "EMPTY=\nAGAIN=first\nAGAIN=second\nEQUALS=a=b\nFAKE_NUMBER=43\nFAKE_EMPTY=no\n"
        "NUL=a\0b\nLAST=end";
    char path[] = "/tmp/omnivigil-env-XXXXXX";
    int fd = mkstemp(path);
    struct ov_buf why = {0};
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    struct ov_dotenv *env = ov_dotenv_read(path, &why);
    for (size_t i = 0; i < OV_COUNT(dotenv_rows); i++) {
        const char *value = ov_dotenv_get(env, dotenv_rows[i].name), *want = dotenv_rows[i].value;
        if (want && value ? strcmp(want, value) != 0 : want != value)
            fail_msg("%s is %s", dotenv_rows[i].name, value);
    }
    assert_int_equal(why.len, 0);
    ov_dotenv_free(env);
    ov_dotenv_free(ov_dotenv_read("/", &why));
    assert_string_equal(ov_buf_text(&why), "it is a directory");
    ov_dotenv_free(NULL);
    ov_buf_free(&why);
    close(fd);
    unlink(path);
}

/* ---------------------------------------------------------------- texts for a person */

static const struct nearest_row {
    const char *wanted, *best;
} nearest_rows[] = {
    {"intervall", "interval"}, {"inteval", "interval"}, {"itnerval", "interval"},
    {"INTERVAL", "interval"},  {"queue-bytes", "queue_bytes"}, {"ulr", "url"},
    {"tag", "tags"},           {"elephant", NULL},      {"x", NULL},
    {"", NULL},                {"in", NULL},
};

static void test_nearest(void **unused)
{
    (void)unused;
    static const char *const names[] = {"interval", "jitter", "queue_bytes", "url", "tags"};
    for (size_t i = 0; i < OV_COUNT(nearest_rows); i++) {
        struct ov_nearest nearest = {.wanted = ov_slice(nearest_rows[i].wanted)};
        for (size_t j = 0; j < OV_COUNT(names); j++)
            ov_nearest_try(&nearest, names[j]);
        const char *want = nearest_rows[i].best;
        if (want && nearest.best ? strcmp(want, nearest.best) != 0 : want != nearest.best)
            fail_msg("%s: %s", nearest_rows[i].wanted, nearest.best);
    }
}

static void test_describe(void **unused)
{
    (void)unused;
    struct ov_buf out = {0};
    ov_options_describe(&out, fake_options);
    const char *text = ov_buf_text(&out);
    static const char *const parts[] = {
        "  url         text, secret (or url_file); default fake://localhost; environment\n"
        "              FAKE_URL\n"
        "              where the fake thing is, which needs some words to explain, more\n"
        "              than go into one line\n",
        "  port        whole number from 1 to 65535; default 6379\n",
        "  room        size, at least 1; default 64KiB\n",
        "  mode        one of slow, steady, quick; default steady\n",
        "  headers     mapping of names to texts, secret\n",
        "  tls         mapping\n"
        "              for what must not be overheard\n"
        "    ca        text\n",
    };
    for (size_t i = 0; i < OV_COUNT(parts); i++)
        if (!strstr(text, parts[i]))
            fail_msg("%s\nis missing in\n%s", parts[i], text);
    ov_buf_free(&out);
}

/* The form of a report: every error, sorted, the line with a caret, escapes, cuts. */
static void test_report(void **unused)
{
    (void)unused;
    struct result r;
    result_read(&r, "port: 70000\n"
                    "wait: 5   # größe \x7f\n");
    assert_string_equal(ov_buf_text(&r.report),
        "c.yaml:2:19: this is no UTF-8 text: byte 0x7f cannot stand here\n"
        "    wait: ***\n"
        "          ^~~\n");
    result_free(&r);
    result_read(&r, "wait:   5 # größe\r\n"
                    "größe: \"xx\"\r\n"
                    "{port: 0}: 1\n");
    assert_string_equal(ov_buf_text(&r.report),
        "c.yaml:1:9: `fake.wait`: a duration needs a unit (ms, s, m, h or d), such as 10s, "
        "got `5`\n"
        "    wait:   5 # größe\n"
        "            ^\n"
        "c.yaml:2:1: unknown option `größe` in `fake`, known are: url, text, password, wish, "
        "port, count, wait, room, enabled, share, mode, topics, labels, headers, tls\n"
        "    größe: ***\n"
        "    ^~~~~\n"
        "c.yaml:3:1: a key must be a text, this is a mapping\n"
        "    {port: 0}: ***\n"
        "    ^~~~~~~~~\n");
    result_free(&r);
    struct ov_buf yaml = {0};
    ov_buf_str(&yaml, "text: ''\nwish: '");
    for (int i = 0; i < 300; i++)
        ov_buf_str(&yaml, "ä");
    ov_buf_str(&yaml, "'\ntopics: [");
    for (int i = 0; i < 60; i++)
        ov_buf_str(&yaml, "abc, ");
    ov_buf_str(&yaml, "[], ");
    for (int i = 0; i < 60; i++)
        ov_buf_str(&yaml, "def, ");
    ov_buf_str(&yaml, "]\n");
    result_read(&r, ov_buf_text(&yaml));
    assert_non_null(strstr(ov_buf_text(&r.report), ":3:310: "));
    assert_non_null(strstr(ov_buf_text(&r.report),
        "\n    ...abc, abc, abc, abc, abc, abc, abc, abc, abc, abc, abc, abc, [], def, def, def, "
        "def, def, def, def...\n"
        "                                                                   ^~\n"));
    ov_buf_free(&yaml);
    result_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepted),       cmocka_unit_test(test_dump_reads_back),
        cmocka_unit_test(test_refused),        cmocka_unit_test(test_secrets_hidden),
        cmocka_unit_test(test_secret_files),   cmocka_unit_test(test_refused_files),
        cmocka_unit_test(test_variables),      cmocka_unit_test(test_dotenv),
        cmocka_unit_test(test_nearest),        cmocka_unit_test(test_describe),
        cmocka_unit_test(test_report),
    };
    static const char *const unset[] = {"FAKE_UNSET", "FAKE_URL", "FAKE_WAIT", "FAKE_KEY",
                                        "FAKE_TOPICS", "FAKE_LABELS"};
    for (size_t i = 0; i < OV_COUNT(unset); i++)
        unsetenv(unset[i]);
    setenv("FAKE_NUMBER", "42", 1);
    setenv("FAKE_EMPTY", "", 1);
    setenv("FAKE_COMMAS", "a, b", 1);
    setenv("FAKE_NASTY", "a$b\\c\"q\":\n#z ${NOT} & *x", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
