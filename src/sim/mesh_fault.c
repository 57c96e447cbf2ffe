/* SPDX-License-Identifier: ISC */
/*
 * What a seed draws, and all that goes wrong with nodes and links.  Each kind
 * of fault comes at a rate of its own, or never in this run; each ends by an
 * event of its own or when all is mended.
 *
 * A cut is counted, so that two faults may cut the same way and it is open
 * when both are over.
 */
#include <string.h>

#include "base/require.h"
#include "sim/mesh.h"

static uint64_t
bits_of(const struct mesh *w)
{
	return w->plan.nodes == 64 ? UINT64_MAX :
	    (UINT64_C(1) << w->plan.nodes) - 1;
}

static uint8_t
all_links(const struct mesh *w)
{
	return (uint8_t)((1u << w->plan.links) - 1);
}

static uint64_t
t1(const struct mesh *w)
{
	return w->times.mult * w->times.period;
}

void
mesh_cut(struct mesh *w, uint32_t from, uint32_t to, uint8_t links, bool on)
{
	uint32_t k;

	for (k = 0; k < w->plan.links; k++) {
		if (!(links >> k & 1))
			continue;
		REQUIRE(on || w->cuts[from][to][k] > 0);
		if (on)
			w->cuts[from][to][k]++;
		else
			w->cuts[from][to][k]--;
		if (w->cuts[from][to][k] > 0)
			w->cut[from][to] |= (uint8_t)(1u << k);
		else
			w->cut[from][to] &= (uint8_t)~(1u << k);
	}
	mesh_ill(w, from);
	mesh_ill(w, to);
}

void
mesh_split(struct mesh *w, uint64_t a, uint64_t b, bool on)
{
	uint32_t i, j;

	mesh_note(w, on ? "FAULT split" : "split ends", a, b, 0);
	for (i = 0; i < w->plan.nodes; i++)
		for (j = 0; j < w->plan.nodes; j++)
			if ((a >> i & 1) && (b >> j & 1) && i != j) {
				mesh_cut(w, i, j, all_links(w), on);
				mesh_cut(w, j, i, all_links(w), on);
			}
}

void
mesh_start(struct mesh *w, uint32_t i)
{
	if (!w->nodes[i].power || w->nodes[i].running)
		return;
	mesh_boot(w, i);
	mesh_ill(w, i);
}

void
mesh_kill(struct mesh *w, uint32_t i)
{
	uint32_t j;

	if (!w->nodes[i].running)
		return;
	mesh_note(w, "FAULT kill", w->nodes[i].number, 0, 0);
	mesh_end(w, i);
	for (j = 0; j < w->plan.nodes; j++)
		if (j != i)
			mesh_hang_up(w, i, j);
	mesh_ill(w, i);
}

void
mesh_power(struct mesh *w, uint32_t i, bool on)
{
	uint32_t j;

	if (w->nodes[i].power == on)
		return;
	w->nodes[i].power = on;
	if (on) {
		mesh_start(w, i);
		return;
	}
	mesh_note(w, "FAULT power", w->nodes[i].number, 0, 0);
	if (w->nodes[i].running)
		mesh_end(w, i);
	for (j = 0; j < w->plan.nodes; j++)
		if (j != i)
			mesh_conn(w, i, j)->open[i > j] = false;
	mesh_ill(w, i);
}

void
mesh_stop(struct mesh *w, uint32_t i, uint64_t until)
{
	struct mesh_event *e;

	if (!w->nodes[i].running || w->nodes[i].asleep > w->now)
		return;
	mesh_note(w, "FAULT stop", w->nodes[i].number,
	    (until - w->now) / 1000, 0);
	w->nodes[i].asleep = w->nodes[i].woke = until;
	mesh_ill(w, i);
	e = mesh_event(w, MESH_EV_MEND, until);
	e->a = MESH_STOP;
	e->b = i;
}

void
mesh_starve(struct mesh *w, uint32_t i, uint32_t percent)
{
	mesh_note(w, "FAULT starve", w->nodes[i].number, percent, 0);
	w->nodes[i].starved = percent;
	mesh_ill(w, i);
}

void
mesh_leave(struct mesh *w, uint32_t i)
{
	struct memb_in in = { .event = MEMB_IN_LEAVE };

	if (!w->nodes[i].running || w->nodes[i].asleep > w->now)
		return;
	mesh_note(w, "FAULT leave", w->nodes[i].number, 0, 0);
	mesh_feed(w, i, &in);
	mesh_kill(w, i);
}

static bool
drawn(struct mesh *w, uint32_t percent)
{
	return mesh_chance(w, 10 * percent);
}

