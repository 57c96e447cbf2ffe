/* SPDX-License-Identifier: ISC */
/*
 * Replicated programs, and the pipes between them and the owner.  A program
 * is deterministic: what it has written is a function of what it has read,
 * though it reads and writes in pieces of any size at any time.  Its bytes
 * are made up from their offsets, so the text is known without a program.
 */
#include "sim/sim.h"

#include <string.h>

#include "base/require.h"

static uint8_t
mix(uint64_t at, uint64_t salt)
{
	at = (at + 1 + salt) * UINT64_C(0x9e3779b97f4a7c15);
	return (uint8_t)((at ^ at >> 29) >> 13);
}

const char *
sim_kind_name(uint32_t kind)
{
	static const char *const names[SIM_KINDS] = {
		[SIM_CAT] = "cat", [SIM_FILTER] = "filter",
		[SIM_LAST] = "last", [SIM_SOURCE] = "source",
		[SIM_BYTES] = "bytes", [SIM_STRANGER] = "stranger",
		[SIM_HASTY] = "hasty",
	};

	return kind < SIM_KINDS ? names[kind] : NULL;
}

uint8_t
sim_input_byte(const struct sim *s, uint64_t at)
{
	return mix(at, s->seed << 20);
}

uint8_t
sim_text_byte(const struct sim *s, uint32_t rank, uint64_t at)
{
	uint8_t b = mix(at, ~s->seed << 20);

	if (s->plan.kind == SIM_CAT || s->plan.kind == SIM_BYTES)
		return sim_input_byte(s, at);
	if (s->plan.kind == SIM_STRANGER && rank == s->plan.stranger &&
	    at >= s->plan.wrong)
		return (uint8_t)~b;
	return b;
}

/* How many bytes it has to say when it has read so many. */
static uint64_t
says(const struct sim *s, const struct sim_prog *p)
{
	switch (s->plan.kind) {
	case SIM_FILTER:
		return p->in_pos + p->in_pos / 16;
	case SIM_LAST:
		return p->eof ? s->plan.output_size : 0;
	case SIM_SOURCE:
		return s->plan.output_size;
	case SIM_HASTY:
		return p->in_pos < s->plan.output_size ? p->in_pos :
							 s->plan.output_size;
	default:
		return p->in_pos;
	}
}

/* Will it never read again? */
static bool
reads_no_more(const struct sim *s, const struct sim_prog *p)
{
	return p->eof || s->plan.kind == SIM_SOURCE ||
	    (s->plan.kind == SIM_HASTY && p->in_pos >= s->plan.output_size);
}

uint32_t
sim_pipe_new(struct sim *s)
{
	struct sim_pipe *p;
	uint32_t i;

	for (i = 0; i < SIM_PIPES && s->pipes[i].used; i++)
		;
	if (i == SIM_PIPES) {
		sim_fail(s, "bounded-pipes");
		i = 0;
	}
	p = &s->pipes[i];
	p->used = p->read_open = p->write_open = true;
	ring_init(&p->ring, p->buf, s->plan.pipe);
	return i;
}

void
sim_pipe_close(struct sim *s, uint32_t pipe, bool read_end)
{
	struct sim_pipe *p;

	if (pipe == SIM_NOTHING)
		return;
	p = &s->pipes[pipe];
	REQUIRE(p->used && (read_end ? p->read_open : p->write_open));
	if (read_end)
		p->read_open = false;
	else
		p->write_open = false;
	p->used = p->read_open || p->write_open;
}

void
sim_pipe_wake_prog(struct sim *s, uint32_t pipe)
{
	uint32_t i;

	for (i = 0; i < SIM_KEEPERS; i++)
		if (s->keepers[i].prog.alive &&
		    (s->keepers[i].prog.in == pipe ||
			s->keepers[i].prog.out == pipe))
			sim_prog_wake(s, SIM_FIRST_KEEPER + i);
}

void
sim_prog_wake(struct sim *s, uint32_t actor)
{
	struct sim_prog *p = &sim_keeper(s, actor)->prog;
	struct sim_event *e;

	if (!p->alive || p->stopped || p->hung || p->waking)
		return;
	p->waking = true;
	e = sim_event(s, SIM_EV_PROG,
	    s->now + 1000 + sim_mean(s, s->plan.step_every));
	e->a = actor;
	e->c = p->serial;
}

