/* SPDX-License-Identifier: ISC */
/*
 * What goes wrong.  Each kind that the plan allows comes again and again at
 * its own rate until the faults end.
 */
#include "sim/sim.h"

#define AWAY_MAX (30 * ORCM_MS) /* how long a daemon may be gone */
#define ASLEEP_MAX (300 * ORCM_MS)

static const char *const names[SIM_FAULTS] = {
	[SIM_KILL_PROG] = "FAULT program", [SIM_KILL_KEEPER] = "FAULT keeper",
	[SIM_EXIT_PROG] = "FAULT exit",
	[SIM_KILL_ALL] = "FAULT all programs",
	[SIM_STOP_PROG] = "FAULT stop", [SIM_HANG] = "FAULT hang",
	[SIM_KILL_PNPD] = "FAULT pnpd",
	[SIM_KILL_ORCMD] = "FAULT orcmd",
	[SIM_KILL_LEADERD] = "FAULT leaderd",
	[SIM_KILL_DAEMONS] = "FAULT all daemons",
	[SIM_KILL_NODE] = "FAULT all but the owner",
	[SIM_SLEEP] = "FAULT sleep", [SIM_CANNOT_RUN] = "FAULT cannot run",
	[SIM_KILL_OWNER] = "FAULT owner",
	[SIM_JITTER] = "FAULT jitter",
	[SIM_SLOW_SINK] = "FAULT slow reader",
	[SIM_USER_STOP] = "FAULT user stops",
	[SIM_USER_PAUSE] = "FAULT user pauses",
	[SIM_READER_GOES] = "FAULT reader goes",
};

static void
again(struct sim *s, uint32_t kind)
{
	/* Those without a moment of their own. */
	if (s->plan.every[kind] == 0 || kind == SIM_JITTER ||
	    kind == SIM_SLOW_SINK || kind == SIM_CANNOT_RUN)
		return;
	sim_event(s, SIM_EV_FAULT, s->now + 1 +
	    sim_mean(s, s->plan.every[kind]))->a = kind;
}

void
sim_fault_begin(struct sim *s)
{
	uint32_t kind;

	s->faults = true;
	for (kind = 0; kind < SIM_FAULTS; kind++)
		again(s, kind);
}

static void
daemon_dies(struct sim *s, uint32_t actor)
{
	if (!s->actors[actor].alive)
		return;
	sim_die(s, actor);
	sim_event(s, SIM_EV_MAIN, s->now + ORCM_MS + sim_upto(s, AWAY_MAX))
	    ->a = actor;
}

/* One of the keepers that live (with a program), or SIM_NOTHING. */
static uint32_t
any_keeper(struct sim *s, bool program)
{
	uint32_t i, k = (uint32_t)sim_upto(s, SIM_KEEPERS - 1);

	for (i = 0; i < SIM_KEEPERS; i++, k = (k + 1) % SIM_KEEPERS)
		if (s->actors[SIM_FIRST_KEEPER + k].alive &&
		    (!program || s->keepers[k].prog.alive))
			return SIM_FIRST_KEEPER + k;
	return SIM_NOTHING;
}

static void
kill_all(struct sim *s)
{
	uint32_t i;

	for (i = 0; i < SIM_KEEPERS; i++)
		if (s->keepers[i].prog.alive)
			sim_prog_end(s, SIM_FIRST_KEEPER + i,
			    STATUS_SIGNAL | 9);
}

static void
all_daemons_die(struct sim *s)
{
	daemon_dies(s, SIM_PNPD);
	daemon_dies(s, SIM_ORCMD);
	daemon_dies(s, SIM_LEADERD);
}

static void
kill_node(struct sim *s)
{
	uint32_t i;

	all_daemons_die(s);
	for (i = 0; i < SIM_KEEPERS; i++)
		sim_keeper_exit(s, SIM_FIRST_KEEPER + i, STATUS_SIGNAL | 9);
}

static void
fall_asleep(struct sim *s)
{
	uint32_t who = (uint32_t)sim_upto(s, SIM_FIRST_KEEPER);

	if (who == SIM_FIRST_KEEPER)
		who = any_keeper(s, false);
	if (who != SIM_NOTHING)
		sim_sleep(s, who, s->now + sim_upto(s, ASLEEP_MAX));
}

