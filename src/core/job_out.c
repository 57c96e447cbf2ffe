/* SPDX-License-Identifier: ISC */
/*
 * The telling half of the owner's view: what has changed since it was last
 * told comes out one effect a call.  Flow records of the replicas go first,
 * because orcm-leaderd chooses by them, then the leader, the wish, and the
 * end when nothing is left to be waited for.
 */
#include "core/job.h"

#include <string.h>

/*
 * It is told once it is level; falling behind for a moment then takes nothing
 * back, or it would be told anew with each piece that is delivered.
 */
static bool
diverged(const struct job_rank *r, const struct splice *s, uint32_t member)
{
	bool told = r->flags_incarnation == r->incarnation &&
	    (r->flags & FLOW_DIVERGED);

	return (r->alive || r->ended) && s->done > 0 &&
	    !splice_agrees(s, member) && (told || splice_level(s, member));
}

static uint32_t
flags_of(const struct job *j, uint32_t rank)
{
	const struct job_rank *r = &j->ranks[rank];
	uint32_t flags = 0, member;
	const struct splice *s = job_splice(j, rank, &member);

	if (r->attached)
		flags |= FLOW_ATTACHED;
	if (r->alive && !r->kicked)
		flags |= FLOW_ALIVE;
	if (r->ready || r->ended)
		flags |= FLOW_READY;
	if (r->stalled)
		flags |= FLOW_STALLED;
	if (r->ended)
		flags |= FLOW_DONE;
	if (r->fruit)
		flags |= FLOW_FRUIT;
	if (diverged(r, s, member))
		flags |= FLOW_DIVERGED;
	return flags;
}

/* Something about one replica that others have to hear. */
static bool
take_rank(struct job *j, uint32_t rank, struct job_out *out)
{
	struct job_rank *r = &j->ranks[rank];
	uint32_t flags = flags_of(j, rank), was = r->flags;

	out->rank = rank;
	out->incarnation = r->incarnation;
	if (r->cut != 0 && r->cut <= j->looked) {
		r->cut = 0;
		out->verb = JOB_OUT_CUT;
		return true;
	}
	if (r->kicked && r->alive && j->want != JOB_KILL) {
		r->alive = r->ready = false;
		feed_stop(j->feed, rank);
		out->verb = JOB_OUT_KICK;
		return true;
	}
	if (r->flowed && flags == was && r->flags_incarnation ==
		r->incarnation)
		return false;
	if (!r->attached && !r->flowed)
		return false;
	if (r->flowed && (flags & ~was & FLOW_STALLED)) {
		r->flags |= FLOW_STALLED;
		out->verb = JOB_OUT_STALLED;
		out->value = (uint32_t)((j->looked - r->moved) / ORCM_MS);
		r->flowed = false;
		return true;
	}
	if ((flags & FLOW_READY) && !(flags & FLOW_DONE) &&
	    (!(was & FLOW_READY) || r->flags_incarnation != r->incarnation) &&
	    r->alive) {
		r->flags |= FLOW_READY;
		r->flags_incarnation = r->incarnation;
		r->flowed = false;
		out->verb = JOB_OUT_READY;
		return true;
	}
	r->flowed = true;
	r->flags = flags;
	r->flags_incarnation = r->incarnation;
	out->verb = JOB_OUT_FLOW;
	out->value = flags;
	return true;
}

static bool
exit_now(const struct job *j)
{
	if (j->code == JOB_UNDECIDED)
		return false;
	if (job_alive(j))
		return j->looked >= j->deadline;
	return !job_undelivered(j);
}

bool
job_take(struct job *j, struct job_out *out)
{
	memset(out, 0, sizeof(*out));
	if (j->over)
		return false;
	for (; j->told < j->conf.ranks_len; j->told++)
		if (take_rank(j, j->told, out))
			return true;
	if (j->leader != j->announced) {
		j->announced = j->leader;
		out->verb = JOB_OUT_LEADER;
		out->rank = j->leader;
		return true;
	}
	if (j->want_new) {
		j->want_new = false;
		out->verb = JOB_OUT_WANT;
		out->want = j->want;
		out->signal = j->signal;
		out->restart = j->no_replay ? RESTART_NEVER :
					      j->conf.restart;
		return true;
	}
	if (exit_now(j)) {
		j->over = true;
		out->verb = JOB_OUT_EXIT;
		out->value = j->code;
		return true;
	}
	return false;
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
job_due(const struct job *j)
{
	/* The deadline is for processes; what they wrote may wait longer. */
	bool timed = job_alive(j) || j->code == JOB_TIMED_OUT;
	uint64_t due = timed && j->looked < j->deadline ? j->deadline :
							  ORCM_NEVER;
	uint32_t i;

	if (j->conf.limit != ORCM_NEVER && j->code == JOB_UNDECIDED)
		due = earlier(due, j->start + j->conf.limit);
	if (j->finished != 0 && j->code == JOB_UNDECIDED)
		due = earlier(due, j->finished + (j->conf.rule ==
		    JOB_STATUS_LEADER ? j->conf.settle : j->conf.grace));
	for (i = 0; i < j->conf.ranks_len; i++) {
		const struct job_rank *r = &j->ranks[i];

		if (r->cut != 0)
			due = earlier(due, r->cut);
		if (r->alive && (r->behind != 0 || r->behind_in != 0) &&
		    !r->stalled &&
		    j->want != JOB_PAUSED)
			due = earlier(due, j->looked +
			    j->conf.stall / JOB_STALL_WINDOW);
		else if (r->alive && r->stalled && !r->kicked)
			due = earlier(due, j->looked + j->conf.stall);
	}
	return due;
}
