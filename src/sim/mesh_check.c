/* SPDX-License-Identifier: ISC */
/*
 * What must hold whatever goes wrong, seen from outside: this file knows what
 * was done to each node, the cores do not.
 */
#include "sim/mesh.h"

/* Two illnesses so close to each other are one. */
#define EPISODE (2 * ORCM_SECOND)

static bool
is_ill(const struct mesh *w, uint32_t i)
{
	const struct mesh_node *n = &w->nodes[i];
	uint8_t all = (uint8_t)((1u << w->plan.links) - 1);
	uint32_t j;

	if (!n->power || !n->running || n->asleep > w->now || n->starved > 0)
		return true;
	for (j = 0; j < w->plan.nodes; j++)
		if (w->cut[i][j] == all || w->cut[j][i] == all)
			return true;
	return false;
}

void
mesh_ill(struct mesh *w, uint32_t i)
{
	struct mesh_node *n = &w->nodes[i];
	bool ill = is_ill(w, i);

	if (ill == n->ill)
		return;
	n->ill = ill;
	if (!ill)
		n->ill_until = w->now;
	else if (n->ill_since == 0 || w->now - n->ill_until > EPISODE)
		n->ill_since = w->now;
}

/* Has it been in trouble for so long that DEAD may be said of it? */
static bool
may_be_dead(const struct mesh *w, const struct mesh_node *n)
{
	uint64_t end = n->ill ? w->now : n->ill_until;

	return n->ill_since != 0 &&
	    end - n->ill_since >= w->times.relocate_hold;
}

/* Nothing has been wrong with it for long, seen at that time. */
static bool
was_well(const struct mesh *w, const struct mesh_node *n, uint64_t at)
{
	return !n->ill && n->ill_until +
	    32 * w->times.mult * w->times.period < at;
}

void
mesh_check_status(struct mesh *w, uint32_t i, const struct memb_out *o)
{
	struct mesh_node *n = &w->nodes[i], *s;
	uint32_t j = mesh_index(w, o->node);
	struct mesh_told *t;
	uint64_t t1 = w->times.mult * w->times.period;

	if (j == MESH_NOBODY || j == i) {
		mesh_fail(w, "only peers have a status");
		return;
	}
	s = &w->nodes[j];
	t = &n->told[j];
	if (o->was != t->status)
		mesh_fail(w, "each status follows the one before");
	if (o->epoch < t->epoch)
		mesh_fail(w, "epochs rise");
	if (o->epoch == t->epoch && t->status >= MEMB_DEAD &&
	    o->status <= t->status)
		mesh_fail(w, "dead and left are for good");
	if (o->epoch == t->epoch && o->status == MEMB_UNKNOWN)
		mesh_fail(w, "who was known stays known");
	if (o->status == MEMB_DEAD && s->running && o->epoch == s->epoch &&
	    !may_be_dead(w, s))
		mesh_fail(w, "no false DEAD within what is borne");
	if ((o->status == MEMB_SUSPECT || o->status == MEMB_DOWN) &&
	    n->woke != 0 && w->now - n->woke < t1 && !n->ill &&
	    was_well(w, s, n->woke) && w->plan.loss == 0 &&
	    w->plan.late == 0 && w->node_loss[i] == 0 &&
	    w->node_loss[j] == 0)
		mesh_fail(w, "who slept accuses nobody");
}

static uint64_t
bits(const struct mesh *w, const struct memb *m, const struct memb_set *s)
{
	uint64_t b = 0;
	uint32_t i, k;

	for (i = 0; i < m->conf.nodes_max; i++)
		if (s->w[i / 64] >> i % 64 & 1) {
			k = mesh_index(w, m->nodes[i].number);
			b |= UINT64_C(1) << k;
		}
	return b;
}

static bool
acts(const struct mesh *w, uint32_t i)
{
	const struct mesh_node *n = &w->nodes[i];

	return n->power && n->running && n->asleep <= w->now &&
	    n->memb.view.quorate;
}

void
mesh_check_turn(struct mesh *w, uint32_t i)
{
	struct mesh_node *n = &w->nodes[i];
	uint32_t j;

	n->reach = bits(w, &n->memb, &n->memb.reach);
	n->members = bits(w, &n->memb, &n->memb.members);
	if (n->memb.out.w[0] != 0)
		w->excluded = true;
	if (!acts(w, i) || (w->plan.nodes == 2 &&
		w->plan.quorum.two_node != MEMB_STRICT))
		return;
	for (j = 0; j < w->plan.nodes; j++)
		if (j != i && acts(w, j) &&
		    (n->reach & w->nodes[j].reach) == 0)
			mesh_fail(w, "no two sides act at the same time");
}

bool
mesh_agreed(const struct mesh *w)
{
	const struct mesh_node *first = NULL, *n;
	uint32_t i, running = 0;

	for (i = 0; i < w->plan.nodes; i++)
		running += w->nodes[i].running;
	for (i = 0; i < w->plan.nodes; i++) {
		n = &w->nodes[i];
		if (!n->running)
			continue;
		if (first == NULL)
			first = n;
		if (!n->memb.view.agreed || !n->memb.view.quorate ||
		    n->memb.view.members != running ||
		    n->memb.view.digest != first->memb.view.digest ||
		    n->memb.digest != first->memb.digest)
			return false;
	}
	return true;
}