void
sim_prog_start(struct sim *s, uint32_t actor)
{
	struct sim_prog *p = &sim_keeper(s, actor)->prog;

	memset(p, 0, sizeof(*p));
	p->alive = true;
	p->serial = ++s->serial;
	p->pid = s->next_pid++;
	p->in = sim_pipe_new(s);
	p->out = sim_pipe_new(s);
	sim_note(s, "program: rank, incarnation, pid",
	    sim_keeper(s, actor)->rank, sim_keeper(s, actor)->incarnation,
	    p->pid);
	sim_prog_wake(s, actor);
}

void
sim_prog_end(struct sim *s, uint32_t actor, uint32_t status)
{
	struct sim_keeper *k = sim_keeper(s, actor);
	struct sim_prog *p = &k->prog;
	struct sim_event *e;

	sim_note(s, "program ends: rank, pid, status", k->rank, p->pid,
	    status);
	p->alive = false;
	s->seen.deaths[k->rank] += record_restarts(s->plan.restart, status);
	sim_pipe_close(s, p->in, true);
	sim_pipe_close(s, p->out, false);
	sim_flow_wake(s);
	e = sim_event(s, SIM_EV_CHILD, s->now + sim_delay(s));
	e->a = actor;
	e->b = p->pid;
	e->c = s->actors[actor].life;
	e->value = status;
}

void
sim_prog_signal(struct sim *s, uint32_t actor, uint32_t sig)
{
	struct sim_prog *p = &sim_keeper(s, actor)->prog;

	if (!p->alive)
		return;
	if (sig == KEEP_SIGNAL_PAUSE) {
		p->stopped = true;
	} else if (sig == KEEP_SIGNAL_RESUME) {
		p->stopped = p->hung = false;
		sim_prog_wake(s, actor);
	} else if (sig == 9 || !s->plan.deaf) {
		sim_prog_end(s, actor, STATUS_SIGNAL | sig);
	}
}

/* Reads a piece; false when there is nothing to read now. */
static bool
reads(struct sim *s, struct sim_prog *p)
{
	struct sim_pipe *in = &s->pipes[p->in];
	uint64_t n = 1 + sim_upto(s, s->plan.chunk - 1), i;
	uint8_t b;

	if (reads_no_more(s, p))
		return false;
	if (s->plan.kind == SIM_HASTY && n > s->plan.output_size - p->in_pos)
		n = s->plan.output_size - p->in_pos;
	for (i = 0; i < n && ring_read(&in->ring, &b, 1) == 1; i++, p->in_pos++)
		if (b != sim_input_byte(s, p->in_pos))
			sim_fail(s, "input: a program reads another byte");
	if (i > 0) {
		sim_flow_wake(s);
		return true;
	}
	if (!in->write_open) {
		p->eof = true;
		if (p->in_pos != s->plan.input_size && !s->owner.over &&
		    s->plan.keep == UINT64_MAX)
			sim_fail(s, "input: it ends too early");
	}
	return p->eof;
}

/* Writes a piece; false when there is nothing to say or no room. */
static bool
writes(struct sim *s, uint32_t rank, struct sim_prog *p)
{
	struct sim_pipe *out = &s->pipes[p->out];
	uint64_t n = says(s, p) - p->out_pos, i, most;
	uint8_t b;

	most = s->plan.kind == SIM_BYTES ? 1 :
					   1 + sim_upto(s, s->plan.chunk - 1);
	n = n < most ? n : most;
	for (i = 0; i < n && ring_free(&out->ring) > 0; i++, p->out_pos++) {
		b = sim_text_byte(s, rank, p->out_pos);
		(void)ring_write(&out->ring, &b, 1);
	}
	if (i > 0)
		sim_flow_wake(s);
	return i > 0;
}

void
sim_prog_step(struct sim *s, const struct sim_event *e)
{
	struct sim_keeper *k = sim_keeper(s, e->a);
	struct sim_prog *p = &k->prog;
	bool more;

	if (!p->alive || p->serial != e->c)
		return;
	p->waking = false;
	if (p->stopped || p->hung)
		return;
	/* Nobody reads what it says. */
	if (!s->pipes[p->out].read_open && says(s, p) > p->out_pos) {
		sim_prog_end(s, e->a, STATUS_SIGNAL | 13);
		return;
	}
	more = reads(s, p);
	more = writes(s, k->rank, p) || more;
	if (reads_no_more(s, p) && p->out_pos == says(s, p)) {
		sim_prog_end(s, e->a, s->plan.status);
		return;
	}
	if (more)
		sim_prog_wake(s, e->a);
}
