/* SPDX-License-Identifier: Apache-2.0 */
/* What schedulers read: the first line with the worst finding and the counts, a line for each
 * other problem, performance data. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "checking.h"
#include "human.h"
#include "perfdata.h"

enum { PERFDATA_MAX = 200, DETAILS_MAX = 50, FIRST_LINE_MAX = 400 };

/* As monitoring plugins do: what is known to be bad comes before what is not known. */
static int rank(enum ov_check_state state)
{
    static const int ranks[] = {[OV_CHECK_OK] = 0, [OV_CHECK_UNKNOWN] = 1, [OV_CHECK_WARNING] = 2,
                                [OV_CHECK_CRITICAL] = 3};
    return ranks[state];
}

static int compare_findings(const void *a, const void *b)
{
    const struct ov_checked *x = a, *y = b;
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

static void put_finding(struct ov_buf *out, const struct ov_checked *f, size_t max)
{
    put_text(out, f->summary[0] ? f->summary : f->label, max);
    if (f->rule) {
        bool alarms = f->state == OV_CHECK_WARNING || f->state == OV_CHECK_CRITICAL;
        const char *threshold = alarms ? ov_rule_threshold(f->rule, (enum ov_severity)f->state)
                                       : "";
        ov_buf_printf(out, " [%s", ov_rule_name(f->rule));
        if (isfinite(f->value)) {
            ov_buf_char(out, ' ');
            ov_human_number(out, f->value);
        }
        if (*threshold)
            ov_buf_printf(out, ", threshold %s", threshold);
        ov_buf_char(out, ']');
    }
}

static void put_counts(struct ov_buf *out, const struct ov_checking *c)
{
    size_t counts[4] = {0}, silenced = 0, no_value = 0;
    const char *between = "";
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct ov_checked *f = &c->findings[i];
        silenced += f->silence != NULL;
        no_value += f->no_value;
        counts[f->state] += !f->silence && !f->no_value;
    }
    static const enum ov_check_state order[] = {OV_CHECK_CRITICAL, OV_CHECK_WARNING,
                                                OV_CHECK_UNKNOWN, OV_CHECK_OK};
    for (size_t i = 0; i < OV_COUNT(order); i++)
        if (counts[order[i]] || order[i] == OV_CHECK_OK) {
            ov_buf_printf(out, "%s%zu %s", between, counts[order[i]], ov_check_names[order[i]]);
            between = ", ";
        }
    if (silenced)
        ov_buf_printf(out, ", %zu silenced", silenced);
    if (no_value && c->verbose)
        ov_buf_printf(out, ", %zu without a value", no_value);
}

/* What it is, before a finding. */
static void put_state(struct ov_buf *out, const struct ov_checked *f)
{
    ov_buf_str(out, f->silence ? "SILENCED" : f->no_value ? "NO VALUE" : ov_check_words[f->state]);
    if (f->silence && f->silence->until > 0) {
        ov_buf_str(out, " until ");
        ov_human_time(out, f->silence->until);
    }
    ov_buf_str(out, ": ");
}

static void put_details(struct ov_buf *out, const struct ov_checking *c)
{
    size_t shown = 0;
    for (size_t i = 0; i < c->finding_count; i++) {
        const struct ov_checked *f = &c->findings[i];
        bool told = f->state != OV_CHECK_OK ? i > 0 || c->verbose >= 2 : c->verbose >= 1;
        if (!told)
            continue;
        if (shown++ == DETAILS_MAX && c->verbose < 3) {
            ov_buf_str(out, "\n... (-vvv shows all)");
            return;
        }
        ov_buf_char(out, '\n');
        put_state(out, f);
        put_finding(out, f, 1000);
        if (c->verbose >= 2 && f->rule && f->state != OV_CHECK_OK) {
            ov_buf_str(out, "\n  ");
            put_text(out, ov_rule_description(f->rule), 2000);
        }
    }
}

static void put_perfdata(struct ov_buf *out, const struct ov_checking *c)
{
    struct ov_perfdata perfdata = {0};
    for (size_t i = 0; i < c->finding_count && perfdata.count < PERFDATA_MAX; i++) {
        const struct ov_checked *f = &c->findings[i];
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

enum ov_check_state ov_checking_print(struct ov_checking *c)
{
    struct ov_buf out = {0};
    qsort(c->findings, c->finding_count, sizeof *c->findings, compare_findings);
    const struct ov_checked *worst = &c->findings[0];
    enum ov_check_state state = worst->state;
    ov_buf_printf(&out, "%s: ", ov_check_words[state]);
    if (state != OV_CHECK_OK) {
        put_finding(&out, worst, FIRST_LINE_MAX - 100);
        ov_buf_str(&out, "; ");
    }
    put_counts(&out, c);
    put_details(&out, c);
    if (!c->no_perfdata)
        put_perfdata(&out, c);
    ov_buf_char(&out, '\n');
    if (fwrite(out.data, 1, out.len, stdout) != out.len || fflush(stdout) != 0)
        state = OV_CHECK_UNKNOWN;
    ov_buf_free(&out);
    return state;
}

enum ov_check_state ov_checking_refuse(const struct ov_buf *text)
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
    return OV_CHECK_UNKNOWN;
}
