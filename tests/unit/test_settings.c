/* SPDX-License-Identifier: Apache-2.0 */
/* Whole configurations: the sections, instances and their plugins, what a file may be, and the
 * order in which everything is found. */
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
#include "settings.h"

struct result {
    struct ov_settings *settings;
    struct ov_plugins *plugins;
    struct ov_buf report;
    size_t errors;
};

static void result_parse(struct result *r, const char *text, size_t len)
{
    *r = (struct result){0};
    r->settings = ov_settings_parse("c.yaml", (struct ov_slice){text, len}, NULL, &r->plugins,
                                    &r->report, &r->errors);
    if ((r->settings == NULL) != (r->errors > 0))
        fail_msg("%.200s\ngives %zu errors, and settings %p", text, r->errors, (void *)r->settings);
}

static void result_free(struct result *r)
{
    ov_settings_free(r->settings);
    ov_plugins_free(r->plugins);
    ov_buf_free(&r->report);
}

/* ---------------------------------------------------------------- refused */

struct refused {
    const char *text;
    const char *place; /* "LINE:COLUMN" of an error */
    const char *message; /* a part of it */
};

#define GOOD "inputs: [fake]\noutputs: [file]\n" /* then one thing wrong from line 3 on */

static const struct refused refused[] = {
    /* the sections */
    {"[]", "1:1", "expected the sections `agent:`, `inputs:` and `outputs:`"},
    {"hello", "1:1", "expected the sections"},
    {GOOD "input: []", "3:1", "unknown option `input` in `the configuration` (did you mean "
                              "`inputs`?)"},
    {GOOD "include: /nowhere.yaml", "3:1", "unknown option `include`"},
    {GOOD "agent: [a]", "3:8", "`agent`: expected a mapping of options"},
    {GOOD "agent: a", "3:8", "`agent`: expected a mapping of options"},
    {GOOD "inputs: []", "3:1", "`inputs` is given twice, first in line 1"},
    {"inputs:", "1:1", "leave it out for the standard ones, or write `inputs: []` for none"},
    {"inputs: {plugin: fake}", "1:9", "`inputs`: expected a list whose entries are"},
    {"outputs: file", "1:10", "`outputs`: expected a list"},
    /* the agent's options */
    {GOOD "agent: {intervall: 5s}", "3:9", "unknown option `intervall` in `agent` (did you mean "
                                           "`interval`?)"},
    {GOOD "agent:\n  interval: 5s\n  interval: 5s", "5:3", "`interval` is given twice"},
    {GOOD "agent: {interval: 0s}", "3:19", "`agent.interval`: must be from 100ms to 1d, got `0s`"},
    {GOOD "agent: {interval: -1s}", "3:19", "cannot be negative"},
    {GOOD "agent: {interval: 10}", "3:19", "a duration needs a unit"},
    {GOOD "agent: {interval: 10x}", "3:19", "expected a duration"},
    {GOOD "agent: {interval: 1e3s}", "3:19", "expected a duration"},
    {GOOD "agent: {interval: 999999999999h}", "3:19", "must be from 100ms to 1d"},
    {GOOD "agent: {interval: 0.09s}", "3:19", "must be from 100ms to 1d, got `0.09s`"},
    {GOOD "agent: {interval: 1s, jitter: '${UNSET}'}", "3:31", "variable UNSET is not set"},
    {GOOD "agent: {env_file: '${UNSET}'}", "3:19", "variable UNSET is not set"},
    {GOOD "agent: {log_level: warning}", "3:20", "expected one of error, warn, info, debug, got "
                                                 "`warning`"},
    {GOOD "agent: {tags: [a]}", "3:15", "`agent.tags`: expected a mapping"},
    {GOOD "agent: {queue_bytes: 1MiB}", "3:9", "unknown option `queue_bytes` in `agent`"},
    /* plugins */
    {"inputs: [redis_buss]", "1:10", "unknown plugin `redis_buss` (did you mean `redis_bus`?)"},
    {"inputs: [{plugin: redis_buss}]", "1:19", "unknown plugin `redis_buss`"},
    {"inputs: [elephant]", "1:10", "unknown plugin `elephant`, in /plugins are: broken, clash, "},
    {"inputs: [broken]", "1:10", "/plugins/broken.so: does not load"},
    {"inputs: [clash]", "1:10", "plugin `clash` has an option `interval`, as the agent itself"},
    {"inputs: [file]", "1:10", "`file` is an output: it belongs under `outputs`"},
    {"outputs: [{plugin: fake}]", "1:20", "`fake` is an input: it belongs under `inputs`"},
    {"outputs: [{plugin: fake, optional: true}]", "1:20", "`fake` is an input"},
    {"inputs: [../fake]", "1:10", "`../fake` is no plugin's name"},
    {"inputs: [/fake]", "1:10", "is no plugin's name"},
    {"inputs: [.fake]", "1:10", "is no plugin's name"},
    {"inputs: ['fake x']", "1:10", "is no plugin's name"},
    {"inputs: [{plugin: ../fake, optional: true}]", "1:19", "is no plugin's name"},
    {"inputs: ['']", "1:10", "is no plugin's name"},
    {"inputs:\n-\n- fake", "2:2", "is no plugin's name"},
    {"inputs: [{name: x}]", "1:11", "`inputs.x`: `plugin` is required"},
    {"inputs: [{}]", "1:10", "`inputs.?`: `plugin` is required"},
    {"inputs: [{plugin: }]", "1:19", "expected a text, got nothing"},
    {"inputs: [{plugin: [fake]}]", "1:19", "expected a text, got a list"},
    {"inputs: [[fake]]", "1:10", "expected a plugin's name, or a mapping with `plugin: NAME`"},
    /* instances */
    {"inputs: [fake, fake]", "1:16", "two of the inputs are called `fake`"},
    {"inputs: [fake, {plugin: fake}]", "1:17", "two of the inputs are called `fake`"},
    {"outputs: [{plugin: file, name: a}, {plugin: sink, token: x, name: a}]", "1:67",
     "two of the outputs are called `a`: give one of them another `name`"},
    {"inputs: [{plugin: fake, name: a/b}]", "1:31", "a name is made of letters, digits"},
    {"inputs: [{plugin: fake, name: ..}]", "1:31", "begins with no ."},
    {"inputs: [{plugin: fake, name: ''}]", "1:31", "a name is made of"},
    {"inputs: [{plugin: fake, name: "
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}]", "1:31", "64"},
    {"inputs: [{plugin: fake, prt: 1}]", "1:25", "unknown option `prt` in `inputs.fake` (did you "
                                                "mean `port`?)"},
    {"inputs: [{plugin: fake, name: x, tls: {insecur: true}}]", "1:40",
     "unknown option `insecur` in `inputs.x.tls`"},
    {"inputs: [{plugin: fake, queue_bytes: 1MiB}]", "1:25", "unknown option `queue_bytes`"},
    {"inputs: [{plugin: fake, interval: 1ms}]", "1:35", "`inputs.fake.interval`: must be from"},
    {"inputs: [{plugin: fake, optional: yes}]", "1:35", "expected true or false"},
    {"outputs: [{plugin: file, queue_samples: 0}]", "1:41", "`outputs.file.queue_samples`: must"},
    {"outputs: [{plugin: file, queue_bytes: 1KiB}]", "1:39", "must be from 64KiB to 1TiB"},
    {"outputs: [{plugin: file, tags: [a]}]", "1:32", "expected"},
    {"outputs: [{plugin: file, include: {measurement: x}}]", "1:36",
     "unknown option `measurement` in `outputs.file.include`"},
    {"outputs: [sink]", "1:11", "`outputs.sink.token`: is required"},
    {"outputs: [{plugin: sink, token: ''}]", "1:33", "must not be empty"},
    {"inputs: [{plugin: fake, tls: {insecure: true, ca: /x}}]", "1:51",
     "`inputs.fake.tls.ca`: has no meaning with `insecure`"},
    /* a mistake does not hide another that can be told without it */
    {"inputs: [{plugin: fake, prt: 1, url: http://x}]", "1:38", "`inputs.fake.url`: must begin"},
    {"inputs: [{plugin: fake, port: x, url: http://x}]", "1:39", "`inputs.fake.url`: must begin"},
    {"inputs: [elephant, {plugin: fake, url: http://x}]", "1:40", "`inputs.fake.url`: must begin"},
    {"inputs: [{plugin: fake, port: x, tls: {insecure: true, ca: /x}}]", "1:60", "has no meaning"},
    /* rules and silences */
    {GOOD "rules: [{name: blah}]", "3:16", "no input recommends a rule of that name"},
    {GOOD "rules: [{name: blah, enabled: false}]", "3:16", "no input recommends a rule of that"},
    {GOOD "rules: [{name: outptu, enabled: false}]", "3:16", "(did you mean `output`?)"},
    {GOOD "rules: [{name: a, value: omnivigil_output.failin, warning: '5'}]", "3:26",
     "(did you mean `failing`?)"},
    {GOOD "rules: [{name: a, value: omnivigil_outptu.x, wraning: 5, critical: abc}]", "3:26",
     "(did you mean `omnivigil_output`?)"},
    {GOOD "rules: [{name: a, value: omnivigil_outptu.x, wraning: 5, critical: abc}]", "3:46",
     "(did you mean `warning`?)"},
    {GOOD "rules: [{name: a, value: omnivigil_outptu.x, wraning: 5, critical: abc}]", "3:68",
     "expected a range"},
    {GOOD "silences: [{rules: 'output|outptu'}]", "3:20",
     "there is no rule `outptu` (did you mean `output`?)"},
    {GOOD "silences: [{rules: 'nothing-*'}]", "3:20", "there is no rule `nothing-*`"},
    {GOOD "silences: [{tags: {outptu: x}}]", "3:19", "no sample has a tag `outptu` (did you mean "
                                                     "`output`?)"},
    {GOOD "silences: [{until: tomorrow}]", "3:20", "expected a time"},
    {GOOD "silences: [{from: 2030-01-02, until: 2030-01-01}]", "3:38", "ends before it begins"},
    /* a check never sees what could not be read, whoever reported it */
    {"inputs: [{plugin: fake, url: '${UNSET}'}]", "1:30", "variable UNSET is not set"},
    {"inputs: [{plugin: fake, url: *x}]", "1:30", "aliases"},
    {"inputs: [{plugin: fake, url: [a]}]", "1:30", "expected a text, got a list"},
    {"inputs: [{plugin: fake, wish: nothing at all}]", "1:11", "`inputs.fake`: cannot work"},
    /* YAML */
    {GOOD "agent:\n\tinterval: 5s", "4:1", "YAML is indented by spaces: replace this tab"},
    {GOOD "agent: {interval: 5s", "3:21", "not valid YAML"},
    {GOOD "agent: \"x", "3:10", "not valid YAML"},
    {GOOD "a: b: c", "3:5", "not valid YAML"},
    {GOOD "agent: *x", "3:8", "aliases (*name) are not supported"},
    {GOOD "agent: &x {interval: 5s}", "3:8", "anchors (&name) are not supported"},
    {GOOD "agent: {tags: {a: &x b}}", "3:19", "anchors (&name) are not supported"},
    {GOOD "agent: {tags: {&x a: b}}", "3:16", "anchors (&name) are not supported"},
    {GOOD "agent: !include agent.yaml", "3:8", "tags (!name) are not supported"},
    {GOOD "agent: {interval: !!str 5s}", "3:19", "tags (!name) are not supported"},
    {GOOD "agent: !!map {}", "3:8", "tags (!name) are not supported"},
    {GOOD "---\nagent: {}", "3:1", "a second document begins here"},
    {GOOD "[a]: b", "3:1", "a key must be a text, this is a list"},
    {GOOD "? {a: b}\n: c", "3:3", "a key must be a text, this is a mapping"},
    {GOOD "agent: {tags: {a: \"\\0\"}}", "3:19", "a value cannot hold a NUL byte"},
    {GOOD "a\x01: b", "3:2", "this is no UTF-8 text: byte 0x01 cannot stand here"},
    {GOOD "a\xff: b", "3:2", "this is no UTF-8 text: byte 0xff cannot stand here"},
    {"\xff\376a", "1:1", "this is no UTF-8 text: byte 0xff"},
};

