/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel and the environment tell of the terminal, and its colours. */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "terminal.h"

enum { WIDTH_DEFAULT = 80, WIDTH_MAX = 65535 };

const char *const ov_mark_sgr[] = {
    [OV_MARK_NONE] = NULL, [OV_MARK_GOOD] = "32", [OV_MARK_WARN] = "33", [OV_MARK_BAD] = "1;31",
    [OV_MARK_DIM] = "2",
};

static const char *environment(const char *name) /* empty is unset */
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

unsigned ov_terminal_width(void)
{
    struct winsize size;
    const char *text = environment("COLUMNS");
    char *end;
    unsigned long columns = text ? strtoul(text, &end, 10) : 0;
    if (columns && !*end && columns <= WIDTH_MAX)
        return (unsigned)columns;
    if (!isatty(STDOUT_FILENO))
        return 0;
    bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : WIDTH_DEFAULT;
}

bool ov_terminal_has_colours(void)
{
    const char *term = environment("TERM");
    return isatty(STDOUT_FILENO) && !environment("NO_COLOR") && term && strcmp(term, "dumb") != 0;
}

bool ov_terminal_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *locale = NULL;
    for (size_t i = 0; i < OV_COUNT(names) && !locale; i++)
        locale = environment(names[i]);
    return locale && (strcasestr(locale, "utf-8") || strcasestr(locale, "utf8"));
}

void ov_terminal_draw(struct ov_buf *out, bool colours, const char *sgr, struct ov_slice text)
{
    bool drawn = colours && sgr && text.len;
    if (drawn)
        ov_buf_printf(out, "\033[%sm", sgr);
    ov_buf_slice(out, text);
    if (drawn)
        ov_buf_str(out, "\033[0m");
}
