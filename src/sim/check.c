/* SPDX-License-Identifier: ISC */
/*
 * What must always hold.  The text is known beforehand, so each delivered
 * byte is compared at once; everything that has a number which may only rise
 * is remembered; and the end is judged by what the plan allows.
 */
#include "sim/sim.h"

#include <string.h>

static bool
strangers(const struct sim *s)
{
	return s->plan.kind == SIM_STRANGER && s->plan.input_size > 0;
}

void
sim_check_started(struct sim *s, uint32_t rank, uint32_t incarnation)
{
	struct sim_seen *seen = &s->seen;

	if (seen->started[rank] && incarnation <= seen->incarnation[rank])
		sim_fail(s, "incarnations rise");
	if (s->plan.daemons_only && incarnation != 0)
		sim_fail(s, "a daemon's death restarts no replica");
	seen->started[rank] = true;
	seen->incarnation[rank] = incarnation;
}

/* Two leaderships never have the same epoch. */
void
sim_check_claim(struct sim *s, const struct record_lead *r)
{
	const struct record_lead *last = &s->seen.claim;

	if (r->epoch == last->epoch &&
	    (r->rank != last->rank || r->incarnation != last->incarnation))
		sim_fail(s, "leader epochs rise");
	if (r->epoch > last->epoch)
		s->seen.claim = *r;
}

/* Whose text may this byte be? */
static bool
right(const struct sim *s, uint32_t stream, uint64_t at, uint8_t b)
{
	bool all = s->plan.ops->delivery == ORCM_DELIVER_ALL;
	uint32_t other = s->plan.stranger == 0 ? 1 : 0;

	if (all)
		return b == sim_text_byte(s, stream, at);
	if (b == sim_text_byte(s, other, at))
		return true;
	/* A leader is believed; so is one that is alone. */
	return strangers(s) &&
	    (s->plan.ops->delivery == ORCM_DELIVER_LEADER ||
		s->plan.ranks == 1) &&
	    b == sim_text_byte(s, s->plan.stranger, at);
}

void
sim_check_delivered(struct sim *s, uint32_t stream, const uint8_t *p,
    uint64_t from, size_t n)
{
	size_t i;

	sim_note(s, "delivered: stream, from, bytes", stream, from, n);
	if (from != s->seen.delivered[stream])
		sim_fail(s, "output: bytes are lost or doubled");
	for (i = 0; i < n; i++)
		if (!right(s, stream, from + i, p[i]))
			sim_fail(s, "output: another byte");
	if (s->broken && from == 0)
		sim_fail(s, "canary");
	s->seen.delivered[stream] += n;
	if (s->seen.delivered[stream] > s->plan.output_size)
		sim_fail(s, "output: more than there is");
}

void
sim_check_report(struct sim *s, const struct splice_out *o)
{
	sim_note(s, "differs: rank, from, to", o->rank, o->from, o->to);
	s->seen.reports |= 1u << o->rank;
	if (!strangers(s)) {
		if (o->how == SPLICE_BYTES)
			sim_fail(s, "a replica is reported that does not "
			    "differ");
		else if (s->plan.keep == UINT64_MAX)
			sim_fail(s, "an end is reported that does not differ");
		return;
	}
	if (s->plan.ops->delivery != ORCM_DELIVER_MAJORITY)
		return;
	if (o->rank != s->plan.stranger)
		sim_fail(s, "the wrong replica is reported");
	if (o->from > s->plan.wrong || o->to < s->plan.wrong)
		sim_fail(s, "a difference is reported at another place");
}

/* After each event. */
void
sim_check_event(struct sim *s)
{
	uint32_t lives[SIM_RANKS] = { 0 }, i;
	const struct sim_keeper *k;

	if (s->owner.job.epoch < s->seen.epoch)
		sim_fail(s, "the owner's epoch rises");
	s->seen.epoch = s->owner.job.epoch;
	for (i = 0; i < SIM_KEEPERS; i++) {
		k = &s->keepers[i];
		if (!k->prog.alive || k->owner == SIM_NOTHING ||
		    !s->conns[k->owner].used ||
		    s->owner.reps[k->rank].conn != k->owner)
			continue;
		if (++lives[k->rank] > 1)
			sim_fail(s, "two lives of one rank are attached");
	}
}

static bool
all_delivered(const struct sim *s)
{
	uint32_t i;

	if (s->plan.ops->delivery != ORCM_DELIVER_ALL)
		return s->seen.delivered[0] == s->plan.output_size;
	for (i = 0; i < s->plan.ranks; i++)
		if (s->seen.delivered[i] != s->plan.output_size)
			return false;
	return true;
}

