/* SPDX-License-Identifier: ISC */
/*
 * The plan is made from nothing each time, so there is no state that could
 * differ between two nodes.  What keeps running replicas where they are is
 * the view itself: first each replica that may stay is given the seat it
 * has, then what is left is placed, apps of high priority first, of them the
 * most constrained one, and in an app the pinned ranks.  A start that was
 * ordered counts as if it ran there already.
 *
 * Which node is the best one plan_pick.c says.  Orders, and when what runs
 * twice is ended, are the matter of recon.c.
 */
#include "core/plan.h"

#include <string.h>

#include "core/plan_parts.h"

size_t
plan_memory(const struct plan_conf *conf)
{
	return conf->seats_max *
	    (sizeof(struct plan_seat) + 2 * sizeof(uint32_t)) +
	    conf->places_max * sizeof(uint32_t) +
	    conf->notes_max * sizeof(struct plan_note) + 5 * 16;
}

void
plan_init(struct plan *p, struct arena *a, const struct plan_conf *conf)
{
	memset(p, 0, sizeof(*p));
	p->conf = *conf;
	p->seats = arena_alloc(a, conf->seats_max, sizeof(*p->seats));
	p->heads = arena_alloc(a, conf->seats_max, sizeof(*p->heads));
	p->orders = arena_alloc(a, conf->seats_max, sizeof(*p->orders));
	p->nexts = arena_alloc(a, conf->places_max, sizeof(*p->nexts));
	p->notes = arena_alloc(a, conf->notes_max, sizeof(*p->notes));
}

/* May that copy stay where it is, and where is that? */
static bool
may_stay(const struct plan *p, const struct orcm_map_set *allowed,
    const struct plan_place *c, uint32_t *node)
{
	*node = plan_node_index(p->in, c->node);
	if (*node == PLAN_NODE_NONE || !orcm_map_in(allowed, *node))
		return false;
	if (c->state == PLAN_PLACE_WAITING)
		return true;
	return c->state <= PLAN_PLACE_UP &&
	    p->in->nodes[*node].state < PLAN_NODE_DEAD &&
	    !p->in->nodes[*node].draining;
}

/* Is it up where it can be reached? */
static bool
serves(const struct plan *p, const struct plan_place *c)
{
	return c->state == PLAN_PLACE_UP &&
	    p->in->nodes[plan_node_index(p->in, c->node)].state <=
	    PLAN_NODE_STALLED;
}

/* Of two copies that may stay: below 0 when a is the one. */
static int
copy_compare(struct plan *p, const struct plan_app *app,
    const struct plan_place *a, const struct plan_place *b)
{
	uint32_t na = plan_node_index(p->in, a->node);
	uint32_t nb = plan_node_index(p->in, b->node);
	struct pick_price pa, pb;
	int by = 0;

	if (serves(p, a) != serves(p, b))
		return serves(p, a) ? -1 : 1;
	if (na == nb)
		return a->incarnation > b->incarnation ? -1 : 1;
	if (app->reconcile == PLAN_LEADER_FIRST && a->leader != b->leader)
		return a->leader ? -1 : 1;
	if (app->reconcile == PLAN_KEEP_REPLACEMENT &&
	    a->incarnation != b->incarnation)
		return a->incarnation > b->incarnation ? -1 : 1;
	if (app->reconcile == PLAN_LONGEST_RUNNING && a->age != b->age)
		return a->age > b->age ? -1 : 1;
	if (app->reconcile == PLAN_LEADER_FIRST ||
	    app->reconcile == PLAN_BEST_PLACEMENT) {
		(void)pick_legal(p, app, a->rank);
		pa = pick_look(p, app, a->rank, na);
		pb = pick_look(p, app, a->rank, nb);
		by = pick_compare(&pa, &pb);
		if (by == 0 && pa.cost != pb.cost)
			by = pa.cost < pb.cost ? -1 : 1;
	}
	if (by == 0 && a->incarnation != b->incarnation)
		by = a->incarnation < b->incarnation ? -1 : 1;
	return by != 0 ? by : na < nb ? -1 : 1;
}

static void
seat_at(struct plan *p, const struct plan_app *app, struct plan_seat *s,
    uint32_t node, enum plan_why why)
{
	s->node = p->in->nodes[node].number;
	s->why = why;
	pick_put(p, app, s->rank, node);
}

