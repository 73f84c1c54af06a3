/* SPDX-License-Identifier: Apache-2.0 */
/* A plugin that does not load: whether there is one of that name at all, or a similar one. */
#include <stdlib.h>

#include "nearest.h"
#include "plugin.h"

bool ov_plugins_explain(struct ov_plugins *plugins, const char *name, struct ov_buf *why)
{
    struct ov_nearest nearest = {.wanted = ov_slice(name)};
    size_t count = 0;
    bool listed = false;
    struct ov_buf known = {0};
    char **names = ov_plugins_list(plugins, &count);
    for (size_t i = 0; i < count; i++) {
        listed |= strcmp(names[i], name) == 0;
        ov_nearest_try(&nearest, names[i]);
        ov_buf_printf(&known, "%s%s", i > 0 ? ", " : "", names[i]);
    }
    if (!listed && count > 0) {
        ov_buf_reset(why);
        ov_buf_str(why, "unknown plugin `");
        ov_buf_escaped(why, ov_slice(name));
        ov_buf_char(why, '`');
        if (!ov_nearest_hint(&nearest, why))
            ov_buf_printf(why, ", in %s are: %s", ov_plugins_dir(plugins), ov_buf_text(&known));
    }
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
    ov_buf_free(&known);
    return listed;
}
