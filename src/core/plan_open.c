/* SPDX-License-Identifier: ISC */
/*
 * The start of a plan: looks whether the question is in order, turns it into
 * the tables that the choice needs, and ties each copy and each order to its
 * seat, so that nothing is searched for later.  It decides nothing.
 */
#include "core/plan_parts.h"

#include <string.h>

static bool
apps_good(const struct plan *p, const struct plan_in *in)
{
	const struct plan_app *a;
	uint32_t i, l, seats = 0;

	for (i = 0; i < in->apps_len; i++) {
		a = &in->apps[i];
		if ((i > 0 && a->id <= a[-1].id) || a->id == 0 ||
		    a->replicas > PLAN_REPLICAS_MAX || a->map == NULL ||
		    a->map->cost == NULL || a->slots > UINT16_MAX)
			return false;
		for (l = 0; l < PLAN_LEVELS_MAX; l++)
			if (a->spread[l] > PLAN_SPREAD_STRICT)
				return false;
		seats += a->replicas;
	}
	return seats <= p->conf.seats_max;
}

static bool
in_good(const struct plan *p, const struct plan_in *in)
{
	uint32_t i;

	if (in->nodes_len > PLAN_NODES_MAX ||
	    in->groups_len > PLAN_GROUPS_MAX || in->apps_len > PLAN_APPS_MAX ||
	    in->pins_len > PLAN_LISTS_MAX || in->wishes_len > PLAN_LISTS_MAX ||
	    in->faults_len > PLAN_LISTS_MAX ||
	    in->places_len > p->conf.places_max ||
	    in->orders_len > PLAN_SEATS_MAX)
		return false;
	for (i = 0; i < in->nodes_len; i++)
		if (in->nodes[i].number == PLAN_NODE_NONE ||
		    (i > 0 && in->nodes[i].number <= in->nodes[i - 1].number))
			return false;
	for (i = 0; i < in->groups_len; i++)
		if (in->groups[i].level >= PLAN_LEVELS_MAX)
			return false;
	return apps_good(p, in);
}

void
plan_note(struct plan *p, const struct plan_seat *s, enum plan_remark remark,
    enum plan_bar bar, uint32_t count)
{
	if (p->notes_len == p->conf.notes_max) {
		p->notes_lost++;
		return;
	}
	p->notes[p->notes_len++] = (struct plan_note){ s->app, s->rank,
		s->node, remark, bar, count };
}

/* Facts that are the same for all apps. */
static void
nodes_open(struct plan *p)
{
	const struct plan_in *in = p->in;
	struct plan_work *w = &p->work;
	const struct plan_node *n;
	uint32_t i, g;

	memset(w, 0, sizeof(*w));
	for (i = 0; i < in->nodes_len; i++) {
		n = &in->nodes[i];
		w->nodes[i].number = n->number;
		w->nodes[i].name = n->name;
		w->nodes[i].alive = n->state <= PLAN_NODE_STALLED;
		w->nodes[i].stalled = n->state == PLAN_NODE_STALLED;
		w->nodes[i].draining = n->draining;
		w->nodes[i].slots = n->slots;
		w->nodes[i].load = n->load;
		w->nodes[i].health = n->health;
		w->nodes[i].risk = n->risk;
		for (g = 0; g < in->groups_len; g++)
			if (orcm_map_in(&in->groups[g].nodes, i))
				w->member[i].bits[g / 64] |= UINT64_C(1)
				    << g % 64;
	}
	for (g = 0; g < in->groups_len; g++) {
		w->groups[g].name = in->groups[g].name;
		w->groups[g].nodes = in->groups[g].nodes;
		w->groups[g].level = in->groups[g].level;
		w->groups[g].risk = in->groups[g].risk;
	}
}

static void
seats_open(struct plan *p)
{
	const struct plan_app *a;
	uint32_t i, r;

	p->apps_len = p->in->apps_len;
	for (i = 0; i < p->apps_len; i++) {
		a = &p->in->apps[i];
		p->first[i] = p->seats_len;
		for (r = 0; r < a->replicas; r++) {
			p->seats[p->seats_len] = (struct plan_seat){ a->id,
				(uint16_t)r, PLAN_NODE_NONE, PLAN_NODE_NONE,
				PLAN_NOWHERE };
			p->heads[p->seats_len] = p->orders[p->seats_len] = 0;
			p->seats_len++;
		}
	}
}

static const struct plan_app *
app_find(const struct plan_in *in, uint64_t id)
{
	uint32_t low = 0, high = in->apps_len, mid;

	while (low < high) {
		mid = (low + high) / 2;
		if (in->apps[mid].id < id)
			low = mid + 1;
		else
			high = mid;
	}
	return low < in->apps_len && in->apps[low].id == id ? &in->apps[low] :
							      NULL;
}

bool
plan_lives(const struct plan_place *c)
{
	return c->state <= PLAN_PLACE_LEAVING;
}

/* It runs without a seat; that is said and it is left alone. */
static void
note_surplus(struct plan *p, const struct plan_place *c)
{
	struct plan_seat s = { c->app, c->rank, c->node, c->node,
		PLAN_NOWHERE };

	plan_note(p, &s, PLAN_SURPLUS, PLAN_BAR_NONE, 0);
}

/* Each place to its seat; what lives takes slots wherever it belongs. */
static void
places_open(struct plan *p)
{
	const struct plan_app *a;
	const struct plan_seat *s;
	const struct plan_place *c;
	uint32_t i, node;

	/* Backwards, so that a chain has the order of the places. */
	for (i = p->in->places_len; i-- > 0;) {
		c = &p->in->places[i];
		a = app_find(p->in, c->app);
		s = plan_seat(p, c->app, c->rank);
		node = plan_node_index(p->in, c->node);
		p->nexts[i] = 0;
		if (s != NULL) {
			p->nexts[i] = p->heads[s - p->seats];
			p->heads[s - p->seats] = i + 1;
		}
		if (!plan_lives(c))
			continue;
		if (node != PLAN_NODE_NONE)
			p->work.nodes[node].used += a == NULL ? 1 : a->slots;
		if (a != NULL && s == NULL)
			note_surplus(p, c);
	}
	for (i = 0; i < p->in->orders_len; i++) {
		s = plan_seat(p, p->in->orders[i].app, p->in->orders[i].rank);
		if (s != NULL)
			p->orders[s - p->seats] = i + 1;
	}
}

bool
plan_open(struct plan *p)
{
	if (!in_good(p, p->in))
		return false;
	nodes_open(p);
	seats_open(p);
	places_open(p);
	return true;
}
