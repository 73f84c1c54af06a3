/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The page about one row: the commands that tell all about it, and what they told. It is asked for
 * by whoever draws and answered by whoever looks.
 */
#ifndef TOP_PAGE_H
#define TOP_PAGE_H

#include "top_look.h"

enum { TOP_COMMANDS_MAX = 2, TOP_WORDS_MAX = 8 };

/* Commands as for ov_call_other. Words are texts of their own. */
struct top_ask {
    char *words[TOP_COMMANDS_MAX][TOP_WORDS_MAX];
    int counts[TOP_COMMANDS_MAX]; /* 0: there is none */
    unsigned width;
    bool colours;
    uint64_t id; /* tells pages apart; 0: none is asked for */
};
void top_ask_copy(struct top_ask *to, const struct top_ask *from); /* `to` is overwritten */
void top_ask_free(struct top_ask *ask);

struct top_page {
    bool open;
    struct top_ask ask;     /* id: of the page that is open or was last */
    struct ov_buf title;
    struct ov_buf preface;  /* what is known without asking */
    struct ov_buf text;     /* told: lines, with colours as ov_call_other writes them */
    int64_t told_ms;        /* on ov_clock_ms; 0: not yet */
    size_t first, lines;    /* of preface and text together: at the top of the screen; in all */
};

/* Opens the page about a row; what is known of it already is broken into `width` columns. */
void top_page_open(struct top_page *page, const struct top_look *look, enum top_table table,
                   const struct top_row *row, unsigned width);
/* Takes what was told (`text` becomes the page's), unless it is about another page. */
void top_page_take(struct top_page *page, uint64_t id, struct ov_buf *text, int64_t told_ms);
/* Line `index`, without its end; false beyond the last. */
bool top_page_line(const struct top_page *page, size_t index, struct ov_slice *line);
void top_page_close(struct top_page *page);
void top_page_free(struct top_page *page);

#endif
