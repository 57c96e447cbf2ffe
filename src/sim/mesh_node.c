/* SPDX-License-Identifier: ISC */
/*
 * A daemon around the core, as small as it can be.  Its timer reads all that
 * waits, says so, and carries out the effects; what comes over a connection
 * wakes it at once.  Its picture is a version for each node's own record and
 * the obituaries, enough to see that pictures become the same again.
 */
#include "sim/mesh.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/require.h"

#define LATENCY 100000u /* ns, of a timer */

uint32_t
mesh_index(const struct mesh *w, uint16_t number)
{
	uint32_t i = number / 10u - 1;

	return number > 0 && number % 10 == 0 && i < w->plan.nodes ?
	    i : MESH_NOBODY;
}

static uint64_t
own_time(const struct mesh *w, uint32_t i)
{
	return w->now + w->nodes[i].offset;
}

static uint64_t
digest_of(const struct mesh *w, uint32_t i)
{
	const struct mesh_known *k;
	struct hash h;
	uint32_t j;

	hash_init(&h);
	for (j = 0; j < w->plan.nodes; j++) {
		k = &w->nodes[i].known[j];
		hash_add(&h, &k->epoch, sizeof(k->epoch));
		hash_add(&h, &k->seq, sizeof(k->seq));
		hash_add(&h, &k->fate_epoch, sizeof(k->fate_epoch));
		hash_add(&h, &k->fate, sizeof(k->fate));
	}
	return hash_value(&h);
}

static void
take_all(struct mesh *w, uint32_t i);

static void
picture_changed(struct mesh *w, uint32_t i)
{
	struct memb_in in = { .event = MEMB_IN_PICTURE };

	in.seq = w->nodes[i].known[i].seq;
	in.digest = digest_of(w, i);
	(void)memb_feed(&w->nodes[i].memb, own_time(w, i), &in);
}

static void
tell_all(struct mesh *w, uint32_t i, enum mesh_event_type type,
    const struct memb_fate *fate)
{
	uint32_t j;

	for (j = 0; j < w->plan.nodes; j++)
		if (j != i)
			mesh_tell(w, type, i, j, fate);
}

static void
note_fate(struct mesh *w, uint32_t i, const struct memb_fate *f)
{
	uint32_t j = mesh_index(w, f->subject);
	struct mesh_known *k = &w->nodes[i].known[j];

	if (f->status != MEMB_DEAD && f->status != MEMB_LEFT)
		return;
	if (f->epoch < k->fate_epoch ||
	    (f->epoch == k->fate_epoch && f->status <= k->fate))
		return;
	k->fate_epoch = f->epoch;
	k->fate = f->status;
	picture_changed(w, i);
}

/* Another epoch: all its peers hear of it. */
static void
renew(struct mesh *w, uint32_t i, uint64_t least)
{
	struct memb_in in = { .event = MEMB_IN_RENEWED };
	struct mesh_node *n = &w->nodes[i];
	struct mesh_event *e;
	uint32_t j;

	n->epoch = n->epoch + 1 > least ? n->epoch + 1 : least;
	n->renews++;
	mesh_note(w, "renewed: node, epoch", n->number, n->epoch, 0);
	in.epoch = n->epoch;
	(void)memb_feed(&n->memb, own_time(w, i), &in);
	for (j = 0; j < w->plan.nodes; j++)
		if (j != i && mesh_is_open(w, i, j)) {
			e = mesh_event(w, MESH_EV_UP,
			    w->now + w->plan.delay_max);
			e->a = j;
			e->b = i;
			e->c = mesh_conn(w, i, j)->serial;
			e->d = n->epoch;
		}
	n->known[i].epoch = n->epoch;
	mesh_record(w, i);
}

static void
status_told(struct mesh *w, uint32_t i, const struct memb_out *o)
{
	uint32_t j = mesh_index(w, o->node);
	struct mesh_node *n = &w->nodes[i];
	struct mesh_told *t = &n->told[j];

	mesh_note(w, memb_status_name(o->status), n->number, o->node,
	    o->epoch);
	mesh_check_status(w, i, o);
	t->status = o->status;
	t->epoch = o->epoch;
	t->at = w->now;
	t->changes++;
	if (o->status == MEMB_SUSPECT) {
		t->suspect_at = w->now;
		n->suspects++;
	}
	n->deads += o->status == MEMB_DEAD;
	if (o->status == MEMB_DOWN) {
		t->down_at = w->now;
		n->downs++;
	}
	/* As orcm-pnpd does: who is down is called again when it is back. */
	if (o->status == MEMB_DOWN && mesh_is_open(w, i, j)) {
		struct memb_in in = { .event = MEMB_IN_EOF,
			.node = o->node };

		mesh_hang_up(w, i, j);
		(void)memb_feed(&n->memb, own_time(w, i), &in);
	}
}

