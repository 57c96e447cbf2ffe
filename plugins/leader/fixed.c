/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/*
 * fixed:R: rank R leads whenever it can, also when that means a switch back
 * to it.  While it cannot, another stands in, the lowest one that can go on,
 * and stays for as long as it can, so that there is no third switch.
 */

static uint32_t
choose(const struct orcm_leader_view *v)
{
	uint32_t rank, best = ORCM_RANK_NONE;
	unsigned best_worth = 0, own = 0;

	/* The operator named it, so its output counts even if it differs. */
	if (v->argument < v->members_len) {
		if (orcm_leader_worth(&v->members[v->argument]) >= 2)
			return v->argument;
		if (v->leader == ORCM_RANK_NONE &&
		    v->members[v->argument].starting)
			return ORCM_RANK_NONE;
	}
	for (rank = 0; rank < v->members_len; rank++) {
		if (orcm_leader_worth(&v->members[rank]) > best_worth) {
			best = rank;
			best_worth = orcm_leader_worth(&v->members[rank]);
		}
	}
	if (v->leader < v->members_len)
		own = orcm_leader_worth(&v->members[v->leader]);
	if (own == 3 || (own > 0 && best_worth < 3))
		return v->leader;
	return best;
}

static bool
check(uint32_t argument, uint32_t members_len)
{
	return argument < members_len;
}

static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_LEADER,
	.choose = choose,
	.check = check,
};

static const struct orcm_param params[] = {
	ORCM_LEADER_STALL("500"),
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(leader, fixed, "1.0", ops, params);
