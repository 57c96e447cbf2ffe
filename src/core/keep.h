/* SPDX-License-Identifier: ISC */
#ifndef CORE_KEEP_H
#define CORE_KEEP_H

#include <orcm/types.h>

#include "base/arena.h"
#include "core/proc.h"
#include "core/record.h"

/*
 * What orcmd decides: which replicas run on this node.  Job records come in,
 * orders for keepers and process records go out.
 */
struct keep_conf {
	uint32_t jobs_max;  /* 1..1024 */
	uint32_t procs_max; /* over all jobs */
};

enum keep_event {
	KEEP_IN_JOB,	 /* a job's record: new or changed */
	KEEP_IN_JOB_GONE, /* its owner took it back */
	KEEP_IN_FLOW,	 /* flow record of one replica */
	KEEP_IN_FLOW_GONE,
	KEEP_IN_PROC,	 /* our own record, from a former life of ours */
	KEEP_IN_SYNCED,	 /* the picture is complete: acts may begin */
	KEEP_IN_PROCESS, /* something about one process: proc */
	KEEP_IN_SPAWNED, /* the keeper's pid is value */
	KEEP_IN_ORPHAN,	 /* a keeper found nobody who owns the job */
	KEEP_IN_TICK,
	KEEP_IN_DOWN /* the picture is lost; SYNCED ends that */
};

/* A job that nobody tells again so long after SYNCED, and that is over. */
#define KEEP_FORGET (10 * ORCM_SECOND)

struct keep_in {
	enum keep_event event;
	uint64_t id; /* of the job, or job and rank */
	const struct record_job *job;	/* KEEP_IN_JOB */
	const struct record_flow *flow; /* KEEP_IN_FLOW */
	const struct record_proc *proc; /* KEEP_IN_PROC */
	struct proc_in process;		/* KEEP_IN_PROCESS */
	uint32_t value;			/* KEEP_IN_SPAWNED */
};

enum keep_verb {
	KEEP_OUT_SPAWN,	 /* start a keeper for incarnation value */
	KEEP_OUT_RUN,	 /* tell the keeper to run incarnation value */
	KEEP_OUT_SIGNAL, /* send signal value to the program's group */
	KEEP_OUT_END,	 /* tell the keeper to leave, as PROC_OUT_END */
	KEEP_OUT_REAP,	 /* kill pid value and its group */
	KEEP_OUT_PUT,	 /* publish the process record */
	KEEP_OUT_DEL	 /* take it back; the job's last one ends the job */
};

/* Signals that have no one number: orcm-wrap knows its system's. */
#define KEEP_SIGNAL_PAUSE 0xfeu
#define KEEP_SIGNAL_RESUME 0xffu

struct keep_out {
	enum keep_verb verb;
	uint64_t id;   /* job and rank */
	const char *job; /* its name, valid until the next call */
	bool last;	 /* KEEP_OUT_DEL: nothing of the job is left */
	uint32_t value;
	struct record_proc proc; /* KEEP_OUT_PUT */
	enum proc_state was;	 /* KEEP_OUT_PUT: the state before */
	bool adopted;		 /* this life began under a former daemon */
};

struct keep_job {
	bool used, gone, planned;
	bool untold;	 /* not told since the picture was lost */
	uint64_t forget; /* when it is over, then; or ORCM_NEVER */
	uint64_t id;
	struct record_job r;
	struct proc_conf conf;
	uint32_t first; /* its processes: first .. first + size - 1 */
};

struct keep_proc {
	bool used, told, dead; /* dead: its record is to be taken back */
	bool flow_known;
	uint32_t job, rank;
	struct proc proc;
	struct record_proc last; /* as it was published */
	struct record_proc past; /* from a former life of the daemon */
	bool past_known;
	struct record_flow flow;
	struct keep_out outs[10];
	uint32_t outs_len, next; /* next: in the queue */
	bool queued;
};

/* A keeper that came before its job was known, and what it said last. */
struct keep_early {
	bool used, ended, failed;
	uint64_t id; /* of job and rank */
	uint32_t keeper, incarnation, pid;
	uint32_t value; /* status or errno */
};

struct keep {
	struct keep_conf conf;
	struct keep_job *jobs;
	struct keep_proc *procs;
	struct keep_early *early; /* procs_max */
	uint64_t *deaths;
	bool synced;
	uint32_t queue_first, queue_last, queue_len; /* with effects */
};

size_t keep_memory(const struct keep_conf *conf);
void keep_init(struct keep *k, struct arena *a, const struct keep_conf *conf);
/*
 * False when a job cannot be kept: no room for it (its owner is then told by
 * the caller).  Effects may be taken before or after the next event, but
 * all of them soon.
 */
bool keep_feed(struct keep *k, uint64_t now, const struct keep_in *in);
bool keep_take(struct keep *k, struct keep_out *out);
uint64_t keep_due(const struct keep *k);
/* The job of that id, or NULL. */
const struct keep_job *keep_job(const struct keep *k, uint64_t id);
/* The replica whose keeper has this pid. */
bool keep_find(const struct keep *k, uint32_t keeper, uint64_t *id);
/* The keeper of that job and rank that came early, or NULL. */
struct keep_early *keep_early_find(struct keep *k, uint64_t id);
/*
 * Something about a process whose job is not known or not planned yet.  When
 * there is no room it is forgotten: then the replica is started again.
 */
void keep_early_note(struct keep *k, uint64_t id, const struct proc_in *in);
/*
 * May a keeper of that life be heard?  A late one of a life that was given up
 * already must not take the place of the present one.
 */
bool keep_expects(const struct keep *k, uint64_t id, uint32_t incarnation);
/* Jobs that are not over. */
uint32_t keep_jobs(const struct keep *k);

#endif
