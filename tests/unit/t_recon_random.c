/* SPDX-License-Identifier: ISC */
#include "base/rand.h"
#include "core/recon.h"
#include "plan_side.h"
#include "tap.h"

/*
 * A small cluster that carries out what plan and recon say, while nodes and
 * replicas die, partitions leave duplicates, orders get lost and the
 * scheduler forgets everything.  When it is left in peace each replica must
 * run exactly once, and on the way none may ever be stopped without another
 * copy being up.
 */
#define SEEDS 400u
#define TURNS 60u
#define PEACE 120u
#define TURN (100 * ORCM_MS)

static struct side s;
static struct rand r;
static struct recon rec;
static struct recon_conf conf = { .orders_max = 128, .extras_max = 128,
	.adopt_hold = 200 * ORCM_MS, .dup_hold = 500 * ORCM_MS,
	.order_max = 300 * ORCM_MS, .rate_max = 64, .change_limit = 1000,
	.balance_max = 4 };
static void *memory;
static uint64_t now;
static uint32_t unsafe, unasked, reused; /* stops, stops, incarnations */
static uint32_t highest[8][PLAN_REPLICAS_MAX];

static uint32_t
below(uint32_t n)
{
	return (uint32_t)rand_below(&r, n);
}

static void
forget_all(void)
{
	struct arena a;

	if (memory == NULL)
		memory = malloc(recon_memory(&conf));
	if (memory == NULL)
		abort();
	memset(memory, 0, recon_memory(&conf));
	arena_init(&a, memory, recon_memory(&conf));
	recon_init(&rec, &a, &conf);
}

static void
begin(uint64_t seed)
{
	uint32_t i;

	rand_seed(&r, seed);
	now += 1000 * ORCM_SECOND;
	memset(highest, 0, sizeof(highest));
	side_begin(&s, 4 + below(6));
	s.in.seed = seed;
	for (i = 0; i < s.in.nodes_len; i += 2)
		(void)side_group(&s, 0, UINT64_C(3) << i);
	for (i = 1; i <= 3; i++) {
		(void)side_app(&s, i, 1 + below(4), "resilient");
		s.apps[i - 1].reconcile = (enum plan_reconcile)below(5);
		s.apps[i - 1].allow_same = true;
	}
	forget_all();
}

static bool
alive(const struct plan_place *c)
{
	return c->state <= PLAN_PLACE_LEAVING &&
	    s.nodes[c->node - NUMBER(0)].state < PLAN_NODE_DEAD;
}

static void
start(const struct recon_out *o)
{
	struct plan_place *c;

	if (o->incarnation < highest[o->app][o->rank])
		reused++;
	highest[o->app][o->rank] = o->incarnation + 1;
	/* Some orders are lost on their way. */
	if (below(10) == 0 || s.in.places_len == SIDE_PLACES)
		return;
	c = side_place(&s, o->app, o->rank, o->node, o->incarnation);
	c->state = PLAN_PLACE_STARTING;
	c->synced = false;
}

static void
stop(const struct recon_out *o)
{
	struct plan_place *c, *victim = NULL;
	bool other = false;
	uint32_t i;

	for (i = 0; i < s.in.places_len; i++) {
		c = &s.places[i];
		if (c->app != o->app || c->rank != o->rank || !alive(c))
			continue;
		if (c->node == o->node && c->incarnation == o->incarnation)
			victim = c;
		else if (c->state == PLAN_PLACE_UP && c->synced)
			other = true;
	}
	unasked += victim == NULL;
	unsafe += !other;
	if (victim != NULL && below(10) != 0)
		victim->state = PLAN_PLACE_ENDED;
}

static void
turn(void)
{
	struct recon_in in = { .event = RECON_IN_VIEW, .plan = &s.plan,
		.view = &s.in };
	struct recon_out out;

	now += TURN;
	s.in.orders_len = recon_orders(&rec, s.orders, 256);
	s.in.moves_max = below(4) == 0 ? recon_moves_left(&rec, now) : 0;
	if (!plan_make(&s.plan, &s.in))
		abort();
	recon_feed(&rec, now, &in);
	while (recon_take(&rec, &out)) {
		if (out.verb == RECON_OUT_START)
			start(&out);
		else if (out.verb == RECON_OUT_STOP)
			stop(&out);
	}
}

