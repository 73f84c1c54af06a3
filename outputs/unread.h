/* SPDX-License-Identifier: Apache-2.0 */
/* How full a UDP receiver on this host is: the one thing by which a sender can tell, before
 * datagrams are lost, that it is too fast. Read from Linux' /proc/net/udp and udp6. */
#ifndef UNREAD_H
#define UNREAD_H

#include "omnivigil.h"

/* The bytes, as the kernel charges them, that wait at the socket which gets what the connected UDP
 * socket `fd` sends; -1 where that is on another host, or cannot be told. */
int64_t unread_at_receiver(int fd);

#endif
