/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of each service: the worst of the alerts about it that fire, so that the end of one
 * does not hide another.
 *
 *     what happens to alerts ─▶ alerts by id ─▶ services by name ─▶ those that have to be sent
 *     the list of all of them ─▶    (corrects)
 *
 * The list comes at intervals and is the truth, but for what was told in the last moment before
 * it, which it may not know yet. One thread at a time.
 */
#ifndef ICINGA_SERVICES_H
#define ICINGA_SERVICES_H

#include "omnivigil.h"

struct icinga_services;

enum icinga_severity { ICINGA_OK, ICINGA_WARNING, ICINGA_CRITICAL }; /* exit statuses, too */

/* All texts are copied. */
struct icinga_alert {
    struct ov_slice id, service, summary, description;
    enum icinga_severity severity; /* ICINGA_OK: it ended */
    double started_at;             /* NaN: not known */
    int64_t time_ns;               /* when this was so */
};

struct icinga_services *icinga_services_new(void);
void icinga_services_free(struct icinga_services *services);

/* Something happened to an alert. False: there are too many to remember it. */
bool icinga_services_told(struct icinga_services *services, const struct icinga_alert *alert)
    OV_MUST_CHECK;

/* A list: begin, every alert that fires and every service that is there without one, end. */
void icinga_services_list(struct icinga_services *services, int64_t time_ns);
bool icinga_services_listed(struct icinga_services *services, const struct icinga_alert *alert)
    OV_MUST_CHECK;
void icinga_services_expect(struct icinga_services *services, struct ov_slice service);
void icinga_services_list_end(struct icinga_services *services);

struct icinga_state {
    struct ov_slice service;
    enum icinga_severity severity;
    size_t firing, critical;
    bool expected;     /* it is in each list, so its state will come again and again */
    bool news;         /* its state changed, or something happened to an alert about it */
    int64_t sent_ms;   /* ov_clock_ms; INT64_MIN: never */
    struct ov_slice summary, description; /* of the worst alert, the first of these */
    double started_at;
    struct ov_slice others; /* lines about the other alerts, each with its end; cut after some */
};
/* Told of each service in turn; returns whether its state is on its way now. */
typedef bool icinga_services_send(void *context, const struct icinga_state *state);
void icinga_services_each(struct icinga_services *services, int64_t now_ms,
                          icinga_services_send *send, void *context);

#endif