/* What happens by itself between two turns. */
static void
progress(void)
{
	struct plan_place *c;
	uint32_t i;

	for (i = 0; i < s.in.places_len; i++) {
		c = &s.places[i];
		c->age += TURN;
		if (c->state == PLAN_PLACE_UP)
			c->synced = true;
		if (c->state == PLAN_PLACE_STARTING && below(2) == 0)
			c->state = PLAN_PLACE_UP;
	}
}

static void
trouble(void)
{
	struct plan_place *c;
	uint32_t n = below(s.in.nodes_len), i;

	switch (below(6)) {
	case 0:
		s.nodes[n].state = (enum plan_node_state)below(6);
		/* What dies with its node stays dead. */
		for (i = 0; i < s.in.places_len; i++)
			if (s.places[i].node == NUMBER(n) &&
			    s.nodes[n].state >= PLAN_NODE_DEAD)
				s.places[i].state = PLAN_PLACE_ENDED;
		break;
	case 1:
		s.nodes[n].draining = !s.nodes[n].draining;
		break;
	case 2:
		forget_all();
		break;
	case 3:
		if (s.in.places_len == 0)
			break;
		c = &s.places[below(s.in.places_len)];
		if (c->state < PLAN_PLACE_LEAVING)
			c->state = below(2) == 0 ? PLAN_PLACE_ENDED :
						   PLAN_PLACE_LEAVING;
		break;
	case 4:
		/* The other side of a partition had started one, too. */
		if (s.in.places_len == 0)
			break;
		c = &s.places[below(s.in.places_len)];
		i = highest[c->app][c->rank]++;
		(void)side_place(&s, c->app, c->rank, NUMBER(n), i);
		break;
	default:
		break;
	}
}

/* How many replicas do not run exactly once. */
static uint32_t
not_once(void)
{
	uint32_t i, k, copies, bad = 0;

	for (i = 0; i < s.plan.seats_len; i++) {
		copies = 0;
		for (k = 0; k < s.in.places_len; k++)
			copies += s.places[k].app == s.plan.seats[i].app &&
			    s.places[k].rank == s.plan.seats[i].rank &&
			    alive(&s.places[k]);
		bad += copies != 1;
	}
	return bad;
}

static void
cluster_comes_to_rest(void)
{
	uint32_t k, i, bad = 0, late = 0;

	for (k = 0; k < SEEDS; k++) {
		begin(k);
		for (i = 0; i < TURNS; i++) {
			trouble();
			progress();
			turn();
		}
		for (i = 0; i < s.in.nodes_len; i++) {
			s.nodes[i].state = PLAN_NODE_ALIVE;
			s.nodes[i].draining = false;
		}
		for (i = 0; i < PEACE; i++) {
			progress();
			turn();
		}
		if (not_once() > 0 && bad++ == 0)
			printf("# seed %u\n", k);
		late += recon_orders(&rec, s.orders, 256);
	}
	is_u64(bad, 0, "each replica runs exactly once in the end");
	is_u64(late, 0, "no order is left over");
	is_u64(unsafe, 0, "nothing was stopped without another that is up");
	is_u64(unasked, 0, "no stop named what does not run");
}

/* Without a scheduler's death incarnations rise, whatever was lost. */
static void
incarnations_rise(void)
{
	uint32_t k, i;

	reused = 0;
	for (k = 0; k < SEEDS; k++) {
		begin(k);
		for (i = 0; i < TURNS; i++) {
			if (below(3) == 0 && s.in.places_len > 0)
				s.places[below(s.in.places_len)].state =
				    PLAN_PLACE_ENDED;
			progress();
			turn();
		}
	}
	is_u64(reused, 0, "no incarnation is given twice");
}

int
main(void)
{
	cluster_comes_to_rest();
	incarnations_rise();
	free(memory);
	free(s.memory);
	return done_testing();
}
