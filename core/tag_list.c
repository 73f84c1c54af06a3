/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths are as the machine has them: lists stay on it. */
#include "tag_list.h"

void ov_tag_list_put(struct ov_buf *list, struct ov_slice bytes)
{
    uint32_t len = (uint32_t)bytes.len;
    ov_buf_add(list, &len, sizeof len);
    ov_buf_slice(list, bytes);
}

bool ov_tag_list_take(struct ov_slice *rest, struct ov_slice *bytes)
{
    uint32_t len;
    if (rest->len < sizeof len)
        return false;
    memcpy(&len, rest->ptr, sizeof len);
    if (rest->len - sizeof len < len)
        return false;
    *bytes = (struct ov_slice){rest->ptr + sizeof len, len};
    *rest = (struct ov_slice){bytes->ptr + len, rest->len - sizeof len - len};
    return true;
}

void ov_tag_list_add(struct ov_buf *list, struct ov_slice name, struct ov_slice value)
{
    if (!value.len)
        return;
    ov_tag_list_put(list, name);
    ov_tag_list_put(list, value);
}

void ov_tag_list_add_sample(struct ov_buf *list, const struct ov_sample *sample)
{
    const struct ov_measurement *m = sample->measurement;
    for (unsigned i = 0; i < m->tag_count; i++)
        ov_tag_list_add(list, ov_slice(m->tags[i]), sample->tags[i]);
}

bool ov_tag_list_next(struct ov_slice *rest, struct ov_slice *name, struct ov_slice *value)
{
    return ov_tag_list_take(rest, name) && ov_tag_list_take(rest, value);
}

bool ov_tag_list_is_whole(struct ov_slice list)
{
    struct ov_slice name, value;
    while (list.len)
        if (!ov_tag_list_next(&list, &name, &value))
            return false;
    return true;
}

struct ov_slice ov_tag_list_find(struct ov_slice list, struct ov_slice name)
{
    struct ov_slice one, value;
    while (ov_tag_list_next(&list, &one, &value))
        if (ov_slice_eq(one, name))
            return value;
    return (struct ov_slice){"", 0};
}

bool ov_tag_lists_agree(struct ov_slice a, struct ov_slice b)
{
    struct ov_slice name, value;
    while (ov_tag_list_next(&a, &name, &value)) {
        struct ov_slice other = ov_tag_list_find(b, name);
        if (other.len && !ov_slice_eq(other, value))
            return false;
    }
    return true;
}
