/* SPDX-License-Identifier: ISC */
/*
 * The world's clock.  Whatever happens is an event in a heap, ordered by its
 * time and, at the same time, by when it was made; so a run is a function of
 * its seed.  A run has two parts: in the first faults happen, in the second
 * none do any more and the job has to come to its end within a bound.
 *
 * Each thing that happens leaves a line in the trace.  All of it goes into a
 * hash, by which two runs of one seed are compared; the last lines are kept
 * to be shown when an invariant does not hold.
 */
#include "sim/sim.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/require.h"

#define STEPS_MAX 20000000u
/* Back-off, adoption, a keeper that is late, stalls: then it must be over. */
#define LIVENESS (120 * ORCM_SECOND)

struct sim *
sim_new(void)
{
	struct sim *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->kind = SIM_KINDS;
	s->events = calloc(SIM_EVENTS, sizeof(*s->events));
	s->pipes = calloc(SIM_PIPES, sizeof(*s->pipes));
	if (s->events != NULL && s->pipes != NULL)
		return s;
	free(s->events);
	free(s->pipes);
	free(s);
	return NULL;
}

void
sim_note(struct sim *s, const char *what, uint64_t a, uint64_t b, uint64_t c)
{
	struct sim_trace *t = &s->trace[s->trace_len++ % SIM_TRACE];

	t->t = s->now;
	t->what = what;
	t->a = a;
	t->b = b;
	t->c = c;
	hash_add(&s->hash, what, strlen(what));
	hash_add(&s->hash, &t->t, sizeof(t->t));
	hash_add(&s->hash, &t->a, sizeof(t->a));
	hash_add(&s->hash, &t->b, sizeof(t->b));
	hash_add(&s->hash, &t->c, sizeof(t->c));
	if (s->verbose)
		printf("%13.6f %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    (double)s->now / (double)ORCM_MS, what, a, b, c);
}

void
sim_fail(struct sim *s, const char *invariant)
{
	if (s->failed != NULL)
		return;
	s->failed = invariant;
	sim_note(s, invariant, 0, 0, 0);
}

uint64_t
sim_hash(const struct sim *s)
{
	return hash_value(&s->hash);
}

void
sim_print_failure(const struct sim *s)
{
	const struct sim_trace *t;
	uint32_t i, n = s->trace_len < SIM_TRACE ? s->trace_len : SIM_TRACE;

	if (s->verbose)
		n = 0; /* it is there already */
	for (i = 0; i < n; i++) {
		t = &s->trace[(s->trace_len - n + i) % SIM_TRACE];
		printf("%13.6f %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		    (double)t->t / (double)ORCM_MS, t->what, t->a, t->b,
		    t->c);
	}
	printf("FAIL %s seed=%" PRIu64 " t=%.6fms replicas=%u program=%s "
	       "policy=%s\n", s->failed, s->seed,
	    (double)s->now / (double)ORCM_MS, s->plan.ranks,
	    sim_kind_name(s->plan.kind), s->plan.policy);
}

uint64_t
sim_upto(struct sim *s, uint64_t most)
{
	return rand_below(&s->rand, most + 1);
}

bool
sim_chance(struct sim *s, uint32_t percent)
{
	return rand_below(&s->rand, 100) < percent;
}

/* Without logarithms: the number of halvings gives the exponential's tail. */
uint64_t
sim_mean(struct sim *s, uint64_t mean)
{
	uint64_t t = 0, half = mean - mean / 4;

	while (rand_below(&s->rand, 2) == 0 && t < 8 * mean)
		t += half;
	return t + rand_below(&s->rand, half + 1);
}

uint64_t
sim_delay(struct sim *s)
{
	uint64_t late = s->faults ? s->plan.every[SIM_JITTER] : 0;

	if (late != 0 && sim_chance(s, 5))
		return sim_upto(s, late);
	return 2000 + sim_upto(s, 40000);
}

struct sim_event *
sim_event(struct sim *s, enum sim_event_type type, uint64_t due)
{
	struct sim_event *e;

	if (s->events_free == SIM_NOTHING) {
		sim_fail(s, "bounded-events");
		/* The run ends here; the last one is good enough for that. */
		e = &s->events[SIM_EVENTS - 1];
		heap_remove(&s->heap, &e->node);
	} else {
		e = &s->events[s->events_free];
		s->events_free = e->next;
		s->events_len++;
	}
	e->type = type;
	e->a = e->b = e->value = 0;
	e->c = 0;
	REQUIRE(heap_set(&s->heap, &e->node, due));
	return e;
}

void
sim_event_free(struct sim *s, struct sim_event *e)
{
	heap_remove(&s->heap, &e->node);
	e->next = s->events_free;
	s->events_free = (uint32_t)(e - s->events);
	s->events_len--;
}

static void
reset(struct sim *s, uint64_t seed)
{
	struct sim_event *events = s->events;
	struct sim_pipe *pipes = s->pipes;
	struct sim keep;
	uint32_t i;

	keep.ranks = s->ranks;
	keep.kind = s->kind;
	keep.virtual = s->virtual;
	keep.verbose = s->verbose;
	keep.broken = s->broken;
	memset(s, 0, sizeof(*s));
	s->ranks = keep.ranks;
	s->kind = keep.kind;
	s->virtual = keep.virtual;
	s->verbose = keep.verbose;
	s->broken = keep.broken;
	s->events = events;
	s->pipes = pipes;
	s->seed = seed;
	s->next_pid = 100;
	rand_seed(&s->rand, seed);
	hash_init(&s->hash);
	heap_init(&s->heap, s->nodes, SIM_EVENTS);
	for (i = 0; i < SIM_EVENTS; i++) {
		heap_node_init(&events[i].node);
		events[i].next = i + 1 < SIM_EVENTS ? i + 1 : SIM_NOTHING;
	}
	for (i = 0; i < SIM_PIPES; i++)
		pipes[i].used = false;
}

static void
main_of(struct sim *s, uint32_t actor)
{
	switch (actor) {
	case SIM_PNPD:
		sim_pnpd_main(s);
		break;
	case SIM_ORCMD:
		sim_orcmd_main(s);
		break;
	case SIM_LEADERD:
		sim_leaderd_main(s);
		break;
	case SIM_OWNER:
		sim_owner_main(s);
		break;
	default:
		sim_keeper_main(s, actor);
		break;
	}
}

static void
timer(struct sim *s, const struct sim_event *e)
{
	struct sim_actor *a = &s->actors[e->a];

	a->timers[e->b] = NULL;
	switch (e->a) {
	case SIM_PNPD:
		break;
	case SIM_ORCMD:
		sim_orcmd_timer(s, e->b);
		break;
	case SIM_LEADERD:
		sim_client_timer(s, &s->leaderd.client);
		break;
	case SIM_OWNER:
		sim_owner_timer(s, e->b);
		break;
	default:
		sim_keeper_timer(s, e->a, e->b);
		break;
	}
}

static void
child(struct sim *s, const struct sim_event *e)
{
	if (!s->actors[e->a].alive || s->actors[e->a].life != e->c)
		return;
	if (e->a == SIM_ORCMD)
		sim_orcmd_child(s, e->b, e->value);
	else
		sim_keeper_child(s, e->a, e->value);
}

static void
happen(struct sim *s, const struct sim_event *e)
{
	switch (e->type) {
	case SIM_EV_MSG:
	case SIM_EV_EOF:
		sim_arrive(s, e);
		break;
	case SIM_EV_TIMER:
		timer(s, e);
		break;
	case SIM_EV_MAIN:
		/* A keeper may have been killed before it began. */
		if (e->a < SIM_FIRST_KEEPER)
			sim_born(s, e->a);
		if (s->actors[e->a].alive && (e->a < SIM_FIRST_KEEPER ||
			s->actors[e->a].life == e->c))
			main_of(s, e->a);
		break;
	case SIM_EV_CHILD:
		child(s, e);
		break;
	case SIM_EV_PROG:
		sim_prog_step(s, e);
		break;
	case SIM_EV_OWNER:
		sim_flow_io(s);
		break;
	case SIM_EV_INPUT:
		sim_flow_produce(s);
		break;
	case SIM_EV_SINK:
		sim_flow_consume(s);
		break;
	case SIM_EV_FAULT:
		sim_fault_hit(s, e->a);
		break;
	}
}

/* One event; false when there is none. */
static bool
step(struct sim *s)
{
	struct heap_node *n = heap_first(&s->heap);
	struct sim_event *e = (struct sim_event *)n;
	uint32_t who;

	if (n == NULL)
		return false;
	REQUIRE(n->due >= s->now);
	s->now = n->due;
	who = sim_runs(s, e);
	if (who != SIM_NOTHING && s->actors[who].alive &&
	    s->actors[who].asleep > s->now) {
		REQUIRE(heap_set(&s->heap, n, s->actors[who].asleep));
		return true;
	}
	heap_remove(&s->heap, n);
	s->steps++;
	happen(s, e);
	sim_check_event(s);
	sim_prompt_look(s);
	sim_event_free(s, e);
	return true;
}

static void
begin(struct sim *s)
{
	static const uint32_t first[] = { SIM_PNPD, SIM_ORCMD, SIM_LEADERD,
		SIM_OWNER };
	struct sim_event *e;
	size_t i;

	sim_plan_draw(s);
	for (i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		e = sim_event(s, SIM_EV_MAIN, sim_upto(s, 5 * ORCM_MS));
		e->a = first[i];
	}
	(void)sim_event(s, SIM_EV_INPUT, 0);
	(void)sim_event(s, SIM_EV_SINK, 0);
	sim_fault_begin(s);
}

/* The faults end: everything that is down or stopped comes back. */
static void
heal(struct sim *s)
{
	struct job_in resume = { .event = JOB_IN_RESUME };
	uint32_t i;

	sim_note(s, "no more faults", 0, 0, 0);
	s->faults = false;
	for (i = 0; i < SIM_KEEPERS; i++)
		if (s->keepers[i].prog.alive && s->keepers[i].prog.hung) {
			s->keepers[i].prog.hung = false;
			sim_prog_wake(s, SIM_FIRST_KEEPER + i);
		}
	if (s->owner.want == JOB_PAUSED)
		sim_owner_feed(s, &resume);
}

static void
release(struct sim *s)
{
	free(s->pnpd.memory);
	free(s->orcmd.memory);
	free(s->leaderd.memory);
	free(s->owner.memory);
	s->pnpd.memory = s->orcmd.memory = s->leaderd.memory = NULL;
	s->owner.memory = NULL;
}

bool
sim_run(struct sim *s, uint64_t seed)
{
	uint64_t over = 0, last;

	reset(s, seed);
	begin(s);
	while (s->failed == NULL) {
		if (!step(s) || s->steps > STEPS_MAX)
			sim_fail(s, "liveness: nothing happens, or too much");
		if (s->faults && s->now >= s->plan.faults_end)
			heal(s);
		if (s->owner.over && over == 0) {
			over = s->now;
			if (!s->seen.owner_killed)
				sim_check_exit(s);
		}
		if (s->owner.over && sim_check_clean(s))
			break;
		if (!s->faults && !s->owner.over &&
		    s->now > s->plan.faults_end + LIVENESS)
			sim_fail(s, "liveness: the job does not end");
		last = over > s->plan.faults_end ? over : s->plan.faults_end;
		if (s->owner.over && s->now > last + LIVENESS)
			sim_fail(s, "liveness: something is left of the job");
	}
	sim_note(s, "end", s->owner.code, s->steps, s->seen.delivered[0]);
	release(s);
	return s->failed == NULL;
}
