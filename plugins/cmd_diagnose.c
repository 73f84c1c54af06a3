/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `omnivigil diagnose`: the guide's list of what to look at when something is wrong, looked at. It
 * only reads. What may be a start or a stop under way is looked at twice, a few seconds apart.
 */
#include <errno.h>
#include <math.h>
#include <unistd.h>

#include "cmd_diagnose.h"
#include "diagnose.h"

enum { FLAG_VERBOSE, FLAG_ENV_FILE };
static const struct ov_flag flags[] = {
    [FLAG_VERBOSE] = {"verbose", 'v', NULL, "list consequences, checks and variables, too", NULL},
    [FLAG_ENV_FILE] = {"env-file", 0, "FILE", "the .env that OmniDaemon reads (.env)", NULL},
    {NULL, 0, NULL, NULL, NULL},
};

enum { SETTLING_MS = 3000, SHOWN_MAX = 50 };

/* ---------------------------------------------------------------- looking */

static void look_once(struct look *look, struct diagnosis *d)
{
    look->d = d;
    look->now_ms = ov_wall_ns() / 1000000;
    look->clock_ahead = (double)NAN;
    ov_buf_free(&look->databases);
    ov_buf_reset(&look->notes);
    look_at_environment(look);
    look->usable = look_at_redis(look);
    look->tasks = ov_call_gather(look->call, "runner", &look->tasks_why);
    look->bus = ov_call_gather(look->call, "redis_bus", &look->bus_why);
    look->storage = ov_call_gather(look->call, "storage", &look->storage_why);
    look->usable = look->usable && redis_open(look->runner->redis) == OV_OK;
    look_at_samples(look);
    if (!look->usable)
        return;
    look_at_access(look);
    look_at_missed(look);
    look_at_orphans(look);
    look_at_pending(look);
    look_at_letters(look);
    look_at_clocks(look);
}

static void look_until_sure(struct look *look, struct diagnosis *d)
{
    look_once(look, d);
    if (!look->usable || !diagnosis_is_fleeting(d))
        return;
    struct diagnosis earlier = *d;
    *d = (struct diagnosis){0};
    omni_pause(ov_call_host(look->call), SETTLING_MS);
    ov_call_refresh(look->call);
    look_once(look, d);
    diagnosis_confirm(d, &earlier);
    diagnosis_free(&earlier);
}

/* ---------------------------------------------------------------- showing */

enum { FINDING_WHAT, FINDING_SEVERITY, FINDING_NAME, FINDING_TOPIC, FINDING_AGENT,
       FINDING_EVIDENCE, FINDING_MEANING, FINDING_NEXT, FINDING_CAUSE, FINDING_CONSEQUENCES };
static const struct ov_column finding_columns[] = {
    [FINDING_WHAT] = {"finding", OV_CELL_TEXT, NULL, 0},
    [FINDING_SEVERITY] = {"severity", OV_CELL_TEXT, NULL, 0},
    [FINDING_NAME] = {"name", OV_CELL_TEXT, NULL, 0},
    [FINDING_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [FINDING_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [FINDING_EVIDENCE] = {"evidence", OV_CELL_TEXT, NULL, 0},
    [FINDING_MEANING] = {"meaning", OV_CELL_TEXT, NULL, 0},
    [FINDING_NEXT] = {"next", OV_CELL_LINE, NULL, 0},
    [FINDING_CAUSE] = {"cause", OV_CELL_TEXT, NULL, 0},
    [FINDING_CONSEQUENCES] = {"consequences", OV_CELL_INT, "others", 0},
};
static const struct ov_view finding_view = {
    .name = "findings", .shape = OV_SHAPE_CARDS, .columns = finding_columns,
    .column_count = OV_COUNT(finding_columns), .empty = "Nothing is wrong.",
};

enum { CHECK_NAME, CHECK_RESULT, CHECK_SEEN };
static const struct ov_column check_columns[] = {
    [CHECK_NAME] = {"check", OV_CELL_TEXT, NULL, 0},
    [CHECK_RESULT] = {"result", OV_CELL_TEXT, NULL, 0},
    [CHECK_SEEN] = {"seen", OV_CELL_TEXT, NULL, 0},
};
static const struct ov_view check_view = {
    .name = "checks", .shape = OV_SHAPE_LIST, .title = "What was looked at",
    .columns = check_columns, .column_count = OV_COUNT(check_columns),
};

enum { ABOUT_ADDRESS, ABOUT_TIME, ABOUT_OMNIVIGIL, ABOUT_REDIS, ABOUT_STORAGE, ABOUT_PLACE,
       ABOUT_STATUS };
static const struct ov_column about_columns[] = {
    [ABOUT_ADDRESS] = {"address", OV_CELL_TEXT, NULL, 0},
    [ABOUT_TIME] = {"time", OV_CELL_TIME, NULL, 0},
    [ABOUT_OMNIVIGIL] = {"omnivigil", OV_CELL_TEXT, NULL, 0},
    [ABOUT_REDIS] = {"redis", OV_CELL_TEXT, NULL, 0},
    [ABOUT_STORAGE] = {"storage", OV_CELL_TEXT, NULL, 0},
    [ABOUT_PLACE] = {"storage_place", OV_CELL_TEXT, NULL, 0},
    [ABOUT_STATUS] = {"result", OV_CELL_TEXT, NULL, 0},
};
static const struct ov_view about_view = {
    .name = "about", .shape = OV_SHAPE_CARDS, .single = true, .columns = about_columns,
    .column_count = OV_COUNT(about_columns),
};

static const char *const results[] = {
    [OV_EXIT_FINE] = "fine", [OV_EXIT_PROBLEM] = "found", [OV_EXIT_UNABLE] = "could not look",
};

static int result_of(const struct diagnosis *d)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->findings[i]->ailment == AIL_BUS_DOWN)
            return OV_EXIT_UNABLE;
    return d->count ? OV_EXIT_PROBLEM : OV_EXIT_FINE;
}

