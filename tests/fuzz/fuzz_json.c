/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as JSON: there is a value or a reason why not, members can be asked for, and what is a
 * value is still one when it is written and read again. */
#include <stdio.h>
#include <stdlib.h>

#include "json.h"
#include "registry.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile double seen; /* what is read has to be there */

static void ask_members(struct json_object *value)
{
    static const char *const names[] = {"a", "saved_at", "topic", ""};
    for (size_t i = 0; i < OV_COUNT(names); i++) {
        struct ov_slice text = json_get_text(value, names[i]);
        for (size_t k = 0; k < text.len; k++)
            seen = text.ptr[k];
        seen = json_get_double(value, names[i]) + (double)json_get_int(value, names[i], 0);
        if (json_get_bool(value, names[i]) > 1)
            abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text = ov_memdup(data, size);
    struct ov_slice input = {text, size};
    struct registry_agent agent = {.reclaim_idle_ms = 1};
    const char *why;
    struct json_object *value = json_read(input, &why);
    if (value && why)
        abort();
    ask_members(value);
    if (value) {
        const char *again = json_object_to_json_string(value);
        struct json_object *copy = json_read(ov_slice(again), &why);
        if (why) {
            fprintf(stderr, "%s: %s\n", again, why);
            abort();
        }
        json_object_put(copy);
    }
    json_object_put(value);
    registry_read_config(&agent, input);
    if (agent.reclaim_idle_ms < 0)
        abort();
    free(text);
    return 0;
}
