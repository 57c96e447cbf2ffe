/* SPDX-License-Identifier: ISC */
/*
 * What must happen soon.  While the daemons live, are connected and awake, a
 * leader that cannot go on is replaced by one that can, a leader that stands
 * still is seen to do so, and a replica that shall live again does.  Without
 * these bounds a wake-up that is lost would be hidden by whatever happens
 * next.
 *
 * The bounds are wide: a few messages, each of which may be late by all that
 * a plan allows.  How fast it is in real time is for the benchmarks.
 */
#include "sim/sim.h"

#define SWITCH_MAX (100 * ORCM_MS)
#define STALL_MAX (1500 * ORCM_MS) /* three times what makes a stall */
#define START_MAX (6 * ORCM_SECOND) /* the longest back-off, an adoption */

static bool
runs(const struct sim *s, uint32_t actor)
{
	return s->actors[actor].alive && s->actors[actor].asleep <= s->now;
}

static bool
calm(const struct sim *s)
{
	const struct job *j = &s->owner.job;

	return runs(s, SIM_PNPD) && runs(s, SIM_ORCMD) &&
	    runs(s, SIM_LEADERD) && runs(s, SIM_OWNER) &&
	    s->orcmd.keep.synced && s->leaderd.lead.synced &&
	    s->owner.client.up && !s->owner.over && !j->stopping &&
	    j->finished == 0 && j->want == JOB_UP;
}

/* Could it go on where the stream is? */
static bool
can_lead(const struct sim *s, uint32_t rank)
{
	const struct job_rank *r = &s->owner.job.ranks[rank];

	return r->attached && r->alive && r->ready && !r->stalled &&
	    !r->kicked && splice_level(&s->owner.splices[0], rank) &&
	    splice_agrees(&s->owner.splices[0], rank);
}

static bool
anybody_else(const struct sim *s)
{
	uint32_t i;

	for (i = 0; i < s->plan.ranks; i++)
		if (can_lead(s, i) && (i != s->owner.job.leader ||
			s->owner.job.ranks[i].incarnation !=
			    s->owner.job.leader_incarnation))
			return true;
	return false;
}

/* The life that is followed is over, or it stands still. */
static bool
headless(const struct sim *s)
{
	const struct job *j = &s->owner.job;
	const struct job_rank *r;

	if (j->leader == ORCM_RANK_NONE)
		return false;
	r = &j->ranks[j->leader];
	if (r->ended)
		return false;
	return !r->alive || r->stalled ||
	    r->incarnation != j->leader_incarnation;
}

/* Is the leader's program stopped with nothing left to read of it? */
static bool
stopped(const struct sim *s)
{
	const struct sim_owner *o = &s->owner;
	const struct sim_rep *p;
	const struct sim_keeper *k;
	uint32_t i;

	if (o->job.leader == ORCM_RANK_NONE ||
	    o->job.ranks[o->job.leader].stalled)
		return false;
	p = &o->reps[o->job.leader];
	for (i = 0; i < SIM_KEEPERS; i++) {
		k = &s->keepers[i];
		if (k->prog.alive && k->prog.hung && p->out != SIM_NOTHING &&
		    k->prog.out == p->out)
			return ring_used(&s->pipes[p->out].ring) == 0;
	}
	return false;
}

/* Has somebody who can lead written more than the leader? */
static bool
anybody_ahead(const struct sim *s)
{
	const struct splice *sp = &s->owner.splices[0];
	uint32_t i;

	for (i = 0; i < s->plan.ranks; i++)
		if (can_lead(s, i) &&
		    sp->ranks[i].pos > sp->ranks[s->owner.job.leader].pos)
			return true;
	return false;
}

/* It does not live, and nobody has said that it never will. */
static bool
missing(const struct sim *s, uint32_t rank)
{
	const struct job_rank *r = &s->owner.job.ranks[rank];

	return !r->alive && !r->ended && r->proc.state != PROC_DONE &&
	    r->proc.state != PROC_FAILED;
}

static bool
lasts(const struct sim *s, bool holds, uint64_t *since, uint64_t most)
{
	uint64_t from;

	if (!holds)
		*since = 0;
	else if (*since == 0)
		*since = s->now;
	if (*since == 0 || s->seen.calm == 0)
		return false;
	from = *since > s->seen.calm ? *since : s->seen.calm;
	return s->now - from > most;
}

void
sim_prompt_look(struct sim *s)
{
	struct sim_seen *seen = &s->seen;
	uint32_t i;

	if (!s->actors[SIM_OWNER].alive || s->owner.memory == NULL)
		return;
	if (!calm(s))
		seen->calm = 0;
	else if (seen->calm == 0)
		seen->calm = s->now;
	for (i = 0; i < s->plan.ranks; i++)
		if (lasts(s, missing(s, i), &seen->missing[i], START_MAX))
			sim_fail(s, "promptness: a replica is not started");
	if (s->plan.ops->delivery != ORCM_DELIVER_LEADER)
		return;
	if (lasts(s, headless(s) && anybody_else(s), &seen->headless,
		SWITCH_MAX))
		sim_fail(s, "promptness: a leader is not replaced");
	if (lasts(s, stopped(s) && anybody_ahead(s), &seen->stuck, STALL_MAX))
		sim_fail(s, "promptness: nobody sees that the leader stands "
		    "still");
}
