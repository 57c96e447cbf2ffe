/* SPDX-License-Identifier: ISC */
/*
 * Between the core "job" and the rest of orcm-run: what happened goes in,
 * what it decides is done.  And the client's side of the picture: the job's
 * and the flows' records go out, process records and claims come in.
 */
#include "run/run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/name.h"
#include "sys/clock.h"
#include "sys/log.h"

void
act_feed(struct run *r, const struct job_in *in)
{
	job_feed(&r->job, clock_now(), in);
}

/* A life that has died needs its pipes no more. */
static void
clear_dead(struct run *r, uint32_t rank)
{
	const struct job_rank *k = &r->job.ranks[rank];

	if (k->alive)
		return;
	input_close(r, rank);
	if (k->ended)
		return;
	output_close(r, rank);
	if (r->reps[rank].err_shown || k->status == STATUS_NONE)
		return;
	r->reps[rank].err_shown = true;
	errout_show(r, rank);
}

void
act_rank(struct run *r, enum job_event event, uint32_t rank,
    uint32_t incarnation, uint32_t value)
{
	struct job_in in = {
		.event = event,
		.rank = rank,
		.incarnation = incarnation,
		.value = value,
	};

	act_feed(r, &in);
	if (event == JOB_IN_ENDED || event == JOB_IN_DETACHED)
		clear_dead(r, rank);
	if (r->job.ranks[rank].ended && r->job.ranks[rank].eof)
		keeper_release(r, rank);
}

static void
put_job(struct run *r, bool hold)
{
	struct record_job j;
	uint8_t value[RECORD_VALUE_MAX];

	memset(&j, 0, sizeof(j));
	memcpy(j.name, r->name, sizeof(j.name));
	memcpy(j.app, r->app, sizeof(j.app));
	(void)copy_str(j.policy, sizeof(j.policy), r->opt.policy);
	j.size = r->opt.n;
	j.pid = (uint32_t)getpid();
	j.want = r->want;
	j.restart = r->restart;
	j.budget = r->opt.budget;
	j.period_ms = r->opt.period_ms;
	j.strict = r->opt.strict;
	j.hold = hold;
	j.grace_ms = (uint32_t)r->opt.grace_ms;
	j.signal = r->signal != 0 ? r->signal : (uint32_t)r->opt.signal;
	j.pokes = r->pokes;
	j.poke = r->poke;
	j.epoch = r->job.epoch;
	client_put(&r->client, RECORD_JOB, r->id, value,
	    record_job_put(&j, value));
}

static void
put_flow(struct run *r, uint32_t rank)
{
	const struct job_rank *k = &r->job.ranks[rank];
	struct record_flow f = { k->flags_incarnation, k->flags };
	uint8_t value[RECORD_VALUE_MAX];

	client_put(&r->client, RECORD_FLOW, RECORD_ID_RANK(r->id, rank),
	    value, record_flow_put(&f, value));
}

/*
 * A daemon that lost its memory must hear which replicas live before it
 * hears that the job shall run, or it would start them a second time.
 */
void
act_publish(struct client *c)
{
	struct run *r = c->arg;
	uint32_t i;

	if (r->published) {
		put_job(r, true);
		for (i = 0; i < r->opt.n; i++)
			if (r->job.ranks[i].flowed)
				put_flow(r, i);
	}
	r->published = true;
	put_job(r, false);
}

/* -b: somebody works for the job, so it was not refused. */
static void
tell_parent(struct run *r)
{
	if (r->tell_fd == -1)
		return;
	if (write(r->tell_fd, "+", 1) == 1)
		(void)!write(r->tell_fd, r->name, strlen(r->name));
	close(r->tell_fd);
	r->tell_fd = -1;
}

void
act_record(struct client *c, const struct client_record *rec)
{
	struct run *r = c->arg;
	struct job_in in;
	struct record_proc proc;
	struct record_lead lead;

	memset(&in, 0, sizeof(in));
	if (RECORD_ID_JOB(rec->id) != r->id || rec->dead)
		return;
	if (rec->kind == RECORD_PROC && RECORD_RANK(rec->id) < r->opt.n &&
	    record_proc_get(&proc, rec->value, rec->value_size)) {
		tell_parent(r);
		in.event = JOB_IN_PROC;
		in.rank = RECORD_RANK(rec->id);
		in.proc = &proc;
	} else if (rec->kind == RECORD_LEAD &&
	    record_lead_get(&lead, rec->value, rec->value_size) &&
	    lead.rank < r->opt.n) {
		in.event = JOB_IN_LEAD;
		in.rank = lead.rank;
		in.incarnation = lead.incarnation;
		in.epoch = lead.epoch;
	} else {
		return;
	}
	act_feed(r, &in);
}

