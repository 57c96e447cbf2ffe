/* SPDX-License-Identifier: ISC */
#include "core/plan.h"

/* Questions about a plan that was made, or is being made. */

const struct plan_seat *
plan_seat(const struct plan *p, uint64_t app, uint32_t rank)
{
	uint32_t low = 0, high = p->seats_len, mid;
	const struct plan_seat *s;

	while (low < high) {
		mid = (low + high) / 2;
		s = &p->seats[mid];
		if (s->app < app || (s->app == app && s->rank < rank))
			low = mid + 1;
		else
			high = mid;
	}
	s = &p->seats[low];
	return low < p->seats_len && s->app == app && s->rank == rank ? s :
									NULL;
}

const struct plan_seat *
plan_share(const struct plan *p, uint16_t node, uint32_t *place)
{
	while (*place < p->seats_len)
		if (p->seats[(*place)++].node == node)
			return &p->seats[*place - 1];
	return NULL;
}

uint32_t
plan_copy(const struct plan *p, const struct plan_seat *seat, uint32_t *next)
{
	uint32_t at = *next == PLAN_FIRST ? p->heads[seat - p->seats] :
					    p->nexts[*next];

	if (at == 0)
		return PLAN_FIRST;
	*next = at - 1;
	return at - 1;
}

const char *
plan_remark_name(enum plan_remark remark)
{
	static const char *const names[] = {
		[0] = "-",
		[PLAN_RELAXED_SPREAD] = "relaxed-spread",
		[PLAN_RELAXED_AVOID] = "relaxed-avoid",
		[PLAN_RELAXED_GROUPS] = "relaxed-groups",
		[PLAN_RELAXED_NODES] = "relaxed-nodes",
		[PLAN_NO_PLACE] = "no-place",
		[PLAN_IS_HELD] = "held",
		[PLAN_SURPLUS] = "surplus",
	};

	return names[remark];
}

const char *
plan_bar_name(enum plan_bar bar)
{
	static const char *const names[] = {
		[PLAN_BAR_NONE] = "-",
		[PLAN_BAR_STATE] = "state",
		[PLAN_BAR_PIN] = "pin",
		[PLAN_BAR_FORBID] = "forbid",
		[PLAN_BAR_STRICT] = "strict",
		[PLAN_BAR_NODE] = "node",
		[PLAN_BAR_CAPACITY] = "capacity",
	};

	return names[bar];
}

const char *
plan_why_name(enum plan_why why)
{
	static const char *const names[] = {
		[PLAN_NOWHERE] = "nowhere",
		[PLAN_STAYS] = "stays",
		[PLAN_PLACED] = "placed",
		[PLAN_MOVED] = "moved",
		[PLAN_BALANCED] = "balanced",
	};

	return names[why];
}
