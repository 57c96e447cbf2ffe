/* SPDX-License-Identifier: ISC */
#ifndef CORE_LEAD_H
#define CORE_LEAD_H

#include <orcm/leader.h>
#include <orcm/types.h>

#include "base/arena.h"
#include "core/record.h"

/*
 * Who leads each job.  The strategy is a plug-in; this core keeps its view,
 * asks it after each change, and claims with a higher epoch when the answer
 * changed.  The smallest core: read it first.
 */
struct lead_conf {
	uint32_t jobs_max;
	uint32_t members_max; /* over all jobs */
};

enum lead_event {
	LEAD_IN_JOB, /* a job's record, with its strategy in ops */
	LEAD_IN_JOB_GONE,
	LEAD_IN_PROC, /* process record of one replica */
	LEAD_IN_FLOW, /* flow record of one replica */
	LEAD_IN_LEAD, /* our own claim, from a former life of ours */
	LEAD_IN_SYNCED, /* the picture is complete: claims may begin */
	LEAD_IN_DOWN /* the picture is lost; SYNCED ends that */
};

/* A job that nobody tells in a picture that is so old has no owner. */
#define LEAD_FORGET (10 * ORCM_SECOND)

struct lead_in {
	enum lead_event event;
	uint64_t id; /* of the job, or job and rank */
	const struct record_job *job;
	const struct orcm_leader_ops *ops; /* LEAD_IN_JOB; never NULL */
	uint32_t argument;		   /* of the policy, or RANK_NONE */
	const struct record_proc *proc;
	const struct record_flow *flow;
	const struct record_lead *lead;
};

/* A claim to publish, or (claim false) one to take back. */
struct lead_out {
	bool claim;
	uint64_t id;
	const char *job; /* its name, valid until the next feed */
	uint32_t was;	 /* rank that led before, or ORCM_RANK_NONE */
	struct record_lead lead;
};

struct lead_member {
	bool proc_known, flow_known;
	bool lived; /* its flow has been seen ready once */
	struct record_proc proc;
	struct record_flow flow;
	uint64_t ready_since;
};

struct lead_job {
	bool used, dirty, gone;
	bool untold; /* not told since the picture was lost */
	bool flows; /* its receivers tell how its streams do */
	uint64_t id;
	char name[ORCM_NAME_MAX + 1];
	uint32_t size, first; /* members[first .. first + size - 1] */
	const struct orcm_leader_ops *ops;
	uint32_t argument;
	struct record_lead lead; /* the last claim; epoch 0: none */
};

struct lead {
	struct lead_conf conf;
	struct lead_job *jobs;
	struct lead_member *members;
	struct orcm_leader_member *view; /* ORCM_RANKS_MAX, scratch */
	bool synced;
	uint64_t since; /* when the picture was complete */
};

size_t lead_memory(const struct lead_conf *conf);
void lead_init(struct lead *l, struct arena *a, const struct lead_conf *conf);
/* False when there is no room for the job. */
bool lead_feed(struct lead *l, uint64_t now, const struct lead_in *in);
/* Effects; false when there is none left.  Take all before the next feed. */
bool lead_take(struct lead *l, struct lead_out *out);

#endif
