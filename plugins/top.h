/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `top`, the live view of everything: a module of its own, loaded when the command runs, since no
 * other has need of ncurses.
 *
 *     cmd_top.c      the command, in the input `runner`: its flags, and loading the module
 *     top.c          the loop: keys, signals, what is new, drawing
 *     top_watch.c    the thread that looks
 *     top_look.c     what a look found, as tables; top_rates.c: what it remembers between two
 *     top_view.c     what keys do; top_keys.h: which there are
 *     top_list.c     a table sorted and filtered; top_page.c: all about one row
 *     top_draw.c     where what stands; top_fit.c: columns and numbers; top_canvas.c: drawing
 *     top_screen.c   ncurses
 *     top_aside.c    what is said on standard error meanwhile
 */
#ifndef TOP_H
#define TOP_H

#include "omnivigil.h"

/* `top_module` of the module `top`. */
struct top_module {
    /* Until the person leaves. Returns an enum ov_exit; what is wrong is said. */
    int (*run)(struct ov_call *call, int64_t interval_ms);
};

#endif
