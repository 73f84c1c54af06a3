/* SPDX-License-Identifier: Apache-2.0 */
#include "top_screen.h"

#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "terminal.h"
#include "text_width.h"
#include "utf8.h"

#ifndef NCURSES_WIDECHAR
#define NCURSES_WIDECHAR 1
#endif
#include <curses.h>
#include <term.h>
#undef columns /* term.h takes the word for itself */

struct top_screen {
    SCREEN *screen;
    bool colours;
    struct top_canvas canvas;
    wchar_t *wide; /* room for a row */
    size_t wide_cap;
    struct sigaction before[4];
};

/* Those that ncurses takes. */
static const int taken[] = {SIGINT, SIGTERM, SIGTSTP, SIGWINCH};

/* ---------------------------------------------------------------- drawing */

static attr_t attributes_of(const struct top_screen *screen, unsigned style)
{
    attr_t attributes = A_NORMAL;
    unsigned mark = style & TOP_STYLE_MARK;
    if (style & TOP_STYLE_BOLD || mark == OV_MARK_BAD)
        attributes |= A_BOLD;
    if (style & TOP_STYLE_REVERSE)
        attributes |= A_REVERSE;
    if (mark == OV_MARK_DIM)
        attributes |= A_DIM;
    if (mark == OV_MARK_WARN && !screen->colours)
        attributes |= A_UNDERLINE;
    return attributes;
}

static short pair_of(const struct top_screen *screen, unsigned style)
{
    unsigned mark = style & TOP_STYLE_MARK;
    return screen->colours && mark <= OV_MARK_BAD ? (short)mark : 0;
}

static wchar_t decode(const char *bytes, size_t len)
{
    const unsigned char *b = (const unsigned char *)bytes;
    wchar_t c = len == 2 ? b[0] & 0x1f : len == 3 ? b[0] & 0x0f : len == 4 ? b[0] & 0x07 : b[0];
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (b[i] & 0x3f);
    return c;
}

/* A character that the C library takes for wider or narrower than we do would shift the row. */
static size_t widen(wchar_t *wide, const char *bytes, size_t len)
{
    wchar_t c = decode(bytes, len);
    unsigned width = ov_char_width((uint32_t)c);
    if (wcwidth(c) == (int)width) {
        wide[0] = c;
        return 1;
    }
    for (unsigned i = 0; i < width; i++)
        wide[i] = L'?';
    return width;
}

static void put(void *context, unsigned row, unsigned column, unsigned style, struct ov_slice text)
{
    struct top_screen *screen = context;
    size_t count = 0;
    if (screen->wide_cap < 2 * text.len) {
        screen->wide_cap = 2 * text.len;
        screen->wide = ov_realloc(screen->wide, screen->wide_cap, sizeof *screen->wide);
    }
    for (size_t at = 0; at < text.len;) {
        size_t len = ov_utf8_len(text.ptr + at, text.len - at);
        count += widen(screen->wide + count, text.ptr + at, len ? len : 1);
        at += len ? len : 1;
    }
    attr_set(attributes_of(screen, style), pair_of(screen, style), NULL);
    mvaddnwstr((int)row, (int)column, screen->wide, (int)count);
}

const struct top_canvas *top_screen_begin(struct top_screen *screen)
{
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row && size.ws_col &&
        (size.ws_row != LINES || size.ws_col != COLS))
        resizeterm(size.ws_row, size.ws_col);
    screen->canvas.rows = (unsigned)LINES;
    screen->canvas.columns = (unsigned)COLS;
    attr_set(A_NORMAL, 0, NULL);
    erase();
    return &screen->canvas;
}

void top_screen_show(struct top_screen *screen)
{
    (void)screen;
    refresh();
}

void top_screen_redraw(struct top_screen *screen)
{
    (void)screen;
    clearok(stdscr, TRUE);
}

bool top_screen_has_colours(const struct top_screen *screen)
{
    return screen->colours;
}

/* ---------------------------------------------------------------- keys */

