/* SPDX-License-Identifier: ISC */
/*
 * orcmd: the parent of everything local.  It starts the other daemons and
 * the keepers of replicas, and starts them again when they die; what shall
 * run and what happened to it is decided by the core "keep".
 *
 * Its charges (daemons and keepers) hold a connection to its socket, so both
 * ends know of a death at once and a new orcmd finds all of them again: it
 * adopts by connection, never by guessing from process tables.
 */
#include <stdio.h>
#include <string.h>

#include "base/name.h"
#include "node/node.h"
#include "orcmd/orcmd.h"
#include "sys/clock.h"
#include "sys/log.h"

#define ASK_TIME (6 * ORCM_SECOND) /* for owners to end their jobs */
#define END_TIME (1500 * ORCM_MS)  /* for processes to die of KILL */

static struct orcmd orcmd;

static void
on_publish(struct client *c)
{
	struct orcmd *o = c->arg;
	uint32_t i, k;

	for (i = 0; i < o->keep.conf.jobs_max; i++) {
		const struct keep_job *j = &o->keep.jobs[i];

		for (k = 0; j->used && k < j->r.size; k++)
			if (o->keep.procs[j->first + k].told)
				jobs_put(o, RECORD_ID_RANK(j->id, k),
				    &o->keep.procs[j->first + k].last);
	}
}

/* The owner hears it from the records of processes that cannot be. */
static void
refuse_job(struct orcmd *o, uint64_t id, const struct record_job *job)
{
	struct record_proc r = {
		.state = PROC_FAILED,
		.status = STATUS_NONE,
		.error = PROC_NO_ROOM,
	};
	uint32_t i;

	log_line(LOG_ERROR,
	    "job %s: no room for %u replicas: %u jobs and %u "
	    "processes are the most",
	    job->name, job->size, JOBS_MAX, PROCS_MAX);
	client_say(&o->client, "refused", job->name, ORCM_RANK_NONE,
	    "no-room-for=%u", job->size);
	for (i = 0; i < job->size; i++)
		jobs_put(o, RECORD_ID_RANK(id, i), &r);
}

static void
forget_refused(struct orcmd *o, uint64_t id)
{
	uint32_t i;

	for (i = 0; i < ORCM_RANKS_MAX; i++)
		client_del(&o->client, RECORD_PROC, RECORD_ID_RANK(id, i));
}

static void
on_record(struct client *c, const struct client_record *r)
{
	struct orcmd *o = c->arg;
	struct keep_in in = { .id = r->id };
	struct record_job job;
	struct record_flow flow;
	struct record_proc proc;

	/* A job runs where its owner is. */
	if (r->owner != c->number)
		return;
	if (r->kind == RECORD_JOB && r->dead) {
		in.event = KEEP_IN_JOB_GONE;
		if (keep_job(&o->keep, r->id) == NULL)
			forget_refused(o, r->id);
	} else if (r->kind == RECORD_JOB &&
		   record_job_get(&job, r->value, r->value_size)) {
		in.event = KEEP_IN_JOB;
		in.job = &job;
	} else if (r->kind == RECORD_FLOW && r->dead) {
		in.event = KEEP_IN_FLOW_GONE;
	} else if (r->kind == RECORD_FLOW &&
		   record_flow_get(&flow, r->value, r->value_size)) {
		in.event = KEEP_IN_FLOW;
		in.flow = &flow;
	} else if (r->kind == RECORD_PROC && !r->dead && !o->keep.synced &&
		   record_proc_get(&proc, r->value, r->value_size)) {
		in.event = KEEP_IN_PROC;
		in.proc = &proc;
	} else {
		return;
	}
	if (!jobs_feed(o, &in) && r->kind == RECORD_JOB)
		refuse_job(o, r->id, &job);
}

void
orcmd_check_ready(struct orcmd *o)
{
	if (o->ready || !client_up(&o->client) || !o->helpers[1].connected)
		return;
	o->ready = true;
	daemon_ready(&o->d);
}

static void
on_synced(struct client *c)
{
	struct orcmd *o = c->arg;
	struct keep_in in = { .event = KEEP_IN_SYNCED };

	if (!o->keep.synced)
		(void)jobs_feed(o, &in);
	orcmd_check_ready(o);
}

static void
on_down(struct client *c)
{
	struct keep_in in = { .event = KEEP_IN_DOWN };

	(void)jobs_feed(c->arg, &in);
}

static void
on_order(struct client *c, const struct client_order *order)
{
	struct orcmd *o = c->arg;

	if (order->verb != ORDER_SHUTDOWN) {
		client_reply(c, order->id, 1, "orcmd does not know that order");
		return;
	}
	client_reply(c, order->id, 0, "");
	o->d.on_end(o);
}

