/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `omnivigil check`: the rules, applied once to one gather, as a Nagios or Icinga plugin.
 *
 *     CRITICAL: agent invoice on orders has lost its consumer group ... 1 critical, 12 ok
 *     the other problems, a line each | performance data
 *
 * Nothing is written, and nothing remembered but what an agent saved. A rule about an increase has
 * nothing to compare with here and is left out; `for` does not apply, the scheduler's retries do
 * that.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "batch.h"
#include "call.h"
#include "checking.h"
#include "command.h"
#include "config_path.h"
#include "input.h"
#include "log.h"
#include "origin.h"
#include "range.h"

enum {
    FLAG_WARNING, FLAG_CRITICAL, FLAG_TOPIC, FLAG_AGENT, FLAG_TIMEOUT, FLAG_UNKNOWN_AS,
    FLAG_NOTHING_AS, FLAG_NO_PERFDATA, FLAG_VERBOSE, FLAG_CONFIG, FLAG_PLUGIN_DIR,
};
static const struct ov_flag flags[] = {
    [FLAG_WARNING] = {"warning", 'w', "RANGE", "with just one rule: its range", NULL},
    [FLAG_CRITICAL] = {"critical", 'c', "RANGE", "with just one rule: its range", NULL},
    [FLAG_TOPIC] = {"topic", 0, "GLOB", "only samples of these topics", NULL},
    [FLAG_AGENT] = {"agent", 0, "GLOB", "only samples of these agents", NULL},
    [FLAG_TIMEOUT] = {"timeout", 't', "SECONDS[:STATE]",
                      "answer within that time, with that state (10:unknown)", NULL},
    [FLAG_UNKNOWN_AS] = {"unknown-as", 0, "STATE", "what could not be looked at counts as that",
                         ov_check_names},
    [FLAG_NOTHING_AS] = {"nothing-as", 0, "STATE", "nothing found counts as that", ov_check_names},
    [FLAG_NO_PERFDATA] = {"no-perfdata", 0, NULL, "leave performance data out", NULL},
    [FLAG_VERBOSE] = {"verbose", 'v', NULL, "say more, up to three times", NULL},
    [FLAG_CONFIG] = {"config", 0, "FILE", OV_CONFIG_HELP, NULL},
    [FLAG_PLUGIN_DIR] = {"plugin-dir", 0, "DIR", "where the plugins are", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

/* ---------------------------------------------------------------- the alarm clock */

/* Written by the signal handler alone, so all of it is ready beforehand. */
static char late_text[160];
static volatile sig_atomic_t late_status;

static void on_alarm(int signal_number)
{
    (void)signal_number;
    ssize_t written = write(STDOUT_FILENO, late_text, strlen(late_text));
    (void)written;
    _exit(late_status);
}

/* "10", "10:critical" */
static bool set_timeout(struct ov_checking *c, const char *text, int64_t *deadline_ms)
{
    size_t digits = text ? strspn(text, "0123456789.") : 0;
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : 10;
    if (text && (end != text + digits || !(seconds > 0) || seconds > 3600 || (*end && *end != ':')))
        return false;
    c->late_as = OV_CHECK_UNKNOWN;
    if (text && *end == ':') {
        c->late_as = ov_check_state_of(end + 1, OV_CHECK_OK);
        if (strcmp(ov_check_names[c->late_as], end + 1) != 0)
            return false;
    }
    *deadline_ms = ov_clock_ms() + (int64_t)(seconds * 1000);
    snprintf(late_text, sizeof late_text, "%s: no answer within %g s\n", ov_check_words[c->late_as],
             seconds);
    late_status = (int)c->late_as;
    signal(SIGALRM, on_alarm); /* a backstop: gathers keep to the deadline themselves */
    alarm((unsigned int)seconds + 1);
    return true;
}

/* ---------------------------------------------------------------- gathering */

static void gather_input(struct ov_checking *c, const struct ov_input_world *world, size_t i,
                         int64_t deadline_ms)
{
    struct ov_instance *instance = &c->settings->inputs[i];
    struct ov_buf why = {0};
    struct ov_input *input = ov_input_new(world, instance, &why);
    if (!input) {
        c->failed[i] = true;
        ov_checking_add(c, NULL, c->unknown_as, (double)NAN, ov_buf_text(&why), NULL);
        ov_buf_free(&why);
        return;
    }
    ov_input_restore(input);
    c->batches[i] = ov_batch_new(&instance->tags, ov_wall_ns());
    c->failed[i] = ov_input_gather_once(input, c->batches[i], deadline_ms) != OV_OK;
    if (c->failed[i]) {
        bool late = ov_clock_ms() >= deadline_ms;
        ov_buf_printf(&why, "%s: %s", instance->name, ov_input_why(input));
        ov_origins_put(instance->origins, instance->plugin->options, instance->state,
                       ov_input_why(input), &why);
        ov_checking_add(c, NULL, late ? c->late_as : c->unknown_as, (double)NAN,
                        ov_buf_text(&why), NULL);
        if (late) { /* what it says of a server that had no time to answer is no finding */
            ov_batch_free(c->batches[i]);
            c->batches[i] = NULL;
        }
    }
    ov_input_free(input);
    ov_buf_free(&why);
}

static void gather(struct ov_checking *c, struct ov_plugins *plugins, int64_t deadline_ms)
{
    const struct ov_settings *settings = c->settings;
    struct ov_buf why = {0};
    bool taken;
    char *dir = settings->state_dir && *settings->state_dir ? ov_strdup(settings->state_dir)
                                                            : ov_state_default_dir();
    struct ov_input_world world = {
        .settings = settings, .plugin_dir = ov_plugins_dir(plugins),
        .state = ov_state_open(dir, true, &taken, &why), .wants = ov_checking_needs, .context = c,
    };
    for (size_t i = 0; i < settings->input_count; i++)
        if (ov_checking_needs_input(c, i))
            gather_input(c, &world, i, deadline_ms);
    ov_state_close(world.state);
    free(dir);
    ov_buf_free(&why);
}

/* ---------------------------------------------------------------- the command */

static enum ov_check_state check(struct ov_checking *c, struct ov_plugins *plugins,
                                 int64_t deadline_ms)
{
    struct ov_buf error = {0};
    enum ov_check_state state;
    if (ov_checking_choose(c, &error)) {
        gather(c, plugins, deadline_ms);
        ov_checking_look(c);
        state = ov_checking_print(c);
    } else {
        state = ov_checking_refuse(&error);
    }
    ov_checking_free(c);
    ov_buf_free(&error);
    return state;
}

/* Elsewhere -c is --config: a file given for the range must be told before how many rules there
 * are, of which its giver knows nothing. */
static bool is_no_range(const char *critical, struct ov_buf *error)
{
    struct ov_range ignored;
    const char *wrong = critical ? ov_range_parse(ov_slice(critical), &ignored) : NULL;
    if (!wrong)
        return false;
    ov_buf_printf(error, "--critical: %s, got `", wrong);
    ov_buf_escaped(error, ov_slice(critical));
    ov_buf_str(error, "`; a configuration is given as --config FILE");
    return true;
}

static int refuse(struct ov_buf *error)
{
    return (int)ov_checking_refuse(error);
}

static int run(void *none, struct ov_call *call)
{
    const struct ov_arguments *arguments = ov_call_arguments(call);
    (void)none;
    const char *const *values = arguments->values;
    struct ov_checking c = {
        .words = arguments->words, .word_count = arguments->word_count,
        .warning = values[FLAG_WARNING], .critical = values[FLAG_CRITICAL],
        .topic = values[FLAG_TOPIC], .agent = values[FLAG_AGENT],
        .unknown_as = ov_check_state_of(values[FLAG_UNKNOWN_AS], OV_CHECK_UNKNOWN),
        .nothing_as = ov_check_state_of(values[FLAG_NOTHING_AS], OV_CHECK_UNKNOWN),
        .verbose = arguments->counts[FLAG_VERBOSE], .no_perfdata = values[FLAG_NO_PERFDATA],
    };
    struct ov_plugins *plugins = NULL;
    struct ov_buf errors = {0};
    size_t error_count = 0;
    int64_t deadline_ms;
    enum ov_check_state state;
    ov_log_setup(c.verbose >= 3 ? OV_DEBUG : OV_NOTHING, false);
    int twice = arguments->counts[FLAG_TOPIC] > 1 ? FLAG_TOPIC
                : arguments->counts[FLAG_AGENT] > 1 ? FLAG_AGENT : -1;
    if (twice >= 0) {
        ov_buf_printf(&errors, "--%s is given twice: write one pattern, such as `*.[ab]*`, or two "
                      "checks", flags[twice].name);
        state = ov_checking_refuse(&errors);
    } else if (!set_timeout(&c, values[FLAG_TIMEOUT], &deadline_ms)) {
        ov_buf_str(&errors, "--timeout takes seconds and a state, such as 10 or 5:critical");
        state = ov_checking_refuse(&errors);
    } else if (is_no_range(c.critical, &errors)) {
        state = ov_checking_refuse(&errors);
    } else {
        c.settings = ov_settings_read(ov_config_path(values[FLAG_CONFIG]),
                                      values[FLAG_PLUGIN_DIR], &plugins, &errors, &error_count);
        state = c.settings ? check(&c, plugins, deadline_ms) : ov_checking_refuse(&errors);
    }
    ov_buf_free(&errors);
    ov_settings_free(c.settings);
    ov_plugins_free(plugins);
    return (int)state;
}

const struct ov_command ov_command_check = {
    .name = "check", .takes = "[RULE|INPUT...]", .words_max = 100,
    .summary = "Apply the rules once, as a plugin for Nagios and Icinga",
    .more = "Without a RULE or INPUT all rules are applied that one look can decide; those that\n"
            "are an increase(...) need the agent. Where an input and a rule have the same name,\n"
            "the input is meant, whose rules are more: rule:NAME and input:NAME say which.\n"
            "Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n",
    .example = "omnivigil check pending -w 100 -c 1000 --topic 'orders.*'",
    .flags = flags, .run = run, .refuse = refuse,
};
