/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, and messages signed with it, by OpenSSL's libcrypto. */
#ifndef HMAC_H
#define HMAC_H

#include "omnivigil.h"

#define SHA256_HEX 64

/* Writes the digest of `bytes` in lower case hexadecimal, with a NUL. False: libcrypto refuses. */
bool sha256_hex(struct ov_slice bytes, char out[SHA256_HEX + 1]) OV_MUST_CHECK;

/* Writes HMAC-SHA256, with `key`, of TIMESTAMP "." BODY the same way. */
bool hmac_hex(struct ov_slice key, const char *timestamp, struct ov_slice body,
              char out[SHA256_HEX + 1]) OV_MUST_CHECK;

#endif
