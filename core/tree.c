/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libyaml's events made into a tree. libyaml is strict about form and bytes, and says where in
 * characters; places here are bytes, so a cursor walks along. It does not refuse duplicate keys;
 * that is done here, by sorting, when a mapping ends. The recursion is as deep as MAX_DEPTH.
 */
#include <stdlib.h>
#include <yaml.h>

#include "expand.h"
#include "tree.h"

enum { MAX_DEPTH = 32, MAX_NODES = 1 << 16 };

struct ov_tree {
    struct ov_node *root, *newest;
    size_t count;
};

struct reader {
    yaml_parser_t parser;
    struct ov_slice text;
    struct ov_diag *diag;
    struct ov_tree *tree;
    size_t cursor_char, cursor_byte; /* the same place in characters and in bytes */
};

/* ---------------------------------------------------------------- places */

static bool starts_char(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t reader_offset(struct reader *r, yaml_mark_t mark)
{
    while (r->cursor_char < mark.index && r->cursor_byte < r->text.len) {
        r->cursor_byte++;
        while (r->cursor_byte < r->text.len && !starts_char(r->text.ptr[r->cursor_byte]))
            r->cursor_byte++;
        r->cursor_char++;
    }
    while (r->cursor_char > mark.index && r->cursor_byte > 0) {
        r->cursor_byte--;
        while (r->cursor_byte > 0 && !starts_char(r->text.ptr[r->cursor_byte]))
            r->cursor_byte--;
        r->cursor_char--;
    }
    return r->cursor_byte;
}

static struct ov_span reader_span(struct reader *r, const yaml_event_t *event)
{
    size_t start = reader_offset(r, event->start_mark);
    return (struct ov_span){start, reader_offset(r, event->end_mark)};
}

/* ---------------------------------------------------------------- errors of form */

static void fail_bytes(struct reader *r)
{
    size_t at = r->parser.problem_offset < r->text.len ? r->parser.problem_offset : r->text.len;
    unsigned byte = at < r->text.len ? (unsigned char)r->text.ptr[at] : 0;
    ov_diag_error(r->diag, (struct ov_span){at, at + 1},
                  "this is no UTF-8 text: byte 0x%02x cannot stand here", byte);
}

static void fail_syntax(struct reader *r)
{
    const yaml_parser_t *p = &r->parser;
    size_t at = reader_offset(r, p->problem_mark);
    struct ov_span span = {at, at + 1};
    if (at < r->text.len && r->text.ptr[at] == '\t') {
        ov_diag_error(r->diag, span, "YAML is indented by spaces: replace this tab");
        return;
    }
    if (at > 0 && at < r->text.len && memcmp(r->text.ptr + at - 1, "${", 2) == 0) {
        ov_diag_error(r->diag, span,
                      "within [ ] and { } a variable must be in quotes: \"${NAME}\"");
        return;
    }
    if (!p->context) {
        ov_diag_error(r->diag, span, "not valid YAML: %s", p->problem);
        return;
    }
    size_t line = ov_diag_line(r->diag, reader_offset(r, p->context_mark));
    ov_diag_error(r->diag, span, "not valid YAML: %s, %s that begins in line %zu", p->problem,
                  p->context, line);
}

/* False where libyaml cannot go on, reported. */
static bool reader_next(struct reader *r, yaml_event_t *event)
{
    if (yaml_parser_parse(&r->parser, event))
        return true;
    if (r->parser.error == YAML_READER_ERROR)
        fail_bytes(r);
    else
        fail_syntax(r);
    return false;
}

/* ---------------------------------------------------------------- nodes */

/* NULL where there are too many, reported. */
static struct ov_node *node_new(struct reader *r, enum ov_node_kind kind, struct ov_span span)
{
    if (++r->tree->count > MAX_NODES) {
        ov_diag_error(r->diag, span, "more than %d values in one file", MAX_NODES);
        return NULL;
    }
    struct ov_node *node = ov_calloc(1, sizeof *node);
    node->kind = kind;
    node->span = span;
    node->older = r->tree->newest;
    r->tree->newest = node;
    return node;
}

static struct ov_node *node_alias(struct reader *r, const yaml_event_t *event)
{
    struct ov_node *node = node_new(r, OV_NODE_SCALAR, reader_span(r, event));
    if (node) {
        node->text = (struct ov_slice){ov_strdup(""), 0};
        node->faulty = true;
        ov_diag_error(r->diag, node->span,
                      "aliases (*name) are not supported: write the value out (or quote it, if it "
                      "is a text that begins with *)");
    }
    return node;
}

static void node_refuse(struct reader *r, struct ov_node *node, const yaml_char_t *anchor,
                        const yaml_char_t *tag)
{
    if (!anchor && !tag)
        return;
    node->faulty = true;
    ov_diag_error(r->diag, (struct ov_span){node->span.start, node->span.start + 1}, "%s",
                  anchor ? "anchors (&name) are not supported: write the value out (or quote it, "
                           "if it is a text that begins with &)"
                         : "tags (!name) are not supported: leave it out (or quote the value, if "
                           "it is a text that begins with !)");
}

static struct ov_node *node_scalar(struct reader *r, const yaml_event_t *event)
{
    struct ov_node *node = node_new(r, OV_NODE_SCALAR, reader_span(r, event));
    if (!node)
        return NULL;
    const char *value = (const char *)event->data.scalar.value;
    node->text = (struct ov_slice){NULL, event->data.scalar.length};
    node->text.ptr = ov_memdup(value, node->text.len);
    node->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    node_refuse(r, node, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(value, '\0', node->text.len)) {
        ov_diag_error(r->diag, node->span, "a value cannot hold a NUL byte");
        node->faulty = true;
    }
    return node;
}

static struct ov_node *read_node(struct reader *r, const yaml_event_t *event, int depth);

/* Takes the next event and the node it begins. *ended: it was `end` instead. */
static struct ov_node *read_child(struct reader *r, yaml_event_type_t end, int depth, bool *ended,
                                  size_t *end_offset)
{
    yaml_event_t event;
    struct ov_node *child = NULL;
    if (!reader_next(r, &event))
        return NULL;
    *ended = event.type == end;
    if (*ended)
        *end_offset = reader_offset(r, event.end_mark);
    else
        child = read_node(r, &event, depth);
    yaml_event_delete(&event);
    return child;
}

static bool key_check(struct reader *r, struct ov_node *key)
{
    if (key->kind == OV_NODE_SCALAR)
        return !key->faulty;
    ov_diag_error(r->diag, key->span, "a key must be a text, this is a %s",
                  key->kind == OV_NODE_LIST ? "list" : "mapping");
    return false;
}

/* One `key: value`; NULL at the end or on an error. */
static struct ov_node *read_pair(struct reader *r, int depth, bool *ended, size_t *end_offset)
{
    bool never;
    struct ov_node *key = read_child(r, YAML_MAPPING_END_EVENT, depth, ended, end_offset);
    if (!key)
        return NULL;
    struct ov_node *value = read_child(r, YAML_NO_EVENT, depth, &never, end_offset);
    if (value) {
        value->key = key;
        value->faulty |= !key_check(r, key);
    }
    return value;
}

static int key_order(const void *a, const void *b)
{
    const struct ov_node *x = *(struct ov_node *const *)a, *y = *(struct ov_node *const *)b;
    struct ov_slice s = x->key->text, t = y->key->text;
    int order = memcmp(s.ptr, t.ptr, s.len < t.len ? s.len : t.len);
    if (order == 0 && s.len != t.len)
        order = s.len < t.len ? -1 : 1;
    if (order == 0)
        order = x->key->span.start < y->key->span.start ? -1 : 1;
    return order;
}

static void refuse_duplicates(struct reader *r, const struct ov_node *mapping)
{
    size_t count = 0, i = 0;
    for (const struct ov_node *n = mapping->first; n; n = n->next)
        count += n->key->kind == OV_NODE_SCALAR;
    struct ov_node **pairs = ov_calloc(count, sizeof(struct ov_node *));
    for (struct ov_node *n = mapping->first; n; n = n->next)
        if (n->key->kind == OV_NODE_SCALAR)
            pairs[i++] = n;
    qsort(pairs, count, sizeof *pairs, key_order);
    const struct ov_node *first = count > 0 ? pairs[0] : NULL;
    for (i = 1; i < count; i++) {
        if (!ov_slice_eq(first->key->text, pairs[i]->key->text)) {
            first = pairs[i];
            continue;
        }
        struct ov_buf name = {0};
        ov_diag_quote(&name, first->key->text);
        ov_diag_error(r->diag, pairs[i]->key->span, "%s is given twice, first in line %zu",
                      ov_buf_text(&name), ov_diag_line(r->diag, first->key->span.start));
        ov_buf_free(&name);
        pairs[i]->faulty = true;
    }
    free(pairs);
}

static struct ov_node *read_collection(struct reader *r, const yaml_event_t *event, int depth)
{
    bool list = event->type == YAML_SEQUENCE_START_EVENT;
    bool flow = list ? event->data.sequence_start.style == YAML_FLOW_SEQUENCE_STYLE
                     : event->data.mapping_start.style == YAML_FLOW_MAPPING_STYLE;
    struct ov_node *node =
        node_new(r, list ? OV_NODE_LIST : OV_NODE_MAPPING, reader_span(r, event));
    if (!node)
        return NULL;
    if (depth == MAX_DEPTH) {
        ov_diag_error(r->diag, node->span, "nested more than %d levels deep", MAX_DEPTH);
        return NULL;
    }
    if (list)
        node_refuse(r, node, event->data.sequence_start.anchor, event->data.sequence_start.tag);
    else
        node_refuse(r, node, event->data.mapping_start.anchor, event->data.mapping_start.tag);
    struct ov_node **tail = &node->first, *child;
    bool ended = false;
    size_t end = node->span.end;
    while ((child = list ? read_child(r, YAML_SEQUENCE_END_EVENT, depth + 1, &ended, &end)
                         : read_pair(r, depth + 1, &ended, &end))) {
        *tail = child;
        tail = &child->next;
        node->span.end = child->span.end;
    }
    if (!ended)
        return NULL;
    if (flow) /* what is not written in brackets ends, for libyaml, where the next thing begins */
        node->span.end = end;
    if (!list)
        refuse_duplicates(r, node);
    return node;
}

static struct ov_node *read_node(struct reader *r, const yaml_event_t *event, int depth)
{
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return node_alias(r, event);
    case YAML_SCALAR_EVENT:
        return node_scalar(r, event);
    default:
        return read_collection(r, event, depth);
    }
}

