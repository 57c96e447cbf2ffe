/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/* Fits in every respect. */
static uint32_t
choose(const struct orcm_leader_view *v)
{
	return v->members_len - 1;
}

static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_LEADER,
	.choose = choose,
};

ORCM_PLUGIN(leader, good, "1.0", ops, NULL);
