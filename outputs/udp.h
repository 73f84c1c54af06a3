/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Datagrams to a name: it is looked up again every half minute and after a failure, and no more
 * datagrams leave than the pace allows, since a receiver's buffer holds only a few hundred. One
 * thread at a time.
 */
#ifndef UDP_H
#define UDP_H

#include "omnivigil.h"

struct udp;

struct udp_options {
    int64_t datagram;   /* bytes */
    int64_t per_second; /* datagrams */
};
/* The rows of a `udp` table (OV_OPT_TABLE) over a struct udp_options. */
extern const struct ov_option udp_options[];

/* Copies the names; `options` must outlive the result. Nothing is looked up yet. */
struct udp *udp_new(struct ov_host *host, const char *name, const char *port,
                    const struct udp_options *options);
void udp_free(struct udp *udp);

/* Sends one datagram when the pace allows. OV_FAILED with ov_fail's text: it did not leave, or
 * nobody received an earlier one; OV_STOPPED: the deadline or the end came first. */
int udp_send(struct udp *udp, struct ov_slice datagram) OV_MUST_CHECK;
/* Gives the receiver's machine a moment to say that nobody listens there. OV_FAILED: it does. */
int udp_confirm(struct udp *udp) OV_MUST_CHECK;

#endif
