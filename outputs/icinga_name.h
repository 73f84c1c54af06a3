/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which service of Icinga an alert is about: the name of a host and of a service, both templates
 * (template.h) over the tags of an alert that do not change while it lasts.
 *
 *     omnidaemon  {{rule}} {{topic}}  ─▶  omnidaemon!backlog orders
 *
 * The result is fit for an object of Icinga: runs of blanks are one, none is at an end, and what a
 * name cannot hold there (`!`, control bytes, invalid UTF-8) is `_`. A name of which nothing is
 * left is the rule's.
 */
#ifndef ICINGA_NAME_H
#define ICINGA_NAME_H

#include "template.h"

struct icinga_names;

enum { ICINGA_NAME_MAX = 200 }; /* bytes of a host's or service's name */

/* NULL after complaints, those about the host first, then those about the service. */
struct icinga_names *icinga_names_new(const char *host, const char *service,
                                      template_complaint *complain_host,
                                      template_complaint *complain_service, void *context);
void icinga_names_free(struct icinga_names *names);

/* Whether all alerts of a rule are about one service, so that it is known before there is one. */
bool icinga_names_are_of_rules(const struct icinga_names *names);
/* Appends `host!service` for an alert, or for a rule: any sample with the tag `rule`. */
void icinga_name_put(const struct icinga_names *names, const struct ov_sample *sample,
                     struct ov_buf *out);
/* Appends `host!SERVICE`, with the host of alerts about nothing in particular. */
void icinga_name_fixed(const struct icinga_names *names, const char *service, struct ov_buf *out);

#endif
