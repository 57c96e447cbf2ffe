/* SPDX-License-Identifier: ISC */
#ifndef CORE_LADDER_H
#define CORE_LADDER_H

#include <orcm/errmgr.h>
#include <orcm/types.h>

#include "base/arena.h"
#include "core/param.h"
#include "core/plan.h"

/*
 * What follows a fault.  The strategy is a plug-in; this keeps the history it
 * is told, halves counts with time, knows whose fault it was, and adds the
 * back-off.  Plain functions: an answer is the only effect there is.
 */
#define LADDER_STEPS 5u	 /* of back-off: 0, 50 ms, 250 ms, 1 s, 4 s */
#define LADDER_TRAIL 4u	 /* nodes of last faults that are remembered */
#define LADDER_MOVES 16u /* relocations that are remembered */
#define LADDER_COUNT_ONE 256u /* counts are kept in parts of this */

struct ladder_conf {
	uint32_t replicas_max; /* with a history */
	uint32_t crashes_max;  /* last ones, of all apps, for `same` */
	uint64_t seed;	       /* of the jitter */
};

/* How one app's faults are answered. */
struct ladder_policy {
	const struct orcm_errmgr_ops *ops;
	uint32_t args[PARAMS_MAX];
	uint64_t decay;	 /* ns in which a count halves */
	uint64_t window; /* ns in which relocations count */
	uint64_t alike;	 /* ns in which like ends on several nodes count */
};
#define LADDER_DECAY (600 * ORCM_SECOND)
#define LADDER_WINDOW (600 * ORCM_SECOND)
#define LADDER_ALIKE (60 * ORCM_SECOND)

struct ladder_fault {
	uint64_t app;
	uint16_t rank, node;
	uint32_t incarnation;
	enum orcm_cause cause;
	uint32_t status;
};

struct ladder_answer {
	enum orcm_answer verb;
	uint64_t at; /* RESTART: when; the back-off is in it */
	bool late;   /* that life's end was answered before */
	struct orcm_errmgr_fault seen; /* what was counted */
};

struct ladder_trail {
	uint16_t node;
	uint64_t at;
	uint32_t count; /* in parts of LADDER_COUNT_ONE */
};

/* The history of one replica. */
struct ladder_entry {
	bool used, held, ended; /* ended: a life's end was answered */
	uint64_t app;
	uint16_t rank;
	uint16_t node; /* where `here` was counted */
	uint32_t incarnation; /* the highest whose end was answered */
	enum orcm_cause cause; /* of the last fault */
	uint32_t status;
	uint32_t here, faults; /* in parts of LADDER_COUNT_ONE */
	uint64_t decay, decayed; /* ns; up to when counts were halved */
	uint64_t at;		 /* last fault */
	uint64_t moves[LADDER_MOVES]; /* times, a ring */
	uint32_t moves_len;	      /* ever */
	struct ladder_trail trail[LADDER_TRAIL];
};

struct ladder_crash {
	bool used;
	uint64_t app;
	uint16_t node;
	uint32_t status;
	uint64_t at;
};

struct ladder {
	struct ladder_conf conf;
	struct ladder_entry *entries;
	struct ladder_crash *crashes; /* a ring */
	uint32_t crashes_at;
	uint32_t forgotten; /* histories that had to make room */
	uint32_t wrong;	    /* answers that no plug-in may give */
};

size_t ladder_memory(const struct ladder_conf *conf);
void ladder_init(struct ladder *l, struct arena *a,
    const struct ladder_conf *conf);
/* Counts the fault, asks the strategy. */
void ladder_fault(struct ladder *l, uint64_t now,
    const struct ladder_policy *policy, const struct ladder_fault *fault,
    struct ladder_answer *answer);
/* Is it held?  Then it is until it is cleared. */
bool ladder_held(const struct ladder *l, uint64_t app, uint32_t rank);
/* An operator: that rank, or PLAN_RANK_ALL, begins anew.  How many did. */
uint32_t ladder_clear(struct ladder *l, uint64_t app, uint32_t rank);
/* The app is gone, its history too. */
void ladder_forget(struct ladder *l, uint64_t app);
/* All histories one by one, from *place 0 on; NULL at the end. */
const struct ladder_entry *ladder_next(const struct ladder *l,
    uint32_t *place);
/*
 * Recent faults for the plan, at most max; how many.  One counts for a
 * `decay`, two on the same node for twice as long.
 */
uint32_t ladder_faults(const struct ladder *l, uint64_t now,
    struct plan_fault *faults, uint32_t max);

#endif