/* Senders repeat their last events to a switchboard that is new. */
static bool
heard_before(const struct client_event *e)
{
	static struct {
		uint32_t pid;
		uint64_t seq;
	} heard[16];
	static size_t next;
	size_t i;

	for (i = 0; i < sizeof(heard) / sizeof(heard[0]); i++)
		if (heard[i].pid == e->pid) {
			if (e->seq <= heard[i].seq)
				return true;
			heard[i].seq = e->seq;
			return false;
		}
	i = next++ % (sizeof(heard) / sizeof(heard[0]));
	heard[i].pid = e->pid;
	heard[i].seq = e->seq;
	return false;
}

void
act_event(struct client *c, const struct client_event *e)
{
	struct run *r = c->arg;

	if (heard_before(e))
		return;
	if (e->job[0] != '\0' && strcmp(e->job, r->name) != 0)
		return;
	if (e->rank == ORCM_RANK_NONE)
		run_note(r, "event %s %s", e->name, e->text);
	else
		run_note(r, "event %s rank %u %s", e->name, e->rank, e->text);
}

void
act_order(struct client *c, const struct client_order *o)
{
	struct run *r = c->arg;
	struct job_in in = { .event = JOB_IN_STOP };

	if (o->verb != ORDER_STOP || strcmp(o->job, r->name) != 0) {
		client_reply(c, o->id, 1, "not an order for this job");
		return;
	}
	client_reply(c, o->id, 0, "");
	in.value = o->signal != 0 ? o->signal : (uint32_t)r->opt.signal;
	if (o->signal == SIGKILL)
		in.event = JOB_IN_KILL;
	act_feed(r, &in);
}

void
act_refused(struct client *c, const char *text)
{
	struct run *r = c->arg;

	dvm_end(r);
	(void)unlink(r->sock);
	die(JOB_OUR_FAULT, "job %s: %s", r->name, text);
}

static void
new_leader(struct run *r, uint32_t rank)
{
	static bool any;

	/* What followers wrote while another led has been said by it. */
	if (any)
		r->reps[rank].err_tail = r->reps[rank].err_head;
	any = true;
}

static void
exit_job(struct run *r, uint32_t code)
{
	uint32_t i;

	r->over = true;
	r->code = code;
	/* Who failed alone has something to say that nobody has heard. */
	for (i = 0; i < r->opt.n; i++)
		if (code == JOB_GAVE_UP ||
		    (r->job.ranks[i].own_end && i != r->job.leader &&
			job_code_of(r->job.ranks[i].status) != code))
			errout_show(r, i);
	if (code == JOB_OUR_FAULT && !r->job.closed)
		run_note(r, "the DVM has no room for %u more replicas",
		    r->opt.n);
	if (code == JOB_GAVE_UP)
		run_note(r, "gave up: no replica is left that can be started "
		    "again");
	else if (code == JOB_DISAGREED)
		run_note(r, "the replicas disagree");
	else if (code == JOB_TIMED_OUT)
		run_note(r, "time limit of %llu ms reached",
		    (unsigned long long)r->opt.limit_ms);
	loop_stop(&r->loop);
}

static void
perform(struct run *r, const struct job_out *o)
{
	switch (o->verb) {
	case JOB_OUT_WANT:
		r->want = o->want;
		r->signal = o->signal;
		r->restart = o->restart;
		if (r->published)
			put_job(r, false);
		break;
	case JOB_OUT_FLOW:
		put_flow(r, o->rank);
		break;
	case JOB_OUT_LEADER:
		new_leader(r, o->rank);
		break;
	case JOB_OUT_READY:
		client_say(&r->client, "ready", r->name, o->rank,
		    "incarnation=%u", o->incarnation);
		break;
	case JOB_OUT_STALLED:
		client_say(&r->client, "stalled", r->name, o->rank, "ms=%u",
		    o->value);
		break;
	case JOB_OUT_KICK:
		run_note(r, "rank %u holds the others back and its input is "
		    "not kept: it is given up", o->rank);
		keeper_signal(r, o->rank, SIGKILL);
		break;
	case JOB_OUT_CUT:
		run_note(r, "rank %u has ended, but something that it started "
		    "still holds its output: closed", o->rank);
		output_close(r, o->rank);
		act_rank(r, JOB_IN_OUT_EOF, o->rank, o->incarnation, 0);
		break;
	case JOB_OUT_EXIT:
		r->ending = true;
		r->code = o->value;
		break;
	}
}

