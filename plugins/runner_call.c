/* SPDX-License-Identifier: Apache-2.0 */
#include "runner_call.h"

#include <math.h>

#include "figure_cells.h"
#include "figures.h"
#include "human.h"

int runner_call_gather(struct ov_call *call, const struct ov_batch **batch)
{
    const char *why;
    struct ov_slice reason = {"", 0};
    *batch = ov_call_gather(call, "runner", &why);
    for (const struct ov_sample *s = ov_batch_first(*batch); s; s = s->next) {
        if (!figure_of(s, "omnidaemon_health"))
            continue;
        if (figure_bool(s, "storage_up") == 1)
            return OV_EXIT_FINE;
        reason = figure_text(s, "reason");
    }
    if (why || reason.len == 0)
        return ov_call_unable(call, "%s", why ? why : "storage could not be read");
    return ov_call_unable(call, "%.*s", (int)reason.len, reason.ptr);
}

/* ---------------------------------------------------------------- what fires */

enum { FINDING_SEVERITY, FINDING_RULE, FINDING_SINCE, FINDING_BY, FINDING_SUMMARY, FINDING_TOPIC,
       FINDING_AGENT, FINDING_MEANING, FINDING_SILENCED };
static const struct ov_column finding_columns[] = {
    [FINDING_SEVERITY] = {"severity", OV_CELL_TEXT, NULL, 0},
    [FINDING_RULE] = {"rule", OV_CELL_TEXT, NULL, 1},
    [FINDING_SINCE] = {"since", OV_CELL_TIME, NULL, 2},
    [FINDING_BY] = {"told_by", OV_CELL_TEXT, "told by", 0},
    [FINDING_SUMMARY] = {"summary", OV_CELL_TEXT, NULL, 0},
    [FINDING_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [FINDING_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [FINDING_MEANING] = {"description", OV_CELL_TEXT, NULL, 0},
    [FINDING_SILENCED] = {"silenced", OV_CELL_BOOL, NULL, 0},
};
static const struct ov_view findings_view = {
    .name = "findings", .shape = OV_SHAPE_LIST, .columns = finding_columns,
    .column_count = OV_COUNT(finding_columns), .empty = "Nothing fires.",
};
/* For persons: the summary names topic and agent. */
static const struct ov_view findings_short_view = {
    .name = "findings", .shape = OV_SHAPE_LIST, .title = "What fires",
    .columns = finding_columns, .column_count = FINDING_SUMMARY + 1, .empty = "Nothing fires.",
};

/* An agent saves what it holds every minute, unless it is told to take longer. */
enum { FINDINGS_SHOWN = 50, HELD_SECONDS = 600 };

/* Two columns more, where an agent holds alerts: they tell what it says from what is seen. */
static const struct ov_column brief_columns[] = {
    {"severity", OV_CELL_TEXT, NULL, 0},
    {"rule", OV_CELL_TEXT, NULL, 1},
    {"summary", OV_CELL_TEXT, NULL, 0},
};
static const struct ov_view findings_brief_view = {
    .name = "findings", .shape = OV_SHAPE_LIST, .title = "What fires", .columns = brief_columns,
    .column_count = OV_COUNT(brief_columns), .empty = "Nothing fires.",
};

/* What is shown, and how much of it. */
struct firing {
    struct ov_call *call;
    const struct ov_slice *topic, *agent; /* NULL: of all */
    const struct ov_batch *held;          /* by an agent; or NULL */
    bool stale;                           /* what it holds was saved long ago */
    size_t all, shown, counted;
};

static bool concerns(const struct firing *f, const struct ov_sample *s)
{
    struct ov_slice whose = figure_tag(s, "agent");
    return !f->topic || (ov_slice_eq(figure_tag(s, "topic"), *f->topic) &&
                         (whose.len == 0 || ov_slice_eq(whose, *f->agent)));
}

/* Whether a tag of another name than those of all alerts is in "file=agents.json,name=value". */
static bool names_all(struct ov_slice subject, const struct ov_sample *s)
{
    static const char *const plain[] = {"topic", "agent", "group"};
    struct ov_buf tag = {0};
    bool all = true;
    for (unsigned i = 0; all && i < s->measurement->tag_count; i++) {
        bool is_plain = s->tags[i].len == 0;
        for (size_t k = 0; k < OV_COUNT(plain); k++)
            is_plain |= strcmp(s->measurement->tags[i], plain[k]) == 0;
        if (is_plain)
            continue;
        ov_buf_reset(&tag);
        ov_buf_printf(&tag, "%s=", s->measurement->tags[i]);
        ov_buf_slice(&tag, s->tags[i]);
        all = memmem(subject.ptr, subject.len, tag.data, tag.len) != NULL;
    }
    ov_buf_free(&tag);
    return all;
}

/* Whether an alert that an agent holds is this finding. */
static bool is_same(const struct ov_sample *alert, const struct ov_finding *f)
{
    return ov_slice_eq(figure_tag(alert, "rule"), ov_slice(f->rule)) &&
           ov_slice_eq(figure_tag(alert, "topic"), figure_tag(f->sample, "topic")) &&
           ov_slice_eq(figure_tag(alert, "agent"), figure_tag(f->sample, "agent")) &&
           ov_slice_eq(figure_tag(alert, "group"), figure_tag(f->sample, "group")) &&
           names_all(figure_tag(alert, "subject"), f->sample);
}

static unsigned summary_column(const struct firing *f)
{
    return ov_call_is_for_persons(f->call) && !f->held ? 2 : FINDING_SUMMARY;
}

/* Begins a row if there is room for it; false where not. */
static bool begin_row(struct firing *f, bool critical, struct ov_slice rule,
                      struct ov_slice summary)
{
    bool persons = ov_call_is_for_persons(f->call);
    f->all++;
    if (persons && f->shown == FINDINGS_SHOWN)
        return false;
    f->shown++;
    ov_show_row(f->call);
    ov_show_text(f->call, FINDING_SEVERITY, ov_slice(critical ? "critical" : "warning"));
    ov_show_mark(f->call, FINDING_SEVERITY, critical ? OV_MARK_BAD : OV_MARK_WARN);
    ov_show_text(f->call, FINDING_RULE, rule);
    ov_show_text(f->call, summary_column(f), summary);
    return true;
}

static void end_row(struct firing *f, const struct ov_sample *held, bool seen,
                    const struct ov_sample *sample, struct ov_slice description, bool silenced)
{
    bool persons = ov_call_is_for_persons(f->call);
    if (persons && !f->held)
        return;
    ov_show_text(f->call, FINDING_BY, !seen ? OV_SLICE("agent") : held ? OV_SLICE("both")
                                                                       : OV_SLICE("look"));
    if (held)
        ov_show_float(f->call, FINDING_SINCE, figure_double(held, "started_at"));
    if (persons)
        return;
    figure_cells_of(f->call, &findings_view, FINDING_TOPIC, FINDING_AGENT, sample);
    if (description.len)
        ov_show_text(f->call, FINDING_MEANING, description);
    ov_show_bool(f->call, FINDING_SILENCED, silenced);
}

static void show_finding(struct firing *f, const struct ov_finding *finding)
{
    const struct ov_sample *held = NULL;
    for (const struct ov_sample *s = f->held ? ov_batch_first(f->held) : NULL; s && !held;
         s = s->next)
        held = is_same(s, finding) ? s : NULL;
    if (begin_row(f, finding->critical, ov_slice(finding->rule), ov_slice(finding->summary)))
        end_row(f, held, true, finding->sample, ov_slice(finding->description), false);
}

/* What an agent holds, and this look does not see. */
static void show_held(struct firing *f, const struct ov_finding *findings, size_t count)
{
    size_t silenced_count;
    const struct ov_finding *silenced = ov_call_silenced(f->call, &silenced_count);
    for (const struct ov_sample *s = f->held ? ov_batch_first(f->held) : NULL; s; s = s->next) {
        struct ov_slice topic = figure_tag(s, "topic"), agent = figure_tag(s, "agent");
        bool critical = ov_slice_eq(figure_tag(s, "severity"), OV_SLICE("critical"));
        bool seen = !concerns(f, s) || !ov_call_wants(f->call, &topic, &agent);
        for (size_t i = 0; !seen && i < count; i++)
            seen = is_same(s, &findings[i]);
        for (size_t i = 0; !seen && i < silenced_count; i++)
            seen = is_same(s, &silenced[i]);
        f->counted += !seen && !f->stale;
        if (!seen && begin_row(f, critical, figure_tag(s, "rule"), figure_text(s, "summary")))
            end_row(f, s, false, s, figure_text(s, "description"), false);
    }
}

/* Until when; those are told for completeness, and count for nothing. */
static void show_silenced(struct firing *f)
{
    size_t count;
    struct ov_buf summary = {0};
    const struct ov_finding *findings = ov_call_silenced(f->call, &count);
    for (size_t i = 0; i < count; i++) {
        const struct ov_finding *one = &findings[i];
        if (!concerns(f, one->sample))
            continue;
        ov_buf_reset(&summary);
        if (ov_call_is_for_persons(f->call))
            ov_buf_str(&summary, "silenced");
        if (summary.len && isfinite(one->silenced)) {
            ov_buf_str(&summary, " until ");
            ov_human_time(&summary, one->silenced);
        }
        ov_buf_printf(&summary, "%s%s", summary.len ? ": " : "", one->summary);
        if (!begin_row(f, one->critical, ov_slice(one->rule), ov_slice(ov_buf_text(&summary))))
            continue;
        end_row(f, NULL, true, one->sample, ov_slice(one->description), true);
        ov_show_mark(f->call, FINDING_SEVERITY, OV_MARK_DIM);
        ov_show_mark(f->call, summary_column(f), OV_MARK_DIM);
    }
    ov_buf_free(&summary);
}

static void note_agent(const struct firing *f, double saved, struct ov_buf *unjudged)
{
    struct ov_buf at = {0};
    if (f->held) {
        ov_human_time(&at, saved);
        ov_show_note(f->call, "What the agent tells is as of %s%s", ov_buf_text(&at),
                     f->stale ? ": it may be over." : ".");
    } else if (unjudged->len) {
        ov_show_note(f->call, "Not judged in one look, but by an agent: %s.",
                     ov_buf_text(unjudged));
    }
    ov_buf_free(&at);
}

size_t runner_call_findings(struct ov_call *call, const struct ov_slice *topic,
                            const struct ov_slice *agent)
{
    size_t count;
    double saved = 0;
    struct ov_buf unjudged = {0};
    const struct ov_finding *findings = ov_call_findings(call, &count);
    struct firing f = {.call = call, .topic = topic, .agent = agent};
    f.held = ov_call_held(call, &saved, &unjudged);
    f.stale = f.held && (double)ov_wall_ns() / 1e9 - saved > HELD_SECONDS;
    ov_show(call, !ov_call_is_for_persons(call) ? &findings_view
                  : f.held ? &findings_short_view : &findings_brief_view);
    for (size_t i = 0; i < count; i++)
        if (concerns(&f, findings[i].sample))
            show_finding(&f, &findings[i]);
    f.counted = f.all;
    show_held(&f, findings, count);
    show_silenced(&f);
    if (f.shown < f.all)
        ov_show_note(call, "%zu of %zu shown; --topic and --agent narrow them down.", f.shown,
                     f.all);
    note_agent(&f, saved, &unjudged);
    ov_buf_free(&unjudged);
    return f.counted;
}

struct runner_marks runner_marks(struct ov_call *call)
{
    struct runner_marks marks = {.call = call};
    marks.findings = ov_call_findings(call, &marks.count);
    return marks;
}

bool runner_mark(const struct runner_marks *marks, const struct ov_view *view,
                 const struct ov_sample *sample)
{
    static const struct {
        const char *rule, *column;
    } places[] = {
        {"success", "success_ratio"}, {"slow", "processing_p95_seconds"}, {"crashed", "state"},
        {"no-group", "life"},         {"silent", "life"},                 {"pending", "pending"},
        {"backlog", "undelivered"},   {"trim-risk", "undelivered"},       {"lost", "lost"},
        {"dlq", "dlq_length"},        {"poison", "max_deliveries"},       {"stuck", "pending"},
    };
    bool fires = false;
    for (size_t i = 0; sample && i < marks->count; i++) {
        const struct ov_finding *f = &marks->findings[i];
        if (f->sample != sample)
            continue;
        for (size_t k = 0; k < OV_COUNT(places); k++)
            if (strcmp(places[k].rule, f->rule) == 0)
                figure_mark(marks->call, view, places[k].column,
                            f->critical ? OV_MARK_BAD : OV_MARK_WARN);
        fires = true;
    }
    return fires;
}
