/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The keys of `top`: one table, of which its help, its footer, `--help`, the manual and the README
 * are made.
 */
#ifndef TOP_KEYS_H
#define TOP_KEYS_H

#include "omnivigil.h"

/* A key is a character, or one of these, beyond Unicode. */
enum top_key {
    TOP_KEY_NONE = 0, TOP_KEY_TAB = '\t', TOP_KEY_ENTER = '\r', TOP_KEY_ESCAPE = 27,
    TOP_KEY_UP = 0x110000, TOP_KEY_DOWN, TOP_KEY_LEFT, TOP_KEY_RIGHT, TOP_KEY_PAGE_UP,
    TOP_KEY_PAGE_DOWN, TOP_KEY_HOME, TOP_KEY_END, TOP_KEY_BACKSPACE,
};
#define TOP_CTRL(letter) ((letter) & 0x1f)

/* ROW(action, key, other key, their names in 14 columns, word in the footer or "", help) */
#define TOP_KEYS(ROW)                                                                              \
    ROW(QUIT, 'q', 'Q', "q, Ctrl-C     ", "quit", "leave")                                         \
    ROW(HELP, '?', 'h', "?, h          ", "help", "these keys")                                    \
    ROW(AGENTS, '1', '1', "1             ", "", "the agents")                                      \
    ROW(GROUPS, '2', '2', "2             ", "", "their consumer groups")                           \
    ROW(DLQS, '3', '3', "3             ", "", "dead letter queues")                                \
    ROW(ALERTS, '4', '4', "4             ", "", "what fires now")                                  \
    ROW(NEXT, TOP_KEY_TAB, TOP_KEY_TAB, "Tab           ", "view", "the next of these views")       \
    ROW(OPEN, TOP_KEY_ENTER, TOP_KEY_RIGHT, "Enter, Right  ", "open",                              \
        "all about the row: the agent, its failures and their exceptions")                         \
    ROW(BACK, TOP_KEY_ESCAPE, TOP_KEY_LEFT, "Esc, Left     ", "",                                  \
        "back from there; drops the filter")                                                       \
    ROW(FILTER, '/', '/', "/             ", "filter",                                              \
        "only rows with that text, or matching that *pattern*")                                    \
    ROW(SORT, 's', '>', "s, >          ", "sort", "sort by the next column")                       \
    ROW(SORT_BACK, 'S', '<', "S, <          ", "", "by the one before")                            \
    ROW(REVERSE, 'r', 'R', "r             ", "", "turn the order round")                           \
    ROW(PAUSE, 'p', ' ', "p, Space      ", "pause", "stop here, and go on")                        \
    ROW(LOOK, 'u', TOP_CTRL('l'), "u, Ctrl-L     ", "", "look at once, and draw anew")             \
    ROW(UP, TOP_KEY_UP, 'k', "Up, k         ", "", "up")                                           \
    ROW(DOWN, TOP_KEY_DOWN, 'j', "Down, j       ", "", "down")                                     \
    ROW(PAGE_UP, TOP_KEY_PAGE_UP, TOP_CTRL('b'), "PgUp, Ctrl-B  ", "", "a screen up")              \
    ROW(PAGE_DOWN, TOP_KEY_PAGE_DOWN, TOP_CTRL('f'), "PgDn, Ctrl-F  ", "", "a screen down")        \
    ROW(HOME, TOP_KEY_HOME, 'g', "Home, g       ", "", "to the first")                             \
    ROW(END, TOP_KEY_END, 'G', "End, G        ", "", "to the last")

enum top_action {
    TOP_NOTHING,
#define TOP_ACTION(action, ...) TOP_##action,
    TOP_KEYS(TOP_ACTION)
#undef TOP_ACTION
};

struct top_key_row {
    enum top_action action;
    int keys[2];
    const char *names; /* padded with blanks */
    const char *word;
    const char *help;
};
extern const struct top_key_row top_keys[];
extern const size_t top_key_count;

enum top_action top_action_of(int key);

/* The table as lines, for --help. */
#define TOP_KEY_LINE(action, key, other, names, word, help) "  " names " " help "\n"
#define TOP_KEY_LINES TOP_KEYS(TOP_KEY_LINE)

#endif
