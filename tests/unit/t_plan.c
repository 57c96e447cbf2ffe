/* SPDX-License-Identifier: ISC */
#include "plan_side.h"
#include "tap.h"

#define A UINT64_C(0x10000)
#define B UINT64_C(0x20000)

static struct side s;

static void
make(void)
{
	if (!plan_make(&s.plan, &s.in))
		ok(false, "the question is in order");
}

/* How many of the app's replicas are on the node of that index. */
static uint32_t
on(uint64_t app, uint32_t node)
{
	uint32_t i, n = 0;

	for (i = 0; i < s.plan.seats_len; i++)
		if (s.plan.seats[i].app == app &&
		    s.plan.seats[i].node == NUMBER(node))
			n++;
	return n;
}

static void
one_replica_in_each_fault_group(void)
{
	side_begin(&s, 6);
	(void)side_group(&s, 0, 0x03);
	(void)side_group(&s, 0, 0x0c);
	(void)side_group(&s, 0, 0x30);
	(void)side_app(&s, A, 3, "resilient");
	make();
	ok(on(A, 0) + on(A, 1) == 1 && on(A, 2) + on(A, 3) == 1 &&
	    on(A, 4) + on(A, 5) == 1, "three groups, three replicas");
	is_u64(s.plan.notes_len, 0, "no rule was relaxed");
	s.apps[0].replicas = 5;
	make();
	ok(on(A, 0) + on(A, 1) <= 2 && on(A, 2) + on(A, 3) <= 2 &&
	    on(A, 4) + on(A, 5) <= 2, "five: none has three");
	is_u64(s.plan.notes_len, 2, "two extras, two notes");
	ok(side_note(&s, PLAN_RELAXED_GROUPS, 1) != NULL, "groups are shared");
}

static void
node_in_several_groups(void)
{
	side_begin(&s, 4);
	(void)side_group(&s, 0, 0x3); /* shelf: 0 1 */
	(void)side_group(&s, 0, 0xc); /* shelf: 2 3 */
	(void)side_group(&s, 0, 0x5); /* supply: 0 2 */
	(void)side_group(&s, 0, 0xa); /* supply: 1 3 */
	(void)side_app(&s, A, 2, "resilient");
	make();
	ok((on(A, 0) && on(A, 3)) || (on(A, 1) && on(A, 2)),
	    "neither shelf nor supply is shared");
}

static void
racks_are_spread_after_shelves(void)
{
	side_begin(&s, 4);
	(void)side_group(&s, 0, 0x1);
	(void)side_group(&s, 0, 0x2);
	(void)side_group(&s, 0, 0xc);
	(void)side_group(&s, 1, 0x3);
	(void)side_group(&s, 1, 0xc);
	(void)side_app(&s, A, 3, "resilient");
	make();
	ok(on(A, 0) && on(A, 1) && on(A, 2) + on(A, 3) == 1,
	    "shelves 1, 2, 3 although two are in one rack");
	ok(side_note(&s, PLAN_RELAXED_SPREAD, 0) != NULL &&
	    side_note(&s, PLAN_RELAXED_GROUPS, 0) == NULL,
	    "the soft rule was relaxed and no other");
	s.apps[0].replicas = 2;
	make();
	is_u64(on(A, 2) + on(A, 3), 1, "two replicas: two racks");
}

static void
lightest_node_is_taken(void)
{
	side_begin(&s, 3);
	(void)side_app(&s, A, 3, "resilient");
	(void)side_app(&s, B, 1, "resilient");
	s.apps[0].allow_same = true;
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	(void)side_place(&s, A, 1, NUMBER(0), 0);
	(void)side_place(&s, A, 2, NUMBER(2), 0);
	make();
	is_u64(side_seat(&s, B, 0), NUMBER(1), "the one with nothing on it");
	s.nodes[1].load = 900;
	make();
	is_u64(side_seat(&s, B, 0), NUMBER(2), "not when it is busy");
	s.nodes[2].health = 100;
	make();
	is_u64(side_seat(&s, B, 0), NUMBER(0), "nor when it is sick");
}

