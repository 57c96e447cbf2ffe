/* SPDX-License-Identifier: ISC */
/*
 * One look over the plan and the copies of each of its seats gives the
 * orders.  A seat without a copy on its node gets a START, once: until the
 * copy is seen the order is remembered, the next plan sticks to it, and when
 * it comes to nothing its incarnation is not used again.  A copy that is not
 * the seat's is marked, and only when it has been so for a while, and the
 * seat's own copy is up and has caught up, it gets a STOP that names it by
 * node and incarnation.
 *
 * So a view that forgets a replica costs a needless START at worst.  Against
 * a view that forgets many, the first plan of a scheduler's life is held
 * back when it would change too much; and no second sees more orders than
 * rate_max.  Nothing of this is kept elsewhere: a new scheduler finds starts
 * under way as copies in its first view.
 */
#include "core/recon.h"

#include <string.h>

#include "base/require.h"

#define MINUTE (60 * ORCM_SECOND)

/* The copies of one seat, at a glance. */
struct seen {
	const struct plan_place *here; /* on the seat's node, the newest */
	uint32_t elsewhere;	       /* others that live */
	uint32_t highest;	       /* incarnation, of all that are known */
	bool any;
};

size_t
recon_memory(const struct recon_conf *conf)
{
	return conf->orders_max * sizeof(struct recon_order) +
	    conf->extras_max * sizeof(struct recon_extra) +
	    (conf->rate_max + RECON_ALARMS) * sizeof(struct recon_out) +
	    3 * 16;
}

void
recon_init(struct recon *r, struct arena *a, const struct recon_conf *conf)
{
	REQUIRE(conf->balance_max <= RECON_MOVES);
	memset(r, 0, sizeof(*r));
	r->conf = *conf;
	r->orders = arena_alloc(a, conf->orders_max, sizeof(*r->orders));
	r->extras = arena_alloc(a, conf->extras_max, sizeof(*r->extras));
	r->outs = arena_alloc(a, conf->rate_max + RECON_ALARMS,
	    sizeof(*r->outs));
	r->due = ORCM_NEVER;
}

static void
due_by(struct recon *r, uint64_t at)
{
	if (at < r->due)
		r->due = at;
}

/* Is there room for one more order in this second? */
static bool
may_order(struct recon *r, uint64_t now)
{
	if (now - r->tokens_at >= ORCM_SECOND) {
		r->tokens_at = now;
		r->spent = 0;
	}
	if (r->spent < r->conf.rate_max)
		return true;
	due_by(r, r->tokens_at + ORCM_SECOND);
	return false;
}

static void
put(struct recon *r, const struct recon_out *out)
{
	REQUIRE(r->outs_len < r->conf.rate_max + RECON_ALARMS);
	r->outs[r->outs_len++] = *out;
	if (out->verb != RECON_OUT_ALARM)
		r->spent++;
}

/* On a node that is given up nothing lives any more. */
static bool
lives(const struct plan_in *v, const struct plan_place *c)
{
	uint32_t i;

	if (c->state > PLAN_PLACE_LEAVING)
		return false;
	for (i = 0; i < v->nodes_len; i++)
		if (v->nodes[i].number == c->node)
			return v->nodes[i].state < PLAN_NODE_DEAD ||
			    c->state == PLAN_PLACE_WAITING;
	return false;
}

static bool
reached(const struct plan_in *v, uint16_t node)
{
	uint32_t i;

	for (i = 0; i < v->nodes_len; i++)
		if (v->nodes[i].number == node)
			return v->nodes[i].state <= PLAN_NODE_STALLED;
	return false;
}

static struct seen
look(const struct recon_in *in, const struct plan_seat *s)
{
	struct seen seen = { NULL, 0, 0, false };
	uint32_t next = PLAN_FIRST, at;
	const struct plan_place *c;

	while ((at = plan_copy(in->plan, s, &next)) != PLAN_FIRST) {
		c = &in->view->places[at];
		if (c->incarnation >= seen.highest) {
			seen.highest = c->incarnation;
			seen.any = true;
		}
		if (!lives(in->view, c))
			continue;
		if (c->node != s->node || c->state == PLAN_PLACE_LEAVING)
			seen.elsewhere++;
		else if (seen.here == NULL)
			seen.here = c;
		else {
			/* Twice on one node: the older life is over. */
			seen.elsewhere++;
			if (c->incarnation > seen.here->incarnation)
				seen.here = c;
		}
	}
	return seen;
}

static struct recon_order *
order_find(const struct recon *r, const struct plan_seat *s)
{
	struct recon_order *o;
	uint32_t i;

	for (i = 0; i < r->conf.orders_max; i++) {
		o = &r->orders[i];
		if (o->used && o->order.app == s->app &&
		    o->order.rank == s->rank)
			return o;
	}
	return NULL;
}

static struct recon_order *
order_new(struct recon *r)
{
	uint32_t i;

	for (i = 0; i < r->conf.orders_max; i++)
		if (!r->orders[i].used)
			return &r->orders[i];
	r->full = true;
	return NULL;
}

