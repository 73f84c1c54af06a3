/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a receiver wants to be sent. A message is made of items, one for each sample, and of what
 * is wrapped around them:
 *
 *     item() separator item() separator …  ─▶  wrap()  ─▶  the body of a request
 *
 * Items of one message are all alerts, or none is. To add a format, declare one and name it in
 * webhook.c's table.
 */
#ifndef WEBHOOK_FORMAT_H
#define WEBHOOK_FORMAT_H

#include "template.h"
#include "webhook_item.h"

/* What formats need of the configuration. */
struct webhook_setup {
    const char *source;       /* the host this agent runs on */
    double expire_seconds;    /* a firing alert that is not repeated ends after this */
    const struct template *template; /* the user's own, for that format */
};

struct webhook_message {
    const char *delivery_id;
    const struct item *items; /* at least one */
    size_t count;
    struct ov_slice text; /* what item() wrote, with separators */
};

struct webhook_format {
    const char *name;
    const char *content_type;
    const char *url;       /* of a service that has one for all; NULL: the user's */
    const char *path;      /* of the service's interface, if the user's url lacks it */
    const char *separator; /* between items */
    bool alerts_only;      /* cannot carry other samples */
    bool keyed;            /* a routing key goes into the body, as it is sent: see routing_add */
    size_t max_items;      /* of one message; 0: as many as configured */
    size_t max_size;       /* of the text of a message's items */
    size_t (*size)(struct ov_slice text); /* in what it is measured: bytes, or characters */
    int64_t rate;          /* messages a second, unless configured */

    /* Appends one item, never larger than max_size alone unless the service has no limit. */
    void (*item)(const struct webhook_setup *setup, const struct item *item, struct ov_buf *out);
    /* Appends the body. */
    void (*wrap)(const struct webhook_setup *setup, const struct webhook_message *message,
                 struct ov_buf *out);
};

extern const struct webhook_format webhook_json, webhook_slack, webhook_discord, webhook_teams,
    webhook_alertmanager, webhook_pagerduty, webhook_template;

/* Appends `body`, a JSON object, with the routing key as its first member. */
void routing_add(struct ov_buf *out, const char *key, struct ov_slice body);

/* For the formats: how texts are measured. */
size_t size_in_bytes(struct ov_slice text);
size_t size_in_utf16(struct ov_slice text); /* as JavaScript and the services count */

#endif
