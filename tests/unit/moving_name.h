/* SPDX-License-Identifier: Apache-2.0 */
/* A host name, moving.test, that leads where a test wants: getaddrinfo of the test program takes
 * the place of the C library's, for the libraries it uses too. */
#ifndef MOVING_NAME_H
#define MOVING_NAME_H

extern const char *_Atomic moving_address; /* a numeric one; NULL: the name is unknown */

#endif