/* What has become of each order. */
static void
orders_look(struct recon *r, uint64_t now, const struct recon_in *in)
{
	const struct plan_seat *s;
	struct recon_order *o;
	struct seen seen;
	uint32_t i;

	for (i = 0; i < r->conf.orders_max; i++) {
		o = &r->orders[i];
		if (!o->used)
			continue;
		s = plan_seat(in->plan, o->order.app, o->order.rank);
		if (s == NULL) {
			/* The app is not configured any more. */
			o->used = false;
			continue;
		}
		seen = look(in, s);
		if (s->node != o->order.node ||
		    (seen.here == NULL && now - o->since >= r->conf.order_max))
			o->over = true;
		else if (seen.here == NULL)
			due_by(r, o->since + r->conf.order_max);
		/* A move ends when the old copy is gone, a number when seen. */
		if (seen.any && seen.highest >= o->order.incarnation &&
		    (o->over || seen.elsewhere == 0 || seen.here == NULL))
			o->used = false;
	}
}

static bool
moves(const struct plan_seat *s)
{
	return s->why == PLAN_MOVED || s->why == PLAN_BALANCED;
}

static bool
adopting(struct recon *r, uint64_t now)
{
	if (now - r->start >= r->conf.adopt_hold)
		return false;
	due_by(r, r->start + r->conf.adopt_hold);
	return true;
}

static void
start(struct recon *r, uint64_t now, const struct plan_seat *s,
    const struct seen *seen)
{
	struct recon_order *o;
	uint32_t incarnation = seen->any ? seen->highest + 1 : 0;
	struct recon_out out = { RECON_OUT_START, RECON_MISSING, s->app,
		s->rank, s->node, 0, 0, 0 };

	if (!may_order(r, now))
		return;
	if (seen->elsewhere > 0 && adopting(r, now))
		return;
	o = order_find(r, s);
	/* Under way, or what that node just did not do: not again at once. */
	if (o != NULL && o->order.node == s->node &&
	    now - o->since < r->conf.order_max) {
		due_by(r, o->since + r->conf.order_max);
		return;
	}
	if (o == NULL) {
		o = order_new(r);
		if (o == NULL)
			return;
	} else if (o->order.incarnation >= incarnation) {
		incarnation = o->order.incarnation + 1;
	}
	o->used = true;
	o->over = false;
	o->order = (struct plan_order){ s->app, s->rank, s->node, incarnation,
		s->why == PLAN_BALANCED };
	o->since = now;
	if (s->why == PLAN_BALANCED)
		r->moves[r->moves_at++ % RECON_MOVES] = now;
	if (seen->elsewhere > 0)
		out.reason = s->why == PLAN_BALANCED ? RECON_BALANCING :
						       RECON_MOVING;
	out.incarnation = incarnation;
	due_by(r, now + r->conf.order_max);
	put(r, &out);
}

static struct recon_extra *
extra_find(struct recon *r, uint64_t now, const struct plan_place *c)
{
	struct recon_extra *e, *free = NULL;
	uint32_t i;

	for (i = 0; i < r->conf.extras_max; i++) {
		e = &r->extras[i];
		if (!e->used) {
			if (free == NULL)
				free = e;
			continue;
		}
		if (e->app == c->app && e->rank == c->rank &&
		    e->node == c->node && e->incarnation == c->incarnation)
			return e;
	}
	if (free == NULL) {
		r->full = true;
		return NULL;
	}
	memset(free, 0, sizeof(*free));
	free->used = true;
	free->app = c->app;
	free->rank = c->rank;
	free->node = c->node;
	free->incarnation = c->incarnation;
	free->since = now;
	return free;
}

/* One copy that is not the seat's, while the seat's own is `here`. */
static void
stop(struct recon *r, uint64_t now, const struct recon_in *in,
    const struct plan_seat *s, const struct plan_place *here,
    const struct plan_place *c)
{
	struct recon_extra *e = extra_find(r, now, c);
	struct recon_out out = { RECON_OUT_STOP, RECON_DUPLICATE, c->app,
		c->rank, c->node, c->incarnation, 0, 0 };
	bool hold = adopting(r, now);

	if (e == NULL)
		return;
	e->seen = true;
	if (moves(s))
		out.reason = s->why == PLAN_MOVED ? RECON_MOVING :
						    RECON_BALANCING;
	else if (now - e->since < r->conf.dup_hold) {
		due_by(r, e->since + r->conf.dup_hold);
		hold = true;
	}
	if (e->told && now - e->at < r->conf.order_max) {
		due_by(r, e->at + r->conf.order_max);
		hold = true;
	}
	if (hold || here->state != PLAN_PLACE_UP || !here->synced ||
	    !reached(in->view, here->node) || !reached(in->view, c->node) ||
	    !may_order(r, now))
		return;
	e->told = true;
	e->at = now;
	put(r, &out);
}

