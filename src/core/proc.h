/* SPDX-License-Identifier: ISC */
#ifndef CORE_PROC_H
#define CORE_PROC_H

#include <orcm/types.h>

#include "core/record.h"

/*
 * The life cycle of one replica: lives that follow each other, a budget for
 * restarts, the stop ladder.  A keeper (orcm-wrap) is the parent of the
 * program; it can run several lives, and it can be lost itself.
 */
struct proc_conf {
	enum job_restart restart;
	uint32_t budget; /* restarts allowed, 0..BUDGET_MAX or BUDGET_INF */
	uint64_t period; /* ns in which they count; 0: all of the time */
	bool strict;	 /* also after a life that moved the job on */
	uint64_t grace;	 /* ns between the polite signal and KILL */
	uint32_t signal; /* the polite signal */
};

enum proc_event {
	PROC_IN_START,	 /* it shall run */
	PROC_IN_ADOPT,	 /* it lives, says somebody else */
	PROC_IN_KEEPER,	 /* a keeper is connected; no program runs yet */
	PROC_IN_STARTED, /* the program runs: pid */
	PROC_IN_ENDED,	 /* the program ended: status */
	PROC_IN_FAILED,	 /* it could not be executed: errno */
	PROC_IN_LOST,	 /* the keeper is gone */
	PROC_IN_STOP,	 /* it shall end: polite signal, later KILL */
	PROC_IN_KILL,	 /* it shall end at once */
	PROC_IN_TICK,	 /* time has passed */
	PROC_EVENTS
};

struct proc_in {
	enum proc_event event;
	uint32_t incarnation; /* ADOPT, KEEPER, STARTED, ENDED, FAILED */
	uint32_t value;	      /* pid, status or errno */
};

enum proc_verb {
	PROC_OUT_SPAWN, /* start a keeper for this incarnation */
	PROC_OUT_RUN,	/* tell the keeper to run this incarnation */
	PROC_OUT_SIGNAL, /* send value to the program's group */
	PROC_OUT_END,	/* tell the keeper to leave; 1: its rest may write on */
	PROC_OUT_REAP	/* the keeper is lost: see that its program is dead */
};

struct proc_out {
	enum proc_verb verb;
	uint32_t value; /* incarnation, signal, or pid (REAP) */
};

#define PROC_OUTS_MAX 4u
#define PROC_BACKOFFS 5u
/* A life of this length begins anew with an immediate restart. */
#define PROC_LONG_LIFE ORCM_SECOND
/* A keeper that does not report by then is given up. */
#define PROC_START_MAX (10 * ORCM_SECOND)
#define PROC_ADOPT_MAX (2 * ORCM_SECOND)

struct proc {
	struct record_proc r; /* what others may know */
	const struct proc_conf *conf;
	bool keeper;	/* one is connected */
	bool stop;	/* it shall end as soon as it can */
	bool fruit;	/* this life has moved the job on */
	bool fresh;	/* no life has been ordered yet */
	bool adopted;	/* this life began under a former daemon */
	uint64_t since; /* when this life began */
	uint64_t due;	/* when a tick is needed */
	uint32_t shorts; /* short lives in a row */
	uint64_t *deaths; /* ring of BUDGET_MAX times */
	uint32_t deaths_len, deaths_at;
	struct proc_out outs[PROC_OUTS_MAX];
	uint32_t outs_len;
};

/* conf and deaths (BUDGET_MAX times, zeroed) stay valid as long as p. */
void proc_init(struct proc *p, const struct proc_conf *conf,
    uint64_t *deaths);
/* What it was, as told by a former life of the daemon. */
void proc_recall(struct proc *p, const struct record_proc *r);
/* Every effect of the last event must have been taken. */
void proc_feed(struct proc *p, uint64_t now, const struct proc_in *in);
bool proc_take(struct proc *p, struct proc_out *out);
uint64_t proc_due(const struct proc *p);
/* This life has moved the job on. */
void proc_fruit(struct proc *p);
/* No program and no keeper are left, and none will come. */
bool proc_over(const struct proc *p);

#endif
