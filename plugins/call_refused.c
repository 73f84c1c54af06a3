/* SPDX-License-Identifier: Apache-2.0 */
#include "call_refused.h"

int call_refused(struct ov_call *call, const char *command, struct ov_slice key,
                 enum redis_fault fault, struct ov_slice why)
{
    struct ov_buf text = {0};
    const char *remedy = redis_fault_remedy(fault);
    ov_buf_printf(&text, "%s ", command);
    ov_buf_escaped(&text, key);
    ov_buf_str(&text, ": ");
    ov_buf_escaped(&text, (struct ov_slice){why.ptr, why.len < 300 ? why.len : 300});
    ov_buf_printf(&text, "%s%s", *remedy ? "; " : "", remedy);
    int status = ov_call_unable(call, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
    return status;
}
