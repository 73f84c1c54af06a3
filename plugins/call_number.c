/* SPDX-License-Identifier: Apache-2.0 */
#include "call_number.h"

bool call_number(struct ov_call *call, unsigned position, const char *name, int64_t fallback,
                 int64_t max, int64_t *number)
{
    const char *text = ov_call_flag(call, position);
    *number = fallback;
    if (!text)
        return true;
    *number = 0;
    for (const char *at = text; *at && *number <= max; at++)
        *number = *at >= '0' && *at <= '9' ? *number * 10 + (*at - '0') : max + 1;
    if (*text && *number >= 1 && *number <= max)
        return true;
    (void)ov_call_usage(call, "--%s takes a number from 1 to %lld, not `%s`", name,
                        (long long)max, text);
    return false;
}
