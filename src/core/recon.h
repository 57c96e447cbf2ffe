/* SPDX-License-Identifier: ISC */
#ifndef CORE_RECON_H
#define CORE_RECON_H

#include <orcm/types.h>

#include "base/arena.h"
#include "core/plan.h"

/*
 * The plan against what really runs, by identity: app, rank, incarnation,
 * node.  Starts what is missing, moves with the new copy up before the old
 * one goes, and removes exact duplicates.  Nothing else is ever stopped:
 * what the plan does not know is left alone, so an empty list never means
 * "all".  Each turn: recon_orders() into plan_in.orders, plan_make(), then
 * RECON_IN_VIEW.
 */
struct recon_conf {
	uint32_t orders_max; /* starts under way */
	uint32_t extras_max; /* copies that are to go */
	uint64_t adopt_hold; /* ns from the first view on: only add */
	uint64_t dup_hold;   /* ns that a duplicate is left */
	uint64_t order_max;  /* ns until an order without effect is given up */
	uint32_t rate_max;   /* orders per second */
	uint32_t change_limit; /* permille that the first plan may change */
	uint32_t change_free;  /* so many changes are never too many */
	uint32_t balance_max;  /* moves for balance per minute */
};
#define RECON_MOVES 64u /* balance_max goes up to that */

enum recon_event {
	RECON_IN_VIEW,	  /* an agreed view and the plan made of it */
	RECON_IN_ALLOW,	  /* an operator lets a held-back plan go on */
	RECON_IN_REFUSED  /* that start was refused by its node */
};

struct recon_in {
	enum recon_event event;
	const struct plan *plan;    /* VIEW */
	const struct plan_in *view; /* VIEW: what the plan was made of */
	bool cold; /* VIEW: nothing ran before, all of it will be new */
	uint64_t app;		    /* REFUSED */
	uint32_t rank, incarnation; /* REFUSED */
};

enum recon_verb { RECON_OUT_START, RECON_OUT_STOP, RECON_OUT_ALARM };

enum recon_reason {
	RECON_MISSING,	 /* START: it runs nowhere */
	RECON_MOVING,	 /* START, STOP: it may not stay where it was */
	RECON_BALANCING, /* START, STOP: a better place */
	RECON_DUPLICATE, /* STOP: runs twice, another copy is kept */
	RECON_TOO_MANY,	 /* ALARM: the first plan changes too much */
	RECON_FULL	 /* ALARM: a table is full, some work waits */
};

struct recon_out {
	enum recon_verb verb;
	enum recon_reason reason;
	uint64_t app;
	uint16_t rank, node;
	uint32_t incarnation; /* START: the new one; STOP: the one to end */
	uint32_t count, of;   /* ALARM: changes, of so many processes */
};

struct recon_order {
	bool used;
	bool over; /* given up; remembered for its incarnation */
	struct plan_order order;
	uint64_t since;
};

/* A copy that is to go, and since when that is known. */
struct recon_extra {
	bool used, seen;
	bool told; /* STOP was sent, at `at` */
	uint64_t app;
	uint16_t rank, node;
	uint32_t incarnation;
	uint64_t since, at;
};

struct recon {
	struct recon_conf conf;
	struct recon_order *orders;
	struct recon_extra *extras;
	struct recon_out *outs; /* rate_max + RECON_ALARMS */
	uint32_t outs_len, outs_at;
	bool begun;   /* a view has come, at `start` */
	bool settled; /* the first plan was let pass */
	bool alarmed; /* TOO_MANY was told */
	bool full, full_told;
	uint64_t start;
	uint64_t tokens_at; /* start of the second in which `spent` count */
	uint32_t spent;
	uint64_t moves[RECON_MOVES]; /* times of the last ones for balance */
	uint32_t moves_at;
	uint64_t due;
};
#define RECON_ALARMS 2u

size_t recon_memory(const struct recon_conf *conf);
void recon_init(struct recon *r, struct arena *a,
    const struct recon_conf *conf);
/* Take all effects before the next event. */
void recon_feed(struct recon *r, uint64_t now, const struct recon_in *in);
bool recon_take(struct recon *r, struct recon_out *out);
/* When a view is needed again although none changed, or ORCM_NEVER. */
uint64_t recon_due(const struct recon *r);
/*
 * For the next plan: starts that are under way into orders[0..max-1], how
 * many; and how many moves for balance may be made now.
 */
uint32_t recon_orders(const struct recon *r, struct plan_order *orders,
    uint32_t max);
uint32_t recon_moves_left(const struct recon *r, uint64_t now);
const char *recon_reason_name(enum recon_reason reason);

#endif
