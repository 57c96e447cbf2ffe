/* SPDX-License-Identifier: ISC */
/*
 * orcmd: src/orcmd around the core "keep".  A new life of it is no longer
 * the parent of the keepers that an earlier one has spawned: of those it
 * hears only by their connections.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"

#define CHARGES (sizeof(((struct sim_orcmd *)0)->charges) /                    \
    sizeof(((struct sim_orcmd *)0)->charges[0]))
#define EXIT_NODAEMON 102u

static void
feed(struct sim *s, const struct keep_in *in);

void
sim_orcmd_main(struct sim *s)
{
	struct sim_orcmd *o = &s->orcmd;
	struct keep_conf conf = { 2, 2 * SIM_RANKS };
	struct arena a;
	size_t i;

	if (o->memory == NULL) {
		o->memory_size = keep_memory(&conf);
		o->memory = calloc(1, o->memory_size);
		REQUIRE(o->memory != NULL);
	}
	memset(o->memory, 0, o->memory_size);
	arena_init(&a, o->memory, o->memory_size);
	keep_init(&o->keep, &a, &conf);
	for (i = 0; i < CHARGES; i++)
		o->charges[i].used = false;
	o->feeding = false;
	sim_client_start(s, &o->client, SIM_ORCMD, RECORD_BIT(RECORD_JOB) |
	    RECORD_BIT(RECORD_PROC) | RECORD_BIT(RECORD_FLOW));
}

static uint32_t
charge_of(const struct sim *s, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < CHARGES; i++)
		if (s->orcmd.charges[i].used && s->orcmd.charges[i].id == id)
			return i;
	return SIM_NOTHING;
}

static void
process(struct sim *s, uint64_t id, enum proc_event event,
    uint32_t incarnation, uint32_t value)
{
	struct keep_in in = {
		.event = KEEP_IN_PROCESS,
		.id = id,
		.process = { event, incarnation, value },
	};

	feed(s, &in);
}

static void
tell_keeper(struct sim *s, const struct keep_out *out, enum sim_type type)
{
	struct sim_msg m = { .type = type, .value = out->value };
	uint32_t c = charge_of(s, out->id);

	if (c != SIM_NOTHING)
		sim_send(s, s->orcmd.charges[c].conn, SIM_ORCMD, &m);
}

static void
spawn_keeper(struct sim *s, const struct keep_out *out)
{
	struct keep_in in = { .event = KEEP_IN_SPAWNED, .id = out->id,
		.value = s->next_pid };

	sim_keeper_spawn(s, out->id, out->value);
	feed(s, &in);
}

/* KILL for a keeper, or for what a lost keeper left. */
static void
reap_by_force(struct sim *s, uint32_t pid)
{
	uint32_t i;

	for (i = 0; i < SIM_KEEPERS; i++) {
		struct sim_keeper *k = &s->keepers[i];

		if (s->actors[SIM_FIRST_KEEPER + i].alive &&
		    s->actors[SIM_FIRST_KEEPER + i].pid == pid)
			sim_keeper_exit(s, SIM_FIRST_KEEPER + i,
			    STATUS_SIGNAL | 9);
		else if (k->prog.alive && k->prog.pid == pid)
			sim_fail(s, "a program that lives is killed by pid");
	}
}

static void
put_proc(struct sim *s, uint64_t id, const struct record_proc *r)
{
	uint8_t value[RECORD_VALUE_MAX];

	sim_client_put(s, &s->orcmd.client, RECORD_PROC, id, value,
	    record_proc_put(r, value));
}

static void
perform(struct sim *s, const struct keep_out *out)
{
	static const char *const names[] = {
		[KEEP_OUT_SPAWN] = "orcmd spawns: rank, incarnation",
		[KEEP_OUT_RUN] = "orcmd runs: rank, incarnation",
		[KEEP_OUT_SIGNAL] = "orcmd signals: rank, signal",
		[KEEP_OUT_END] = "orcmd ends keeper: rank",
		[KEEP_OUT_REAP] = "orcmd reaps: rank, pid",
		[KEEP_OUT_PUT] = "orcmd puts: rank, state, incarnation",
		[KEEP_OUT_DEL] = "orcmd forgets: rank",
	};

	sim_note(s, names[out->verb], RECORD_RANK(out->id),
	    out->verb == KEEP_OUT_PUT ? out->proc.state : out->value,
	    out->proc.incarnation);
	switch (out->verb) {
	case KEEP_OUT_SPAWN:
		spawn_keeper(s, out);
		break;
	case KEEP_OUT_RUN:
		tell_keeper(s, out, SIM_RUN);
		break;
	case KEEP_OUT_SIGNAL:
		tell_keeper(s, out, SIM_SIGNAL);
		break;
	case KEEP_OUT_END:
		tell_keeper(s, out, SIM_END);
		break;
	case KEEP_OUT_REAP:
		reap_by_force(s, out->value);
		break;
	case KEEP_OUT_PUT:
		put_proc(s, out->id, &out->proc);
		break;
	case KEEP_OUT_DEL:
		sim_client_del(s, &s->orcmd.client, RECORD_PROC, out->id);
		break;
	}
}

static void
feed(struct sim *s, const struct keep_in *in)
{
	struct sim_orcmd *o = &s->orcmd;
	struct keep_out out;

	if (!keep_feed(&o->keep, s->now, in))
		sim_fail(s, "no room for the job in orcmd");
	if (o->feeding)
		return;
	o->feeding = true;
	while (keep_take(&o->keep, &out))
		perform(s, &out);
	o->feeding = false;
	sim_timer(s, SIM_ORCMD, 1, keep_due(&o->keep));
}