static void
failure_probability_decides_among_equals(void)
{
	side_begin(&s, 4);
	side_group(&s, 0, 0x3)->risk = 100000;
	side_group(&s, 0, 0xc)->risk = 1000;
	(void)side_app(&s, A, 1, "resilient");
	make();
	is_u64(on(A, 2) + on(A, 3), 1, "the group that fails less");
	s.nodes[2].risk = 1000;
	s.nodes[3].risk = 900000;
	make();
	is_u64(side_seat(&s, A, 0), NUMBER(2), "and in it the better node");
	s.groups[1].risk = 200000;
	make();
	is_u64(on(A, 0) + on(A, 1), 1, "a predictor changed its mind");
}

static void
group_of_all_candidates_is_ignored(void)
{
	side_begin(&s, 3);
	(void)side_group(&s, 0, 0x7);
	(void)side_app(&s, A, 3, "resilient");
	make();
	ok(on(A, 0) && on(A, 1) && on(A, 2) && s.plan.notes_len == 0,
	    "nobody can avoid it, so nothing is relaxed");
	side_begin(&s, 4);
	(void)side_group(&s, 0, 0x3);
	(void)side_group(&s, 0, 0xc);
	(void)side_app(&s, A, 2, "resilient");
	(void)side_app(&s, B, 2, "resilient");
	s.nodes[0].slots = s.nodes[1].slots = 1;
	(void)side_place(&s, B, 0, NUMBER(0), 0);
	(void)side_place(&s, B, 1, NUMBER(1), 0);
	make();
	is_u64(on(A, 2) + on(A, 3), 2, "the other group is full");
	ok(s.plan.notes_len == 1 && s.plan.notes[0].remark ==
	    PLAN_RELAXED_GROUPS, "that is no choice, and said");
}

/* Two nodes, two groups, rank 0 of A on node 0; rank 1 has node 1 left. */
static void
one_place_left(void)
{
	side_begin(&s, 2);
	(void)side_group(&s, 0, 0x1);
	(void)side_group(&s, 0, 0x2);
	(void)side_app(&s, A, 2, "resilient");
	(void)side_place(&s, A, 0, NUMBER(0), 0);
}

static void
none_left(enum plan_bar bar)
{
	make();
	ok(side_seat(&s, A, 1) == NOBODY && s.plan.notes_len == 1 &&
	    s.plan.notes[0].remark == PLAN_NO_PLACE &&
	    s.plan.notes[0].bar == bar, "no place because of %s",
	    plan_bar_name(bar));
}

static void
hard_rules_by_name(void)
{
	one_place_left();
	make();
	is_u64(side_seat(&s, A, 1), NUMBER(1), "there is one");
	s.nodes[0].draining = true;
	s.nodes[1].state = PLAN_NODE_SUSPECT;
	s.places[0].state = PLAN_PLACE_WAITING;
	none_left(PLAN_BAR_STATE);
	one_place_left();
	side_pin(&s, A, 1, 0);
	none_left(PLAN_BAR_PIN);
	one_place_left();
	side_pin(&s, A, 1, 0x2);
	s.apps[0].forbid = set_of(0x2);
	none_left(PLAN_BAR_FORBID);
	one_place_left();
	s.apps[0].spread[0] = PLAN_SPREAD_STRICT;
	s.groups[0].nodes = set_of(0x3);
	s.in.nodes_len = 3;
	s.nodes[2] = s.nodes[1];
	s.nodes[2].number = NUMBER(2);
	s.nodes[2].state = PLAN_NODE_DEAD;
	none_left(PLAN_BAR_STRICT);
	one_place_left();
	side_pin(&s, A, 1, 0x1);
	none_left(PLAN_BAR_NODE);
	one_place_left();
	s.nodes[1].slots = 1;
	(void)side_app(&s, B, 1, "resilient");
	(void)side_place(&s, B, 0, NUMBER(1), 0);
	none_left(PLAN_BAR_CAPACITY);
}

