/* SPDX-License-Identifier: MIT */
/*
 * base/list - intrusive doubly linked list, circular, with a head node.
 *
 * Source:   none
 * Shape:    struct gw_list is both head and node; a node that is in no list points at itself after
 *           gw_list_init().
 * Units:    none
 * Limits:   none
 * Memory:   allocates nothing; the objects hold their nodes.
 * Threads:  not shared
 * Errors:   none
 */
#ifndef GW_BASE_LIST_H
#define GW_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#include "base/compiler.h"

struct gw_list {
    struct gw_list *next;
    struct gw_list *prev;
};

/* Makes an empty head, or a node that is in no list. */
static inline void gw_list_init(struct gw_list *node)
{
    node->next = node;
    node->prev = node;
}

/* Is the head's list empty, or the node in no list? */
static inline bool gw_list_is_empty(const struct gw_list *head)
{
    return head->next == head;
}

/* Takes |node| out of its list, if any; it may be linked again. */
static inline void gw_list_unlink(struct gw_list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    gw_list_init(node);
}

/* Puts |node|, which is in no list, behind the last one. */
static inline void gw_list_append(struct gw_list *head, struct gw_list *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

/* Puts |node|, which is in no list, before the first one. */
static inline void gw_list_prepend(struct gw_list *head, struct gw_list *node)
{
    gw_list_append(head->next, node);
}

/* The object that holds the first node, or NULL when the list is empty. */
#define GW_LIST_FIRST(head, type, member)                                                          \
    (gw_list_is_empty(head) ? NULL : GW_CONTAINER_OF((head)->next, type, member))

/* The object that holds the last node, or NULL when the list is empty. */
#define GW_LIST_LAST(head, type, member)                                                           \
    (gw_list_is_empty(head) ? NULL : GW_CONTAINER_OF((head)->prev, type, member))

/* for-loop over nodes; |node| may be unlinked inside, nothing else may. */
#define GW_LIST_FOREACH(head, node)                                                                \
    for (struct gw_list *node = (head)->next, *node##_next = node->next; (node) != (head);         \
         node = node##_next, node##_next = node->next)

#endif
