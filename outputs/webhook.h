/* SPDX-License-Identifier: Apache-2.0 */
/* An instance of the output `webhook`, for the files it consists of: webhook.c fills it in,
 * webhook_message.c makes its messages, webhook_deliver.c sends them. */
#ifndef WEBHOOK_H
#define WEBHOOK_H

#include "post.h"
#include "url.h"
#include "webhook_format.h"
#include "webhook_memory.h"

struct webhook {
    /* options */
    char *url, *template_path, *content_type, *user, *password, *token, *hmac_key, *routing_key,
        *source;
    struct ov_map headers;
    struct ov_list measurements;
    int format, method;
    int64_t batch, rate, expire_ms;
    struct post_tls tls;

    /* fixed from open on */
    struct ov_host *host;
    const struct webhook_format *kind;
    struct webhook_setup setup;
    char host_name[256];
    struct template *template;

    /* shared, with a lock of its own */
    struct memory *newest; /* the delivery that holds an alert's newest state, until it is done */

    /* encode's: the message under way */
    struct item *items;
    size_t count, room, size; /* items, place for items, the size of `text` */
    struct ov_buf text, piece, record;
    const struct ov_measurement *seen; /* whether this one is wanted is known: */
    bool seen_wanted;

    /* send's */
    struct url target;
    struct post *post;
    struct ov_buf sent; /* a body with its routing key */
    int64_t next_ms;    /* the rate allows a delivery from then on */
};

/* The formats in the order of the option's choices. */
const struct webhook_format *webhook_format_of(const struct webhook *w);

void webhook_encode(void *state, const struct ov_batch *batch, struct ov_emit *emit);
enum ov_sent webhook_send(void *state, struct ov_slice bytes, struct ov_outcome *outcome);

#endif
