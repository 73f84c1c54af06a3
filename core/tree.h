/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A YAML text as a tree whose nodes know their places. Of YAML it takes what a configuration
 * needs: mappings with text keys, lists, and scalars, which stay the text they were written as
 * (`no` is "no", `012` is "012"). Anchors, aliases, tags and further documents are refused, so
 * are keys given twice. Depth and number of nodes are limited. Main thread only.
 */
#ifndef OV_TREE_H
#define OV_TREE_H

#include "diag.h"
#include "dotenv.h"

enum ov_node_kind { OV_NODE_SCALAR, OV_NODE_LIST, OV_NODE_MAPPING };

struct ov_node {
    enum ov_node_kind kind;
    bool plain;           /* scalar: written without quotes, not as a block */
    bool expanded;        /* scalar: its variables have been replaced */
    bool faulty;          /* an error was reported here: do not look further */
    bool shown;           /* may be seen in the lines shown with errors, see ov_tree_hide */
    struct ov_span span;
    struct ov_slice text; /* scalar: its value, NUL-terminated, without other NULs */
    struct ov_node *key;  /* in a mapping: the scalar before the colon */
    struct ov_node *first, *next; /* list: items; mapping: values; in the order written */
    struct ov_node *older; /* all nodes of the tree, for freeing them */
};

struct ov_tree;

/* Parses `text`, which must begin after a byte order mark. Errors go to `diag`, made for the same
 * text. NULL if the text cannot be taken apart; a tree may have errors too (a key given twice). */
struct ov_tree *ov_tree_parse(struct ov_slice text, struct ov_diag *diag);
void ov_tree_free(struct ov_tree *tree);
/* NULL where there is nothing but comments. */
struct ov_node *ov_tree_root(const struct ov_tree *tree);

/* The value of `key` in a mapping, NULL where there is none, for other nodes, and for NULL. The
 * first of those given twice. */
struct ov_node *ov_tree_get(const struct ov_node *mapping, const char *key);
/* Whether an error was reported at `node` or below while parsing or expanding. */
bool ov_tree_is_faulty(const struct ov_node *node);
/* Replaces variables in the scalars of `node` and below, in each only once, see expand.h. */
void ov_tree_expand(struct ov_node *node, const struct ov_dotenv *env, struct ov_diag *diag);
/* Marks `node` and all below as fit to be seen. */
void ov_tree_show(struct ov_node *node);
/* Hides from `diag` every value that was not marked `shown`: a secret, and what nobody knows. */
void ov_tree_hide(const struct ov_node *node, struct ov_diag *diag);

#endif