/* May the job have been given up? */
static bool
may_give_up(struct sim *s)
{
	const struct sim_plan *p = &s->plan;
	uint32_t i, spent = 0, need = 1;

	if (p->keep != UINT64_MAX)
		return true;
	for (i = 0; i < p->ranks; i++)
		spent += s->seen.failed[i] ||
		    (p->budget != BUDGET_INF &&
			s->seen.deaths[i] > p->budget);
	if (p->ops->delivery == ORCM_DELIVER_LEADER)
		need = p->ranks;
	else if (p->ops->delivery == ORCM_DELIVER_MAJORITY)
		need = p->ranks - p->ranks / 2;
	return spent >= need;
}

/* More deaths than restarts are allowed; known only if orcmd remembers. */
static void
check_budget(struct sim *s)
{
	const uint32_t *counts = s->seen.counts;
	uint32_t i;

	if (!s->plan.strict || counts[SIM_KILL_ORCMD] > 0 ||
	    counts[SIM_KILL_DAEMONS] > 0 || counts[SIM_KILL_NODE] > 0)
		return;
	for (i = 0; i < s->plan.ranks; i++)
		if (s->seen.started[i] &&
		    s->seen.incarnation[i] > s->plan.budget)
			sim_fail(s, "more restarts than the budget allows");
}

/*
 * Who is told to stop may end as it would have anyway: then its status is the
 * program's, though what others wrote, or nobody took, is missing.
 */
static bool
stopped_itself(const struct sim *s)
{
	const struct job *j = &s->owner.job;

	return s->seen.stop_asked &&
	    (j->conf.delivery != ORCM_DELIVER_LEADER ||
		(j->leader != ORCM_RANK_NONE && !j->ranks[j->leader].own_end));
}

void
sim_check_exit(struct sim *s)
{
	const struct sim_plan *p = &s->plan;
	uint32_t code = s->owner.code;
	bool majority = p->ops->delivery == ORCM_DELIVER_MAJORITY;

	check_budget(s);
	if (s->owner.job.closed) {
		if (code != 128 + 13)
			sim_fail(s, "status: not that of a broken pipe");
		return;
	}
	if (code == JOB_TIMED_OUT) {
		if (s->now < p->limit)
			sim_fail(s, "status: timed out too early");
		return;
	}
	if (s->seen.stop_asked &&
	    (code == 128 + 15 || code == 128 + 9 || code == 128 + 11 ||
		(code == SIM_STRAY_STATUS && p->restart == RESTART_FAILURE)))
		return;
	if (code == JOB_GAVE_UP ||
	    (code == JOB_CANNOT_EXEC && p->every[SIM_CANNOT_RUN] != 0)) {
		if (!may_give_up(s))
			sim_fail(s, "status: given up without need");
		return;
	}
	if (code == JOB_DISAGREED) {
		if (!strangers(s) || !majority ||
		    (p->ranks > 2 && p->budget == BUDGET_INF &&
			p->every[SIM_CANNOT_RUN] == 0 &&
			p->keep == UINT64_MAX))
			sim_fail(s, "status: a disagreement without need");
		return;
	}
	if (code != p->status)
		sim_fail(s, "status: not the program's");
	else if (!all_delivered(s) && !stopped_itself(s))
		sim_fail(s, "output: not all of it");
	else if (majority && strangers(s) && !s->seen.stop_asked &&
	    p->rule != JOB_STATUS_LEADER && p->ranks > 2 &&
	    s->seen.started[p->stranger] &&
	    s->owner.job.ranks[p->stranger].own_end &&
	    !(s->seen.reports & 1u << p->stranger))
		sim_fail(s, "a difference is not reported");
}

/* Is nothing left of the job in any of the programs? */
bool
sim_check_clean(const struct sim *s)
{
	uint32_t i, place = 0;

	for (i = 0; i < SIM_KEEPERS; i++)
		if (s->actors[SIM_FIRST_KEEPER + i].alive)
			return false;
	if (!s->actors[SIM_ORCMD].alive || keep_jobs(&s->orcmd.keep) > 0)
		return false;
	if (!s->actors[SIM_PNPD].alive || s->orcmd.client.conn == SIM_NOTHING)
		return false;
	return picture_next(&s->pnpd.picture, RECORD_BIT(RECORD_JOB) |
	    RECORD_BIT(RECORD_PROC) | RECORD_BIT(RECORD_FLOW), &place) ==
	    NULL;
}