/* Whether the report has an error at `place` with `message` in the same line. */
static bool reports(struct ov_buf *report, const char *place, const char *message)
{
    struct ov_buf head = {0};
    ov_buf_printf(&head, "c.yaml:%s: ", place);
    const char *p = strstr(ov_buf_text(report), ov_buf_text(&head));
    const char *found = p ? strstr(p, message) : NULL;
    bool good = found && !memchr(p, '\n', (size_t)(found - p));
    ov_buf_free(&head);
    return good;
}

static void test_refused(void **unused)
{
    (void)unused;
    setenv("OMNIVIGIL_PLUGIN_DIR", "/plugins", 1);
    for (size_t i = 0; i < OV_COUNT(refused); i++) {
        struct result r;
        result_parse(&r, refused[i].text, strlen(refused[i].text));
        if (r.errors == 0)
            fail_msg("%s\nis not refused", refused[i].text);
        if (!reports(&r.report, refused[i].place, refused[i].message))
            fail_msg("%s\nshould have at %s: %s, has\n%s", refused[i].text, refused[i].place,
                     refused[i].message, ov_buf_text(&r.report));
        result_free(&r);
    }
    unsetenv("OMNIVIGIL_PLUGIN_DIR");
}

/* One run reports everything, sorted by place. */
static void test_all_at_once(void **unused)
{
    (void)unused;
    static const char text[] = "outputs: [{plugin: sink, tokn: SECRET-1}]\n"
                               "inputs:\n"
                               "- plugin: fake\n"
                               "  password: SECRET-2\n"
                               "  password: SECRET-3\n"
                               "  port: 010\n"
                               "- plugin: elephant\n"
                               "  secret: SECRET-4\n"
                               "agent: {interval: 5, tags: {a: '${UNSET}'}}\n";
    struct result r;
    result_parse(&r, text, strlen(text));
    static const char *const places[] = {"1:12", "1:26", "5:3", "6:9", "7:11", "9:19", "9:32"};
    const char *p = ov_buf_text(&r.report);
    for (size_t i = 0; i < OV_COUNT(places); i++) {
        struct ov_buf head = {0};
        ov_buf_printf(&head, "c.yaml:%s: ", places[i]);
        p = strstr(p, ov_buf_text(&head));
        if (!p)
            fail_msg("nothing at %s in\n%s", places[i], ov_buf_text(&r.report));
        ov_buf_free(&head);
    }
    assert_int_equal(r.errors, OV_COUNT(places));
    assert_null(strstr(ov_buf_text(&r.report), "SECRET"));
    result_free(&r);
}

