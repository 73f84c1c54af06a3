/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A run of a command: which instance it works with, what fires, and the printing of what it shows.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "batch.h"
#include "call_inside.h"
#include "config_path.h"
#include "host.h"
#include "nearest.h"
#include "origin.h"
#include "state.h"

enum { WATCH_SECONDS = 2, PROGRESS_MS = 500 };

const struct ov_flag ov_call_flags[] = {
    [OV_CALL_CONFIG] = {"config", 'c', "FILE", OV_CONFIG_HELP, NULL},
    [OV_CALL_PLUGIN_DIR] = {"plugin-dir", 0, "DIR", "where the plugins are", NULL},
    [OV_CALL_INPUT] = {"input", 'i', "NAME", "with the input of that name, where there are several",
                       NULL},
    [OV_CALL_FORMAT] = {"format", 'f', "FORMAT", "table, json or csv", ov_show_formats},
    [OV_CALL_TOPIC] = {"topic", 0, "GLOB", "only these topics", NULL},
    [OV_CALL_AGENT] = {"agent", 0, "GLOB", "only these agents", NULL},
    [OV_CALL_WATCH] = {"watch", 'w', "[SECONDS]", "again and again, every 2 s by default", NULL},
    [OV_CALL_COMMON_COUNT] = {NULL, 0, NULL, NULL, NULL},
};

/* ---------------------------------------------------------------- arguments */

const struct ov_arguments *ov_call_arguments(const struct ov_call *call)
{
    return call->arguments;
}

const char *ov_call_flag(const struct ov_call *call, unsigned position)
{
    return call->arguments->values[position];
}

int ov_call_count(const struct ov_call *call, unsigned position)
{
    return call->arguments->counts[position];
}

const char *ov_call_word(const struct ov_call *call, int index)
{
    return index < call->arguments->word_count ? call->arguments->words[index] : NULL;
}

int ov_call_word_count(const struct ov_call *call)
{
    return call->arguments->word_count;
}

static const char *common(const struct ov_call *call, enum ov_call_common flag)
{
    return call->arguments->values[call->common + flag];
}

bool ov_call_wants(const struct ov_call *call, const struct ov_slice *topic,
                   const struct ov_slice *agent)
{
    const char *topics = common(call, OV_CALL_TOPIC), *agents = common(call, OV_CALL_AGENT);
    return (!topics || !topic || ov_glob(ov_slice(topics), *topic)) &&
           (!agents || !agent || ov_glob(ov_slice(agents), *agent));
}

/* In single quotes for a shell, where it needs any. */
static void add_quoted(struct ov_buf *out, const char *text)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "_-./:@%+=,";
    if (*text && !text[strspn(text, plain)]) {
        ov_buf_str(out, text);
        return;
    }
    ov_buf_char(out, '\'');
    for (const char *p = text; *p; p++)
        *p == '\'' ? ov_buf_str(out, "'\\''") : ov_buf_char(out, *p);
    ov_buf_char(out, '\'');
}

const char *ov_call_again(struct ov_call *call)
{
    static const enum ov_call_common kept[] = {OV_CALL_CONFIG, OV_CALL_PLUGIN_DIR, OV_CALL_INPUT};
    ov_buf_reset(&call->again);
    for (size_t i = 0; i < OV_COUNT(kept); i++) {
        if (!common(call, kept[i]))
            continue;
        ov_buf_printf(&call->again, "%s--%s ", call->again.len ? " " : "",
                      ov_call_flags[kept[i]].name);
        add_quoted(&call->again, common(call, kept[i]));
    }
    return ov_buf_text(&call->again);
}

/* ---------------------------------------------------------------- findings */

void ov_call_forget_findings(struct ov_call *call)
{
    if (!call->findings)
        return;
    ov_checking_free(&call->checking);
    call->checking = (struct ov_checking){0};
    free(call->findings);
    call->findings = NULL;
}

static int compare_findings(const void *a, const void *b)
{
    const struct ov_finding *x = a, *y = b;
    if ((x->silenced > 0) != (y->silenced > 0))
        return (x->silenced > 0) - (y->silenced > 0);
    return x->critical != y->critical ? y->critical - x->critical : strcmp(x->summary, y->summary);
}

