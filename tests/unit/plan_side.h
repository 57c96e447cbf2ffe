/* SPDX-License-Identifier: ISC */
#ifndef PLAN_SIDE_H
#define PLAN_SIDE_H

#include <stdlib.h>
#include <string.h>

#include <orcm/map.h>

#include "core/plan.h"

/*
 * A cluster as a plan sees it, put together by hand.  Node i has number
 * 10 + i, so that nobody takes the one for the other.
 */
#define SIDE_PLACES 2048u
#define SIDE_NOTES 512u
#define NUMBER(i) ((uint16_t)(10 + (i)))
#define NOBODY PLAN_NODE_NONE

extern const struct orcm_plugin *const orcm_builtin[];

struct side {
	struct plan_node nodes[PLAN_NODES_MAX];
	struct plan_group groups[PLAN_GROUPS_MAX];
	struct plan_app apps[PLAN_APPS_MAX];
	struct plan_pin pins[32];
	struct plan_wish wishes[32];
	struct plan_place places[SIDE_PLACES];
	struct plan_order orders[256];
	struct plan_fault faults[256];
	struct plan_in in;
	struct plan plan;
	void *memory;
};

static inline struct orcm_map_set
set_of(uint64_t low)
{
	struct orcm_map_set s = { { low, 0 } };

	return s;
}

static inline const struct orcm_plugin *
side_plugin(const char *kind, const char *name)
{
	size_t i;

	for (i = 0; orcm_builtin[i] != NULL; i++)
		if (strcmp(orcm_builtin[i]->kind, kind) == 0 &&
		    strcmp(orcm_builtin[i]->name, name) == 0)
			return orcm_builtin[i];
	abort();
}

/* nodes_len healthy nodes without slots and groups. */
static inline void
side_begin(struct side *s, uint32_t nodes_len)
{
	struct plan_conf conf = { 4096, SIDE_PLACES, SIDE_NOTES };
	struct arena a;
	uint32_t i;

	if (s->memory == NULL)
		s->memory = malloc(plan_memory(&conf));
	if (s->memory == NULL)
		abort();
	memset(s->memory, 0, plan_memory(&conf));
	arena_init(&a, s->memory, plan_memory(&conf));
	plan_init(&s->plan, &a, &conf);
	memset(&s->in, 0, sizeof(s->in));
	s->in = (struct plan_in){ .nodes = s->nodes, .nodes_len = nodes_len,
		.groups = s->groups, .apps = s->apps, .pins = s->pins,
		.wishes = s->wishes, .places = s->places, .orders = s->orders,
		.faults = s->faults, .seed = 1 };
	for (i = 0; i < nodes_len; i++)
		s->nodes[i] = (struct plan_node){ .number = NUMBER(i),
			.name = "node", .health = 1000 };
}

static inline struct plan_group *
side_group(struct side *s, uint32_t level, uint64_t nodes)
{
	struct plan_group *g = &s->groups[s->in.groups_len++];

	*g = (struct plan_group){ .name = "group", .nodes = set_of(nodes),
		.level = level };
	return g;
}

/* Ids must rise. */
static inline struct plan_app *
side_app(struct side *s, uint64_t id, uint32_t replicas, const char *policy)
{
	struct plan_app *a = &s->apps[s->in.apps_len++];

	*a = (struct plan_app){ .id = id, .replicas = replicas, .slots = 1 };
	a->map = side_plugin("map", policy)->ops;
	if (param_parse(policy, side_plugin("map", policy), a->args) !=
	    PARAM_GOOD)
		abort();
	return a;
}

static inline struct plan_place *
side_place(struct side *s, uint64_t app, uint32_t rank, uint16_t node,
    uint32_t incarnation)
{
	struct plan_place *c = &s->places[s->in.places_len++];

	*c = (struct plan_place){ .app = app, .rank = (uint16_t)rank,
		.node = node, .incarnation = incarnation,
		.state = PLAN_PLACE_UP, .synced = true, .age = 1 };
	return c;
}

static inline void
side_pin(struct side *s, uint64_t app, uint32_t rank, uint64_t nodes)
{
	s->pins[s->in.pins_len++] = (struct plan_pin){ app, (uint16_t)rank,
		set_of(nodes) };
}

static inline void
side_fault(struct side *s, uint64_t app, uint32_t rank, uint16_t node)
{
	s->faults[s->in.faults_len++] = (struct plan_fault){ app,
		(uint16_t)rank, node, 1 };
}

static inline void
side_order(struct side *s, uint64_t app, uint32_t rank, uint16_t node,
    uint32_t incarnation)
{
	s->orders[s->in.orders_len++] = (struct plan_order){ app,
		(uint16_t)rank, node, incarnation, false };
}

/* What the plan says becomes what runs. */
static inline void
side_run(struct side *s)
{
	uint32_t i;

	s->in.places_len = 0;
	for (i = 0; i < s->plan.seats_len; i++)
		if (s->plan.seats[i].node != NOBODY)
			(void)side_place(s, s->plan.seats[i].app,
			    s->plan.seats[i].rank, s->plan.seats[i].node, 0);
}

static inline uint32_t
side_seat(const struct side *s, uint64_t app, uint32_t rank)
{
	const struct plan_seat *seat = plan_seat(&s->plan, app, rank);

	return seat == NULL ? UINT32_MAX : seat->node;
}

static inline enum plan_why
side_why(const struct side *s, uint64_t app, uint32_t rank)
{
	return plan_seat(&s->plan, app, rank)->why;
}

/* The n-th remark of that kind, or NULL. */
static inline const struct plan_note *
side_note(const struct side *s, enum plan_remark remark, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < s->plan.notes_len; i++)
		if (s->plan.notes[i].remark == remark && n-- == 0)
			return &s->plan.notes[i];
	return NULL;
}

#endif