/* ---------------------------------------------------------------- limits */

static void repeat(struct ov_buf *out, const char *text, size_t times)
{
    for (size_t i = 0; i < times; i++)
        ov_buf_str(out, text);
}

static void bomb(struct ov_buf *out)
{
    ov_buf_str(out, "a: &a [x, x, x, x, x, x, x, x, x]\n");
    for (char c = 'b'; c <= 'k'; c++)
        ov_buf_printf(out, "%c: &%c [*%c, *%c, *%c, *%c]\n", c, c, c - 1, c - 1, c - 1, c - 1);
}

static void test_limits(void **unused)
{
    (void)unused;
    static const struct {
        const char *head, *text;
        size_t times;
        const char *message;
    } rows[] = {
        {"", "[", 100000, "nested more than 32 levels deep"},
        {"", "{a: ", 100000, "nested more than 32 levels deep"},
        {"", "- ", 100000, "nested more than 32 levels deep"},
        {"inputs: [", "fake,", 1001, "more than 1000 inputs"},
        {"inputs: [", "x,", 70000, "more than 65536 values in one file"},
        {"", "a: b\n", 30000, "c.yaml: and "},
        {"? ", "? ", 100000, "nested more than 32 levels deep"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct ov_buf text = {0};
        struct result r;
        ov_buf_str(&text, rows[i].head);
        repeat(&text, rows[i].text, rows[i].times);
        if (rows[i].head[0] == 'i')
            ov_buf_char(&text, ']');
        result_parse(&r, ov_buf_text(&text), text.len);
        if (!strstr(ov_buf_text(&r.report), rows[i].message))
            fail_msg("row %zu gives\n%.3000s", i, ov_buf_text(&r.report));
        ov_buf_free(&text);
        result_free(&r);
    }
    struct ov_buf text = {0};
    struct result r;
    bomb(&text);
    result_parse(&r, ov_buf_text(&text), text.len);
    assert_true(reports(&r.report, "2:8", "aliases"));
    ov_buf_free(&text);
    result_free(&r);
}

/* ---------------------------------------------------------------- accepted */

static const struct ov_instance *only_input(const struct result *r)
{
    assert_non_null(r->settings);
    assert_int_equal(r->settings->input_count, 1);
    return &r->settings->inputs[0];
}

static void assert_builtin(const struct ov_settings *s)
{
    assert_int_equal(s->input_count, 3);
    assert_string_equal(s->inputs[0].name, "redis_bus");
    assert_string_equal(s->inputs[1].name, "storage");
    assert_string_equal(s->inputs[2].plugin->name, "runner");
    assert_int_equal(s->output_count, 1);
    assert_string_equal(s->outputs[0].name, "file");
    assert_int_equal(s->interval_ms, 10000);
    assert_int_equal(s->jitter_ms, 0);
    assert_int_equal(s->grace_ms, 5000);
    assert_int_equal(s->state_interval_ms, 60000);
    assert_null(s->state_dir);
    assert_string_equal(s->env_file, ".env");
    assert_int_equal(s->log_level, OV_INFO);
    assert_int_equal(s->log_format, OV_LOG_AUTO);
    assert_int_equal(s->inputs[0].interval_ms, 0);
    assert_int_equal(s->inputs[0].jitter_ms, -1);
    assert_int_equal(s->inputs[0].timeout_ms, 0);
    assert_int_equal(s->outputs[0].timeout_ms, 10000);
    assert_int_equal(s->outputs[0].queue_samples, 100000);
    assert_int_equal(s->outputs[0].queue_bytes, 64 << 20);
}

/* Texts that all stand for the built-in configuration. */
static const char *const builtin[] = {
    "", "# nothing\n", "{}", "agent:", "agent: {}\n", "---\n", "---\n...\n", "\xef\xbb\xbf{}",
    "\xef\xbb\277agent: {interval: 10s}\r\n", "agent:\r\n  interval: 10s\r\n  tags:\r\n",
    "inputs: [redis_bus, storage, {plugin: runner}]\noutputs:\n- file\n",
    "inputs:\n- redis_bus\n- plugin: storage\n  name: storage\n- runner\n",
};

static void test_builtin(void **unused)
{
    (void)unused;
    struct result r;
    for (size_t i = 0; i < OV_COUNT(builtin); i++) {
        result_parse(&r, builtin[i], strlen(builtin[i]));
        if (r.errors > 0)
            fail_msg("%s\ngives\n%s", builtin[i], ov_buf_text(&r.report));
        assert_builtin(r.settings);
        result_free(&r);
    }
    r = (struct result){0};
    r.settings = ov_settings_read(NULL, NULL, &r.plugins, &r.report, &r.errors);
    assert_non_null(r.settings);
    assert_null(r.settings->path);
    assert_builtin(r.settings);
    result_free(&r);
    ov_settings_free(NULL);
}

static void test_instance(void **unused)
{
    (void)unused;
    static const char text[] =
        "agent: {interval: 0.1s, tags: {site: no, rack: 012, version: 1.0}}\n"
        "inputs:\n"
        "- plugin: fake\n"
        "  name: main-1.a_B\n"
        "  interval: 1m\n"
        "  jitter: 2s\n"
        "  gather_timeout: 3s\n"
        "  tags: {date: 2026-01-01, rack: null, tilde: ~}\n"
        "  password: p\n"
        "  tls: {ca: /x}\n"
        "outputs: [{plugin: sink, token: t}, {plugin: file, name: sink2, queue_bytes: 1MiB}]\n";
    struct result r;
    result_parse(&r, text, strlen(text));
    if (r.errors > 0)
        fail_msg("%s", ov_buf_text(&r.report));
    const struct ov_instance *input = only_input(&r);
    const struct fake *fake = input->state;
    assert_string_equal(input->name, "main-1.a_B");
    assert_string_equal(input->plugin_name, "fake");
    assert_int_equal(input->interval_ms, 60000);
    assert_int_equal(input->jitter_ms, 2000);
    assert_int_equal(input->timeout_ms, 3000);
    static const char *const tags[][2] = {
        {"site", "no"}, {"version", "1.0"}, {"date", "2026-01-01"}, {"rack", "null"},
        {"tilde", "~"},
    };
    assert_int_equal(input->tags.count, OV_COUNT(tags));
    for (size_t i = 0; i < OV_COUNT(tags); i++) {
        assert_string_equal(input->tags.items[i].name, tags[i][0]);
        assert_string_equal(input->tags.items[i].value.ptr, tags[i][1]);
    }
    assert_int_equal(r.settings->tags.count, 3);
    assert_string_equal(fake->password, "p");
    assert_string_equal(fake->tls.ca, "/x");
    assert_int_equal(fake->tls.port, 443);
    assert_int_equal(r.settings->interval_ms, 100);
    assert_int_equal(r.settings->output_count, 2);
    assert_string_equal(((struct sink *)r.settings->outputs[0].state)->token, "t");
    assert_int_equal(r.settings->outputs[1].queue_bytes, 1 << 20);
    result_free(&r);
}

/* Inputs of one plugin whose tags are equal have their names as a tag, others have not. */
static void test_twins(void **unused)
{
    static const struct {
        const char *text;
        const char *tags[3]; /* the tag `input` of each; NULL: none */
    } rows[] = {
        {"[fake]", {NULL}},
        {"[fake, {plugin: fake, name: b}]", {"fake", "b"}},
        {"[{plugin: fake, tags: {site: a}}, {plugin: fake, name: b, tags: {site: b}}]", {NULL}},
        {"[{plugin: fake, tags: {site: a}}, {plugin: fake, name: b, tags: {site: a}}]",
         {"fake", "b"}},
        {"[{plugin: fake, tags: {site: a}}, {plugin: fake, name: b}]", {NULL}},
        {"[fake, {plugin: fake, name: b, tags: {site: b}}, {plugin: fake, name: c}]",
         {"fake", NULL, "c"}},
        {"[{plugin: fake, tags: {x: 1, y: 2}}, {plugin: fake, name: b, tags: {y: 2, x: 1}}]",
         {"fake", "b"}},
        {"[{plugin: fake, tags: {input: a}}, {plugin: fake, name: b, tags: {input: a}}]",
         {"fake", "b"}},
        {"[{plugin: fake, tags: {input: a}}, {plugin: fake, name: b, tags: {input: c}}]",
         {"a", "c"}},
    };
    (void)unused;
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        char text[400];
        struct result r;
        int len = snprintf(text, sizeof text, "inputs: %s\noutputs: [file]\n", rows[i].text);
        result_parse(&r, text, (size_t)len);
        for (size_t k = 0; r.settings && k < r.settings->input_count; k++) {
            const struct ov_map *tags = &r.settings->inputs[k].tags;
            const char *tag = NULL;
            for (size_t t = 0; t < tags->count; t++)
                if (strcmp(tags->items[t].name, "input") == 0)
                    tag = tags->items[t].value.ptr;
            if (!tag != !rows[i].tags[k] || (tag && strcmp(tag, rows[i].tags[k]) != 0))
                fail_msg("%s: the tag `input` of %s is %s", rows[i].text,
                         r.settings->inputs[k].name, tag ? tag : "missing");
        }
        assert_non_null(r.settings);
        result_free(&r);
    }
}

