/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* Nobody leads: a receiver gets what more than half of all replicas say. */
static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_MAJORITY,
};

static const struct orcm_param params[] = {
	ORCM_LEADER_STALL("500"),
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(leader, vote, "1.0", ops, params);