static void
view_told(struct mesh *w, uint32_t i, const struct memb_view *v)
{
	struct mesh_node *n = &w->nodes[i];

	n->views++;
	n->agreed += v->agreed;
	n->view = *v;
	mesh_note(w, v->quorate ? "view, quorate: node, members, agreed" :
	    "view: node, members, agreed", n->number, v->members, v->agreed);
}

static void
effect(struct mesh *w, uint32_t i, const struct memb_out *o)
{
	struct mesh_node *n = &w->nodes[i];

	switch (o->kind) {
	case MEMB_OUT_STATUS:
		status_told(w, i, o);
		break;
	case MEMB_OUT_FIT:
		mesh_note(w, "fit: node, subject, yes", n->number, o->node,
		    o->on);
		break;
	case MEMB_OUT_FATE:
		n->fates += o->fate.status != MEMB_ALIVE;
		mesh_note(w, "fate: node, subject, status", n->number,
		    o->node, o->fate.status);
		note_fate(w, i, &o->fate);
		tell_all(w, i, MESH_EV_FATE, &o->fate);
		break;
	case MEMB_OUT_VIEW:
		view_told(w, i, &o->view);
		break;
	case MEMB_OUT_LEASE:
		n->lease = o->on;
		n->lease_until = o->on ?
		    o->until - n->offset : 0;
		break;
	case MEMB_OUT_RENEW:
		renew(w, i, o->epoch);
		break;
	case MEMB_OUT_BEAT:
		n->beats++;
		mesh_send_beat(w, i, o->beat);
		break;
	case MEMB_OUT_CONNECT:
		n->connects++;
		mesh_call(w, i, mesh_index(w, o->node));
		break;
	case MEMB_OUT_PULL:
		n->pulls++;
		mesh_tell(w, MESH_EV_WANT, i, mesh_index(w, o->node), NULL);
		break;
	case MEMB_OUT_ALARM:
		n->alarms[o->alarm]++;
		mesh_note(w, memb_alarm_name(o->alarm), n->number, o->node,
		    o->link);
		break;
	}
}

static void
take_all(struct mesh *w, uint32_t i)
{
	struct memb_out out;

	while (memb_take(&w->nodes[i].memb, &out))
		effect(w, i, &out);
	mesh_check_turn(w, i);
	mesh_schedule(w, i);
}

void
mesh_schedule(struct mesh *w, uint32_t i)
{
	struct mesh_node *n = &w->nodes[i];
	uint64_t due = memb_due(&n->memb), t = w->now;

	if (due > own_time(w, i))
		t = due - n->offset;
	if (n->turn != NULL && n->turn->node.due >= t &&
	    n->turn->node.due <= t + LATENCY)
		return;
	t += mesh_upto(w, LATENCY);
	/* Who gets too little processor turns late, by up to two periods. */
	if (n->starved > 0 && mesh_chance(w, 10 * n->starved))
		t += mesh_upto(w, 2 * w->times.period);
	if (n->turn == NULL) {
		n->turn = mesh_event(w, MESH_EV_TURN, t);
		n->turn->a = i;
	} else
		REQUIRE(heap_set(&w->heap, &n->turn->node, t));
}

void
mesh_feed(struct mesh *w, uint32_t i, const struct memb_in *in)
{
	(void)memb_feed(&w->nodes[i].memb, own_time(w, i), in);
	take_all(w, i);
}

void
mesh_turn(struct mesh *w, uint32_t i)
{
	struct memb_in in = { .event = MEMB_IN_BEAT };
	struct mesh_node *n = &w->nodes[i];
	uint32_t beat;

	for (; n->inbox_len > 0; n->inbox_len--) {
		beat = n->inbox[n->inbox_first];
		n->inbox_first = (n->inbox_first + 1) % MESH_INBOX;
		in.beat = &w->beats[beat].beat;
		(void)memb_feed(&n->memb, own_time(w, i), &in);
		mesh_beat_done(w, beat);
	}
	in.event = MEMB_IN_DRAINED;
	(void)memb_feed(&n->memb, own_time(w, i), &in);
	take_all(w, i);
}

void
mesh_record(struct mesh *w, uint32_t i)
{
	w->nodes[i].known[i].seq++;
	picture_changed(w, i);
	tell_all(w, i, MESH_EV_RECORD, NULL);
}