static void
seat_look(struct recon *r, uint64_t now, const struct recon_in *in,
    const struct plan_seat *s)
{
	uint32_t next = PLAN_FIRST, at;
	struct seen seen;

	if (s->node == PLAN_NODE_NONE)
		return;
	seen = look(in, s);
	if (seen.here == NULL) {
		start(r, now, s, &seen);
		return;
	}
	while (seen.elsewhere > 0 &&
	    (at = plan_copy(in->plan, s, &next)) != PLAN_FIRST)
		if (&in->view->places[at] != seen.here &&
		    lives(in->view, &in->view->places[at]))
			stop(r, now, in, s, seen.here,
			    &in->view->places[at]);
}

/* How much the plan would change of how much, times and holds aside. */
static void
count(const struct recon_in *in, uint32_t *changes, uint32_t *of)
{
	const struct plan_seat *s;
	struct seen seen;
	uint32_t i;

	*changes = *of = 0;
	for (i = 0; i < in->plan->seats_len; i++) {
		s = &in->plan->seats[i];
		if (s->node == PLAN_NODE_NONE)
			continue;
		seen = look(in, s);
		*changes += seen.here != NULL ? seen.elsewhere : 1;
		*of += 1 + (seen.here != NULL ? seen.elsewhere : 0);
	}
}

/* May the first plan of our life be carried out? */
static bool
settle(struct recon *r, const struct recon_in *in)
{
	uint32_t changes, of;

	if (r->settled)
		return true;
	count(in, &changes, &of);
	if (in->cold || changes <= r->conf.change_free ||
	    (uint64_t)changes * 1000 <=
	    (uint64_t)of * r->conf.change_limit) {
		r->settled = true;
		return true;
	}
	if (!r->alarmed)
		put(r, &(struct recon_out){ RECON_OUT_ALARM, RECON_TOO_MANY, 0,
		    ORCM_RANK_NONE, PLAN_NODE_NONE, 0, changes, of });
	r->alarmed = true;
	return false;
}

static void
view(struct recon *r, uint64_t now, const struct recon_in *in)
{
	uint32_t i;

	if (!r->begun)
		r->start = now;
	r->begun = true;
	r->due = ORCM_NEVER;
	r->full = false;
	/* A plan without a seat is no plan. */
	if (in->plan->seats_len == 0 || !settle(r, in))
		return;
	for (i = 0; i < r->conf.extras_max; i++)
		r->extras[i].seen = false;
	orders_look(r, now, in);
	for (i = 0; i < in->plan->seats_len; i++)
		seat_look(r, now, in, &in->plan->seats[i]);
	for (i = 0; i < r->conf.extras_max; i++)
		r->extras[i].used = r->extras[i].used && r->extras[i].seen;
	if (r->full && !r->full_told)
		put(r, &(struct recon_out){ RECON_OUT_ALARM, RECON_FULL, 0,
		    ORCM_RANK_NONE, PLAN_NODE_NONE, 0, 0, 0 });
	r->full_told = r->full;
}

static void
refused(struct recon *r, const struct recon_in *in)
{
	struct recon_order *o;
	uint32_t i;

	for (i = 0; i < r->conf.orders_max; i++) {
		o = &r->orders[i];
		if (o->used && o->order.app == in->app &&
		    o->order.rank == in->rank &&
		    o->order.incarnation == in->incarnation)
			o->over = true;
	}
}

void
recon_feed(struct recon *r, uint64_t now, const struct recon_in *in)
{
	REQUIRE(r->outs_at == r->outs_len);
	r->outs_at = r->outs_len = 0;
	switch (in->event) {
	case RECON_IN_VIEW:
		view(r, now, in);
		break;
	case RECON_IN_ALLOW:
		r->settled = true;
		due_by(r, now);
		break;
	case RECON_IN_REFUSED:
		refused(r, in);
		due_by(r, now);
		break;
	}
}

bool
recon_take(struct recon *r, struct recon_out *out)
{
	if (r->outs_at == r->outs_len)
		return false;
	*out = r->outs[r->outs_at++];
	return true;
}

uint64_t
recon_due(const struct recon *r)
{
	return r->due;
}

uint32_t
recon_orders(const struct recon *r, struct plan_order *orders, uint32_t max)
{
	uint32_t i, len = 0;

	for (i = 0; i < r->conf.orders_max && len < max; i++)
		if (r->orders[i].used && !r->orders[i].over)
			orders[len++] = r->orders[i].order;
	return len;
}

uint32_t
recon_moves_left(const struct recon *r, uint64_t now)
{
	uint32_t i, recent = 0;

	for (i = 0; i < RECON_MOVES && i < r->moves_at; i++)
		if (now - r->moves[i] < MINUTE)
			recent++;
	return recent < r->conf.balance_max ? r->conf.balance_max - recent : 0;
}

const char *
recon_reason_name(enum recon_reason reason)
{
	static const char *const names[] = {
		[RECON_MISSING] = "missing",
		[RECON_MOVING] = "moving",
		[RECON_BALANCING] = "balancing",
		[RECON_DUPLICATE] = "duplicate",
		[RECON_TOO_MANY] = "too-many-changes",
		[RECON_FULL] = "table-full",
	};

	return names[reason];
}
