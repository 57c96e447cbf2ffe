/* SPDX-License-Identifier: ISC */
#ifndef ORCM_LEADER_H
#define ORCM_LEADER_H

#include <orcm/plugin.h>

/*
 * Plug-in kind "leader": whose output is delivered.  A strategy is pure: it
 * sees a view, returns a rank, and keeps nothing.  The same view gives the
 * same answer on every machine.
 */

/* How a receiver delivers under this policy. */
enum orcm_delivery {
	ORCM_DELIVER_LEADER,   /* the claimed leader's output */
	ORCM_DELIVER_ALL,      /* everybody's, no leader is claimed */
	ORCM_DELIVER_MAJORITY, /* what more than half of them agree on */
};

/* One replica as the chooser sees it; index in members[] is its rank. */
struct orcm_leader_member {
	uint32_t incarnation;
	bool alive;    /* running, or ended normally with its output held */
	bool ready;    /* caught up: it can go on where the leader stops */
	bool stalled;  /* does not move while others do */
	bool diverged; /* its output was not the delivered one */
	bool starting; /* first life, not reported running yet */
	uint64_t ready_since; /* ns, when it became ready; 0 if not ready */
};

struct orcm_leader_view {
	uint32_t size;	  /* of this struct, as the host was built */
	uint32_t members_len; /* 1..ORCM_RANKS_MAX */
	const struct orcm_leader_member *members;
	uint32_t leader;  /* present leader, or ORCM_RANK_NONE */
	uint32_t argument; /* number behind the colon: fixed:2; or NONE */
};

/* How well could this one go on?  0: not at all, 3: as it should. */
static inline unsigned
orcm_leader_worth(const struct orcm_leader_member *m)
{
	if (!m->alive || !m->ready)
		return 0;
	if (m->stalled)
		return 1;
	return m->diverged ? 2 : 3;
}

struct orcm_leader_ops {
	enum orcm_delivery delivery;
	/*
	 * The rank that shall lead now, or ORCM_RANK_NONE for "nobody yet".
	 * Called after each change of the view.  A leader that can go on is
	 * kept unless the policy itself says otherwise.  NULL unless delivery
	 * is ORCM_DELIVER_LEADER.
	 */
	uint32_t (*choose)(const struct orcm_leader_view *view);
	/* Is the argument good?  NULL: the policy takes none. */
	bool (*check)(uint32_t argument, uint32_t members_len);
};

/*
 * Parameters.  The host acts upon them for a policy whose params list them,
 * and takes the default from there; what a policy does not list, its users
 * cannot set.  There is one, and 500 is what a policy gets without it:
 */
#define ORCM_LEADER_STALL(ms)                                                  \
	{                                                                      \
		"stall", ms, "ms without a move that make a replica stalled"   \
	}

#endif
