/* SPDX-License-Identifier: ISC */
/*
 * The network between nodes.  A beat is a packet on a link: it takes its
 * time, may be lost, doubled or overtaken, and is cut off one way or both.
 * What has arrived waits in an inbox of fixed length until the daemon reads.
 *
 * A connection has two ends.  Its content is never lost: where there is no
 * way it waits and tries again, until an end is closed.  A daemon that dies
 * closes its ends, a node without power does not.
 */
#include "sim/mesh.h"

#define RETRY (50 * ORCM_MS)

/* Does anything get from here to there, on any link? */
bool
mesh_path(const struct mesh *w, uint32_t from, uint32_t to)
{
	uint8_t all = (uint8_t)((1u << w->plan.links) - 1);

	return w->nodes[to].power && w->cut[from][to] != all;
}

static uint64_t
delay(struct mesh *w)
{
	return w->plan.delay_min +
	    mesh_upto(w, w->plan.delay_max - w->plan.delay_min);
}

static bool
is_lost(struct mesh *w, uint32_t from, uint32_t to, uint8_t link)
{
	w->packets++;
	if (!(w->cut[from][to] >> link & 1) &&
	    !mesh_chance(w, w->plan.loss) &&
	    !mesh_chance(w, w->node_loss[from]) &&
	    !mesh_chance(w, w->node_loss[to]))
		return false;
	w->lost++;
	return true;
}

static void
send_one(struct mesh *w, uint32_t to, uint32_t beat)
{
	uint64_t t = delay(w);
	struct mesh_event *e;

	if (mesh_chance(w, w->plan.late))
		t += mesh_upto(w, 3 * w->times.period);
	w->beats[beat].users++;
	e = mesh_event(w, MESH_EV_BEAT, w->now + t);
	e->a = to;
	e->c = beat;
}

void
mesh_send_beat(struct mesh *w, uint32_t from, const struct memb_beat *b)
{
	uint32_t place = w->beats_free, i;

	if (place == MESH_NOBODY) {
		mesh_fail(w, "bounded beats");
		return;
	}
	w->beats_free = w->beats[place].next;
	w->beats[place].beat = *b;
	w->beats[place].users = 1;
	for (i = 0; i < w->plan.nodes; i++) {
		if (i == from || is_lost(w, from, i, b->link))
			continue;
		send_one(w, i, place);
		if (mesh_chance(w, w->plan.dup))
			send_one(w, i, place);
	}
	mesh_beat_done(w, place);
}

void
mesh_beat_done(struct mesh *w, uint32_t beat)
{
	if (--w->beats[beat].users > 0)
		return;
	w->beats[beat].next = w->beats_free;
	w->beats_free = beat;
}

void
mesh_beat_arrived(struct mesh *w, uint32_t to, uint32_t beat)
{
	struct mesh_node *n = &w->nodes[to];

	if (!n->power || !n->running || n->inbox_len == MESH_INBOX) {
		mesh_beat_done(w, beat);
		return;
	}
	n->inbox[(n->inbox_first + n->inbox_len++) % MESH_INBOX] = beat;
}

struct mesh_conn *
mesh_conn(struct mesh *w, uint32_t a, uint32_t b)
{
	return &w->conns[a < b ? a * MESH_NODES + b : b * MESH_NODES + a];
}

bool
mesh_is_open(struct mesh *w, uint32_t at, uint32_t peer)
{
	return mesh_conn(w, at, peer)->open[at > peer];
}

static struct mesh_event *
send_to(struct mesh *w, enum mesh_event_type type, uint32_t at,
    uint32_t peer)
{
	struct mesh_event *e = mesh_event(w, type, w->now + delay(w));

	e->a = at;
	e->b = peer;
	e->c = mesh_conn(w, at, peer)->serial;
	return e;
}

void
mesh_tell(struct mesh *w, enum mesh_event_type type, uint32_t from,
    uint32_t to, const struct memb_fate *fate)
{
	struct mesh_event *e;

	if (!mesh_is_open(w, from, to))
		return;
	e = send_to(w, type, to, from);
	if (fate != NULL)
		e->fate = *fate;
}

void
mesh_call(struct mesh *w, uint32_t from, uint32_t to)
{
	struct mesh_event *e = mesh_event(w, MESH_EV_CALL,
	    w->now + delay(w));

	e->a = from;
	e->b = to;
	e->d = w->nodes[from].epoch;
}

/* A call arrives where it was sent. */
void
mesh_called(struct mesh *w, const struct mesh_event *call)
{
	uint32_t from = call->a, to = call->b;
	struct mesh_conn *c = mesh_conn(w, from, to);
	struct mesh_event *e;

	if (!mesh_path(w, from, to) || !mesh_path(w, to, from) ||
	    !w->nodes[from].running || w->nodes[from].epoch != call->d)
		return;
	if (!w->nodes[to].running) {
		(void)send_to(w, MESH_EV_REFUSED, from, to);
		return;
	}
	/* What is left of an old one ends with the new one's beginning. */
	c->serial = ++w->serial;
	c->open[0] = c->open[1] = true;
	e = send_to(w, MESH_EV_UP, from, to);
	e->d = w->nodes[to].epoch;
	e = send_to(w, MESH_EV_UP, to, from);
	e->d = w->nodes[from].epoch;
}

void
mesh_hang_up(struct mesh *w, uint32_t at, uint32_t peer)
{
	struct mesh_conn *c = mesh_conn(w, at, peer);

	if (!c->open[at > peer])
		return;
	c->open[at > peer] = false;
	if (!c->open[peer > at])
		return;
	(void)send_to(w, MESH_EV_EOF, peer, at);
}

static bool
of_connection(enum mesh_event_type type)
{
	return type == MESH_EV_UP || type == MESH_EV_EOF ||
	    type == MESH_EV_SYNC || type == MESH_EV_WANT ||
	    type == MESH_EV_RECORD || type == MESH_EV_FATE;
}

/*
 * Otherwise its event has been put off or is freed: nobody is there, the
 * connection is another one, the daemon does not run just now, or no packet
 * gets through.
 */
bool
mesh_arrives(struct mesh *w, struct mesh_event *e)
{
	struct mesh_node *n = &w->nodes[e->a];

	if (e->type != MESH_EV_TURN && e->type != MESH_EV_REFUSED &&
	    !of_connection(e->type))
		return true;
	if (!n->power || !n->running ||
	    (of_connection(e->type) &&
		(mesh_conn(w, e->a, e->b)->serial != e->c ||
		    !mesh_is_open(w, e->a, e->b)))) {
		if (e->type == MESH_EV_TURN)
			n->turn = NULL;
		mesh_event_free(w, e);
		return false;
	}
	if (n->asleep > w->now) {
		(void)heap_set(&w->heap, &e->node, n->asleep);
		return false;
	}
	if (of_connection(e->type) && e->type != MESH_EV_UP &&
	    !mesh_path(w, e->b, e->a) && w->nodes[e->b].power) {
		(void)heap_set(&w->heap, &e->node, w->now + RETRY);
		return false;
	}
	return true;
}
