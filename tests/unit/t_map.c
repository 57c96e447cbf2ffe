/* SPDX-License-Identifier: ISC */
#include "base/rand.h"
#include "plan_side.h"
#include "tap.h"

/*
 * What every map plug-in has to keep to, asked of each that is linked in; and
 * what each of ours means.
 */
static struct side s;
static struct orcm_map_node nodes[ORCM_MAP_NODES_MAX];
static struct orcm_map_group groups[ORCM_MAP_GROUPS_MAX];
static uint16_t seats[PLAN_REPLICAS_MAX];
static uint32_t args[PARAMS_MAX];
static struct orcm_map_view view;

static void
draw_view(struct rand *r)
{
	uint32_t i;

	memset(nodes, 0, sizeof(nodes));
	view = (struct orcm_map_view){ .size = sizeof(view), .nodes = nodes,
		.groups = groups, .seats = seats, .args = args };
	view.nodes_len = 1 + (uint32_t)rand_below(r, ORCM_MAP_NODES_MAX);
	view.groups_len = (uint32_t)rand_below(r, ORCM_MAP_GROUPS_MAX + 1);
	view.replicas = 1 + (uint32_t)rand_below(r, PLAN_REPLICAS_MAX);
	view.rank = (uint32_t)rand_below(r, view.replicas);
	view.last = rand_below(r, 2) == 0 ? ORCM_MAP_NODE_NONE :
	    (uint32_t)rand_below(r, view.nodes_len);
	view.extra = rand_below(r, 2) == 0;
	for (i = 0; i < view.nodes_len; i++) {
		nodes[i].name = "n";
		nodes[i].number = i;
		nodes[i].alive = nodes[i].legal = true;
		nodes[i].slots = (uint32_t)rand_below(r, 3) * UINT16_MAX;
		nodes[i].used = (uint32_t)rand_below(r, 1 << 20);
		nodes[i].load = (uint32_t)rand_u64(r);
		nodes[i].health = (uint32_t)rand_u64(r);
		nodes[i].risk = (uint32_t)rand_below(r, ORCM_MAP_CERTAIN + 1);
		nodes[i].faults = (uint32_t)rand_u64(r);
		nodes[i].dislike = (uint32_t)rand_u64(r);
	}
	for (i = 0; i < view.groups_len; i++) {
		groups[i].name = "g";
		groups[i].nodes.bits[0] = rand_u64(r);
		groups[i].nodes.bits[1] = rand_u64(r);
		groups[i].risk = (uint32_t)rand_below(r,
		    ORCM_MAP_CERTAIN + 1);
		groups[i].siblings = view.placed;
		groups[i].whole = rand_below(r, 2) == 0;
	}
	for (i = 0; i < view.replicas; i++)
		seats[i] = rand_below(r, 3) == 0 ? ORCM_MAP_NODE_NONE :
		    (uint16_t)rand_below(r, view.nodes_len);
}

static void
conforms(const struct orcm_plugin *p)
{
	const struct orcm_map_ops *ops = p->ops;
	uint32_t i, k, differ = 0;
	struct rand r;
	uint64_t cost;

	ok(p->ops_size >= sizeof(*ops) && ops->cost != NULL, "%s: ops are "
	    "whole", p->name);
	ok(param_parse(p->name, p, args) == PARAM_GOOD, "%s: parameters",
	    p->name);
	ok(ops->check == NULL || ops->check(args), "%s: likes its defaults",
	    p->name);
	for (k = 0; k < 500; k++) {
		rand_seed(&r, k);
		draw_view(&r);
		i = (uint32_t)rand_below(&r, view.nodes_len);
		cost = ops->cost(&view, i);
		rand_seed(&r, k);
		draw_view(&r);
		differ += ops->cost(&view, i) != cost;
	}
	is_u64(differ, 0, "%s: one question, one answer", p->name);
}

static void
every_map_plugin_conforms(void)
{
	uint32_t i, n = 0;

	for (i = 0; orcm_builtin[i] != NULL; i++)
		if (strcmp(orcm_builtin[i]->kind, "map") == 0) {
			conforms(orcm_builtin[i]);
			n++;
		}
	is_u64(n, 3, "three of them");
}

static uint32_t
on(uint32_t node)
{
	uint32_t i, n = 0;

	for (i = 0; i < s.plan.seats_len; i++)
		n += s.plan.seats[i].node == NUMBER(node);
	return n;
}

