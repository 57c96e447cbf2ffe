/* SPDX-License-Identifier: ISC */
#include <string.h>

#include "core/memb.h"

/* ns to send one and receive one, with seals and judgement, as measured. */
#define BEAT_COST (UINT64_C(10) * 1000)

static uint64_t
larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

bool
memb_profile(struct memb_times *t, const char *name, uint32_t nodes,
    uint32_t local_daemons, uint32_t cores)
{
	uint64_t t1, cost;

	memset(t, 0, sizeof(*t));
	t->period = 50 * ORCM_MS;
	t->mult = 4;
	t->relocate_hold = 2 * ORCM_SECOND;
	if (strcmp(name, "carrier") == 0) {
		t->period = 10 * ORCM_MS;
		t->mult = 3;
		t->relocate_hold = 500 * ORCM_MS;
	} else if (strcmp(name, "relaxed") == 0) {
		t->period = 200 * ORCM_MS;
		t->mult = 5;
		t->relocate_hold = 10 * ORCM_SECOND;
	} else if (strcmp(name, "auto") == 0) {
		/* A tenth of the cores, shared by the daemons here. */
		cost = (uint64_t)local_daemons * (nodes > 0 ? nodes - 1 : 0) *
		    BEAT_COST * 10;
		t->period = larger(t->period, cost / larger(cores, 1));
	} else if (strcmp(name, "default") != 0)
		return false;
	t1 = t->mult * t->period;
	/* A daemon is back within 20 ms; a host that lost all is not. */
	t->daemon_grace = larger(t1, 40 * ORCM_MS);
	t->indirect_grace = 5 * ORCM_SECOND;
	t->hold_up = larger(10 * t1, 500 * ORCM_MS);
	t->window = larger(10 * t1, 2 * ORCM_SECOND);
	t->boot_wait = 2 * ORCM_SECOND;
	t->lone_boot = 10 * ORCM_SECOND;
	return true;
}