static void
draw_faults(struct mesh *w, struct mesh_plan *p, uint64_t span)
{
	bool boots, others;
	uint32_t k;

	for (k = 0; k < MESH_FAULTS; k++)
		if (drawn(w, 30))
			p->every[k] = span / (1 + mesh_upto(w, 6));
	if (p->links == 1)
		p->every[MESH_LINK] = 0;
	boots = p->every[MESH_POWER] || p->every[MESH_KILL] ||
	    p->every[MESH_LEAVE];
	others = false;
	for (k = 0; k < MESH_FAULTS; k++)
		if (k != MESH_POWER && k != MESH_KILL && k != MESH_LEAVE)
			others |= p->every[k] != 0;
	/* A shrunken electorate is forgotten by who boots: memb_quorum.c. */
	p->quorum.fixed = (boots && others) || drawn(w, 20);
}

void
mesh_draw(struct mesh *w, struct mesh_plan *p)
{
	static const char *const profiles[] = { "default", "carrier",
		"relaxed", "auto" };
	struct memb_times t;
	uint64_t span;

	*p = mesh_calm(1, profiles[mesh_upto(w, 3)]);
	if (w->want_nodes != 0)
		p->nodes = w->want_nodes;
	else if (drawn(w, 30))
		p->nodes = 1 + (uint32_t)mesh_upto(w, 2);
	else
		p->nodes = 4 + (uint32_t)mesh_upto(w, drawn(w, 75) ? 4 : 12);
	p->links = (uint8_t)(1 + mesh_upto(w, drawn(w, 50) ? 0 : 1));
	p->quorum.two_node = drawn(w, 60) ? MEMB_TAKEOVER : MEMB_STRICT;
	if (drawn(w, 20)) {
		p->quorum.ties[0] = (uint16_t)(10 * p->nodes);
		p->quorum.ties_len = 1;
	}
	REQUIRE(memb_profile(&t, p->profile, p->nodes, 1, 1));
	if (drawn(w, 30))
		p->delay_max = t.period / 5;
	if (drawn(w, 30))
		p->loss = (uint32_t)mesh_upto(w, 50);
	if (drawn(w, 30))
		p->dup = (uint32_t)mesh_upto(w, 200);
	if (drawn(w, 30))
		p->late = (uint32_t)mesh_upto(w, 100);
	if (drawn(w, 70))
		p->record_every = t.period * (1 + mesh_upto(w, 20));
	span = t.period * (60 + mesh_upto(w, 340));
	if (w->virtual != 0)
		span = w->virtual;
	draw_faults(w, p, span);
	/* The first of them come when the view is there. */
	p->faults_end = span + 40 * t.period;
}

/* Without logarithms: the number of halvings gives the exponential's tail. */
static uint64_t
mean(struct mesh *w, uint64_t m)
{
	uint64_t t = 0, half = m - m / 4;

	while (mesh_upto(w, 1) == 0 && t < 8 * m)
		t += half;
	return t + mesh_upto(w, half);
}

static void
schedule(struct mesh *w, uint32_t kind, uint64_t from)
{
	uint64_t every = kind < MESH_FAULTS ? w->plan.every[kind] :
					      w->plan.record_every;
	struct mesh_event *e;

	if (every == 0)
		return;
	e = mesh_event(w, MESH_EV_FAULT, from + mean(w, every));
	e->a = kind;
}

void
mesh_faults_begin(struct mesh *w)
{
	uint32_t k;

	w->faults = true;
	for (k = 0; k <= MESH_FAULTS; k++)
		schedule(w, k, w->now + 40 * w->times.period);
}

/* Some short of T1, some longer, some longer than DOWN is borne. */
static uint64_t
duration(struct mesh *w)
{
	switch (mesh_upto(w, 3)) {
	case 0:
		return mesh_upto(w, t1(w));
	case 1:
	case 2:
		return mesh_upto(w, 6 * t1(w));
	default:
		return mesh_upto(w, 2 * w->times.relocate_hold);
	}
}

static struct mesh_event *
ends(struct mesh *w, uint32_t kind, uint32_t i)
{
	struct mesh_event *e = mesh_event(w, MESH_EV_MEND,
	    w->now + 1 + duration(w));

	e->a = kind;
	e->b = i;
	return e;
}

static uint64_t
some(struct mesh *w)
{
	uint64_t s = 0;
	uint32_t i;

	for (i = 0; i < w->plan.nodes; i++)
		s |= (uint64_t)mesh_chance(w, 500) << i;
	return s;
}

/* In two parts, or in two that have a node in common. */
static void
split(struct mesh *w, uint32_t kind, uint32_t i)
{
	uint64_t a = some(w), b = bits_of(w) & ~a;
	struct mesh_event *e;

	if (kind == MESH_BRIDGE) {
		a &= ~(UINT64_C(1) << i);
		b &= ~(UINT64_C(1) << i);
	}
	mesh_split(w, a, b, true);
	e = ends(w, kind, i);
	e->c = a;
	e->d = b;
}

static void
cut_one_way(struct mesh *w, uint32_t i)
{
	uint32_t j = (uint32_t)mesh_upto(w, w->plan.nodes - 1);

	if (i == j)
		return;
	mesh_note(w, "FAULT cut", w->nodes[i].number, w->nodes[j].number, 0);
	mesh_cut(w, i, j, all_links(w), true);
	ends(w, MESH_CUT, i)->c = j;
}

