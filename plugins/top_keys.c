/* SPDX-License-Identifier: Apache-2.0 */
#include "top_keys.h"

const struct top_key_row top_keys[] = {
#define TOP_ROW(action, key, other, names, word, help)                                             \
    {TOP_##action, {key, other}, names, word, help},
    TOP_KEYS(TOP_ROW)
#undef TOP_ROW
};
const size_t top_key_count = OV_COUNT(top_keys);

enum top_action top_action_of(int key)
{
    for (size_t i = 0; i < OV_COUNT(top_keys); i++)
        if (top_keys[i].keys[0] == key || top_keys[i].keys[1] == key)
            return top_keys[i].action;
    return TOP_NOTHING;
}
