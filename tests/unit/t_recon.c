/* SPDX-License-Identifier: ISC */
#include "core/recon.h"
#include "plan_side.h"
#include "tap.h"

#define A UINT64_C(0x10000)
#define MS ORCM_MS

static struct side s;
static struct recon r;
static struct recon_conf conf;
static void *memory;
static uint64_t now;
static bool cold;
static struct recon_out outs[64];
static uint32_t outs_len;

/* A new life of the scheduler: it knows nothing. */
static void
restart(void)
{
	struct arena a;

	free(memory);
	memory = calloc(1, recon_memory(&conf));
	if (memory == NULL)
		abort();
	arena_init(&a, memory, recon_memory(&conf));
	recon_init(&r, &a, &conf);
	cold = false;
}

/* Nodes of one app with that many replicas; nothing runs. */
static void
begin(uint32_t nodes, uint32_t replicas)
{
	conf = (struct recon_conf){ .orders_max = 64, .extras_max = 64,
		.adopt_hold = 200 * MS, .dup_hold = 5000 * MS,
		.order_max = 1000 * MS, .rate_max = 32, .change_limit = 500,
		.change_free = 2, .balance_max = 2 };
	side_begin(&s, nodes);
	(void)side_app(&s, A, replicas, "resilient");
	now += 100 * ORCM_SECOND;
	restart();
}

/* One more plan and view after so long. */
static void
look(uint64_t later)
{
	struct recon_in in = { .event = RECON_IN_VIEW, .plan = &s.plan,
		.view = &s.in, .cold = cold };

	now += later;
	s.in.orders_len = recon_orders(&r, s.orders, 256);
	if (!plan_make(&s.plan, &s.in))
		abort();
	recon_feed(&r, now, &in);
	for (outs_len = 0; recon_take(&r, &outs[outs_len]); outs_len++)
		;
}

/* After the adopt-hold of a fresh scheduler. */
static void
settled(void)
{
	look(0);
	look(conf.adopt_hold);
}

static bool
only(enum recon_verb verb, enum recon_reason reason, uint16_t node,
    uint32_t incarnation)
{
	return outs_len == 1 && outs[0].verb == verb &&
	    outs[0].reason == reason && outs[0].node == node &&
	    outs[0].incarnation == incarnation && outs[0].app == A;
}

static void
missing_ones_are_started(void)
{
	uint32_t i;

	begin(3, 3);
	cold = true;
	look(0);
	is_u64(outs_len, 3, "each of them");
	for (i = 0; i < outs_len; i++)
		ok(outs[i].verb == RECON_OUT_START && outs[i].reason ==
		    RECON_MISSING && outs[i].incarnation == 0 &&
		    outs[i].node == side_seat(&s, A, outs[i].rank),
		    "rank %u where the plan has it", outs[i].rank);
	look(10 * MS);
	is_u64(outs_len, 0, "once");
	side_run(&s);
	look(10 * MS);
	is_u64(outs_len, 0, "there they are");
	is_u64(recon_orders(&r, s.orders, 256), 0, "nothing is under way");
}

static void
incarnations_rise_across_nodes(void)
{
	uint16_t first;

	begin(3, 1);
	side_place(&s, A, 0, NUMBER(0), 7)->state = PLAN_PLACE_ENDED;
	settled();
	ok(outs[0].verb == RECON_OUT_START || recon_orders(&r, s.orders, 1),
	    "started");
	ok(recon_orders(&r, s.orders, 1) == 1 && s.orders[0].incarnation == 8,
	    "above its last life, on whichever node");
	first = s.orders[0].node;
	look(conf.order_max);
	ok(outs_len == 0 || outs[0].incarnation == 9,
	    "given up: never that number again");
	look(conf.order_max);
	if (recon_orders(&r, s.orders, 1) == 1)
		ok(s.orders[0].incarnation >= 9, "not for node %u", first);
	side_place(&s, A, 0, first, 20)->state = PLAN_PLACE_ENDED;
	look(2 * conf.order_max);
	look(2 * conf.order_max);
	ok(recon_orders(&r, s.orders, 1) == 1 && s.orders[0].incarnation > 20,
	    "nor one that was seen since");
}

