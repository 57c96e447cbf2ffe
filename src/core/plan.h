/* SPDX-License-Identifier: ISC */
#ifndef CORE_PLAN_H
#define CORE_PLAN_H

#include <orcm/map.h>
#include <orcm/types.h>

#include "base/arena.h"
#include "core/param.h"

/*
 * plan(configuration, agreed view, history, seed): where each replica of each
 * app belongs.  A pure function: the same question has the same answer on
 * every node, so one scheduler can send it as orders, or each daemon can
 * compute its own share.  What runs well is not moved.
 */
#define PLAN_NODES_MAX ORCM_MAP_NODES_MAX
#define PLAN_GROUPS_MAX ORCM_MAP_GROUPS_MAX
#define PLAN_APPS_MAX 256u
#define PLAN_REPLICAS_MAX 64u
#define PLAN_SEATS_MAX (64u * 256u)
#define PLAN_LEVELS_MAX 4u
#define PLAN_LISTS_MAX 1024u /* pins, wishes and faults: of each so many */
#define PLAN_NODE_NONE ORCM_MAP_NODE_NONE
#define PLAN_RANK_ALL ORCM_RANK_NONE /* each rank of the app */

enum plan_node_state {
	PLAN_NODE_ALIVE,
	PLAN_NODE_STALLED, /* up to DOWN: keeps what it has, gets nothing */
	PLAN_NODE_SUSPECT,
	PLAN_NODE_DOWN,
	PLAN_NODE_DEAD, /* DEAD, LEFT: what it had is to be placed anew */
	PLAN_NODE_LEFT
};

struct plan_node {
	uint16_t number;
	const char *name;
	enum plan_node_state state;
	bool draining;
	uint32_t slots;	 /* 0: no limit */
	uint32_t load;	 /* permille */
	uint32_t health; /* permille; 1000 is well */
	uint32_t risk;	 /* of a failure within one hour, parts of 10^9 */
};

/* Sets name nodes by their index in plan_in.nodes, not by number. */
struct plan_group {
	const char *name;
	struct orcm_map_set nodes;
	uint32_t level; /* 0: lowest, up to PLAN_LEVELS_MAX - 1 */
	uint32_t risk;
};

/* How replicas of an app are spread over the groups of one level. */
enum plan_spread {
	PLAN_SPREAD_USUAL,  /* level 0: FIRM, those above: SOFT */
	PLAN_SPREAD_NONE,
	PLAN_SPREAD_SOFT,   /* rule 1: relaxed first */
	PLAN_SPREAD_FIRM,   /* rule 3 */
	PLAN_SPREAD_STRICT  /* a hard rule */
};

/* Which of several copies of one replica stays. */
enum plan_reconcile {
	PLAN_LEADER_FIRST,   /* the leader, else as BEST_PLACEMENT */
	PLAN_KEEP_ORIGINAL,  /* the lowest incarnation */
	PLAN_KEEP_REPLACEMENT, /* the highest */
	PLAN_LONGEST_RUNNING,
	PLAN_BEST_PLACEMENT  /* fewest rules broken, then the lowest cost */
};

struct plan_app {
	uint64_t id;
	uint32_t replicas; /* 0..PLAN_REPLICAS_MAX */
	int32_t priority;  /* higher ones are placed first */
	uint32_t slots;	   /* that one replica takes */
	bool allow_same;   /* several replicas may share a node */
	enum plan_spread spread[PLAN_LEVELS_MAX];
	enum plan_reconcile reconcile;
	struct orcm_map_set forbid; /* never on these */
	const struct orcm_map_ops *map;
	uint32_t args[PARAMS_MAX]; /* of that policy */
};

/* That rank, or all of them, only on these nodes. */
struct plan_pin {
	uint64_t app;
	uint16_t rank; /* or PLAN_RANK_ALL */
	struct orcm_map_set nodes;
};

/* A wish with a weight: on these nodes, or away from what `other` runs on. */
struct plan_wish {
	uint64_t app;
	uint64_t other; /* 0: `nodes` count */
	struct orcm_map_set nodes;
	uint32_t weight;
};

enum plan_place_state {
	PLAN_PLACE_STARTING, /* ordered, starting, backed off: on its way */
	PLAN_PLACE_UP,
	PLAN_PLACE_WAITING, /* bound to its node, even to a dead one */
	PLAN_PLACE_LEAVING, /* runs, but shall go elsewhere */
	PLAN_PLACE_ENDED, /* does not run; it is to be placed anew */
	PLAN_PLACE_DONE,  /* ended as it should: needs no place */
	PLAN_PLACE_HELD	  /* no place until it is cleared */
};

/* One copy of one replica, as the view shows it. */
struct plan_place {
	uint64_t app;
	uint16_t rank, node; /* node: number; HELD may have NODE_NONE */
	uint32_t incarnation;
	enum plan_place_state state;
	bool leader;
	bool synced;  /* announced, and has caught up */
	uint64_t age; /* ns that it has been up */
};

/* A start that was ordered and is not finished: it is stuck to. */
struct plan_order {
	uint64_t app;
	uint16_t rank, node;
	uint32_t incarnation;
	bool balance; /* made for balance only */
};

/* Recent faults of one replica on one node. */
struct plan_fault {
	uint64_t app;
	uint16_t rank, node;
	uint32_t count;
};

