/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A template is a list of parts, each a text or a value; the parts from `each` up to `each_end`
 * are repeated. The parser walks the text once, from one `{{` to the next.
 */
#include <stdlib.h>

#include "nearest.h"
#include "template.h"

enum filter { FILTER_NONE, FILTER_JSON, FILTER_URL };

struct part {
    struct ov_slice text; /* or */
    struct ov_slice name; /* of a value; len 0: this is a text */
    enum filter filter;
};

struct template {
    char *text; /* what the slices point into */
    struct part *parts;
    size_t count;
    bool grouped;
    size_t each, each_end;
    struct ov_slice separator;
};

struct parser {
    struct template *template;
    const struct template_names *names;
    template_complaint *complain;
    void *context;
    struct ov_slice text;
    size_t at;   /* the tag under way: of its `{{` */
    size_t each; /* where #each stands */
    bool open;   /* inside #each */
    bool outside_item; /* an item's name was used outside #each, */
    size_t outside_at; /* here */
    struct ov_slice outside;
    size_t mistakes;
};

static void complain(struct parser *p, size_t at, const char *format, ...) OV_PRINTF(3, 4);

static void complain(struct parser *p, size_t at, const char *format, ...)
{
    struct ov_buf what = {0};
    size_t line = 1, start = 0;
    for (size_t i = 0; i < at; i++)
        if (p->text.ptr[i] == '\n') {
            line++;
            start = i + 1;
        }
    va_list args;
    va_start(args, format);
    ov_buf_vprintf(&what, format, args);
    va_end(args);
    p->complain(p->context, line, at - start + 1, ov_buf_text(&what));
    ov_buf_free(&what);
    p->mistakes++;
}

/* ---------------------------------------------------------------- names */

static bool among(const char *const *list, struct ov_slice name, struct ov_nearest *nearest)
{
    for (; *list; list++) {
        if (ov_slice_eq(name, ov_slice(*list)))
            return true;
        ov_nearest_try(nearest, *list);
    }
    return false;
}

static void complain_name(struct parser *p, struct ov_slice name, const struct ov_nearest *nearest)
{
    struct ov_buf text = {0};
    ov_buf_str(&text, "unknown name `");
    ov_buf_escaped(&text, (struct ov_slice){name.ptr, name.len < 60 ? name.len : 60});
    ov_buf_char(&text, '`');
    ov_nearest_hint(nearest, &text);
    complain(p, p->at, "%s", ov_buf_text(&text));
    ov_buf_free(&text);
}

static bool is_word(struct ov_slice name)
{
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.ptr[i] <= ' ' || strchr("{}|#/!\"", name.ptr[i]))
            return false;
    return name.len > 0;
}

/* The rest of a name that begins with `prefix`. */
static bool member_of(struct ov_slice name, struct ov_slice prefix, struct ov_slice *rest)
{
    if (!ov_slice_starts(name, prefix))
        return false;
    *rest = (struct ov_slice){name.ptr + prefix.len, name.len - prefix.len};
    return true;
}

static void check_name(struct parser *p, struct ov_slice name)
{
    struct ov_nearest nearest = {.wanted = name};
    const char *const *list = p->names->item;
    struct ov_slice rest = name;
    bool any = false;
    if (member_of(name, OV_SLICE("tags."), &rest)) {
        list = p->names->tags;
        any = !list;
    } else if (member_of(name, OV_SLICE("fields."), &rest)) {
        list = p->names->fields;
        any = !list;
    } else if (among(p->names->message, name, &nearest)) {
        return;
    }
    if (list != p->names->item)
        nearest = (struct ov_nearest){.wanted = rest};
    if (any ? !is_word(rest) : !among(list, rest, &nearest)) {
        complain_name(p, name, &nearest);
    } else if (!p->open && !p->outside_item) {
        p->outside_item = true;
        p->outside_at = p->at;
        p->outside = name;
    }
}

/* ---------------------------------------------------------------- parsing */