static void
pack_fills_nodes_in_order(void)
{
	uint32_t i;

	side_begin(&s, 4);
	for (i = 0; i < 4; i++) {
		(void)side_group(&s, 0, UINT64_C(1) << i);
		s.nodes[i].slots = 3;
	}
	side_app(&s, 1, 7, "pack")->allow_same = true;
	(void)plan_make(&s.plan, &s.in);
	ok(on(0) == 3 && on(1) == 3 && on(2) == 1 && on(3) == 0,
	    "three, three, one, although there are groups");
	is_u64(s.plan.notes_len, 0, "it relaxes nothing, it wants it so");
	side_begin(&s, 4);
	for (i = 1; i <= 5; i++)
		(void)side_app(&s, i, 2, "pack");
	(void)plan_make(&s.plan, &s.in);
	ok(on(0) == 5 && on(1) == 5, "of several apps on the first two nodes");
	side_begin(&s, 2);
	side_app(&s, 1, 40, "pack")->allow_same = true;
	(void)plan_make(&s.plan, &s.in);
	ok(on(0) == 20 && on(1) == 20, "over-full: as even as can be");
}

static void
roundrobin_goes_on_where_it_was(void)
{
	uint32_t i;
	bool even = true;

	side_begin(&s, 5);
	for (i = 0; i < 5; i++)
		s.nodes[i].load = i * 200;
	(void)side_app(&s, 1, 3, "roundrobin");
	(void)side_app(&s, 2, 4, "roundrobin");
	(void)side_app(&s, 3, 3, "roundrobin");
	(void)plan_make(&s.plan, &s.in);
	for (i = 0; i < 5; i++)
		even = even && on(i) == 2;
	ok(even, "ten replicas of three apps: two on each");
	side_begin(&s, 6);
	(void)side_app(&s, 1, 3, "roundrobin");
	s.apps[0].args[0] = 2;
	(void)plan_make(&s.plan, &s.in);
	ok(on(0) == 1 && on(2) == 1 && on(4) == 1, "step=2: every second one");
}

/* Nodes that are equal but for one thing each. */
static void
resilient_weighs(void)
{
	const struct orcm_plugin *p = side_plugin("map", "resilient");
	const struct orcm_map_ops *ops = p->ops;
	uint64_t base, with_one;
	uint32_t i;

	(void)param_parse("resilient", p, args);
	memset(nodes, 0, sizeof(nodes));
	memset(groups, 0, sizeof(groups));
	for (i = 0; i < 8; i++) {
		nodes[i].health = 1000;
		nodes[i].risk = 1000;
	}
	seats[0] = 0;
	seats[1] = ORCM_MAP_NODE_NONE;
	view = (struct orcm_map_view){ .size = sizeof(view), .nodes = nodes,
		.nodes_len = 8, .groups = groups, .groups_len = 1, .rank = 1,
		.replicas = 2, .seats = seats, .placed = 1, .args = args };
	groups[0].nodes = set_of(0x3);
	groups[0].risk = 100;
	groups[0].siblings = 1;
	nodes[2].risk = 100000;
	nodes[3].used = 100;
	nodes[4].health = 500;
	nodes[5].faults = 1;
	nodes[6].dislike = 10;
	base = ops->cost(&view, 7);
	for (i = 1; i <= 6; i++)
		ok(ops->cost(&view, i) > base, "burden %u costs", i);
	groups[0].whole = true;
	ok(ops->cost(&view, 1) == base, "a group of all nodes does not");
	with_one = ops->cost(&view, 2);
	args[0] = 0;
	ok(ops->cost(&view, 2) == ops->cost(&view, 7) && with_one > base,
	    "loss=0 takes probabilities out");
	args[0] = 4;
	view.extra = true;
	ok(ops->cost(&view, 3) == ops->cost(&view, 2) &&
	    ops->cost(&view, 4) > ops->cost(&view, 2),
	    "extras: at random, but not where health is bad");
	args[5] = 0;
	ok(ops->cost(&view, 3) > ops->cost(&view, 7), "random=0: weighed");
}

/* Replicas beyond the groups: by lot, differently for each generation. */
static void
extras_are_seeded(void)
{
	uint64_t first, differ = 0, same = 0;
	uint32_t i;

	side_begin(&s, 12);
	(void)side_group(&s, 0, 0xfff);
	s.in.nodes_len = 13;
	s.nodes[12] = (struct plan_node){ .number = NUMBER(12), .health = 1000,
		.name = "far", .slots = 1 };
	(void)side_app(&s, 1, 3, "resilient");
	(void)plan_make(&s.plan, &s.in);
	first = side_seat(&s, 1, 2);
	for (i = 0; i < 50; i++) {
		s.in.seed = 1;
		(void)plan_make(&s.plan, &s.in);
		same += side_seat(&s, 1, 2) == first;
		s.in.seed = i + 2;
		(void)plan_make(&s.plan, &s.in);
		differ += side_seat(&s, 1, 2) != first;
	}
	is_u64(same, 50, "one generation: one lot");
	ok(differ > 25, "another one: mostly another");
}

int
main(void)
{
	every_map_plugin_conforms();
	pack_fills_nodes_in_order();
	roundrobin_goes_on_where_it_was();
	resilient_weighs();
	extras_are_seeded();
	free(s.memory);
	return done_testing();
}
