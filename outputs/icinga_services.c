/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts by id and services by name, each in a balanced tree (tsearch) to find them and in a list
 * to walk them, the newest first. */
#include <search.h>
#include <stdlib.h>

#include "icinga_services.h"
#include "webhook_text.h"

enum {
    MEMBERS_MAX = 100000, /* alerts, and services */
    OTHERS_MAX = 20, /* alerts that a result names besides the worst */
    LINE_MAX_BYTES = 300,
};
/* What was told this long before a list was made may be missing from it. */
static const int64_t UNLISTED_NS = INT64_C(2000000000);

/* What alerts and services begin with; the name is behind the struct. */
struct member {
    struct ov_slice name;
    struct member *next;
};

struct set {
    void *tree;
    struct member *newest;
    size_t count;
};

struct alert {
    struct member member;
    struct service *service;
    struct alert *next; /* among those of its service that fire */
    enum icinga_severity severity;
    int64_t told_ns; /* INT64_MIN: it is known from lists alone */
    uint64_t listed; /* in which list it was last */
    double started_at;
    struct ov_buf summary, description;
};

struct service {
    struct member member;
    size_t alerts; /* that refer to it */
    bool expected, news, sent;
    size_t sent_firing, sent_critical;
    int64_t sent_ms;
    /* made anew for each walk */
    struct alert *first;
    size_t firing, critical;
};

struct icinga_services {
    struct set alerts, services;
    uint64_t lists;
    int64_t list_ns;
    struct ov_buf others;
};

/* ---------------------------------------------------------------- sets */