/* Applies the rules to what was gathered; the batches stay the call's. */
static void look_for_findings(struct ov_call *call)
{
    const struct ov_settings *settings = call->settings;
    struct ov_checking *c = &call->checking;
    struct ov_batch **batches = ov_calloc(settings->input_count + 1, sizeof *batches);
    *c = (struct ov_checking){
        .settings = call->settings, .batches = batches,
        .topic = common(call, OV_CALL_TOPIC), .agent = common(call, OV_CALL_AGENT),
        .wanted = ov_calloc(settings->rule_count + 1, sizeof(bool)),
        .named = ov_calloc(settings->rule_count + 1, sizeof(bool)),
        .failed = ov_calloc(settings->input_count + 1, sizeof(bool)),
    };
    for (size_t i = 0; i < settings->input_count; i++)
        batches[i] = call->called[i].batch;
    for (size_t r = 0; r < settings->rule_count; r++)
        c->wanted[r] = ov_rule_window_ms(settings->rules[r]) == 0;
    ov_checking_look(c);
    free(batches);
    c->batches = NULL;
}

static void find(struct ov_call *call)
{
    const struct ov_checking *c = &call->checking;
    look_for_findings(call);
    call->finding_count = call->silenced_count = 0;
    call->findings = ov_calloc(c->finding_count + 1, sizeof *call->findings);
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct ov_checked *f = &c->findings[i];
        enum ov_check_state state = f->silence ? f->silenced : f->state;
        if (!f->sample || (state != OV_CHECK_WARNING && state != OV_CHECK_CRITICAL))
            continue;
        call->silenced_count += f->silence != NULL;
        call->findings[call->finding_count++] = (struct ov_finding){
            .rule = ov_rule_name(f->rule), .critical = state == OV_CHECK_CRITICAL,
            .silenced = !f->silence             ? 0
                        : f->silence->until > 0 ? f->silence->until : (double)INFINITY,
            .sample = f->sample, .value = f->value, .summary = f->summary,
            .description = ov_rule_description(f->rule),
        };
    }
    qsort(call->findings, call->finding_count, sizeof *call->findings, compare_findings);
    call->finding_count -= call->silenced_count;
}

const struct ov_finding *ov_call_findings(struct ov_call *call, size_t *count)
{
    if (!call->findings)
        find(call);
    *count = call->finding_count;
    return call->findings;
}

const struct ov_finding *ov_call_silenced(struct ov_call *call, size_t *count)
{
    if (!call->findings)
        find(call);
    *count = call->silenced_count;
    return call->findings + call->finding_count;
}

/* ---------------------------------------------------------------- persons */

struct ov_shown *ov_call_shown(struct ov_call *call)
{
    return call->shown;
}

bool ov_call_is_for_persons(const struct ov_call *call)
{
    return call->format == OV_SHOW_TABLE;
}

bool ov_call_is_watched(const struct ov_call *call)
{
    return ov_call_is_for_persons(call) && isatty(STDOUT_FILENO);
}

static void end_progress(struct ov_call *call)
{
    if (call->progressing)
        fputs("\r\033[K", stderr);
    call->progressing = false;
}

/* Where the address or directory comes from that a failure speaks of. */
static bool put_origin(const struct ov_call *call, const char *why, struct ov_buf *out)
{
    size_t len = out->len;
    for (size_t i = 0; i < call->settings->input_count && out->len == len; i++) {
        const struct ov_instance *input = &call->settings->inputs[i];
        ov_origins_put(input->origins, input->plugin->options, input->state, why, out);
    }
    return out->len > len;
}

/* What is shown may tell of a server that is away; where it was looked for belongs to that. */
static void tell_origin(struct ov_call *call)
{
    for (size_t i = 0; i < call->settings->input_count && !call->origin_told; i++) {
        const char *why = call->called[i].why;
        struct ov_buf text = {0};
        ov_buf_escaped(&text, ov_slice(why));
        call->origin_told = why && put_origin(call, why, &text);
        if (call->origin_told)
            fprintf(stderr, "omnivigil: %s: %s\n", call->settings->inputs[i].name,
                    ov_buf_text(&text));
        ov_buf_free(&text);
    }
}