static void
nothing_new_on_a_node_that_is_not_well(void)
{
	static const enum plan_node_state states[] = { PLAN_NODE_STALLED,
		PLAN_NODE_SUSPECT, PLAN_NODE_DOWN, PLAN_NODE_DEAD,
		PLAN_NODE_LEFT };
	uint32_t i;

	for (i = 0; i < 5; i++) {
		side_begin(&s, 2);
		(void)side_app(&s, A, 2, "resilient");
		(void)side_place(&s, A, 0, NUMBER(0), 0);
		s.nodes[0].state = states[i];
		s.apps[0].allow_same = true;
		make();
		ok(side_seat(&s, A, 1) == NUMBER(1), "state %u", states[i]);
		ok((side_why(&s, A, 0) == PLAN_STAYS) ==
		    (states[i] < PLAN_NODE_DEAD),
		    "what runs there stays until it is dead");
	}
}

static void
pinned_ranks_choose_first(void)
{
	side_begin(&s, 3);
	(void)side_app(&s, A, 3, "resilient");
	side_pin(&s, A, 2, 0x2);
	side_pin(&s, A, 1, 0x6);
	make();
	ok(side_seat(&s, A, 2) == NUMBER(1) && side_seat(&s, A, 1) ==
	    NUMBER(2) && side_seat(&s, A, 0) == NUMBER(0),
	    "nobody sits on the one node of another");
}

static void
apps_by_priority_then_the_most_constrained(void)
{
	side_begin(&s, 2);
	s.nodes[0].slots = s.nodes[1].slots = 1;
	(void)side_app(&s, A, 1, "resilient");
	(void)side_app(&s, B, 1, "resilient");
	side_pin(&s, B, PLAN_RANK_ALL, 0x1);
	make();
	ok(side_seat(&s, B, 0) == NUMBER(0) && side_seat(&s, A, 0) ==
	    NUMBER(1), "who has one node only is first");
	s.apps[0].priority = 1;
	side_pin(&s, A, PLAN_RANK_ALL, 0x1);
	make();
	ok(side_seat(&s, A, 0) == NUMBER(0) && side_seat(&s, B, 0) == NOBODY,
	    "priority comes before that");
}

static void
what_failed_there_goes_elsewhere(void)
{
	side_begin(&s, 4);
	(void)side_group(&s, 0, 0x3);
	(void)side_group(&s, 0, 0xc);
	(void)side_app(&s, A, 1, "resilient");
	side_fault(&s, A, 0, NUMBER(0));
	make();
	is_u64(on(A, 2) + on(A, 3), 1, "away from its group as well");
	is_u64(s.plan.notes_len, 0, "nothing had to be relaxed");
	s.nodes[2].state = s.nodes[3].state = PLAN_NODE_DEAD;
	make();
	is_u64(side_seat(&s, A, 0), NUMBER(1), "then to its neighbour");
	s.nodes[1].state = PLAN_NODE_DEAD;
	make();
	is_u64(side_seat(&s, A, 0), NUMBER(0),
	    "then back: there is never no place while there is one");
	ok(side_note(&s, PLAN_RELAXED_AVOID, 0) != NULL, "that is logged");
}

