/* SPDX-License-Identifier: ISC */
#include "base/rand.h"
#include "plan_side.h"
#include "tap.h"

/*
 * What must hold of every plan, tried on views that a seed makes up.  The
 * rules are written down here a second time, in the plainest way.
 */
#define SEEDS 4000u

static struct side s, t;
static struct rand r;
static uint64_t seed;

static uint32_t
below(uint32_t n)
{
	return (uint32_t)rand_below(&r, n);
}

/* Answers anything, all the time. */
static uint64_t
nonsense(const struct orcm_map_view *v, uint32_t node)
{
	static uint64_t n;

	(void)v;
	n = n * UINT64_C(6364136223846793005) + node + 1;
	return n % 5 == 0 ? UINT64_MAX : n;
}

static const struct orcm_map_ops wrong = { .spread = true, .balance = true,
	.cost = nonsense };

static struct orcm_map_set
some_nodes(void)
{
	struct orcm_map_set set = { { rand_u64(&r), rand_u64(&r) } };

	if (below(2) == 0) {
		set.bits[0] |= rand_u64(&r);
		set.bits[1] |= rand_u64(&r);
	}
	return set;
}

static void
draw_nodes(uint32_t len)
{
	struct plan_group *g;
	uint32_t i;

	side_begin(&s, len);
	s.in.seed = rand_u64(&r);
	for (i = 0; i < len; i++) {
		if (below(8) == 0)
			s.nodes[i].state = (enum plan_node_state)below(6);
		s.nodes[i].draining = below(12) == 0;
		if (below(2) == 0)
			s.nodes[i].slots = 1 + below(8);
		s.nodes[i].load = below(1000);
		s.nodes[i].health = below(4) == 0 ? below(1001) : 1000;
		s.nodes[i].risk = below(ORCM_MAP_CERTAIN + 1);
	}
	for (i = below(9); i > 0; i--) {
		g = side_group(&s, below(PLAN_LEVELS_MAX), 0);
		g->nodes = some_nodes();
		g->risk = below(ORCM_MAP_CERTAIN + 1);
	}
}

static void
draw_apps(bool mad)
{
	static const char *const names[] = { "resilient", "pack",
		"roundrobin" };
	struct plan_app *a;
	uint32_t i, l;

	for (i = 1 + below(6); i > 0; i--) {
		a = side_app(&s, s.in.apps_len + 1, below(9),
		    names[below(3)]);
		if (mad && below(3) == 0)
			a->map = &wrong;
		a->priority = (int32_t)below(3) - 1;
		a->slots = below(3);
		a->allow_same = below(3) == 0;
		a->reconcile = (enum plan_reconcile)below(5);
		for (l = 0; l < PLAN_LEVELS_MAX; l++)
			a->spread[l] = (enum plan_spread)below(5);
		if (below(4) == 0) {
			a->forbid = some_nodes();
			a->forbid.bits[0] &= rand_u64(&r);
			a->forbid.bits[1] &= rand_u64(&r);
		}
	}
	for (i = below(6); i > 0; i--) {
		side_pin(&s, 1 + below(s.in.apps_len),
		    below(5) == 0 ? PLAN_RANK_ALL : below(8), 0);
		s.pins[s.in.pins_len - 1].nodes = some_nodes();
	}
	for (i = below(6); i > 0; i--)
		side_fault(&s, 1 + below(s.in.apps_len), below(8),
		    NUMBER(below(s.in.nodes_len)));
	for (i = below(3); i > 0; i--)
		s.wishes[s.in.wishes_len++] = (struct plan_wish){
			1 + below(s.in.apps_len), below(s.in.apps_len + 1),
			some_nodes(), below(100) };
}

/* What runs by a former plan, and has had some bad luck since. */
static void
draw_places(void)
{
	struct plan_place *c;
	uint32_t i, n;

	if (below(4) == 0 || !plan_make(&s.plan, &s.in))
		return;
	side_run(&s);
	for (i = 0; i < s.in.nodes_len; i++)
		if (below(8) == 0)
			s.nodes[i].state = (enum plan_node_state)below(6);
	n = s.in.places_len;
	for (i = 0; i < n; i++) {
		c = &s.places[i];
		if (below(6) == 0)
			c->state = (enum plan_place_state)below(7);
		c->age = below(5);
		c->leader = below(4) == 0;
		if (below(8) == 0)
			(void)side_place(&s, c->app, c->rank,
			    NUMBER(below(s.in.nodes_len)), below(4));
	}
}

