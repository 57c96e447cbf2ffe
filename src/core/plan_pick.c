/* SPDX-License-Identifier: ISC */
/*
 * The choice of one node for one replica.  First the hard rules take nodes
 * away, in a fixed order.  Then the soft ones, the strongest first, each
 * keep of what is left those nodes that break it least: so a rule is given
 * up only as far as it must be, the weakest one first, and where a legal
 * node exists one is found.  Groups that hold all nodes in question cannot
 * be avoided and do not count.  Only among nodes that are equal up to there
 * is the policy asked, and among those that cost the same a rendezvous hash
 * (Thaler, Ravishankar 1998) draws: the same on every node, and the loss of
 * one node changes nothing for the others.
 */
#include "core/plan_parts.h"

#include <string.h>

#include "base/hash.h"
#include "base/wr.h"

/* Of a fault on the node itself, against one in a group of it. */
#define AVOID_NODE 256u
#define AVOID_TIMES 16u

static bool
set_empty(const struct orcm_map_set *s)
{
	return (s->bits[0] | s->bits[1]) == 0;
}

static void
set_add(struct orcm_map_set *s, uint32_t i)
{
	s->bits[i / 64] |= UINT64_C(1) << i % 64;
}

static void
set_remove(struct orcm_map_set *s, uint32_t i)
{
	s->bits[i / 64] &= ~(UINT64_C(1) << i % 64);
}

static void
set_and(struct orcm_map_set *s, const struct orcm_map_set *by)
{
	s->bits[0] &= by->bits[0];
	s->bits[1] &= by->bits[1];
}

static void
set_minus(struct orcm_map_set *s, const struct orcm_map_set *by)
{
	s->bits[0] &= ~by->bits[0];
	s->bits[1] &= ~by->bits[1];
}

static bool
set_within(const struct orcm_map_set *s, const struct orcm_map_set *all)
{
	return ((s->bits[0] & ~all->bits[0]) | (s->bits[1] & ~all->bits[1])) ==
	    0;
}

uint32_t
plan_node_index(const struct plan_in *in, uint16_t number)
{
	uint32_t low = 0, high = in->nodes_len, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (in->nodes[mid].number < number)
			low = mid + 1;
		else
			high = mid;
	}
	return low < in->nodes_len && in->nodes[low].number == number ?
	    low : PLAN_NODE_NONE;
}

bool
plan_node_usable(const struct plan_node *n)
{
	return n->state == PLAN_NODE_ALIVE && !n->draining;
}

static enum plan_spread
spread_of(const struct plan_app *app, uint32_t level)
{
	if (app->spread[level] != PLAN_SPREAD_USUAL)
		return app->spread[level];
	return level == 0 ? PLAN_SPREAD_FIRM : PLAN_SPREAD_SOFT;
}

static void
wishes(struct plan *p, const struct plan_app *app)
{
	const struct plan_in *in = p->in;
	const struct plan_wish *w;
	struct orcm_map_set busy;
	uint32_t i, n, node;

	for (i = 0; i < in->wishes_len; i++) {
		w = &in->wishes[i];
		if (w->app != app->id)
			continue;
		memset(&busy, 0, sizeof(busy));
		for (n = 0; w->other != 0 && n < PLAN_REPLICAS_MAX; n++) {
			const struct plan_seat *s = plan_seat(p, w->other, n);

			node = s == NULL ? PLAN_NODE_NONE :
					   plan_node_index(in, s->node);
			if (node != PLAN_NODE_NONE)
				set_add(&busy, node);
		}
		for (n = 0; n < in->nodes_len; n++)
			if (w->other != 0 ? orcm_map_in(&busy, n) :
					    !orcm_map_in(&w->nodes, n))
				p->work.nodes[n].dislike += w->weight;
	}
}

static void
faults(struct plan *p, const struct plan_app *app)
{
	const struct plan_fault *f;
	uint32_t i, g, node;

	for (i = 0; i < p->in->faults_len; i++) {
		f = &p->in->faults[i];
		node = plan_node_index(p->in, f->node);
		if (f->app != app->id || node == PLAN_NODE_NONE)
			continue;
		p->work.nodes[node].faults += f->count;
		for (g = 0; g < p->in->groups_len; g++)
			if (orcm_map_in(&p->in->groups[g].nodes, node))
				p->work.groups[g].faults += f->count;
	}
}

static void
count(struct plan *p, const struct plan_app *app, uint32_t node, bool more)
{
	uint32_t by = more ? 1 : (uint32_t)-1, g;

	p->work.nodes[node].siblings += by;
	p->work.placed += by;
	p->work.nodes[node].used += by * app->slots;
	for (g = 0; g < p->in->groups_len; g++)
		if (orcm_map_in(&p->work.member[node], g))
			p->work.groups[g].siblings += by;
}