static struct ov_slice trim(struct ov_slice s)
{
    while (s.len && strchr(" \t\r\n", *s.ptr) && *s.ptr) {
        s.ptr++;
        s.len--;
    }
    while (s.len && strchr(" \t\r\n", s.ptr[s.len - 1]) && s.ptr[s.len - 1])
        s.len--;
    return s;
}

static void part_add(struct template *t, struct part part)
{
    if (!part.text.len && !part.name.len)
        return;
    if ((t->count & (t->count - 1)) == 0)
        t->parts = ov_realloc(t->parts, t->count ? t->count * 2 : 1, sizeof *t->parts);
    t->parts[t->count++] = part;
}

static void parse_value(struct parser *p, struct ov_slice tag)
{
    const char *bar = memchr(tag.ptr, '|', tag.len);
    struct ov_slice name = {tag.ptr, bar ? (size_t)(bar - tag.ptr) : tag.len};
    struct part part = {.name = trim(name)};
    if (bar) {
        struct ov_slice filter = trim((struct ov_slice){bar + 1, tag.len - name.len - 1});
        if (ov_slice_eq(filter, OV_SLICE("json")))
            part.filter = FILTER_JSON;
        else if (ov_slice_eq(filter, OV_SLICE("url")))
            part.filter = FILTER_URL;
        else
            complain(p, p->at, "unknown filter: there are |json and |url");
    }
    if (!part.name.len)
        complain(p, p->at, "a name is missing between {{ and }}");
    else
        check_name(p, part.name);
    part_add(p->template, part);
}

static void parse_each(struct parser *p, struct ov_slice rest)
{
    struct template *t = p->template;
    if (t->grouped)
        complain(p, p->at, "there can be only one {{#each}}");
    rest = trim(rest);
    bool quoted = rest.len >= 2 && *rest.ptr == '"' && rest.ptr[rest.len - 1] == '"';
    if (quoted)
        t->separator = (struct ov_slice){rest.ptr + 1, rest.len - 2};
    else if (rest.len)
        complain(p, p->at, "{{#each}} takes nothing, or a text in quotes: {{#each \",\"}}");
    t->grouped = p->open = true;
    t->each = t->each_end = t->count;
    p->each = p->at;
}

static void parse_tag(struct parser *p, struct ov_slice tag)
{
    struct ov_slice rest;
    if (*tag.ptr == '!')
        return;
    if (member_of(tag, OV_SLICE("#each"), &rest) && (!rest.len || strchr(" \t\"", *rest.ptr))) {
        parse_each(p, rest);
    } else if (ov_slice_eq(tag, OV_SLICE("/each"))) {
        if (!p->open)
            complain(p, p->at, "{{/each}} without {{#each}} before it");
        p->open = false;
        p->template->each_end = p->template->count;
    } else if (strchr("#/^>&", *tag.ptr)) {
        complain(p, p->at, "there are only {{#each}} and {{/each}}");
    } else {
        parse_value(p, tag);
    }
}

static bool is_blank(const char *at, const char *end)
{
    while (at != end && (*at == ' ' || *at == '\t' || *at == '\r'))
        at++;
    return at == end;
}

/* Where a tag that prints nothing has a line for itself, takes that line's blanks off the end of
 * `before` and moves *next behind its end. */
static void swallow_line(struct parser *p, struct ov_slice *before, size_t *next)
{
    const char *text = p->text.ptr, *end = text + p->text.len;
    const char *line = memrchr(text, '\n', p->at);
    line = line ? line + 1 : text;
    const char *newline = memchr(text + *next, '\n', p->text.len - *next);
    const char *stop = newline ? newline : end;
    if (line < before->ptr || !is_blank(line, text + p->at) || !is_blank(text + *next, stop))
        return;
    before->len = (size_t)(line - before->ptr);
    *next = (size_t)((newline ? newline + 1 : end) - text);
}