/*
 * A copy that lives on that node, or (on false) on another one: of several
 * that on the lowest node, so the order of the view does not matter.
 */
static const struct plan_place *
copy_find(const struct plan *p, const struct plan_seat *s, bool on,
    uint32_t number)
{
	const struct plan_place *c, *found = NULL;
	uint32_t next = PLAN_FIRST, at, node;

	while ((at = plan_copy(p, s, &next)) != PLAN_FIRST) {
		c = &p->in->places[at];
		node = plan_node_index(p->in, c->node);
		if (plan_lives(c) && node != PLAN_NODE_NONE &&
		    p->in->nodes[node].state < PLAN_NODE_DEAD &&
		    (c->node == number) == on &&
		    (found == NULL || c->node < found->node))
			found = c;
	}
	return found;
}

/* Has what was ordered come to nothing? */
static bool
order_failed(const struct plan *p, const struct plan_seat *s,
    const struct plan_order *o)
{
	uint32_t next = PLAN_FIRST, at;
	const struct plan_place *c;

	while ((at = plan_copy(p, s, &next)) != PLAN_FIRST) {
		c = &p->in->places[at];
		if (c->node == o->node && c->incarnation >= o->incarnation &&
		    c->state > PLAN_PLACE_UP)
			return true;
	}
	return false;
}

/* A start under way is finished, not thought over. */
static bool
stay_by_order(struct plan *p, const struct plan_app *app, struct plan_seat *s,
    const struct orcm_map_set *allowed)
{
	uint32_t at = p->orders[s - p->seats], node;
	const struct plan_place *c;
	const struct plan_order *o;

	if (at == 0)
		return false;
	o = &p->in->orders[at - 1];
	node = plan_node_index(p->in, o->node);
	if (node == PLAN_NODE_NONE || !orcm_map_in(allowed, node) ||
	    !plan_node_usable(&p->in->nodes[node]) || order_failed(p, s, o))
		return false;
	seat_at(p, app, s, node, PLAN_PLACED);
	if (copy_find(p, s, true, o->node) != NULL) {
		p->work.nodes[node].used -= app->slots;
		s->why = PLAN_STAYS;
	}
	c = copy_find(p, s, false, o->node);
	if (c != NULL) {
		s->why = o->balance ? PLAN_BALANCED : PLAN_MOVED;
		s->from = c->node;
	}
	return true;
}

/* Counts the copies that may stay; *best: the first, or the one that wins. */
static uint32_t
stay_copies(struct plan *p, const struct plan_app *app,
    const struct plan_seat *s, const struct orcm_map_set *allowed, bool compare,
    const struct plan_place **best)
{
	uint32_t next = PLAN_FIRST, at, node, len = 0;
	const struct plan_place *c;

	*best = NULL;
	while ((at = plan_copy(p, s, &next)) != PLAN_FIRST) {
		c = &p->in->places[at];
		if (!may_stay(p, allowed, c, &node))
			continue;
		len++;
		if (*best == NULL ||
		    (compare && copy_compare(p, app, c, *best) < 0))
			*best = c;
	}
	return len;
}

static void
stay_at(struct plan *p, const struct plan_app *app, struct plan_seat *s,
    const struct plan_place *c)
{
	uint32_t node = plan_node_index(p->in, c->node);

	p->work.nodes[node].used -= app->slots;
	seat_at(p, app, s, node, PLAN_STAYS);
}

/*
 * Those with one copy first: which one of several is the best placed depends
 * on where the others are.
 */
static void
app_stays(struct plan *p, const struct plan_app *app, uint32_t first)
{
	struct orcm_map_set allowed[PLAN_REPLICAS_MAX];
	const struct plan_place *c;
	struct plan_seat *s;
	uint32_t r;

	memset(p->work.seats, 0xff, sizeof(p->work.seats));
	pick_app(p, app);
	for (r = 0; r < app->replicas; r++) {
		s = &p->seats[first + r];
		allowed[r] = pick_allowed(p, app, r);
		if (!stay_by_order(p, app, s, &allowed[r]) &&
		    stay_copies(p, app, s, &allowed[r], false, &c) == 1)
			stay_at(p, app, s, c);
	}
	for (r = 0; r < app->replicas; r++) {
		s = &p->seats[first + r];
		if (s->why == PLAN_NOWHERE &&
		    stay_copies(p, app, s, &allowed[r], true, &c) > 0)
			stay_at(p, app, s, c);
	}
}

