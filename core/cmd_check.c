/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `omnivigil check`: the rules, applied once to one gather, as a Nagios or Icinga plugin.
 *
 *     CRITICAL: agent invoice on orders has lost its consumer group ... 1 critical, 12 ok
 *     the other problems, a line each | performance data
 *
 * Nothing is remembered and nothing is written. A rule about an increase has nothing to compare
 * with here and is left out; `for` does not apply, the scheduler's retries do that.
 */
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "batch.h"
#include "command.h"
#include "config_path.h"
#include "input.h"
#include "log.h"
#include "nearest.h"
#include "perfdata.h"
#include "settings.h"

enum check_state { STATE_OK, STATE_WARNING, STATE_CRITICAL, STATE_UNKNOWN };
static const char *const state_words[] = {"OK", "WARNING", "CRITICAL", "UNKNOWN"};
static const char *const state_names[] = {"ok", "warning", "critical", "unknown", NULL};

enum { PERFDATA_MAX = 200, DETAILS_MAX = 50, FIRST_LINE_MAX = 400 };

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
                         state_names},
    [FLAG_NOTHING_AS] = {"nothing-as", 0, "STATE", "nothing found counts as that", state_names},
    [FLAG_NO_PERFDATA] = {"no-perfdata", 0, NULL, "leave performance data out", NULL},
    [FLAG_VERBOSE] = {"verbose", 'v', NULL, "say more, up to three times", NULL},
    [FLAG_CONFIG] = {"config", 0, "FILE", OV_CONFIG_HELP, NULL},
    [FLAG_PLUGIN_DIR] = {"plugin-dir", 0, "DIR", "where the plugins are", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

/* One series of one rule. */
struct finding {
    const struct ov_compiled_rule *rule;
    enum check_state state;
    double value;
    char *summary, *label;
};

struct checking {
    const struct ov_arguments *arguments;
    struct ov_settings *settings;
    bool *wanted;               /* by rule */
    size_t *looked_at;          /* by rule: samples */
    bool *failed;               /* by input */
    struct ov_batch **batches;  /* by input; NULL: not needed */
    struct finding *findings;
    size_t finding_count;
    enum check_state unknown_as, nothing_as, late_as;
    int64_t deadline_ms;
    int verbose;
};

/* ---------------------------------------------------------------- states */

/* As monitoring plugins do: what is known to be bad comes before what is not known. */
static int rank(enum check_state state)
{
    static const int ranks[] = {[STATE_OK] = 0, [STATE_UNKNOWN] = 1, [STATE_WARNING] = 2,
                                [STATE_CRITICAL] = 3};
    return ranks[state];
}

static enum check_state state_of(const char *name, enum check_state otherwise)
{
    for (int i = 0; name && state_names[i]; i++)
        if (strcmp(name, state_names[i]) == 0)
            return (enum check_state)i;
    return otherwise;
}

static void add_finding(struct checking *c, const struct ov_compiled_rule *rule,
                        enum check_state state, double value, const char *summary,
                        const char *label)
{
    c->findings = ov_realloc(c->findings, c->finding_count + 1, sizeof *c->findings);
    c->findings[c->finding_count++] = (struct finding){
        rule, state, value, ov_strdup(summary), label ? ov_strdup(label) : NULL};
}

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
static bool set_timeout(struct checking *c, const char *text)
{
    char *end = NULL;
    double seconds = text ? strtod(text, &end) : 10;
    if (text && (end == text || !(seconds > 0) || seconds > 3600 || (*end && *end != ':')))
        return false;
    c->late_as = STATE_UNKNOWN;
    if (text && *end == ':') {
        c->late_as = state_of(end + 1, STATE_OK);
        if (strcmp(state_names[c->late_as], end + 1) != 0)
            return false;
    }
    c->deadline_ms = ov_clock_ms() + (int64_t)(seconds * 1000);
    snprintf(late_text, sizeof late_text, "%s: no answer within %g s\n", state_words[c->late_as],
             seconds);
    late_status = (int)c->late_as;
    signal(SIGALRM, on_alarm); /* a backstop: gathers keep to the deadline themselves */
    alarm((unsigned int)seconds + 1);
    return true;
}

/* ---------------------------------------------------------------- which rules, which inputs */

static bool measures(const struct ov_plugin *plugin, const struct ov_measurement *m)
{
    for (size_t i = 0; m && plugin->measurements[i]; i++)
        if (plugin->measurements[i] == m)
            return true;
    return false;
}

/* Whether an input of the configuration measures what the rule is about. */
static bool can_look(const struct checking *c, const struct ov_compiled_rule *rule)
{
    for (size_t i = 0; i < c->settings->input_count; i++)
        if (measures(c->settings->inputs[i].plugin, ov_rule_measurement(rule)))
            return true;
    return false;
}

static void want_word(struct checking *c, const char *word, bool *found)
{
    const struct ov_settings *s = c->settings;
    for (size_t i = 0; i < s->rule_count; i++) {
        bool named = strcmp(ov_rule_name(s->rules[i]), word) == 0;
        for (size_t j = 0; j < s->input_count && !named; j++)
            named = (strcmp(s->inputs[j].name, word) == 0 ||
                     strcmp(s->inputs[j].plugin->name, word) == 0) &&
                    measures(s->inputs[j].plugin, ov_rule_measurement(s->rules[i])) &&
                    ov_rule_window_ms(s->rules[i]) == 0;
        c->wanted[i] |= named;
        *found |= named;
    }
}

static const struct ov_compiled_rule *find_increase(const struct ov_settings *s, const char *name)
{
    for (size_t i = 0; i < s->rule_count; i++)
        if (strcmp(ov_rule_name(s->rules[i]), name) == 0 && ov_rule_window_ms(s->rules[i]) > 0)
            return s->rules[i];
    return NULL;
}

static bool choose_rules(struct checking *c, struct ov_buf *error)
{
    const struct ov_settings *s = c->settings;
    for (int w = 0; w < c->arguments->word_count; w++) {
        struct ov_nearest nearest = {.wanted = ov_slice(c->arguments->words[w])};
        bool found = false;
        const struct ov_compiled_rule *growth = find_increase(s, c->arguments->words[w]);
        if (growth) {
            ov_buf_printf(error, "rule %s is about an increase, which one look cannot tell: the "
                          "agent does", ov_rule_name(growth));
            return false;
        }
        want_word(c, c->arguments->words[w], &found);
        if (found)
            continue;
        for (size_t i = 0; i < s->rule_count; i++)
            ov_nearest_try(&nearest, ov_rule_name(s->rules[i]));
        for (size_t i = 0; i < s->input_count; i++)
            ov_nearest_try(&nearest, s->inputs[i].name);
        ov_buf_str(error, "no rule and no input is called `");
        ov_buf_escaped(error, ov_slice(c->arguments->words[w]));
        ov_buf_char(error, '`');
        ov_nearest_hint(&nearest, error);
        return false;
    }
    for (size_t i = 0; c->arguments->word_count == 0 && i < s->rule_count; i++)
        c->wanted[i] = can_look(c, s->rules[i]) && ov_rule_window_ms(s->rules[i]) == 0;
    return true;
}

static bool apply_ranges(struct checking *c, struct ov_buf *error)
{
    const char *warning = c->arguments->values[FLAG_WARNING];
    const char *critical = c->arguments->values[FLAG_CRITICAL];
    size_t only = 0, count = 0;
    if (!warning && !critical)
        return true;
    for (size_t i = 0; i < c->settings->rule_count; i++)
        if (c->wanted[i]) {
            only = i;
            count++;
        }
    if (count != 1) {
        ov_buf_printf(error, "--warning and --critical need just one rule, not %zu", count);
        return false;
    }
    const char *wrong = ov_rule_set_ranges(c->settings->rules[only], warning, critical);
    if (wrong)
        ov_buf_printf(error, "--%s: %s", warning && !critical ? "warning" : "critical", wrong);
    return !wrong;
}

/* ---------------------------------------------------------------- gathering */

static bool is_needed(const struct checking *c, const struct ov_plugin *plugin)
{
    for (size_t i = 0; i < c->settings->rule_count; i++)
        if (c->wanted[i] && (measures(plugin, ov_rule_measurement(c->settings->rules[i])) ||
                             measures(plugin, ov_rule_muting_measurement(c->settings->rules[i]))))
            return true;
    return false;
}

static void gather_input(struct checking *c, const struct ov_input_world *world, size_t i)
{
    struct ov_instance *instance = &c->settings->inputs[i];
    struct ov_buf why = {0};
    struct ov_input *input = ov_input_new(world, instance, &why);
    if (!input) {
        c->failed[i] = true;
        add_finding(c, NULL, c->unknown_as, (double)NAN, ov_buf_text(&why), NULL);
        ov_buf_free(&why);
        return;
    }
    ov_input_restore(input);
    c->batches[i] = ov_batch_new(&instance->tags, ov_wall_ns());
    c->failed[i] = ov_input_gather_once(input, c->batches[i], c->deadline_ms) != OV_OK;
    if (c->failed[i]) {
        bool late = ov_clock_ms() >= c->deadline_ms;
        ov_buf_printf(&why, "%s: %s", instance->name, ov_input_why(input));
        add_finding(c, NULL, late ? c->late_as : c->unknown_as, (double)NAN, ov_buf_text(&why),
                    NULL);
        if (late) { /* what it says of a server that had no time to answer is no finding */
            ov_batch_free(c->batches[i]);
            c->batches[i] = NULL;
        }
    }
    ov_input_free(input);
    ov_buf_free(&why);
}

/* ---------------------------------------------------------------- looking */

/* What is not about topics at all is of no topic that was asked for. */
static bool tag_passes(const struct ov_sample *s, const char *name, const char *glob)
{
    for (unsigned i = 0; glob && i < s->measurement->tag_count; i++)
        if (strcmp(s->measurement->tags[i], name) == 0)
            return ov_glob(ov_slice(glob), s->tags[i]);
    return !glob;
}

static bool is_muted(const struct checking *c, const struct ov_compiled_rule *rule)
{
    const struct ov_measurement *m = ov_rule_muting_measurement(rule);
    for (size_t i = 0; m && i < c->settings->input_count; i++)
        for (const struct ov_sample *s = c->batches[i] ? ov_batch_first(c->batches[i]) : NULL; s;
             s = s->next)
            if (s->measurement == m && ov_rule_look_muting(rule, s) == OV_MATCH_YES)
                return true;
    return false;
}

static void label_of(const struct ov_compiled_rule *rule, const struct ov_sample *s,
                     struct ov_buf *label)
{
    ov_buf_str(label, ov_rule_name(rule));
    for (unsigned i = 0; i < s->measurement->tag_count; i++) {
        if (s->tags[i].len == 0 || strcmp(s->measurement->tags[i], "group") == 0)
            continue; /* a group is its topic and agent */
        ov_buf_char(label, ' ');
        ov_buf_slice(label, s->tags[i]);
    }
}

static void look(struct checking *c, size_t r, const struct ov_sample *s, bool muted)
{
    const struct ov_compiled_rule *rule = c->settings->rules[r];
    struct ov_buf summary = {0}, label = {0};
    double value;
    if (s->measurement != ov_rule_measurement(rule) ||
        !tag_passes(s, "topic", c->arguments->values[FLAG_TOPIC]) ||
        !tag_passes(s, "agent", c->arguments->values[FLAG_AGENT]))
        return;
    c->looked_at[r]++;
    enum ov_match match = ov_rule_look(rule, s, &value);
    enum ov_severity severity = match == OV_MATCH_YES && !muted
                                    ? ov_rule_severity(rule, value, false) : OV_SEVERITY_NONE;
    if (severity != OV_SEVERITY_NONE)
        ov_rule_summary(rule, s, value, severity, &summary);
    label_of(rule, s, &label);
    add_finding(c, rule, (enum check_state)severity, value, ov_buf_text(&summary),
                ov_buf_text(&label));
    ov_buf_free(&summary);
    ov_buf_free(&label);
}

/* Whether what the rule is about could not be gathered, which is a finding already. */
static bool has_failed(const struct checking *c, const struct ov_compiled_rule *rule)
{
    for (size_t i = 0; i < c->settings->input_count; i++)
        if (c->failed[i] &&
            measures(c->settings->inputs[i].plugin, ov_rule_measurement(rule)))
            return true;
    return false;
}

static void look_at_all(struct checking *c)
{
    for (size_t r = 0; r < c->settings->rule_count; r++) {
        const struct ov_compiled_rule *rule = c->settings->rules[r];
        bool muted = c->wanted[r] && is_muted(c, rule);
        for (size_t i = 0; c->wanted[r] && i < c->settings->input_count; i++)
            for (const struct ov_sample *s = c->batches[i] ? ov_batch_first(c->batches[i]) : NULL;
                 s; s = s->next)
                look(c, r, s, muted);
        if (c->wanted[r] && c->arguments->word_count > 0 && c->looked_at[r] == 0 &&
            !has_failed(c, rule)) {
            struct ov_buf text = {0};
            ov_buf_printf(&text, "nothing found for rule %s", ov_rule_name(rule));
            add_finding(c, NULL, c->nothing_as, (double)NAN, ov_buf_text(&text), NULL);
            ov_buf_free(&text);
        }
    }
    if (c->finding_count == 0)
        add_finding(c, NULL, c->nothing_as, (double)NAN, "nothing found to look at", NULL);
}

/* ---------------------------------------------------------------- printing */

static int compare_findings(const void *a, const void *b)
{
    const struct finding *x = a, *y = b;
    if (rank(x->state) != rank(y->state))
        return rank(y->state) - rank(x->state);
    return (x->summary[0] == '\0') - (y->summary[0] == '\0');
}

/* Text for a scheduler: one line, and no `|`, which would begin the performance data. */
static void put_text(struct ov_buf *out, const char *text, size_t max)
{
    struct ov_buf escaped = {0};
    ov_buf_escaped(&escaped, ov_slice(text));
    if (escaped.len > max) {
        escaped.len = max;
        while (escaped.len && ((unsigned char)escaped.data[escaped.len] & 0xc0) == 0x80)
            escaped.len--; /* whole characters only */
        ov_buf_str(&escaped, "...");
    }
    for (size_t i = 0; i < escaped.len; i++)
        ov_buf_char(out, escaped.data[i] == '|' ? '/' : escaped.data[i]);
    ov_buf_free(&escaped);
}

static void put_finding(struct ov_buf *out, const struct finding *f, size_t max)
{
    put_text(out, f->summary[0] ? f->summary : f->label, max);
    if (f->rule) {
        const char *threshold = ov_rule_threshold(f->rule, (enum ov_severity)f->state);
        ov_buf_printf(out, " [%s", ov_rule_name(f->rule));
        if (isfinite(f->value)) {
            ov_buf_char(out, ' ');
            ov_perfdata_number(out, f->value);
        }
        if (f->state != STATE_OK && *threshold)
            ov_buf_printf(out, ", threshold %s", threshold);
        ov_buf_char(out, ']');
    }
}

static void put_counts(struct ov_buf *out, const struct checking *c)
{
    size_t counts[4] = {0};
    const char *between = "";
    for (size_t i = 0; i < c->finding_count; i++)
        counts[c->findings[i].state]++;
    static const enum check_state order[] = {STATE_CRITICAL, STATE_WARNING, STATE_UNKNOWN,
                                             STATE_OK};
    for (size_t i = 0; i < OV_COUNT(order); i++)
        if (counts[order[i]] || order[i] == STATE_OK) {
            ov_buf_printf(out, "%s%zu %s", between, counts[order[i]], state_names[order[i]]);
            between = ", ";
        }
}

static void put_details(struct ov_buf *out, const struct checking *c)
{
    size_t shown = 0;
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct finding *f = &c->findings[i];
        bool told = f->state != STATE_OK ? i > 0 || c->verbose >= 2 : c->verbose >= 1;
        if (!told)
            continue;
        if (shown++ == DETAILS_MAX && c->verbose < 3) {
            ov_buf_str(out, "\n... (-vvv shows all)");
            return;
        }
        ov_buf_printf(out, "\n%s: ", state_words[f->state]);
        put_finding(out, f, 1000);
        if (c->verbose >= 2 && f->rule && f->state != STATE_OK) {
            ov_buf_str(out, "\n  ");
            put_text(out, ov_rule_description(f->rule), 2000);
        }
    }
}

