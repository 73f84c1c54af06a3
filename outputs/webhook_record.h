/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What waits in the queue: a message as it goes on the wire, behind a head that says what it is
 * about.
 *
 *     webhook slack 8f0c2b…           the format, the delivery id
 *     alert backlog/orders-1763…      an alert in it, control bytes escaped; none or many such
 *     (an empty line)
 *     {"text":"…"}                    the body
 */
#ifndef WEBHOOK_RECORD_H
#define WEBHOOK_RECORD_H

#include "omnivigil.h"

#define DELIVERY_ID_LEN 32

struct record {
    struct ov_slice format, delivery; /* DELIVERY_ID_LEN bytes */
    struct ov_slice alerts;           /* the lines, see record_alert */
    struct ov_slice body;
};

void record_begin(struct ov_buf *out, const char *format, const char *delivery);
void record_add_alert(struct ov_buf *out, struct ov_slice id);
/* Ends the head: the body follows. */
void record_body(struct ov_buf *out);

/* Takes a record apart, without copies. False: it is none. */
bool record_read(struct ov_slice bytes, struct record *record);
/* Takes the next alert off `lines`, as it is written there. False at their end. */
bool record_alert(struct ov_slice *lines, struct ov_slice *id);

#endif