/*
 * Daemons that died are back within milliseconds, stuck ones in six seconds.
 * When there are none for this long and no replica lives, nobody will start
 * one.
 */
#define DVM_GONE (10 * ORCM_SECOND)

static bool
any_began(const struct run *r)
{
	uint32_t i;

	for (i = 0; i < r->opt.n; i++)
		if (r->job.ranks[i].started)
			return true;
	return false;
}

static uint64_t
look_dvm(struct run *r)
{
	uint64_t now = clock_now(), again;

	if (client_up(&r->client) || r->over) {
		r->down_since = r->revive = 0;
		return ORCM_NEVER;
	}
	if (r->down_since == 0)
		r->down_since = now;
	again = dvm_revive(r, now);
	if (job_alive(&r->job) || job_undelivered(&r->job))
		return again;
	if (now < r->down_since + DVM_GONE)
		return again < r->down_since + DVM_GONE ?
		    again : r->down_since + DVM_GONE;
	run_note(r, "the DVM %s is gone", r->dvm);
	exit_job(r, any_began(r) ? JOB_GAVE_UP : JOB_OUR_FAULT);
	return ORCM_NEVER;
}

/*
 * All have ended, and what they wrote on stdout is out.  As the program would
 * have, we wait for the reader of our stderr; in the end not against a second
 * signal or beyond the time limit.
 */
static uint64_t
look_ending(struct run *r)
{
	uint64_t now = clock_now(), limit = ORCM_NEVER;

	if (r->code == JOB_TIMED_OUT)
		limit = r->job.deadline;
	else if (r->job.conf.limit != ORCM_NEVER)
		limit = r->job.start + r->job.conf.limit;
	if (!r->hurry && r->job.want != JOB_KILL && errout_rest(r)) {
		if (now < limit)
			return limit;
		r->code = JOB_TIMED_OUT;
	}
	exit_job(r, r->code);
	return ORCM_NEVER;
}

void
act_all(struct run *r)
{
	struct job_in look = { .event = JOB_IN_LOOK };
	struct job_out out;
	uint64_t due;

	input_pump(r);
	output_pump(r);
	act_feed(r, &look);
	while (job_take(&r->job, &out))
		perform(r, &out);
	errout_pump(r);
	due = r->ending ? look_ending(r) : look_dvm(r);
	if (!r->ending && job_due(&r->job) < due)
		due = job_due(&r->job);
	loop_timer(&r->loop, &r->due, due);
	if (r->stop_self && conn_queued(&r->client.conn) == 0) {
		r->stop_self = false;
		(void)kill(getpid(), SIGSTOP);
	}
}

void
act_status(struct run *r)
{
	uint32_t i, member;

	fprintf(stderr, "orcm-run: job %s dvm %s leader %ld epoch %llu\n",
	    r->name, r->dvm,
	    r->job.leader == ORCM_RANK_NONE ? -1L : (long)r->job.leader,
	    (unsigned long long)r->job.epoch);
	fprintf(stderr, "rank\tstate\tpid\tincarnation\tin\tout\n");
	for (i = 0; i < r->opt.n; i++) {
		const struct job_rank *k = &r->job.ranks[i];
		const struct splice *s = job_splice(&r->job, i, &member);

		fprintf(stderr, "%u\t%s%s%s\t%u\t%u\t%llu\t%llu\n", i,
		    k->alive ? (k->ready ? "ready" : "catching-up") :
		    k->ended ? "ended" :
			       proc_state_name(k->proc.state),
		    k->stalled ? ",stalled" : "",
		    i == r->job.leader ? ",leader" : "", k->pid,
		    k->incarnation,
		    (unsigned long long)r->feed.ranks[i].fed,
		    (unsigned long long)s->ranks[member].pos);
	}
	fprintf(stderr, "input %llu bytes, delivered %llu\n",
	    (unsigned long long)r->feed.head,
	    (unsigned long long)r->splices[0].done);
}