static void
merge_known(struct mesh *w, uint32_t i, uint32_t from, uint32_t j)
{
	const struct mesh_known *theirs = &w->nodes[from].known[j];
	struct mesh_known *ours = &w->nodes[i].known[j];

	if (j == i || theirs->epoch < ours->epoch ||
	    (theirs->epoch == ours->epoch && theirs->seq <= ours->seq))
		return;
	ours->epoch = theirs->epoch;
	ours->seq = theirs->seq;
}

/* All that another knows; obituaries are news for the core. */
static void
merge(struct mesh *w, uint32_t i, uint32_t from)
{
	struct memb_in in = { .event = MEMB_IN_FATE };
	struct memb_fate f;
	const struct mesh_known *k;
	uint32_t j;

	for (j = 0; j < w->plan.nodes; j++) {
		merge_known(w, i, from, j);
		k = &w->nodes[from].known[j];
		if (k->fate_epoch == 0)
			continue;
		f.observer = w->nodes[from].number;
		f.subject = w->nodes[j].number;
		f.epoch = k->fate_epoch;
		f.status = k->fate;
		note_fate(w, i, &f);
		in.fate = &f;
		(void)memb_feed(&w->nodes[i].memb, own_time(w, i), &in);
	}
	picture_changed(w, i);
}

void
mesh_message(struct mesh *w, const struct mesh_event *e)
{
	struct memb_in in = { .node = w->nodes[e->b].number, .epoch = e->d };
	uint32_t i = e->a;

	switch (e->type) {
	case MESH_EV_UP:
		in.event = MEMB_IN_UP;
		mesh_tell(w, MESH_EV_SYNC, i, e->b, NULL);
		break;
	case MESH_EV_EOF:
		in.event = MEMB_IN_EOF;
		mesh_conn(w, i, e->b)->open[i > e->b] = false;
		break;
	case MESH_EV_REFUSED:
		in.event = MEMB_IN_REFUSED;
		break;
	case MESH_EV_SYNC:
		merge(w, i, e->b);
		take_all(w, i);
		return;
	case MESH_EV_WANT:
		mesh_tell(w, MESH_EV_SYNC, i, e->b, NULL);
		return;
	case MESH_EV_RECORD:
		merge_known(w, i, e->b, e->b);
		picture_changed(w, i);
		take_all(w, i);
		return;
	default: /* MESH_EV_FATE */
		note_fate(w, i, &e->fate);
		in.event = MEMB_IN_FATE;
		in.fate = &e->fate;
		break;
	}
	mesh_feed(w, i, &in);
}

/* A new life; numbers of all nodes are configured. */
void
mesh_boot(struct mesh *w, uint32_t i)
{
	struct memb_in in = { .event = MEMB_IN_PEER, .votes = 1,
		.expected = true };
	struct mesh_node *n = &w->nodes[i];
	struct memb_conf conf;
	struct arena a;
	uint32_t j;

	memset(&conf, 0, sizeof(conf));
	conf.node = n->number;
	conf.epoch = ++n->epoch;
	conf.votes = 1;
	conf.expected = true;
	conf.nodes_max = (uint16_t)w->plan.nodes;
	conf.links = w->plan.links;
	conf.times = w->times;
	conf.quorum = w->plan.quorum;
	conf.seed = w->seed + n->epoch;
	if (n->memory == NULL)
		n->memory = malloc(memb_memory(&conf));
	REQUIRE(n->memory != NULL);
	memset(n->memory, 0, memb_memory(&conf));
	memset(n->told, 0, sizeof(n->told));
	memset(n->known, 0, sizeof(n->known));
	memset(&n->view, 0, sizeof(n->view));
	n->running = true;
	n->asleep = n->lease_until = 0;
	n->lease = false;
	arena_init(&a, n->memory, memb_memory(&conf));
	memb_init(&n->memb, &a, &conf, own_time(w, i));
	for (j = 0; j < w->plan.nodes; j++)
		if (j != i) {
			in.node = w->nodes[j].number;
			REQUIRE(memb_feed(&n->memb, own_time(w, i), &in));
		}
	n->known[i].epoch = n->epoch;
	mesh_record(w, i);
	mesh_note(w, "boots: node, epoch", n->number, n->epoch, 0);
	take_all(w, i);
}

/* This life is over: what it had not read is gone. */
void
mesh_end(struct mesh *w, uint32_t i)
{
	struct mesh_node *n = &w->nodes[i];

	for (; n->inbox_len > 0; n->inbox_len--) {
		mesh_beat_done(w, n->inbox[n->inbox_first]);
		n->inbox_first = (n->inbox_first + 1) % MESH_INBOX;
	}
	if (n->turn != NULL)
		mesh_event_free(w, n->turn);
	n->turn = NULL;
	n->running = n->lease = false;
	n->asleep = 0;
	n->reach = n->members = 0;
	memset(&n->view, 0, sizeof(n->view));
}
