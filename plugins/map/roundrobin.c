/* SPDX-License-Identifier: ISC */
#include <orcm/map.h>

/*
 * One node after another, whatever they carry.  A step of 2 uses every second
 * node first, where neighbours share a board.
 */
enum { STEP };

static uint64_t
cost(const struct orcm_map_view *v, uint32_t node)
{
	uint32_t len = v->nodes_len, next = 0;

	if (v->last < len)
		next = (v->last + v->args[STEP]) % len;
	return (node + len - next) % len;
}

static bool
check(const uint32_t *args)
{
	return args[STEP] > 0 && args[STEP] < ORCM_MAP_NODES_MAX;
}

static const struct orcm_map_ops ops = {
	.spread = true,
	.cost = cost,
	.check = check,
};

static const struct orcm_param params[] = {
	{ "step", "1", "how many nodes further the next one is, 1 to 127" },
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(map, roundrobin, "1.0", ops, params);