void
pick_app(struct plan *p, const struct plan_app *app)
{
	struct plan_work *w = &p->work;
	uint32_t i;

	for (i = 0; i < p->in->nodes_len; i++) {
		w->nodes[i].siblings = w->nodes[i].faults = 0;
		w->nodes[i].dislike = 0;
	}
	for (i = 0; i < p->in->groups_len; i++)
		w->groups[i].siblings = w->groups[i].faults = 0;
	w->placed = 0;
	faults(p, app);
	wishes(p, app);
	for (i = 0; i < app->replicas; i++) {
		if (w->seats[i] == PLAN_NODE_NONE)
			continue;
		/* Its slots were counted when it was seated. */
		w->nodes[w->seats[i]].used -= app->slots;
		count(p, app, w->seats[i], true);
	}
}

void
pick_put(struct plan *p, const struct plan_app *app, uint32_t rank,
    uint32_t node)
{
	p->work.seats[rank] = (uint16_t)node;
	count(p, app, node, true);
}

void
pick_drop(struct plan *p, const struct plan_app *app, uint32_t rank)
{
	count(p, app, p->work.seats[rank], false);
	p->work.seats[rank] = PLAN_NODE_NONE;
}

static struct orcm_map_set
pinned(const struct plan *p, const struct plan_app *app, uint32_t rank)
{
	struct orcm_map_set s = { { UINT64_MAX, UINT64_MAX } };
	const struct plan_pin *pin;
	uint32_t i;

	for (i = 0; i < p->in->pins_len; i++) {
		pin = &p->in->pins[i];
		if (pin->app == app->id &&
		    (pin->rank == rank || pin->rank == PLAN_RANK_ALL))
			set_and(&s, &pin->nodes);
	}
	return s;
}

struct orcm_map_set
pick_allowed(const struct plan *p, const struct plan_app *app, uint32_t rank)
{
	struct orcm_map_set s = pinned(p, app, rank), all = { { 0, 0 } };
	uint32_t i;

	for (i = 0; i < p->in->nodes_len; i++)
		set_add(&all, i);
	set_and(&s, &all);
	set_minus(&s, &app->forbid);
	return s;
}

/* A copy that shall leave may not be given the same node again. */
static void
without_left(struct plan *p, const struct plan_app *app, uint32_t rank,
    struct orcm_map_set *s)
{
	const struct plan_seat *seat = plan_seat(p, app->id, rank);
	uint32_t next = PLAN_FIRST, at, node;

	while ((at = plan_copy(p, seat, &next)) != PLAN_FIRST) {
		if (p->in->places[at].state != PLAN_PLACE_LEAVING)
			continue;
		node = plan_node_index(p->in, p->in->places[at].node);
		if (node != PLAN_NODE_NONE)
			set_remove(s, node);
	}
}

/*
 * Strict groups that have a replica already.  One that holds all nodes of the
 * app cannot be kept for one; a single rank's pin is no such excuse.
 */
static void
without_shared(struct plan *p, const struct plan_app *app,
    struct orcm_map_set *s)
{
	struct orcm_map_set allowed = pick_allowed(p, app, PLAN_RANK_ALL);
	const struct plan_group *g;
	uint32_t i;

	for (i = 0; i < p->in->groups_len; i++) {
		g = &p->in->groups[i];
		if (spread_of(app, g->level) == PLAN_SPREAD_STRICT &&
		    p->work.groups[i].siblings > 0 &&
		    !set_within(&allowed, &g->nodes))
			set_minus(s, &g->nodes);
	}
}

static bool
full(const struct plan *p, const struct plan_app *app, uint32_t node)
{
	uint32_t slots = p->in->nodes[node].slots;

	return slots != 0 &&
	    (uint64_t)p->work.nodes[node].used + app->slots > slots;
}

enum plan_bar
pick_legal(struct plan *p, const struct plan_app *app, uint32_t rank)
{
	struct plan_work *w = &p->work;
	struct orcm_map_set pins = pinned(p, app, rank), s = { { 0, 0 } };
	enum plan_bar bar = PLAN_BAR_NONE;
	uint32_t i, at;

	memset(&w->legal, 0, sizeof(w->legal));
	for (i = 0; i < p->in->nodes_len; i++)
		if (plan_node_usable(&p->in->nodes[i]))
			set_add(&s, i);
	without_left(p, app, rank, &s);
	for (at = PLAN_BAR_STATE; at <= PLAN_BAR_CAPACITY; at++) {
		if (at == PLAN_BAR_PIN)
			set_and(&s, &pins);
		else if (at == PLAN_BAR_FORBID)
			set_minus(&s, &app->forbid);
		else if (at == PLAN_BAR_STRICT)
			without_shared(p, app, &s);
		for (i = 0; i < p->in->nodes_len; i++)
			if ((at == PLAN_BAR_NODE && !app->allow_same &&
				w->nodes[i].siblings > 0) ||
			    (at == PLAN_BAR_CAPACITY && full(p, app, i)))
				set_remove(&s, i);
		if (set_empty(&s) && bar == PLAN_BAR_NONE)
			bar = (enum plan_bar)at;
		if (at == PLAN_BAR_FORBID)
			for (i = 0; i < p->in->groups_len; i++)
				w->groups[i].whole = set_within(&s,
				    &p->in->groups[i].nodes);
	}
	for (i = 0; i < p->in->nodes_len; i++)
		w->nodes[i].legal = orcm_map_in(&s, i);
	w->legal = s;
	return bar;
}