static void
draw(uint64_t from, bool mad)
{
	uint32_t len;

	seed = from;
	rand_seed(&r, seed);
	len = below(20) == 0 ? PLAN_NODES_MAX : 1 + below(12);
	draw_nodes(len);
	draw_apps(mad);
	draw_places();
}

static uint32_t
index_of(uint16_t number)
{
	return number == NOBODY ? NOBODY : (uint32_t)number - NUMBER(0);
}

static bool
lives(const struct plan_place *c)
{
	return c->state <= PLAN_PLACE_LEAVING;
}

static bool
allowed(const struct plan_app *a, uint32_t rank, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < s.in.pins_len; i++)
		if (s.pins[i].app == a->id &&
		    (s.pins[i].rank == rank ||
			s.pins[i].rank == PLAN_RANK_ALL) &&
		    !orcm_map_in(&s.pins[i].nodes, n))
			return false;
	return !orcm_map_in(&a->forbid, n);
}

/* Slots on node n: of seats, and of copies that are nobody's seat. */
static uint32_t
used(uint32_t n)
{
	const struct plan_seat *seat;
	bool counted[4096] = { false };
	uint32_t i, sum = 0;

	for (i = 0; i < s.plan.seats_len; i++)
		if (index_of(s.plan.seats[i].node) == n)
			sum += s.apps[s.plan.seats[i].app - 1].slots;
	for (i = 0; i < s.in.places_len; i++) {
		if (!lives(&s.places[i]) || index_of(s.places[i].node) != n)
			continue;
		seat = plan_seat(&s.plan, s.places[i].app, s.places[i].rank);
		if (seat != NULL && seat->node == s.places[i].node &&
		    !counted[seat - s.plan.seats]) {
			counted[seat - s.plan.seats] = true;
			continue;
		}
		sum += s.apps[s.places[i].app - 1].slots;
	}
	return sum;
}

static bool
group_is_strict(const struct plan_app *a, const struct plan_group *g)
{
	uint32_t i;

	if (a->spread[g->level] != PLAN_SPREAD_STRICT)
		return false;
	for (i = 0; i < s.in.nodes_len; i++)
		if (allowed(a, PLAN_RANK_ALL, i) &&
		    !orcm_map_in(&g->nodes, i))
			return true;
	return false;
}

/* May that replica be there, given where all the others are? */
static bool
legal(const struct plan_app *a, uint32_t rank, uint32_t n, uint32_t more)
{
	const struct plan_node *node = &s.nodes[n];
	uint32_t i, g, other;

	if (node->state != PLAN_NODE_ALIVE || node->draining ||
	    !allowed(a, rank, n))
		return false;
	for (i = 0; i < s.in.places_len; i++)
		if (s.places[i].app == a->id && s.places[i].rank == rank &&
		    s.places[i].state == PLAN_PLACE_LEAVING &&
		    s.places[i].node == node->number)
			return false;
	for (i = 0; i < a->replicas; i++) {
		other = index_of((uint16_t)side_seat(&s, a->id, i));
		if (i == rank || other == NOBODY)
			continue;
		if (!a->allow_same && other == n)
			return false;
		for (g = 0; g < s.in.groups_len; g++)
			if (group_is_strict(a, &s.groups[g]) &&
			    orcm_map_in(&s.groups[g].nodes, n) &&
			    orcm_map_in(&s.groups[g].nodes, other))
				return false;
	}
	return node->slots == 0 || used(n) + more <= node->slots;
}

static bool
over(const struct plan_seat *seat)
{
	uint32_t i;

	for (i = 0; i < s.in.places_len; i++)
		if (s.places[i].app == seat->app &&
		    s.places[i].rank == seat->rank &&
		    (s.places[i].state == PLAN_PLACE_HELD ||
			s.places[i].state == PLAN_PLACE_DONE))
			return true;
	return false;
}