static void
refused_start_is_not_repeated_at_once(void)
{
	struct recon_in in = { .event = RECON_IN_REFUSED, .app = A };

	begin(1, 1);
	cold = true;
	look(0);
	ok(only(RECON_OUT_START, RECON_MISSING, NUMBER(0), 0), "started");
	recon_feed(&r, now, &in);
	ok(recon_due(&r) <= now, "refused: a new plan is needed");
	look(0);
	is_u64(outs_len, 0, "the node is not asked again at once");
	ok(recon_due(&r) == now + conf.order_max, "but later");
	look(conf.order_max);
	ok(only(RECON_OUT_START, RECON_MISSING, NUMBER(0), 1), "now");
	in.incarnation = 1;
	recon_feed(&r, now, &in);
	s.in.nodes_len = 2;
	s.nodes[1] = s.nodes[0];
	s.nodes[1].number = NUMBER(1);
	s.nodes[0].draining = true;
	look(0);
	ok(only(RECON_OUT_START, RECON_MISSING, NUMBER(1), 2),
	    "another node at once");
}

static void
drained_one_is_made_before_broken(void)
{
	struct plan_place *new;

	begin(2, 1);
	(void)side_place(&s, A, 0, NUMBER(0), 3);
	settled();
	is_u64(outs_len, 0, "all is well");
	s.nodes[0].draining = true;
	look(0);
	ok(only(RECON_OUT_START, RECON_MOVING, NUMBER(1), 4), "first the new");
	new = side_place(&s, A, 0, NUMBER(1), 4);
	new->state = PLAN_PLACE_STARTING;
	look(10 * MS);
	is_u64(outs_len, 0, "it is coming");
	new->state = PLAN_PLACE_UP;
	new->synced = false;
	look(10 * MS);
	is_u64(outs_len, 0, "it has to catch up");
	new->synced = true;
	look(10 * MS);
	ok(only(RECON_OUT_STOP, RECON_MOVING, NUMBER(0), 3), "then the old");
	look(10 * MS);
	is_u64(outs_len, 0, "once");
	look(conf.order_max);
	ok(only(RECON_OUT_STOP, RECON_MOVING, NUMBER(0), 3),
	    "again when nothing came of it");
	s.places[0].state = PLAN_PLACE_ENDED;
	look(0);
	is_u64(outs_len, 0, "done");
	is_u64(recon_orders(&r, s.orders, 256), 0, "and forgotten");
}

/* Scenario: the scheduler dies in the midst of a relocation. */
static void
new_scheduler_completes_a_move(void)
{
	begin(3, 1);
	(void)side_place(&s, A, 0, NUMBER(0), 3);
	s.nodes[0].draining = true;
	settled();
	ok(outs_len == 1 && outs[0].verb == RECON_OUT_START, "a move begins");
	side_place(&s, A, 0, outs[0].node, 4)->state = PLAN_PLACE_STARTING;
	restart();
	settled();
	is_u64(outs_len, 0, "the next life of it starts no third one");
	s.places[1].state = PLAN_PLACE_UP;
	look(0);
	is_u64(outs_len, 0, "and gives the old one time");
	look(conf.dup_hold);
	ok(only(RECON_OUT_STOP, RECON_DUPLICATE, NUMBER(0), 3),
	    "then the old one goes");
}

/* Scenario: a partition heals and everything runs twice. */
static void
duplicates_are_resolved_to_one(void)
{
	begin(4, 1);
	(void)side_place(&s, A, 0, NUMBER(2), 1);
	(void)side_place(&s, A, 0, NUMBER(0), 2);
	side_place(&s, A, 0, NUMBER(3), 3)->leader = true;
	settled();
	is_u64(outs_len, 0, "not at once");
	ok(recon_due(&r) <= now + conf.dup_hold, "but there is a time for it");
	look(conf.dup_hold - conf.adopt_hold - 1);
	is_u64(outs_len, 0, "not before dup_hold is over");
	s.places[2].synced = false;
	look(1);
	is_u64(outs_len, 0, "not while the one to keep is no substitute");
	s.places[2].synced = true;
	look(0);
	ok(outs_len == 2 && outs[0].verb == RECON_OUT_STOP &&
	    outs[1].verb == RECON_OUT_STOP, "then all but the leader");
	ok(outs[0].node + outs[1].node == NUMBER(0) + NUMBER(2) &&
	    outs[0].incarnation + outs[1].incarnation == 3,
	    "named by node and life");
	s.in.places_len = 0;
	(void)side_place(&s, A, 0, NUMBER(3), 3);
	look(0);
	is_u64(outs_len, 0, "one is left");
}

