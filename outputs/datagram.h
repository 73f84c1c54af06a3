/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines as datagrams: whole lines packed up to a size, many handed to the kernel at once, and UDP
 * paced, since nobody on the network says when a receiver's buffer is full. On this host the kernel
 * does, so there a receiver is waited for, and nothing is lost however fast or slow it is.
 *
 *     line\nline\nline          the newline between lines is sent, the last one is not
 *
 * Two lines `NAME:0|…` and `NAME:-…` belong together (the first makes room for a gauge below zero)
 * and are never parted.
 *
 * UDP says of a refusal only later, if at all. After one, and before the first, a single datagram
 * goes ahead and is given time to be refused; a record that met a refusal goes again from its
 * beginning.
 */
#ifndef DATAGRAM_H
#define DATAGRAM_H

#include "peer.h"

struct datagrams {
    /* set by the owner */
    size_t max;      /* bytes of one */
    int64_t line_ns, datagram_ns; /* UDP: the time a line takes, and a datagram; 0: no pacing */

    int64_t next_ns; /* when the next may go, on ov_clock_ns */
    bool trusted;    /* the receiver is there, as far as can be told */
};

/* The length of the first datagram of `lines`, its last newline included; *count is how many lines
 * that are. A line longer than `max` comes alone. `lines` is not empty and ends in a newline. */
size_t datagram_cut(struct ov_slice lines, size_t max, size_t *count);

/* Sends `lines` from *done on. OV_SENT; OV_REJECTED: one was larger than the network takes;
 * OV_RETRY with ov_fail's text: go on at *done, which is 0 after anything but a receiver too
 * slow. */
enum ov_sent datagrams_send(struct datagrams *datagrams, struct peer *peer, struct ov_slice lines,
                            size_t *done) OV_MUST_CHECK;

#endif