/* Distinct groups are worth more than to avoid the node of a fault. */
static void
rules_are_relaxed_in_their_order(void)
{
	side_begin(&s, 4);
	(void)side_group(&s, 0, 0x7);
	(void)side_group(&s, 0, 0x8);
	(void)side_group(&s, 1, 0x3);
	(void)side_group(&s, 1, 0xc);
	(void)side_app(&s, A, 3, "resilient");
	s.apps[0].allow_same = true;
	(void)side_place(&s, A, 0, NUMBER(3), 0);
	(void)side_place(&s, A, 1, NUMBER(0), 0);
	side_fault(&s, A, 2, NUMBER(2));
	side_fault(&s, A, 2, NUMBER(1));
	s.nodes[0].state = s.nodes[3].state = PLAN_NODE_STALLED;
	make();
	ok(side_seat(&s, A, 2) == NUMBER(1) || side_seat(&s, A, 2) ==
	    NUMBER(2), "on one of the two that are left");
	ok(s.plan.notes[0].remark == PLAN_RELAXED_SPREAD &&
	    s.plan.notes[1].remark == PLAN_RELAXED_AVOID &&
	    s.plan.notes_len == 2, "the weakest rule is named first");
	s.nodes[1].state = s.nodes[2].state = PLAN_NODE_STALLED;
	s.nodes[3].state = PLAN_NODE_ALIVE;
	make();
	is_u64(side_seat(&s, A, 2), NUMBER(3), "a node is shared in the end");
	ok(side_note(&s, PLAN_RELAXED_NODES, 0) != NULL, "which is said");
	s.apps[0].allow_same = false;
	make();
	is_u64(side_seat(&s, A, 2), NOBODY, "but only where it is allowed");
}

static void
what_runs_is_not_moved(void)
{
	side_begin(&s, 4);
	(void)side_group(&s, 0, 0x3);
	(void)side_group(&s, 0, 0xc);
	(void)side_app(&s, A, 2, "resilient");
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	side_place(&s, A, 1, NUMBER(1), 0)->state =
	    PLAN_PLACE_STARTING;
	s.nodes[0].load = 1000;
	make();
	ok(side_why(&s, A, 0) == PLAN_STAYS && side_why(&s, A, 1) ==
	    PLAN_STAYS, "although two groups would be better");
	s.in.moves_max = 1;
	make();
	ok(side_why(&s, A, 0) == PLAN_BALANCED && on(A, 2) + on(A, 3) == 1,
	    "unless that is asked for");
	ok(side_why(&s, A, 1) == PLAN_STAYS, "and no more than that");
	(void)side_place(&s, A, 0, NUMBER(2), 0);
	s.places[0].leader = true;
	make();
	ok(side_seat(&s, A, 0) == NUMBER(0) && side_why(&s, A, 0) ==
	    PLAN_STAYS, "nor while it runs twice");
}

static void
balance_wants_a_fifth(void)
{
	side_begin(&s, 2);
	(void)side_app(&s, A, 1, "resilient");
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	s.in.moves_max = 8;
	s.nodes[0].load = 500;
	s.nodes[1].load = 401;
	make();
	is_u64(side_why(&s, A, 0), PLAN_STAYS, "19.8 percent is not enough");
	s.nodes[1].load = 399;
	make();
	is_u64(side_why(&s, A, 0), PLAN_BALANCED, "20.2 percent is");
	is_u64(plan_seat(&s.plan, A, 0)->from, NUMBER(0), "from there");
	side_run(&s);
	s.nodes[0].load = 0;
	s.nodes[1].load = 0;
	make();
	is_u64(side_why(&s, A, 0), PLAN_STAYS, "and it does not swing back");
}

static void
drained_node_is_emptied(void)
{
	side_begin(&s, 2);
	(void)side_app(&s, A, 1, "resilient");
	(void)side_place(&s, A, 0, NUMBER(0), 3);
	s.nodes[0].draining = true;
	make();
	ok(side_seat(&s, A, 0) == NUMBER(1) && side_why(&s, A, 0) ==
	    PLAN_MOVED, "to the other node");
	is_u64(plan_seat(&s.plan, A, 0)->from, NUMBER(0), "from where it runs");
	s.nodes[1].state = PLAN_NODE_DEAD;
	make();
	ok(side_seat(&s, A, 0) == NOBODY && side_why(&s, A, 0) ==
	    PLAN_NOWHERE, "nowhere to go");
	is_u64(plan_seat(&s.plan, A, 0)->from, NUMBER(0), "it runs on there");
}

static void
pinned_elsewhere_or_told_to_leave_moves(void)
{
	side_begin(&s, 2);
	(void)side_app(&s, A, 1, "resilient");
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	side_pin(&s, A, 0, 0x2);
	make();
	ok(side_seat(&s, A, 0) == NUMBER(1) && side_why(&s, A, 0) ==
	    PLAN_MOVED, "to where it is pinned");
	s.in.pins_len = 0;
	s.places[0].state = PLAN_PLACE_LEAVING;
	make();
	is_u64(side_seat(&s, A, 0), NUMBER(1), "away from a bad omen");
}

