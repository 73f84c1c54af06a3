/* SPDX-License-Identifier: Apache-2.0 */
/* The address of an HTTP server as a person writes it, and what is made of it: the address of a
 * request, and a text for the log. Name and password written into it are taken out of both. */
#ifndef URL_H
#define URL_H

#include "omnivigil.h"

struct url {
    char *target;          /* without name and password */
    char *shown;           /* for people: without the query too */
    char *user, *password; /* decoded; NULL when not given */
};

/* NULL when `text` is an http or https URL, else what is wrong with it. */
const char *url_refusal(const char *text);
/* Makes the address of a request: `base`, with `path` appended to its own and its query replaced
 * by the `count` pairs, escaped. False if `base` is not a URL that url_refusal accepts. */
bool url_make(struct url *url, const char *base, const char *path, const struct ov_tag *query,
              size_t count);
/* Takes an address as it is, query and all, for one that is a secret as a whole: `shown` is only
 * its scheme, host and port. False as url_make. */
bool url_keep(struct url *url, const char *text);
void url_free(struct url *url); /* the content, not the struct */

#endif
