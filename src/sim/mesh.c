/* SPDX-License-Identifier: ISC */
/*
 * Time in a world of nodes.  As in sim.c all that happens is an event in a
 * heap, ordered by time and by when it was made, so a run is a function of
 * its seed, and all that happens goes into a hash by which two runs of one
 * seed are compared.
 *
 * A run has two parts: faults happen; then everything is mended, and within
 * twenty periods all nodes have to agree again.
 */
#include "sim/mesh.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

#define STEPS_MAX 50000000u
#define AGREE_PERIODS 20u

struct mesh *
mesh_new(void)
{
	struct mesh *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	w->events = calloc(MESH_EVENTS, sizeof(*w->events));
	w->heap_nodes = calloc(MESH_EVENTS, sizeof(*w->heap_nodes));
	w->beats = calloc(MESH_BEATS, sizeof(*w->beats));
	w->nodes = calloc(MESH_NODES, sizeof(*w->nodes));
	w->conns = calloc(MESH_NODES * MESH_NODES, sizeof(*w->conns));
	if (w->events != NULL && w->heap_nodes != NULL && w->beats != NULL &&
	    w->nodes != NULL && w->conns != NULL)
		return w;
	mesh_free(w);
	return NULL;
}

static void
release(struct mesh *w)
{
	uint32_t i;

	for (i = 0; w->nodes != NULL && i < MESH_NODES; i++) {
		free(w->nodes[i].memory);
		w->nodes[i].memory = NULL;
	}
}

void
mesh_free(struct mesh *w)
{
	release(w);
	free(w->events);
	free(w->heap_nodes);
	free(w->beats);
	free(w->nodes);
	free(w->conns);
	free(w);
}