/* 0: all is well. */
static uint32_t
seat_wrong(const struct plan_seat *seat)
{
	const struct plan_app *a = &s.apps[seat->app - 1];
	uint32_t n;

	if (seat->why == PLAN_STAYS)
		return 0;
	if (seat->node != NOBODY)
		return legal(a, seat->rank, index_of(seat->node), 0) ? 0 : 1;
	if (over(seat))
		return 0;
	for (n = 0; n < s.in.nodes_len; n++)
		if (legal(a, seat->rank, n, a->slots))
			return 2;
	return 0;
}

static void
hard_rules_and_no_place(bool mad, uint32_t moves)
{
	uint32_t i, k, broken = 0, idle = 0, placed = 0, moved = 0;

	for (k = 0; k < SEEDS; k++) {
		draw(k, mad);
		s.in.moves_max = moves;
		if (!plan_make(&s.plan, &s.in))
			broken++;
		for (i = 0; i < s.plan.seats_len; i++) {
			placed += s.plan.seats[i].why >= PLAN_PLACED;
			moved += s.plan.seats[i].why == PLAN_BALANCED;
			switch (seat_wrong(&s.plan.seats[i])) {
			case 1:
				if (broken++ == 0)
					printf("# seed %u seat %u\n", k, i);
				break;
			case 2:
				/* Balance may have made room since. */
				if (moves == 0 && idle++ == 0)
					printf("# seed %u seat %u\n", k, i);
				break;
			}
		}
	}
	is_u64(broken, 0, "%u placed, %u moved: no hard rule is broken%s",
	    placed, moved, mad ? ", whatever a policy answers" : "");
	is_u64(idle, 0, "nobody is without a place while a legal one exists");
}

static bool
same_seats(const struct side *a, const struct side *b)
{
	return a->plan.seats_len == b->plan.seats_len &&
	    memcmp(a->plan.seats, b->plan.seats,
	    a->plan.seats_len * sizeof(*a->plan.seats)) == 0;
}

/* The same view as it might lie in the memory of another node. */
static void
copy_shuffled(void)
{
	struct plan_place keep;
	void *memory = t.memory;
	uint32_t i, at;

	side_begin(&t, s.in.nodes_len);
	memory = t.memory;
	memcpy(t.nodes, s.nodes, sizeof(s.nodes));
	memcpy(t.groups, s.groups, sizeof(s.groups));
	memcpy(t.apps, s.apps, sizeof(s.apps));
	memcpy(t.pins, s.pins, sizeof(s.pins));
	memcpy(t.wishes, s.wishes, sizeof(s.wishes));
	memcpy(t.places, s.places, sizeof(s.places));
	memcpy(t.faults, s.faults, sizeof(s.faults));
	t.in = s.in;
	t.in.nodes = t.nodes;
	t.in.groups = t.groups;
	t.in.apps = t.apps;
	t.in.pins = t.pins;
	t.in.wishes = t.wishes;
	t.in.places = t.places;
	t.in.faults = t.faults;
	t.memory = memory;
	for (i = t.in.places_len; i > 1; i--) {
		at = below(i);
		keep = t.places[i - 1];
		t.places[i - 1] = t.places[at];
		t.places[at] = keep;
	}
	for (i = 0; i + 1 < t.in.faults_len; i++) {
		struct plan_fault f = t.faults[i];

		t.faults[i] = t.faults[i + 1];
		t.faults[i + 1] = f;
	}
}

static void
two_computations_are_equal(void)
{
	uint32_t k, differ = 0;

	for (k = 0; k < SEEDS; k++) {
		draw(k, false);
		s.in.moves_max = below(4);
		copy_shuffled();
		if (!plan_make(&s.plan, &s.in) || !plan_make(&t.plan, &t.in) ||
		    !same_seats(&s, &t) ||
		    s.plan.notes_len != t.plan.notes_len)
			if (differ++ == 0)
				printf("# seed %u\n", k);
	}
	is_u64(differ, 0, "two nodes compute one plan");
}

/* All that runs runs as the plan has it. */
static void
draw_running(uint64_t from)
{
	draw(from, false);
	s.in.places_len = 0;
	(void)plan_make(&s.plan, &s.in);
	side_run(&s);
}