OV_PRINTF(2, 0)
static void say(struct ov_call *call, const char *format, va_list args)
{
    struct ov_buf text = {0}, escaped = {0};
    end_progress(call);
    ov_buf_vprintf(&text, format, args);
    ov_buf_escaped(&escaped, (struct ov_slice){text.data, text.len});
    if (call->settings && put_origin(call, ov_buf_text(&text), &escaped))
        call->origin_told = true;
    if (call->said)
        ov_buf_printf(call->said, "%s\n", ov_buf_text(&escaped));
    else
        fprintf(stderr, "omnivigil: %s\n", ov_buf_text(&escaped));
    ov_buf_free(&text);
    ov_buf_free(&escaped);
}

int ov_call_usage(struct ov_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(call, format, args);
    va_end(args);
    if (!call->said)
        fprintf(stderr, "`omnivigil %s --help` tells what there is.\n", call->command->name);
    return OV_EXIT_USAGE;
}

int ov_call_unable(struct ov_call *call, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(call, format, args);
    va_end(args);
    return OV_EXIT_UNABLE;
}

bool ov_call_confirm(struct ov_call *call, const char *flag, const char *format, ...)
{
    struct ov_buf text = {0}, escaped = {0};
    char answer[16];
    va_list args;
    end_progress(call);
    va_start(args, format);
    ov_buf_vprintf(&text, format, args);
    va_end(args);
    ov_buf_escaped(&escaped, (struct ov_slice){text.data, text.len});
    bool asked = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (asked)
        fprintf(stderr, "%s [y/N] ", ov_buf_text(&escaped));
    else
        fprintf(stderr, "omnivigil: %s Nobody can be asked here: %s would do it.\n",
                ov_buf_text(&escaped), flag);
    bool yes = asked && fgets(answer, sizeof answer, stdin) &&
               (answer[0] == 'y' || answer[0] == 'Y');
    if (asked && !yes)
        fputs("Nothing was changed.\n", stderr);
    ov_buf_free(&text);
    ov_buf_free(&escaped);
    return yes;
}

void ov_call_progress(struct ov_call *call, const char *what, int64_t done, int64_t total)
{
    if (call->said || !isatty(STDERR_FILENO))
        return;
    if (!call->progress_ms)
        call->progress_ms = ov_clock_ms();
    if (done == total) {
        end_progress(call);
        return;
    }
    if (ov_clock_ms() - call->progress_ms < PROGRESS_MS)
        return;
    if (total > 0)
        fprintf(stderr, "\r%s: %lld of %lld\033[K", what, (long long)done, (long long)total);
    else
        fprintf(stderr, "\r%s: %lld\033[K", what, (long long)done);
    call->progressing = true;
}

/* ---------------------------------------------------------------- running */

/* The instance that the command works with; NULL, and said, where that is not clear. */
static struct ov_instance *choose_own(struct ov_call *call, const struct ov_plugin *plugin)
{
    const char *wanted = common(call, OV_CALL_INPUT);
    struct ov_nearest nearest = {.wanted = ov_slice(wanted)};
    struct ov_instance *own = NULL;
    struct ov_buf names = {0};
    size_t count = 0;
    for (size_t i = 0; i < call->settings->input_count; i++) {
        struct ov_instance *instance = &call->settings->inputs[i];
        if (instance->plugin != plugin)
            continue;
        ov_buf_printf(&names, "%s%s", names.len ? ", " : "", instance->name);
        if (wanted)
            ov_nearest_try(&nearest, instance->name);
        if (wanted && strcmp(wanted, instance->name) != 0)
            continue;
        own = instance;
        count++;
    }
    if (count != 1) {
        struct ov_buf hint = {0};
        own = NULL;
        if (wanted) {
            ov_nearest_hint(&nearest, &hint);
            ov_call_usage(call, "no input `%s` brings this command%s", wanted, ov_buf_text(&hint));
        } else {
            ov_call_usage(call, "there are several inputs `%s`, choose one with --input: %s",
                          plugin->name, ov_buf_text(&names));
        }
        ov_buf_free(&hint);
    }
    ov_buf_free(&names);
    return own;
}

/* When it was, above what is shown again and again. */
static void put_time(struct ov_buf *out)
{
    char text[32];
    struct tm local;
    time_t now = time(NULL);
    localtime_r(&now, &local);
    strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &local);
    ov_buf_printf(out, "%s\n\n", text);
}