static void test_none(void **unused)
{
    (void)unused;
    struct result r;
    result_parse(&r, "{inputs: [], outputs: []}", 25);
    assert_non_null(r.settings);
    assert_int_equal(r.settings->input_count + r.settings->output_count, 0);
    result_free(&r);
}

/* An optional plugin that does not load is left out with a warning, once for each. */
static void test_optional(void **unused)
{
    (void)unused;
    static const char text[] = "inputs:\n"
                               "- {plugin: elephant, optional: true, token: SECRET}\n"
                               "- {plugin: broken, optional: true}\n"
                               "- {plugin: fake, optional: true}\n"
                               "- {plugin: broken, optional: true, name: fake}\n";
    struct result r;
    result_parse(&r, text, strlen(text));
    if (r.errors > 0)
        fail_msg("%s", ov_buf_text(&r.report));
    assert_string_equal(only_input(&r)->name, "fake");
    assert_int_equal(r.settings->missing_count, 3);
    assert_true(reports(&r.report, "2:12", "warning: unknown plugin `elephant`"));
    assert_true(reports(&r.report, "3:12", "warning: "));
    assert_true(reports(&r.report, "5:12", "left out, since it is optional"));
    assert_null(strstr(ov_buf_text(&r.report), "SECRET"));
    result_free(&r);
}