static struct ov_slice slice_of(const struct ov_buf *buf)
{
    return (struct ov_slice){buf->data, buf->len};
}

static void show_if_any(struct ov_call *call, unsigned column, const struct ov_buf *text)
{
    if (text->len)
        ov_show_text(call, column, slice_of(text));
}

static void show_for_programs(struct ov_call *call, const struct finding *f)
{
    ov_show_text(call, FINDING_WHAT, slice_of(&f->what));
    ov_show_text(call, FINDING_SEVERITY, ov_slice(f->critical ? "critical" : "warning"));
    ov_show_text(call, FINDING_NAME, ov_slice(f->name));
    if (f->topic)
        ov_show_text(call, FINDING_TOPIC, (struct ov_slice){f->topic, f->topic_len});
    if (f->agent)
        ov_show_text(call, FINDING_AGENT, (struct ov_slice){f->agent, f->agent_len});
    show_if_any(call, FINDING_MEANING, &f->meaning);
    ov_show_int(call, FINDING_CONSEQUENCES, (int64_t)f->consequences);
}

static void show_for_persons(struct ov_call *call, const struct finding *f, bool verbose)
{
    struct ov_buf text = {0};
    ov_buf_str(&text, f->critical ? "CRITICAL: " : "WARNING: ");
    ov_buf_slice(&text, slice_of(&f->what));
    ov_show_text(call, FINDING_WHAT, slice_of(&text));
    ov_show_mark(call, FINDING_WHAT, f->critical ? OV_MARK_BAD : OV_MARK_WARN);
    ov_buf_reset(&text);
    ov_buf_slice(&text, slice_of(&f->meaning));
    if (f->consequences && !verbose)
        ov_buf_printf(&text, "%s%zu other finding%s on this one: -v lists %s.",
                      text.len ? " " : "", f->consequences,
                      f->consequences == 1 ? " depends" : "s depend",
                      f->consequences == 1 ? "it" : "them");
    show_if_any(call, FINDING_MEANING, &text);
    ov_buf_free(&text);
}

/* Programs get all of it; persons the causes, as many as they will read. */
static void show_findings(struct ov_call *call, const struct diagnosis *d, bool verbose)
{
    bool persons = ov_call_is_for_persons(call);
    size_t shown = 0, left_out = 0;
    ov_show(call, &finding_view);
    for (size_t i = 0; i < d->count; i++) {
        const struct finding *f = d->findings[i];
        if (persons && !verbose && f->cause)
            continue;
        if (persons && !verbose && shown == SHOWN_MAX) {
            left_out++;
            continue;
        }
        shown++;
        ov_show_row(call);
        if (persons)
            show_for_persons(call, f, verbose);
        else
            show_for_programs(call, f);
        show_if_any(call, FINDING_EVIDENCE, &f->evidence);
        show_if_any(call, FINDING_NEXT, &f->next);
        if (f->cause)
            show_if_any(call, FINDING_CAUSE, &f->cause->what);
    }
    if (left_out)
        ov_show_note(call, "%zu more: --topic and --agent narrow, -v lists all", left_out);
}