static void
two_lives_on_one_node(void)
{
	begin(1, 1);
	(void)side_place(&s, A, 0, NUMBER(0), 6);
	(void)side_place(&s, A, 0, NUMBER(0), 5);
	settled();
	look(conf.dup_hold);
	ok(only(RECON_OUT_STOP, RECON_DUPLICATE, NUMBER(0), 5),
	    "the older one goes");
}

static void
who_cannot_be_reached_is_not_stopped(void)
{
	begin(2, 1);
	side_place(&s, A, 0, NUMBER(0), 0)->leader = true;
	(void)side_place(&s, A, 0, NUMBER(1), 1);
	s.nodes[1].state = PLAN_NODE_DOWN;
	settled();
	look(conf.dup_hold);
	is_u64(outs_len, 0, "its node is silent");
	s.nodes[1].state = PLAN_NODE_ALIVE;
	look(0);
	ok(only(RECON_OUT_STOP, RECON_DUPLICATE, NUMBER(1), 1), "it is back");
	begin(2, 1);
	side_place(&s, A, 0, NUMBER(0), 0)->leader = true;
	(void)side_place(&s, A, 0, NUMBER(1), 1);
	s.nodes[0].state = PLAN_NODE_DOWN;
	settled();
	look(conf.dup_hold);
	is_u64(outs_len, 0, "the other is all there is");
	s.places[1].state = PLAN_PLACE_STARTING;
	look(0);
	look(conf.dup_hold);
	is_u64(side_seat(&s, A, 0), NUMBER(0), "the seat is with the silent");
	is_u64(outs_len, 0, "one that is on its way may be needed");
}

static void
nothing_else_is_ever_stopped(void)
{
	uint32_t i, all = 0;

	begin(4, 2);
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	(void)side_place(&s, A, 1, NUMBER(1), 0);
	(void)side_place(&s, A, 2, NUMBER(2), 0);
	(void)side_place(&s, A + 5, 0, NUMBER(3), 0);
	settled();
	for (i = 0; i < 20; i++) {
		look(conf.dup_hold);
		all += outs_len;
	}
	is_u64(all, 0, "neither surplus ranks nor unknown apps");
	s.in.apps_len = 0;
	look(conf.dup_hold);
	is_u64(outs_len, 0, "an empty configuration does not mean all");
	s.in.apps_len = 1;
	s.apps[0].replicas = 0;
	look(conf.dup_hold);
	is_u64(outs_len, 0, "nor do no replicas");
	s.apps[0].replicas = 2;
	s.in.nodes_len = 0;
	look(conf.dup_hold);
	is_u64(outs_len, 0, "nor no nodes");
}

static void
adopt_hold_only_adds(void)
{
	begin(3, 3);
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	(void)side_place(&s, A, 1, NUMBER(1), 0);
	(void)side_place(&s, A, 1, NUMBER(2), 1);
	s.nodes[0].draining = true;
	s.apps[0].allow_same = true;
	r.conf.change_limit = 1000;
	look(0);
	ok(outs_len == 1 && outs[0].rank == 2 && outs[0].reason ==
	    RECON_MISSING, "what is missing is added");
	is_u64(recon_due(&r), now + conf.adopt_hold, "the rest comes later");
	look(conf.adopt_hold);
	ok(outs_len == 1 && outs[0].rank == 0 && outs[0].reason ==
	    RECON_MOVING, "then the move begins");
}