static void
link_of(struct mesh *w, uint32_t i, uint8_t links, bool on)
{
	uint32_t j;

	mesh_note(w, on ? "FAULT link" : "link ends", w->nodes[i].number,
	    links, 0);
	for (j = 0; j < w->plan.nodes; j++)
		if (j != i) {
			mesh_cut(w, i, j, links, on);
			mesh_cut(w, j, i, links, on);
		}
}

static void
fault(struct mesh *w, uint32_t kind, uint32_t i)
{
	uint8_t link;

	switch (kind) {
	case MESH_POWER:
		mesh_power(w, i, false);
		(void)ends(w, kind, i);
		break;
	case MESH_KILL:
		mesh_kill(w, i);
		(void)ends(w, kind, i);
		break;
	case MESH_STOP:
		mesh_stop(w, i, w->now + 1 + duration(w));
		break;
	case MESH_STARVE:
		mesh_starve(w, i, 20 + (uint32_t)mesh_upto(w, 80));
		(void)ends(w, kind, i);
		break;
	case MESH_LINK:
		link = (uint8_t)(1u << mesh_upto(w, w->plan.links - 1u));
		link_of(w, i, link, true);
		ends(w, kind, i)->c = link;
		break;
	case MESH_CUT:
		cut_one_way(w, i);
		break;
	case MESH_SPLIT:
	case MESH_BRIDGE:
	case MESH_FLIP:
		split(w, kind, i);
		break;
	case MESH_LEAVE:
		mesh_leave(w, i);
		(void)ends(w, kind, i);
		break;
	default: /* not a fault: a record changes */
		if (w->nodes[i].running && w->nodes[i].asleep <= w->now)
			mesh_record(w, i);
		break;
	}
}

void
mesh_fault_hit(struct mesh *w, uint32_t kind)
{
	if (!w->faults)
		return;
	fault(w, kind, (uint32_t)mesh_upto(w, w->plan.nodes - 1));
	if (w->broken && w->now > w->plan.faults_end / 2)
		mesh_fail(w, "canary");
	schedule(w, kind, w->now);
}

/* The way that was cut is cut again, for as long, a few times. */
static void
flip(struct mesh *w, const struct mesh_event *e)
{
	struct mesh_event *next;

	mesh_split(w, e->c, e->d, (e->b & 1) == 0);
	if (e->b >= 9)
		return;
	next = mesh_event(w, MESH_EV_MEND, w->now + t1(w) / 2 +
	    mesh_upto(w, t1(w)));
	next->a = MESH_FLIP;
	next->b = e->b + 1;
	next->c = e->c;
	next->d = e->d;
}

void
mesh_mend(struct mesh *w, const struct mesh_event *e)
{
	if (e->a == MESH_STOP) {
		mesh_ill(w, e->b);
		return;
	}
	if (!w->faults)
		return; /* it is mended already */
	switch (e->a) {
	case MESH_POWER:
		mesh_power(w, e->b, true);
		break;
	case MESH_KILL:
	case MESH_LEAVE:
		mesh_start(w, e->b);
		break;
	case MESH_STARVE:
		w->nodes[e->b].starved = 0;
		mesh_ill(w, e->b);
		break;
	case MESH_LINK:
		link_of(w, e->b, (uint8_t)e->c, false);
		break;
	case MESH_CUT:
		mesh_cut(w, e->b, (uint32_t)e->c, all_links(w), false);
		break;
	case MESH_FLIP:
		flip(w, e);
		break;
	default:
		mesh_split(w, e->c, e->d, false);
		break;
	}
}

/* What waits for a daemon that is stopped waits no longer. */
static void
wake(struct mesh *w, uint32_t i)
{
	uint64_t until = w->nodes[i].asleep;
	struct mesh_event *e;
	uint32_t k;

	w->nodes[i].asleep = w->nodes[i].woke = w->now;
	for (k = 0; k < MESH_EVENTS; k++) {
		e = &w->events[k];
		if (e->node.at != HEAP_OUT && e->a == i &&
		    e->node.due == until && e->type < MESH_EV_FAULT &&
		    e->type != MESH_EV_BEAT && e->type != MESH_EV_CALL)
			REQUIRE(heap_set(&w->heap, &e->node, w->now));
	}
}

void
mesh_heal(struct mesh *w)
{
	uint32_t i;

	mesh_note(w, "no more faults", 0, 0, 0);
	w->faults = false;
	w->plan.loss = w->plan.dup = w->plan.late = 0;
	memset(w->cut, 0, sizeof(w->cut));
	memset(w->cuts, 0, sizeof(w->cuts));
	memset(w->node_loss, 0, sizeof(w->node_loss));
	for (i = 0; i < w->plan.nodes; i++) {
		w->nodes[i].starved = 0;
		if (w->nodes[i].asleep > w->now)
			wake(w, i);
		mesh_power(w, i, true);
		mesh_start(w, i);
		mesh_ill(w, i);
	}
}
