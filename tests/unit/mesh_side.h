/* SPDX-License-Identifier: ISC */
#ifndef MESH_SIDE_H
#define MESH_SIDE_H

#include <stdlib.h>

#include "sim/mesh.h"
#include "tap.h"

/*
 * Scenarios in the mesh: a world that has come to rest, and questions about
 * it.  Nodes are indexes; masks have a bit for each.
 */
#define SIDE_SETTLE 40u /* periods */

static struct mesh *w;
static struct mesh_plan plan;

static inline uint64_t
side_t1(void)
{
	return w->times.mult * w->times.period;
}

/* Boots all nodes of the plan and waits until they agree. */
static inline void
side_begin(uint64_t seed)
{
	uint32_t i;

	if (w == NULL)
		w = mesh_new();
	if (w == NULL)
		abort();
	mesh_begin(w, seed, &plan);
	for (i = 0; i < plan.nodes; i++)
		mesh_power(w, i, true);
	(void)mesh_run_to(w, SIDE_SETTLE * w->times.period +
	    mesh_upto(w, w->times.period));
	if (!mesh_agreed(w))
		mesh_fail(w, "the scenario cannot begin");
}

static inline void
side_run(uint64_t time)
{
	(void)mesh_run_to(w, w->now + time);
}

/* No invariant was broken on the way. */
static inline bool
side_good(void)
{
	if (w->failed != NULL)
		mesh_print_failure(w);
	return w->failed == NULL;
}

static inline enum memb_status
side_status(uint32_t observer, uint32_t subject)
{
	return w->nodes[observer].told[subject].status;
}

/* Do all of the mask, but for the subject, say that of it? */
static inline bool
side_all(uint64_t mask, uint32_t subject, enum memb_status s)
{
	uint32_t i;

	for (i = 0; i < plan.nodes; i++)
		if ((mask >> i & 1) && i != subject &&
		    side_status(i, subject) != s)
			return false;
	return true;
}

/* Who may act for all. */
static inline uint64_t
side_acting(void)
{
	uint64_t mask = 0;
	uint32_t i;

	for (i = 0; i < plan.nodes; i++)
		if (w->nodes[i].running && w->nodes[i].asleep <= w->now &&
		    w->nodes[i].memb.view.quorate)
			mask |= UINT64_C(1) << i;
	return mask;
}

/* Whose lease has not run out. */
static inline uint64_t
side_leases(void)
{
	uint64_t mask = 0;
	uint32_t i;

	for (i = 0; i < plan.nodes; i++)
		if (w->nodes[i].lease && w->nodes[i].lease_until > w->now)
			mask |= UINT64_C(1) << i;
	return mask;
}

#define SIDE_SUM(field)                                                        \
	static inline uint64_t side_##field(void)                              \
	{                                                                      \
		uint64_t sum = 0;                                              \
		uint32_t i;                                                    \
		for (i = 0; i < plan.nodes; i++)                               \
			sum += w->nodes[i].field;                              \
		return sum;                                                    \
	}
SIDE_SUM(downs)
SIDE_SUM(deads)
SIDE_SUM(suspects)
SIDE_SUM(fates)

static inline uint64_t
side_alarms(enum memb_alarm a)
{
	uint64_t sum = 0;
	uint32_t i;

	for (i = 0; i < plan.nodes; i++)
		sum += w->nodes[i].alarms[a];
	return sum;
}

#endif
