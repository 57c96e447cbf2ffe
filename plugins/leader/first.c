/* SPDX-License-Identifier: ISC */
#include <orcm/leader.h>

/*
 * The one that was ready first leads, and keeps leading for as long as it
 * can.  Of two that became ready at the same time it is the lower rank.
 */

/* Is a the better choice, when b has the lower rank? */
static bool
better(const struct orcm_leader_member *a, const struct orcm_leader_member *b)
{
	if (orcm_leader_worth(a) != orcm_leader_worth(b))
		return orcm_leader_worth(a) > orcm_leader_worth(b);
	return orcm_leader_worth(a) > 0 && a->ready_since < b->ready_since;
}

static uint32_t
choose(const struct orcm_leader_view *v)
{
	const struct orcm_leader_member *m = v->members;
	uint32_t rank, best = 0;
	unsigned own = 0;

	for (rank = 1; rank < v->members_len; rank++)
		if (better(&m[rank], &m[best]))
			best = rank;
	if (v->leader < v->members_len)
		own = orcm_leader_worth(&m[v->leader]);
	if (own == 3 || (own > 0 && orcm_leader_worth(&m[best]) < 3))
		return v->leader;
	return orcm_leader_worth(&m[best]) > 0 ? best : ORCM_RANK_NONE;
}

static const struct orcm_leader_ops ops = {
	.delivery = ORCM_DELIVER_LEADER,
	.choose = choose,
};

static const struct orcm_param params[] = {
	ORCM_LEADER_STALL("500"),
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(leader, first, "1.0", ops, params);
