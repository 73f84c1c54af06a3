/* SPDX-License-Identifier: Apache-2.0 */
/* Two arrays of pointers, sorted by id and by name: few things change, all are walked often. */
#include <stdlib.h>

#include "icinga_services.h"
#include "webhook_text.h"

enum {
    ALERTS_MAX = 100000,
    OTHERS_MAX = 20, /* alerts that a result names besides the worst */
    LINE_MAX_BYTES = 300,
};
/* What was told this long before a list was made may be missing from it. */
static const int64_t UNLISTED_NS = INT64_C(2000000000);

struct service;

/* Both begin with the name they are sorted by, which is behind the struct. */
struct alert {
    struct ov_slice id;
    struct service *service;
    struct alert *next; /* among those of its service that fire */
    enum icinga_severity severity;
    int64_t told_ns; /* INT64_MIN: it is known from lists alone */
    uint64_t listed; /* in which list it was last */
    double started_at;
    struct ov_buf summary, description;
};

struct service {
    struct ov_slice name;
    size_t alerts; /* that refer to it */
    bool expected, news, sent;
    size_t sent_firing, sent_critical;
    int64_t sent_ms;
    /* made anew for each walk */
    struct alert *first;
    size_t firing, critical;
};

struct array {
    void **items;
    size_t count, room;
};

struct icinga_services {
    struct array alerts, services;
    uint64_t lists;
    int64_t list_ns;
    struct ov_buf others;
};

/* ---------------------------------------------------------------- sorted arrays */

static int compare(struct ov_slice a, struct ov_slice b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len ? memcmp(a.ptr, b.ptr, len) : 0;
    return order ? order : (a.len > b.len) - (a.len < b.len);
}

/* Where it is, or would have to be. */
static size_t place_of(const struct array *array, struct ov_slice name, bool *found)
{
    size_t low = 0, high = array->count;
    *found = false;
    while (low < high && !*found) {
        size_t middle = low + (high - low) / 2;
        int order = compare(name, *(const struct ov_slice *)array->items[middle]);
        *found = order == 0;
        if (order <= 0)
            high = middle;
        else
            low = middle + 1;
    }
    return high;
}

static void insert(struct array *array, size_t at, void *item)
{
    if (array->count == array->room) {
        array->room = array->room ? array->room * 2 : 16;
        array->items = ov_realloc(array->items, array->room, sizeof *array->items);
    }
    memmove(array->items + at + 1, array->items + at, (array->count - at) * sizeof *array->items);
    array->items[at] = item;
    array->count++;
}

/* Room for a struct of `size` with a name behind it, which is its first member. */
static void *named_new(size_t size, struct ov_slice name)
{
    char *item = ov_calloc(1, size + name.len + 1);
    struct ov_slice own = {item + size, name.len};
    if (name.len)
        memcpy(item + size, name.ptr, name.len);
    memcpy(item, &own, sizeof own);
    return item;
}

/* ---------------------------------------------------------------- alerts and services */

static struct service *service_get(struct icinga_services *s, struct ov_slice name)
{
    bool found;
    size_t at = place_of(&s->services, name, &found);
    if (!found) {
        struct service *service = named_new(sizeof *service, name);
        service->sent_ms = INT64_MIN;
        insert(&s->services, at, service);
    }
    return s->services.items[at];
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
    bool found;
    size_t at = place_of(&s->alerts, a->id, &found);
    if (!found) {
        if (s->alerts.count >= ALERTS_MAX)
            return NULL;
        struct alert *alert = named_new(sizeof *alert, a->id);
        alert->told_ns = INT64_MIN;
        alert->service = service_get(s, a->service);
        alert->service->alerts++;
        insert(&s->alerts, at, alert);
    }
    return s->alerts.items[at];
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
    for (size_t i = 0; i < s->alerts.count; i++)
        alert_free(s->alerts.items[i]);
    for (size_t i = 0; i < s->services.count; i++)
        free(s->services.items[i]);
    free(s->alerts.items);
    free(s->services.items);
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
    for (size_t i = 0; i < s->services.count; i++)
        ((struct service *)s->services.items[i])->expected = false;
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
    service_get(s, name)->expected = true;
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
    size_t kept = 0;
    for (size_t i = 0; i < s->alerts.count; i++) {
        struct alert *alert = s->alerts.items[i];
        if (keeps(s, alert))
            s->alerts.items[kept++] = alert;
        else
            alert_free(alert);
    }
    s->alerts.count = kept;
}

void icinga_services_list_end(struct icinga_services *s)
{
    keep_alerts(s, is_listed);
}

/* ---------------------------------------------------------------- what is to be sent */

/* Puts each alert that fires to its service, the worst first, else by id. */
static void count_alerts(struct icinga_services *s)
{
    for (size_t i = 0; i < s->services.count; i++) {
        struct service *service = s->services.items[i];
        service->first = NULL;
        service->firing = service->critical = 0;
    }
    for (int severity = ICINGA_WARNING; severity <= ICINGA_CRITICAL; severity++)
        for (size_t i = s->alerts.count; i-- > 0;) {
            struct alert *alert = s->alerts.items[i];
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
        .service = service->name,
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
    size_t kept = 0;
    count_alerts(s);
    if (!s->lists) /* nobody else will say that these are over */
        keep_alerts(s, fires);
    for (size_t i = 0; i < s->services.count; i++) {
        struct service *service = s->services.items[i];
        struct icinga_state state = state_of(s, service);
        if (send(context, &state)) {
            service->sent = true;
            service->news = false;
            service->sent_firing = service->firing;
            service->sent_critical = service->critical;
            service->sent_ms = now_ms;
        }
        if (service->expected || service->alerts || !service->sent)
            s->services.items[kept++] = service;
        else /* it was told to be fine, and nothing is about it any more */
            free(service);
    }
    s->services.count = kept;
}