static void put_perfdata(struct ov_buf *out, const struct checking *c)
{
    struct ov_perfdata perfdata = {0};
    for (size_t i = 0; i < c->finding_count && perfdata.count < PERFDATA_MAX; i++) {
        const struct finding *f = &c->findings[i];
        if (f->rule && ov_rule_field(f->rule)->type != OV_TEXT)
            ov_perfdata_add(&perfdata, ov_slice(f->label), f->value,
                            ov_rule_field(f->rule)->unit, ov_rule_warning(f->rule),
                            ov_rule_critical(f->rule));
    }
    if (perfdata.count) {
        ov_buf_str(out, " | ");
        ov_buf_add(out, perfdata.text.data, perfdata.text.len);
    }
    ov_perfdata_free(&perfdata);
}

static enum check_state print_all(struct checking *c)
{
    struct ov_buf out = {0};
    qsort(c->findings, c->finding_count, sizeof *c->findings, compare_findings);
    const struct finding *worst = &c->findings[0];
    enum check_state state = worst->state;
    ov_buf_printf(&out, "%s: ", state_words[state]);
    if (state != STATE_OK) {
        put_finding(&out, worst, FIRST_LINE_MAX - 100);
        ov_buf_str(&out, "; ");
    }
    put_counts(&out, c);
    put_details(&out, c);
    if (!c->arguments->values[FLAG_NO_PERFDATA])
        put_perfdata(&out, c);
    ov_buf_char(&out, '\n');
    if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
        state = STATE_UNKNOWN;
    ov_buf_free(&out);
    return state;
}

