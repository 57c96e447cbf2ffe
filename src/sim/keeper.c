/* SPDX-License-Identifier: ISC */
/*
 * orcm-wrap: src/cmd/orcm-wrap.c.  The parent of one replica's program; it
 * tells the owner and orcmd, comes back to a new orcmd, and ends with the
 * owner.  When it dies its program dies with it.
 */
#include "sim/sim.h"

#include <string.h>

#include "base/require.h"

#define EXIT_NODAEMON 102u
#define SPEC_TIME (5 * ORCM_SECOND)
#define ERROR 13 /* EACCES of most systems; any but ENOENT will do */

struct sim_keeper *
sim_keeper(struct sim *s, uint32_t actor)
{
	REQUIRE(actor >= SIM_FIRST_KEEPER && actor < SIM_ACTORS);
	return &s->keepers[actor - SIM_FIRST_KEEPER];
}

void
sim_keeper_spawn(struct sim *s, uint64_t id, uint32_t incarnation)
{
	struct sim_keeper *k;
	struct sim_event *e;
	uint32_t actor = SIM_FIRST_KEEPER;

	while (actor < SIM_ACTORS && s->actors[actor].alive)
		actor++;
	if (actor == SIM_ACTORS) {
		sim_fail(s, "bounded-keepers");
		return;
	}
	k = sim_keeper(s, actor);
	memset(k, 0, sizeof(*k));
	k->rank = RECORD_RANK(id);
	k->incarnation = incarnation;
	k->status = STATUS_NONE;
	k->owner = k->charge = SIM_NOTHING;
	sim_born(s, actor);
	k->parent = s->actors[SIM_ORCMD].life;
	e = sim_event(s, SIM_EV_MAIN,
	    s->now + 300 * 1000 + sim_upto(s, ORCM_MS));
	e->a = actor;
	e->c = s->actors[actor].life;
}

void
sim_keeper_exit(struct sim *s, uint32_t actor, uint32_t status)
{
	struct sim_keeper *k = sim_keeper(s, actor);
	struct sim_event *e;

	if (!s->actors[actor].alive)
		return;
	if (k->prog.alive)
		sim_prog_end(s, actor, STATUS_SIGNAL | 9);
	else if (!STATUS_IS_CODE(status))
		s->seen.deaths[k->rank]++; /* of the life it was to begin */
	sim_die(s, actor);
	e = sim_event(s, SIM_EV_CHILD, s->now + sim_delay(s));
	e->a = SIM_ORCMD;
	e->b = s->actors[actor].pid;
	e->c = k->parent;
	e->value = status;
}

void
sim_keeper_main(struct sim *s, uint32_t actor)
{
	struct sim_keeper *k = sim_keeper(s, actor);
	struct sim_msg m = {
		.type = SIM_ATTACH,
		.id = RECORD_ID_RANK(SIM_JOB, k->rank),
		.incarnation = k->incarnation,
		.keeper = s->actors[actor].pid,
	};

	k->owner = sim_connect(s, actor, SIM_OWNER);
	if (k->owner == SIM_NOTHING) {
		sim_keeper_exit(s, actor, EXIT_NODAEMON);
		return;
	}
	sim_send(s, k->owner, actor, &m);
	sim_timer(s, actor, 1, s->now + SPEC_TIME);
}

static void
tell_both(struct sim *s, uint32_t actor, const struct sim_msg *m)
{
	struct sim_keeper *k = sim_keeper(s, actor);

	sim_send(s, k->owner, actor, m);
	sim_send(s, k->charge, actor, m);
}

/* There is no room for a process, or its file is being replaced. */
static void
cannot_run(struct sim *s, uint32_t actor)
{
	struct sim_keeper *k = sim_keeper(s, actor);
	struct sim_msg m = { .type = SIM_FAILED,
		.incarnation = k->incarnation, .value = ERROR };

	sim_note(s, "cannot run: rank, incarnation", k->rank, k->incarnation,
	    0);
	s->seen.failed[k->rank] = true;
	k->state = SIM_ENDED_STATE;
	k->error = ERROR;
	tell_both(s, actor, &m);
}

