/* SPDX-License-Identifier: ISC */
/*
 * What the core "keep" decides is done here: keepers are started and told,
 * process records and events are published.
 */
#include "orcmd/orcmd.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/num.h"
#include "base/wr.h"
#include "lib/spec.h"
#include "sys/clock.h"
#include "sys/log.h"
#include "sys/spawn.h"

static void
tell_keeper(struct orcmd *o, uint64_t id, enum wire_type type,
    enum wire_tlv tlv, uint32_t v)
{
	struct charge_peer *c = charge_of(o, id);
	uint8_t frame[WIRE_CONTROL_MAX];
	struct wire_header h = { .type = (uint8_t)type };
	struct wr w;

	if (c == NULL)
		return;
	wire_begin(&w, frame, sizeof(frame), &h);
	if (type == WIRE_RUN)
		wr_tlv_u32(&w, tlv, v);
	else if (type == WIRE_SIGNAL || v != 0)
		wr_tlv_u8(&w, tlv, (uint8_t)v);
	(void)conn_send(&c->conn, frame, wire_end(&w, 0));
}

static void
spawn_keeper(struct orcmd *o, const struct keep_out *out)
{
	static char opt_r[] = "-r", opt_j[] = "-j", opt_k[] = "-k",
		    opt_i[] = "-i", name[] = "orcm-wrap";
	char job[24], rank[16], incarnation[16];
	char *argv[] = { name, opt_r, o->d.conf.run, opt_j, job, opt_k, rank,
		opt_i, incarnation, NULL };
	struct keep_in in = { .event = KEEP_IN_SPAWNED, .id = out->id };
	struct spawn s;
	pid_t pid;

	(void)num_text(job, sizeof(job), RECORD_ID_JOB(out->id));
	(void)num_text(rank, sizeof(rank), RECORD_RANK(out->id));
	(void)num_text(incarnation, sizeof(incarnation), out->value);
	spawn_apart(&s, o->wrap, argv);
	pid = spawn(&s);
	if (pid == -1) {
		log_sys(LOG_ERROR, "start %s", o->wrap);
		jobs_process(o, out->id, PROC_IN_LOST, 0, 0);
		return;
	}
	in.value = (uint32_t)pid;
	(void)jobs_feed(o, &in);
}

static void
say_state(struct orcmd *o, const struct keep_out *out)
{
	const struct record_proc *r = &out->proc;
	uint32_t rank = RECORD_RANK(out->id);

	if (r->state == out->was && r->state != PROC_STARTING)
		return;
	if (r->state == PROC_UP)
		client_say(&o->client, out->adopted ? "adopt" : "start",
		    out->job, rank, "pid=%u incarnation=%u", r->pid,
		    r->incarnation);
	else if (r->state == PROC_STARTING && r->restarts > 0 && r->keeper != 0)
		client_say(&o->client, "restart", out->job, rank,
		    "incarnation=%u restarts=%u", r->incarnation, r->restarts);
	else if (r->state == PROC_BACKOFF)
		client_say(&o->client, "backoff", out->job, rank, "restarts=%u",
		    r->restarts);
	else if (r->state == PROC_FAILED)
		client_say(&o->client, "giveup", out->job, rank, "restarts=%u",
		    r->restarts);
	else if (r->state == PROC_STOPPING || r->state == PROC_KILLING)
		client_say(
		    &o->client, "stop", out->job, rank, "pid=%u", r->pid);
}

void
jobs_put(struct orcmd *o, uint64_t id, const struct record_proc *r)
{
	uint8_t value[RECORD_VALUE_MAX];

	client_put(
	    &o->client, RECORD_PROC, id, value, record_proc_put(r, value));
}

static void
job_over(struct orcmd *o, uint64_t id)
{
	char path[PATH_ROOM];

	/* An owner that was killed could not take its socket away. */
	if (spec_socket(o->d.conf.run, RECORD_ID_JOB(id), path) == 0)
		(void)unlink(path);
}

static void
reap_by_force(uint32_t pid)
{
	if (pid < 2)
		return;
	(void)kill(-(pid_t)pid, SIGKILL);
	(void)kill((pid_t)pid, SIGKILL);
}

static void
perform(struct orcmd *o, const struct keep_out *out)
{
	switch (out->verb) {
	case KEEP_OUT_SPAWN:
		spawn_keeper(o, out);
		break;
	case KEEP_OUT_RUN:
		tell_keeper(o, out->id, WIRE_RUN, TLV_INCARNATION, out->value);
		break;
	case KEEP_OUT_SIGNAL:
		tell_keeper(o, out->id, WIRE_SIGNAL, TLV_SIGNAL, out->value);
		break;
	case KEEP_OUT_END:
		tell_keeper(o, out->id, WIRE_END, TLV_REASON, out->value);
		break;
	case KEEP_OUT_REAP:
		reap_by_force(out->value);
		break;
	case KEEP_OUT_PUT:
		say_state(o, out);
		jobs_put(o, out->id, &out->proc);
		break;
	case KEEP_OUT_DEL:
		client_del(&o->client, RECORD_PROC, out->id);
		if (out->last)
			job_over(o, out->id);
		break;
	}
}

/*
 * Performing an effect may be an event itself (a keeper's pid, or that it
 * cannot be spawned); what follows from it joins the effects still to take.
 */
bool
jobs_feed(struct orcmd *o, const struct keep_in *in)
{
	struct keep_out out;
	bool good = keep_feed(&o->keep, clock_now(), in);

	if (o->feeding)
		return good;
	o->feeding = true;
	while (keep_take(&o->keep, &out))
		perform(o, &out);
	o->feeding = false;
	loop_timer(&o->d.loop, &o->tick, keep_due(&o->keep));
	orcmd_check_end(o);
	return good;
}

void
jobs_process(struct orcmd *o, uint64_t id, enum proc_event event,
    uint32_t incarnation, uint32_t value)
{
	struct keep_in in = {
		.event = KEEP_IN_PROCESS,
		.id = id,
		.process = { event, incarnation, value },
	};

	(void)jobs_feed(o, &in);
}

static void
on_tick(struct timer *t)
{
	struct keep_in in = { .event = KEEP_IN_TICK };

	(void)jobs_feed(t->arg, &in);
}

void
jobs_begin(struct orcmd *o)
{
	struct keep_conf conf = { JOBS_MAX, PROCS_MAX };

	keep_init(&o->keep, &o->arena, &conf);
	timer_init(&o->tick, on_tick, o);
	if (path_program(o->d.conf.argv[0], "orcm-wrap", o->wrap) == -1)
		die_sys(EXIT_TEMP, "find orcm-wrap");
}