static void show_checks(struct ov_call *call, const struct diagnosis *d)
{
    ov_show(call, &check_view);
    for (unsigned i = 0; i < CHECKS; i++) {
        size_t found = diagnosis_count(d, (enum check)i);
        bool looked = d->checks[i].looked;
        ov_show_row(call);
        ov_show_text(call, CHECK_NAME, ov_slice(check_name((enum check)i)));
        ov_show_text(call, CHECK_RESULT, ov_slice(found ? "found" : looked ? "fine"
                                                  : "not looked at"));
        ov_show_mark(call, CHECK_RESULT, found ? OV_MARK_WARN : looked ? OV_MARK_GOOD
                                         : OV_MARK_DIM);
        show_if_any(call, CHECK_SEEN, &d->checks[i].detail);
    }
}

/* One line of what is fine, and a line for each that could not be looked at. */
static void note_checks(struct ov_call *call, const struct diagnosis *d)
{
    struct ov_buf fine = {0};
    for (unsigned i = 0; i < CHECKS; i++)
        if (d->checks[i].looked && diagnosis_count(d, (enum check)i) == 0)
            ov_buf_printf(&fine, "%s%s", fine.len ? ", " : "", check_name((enum check)i));
    if (fine.len)
        ov_show_note(call, "Fine: %s; -v tells what was seen.", ov_buf_text(&fine));
    ov_buf_reset(&fine);
    for (unsigned i = 0; i < CHECKS; i++)
        if (!d->checks[i].looked && diagnosis_count(d, (enum check)i) == 0)
            ov_buf_printf(&fine, "%s%s", fine.len ? ", " : "", check_name((enum check)i));
    if (fine.len)
        ov_show_note(call, "Could not be looked at: %s; -v tells why.", ov_buf_text(&fine));
    ov_buf_free(&fine);
}

static void show_about(struct look *look, int result)
{
    const struct omni_options *omni = &look->runner->omni;
    struct ov_call *call = look->call;
    ov_show(call, &about_view);
    ov_show_row(call);
    ov_show_text(call, ABOUT_ADDRESS, slice_of(&look->address));
    ov_show_float(call, ABOUT_TIME, (double)(ov_wall_ns() / 1000000000));
    ov_show_text(call, ABOUT_OMNIVIGIL, ov_slice(VERSION));
    if (*look->version)
        ov_show_text(call, ABOUT_REDIS, ov_slice(look->version));
    ov_show_text(call, ABOUT_STORAGE, ov_slice(omni_backend_names[omni->backend]));
    ov_show_text(call, ABOUT_PLACE, ov_slice(omni->backend == OMNI_REDIS ? omni->prefix
                                                                        : omni->json_dir));
    ov_show_text(call, ABOUT_STATUS, ov_slice(results[result]));
}

static int run_diagnose(void *state, struct ov_call *call)
{
    const char *env_file = ov_call_flag(call, FLAG_ENV_FILE);
    bool verbose = ov_call_flag(call, FLAG_VERBOSE) != NULL;
    struct look look = {
        .runner = state, .call = call, .env_file = env_file ? env_file : ".env",
    };
    struct diagnosis d = {0};
    struct ov_buf why = {0};
    if (env_file && access(env_file, R_OK) != 0)
        return ov_call_usage(call, "--env-file: %s: %s", env_file, strerror(errno));
    if (!redis_url_from_options(&look.runner->omni.redis, &look.url, &why)) {
        int status = ov_call_unable(call, "%s", ov_buf_text(&why));
        redis_url_free(&look.url);
        ov_buf_free(&why);
        return status;
    }
    redis_url_text(&look.url, &look.address);
    look_until_sure(&look, &d);
    diagnosis_settle(&d);
    int result = result_of(&d);
    show_findings(call, &d, verbose);
    if (look.notes.len)
        ov_show_note(call, "%s", ov_buf_text(&look.notes));
    if (!verbose && ov_call_is_for_persons(call))
        note_checks(call, &d);
    if (verbose || !ov_call_is_for_persons(call)) {
        show_checks(call, &d);
        show_environment(&look);
        show_about(&look, result);
    }
    diagnosis_free(&d);
    redis_url_free(&look.url);
    ov_buf_free(&look.address);
    ov_buf_free(&look.databases);
    ov_buf_free(&look.notes);
    ov_buf_free(&look.key);
    return result;
}

static const char *const figures[] = {"omnidaemon_*", NULL};

const struct ov_command cmd_diagnose = {
    .name = "diagnose",
    .takes = "",
    .summary = "What is wrong, what it means, and what to do about it",
    .more = "Looks at the environment, Redis, storage, agents, consumer groups, pending entries,\n"
            "backlogs, dead letters and clocks, and tells what is wrong, the worst first. Of\n"
            "findings that hang together the cause leads. It changes nothing.\n",
    .example = "omnivigil diagnose --format json > ticket.json",
    .flags = flags,
    .run = run_diagnose,
    .figures = figures,
};
