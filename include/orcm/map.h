/* SPDX-License-Identifier: ISC */
#ifndef ORCM_MAP_H
#define ORCM_MAP_H

#include <orcm/plugin.h>

/*
 * Plug-in kind "map": on which node a replica goes.  A strategy is pure: it
 * is told the facts, says what a node would cost, and keeps nothing.  It is
 * asked only about nodes on which the replica may be, and the host takes the
 * cheapest one; so a strategy can be wrong, but it can break no hard rule.
 * Among equals the host draws by rendezvous hash: the same on every machine.
 */
#define ORCM_MAP_NODES_MAX 128u
#define ORCM_MAP_GROUPS_MAX 128u
#define ORCM_MAP_NODE_NONE 0xffffu
/* What a node without slots is taken to hold. */
#define ORCM_MAP_SLOTS_DEFAULT 256u
#define ORCM_MAP_PERMILLE 1000u
/* Probabilities are parts of 10^9: of a failure within one hour. */
#define ORCM_MAP_CERTAIN UINT32_C(1000000000)

/* Nodes by their index in nodes[]. */
struct orcm_map_set {
	uint64_t bits[ORCM_MAP_NODES_MAX / 64];
};

static inline bool
orcm_map_in(const struct orcm_map_set *set, uint32_t node)
{
	return node < ORCM_MAP_NODES_MAX &&
	    (set->bits[node / 64] >> node % 64 & 1) != 0;
}

struct orcm_map_node {
	uint32_t number; /* rises with the index */
	const char *name;
	bool alive;	/* neither silent nor dead */
	bool stalled;	/* alive, but it does not move */
	bool draining;	/* to be emptied */
	bool legal;	/* this replica may be placed here now */
	uint32_t slots; /* that it has; 0: none were configured */
	uint32_t used;	/* taken by what is placed there, without this one */
	uint32_t load;	/* as it was measured, permille */
	uint32_t health; /* permille; 1000 is well */
	uint32_t risk;	/* that it fails, parts of 10^9 */
	uint32_t siblings; /* other replicas of the app that are placed here */
	uint32_t faults; /* recent ones of the app here */
	uint32_t dislike; /* weights of the app's wishes that it goes against */
};

/* Nodes that fail together. */
struct orcm_map_group {
	const char *name;
	struct orcm_map_set nodes;
	uint32_t level; /* 0: lowest; a rack is above its shelves */
	uint32_t risk;	/* that it fails, parts of 10^9 */
	uint32_t siblings; /* other replicas of the app that are in it */
	uint32_t faults; /* recent ones of the app in it */
	bool whole;	/* holds all nodes that come into question: ignore it */
};

struct orcm_map_view {
	uint32_t size; /* of this struct, as the host was built */
	const struct orcm_map_node *nodes;
	uint32_t nodes_len;
	const struct orcm_map_group *groups;
	uint32_t groups_len;
	uint32_t rank;	   /* the replica that is to be placed */
	uint32_t replicas; /* of the app */
	const uint16_t *seats; /* where they are by rank; NODE_NONE: nowhere */
	uint32_t placed; /* how many of the others are placed */
	uint32_t last;	/* node that was given something last; or NODE_NONE */
	bool extra;	/* no group without a sibling is left */
	uint64_t seed;	/* of the plan */
	const uint32_t *args; /* values of the plug-in's params, in order */
};

struct orcm_map_ops {
	/* The host spreads replicas over fault groups and nodes first. */
	bool spread;
	/* Costs of places say whether a running replica should be moved. */
	bool balance;
	/* What it costs to have the replica on nodes[node]; less is better. */
	uint64_t (*cost)(const struct orcm_map_view *view, uint32_t node);
	/* Are these values good?  NULL: any are. */
	bool (*check)(const uint32_t *args);
};

#endif
