/* SPDX-License-Identifier: ISC */
/*
 * orcm-run, the half that talks: src/run/act.c and src/run/keep.c around the
 * core "job".  Its other half, the streams, is in flow.c.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/name.h"
#include "base/require.h"

static void
make_cores(struct sim *s)
{
	struct sim_owner *o = &s->owner;
	const struct sim_plan *p = &s->plan;
	bool all = p->ops->delivery == ORCM_DELIVER_ALL;
	struct splice_conf sc = {
		.ranks_len = all ? 1 : p->ranks,
		.mode = p->ops->delivery == ORCM_DELIVER_MAJORITY ?
		    SPLICE_MAJORITY :
		    SPLICE_LEADER,
		.window = p->window,
		.history = p->history,
		.mark = p->mark,
	};
	struct feed_conf fc = {
		.ranks_len = p->ranks,
		.window = p->window,
		.keep = p->keep,
		.leader_only = p->leader_only,
	};
	struct job_conf jc = {
		.ranks_len = p->ranks,
		.delivery = p->ops->delivery,
		.restart = p->restart,
		.rule = p->rule,
		.limit = p->limit,
		.stall = 500 * ORCM_MS,
		.grace = ORCM_SECOND,
		.settle = 100 * ORCM_MS,
		.window = p->window,
	};
	uint32_t i, splices = all ? p->ranks : 1;
	size_t size = splices * splice_memory(&sc) + feed_memory(&fc) +
	    job_memory(&jc);
	struct arena a;

	o->memory = calloc(1, size);
	REQUIRE(o->memory != NULL);
	arena_init(&a, o->memory, size);
	for (i = 0; i < splices; i++) {
		splice_init(&o->splices[i], &a, &sc);
		if (all)
			splice_lead(&o->splices[i], 0);
	}
	feed_init(&o->feed, &a, &fc);
	job_init(&o->job, &a, &jc, &o->feed, o->splices, s->now);
}

void
sim_owner_main(struct sim *s)
{
	struct sim_owner *o = &s->owner;
	uint32_t i;

	make_cores(s);
	o->restart = s->plan.restart;
	for (i = 0; i < SIM_RANKS; i++)
		o->reps[i].conn = o->reps[i].in = o->reps[i].out =
		    SIM_NOTHING;
	sim_client_start(s, &o->client, SIM_OWNER,
	    RECORD_BIT(RECORD_PROC) | RECORD_BIT(RECORD_LEAD));
}

static void
gone(struct sim *s)
{
	uint32_t i;

	sim_die(s, SIM_OWNER);
	for (i = 0; i < s->plan.ranks; i++) {
		sim_flow_close_in(s, i);
		sim_flow_close_out(s, i);
	}
}

/* The job is over: src/cmd/orcm-run.c, the end of main(). */
void
sim_owner_end(struct sim *s)
{
	sim_note(s, "exit: status", s->owner.code, 0, 0);
	sim_client_del(s, &s->owner.client, RECORD_JOB, SIM_JOB);
	gone(s);
}

/* It says nothing to anybody; nothing of its job may be left all the same. */
void
sim_owner_killed(struct sim *s)
{
	if (!s->actors[SIM_OWNER].alive || s->owner.over)
		return;
	s->owner.over = s->seen.owner_killed = true;
	gone(s);
}

void
sim_owner_feed(struct sim *s, const struct job_in *in)
{
	if (s->actors[SIM_OWNER].alive && !s->owner.over)
		job_feed(&s->owner.job, s->now, in);
}

void
sim_owner_rank(struct sim *s, enum job_event event, uint32_t rank,
    uint32_t incarnation, uint32_t value)
{
	const struct job_rank *k = &s->owner.job.ranks[rank];
	struct job_in in = { .event = event, .rank = rank,
		.incarnation = incarnation, .value = value };

	sim_owner_feed(s, &in);
	if ((event != JOB_IN_ENDED && event != JOB_IN_DETACHED) || k->alive)
		return;
	sim_flow_close_in(s, rank);
	if (!k->ended)
		sim_flow_close_out(s, rank);
}