static int run_once(struct ov_call *call, bool again)
{
    struct ov_buf out = {0};
    int status = call->command->run(call->own->state, call);
    end_progress(call);
    if (again && ov_call_is_watched(call))
        ov_buf_str(&out, "\033[H\033[2J");
    if (again && ov_call_is_for_persons(call))
        put_time(&out);
    ov_shown_write(call->shown, false, &out);
    if (out.len && fwrite(out.data, 1, out.len, stdout) != out.len)
        status = OV_EXIT_UNABLE;
    if (fflush(stdout) != 0)
        status = OV_EXIT_UNABLE;
    tell_origin(call);
    ov_buf_free(&out);
    return status;
}

/* 0: not asked for; negative: said that it is wrong. */
static double watch_seconds(struct ov_call *call)
{
    const char *text = common(call, OV_CALL_WATCH);
    char *end = NULL;
    if (!text || call->command->once)
        return 0;
    if (!*text)
        return WATCH_SECONDS;
    double seconds = strtod(text, &end);
    if (end == text || *end || !(seconds >= 0.1 && seconds <= 86400)) {
        ov_call_usage(call, "--watch takes seconds from 0.1 to 86400, not `%s`", text);
        return -1;
    }
    return seconds;
}

static int run_again(struct ov_call *call, double seconds)
{
    struct timespec pause = {(time_t)seconds, (long)((seconds - floor(seconds)) * 1e9)};
    int status;
    while ((status = run_once(call, true)) != OV_EXIT_USAGE && !ferror(stdout)) {
        nanosleep(&pause, NULL);
        ov_call_refresh(call);
        if (ov_call_is_for_persons(call) && !ov_call_is_watched(call))
            putchar('\n'); /* between two of them */
    }
    return status;
}

static int run_opened(struct ov_call *call)
{
    struct ov_called *own = &call->called[call->own - call->settings->inputs];
    double seconds = watch_seconds(call);
    if (seconds < 0)
        return OV_EXIT_USAGE;
    if (!ov_call_open(call, call->own))
        return ov_call_unable(call, "%s", own->why);
    return seconds > 0 ? run_again(call, seconds) : run_once(call, false);
}

static void close_all(struct ov_call *call)
{
    ov_batch_free(call->held);
    ov_call_forget_findings(call);
    for (size_t i = 0; i < call->settings->input_count; i++) {
        ov_batch_free(call->called[i].batch);
        ov_input_free(call->called[i].input);
        free(call->called[i].why);
    }
    free(call->called);
    ov_batch_free(call->nothing);
    ov_shown_free(call->shown);
    ov_state_close(call->world.state);
    ov_buf_free(&call->missing);
    ov_buf_free(&call->again);
}

static enum ov_show_format format_of(const char *name)
{
    for (int i = 0; name && ov_show_formats[i]; i++)
        if (strcmp(ov_show_formats[i], name) == 0)
            return (enum ov_show_format)i;
    return OV_SHOW_TABLE;
}

int ov_call_run(const struct ov_command *command, const struct ov_plugin *plugin,
                const struct ov_arguments *arguments, unsigned common_at,
                struct ov_settings *settings, const char *plugin_dir)
{
    struct ov_call call = {
        .command = command, .arguments = arguments, .common = common_at, .settings = settings,
        .called = ov_calloc(settings->input_count + 1, sizeof *call.called),
        .nothing = ov_batch_new(&(struct ov_map){0}, ov_wall_ns()),
    };
    struct ov_buf why = {0};
    bool taken = false;
    char *dir = settings->state_dir && *settings->state_dir ? ov_strdup(settings->state_dir)
                                                            : ov_state_default_dir();
    call.format = format_of(common(&call, OV_CALL_FORMAT));
    call.shown = ov_shown_new(ov_show_style_of_stdout(call.format));
    call.world = (struct ov_input_world){
        .settings = settings, .plugin_dir = plugin_dir,
        .state = ov_state_open(dir, true, &taken, &why), /* NULL is fine: there is none yet */
        .wants = ov_call_shows, .context = &call,
    };
    call.own = choose_own(&call, plugin);
    int status = call.own ? run_opened(&call) : OV_EXIT_USAGE;
    close_all(&call);
    ov_buf_free(&why);
    free(dir);
    return status;
}

int ov_call_run_own(const struct ov_command *command, const struct ov_arguments *arguments)
{
    struct ov_call call = {.command = command, .arguments = arguments};
    return command->run(NULL, &call);
}
