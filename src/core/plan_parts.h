/* SPDX-License-Identifier: ISC */
#ifndef CORE_PLAN_PARTS_H
#define CORE_PLAN_PARTS_H

#include "core/plan.h"

/* What the files of the plan share; nobody else includes it. */

/* plan_open.c: p->in into tables; false when it is not in order. */
bool plan_open(struct plan *p);
void plan_note(struct plan *p, const struct plan_seat *s,
    enum plan_remark remark, enum plan_bar bar, uint32_t count);
/* Is that copy a process, as far as is known? */
bool plan_lives(const struct plan_place *c);

/* plan_pick.c: one replica on one node. */

/* What a place breaks of the soft rules, the strongest first; then its cost. */
enum { PICK_NODES, PICK_GROUPS, PICK_AVOID, PICK_SPREAD, PICK_RULES };
struct pick_price {
	uint32_t broken[PICK_RULES];
	uint64_t cost;
};

/* Facts about an app that has its seats as they are in work.seats. */
void pick_app(struct plan *p, const struct plan_app *app);
/* That rank of it got the node of that index, or lost it. */
void pick_put(struct plan *p, const struct plan_app *app, uint32_t rank,
    uint32_t node);
void pick_drop(struct plan *p, const struct plan_app *app, uint32_t rank);
/* Nodes on which the replica may run by its pins and what is forbidden. */
struct orcm_map_set pick_allowed(const struct plan *p,
    const struct plan_app *app, uint32_t rank);
/*
 * Applies the hard rules; it marks work.nodes[].legal and says which rule left
 * nothing, or PLAN_BAR_NONE.  Must come before the next two.
 */
enum plan_bar pick_legal(struct plan *p, const struct plan_app *app,
    uint32_t rank);
/* The best legal node, which there is, and its price. */
uint32_t pick_best(struct plan *p, const struct plan_app *app, uint32_t rank,
    struct pick_price *price);
/* What it would be on that node, whether or not that is legal. */
struct pick_price pick_look(struct plan *p, const struct plan_app *app,
    uint32_t rank, uint32_t node);
/* Fewer rules broken, or as many of each: below 0 when a is better. */
int pick_compare(const struct pick_price *a, const struct pick_price *b);

/* Index of the node with that number, or PLAN_NODE_NONE. */
uint32_t plan_node_index(const struct plan_in *in, uint16_t number);
bool plan_node_usable(const struct plan_node *n);

#endif