static void
put_job(struct sim *s, bool hold)
{
	const struct sim_owner *o = &s->owner;
	struct record_job j;
	uint8_t value[RECORD_VALUE_MAX];

	memset(&j, 0, sizeof(j));
	(void)copy_str(j.name, sizeof(j.name), "job");
	(void)copy_str(j.app, sizeof(j.app), "sim:-:-");
	(void)copy_str(j.policy, sizeof(j.policy), s->plan.policy);
	j.size = s->plan.ranks;
	j.pid = s->actors[SIM_OWNER].pid;
	j.want = o->want;
	j.restart = o->restart;
	j.budget = s->plan.budget;
	j.strict = s->plan.strict;
	j.hold = hold;
	j.grace_ms = 1000;
	j.signal = o->signal != 0 ? o->signal : 15;
	j.epoch = o->job.epoch;
	sim_client_put(s, &s->owner.client, RECORD_JOB, SIM_JOB, value,
	    record_job_put(&j, value));
}

static void
put_flow(struct sim *s, uint32_t rank)
{
	const struct job_rank *k = &s->owner.job.ranks[rank];
	struct record_flow f = { k->flags_incarnation, k->flags };
	uint8_t value[RECORD_VALUE_MAX];

	sim_client_put(s, &s->owner.client, RECORD_FLOW,
	    RECORD_ID_RANK(SIM_JOB, rank), value, record_flow_put(&f, value));
}

void
sim_owner_publish(struct sim *s)
{
	uint32_t i;

	if (s->owner.published) {
		put_job(s, true);
		for (i = 0; i < s->plan.ranks; i++)
			if (s->owner.job.ranks[i].flowed)
				put_flow(s, i);
	}
	s->owner.published = true;
	put_job(s, false);
}

void
sim_owner_record(struct sim *s, const struct sim_msg *m)
{
	struct job_in in;
	struct record_proc proc;
	struct record_lead lead;

	memset(&in, 0, sizeof(in));
	if (RECORD_ID_JOB(m->id) != SIM_JOB || m->dead)
		return;
	if (m->kind == RECORD_PROC &&
	    record_proc_get(&proc, m->bytes, m->size)) {
		in.event = JOB_IN_PROC;
		in.rank = RECORD_RANK(m->id);
		in.proc = &proc;
	} else if (m->kind == RECORD_LEAD &&
	    record_lead_get(&lead, m->bytes, m->size) &&
	    lead.rank < s->plan.ranks) {
		sim_check_claim(s, &lead);
		in.event = JOB_IN_LEAD;
		in.rank = lead.rank;
		in.incarnation = lead.incarnation;
		in.epoch = lead.epoch;
	} else {
		return;
	}
	sim_owner_feed(s, &in);
}

/* Past orcmd, to the program of one replica. */
void
sim_owner_signal(struct sim *s, uint32_t rank, uint32_t sig)
{
	struct sim_msg m = { .type = SIM_SIGNAL, .value = sig };

	sim_send(s, s->owner.reps[rank].conn, SIM_OWNER, &m);
}

/*
 * A keeper for a rank that has one already: the higher life counts, because
 * orcmd ordered it when it had given up the other.
 */
static void
attach(struct sim *s, uint32_t conn, const struct sim_msg *m)
{
	struct sim_msg end = { .type = SIM_END }, spec = { .type = SIM_SPEC };
	uint32_t rank = RECORD_RANK(m->id);
	struct sim_rep *p = &s->owner.reps[rank];

	if (p->conn != SIM_NOTHING) {
		if (m->incarnation <= s->owner.job.ranks[rank].incarnation) {
			sim_note(s, "refused: rank, incarnation", rank,
			    m->incarnation, 0);
			sim_send(s, conn, SIM_OWNER, &end);
			sim_close(s, conn, SIM_OWNER);
			return;
		}
		sim_send(s, p->conn, SIM_OWNER, &end);
		sim_close(s, p->conn, SIM_OWNER);
		p->conn = SIM_NOTHING;
		sim_owner_rank(s, JOB_IN_DETACHED, rank, 0, 0);
	}
	p->conn = conn;
	p->keeper = m->keeper;
	sim_owner_rank(s, JOB_IN_ATTACHED, rank, m->incarnation, 0);
	sim_send(s, conn, SIM_OWNER, &spec);
}