static int say_unknown(const struct ov_buf *text)
{
    struct ov_buf out = {0};
    struct ov_slice first = {text->data, text->len};
    const char *end = first.len ? memchr(first.ptr, '\n', first.len) : NULL;
    char *line = ov_memdup(first.ptr, end ? (size_t)(end - first.ptr) : first.len);
    ov_buf_str(&out, "UNKNOWN: ");
    put_text(&out, line, FIRST_LINE_MAX);
    printf("%s\n", ov_buf_text(&out));
    ov_buf_free(&out);
    free(line);
    return STATE_UNKNOWN;
}

/* ---------------------------------------------------------------- the command */

static int check(struct checking *c, struct ov_plugins *plugins)
{
    struct ov_buf error = {0}, why = {0};
    size_t rules = c->settings->rule_count, inputs = c->settings->input_count;
    bool taken;
    c->wanted = ov_calloc(rules, sizeof *c->wanted);
    c->looked_at = ov_calloc(rules, sizeof *c->looked_at);
    c->failed = ov_calloc(inputs, sizeof *c->failed);
    c->batches = ov_calloc(inputs, sizeof *c->batches);
    int status = STATE_UNKNOWN;
    if (!choose_rules(c, &error) || !apply_ranges(c, &error)) {
        say_unknown(&error);
    } else {
        char *dir = c->settings->state_dir && *c->settings->state_dir
                        ? ov_strdup(c->settings->state_dir) : ov_state_default_dir();
        struct ov_input_world world = {.settings = c->settings,
                                       .plugin_dir = ov_plugins_dir(plugins),
                                       .state = ov_state_open(dir, true, &taken, &why)};
        for (size_t i = 0; i < inputs; i++)
            if (is_needed(c, c->settings->inputs[i].plugin))
                gather_input(c, &world, i);
        look_at_all(c);
        status = (int)print_all(c);
        ov_state_close(world.state);
        free(dir);
    }
    for (size_t i = 0; i < inputs; i++)
        ov_batch_free(c->batches[i]);
    for (size_t i = 0; i < c->finding_count; i++) {
        free(c->findings[i].summary);
        free(c->findings[i].label);
    }
    free(c->findings);
    free(c->wanted);
    free(c->looked_at);
    free(c->failed);
    free(c->batches);
    ov_buf_free(&error);
    ov_buf_free(&why);
    return status;
}