static int key_of_code(wint_t code)
{
    static const struct {
        wint_t code;
        int key;
    } keys[] = {
        {KEY_UP, TOP_KEY_UP},       {KEY_DOWN, TOP_KEY_DOWN},
        {KEY_LEFT, TOP_KEY_LEFT},   {KEY_RIGHT, TOP_KEY_RIGHT},
        {KEY_PPAGE, TOP_KEY_PAGE_UP}, {KEY_NPAGE, TOP_KEY_PAGE_DOWN},
        {KEY_HOME, TOP_KEY_HOME},   {KEY_END, TOP_KEY_END},
        {KEY_ENTER, TOP_KEY_ENTER}, {KEY_BACKSPACE, TOP_KEY_BACKSPACE},
    };
    for (size_t i = 0; i < OV_COUNT(keys); i++)
        if (keys[i].code == code)
            return keys[i].key;
    return TOP_KEY_NONE;
}

int top_screen_key(struct top_screen *screen)
{
    wint_t c;
    int got;
    (void)screen;
    while ((got = get_wch(&c)) != ERR) {
        int key = got == KEY_CODE_YES ? key_of_code(c)
                  : c == '\n' ? TOP_KEY_ENTER
                  : c == 127 || c == 8 ? TOP_KEY_BACKSPACE : (int)c;
        if (key != TOP_KEY_NONE)
            return key;
    }
    return TOP_KEY_NONE;
}

/* ---------------------------------------------------------------- the terminal */

static void set_colours(struct top_screen *screen)
{
    screen->colours = ov_terminal_has_colours() && has_colors();
    if (!screen->colours)
        return;
    start_color();
    use_default_colors();
    init_pair(OV_MARK_GOOD, COLOR_GREEN, -1);
    init_pair(OV_MARK_WARN, COLOR_YELLOW, -1);
    init_pair(OV_MARK_BAD, COLOR_RED, -1);
}

/* UTF-8 where the environment names it, also if that locale is not installed here. */
static bool set_locale(void)
{
    if ((!setlocale(LC_CTYPE, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0) &&
        ov_terminal_is_utf8())
        setlocale(LC_CTYPE, "C.UTF-8");
    return strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
}

static bool is_known(struct ov_buf *why)
{
    const char *term = getenv("TERM");
    int status = 0;
    if (!term || !*term) {
        ov_buf_str(why, "TERM is not set: it names the kind of terminal, as xterm does");
        return false;
    }
    bool known = setupterm(NULL, STDOUT_FILENO, &status) == OK;
    if (!known)
        ov_buf_printf(why, "the terminal `%s` (TERM) is not known here: install ncurses-term, or "
                      "try TERM=xterm", term);
    else if (!cursor_address || !clear_screen)
        ov_buf_printf(why, "the terminal `%s` (TERM) cannot draw a screen", term);
    known = known && cursor_address && clear_screen;
    if (cur_term)
        del_curterm(cur_term);
    return known;
}

struct top_screen *top_screen_open(struct ov_buf *why)
{
    if (!is_known(why))
        return NULL;
    struct top_screen *screen = ov_calloc(1, sizeof *screen);
    screen->canvas = (struct top_canvas){.utf8 = set_locale(), .put = put,
                                         .context = screen};
    for (size_t i = 0; i < OV_COUNT(taken); i++)
        sigaction(taken[i], NULL, &screen->before[i]);
    screen->screen = newterm(NULL, stdout, stdin);
    if (!screen->screen) {
        ov_buf_str(why, "this terminal cannot be used");
        top_screen_close(screen);
        return NULL;
    }
    set_escdelay(50);
    cbreak();
    noecho();
    nonl();
    nodelay(stdscr, TRUE);
    keypad(stdscr, TRUE);
    curs_set(0);
    set_colours(screen);
    return screen;
}

void top_screen_leave(struct top_screen *screen)
{
    (void)screen;
    endwin();
}

void top_screen_return(struct top_screen *screen)
{
    (void)screen;
    reset_prog_mode(); /* a shell may have had the terminal meanwhile, without our leave */
    clearok(stdscr, TRUE);
    refresh();
}

void top_screen_close(struct top_screen *screen)
{
    if (!screen)
        return;
    if (screen->screen) {
        endwin();
        delscreen(screen->screen);
    }
    for (size_t i = 0; i < OV_COUNT(taken); i++)
        sigaction(taken[i], &screen->before[i], NULL);
    free(screen->wide);
    free(screen);
}
