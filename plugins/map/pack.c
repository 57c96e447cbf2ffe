/* SPDX-License-Identifier: ISC */
#include <orcm/map.h>

/*
 * Fills nodes in order, each up to its slots, so that as few as possible are
 * in use.  Of those without slots each takes `fill`, and what comes when all
 * are full goes to the one that has the least.
 */
enum { FILL };

#define FULL (UINT64_C(1) << 48)

static uint64_t
cost(const struct orcm_map_view *v, uint32_t node)
{
	const struct orcm_map_node *n = &v->nodes[node];
	uint32_t most = n->slots > 0 ? n->slots : v->args[FILL];

	if (n->used < most)
		return node;
	return FULL + (uint64_t)n->used * ORCM_MAP_NODES_MAX + node;
}

static bool
check(const uint32_t *args)
{
	return args[FILL] > 0;
}

static const struct orcm_map_ops ops = {
	.balance = true,
	.cost = cost,
	.check = check,
};

static const struct orcm_param params[] = {
	{ "fill", "16", "replicas on a node without slots before the next" },
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(map, pack, "1.0", ops, params);