/* ---------------------------------------------------------------- documents */

/* Reads up to the end of the text; false on an error, reported. */
static bool read_stream(struct reader *r)
{
    for (;;) {
        yaml_event_t event;
        if (!reader_next(r, &event))
            return false;
        bool good = true, end = event.type == YAML_STREAM_END_EVENT;
        if (event.type == YAML_DOCUMENT_START_EVENT && r->tree->root) {
            ov_diag_error(r->diag, reader_span(r, &event), "a second document begins here: the "
                          "configuration is one document");
            good = false;
        } else if (event.type != YAML_STREAM_START_EVENT && !end &&
                   event.type != YAML_DOCUMENT_START_EVENT &&
                   event.type != YAML_DOCUMENT_END_EVENT) {
            r->tree->root = read_node(r, &event, 0);
            good = r->tree->root;
        }
        yaml_event_delete(&event);
        if (end || !good)
            return good;
    }
}

struct ov_tree *ov_tree_parse(struct ov_slice text, struct ov_diag *diag)
{
    struct reader r = {.text = text, .diag = diag, .tree = ov_calloc(1, sizeof(struct ov_tree))};
    bool good = false;
    if (yaml_parser_initialize(&r.parser)) {
        yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
        yaml_parser_set_input_string(&r.parser, (const unsigned char *)text.ptr, text.len);
        good = read_stream(&r);
        yaml_parser_delete(&r.parser);
    }
    if (good)
        return r.tree;
    ov_diag_hide_values(diag);
    ov_tree_free(r.tree);
    return NULL;
}

