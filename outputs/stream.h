/* SPDX-License-Identifier: Apache-2.0 */
/* Lines over a TCP connection, whatever the other side says. */
#ifndef STREAM_H
#define STREAM_H

#include "peer.h"

/* Sends `lines` from *done on. OV_SENT, or OV_RETRY with ov_fail's text: go on at *done, which is 0
 * once the connection is lost, since what of the record arrived is not known. */
enum ov_sent stream_send(struct peer *peer, struct ov_slice lines, size_t *done) OV_MUST_CHECK;

#endif
