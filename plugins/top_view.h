/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a person has made of the screen: which table, sorted, filtered and moved how; whether it is
 * paused; and the page about one row that may be open. Keys change it, and nothing else.
 */
#ifndef TOP_VIEW_H
#define TOP_VIEW_H

#include "top_keys.h"
#include "top_list.h"
#include "top_page.h"

struct top_view {
    enum top_table table;
    struct top_list lists[TOP_TABLES];
    struct ov_buf filter;
    bool filtering;  /* the filter is being typed */
    bool paused, helping, quitting;
    bool look_now;   /* asked for: whoever looks clears it */
    unsigned columns, rows; /* of the screen */
    unsigned height; /* rows of the table, or lines of the page, that were drawn last */
    const struct top_look *look; /* what is shown; NULL: nothing yet */
    struct top_page page;
};

void top_view_init(struct top_view *view);
/* Another look is shown from now on, or the same after the screen changed. */
void top_view_show(struct top_view *view, const struct top_look *look);
void top_view_key(struct top_view *view, int key);
void top_view_free(struct top_view *view);

static inline struct top_list *top_view_list(struct top_view *view)
{
    return &view->lists[view->table];
}

#endif
