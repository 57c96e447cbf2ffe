/* SPDX-License-Identifier: ISC */
/*
 * Connections as UNIX stream sockets are: in order, without loss, each
 * message late by its own delay.  Who dies closes all of its ends; what it
 * had sent still arrives, then comes the end of the stream.  What was on its
 * way to it is gone.
 */
#include "sim/sim.h"

#include <string.h>

#include "base/require.h"

static uint32_t
side_of(const struct sim_conn *c, uint32_t actor)
{
	return c->end[0].actor == actor ? 0 : 1;
}

uint32_t
sim_connect(struct sim *s, uint32_t from, uint32_t to)
{
	struct sim_conn *c;
	uint32_t i;

	if (!s->actors[to].alive)
		return SIM_NOTHING;
	for (i = 0; i < SIM_CONNS && s->conns[i].used; i++)
		;
	if (i == SIM_CONNS) {
		sim_fail(s, "bounded-connections");
		return SIM_NOTHING;
	}
	c = &s->conns[i];
	memset(c, 0, sizeof(*c));
	c->used = true;
	c->serial = ++s->serial;
	c->end[0].actor = from;
	c->end[1].actor = to;
	c->end[0].open = c->end[1].open = true;
	return i;
}

static struct sim_event *
on_its_way(struct sim *s, uint32_t conn, uint32_t to, enum sim_event_type type)
{
	struct sim_conn *c = &s->conns[conn];
	struct sim_end *end = &c->end[to];
	uint64_t due = s->now + sim_delay(s);
	struct sim_event *e;

	/* Nothing overtakes what was sent before. */
	if (due <= end->last)
		due = end->last + 1;
	end->last = due;
	end->queued++;
	if (end->queued > SIM_QUEUE)
		sim_fail(s, "bounded-queues");
	e = sim_event(s, type, due);
	e->a = conn;
	e->b = to;
	e->c = c->serial;
	return e;
}

/* Nobody reads it: what travelled with it is closed. */
static void
lost(struct sim *s, const struct sim_msg *m)
{
	if (m->type != SIM_STARTED || m->value == SIM_NOTHING)
		return;
	sim_pipe_close(s, m->state, false);
	sim_pipe_close(s, m->value, true);
	sim_pipe_wake_prog(s, m->state);
}

void
sim_send(struct sim *s, uint32_t conn, uint32_t actor,
    const struct sim_msg *m)
{
	struct sim_conn *c;
	uint32_t from;

	if (conn == SIM_NOTHING)
		return;
	c = &s->conns[conn];
	from = side_of(c, actor);
	REQUIRE(c->used && c->end[from].open);
	if (!c->end[!from].open) {
		lost(s, m);
		return;
	}
	on_its_way(s, conn, !from, SIM_EV_MSG)->msg = *m;
}

void
sim_close(struct sim *s, uint32_t conn, uint32_t actor)
{
	struct sim_conn *c;
	uint32_t from;

	if (conn == SIM_NOTHING)
		return;
	c = &s->conns[conn];
	from = side_of(c, actor);
	if (!c->used || !c->end[from].open)
		return;
	c->end[from].open = false;
	if (c->end[!from].open)
		(void)on_its_way(s, conn, !from, SIM_EV_EOF);
	else
		c->used = false;
}

static void
told(struct sim *s, uint32_t actor, uint32_t conn, const struct sim_msg *m)
{
	switch (actor) {
	case SIM_PNPD:
		sim_pnpd_msg(s, conn, m);
		break;
	case SIM_ORCMD:
		sim_orcmd_msg(s, conn, m);
		break;
	case SIM_LEADERD:
		sim_client_msg(s, &s->leaderd.client, m);
		break;
	case SIM_OWNER:
		sim_owner_msg(s, conn, m);
		break;
	default:
		sim_keeper_msg(s, actor, conn, m);
		break;
	}
}

static void
left(struct sim *s, uint32_t actor, uint32_t conn)
{
	switch (actor) {
	case SIM_PNPD:
		sim_pnpd_eof(s, conn);
		break;
	case SIM_ORCMD:
		sim_orcmd_eof(s, conn);
		break;
	case SIM_LEADERD:
		sim_client_eof(s, &s->leaderd.client);
		break;
	case SIM_OWNER:
		sim_owner_eof(s, conn);
		break;
	default:
		sim_keeper_eof(s, actor, conn);
		break;
	}
}

void
sim_arrive(struct sim *s, const struct sim_event *e)
{
	struct sim_conn *c = &s->conns[e->a];
	uint32_t actor;

	if (!c->used || c->serial != e->c || !c->end[e->b].open) {
		if (e->type == SIM_EV_MSG)
			lost(s, &e->msg);
		return;
	}
	actor = c->end[e->b].actor;
	c->end[e->b].queued--;
	if (e->type == SIM_EV_MSG) {
		told(s, actor, e->a, &e->msg);
		return;
	}
	c->end[e->b].open = false;
	c->used = false;
	left(s, actor, e->a);
}

void
sim_timer(struct sim *s, uint32_t actor, uint32_t timer, uint64_t due)
{
	struct sim_actor *a = &s->actors[actor];
	struct sim_event *e;

	if (a->timers[timer] != NULL)
		sim_event_free(s, a->timers[timer]);
	a->timers[timer] = NULL;
	if (due == ORCM_NEVER)
		return;
	e = sim_event(s, SIM_EV_TIMER, due > s->now ? due : s->now);
	e->a = actor;
	e->b = timer;
	a->timers[timer] = e;
}

void
sim_born(struct sim *s, uint32_t actor)
{
	struct sim_actor *a = &s->actors[actor];

	REQUIRE(!a->alive);
	a->alive = true;
	a->asleep = 0;
	a->life = ++s->serial;
	a->pid = s->next_pid++;
	sim_note(s, "born: actor, pid", actor, a->pid, 0);
}

void
sim_sleep(struct sim *s, uint32_t actor, uint64_t until)
{
	struct sim_actor *a = &s->actors[actor];

	/* Longer would let what comes then overtake what waits already. */
	if (!a->alive || a->asleep > s->now)
		return;
	sim_note(s, "sleeps: actor, pid, ns", actor, a->pid, until - s->now);
	a->asleep = until;
}

uint32_t
sim_runs(const struct sim *s, const struct sim_event *e)
{
	switch (e->type) {
	case SIM_EV_MSG:
	case SIM_EV_EOF:
		if (!s->conns[e->a].used || s->conns[e->a].serial != e->c)
			return SIM_NOTHING;
		return s->conns[e->a].end[e->b].actor;
	case SIM_EV_TIMER:
	case SIM_EV_CHILD:
		return e->a;
	case SIM_EV_OWNER:
		return SIM_OWNER;
	default:
		return SIM_NOTHING;
	}
}

void
sim_die(struct sim *s, uint32_t actor)
{
	uint32_t i, k;

	sim_note(s, "dies: actor, pid", actor, s->actors[actor].pid, 0);
	for (i = 0; i < SIM_TIMERS; i++)
		sim_timer(s, actor, i, ORCM_NEVER);
	s->actors[actor].alive = false;
	for (i = 0; i < SIM_CONNS; i++)
		for (k = 0; k < 2; k++)
			if (s->conns[i].used && s->conns[i].end[k].open &&
			    s->conns[i].end[k].actor == actor)
				sim_close(s, i, actor);
}