/* ---------------------------------------------------------------- files */

struct file {
    char path[64];
    int fd;
};

static struct file file_new(const char *content, size_t len)
{
    struct file file = {.path = "/tmp/omnivigil-settings-XXXXXX"};
    file.fd = mkstemp(file.path);
    assert_true(file.fd >= 0);
    assert_int_equal(write(file.fd, content, len), (ssize_t)len);
    return file;
}

static void file_remove(struct file *file)
{
    close(file->fd);
    unlink(file->path);
}

static void file_read(struct result *r, const char *path)
{
    *r = (struct result){0};
    r->settings = ov_settings_read(path, "/given", &r->plugins, &r->report, &r->errors);
    if ((r->settings == NULL) != (r->errors > 0))
        fail_msg("%s gives %zu errors, and settings %p", path, r->errors, (void *)r->settings);
}

static void expect_unreadable(const char *path, const char *message)
{
    struct result r;
    file_read(&r, path);
    const char *report = ov_buf_text(&r.report);
    if (r.errors != 1 || !strstr(report, message) || strncmp(report, path, strlen(path)) != 0)
        fail_msg("%s gives\n%s", path, report);
    result_free(&r);
}

static void test_unreadable(void **unused)
{
    (void)unused;
    static const struct {
        const char *content;
        size_t len;
        const char *message;
    } rows[] = {
        {"", 0, "it is empty"},
        {"\n \r\n\t\n", 6, "it is empty"},
        {"\xef\xbb\xbf\n", 4, "it is empty"},
        {"\177ELF\0\0\1", 7, ":1:1: this is no UTF-8 text: byte 0x7f"},
        {"agent: {}\n\0\n", 12, ":2:1: this is no UTF-8 text: byte 0x00"},
        {"\x1f\x8b\x08\0", 4, ":1:1: this is no UTF-8 text: byte 0x1f"},
    };
    for (size_t i = 0; i < OV_COUNT(rows); i++) {
        struct file file = file_new(rows[i].content, rows[i].len);
        expect_unreadable(file.path, rows[i].message);
        file_remove(&file);
    }
    expect_unreadable("/nowhere/at/all.yaml", "No such file");
    expect_unreadable("/tmp", "it is a directory");
    expect_unreadable("/dev/null", "it is not a regular file");
    struct file file = file_new("{}", 2);
    assert_int_equal(fchmod(file.fd, 0), 0);
    if (geteuid() != 0)
        expect_unreadable(file.path, "Permission denied");
    assert_int_equal(ftruncate(file.fd, 5 << 20), 0);
    assert_int_equal(fchmod(file.fd, 0600), 0);
    expect_unreadable(file.path, "it is larger than 4MiB");
    file_remove(&file);
}

