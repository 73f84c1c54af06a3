/* SPDX-License-Identifier: Apache-2.0 */
/* The notification protocol of systemd: one datagram a message, to the socket it names. */
#ifndef OV_SYSTEMD_H
#define OV_SYSTEMD_H

/* Sends `message` ("READY=1") when systemd asked for notifications, else does nothing. */
void ov_systemd_notify(const char *message);
/* Tells that a reload began, with the time systemd wants beside it. */
void ov_systemd_reloading(void);

#endif
