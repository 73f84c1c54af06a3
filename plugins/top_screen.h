/* SPDX-License-Identifier: Apache-2.0 */
/* The terminal, by ncurses: the only file that knows of that. One thread, one screen. */
#ifndef TOP_SCREEN_H
#define TOP_SCREEN_H

#include "top_canvas.h"
#include "top_keys.h"

struct top_screen;

/* Takes the terminal over. NULL with a text in `why`: TERM says nothing, or what is not known. */
struct top_screen *top_screen_open(struct ov_buf *why);
/* Gives the terminal back as it was. NULL is fine. */
void top_screen_close(struct top_screen *screen);
/* The same for a while; and takes it over again, blank and of whatever size it is then. */
void top_screen_leave(struct top_screen *screen);
void top_screen_return(struct top_screen *screen);

/* A blank canvas of the size the terminal has now. What is put on it is seen after _show. */
const struct top_canvas *top_screen_begin(struct top_screen *screen);
void top_screen_show(struct top_screen *screen);
/* Draws all of it anew next time, whatever is on the terminal. */
void top_screen_redraw(struct top_screen *screen);
bool top_screen_has_colours(const struct top_screen *screen);
/* A key that was pressed; TOP_KEY_NONE: none is left. Waits for nothing. */
int top_screen_key(struct top_screen *screen);

#endif