static uint32_t
rank_of(const struct sim *s, uint32_t conn)
{
	uint32_t i;

	for (i = 0; i < s->plan.ranks; i++)
		if (s->owner.reps[i].conn == conn)
			return i;
	return SIM_NOTHING;
}

static void
keeper_msg(struct sim *s, uint32_t rank, const struct sim_msg *m)
{
	struct sim_rep *p = &s->owner.reps[rank];

	if (m->type == SIM_ENDED) {
		sim_owner_rank(s, JOB_IN_ENDED, rank, m->incarnation,
		    m->value);
		return;
	}
	/* Of one that cannot be run the picture tells. */
	if (m->type == SIM_FAILED)
		return;
	REQUIRE(m->type == SIM_STARTED);
	sim_check_started(s, rank, m->incarnation);
	sim_owner_rank(s, JOB_IN_STARTED, rank, m->incarnation, m->pid);
	sim_flow_close_in(s, rank);
	sim_flow_close_out(s, rank);
	p->in = m->state;
	p->out = m->value;
	if (s->owner.job.closed)
		sim_flow_drop_out(s, rank);
	sim_flow_wake(s);
}

void
sim_owner_msg(struct sim *s, uint32_t conn, const struct sim_msg *m)
{
	uint32_t rank = rank_of(s, conn);

	if (conn == s->owner.client.conn)
		sim_client_msg(s, &s->owner.client, m);
	else if (m->type == SIM_ATTACH)
		attach(s, conn, m);
	else if (rank != SIM_NOTHING)
		keeper_msg(s, rank, m);
	sim_owner_turn(s);
}

void
sim_owner_eof(struct sim *s, uint32_t conn)
{
	uint32_t rank = rank_of(s, conn);

	if (conn == s->owner.client.conn) {
		sim_client_eof(s, &s->owner.client);
	} else if (rank != SIM_NOTHING) {
		s->owner.reps[rank].conn = SIM_NOTHING;
		sim_owner_rank(s, JOB_IN_DETACHED, rank, 0, 0);
	}
	sim_owner_turn(s);
}

void
sim_owner_timer(struct sim *s, uint32_t timer)
{
	if (timer == 0)
		sim_client_timer(s, &s->owner.client);
	sim_owner_turn(s);
}

static void
perform(struct sim *s, const struct job_out *o)
{
	static const char *const names[] = {
		[JOB_OUT_WANT] = "owner wants: rank, value, want",
		[JOB_OUT_FLOW] = "owner puts flow: rank, flags",
		[JOB_OUT_LEADER] = "owner follows: rank",
		[JOB_OUT_READY] = "owner: ready: rank",
		[JOB_OUT_STALLED] = "owner: stalled: rank, ms",
		[JOB_OUT_KICK] = "owner kicks: rank",
		[JOB_OUT_CUT] = "owner cuts: rank",
		[JOB_OUT_EXIT] = "owner exits: rank, status",
	};

	sim_note(s, names[o->verb], o->rank, o->value, o->want);
	switch (o->verb) {
	case JOB_OUT_WANT:
		s->owner.want = o->want;
		s->owner.signal = o->signal;
		s->owner.restart = o->restart;
		if (s->owner.published)
			put_job(s, false);
		break;
	case JOB_OUT_FLOW:
		put_flow(s, o->rank);
		break;
	case JOB_OUT_KICK:
		sim_owner_signal(s, o->rank, 9);
		break;
	case JOB_OUT_CUT:
		sim_fail(s, "output: a pipe is cut that nobody holds open");
		break;
	case JOB_OUT_EXIT:
		s->owner.over = true;
		s->owner.code = o->value;
		break;
	default:
		break;
	}
}

void
sim_owner_turn(struct sim *s)
{
	struct job_in look = { .event = JOB_IN_LOOK };
	struct job_out out;

	if (s->owner.over || !s->actors[SIM_OWNER].alive)
		return;
	sim_flow_pump(s);
	sim_owner_feed(s, &look);
	while (job_take(&s->owner.job, &out))
		perform(s, &out);
	if (s->owner.over)
		sim_owner_end(s);
	else
		sim_timer(s, SIM_OWNER, 1, job_due(&s->owner.job));
}