void
mesh_note(struct mesh *w, const char *what, uint64_t a, uint64_t b,
    uint64_t c)
{
	struct mesh_trace *t = &w->trace[w->trace_len++ % MESH_TRACE];

	t->t = w->now;
	t->what = what;
	t->a = a;
	t->b = b;
	t->c = c;
	hash_add(&w->hash, what, strlen(what));
	hash_add(&w->hash, &t->t, sizeof(t->t));
	hash_add(&w->hash, &t->a, sizeof(t->a));
	hash_add(&w->hash, &t->b, sizeof(t->b));
	hash_add(&w->hash, &t->c, sizeof(t->c));
	if (w->verbose)
		printf("%13.6f %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    (double)w->now / (double)ORCM_MS, what, a, b, c);
}

void
mesh_fail(struct mesh *w, const char *invariant)
{
	if (w->failed != NULL)
		return;
	w->failed = invariant;
	mesh_note(w, invariant, 0, 0, 0);
}

uint64_t
mesh_hash(const struct mesh *w)
{
	return hash_value(&w->hash);
}

void
mesh_print_failure(const struct mesh *w)
{
	const struct mesh_trace *t;
	uint32_t i, n = w->trace_len < MESH_TRACE ? w->trace_len : MESH_TRACE;

	if (w->verbose)
		n = 0; /* it is there already */
	for (i = 0; i < n; i++) {
		t = &w->trace[(w->trace_len - n + i) % MESH_TRACE];
		printf("%13.6f %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    (double)t->t / (double)ORCM_MS, t->what, t->a, t->b,
		    t->c);
	}
	printf("FAIL %s seed=%" PRIu64 " t=%.6fms nodes=%u links=%u "
	       "profile=%s\n", w->failed, w->seed,
	    (double)w->now / (double)ORCM_MS, w->plan.nodes, w->plan.links,
	    w->plan.profile);
}

uint64_t
mesh_upto(struct mesh *w, uint64_t most)
{
	return rand_below(&w->rand, most + 1);
}

bool
mesh_chance(struct mesh *w, uint32_t per_mille)
{
	return per_mille > 0 && rand_below(&w->rand, 1000) < per_mille;
}

struct mesh_event *
mesh_event(struct mesh *w, enum mesh_event_type type, uint64_t due)
{
	struct mesh_event *e;

	if (w->events_free == MESH_NOBODY) {
		mesh_fail(w, "bounded events");
		/* The run ends here; the last one is good enough for that. */
		e = &w->events[MESH_EVENTS - 1];
		heap_remove(&w->heap, &e->node);
	} else {
		e = &w->events[w->events_free];
		w->events_free = e->next;
	}
	e->type = type;
	e->a = e->b = 0;
	e->c = e->d = 0;
	REQUIRE(heap_set(&w->heap, &e->node, due));
	return e;
}

void
mesh_event_free(struct mesh *w, struct mesh_event *e)
{
	heap_remove(&w->heap, &e->node);
	e->next = w->events_free;
	w->events_free = (uint32_t)(e - w->events);
}

static void
reset(struct mesh *w)
{
	uint32_t i;

	release(w);
	memset(w->nodes, 0, MESH_NODES * sizeof(*w->nodes));
	memset(w->conns, 0, MESH_NODES * MESH_NODES * sizeof(*w->conns));
	memset(w->cut, 0, sizeof(w->cut));
	memset(w->cuts, 0, sizeof(w->cuts));
	memset(w->node_loss, 0, sizeof(w->node_loss));
	w->now = w->steps = w->serial = w->packets = w->lost = 0;
	w->trace_len = 0;
	w->failed = NULL;
	w->faults = w->excluded = false;
	hash_init(&w->hash);
	heap_init(&w->heap, w->heap_nodes, MESH_EVENTS);
	for (i = 0; i < MESH_EVENTS; i++) {
		heap_node_init(&w->events[i].node);
		w->events[i].next = i + 1 < MESH_EVENTS ? i + 1 : MESH_NOBODY;
	}
	w->events_free = w->beats_free = 0;
	for (i = 0; i < MESH_BEATS; i++)
		w->beats[i].next = i + 1 < MESH_BEATS ? i + 1 : MESH_NOBODY;
}

struct mesh_plan
mesh_calm(uint32_t nodes, const char *profile)
{
	struct mesh_plan p;

	memset(&p, 0, sizeof(p));
	p.nodes = nodes;
	p.links = 1;
	p.profile = profile;
	p.delay_min = 20 * 1000;
	p.delay_max = 200 * 1000;
	p.faults_end = ORCM_NEVER;
	return p;
}

void
mesh_begin(struct mesh *w, uint64_t seed, const struct mesh_plan *p)
{
	uint32_t i;

	reset(w);
	w->seed = seed;
	rand_seed(&w->rand, seed);
	w->plan = *p;
	REQUIRE(p->nodes > 0 && p->nodes <= MESH_NODES);
	REQUIRE(memb_profile(&w->times, p->profile, p->nodes, 1, 1));
	for (i = 0; i < p->nodes; i++) {
		/* Numbers are neither dense nor do they start at 1. */
		w->nodes[i].number = (uint16_t)(10 * (i + 1));
		w->nodes[i].offset = 1 + w->offset * (i + 1);
	}
}

static void
happen(struct mesh *w, struct mesh_event *e)
{
	switch (e->type) {
	case MESH_EV_TURN:
		w->nodes[e->a].turn = NULL;
		mesh_turn(w, e->a);
		break;
	case MESH_EV_BEAT:
		mesh_beat_arrived(w, e->a, (uint32_t)e->c);
		break;
	case MESH_EV_CALL:
		mesh_called(w, e);
		break;
	case MESH_EV_UP:
	case MESH_EV_EOF:
	case MESH_EV_REFUSED:
	case MESH_EV_SYNC:
	case MESH_EV_WANT:
	case MESH_EV_RECORD:
	case MESH_EV_FATE:
		mesh_message(w, e);
		break;
	case MESH_EV_FAULT:
		mesh_fault_hit(w, e->a);
		break;
	case MESH_EV_MEND:
		mesh_mend(w, e);
		break;
	}
}

/* One event, not behind that time; false when there is none. */
static bool
step(struct mesh *w, uint64_t until)
{
	struct heap_node *n = heap_first(&w->heap);
	struct mesh_event *e = (struct mesh_event *)n;

	if (n == NULL || n->due > until)
		return false;
	REQUIRE(n->due >= w->now);
	w->now = n->due;
	if (++w->steps > STEPS_MAX)
		mesh_fail(w, "bounded steps");
	if (!mesh_arrives(w, e))
		return true; /* later, or never */
	heap_remove(&w->heap, n);
	happen(w, e);
	mesh_event_free(w, e);
	return true;
}

bool
mesh_run_to(struct mesh *w, uint64_t until)
{
	while (w->failed == NULL && step(w, until))
		;
	if (w->failed == NULL && w->now < until)
		w->now = until;
	return w->failed == NULL;
}

/* So many periods after the last fault there must be agreement. */
static void
demand_agreement(struct mesh *w)
{
	uint64_t from = w->now, limit;

	do {
		(void)mesh_run_to(w, w->now + w->times.period);
		limit = from + AGREE_PERIODS * w->times.period;
		/* Links that were bad for so long have to prove themselves. */
		if (w->excluded)
			limit += w->times.hold_up + 5 * w->times.period;
	} while (w->failed == NULL && w->now < limit && !mesh_agreed(w));
	if (!mesh_agreed(w))
		mesh_fail(w, "liveness: nodes do not agree");
	/* And it stays so. */
	(void)mesh_run_to(w, w->now + AGREE_PERIODS * w->times.period);
	if (!mesh_agreed(w))
		mesh_fail(w, "liveness: agreement does not last");
}

bool
mesh_run(struct mesh *w, uint64_t seed)
{
	struct mesh_plan p;
	uint32_t i;

	rand_seed(&w->rand, ~seed);
	mesh_draw(w, &p);
	mesh_begin(w, seed, &p);
	mesh_note(w, "world: nodes, links, period in us", p.nodes, p.links,
	    w->times.period / 1000);
	for (i = 0; i < p.nodes; i++)
		mesh_power(w, i, true);
	mesh_faults_begin(w);
	(void)mesh_run_to(w, p.faults_end);
	mesh_heal(w);
	demand_agreement(w);
	mesh_note(w, "end", w->steps, w->packets, w->lost);
	release(w);
	return w->failed == NULL;
}