/* Needs no place, or is not allowed one; only when nothing of it lives. */
static bool
is_over(struct plan *p, const struct plan_seat *s)
{
	uint32_t next = PLAN_FIRST, at;
	enum plan_place_state state;
	bool held = false, done = false;

	if (copy_find(p, s, false, PLAN_NODE_NONE) != NULL)
		return false;
	while ((at = plan_copy(p, s, &next)) != PLAN_FIRST) {
		state = p->in->places[at].state;
		held = held || state == PLAN_PLACE_HELD;
		done = done || state == PLAN_PLACE_DONE;
	}
	if (held)
		plan_note(p, s, PLAN_IS_HELD, PLAN_BAR_NONE, 0);
	return held || done;
}

static void
note_relaxed(struct plan *p, const struct plan_seat *s,
    const struct pick_price *price)
{
	static const struct {
		uint32_t rule;
		enum plan_remark remark;
	} order[PICK_RULES] = {
		{ PICK_SPREAD, PLAN_RELAXED_SPREAD },
		{ PICK_AVOID, PLAN_RELAXED_AVOID },
		{ PICK_GROUPS, PLAN_RELAXED_GROUPS },
		{ PICK_NODES, PLAN_RELAXED_NODES },
	};
	uint32_t i;

	for (i = 0; i < PICK_RULES; i++)
		if (price->broken[order[i].rule] > 0)
			plan_note(p, s, order[i].remark, PLAN_BAR_NONE,
			    price->broken[order[i].rule]);
}

static void
place(struct plan *p, const struct plan_app *app, struct plan_seat *s)
{
	const struct plan_place *c = copy_find(p, s, false, PLAN_NODE_NONE);
	struct pick_price price = { { 0 }, 0 };
	enum plan_bar bar = pick_legal(p, app, s->rank);
	uint32_t node;

	s->from = c != NULL ? c->node : PLAN_NODE_NONE;
	if (bar != PLAN_BAR_NONE) {
		plan_note(p, s, PLAN_NO_PLACE, bar, 0);
		return;
	}
	node = pick_best(p, app, s->rank, &price);
	seat_at(p, app, s, node, c != NULL ? PLAN_MOVED : PLAN_PLACED);
	p->last = node;
	note_relaxed(p, s, &price);
}

/* The seats of an app become the facts in hand again. */
static void
app_open(struct plan *p, const struct plan_app *app, uint32_t first)
{
	uint32_t r;

	memset(p->work.seats, 0xff, sizeof(p->work.seats));
	for (r = 0; r < app->replicas; r++)
		p->work.seats[r] = (uint16_t)plan_node_index(p->in,
		    p->seats[first + r].node);
	pick_app(p, app);
}

static uint32_t
set_len(struct orcm_map_set s)
{
	uint32_t len = 0;

	for (; s.bits[0] != 0; s.bits[0] &= s.bits[0] - 1)
		len++;
	for (; s.bits[1] != 0; s.bits[1] &= s.bits[1] - 1)
		len++;
	return len;
}

/* Ranks that may be on few nodes choose before those that have more. */
static void
app_place(struct plan *p, const struct plan_app *app, uint32_t first)
{
	uint32_t choice[PLAN_REPLICAS_MAX], r, at, todo = 0;

	for (r = 0; r < app->replicas; r++) {
		choice[r] = UINT32_MAX;
		if (p->seats[first + r].why != PLAN_NOWHERE ||
		    is_over(p, &p->seats[first + r]))
			continue;
		choice[r] = set_len(pick_allowed(p, app, r));
		todo++;
	}
	if (todo > 0)
		app_open(p, app, first);
	for (; todo > 0; todo--) {
		for (at = 0, r = 1; r < app->replicas; r++)
			if (choice[r] < choice[at])
				at = r;
		place(p, app, &p->seats[first + at]);
		choice[at] = UINT32_MAX;
	}
}

