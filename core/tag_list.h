/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tags as bytes, to compare, to search by and to save: for each tag that has a value its name and
 * its value, each behind its length. Lists read from a file may be damaged: walking one ends where
 * it is, and ov_tag_list_is_whole tells.
 */
#ifndef OV_TAG_LIST_H
#define OV_TAG_LIST_H

#include "omnivigil.h"

/* Appends bytes behind their length, as names and values are; and takes such bytes off `*rest`,
 * false where there are none. */
void ov_tag_list_put(struct ov_buf *list, struct ov_slice bytes);
bool ov_tag_list_take(struct ov_slice *rest, struct ov_slice *bytes);

/* Appends a tag; nothing where it has no value. */
void ov_tag_list_add(struct ov_buf *list, struct ov_slice name, struct ov_slice value);
void ov_tag_list_add_sample(struct ov_buf *list, const struct ov_sample *sample);
/* Takes the next tag off `*rest`; false at the end. */
bool ov_tag_list_next(struct ov_slice *rest, struct ov_slice *name, struct ov_slice *value);
bool ov_tag_list_is_whole(struct ov_slice list);
/* Empty where the list has no such tag. */
struct ov_slice ov_tag_list_find(struct ov_slice list, struct ov_slice name);
/* Whether no tag that both have has two values. */
bool ov_tag_lists_agree(struct ov_slice a, struct ov_slice b);

#endif