static int compare(const void *a, const void *b)
{
    const struct ov_slice *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len ? memcmp(x->ptr, y->ptr, len) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* The member of that name, which is made, of `size` bytes and zeros, if there is none. NULL: there
 * are too many. */
static void *set_get(struct set *set, struct ov_slice name, size_t size)
{
    void **found = tfind(&name, &set->tree, compare);
    if (found)
        return *found;
    if (set->count >= MEMBERS_MAX)
        return NULL;
    struct member *member = ov_calloc(1, size + name.len);
    char *copy = (char *)member + size;
    if (name.len)
        memcpy(copy, name.ptr, name.len);
    *member = (struct member){{copy, name.len}, set->newest};
    if (!tsearch(member, &set->tree, compare)) {
        free(member);
        return NULL;
    }
    set->newest = member;
    set->count++;
    return member;
}

/* Takes out the member that *at, a link of the list, leads to. */
static void *set_take(struct set *set, struct member **at)
{
    struct member *member = *at;
    *at = member->next;
    tdelete(member, &set->tree, compare);
    set->count--;
    return member;
}

/* ---------------------------------------------------------------- alerts and services */

static struct service *service_get(struct icinga_services *s, struct ov_slice name)
{
    struct service *service = set_get(&s->services, name, sizeof *service);
    if (service && !service->sent)
        service->sent_ms = INT64_MIN;
    return service;
}

static void alert_free(struct alert *alert)
{
    alert->service->alerts--;
    ov_buf_free(&alert->summary);
    ov_buf_free(&alert->description);
    free(alert);
}

static struct alert *alert_get(struct icinga_services *s, const struct icinga_alert *a)
{
    struct alert *alert = set_get(&s->alerts, a->id, sizeof *alert);
    if (!alert || alert->service)
        return alert;
    alert->service = service_get(s, a->service);
    if (!alert->service) {
        free(set_take(&s->alerts, &s->alerts.newest));
        return NULL;
    }
    alert->service->alerts++;
    alert->told_ns = INT64_MIN;
    return alert;
}

static void alert_set(struct alert *alert, const struct icinga_alert *a)
{
    alert->severity = a->severity;
    alert->started_at = a->started_at;
    ov_buf_reset(&alert->summary);
    ov_buf_slice(&alert->summary, a->summary);
    ov_buf_reset(&alert->description);
    ov_buf_slice(&alert->description, a->description);
}

struct icinga_services *icinga_services_new(void)
{
    return ov_calloc(1, sizeof(struct icinga_services));
}

void icinga_services_free(struct icinga_services *s)
{
    if (!s)
        return;
    while (s->alerts.newest)
        alert_free(set_take(&s->alerts, &s->alerts.newest));
    while (s->services.newest)
        free(set_take(&s->services, &s->services.newest));
    ov_buf_free(&s->others);
    free(s);
}

/* ---------------------------------------------------------------- news and lists */

bool icinga_services_told(struct icinga_services *s, const struct icinga_alert *a)
{
    struct alert *alert = alert_get(s, a);
    if (!alert)
        return false;
    if (a->time_ns >= alert->told_ns) {
        alert_set(alert, a);
        alert->told_ns = a->time_ns;
        alert->service->news = true;
    }
    return true;
}

void icinga_services_list(struct icinga_services *s, int64_t time_ns)
{
    s->lists++;
    s->list_ns = time_ns;
    for (struct member *m = s->services.newest; m; m = m->next)
        ((struct service *)m)->expected = false;
}

/* Whether what was told of the alert may be newer than the list under way. */
static bool is_ahead(const struct icinga_services *s, const struct alert *alert)
{
    return alert->told_ns != INT64_MIN && alert->told_ns > s->list_ns - UNLISTED_NS;
}

bool icinga_services_listed(struct icinga_services *s, const struct icinga_alert *a)
{
    struct alert *alert = alert_get(s, a);
    if (!alert)
        return false;
    if (!is_ahead(s, alert))
        alert_set(alert, a);
    alert->listed = s->lists;
    return true;
}

void icinga_services_expect(struct icinga_services *s, struct ov_slice name)
{
    struct service *service = service_get(s, name);
    if (service)
        service->expected = true;
}

static bool is_listed(const struct icinga_services *s, const struct alert *alert)
{
    return alert->listed == s->lists || is_ahead(s, alert);
}

static bool fires(const struct icinga_services *s, const struct alert *alert)
{
    (void)s;
    return alert->severity != ICINGA_OK;
}

static void keep_alerts(struct icinga_services *s,
                        bool (*keeps)(const struct icinga_services *, const struct alert *))
{
    for (struct member **at = &s->alerts.newest; *at;) {
        if (keeps(s, (struct alert *)*at))
            at = &(*at)->next;
        else
            alert_free(set_take(&s->alerts, at));
    }
}

void icinga_services_list_end(struct icinga_services *s)
{
    keep_alerts(s, is_listed);
}

/* ---------------------------------------------------------------- what is to be sent */

/* Puts each alert that fires to its service, the worst first, of these the one known longest. */
static void count_alerts(struct icinga_services *s)
{
    for (struct member *m = s->services.newest; m; m = m->next) {
        struct service *service = (struct service *)m;
        service->first = NULL;
        service->firing = service->critical = 0;
    }
    for (int severity = ICINGA_WARNING; severity <= ICINGA_CRITICAL; severity++)
        for (struct member *m = s->alerts.newest; m; m = m->next) {
            struct alert *alert = (struct alert *)m;
            if ((int)alert->severity != severity)
                continue;
            alert->next = alert->service->first;
            alert->service->first = alert;
            alert->service->firing++;
            alert->service->critical += severity == ICINGA_CRITICAL;
        }
}

static void list_others(struct ov_buf *out, const struct service *service)
{
    const struct alert *alert = service->first ? service->first->next : NULL;
    size_t named = 0;
    ov_buf_reset(out);
    for (; alert && named < OTHERS_MAX; alert = alert->next, named++) {
        ov_buf_str(out, alert->severity == ICINGA_CRITICAL ? "CRITICAL: " : "WARNING: ");
        ov_buf_escaped(out, text_prefix((struct ov_slice){alert->summary.data, alert->summary.len},
                                        LINE_MAX_BYTES));
        ov_buf_char(out, '\n');
    }
    if (alert)
        ov_buf_printf(out, "and %zu more\n", service->firing - 1 - named);
}

static struct icinga_state state_of(struct icinga_services *s, const struct service *service)
{
    const struct alert *worst = service->first;
    struct icinga_state state = {
        .service = service->member.name,
        .severity = worst ? worst->severity : ICINGA_OK,
        .firing = service->firing, .critical = service->critical,
        .expected = service->expected,
        .news = service->news || !service->sent || service->sent_firing != service->firing ||
                service->sent_critical != service->critical,
        .sent_ms = service->sent_ms,
    };
    if (worst) {
        state.summary = (struct ov_slice){worst->summary.data, worst->summary.len};
        state.description = (struct ov_slice){worst->description.data, worst->description.len};
        state.started_at = worst->started_at;
    }
    list_others(&s->others, service);
    state.others = (struct ov_slice){s->others.data, s->others.len};
    return state;
}

void icinga_services_each(struct icinga_services *s, int64_t now_ms, icinga_services_send *send,
                          void *context)
{
    count_alerts(s);
    if (!s->lists) /* nobody else will say that these are over */
        keep_alerts(s, fires);
    for (struct member **at = &s->services.newest; *at;) {
        struct service *service = (struct service *)*at;
        struct icinga_state state = state_of(s, service);
        if (send(context, &state)) {
            service->sent = true;
            service->news = false;
            service->sent_firing = service->firing;
            service->sent_critical = service->critical;
            service->sent_ms = now_ms;
        }
        if (service->expected || service->alerts || !service->sent)
            at = &(*at)->next;
        else /* it was told to be fine, and nothing is about it any more */
            free(set_take(&s->services, at));
    }
}
