/* SPDX-License-Identifier: Apache-2.0 */
#include "runner_call.h"

#include "figure_cells.h"
#include "figures.h"

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

enum { FINDING_SEVERITY, FINDING_RULE, FINDING_SUMMARY, FINDING_TOPIC, FINDING_AGENT,
       FINDING_MEANING };
static const struct ov_column finding_columns[] = {
    [FINDING_SEVERITY] = {"severity", OV_CELL_TEXT, NULL, 0},
    [FINDING_RULE] = {"rule", OV_CELL_TEXT, NULL, 1},
    [FINDING_SUMMARY] = {"summary", OV_CELL_TEXT, NULL, 0},
    [FINDING_TOPIC] = {"topic", OV_CELL_TEXT, NULL, 0},
    [FINDING_AGENT] = {"agent", OV_CELL_TEXT, NULL, 0},
    [FINDING_MEANING] = {"description", OV_CELL_TEXT, NULL, 0},
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

enum { FINDINGS_SHOWN = 50 };

static bool concerns(const struct ov_finding *f, const struct ov_slice *topic,
                     const struct ov_slice *agent)
{
    struct ov_slice whose = figure_tag(f->sample, "agent");
    return !topic || (ov_slice_eq(figure_tag(f->sample, "topic"), *topic) &&
                      (whose.len == 0 || ov_slice_eq(whose, *agent)));
}

static void show_finding(struct ov_call *call, const struct ov_finding *f)
{
    ov_show_row(call);
    ov_show_text(call, FINDING_SEVERITY, ov_slice(f->critical ? "critical" : "warning"));
    ov_show_mark(call, FINDING_SEVERITY, f->critical ? OV_MARK_BAD : OV_MARK_WARN);
    ov_show_text(call, FINDING_RULE, ov_slice(f->rule));
    ov_show_text(call, FINDING_SUMMARY, ov_slice(f->summary));
    if (ov_call_is_for_persons(call))
        return;
    figure_cells(call, &findings_view, f->sample);
    if (*f->description)
        ov_show_text(call, FINDING_MEANING, ov_slice(f->description));
}

size_t runner_call_findings(struct ov_call *call, const struct ov_slice *topic,
                            const struct ov_slice *agent)
{
    size_t count, shown = 0, all = 0;
    const struct ov_finding *findings = ov_call_findings(call, &count);
    bool persons = ov_call_is_for_persons(call);
    ov_show(call, persons ? &findings_short_view : &findings_view);
    for (size_t i = 0; i < count; i++) {
        if (!concerns(&findings[i], topic, agent))
            continue;
        all++;
        if (persons && shown == FINDINGS_SHOWN)
            continue;
        show_finding(call, &findings[i]);
        shown++;
    }
    if (shown < all)
        ov_show_note(call, "%zu of %zu shown; --topic and --agent narrow them down.", shown, all);
    return all;
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