/* The end: jobs first, then the other daemons, then we. */
void
orcmd_check_end(struct orcmd *o)
{
	if (!o->ending || (keep_jobs(&o->keep) > 0 && clock_now() < o->end_by))
		return;
	/* In a private DVM the lifeline tells the others. */
	if (!o->d.orphaned && o->d.conf.keep)
		charges_tell_end(o);
	if (o->d.orphaned)
		path_run_remove(o->d.conf.run);
	loop_stop(&o->d.loop);
}

/* The owners did not end their jobs in time, or cannot: we do. */
static void
end_jobs(struct orcmd *o)
{
	struct keep_in in = { .event = KEEP_IN_JOB_GONE };
	uint32_t i;

	o->end_by = clock_now() + END_TIME;
	loop_timer(&o->d.loop, &o->end, o->end_by);
	for (i = 0; i < o->keep.conf.jobs_max; i++)
		if (o->keep.jobs[i].used) {
			in.id = o->keep.jobs[i].id;
			(void)jobs_feed(o, &in);
		}
}

static void
on_end_late(struct timer *t)
{
	struct orcmd *o = t->arg;

	if (o->end_by == ORCM_NEVER)
		end_jobs(o);
	orcmd_check_end(o);
}

/*
 * A node that is stopped asks the owners of its jobs to stop them: politely,
 * with what they wrote delivered.  A private DVM whose owner has gone asks
 * nobody.
 */
static void
on_stop(void *arg)
{
	struct orcmd *o = arg;
	struct client_order order = { .id = 1, .to = "owner",
		.verb = ORDER_STOP };
	uint32_t i;

	if (o->ending)
		return;
	o->ending = true;
	o->end_by = ORCM_NEVER;
	if (o->d.orphaned || !client_up(&o->client))
		end_jobs(o);
	else
		loop_timer(&o->d.loop, &o->end, clock_now() + ASK_TIME);
	for (i = 0; i < o->keep.conf.jobs_max && !o->d.orphaned; i++)
		if (o->keep.jobs[i].used) {
			(void)copy_str(order.job, sizeof(order.job),
			    o->keep.jobs[i].r.name);
			(void)client_order(&o->client, &order);
		}
	orcmd_check_end(o);
}

static void
on_state(void *arg)
{
	const struct orcmd *o = arg;
	uint32_t i;

	fprintf(stderr, "orcmd: %u jobs\n", keep_jobs(&o->keep));
	for (i = 0; i < o->keep.conf.procs_max; i++) {
		const struct keep_proc *p = &o->keep.procs[i];

		if (p->used)
			fprintf(stderr,
			    "orcmd: %s rank %u %s pid %u "
			    "incarnation %u keeper %u\n",
			    o->keep.jobs[p->job].r.name, p->rank,
			    proc_state_name(p->proc.r.state), p->proc.r.pid,
			    p->proc.r.incarnation, p->proc.r.keeper);
	}
}

static void
memory(struct orcmd *o)
{
	struct keep_conf conf = { JOBS_MAX, PROCS_MAX };
	size_t size =
	    keep_memory(&conf) + CHARGES_MAX * sizeof(struct charge_peer) + 64;

	arena_init(&o->arena, daemon_memory(size), size);
	jobs_begin(o);
	charges_begin(o);
	arena_seal(&o->arena);
}

NODE_MAIN(orcmd)
{
	static const struct client_ops ops = {
		.publish = on_publish,
		.record = on_record,
		.synced = on_synced,
		.order = on_order,
		.down = on_down,
	};
	struct orcmd *o = &orcmd;

	daemon_options(&o->d.conf, "orcmd", argc, argv);
	o->d.on_end = on_stop;
	o->d.on_state = on_state;
	o->d.arg = o;
	daemon_begin(&o->d, CHARGES_MAX + 8, CHARGES_MAX + 32);
	timer_init(&o->end, on_end_late, o);
	client_init(
	    &o->client, &o->d.loop, &ops, o, "orcmd", "orcmd", o->events);
	memory(o);
	helpers_begin(o);
	stuck_begin(o);
	if (client_start(&o->client, o->d.conf.run,
		RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_PROC) |
		    RECORD_BIT(RECORD_FLOW)) == -1)
		die_sys(EXIT_USAGE, "%s", o->d.conf.run);
	daemon_watch(&o->d);
	if (loop_run(&o->d.loop) == -1)
		die_sys(EXIT_TEMP, "event loop");
	client_stop(&o->client);
	charges_end(o);
	return EXIT_YES;
}