static void
first_plan_may_not_change_too_much(void)
{
	struct recon_in allow = { .event = RECON_IN_ALLOW };
	uint32_t i;

	begin(8, 8);
	for (i = 0; i < 3; i++)
		(void)side_place(&s, A, i, NUMBER(i), 0);
	look(0);
	ok(outs_len == 1 && outs[0].verb == RECON_OUT_ALARM &&
	    outs[0].reason == RECON_TOO_MANY && outs[0].count == 5 &&
	    outs[0].of == 8, "5 of 8 would change: an alarm and nothing else");
	look(ORCM_SECOND);
	is_u64(outs_len, 0, "told once");
	(void)side_place(&s, A, 3, NUMBER(3), 0);
	look(ORCM_SECOND);
	is_u64(outs_len, 4, "a later view with 4 of 8: it goes on");
	begin(8, 8);
	(void)side_place(&s, A, 0, NUMBER(0), 0);
	look(0);
	recon_feed(&r, now, &allow);
	ok(recon_due(&r) <= now, "an operator lets it go on");
	look(0);
	is_u64(outs_len, 7, "so it does");
	begin(8, 8);
	cold = true;
	look(0);
	is_u64(outs_len, 8, "a cold start is all change");
	begin(2, 2);
	look(0);
	is_u64(outs_len, 2, "two changes are never too many");
}

static void
rate_is_limited(void)
{
	begin(20, 20);
	cold = true;
	conf.rate_max = 8;
	restart();
	cold = true;
	look(0);
	is_u64(outs_len, 8, "eight a second");
	is_u64(recon_due(&r), now + ORCM_SECOND, "the rest in the next one");
	look(ORCM_SECOND - 1);
	is_u64(outs_len, 0, "not before");
	look(1);
	is_u64(outs_len, 8, "now");
}

/* The plan sticks to an order only while it may be carried out. */
static void
order_that_the_plan_left_is_given_up(void)
{
	begin(2, 1);
	cold = true;
	look(0);
	is_u64(recon_orders(&r, s.orders, 256), 1, "one is under way");
	s.nodes[outs[0].node - NUMBER(0)].draining = true;
	r.spent = conf.rate_max;
	look(1);
	is_u64(outs_len, 0, "no more orders in this second");
	is_u64(recon_orders(&r, s.orders, 256), 0, "the old one is void");
	look(ORCM_SECOND);
	ok(outs_len == 1 && outs[0].incarnation == 1, "a new one follows");
}

static void
full_table_is_an_alarm(void)
{
	begin(20, 20);
	conf.orders_max = 4;
	restart();
	cold = true;
	look(0);
	ok(outs_len == 5 && outs[4].verb == RECON_OUT_ALARM &&
	    outs[4].reason == RECON_FULL, "four starts and an alarm");
	look(1);
	is_u64(outs_len, 0, "told once");
}

static void
balance_is_limited_and_completed(void)
{
	begin(4, 1);
	side_place(&s, A, 0, NUMBER(0), 0)->leader = true;
	settled();
	s.nodes[0].load = 1000;
	s.in.moves_max = recon_moves_left(&r, now);
	is_u64(s.in.moves_max, 2, "two a minute");
	look(0);
	ok(outs_len == 1 && outs[0].reason == RECON_BALANCING, "it moves");
	is_u64(recon_moves_left(&r, now), 1, "one left");
	s.in.moves_max = 0;
	(void)side_place(&s, A, 0, outs[0].node, outs[0].incarnation);
	look(1);
	ok(only(RECON_OUT_STOP, RECON_BALANCING, NUMBER(0), 0),
	    "the old one goes although it leads");
	s.places[0].state = PLAN_PLACE_ENDED;
	look(1);
	is_u64(outs_len, 0, "and that is it");
	is_u64(recon_moves_left(&r, now + 60 * ORCM_SECOND), 2,
	    "a minute later: two again");
}

int
main(void)
{
	missing_ones_are_started();
	incarnations_rise_across_nodes();
	refused_start_is_not_repeated_at_once();
	drained_one_is_made_before_broken();
	new_scheduler_completes_a_move();
	duplicates_are_resolved_to_one();
	two_lives_on_one_node();
	who_cannot_be_reached_is_not_stopped();
	nothing_else_is_ever_stopped();
	adopt_hold_only_adds();
	first_plan_may_not_change_too_much();
	rate_is_limited();
	order_that_the_plan_left_is_given_up();
	full_table_is_an_alarm();
	balance_is_limited_and_completed();
	free(memory);
	free(s.memory);
	return done_testing();
}