static void parse(struct parser *p)
{
    struct ov_slice text = p->text;
    size_t at = 0;
    for (;;) {
        const char *open = memmem(text.ptr + at, text.len - at, "{{", 2);
        struct ov_slice before = {text.ptr + at, open ? (size_t)(open - text.ptr) - at
                                                      : text.len - at};
        if (!open) {
            part_add(p->template, (struct part){.text = before});
            break;
        }
        p->at = (size_t)(open - text.ptr);
        const char *inside = open + 2;
        const char *close = memmem(inside, text.len - p->at - 2, "}}", 2);
        if (!close) {
            complain(p, p->at, "{{ without }} after it");
            break;
        }
        size_t next = (size_t)(close - text.ptr) + 2;
        struct ov_slice tag = trim((struct ov_slice){inside, (size_t)(close - inside)});
        if (tag.len && strchr("!#/", *tag.ptr))
            swallow_line(p, &before, &next);
        part_add(p->template, (struct part){.text = before});
        if (tag.len)
            parse_tag(p, tag);
        else
            complain(p, p->at, "a name is missing between {{ and }}");
        at = next;
    }
    if (p->open)
        complain(p, p->each, "{{#each}} without {{/each}} after it");
    if (p->template->grouped && p->outside_item)
        complain(p, p->outside_at, "`%.*s` is of one item: use it between {{#each}} and {{/each}}",
                 (int)(p->outside.len < 60 ? p->outside.len : 60), p->outside.ptr);
}

struct template *template_new(struct ov_slice text, const struct template_names *names,
                              template_complaint *complaint, void *context)
{
    struct template *t = ov_calloc(1, sizeof *t);
    t->text = ov_memdup(text.ptr, text.len);
    if (text.len && text.ptr[text.len - 1] == '\n')
        text.len--;
    struct parser parser = {
        .template = t, .names = names, .complain = complaint, .context = context,
        .text = {t->text, text.len},
    };
    const char *nul = memchr(t->text, '\0', text.len);
    if (nul)
        complain(&parser, (size_t)(nul - t->text), "a NUL byte: this is no text");
    else
        parse(&parser);
    if (!parser.mistakes)
        return t;
    template_free(t);
    return NULL;
}

void template_free(struct template *t)
{
    if (!t)
        return;
    free(t->parts);
    free(t->text);
    free(t);
}

/* ---------------------------------------------------------------- rendering */

bool template_is_grouped(const struct template *t)
{
    return t->grouped;
}

static void url_put(struct ov_buf *out, struct ov_slice text)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                     (c && strchr("-._~", c));
        if (plain)
            ov_buf_char(out, (char)c);
        else
            ov_buf_printf(out, "%%%02X", c);
    }
}

static void value_put(const struct part *part, size_t item, template_value *value, void *context,
                      struct ov_buf *out)
{
    struct ov_buf raw = {0};
    enum template_kind kind = value(context, item, part->name, &raw);
    struct ov_slice text = {raw.data, raw.len};
    if (part->filter == FILTER_URL)
        url_put(out, text);
    else if (part->filter == FILTER_JSON && kind == TEMPLATE_ABSENT)
        ov_buf_str(out, "null");
    else if (part->filter == FILTER_JSON && kind == TEMPLATE_TEXT)
        ov_buf_json(out, text);
    else
        ov_buf_slice(out, text);
    ov_buf_free(&raw);
}

static void parts_put(const struct template *t, size_t from, size_t to, size_t item,
                      template_value *value, void *context, struct ov_buf *out)
{
    for (size_t i = from; i < to; i++) {
        if (t->parts[i].name.len)
            value_put(&t->parts[i], item, value, context, out);
        else
            ov_buf_slice(out, t->parts[i].text);
    }
}

void template_render(const struct template *t, size_t count, template_value *value, void *context,
                     struct ov_buf *out)
{
    parts_put(t, 0, t->each, 0, value, context, out);
    for (size_t item = 0; item < count && t->grouped; item++) {
        if (item)
            ov_buf_slice(out, t->separator);
        parts_put(t, t->each, t->each_end, item, value, context, out);
    }
    parts_put(t, t->grouped ? t->each_end : 0, t->count, 0, value, context, out);
}