struct plan_in {
	const struct plan_node *nodes; /* by rising number */
	uint32_t nodes_len;
	const struct plan_group *groups;
	uint32_t groups_len;
	const struct plan_app *apps; /* by rising id */
	uint32_t apps_len;
	const struct plan_pin *pins;
	uint32_t pins_len;
	const struct plan_wish *wishes;
	uint32_t wishes_len;
	const struct plan_place *places;
	uint32_t places_len;
	const struct plan_order *orders;
	uint32_t orders_len;
	const struct plan_fault *faults;
	uint32_t faults_len;
	uint64_t seed; /* the configuration's generation */
	uint32_t moves_max; /* for balance, in this plan; 0: not asked for */
};

enum plan_why {
	PLAN_NOWHERE, /* a note says why */
	PLAN_STAYS,
	PLAN_PLACED,  /* it was nowhere */
	PLAN_MOVED,   /* it may not stay where it runs: make before break */
	PLAN_BALANCED /* a better place */
};

struct plan_seat {
	uint64_t app;
	uint16_t rank;
	uint16_t node; /* number, or PLAN_NODE_NONE */
	uint16_t from; /* MOVED, BALANCED: where it still runs */
	enum plan_why why;
};

/* What was given up, in this order, and what else an operator should know. */
enum plan_remark {
	PLAN_RELAXED_SPREAD = 1, /* soft spread */
	PLAN_RELAXED_AVOID,	 /* a node or group of recent faults */
	PLAN_RELAXED_GROUPS,	 /* distinct lower-level groups */
	PLAN_RELAXED_NODES,	 /* distinct nodes, where that is allowed */
	PLAN_NO_PLACE,		 /* no legal node: `bar` says what left none */
	PLAN_IS_HELD,
	PLAN_SURPLUS		 /* runs, but the app has fewer replicas */
};

/* The hard rules, in the order in which they are applied. */
enum plan_bar {
	PLAN_BAR_NONE,
	PLAN_BAR_STATE,	   /* not alive, stalled or draining */
	PLAN_BAR_PIN,
	PLAN_BAR_FORBID,
	PLAN_BAR_STRICT,   /* a group that must not be shared */
	PLAN_BAR_NODE,	   /* one replica of the app on each node */
	PLAN_BAR_CAPACITY
};

struct plan_note {
	uint64_t app;
	uint16_t rank;
	uint16_t node; /* number of the one that was taken, or NODE_NONE */
	enum plan_remark remark;
	enum plan_bar bar;
	uint32_t count; /* RELAXED: siblings it meets there, or faults */
};

struct plan_conf {
	uint32_t seats_max;  /* replicas of all apps together */
	uint32_t places_max; /* copies in a view */
	uint32_t notes_max;
};

/* Facts about the app in hand; nodes[].used is of all apps. */
struct plan_work {
	struct orcm_map_node nodes[PLAN_NODES_MAX];
	struct orcm_map_group groups[PLAN_GROUPS_MAX];
	struct orcm_map_set member[PLAN_NODES_MAX]; /* groups of each node */
	struct orcm_map_set legal;		    /* for the rank in hand */
	uint16_t seats[PLAN_REPLICAS_MAX];	    /* index, by rank */
	uint32_t placed;			    /* of them */
};

struct plan {
	struct plan_conf conf;
	struct plan_seat *seats; /* by app, then rank */
	uint32_t seats_len;
	uint32_t *heads; /* of each seat: its first place + 1, or 0 */
	uint32_t *nexts; /* of each place: the seat's next one + 1, or 0 */
	uint32_t *orders; /* of each seat: its order + 1, or 0 */
	struct plan_note *notes;
	uint32_t notes_len, notes_lost; /* lost: there was no room */
	uint32_t first[PLAN_APPS_MAX];	/* seat of each app's rank 0 */
	uint32_t apps_len;
	const struct plan_in *in; /* during plan_make() only */
	struct plan_work work;
	uint32_t last;	/* index of the node that was given something last */
	uint32_t moves; /* for balance, so far */
};

size_t plan_memory(const struct plan_conf *conf);
void plan_init(struct plan *p, struct arena *a, const struct plan_conf *conf);
/*
 * Makes the plan anew: seats and notes.  False, and no seats, when the input
 * is beyond the limits or not in order; what names an unknown app or node is
 * passed over.
 */
bool plan_make(struct plan *p, const struct plan_in *in);
/* The seat of that replica, or NULL. */
const struct plan_seat *plan_seat(const struct plan *p, uint64_t app,
    uint32_t rank);
/*
 * One node's share, seat by seat: start with *place 0; NULL at the end.  A
 * daemon that computes the plan itself runs just these.
 */
const struct plan_seat *plan_share(const struct plan *p, uint16_t node,
    uint32_t *place);
/*
 * The copies of a seat, one after the other: start with *next PLAN_FIRST;
 * the index in plan_in.places, or PLAN_FIRST at the end.
 */
#define PLAN_FIRST UINT32_MAX
uint32_t plan_copy(const struct plan *p, const struct plan_seat *seat,
    uint32_t *next);
const char *plan_remark_name(enum plan_remark remark);
const char *plan_bar_name(enum plan_bar bar);
const char *plan_why_name(enum plan_why why);

#endif