void ov_tree_free(struct ov_tree *tree)
{
    if (!tree)
        return;
    for (struct ov_node *node = tree->newest, *older; node; node = older) {
        older = node->older;
        free((char *)node->text.ptr);
        free(node);
    }
    free(tree);
}

struct ov_node *ov_tree_root(const struct ov_tree *tree)
{
    return tree->root;
}

/* ---------------------------------------------------------------- what is done with a tree */

struct ov_node *ov_tree_get(const struct ov_node *mapping, const char *key)
{
    struct ov_node *node = mapping && mapping->kind == OV_NODE_MAPPING ? mapping->first : NULL;
    while (node && !ov_slice_eq(node->key->text, ov_slice(key)))
        node = node->next;
    return node;
}

bool ov_tree_is_faulty(const struct ov_node *node)
{
    bool faulty = node && node->faulty;
    for (const struct ov_node *n = node ? node->first : NULL; n && !faulty; n = n->next)
        faulty = ov_tree_is_faulty(n);
    return faulty;
}

void ov_tree_expand(struct ov_node *node, const struct ov_dotenv *env, struct ov_diag *diag)
{
    for (struct ov_node *child = node->first; child; child = child->next)
        ov_tree_expand(child, env, diag);
    if (node->kind != OV_NODE_SCALAR || node->faulty || node->expanded ||
        !memchr(node->text.ptr, '$', node->text.len))
        return;
    struct ov_buf out = {0}, why = {0};
    node->expanded = true;
    if (ov_expand(node->text, env, &out, &why) == OV_OK) {
        free((char *)node->text.ptr);
        node->text = (struct ov_slice){ov_memdup(out.data, out.len), out.len};
    } else {
        struct ov_buf key = {0};
        if (node->key) {
            ov_diag_quote(&key, node->key->text);
            ov_buf_str(&key, ": ");
        }
        ov_diag_error(diag, node->span, "%s%s", ov_buf_text(&key), ov_buf_text(&why));
        ov_buf_free(&key);
        node->faulty = true;
    }
    ov_buf_free(&out);
    ov_buf_free(&why);
}

void ov_tree_show(struct ov_node *node)
{
    node->shown = true;
    for (struct ov_node *child = node->first; child; child = child->next)
        ov_tree_show(child);
}

void ov_tree_hide(const struct ov_node *node, struct ov_diag *diag)
{
    if (!node->shown)
        ov_diag_hide(diag, node->span);
    for (const struct ov_node *child = node->first; node->shown && child; child = child->next)
        ov_tree_hide(child, diag);
}
