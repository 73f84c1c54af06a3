/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where lines go that need no HTTP, as a person writes it:
 *
 *     udp://host:port  tcp://host:port   a name, 192.0.2.1 or [2001:db8::1]; the port is optional
 *     unix:///run/x.sock                 a datagram socket's absolute path
 */
#ifndef ADDRESS_H
#define ADDRESS_H

#include "omnivigil.h"

enum address_kind { ADDRESS_UDP, ADDRESS_TCP, ADDRESS_UNIX };

struct address {
    enum address_kind kind;
    char host[256]; /* without brackets; of a Unix socket the path */
    char port[6];
};

/* Reads `text`; `port` stands in where it has none. Returns NULL, or what is wrong with it. */
const char *address_read(struct address *address, const char *text, const char *port)
    OV_MUST_CHECK;

#endif