/* How near a node is to where the replica just failed. */
static uint32_t
avoided(const struct plan *p, const struct plan_app *app, uint32_t rank,
    uint32_t node)
{
	const struct plan_fault *f;
	uint32_t i, g, where, times, sum = 0;

	for (i = 0; i < p->in->faults_len; i++) {
		f = &p->in->faults[i];
		if (f->app != app->id || f->rank != rank)
			continue;
		where = plan_node_index(p->in, f->node);
		if (where == PLAN_NODE_NONE)
			continue;
		times = f->count < AVOID_TIMES ? f->count : AVOID_TIMES;
		if (where == node)
			sum += AVOID_NODE * times;
		for (g = 0; g < p->in->groups_len; g++)
			if (!p->work.groups[g].whole &&
			    orcm_map_in(&p->work.member[where], g) &&
			    orcm_map_in(&p->work.member[node], g))
				sum += times;
	}
	return sum;
}

static void
look(const struct plan *p, const struct plan_app *app, uint32_t rank,
    uint32_t node, struct pick_price *price)
{
	const struct orcm_map_group *group;
	enum plan_spread spread;
	uint32_t g;

	memset(price, 0, sizeof(*price));
	price->broken[PICK_AVOID] = avoided(p, app, rank, node);
	if (!app->map->spread)
		return;
	price->broken[PICK_NODES] = p->work.nodes[node].siblings;
	for (g = 0; g < p->in->groups_len; g++) {
		group = &p->work.groups[g];
		if (group->whole || !orcm_map_in(&p->work.member[node], g))
			continue;
		spread = spread_of(app, group->level);
		if (spread == PLAN_SPREAD_SOFT)
			price->broken[PICK_SPREAD] += group->siblings;
		else if (spread != PLAN_SPREAD_NONE)
			price->broken[PICK_GROUPS] += group->siblings;
	}
}

int
pick_compare(const struct pick_price *a, const struct pick_price *b)
{
	uint32_t i;

	for (i = 0; i < PICK_RULES; i++)
		if (a->broken[i] != b->broken[i])
			return a->broken[i] < b->broken[i] ? -1 : 1;
	return 0;
}

static uint64_t
cost(const struct plan *p, const struct plan_app *app, uint32_t rank,
    uint32_t node, const struct pick_price *price)
{
	const struct plan_work *w = &p->work;
	struct orcm_map_view view = {
		.size = sizeof(view),
		.nodes = w->nodes,
		.nodes_len = p->in->nodes_len,
		.groups = w->groups,
		.groups_len = p->in->groups_len,
		.rank = rank,
		.replicas = app->replicas,
		.seats = w->seats,
		.placed = w->placed,
		.last = p->last,
		.extra = price->broken[PICK_NODES] > 0 ||
		    price->broken[PICK_GROUPS] > 0,
		.seed = p->in->seed,
		.args = app->args,
	};

	return app->map->cost(&view, node);
}

/* Rendezvous: everybody draws the same lot for a replica and a node. */
static uint64_t
lot(const struct plan *p, uint64_t app, uint32_t rank, uint32_t node)
{
	uint8_t key[8 + 4 + 4 + 8];
	struct wr w;

	wr_init(&w, key, sizeof(key));
	wr_u64(&w, app);
	wr_u32(&w, rank);
	wr_u32(&w, p->in->nodes[node].number);
	wr_u64(&w, p->in->seed);
	return hash_of(key, sizeof(key));
}

uint32_t
pick_best(struct plan *p, const struct plan_app *app, uint32_t rank,
    struct pick_price *best)
{
	struct pick_price price;
	uint32_t i, node = PLAN_NODE_NONE;
	bool found = false;

	for (i = 0; i < p->in->nodes_len; i++) {
		if (!orcm_map_in(&p->work.legal, i))
			continue;
		look(p, app, rank, i, &price);
		if (!found || pick_compare(&price, best) < 0)
			*best = price;
		found = true;
	}
	for (i = 0; i < p->in->nodes_len; i++) {
		if (!orcm_map_in(&p->work.legal, i))
			continue;
		look(p, app, rank, i, &price);
		if (pick_compare(&price, best) != 0)
			continue;
		price.cost = cost(p, app, rank, i, &price);
		if (node == PLAN_NODE_NONE || price.cost < best->cost ||
		    (price.cost == best->cost && lot(p, app->id, rank, i) <
			lot(p, app->id, rank, node))) {
			*best = price;
			node = i;
		}
	}
	return node;
}

struct pick_price
pick_look(struct plan *p, const struct plan_app *app, uint32_t rank,
    uint32_t node)
{
	struct pick_price price;

	look(p, app, rank, node, &price);
	price.cost = cost(p, app, rank, node, &price);
	return price;
}
