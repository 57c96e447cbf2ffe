/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* Nobody leads: a receiver gets what every replica says. */
static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_ALL,
};

static const struct orcm_param params[] = {
	ORCM_LEADER_STALL("500"),
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(leader, none, "1.0", ops, params);
