/* SPDX-License-Identifier: Apache-2.0 */
/* The one-shot functions of libcrypto, which are the same in 1.1 and 3. */
#include <limits.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "hmac.h"

static void hex_write(const unsigned char *digest, char out[SHA256_HEX + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < SHA256_HEX / 2; i++) {
        out[2 * i] = digits[digest[i] >> 4];
        out[2 * i + 1] = digits[digest[i] & 15];
    }
    out[SHA256_HEX] = '\0';
}

bool sha256_hex(struct ov_slice bytes, char out[SHA256_HEX + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (!EVP_Digest(bytes.len ? bytes.ptr : "", bytes.len, digest, NULL, EVP_sha256(), NULL))
        return false;
    hex_write(digest, out);
    return true;
}

bool hmac_hex(struct ov_slice key, const char *timestamp, struct ov_slice body,
              char out[SHA256_HEX + 1])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    struct ov_buf text = {0};
    ov_buf_str(&text, timestamp);
    ov_buf_char(&text, '.');
    ov_buf_slice(&text, body);
    bool ok = key.len <= INT_MAX && HMAC(EVP_sha256(), key.ptr, (int)key.len,
                                         (const unsigned char *)text.data, text.len, digest, NULL);
    if (ok)
        hex_write(digest, out);
    ov_buf_free(&text);
    return ok;
}
