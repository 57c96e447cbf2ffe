/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/*
 * The default: the lowest rank that can go on leads, and keeps leading for
 * as long as it can.  Nothing is gained by a switch back to a lower rank.
 */

static uint32_t
choose(const struct orcm_leader_view *v)
{
	uint32_t rank, best = ORCM_RANK_NONE;
	unsigned best_worth = 0, own = 0;

	for (rank = 0; rank < v->members_len; rank++) {
		if (orcm_leader_worth(&v->members[rank]) > best_worth) {
			best = rank;
			best_worth = orcm_leader_worth(&v->members[rank]);
		}
	}
	if (v->leader < v->members_len)
		own = orcm_leader_worth(&v->members[v->leader]);
	/*
	 * Nobody better: to leave a stalled or diverged leader for one that
	 * is no better off only costs a switch.
	 */
	if (own == 3 || (own > 0 && best_worth < 3))
		return v->leader;
	if (v->leader != ORCM_RANK_NONE)
		return best;
	/* At the start a lower rank is worth the moment that it still needs. */
	for (rank = 0; rank < v->members_len && rank < best; rank++)
		if (v->members[rank].starting)
			return ORCM_RANK_NONE;
	return best;
}

static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_LEADER,
	.choose = choose,
};

static const struct orcm_param params[] = {
	ORCM_LEADER_STALL("500"),
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(leader, lowest, "1.0", ops, params);
