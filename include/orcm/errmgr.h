/* SPDX-License-Identifier: ISC */
#ifndef ORCM_ERRMGR_H
#define ORCM_ERRMGR_H

#include <orcm/plugin.h>

/*
 * Plug-in kind "errmgr": what follows a fault of one replica.  A strategy is
 * pure: it is told the fault and what was counted before, answers, and keeps
 * nothing.  The host keeps the counts, adds the back-off, and lets nothing
 * that is held or was stopped on purpose come back.
 */
enum orcm_cause {
	ORCM_CAUSE_DONE,      /* ended as it should */
	ORCM_CAUSE_PLANNED,   /* was stopped on purpose */
	ORCM_CAUSE_PREEMPTED, /* had to make room for another */
	ORCM_CAUSE_NODE,      /* its node died */
	ORCM_CAUSE_CRASH,     /* died of a signal, or lost */
	ORCM_CAUSE_EXIT,      /* ended with a bad exit code */
	ORCM_CAUSE_START,     /* could not be started here */
	ORCM_CAUSE_LIMIT,     /* went beyond a limit of a sensor */
	ORCM_CAUSE_VALUE,     /* its output was outvoted */
	ORCM_CAUSE_PREDICTED, /* its node is about to fail; it still runs */
	ORCM_CAUSES
};

enum orcm_answer {
	ORCM_ANSWER_IGNORE,   /* nothing is to be done */
	ORCM_ANSWER_RESTART,  /* here; on a dead node: when it comes back */
	ORCM_ANSWER_RELOCATE, /* on another node, away from what failed */
	ORCM_ANSWER_HOLD,     /* nothing until an operator clears it */
	ORCM_ANSWER_STOP,     /* this replica is given up for good */
	ORCM_ANSWER_ABORT,    /* the whole job ends */
	ORCM_ANSWERS
};

/* Is it the replica's own fault?  Else no count grows by it. */
static inline bool
orcm_cause_counts(enum orcm_cause cause)
{
	return cause >= ORCM_CAUSE_CRASH && cause <= ORCM_CAUSE_VALUE;
}

struct orcm_errmgr_fault {
	uint32_t size; /* of this struct, as the host was built */
	enum orcm_cause cause;
	uint64_t app;
	uint32_t rank, node, incarnation;
	uint32_t status; /* exit code, 0x100 | signal, or 0x200: unknown */
	/* Counts include this fault; they halve with each `decay`. */
	uint32_t here;	/* of this replica on this node */
	uint32_t faults; /* of this replica wherever it was */
	uint32_t app_faults; /* of all replicas of the app */
	uint32_t moves;	/* relocations so far within the window */
	uint32_t same;	/* nodes on which the app just ended alike */
	const uint32_t *args; /* values of the plug-in's params, in order */
};

struct orcm_errmgr_ops {
	enum orcm_answer (*answer)(const struct orcm_errmgr_fault *fault);
	/* Are these values good?  NULL: any are. */
	bool (*check)(const uint32_t *args);
};

#endif
