/* SPDX-License-Identifier: ISC */
/*
 * orcm-run, the half that moves bytes: src/run/input.c and src/run/output.c
 * around the cores "feed" and "splice", with a producer at one end and a
 * reader at the other, who come and go as they like.
 */
#include "sim/sim.h"

#include <string.h>

#include "base/require.h"

#define READS_MAX 8

void
sim_flow_wake(struct sim *s)
{
	if (s->owner.waking || s->owner.over)
		return;
	s->owner.waking = true;
	(void)sim_event(s, SIM_EV_OWNER, s->now + 500 + sim_upto(s, 20000));
}

void
sim_flow_close_in(struct sim *s, uint32_t rank)
{
	uint32_t pipe = s->owner.reps[rank].in;

	if (pipe == SIM_NOTHING)
		return;
	s->owner.reps[rank].in = SIM_NOTHING;
	sim_pipe_close(s, pipe, false);
	sim_pipe_wake_prog(s, pipe);
}

void
sim_flow_close_out(struct sim *s, uint32_t rank)
{
	uint32_t pipe = s->owner.reps[rank].out;

	if (pipe == SIM_NOTHING)
		return;
	s->owner.reps[rank].out = SIM_NOTHING;
	sim_pipe_close(s, pipe, true);
	sim_pipe_wake_prog(s, pipe);
}

/* It gets what any program gets whose reader has gone. */
void
sim_flow_drop_out(struct sim *s, uint32_t rank)
{
	sim_flow_close_out(s, rank);
	sim_owner_rank(s, JOB_IN_OUT_EOF, rank,
	    s->owner.job.ranks[rank].incarnation, 0);
}

/* What the input is at an offset, as the store would give it. */
static size_t
piece(struct sim *s, uint64_t from, uint64_t n, uint8_t *out, size_t most)
{
	size_t i;

	n = n < most ? n : most;
	for (i = 0; i < n; i++)
		out[i] = sim_input_byte(s, from + i);
	return (size_t)n;
}

static void
no_more_input(struct sim *s, uint32_t rank)
{
	feed_stop(&s->owner.feed, rank);
	sim_flow_close_in(s, rank);
}

/* Writes to one replica until it is full or has all there is. */
static bool
give(struct sim *s, uint32_t rank)
{
	struct sim_owner *o = &s->owner;
	uint8_t buf[4096];
	struct ring *ring;
	uint64_t from, n;
	size_t most, k;
	bool any = false;

	while (o->reps[rank].in != SIM_NOTHING) {
		ring = &s->pipes[o->reps[rank].in].ring;
		feed_next(&o->feed, rank, &from, &n);
		if (n == 0) {
			if (feed_finished(&o->feed, rank))
				sim_flow_close_in(s, rank);
			break;
		}
		if (from < o->feed.base) {
			sim_owner_signal(s, rank, 9);
			no_more_input(s, rank);
			break;
		}
		if (!s->pipes[o->reps[rank].in].read_open) {
			no_more_input(s, rank);
			break;
		}
		most = ring_free(ring);
		most = most < sizeof(buf) ? most : sizeof(buf);
		if (most == 0)
			break;
		k = piece(s, from, n, buf, 1 + (size_t)sim_upto(s, most - 1));
		REQUIRE(ring_write(ring, buf, k));
		feed_fed(&o->feed, rank, k);
		sim_pipe_wake_prog(s, o->reps[rank].in);
		any = true;
	}
	return any;
}

static bool
give_all(struct sim *s)
{
	uint32_t i, lead = s->owner.job.leader;
	bool any = false;

	if (lead < s->plan.ranks)
		any = give(s, lead);
	for (i = 0; i < s->plan.ranks; i++)
		if (i != lead)
			any = give(s, i) || any;
	return any;
}

static void
trim(struct sim *s)
{
	struct job_in in = { .event = JOB_IN_NO_REPLAY };

	if (feed_low(&s->owner.feed) > 0 && !s->owner.job.no_replay)
		sim_owner_feed(s, &in);
}

/* Reads one piece of the input. */
static bool
take(struct sim *s)
{
	struct sim_owner *o = &s->owner;
	uint64_t n = o->input - o->feed.head, room = feed_room(&o->feed);

	if (o->read_eof)
		return false;
	if (n == 0 && o->input_eof && room > 0) {
		o->read_eof = true;
		feed_eof(&o->feed);
		return true;
	}
	n = n < room ? n : room;
	if (n == 0)
		return false;
	feed_input(&o->feed, 1 + sim_upto(s, n - 1));
	return true;
}

static uint32_t
splices_len(const struct sim *s)
{
	return s->plan.ops->delivery == ORCM_DELIVER_ALL ? s->plan.ranks : 1;
}

