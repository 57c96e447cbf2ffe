/* SPDX-License-Identifier: ISC */
#include <orcm/map.h>

/*
 * The default: what is left of the app when something fails decides.  The
 * host has put replicas on different fault groups first; of the nodes that
 * are then equal, the cheapest one has the least
 *
 *	loss * log2(P) + load * L + health * (1 - H) + faults * F + wish * W
 *
 * where P is the probability that all replicas are lost together: the sum of
 * that of each group which would hold all of them, and the product of that of
 * their nodes.  Each term is in permille of its range, so weights compare
 * like with like; the logarithm makes "ten times as safe" worth the same
 * everywhere.  Replicas beyond the number of groups are spread at random.
 */
enum { LOSS, LOAD, HEALTH, FAULTS, WISH, RANDOM };

#define ATTO UINT64_C(1000000000000000000) /* a probability of 1 */
#define PARTS UINT64_C(1000000000)
#define ATTO_BITS 60u

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* p * risk; exact but for the last digit, which never becomes 0. */
static uint64_t
times(uint64_t p, uint32_t risk)
{
	uint64_t q = p / PARTS * risk + p % PARTS * risk / PARTS;

	return risk > 0 && q == 0 && p > 0 ? 1 : q;
}

/* All replicas are lost when that one is here; in parts of 10^18. */
static uint64_t
loss(const struct orcm_map_view *v, uint32_t node)
{
	uint64_t p = times(ATTO, v->nodes[node].risk);
	const struct orcm_map_group *g;
	uint32_t i;

	for (i = 0; i < v->replicas; i++)
		if (i != v->rank && v->seats[i] < v->nodes_len)
			p = times(p, v->nodes[v->seats[i]].risk);
	for (i = 0; i < v->groups_len; i++) {
		g = &v->groups[i];
		if (!g->whole && g->siblings == v->placed &&
		    orcm_map_in(&g->nodes, node))
			p = least(p + times(ATTO, g->risk), ATTO);
	}
	return p;
}

/* log2(p), permille of the range, with steps between the powers of 2. */
static uint64_t
scaled(uint64_t p)
{
	uint32_t bits = 0;
	uint64_t top = p;

	while (top > 1) {
		top >>= 1;
		bits++;
	}
	if (p == 0)
		return 0;
	/* What is behind the first bit, in 16ths. */
	top = bits < 4 ? p << (4 - bits) : p >> (bits - 4);
	return ((uint64_t)bits * 16 + top - 15) * ORCM_MAP_PERMILLE /
	    (ATTO_BITS * 16);
}

static uint64_t
burden(const struct orcm_map_node *n)
{
	uint32_t slots = n->slots > 0 ? n->slots : ORCM_MAP_SLOTS_DEFAULT;

	return (uint64_t)n->used * ORCM_MAP_PERMILLE / slots + n->load;
}

static uint64_t
cost(const struct orcm_map_view *v, uint32_t node)
{
	const struct orcm_map_node *n = &v->nodes[node];
	const uint32_t *a = v->args;
	uint64_t j = 0;

	if (n->health < ORCM_MAP_PERMILLE)
		j += (uint64_t)a[HEALTH] * (ORCM_MAP_PERMILLE - n->health);
	j += (uint64_t)a[FAULTS] * least((uint64_t)n->faults * 100, 1000);
	j += (uint64_t)a[WISH] * n->dislike;
	if (v->extra && a[RANDOM] != 0)
		return j;
	return j + a[LOSS] * scaled(loss(v, node)) + a[LOAD] * burden(n);
}

static bool
check(const uint32_t *args)
{
	uint32_t i;

	for (i = 0; i <= WISH; i++)
		if (args[i] > 1000)
			return false;
	return args[RANDOM] <= 1;
}

static const struct orcm_map_ops ops = {
	.spread = true,
	.balance = true,
	.cost = cost,
	.check = check,
};

static const struct orcm_param params[] = {
	{ "loss", "4", "weight of losing all replicas together, 0 to 1000" },
	{ "load", "2", "weight of what is there and of measured load" },
	{ "health", "2", "weight of bad health" },
	{ "faults", "2", "weight of recent faults of the app there" },
	{ "wish", "10", "weight of wishes, times their own weight" },
	{ "random", "1", "1: replicas beyond the groups at random; 0: not" },
	{ NULL, NULL, NULL },
};

ORCM_PLUGIN(map, resilient, "1.0", ops, params);
