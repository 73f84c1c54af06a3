/* SPDX-License-Identifier: Apache-2.0 */
#include "top_page.h"

#include <stdlib.h>

#include "text_width.h"

/* ---------------------------------------------------------------- asking */

void top_ask_free(struct top_ask *ask)
{
    for (unsigned c = 0; c < TOP_COMMANDS_MAX; c++)
        for (int i = 0; i < ask->counts[c]; i++)
            free(ask->words[c][i]);
    *ask = (struct top_ask){.id = 0};
}

void top_ask_copy(struct top_ask *to, const struct top_ask *from)
{
    *to = *from;
    for (unsigned c = 0; c < TOP_COMMANDS_MAX; c++)
        for (int i = 0; i < from->counts[c]; i++)
            to->words[c][i] = ov_strdup(from->words[c][i]);
}

static void ask_word(struct top_ask *ask, unsigned command, struct ov_slice word)
{
    ask->words[command][ask->counts[command]++] = ov_memdup(word.ptr, word.len);
}

static void ask_str(struct top_ask *ask, unsigned command, const char *word)
{
    ask_word(ask, command, ov_slice(word));
}

static void ask_agent(struct top_ask *ask, unsigned command, struct ov_slice topic,
                      struct ov_slice agent)
{
    ask_str(ask, command, "agent");
    ask_str(ask, command, "get");
    ask_str(ask, command, "--");
    ask_word(ask, command, topic);
    ask_word(ask, command, agent);
}

/* Why its tasks were given up. */
static void ask_failures(struct top_ask *ask, unsigned command, struct ov_slice topic,
                         struct ov_slice agent)
{
    struct ov_buf flag = {0};
    ask_str(ask, command, "bus");
    ask_str(ask, command, "dlq");
    ask_str(ask, command, "--group");
    if (agent.len) {
        ov_buf_str(&flag, "--agent=");
        for (size_t i = 0; i < agent.len; i++) {
            if (memchr("*?[]\\", agent.ptr[i], 5))
                ov_buf_char(&flag, '\\');
            ov_buf_char(&flag, agent.ptr[i]);
        }
        ask_word(ask, command, (struct ov_slice){flag.data, flag.len});
    }
    ask_str(ask, command, "--");
    if (topic.len)
        ask_word(ask, command, topic);
    ov_buf_free(&flag);
}

static void ask_about(struct top_ask *ask, enum top_table table, struct ov_slice topic,
                      struct ov_slice agent)
{
    bool failures_first = table == TOP_TABLE_DLQS;
    if (agent.len && topic.len) {
        ask_agent(ask, failures_first, topic, agent);
        ask_failures(ask, !failures_first, topic, agent);
    } else if (failures_first) {
        ask_failures(ask, 0, topic, agent);
    } else if (topic.len) {
        ask_str(ask, 0, "bus");
        ask_str(ask, 0, "groups");
        ask_str(ask, 0, "--");
        ask_word(ask, 0, topic);
    } else {
        ask_str(ask, 0, "health");
    }
}

/* ---------------------------------------------------------------- the page */

static void put_title(struct ov_buf *title, struct ov_slice topic, struct ov_slice agent,
                      struct ov_slice group)
{
    struct ov_slice name = agent.len ? agent : group;
    ov_buf_reset(title);
    ov_buf_slice(title, name);
    ov_buf_str(title, name.len && topic.len ? " on " : "");
    ov_buf_slice(title, topic);
}

/* As lines of no more than `width` columns, broken at blanks where there are any. */
static void put_wrapped(struct ov_buf *out, struct ov_slice text, unsigned width)
{
    struct ov_buf escaped = {0};
    ov_buf_escaped(&escaped, text);
    struct ov_slice rest = {escaped.data, escaped.len};
    while (rest.len) {
        size_t used, fits = ov_text_fit(rest, width, &used);
        const char *blank = fits < rest.len ? memrchr(rest.ptr, ' ', fits + 1) : NULL;
        size_t len = blank && blank > rest.ptr ? (size_t)(blank - rest.ptr) : fits ? fits : 1;
        ov_buf_add(out, rest.ptr, len);
        ov_buf_char(out, '\n');
        len += len < rest.len && rest.ptr[len] == ' ';
        rest = (struct ov_slice){rest.ptr + len, rest.len - len};
    }
    ov_buf_free(&escaped);
}

void top_page_open(struct top_page *page, const struct top_look *look, enum top_table table,
                   const struct top_row *row, unsigned width)
{
    struct ov_slice topic = top_text(look, row->topic), agent = top_text(look, row->agent);
    uint64_t id = page->ask.id;
    top_ask_free(&page->ask);
    page->ask.id = id + 1;
    ask_about(&page->ask, table, topic, agent);
    put_title(&page->title, topic, agent, top_text(look, row->group));
    ov_buf_reset(&page->preface);
    ov_buf_reset(&page->text);
    if (table == TOP_TABLE_ALERTS) {
        put_wrapped(&page->preface, top_text(look, row->cells[TOP_ALERT_SUMMARY].text), width);
        put_wrapped(&page->preface, top_text(look, row->more), width);
        ov_buf_char(&page->preface, '\n');
    }
    page->open = true;
    page->told_ms = 0;
    page->first = page->lines = 0;
}

static size_t count_lines(const struct ov_buf *text)
{
    size_t count = 0;
    for (size_t i = 0; i < text->len; i++)
        count += text->data[i] == '\n';
    return count;
}

void top_page_take(struct top_page *page, uint64_t id, struct ov_buf *text, int64_t told_ms)
{
    if (!page->open || id != page->ask.id)
        return;
    ov_buf_free(&page->text);
    page->text = *text;
    *text = (struct ov_buf){0};
    page->told_ms = told_ms;
    page->lines = count_lines(&page->preface) + count_lines(&page->text);
}

/* Line `*index` of text, or *index is less by the lines there are. */
static bool find_line(const struct ov_buf *text, size_t *index, struct ov_slice *line)
{
    const char *at = text->data, *end = text->data + text->len;
    while (at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));
        if (!stop)
            stop = end;
        if (*index == 0) {
            *line = (struct ov_slice){at, (size_t)(stop - at)};
            return true;
        }
        --*index;
        at = stop + 1;
    }
    return false;
}

bool top_page_line(const struct top_page *page, size_t index, struct ov_slice *line)
{
    return find_line(&page->preface, &index, line) || find_line(&page->text, &index, line);
}

void top_page_close(struct top_page *page)
{
    page->open = false;
}

void top_page_free(struct top_page *page)
{
    top_ask_free(&page->ask);
    ov_buf_free(&page->title);
    ov_buf_free(&page->preface);
    ov_buf_free(&page->text);
}
