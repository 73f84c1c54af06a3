/* SPDX-License-Identifier: Apache-2.0 */
/* Replacing ${NAME} in one value, in one pass. Messages never repeat anything but a well-formed
 * name, since the rest of the value may be a secret that merely holds a `${`. */
#include "expand.h"

enum { LONGEST_NAME = 256, LONGEST_VALUE = 1 << 20 };

static size_t name_len(struct ov_slice text)
{
    size_t len = 0;
    for (; len < text.len; len++) {
        char c = text.ptr[len];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(len > 0 && c >= '0' && c <= '9'))
            break;
    }
    return len;
}

static int expand_malformed(struct ov_buf *why)
{
    ov_buf_str(why, "a variable is written ${NAME} or ${NAME:-default}; "
                    "for the characters themselves write $${");
    return OV_FAILED;
}

/* `inside` is what stands between the braces. */
static int expand_variable(struct ov_slice inside, const struct ov_dotenv *env,
                           struct ov_buf *out, struct ov_buf *why)
{
    char name[LONGEST_NAME + 1];
    size_t len = name_len(inside);
    struct ov_slice rest = {inside.ptr + len, inside.len - len};
    bool has_default = ov_slice_starts(rest, OV_SLICE(":-"));
    if (len == 0 || len > LONGEST_NAME || (rest.len > 0 && !has_default) ||
        memmem(rest.ptr, rest.len, "${", 2))
        return expand_malformed(why);
    memcpy(name, inside.ptr, len);
    name[len] = '\0';
    const char *value = ov_dotenv_get(env, name);
    if (has_default && (!value || !*value)) {
        ov_buf_add(out, rest.ptr + 2, rest.len - 2);
    } else if (value) {
        ov_buf_str(out, value);
    } else {
        ov_buf_printf(why, "the environment variable %s is not set "
                      "(${%s:-default} gives a default)", name, name);
        return OV_FAILED;
    }
    return OV_OK;
}

int ov_expand(struct ov_slice text, const struct ov_dotenv *env, struct ov_buf *out,
              struct ov_buf *why)
{
    const char *p = text.ptr, *end = p + text.len;
    while (p < end) {
        const char *dollar = memchr(p, '$', (size_t)(end - p));
        if (!dollar || dollar + 1 == end)
            break;
        ov_buf_add(out, p, (size_t)(dollar - p));
        p = dollar + 2;
        if (dollar[1] != '{') {
            ov_buf_char(out, '$');
            p -= dollar[1] != '$';
            continue;
        }
        const char *close = memchr(p, '}', (size_t)(end - p));
        if (!close)
            return expand_malformed(why);
        if (expand_variable((struct ov_slice){p, (size_t)(close - p)}, env, out, why) != OV_OK)
            return OV_FAILED;
        p = close + 1;
        if (out->len > LONGEST_VALUE) {
            ov_buf_str(why, "with its variables this value is longer than 1MiB");
            return OV_FAILED;
        }
    }
    ov_buf_add(out, p, (size_t)(end - p));
    return OV_OK;
}