static void
start_life(struct sim *s, uint32_t actor, uint32_t incarnation)
{
	struct sim_keeper *k = sim_keeper(s, actor);
	struct sim_msg m = { .type = SIM_STARTED, .incarnation = incarnation };

	if (k->prog.alive)
		sim_fail(s, "a keeper starts a second program");
	k->incarnation = incarnation;
	k->status = STATUS_NONE;
	k->error = 0;
	k->prog.pid = 0;
	if (s->faults && s->plan.every[SIM_CANNOT_RUN] != 0 &&
	    sim_chance(s, 10)) {
		cannot_run(s, actor);
		return;
	}
	k->state = SIM_RUNS;
	sim_prog_start(s, actor);
	/* The owner gets the pipes' other ends along with the message. */
	m.pid = k->prog.pid;
	m.state = k->prog.in;
	m.value = k->prog.out;
	sim_send(s, k->owner, actor, &m);
	m.state = m.value = SIM_NOTHING;
	sim_send(s, k->charge, actor, &m);
}

static void
charge_now(struct sim *s, uint32_t actor)
{
	struct sim_keeper *k = sim_keeper(s, actor);
	uint64_t wait = ORCM_MS << (k->tries / 3 < 6 ? k->tries / 3 : 6);
	struct sim_msg m = {
		.type = SIM_CHARGE,
		.id = RECORD_ID_RANK(SIM_JOB, k->rank),
		.incarnation = k->incarnation,
		.pid = k->prog.pid,
		.state = k->state,
		.value = k->status,
		.keeper = s->actors[actor].pid,
	};

	k->charge = sim_connect(s, actor, SIM_ORCMD);
	if (k->charge == SIM_NOTHING) {
		k->tries++;
		wait = wait > 50 * ORCM_MS ? 50 * ORCM_MS : wait;
		sim_timer(s, actor, 0, s->now + wait);
		return;
	}
	k->tries = 0;
	sim_send(s, k->charge, actor, &m);
	m.type = SIM_FAILED;
	m.value = k->error;
	if (k->error != 0)
		sim_send(s, k->charge, actor, &m);
}

static void
signalled(struct sim *s, uint32_t actor, uint32_t sig)
{
	struct sim_keeper *k = sim_keeper(s, actor);

	if (sig != KEEP_SIGNAL_PAUSE && sig != KEEP_SIGNAL_RESUME &&
	    k->state != SIM_RUNS)
		sim_keeper_exit(s, actor, 0);
	else if (k->state == SIM_RUNS)
		sim_prog_signal(s, actor, sig);
}

void
sim_keeper_msg(struct sim *s, uint32_t actor, uint32_t conn,
    const struct sim_msg *m)
{
	struct sim_keeper *k = sim_keeper(s, actor);

	(void)conn;
	switch (m->type) {
	case SIM_SPEC:
		if (k->state != SIM_WAITS)
			break;
		sim_timer(s, actor, 1, ORCM_NEVER);
		start_life(s, actor, k->incarnation);
		charge_now(s, actor);
		break;
	case SIM_RUN:
		if (k->state != SIM_WAITS)
			start_life(s, actor, m->value);
		break;
	case SIM_SIGNAL:
		signalled(s, actor, m->value);
		break;
	case SIM_END:
		sim_keeper_exit(s, actor, 0);
		break;
	default:
		break;
	}
}

void
sim_keeper_eof(struct sim *s, uint32_t actor, uint32_t conn)
{
	struct sim_keeper *k = sim_keeper(s, actor);

	if (conn == k->owner) {
		sim_keeper_exit(s, actor, EXIT_NODAEMON);
		return;
	}
	k->charge = SIM_NOTHING;
	k->tries = 1;
	sim_timer(s, actor, 0, s->now + ORCM_MS);
}

void
sim_keeper_timer(struct sim *s, uint32_t actor, uint32_t timer)
{
	if (timer == 1)
		sim_keeper_exit(s, actor, EXIT_NODAEMON);
	else if (sim_keeper(s, actor)->charge == SIM_NOTHING)
		charge_now(s, actor);
}

/* Its program has ended. */
void
sim_keeper_child(struct sim *s, uint32_t actor, uint32_t status)
{
	struct sim_keeper *k = sim_keeper(s, actor);
	struct sim_msg m = {
		.type = SIM_ENDED,
		.incarnation = k->incarnation,
		.value = status,
	};

	if (k->state != SIM_RUNS || k->prog.alive)
		return;
	k->state = SIM_ENDED_STATE;
	k->status = status;
	tell_both(s, actor, &m);
}