static void
pause_job(struct sim *s)
{
	struct job_in in = { .event = JOB_IN_PAUSE };

	if (!s->actors[SIM_OWNER].alive ||
	    s->actors[SIM_OWNER].asleep > s->now)
		return;
	if (s->owner.want == JOB_PAUSED)
		in.event = JOB_IN_RESUME;
	sim_owner_feed(s, &in);
	sim_owner_turn(s);
}

static void
stop_job(struct sim *s)
{
	struct job_in in = { .event = JOB_IN_STOP, .value = 15 };

	if (!s->actors[SIM_OWNER].alive ||
	    s->actors[SIM_OWNER].asleep > s->now)
		return;
	/* Who is asked twice means it. */
	if (s->seen.stop_asked)
		in.event = JOB_IN_KILL;
	s->seen.stop_asked = true;
	sim_owner_feed(s, &in);
	sim_owner_turn(s);
}

static void
toggle_stop(struct sim *s)
{
	uint32_t k = any_keeper(s, true);
	struct sim_prog *p;

	if (k == SIM_NOTHING)
		return;
	p = &sim_keeper(s, k)->prog;
	p->hung = !p->hung;
	if (!p->hung)
		sim_prog_wake(s, k);
}

static void
hang(struct sim *s)
{
	const struct sim_owner *o = &s->owner;
	uint32_t i;

	for (i = 0; i < SIM_KEEPERS; i++)
		if (o->job.leader < s->plan.ranks && s->keepers[i].prog.alive &&
		    s->keepers[i].rank == o->job.leader)
			s->keepers[i].prog.hung = true;
}

static bool
all_ready(const struct sim *s)
{
	uint32_t i;

	for (i = 0; i < s->plan.ranks; i++)
		if (!s->actors[SIM_OWNER].alive ||
		    !(s->owner.job.ranks[i].ready ||
			s->owner.job.ranks[i].ended))
			return false;
	return s->orcmd.keep.synced;
}

void
sim_fault_hit(struct sim *s, uint32_t kind)
{
	uint32_t k;

	if (!s->faults)
		return;
	again(s, kind);
	if (s->plan.daemons_only && !all_ready(s))
		return;
	sim_note(s, names[kind], 0, 0, 0);
	s->seen.counts[kind]++;
	switch (kind) {
	case SIM_KILL_PROG:
		k = any_keeper(s, true);
		if (k != SIM_NOTHING)
			sim_prog_end(s, k, STATUS_SIGNAL |
			    (sim_chance(s, 50) ? 9 : 11));
		break;
	case SIM_EXIT_PROG:
		k = any_keeper(s, true);
		if (k != SIM_NOTHING)
			sim_prog_end(s, k, SIM_STRAY_STATUS);
		break;
	case SIM_KILL_KEEPER:
		k = any_keeper(s, false);
		if (k != SIM_NOTHING)
			sim_keeper_exit(s, k, STATUS_SIGNAL | 9);
		break;
	case SIM_KILL_ALL:
		kill_all(s);
		break;
	case SIM_STOP_PROG:
		toggle_stop(s);
		break;
	case SIM_HANG:
		hang(s);
		break;
	case SIM_KILL_PNPD:
		daemon_dies(s, SIM_PNPD);
		break;
	case SIM_KILL_ORCMD:
		daemon_dies(s, SIM_ORCMD);
		break;
	case SIM_KILL_LEADERD:
		daemon_dies(s, SIM_LEADERD);
		break;
	case SIM_KILL_DAEMONS:
		all_daemons_die(s);
		break;
	case SIM_KILL_NODE:
		kill_node(s);
		break;
	case SIM_SLEEP:
		fall_asleep(s);
		break;
	case SIM_KILL_OWNER:
		sim_owner_killed(s);
		break;
	case SIM_USER_STOP:
		stop_job(s);
		break;
	case SIM_READER_GOES:
		s->owner.sink_closed = true;
		break;
	default:
		pause_job(s);
		break;
	}
}