static void test_env_file(void **unused)
{
    (void)unused;
    static const char env[] = "export FAKE_URL=fake://from-file\nPORT='7'\nBOTH=file\n";
    struct file env_file = file_new(env, sizeof env - 1);
    struct ov_buf text = {0};
    struct result r;
    setenv("BOTH", "process", 1);
    setenv("ENV_FILE", env_file.path, 1);
    ov_buf_str(&text, "agent: {env_file: '${ENV_FILE}'}\n"
                      "inputs: [{plugin: fake, port: '${PORT}', text: \"${BOTH}\"}]\n");
    struct file file = file_new(text.data, text.len);
    file_read(&r, file.path);
    if (r.errors > 0)
        fail_msg("%s", ov_buf_text(&r.report));
    const struct fake *fake = only_input(&r)->state;
    assert_string_equal(r.settings->path, file.path);
    assert_string_equal(r.settings->env_file, env_file.path);
    assert_string_equal(fake->url, "fake://from-file");
    assert_int_equal(fake->port, 7);
    assert_string_equal(fake->text, "process");
    result_free(&r);
    setenv("ENV_FILE", "/nowhere/.env", 1);
    setenv("PORT", "8", 1);
    file_read(&r, file.path);
    assert_int_equal(((struct fake *)only_input(&r)->state)->port, 8);
    assert_non_null(strstr(ov_buf_text(&r.report),
        ":1:19: warning: cannot read the environment file `/nowhere/.env`: No such file"));
    result_free(&r);
    unsetenv("PORT");
    unsetenv("BOTH");
    unsetenv("ENV_FILE");
    file_remove(&file);
    file_remove(&env_file);
    ov_buf_free(&text);
}