static void
nothing_is_moved_without_cause(void)
{
	uint32_t k, i, moved = 0;

	for (k = 0; k < SEEDS; k++) {
		draw_running(k);
		for (i = 0; i < s.in.nodes_len; i++) {
			s.nodes[i].load = below(1000);
			s.nodes[i].health = below(1001);
			if (s.nodes[i].state == PLAN_NODE_ALIVE &&
			    below(4) == 0)
				s.nodes[i].state = PLAN_NODE_DOWN;
		}
		s.in.seed++;
		(void)plan_make(&s.plan, &s.in);
		for (i = 0; i < s.in.places_len; i++)
			if (side_seat(&s, s.places[i].app, s.places[i].rank) !=
			    s.places[i].node)
				if (moved++ == 0)
					printf("# seed %u\n", k);
	}
	is_u64(moved, 0, "by load, health, silence or a new generation");
}

static void
death_moves_only_what_was_there(void)
{
	uint32_t k, i, dead, moved = 0, lost = 0;

	for (k = 0; k < SEEDS; k++) {
		draw_running(k);
		dead = below(s.in.nodes_len);
		s.nodes[dead].state = PLAN_NODE_DEAD;
		(void)plan_make(&s.plan, &s.in);
		for (i = 0; i < s.in.places_len; i++) {
			bool there = s.places[i].node == NUMBER(dead);
			bool same = side_seat(&s, s.places[i].app,
			    s.places[i].rank) == s.places[i].node;

			moved += !there && !same;
			lost += there && same;
		}
	}
	is_u64(moved, 0, "what was elsewhere stays");
	is_u64(lost, 0, "what was there does not");
}

/* Groups that share no node, nothing else in the way. */
static void
spread_is_as_even_as_can_be(void)
{
	uint32_t k, i, n, g, groups, each, len[16], uneven = 0, relaxed = 0;

	for (k = 0; k < SEEDS; k++) {
		rand_seed(&r, k);
		groups = 2 + below(6);
		each = 1 + below(4);
		side_begin(&s, groups * each);
		s.in.seed = k;
		for (g = 0; g < groups; g++)
			(void)side_group(&s, 0,
			    ((UINT64_C(1) << each) - 1) << g * each);
		for (i = 0; i < s.in.nodes_len; i++)
			s.nodes[i].load = below(1000);
		(void)side_app(&s, 1, 1 + below(s.in.nodes_len),
		    below(2) == 0 ? "resilient" : "roundrobin");
		s.apps[0].allow_same = below(2) == 0;
		(void)plan_make(&s.plan, &s.in);
		memset(len, 0, sizeof(len));
		for (i = 0; i < s.plan.seats_len; i++) {
			n = index_of(s.plan.seats[i].node);
			len[n == NOBODY ? 15 : n / each]++;
		}
		for (g = 1; g < groups; g++)
			uneven += len[g] > len[0] + 1 || len[0] > len[g] + 1;
		uneven += len[15];
		relaxed += s.plan.seats_len <= groups && s.plan.notes_len > 0;
	}
	is_u64(uneven, 0, "no group has two more than another");
	is_u64(relaxed, 0, "no rule is relaxed while there are groups enough");
}

static void
largest_plan_fits(void)
{
	uint32_t i, nowhere = 0;

	side_begin(&s, 64);
	for (i = 0; i < 8; i++)
		(void)side_group(&s, 0, UINT64_C(0xff) << 8 * i);
	for (i = 0; i < 64; i++) {
		(void)side_app(&s, i + 1, PLAN_REPLICAS_MAX, "resilient");
		s.nodes[i].slots = 64;
	}
	ok(plan_make(&s.plan, &s.in), "64 apps of 64 replicas");
	for (i = 0; i < s.plan.seats_len; i++)
		nowhere += s.plan.seats[i].node == NOBODY;
	ok(s.plan.seats_len == 4096 && nowhere == 0, "all nodes are full");
	(void)side_app(&s, 99, 1, "resilient");
	ok(!plan_make(&s.plan, &s.in), "one seat more than there is room for");
}

int
main(void)
{
	hard_rules_and_no_place(false, 0);
	hard_rules_and_no_place(true, 0);
	hard_rules_and_no_place(false, 3);
	two_computations_are_equal();
	nothing_is_moved_without_cause();
	death_moves_only_what_was_there();
	spread_is_as_even_as_can_be();
	largest_plan_fits();
	free(s.memory);
	free(t.memory);
	return done_testing();
}