static int run(const struct ov_arguments *arguments)
{
    struct checking c = {
        .arguments = arguments, .verbose = arguments->counts[FLAG_VERBOSE],
        .unknown_as = state_of(arguments->values[FLAG_UNKNOWN_AS], STATE_UNKNOWN),
        .nothing_as = state_of(arguments->values[FLAG_NOTHING_AS], STATE_UNKNOWN),
    };
    struct ov_plugins *plugins = NULL;
    struct ov_buf errors = {0};
    size_t error_count = 0;
    int status = STATE_UNKNOWN;
    ov_log_setup(c.verbose >= 3 ? OV_DEBUG : OV_NOTHING, false);
    if (!set_timeout(&c, arguments->values[FLAG_TIMEOUT])) {
        ov_buf_str(&errors, "--timeout takes seconds and a state, such as 10 or 5:critical");
        status = say_unknown(&errors);
    } else {
        c.settings = ov_settings_read(ov_config_path(arguments->values[FLAG_CONFIG]),
                                      arguments->values[FLAG_PLUGIN_DIR], &plugins, &errors,
                                      &error_count);
        status = c.settings ? check(&c, plugins) : say_unknown(&errors);
    }
    ov_buf_free(&errors);
    ov_settings_free(c.settings);
    ov_plugins_free(plugins);
    return status;
}

const struct ov_command ov_command_check = {
    .name = "check", .takes = "[RULE|INPUT...]", .words_max = 100,
    .summary = "Apply the rules once, as a plugin for Nagios and Icinga",
    .more = "Without a RULE or INPUT all rules are applied that one look can decide; those about\n"
            "an increase need the agent. Exit status: 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN.\n",
    .example = "omnivigil check pending -w 100 -c 1000 --topic 'orders.*'",
    .flags = flags, .run = run, .refuse = say_unknown,
};
