/* SPDX-License-Identifier: ISC */
/*
 * orcm-leaderd: who leads each job.  It hears jobs, processes and flows from
 * the picture, asks the core "lead", which asks the job's strategy plug-in,
 * and publishes the claims.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <orcm/types.h>

#include "core/lead.h"
#include "lib/client.h"
#include "lib/daemon.h"
#include "lib/policy.h"
#include "sys/clock.h"
#include "sys/log.h"

#define JOBS_MAX    256u
#define MEMBERS_MAX 4096u

static struct leaderd {
	struct daemon d;
	struct arena arena;
	struct lead lead;
	struct client client;
	struct client_event events[CLIENT_EVENTS];
} l;

static void
put_claim(uint64_t id, const struct record_lead *r)
{
	uint8_t value[RECORD_VALUE_MAX];

	client_put(
	    &l.client, RECORD_LEAD, id, value, record_lead_put(r, value));
}

static void
take_all(void)
{
	struct lead_out out;

	while (lead_take(&l.lead, &out)) {
		if (!out.claim) {
			client_del(&l.client, RECORD_LEAD, out.id);
			continue;
		}
		put_claim(out.id, &out.lead);
		client_say(&l.client, "leader", out.job, out.lead.rank,
		    "epoch=%llu incarnation=%u",
		    (unsigned long long)out.lead.epoch, out.lead.incarnation);
	}
}

/* The job's strategy; a job whose strategy cannot be had leads nobody. */
static bool
strategy(const struct record_job *job, struct lead_in *in)
{
	struct policy policy;

	if (policy_load(&policy, job->policy, job->size) == -1) {
		log_line(LOG_ERROR, "job %s: %s", job->name, policy.error);
		return false;
	}
	in->ops = policy.ops;
	in->argument = policy.argument;
	return true;
}

static void
on_record(struct client *c, const struct client_record *r)
{
	struct lead_in in = { .id = r->id };
	struct record_job job;
	struct record_proc proc;
	struct record_flow flow;
	struct record_lead lead;

	/* Other nodes' jobs are led from there. */
	if (r->owner != c->number)
		return;
	if (r->kind == RECORD_JOB && r->dead) {
		in.event = LEAD_IN_JOB_GONE;
	} else if (r->dead) {
		return;
	} else if (r->kind == RECORD_JOB &&
		   record_job_get(&job, r->value, r->value_size)) {
		in.event = LEAD_IN_JOB;
		in.job = &job;
		if (!strategy(&job, &in))
			return;
	} else if (r->kind == RECORD_PROC &&
		   record_proc_get(&proc, r->value, r->value_size)) {
		in.event = LEAD_IN_PROC;
		in.proc = &proc;
	} else if (r->kind == RECORD_FLOW &&
		   record_flow_get(&flow, r->value, r->value_size)) {
		in.event = LEAD_IN_FLOW;
		in.flow = &flow;
	} else if (r->kind == RECORD_LEAD &&
		   record_lead_get(&lead, r->value, r->value_size)) {
		in.event = LEAD_IN_LEAD;
		in.lead = &lead;
	} else {
		return;
	}
	if (!lead_feed(&l.lead, clock_now(), &in))
		log_line(LOG_ERROR, "no room for job %016llx",
		    (unsigned long long)r->id);
	take_all();
}

static void
on_synced(struct client *c)
{
	struct lead_in in = { .event = LEAD_IN_SYNCED };

	(void)c;
	(void)lead_feed(&l.lead, clock_now(), &in);
	take_all();
}

static void
on_publish(struct client *c)
{
	uint32_t i;

	(void)c;
	for (i = 0; i < l.lead.conf.jobs_max; i++)
		if (l.lead.jobs[i].used &&
		    l.lead.jobs[i].lead.rank != ORCM_RANK_NONE)
			put_claim(l.lead.jobs[i].id, &l.lead.jobs[i].lead);
}

static void
on_stop(void *arg)
{
	(void)arg;
	if (l.d.orphaned)
		path_run_remove(l.d.conf.run);
	loop_stop(&l.d.loop);
}

static void
on_state(void *arg)
{
	uint32_t i;

	(void)arg;
	for (i = 0; i < l.lead.conf.jobs_max; i++)
		if (l.lead.jobs[i].used)
			fprintf(stderr,
			    "orcm-leaderd: %s leader %u epoch "
			    "%llu\n",
			    l.lead.jobs[i].name, l.lead.jobs[i].lead.rank,
			    (unsigned long long)l.lead.jobs[i].lead.epoch);
}

int
main(int argc, char **argv)
{
	static const struct client_ops ops = {
		.publish = on_publish,
		.record = on_record,
		.synced = on_synced,
	};
	struct lead_conf conf = { JOBS_MAX, MEMBERS_MAX };
	size_t size = lead_memory(&conf) + 64;

	daemon_options(&l.d.conf, "orcm-leaderd", argc, argv);
	l.d.on_end = on_stop;
	l.d.on_state = on_state;
	/* orcm-pnpd is closer to orcmd and goes first. */
	l.d.revive_wait = 100 * ORCM_MS;
	daemon_begin(&l.d, 8, 16);
	arena_init(&l.arena, daemon_memory(size), size);
	lead_init(&l.lead, &l.arena, &conf);
	arena_seal(&l.arena);
	client_init(&l.client, &l.d.loop, &ops, NULL, "orcm-leaderd",
	    "orcm-leaderd", l.events);
	if (client_start(&l.client, l.d.conf.run,
		RECORD_BIT(RECORD_JOB) | RECORD_BIT(RECORD_PROC) |
		    RECORD_BIT(RECORD_FLOW) | RECORD_BIT(RECORD_LEAD)) == -1)
		die_sys(EXIT_USAGE, "%s", l.d.conf.run);
	daemon_watch(&l.d);
	daemon_ready(&l.d);
	daemon_charge(&l.d);
	if (loop_run(&l.d.loop) == -1)
		die_sys(EXIT_TEMP, "event loop");
	client_stop(&l.client);
	daemon_uncharge(&l.d);
	return EXIT_YES;
}
