/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of a table in the order, and of the choice, in which they are shown; and the one that
 * is selected, which stays so wherever the next look puts it. */
#ifndef TOP_LIST_H
#define TOP_LIST_H

#include "top_look.h"

struct top_list {
    enum top_table table;
    unsigned sort;        /* column */
    bool reversed;        /* against the column's own order: texts rise, numbers fall */
    uint32_t *order;      /* rows of the look, `count` of them */
    size_t count;
    size_t selected;      /* position in order; 0 if it is empty */
    size_t first;         /* position of the first that is on the screen */
    struct ov_buf key;    /* of the selected row; empty: none yet */
};

void top_list_init(struct top_list *list, enum top_table table);
/* Sorts the rows of `look` (NULL: there are none) that `filter` lets pass: those with it in one of
 * their texts, whatever the case, or matching it where it has one of *?[ . */
void top_list_fill(struct top_list *list, const struct top_look *look, struct ov_slice filter);
/* Moves by so many rows, as far as there are. */
void top_list_move(struct top_list *list, const struct top_look *look, ptrdiff_t by);
/* Moves `first` so that the selected row is among `height` rows. */
void top_list_scroll(struct top_list *list, size_t height);
/* The next column to sort by, or the one before. */
void top_list_sort_by(struct top_list *list, int step);
/* The selected row; NULL: there is none. */
const struct top_row *top_list_row(const struct top_list *list, const struct top_look *look);
void top_list_free(struct top_list *list);

#endif