/* Nodes that the app might use, less those that it wants. */
static int32_t
app_slack(const struct plan *p, const struct plan_app *app)
{
	struct orcm_map_set s = pick_allowed(p, app, PLAN_RANK_ALL);
	uint32_t i;

	for (i = 0; i < p->in->nodes_len; i++)
		if (!plan_node_usable(&p->in->nodes[i]))
			s.bits[i / 64] &= ~(UINT64_C(1) << i % 64);
	return (int32_t)set_len(s) - (int32_t)app->replicas;
}

static void
apps_order(const struct plan *p, uint16_t *order)
{
	int32_t slack[PLAN_APPS_MAX];
	const struct plan_app *apps = p->in->apps;
	uint32_t i, at;

	for (i = 0; i < p->apps_len; i++) {
		slack[i] = app_slack(p, &apps[i]);
		for (at = i; at > 0; at--) {
			const struct plan_app *b = &apps[order[at - 1]];

			if (b->priority > apps[i].priority ||
			    (b->priority == apps[i].priority &&
				slack[order[at - 1]] <= slack[i]))
				break;
			order[at] = order[at - 1];
		}
		order[at] = (uint16_t)i;
	}
}

/* Does it run in just one place, up and where it may be? */
static bool
settled(const struct plan *p, const struct plan_seat *s)
{
	uint32_t next = PLAN_FIRST, at, up = 0, others = 0;
	const struct plan_place *c;

	while ((at = plan_copy(p, s, &next)) != PLAN_FIRST) {
		c = &p->in->places[at];
		if (c->node == s->node && c->state == PLAN_PLACE_UP)
			up++;
		else if (plan_lives(c))
			others++;
	}
	at = plan_node_index(p->in, s->node);
	return s->why == PLAN_STAYS && up == 1 && others == 0 &&
	    plan_node_usable(&p->in->nodes[at]);
}

/* Moves one running replica if elsewhere is better by more than a fifth. */
static void
balance_one(struct plan *p, const struct plan_app *app, struct plan_seat *s)
{
	struct pick_price now, best = { { 0 }, 0 };
	uint32_t here, node;
	int by;

	if (s->why == PLAN_NOWHERE || !settled(p, s))
		return;
	here = plan_node_index(p->in, s->node);
	pick_drop(p, app, s->rank);
	node = here;
	if (pick_legal(p, app, s->rank) == PLAN_BAR_NONE) {
		now = pick_look(p, app, s->rank, here);
		node = pick_best(p, app, s->rank, &best);
		by = pick_compare(&best, &now);
		if (by > 0 || (by == 0 && best.cost >= now.cost - now.cost / 5))
			node = here;
	}
	pick_put(p, app, s->rank, node);
	if (node == here)
		return;
	/* The old copy needs its slots until the new one is up. */
	p->work.nodes[here].used += app->slots;
	s->from = s->node;
	s->node = p->in->nodes[node].number;
	s->why = PLAN_BALANCED;
	p->moves++;
}

static void
app_balance(struct plan *p, const struct plan_app *app, uint32_t first)
{
	uint32_t r;

	if (!app->map->balance)
		return;
	app_open(p, app, first);
	for (r = 0; r < app->replicas && p->moves < p->in->moves_max; r++)
		balance_one(p, app, &p->seats[first + r]);
}

bool
plan_make(struct plan *p, const struct plan_in *in)
{
	uint16_t order[PLAN_APPS_MAX];
	uint32_t i, at;

	p->seats_len = p->apps_len = p->notes_len = p->notes_lost = 0;
	p->moves = 0;
	p->last = PLAN_NODE_NONE;
	p->in = in;
	if (!plan_open(p)) {
		p->in = NULL;
		return false;
	}
	for (i = 0; i < p->apps_len; i++)
		app_stays(p, &in->apps[i], p->first[i]);
	apps_order(p, order);
	for (i = 0; i < p->apps_len; i++) {
		at = order[i];
		app_place(p, &in->apps[at], p->first[at]);
	}
	for (i = 0; i < p->apps_len && p->moves < in->moves_max; i++) {
		at = order[i];
		app_balance(p, &in->apps[at], p->first[at]);
	}
	p->in = NULL;
	return true;
}