void
sim_orcmd_timer(struct sim *s, uint32_t timer)
{
	struct keep_in in = { .event = KEEP_IN_TICK };

	if (timer == 0)
		sim_client_timer(s, &s->orcmd.client);
	else
		feed(s, &in);
}

void
sim_orcmd_record(struct sim *s, const struct sim_msg *m)
{
	struct keep_in in = { .id = m->id };
	struct record_job job;
	struct record_flow flow;
	struct record_proc proc;

	if (m->kind == RECORD_JOB && m->dead) {
		in.event = KEEP_IN_JOB_GONE;
	} else if (m->kind == RECORD_JOB &&
	    record_job_get(&job, m->bytes, m->size)) {
		in.event = KEEP_IN_JOB;
		in.job = &job;
	} else if (m->kind == RECORD_FLOW && m->dead) {
		in.event = KEEP_IN_FLOW_GONE;
	} else if (m->kind == RECORD_FLOW &&
	    record_flow_get(&flow, m->bytes, m->size)) {
		in.event = KEEP_IN_FLOW;
		in.flow = &flow;
	} else if (m->kind == RECORD_PROC && !m->dead &&
	    !s->orcmd.keep.synced &&
	    record_proc_get(&proc, m->bytes, m->size)) {
		in.event = KEEP_IN_PROC;
		in.proc = &proc;
	} else {
		return;
	}
	feed(s, &in);
}

void
sim_orcmd_synced(struct sim *s)
{
	struct keep_in in = { .event = KEEP_IN_SYNCED };

	feed(s, &in);
}

void
sim_orcmd_down(struct sim *s)
{
	struct keep_in in = { .event = KEEP_IN_DOWN };

	feed(s, &in);
}

void
sim_orcmd_publish(struct sim *s)
{
	const struct keep *k = &s->orcmd.keep;
	uint32_t i, r;

	for (i = 0; i < k->conf.jobs_max; i++)
		for (r = 0; k->jobs[i].used && r < k->jobs[i].r.size; r++)
			if (k->procs[k->jobs[i].first + r].told)
				put_proc(s, RECORD_ID_RANK(k->jobs[i].id, r),
				    &k->procs[k->jobs[i].first + r].last);
}

/* A child of this life has ended. */
void
sim_orcmd_child(struct sim *s, uint32_t pid, uint32_t status)
{
	struct keep_in in = { .event = KEEP_IN_ORPHAN };
	uint64_t id;

	if (!keep_find(&s->orcmd.keep, pid, &id))
		return;
	in.id = RECORD_ID_JOB(id);
	if (status == EXIT_NODAEMON) {
		sim_note(s, "orphan: pid", pid, 0, 0);
		feed(s, &in);
	}
	if (charge_of(s, id) == SIM_NOTHING)
		process(s, id, PROC_IN_LOST, 0, 0);
}

static void
keeper_came(struct sim *s, uint32_t conn, const struct sim_msg *m)
{
	uint32_t old = charge_of(s, m->id), i;

	if (!keep_expects(&s->orcmd.keep, m->id, m->incarnation)) {
		sim_note(s, "too late: keeper, incarnation", m->keeper,
		    m->incarnation, 0);
		sim_close(s, conn, SIM_ORCMD);
		return;
	}
	if (old != SIM_NOTHING) {
		sim_close(s, s->orcmd.charges[old].conn, SIM_ORCMD);
		s->orcmd.charges[old].used = false;
	}
	for (i = 0; i < CHARGES && s->orcmd.charges[i].used; i++)
		;
	if (i == CHARGES) {
		sim_fail(s, "bounded-charges");
		return;
	}
	s->orcmd.charges[i].used = true;
	s->orcmd.charges[i].conn = conn;
	s->orcmd.charges[i].id = m->id;
	s->orcmd.charges[i].pid = m->keeper;
	process(s, m->id, PROC_IN_KEEPER, m->incarnation, m->keeper);
	if (m->state == SIM_WAITS)
		return;
	if (m->pid != 0)
		process(s, m->id, PROC_IN_STARTED, m->incarnation, m->pid);
	if (m->state == SIM_ENDED_STATE && m->value != STATUS_NONE)
		process(s, m->id, PROC_IN_ENDED, m->incarnation, m->value);
}

void
sim_orcmd_msg(struct sim *s, uint32_t conn, const struct sim_msg *m)
{
	uint32_t i;

	if (conn == s->orcmd.client.conn) {
		sim_client_msg(s, &s->orcmd.client, m);
		return;
	}
	if (m->type == SIM_CHARGE) {
		keeper_came(s, conn, m);
		return;
	}
	for (i = 0; i < CHARGES; i++)
		if (s->orcmd.charges[i].used &&
		    s->orcmd.charges[i].conn == conn)
			break;
	if (i == CHARGES)
		return;
	if (m->type == SIM_STARTED)
		process(s, s->orcmd.charges[i].id, PROC_IN_STARTED,
		    m->incarnation, m->pid);
	else if (m->type == SIM_ENDED)
		process(s, s->orcmd.charges[i].id, PROC_IN_ENDED,
		    m->incarnation, m->value);
	else if (m->type == SIM_FAILED)
		process(s, s->orcmd.charges[i].id, PROC_IN_FAILED,
		    m->incarnation, m->value);
}

void
sim_orcmd_eof(struct sim *s, uint32_t conn)
{
	uint32_t i;

	if (conn == s->orcmd.client.conn) {
		sim_client_eof(s, &s->orcmd.client);
		return;
	}
	for (i = 0; i < CHARGES; i++)
		if (s->orcmd.charges[i].used &&
		    s->orcmd.charges[i].conn == conn) {
			s->orcmd.charges[i].used = false;
			process(s, s->orcmd.charges[i].id, PROC_IN_LOST, 0, 0);
			return;
		}
}