static void
order_under_way_is_stuck_to(void)
{
	uint32_t first;

	side_begin(&s, 8);
	(void)side_app(&s, A, 1, "resilient");
	make();
	first = side_seat(&s, A, 0);
	side_order(&s, A, 0, (uint16_t)first, 0);
	s.nodes[first - NUMBER(0)].load = 1000;
	make();
	is_u64(side_seat(&s, A, 0), first, "although others are lighter now");
	side_place(&s, A, 0, (uint16_t)first, 0)->state =
	    PLAN_PLACE_ENDED;
	make();
	ok(side_seat(&s, A, 0) != first, "until it has come to nothing");
	s.in.places_len = 0;
	s.nodes[first - NUMBER(0)].state = PLAN_NODE_DEAD;
	make();
	ok(side_seat(&s, A, 0) != first, "or its node has");
}

static void
held_done_and_waiting(void)
{
	side_begin(&s, 2);
	(void)side_app(&s, A, 3, "resilient");
	s.apps[0].allow_same = true;
	side_place(&s, A, 0, NOBODY, 0)->state = PLAN_PLACE_HELD;
	side_place(&s, A, 1, NUMBER(0), 0)->state = PLAN_PLACE_DONE;
	side_place(&s, A, 2, NUMBER(0), 0)->state =
	    PLAN_PLACE_WAITING;
	s.nodes[0].state = PLAN_NODE_DEAD;
	make();
	ok(side_seat(&s, A, 0) == NOBODY && side_note(&s, PLAN_IS_HELD, 0) !=
	    NULL, "held: no place, and that is shown");
	is_u64(side_seat(&s, A, 1), NOBODY, "done: none is needed");
	is_u64(side_seat(&s, A, 2), NUMBER(0), "it waits for its node");
	is_u64(s.plan.notes_len, 1, "one note");
}

static void
surplus_is_left_alone(void)
{
	side_begin(&s, 2);
	(void)side_app(&s, A, 1, "resilient");
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	(void)side_place(&s, A, 1, NUMBER(1), 0);
	(void)side_place(&s, B, 0, NUMBER(1), 0);
	make();
	is_u64(s.plan.seats_len, 1, "one seat");
	ok(side_note(&s, PLAN_SURPLUS, 0) != NULL &&
	    side_note(&s, PLAN_SURPLUS, 0)->rank == 1 &&
	    side_note(&s, PLAN_SURPLUS, 1) == NULL, "what is more is told");
}

static void
which_copy_stays(void)
{
	static const struct {
		enum plan_reconcile policy;
		uint32_t want;
		const char *says;
	} rows[] = {
		{ PLAN_LEADER_FIRST, 1, "the leader" },
		{ PLAN_KEEP_ORIGINAL, 0, "the original" },
		{ PLAN_KEEP_REPLACEMENT, 2, "the replacement" },
		{ PLAN_LONGEST_RUNNING, 3, "the one that runs longest" },
		{ PLAN_BEST_PLACEMENT, 4, "the best placed one" },
	};
	uint32_t i;

	for (i = 0; i < 5; i++) {
		side_begin(&s, 6);
		(void)side_group(&s, 0, 0x2f);
		(void)side_group(&s, 0, 0x10);
		(void)side_app(&s, A, 2, "resilient");
		s.apps[0].reconcile = rows[i].policy;
		(void)side_place(&s, A, 0, NUMBER(0), 1);
		side_place(&s, A, 0, NUMBER(1), 5)->leader = true;
		(void)side_place(&s, A, 0, NUMBER(2), 9);
		side_place(&s, A, 0, NUMBER(3), 4)->age = 99;
		(void)side_place(&s, A, 0, NUMBER(4), 6);
		(void)side_place(&s, A, 1, NUMBER(5), 0);
		make();
		is_u64(side_seat(&s, A, 0), NUMBER(rows[i].want), "%s",
		    rows[i].says);
		s.places[rows[i].want].state = PLAN_PLACE_STARTING;
		make();
		ok(side_seat(&s, A, 0) != NUMBER(rows[i].want),
		    "but rather one that is up");
	}
}