static void
broken(struct sim *s)
{
	struct job_in in = { .event = JOB_IN_CLOSED, .value = 141 };
	uint32_t i;

	if (s->owner.job.closed)
		return;
	sim_note(s, "stdout is broken", 0, 0, 0);
	sim_owner_feed(s, &in);
	for (i = 0; i < s->plan.ranks; i++)
		if (s->owner.reps[i].out != SIM_NOTHING)
			sim_flow_drop_out(s, i);
}

static bool
deliver(struct sim *s, uint32_t which)
{
	struct splice *sp = &s->owner.splices[which];
	uint64_t room;
	const uint8_t *at;
	bool any = false;
	size_t n, k;

	while ((n = splice_deliver(sp, &at)) > 0) {
		if (s->owner.sink_closed) {
			broken(s);
			break;
		}
		room = s->plan.sink_cap - s->owner.sink;
		n = n < room ? n : (size_t)room;
		if (n == 0)
			break;
		/* A write may take less than it was given. */
		k = sim_chance(s, 10) ? 1 + (size_t)sim_upto(s, n - 1) : n;
		sim_check_delivered(s, which, at, sp->done, k);
		splice_delivered(sp, k);
		s->owner.sink += k;
		any = true;
		if (k < n)
			break;
	}
	return any;
}

/* Takes what one replica has written. */
static bool
drain(struct sim *s, uint32_t rank)
{
	struct sim_rep *p = &s->owner.reps[rank];
	struct sim_pipe *pipe;
	uint32_t member, i;
	struct splice *sp = job_splice(&s->owner.job, rank, &member);
	size_t room, k;
	uint8_t *at;

	for (i = 0; i < READS_MAX && p->out != SIM_NOTHING; i++) {
		pipe = &s->pipes[p->out];
		room = splice_room(sp, member, &at);
		if (room == 0) {
			splice_took(sp, member, 0);
			return i > 0;
		}
		k = ring_used(&pipe->ring);
		k = k < room ? k : room;
		if (k > 1)
			k = 1 + (size_t)sim_upto(s, k - 1);
		k = ring_read(&pipe->ring, at, k);
		splice_took(sp, member, k);
		if (k == 0 && pipe->write_open)
			return i > 0;
		if (k == 0) {
			sim_flow_close_out(s, rank);
			sim_owner_rank(s, JOB_IN_OUT_EOF, rank,
			    s->owner.job.ranks[rank].incarnation, 0);
			return true;
		}
		sim_pipe_wake_prog(s, p->out);
		if (rank == s->owner.job.leader || splices_len(s) > 1)
			(void)deliver(s, splices_len(s) > 1 ? rank : 0);
	}
	return i > 0;
}

void
sim_flow_io(struct sim *s)
{
	bool any = false;
	uint32_t i;

	s->owner.waking = false;
	if (s->owner.over || !s->actors[SIM_OWNER].alive)
		return;
	for (i = 0; i < s->plan.ranks; i++)
		any = drain(s, i) || any;
	any = take(s) || any;
	any = give_all(s) || any;
	trim(s);
	sim_owner_turn(s);
	if (any)
		sim_flow_wake(s);
}

/* The streams' part of the end of a turn. */
void
sim_flow_pump(struct sim *s)
{
	struct splice_out o;
	bool any = give_all(s);
	uint32_t i;

	trim(s);
	for (i = 0; i < splices_len(s); i++)
		any = deliver(s, i) || any;
	while (splices_len(s) == 1 && splice_take(&s->owner.splices[0], &o))
		sim_check_report(s, &o);
	if (any)
		sim_flow_wake(s);
}

void
sim_flow_produce(struct sim *s)
{
	struct sim_owner *o = &s->owner;
	const struct sim_plan *p = &s->plan;
	uint64_t n = 1 + sim_upto(s, p->input_piece - 1);

	if (o->over || o->input_eof)
		return;
	if (n >= p->input_size - o->input) {
		n = p->input_size - o->input;
		o->input_eof = true;
	}
	o->input += n;
	(void)sim_event(s, SIM_EV_INPUT,
	    s->now + 1 + sim_mean(s, p->input_every));
	if (s->actors[SIM_OWNER].alive)
		sim_flow_wake(s);
}

void
sim_flow_consume(struct sim *s)
{
	struct sim_owner *o = &s->owner;
	uint64_t n = 1 + sim_upto(s, s->plan.sink_piece - 1);

	if (o->over)
		return;
	o->sink -= n < o->sink ? n : o->sink;
	(void)sim_event(s, SIM_EV_SINK,
	    s->now + 1 + sim_mean(s, s->plan.sink_every *
		(s->faults ? s->plan.sink_slow : 1)));
	if (s->actors[SIM_OWNER].alive)
		sim_flow_wake(s);
}