/* ---------------------------------------------------------------- where plugins are */

static void expect_dir(const char *override, const char *variable, const char *text,
                       const char *want)
{
    struct ov_plugins *plugins = NULL;
    struct ov_buf report = {0};
    size_t errors;
    if (variable)
        setenv("OMNIVIGIL_PLUGIN_DIR", variable, 1);
    struct ov_settings *settings = ov_settings_parse("c.yaml", ov_slice(text), override, &plugins,
                                                     &report, &errors);
    unsetenv("OMNIVIGIL_PLUGIN_DIR");
    assert_non_null(settings);
    assert_string_equal(ov_plugins_dir(plugins), want);
    assert_string_equal(settings->plugin_dir, want);
    ov_settings_free(settings);
    ov_plugins_free(plugins);
    ov_buf_free(&report);
}

static void test_plugin_dir(void **unused)
{
    (void)unused;
    static const char text[] = "agent: {plugin_dir: /written}";
    expect_dir("/override", "/variable", text, "/override");
    expect_dir(NULL, "/variable", text, "/variable");
    expect_dir(NULL, "", text, "/written");
    expect_dir("", NULL, text, "/written");
    struct result first, second = {0};
    result_parse(&first, "agent: {plugin_dir: /written}", strlen(text));
    second.settings = ov_settings_parse("c.yaml", OV_SLICE("agent: {plugin_dir: /other}"), NULL,
                                        &first.plugins, &second.report, &second.errors);
    assert_non_null(second.settings);
    assert_string_equal(second.settings->plugin_dir, "/written");
    assert_true(reports(&second.report, "1:21", "warning: plugins cannot come from another"));
    result_free(&second);
    result_free(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),    cmocka_unit_test(test_all_at_once),
        cmocka_unit_test(test_limits),     cmocka_unit_test(test_builtin),
        cmocka_unit_test(test_instance), cmocka_unit_test(test_twins),   cmocka_unit_test(test_none),
        cmocka_unit_test(test_optional),   cmocka_unit_test(test_unreadable),
        cmocka_unit_test(test_env_file),   cmocka_unit_test(test_plugin_dir),
    };
    static const char *const unset[] = {"UNSET", "FAKE_URL", "FAKE_WAIT", "FAKE_KEY",
                                        "FAKE_TOPICS", "FAKE_LABELS", "OMNIVIGIL_PLUGIN_DIR"};
    for (size_t i = 0; i < OV_COUNT(unset); i++)
        unsetenv(unset[i]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