static void
wishes_are_weighed(void)
{
	side_begin(&s, 3);
	(void)side_app(&s, A, 1, "resilient");
	(void)side_app(&s, B, 1, "resilient");
	s.wishes[0] = (struct plan_wish){ A, 0, set_of(0x4), 20 };
	s.in.wishes_len = 1;
	make();
	is_u64(side_seat(&s, A, 0), NUMBER(2), "the node that it prefers");
	s.apps[0].priority = 1;
	s.wishes[1] = (struct plan_wish){ B, 0, set_of(0x4), 20 };
	s.wishes[2] = (struct plan_wish){ B, A, set_of(0), 30 };
	s.in.wishes_len = 3;
	make();
	ok(side_seat(&s, B, 0) != NUMBER(2), "away from the other app");
}

static void
each_daemon_computes_its_share(void)
{
	const struct plan_seat *seat;
	uint32_t i, place, sum = 0;
	bool own = true;

	side_begin(&s, 5);
	(void)side_app(&s, A, 4, "resilient");
	(void)side_app(&s, B, 3, "roundrobin");
	make();
	for (i = 0; i < 5; i++)
		for (place = 0; (seat = plan_share(&s.plan, NUMBER(i),
		    &place)) != NULL; sum++)
			own = own && seat->node == NUMBER(i);
	ok(own && sum == 7, "the shares of all nodes are the plan");
}

static void
bad_input_gives_no_plan(void)
{
	side_begin(&s, 2);
	(void)side_app(&s, A, 1, "resilient");
	s.nodes[1].number = s.nodes[0].number;
	ok(!plan_make(&s.plan, &s.in) && s.plan.seats_len == 0,
	    "a node twice");
	s.nodes[1].number = NUMBER(1);
	s.apps[0].replicas = PLAN_REPLICAS_MAX + 1;
	ok(!plan_make(&s.plan, &s.in), "too many replicas");
	s.apps[0].replicas = 1;
	s.apps[0].map = NULL;
	ok(!plan_make(&s.plan, &s.in), "no policy");
	s.apps[0].map = side_plugin("map", "pack")->ops;
	s.in.places_len = SIDE_PLACES + 1;
	ok(!plan_make(&s.plan, &s.in), "more copies than there is room for");
	s.in.places_len = 0;
	(void)side_place(&s, 77, 3, 9999, 1);
	(void)side_place(&s, A, 0, 9999, 1);
	side_fault(&s, 77, 3, 9999);
	side_order(&s, A, 0, 9999, 1);
	side_pin(&s, 77, 0, 1);
	ok(plan_make(&s.plan, &s.in) && side_seat(&s, A, 0) != NOBODY,
	    "unknown apps and nodes are passed over");
}

int
main(void)
{
	one_replica_in_each_fault_group();
	node_in_several_groups();
	racks_are_spread_after_shelves();
	lightest_node_is_taken();
	failure_probability_decides_among_equals();
	group_of_all_candidates_is_ignored();
	hard_rules_by_name();
	nothing_new_on_a_node_that_is_not_well();
	pinned_ranks_choose_first();
	apps_by_priority_then_the_most_constrained();
	what_failed_there_goes_elsewhere();
	rules_are_relaxed_in_their_order();
	what_runs_is_not_moved();
	balance_wants_a_fifth();
	drained_node_is_emptied();
	pinned_elsewhere_or_told_to_leave_moves();
	order_under_way_is_stuck_to();
	held_done_and_waiting();
	surplus_is_left_alone();
	which_copy_stays();
	wishes_are_weighed();
	each_daemon_computes_its_share();
	bad_input_gives_no_plan();
	free(s.memory);
	return done_testing();
}
