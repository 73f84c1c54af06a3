/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>
#include <search.h>
#include <stdlib.h>

#include "alert_series.h"
#include "tag_list.h"

struct ov_slice ov_series_key(struct ov_buf *key, const char *rule, const char *input,
                              const struct ov_sample *sample)
{
    ov_buf_reset(key);
    ov_tag_list_put(key, ov_slice(rule));
    ov_tag_list_put(key, ov_slice(input));
    ov_tag_list_add_sample(key, sample);
    return (struct ov_slice){key->data, key->len};
}

bool ov_series_key_read(struct ov_slice key, struct ov_slice *rule, struct ov_slice *input,
                        struct ov_slice *tags)
{
    if (!ov_tag_list_take(&key, rule) || !ov_tag_list_take(&key, input))
        return false;
    *tags = key;
    return ov_tag_list_is_whole(key);
}

static int compare_keys(const void *a, const void *b)
{
    const struct ov_slice *x = a, *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = len ? memcmp(x->ptr, y->ptr, len) : 0;
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

struct ov_series *ov_series_find(struct ov_series_set *set, struct ov_slice key)
{
    struct ov_series **found = tfind(&key, &set->tree, compare_keys);
    return found ? *found : NULL;
}

struct ov_series *ov_series_add(struct ov_series_set *set, struct ov_slice key,
                                const struct ov_compiled_rule *rule, size_t *active)
{
    struct ov_slice name;
    if (set->count >= OV_SERIES_MAX)
        return NULL;
    struct ov_series *s = ov_malloc(sizeof *s + key.len);
    *s = (struct ov_series){.key = {(char *)(s + 1), key.len}, .rule = rule, .active = active,
                            .value = (double)NAN};
    memcpy(s + 1, key.ptr, key.len);
    if (!ov_series_key_read(s->key, &name, &s->input, &s->tags) ||
        !tsearch(s, &set->tree, compare_keys)) {
        free(s);
        return NULL;
    }
    set->count++;
    if (active)
        ++*active;
    return s;
}

static void series_free(void *node)
{
    struct ov_series *s = node;
    ov_buf_free(&s->summary);
    ov_buf_free(&s->worst_summary);
    ov_history_free(&s->history);
    free(s->id);
    free(s);
}

void ov_series_drop(struct ov_series_set *set, struct ov_series *s)
{
    tdelete(s, &set->tree, compare_keys);
    set->count--;
    if (s->active)
        --*s->active;
    series_free(s);
}

static void link_one(const void *node, VISIT visit, void *context)
{
    struct ov_series *s = *(struct ov_series *const *)node, **list = context;
    if (visit != postorder && visit != leaf)
        return;
    s->next = *list;
    *list = s;
}

struct ov_series *ov_series_list(struct ov_series_set *set)
{
    struct ov_series *list = NULL;
    twalk_r(set->tree, link_one, &list);
    return list;
}

void ov_series_free(struct ov_series_set *set)
{
    tdestroy(set->tree, series_free);
    *set = (struct ov_series_set){0};
}
