/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* A later version of good. */
static uint32_t
choose(const struct orcm_leader_view *v)
{
	return v->members_len - 1;
}

static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_LEADER,
	.choose = choose,
};

static const struct orcm_param params[] = {
	ORCM_LEADER_STALL("200"),
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(leader, good, "2.0", ops, params);
