/* SPDX-License-Identifier: ISC */
/*
 * orcm-leaderd, as src/cmd/orcm-leaderd.c, around the core "lead" and the
 * real strategies.  It hears of jobs only from the picture; with its death
 * everything that it knew is gone.
 */
#include "sim/sim.h"

#include <stdlib.h>
#include <string.h>

#include "base/require.h"

void
sim_leaderd_main(struct sim *s)
{
	struct sim_leaderd *l = &s->leaderd;
	struct lead_conf conf = { 4, 4 * SIM_RANKS };
	struct arena a;

	if (l->memory == NULL) {
		l->memory_size = lead_memory(&conf);
		l->memory = calloc(1, l->memory_size);
		REQUIRE(l->memory != NULL);
	}
	memset(l->memory, 0, l->memory_size);
	arena_init(&a, l->memory, l->memory_size);
	lead_init(&l->lead, &a, &conf);
	sim_client_start(s, &l->client, SIM_LEADERD, RECORD_BIT(RECORD_JOB) |
	    RECORD_BIT(RECORD_PROC) | RECORD_BIT(RECORD_FLOW) |
	    RECORD_BIT(RECORD_LEAD));
}

static void
put_claim(struct sim *s, uint64_t id, const struct record_lead *r)
{
	uint8_t value[RECORD_VALUE_MAX];

	sim_client_put(s, &s->leaderd.client, RECORD_LEAD, id, value,
	    record_lead_put(r, value));
}

static void
take_all(struct sim *s)
{
	struct lead_out out;

	while (lead_take(&s->leaderd.lead, &out)) {
		if (!out.claim) {
			sim_client_del(s, &s->leaderd.client, RECORD_LEAD,
			    out.id);
			continue;
		}
		sim_note(s, "claim: rank, incarnation, epoch", out.lead.rank,
		    out.lead.incarnation, out.lead.epoch);
		put_claim(s, out.id, &out.lead);
	}
}

void
sim_leaderd_record(struct sim *s, const struct sim_msg *m)
{
	struct lead_in in = { .id = m->id };
	struct record_job job;
	struct record_proc proc;
	struct record_flow flow;
	struct record_lead lead;

	if (m->kind == RECORD_JOB && m->dead) {
		in.event = LEAD_IN_JOB_GONE;
	} else if (m->dead) {
		return;
	} else if (m->kind == RECORD_JOB &&
	    record_job_get(&job, m->bytes, m->size)) {
		in.event = LEAD_IN_JOB;
		in.job = &job;
		in.ops = s->plan.ops;
		in.argument = s->plan.argument;
	} else if (m->kind == RECORD_PROC &&
	    record_proc_get(&proc, m->bytes, m->size)) {
		in.event = LEAD_IN_PROC;
		in.proc = &proc;
	} else if (m->kind == RECORD_FLOW &&
	    record_flow_get(&flow, m->bytes, m->size)) {
		in.event = LEAD_IN_FLOW;
		in.flow = &flow;
	} else if (m->kind == RECORD_LEAD &&
	    record_lead_get(&lead, m->bytes, m->size)) {
		in.event = LEAD_IN_LEAD;
		in.lead = &lead;
	} else {
		sim_fail(s, "a record that cannot be read");
		return;
	}
	if (!lead_feed(&s->leaderd.lead, s->now, &in))
		sim_fail(s, "no room for the job in leaderd");
	take_all(s);
}

void
sim_leaderd_synced(struct sim *s)
{
	struct lead_in in = { .event = LEAD_IN_SYNCED };

	(void)lead_feed(&s->leaderd.lead, s->now, &in);
	take_all(s);
}

void
sim_leaderd_down(struct sim *s)
{
	struct lead_in in = { .event = LEAD_IN_DOWN };

	(void)lead_feed(&s->leaderd.lead, s->now, &in);
	take_all(s);
}

void
sim_leaderd_publish(struct sim *s)
{
	const struct lead *l = &s->leaderd.lead;
	uint32_t i;

	for (i = 0; i < l->conf.jobs_max; i++)
		if (l->jobs[i].used && l->jobs[i].lead.rank != ORCM_RANK_NONE)
			put_claim(s, l->jobs[i].id, &l->jobs[i].lead);
}
